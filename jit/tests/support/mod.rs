//! Running code in both tiers and comparing the whole frame.
//!
//! The reference here is the slowest there is: one operation at a time, each by the interpreter's own handler after
//! the stack check and the static gas. Tests of the run loop against the same handlers live in `zvm`.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::collections::HashMap;
use std::sync::Arc;

use zvm::bytecode::{Code, Encoding, Op};
use zvm::compiled::frame::{Frame, Message, Spec};
use zvm::compiled::tier::CompiledCode;
use zvm::host::{Access, BlockEnv, Host, HostError, Log, StorageWrite, TxEnv};
use zvm::interp::ops::{execute, runnable};
use zvm::outcome::{Exit, Trap};
use zvm::state::AccountInfo;
use zvm::{Address, B256, Bytes, Fork, U256};
use zvm_jit::{Jit, JitOptions};

/// A host with storage and logs and nothing else.
#[derive(Clone, Default)]
pub struct TestHost {
    block: Option<Box<BlockEnv>>,
    tx: TxEnv,
    /// Persistent storage.
    pub storage: HashMap<U256, U256>,
    transient: HashMap<U256, U256>,
    warm: Vec<U256>,
    /// Log entries so far.
    pub logs: Vec<Log>,
    /// Refund counter.
    pub refund: i64,
}

impl TestHost {
    /// A fresh host.
    pub fn new() -> TestHost {
        let word = U256::from;
        let block = BlockEnv {
            number: word(1000),
            timestamp: word(1_700_000_000),
            coinbase: Address::repeat_byte(0xcb),
            gas_limit: word(30_000_000),
            base_fee: word(7),
            prev_randao: U256::MAX,
            blob_base_fee: word(1),
            chain_id: word(1),
        };
        TestHost { block: Some(Box::new(block)), ..TestHost::default() }
    }

    fn touch(&mut self, key: &U256) -> bool {
        let is_cold = !self.warm.contains(key);
        if is_cold {
            self.warm.push(*key);
        }
        is_cold
    }
}

impl Host for TestHost {
    fn block(&self) -> &BlockEnv {
        self.block.as_deref().expect("made by `new`")
    }
    fn tx(&self) -> &TxEnv {
        &self.tx
    }
    fn sload(
        &mut self,
        _: &Address,
        key: &U256,
        affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        if !affordable && !self.warm.contains(key) {
            return Ok(None);
        }
        let is_cold = self.touch(key);
        Ok(Some(Access { value: self.storage.get(key).copied().unwrap_or_default(), is_cold }))
    }
    fn sstore(
        &mut self,
        _: &Address,
        key: &U256,
        value: &U256,
        affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError> {
        if !affordable && !self.warm.contains(key) {
            return Ok(None);
        }
        let is_cold = self.touch(key);
        let current = self.storage.insert(*key, *value).unwrap_or_default();
        Ok(Some(StorageWrite { original: U256::ZERO, current, is_cold }))
    }
    fn tload(&mut self, _: &Address, key: &U256) -> U256 {
        self.transient.get(key).copied().unwrap_or_default()
    }
    fn tstore(&mut self, _: &Address, key: &U256, value: &U256) {
        self.transient.insert(*key, *value);
    }
    fn add_refund(&mut self, refund: i64) {
        self.refund += refund;
    }
    fn log(&mut self, log: Log) {
        self.logs.push(log);
    }
    fn account(&mut self, _: &Address, _: bool) -> Result<Option<Access<AccountInfo>>, HostError> {
        let value = AccountInfo { balance: U256::from(5), ..AccountInfo::default() };
        Ok(Some(Access { value, is_cold: false }))
    }
    fn code(&mut self, _: &B256) -> Result<Arc<Code>, HostError> {
        Err(HostError("no account has code".into()))
    }
    fn selfdestruct(&mut self, _: &Address, _: &Address) -> Result<(), HostError> {
        Ok(())
    }
    fn self_balance(&mut self, _: &Address) -> Result<U256, HostError> {
        Ok(U256::from(77))
    }
    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        Ok(B256::with_last_byte(number as u8))
    }
}

/// The rules of the tests.
pub fn spec() -> Spec {
    Spec { fork: Fork::LATEST, native_code: true, hedera: false }
}

/// A frame at its start.
pub fn frame(code: &Arc<Code>, input: &[u8], gas: u64) -> Frame {
    let message = Message {
        address: Address::new(std::array::from_fn(|i| 0xa0 + i as u8)),
        caller: Address::new(std::array::from_fn(|i| 0x10 + i as u8)),
        value: U256::from(3),
        input: Bytes::copy_from_slice(input),
        is_static: false,
        depth: 0,
    };
    Frame::new(Arc::clone(code), message, spec(), gas)
}

/// Runs one operation after another; `false` from `go_on` stops in front of the next.
pub fn step_while(
    frame: &mut Frame,
    host: &mut dyn Host,
    mut go_on: impl FnMut(&Frame) -> bool,
) -> Option<Exit> {
    while go_on(frame) {
        if let Err(exit) = step(frame, host) {
            return Some(exit);
        }
    }
    None
}

fn step(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let code = Arc::clone(&frame.code);
    let pc = frame.pc;
    let byte = code.body().get(pc).copied().unwrap_or(0);
    let op = runnable(code.encoding(), byte, &frame.spec).ok_or(Trap::InvalidOpcode)?;
    let immediate = code.padded().get(pc + 1).copied().unwrap_or(0);
    let (pops, pushes) = op.stack_effect(immediate);
    frame.stack.check(usize::from(pops), usize::from(pushes))?;
    frame.gas = frame.gas.checked_sub(op.info().gas).ok_or(Trap::OutOfGas)?;
    frame.pc = pc + code.encoding().instruction_len(byte);
    execute(op, pc, frame, host)
}

/// Runs to the end in the reference.
pub fn interpret(frame: &mut Frame, host: &mut dyn Host) -> Exit {
    step_while(frame, host, |_| true).expect("runs until the frame ends")
}

/// Runs to the end in compiled code, with the reference where compiled code asks for it.
pub fn run_compiled(compiled: &dyn CompiledCode, frame: &mut Frame, host: &mut dyn Host) -> Exit {
    loop {
        if compiled.can_enter(frame.pc) {
            match compiled.run(frame, host) {
                Exit::Interpret => {}
                exit => return exit,
            }
        }
        // At least one operation, then on to the next place to enter.
        let mut is_first = true;
        let exit =
            step_while(frame, host, |frame| std::mem::take(&mut is_first) || !compiled.can_enter(frame.pc));
        if let Some(exit) = exit {
            return exit;
        }
    }
}

/// How a run ended, as far as it can be seen from outside; a trap shows nothing but itself.
#[derive(Debug, PartialEq)]
pub struct Seen {
    pub exit: Exit,
    pub gas: u64,
    pub output: Bytes,
    pub stack: Vec<U256>,
    pub memory: Vec<u8>,
    pub storage: Vec<(U256, U256)>,
    pub logs: Vec<Log>,
    pub refund: i64,
}

pub fn seen(exit: Exit, frame: &Frame, host: &TestHost) -> Seen {
    if matches!(exit, Exit::Trap(_)) {
        return Seen {
            exit,
            gas: 0,
            output: Bytes::new(),
            stack: vec![],
            memory: vec![],
            storage: vec![],
            logs: vec![],
            refund: 0,
        };
    }
    let mut storage: Vec<_> = host.storage.iter().map(|(k, v)| (*k, *v)).collect();
    storage.sort_unstable();
    // A fault leaves its operands where they were or not; nobody can tell.
    let is_end = matches!(exit, Exit::Halt);
    Seen {
        exit,
        gas: frame.gas,
        output: frame.output.clone(),
        stack: if is_end { frame.stack.words().to_vec() } else { vec![] },
        memory: frame.memory.bytes().to_vec(),
        storage,
        logs: host.logs.clone(),
        refund: host.refund,
    }
}

/// Code with its native code.
pub struct Both {
    pub code: Arc<Code>,
    pub compiled: zvm_jit::CompiledContract,
}

impl Both {
    pub fn new(jit: &Jit, code: Code) -> Both {
        let compiled = jit.compile(&code, &spec()).unwrap_or_else(|e| panic!("{e}"));
        Both { code: Arc::new(code), compiled }
    }

    /// Runs both tiers and compares; gives what both show and the number of compiled blocks.
    pub fn check(&self, input: &[u8], gas: u64) -> (Seen, u64) {
        let mut reference = frame(&self.code, input, gas);
        let mut reference_host = TestHost::new();
        let exit = interpret(&mut reference, &mut reference_host);
        let expected = seen(exit, &reference, &reference_host);
        let mut tested = frame(&self.code, input, gas);
        let mut host = TestHost::new();
        let exit = run_compiled(&self.compiled, &mut tested, &mut host);
        let got = seen(exit, &tested, &host);
        assert_eq!(
            got,
            expected,
            "code {}, input {}, gas {gas}",
            self.code.raw(),
            Bytes::copy_from_slice(input)
        );
        (got, tested.blocks_compiled)
    }
}

/// The compiler of the tests.
pub fn jit() -> Jit {
    Jit::new(JitOptions::checked()).expect("this machine has a code generator")
}

/// Builds code in one of the encodings.
#[derive(Clone)]
pub struct Asm {
    pub encoding: Encoding,
    pub bytes: Vec<u8>,
}

impl Asm {
    pub fn new(encoding: Encoding) -> Asm {
        Asm { encoding, bytes: Vec::new() }
    }

    pub fn op(&mut self, op: Op) -> &mut Asm {
        self.bytes.push(self.encoding.byte(op).expect("the encoding has the operation"));
        self
    }

    pub fn op_imm(&mut self, op: Op, immediate: u8) -> &mut Asm {
        self.op(op);
        self.bytes.push(immediate);
        self
    }

    /// Pushes a small number.
    pub fn push1(&mut self, value: u8) -> &mut Asm {
        self.op_imm(Op::Push1, value)
    }

    /// Pushes any word.
    pub fn push(&mut self, value: U256) -> &mut Asm {
        self.op(Op::Push32);
        self.bytes.extend(value.to_be_bytes::<32>());
        self
    }

    pub fn code(&self) -> Code {
        match self.encoding {
            Encoding::Zvm => Code::native(&self.bytes),
            Encoding::Evm => Code::evm(self.bytes.clone()),
        }
    }
}

/// Words on which operations change their mind.
pub fn edge_words() -> Vec<U256> {
    let one = U256::ONE;
    let mut words = vec![U256::ZERO];
    for n in [1u64, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 100, 127, 128, 200, 255, 256, 257] {
        words.push(U256::from(n));
    }
    for bits in [7, 8, 15, 16, 31, 32, 63, 64, 65, 127, 128, 192, 255] {
        let power = one << bits;
        words.extend([power - one, power, power + one, U256::ZERO - power, U256::ZERO - power - one]);
    }
    words.push(U256::MAX);
    words.push(U256::MAX - one);
    words.push(U256::from_limbs([5, 0, 0, 1 << 62]));
    words.push(U256::from_limbs([0, 9, 0, 0]));
    words.push(U256::from_limbs([
        0x0123_4567_89ab_cdef,
        0xfedc_ba98_7654_3210,
        0x8899_aabb_ccdd_eeff,
        0x1122,
    ]));
    words.sort_unstable();
    words.dedup();
    words
}
