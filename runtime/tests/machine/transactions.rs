//! Whole transactions: validity, intrinsic gas, floor, refund cap, fees, creations.

use zvm::engine::{Limits, created_address};
use zvm::host::BlockEnv;
use zvm::outcome::{Exit, Trap};
use zvm::state::{AccountInfo, InMemoryDatabase};
use zvm::tx::{Transaction, TransactionError, TransactionKind};
use zvm::{Address, Bytes, Engine, Executor, Fork, U256};

use crate::creations::init_code_of;
use crate::run::word;

const SENDER: Address = Address::repeat_byte(0x55);
const TARGET: Address = Address::repeat_byte(0x77);
const COINBASE: Address = Address::repeat_byte(0xcb);

fn block() -> BlockEnv {
    BlockEnv { gas_limit: word(30_000_000), coinbase: COINBASE, base_fee: word(2), ..BlockEnv::default() }
}

fn executor(fork: Fork, code: &[u8]) -> Executor<InMemoryDatabase> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 4, word(100_000_000), Bytes::new());
    database.insert_account(TARGET, 1, word(0), Bytes::copy_from_slice(code));
    (0..20).for_each(|key| database.insert_storage(TARGET, word(key), word(1)));
    Executor::new(Engine::builder().fork(fork).build(), database)
}

fn transaction() -> Transaction {
    let legacy = Transaction::legacy(SENDER, Some(TARGET), word(10), Bytes::new(), 100_000, word(5));
    Transaction { nonce: Some(4), ..legacy }
}

fn price(gas_price: u64) -> TransactionKind {
    TransactionKind::Legacy { gas_price: word(gas_price) }
}

fn account(executor: &mut Executor<InMemoryDatabase>, address: Address) -> AccountInfo {
    executor.state_mut().account(&address).expect("no host trouble")
}

#[test]
fn a_transfer_moves_value_and_pays_the_fee() {
    let mut executor = executor(Fork::Prague, &[]);
    let result = executor.transact(&transaction(), &block()).expect("valid");
    assert_eq!((result.exit, result.gas_used, result.exec_gas), (Exit::Halt, 21_000, 0));
    let sender = account(&mut executor, SENDER);
    assert_eq!((sender.nonce, sender.balance), (5, word(100_000_000 - 10 - 21_000 * 5)));
    assert_eq!(account(&mut executor, TARGET).balance, word(10));
    assert_eq!(account(&mut executor, COINBASE).balance, word(21_000 * 3), "the base fee is burnt");
}

#[test]
fn a_failed_call_keeps_nonce_and_fee_only() {
    let mut executor = executor(Fork::Prague, &[0x60, 1, 0x5f, 0x55, 0xfe]);
    let result = executor.transact(&transaction(), &block()).expect("valid");
    assert_eq!((result.exit, result.gas_used), (Exit::Trap(Trap::InvalidOpcode), 100_000));
    let diff = executor.state().diff();
    assert_eq!(diff.accounts.len(), 2);
    assert_eq!(diff.accounts[&SENDER].info.expect("it exists").balance, word(100_000_000 - 100_000 * 5));
    assert_eq!(diff.accounts[&SENDER].info.expect("it exists").nonce, 5);
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
        let result = executor(fork, &[]).transact(&call, &block());
        assert_eq!(result.expect("valid").gas_used, gas);
    }
}

#[test]
fn refunds_are_capped_at_a_fifth() {
    // sstore(n, 0) for n in 0..20: 20 * 4800 would be refunded
    let code: Vec<u8> = (0..20).flat_map(|key| [0x5f, 0x60, key, 0x55]).collect();
    let gas = 21_000 + 20 * (2 + 3 + 5000);
    let transaction = Transaction { gas_limit: 200_000, ..transaction() };
    let result = executor(Fork::Prague, &code).transact(&transaction, &block()).expect("valid");
    assert_eq!(result.exec_gas, gas - 21_000);
    assert_eq!((result.gas_refunded, result.gas_used), (gas / 5, gas - gas / 5));
    // One slot stays below the cap.
    let result = executor(Fork::Prague, &code[..4]).transact(&transaction, &block()).expect("valid");
    assert_eq!((result.gas_refunded, result.gas_used), (4800, 26_005 - 4800));
}

#[track_caller]
fn refuse(change: impl FnOnce(&mut Transaction), block: &BlockEnv, message: &str) {
    let mut transaction = transaction();
    change(&mut transaction);
    let mut executor = executor(Fork::Osaka, &[]);
    let error = executor.transact(&transaction, block).expect_err("not valid");
    assert_eq!(error.to_string(), message);
    assert!(executor.state().diff().is_empty());
}

#[test]
fn each_rule_of_validity_has_its_error() {
    let b = block();
    refuse(|t| t.nonce = Some(3), &b, "the transaction's nonce is 3, below the sender's 4");
    refuse(
        |t| t.gas_limit = 20_999,
        &b,
        "the gas limit is 20999, but the transaction costs 21000 before it runs",
    );
    refuse(
        |t| (t.gas_limit, t.data) = (22_000, vec![1; 50].into()),
        &b,
        "the gas limit is 22000, but this much data costs at least 23000 (EIP-7623)",
    );
    refuse(
        |t| t.gas_limit = (1 << 24) + 1,
        &b,
        "the gas limit is 16777217, above the cap of 16777216 (EIP-7825)",
    );
    let small = BlockEnv { gas_limit: word(50_000), ..block() };
    refuse(|_| (), &small, "the gas limit is 100000, above the block's 50000");
    refuse(|t| t.kind = price(1), &b, "at most 1 wei per gas are paid, below the base fee 2");
    refuse(
        |t| t.value = word(99_500_001),
        &b,
        "the sender has 100000000 wei, less than value and gas may cost",
    );
    refuse(
        |t| t.kind = TransactionKind::Legacy { gas_price: U256::MAX },
        &b,
        "the sender has 100000000 wei, less than value and gas may cost",
    );
    refuse(
        |t| (t.from, t.nonce) = (TARGET, None),
        &b,
        "the sender has 0 wei, less than value and gas may cost",
    );
    refuse(
        |t| (t.to, t.data, t.gas_limit) = (None, vec![0; 49_153].into(), 1_000_000),
        &b,
        "the init code has 49153 bytes, more than 49152 (EIP-3860)",
    );
}

#[test]
fn a_contract_sends_no_transaction() {
    let mut executor = executor(Fork::Prague, &[0]);
    let free = BlockEnv { base_fee: U256::ZERO, ..block() };
    let transaction =
        Transaction { from: TARGET, value: word(0), kind: price(0), nonce: None, ..transaction() };
    let error = executor.transact(&transaction, &free).expect_err("not valid");
    assert!(matches!(error, TransactionError::SenderHasCode));
}

#[test]
fn the_gas_cap_can_be_switched_off() {
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::MAX, Bytes::new());
    let mut executor = Executor::new(Engine::builder().limits(limits).build(), database);
    let transaction = Transaction { gas_limit: 1 << 25, nonce: None, ..transaction() };
    let block = BlockEnv { gas_limit: U256::MAX, ..block() };
    assert!(executor.transact(&transaction, &block).is_ok());
}

fn create(fork: Fork, native_code: bool, init_code: Vec<u8>) -> (Exit, Option<Bytes>, u64) {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 4, word(100_000_000), Bytes::new());
    let mut executor = Executor::new(Engine::builder().fork(fork).native_code(native_code).build(), database);
    let transaction =
        Transaction { to: None, data: init_code.into(), gas_limit: 10_000_000, ..transaction() };
    let result = executor.transact(&transaction, &block()).expect("valid");
    let code = result.created.map(|address| {
        assert_eq!(address, created_address(&SENDER, 4));
        let hash = account(&mut executor, address).code_hash;
        executor.state_mut().code(&hash).expect("no host trouble")
    });
    (result.exit, code, result.gas_used)
}

#[test]
fn a_creation_transaction_deposits_its_code() {
    let init_code = init_code_of(&[0x5f, 0x00]);
    let run = 3 + 3 + 2 + (3 + 3 + 3) + 3 + 2;
    let creation = Transaction { to: None, data: init_code.clone().into(), ..transaction() };
    let gas = creation.intrinsic_gas() + run + 2 * 200;
    assert_eq!(
        create(Fork::Cancun, true, init_code),
        (Exit::Return, Some(Bytes::from_static(&[0x5f, 0])), gas)
    );
}

#[test]
fn native_init_code_deploys_native_code() {
    // push1 4, push1 ?, push0, codecopy, push1 4, push0, return; then the code to deploy
    let body = [0x11, 4, 0x11, 10, 0x1f, 0xb9, 0x11, 4, 0x1f, 0xa8, 0xef, 0x5a, 0x01, 0x00];
    let init_code = [&[0xef, 0x5a, 0x01][..], &body].concat();
    let (exit, code, _) = create(Fork::Prague, true, init_code);
    assert_eq!((exit, code), (Exit::Return, Some(Bytes::from_static(&[0xef, 0x5a, 0x01, 0x00]))));
}

#[test]
fn code_that_starts_with_ef_is_refused_unless_it_is_native() {
    let rejected = Exit::Trap(Trap::CodeRejected);
    let forged: [&[u8]; 5] = [&[0xef], &[0xef, 0x5a], &[0xef, 0, 1], &[0xef, 1, 0, 7], &[0xef, 0x5a, 2]];
    for code in forged {
        assert_eq!(create(Fork::Prague, true, init_code_of(code)).0, rejected, "{code:02x?}");
    }
    let native = [0xef, 0x5a, 0x01];
    assert_eq!(create(Fork::Prague, true, init_code_of(&native)).0, Exit::Return);
    assert_eq!(create(Fork::Prague, false, init_code_of(&native)).0, rejected);
}

#[test]
fn code_above_the_limit_is_refused() {
    // return(0, size): zeros, which are valid code
    let init_code = |size: u16| {
        let [high, low] = size.to_be_bytes();
        vec![0x61, high, low, 0x5f, 0xf3]
    };
    assert_eq!(create(Fork::Prague, true, init_code(24_576)).0, Exit::Return);
    assert_eq!(create(Fork::Prague, true, init_code(24_577)).0, Exit::Trap(Trap::CodeTooLarge));
}

#[test]
fn a_creation_at_a_taken_address_consumes_its_gas() {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 4, word(100_000_000), Bytes::new());
    database.insert_account(created_address(&SENDER, 4), 1, word(0), Bytes::new());
    let mut executor = Executor::new(Engine::builder().build(), database);
    let transaction = Transaction { to: None, ..transaction() };
    let result = executor.transact(&transaction, &block()).expect("valid");
    assert_eq!((result.exit, result.gas_used), (Exit::Trap(Trap::CreateCollision), 100_000));
    assert_eq!(result.created, None);
}

#[test]
fn created_addresses_are_those_that_ethereum_gives() {
    let sender: Address = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0".parse().expect("an address");
    let known = ["0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d", "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"];
    for (nonce, address) in known.into_iter().enumerate() {
        let address: Address = address.parse().expect("an address");
        assert_eq!(created_address(&sender, nonce as u64), address);
    }
    // The encodings of longer nonces, written out.
    use sha3::{Digest, Keccak256};
    let encodings: [(u64, &[u8]); 4] = [
        (0x7f, &[0x7f]),
        (0x80, &[0x81, 0x80]),
        (0x100, &[0x82, 1, 0]),
        (u64::MAX, &[0x88, 255, 255, 255, 255, 255, 255, 255, 255]),
    ];
    for (nonce, encoding) in encodings {
        let rlp = [&[0xc0 + 21 + encoding.len() as u8, 0x94][..], sender.as_slice(), encoding].concat();
        assert_eq!(created_address(&sender, nonce).as_slice(), &Keccak256::digest(rlp)[12..]);
    }
}
