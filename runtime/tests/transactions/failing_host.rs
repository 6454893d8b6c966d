//! A host that fails at any access: the state is as before, and the next attempt gives what it would have given.

use std::cell::Cell;
use std::rc::Rc;

use zvm::bytecode::delegation_to;
use zvm::engine::{EngineError, Limits, created_address};
use zvm::host::HostError;
use zvm::state::{AccountInfo, Database, InMemoryDatabase};
use zvm::tx::{AccessListItem, Authorization, Transaction, TransactionError, TransactionKind};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, U256};

use crate::world::*;

const SIGNER: Address = Address::repeat_byte(0x44);
const BENEFICIARY: Address = Address::repeat_byte(0xbe);

/// Number of accesses that succeed before one fails; `None`: all succeed.
type Left = Rc<Cell<Option<u64>>>;

/// A database that fails once.
struct Failing {
    database: InMemoryDatabase,
    left: Left,
}

impl Failing {
    fn new(left: Option<u64>) -> (Failing, Left) {
        let left = Rc::new(Cell::new(left));
        (Failing { database: busy_database(), left: left.clone() }, left)
    }

    fn access(&mut self) -> Result<&mut InMemoryDatabase, HostError> {
        let left = self.left.get();
        self.left.set(left.and_then(|left| left.checked_sub(1)));
        if left == Some(0) { Err(HostError("the disk is gone".into())) } else { Ok(&mut self.database) }
    }
}

impl Database for Failing {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        self.access()?.account(address)
    }
    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        self.access()?.code(hash)
    }
    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.access()?.storage(address, key)
    }
    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        self.access()?.has_storage(address)
    }
    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.access()?.block_hash(number)
    }
}

/// Asks for everything that a database has.
fn busy_program() -> Bytes {
    // Init code that stores a word and destroys the contract.
    let init_code = evm("push1 7\npush1 1\nsstore\ncaller\nselfdestruct");
    let mut word = [0; 32];
    word[..init_code.len()].copy_from_slice(&init_code);
    let (word, size) = (Bytes::copy_from_slice(&word), init_code.len());
    evm(&format!(
        "push1 9\npush1 3\nsstore\npush1 4\nsload\npush1 4\ntstore
        push20 {OTHER}\nextcodehash
        push20 {OTHER}\nextcodesize
        push2 999\nblockhash\npush1 5\nsstore
        push0\npush0\npush0\npush0\npush1 1\npush20 {OTHER}\ngas\ncall
        push32 {word}\npush0\nmstore
        push1 {size}\npush0\npush1 2\ncreate
        push0\npush1 {size}\npush0\npush0\ncreate2
        push0\npush0\nlog0
        push20 {BENEFICIARY}\nselfdestruct"
    ))
}

fn busy_database() -> InMemoryDatabase {
    let mut database = database(&busy_program());
    database.insert_account(OTHER, 1, U256::ZERO, evm("push1 1\npush0\nsstore"));
    database.insert_account(SIGNER, 3, w(50), delegation_to(&TARGET));
    // Something to ask about where the first contract goes.
    database.insert_account(created_address(&SIGNER, 4), 0, w(1), Bytes::new());
    database.insert_block_hash(999, B256::repeat_byte(9));
    database
}

/// Sent to an account that delegates to the busy program, with an access list and an authorization.
fn busy_transaction() -> Transaction {
    let item = AccessListItem { address: OTHER, storage_keys: vec![B256::ZERO] };
    let authorization = |address, authority, nonce| Authorization {
        chain_id: w(1),
        address,
        nonce,
        authority: Some(authority),
    };
    let kind = TransactionKind::SetCode {
        fees: fees(5, 1),
        access_list: vec![item],
        authorizations: vec![authorization(OTHER, BENEFICIARY, 0), authorization(TARGET, SIGNER, 3)],
    };
    Transaction { to: Some(SIGNER), value: w(10), gas_limit: 1_000_000, nonce: None, ..call(kind) }
}

fn warm_up() -> Transaction {
    Transaction { to: Some(BENEFICIARY), value: w(1), nonce: None, ..call(legacy(5)) }
}

#[test]
fn a_failure_at_any_access_undoes_the_transaction() {
    let transaction = busy_transaction();
    let mut untroubled = executor(Fork::Osaka, busy_database());
    let expected = untroubled.transact(&transaction, &block()).expect("valid");
    assert!(expected.is_success(), "{expected:?}");
    assert_eq!(expected.logs.len(), 1);
    let expected_diff = untroubled.state().diff();

    let mut failures = 0;
    loop {
        let (database, _) = Failing::new(Some(failures));
        let mut executor = executor(Fork::Osaka, database);
        match executor.transact(&transaction, &block()) {
            Ok(result) => {
                assert_eq!(result, expected);
                break;
            }
            Err(TransactionError::Engine(EngineError::Host(_))) => {}
            Err(error) => panic!("access {failures}: {error}"),
        }
        assert!(executor.state().diff().is_empty(), "access {failures}");
        assert!(executor.state().logs().is_empty(), "access {failures}");
        // The database fails only once: what was loaded before must not be half of anything.
        let result = executor.transact(&transaction, &block()).expect("valid");
        assert_eq!(result, expected, "access {failures}");
        assert_eq!(executor.state().diff(), expected_diff, "access {failures}");
        failures += 1;
    }
    assert!(failures > 16, "the program asks often: {failures}");
}

#[test]
fn a_failure_keeps_what_earlier_transactions_did() {
    let transaction = busy_transaction();
    let run = |left: Option<u64>| {
        let (database, counter) = Failing::new(None);
        let mut executor = executor(Fork::Osaka, database);
        executor.transact(&warm_up(), &block()).expect("valid");
        let before = executor.state().diff();
        counter.set(left);
        let result = executor.transact(&transaction, &block());
        (before, result, executor.state().diff())
    };
    let (before, _, expected) = run(None);
    assert_ne!(before, expected);
    for failures in 0.. {
        let (before, result, after) = run(Some(failures));
        if result.is_ok() {
            assert_eq!(after, expected);
            break;
        }
        assert_eq!(after, before, "access {failures}");
    }
}

#[test]
fn a_run_that_needs_too_much_memory_undoes_the_transaction() {
    let limits = Limits { memory_bytes: 1 << 20, transaction_gas_cap: false };
    let engine = Engine::builder().limits(limits).build();
    let code = evm("push1 1\npush0\nsstore\npush1 1\npush4 0x10000000\nmstore");
    let mut executor = Executor::new(engine, database(&code));
    let transaction = Transaction { gas_limit: u64::MAX / 2, ..call(legacy(0)) };
    let block = zvm::host::BlockEnv { gas_limit: U256::MAX, base_fee: U256::ZERO, ..block() };
    let error = executor.transact(&transaction, &block).expect_err("too much memory");
    assert!(matches!(error, TransactionError::Engine(EngineError::MemoryLimit { .. })), "{error}");
    assert!(executor.state().diff().is_empty());
}
