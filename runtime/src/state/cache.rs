//! How much a state remembers of what it loaded, and how it forgets.

use super::accounts::AccountId;
use super::slots::{SlotId, SlotKey};
use super::{Database, State};

/// Most accounts and slots that a state keeps from one transaction to the next though they are unchanged.
pub const CACHE_ENTRIES_DEFAULT: usize = 1 << 18;

/// When the unchanged accounts and slots are dropped.
pub(super) struct CacheLimit {
    /// Accounts and slots that may be kept.
    entries_max: usize,
    /// Number at which dropping is worth its while again: changed ones have to be kept.
    entries_next: usize,
}

impl Default for CacheLimit {
    fn default() -> CacheLimit {
        CacheLimit { entries_max: CACHE_ENTRIES_DEFAULT, entries_next: CACHE_ENTRIES_DEFAULT }
    }
}

impl<D: Database> State<D> {
    /// Bounds what is kept from one transaction to the next: above `entries` accounts and slots, those that are as
    /// the database holds them are dropped. A transaction keeps all that it loads, which its gas bounds.
    pub fn set_cache_entries_max(&mut self, entries: usize) {
        self.cache = CacheLimit { entries_max: entries, entries_next: entries };
    }

    /// Number of accounts and slots in memory.
    pub fn cached_entries(&self) -> usize {
        self.accounts.len() + self.slots.len()
    }

    /// Drops what is unchanged if there is too much of it. Called between transactions.
    pub(super) fn bound_cache(&mut self) {
        if self.cached_entries() > self.cache.entries_next {
            self.drop_unchanged();
            let max = self.cache.entries_max;
            self.cache.entries_next = max.max(2 * self.cached_entries());
            self.accounts.shrink_to(max);
            self.slots.shrink_to(max);
            self.account_ids.shrink_to(max);
            self.slot_ids.shrink_to(max);
        }
    }

    fn drop_unchanged(&mut self) {
        let accounts = std::mem::take(&mut self.accounts);
        let mut slots = std::mem::take(&mut self.slots);
        slots.retain(|slot| slot.is_changed(&accounts[slot.account.0 as usize]));
        let mut is_kept: Vec<bool> = accounts.iter().map(|account| account.is_changed()).collect();
        for slot in &slots {
            is_kept[slot.account.0 as usize] = true;
        }

        self.recent = None;
        self.account_ids.clear();
        self.slot_ids.clear();
        let mut new_ids = Vec::with_capacity(accounts.len());
        for (mut account, is_kept) in accounts.into_iter().zip(is_kept) {
            // There are not more than before, so the numbers fit.
            let id = AccountId(self.accounts.len() as u32);
            new_ids.push(id);
            if is_kept {
                account.last_slot = None;
                self.account_ids.insert(account.address, id);
                self.accounts.push(account);
            }
        }
        for mut slot in slots {
            let id = SlotId(self.slots.len() as u32);
            slot.account = new_ids[slot.account.0 as usize];
            slot.next_slot = self.accounts[slot.account.0 as usize].last_slot.replace(id);
            self.slot_ids.insert(SlotKey { account: slot.account, key: slot.key }, id);
            self.slots.push(slot);
        }
        let accounts = &self.accounts;
        let used: std::collections::HashSet<_> =
            accounts.iter().map(|account| account.info.code_hash).collect();
        self.codes.retain(|hash, _| used.contains(hash));
    }

    /// Forgets every change that was not applied to the database, and everything loaded from it; keeps the buffers.
    pub fn forget(&mut self) {
        self.account_ids.clear();
        self.accounts.clear();
        self.recent = None;
        self.slot_ids.clear();
        self.slots.clear();
        self.codes.clear();
        self.begin_transaction(self.fork);
    }
}
