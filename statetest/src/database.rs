//! The world of a case: its accounts, and the block hashes that the tests agree on.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use zvm::host::HostError;
use zvm::state::{AccountInfo, Database, InMemoryDatabase, StateDiff, StateRoot, storage_root};

use crate::case::{Account, Accounts};

/// Accounts in memory; the hash of block n is the Keccak-256 of n in decimal digits.
#[derive(Clone, Debug, Default)]
pub struct CaseDatabase(InMemoryDatabase);

impl CaseDatabase {
    /// A world with these accounts.
    pub fn new(accounts: &Accounts) -> CaseDatabase {
        let mut database = InMemoryDatabase::new();
        for (address, account) in accounts {
            database.insert_account(*address, account.nonce, account.balance, account.code.clone());
            for (slot, value) in &account.storage {
                database.insert_storage(*address, *slot, *value);
            }
        }
        CaseDatabase(database)
    }

    /// Applies what a transaction changed.
    pub fn commit(&mut self, diff: &StateDiff) {
        self.0.commit(diff);
    }

    /// Every account.
    pub fn accounts(&self) -> Accounts {
        self.0.accounts().map(|(address, info)| (address, self.with_storage(&address, &info))).collect()
    }

    /// One account, if it exists.
    pub fn full_account(&self, address: &Address) -> Option<Account> {
        self.0.account_info(address).map(|info| self.with_storage(address, &info))
    }

    fn with_storage(&self, address: &Address, info: &AccountInfo) -> Account {
        let code = self.0.code_of(&info.code_hash).cloned().unwrap_or_default();
        let storage = self.0.storage_of(address).collect();
        Account { balance: info.balance, nonce: info.nonce, code, storage }
    }

    /// The state root.
    pub fn root(&self) -> B256 {
        let mut root = StateRoot::new();
        for (address, info) in self.0.accounts() {
            root.insert(&address, &info, storage_root(self.0.storage_of(&address)));
        }
        root.finish()
    }
}

impl Database for CaseDatabase {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        self.0.account(address)
    }

    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        self.0.code(hash)
    }

    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.0.storage(address, key)
    }

    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        self.0.has_storage(address)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        Ok(keccak256(number.to_string()))
    }
}
