//! Who pays what to whom, and what is warm for it.

use zvm::tx::{AccessListItem, Transaction, TransactionKind, TransactionResult};
use zvm::{Address, B256, Bytes, Fork, U256};

use crate::world::*;

/// Result, balance of the sender, balance of the coinbase.
fn run(code: &str, transaction: &Transaction) -> (TransactionResult, U256, U256) {
    let mut executor = executor(Fork::Prague, database(&evm(code)));
    let result = executor.transact(transaction, &block()).expect("valid");
    let [sender, coinbase] = [SENDER, COINBASE].map(|address| account(&mut executor, address).balance);
    (result, sender, coinbase)
}

#[test]
fn the_priority_fee_is_bounded_by_what_the_base_fee_leaves() {
    for (kind, price) in [
        (legacy(5), 5),
        (TransactionKind::AccessList { gas_price: w(5), access_list: vec![] }, 5),
        (dynamic(5, 1, vec![]), 3),
        (dynamic(5, 5, vec![]), 5),
        (dynamic(2, 2, vec![]), 2),
        (dynamic(5, 0, vec![]), 2),
    ] {
        let shown = format!("{kind:?}");
        // The program can read the price.
        let (result, sender, coinbase) = run("gasprice\npush0\nmstore\npush1 32\npush0\nreturn", &call(kind));
        assert_eq!(U256::from_be_slice(&result.output), w(price), "{shown}");
        assert_eq!(sender, w(BALANCE - result.gas_used * price), "{shown}");
        assert_eq!(coinbase, w(result.gas_used * (price - 2)), "the base fee is burned: {shown}");
    }
}

#[test]
fn blob_gas_is_burned_at_the_blocks_price_even_by_a_call_that_fails() {
    for code in ["halt", "push0\npush0\nrevert"] {
        let (result, sender, coinbase) = run(code, &call(blobs(2, 9)));
        assert_eq!(sender, w(BALANCE - result.gas_used * 3 - 2 * (1 << 17) * 3));
        assert_eq!(coinbase, w(result.gas_used));
    }
    let (result, ..) = run("push1 1\nblobhash\npush0\nmstore\npush1 32\npush0\nreturn", &call(blobs(2, 9)));
    assert_eq!((result.output[0], result.output[31]), (1, 7));
}

/// Gas of the top frame that reads the balance of an account.
fn balance_gas(push: &str, access_list: Vec<AccessListItem>) -> u64 {
    let (result, ..) = run(&format!("{push}\nbalance"), &call(dynamic(5, 1, access_list)));
    assert!(result.is_success());
    result.exec_gas
}

#[test]
fn sender_receiver_coinbase_and_precompiled_contracts_are_warm() {
    for push in ["origin", "address", "coinbase"] {
        assert_eq!(balance_gas(push, vec![]), 2 + 100, "{push}");
    }
    assert_eq!(balance_gas("push1 0x11", vec![]), 3 + 100);
    assert_eq!(balance_gas("push1 0x12", vec![]), 3 + 2600);
}

#[test]
fn an_access_list_makes_warm_and_is_paid_for() {
    let item = |address, keys: &[u8]| AccessListItem {
        address,
        storage_keys: keys.iter().map(|&key| B256::with_last_byte(key)).collect(),
    };
    let list = vec![item(OTHER, &[]), item(TARGET, &[0, 1])];
    let transaction = call(dynamic(5, 1, list.clone()));
    assert_eq!(transaction.intrinsic_gas(), 21_000 + 2 * 2400 + 2 * 1900);
    assert_eq!(balance_gas(&format!("push20 {OTHER}"), list.clone()), 3 + 100);
    assert_eq!(balance_gas(&format!("push20 {OTHER}"), vec![]), 3 + 2600);

    let sload = |key: u8, list: &[AccessListItem]| {
        run(&format!("push1 {key}\nsload"), &call(dynamic(5, 1, list.to_vec()))).0.exec_gas
    };
    assert_eq!([0, 1, 2].map(|key| sload(key, &list)), [103, 103, 2103]);
    assert_eq!(sload(0, &[]), 2103);
    // What is listed twice is paid twice.
    let twice = vec![item(TARGET, &[0]), item(TARGET, &[0])];
    assert_eq!(call(dynamic(5, 1, twice.clone())).intrinsic_gas(), 21_000 + 2 * 2400 + 2 * 1900);
    assert_eq!(sload(0, &twice), 103);
}

#[test]
fn an_access_list_warms_until_the_transaction_ends() {
    let list = vec![AccessListItem { address: TARGET, storage_keys: vec![B256::ZERO] }];
    let mut executor = executor(Fork::Prague, database(&evm("push0\nsload")));
    let listed = call(dynamic(5, 1, list));
    assert_eq!(executor.transact(&listed, &block()).expect("valid").exec_gas, 102);
    let next = Transaction { nonce: None, ..call(legacy(5)) };
    assert_eq!(executor.transact(&next, &block()).expect("valid").exec_gas, 2102);
}

#[test]
fn the_warmth_of_an_access_list_outlasts_a_revert() {
    // A frame that reverts cools only what it warmed itself.
    let call_other = format!("push0\npush0\npush0\npush0\npush0\npush20 {OTHER}\ngas\ncall\n");
    let second_call_measured = format!(
        "{call_other}
        gas
        {call_other}
        pop
        gas
        swap1
        sub
        push0
        mstore
        push1 32
        push0
        return"
    );
    let run = |list: Vec<AccessListItem>| {
        let mut database = database(&evm(&second_call_measured));
        database.insert_account(OTHER, 1, U256::ZERO, evm("push0\nsload\npush0\npush0\nrevert"));
        let mut executor = executor(Fork::Prague, database);
        let result = executor.transact(&call(dynamic(5, 1, list)), &block()).expect("valid");
        U256::from_be_slice(&result.output).to::<u64>()
    };
    let listed = run(vec![AccessListItem { address: OTHER, storage_keys: vec![B256::ZERO] }]);
    assert_eq!(run(vec![]) - listed, 2000, "the callee warmed the slot and cooled it again");
}

#[test]
fn the_floor_is_paid_after_the_refund() {
    // 100 bytes: 21,000 + 1600 to start with, but at least 21,000 + 4000.
    let data = Bytes::from(vec![1; 100]);
    let transaction = Transaction { data, ..call(legacy(5)) };
    let (result, sender, _) = run("halt", &transaction);
    assert_eq!((result.gas_used, result.exec_gas, result.gas_refunded), (25_000, 0, 0));
    assert_eq!(sender, w(BALANCE - 25_000 * 5));
    // 2100 + 2900 + 5 gas and a refund of 4800: 27,605 - 4800 is below the floor.
    let mut database = database(&evm("push0\npush0\nsstore"));
    database.insert_storage(TARGET, U256::ZERO, w(1));
    let result = executor(Fork::Prague, database).transact(&transaction, &block()).expect("valid");
    assert_eq!((result.gas_used, result.exec_gas, result.gas_refunded), (25_000, 5004, 4800));
}

#[test]
fn a_created_contract_gets_the_value_and_the_fee_is_the_senders() {
    let transaction =
        Transaction { to: None, value: w(9), data: Bytes::from_static(&[0]), ..call(dynamic(5, 1, vec![])) };
    let mut executor = executor(Fork::Prague, database(&Bytes::new()));
    let result = executor.transact(&transaction, &block()).expect("valid");
    let created = result.created.expect("a contract");
    assert_eq!(created, zvm::engine::created_address(&SENDER, NONCE));
    assert_eq!(account(&mut executor, created).balance, w(9));
    assert_eq!(account(&mut executor, created).nonce, 1);
    assert_eq!(account(&mut executor, SENDER).balance, w(BALANCE - 9 - result.gas_used * 3));
    assert_ne!(created, Address::ZERO);
}
