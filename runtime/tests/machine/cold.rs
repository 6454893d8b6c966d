//! A cold account that the frame can't pay for is never asked of the database.

use zvm::bytecode::delegation_to;
use zvm::compiled::frame::Message;
use zvm::engine::{EngineError, ExecutionResult};
use zvm::host::{BlockEnv, HostError, TxEnv};
use zvm::outcome::{Exit, Trap};
use zvm::state::{AccountInfo, Database, InMemoryDatabase};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, U256};

use crate::calls::account_code;
use crate::run::word;

const HERE: Address = Address::repeat_byte(0xaa);
const DELEGATOR: Address = Address::repeat_byte(0xde);
/// The account that the database must not be asked for.
const GUARDED: Address = Address::repeat_byte(0x9d);

/// A database that fails where it is asked for [`GUARDED`].
struct Guard(InMemoryDatabase);

impl Database for Guard {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        if *address == GUARDED { Err(HostError("asked".into())) } else { self.0.account(address) }
    }

    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        self.0.code(hash)
    }

    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.0.storage(address, key)
    }

    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        self.0.has_storage(address)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.0.block_hash(number)
    }
}

fn run(code: &Bytes, gas: u64) -> Result<ExecutionResult, EngineError> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(HERE, 1, word(0), code.clone());
    database.insert_account(DELEGATOR, 1, word(0), delegation_to(&GUARDED));
    let mut executor = Executor::new(Engine::builder().build(), Guard(database));
    executor.state_mut().begin_transaction(Fork::LATEST);
    let code = executor.code_of(&HERE).expect("this account may be asked for").expect("code");
    let message = Message {
        address: HERE,
        caller: Address::ZERO,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    executor.execute(code, message, gas, &BlockEnv::default(), &TxEnv::default())
}

/// Runs the operation on an address; `gas` is what the program uses up to and with the touch.
#[track_caller]
fn check(op: &str, below: usize, above: usize, address: Address, gas: u64) {
    let push0s = |n| "push0\n".repeat(n);
    let text = format!("{}push20 {address}\n{}{op}\n", push0s(below), push0s(above));
    let gas = gas + 3 + 2 * (below + above) as u64;
    for encoding in [".zvm", ".evm"] {
        let code = account_code(&format!("{encoding}\n{text}"));
        let unpaid = run(&code, gas - 1).expect("nobody asks");
        assert_eq!(unpaid.exit, Exit::Trap(Trap::OutOfGas), "{op} in {encoding}");
        let error = run(&code, gas).expect_err("a touch that is paid asks");
        assert_eq!(error.to_string(), "the host failed: asked", "{op} in {encoding}");
    }
}

#[test]
fn operations_on_accounts_pay_before_they_ask() {
    check("balance", 0, 0, GUARDED, 2600);
    check("extcodesize", 0, 0, GUARDED, 2600);
    check("extcodehash", 0, 0, GUARDED, 2600);
    check("extcodecopy", 3, 0, GUARDED, 2600);
    check("selfdestruct", 0, 0, GUARDED, 5000 + 2600);
}

#[test]
fn calls_pay_before_they_ask() {
    check("call", 5, 1, GUARDED, 2600);
    check("callcode", 5, 1, GUARDED, 2600);
    check("delegatecall", 4, 1, GUARDED, 2600);
    check("staticcall", 4, 1, GUARDED, 2600);
}

#[test]
fn calls_pay_for_the_target_of_a_delegation_before_they_ask() {
    check("call", 5, 1, DELEGATOR, 2600 + 2600);
    check("callcode", 5, 1, DELEGATOR, 2600 + 2600);
    check("delegatecall", 4, 1, DELEGATOR, 2600 + 2600);
    check("staticcall", 4, 1, DELEGATOR, 2600 + 2600);
}
