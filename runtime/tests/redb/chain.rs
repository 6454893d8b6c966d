//! A chain of blocks that any process can compute again, and the comparison of a database with it.

use std::path::PathBuf;

use alloy_primitives::keccak256;
use zvm::engine::{Engine, Executor};
use zvm::host::BlockEnv;
use zvm::state::redb::{RedbDatabase, RedbOptions, RedbSnapshot};
use zvm::state::{AccountDiff, AccountInfo, Database, InMemoryDatabase, StateDiff};
use zvm::tx::Transaction;
use zvm::{Address, B256, Bytes, U256};

const SENDER: Address = Address::repeat_byte(0x5e);
const WRITER: Address = Address::repeat_byte(0x77);
/// `sstore(calldata[0], calldata[32])`
const WRITER_CODE: &[u8] = &[0x60, 0x20, 0x35, 0x5f, 0x35, 0x55];

/// Options of the tests.
pub(crate) const OPTIONS: RedbOptions =
    RedbOptions { undo_blocks: 4, cache_bytes: 4 << 20, check_on_open: true };

/// A path for a new file, which is deleted if it exists.
pub(crate) fn new_file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}.redb", std::process::id()));
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => path,
    }
}

/// Hash of a block of the chain.
pub(crate) fn hash(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}

/// What block `number` changes in the state before it.
pub(crate) fn block<D: Database>(number: u64, before: D) -> StateDiff {
    if number == 0 {
        return genesis();
    }
    let engine = Engine::builder().build();
    let mut executor = Executor::new(engine, before);
    let env = BlockEnv { number: U256::from(number), gas_limit: U256::from(u64::MAX), ..BlockEnv::default() };
    for transaction in transactions(number) {
        let result = executor.transact(&transaction, &env).expect("the transaction is valid");
        assert!(result.is_success(), "block {number}: {result:?}");
    }
    executor.state().diff()
}

fn genesis() -> StateDiff {
    let mut database = StateDiff::default();
    let rich = AccountInfo { balance: U256::MAX >> 1, ..AccountInfo::default() };
    database.accounts.insert(SENDER, AccountDiff { info: Some(rich), ..AccountDiff::default() });
    let code = Bytes::from_static(WRITER_CODE);
    let code_hash = keccak256(&code);
    let contract = AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() };
    database.accounts.insert(WRITER, AccountDiff { info: Some(contract), ..AccountDiff::default() });
    database.codes.insert(code_hash, code);
    database
}

/// Writes and clears words, pays new accounts, creates a contract.
fn transactions(number: u64) -> Vec<Transaction> {
    let price = U256::from(1);
    let mut transactions: Vec<Transaction> = (0..12)
        .map(|write| {
            let mut data = [0; 64];
            data[24..32].copy_from_slice(&((number * 7 + write * 13) % 40).to_be_bytes());
            // Each third write clears.
            data[56..]
                .copy_from_slice(&(if write % 3 == 0 { 0 } else { number * 100 + write }).to_be_bytes());
            Transaction::legacy(SENDER, Some(WRITER), U256::ZERO, data.to_vec().into(), 200_000, price)
        })
        .collect();
    let paid = Address::from_word(hash(number / 2));
    transactions.push(Transaction::legacy(SENDER, Some(paid), U256::from(5), Bytes::new(), 50_000, price));
    // push8 number, push0, mstore, push1 8, push1 24, return
    let mut init = vec![0x67];
    init.extend_from_slice(&number.to_be_bytes());
    init.extend_from_slice(&[0x5f, 0x52, 0x60, 8, 0x60, 24, 0xf3]);
    transactions.push(Transaction::legacy(SENDER, None, U256::from(3), init.into(), 200_000, price));
    transactions
}

/// The chain in memory, at one block after the other.
pub(crate) struct Chain {
    pub(crate) state: InMemoryDatabase,
    pub(crate) number: u64,
}

impl Chain {
    /// The chain at block 0.
    pub(crate) fn new() -> Chain {
        let mut state = InMemoryDatabase::new();
        state.commit(&block(0, &mut InMemoryDatabase::new()));
        Chain { state, number: 0 }
    }

    /// Goes on to that block.
    pub(crate) fn advance_to(&mut self, number: u64) {
        while self.number < number {
            self.number += 1;
            let diff = block(self.number, &mut self.state);
            self.state.commit(&diff);
        }
    }

    /// Panics unless the database holds exactly this block.
    pub(crate) fn assert_is(&self, database: &RedbDatabase) {
        let snapshot = database.snapshot().expect("it can be read");
        assert_eq!(
            snapshot.head().map(|head| (head.number, head.hash)),
            Some((self.number, hash(self.number)))
        );
        assert_same(&snapshot, &self.state);
        for number in 0..=self.number {
            assert_eq!(snapshot.clone().block_hash(number).expect("it is kept"), hash(number));
        }
        assert!(snapshot.clone().block_hash(self.number + 1).is_err());
    }
}

/// Panics unless both hold the same accounts, code and storage.
pub(crate) fn assert_same(snapshot: &RedbSnapshot, expected: &InMemoryDatabase) {
    let mut accounts: Vec<(Address, AccountInfo)> = expected.accounts().collect();
    accounts.sort_by_key(|(address, _)| *address);
    let mut found = Vec::new();
    let visited: Result<(), zvm::state::redb::RedbError> = snapshot.for_each_account(|address, info| {
        found.push((address, info));
        Ok(())
    });
    visited.expect("it can be read");
    assert_eq!(found, accounts);
    for (address, info) in accounts {
        if info.has_code() {
            let code = snapshot.clone().code(&info.code_hash).expect("it is there");
            assert_eq!(Some(&code), expected.code_of(&info.code_hash));
        }
        let mut words: Vec<(U256, U256)> = expected.storage_of(&address).collect();
        words.sort();
        let mut found = Vec::new();
        let visited: Result<(), zvm::state::redb::RedbError> =
            snapshot.for_each_word(&address, |key, word| {
                found.push((key, word));
                Ok(())
            });
        visited.expect("it can be read");
        assert_eq!(found, words, "storage of {address}");
    }
}
