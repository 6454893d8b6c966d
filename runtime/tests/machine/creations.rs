//! Frames that create: the answers of the driver.

use zvm::state::InMemoryDatabase;
use zvm::{Address, Bytes, Engine, Executor, U256};

use crate::calls::{ANSWER, CALLER, account_code, answer, run};
use crate::run::word;

/// Creates a contract with 3 wei from up to 32 bytes of init code.
fn creator(init_code: &[u8], salt: Option<u64>) -> String {
    let mut word = [0; 32];
    word[..init_code.len()].copy_from_slice(init_code);
    let word = Bytes::copy_from_slice(&word);
    let (salt, op) = match salt {
        Some(salt) => (format!("push1 {salt}"), "create2"),
        None => (String::new(), "create"),
    };
    format!(
        ".evm
        push32 {word}
        push0
        mstore
        {salt}
        push1 {}
        push0
        push1 3
        {op}
        {ANSWER}",
        init_code.len()
    )
}

fn executor(creator: &str) -> Executor<InMemoryDatabase> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(CALLER, 1, word(100), account_code(creator));
    Executor::new(Engine::builder().build(), database)
}

/// Init code that returns these bytes: push1 size, push1 offset, push0, codecopy, push1 size, push0, return.
pub(crate) fn init_code_of(code: &[u8]) -> Vec<u8> {
    let size = code.len() as u8;
    [&[0x60, size, 0x60, 10, 0x5f, 0x39, 0x60, size, 0x5f, 0xf3][..], code].concat()
}

#[test]
fn a_creation_deposits_code_and_answers_with_the_address() {
    for salt in [None, Some(5)] {
        let init_code = init_code_of(&[0x00, 0x01]);
        let mut executor = executor(&creator(&init_code, salt));
        let result = run(&mut executor);
        let (_, address, data) = answer(&result);
        let address = Address::from_word(address.into());
        let expected = match salt {
            None => zvm::engine::created_address(&CALLER, 1),
            Some(salt) => CALLER.create2_from_code(word(salt).to_be_bytes::<32>(), &init_code),
        };
        assert_eq!(address, expected);
        assert!(data.is_empty(), "return data is empty after success");
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
    let mut executor = executor(&creator(&[0x60, 0xee, 0x5f, 0x53, 0x60, 1, 0x5f, 0xfd], None));
    let (_, address, data) = answer(&run(&mut executor));
    assert_eq!((address, &data[..]), (U256::ZERO, &[0xee][..]));
    let diff = executor.state().diff();
    assert_eq!(diff.accounts.keys().collect::<Vec<_>>(), [&CALLER]);
    assert_eq!(diff.accounts[&CALLER].info.expect("it exists").nonce, 2);
}
