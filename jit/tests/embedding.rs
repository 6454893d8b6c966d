//! The embedder's promises in both tiers: a host that fails, memory that is refused, what inspectors are told.

use std::sync::Arc;

use zvm::engine::{EngineError, Limits};
use zvm::host::{BlockEnv, HostError, Log};
use zvm::inspect::{CallEnd, CallStart, Inspector, StorageAccess};
use zvm::state::{AccountInfo, Database, InMemoryDatabase};
use zvm::tx::{Transaction, TransactionError, TransactionResult};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, Mode, U256};
use zvm_jit::{Jit, JitOptions};

const SENDER: Address = Address::repeat_byte(0x5e);
const OUTER: Address = Address::repeat_byte(0x01);
const INNER: Address = Address::repeat_byte(0x02);
const TIERS: [Mode; 2] = [Mode::Interp, Mode::Jit];

fn engine(mode: Mode, limits: Limits) -> Engine {
    let jit = Jit::new(JitOptions::checked()).expect("this machine has a code generator");
    let fork = Fork::Prague;
    Engine::builder().fork(fork).mode(mode).tier(Arc::new(jit)).count_blocks(true).limits(limits).build()
}

fn block() -> BlockEnv {
    BlockEnv { number: U256::from(300), gas_limit: U256::MAX, ..BlockEnv::default() }
}

fn transaction(gas_limit: u64) -> Transaction {
    Transaction::legacy(SENDER, Some(OUTER), U256::ZERO, Bytes::new(), gas_limit, U256::ZERO)
}

/// `call(inner, gas: all)` with `prefix` in front.
fn calling(prefix: &[u8]) -> Vec<u8> {
    let call = [&[0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x73][..], INNER.as_slice(), &[0x5a, 0xf1, 0x50]].concat();
    [prefix, &call].concat()
}

fn database(outer: &[u8], inner: &[u8]) -> InMemoryDatabase {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::ONE << 100, Bytes::new());
    database.insert_account(OUTER, 1, U256::from(9), Bytes::copy_from_slice(outer));
    database.insert_account(INNER, 1, U256::ZERO, Bytes::copy_from_slice(inner));
    // An account that a creation finds: whether it has storage must be asked.
    database.insert_account(zvm::engine::created_address(&OUTER, 1), 0, U256::ONE, Bytes::new());
    database.insert_block_hash(299, B256::repeat_byte(9));
    database
}

/// Asserts that compiled code ran where it was asked for.
fn assert_tier(mode: Mode, result: &TransactionResult) {
    match mode {
        Mode::Interp => assert_eq!(result.blocks_compiled, 0),
        _ => assert!(result.blocks_compiled > 0, "nothing ran compiled: {result:?}"),
    }
}

/// Fails at one of its questions.
struct Failing {
    inner: InMemoryDatabase,
    /// Questions so far, by kind.
    asked: Vec<&'static str>,
    fails_at: usize,
}

impl Failing {
    fn note(&mut self, kind: &'static str) -> Result<(), HostError> {
        self.asked.push(kind);
        if self.asked.len() > self.fails_at {
            return Err(HostError(format!("no answer about {kind}").into()));
        }
        Ok(())
    }
}

impl Database for Failing {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        self.note("accounts")?;
        self.inner.account(address)
    }
    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        self.note("code")?;
        self.inner.code(hash)
    }
    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.note("words")?;
        self.inner.storage(address, key)
    }
    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        self.note("storage")?;
        self.inner.has_storage(address)
    }
    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.note("blocks")?;
        self.inner.block_hash(number)
    }
}

/// Writes, reads, asks for balance, code and a block's hash, creates, calls.
fn busy_code() -> Vec<u8> {
    let mut code = vec![0x60, 7, 0x5f, 0x55]; // sstore(0, 7)
    code.extend_from_slice(&[0x60, 1, 0x54, 0x50]); // sload(1)
    for (address, operation) in [(0x11, 0x31), (0x12, 0x3b), (0x13, 0x3f)] {
        code.push(0x73); // balance, extcodesize, extcodehash
        code.extend_from_slice(Address::repeat_byte(address).as_slice());
        code.extend_from_slice(&[operation, 0x50]);
    }
    code.extend_from_slice(&[0x61, 1, 43, 0x40, 0x50]); // blockhash(299)
    code.extend_from_slice(&[0x5f, 0x5f, 0x5f, 0xf0, 0x50]); // create
    calling(&code)
}

#[test]
fn trouble_at_any_access_ends_the_transaction_without_outcome_or_change() {
    // sload(2)
    let world = || database(&busy_code(), &[0x60, 2, 0x54]);
    for mode in TIERS {
        let failing = Failing { inner: world(), asked: Vec::new(), fails_at: usize::MAX };
        let mut executor = Executor::new(engine(mode, Limits::default()), failing);
        let result = executor.transact(&transaction(500_000), &block()).expect("the database answers");
        assert!(result.is_success(), "{result:?}");
        assert_tier(mode, &result);
        let asked = executor.state().database().asked.clone();
        for kind in ["accounts", "code", "words", "blocks", "storage"] {
            assert!(asked.contains(&kind), "the program asks for {kind}: {asked:?}");
        }
        for (fails_at, question) in asked.iter().enumerate() {
            let failing = Failing { inner: world(), asked: Vec::new(), fails_at };
            let mut executor = Executor::new(engine(mode, Limits::default()), failing);
            match executor.transact(&transaction(500_000), &block()) {
                Err(TransactionError::Engine(EngineError::Host(error))) => {
                    let expected = format!("the host failed: no answer about {question}");
                    assert_eq!(error.to_string(), expected, "{mode:?}, question {fails_at}");
                }
                other => panic!("{mode:?}, question {fails_at}: {other:?}"),
            }
            assert!(executor.changes().is_empty(), "{mode:?}, question {fails_at}");
            assert_eq!(executor.state().logs(), []);
        }
    }
}

/// Runs with a limit of memory; the refused transactions change nothing, and the executor goes on.
fn with_limit(
    mode: Mode,
    world: InMemoryDatabase,
    memory_bytes: usize,
    gas_limit: u64,
) -> Result<TransactionResult, usize> {
    let limits = Limits { memory_bytes, transaction_gas_cap: false };
    let mut executor = Executor::new(engine(mode, limits), world);
    match executor.transact(&transaction(gas_limit), &block()) {
        Ok(result) => {
            assert_tier(mode, &result);
            Ok(result)
        }
        Err(TransactionError::Engine(EngineError::MemoryLimit { limit })) => {
            assert!(executor.changes().is_empty());
            let again = executor.transact(&transaction(gas_limit), &block());
            assert!(again.is_err(), "the executor is as it was");
            Err(limit)
        }
        Err(other) => panic!("{other}"),
    }
}

/// `mstore(offset, 1)`, then `more`.
fn store_at(offset: u64, more: &[u8]) -> Vec<u8> {
    [&[0x60, 1, 0x67][..], &offset.to_be_bytes(), &[0x52], more].concat()
}

#[test]
fn a_store_at_2_40_with_all_gas_meets_the_limit() {
    for mode in TIERS {
        let world = database(&store_at(1 << 40, &[]), &[]);
        let limit = Limits::default().memory_bytes;
        assert_eq!(with_limit(mode, world, limit, (1 << 63) - 1).map(|_| ()), Err(limit), "{mode:?}");
    }
}

#[test]
fn the_limit_is_over_all_frames() {
    // Outer holds 1024 bytes while inner asks for 1024.
    let world = || database(&calling(&store_at(992, &[])), &store_at(992, &[]));
    for mode in TIERS {
        assert!(with_limit(mode, world(), 2048, 1_000_000).is_ok());
        assert_eq!(with_limit(mode, world(), 2047, 1_000_000).map(|_| ()), Err(2047), "{mode:?}");
        // One after the other is not together.
        let twice = calling(&calling(&[]));
        assert!(with_limit(mode, database(&twice, &store_at(992, &[])), 1024, 1_000_000).is_ok());
    }
}

#[test]
fn memory_limit_or_out_of_gas_is_decided_operation_by_operation_in_both_tiers() {
    // Behind the store that is refused, dear operations in the same block: charging them ahead must not show.
    let dear = [&[0x5f, 0x31, 0x50].repeat(3)[..], &[0x5f, 0x5f, 0x20, 0x50].repeat(5)].concat();
    let programs = [
        store_at(992, &[]),
        store_at(992, &dear),
        [&dear[..], &store_at(992, &dear)].concat(),
        // codecopy(0, 0, 1024), then the store
        [&[0x61, 4, 0, 0x5f, 0x5f, 0x39][..], &store_at(2000, &dear)].concat(),
        // keccak256(0, 64), mstore8(1000), more of them
        [&[0x60, 64, 0x5f, 0x20, 0x50, 0x60, 1, 0x61, 3, 232, 0x53][..], &dear].concat(),
    ];
    for (number, program) in programs.iter().enumerate() {
        let mut met_limit = 0;
        let mut ran_out = 0;
        for execution_gas in 0..1500 {
            let outcomes = TIERS.map(|mode| {
                let limits = Limits { memory_bytes: 992, transaction_gas_cap: false };
                let mut executor = Executor::new(engine_of(mode, limits), database(program, &[]));
                match executor.transact(&transaction(21_000 + execution_gas), &block()) {
                    Ok(result) => Some((result.exit, result.gas_used)),
                    Err(TransactionError::Engine(EngineError::MemoryLimit { .. })) => None,
                    Err(other) => panic!("{other}"),
                }
            });
            assert_eq!(outcomes[0], outcomes[1], "program {number}, {execution_gas} gas");
            match outcomes[0] {
                None => met_limit += 1,
                Some(_) => ran_out += 1,
            }
        }
        assert!(
            met_limit > 0 && ran_out > 0,
            "program {number}: {met_limit} met the limit, {ran_out} ran out"
        );
    }
}

/// Like [`engine`], made once for each tier: compiled code is used again.
fn engine_of(mode: Mode, limits: Limits) -> Engine {
    thread_local! {
        static ENGINES: [Engine; 2] = TIERS.map(|mode| {
            engine(mode, Limits { memory_bytes: 992, transaction_gas_cap: false })
        });
    }
    let engine =
        ENGINES.with(|engines| engines[TIERS.iter().position(|&tier| tier == mode).unwrap_or(0)].clone());
    assert_eq!(*engine.limits(), limits);
    engine
}

#[derive(Default)]
struct Tape(Vec<String>);

impl Inspector for Tape {
    fn call_start(&mut self, start: &CallStart<'_>) {
        self.0.push(format!("{start:?}"));
    }
    fn call_end(&mut self, end: &CallEnd<'_>) {
        self.0.push(format!("{end:?}"));
    }
    fn log(&mut self, log: &Log) {
        self.0.push(format!("{log:?}"));
    }
    fn storage(&mut self, access: &StorageAccess) {
        self.0.push(format!("{access:?}"));
    }
}

struct Steps(u64);

impl Inspector for Steps {
    fn wants_steps(&self) -> bool {
        true
    }
    fn step(&mut self, _: &zvm::compiled::frame::Frame) {
        self.0 += 1;
    }
}

#[test]
fn inspectors_are_told_the_same_in_both_tiers_and_steps_are_interpreted() {
    // tstore(2, 8), tload(2), log0, sload(2), revert
    let inner =
        [0x60, 8, 0x60, 2, 0x5d, 0x60, 2, 0x5c, 0x50, 0x5f, 0x5f, 0xa0, 0x60, 2, 0x54, 0x5f, 0x5f, 0xfd];
    let tapes = TIERS.map(|mode| {
        let engine = engine(mode, Limits::default());
        let mut executor = Executor::with_inspector(engine, database(&busy_code(), &inner), Tape::default());
        let result = executor.transact(&transaction(500_000), &block()).expect("it runs");
        assert_tier(mode, &result);
        std::mem::take(&mut executor.inspector_mut().0)
    });
    assert!(tapes[0].len() > 10, "{:?}", tapes[0]);
    assert_eq!(tapes[0], tapes[1]);

    let steps = TIERS.map(|mode| {
        let engine = engine(mode, Limits::default());
        let mut executor = Executor::with_inspector(engine, database(&busy_code(), &inner), Steps(0));
        let result = executor.transact(&transaction(500_000), &block()).expect("it runs");
        assert_eq!(result.blocks_compiled, 0, "a step inspector makes its frames interpreted");
        executor.inspector().0
    });
    assert!(steps[0] > 40);
    assert_eq!(steps[0], steps[1]);
}
