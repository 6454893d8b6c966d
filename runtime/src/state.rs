//! The journaled state of accounts during transactions, over a [`Database`].
//!
//! Values are loaded from the database once and then live here; every change is written to a journal, so that
//! [`State::revert_to`] undoes everything since a checkpoint, which is an integer. Which block and transaction
//! run is not known here: [`Session`](crate::engine::Session) joins the state with those facts into a `Host`.

mod accounts;
mod cache;
pub mod database;
pub mod diff;
pub mod hash;
pub mod in_memory;
mod journal;
#[cfg(feature = "redb")]
pub mod redb;
#[cfg(feature = "revm-db")]
pub mod revm_db;
#[cfg(feature = "state-root")]
pub mod root;
mod slots;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

pub use self::cache::CACHE_ENTRIES_DEFAULT;
pub use self::database::{AccountInfo, CommitDatabase, Database};
pub use self::diff::{AccountDiff, StateDiff};
pub use self::in_memory::InMemoryDatabase;
#[cfg(feature = "state-root")]
pub use self::root::{StateRoot, logs_hash, storage_root};

use self::accounts::{Account, AccountId};
use self::cache::CacheLimit;
use self::hash::{WordHasherBuilder, WordMap};
use self::journal::Entry;
use self::slots::{Slot, SlotId, SlotKey, TransientKey};
use crate::fork::Fork;
use crate::host::{HostError, Log};

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
    /// By a few bits of the key, a slot looked up lately; see [`slots`].
    recent_slots: Box<[SlotId; slots::RECENT]>,
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
    cache: CacheLimit,
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
            recent_slots: Box::new([SlotId(0); slots::RECENT]),
            touched: Vec::new(),
            destroyed: Vec::new(),
            transient_ids: WordMap::with_hasher(hasher),
            transient: Vec::new(),
            codes: WordMap::with_hasher(hasher),
            journal: Vec::new(),
            refund: 0,
            logs: Vec::new(),
            cache: CacheLimit::default(),
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
        self.bound_cache();
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

    /// Takes the log entries of this transaction out, as part of its result.
    pub(crate) fn take_logs(&mut self) -> Vec<Log> {
        std::mem::take(&mut self.logs)
    }

    /// Log entries of this transaction that are not part of a result yet.
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
            if slot.is_changed(account) {
                changes_of(&mut diff, account).storage.insert(slot.key, slot.value);
            }
        }
        for info in diff.accounts.values().filter_map(|account| account.info) {
            if let Some(code) = self.codes.get(&info.code_hash) {
                diff.codes.insert(info.code_hash, code.clone());
            }
        }
        diff
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
        storage_wiped: account.is_cleared || !account.exists(),
        storage: BTreeMap::new(),
    })
}

fn too_many() -> HostError {
    HostError("more accounts or slots than a state can number".into())
}

#[cfg(test)]
mod tests;
