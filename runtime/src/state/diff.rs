//! Changes of state as a value, sorted, so that two of them can be compared and printed.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};

use super::AccountInfo;

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDiff {
    /// Changed accounts.
    pub accounts: BTreeMap<Address, AccountDiff>,
    /// Code of changed accounts that the database did not hold.
    pub codes: BTreeMap<B256, Bytes>,
}

/// What changed in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDiff {
    /// The account as it is now; empty means that it does not exist.
    pub info: AccountInfo,
    /// Changed storage words.
    pub storage: BTreeMap<U256, U256>,
}

impl StateDiff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    pub(super) fn account_mut(&mut self, address: &Address, info: &AccountInfo) -> &mut AccountDiff {
        self.accounts.entry(*address).or_insert_with(|| AccountDiff { info: *info, storage: BTreeMap::new() })
    }
}
