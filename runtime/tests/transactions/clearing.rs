//! What the end of a transaction clears: empty accounts that were touched, contracts that destroyed themselves.

use zvm::state::{Database, InMemoryDatabase};
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Executor, Fork, U256};

use crate::world::*;

/// Accounts that the database holds though they are empty.
const EMPTY: Address = Address::repeat_byte(0xe1);

fn with_empty_accounts(code: &str) -> Executor<InMemoryDatabase> {
    let mut database = database(&evm(code));
    for address in [EMPTY, COINBASE] {
        database.insert_account(address, 0, U256::ZERO, Bytes::new());
    }
    executor(Fork::Prague, database)
}

/// The accounts that a transaction deleted.
fn deleted(executor: &mut Executor<InMemoryDatabase>, transaction: &Transaction) -> Vec<Address> {
    executor.transact(transaction, &block()).expect("valid");
    let diff = executor.state().diff();
    diff.accounts.iter().filter(|(_, account)| account.info.is_none()).map(|(address, _)| *address).collect()
}

#[test]
fn the_coinbase_is_touched_whatever_it_gets() {
    let mut executor = with_empty_accounts("halt");
    assert_eq!(deleted(&mut executor, &call(legacy(2))), [COINBASE], "the price is the base fee");
    let mut executor = with_empty_accounts("halt");
    assert!(deleted(&mut executor, &call(legacy(3))).is_empty(), "it got something");
}

#[test]
fn a_call_touches_and_a_look_does_not() {
    let call_empty = format!("push0\npush0\npush0\npush0\npush0\npush20 {EMPTY}\ngas\ncall");
    for (code, expected) in [
        (format!("push20 {EMPTY}\nbalance\npush20 {EMPTY}\nextcodehash"), vec![]),
        (format!("push0\npush0\npush0\npush0\npush20 {EMPTY}\ngas\ndelegatecall"), vec![]),
        (call_empty.clone(), vec![EMPTY]),
        (format!("push20 {EMPTY}\nselfdestruct"), vec![EMPTY]),
        (format!("{call_empty}\npush0\npush0\nrevert"), vec![]),
    ] {
        let mut executor = with_empty_accounts(&code);
        assert_eq!(deleted(&mut executor, &call(legacy(3))), expected, "{code}");
    }
    let mut executor = with_empty_accounts("halt");
    let receiver = Transaction { to: Some(EMPTY), ..call(legacy(3)) };
    assert_eq!(deleted(&mut executor, &receiver), [EMPTY]);
}

#[test]
fn an_account_that_was_removed_can_come_back() {
    let mut executor = with_empty_accounts("halt");
    let receiver = Transaction { to: Some(EMPTY), nonce: None, ..call(legacy(3)) };
    assert_eq!(deleted(&mut executor, &receiver), [EMPTY]);
    let paid = Transaction { value: w(1), ..receiver };
    assert!(deleted(&mut executor, &paid).is_empty());
    let diff = executor.state().diff();
    assert_eq!(diff.accounts[&EMPTY].info.expect("it exists").balance, w(1));
}

/// Creates the contract with these bytes as init code by CREATE2 with salt 0 and 5 wei, then goes on with `then`.
fn create2(init_code: &Bytes, then: &str) -> String {
    let mut word = [0; 32];
    word[..init_code.len()].copy_from_slice(init_code);
    let (word, size) = (Bytes::copy_from_slice(&word), init_code.len());
    format!("push32 {word}\npush0\nmstore\npush0\npush1 {size}\npush0\npush1 5\ncreate2\n{then}")
}

fn created_by_target(init_code: &Bytes) -> Address {
    TARGET.create2_from_code([0; 32], init_code)
}

fn send(executor: &mut Executor<InMemoryDatabase>, value: u64) {
    let transaction = Transaction { value: w(value), nonce: None, gas_limit: 1_000_000, ..call(legacy(3)) };
    assert!(executor.transact(&transaction, &block()).expect("valid").is_success());
}

fn stored(executor: &mut Executor<InMemoryDatabase>, address: Address, key: u64) -> U256 {
    executor.state_mut().peek_storage(&address, &w(key)).expect("no host trouble")
}

#[test]
fn a_contract_that_destroys_itself_in_its_first_transaction_leaves_nothing() {
    // Stores 7 at 1, sends its 5 wei to the caller.
    let init_code = evm("push1 7\npush1 1\nsstore\ncaller\nselfdestruct");
    let address = created_by_target(&init_code);
    let code = evm(&create2(&init_code, "push0\nmstore\npush1 32\npush0\nreturn"));
    let mut executor = executor(Fork::Prague, database(&code));
    for _ in 0..2 {
        // The second transaction finds the address free and its storage empty again.
        send(&mut executor, 5);
        let diff = executor.state().diff();
        assert!(!diff.accounts.contains_key(&address), "the database never knew it");
        assert_eq!(stored(&mut executor, address, 1), U256::ZERO);
    }
    assert_eq!(account(&mut executor, TARGET).balance, w(10));
    assert_eq!(account(&mut executor, TARGET).nonce, 3);
}

#[test]
fn what_a_destroyed_contract_gets_is_burned() {
    let to_itself = evm("address\nselfdestruct");
    let address = created_by_target(&to_itself);
    // After the creation, one more wei goes there.
    let then = "push0\npush0\npush0\npush0\npush1 1\ndup6\ngas\ncall";
    let mut executor = executor(Fork::Prague, database(&evm(&create2(&to_itself, then))));
    send(&mut executor, 6);
    assert_eq!(account(&mut executor, TARGET).balance, U256::ZERO);
    assert!(!executor.state().diff().accounts.contains_key(&address));
}

#[test]
fn a_contract_from_an_earlier_transaction_only_sends_its_balance() {
    // Init code that deploys `caller selfdestruct`: mstore8 twice, return(0, 2).
    let init_code = evm("push1 0x33\npush0\nmstore8\npush1 0xff\npush1 1\nmstore8\npush1 2\npush0\nreturn");
    let address = created_by_target(&init_code);
    // Creates unless call data is given, then calls.
    let call_it = format!("push0\npush0\npush0\npush0\npush0\npush20 {address}\ngas\ncall");
    let mut database = database(&evm(&create2(&init_code, "halt")));
    database.insert_account(OTHER, 1, U256::ZERO, evm(&call_it));
    let mut executor = executor(Fork::Prague, database);
    send(&mut executor, 5);
    let transaction = Transaction { to: Some(OTHER), nonce: None, ..call(legacy(3)) };
    executor.transact(&transaction, &block()).expect("valid");
    assert_eq!(account(&mut executor, OTHER).balance, w(5));
    let left = account(&mut executor, address);
    assert_eq!((left.nonce, left.balance, left.has_code()), (1, U256::ZERO, true));
}

#[test]
fn a_destruction_that_is_undone_does_not_happen() {
    // Deploys `if call data: caller selfdestruct`, calls it in a frame that reverts.
    let runtime = evm("calldatasize\npush1 5\njumpi\nhalt\njumpdest\ncaller\nselfdestruct");
    let size = runtime.len();
    let init_code =
        evm(&format!("push{size} {runtime}\npush0\nmstore\npush1 {size}\npush1 {}\nreturn", 32 - size));
    let address = created_by_target(&init_code);
    let call_other = format!("pop\npush0\npush0\npush0\npush0\npush0\npush20 {OTHER}\ngas\ncall");
    let mut database = database(&evm(&create2(&init_code, &call_other)));
    let destroy =
        format!("push0\npush0\npush1 1\npush0\npush0\npush20 {address}\ngas\ncall\npush0\npush0\nrevert");
    database.insert_account(OTHER, 1, U256::ZERO, evm(&destroy));
    let mut executor = executor(Fork::Prague, database);
    send(&mut executor, 5);
    let left = account(&mut executor, address);
    assert_eq!((left.nonce, left.balance, left.has_code()), (1, w(5), true));
}

#[test]
fn a_contract_is_not_created_where_storage_is_left() {
    // EIP-7610: no nonce, no code, but a storage word.
    let init_code = evm("push0\npush0\nreturn");
    let address = created_by_target(&init_code);
    let code = evm(&create2(&init_code, "push0\nmstore\npush1 32\npush0\nreturn"));
    let mut database = database(&code);
    database.insert_account(address, 0, w(1), Bytes::new());
    database.insert_storage(address, w(1), w(1));
    assert!(database.has_storage(&address).expect("no host trouble"));
    let mut executor = executor(Fork::Prague, database);
    let transaction = Transaction { value: w(5), gas_limit: 1_000_000, ..call(legacy(3)) };
    let result = executor.transact(&transaction, &block()).expect("valid");
    assert_eq!(U256::from_be_slice(&result.output), U256::ZERO);
    assert_eq!(account(&mut executor, TARGET).nonce, 2);
    assert_eq!(account(&mut executor, address).balance, w(1));
}
