//! Fungible tokens: what may be done with them, and who may do it. What the ledger keeps of them is in [`record`].

mod record;

use alloy_primitives::{Address, B256, Bytes, U256, b256};

use self::record::{Facts, Supply};
pub use self::record::{Relation, Token};
use super::facade::proxy_code;
use super::ledger::{Ledger, Refusal, ensure};
use super::params::check_token;
use super::words::{Table, key};
use super::{AMOUNT_MAX, Acting, KeyRole, ResponseCode};
use crate::host::{HostError, Log};

/// Topic 0 of `Transfer(address,address,uint256)`.
pub const TRANSFER_TOPIC: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// Topic 0 of `Approval(address,address,uint256)`.
pub const APPROVAL_TOPIC: B256 = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");

impl Ledger<'_> {
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
        self.whole(|ledger| ledger.place_token(treasury, token))
    }

    fn place_token(&mut self, treasury: Address, token: Token) -> Result<(Address, Option<Log>), Refusal> {
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
        let allowed = if from == *acting {
            None
        } else {
            let allowed = self.allowance(token_address, &from, acting)?;
            ensure(allowed > 0, ResponseCode::SpenderDoesNotHaveAllowance)?;
            Some(allowed.checked_sub(units).ok_or(ResponseCode::AmountExceedsAllowance)?)
        };
        let log = self.shift(token_address, (from, giver), (to, getter), units)?;
        if let Some(rest) = allowed {
            self.save_allowance(token_address, &from, acting, rest)?;
        }
        Ok(log)
    }

    /// Moves units from one account to another, whose relations to the token allow it.
    fn shift(
        &mut self,
        token: &Address,
        (from, giver): (Address, Relation),
        (to, getter): (Address, Relation),
        units: u64,
    ) -> Result<Log, Refusal> {
        let rest = giver.balance.checked_sub(units).ok_or(ResponseCode::InsufficientTokenBalance)?;
        if from != to {
            // No more than the total supply, which is an amount.
            let balance = getter.balance + units;
            self.save_relation(token, &from, Relation { balance: rest, ..giver })?;
            self.save_relation(token, &to, Relation { balance, ..getter })?;
        }
        Ok(moved(token, &from, &to, units))
    }

    /// Makes units for an account that acts with the supply key.
    pub fn mint(&mut self, acting: &Address, address: &Address, units: u64) -> Result<Log, Refusal> {
        let facts = self.held(acting, address, KeyRole::Supply)?;
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
        let facts = self.held(acting, address, KeyRole::Supply)?;
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
        let facts = self.held(acting, address, KeyRole::Wipe)?;
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
        self.held(acting, address, KeyRole::Freeze)?;
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
        self.held(acting, address, KeyRole::Kyc)?;
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
        self.check_key(acting, address, &facts, KeyRole::Pause)?;
        self.save_facts(address, Facts { is_paused, ..facts })
    }

    /// Ends a token, for an account that acts with the admin key.
    pub fn delete_token(&mut self, acting: &Address, address: &Address) -> Result<(), Refusal> {
        let facts = self.held(acting, address, KeyRole::Admin)?;
        self.save_facts(address, Facts { is_deleted: true, ..facts })
    }

    /// Changes a token's facts for an account that acts with the admin key. Supply and what only operations of their own
    /// change stay what they are, and roles that nobody holds stay so. A new treasury, which must be able to, gets the
    /// units of the old one; then there is a log entry.
    pub(super) fn update_token(
        &mut self,
        acting: &Address,
        address: &Address,
        change: impl FnOnce(&mut Token) -> Result<(), Refusal>,
    ) -> Result<Option<Log>, Refusal> {
        let facts = self.held(acting, address, KeyRole::Admin)?;
        let before = self.token(address)?.ok_or(ResponseCode::InvalidTokenId)?;
        let mut token = before.clone();
        change(&mut token)?;
        token.total_supply = before.total_supply;
        token.max_supply = before.max_supply;
        token.freeze_default = before.freeze_default;
        for role in KeyRole::ALL {
            ensure(before.key(role).is_set() || !token.key(role).is_set(), role.missing())?;
        }
        check_token(&token)?;
        let mut log = None;
        if token.treasury != before.treasury {
            token.treasury = self.allowed_treasury(acting, &token.treasury)?;
        }
        if token.treasury != before.treasury {
            let giver = self.associated(address, &before.treasury)?;
            let getter = self.associated(address, &token.treasury)?;
            giver.check(&facts)?;
            getter.check(&facts)?;
            if giver.balance > 0 {
                let units = giver.balance;
                log = Some(self.shift(address, (before.treasury, giver), (token.treasury, getter), units)?);
            }
        }
        self.save_token(address, &token)?;
        Ok(log)
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

    /// The same, for an account that acts and must hold a role.
    fn held(&mut self, acting: &Address, address: &Address, role: KeyRole) -> Result<Facts, Refusal> {
        let facts = self.live_token(address)?;
        self.check_key(acting, address, &facts, role)?;
        Ok(facts)
    }

    fn check_key(
        &mut self,
        acting: &Address,
        address: &Address,
        facts: &Facts,
        role: KeyRole,
    ) -> Result<(), Refusal> {
        ensure(facts.has(role), role.missing())?;
        let holder = self.key(address, role)?;
        ensure(self.holds(acting, &holder)?, ResponseCode::InvalidSignature)
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
