//! Where accounts, code, storage and block hashes come from.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

use super::StateDiff;
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
/// Each value is asked for at most once per [`State`](super::State), code and block hashes apart. An error ends
/// the transaction and never becomes an outcome of the program.
pub trait Database {
    /// The account, `None` if it does not exist.
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError>;
    /// The code with that hash, which some account has.
    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError>;
    /// A storage word, zero if it was never set. Asked only about accounts that exist.
    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError>;
    /// Whether any storage word of the account is not zero. Asked only about an account that exists, without nonce
    /// and code, before a contract is created there, because such an address is taken (EIP-7610).
    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError>;
    /// Hash of a block; asked only for one of the last 256.
    fn block_hash(&mut self, number: u64) -> Result<B256, HostError>;
}

/// A database that keeps what transactions changed.
pub trait CommitDatabase: Database {
    /// Applies changes as [`StateDiff`] defines them: all of them, or none and an error.
    fn commit(&mut self, diff: &StateDiff) -> Result<(), HostError>;
}

macro_rules! forward_database {
    ($($pointer:ty),*) => { $(
        impl<D: Database + ?Sized> Database for $pointer {
            fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
                (**self).account(address)
            }
            fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
                (**self).code(hash)
            }
            fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
                (**self).storage(address, key)
            }
            fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
                (**self).has_storage(address)
            }
            fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
                (**self).block_hash(number)
            }
        }
        impl<D: CommitDatabase + ?Sized> CommitDatabase for $pointer {
            fn commit(&mut self, diff: &StateDiff) -> Result<(), HostError> {
                (**self).commit(diff)
            }
        }
    )* };
}
forward_database!(&mut D, Box<D>);
