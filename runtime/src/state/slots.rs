//! Storage words of a state, and the transient words of a transaction.

use alloy_primitives::{Address, U256};

use super::accounts::{Account, AccountId};
use super::journal::Entry;
use super::{Database, State, too_many};
use crate::host::{Access, HostError, StorageWrite};

/// Number of a slot among those of the state; slots keep their place during a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId(pub(super) u32);

pub(super) struct Slot {
    pub(super) account: AccountId,
    pub(super) key: U256,
    pub(super) value: U256,
    /// Value at the start of transaction `original_of`.
    pub(super) original: U256,
    pub(super) original_of: u64,
    /// What the database holds, for the difference.
    pub(super) loaded: U256,
    /// Transaction in which the slot was warmed last; warm if that is the current one.
    pub(super) warmed_in: u64,
    /// The account's slot that was loaded before this one.
    pub(super) next_slot: Option<SlotId>,
}

impl Slot {
    /// Whether the word differs from what the database holds, of which a cleared account has nothing any more.
    pub(super) fn is_changed(&self, account: &Account) -> bool {
        self.value != if account.is_cleared { U256::ZERO } else { self.loaded }
    }
}

/// Slots that are remembered as looked up lately.
pub(super) const RECENT: usize = 1024;

/// Where a slot is remembered. Contracts number their variables from 0 and an array's words from a hash: neighbors
/// have places side by side, and the second limb keeps the arrays apart.
fn recent_place(account: AccountId, key: &U256) -> usize {
    let [first, second, ..] = *key.as_limbs();
    (first.wrapping_add(second) as usize ^ account.0 as usize) % RECENT
}

/// Key of a storage slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotKey {
    pub(super) account: AccountId,
    pub(super) key: U256,
}

/// Key of a transient slot; holds the address, so that no account needs to be loaded for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TransientKey {
    pub(super) address: Address,
    pub(super) key: U256,
}

impl<D: Database> State<D> {
    /// The slot's number; `None` if it is cold and that can't be paid, in which case no database is asked.
    fn slot_id(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<SlotId>>, HostError> {
        let account = self.account_id(address)?;
        let place = recent_place(account, key);
        let recent = self.recent_slots[place];
        // What is remembered counts only if it is that slot, so nothing ever has to be forgotten.
        let is_recent = |slot: &Slot| slot.account == account && slot.key == *key;
        let id = if self.slots.get(recent.0 as usize).is_some_and(is_recent) {
            recent
        } else {
            let Some(id) = self.loaded_slot(account, key, cold_affordable)? else { return Ok(None) };
            self.recent_slots[place] = id;
            id
        };
        let slot = &mut self.slots[id.0 as usize];
        let is_cold = slot.warmed_in != self.transaction;
        if is_cold {
            if !cold_affordable {
                return Ok(None);
            }
            slot.warmed_in = self.transaction;
            self.journal.push(Entry::SlotWarmed { slot: id });
        }
        if slot.original_of != self.transaction {
            slot.original_of = self.transaction;
            slot.original = slot.value;
        }
        Ok(Some(Access { value: id, is_cold }))
    }

    /// The slot's number, loaded from the database if need be; `None` if that is not affordable.
    fn loaded_slot(
        &mut self,
        account: AccountId,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<SlotId>, HostError> {
        if let Some(&id) = self.slot_ids.get(&SlotKey { account, key: *key }) {
            return Ok(Some(id));
        }
        if !cold_affordable {
            return Ok(None);
        }
        let value = self.stored_word(account, key)?;
        let id = SlotId(u32::try_from(self.slots.len()).map_err(|_| too_many())?);
        let next_slot = self.accounts[account.0 as usize].last_slot.replace(id);
        self.slots.push(Slot {
            account,
            key: *key,
            value,
            original: value,
            original_of: self.transaction,
            loaded: value,
            warmed_in: 0,
            next_slot,
        });
        self.slot_ids.insert(SlotKey { account, key: *key }, id);
        Ok(Some(id))
    }

    /// The word in the database, which is not asked about an account that it does not hold.
    fn stored_word(&mut self, id: AccountId, key: &U256) -> Result<U256, HostError> {
        let account = &self.accounts[id.0 as usize];
        if account.is_stored() { self.database.storage(&account.address, key) } else { Ok(U256::ZERO) }
    }

    /// Makes a slot warm.
    pub fn warm_slot(&mut self, address: &Address, key: &U256) -> Result<(), HostError> {
        self.slot_id(address, key, true).map(|_| ())
    }

    /// Reads a slot; see [`Host::sload`](crate::host::Host::sload).
    pub fn sload(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        let Some(id) = self.slot_id(address, key, cold_affordable)? else {
            return Ok(None);
        };
        Ok(Some(Access { value: self.slots[id.value.0 as usize].value, is_cold: id.is_cold }))
    }

    /// Writes a slot; see [`Host::sstore`](crate::host::Host::sstore).
    pub fn sstore(
        &mut self,
        address: &Address,
        key: &U256,
        value: &U256,
        cold_affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError> {
        let Some(id) = self.slot_id(address, key, cold_affordable)? else {
            return Ok(None);
        };
        let slot = &mut self.slots[id.value.0 as usize];
        let current = slot.value;
        let write = StorageWrite { original: slot.original, current, is_cold: id.is_cold };
        if current != *value {
            slot.value = *value;
            self.journal.push(Entry::Slot { slot: id.value, previous: current });
        }
        Ok(Some(write))
    }

    /// Reads a slot without touching it, for tools.
    pub fn peek_storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        let account = self.account_id(address)?;
        match self.slot_ids.get(&SlotKey { account, key: *key }) {
            Some(id) => Ok(self.slots[id.0 as usize].value),
            None => self.stored_word(account, key),
        }
    }

    /// Reads a transient slot.
    pub fn tload(&mut self, address: &Address, key: &U256) -> U256 {
        match self.transient_ids.get(&TransientKey { address: *address, key: *key }) {
            Some(&index) => self.transient[index as usize],
            None => U256::ZERO,
        }
    }

    /// Writes a transient slot.
    pub fn tstore(&mut self, address: &Address, key: &U256, value: &U256) {
        let next = self.transient.len() as u32;
        let index = *self.transient_ids.entry(TransientKey { address: *address, key: *key }).or_insert(next);
        if index == next {
            self.transient.push(U256::ZERO);
        }
        let previous = std::mem::replace(&mut self.transient[index as usize], *value);
        self.journal.push(Entry::Transient { index, previous });
    }
}
