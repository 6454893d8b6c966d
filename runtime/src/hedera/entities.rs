//! Entity numbers: long-zero addresses, accounts known by another address, and numbers for new entities.
//!
//! An account's identity in the ledger is the address it has in the state. One whose address is not of the
//! long-zero form gets a number when a contract is created or the ledger first has to do with it, and can then be
//! named by both.

use alloy_primitives::{Address, U256};

use super::ledger::{Ledger, Refusal};
use super::words::{Table, key, place};
use super::{RESERVED_NUMBERS, ResponseCode};
use crate::host::HostError;
use crate::interp::ops::context::word_address;

/// Numbers that are tried for a new entity before it is refused: those of addresses that have code are taken.
const NUMBERS_TRIED_MAX: u64 = 64;

/// The long-zero address of shard 0, realm 0 and this number.
pub fn long_zero(number: u64) -> Address {
    Address::left_padding_from(&number.to_be_bytes())
}

/// The number in a long-zero address of shard 0 and realm 0.
pub fn number_of(address: &Address) -> Option<u64> {
    let (high, low) = address.as_slice().split_at(12);
    if high.iter().any(|&byte| byte != 0) {
        return None;
    }
    low.try_into().ok().map(u64::from_be_bytes)
}

impl Ledger<'_> {
    /// The identity of the account that an address names; `None` where it names none.
    pub fn account(&mut self, address: &Address) -> Result<Option<Address>, HostError> {
        let Some(number) = number_of(address) else {
            let is_known = !self.word(Table::NumberOfAccount, &[key(address)])?.is_zero();
            return Ok((is_known || self.store.is_alive(address)?).then_some(*address));
        };
        if number <= RESERVED_NUMBERS {
            return Ok(None);
        }
        let alias = self.word(Table::AccountOfNumber, &[U256::from(number)])?;
        if !alias.is_zero() {
            return Ok(Some(word_address(&alias)));
        }
        if self.is_token(address)? || self.is_topic(address)? {
            return Ok(None);
        }
        Ok(self.store.is_alive(address)?.then_some(*address))
    }

    /// The account that an address names, or a refusal.
    pub(super) fn known_account(
        &mut self,
        address: &Address,
        otherwise: ResponseCode,
    ) -> Result<Address, Refusal> {
        self.account(address)?.ok_or(Refusal::Code(otherwise))
    }

    /// The long-zero address of an account's entity; `None` if it has no number.
    pub fn account_id(&mut self, account: &Address) -> Result<Option<Address>, HostError> {
        if number_of(account).is_some() {
            return Ok(Some(*account));
        }
        let number = self.word(Table::NumberOfAccount, &[key(account)])?;
        Ok(u64::try_from(number).ok().filter(|&number| number != 0).map(long_zero))
    }

    /// Gives an account a number if it has none, and its long-zero address.
    pub fn register(&mut self, account: &Address) -> Result<Address, Refusal> {
        if let Some(id) = self.account_id(account)? {
            return Ok(id);
        }
        let number = self.next_number()?;
        self.set_word(Table::AccountOfNumber, &[U256::from(number)], key(account))?;
        self.set_word(Table::NumberOfAccount, &[key(account)], U256::from(number))?;
        Ok(long_zero(number))
    }

    /// Takes the next number whose long-zero address nothing else has.
    pub(super) fn next_number(&mut self) -> Result<u64, Refusal> {
        let at = place(Table::NextNumber, &[]);
        let stored = u64::try_from(self.store.load(&at)?).unwrap_or(u64::MAX);
        let first = stored.max(RESERVED_NUMBERS + 1);
        for number in first..first.saturating_add(NUMBERS_TRIED_MAX) {
            if !self.store.is_taken(&long_zero(number))? {
                self.store.save(&at, &U256::from(number + 1))?;
                return Ok(number);
            }
        }
        Err(Refusal::Code(ResponseCode::FailInvalid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_zero_addresses_have_their_number() {
        for number in [0, 1, 1024, u64::MAX] {
            assert_eq!(number_of(&long_zero(number)), Some(number));
        }
        assert_eq!(number_of(&Address::repeat_byte(1)), None);
        let mut realm_1 = long_zero(5);
        realm_1.0[11] = 1;
        assert_eq!(number_of(&realm_1), None);
    }
}
