//! A database in maps.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

use super::hash::WordMap;
use super::{AccountInfo, CommitDatabase, Database, StateDiff};
use crate::host::HostError;
use crate::keccak::keccak256;

/// A database that lives in memory.
#[derive(Clone, Debug, Default)]
pub struct InMemoryDatabase {
    accounts: WordMap<Address, Stored>,
    codes: WordMap<B256, Bytes>,
    block_hashes: WordMap<u64, B256>,
}

#[derive(Clone, Debug, Default)]
struct Stored {
    info: AccountInfo,
    storage: WordMap<U256, U256>,
}

impl InMemoryDatabase {
    /// A database without accounts.
    pub fn new() -> InMemoryDatabase {
        InMemoryDatabase::default()
    }

    /// Adds or replaces an account; its storage stays.
    pub fn insert_account(&mut self, address: Address, nonce: u64, balance: U256, code: Bytes) {
        let code_hash = self.insert_code(code);
        self.accounts.entry(address).or_default().info = AccountInfo { nonce, balance, code_hash };
    }

    /// Sets a storage word.
    pub fn insert_storage(&mut self, address: Address, key: U256, value: U256) {
        let storage = &mut self.accounts.entry(address).or_default().storage;
        if value.is_zero() {
            storage.remove(&key);
        } else {
            storage.insert(key, value);
        }
    }

    /// Sets the hash of a block.
    pub fn insert_block_hash(&mut self, number: u64, hash: B256) {
        self.block_hashes.insert(number, hash);
    }

    /// The account, if it exists.
    pub fn account_info(&self, address: &Address) -> Option<AccountInfo> {
        self.accounts.get(address).map(|stored| stored.info)
    }

    /// Every non-zero storage word of an account, unordered.
    pub fn storage_of(&self, address: &Address) -> impl Iterator<Item = (U256, U256)> {
        let words = self.accounts.get(address).into_iter().flat_map(|stored| &stored.storage);
        words.map(|(key, value)| (*key, *value))
    }

    /// Every account, unordered.
    pub fn accounts(&self) -> impl Iterator<Item = (Address, AccountInfo)> {
        self.accounts.iter().map(|(address, stored)| (*address, stored.info))
    }

    /// The code with that hash, if some account had it.
    pub fn code_of(&self, hash: &B256) -> Option<&Bytes> {
        self.codes.get(hash)
    }

    /// Applies changes.
    pub fn commit(&mut self, diff: &StateDiff) {
        for (address, account) in &diff.accounts {
            if account.wipes_storage() {
                self.accounts.remove(address);
            }
            let Some(info) = account.info else { continue };
            self.accounts.entry(*address).or_default().info = info;
            for (key, value) in &account.storage {
                self.insert_storage(*address, *key, *value);
            }
        }
        self.codes.extend(diff.codes.iter().map(|(hash, code)| (*hash, code.clone())));
    }

    fn insert_code(&mut self, code: Bytes) -> B256 {
        if code.is_empty() {
            return KECCAK256_EMPTY;
        }
        let hash = keccak256(&code);
        self.codes.insert(hash, code);
        hash
    }
}

impl Database for InMemoryDatabase {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        Ok(self.account_info(address))
    }

    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        let code = self.codes.get(hash).cloned();
        code.ok_or_else(|| HostError(format!("the database holds no code with hash {hash}").into()))
    }

    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        Ok(self.accounts.get(address).and_then(|stored| stored.storage.get(key)).copied().unwrap_or_default())
    }

    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        Ok(self.accounts.get(address).is_some_and(|stored| !stored.storage.is_empty()))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        Ok(self.block_hashes.get(&number).copied().unwrap_or_default())
    }
}

impl CommitDatabase for InMemoryDatabase {
    fn commit(&mut self, diff: &StateDiff) -> Result<(), HostError> {
        InMemoryDatabase::commit(self, diff);
        Ok(())
    }
}
