//! Fungible tokens: what a token is, who holds how much of it, and what may be done with it.

use alloy_primitives::{Address, B256, Bytes, U256, b256};

use super::entities::number_of;
use super::facade::proxy_code;
use super::keys::{KEY_WORDS, load_key, save_key};
use super::ledger::{Ledger, Refusal, ensure};
use super::params::check_token;
use super::words::{Table, key, load_bytes, place, save_bytes};
use super::{AMOUNT_MAX, Acting, Key, KeyRole, ResponseCode};
use crate::host::{HostError, Log};
use crate::interp::ops::context::word_address;

/// Topic 0 of `Transfer(address,address,uint256)`.
pub const TRANSFER_TOPIC: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// Topic 0 of `Approval(address,address,uint256)`.
pub const APPROVAL_TOPIC: B256 = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");

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
pub(super) struct Facts {
    pub(super) treasury: Address,
    decimals: u32,
    is_paused: bool,
    is_deleted: bool,
    freeze_default: bool,
    /// Roles that somebody holds, by their bits.
    roles: u8,
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

    fn has(&self, role: KeyRole) -> bool {
        u64::from(self.roles) & role.bit() != 0
    }

    /// Refuses a token that takes no part in anything now.
    fn check_live(&self) -> Result<(), Refusal> {
        ensure(!self.is_deleted, ResponseCode::TokenWasDeleted)?;
        ensure(!self.is_paused, ResponseCode::TokenIsPaused)
    }
}

/// Units of a token in all, and the most that there may be.
#[derive(Clone, Copy, Debug)]
struct Supply {
    total: u64,
    max: Option<u64>,
}

impl Supply {
    fn most(&self) -> u64 {
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
    fn check(&self, token: &Facts) -> Result<(), Refusal> {
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
            token.keys[role as usize] = load_key(self.store, &key_at(address, role))?;
        }
        Ok(Some(token))
    }

    /// Whether an address names a token.
    pub fn is_token(&mut self, address: &Address) -> Result<bool, HostError> {
        Ok(self.facts(address)?.is_some())
    }

    pub(super) fn facts(&mut self, address: &Address) -> Result<Option<Facts>, HostError> {
        if number_of(address).is_none() {
            return Ok(None);
        }
        Ok(Facts::from_word(self.store.load(&at(address, field::FACTS))?))
    }

    fn supply(&mut self, address: &Address) -> Result<Supply, HostError> {
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

    /// Lets `creator` name `treasury` as the treasury of tokens that it creates. Programs can't ask for this: on the
    /// network the treasury signs the transaction.
    pub fn allow_treasury(&mut self, treasury: &Address, creator: &Address) -> Result<(), HostError> {
        self.set_word(Table::TreasuryPermission, &[key(treasury), key(creator)], U256::ONE)
    }

    /// Creates a token for an account that acts; gives its address, and the log entry of its first units.
    pub fn create_token(
        &mut self,
        creator: &Address,
        token: Token,
    ) -> Result<(Address, Option<Log>), Refusal> {
        check_token(&token)?;
        let treasury = self.allowed_treasury(creator, &token.treasury)?;
        self.register(&treasury)?;
        let address = self.new_entity(proxy_code)?;
        let token = Token { treasury, is_paused: false, is_deleted: false, ..token };
        self.save_token(&address, &token)?;
        let relation = Relation { balance: token.total_supply, is_frozen: false, has_kyc: true };
        self.save_relation(&address, &treasury, relation)?;
        let log =
            (token.total_supply > 0).then(|| moved(&address, &Address::ZERO, &treasury, token.total_supply));
        Ok((address, log))
    }

    /// Moves units for an account that acts: its own, or those that their owner lets it take.
    pub fn transfer(
        &mut self,
        acting: &Address,
        token_address: &Address,
        from: &Address,
        to: &Address,
        units: u64,
    ) -> Result<Log, Refusal> {
        let token = self.live_token(token_address)?;
        let from = self.known_account(from, ResponseCode::InvalidAccountId)?;
        let to = self.known_account(to, ResponseCode::InvalidAccountId)?;
        let giver = self.associated(token_address, &from)?;
        let getter = self.associated(token_address, &to)?;
        giver.check(&token)?;
        getter.check(&token)?;
        if from != *acting {
            let allowed = self.allowance(token_address, &from, acting)?;
            ensure(allowed > 0, ResponseCode::SpenderDoesNotHaveAllowance)?;
            let rest = allowed.checked_sub(units).ok_or(ResponseCode::AmountExceedsAllowance)?;
            self.save_allowance(token_address, &from, acting, rest)?;
        }
        let rest = giver.balance.checked_sub(units).ok_or(ResponseCode::InsufficientTokenBalance)?;
        self.save_relation(token_address, &from, Relation { balance: rest, ..giver })?;
        // Read anew: the giver may be the getter.
        let getter = self.associated(token_address, &to)?;
        // No more than the total supply, which is an amount.
        self.save_relation(token_address, &to, Relation { balance: getter.balance + units, ..getter })?;
        Ok(moved(token_address, &from, &to, units))
    }

    /// Makes units for an account that acts with the supply key.
    pub fn mint(&mut self, acting: &Address, address: &Address, units: u64) -> Result<Log, Refusal> {
        let facts = self.held(acting, address, KeyRole::Supply, ResponseCode::TokenHasNoSupplyKey)?;
        let treasury = self.associated(address, &facts.treasury)?;
        treasury.check(&facts)?;
        let supply = self.supply(address)?;
        let total = supply.total.checked_add(units).filter(|&total| total <= AMOUNT_MAX);
        let total = total.ok_or(ResponseCode::InvalidTokenMintAmount)?;
        ensure(total <= supply.most(), ResponseCode::TokenMaxSupplyReached)?;
        self.save_supply(address, Supply { total, ..supply })?;
        let balance = treasury.balance + units;
        self.save_relation(address, &facts.treasury, Relation { balance, ..treasury })?;
        Ok(moved(address, &Address::ZERO, &facts.treasury, units))
    }

    /// Destroys units of the treasury for an account that acts with the supply key.
    pub fn burn(&mut self, acting: &Address, address: &Address, units: u64) -> Result<Log, Refusal> {
        let facts = self.held(acting, address, KeyRole::Supply, ResponseCode::TokenHasNoSupplyKey)?;
        let treasury = self.associated(address, &facts.treasury)?;
        treasury.check(&facts)?;
        self.destroy(
            address,
            &facts.treasury,
            units,
            (ResponseCode::InvalidTokenBurnAmount, ResponseCode::InsufficientTokenBalance),
        )
    }

    /// Destroys units of another account than the treasury, for an account that acts with the wipe key.
    pub fn wipe(
        &mut self,
        acting: &Address,
        address: &Address,
        account: &Address,
        units: u64,
    ) -> Result<Log, Refusal> {
        let facts = self.held(acting, address, KeyRole::Wipe, ResponseCode::TokenHasNoWipeKey)?;
        let account = self.known_account(account, ResponseCode::InvalidAccountId)?;
        ensure(account != facts.treasury, ResponseCode::CannotWipeTokenTreasuryAccount)?;
        let short = ResponseCode::InvalidWipingAmount;
        self.destroy(address, &account, units, (short, short))
    }

    /// Destroys units of an account; `short` says why not, where the supply or the account has fewer.
    fn destroy(
        &mut self,
        address: &Address,
        account: &Address,
        units: u64,
        short: (ResponseCode, ResponseCode),
    ) -> Result<Log, Refusal> {
        let supply = self.supply(address)?;
        let relation = self.associated(address, account)?;
        let total = supply.total.checked_sub(units).ok_or(short.0)?;
        let balance = relation.balance.checked_sub(units).ok_or(short.1)?;
        self.save_supply(address, Supply { total, ..supply })?;
        self.save_relation(address, account, Relation { balance, ..relation })?;
        Ok(moved(address, account, &Address::ZERO, units))
    }

    /// Lets an account hold a token.
    pub fn associate(&mut self, acting: &Acting, named: &Address, address: &Address) -> Result<(), Refusal> {
        let account = self.own_account(acting, named)?;
        let token = self.live_token(address)?;
        let is_new = self.relation(address, &account)?.is_none();
        ensure(is_new, ResponseCode::TokenAlreadyAssociatedToAccount)?;
        self.register(&account)?;
        let is_frozen = token.freeze_default && token.has(KeyRole::Freeze);
        self.save_relation(address, &account, Relation { balance: 0, is_frozen, has_kyc: false })
    }

    /// Ends an association without units.
    pub fn dissociate(&mut self, acting: &Acting, named: &Address, address: &Address) -> Result<(), Refusal> {
        let account = self.own_account(acting, named)?;
        // A token that was deleted can be let go of.
        let token = self.facts(address)?.ok_or(ResponseCode::InvalidTokenId)?;
        ensure(!token.is_paused, ResponseCode::TokenIsPaused)?;
        let relation = self.associated(address, &account)?;
        ensure(account != token.treasury || token.is_deleted, ResponseCode::AccountIsTreasury)?;
        ensure(!relation.is_frozen, ResponseCode::AccountFrozenForToken)?;
        ensure(relation.balance == 0, ResponseCode::TransactionRequiresZeroTokenBalances)?;
        Ok(self.set_word(Table::Relation, &[key(address), key(&account)], U256::ZERO)?)
    }

    /// Lets another account take units of the acting one.
    pub fn approve(
        &mut self,
        owner: &Address,
        address: &Address,
        spender: &Address,
        units: u64,
    ) -> Result<Log, Refusal> {
        self.live_token(address)?;
        let spender = self.known_account(spender, ResponseCode::InvalidAllowanceSpenderId)?;
        ensure(spender != *owner, ResponseCode::SpenderAccountSameAsOwner)?;
        self.associated(address, owner)?;
        let most = self.supply(address)?.most();
        ensure(units <= most, ResponseCode::AmountExceedsTokenMaxSupply)?;
        self.save_allowance(address, owner, &spender, units)?;
        Ok(log_of(address, APPROVAL_TOPIC, owner, &spender, units))
    }

    /// Freezes an account for a token, or ends that.
    pub fn set_frozen(
        &mut self,
        acting: &Address,
        address: &Address,
        account: &Address,
        is_frozen: bool,
    ) -> Result<(), Refusal> {
        self.held(acting, address, KeyRole::Freeze, ResponseCode::TokenHasNoFreezeKey)?;
        let account = self.known_account(account, ResponseCode::InvalidAccountId)?;
        let relation = self.associated(address, &account)?;
        self.save_relation(address, &account, Relation { is_frozen, ..relation })
    }

    /// Grants KYC to an account for a token, or revokes it.
    pub fn set_kyc(
        &mut self,
        acting: &Address,
        address: &Address,
        account: &Address,
        has_kyc: bool,
    ) -> Result<(), Refusal> {
        self.held(acting, address, KeyRole::Kyc, ResponseCode::TokenHasNoKycKey)?;
        let account = self.known_account(account, ResponseCode::InvalidAccountId)?;
        let relation = self.associated(address, &account)?;
        self.save_relation(address, &account, Relation { has_kyc, ..relation })
    }

    /// Pauses a token, or ends that.
    pub fn set_paused(
        &mut self,
        acting: &Address,
        address: &Address,
        is_paused: bool,
    ) -> Result<(), Refusal> {
        let facts = self.facts(address)?.ok_or(ResponseCode::InvalidTokenId)?;
        ensure(!facts.is_deleted, ResponseCode::TokenWasDeleted)?;
        self.check_key(acting, address, &facts, KeyRole::Pause, ResponseCode::TokenHasNoPauseKey)?;
        self.save_facts(address, Facts { is_paused, ..facts })
    }

    /// Ends a token, for an account that acts with the admin key.
    pub fn delete_token(&mut self, acting: &Address, address: &Address) -> Result<(), Refusal> {
        let facts = self.held(acting, address, KeyRole::Admin, ResponseCode::TokenIsImmutable)?;
        self.save_facts(address, Facts { is_deleted: true, ..facts })
    }

    /// Changes a token's facts for an account that acts with the admin key; the supply stays what it is.
    pub(super) fn update_token(
        &mut self,
        acting: &Address,
        address: &Address,
        change: impl FnOnce(&mut Token) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.held(acting, address, KeyRole::Admin, ResponseCode::TokenIsImmutable)?;
        let mut token = self.token(address)?.ok_or(ResponseCode::InvalidTokenId)?;
        let (treasury, supply, max) = (token.treasury, token.total_supply, token.max_supply);
        change(&mut token)?;
        token.total_supply = supply;
        token.max_supply = max;
        if token.treasury != treasury {
            token.treasury = self.allowed_treasury(acting, &token.treasury)?;
            self.associated(address, &token.treasury)?;
        }
        check_token(&token)?;
        Ok(self.save_token(address, &token)?)
    }

    /// The account that is named as treasury: the acting one, or one that allowed it.
    fn allowed_treasury(&mut self, acting: &Address, named: &Address) -> Result<Address, Refusal> {
        let refused = ResponseCode::InvalidTreasuryAccountForToken;
        let treasury = self.known_account(named, refused)?;
        if treasury != *acting {
            let permission = self.word(Table::TreasuryPermission, &[key(&treasury), key(acting)])?;
            ensure(!permission.is_zero(), refused)?;
        }
        Ok(treasury)
    }

    /// The account that a program names, which must be itself or its caller.
    fn own_account(&mut self, acting: &Acting, named: &Address) -> Result<Address, Refusal> {
        let account = self.known_account(named, ResponseCode::InvalidAccountId)?;
        let is_own = account == acting.account || account == acting.caller;
        ensure(is_own, ResponseCode::InvalidSignature)?;
        Ok(account)
    }

    /// A token that can take part in something now.
    fn live_token(&mut self, address: &Address) -> Result<Facts, Refusal> {
        let facts = self.facts(address)?.ok_or(ResponseCode::InvalidTokenId)?;
        facts.check_live()?;
        Ok(facts)
    }

    /// The same, for an account that acts and must hold a role; `none` says so where nobody holds it.
    fn held(
        &mut self,
        acting: &Address,
        address: &Address,
        role: KeyRole,
        none: ResponseCode,
    ) -> Result<Facts, Refusal> {
        let facts = self.live_token(address)?;
        self.check_key(acting, address, &facts, role, none)?;
        Ok(facts)
    }

    fn check_key(
        &mut self,
        acting: &Address,
        address: &Address,
        facts: &Facts,
        role: KeyRole,
        none: ResponseCode,
    ) -> Result<(), Refusal> {
        ensure(facts.has(role), none)?;
        let holder = load_key(self.store, &key_at(address, role))?;
        ensure(holder.is_held_by(acting), ResponseCode::InvalidSignature)
    }

    pub(super) fn associated(&mut self, token: &Address, account: &Address) -> Result<Relation, Refusal> {
        let relation = self.relation(token, account)?;
        relation.ok_or(Refusal::Code(ResponseCode::TokenNotAssociatedToAccount))
    }

    fn save_relation(
        &mut self,
        token: &Address,
        account: &Address,
        relation: Relation,
    ) -> Result<(), Refusal> {
        Ok(self.set_word(Table::Relation, &[key(token), key(account)], relation.word())?)
    }

    fn save_allowance(
        &mut self,
        token: &Address,
        owner: &Address,
        spender: &Address,
        units: u64,
    ) -> Result<(), HostError> {
        self.set_word(Table::Allowance, &[key(token), key(owner), key(spender)], U256::from(units))
    }

    fn save_facts(&mut self, address: &Address, facts: Facts) -> Result<(), Refusal> {
        Ok(self.store.save(&at(address, field::FACTS), &facts.word())?)
    }

    fn save_supply(&mut self, address: &Address, supply: Supply) -> Result<(), HostError> {
        let mut word = U256::from_limbs([supply.total, supply.max.unwrap_or(0), 0, 0]);
        word.set_bit(HAS_MAX, supply.max.is_some());
        self.store.save(&at(address, field::SUPPLY), &word)
    }

    fn save_token(&mut self, address: &Address, token: &Token) -> Result<(), HostError> {
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

    pub(super) fn text(&mut self, place: &U256) -> Result<String, HostError> {
        String::from_utf8(load_bytes(self.store, place)?)
            .map_err(|_| HostError(format!("the ledger's text at {place:#x} is not UTF-8").into()))
    }
}

/// The log entry of a transfer, as ERC-20 has it.
fn moved(token: &Address, from: &Address, to: &Address, units: u64) -> Log {
    log_of(token, TRANSFER_TOPIC, from, to, units)
}

fn log_of(token: &Address, event: B256, first: &Address, second: &Address, units: u64) -> Log {
    Log {
        address: *token,
        topics: vec![event, first.into_word(), second.into_word()],
        data: Bytes::copy_from_slice(&U256::from(units).to_be_bytes::<32>()),
    }
}
