//! Each rule of validity with its error, and the order of those that break together.

use zvm::engine::Limits;
use zvm::host::BlockEnv;
use zvm::tx::{Authorization, Transaction, TransactionError as Error, TransactionKind};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, U256};

use crate::world::*;

#[track_caller]
fn refused(fork: Fork, transaction: &Transaction, block: &BlockEnv) -> String {
    let mut executor = executor(fork, database(&Bytes::from_static(&[0])));
    let error = executor.transact(transaction, block).expect_err("the transaction is not valid");
    assert!(executor.state().diff().is_empty(), "a refused transaction changes nothing");
    // The variant's name: a message may change.
    format!("{error:?}").split([' ', '(']).next().expect("an error has a name").to_owned()
}

#[track_caller]
fn refuse(kind: TransactionKind, change: impl FnOnce(&mut Transaction), name: &str) {
    let mut transaction = call(kind);
    change(&mut transaction);
    assert_eq!(refused(Fork::Osaka, &transaction, &block()), name);
}

fn authorization() -> Authorization {
    Authorization { chain_id: w(1), address: OTHER, nonce: 0, authority: None }
}

fn set_code(authorizations: Vec<Authorization>) -> TransactionKind {
    TransactionKind::SetCode { fees: fees(5, 1), access_list: vec![], authorizations }
}

#[test]
fn the_transactions_that_the_others_break_are_valid() {
    for kind in [legacy(5), dynamic(5, 1, vec![]), blobs(1, 3), set_code(vec![authorization()])] {
        let mut executor = executor(Fork::Osaka, database(&Bytes::from_static(&[0])));
        assert!(executor.transact(&call(kind), &block()).expect("valid").is_success());
    }
}

#[test]
fn what_the_transaction_alone_shows() {
    refuse(legacy(5), |t| t.gas_limit = 20_999, "IntrinsicGas");
    refuse(legacy(5), |t| (t.gas_limit, t.data) = (22_000, vec![1; 50].into()), "FloorGas");
    refuse(legacy(5), |t| t.nonce = Some(u64::MAX), "NonceExhausted");
    let too_long = |t: &mut Transaction| {
        (t.to, t.data, t.gas_limit) = (None, vec![0; 49_153].into(), 1_000_000);
    };
    refuse(legacy(5), too_long, "InitCodeTooLong");
    refuse(legacy(5), |t| t.gas_limit = (1 << 24) + 1, "GasLimitAboveCap");
    refuse(dynamic(5, 1, vec![]), |t| t.chain_id = None, "ChainIdMissing");
    let transaction = call(set_code(vec![authorization()]));
    assert_eq!(refused(Fork::Cancun, &transaction, &block()), "TypeNotActive");
}

#[test]
fn what_the_block_allows() {
    let small = BlockEnv { gas_limit: w(99_999), ..block() };
    assert_eq!(refused(Fork::Osaka, &call(legacy(5)), &small), "GasLimitAboveBlock");
    refuse(legacy(5), |t| t.chain_id = Some(2), "ChainId");
    refuse(dynamic(5, 1, vec![]), |t| t.chain_id = Some(2), "ChainId");
    refuse(legacy(1), |_| (), "FeeBelowBaseFee");
    refuse(dynamic(1, 0, vec![]), |_| (), "FeeBelowBaseFee");
    refuse(dynamic(5, 6, vec![]), |_| (), "PriorityAboveFee");
}

#[test]
fn what_blobs_must_be() {
    refuse(blobs(0, 3), |_| (), "NoBlobs");
    refuse(blobs(1, 2), |_| (), "BlobFeeBelowBaseFee");
    refuse(blobs(1, 3), |t| t.to = None, "BlobWithoutReceiver");
    let mut kind = blobs(2, 3);
    let TransactionKind::Blob { blob_hashes, .. } = &mut kind else { unreachable!("made above") };
    blob_hashes[1] = B256::right_padding_from(&[2]);
    refuse(kind, |_| (), "BlobHashVersion");
}

#[test]
fn how_many_blobs_a_fork_takes() {
    let result = |fork, count| {
        let mut executor = executor(fork, database(&Bytes::from_static(&[0])));
        match executor.transact(&call(blobs(count, 3)), &block()) {
            Ok(_) => "taken",
            Err(Error::TooManyBlobs { max: 6, .. }) => "above 6 of a transaction",
            Err(Error::BlobGasAboveBlock { max: 6, .. }) => "above 6 of a block",
            Err(Error::BlobGasAboveBlock { max: 9, .. }) => "above 9 of a block",
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!([6, 7].map(|count| result(Fork::Cancun, count)), ["taken", "above 6 of a block"]);
    assert_eq!([9, 10].map(|count| result(Fork::Prague, count)), ["taken", "above 9 of a block"]);
    assert_eq!(
        [6, 7, 9, 10].map(|count| result(Fork::Osaka, count)),
        ["taken", "above 6 of a transaction", "above 6 of a transaction", "above 9 of a block"]
    );
}

#[test]
fn what_a_set_code_transaction_must_have() {
    refuse(set_code(vec![]), |_| (), "NoAuthorizations");
    refuse(set_code(vec![authorization()]), |t| t.to = None, "SetCodeWithoutReceiver");
}

#[test]
fn what_the_sender_must_have() {
    refuse(legacy(5), |t| t.nonce = Some(NONCE - 1), "NonceTooLow");
    refuse(legacy(5), |t| t.nonce = Some(NONCE + 1), "NonceTooHigh");
    // The price of all gas, at most, and the value.
    refuse(legacy(5), |t| t.value = w(BALANCE - 500_000 + 1), "Balance");
    refuse(dynamic(5, 0, vec![]), |t| t.value = w(BALANCE - 500_000 + 1), "Balance");
    refuse(blobs(1, 4), |t| t.value = w(BALANCE - 500_000 - 4 * (1 << 17) + 1), "Balance");
    refuse(legacy(5), |t| t.kind = TransactionKind::Legacy { gas_price: U256::MAX }, "Balance");
    refuse(legacy(5), |t| t.value = U256::MAX, "Balance");
    for (kind, value) in [(legacy(5), BALANCE - 500_000), (blobs(1, 4), BALANCE - 500_000 - 4 * (1 << 17))] {
        let mut executor = executor(Fork::Osaka, database(&Bytes::new()));
        let transaction = Transaction { value: w(value), ..call(kind) };
        assert!(executor.transact(&transaction, &block()).is_ok(), "just enough");
    }
    let mut database = database(&Bytes::from_static(&[0]));
    database.insert_account(OTHER, u64::MAX, w(BALANCE), Bytes::new());
    let transaction = Transaction { from: OTHER, nonce: None, ..call(legacy(5)) };
    let error = executor(Fork::Osaka, database).transact(&transaction, &block());
    assert!(matches!(error, Err(Error::NonceExhausted)));
}

#[test]
fn a_contract_sends_no_transaction_but_an_account_that_delegates_does() {
    let delegation = Bytes::from([&[0xef, 0x01, 0x00], OTHER.as_slice()].concat());
    for (code, is_valid) in
        [(Bytes::new(), true), (delegation, true), (Bytes::from_static(&[0xef, 1, 0]), false)]
    {
        let mut database = database(&code);
        database.insert_account(TARGET, 1, w(BALANCE), code);
        let transaction = Transaction { from: TARGET, nonce: None, ..call(legacy(5)) };
        let result = executor(Fork::Prague, database).transact(&transaction, &block());
        match result {
            Ok(_) => assert!(is_valid),
            Err(error) => assert!(!is_valid && matches!(error, Error::SenderHasCode), "{error}"),
        }
    }
}

#[test]
fn the_gas_cap_can_be_switched_off_and_came_with_osaka() {
    let transaction = Transaction { gas_limit: (1 << 24) + 1, ..call(legacy(5)) };
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let engine = Engine::builder().fork(Fork::Osaka).limits(limits).build();
    assert!(Executor::new(engine, database(&Bytes::new())).transact(&transaction, &block()).is_ok());
    assert!(executor(Fork::Prague, database(&Bytes::new())).transact(&transaction, &block()).is_ok());
}

#[test]
fn of_several_broken_rules_the_execution_specification_names_the_first() {
    let poor = Address::repeat_byte(1);
    let everything = |t: &mut Transaction| {
        (t.from, t.gas_limit, t.nonce) = (poor, 20_999, Some(9));
    };
    refuse(legacy(1), everything, "IntrinsicGas");
    refuse(legacy(1), |t| (t.from, t.nonce) = (poor, Some(9)), "FeeBelowBaseFee");
    refuse(legacy(5), |t| (t.from, t.nonce) = (poor, Some(9)), "NonceTooHigh");
    refuse(legacy(5), |t| (t.from, t.nonce) = (TARGET, Some(1)), "Balance");
}
