//! Transactions that create a contract.

use zvm::engine::created_address;
use zvm::outcome::{Exit, Trap};
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, Fork};

use crate::world::*;

fn transaction() -> Transaction {
    Transaction { to: None, ..call(legacy(5)) }
}

/// Init code that returns these bytes: push1 size, push1 offset, push0, codecopy, push1 size, push0, return.
fn init_code_of(code: &[u8]) -> Vec<u8> {
    let size = code.len() as u8;
    [&[0x60, size, 0x60, 10, 0x5f, 0x39, 0x60, size, 0x5f, 0xf3][..], code].concat()
}

fn create(fork: Fork, native_code: bool, init_code: Vec<u8>) -> (Exit, Option<Bytes>, u64) {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, NONCE, w(BALANCE), Bytes::new());
    let mut executor = Executor::new(Engine::builder().fork(fork).native_code(native_code).build(), database);
    let transaction = Transaction { data: init_code.into(), gas_limit: 10_000_000, ..transaction() };
    let result = executor.transact(&transaction, &block()).expect("valid");
    let code = result.created.map(|address| {
        assert_eq!(address, created_address(&SENDER, NONCE));
        let hash = account(&mut executor, address).code_hash;
        executor.state_mut().code(&hash).expect("no host trouble")
    });
    (result.exit, code, result.gas_used)
}

#[test]
fn a_creation_transaction_deposits_its_code() {
    let init_code = init_code_of(&[0x5f, 0x00]);
    let run = 3 + 3 + 2 + (3 + 3 + 3) + 3 + 2;
    let creation = Transaction { data: init_code.clone().into(), ..transaction() };
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
    database.insert_account(SENDER, NONCE, w(BALANCE), Bytes::new());
    database.insert_account(created_address(&SENDER, NONCE), 1, w(0), Bytes::new());
    let mut executor = Executor::new(Engine::builder().build(), database);
    let result = executor.transact(&transaction(), &block()).expect("valid");
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
