//! The journaled state of accounts during transactions, over a [`Database`].
//!
//! Values are loaded from the database once and then live here; every change is written to a journal, so that
//! [`State::revert_to`] undoes everything since a checkpoint, which is an integer. Which block and transaction
//! run is not known here: [`Session`](crate::engine::Session) joins the state with those facts into a `Host`.

pub mod database;
pub mod diff;
pub mod hash;
pub mod in_memory;
mod journal;
#[cfg(feature = "state-root")]
pub mod root;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};

pub use self::database::{AccountInfo, CommitDatabase, Database};
pub use self::diff::{AccountDiff, StateDiff};
pub use self::in_memory::InMemoryDatabase;
#[cfg(feature = "state-root")]
pub use self::root::{StateRoot, logs_hash, storage_root};

use self::hash::{WordHasherBuilder, WordMap};
use self::journal::Entry;
use crate::fork::Fork;
use crate::host::{Access, HostError, Log, StorageWrite};
use crate::precompiles::is_precompile;

/// Number of an account in [`State::accounts`]; accounts stay in place for the life of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AccountId(u32);

/// Number of a slot in [`State::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SlotId(u32);

struct Account {
    address: Address,
    info: AccountInfo,
    /// What the database holds, for the difference; `None` if the account does not exist there.
    loaded: Option<AccountInfo>,
    /// Transaction in which the account was warmed last; warm if that is the current one.
    warmed_in: u64,
    /// Transaction in which the account was touched last in the sense of EIP-161.
    touched_in: u64,
    /// Transaction in which the account was created.
    created_in: u64,
    /// Transaction at whose end the account is destroyed.
    destroyed_in: u64,
    /// Whether the account does not exist, though the database holds it.
    is_removed: bool,
    /// Whether the storage in the database counts no more.
    is_wiped: bool,
    /// The account's slot that was loaded last, the first of a list.
    last_slot: Option<SlotId>,
}

struct Slot {
    account: AccountId,
    key: U256,
    value: U256,
    /// Value at the start of transaction `original_of`.
    original: U256,
    original_of: u64,
    /// What the database holds, for the difference.
    loaded: U256,
    /// Transaction in which the slot was warmed last; warm if that is the current one.
    warmed_in: u64,
    /// The account's slot that was loaded before this one.
    next_slot: Option<SlotId>,
}

impl Account {
    fn new(address: Address, loaded: Option<AccountInfo>) -> Account {
        Account {
            address,
            info: loaded.unwrap_or_default(),
            loaded,
            warmed_in: 0,
            touched_in: 0,
            created_in: 0,
            destroyed_in: 0,
            is_removed: false,
            is_wiped: false,
            last_slot: None,
        }
    }

    /// Whether the account differs from what the database holds, storage left out.
    fn is_changed(&self) -> bool {
        match &self.loaded {
            Some(loaded) => self.is_removed || self.is_wiped || self.info != *loaded,
            None => !self.info.is_empty(),
        }
    }

    /// Whether the account exists. One that is empty does only if the database says so and nothing touched it.
    fn exists(&self) -> bool {
        !self.info.is_empty() || !self.is_removed && !self.is_wiped && self.loaded.is_some()
    }

    /// Notes that the database holds the account as it is.
    fn set_loaded(&mut self) {
        self.loaded = if self.exists() { Some(self.info) } else { None };
        self.is_removed = false;
        self.is_wiped = false;
    }
}

/// Key of a storage slot.
#[derive(Clone, Copy, PartialEq, Eq)]
struct SlotKey {
    account: AccountId,
    key: U256,
}

/// Key of a transient slot; holds the address, so that no account needs to be loaded for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct TransientKey {
    address: Address,
    key: U256,
}

/// Accounts and storage with undo.
pub struct State<D> {
    database: D,
    fork: Fork,
    /// Number of the current transaction, from 1 on: what belongs to another one is cold or empty.
    transaction: u64,
    account_ids: WordMap<Address, AccountId>,
    accounts: Vec<Account>,
    /// The account looked up last: runs of operations on one contract skip the map.
    recent: Option<(Address, AccountId)>,
    slot_ids: WordMap<SlotKey, SlotId>,
    slots: Vec<Slot>,
    /// Accounts touched in this transaction in the sense of EIP-161.
    touched: Vec<AccountId>,
    /// Accounts to be destroyed at the end of this transaction.
    destroyed: Vec<AccountId>,
    /// Place of each transient slot of this transaction in `transient`.
    transient_ids: WordMap<TransientKey, u32>,
    transient: Vec<U256>,
    /// Code deployed since the database was written last.
    codes: WordMap<B256, Bytes>,
    journal: Vec<Entry>,
    refund: i64,
    logs: Vec<Log>,
}

impl<D: Database> State<D> {
    /// The state that the database holds.
    pub fn new(database: D) -> State<D> {
        let hasher = WordHasherBuilder::new();
        State {
            database,
            fork: Fork::LATEST,
            transaction: 1,
            account_ids: WordMap::with_hasher(hasher),
            accounts: Vec::new(),
            recent: None,
            slot_ids: WordMap::with_hasher(hasher),
            slots: Vec::new(),
            touched: Vec::new(),
            destroyed: Vec::new(),
            transient_ids: WordMap::with_hasher(hasher),
            transient: Vec::new(),
            codes: WordMap::with_hasher(hasher),
            journal: Vec::new(),
            refund: 0,
            logs: Vec::new(),
        }
    }

    /// The database below.
    pub fn database(&self) -> &D {
        &self.database
    }

    /// Starts a transaction: everything is cold, transient storage is empty, and nothing can be undone any more.
    pub fn begin_transaction(&mut self, fork: Fork) {
        self.fork = fork;
        self.transaction += 1;
        self.touched.clear();
        self.destroyed.clear();
        self.transient_ids.clear();
        self.transient.clear();
        self.journal.clear();
        self.refund = 0;
        self.logs.clear();
    }

    /// A point to which [`State::revert_to`] can go back within this transaction.
    #[inline]
    pub fn checkpoint(&self) -> usize {
        self.journal.len()
    }

    /// Undoes every change, log, refund and touch since the checkpoint.
    pub fn revert_to(&mut self, checkpoint: usize) {
        while self.journal.len() > checkpoint {
            let Some(entry) = self.journal.pop() else { return };
            self.undo(entry);
        }
    }

    fn undo(&mut self, entry: Entry) {
        match entry {
            Entry::Slot { slot, previous } => self.slots[slot.0 as usize].value = previous,
            Entry::SlotWarmed { slot } => self.slots[slot.0 as usize].warmed_in = 0,
            Entry::AccountWarmed { account } => self.accounts[account.0 as usize].warmed_in = 0,
            Entry::AccountTouched { account } => {
                self.accounts[account.0 as usize].touched_in = 0;
                self.touched.pop();
            }
            Entry::AccountDestroyed { account } => {
                self.accounts[account.0 as usize].destroyed_in = 0;
                self.destroyed.pop();
            }
            Entry::AccountCreated { account } => self.accounts[account.0 as usize].created_in = 0,
            Entry::Transient { index, previous } => self.transient[index as usize] = previous,
            Entry::Balance { account, previous } => self.accounts[account.0 as usize].info.balance = previous,
            Entry::Nonce { account, previous } => self.accounts[account.0 as usize].info.nonce = previous,
            Entry::Code { account, previous } => self.accounts[account.0 as usize].info.code_hash = previous,
            Entry::Refund { added } => self.refund -= added,
            Entry::Log => {
                self.logs.pop();
            }
        }
    }

    /// The account's number; loads it if this state never saw it.
    fn account_id(&mut self, address: &Address) -> Result<AccountId, HostError> {
        if let Some((recent, id)) = &self.recent
            && recent == address
        {
            return Ok(*id);
        }
        let id = match self.account_ids.get(address) {
            Some(&id) => id,
            None => {
                let loaded = self.database.account(address)?;
                let id = AccountId(u32::try_from(self.accounts.len()).map_err(|_| too_many())?);
                self.accounts.push(Account::new(*address, loaded));
                self.account_ids.insert(*address, id);
                id
            }
        };
        self.recent = Some((*address, id));
        Ok(id)
    }

    /// Whether an access would be the first of the transaction; asks no database.
    fn is_account_cold(&self, address: &Address) -> bool {
        let touched = match self.account_ids.get(address) {
            Some(id) => self.accounts[id.0 as usize].warmed_in == self.transaction,
            None => false,
        };
        !touched && !is_precompile(self.fork, address)
    }

    fn warm(&mut self, id: AccountId) {
        let account = &mut self.accounts[id.0 as usize];
        if account.warmed_in != self.transaction {
            account.warmed_in = self.transaction;
            self.journal.push(Entry::AccountWarmed { account: id });
        }
    }

    /// Makes an account warm.
    pub fn warm_account(&mut self, address: &Address) -> Result<(), HostError> {
        let id = self.account_id(address)?;
        self.warm(id);
        Ok(())
    }

    fn touch(&mut self, id: AccountId) {
        let account = &mut self.accounts[id.0 as usize];
        if account.touched_in != self.transaction {
            account.touched_in = self.transaction;
            self.touched.push(id);
            self.journal.push(Entry::AccountTouched { account: id });
        }
    }

    /// Touches an account in the sense of EIP-161: if it is empty when the transaction ends, it is removed.
    pub fn touch_account(&mut self, address: &Address) -> Result<(), HostError> {
        let id = self.account_id(address)?;
        self.touch(id);
        Ok(())
    }

    /// Whether the account is dead: it does not exist or is empty, which since EIP-161 is the same to a program.
    pub fn is_dead(&mut self, address: &Address) -> Result<bool, HostError> {
        Ok(self.account(address)?.is_empty())
    }

    /// The account; one that does not exist is empty.
    pub fn account(&mut self, address: &Address) -> Result<AccountInfo, HostError> {
        let id = self.account_id(address)?;
        Ok(self.accounts[id.0 as usize].info)
    }

    /// The account as an operation of a program touches it.
    ///
    /// `Ok(None)`: the touch is cold and `cold_affordable` is false; the database was not asked.
    pub fn access_account(
        &mut self,
        address: &Address,
        cold_affordable: bool,
    ) -> Result<Option<Access<AccountInfo>>, HostError> {
        let is_cold = self.is_account_cold(address);
        if is_cold && !cold_affordable {
            return Ok(None);
        }
        let id = self.account_id(address)?;
        self.warm(id);
        Ok(Some(Access { value: self.accounts[id.0 as usize].info, is_cold }))
    }

    /// Bytes of the code with that hash.
    pub fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        if *hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        match self.codes.get(hash) {
            Some(code) => Ok(code.clone()),
            None => self.database.code(hash),
        }
    }

    /// Sets a balance.
    pub fn set_balance(&mut self, address: &Address, balance: U256) -> Result<(), HostError> {
        let id = self.account_id(address)?;
        let info = &mut self.accounts[id.0 as usize].info;
        let previous = std::mem::replace(&mut info.balance, balance);
        self.journal.push(Entry::Balance { account: id, previous });
        self.touch(id);
        Ok(())
    }

    /// Sets a nonce.
    pub fn set_nonce(&mut self, address: &Address, nonce: u64) -> Result<(), HostError> {
        let id = self.account_id(address)?;
        let info = &mut self.accounts[id.0 as usize].info;
        let previous = std::mem::replace(&mut info.nonce, nonce);
        self.journal.push(Entry::Nonce { account: id, previous });
        self.touch(id);
        Ok(())
    }

    /// Gives an account code.
    pub fn set_code(&mut self, address: &Address, code: Bytes) -> Result<(), HostError> {
        let id = self.account_id(address)?;
        let hash = keccak256(&code);
        let info = &mut self.accounts[id.0 as usize].info;
        let previous = std::mem::replace(&mut info.code_hash, hash);
        self.journal.push(Entry::Code { account: id, previous });
        self.touch(id);
        if hash != KECCAK256_EMPTY {
            self.codes.insert(hash, code);
        }
        Ok(())
    }

    /// Moves value and touches the receiver; false, and nothing happened, if the sender has less.
    pub fn transfer(&mut self, from: &Address, to: &Address, value: U256) -> Result<bool, HostError> {
        let Some(rest) = self.account(from)?.balance.checked_sub(value) else {
            return Ok(false);
        };
        if value.is_zero() || from == to {
            self.touch_account(to)?;
            return Ok(true);
        }
        let Some(sum) = self.account(to)?.balance.checked_add(value) else {
            return Ok(false);
        };
        self.set_balance(from, rest)?;
        self.set_balance(to, sum)?;
        Ok(true)
    }

    /// Begins a creation: false if the address is taken (EIP-684). A new account has nonce 1 and is warm.
    pub fn create_account(&mut self, address: &Address) -> Result<bool, HostError> {
        let id = self.account_id(address)?;
        self.warm(id);
        let account = &mut self.accounts[id.0 as usize];
        if account.info.nonce != 0 || account.info.code_hash != KECCAK256_EMPTY {
            return Ok(false);
        }
        account.created_in = self.transaction;
        self.journal.push(Entry::AccountCreated { account: id });
        self.set_nonce(address, 1)?;
        Ok(true)
    }

    /// Whether the account was created in this transaction.
    pub fn is_created_now(&mut self, address: &Address) -> Result<bool, HostError> {
        let id = self.account_id(address)?;
        Ok(self.accounts[id.0 as usize].created_in == self.transaction)
    }

    /// Sends all of an account's balance to the beneficiary, and if the account was created in this transaction,
    /// destroys it when the transaction ends (EIP-6780).
    pub fn selfdestruct(&mut self, address: &Address, beneficiary: &Address) -> Result<(), HostError> {
        let balance = self.account(address)?.balance;
        let is_created_now = self.is_created_now(address)?;
        if address != beneficiary {
            self.transfer(address, beneficiary, balance)?;
        } else if is_created_now {
            // What is sent to an account that goes is burned.
            self.set_balance(address, U256::ZERO)?;
        }
        if is_created_now {
            let id = self.account_id(address)?;
            let account = &mut self.accounts[id.0 as usize];
            if account.destroyed_in != self.transaction {
                account.destroyed_in = self.transaction;
                self.destroyed.push(id);
                self.journal.push(Entry::AccountDestroyed { account: id });
            }
        }
        Ok(())
    }

    /// Ends a transaction: wipes what was destroyed and removes what was touched and is empty (EIP-161). After
    /// that nothing of the transaction can be undone.
    pub fn end_transaction(&mut self) -> Result<(), HostError> {
        for id in self.destroyed.drain(..) {
            let account = &mut self.accounts[id.0 as usize];
            account.info = AccountInfo::default();
            account.is_wiped = true;
            let mut next = account.last_slot;
            while let Some(slot) = next {
                let slot = &mut self.slots[slot.0 as usize];
                slot.value = U256::ZERO;
                next = slot.next_slot;
            }
        }
        for id in self.touched.drain(..) {
            let account = &mut self.accounts[id.0 as usize];
            account.is_removed = account.info.is_empty();
        }
        self.journal.clear();
        Ok(())
    }

    /// The slot's number; `None` if it is cold and that can't be paid, in which case no database is asked.
    fn slot_id(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<SlotId>>, HostError> {
        let account = self.account_id(address)?;
        let id = match self.slot_ids.get(&SlotKey { account, key: *key }) {
            Some(&id) => id,
            None if !cold_affordable => return Ok(None),
            None => {
                let is_wiped = self.accounts[account.0 as usize].is_wiped;
                let value = if is_wiped { U256::ZERO } else { self.database.storage(address, key)? };
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
                id
            }
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
            None if self.accounts[account.0 as usize].is_wiped => Ok(U256::ZERO),
            None => self.database.storage(address, key),
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

    /// Adds to the refund counter.
    pub fn add_refund(&mut self, added: i64) {
        self.refund += added;
        self.journal.push(Entry::Refund { added });
    }

    /// The refund counter of this transaction.
    pub fn refund(&self) -> i64 {
        self.refund
    }

    /// Appends a log entry.
    pub fn log(&mut self, log: Log) {
        self.logs.push(log);
        self.journal.push(Entry::Log);
    }

    /// Log entries of this transaction.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// Hash of a block.
    pub fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.database.block_hash(number)
    }

    /// What this state holds that the database does not.
    pub fn diff(&self) -> StateDiff {
        let mut diff = StateDiff::default();
        for account in self.accounts.iter().filter(|account| account.is_changed()) {
            changes_of(&mut diff, account);
        }
        for slot in &self.slots {
            let account = &self.accounts[slot.account.0 as usize];
            // What the database holds of a wiped account will be gone.
            if slot.value == if account.is_wiped { U256::ZERO } else { slot.loaded } {
                continue;
            }
            changes_of(&mut diff, account).storage.insert(slot.key, slot.value);
        }
        for info in diff.accounts.values().filter_map(|account| account.info) {
            if let Some(code) = self.codes.get(&info.code_hash) {
                diff.codes.insert(info.code_hash, code.clone());
            }
        }
        diff
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

    /// Ends the use of this state and gives the database back; what was not applied to it is lost.
    pub fn into_database(self) -> D {
        self.database
    }
}

impl<D: CommitDatabase> State<D> {
    /// Writes everything to the database below; after an error this state is unchanged.
    pub fn flush(&mut self) -> Result<(), HostError> {
        let diff = self.diff();
        self.database.commit(&diff)?;
        self.accounts.iter_mut().for_each(Account::set_loaded);
        self.slots.iter_mut().for_each(|slot| slot.loaded = slot.value);
        self.codes.clear();
        self.journal.clear();
        Ok(())
    }
}

/// The entry of an account among the changes.
fn changes_of<'d>(diff: &'d mut StateDiff, account: &Account) -> &'d mut AccountDiff {
    diff.accounts.entry(account.address).or_insert_with(|| AccountDiff {
        info: account.exists().then_some(account.info),
        storage_wiped: account.is_wiped || !account.exists(),
        storage: BTreeMap::new(),
    })
}

fn too_many() -> HostError {
    HostError("more accounts or slots than a state can number".into())
}

#[cfg(test)]
mod tests;
