//! Accounts of a state: reading and changing them, what a transaction touches, creates and destroys.

use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, U256};

use super::journal::Entry;
use super::slots::SlotId;
use super::{AccountInfo, Database, State, too_many};
use crate::host::{Access, HostError};
use crate::keccak::keccak256;
use crate::precompiles::is_precompile;

/// Number of an account among those of the state; accounts keep their place during a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AccountId(pub(super) u32);

pub(super) struct Account {
    pub(super) address: Address,
    pub(super) info: AccountInfo,
    /// What the database holds, for the difference; `None` if the account does not exist there.
    pub(super) loaded: Option<AccountInfo>,
    /// Transaction in which the account was warmed last; warm if that is the current one.
    pub(super) warmed_in: u64,
    /// Transaction in which the account was touched last in the sense of EIP-161.
    pub(super) touched_in: u64,
    /// Transaction in which the account was created.
    pub(super) created_in: u64,
    /// Transaction at whose end the account is destroyed.
    pub(super) destroyed_in: u64,
    /// Whether what the database holds of the account, storage included, counts no more.
    pub(super) is_cleared: bool,
    /// The account's slot that was loaded last, the first of a list.
    pub(super) last_slot: Option<SlotId>,
}

impl Account {
    pub(super) fn new(address: Address, loaded: Option<AccountInfo>) -> Account {
        Account {
            address,
            info: loaded.unwrap_or_default(),
            loaded,
            warmed_in: 0,
            touched_in: 0,
            created_in: 0,
            destroyed_in: 0,
            is_cleared: false,
            last_slot: None,
        }
    }

    /// Whether the account differs from what the database holds, storage left out.
    pub(super) fn is_changed(&self) -> bool {
        match &self.loaded {
            Some(loaded) => self.is_cleared || self.info != *loaded,
            None => !self.info.is_empty(),
        }
    }

    /// Whether the account exists. One that is empty does only if the database says so and nothing touched it.
    pub(super) fn exists(&self) -> bool {
        !self.info.is_empty() || self.is_stored()
    }

    /// Whether the database holds an account, and with it storage, that still counts.
    pub(super) fn is_stored(&self) -> bool {
        self.loaded.is_some() && !self.is_cleared
    }

    /// Notes that the database holds the account as it is.
    pub(super) fn set_loaded(&mut self) {
        self.loaded = if self.exists() { Some(self.info) } else { None };
        self.is_cleared = false;
    }
}

impl<D: Database> State<D> {
    /// The account's number; loads it if this state never saw it.
    pub(super) fn account_id(&mut self, address: &Address) -> Result<AccountId, HostError> {
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
    pub(super) fn is_account_cold(&self, address: &Address) -> bool {
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
        if value.is_zero() {
            self.touch_account(to)?;
            return Ok(true);
        }
        let Some(rest) = self.account(from)?.balance.checked_sub(value) else {
            return Ok(false);
        };
        if from == to {
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

    /// Begins a creation: false if the address is taken (EIP-684, EIP-7610). A new account has nonce 1 and is warm.
    pub fn create_account(&mut self, address: &Address) -> Result<bool, HostError> {
        let id = self.account_id(address)?;
        self.warm(id);
        let info = self.accounts[id.0 as usize].info;
        if info.nonce != 0 || info.has_code() || self.has_storage(id)? {
            return Ok(false);
        }
        let account = &mut self.accounts[id.0 as usize];
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

    /// Whether any storage word of an account without nonce and code is not zero; such an account can't have
    /// changed its storage.
    fn has_storage(&mut self, id: AccountId) -> Result<bool, HostError> {
        let account = &self.accounts[id.0 as usize];
        Ok(account.is_stored() && self.database.has_storage(&account.address)?)
    }

    /// Ends a transaction: clears what was destroyed, and what was touched and is empty (EIP-161). After that
    /// nothing of the transaction can be undone.
    pub fn end_transaction(&mut self) -> Result<(), HostError> {
        while let Some(id) = self.destroyed.pop() {
            self.clear_account(id);
        }
        while let Some(id) = self.touched.pop() {
            let account = &self.accounts[id.0 as usize];
            if account.info.is_empty() && account.loaded.is_some() {
                self.clear_account(id);
            }
        }
        self.journal.clear();
        Ok(())
    }

    /// Makes an account and its storage not exist.
    fn clear_account(&mut self, id: AccountId) {
        let account = &mut self.accounts[id.0 as usize];
        account.info = AccountInfo::default();
        account.is_cleared = account.loaded.is_some();
        let mut next = account.last_slot;
        while let Some(slot) = next {
            let slot = &mut self.slots[slot.0 as usize];
            slot.value = U256::ZERO;
            next = slot.next_slot;
        }
    }
}
