//! Frames that call: the answers of the driver.

use zvm::bytecode::{Code, Encoding, assemble};
use zvm::compiled::frame::Message;
use zvm::engine::{EngineError, ExecutionResult, Limits};
use zvm::gas;
use zvm::host::{BlockEnv, TxEnv};
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::{Address, Bytes, Engine, Executor, Fork, U256};

use crate::run::word;

pub(crate) const CALLER: Address = Address::repeat_byte(0xaa);
const CALLEE: Address = Address::repeat_byte(0xbb);

/// The account's bytes of a program in text form.
pub(crate) fn account_code(text: &str) -> Bytes {
    let assembly = assemble(text).expect("the text assembles");
    match assembly.encoding {
        Encoding::Evm => assembly.code.into(),
        Encoding::Zvm => Code::native(&assembly.code).raw().clone(),
    }
}

/// Runs the code of [`CALLER`] as a top frame with a million gas.
pub(crate) fn run(executor: &mut Executor<InMemoryDatabase>) -> ExecutionResult {
    executor.state_mut().begin_transaction(Fork::LATEST);
    let code = executor.code_of(&CALLER).expect("no host trouble").expect("code");
    executor.execute(code, message(CALLER), GAS, &BlockEnv::default(), &TxEnv::default()).expect("an outcome")
}

const GAS: u64 = 1_000_000;

fn message(address: Address) -> Message {
    Message {
        address,
        caller: Address::ZERO,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    }
}

/// Answers with memory's first word, the top of the stack and the return data.
pub(crate) const ANSWER: &str = "
    push1 32
    mstore
    returndatasize
    push0
    push1 64
    returndatacopy
    push1 64
    returndatasize
    add
    push0
    return
";

/// What [`ANSWER`] returned: memory's first word, the stack's top, the return data.
pub(crate) fn answer(result: &ExecutionResult) -> ([u8; 32], U256, Vec<u8>) {
    assert_eq!(result.exit, Exit::Return);
    let (memory, rest) = result.output.split_at(32);
    let (top, data) = rest.split_at(32);
    (memory.try_into().expect("32 bytes"), U256::from_be_slice(top), data.to_vec())
}

/// Calls [`CALLEE`] with one byte of input, 100,000 gas and 4 bytes for the return data from 1 on.
fn caller(value: u64) -> String {
    format!(
        ".evm
        push1 9
        push0
        mstore8
        push1 4
        push1 1
        push1 1
        push0
        push1 {value}
        push20 {CALLEE}
        push3 100000
        call
        {ANSWER}"
    )
}

/// An executor over [`CALLER`] with 100 wei and [`CALLEE`] with nothing.
fn executor(caller: &str, callee: &str) -> Executor<InMemoryDatabase> {
    executor_with(Engine::builder().build(), caller, callee)
}

fn executor_with(engine: Engine, caller: &str, callee: &str) -> Executor<InMemoryDatabase> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(CALLER, 1, word(100), account_code(caller));
    database.insert_account(CALLEE, 1, word(0), account_code(callee));
    Executor::new(engine, database)
}

/// Stores 7 at 0, and ends with two bytes of data.
fn callee(end: &str) -> String {
    format!(
        ".evm
        push1 7
        push0
        sstore
        push2 0xabcd
        push0
        mstore
        push1 2
        push1 30
        {end}"
    )
}

const CALLEE_GAS: u64 = 3 + 2 + 22_100 + 3 + 2 + 6 + 6;
/// What the caller spends beside the callee's gas and value: up to the call, the call, and an answer without data.
const CALLER_GAS: u64 = 3 + 2 + 6 + (6 * 3 + 2) + 2600 + (3 + 6 + 2 + 2 + 3 + 3 + 3 + 2 + 3 + 2);
/// What up to 32 bytes of data add to the answer: a word copied, a word of memory.
const DATA_GAS: u64 = 3 + 3;
const VALUE_GAS: u64 = gas::CALL_VALUE - gas::CALL_STIPEND;

#[test]
fn a_call_answers_with_success_output_and_gas() {
    let mut executor = executor(&caller(40), &callee("return"));
    let result = run(&mut executor);
    let (memory, success, data) = answer(&result);
    assert_eq!(success, word(1));
    assert_eq!(memory[..5], [9, 0xab, 0xcd, 0, 0], "only what was returned is written");
    assert_eq!(data, [0xab, 0xcd]);
    assert_eq!(GAS - result.gas_left, CALLER_GAS + DATA_GAS + VALUE_GAS + CALLEE_GAS);
    let state = executor.state_mut();
    assert_eq!(state.peek_storage(&CALLEE, &U256::ZERO).expect("no trouble"), word(7));
    assert_eq!(state.account(&CALLEE).expect("no trouble").balance, word(40));
}

#[test]
fn a_call_that_reverts_undoes_its_effects_and_its_value() {
    let mut executor = executor(&caller(40), &callee("revert"));
    let result = run(&mut executor);
    let (_, success, data) = answer(&result);
    assert_eq!((success, &data[..]), (word(0), &[0xab, 0xcd][..]));
    assert_eq!(GAS - result.gas_left, CALLER_GAS + DATA_GAS + VALUE_GAS + CALLEE_GAS);
    assert!(executor.state().diff().is_empty());
}

#[test]
fn a_call_that_halts_exceptionally_loses_its_gas_and_data() {
    let mut executor = executor(&caller(0), ".evm\n .bytes 0x0c");
    let result = run(&mut executor);
    let (_, success, data) = answer(&result);
    assert_eq!((success, data.len()), (word(0), 0));
    assert_eq!(GAS - result.gas_left, CALLER_GAS + 100_000);
    assert!(executor.state().diff().is_empty());
}

#[test]
fn a_call_without_funds_gives_its_gas_and_the_stipend_back() {
    let mut executor = executor(&caller(101), &callee("return"));
    let result = run(&mut executor);
    let (_, success, data) = answer(&result);
    assert_eq!((success, data.len()), (word(0), 0));
    assert_eq!(GAS - result.gas_left, CALLER_GAS + VALUE_GAS);
}

#[test]
fn memory_is_limited_over_all_frames_together() {
    // The callee grows to exactly 1 MiB.
    let callee = ".evm\n push3 0x0fffe0\n mload";
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let engine = Engine::builder().limits(limits).build();
    let caller = format!(
        ".evm
        push1 32
        push0
        push0
        push0
        push0
        push20 {CALLEE}
        gas
        call"
    );
    let mut executor = executor_with(engine, &caller, callee);
    executor.state_mut().begin_transaction(Fork::LATEST);
    // Alone it fits; below a frame with one word of its own it does not.
    for (address, fits) in [(CALLEE, true), (CALLER, false)] {
        let code = executor.code_of(&address).expect("no trouble").expect("code");
        let gas = 1_000_000_000;
        let result = executor.execute(code, message(address), gas, &BlockEnv::default(), &TxEnv::default());
        match result {
            Ok(result) => assert!(fits && result.exit == Exit::Halt),
            Err(error) => {
                assert!(!fits);
                assert!(matches!(error, EngineError::MemoryLimit { limit } if limit == 1 << 20));
            }
        }
    }
}
