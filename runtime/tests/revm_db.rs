//! A database written for revm, used as it is.

use std::collections::HashMap;
use std::fmt;

use revm_database_interface::primitives::{StorageKey, StorageValue};
use revm_database_interface::state::{AccountInfo, Bytecode};
use revm_database_interface::{DBErrorMarker, Database};
use zvm::engine::EngineError;
use zvm::host::BlockEnv;
use zvm::state::revm_db::RevmDatabase;
use zvm::tx::{Transaction, TransactionError};
use zvm::{Address, B256, Bytes, Engine, Executor, U256};

const SENDER: Address = Address::repeat_byte(0x5e);
const CONTRACT: Address = Address::repeat_byte(0xcc);

#[derive(Debug)]
struct Gone(&'static str);

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can't be read", self.0)
    }
}

impl std::error::Error for Gone {}
impl DBErrorMarker for Gone {}

/// Knows nothing of this machine.
#[derive(Default)]
struct Theirs {
    accounts: HashMap<Address, AccountInfo>,
    codes: HashMap<B256, Bytecode>,
    words: HashMap<(Address, U256), U256>,
    fails_at: Option<&'static str>,
}

impl Theirs {
    fn check(&self, what: &'static str) -> Result<(), Gone> {
        if self.fails_at == Some(what) { Err(Gone(what)) } else { Ok(()) }
    }
}

impl Database for Theirs {
    type Error = Gone;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Gone> {
        self.check("an account")?;
        Ok(self.accounts.get(&address).cloned())
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Gone> {
        self.check("code")?;
        self.codes.get(&hash).cloned().ok_or(Gone("this code"))
    }

    fn storage(&mut self, address: Address, key: StorageKey) -> Result<StorageValue, Gone> {
        self.check("a word")?;
        Ok(self.words.get(&(address, key)).copied().unwrap_or_default())
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Gone> {
        self.check("a block")?;
        Ok(B256::with_last_byte(number as u8))
    }
}

/// `sstore(1, sload(1) + blockhash(299))`, then returns the sum.
const CODE: &[u8] =
    &[0x61, 1, 43, 0x40, 0x60, 1, 0x54, 0x01, 0x80, 0x60, 1, 0x55, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];

/// `has_inline_code`: whether the code comes with the account and only there.
fn theirs(has_inline_code: bool) -> Theirs {
    let mut database = Theirs::default();
    let rich = AccountInfo { balance: U256::ONE << 100, ..AccountInfo::default() };
    database.accounts.insert(SENDER, rich);
    let code = Bytecode::new_raw(Bytes::from_static(CODE));
    let code_hash = code.hash_slow();
    let mut contract = AccountInfo { nonce: 1, code_hash, code: None, ..AccountInfo::default() };
    if has_inline_code {
        contract.code = Some(code);
    } else {
        database.codes.insert(code_hash, code);
    }
    database.accounts.insert(CONTRACT, contract);
    database.words.insert((CONTRACT, U256::from(1)), U256::from(5));
    database
}

fn executor(database: Theirs) -> Executor<RevmDatabase<Theirs>> {
    Executor::new(Engine::builder().build(), RevmDatabase::new(database))
}

fn block() -> BlockEnv {
    BlockEnv { number: U256::from(300), gas_limit: U256::from(30_000_000), ..BlockEnv::default() }
}

fn transaction() -> Transaction {
    Transaction::legacy(SENDER, Some(CONTRACT), U256::ZERO, Bytes::new(), 100_000, U256::ZERO)
}

#[test]
fn accounts_code_words_and_blocks_are_read() {
    for has_inline_code in [false, true] {
        let mut executor = executor(theirs(has_inline_code));
        let result = executor.transact(&transaction(), &block()).expect("it runs");
        let sum = U256::from(5 + (299 & 0xff));
        assert_eq!(U256::from_be_slice(&result.output), sum);
        let changes = executor.take_changes();
        assert_eq!(changes.accounts[&CONTRACT].storage[&U256::from(1)], sum);
        assert_eq!(changes.accounts[&SENDER].info.expect("it exists").nonce, 1);
        assert!(changes.codes.is_empty());
    }
}

#[test]
fn accounts_without_code_and_without_existence_are_told_apart_from_contracts() {
    let mut executor = executor(theirs(false));
    let state = executor.state_mut();
    assert!(!state.account(&SENDER).expect("readable").has_code());
    assert!(state.account(&Address::repeat_byte(9)).expect("readable").is_empty());
    assert!(state.account(&CONTRACT).expect("readable").has_code());
}

#[test]
fn errors_pass_through_and_leave_nothing() {
    for what in ["an account", "code", "a word", "a block"] {
        let mut executor = executor(Theirs { fails_at: Some(what), ..theirs(false) });
        match executor.transact(&transaction(), &block()) {
            Err(TransactionError::Engine(EngineError::Host(error))) => {
                assert_eq!(error.to_string(), format!("the host failed: {what} can't be read"));
                assert!(error.0.is::<Gone>(), "the error itself is inside");
            }
            other => panic!("{what}: {other:?}"),
        }
        assert!(executor.changes().is_empty());
    }
}
