//! Where accounts, code, storage and block hashes come from.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

use crate::host::HostError;

/// An account without its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Keccak-256 of the code; that of the empty string for an account without code.
    pub code_hash: B256,
}

impl Default for AccountInfo {
    fn default() -> AccountInfo {
        AccountInfo { nonce: 0, balance: U256::ZERO, code_hash: KECCAK256_EMPTY }
    }
}

impl AccountInfo {
    /// Whether the account is empty, which since EIP-161 is the same as not existing.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK256_EMPTY
    }

    /// Whether the account has code.
    pub fn has_code(&self) -> bool {
        self.code_hash != KECCAK256_EMPTY
    }
}

/// A source of state as of the start of a transaction.
///
/// Each value is asked for at most once per [`State`](super::State). An error ends the transaction and never
/// becomes an outcome of the program.
pub trait Database {
    /// The account, `None` if it does not exist.
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError>;
    /// The code with that hash, which some account has.
    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError>;
    /// A storage word, zero if it was never set.
    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError>;
    /// Hash of a block; asked only for one of the last 256.
    fn block_hash(&mut self, number: u64) -> Result<B256, HostError>;
}
