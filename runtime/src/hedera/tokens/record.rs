//! What the ledger keeps of a token: its record, its supply, accounts' relations to it and allowances, and how they
//! lie in words. What may be done with them is not here.

use alloy_primitives::{Address, U256};

use super::super::entities::number_of;
use super::super::keys::{KEY_WORDS, load_key, save_key};
use super::super::ledger::{Ledger, Refusal, ensure};
use super::super::words::{Table, key, load_bytes, place, save_bytes};
use super::super::{AMOUNT_MAX, Key, KeyRole, ResponseCode};
use crate::host::HostError;
use crate::interp::ops::context::word_address;

/// A fungible token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// Name.
    pub name: String,
    /// Symbol.
    pub symbol: String,
    /// Memo.
    pub memo: String,
    /// Decimals, for display.
    pub decimals: u32,
    /// Account that gets what is minted and gives what is burned.
    pub treasury: Address,
    /// Units in all.
    pub total_supply: u64,
    /// Most units that there may be; `None` for no limit but the largest amount.
    pub max_supply: Option<u64>,
    /// Who holds which role, by [`KeyRole`].
    pub keys: [Key; 7],
    /// Whether accounts begin frozen.
    pub freeze_default: bool,
    /// Whether nothing of it moves.
    pub is_paused: bool,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// Account that would pay for renewal, which costs nothing here.
    pub auto_renew_account: Address,
    /// Seconds between renewals, as given.
    pub auto_renew_period: i64,
    /// Second of expiry, as given; tokens do not expire here.
    pub expiry: i64,
}

impl Token {
    /// Who holds a role.
    pub fn key(&self, role: KeyRole) -> &Key {
        &self.keys[role as usize]
    }
}

/// What the first word of a token's record says, which is all that moving units needs.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Facts {
    pub(in super::super) treasury: Address,
    pub(super) decimals: u32,
    pub(super) is_paused: bool,
    pub(super) is_deleted: bool,
    pub(super) freeze_default: bool,
    /// Roles that somebody holds, by their bits.
    pub(super) roles: u8,
}

impl Facts {
    fn from_word(word: U256) -> Option<Facts> {
        word.bit(EXISTS).then(|| Facts {
            treasury: word_address(&word),
            decimals: word.as_limbs()[3] as u32,
            is_paused: word.bit(PAUSED),
            is_deleted: word.bit(DELETED),
            freeze_default: word.bit(FREEZE_DEFAULT),
            roles: (word >> ROLES).byte(0),
        })
    }

    fn word(self) -> U256 {
        let mut word =
            key(&self.treasury) | (U256::from(self.decimals) << DECIMALS) | (U256::from(self.roles) << ROLES);
        word.set_bit(EXISTS, true);
        word.set_bit(PAUSED, self.is_paused);
        word.set_bit(DELETED, self.is_deleted);
        word.set_bit(FREEZE_DEFAULT, self.freeze_default);
        word
    }

    fn of(token: &Token) -> Facts {
        let held = KeyRole::ALL.into_iter().filter(|&role| token.key(role).is_set());
        Facts {
            treasury: token.treasury,
            decimals: token.decimals,
            is_paused: token.is_paused,
            is_deleted: token.is_deleted,
            freeze_default: token.freeze_default,
            roles: held.map(|role| role.bit() as u8).sum(),
        }
    }

    pub(super) fn has(&self, role: KeyRole) -> bool {
        u64::from(self.roles) & role.bit() != 0
    }

    /// Refuses a token that takes no part in anything now.
    pub(super) fn check_live(&self) -> Result<(), Refusal> {
        ensure(!self.is_deleted, ResponseCode::TokenWasDeleted)?;
        ensure(!self.is_paused, ResponseCode::TokenIsPaused)
    }
}

/// Units of a token in all, and the most that there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supply {
    pub(super) total: u64,
    pub(super) max: Option<u64>,
}

impl Supply {
    pub(super) fn most(&self) -> u64 {
        self.max.unwrap_or(AMOUNT_MAX)
    }
}

/// What an account has to do with a token that it is associated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Units.
    pub balance: u64,
    /// Whether none can be moved.
    pub is_frozen: bool,
    /// Whether KYC is granted, where the token asks for it.
    pub has_kyc: bool,
}

/// Bits of a relation's word, above the balance.
const ASSOCIATED: usize = 64;
const FROZEN: usize = 65;
const KYC: usize = 66;

impl Relation {
    fn from_word(word: U256) -> Option<Relation> {
        word.bit(ASSOCIATED).then(|| Relation {
            balance: word.as_limbs()[0],
            is_frozen: word.bit(FROZEN),
            has_kyc: word.bit(KYC),
        })
    }

    fn word(self) -> U256 {
        let mut word = U256::from(self.balance);
        word.set_bit(ASSOCIATED, true);
        word.set_bit(FROZEN, self.is_frozen);
        word.set_bit(KYC, self.has_kyc);
        word
    }

    /// Refuses an account that can't move the token now.
    pub(super) fn check(&self, token: &Facts) -> Result<(), Refusal> {
        ensure(!self.is_frozen, ResponseCode::AccountFrozenForToken)?;
        let is_known = self.has_kyc || !token.has(KeyRole::Kyc);
        ensure(is_known, ResponseCode::AccountKycNotGrantedForToken)
    }
}

/// Words of a token's record, from its first on.
mod field {
    /// Treasury, and above it flags, roles and decimals.
    pub(super) const FACTS: u64 = 0;
    /// Total supply, above it the most, and above that whether there is one.
    pub(super) const SUPPLY: u64 = 1;
    pub(super) const NAME: u64 = 2;
    pub(super) const SYMBOL: u64 = 3;
    pub(super) const MEMO: u64 = 4;
    /// Account that renews, and above it the period.
    pub(super) const RENEWAL: u64 = 5;
    pub(super) const EXPIRY: u64 = 6;
    /// Keys, one after the other.
    pub(super) const KEYS: u64 = 7;
}

/// Bits of a token's first word, above the treasury.
const EXISTS: usize = 160;
const PAUSED: usize = 161;
const DELETED: usize = 162;
const FREEZE_DEFAULT: usize = 163;
const ROLES: usize = 168;
const DECIMALS: usize = 192;
/// Bit of a token's second word.
const HAS_MAX: usize = 128;

/// A word of a token's record.
fn at(token: &Address, index: u64) -> U256 {
    place(Table::Token, &[key(token)]).wrapping_add(U256::from(index))
}

fn key_at(token: &Address, role: KeyRole) -> U256 {
    at(token, field::KEYS + KEY_WORDS * role as u64)
}

impl Ledger<'_> {
    /// The token that an address names; `None` where it names none.
    pub fn token(&mut self, address: &Address) -> Result<Option<Token>, HostError> {
        let Some(facts) = self.facts(address)? else { return Ok(None) };
        let supply = self.supply(address)?;
        let renewal = self.store.load(&at(address, field::RENEWAL))?;
        let mut token = Token {
            treasury: facts.treasury,
            decimals: facts.decimals,
            is_paused: facts.is_paused,
            is_deleted: facts.is_deleted,
            freeze_default: facts.freeze_default,
            total_supply: supply.total,
            max_supply: supply.max,
            auto_renew_account: word_address(&renewal),
            auto_renew_period: renewal.as_limbs()[3].cast_signed(),
            expiry: self.store.load(&at(address, field::EXPIRY))?.as_limbs()[0].cast_signed(),
            name: self.text(&at(address, field::NAME))?,
            symbol: self.text(&at(address, field::SYMBOL))?,
            memo: self.text(&at(address, field::MEMO))?,
            ..Token::default()
        };
        for role in KeyRole::ALL {
            token.keys[role as usize] = self.key(address, role)?;
        }
        Ok(Some(token))
    }

    /// Whether an address names a token.
    pub fn is_token(&mut self, address: &Address) -> Result<bool, HostError> {
        Ok(self.facts(address)?.is_some())
    }

    pub(in super::super) fn facts(&mut self, address: &Address) -> Result<Option<Facts>, HostError> {
        if number_of(address).is_none() {
            return Ok(None);
        }
        Ok(Facts::from_word(self.store.load(&at(address, field::FACTS))?))
    }

    pub(super) fn supply(&mut self, address: &Address) -> Result<Supply, HostError> {
        let word = self.store.load(&at(address, field::SUPPLY))?;
        let [total, max, ..] = *word.as_limbs();
        Ok(Supply { total, max: word.bit(HAS_MAX).then_some(max) })
    }

    /// Units of a token in all; 0 where the address names none.
    pub fn total_supply(&mut self, address: &Address) -> Result<u64, HostError> {
        Ok(if self.is_token(address)? { self.supply(address)?.total } else { 0 })
    }

    /// What an account has to do with a token; `None` if they are not associated.
    pub fn relation(&mut self, token: &Address, account: &Address) -> Result<Option<Relation>, HostError> {
        Ok(Relation::from_word(self.word(Table::Relation, &[key(token), key(account)])?))
    }

    /// Units that an owner lets a spender take.
    pub fn allowance(
        &mut self,
        token: &Address,
        owner: &Address,
        spender: &Address,
    ) -> Result<u64, HostError> {
        Ok(self.word(Table::Allowance, &[key(token), key(owner), key(spender)])?.as_limbs()[0])
    }

    pub(in super::super) fn associated(
        &mut self,
        token: &Address,
        account: &Address,
    ) -> Result<Relation, Refusal> {
        let relation = self.relation(token, account)?;
        relation.ok_or(Refusal::Code(ResponseCode::TokenNotAssociatedToAccount))
    }

    /// Who holds a role.
    pub(super) fn key(&mut self, token: &Address, role: KeyRole) -> Result<Key, HostError> {
        load_key(self.store, &key_at(token, role))
    }

    pub(super) fn save_relation(
        &mut self,
        token: &Address,
        account: &Address,
        relation: Relation,
    ) -> Result<(), Refusal> {
        Ok(self.set_word(Table::Relation, &[key(token), key(account)], relation.word())?)
    }

    pub(super) fn save_allowance(
        &mut self,
        token: &Address,
        owner: &Address,
        spender: &Address,
        units: u64,
    ) -> Result<(), HostError> {
        self.set_word(Table::Allowance, &[key(token), key(owner), key(spender)], U256::from(units))
    }

    pub(super) fn save_facts(&mut self, address: &Address, facts: Facts) -> Result<(), Refusal> {
        Ok(self.store.save(&at(address, field::FACTS), &facts.word())?)
    }

    pub(super) fn save_supply(&mut self, address: &Address, supply: Supply) -> Result<(), HostError> {
        let mut word = U256::from_limbs([supply.total, supply.max.unwrap_or(0), 0, 0]);
        word.set_bit(HAS_MAX, supply.max.is_some());
        self.store.save(&at(address, field::SUPPLY), &word)
    }

    pub(super) fn save_token(&mut self, address: &Address, token: &Token) -> Result<(), HostError> {
        self.store.save(&at(address, field::FACTS), &Facts::of(token).word())?;
        self.save_supply(address, Supply { total: token.total_supply, max: token.max_supply })?;
        let period = U256::from(token.auto_renew_period.cast_unsigned()) << 192usize;
        self.store.save(&at(address, field::RENEWAL), &(key(&token.auto_renew_account) | period))?;
        self.store.save(&at(address, field::EXPIRY), &U256::from(token.expiry.cast_unsigned()))?;
        for (index, text) in
            [(field::NAME, &token.name), (field::SYMBOL, &token.symbol), (field::MEMO, &token.memo)]
        {
            save_bytes(self.store, &at(address, index), text.as_bytes())?;
        }
        for role in KeyRole::ALL {
            save_key(self.store, &key_at(address, role), token.key(role))?;
        }
        Ok(())
    }

    pub(in super::super) fn text(&mut self, place: &U256) -> Result<String, HostError> {
        String::from_utf8(load_bytes(self.store, place)?)
            .map_err(|_| HostError(format!("the ledger's text at {place:#x} is not UTF-8").into()))
    }
}
