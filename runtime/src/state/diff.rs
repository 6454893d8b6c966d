//! Changes of state as a value, sorted, so that two of them can be compared, printed and stored.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};

use super::AccountInfo;

/// What changed between two states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDiff {
    /// Changed accounts.
    pub accounts: BTreeMap<Address, AccountDiff>,
    /// Code that changed accounts have and the database did not hold.
    pub codes: BTreeMap<B256, Bytes>,
}

/// What changed in one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountDiff {
    /// The account as it is now; `None`: it does not exist, and has no storage.
    pub info: Option<AccountInfo>,
    /// Whether all storage from before is gone: the account was deleted, and possibly made again.
    pub storage_wiped: bool,
    /// Changed storage words; after a wipe, those that are not zero.
    pub storage: BTreeMap<U256, U256>,
}

impl StateDiff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

impl AccountDiff {
    /// An account that does not exist any more.
    pub fn deleted() -> AccountDiff {
        AccountDiff { info: None, storage_wiped: true, storage: BTreeMap::new() }
    }

    /// Whether the storage from before is gone.
    pub fn wipes_storage(&self) -> bool {
        self.storage_wiped || self.info.is_none()
    }
}
