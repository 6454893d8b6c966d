//! A legacy transaction from end to end: value, gas, floor, refunds.

use zvm::outcome::{Exit, Trap};
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Bytes, Executor, Fork};

use crate::world::*;

fn transaction() -> Transaction {
    Transaction { value: w(10), ..call(legacy(5)) }
}

/// The target's first 20 slots hold 1.
fn world(fork: Fork, code: &[u8]) -> Executor<InMemoryDatabase> {
    let mut database = database(&Bytes::copy_from_slice(code));
    (0..20).for_each(|key| database.insert_storage(TARGET, w(key), w(1)));
    executor(fork, database)
}

#[test]
fn a_transfer_moves_value_and_pays_the_fee() {
    let mut executor = world(Fork::Prague, &[]);
    let result = executor.transact(&transaction(), &block()).expect("valid");
    assert_eq!((result.exit, result.gas_used, result.exec_gas), (Exit::Halt, 21_000, 0));
    let sender = account(&mut executor, SENDER);
    assert_eq!((sender.nonce, sender.balance), (NONCE + 1, w(BALANCE - 10 - 21_000 * 5)));
    assert_eq!(account(&mut executor, TARGET).balance, w(10));
    assert_eq!(account(&mut executor, COINBASE).balance, w(21_000 * 3), "the base fee is burnt");
}

#[test]
fn a_failed_call_keeps_nonce_and_fee_only() {
    let mut executor = world(Fork::Prague, &[0x60, 1, 0x5f, 0x55, 0xfe]);
    let result = executor.transact(&transaction(), &block()).expect("valid");
    assert_eq!((result.exit, result.gas_used), (Exit::Trap(Trap::InvalidOpcode), 100_000));
    let diff = executor.state().diff();
    assert_eq!(diff.accounts.len(), 2);
    assert_eq!(diff.accounts[&SENDER].info.expect("it exists").balance, w(BALANCE - 100_000 * 5));
    assert_eq!(diff.accounts[&SENDER].info.expect("it exists").nonce, NONCE + 1);
}

#[test]
fn data_costs_by_the_byte_and_has_a_floor_from_prague_on() {
    let data = [0, 0, 1, 2, 3];
    let call = Transaction { data: Bytes::copy_from_slice(&data), ..transaction() };
    assert_eq!(call.intrinsic_gas(), 21_000 + 2 * 4 + 3 * 16);
    assert_eq!(
        Transaction { to: None, ..call.clone() }.intrinsic_gas(),
        21_000 + 2 * 4 + 3 * 16 + 32_000 + 2
    );
    assert_eq!(call.floor_gas(Fork::Cancun), 0);
    assert_eq!(call.floor_gas(Fork::Prague), 21_000 + 10 * (2 + 12));
    for (fork, gas) in [(Fork::Cancun, 21_056), (Fork::Prague, 21_140)] {
        let result = world(fork, &[]).transact(&call, &block());
        assert_eq!(result.expect("valid").gas_used, gas);
    }
}

#[test]
fn refunds_are_capped_at_a_fifth() {
    // sstore(n, 0) for n in 0..20: 20 * 4800 would be refunded
    let code: Vec<u8> = (0..20).flat_map(|key| [0x5f, 0x60, key, 0x55]).collect();
    let gas = 21_000 + 20 * (2 + 3 + 5000);
    let transaction = Transaction { gas_limit: 200_000, ..transaction() };
    let result = world(Fork::Prague, &code).transact(&transaction, &block()).expect("valid");
    assert_eq!(result.exec_gas, gas - 21_000);
    assert_eq!((result.gas_refunded, result.gas_used), (gas / 5, gas - gas / 5));
    // One slot stays below the cap.
    let result = world(Fork::Prague, &code[..4]).transact(&transaction, &block()).expect("valid");
    assert_eq!((result.gas_refunded, result.gas_used), (4800, 26_005 - 4800));
}
