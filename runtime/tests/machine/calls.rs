//! The driver of frames, asked by a tier that stands in for the calling operations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_primitives::keccak256;
use zvm::bytecode::Code;
use zvm::call_stack::{CallRequest, CreateRequest, Request};
use zvm::compiled::frame::{Frame, Message, Spec};
use zvm::compiled::tier::{CompiledCode, Tier};
use zvm::engine::{EngineError, ExecutionResult, Limits, TierUp};
use zvm::host::{BlockEnv, Host, HostError, TxEnv};
use zvm::outcome::Exit;
use zvm::state::{AccountInfo, Database, InMemoryDatabase};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, Mode, U256};

use crate::run::word;

const CALLER: Address = Address::repeat_byte(0xaa);
const CALLEE: Address = Address::repeat_byte(0xbb);

/// "Compiled" code of whatever starts with INVALID: its first run asks, its second answers with the stack's top.
struct Asking(Request, Arc<AtomicUsize>);

impl Asking {
    /// With a counter for the largest depth at which it ran.
    fn new(request: Request) -> Asking {
        Asking(request, Arc::default())
    }
}

impl Tier for Asking {
    fn compile(&self, code: &Code, _: &Spec) -> Option<Arc<dyn CompiledCode>> {
        (code.body().first() == Some(&0xfe)).then(|| Arc::new(Asking(self.0.clone(), self.1.clone())) as _)
    }
}

impl CompiledCode for Asking {
    fn can_enter(&self, _: usize) -> bool {
        true
    }

    fn run(&self, frame: &mut Frame, _: &mut dyn Host) -> Exit {
        self.1.fetch_max(frame.message.depth, Ordering::Relaxed);
        if frame.stack.is_empty() {
            frame.memory.grow_to(32, u64::MAX).expect("little memory");
            let (Request::Call(CallRequest { gas, .. }) | Request::Create(CreateRequest { gas, .. })) =
                &self.0;
            frame.gas -= gas;
            frame.request = Some(self.0.clone());
            return if matches!(self.0, Request::Call(_)) { Exit::Call } else { Exit::Create };
        }
        let top = frame.stack.words()[frame.stack.len() - 1];
        let answer = [&top.to_be_bytes::<32>()[..], frame.memory.bytes(), &frame.return_data].concat();
        frame.output = answer.into();
        Exit::Return
    }

    fn size_bytes(&self) -> usize {
        0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn executor(request: Request, callee: &[u8]) -> Executor<InMemoryDatabase> {
    executor_with(Asking::new(request), callee)
}

fn executor_with(tier: Asking, callee: &[u8]) -> Executor<InMemoryDatabase> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(CALLER, 1, word(100), Bytes::from_static(&[0xfe]));
    database.insert_account(CALLEE, 1, word(0), Bytes::copy_from_slice(callee));
    let engine = Engine::builder().mode(Mode::Jit).tier(Arc::new(tier)).build();
    Executor::new(engine, database)
}

fn run(executor: &mut Executor<InMemoryDatabase>) -> ExecutionResult {
    let message = Message {
        address: CALLER,
        caller: Address::ZERO,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    executor.state_mut().begin_transaction(Fork::LATEST);
    let code = executor.code_of(&CALLER).expect("no host trouble").expect("code");
    executor.execute(code, message, 1_000_000, &BlockEnv::default(), &TxEnv::default()).expect("an outcome")
}

fn call(value: u64) -> Request {
    Request::Call(CallRequest {
        address: CALLEE,
        code_address: CALLEE,
        caller: CALLER,
        value: word(value),
        transfers_value: true,
        input: Bytes::from_static(&[9]),
        gas: 100_000,
        is_static: false,
        output: (1, 4),
    })
}

/// sstore(0, 7), mstore(0, 0xabcd), then `end` (30, 2)
fn callee(end: u8) -> Vec<u8> {
    vec![0x60, 7, 0x5f, 0x55, 0x61, 0xab, 0xcd, 0x5f, 0x52, 0x60, 2, 0x60, 30, end]
}

const CALLEE_GAS: u64 = 3 + 2 + 22_100 + 3 + 2 + 6 + 6;

#[test]
fn a_call_answers_with_success_output_and_gas() {
    let mut executor = executor(call(40), &callee(0xf3));
    let result = run(&mut executor);
    assert_eq!(result.exit, Exit::Return);
    assert_eq!(result.gas_left, 1_000_000 - CALLEE_GAS);
    let (success, rest) = result.output.split_at(32);
    assert_eq!(U256::from_be_slice(success), word(1));
    let (memory, return_data) = rest.split_at(32);
    assert_eq!(&memory[..5], [0, 0xab, 0xcd, 0, 0], "only what was returned is written");
    assert_eq!(return_data, [0xab, 0xcd]);
    let state = executor.state_mut();
    assert_eq!(state.peek_storage(&CALLEE, &U256::ZERO).expect("no trouble"), word(7));
    assert_eq!(state.account(&CALLEE).expect("no trouble").balance, word(40));
}

#[test]
fn a_call_that_reverts_undoes_its_effects_and_its_value() {
    let mut executor = executor(call(40), &callee(0xfd));
    let result = run(&mut executor);
    assert_eq!(result.gas_left, 1_000_000 - CALLEE_GAS);
    assert_eq!(U256::from_be_slice(&result.output[..32]), word(0));
    assert_eq!(result.output[64..], [0xab, 0xcd]);
    assert!(executor.state().diff().is_empty());
}

#[test]
fn a_call_that_halts_exceptionally_loses_its_gas_and_data() {
    let mut executor = executor(call(40), &[0x0c]);
    let result = run(&mut executor);
    assert_eq!((result.gas_left, result.output.len()), (900_000, 64));
    assert!(executor.state().diff().is_empty());
}

#[test]
fn a_call_without_funds_gives_its_gas_back() {
    let result = run(&mut executor(call(101), &callee(0xf3)));
    assert_eq!(result.gas_left, 1_000_000);
    assert_eq!(U256::from_be_slice(&result.output[..32]), word(0));
}

#[test]
fn recursion_ends_at_depth_1024_without_native_recursion() {
    let mut request = call(0);
    if let Request::Call(call) = &mut request {
        (call.address, call.code_address, call.gas) = (CALLER, CALLER, 100);
    }
    // A small native stack: frames must not lie on it.
    let tier = Asking::new(request);
    let depth_max = tier.1.clone();
    let run = || run(&mut executor_with(tier, &[0xfe]));
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let result = thread.spawn(move || run().is_success()).expect("a thread").join();
    assert!(result.expect("no overflow of the native stack"));
    assert_eq!(depth_max.load(Ordering::Relaxed), 1024);
}

fn create(init_code: &[u8], salt: Option<U256>) -> Request {
    let init_code = Bytes::copy_from_slice(init_code);
    Request::Create(CreateRequest { creator: CALLER, value: word(3), init_code, salt, gas: 100_000 })
}

/// Init code that returns these bytes: push1 size, push1 offset, push0, codecopy, push1 size, push0, return.
pub(crate) fn init_code_of(code: &[u8]) -> Vec<u8> {
    let size = code.len() as u8;
    [&[0x60, size, 0x60, 10, 0x5f, 0x39, 0x60, size, 0x5f, 0xf3][..], code].concat()
}

#[test]
fn a_creation_deposits_code_and_answers_with_the_address() {
    for salt in [None, Some(word(5))] {
        let init_code = init_code_of(&[0x00, 0x01]);
        let mut executor = executor(create(&init_code, salt), &[]);
        let result = run(&mut executor);
        let address = Address::from_slice(&result.output[12..32]);
        let expected = match salt {
            None => zvm::engine::created_address(&CALLER, 1),
            Some(salt) => CALLER.create2_from_code(salt.to_be_bytes::<32>(), &init_code),
        };
        assert_eq!(address, expected);
        assert_eq!(result.output.len(), 64, "return data is empty after success");
        let state = executor.state_mut();
        let account = state.account(&address).expect("no trouble");
        assert_eq!((account.nonce, account.balance), (1, word(3)));
        assert_eq!(state.code(&account.code_hash).expect("no trouble"), Bytes::from_static(&[0x00, 0x01]));
        assert_eq!(state.account(&CALLER).expect("no trouble").nonce, 2);
    }
}

#[test]
fn a_creation_that_reverts_keeps_the_nonce_and_gives_the_data() {
    // mstore8(0, 0xee); revert(0, 1)
    let mut executor = executor(create(&[0x60, 0xee, 0x5f, 0x53, 0x60, 1, 0x5f, 0xfd], None), &[]);
    let result = run(&mut executor);
    assert_eq!(U256::from_be_slice(&result.output[..32]), word(0));
    assert_eq!(result.output[64..], [0xee]);
    let diff = executor.state().diff();
    assert_eq!(diff.accounts.keys().collect::<Vec<_>>(), [&CALLER]);
    assert_eq!(diff.accounts[&CALLER].info.nonce, 2);
}

#[test]
fn memory_is_limited_over_all_frames_together() {
    // callee: mload(1 << 20) grows to 1 MiB and a word
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let mut database = InMemoryDatabase::new();
    database.insert_account(CALLER, 1, word(100), Bytes::from_static(&[0xfe]));
    database.insert_account(CALLEE, 1, word(0), Bytes::from_static(&[0x62, 0x0f, 0xff, 0xe0, 0x51]));
    let mut request = call(0);
    if let Request::Call(call) = &mut request {
        call.gas = 900_000_000;
    }
    let engine =
        Engine::builder().mode(Mode::Jit).tier(Arc::new(Asking::new(request))).limits(limits).build();
    let mut executor = Executor::new(engine, database);
    executor.state_mut().begin_transaction(Fork::LATEST);
    let start = |address| Message {
        address,
        caller: Address::ZERO,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    // Alone it fits exactly; below a frame with one word of its own it does not.
    for (address, fits) in [(CALLEE, true), (CALLER, false)] {
        let code = executor.code_of(&address).expect("no trouble").expect("code");
        let gas = 1_000_000_000;
        let result = executor.execute(code, start(address), gas, &BlockEnv::default(), &TxEnv::default());
        match result {
            Ok(result) => assert!(fits && result.exit == Exit::Halt),
            Err(error) => {
                assert!(!fits);
                assert!(matches!(error, EngineError::MemoryLimit { limit } if limit == 1 << 20));
            }
        }
    }
}

#[test]
fn check_mode_finds_a_tier_that_lies() {
    struct Liar;
    impl Tier for Liar {
        fn compile(&self, _: &Code, _: &Spec) -> Option<Arc<dyn CompiledCode>> {
            Some(Arc::new(Liar))
        }
    }
    impl CompiledCode for Liar {
        fn can_enter(&self, _: usize) -> bool {
            true
        }
        fn run(&self, frame: &mut Frame, _: &mut dyn Host) -> Exit {
            frame.gas -= 1;
            Exit::Halt
        }
        fn size_bytes(&self) -> usize {
            0
        }
        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    }
    let mut database = InMemoryDatabase::new();
    // push0 pop: 4 gas, not 1
    database.insert_account(CALLER, 1, word(0), Bytes::from_static(&[0x5f, 0x50]));
    let engine = Engine::builder().mode(Mode::Check).tier(Arc::new(Liar)).build();
    let mut executor = Executor::new(engine, database);
    let message = Message {
        address: CALLER,
        caller: Address::ZERO,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    executor.state_mut().begin_transaction(Fork::LATEST);
    let code = executor.code_of(&CALLER).expect("no trouble").expect("code");
    let error = executor
        .execute(code, message, 100, &BlockEnv::default(), &TxEnv::default())
        .expect_err("the tiers differ");
    assert_eq!(error.to_string(), "the tiers disagree: gas left: interpreted 96, compiled 99");
}

#[test]
fn engines_are_shared_and_executors_move_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    fn moves<T: Send>() {}
    is_shared::<Engine>();
    moves::<Executor<InMemoryDatabase>>();
}

#[test]
fn tiered_mode_compiles_when_enough_gas_was_spent_and_asks_once() {
    #[derive(Default)]
    struct Refusing(AtomicUsize);
    impl Tier for Refusing {
        fn compile(&self, _: &Code, _: &Spec) -> Option<Arc<dyn CompiledCode>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
    let tier = Arc::new(Refusing::default());
    let mut database = InMemoryDatabase::new();
    // push0 pop: 4 gas a run, 2 bytes
    database.insert_account(CALLER, 1, word(0), Bytes::from_static(&[0x5f, 0x50]));
    let tier_up = TierUp { gas_base: 10, gas_per_byte: 1 };
    let engine = Engine::builder().mode(Mode::Tiered).tier(tier.clone()).tier_up(tier_up).build();
    let mut executor = Executor::new(engine, database);
    let asked: Vec<usize> = (0..6)
        .map(|_| {
            run(&mut executor);
            tier.0.load(Ordering::Relaxed)
        })
        .collect();
    assert_eq!(asked, [0, 0, 1, 1, 1, 1], "the third run reaches 12 gas");
}

/// A database that fails at the first storage word.
struct Broken;

impl Database for Broken {
    fn account(&mut self, _: &Address) -> Result<Option<AccountInfo>, HostError> {
        let code_hash = keccak256([0x60, 1, 0x5f, 0x55]);
        Ok(Some(AccountInfo { nonce: 0, balance: word(1), code_hash }))
    }

    fn code(&mut self, _: &B256) -> Result<Bytes, HostError> {
        Ok(Bytes::from_static(&[0x60, 1, 0x5f, 0x55]))
    }

    fn storage(&mut self, _: &Address, _: &U256) -> Result<U256, HostError> {
        Err(HostError("the disk is gone".into()))
    }

    fn block_hash(&mut self, _: u64) -> Result<B256, HostError> {
        Err(HostError("the disk is gone".into()))
    }
}

#[test]
fn a_failing_database_is_an_error_and_never_an_outcome() {
    let mut executor = Executor::new(Engine::builder().build(), Broken);
    executor.state_mut().begin_transaction(Fork::LATEST);
    let code = executor.code_of(&CALLEE).expect("no trouble").expect("code");
    let message = Message {
        address: CALLEE,
        caller: CALLER,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    let error = executor
        .execute(code, message, 100_000, &BlockEnv::default(), &TxEnv::default())
        .expect_err("the database fails");
    assert_eq!(error.to_string(), "the host failed: the disk is gone");
    assert!(executor.state().diff().is_empty());
}
