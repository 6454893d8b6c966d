//! Roots as Ethereum's blocks commit to them: the Merkle-Patricia root of a full set of accounts, the hash of logs.
//!
//! Everything is hashed anew from the full set; there is no incremental trie. The engine never needs a root:
//! tests compare by it, and databases offer it. Which accounts exist is the caller's business.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unsorted, storage_root_unhashed};

use super::AccountInfo;
use crate::host::Log;
use crate::keccak::keccak256;

/// Collects accounts, in any order, for the root of the state that they are.
///
/// ```
/// use zvm::state::{AccountInfo, StateRoot, storage_root};
/// use zvm::{Address, U256};
///
/// let mut state = StateRoot::new();
/// let storage = storage_root([(U256::ZERO, U256::ONE)]);
/// state.insert(&Address::ZERO, &AccountInfo::default(), storage);
/// println!("{}", state.finish());
/// ```
#[derive(Clone, Debug, Default)]
pub struct StateRoot {
    // Invariant: each account is here once, under the hash of its address.
    accounts: BTreeMap<B256, TrieAccount>,
}

impl StateRoot {
    /// A state without accounts.
    pub fn new() -> StateRoot {
        StateRoot::default()
    }

    /// Adds an account with the root of its storage, see [`storage_root`]; replaces one of the same address.
    pub fn insert(&mut self, address: &Address, info: &AccountInfo, storage_root: B256) {
        let account = TrieAccount::new(info.nonce, info.balance, storage_root, info.code_hash);
        self.accounts.insert(keccak256(address), account);
    }

    /// The root.
    pub fn finish(self) -> B256 {
        state_root_unsorted(self.accounts)
    }
}

/// The root of one account's storage, from its words in any order, each slot once; zeros are absent from the trie.
pub fn storage_root(words: impl IntoIterator<Item = (U256, U256)>) -> B256 {
    let words = words.into_iter().filter(|(_, value)| !value.is_zero());
    storage_root_unhashed(words.map(|(key, value)| (B256::from(key), value)))
}

/// Keccak-256 of the RLP of a list of log entries, by which Ethereum's tests compare logs.
pub fn logs_hash(logs: &[Log]) -> B256 {
    let entries: Vec<alloy_primitives::Log> = logs
        .iter()
        .map(|log| alloy_primitives::Log::new_unchecked(log.address, log.topics.clone(), log.data.clone()))
        .collect();
    keccak256(alloy_rlp::encode(&entries))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, KECCAK256_EMPTY, b256};

    use super::*;

    #[test]
    fn nothing_has_the_roots_that_ethereum_names() {
        let empty = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
        assert_eq!(StateRoot::new().finish(), empty);
        assert_eq!(storage_root([]), empty);
        assert_eq!(storage_root([(U256::ONE, U256::ZERO)]), empty);
        let no_logs = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
        assert_eq!(logs_hash(&[]), no_logs);
    }

    #[test]
    fn order_does_not_matter_and_every_field_does() {
        let info = AccountInfo { nonce: 1, balance: U256::from(2), code_hash: KECCAK256_EMPTY };
        let (a, b) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let root = |accounts: &[(Address, AccountInfo, U256)]| {
            let mut state = StateRoot::new();
            for (address, info, word) in accounts {
                state.insert(address, info, storage_root([(U256::ZERO, *word)]));
            }
            state.finish()
        };
        let one = U256::ONE;
        let other = AccountInfo { nonce: 2, ..info };
        let whole = root(&[(a, info, one), (b, other, one)]);
        assert_eq!(whole, root(&[(b, other, one), (a, info, one)]));
        assert_ne!(whole, root(&[(a, info, one), (b, info, one)]));
        assert_ne!(whole, root(&[(a, info, one), (b, other, U256::from(3))]));
        assert_ne!(whole, root(&[(a, info, one)]));
    }

    #[test]
    fn a_log_counts_with_all_it_has() {
        let log = Log { address: Address::ZERO, topics: vec![B256::ZERO], data: Bytes::from_static(b"data") };
        let other = Log { topics: vec![], ..log.clone() };
        assert_ne!(logs_hash(std::slice::from_ref(&log)), logs_hash(&[other]));
        assert_ne!(logs_hash(std::slice::from_ref(&log)), logs_hash(&[log.clone(), log]));
    }
}
