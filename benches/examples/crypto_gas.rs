//! Hashes and signature verifications against their price: time of the operation in the machine, in both tiers, and
//! the gas that the opcode table takes for it. Nothing may take longer than a microsecond for 30 gas.
//!
//! `cargo run --release -p zvm-benches --example crypto_gas -- [ROUNDS]` prints the tables of `docs/vm/crypto-gas.md`;
//! the exit status is 1 where something takes longer.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes, U256, hex, keccak256};
use zvm::bytecode::{Code, Op, assemble};
use zvm::engine::{Engine, Executor, Limits, Mode};
use zvm::host::BlockEnv;
use zvm::interp::ops::signatures::{FALCON_512, ML_DSA_65, SLH_DSA_SHA2_128S};
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm_jit::{Jit, JitOptions};

/// What a microsecond costs at least.
const GAS_PER_MICROSECOND: f64 = 30.0;
/// Gas of each transaction: more than any needs.
const GAS: u64 = 1 << 40;
const SENDER: Address = Address::repeat_byte(0x5e);
const CONTRACT: Address = Address::repeat_byte(0xc0);
/// The table of what has Ethereum's price, which can't change here.
const FOR_COMPARISON: &str = "For comparison";
/// The precompiled contract that recovers signers.
const ECRECOVER: &str = "1";

/// Sizes of what is hashed: nothing, one byte, a kilobyte, 64 kilobytes; one block is the hash's own.
const SIZES: [usize; 4] = [0, 1, 1024, 65_536];

/// An operation on some input: the text of its operands, as often as it is repeated, and what lies in memory.
struct Row {
    name: String,
    /// Operands of the repetition with that number, the last pushed first.
    operands: Box<dyn Fn(usize) -> String>,
    operation: String,
    /// How many words the operands are.
    pops: usize,
    memory: Vec<u8>,
    repetitions: usize,
}

/// What a row took: gas and nanoseconds of one operation, in the interpreter and in native code.
struct Measured {
    name: String,
    gas: f64,
    nanoseconds: [f64; 2],
}

impl Measured {
    fn rate(&self) -> f64 {
        self.gas * 1000.0 / self.nanoseconds[0].max(self.nanoseconds[1])
    }
}

fn main() -> ExitCode {
    let rounds: usize = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(41);
    let jit = Arc::new(Jit::new(JitOptions::production()).expect("the JIT supports this machine"));
    let mut worst = f64::INFINITY;
    let tables = [
        ("Hashes", hashes()),
        ("Signatures", signatures()),
        ("Services that cost little", services()),
        (FOR_COMPARISON, vec![recovery()]),
    ];
    for (title, rows) in tables {
        println!("## {title}\n");
        println!("| operation and input | gas | ns, interpreter | ns, native code | gas per µs |");
        println!("| --- | ---: | ---: | ---: | ---: |");
        for row in rows {
            let it = measure(&row, rounds, &jit);
            let rate = it.rate();
            if title != FOR_COMPARISON {
                worst = worst.min(rate);
            }
            let [interpreter, native] = it.nanoseconds;
            println!("| {} | {:.0} | {interpreter:.0} | {native:.0} | {rate:.0} |", it.name, it.gas);
        }
        println!();
    }
    println!("The least gas per microsecond is {worst:.0}; the bound is {GAS_PER_MICROSECOND:.0}.");
    ExitCode::from(u8::from(worst < GAS_PER_MICROSECOND))
}

/// Random bytes, the same each time.
fn noise(len: usize) -> Vec<u8> {
    (0u64..).flat_map(|n| keccak256(n.to_be_bytes()).0).take(len).collect()
}

fn hashes() -> Vec<Row> {
    let blocks = [(Op::Keccak256, 136), (Op::Sha256, 64), (Op::Ripemd160, 64), (Op::Blake2b, 128)];
    let mut rows = Vec::new();
    for (op, block) in blocks {
        // A byte less than a block leaves no room for the padding of most of them, and one more needs another.
        for size in [SIZES[0], SIZES[1], block - 1, block, block + 1, SIZES[2], SIZES[3]] {
            let repetitions = if size > 10_000 { 4 } else { 200 };
            rows.push(Row {
                name: format!("`{}`, {size} bytes", op.name()),
                // Each hashes other bytes: the machine remembers hashes of one and two words.
                operands: Box::new(move |number| format!("push4 {size}\npush2 {number}\n")),
                operation: op.name().to_owned(),
                pops: 2,
                memory: noise(size + repetitions),
                repetitions,
            });
        }
    }
    for keys in [1, 2, 16] {
        let word = |n: usize| format!("push32 {}\n", keccak256(n.to_be_bytes()));
        let operation = if keys == 1 { "tablehash".to_owned() } else { format!("tablehashn {keys}") };
        rows.push(Row {
            name: format!("`{operation}`"),
            operands: Box::new(move |number| (0..=keys).map(|key| word(32 * number + key)).collect()),
            operation,
            pops: keys + 1,
            memory: Vec::new(),
            repetitions: 200,
        });
    }
    rows
}

/// What of Hedera's services costs less than a thousand gas.
fn services() -> Vec<Row> {
    let cheap = [Op::HederaAccountId, Op::HederaTimestamp];
    let row = |op: Op| Row {
        name: format!("`{}`", op.name()),
        operands: Box::new(|_| String::new()),
        operation: op.name().to_owned(),
        pops: 0,
        memory: Vec::new(),
        repetitions: 400,
    };
    cheap.map(row).into()
}

/// Key, message and signature of the tests' vectors.
fn vectors(text: &str) -> Vec<[Vec<u8>; 3]> {
    let values: Vec<Vec<u8>> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(_, digits)| if digits == "-" { Vec::new() } else { hex::decode(digits).expect("digits") })
        .collect();
    values.as_chunks::<3>().0.to_vec()
}

fn signatures() -> Vec<Row> {
    let schemes = [
        (Op::PqVerifyDilithium, ML_DSA_65, include_str!("../../tests/crypto/vectors/ml_dsa_65.txt")),
        (Op::PqVerifyFalcon, FALCON_512, include_str!("../../tests/crypto/vectors/falcon_512.txt")),
        (
            Op::PqVerifySphincs,
            SLH_DSA_SHA2_128S,
            include_str!("../../tests/crypto/vectors/slh_dsa_sha2_128s.txt"),
        ),
    ];
    let mut rows = Vec::new();
    for (op, sizes, text) in schemes {
        let mut add = |what: String, key: &[u8], message: &[u8], signature: &[u8]| {
            rows.push(verification(op, sizes.0, what, key, message, signature));
        };
        for [key, message, signature] in vectors(text) {
            add(format!("valid, message of {} bytes", message.len()), &key, &message, &signature);
        }
        let [key, message, signature] = vectors(text).swap_remove(1);
        // A sound signature of another message is looked at to the end, whatever the message's size.
        for size in [0, 64, 136, 1024, 65_536] {
            add(format!("of another message, {size} bytes"), &key, &noise(size), &signature);
        }
        for (place, at) in [("first", 0), ("middle", signature.len() / 2), ("last", signature.len() - 1)] {
            let mut flipped = signature.clone();
            flipped[at] ^= 1;
            add(format!("{place} byte changed"), &key, &message, &flipped);
        }
        for byte in [0x00, 0xff] {
            add(format!("signature of {byte:#04x}"), &key, &message, &vec![byte; sizes.1]);
            add(format!("key of {byte:#04x}"), &vec![byte; sizes.0], &message, &signature);
        }
        add("random signature".to_owned(), &key, &message, &noise(sizes.1));
        let mut random_key = noise(sizes.0);
        // A Falcon key begins with its degree, and other coefficients than random ones must be below the modulus.
        if op == Op::PqVerifyFalcon {
            random_key = key.clone();
            random_key[sizes.0 / 2] ^= 1;
        }
        add("another key".to_owned(), &random_key, &message, &signature);
        add("signature a byte short".to_owned(), &key, &message, &signature[1..]);
    }
    rows
}

/// A verification of what lies in memory: key, signature, message.
fn verification(op: Op, key_size: usize, what: String, key: &[u8], message: &[u8], signature: &[u8]) -> Row {
    let (message_at, message_size, size) = (key_size + signature.len(), message.len(), signature.len());
    let operands =
        format!("push0\npush4 {size}\npush4 {key_size}\npush4 {message_size}\npush4 {message_at}\n");
    Row {
        name: format!("`{}`, {what}", op.name()),
        operands: Box::new(move |_| operands.clone()),
        operation: op.name().to_owned(),
        pops: 5,
        memory: [key, signature, message].concat(),
        repetitions: 4,
    }
}

/// Recovery of a signer by the precompiled contract, of the signature that its tests use.
fn recovery() -> Row {
    let hash = hex!("456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3");
    let r = hex!("9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608");
    let s = hex!("4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada");
    let v = U256::from(28).to_be_bytes::<32>();
    Row {
        name: "call of the precompiled `ecrecover`".to_owned(),
        operands: Box::new(|_| format!("push1 32\npush0\npush1 128\npush0\npush1 {ECRECOVER}\ngas\n")),
        operation: "staticcall".to_owned(),
        pops: 6,
        memory: [hash, v, r, s].concat(),
        repetitions: 4,
    }
}

/// A program that fills its memory from its call data and then repeats the operation, or only its operands.
fn program(row: &Row, repetitions: usize, has_operation: bool) -> Bytes {
    let mut text = ".zvm\ncalldatasize\npush0\npush0\ncalldatacopy\n".to_owned();
    for number in 0..repetitions {
        text += &(row.operands)(number);
        if has_operation {
            text += &format!("{}\npop\n", row.operation);
        } else {
            text += &"pop\n".repeat(row.pops);
        }
    }
    let code = assemble(&(text + "halt")).expect("the text assembles").code;
    Code::native(&code).raw().clone()
}

/// A program on a machine of its own.
struct Setup {
    executor: Executor<InMemoryDatabase>,
    transaction: Transaction,
    block: BlockEnv,
}

impl Setup {
    fn new(code: Bytes, data: Bytes, jit: Option<Arc<Jit>>) -> Setup {
        let mut database = InMemoryDatabase::new();
        database.insert_account(CONTRACT, 1, U256::ZERO, code);
        let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
        let engine = Engine::builder().hedera(true).limits(limits);
        let engine = match jit {
            Some(jit) => engine.mode(Mode::Jit).tier(jit),
            None => engine.mode(Mode::Interp),
        };
        Setup {
            executor: Executor::new(engine.build(), database),
            transaction: Transaction::legacy(SENDER, Some(CONTRACT), U256::ZERO, data, GAS, U256::ZERO),
            block: BlockEnv { gas_limit: U256::MAX, number: U256::from(1), ..BlockEnv::default() },
        }
    }

    /// Gas of the frame and time of the transaction.
    fn run(&mut self) -> (u64, Duration) {
        let started = Instant::now();
        let result = self.executor.transact(&self.transaction, &self.block).expect("a valid transaction");
        let time = started.elapsed();
        assert!(result.is_success(), "{:?}", result.exit);
        self.executor.state_mut().forget();
        (result.exec_gas, time)
    }
}

/// Gas and time of one operation: the program with it, less the one with its operands alone; the fastest of
/// rounds in which all take turns, since others use the machine too.
fn measure(row: &Row, rounds: usize, jit: &Arc<Jit>) -> Measured {
    let data = Bytes::from(row.memory.clone());
    let mut setups: Vec<Setup> = [None, Some(jit.clone())]
        .into_iter()
        .flat_map(|jit| {
            [true, false].map(|has_operation| {
                Setup::new(program(row, row.repetitions, has_operation), data.clone(), jit.clone())
            })
        })
        .collect();
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); setups.len()];
    let mut gas = [0; 4];
    // The first runs compile and warm up.
    for round in 0..rounds + 2 {
        for (at, setup) in setups.iter_mut().enumerate() {
            let (used, time) = setup.run();
            gas[at] = used;
            if round >= 2 {
                times[at].push(time);
            }
        }
    }
    let fastest: Vec<f64> = times
        .iter()
        .map(|times| times.iter().min().map_or(f64::NAN, |time| time.as_nanos() as f64))
        .collect();
    assert_eq!((gas[0], gas[1]), (gas[2], gas[3]), "{}: the tiers agree", row.name);
    let count = row.repetitions as f64;
    // Where the operation stands its word is popped, where it does not its operands are.
    let pops = Op::Pop.info().gas as f64 * (row.pops as f64 - 1.0);
    Measured {
        name: row.name.clone(),
        gas: (gas[0] as f64 - gas[1] as f64) / count + pops,
        nanoseconds: [(fastest[0] - fastest[1]) / count, (fastest[2] - fastest[3]) / count],
    }
}
