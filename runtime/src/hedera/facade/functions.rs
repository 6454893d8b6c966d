//! THE table of the system contract's functions: name, parameters, what it returns, price, and what it does.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use alloy_primitives::{Address, U256};
use alloy_sol_types::abi::{AbiDecoderConfig, TokenSeq};
use alloy_sol_types::{SolType, sol_data};

use super::super::ledger::{Refusal, ensure};
use super::super::{KeyRole, ResponseCode};
use super::Context;
use super::structs::{
    ExpiryAbi, FixedFeeAbi, FractionalFeeAbi, FungibleTokenInfoAbi, HederaTokenAbi, KeyValueAbi,
    RoyaltyFeeAbi, TokenInfoAbi, TokenKeyAbi, amount, expiry, key_value, set_expiry, set_keys, token_info,
    token_of, units,
};
use crate::keccak::keccak256;

/// A function of the facade.
pub struct FacadeFunction {
    /// Canonical signature.
    pub signature: String,
    /// Price in gas; a view's is that of a cold word.
    pub gas: u64,
    /// What the price grows with.
    pub rate: Rate,
    /// Whether it may change the state.
    pub changes_state: bool,
    /// Whether a call may send value, which goes back.
    pub is_payable: bool,
    pub(super) run: fn(&mut Context<'_, '_>, &[u8]) -> Result<Vec<u8>, Refusal>,
    /// What is returned when it refuses; `None`: it reverts.
    pub(super) refused: Option<fn(ResponseCode) -> Vec<u8>>,
}

/// What the price grows with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Nothing.
    Fixed,
    /// Each word of the arguments.
    PerWord(u64),
}

impl FacadeFunction {
    /// The first four bytes of the signature's hash.
    pub fn selector(&self) -> [u8; 4] {
        let hash = keccak256(&self.signature);
        [hash[0], hash[1], hash[2], hash[3]]
    }

    pub(super) fn extra_gas(&self, arguments: &[u8]) -> u64 {
        match self.rate {
            Rate::Fixed => 0,
            Rate::PerWord(rate) => rate.saturating_mul(crate::gas::words(arguments.len() as u64)),
        }
    }
}

/// Reads arguments as Solidity does: what does not decode is refused.
pub(super) fn arguments<'d, T: SolType>(data: &'d [u8]) -> Result<T::RustType, Refusal>
where
    T::Token<'d>: TokenSeq<'d>,
{
    // Offsets may name the same bytes again and again, so that little data decodes to a lot: what it decodes to is no
    // larger than the data where they don't.
    let config = AbiDecoderConfig::new().validate(true).memory_limit(2 * data.len());
    T::abi_decode_params_with_config(data, config).map_err(|_| Refusal::Code(ResponseCode::BadEncoding))
}

/// Response code of success, as the first thing returned.
const OK: i64 = ResponseCode::Success.number() as i64;

/// Price of reading the ledger.
pub(super) const VIEW: u64 = 2_100;
/// Price of reading all of a token.
pub(super) const INFO: u64 = 30_000;
/// Prices of what the operations of the native encoding do as well.
pub(super) const TRANSFER: u64 = 10_000;
const SUPPLY: u64 = 50_000;
pub(super) const ASSOCIATE: u64 = 20_000;
pub(super) const APPROVE: u64 = 20_000;
const CREATE: u64 = 100_000;
/// Price of changing a fact of a token or of an account's relation to it.
const CHANGE: u64 = 20_000;

macro_rules! views {
    (view) => {
        false
    };
    (changes) => {
        true
    };
    (payable) => {
        true
    };
}
macro_rules! rate {
    () => {
        Rate::Fixed
    };
    ($rate:literal) => {
        Rate::PerWord($rate)
    };
}
macro_rules! pays {
    (payable) => {
        true
    };
    ($other:ident) => {
        false
    };
}
pub(super) use views;

macro_rules! functions {
    ($( $name:ident($($param:ty),*) $kind:ident $gas:ident $($rate:literal)? -> ($($ret:ty),+)
        |$context:ident, $args:pat_param| $body:expr; )*) => {
        /// All functions that are called at the system contract's address, the redirection apart.
        pub fn functions() -> &'static [FacadeFunction] {
            static FUNCTIONS: OnceLock<Vec<FacadeFunction>> = OnceLock::new();
            FUNCTIONS.get_or_init(|| vec![$({
                type Args = ($($param,)*);
                type Ret = ($($ret,)+);
                fn run(context: &mut Context<'_, '_>, data: &[u8]) -> Result<Vec<u8>, Refusal> {
                    let $args = arguments::<Args>(data)?;
                    let $context = context;
                    let answer: <Ret as SolType>::RustType = $body;
                    Ok(Ret::abi_encode_params(&answer))
                }
                fn refused(code: ResponseCode) -> Vec<u8> {
                    let mut answer = <Ret as SolType>::RustType::default();
                    answer.0 = i64::from(code.number());
                    Ret::abi_encode_params(&answer)
                }
                FacadeFunction {
                    signature: format!("{}{}", stringify!($name), Args::SOL_NAME),
                    gas: $gas,
                    rate: rate!($($rate)?),
                    changes_state: views!($kind),
                    is_payable: pays!($kind),
                    run,
                    refused: Some(refused),
                }
            }),*])
        }
    };
}

type Addr = sol_data::Address;
type Bool = sol_data::Bool;
type I64 = sol_data::Int<64>;
type Word = sol_data::Uint<256>;

functions! {
    associateToken(Addr, Addr) changes ASSOCIATE -> (I64) |c, (account, token)| {
        c.ledger.associate(&c.acting, &account, &token)?;
        (OK,)
    };
    associateTokens(Addr, sol_data::Array<Addr>) changes ASSOCIATE 20000 -> (I64) |c, (account, tokens)| {
        for token in &tokens {
            c.ledger.associate(&c.acting, &account, token)?;
        }
        (OK,)
    };
    dissociateToken(Addr, Addr) changes ASSOCIATE -> (I64) |c, (account, token)| {
        c.ledger.dissociate(&c.acting, &account, &token)?;
        (OK,)
    };
    dissociateTokens(Addr, sol_data::Array<Addr>) changes ASSOCIATE 20000 -> (I64) |c, (account, tokens)| {
        for token in &tokens {
            c.ledger.dissociate(&c.acting, &account, token)?;
        }
        (OK,)
    };
    transferToken(Addr, Addr, Addr, I64) changes TRANSFER -> (I64) |c, (token, from, to, moved)| {
        let moved = units(moved, ResponseCode::InvalidAccountAmounts)?;
        let log = c.ledger.transfer(&c.acting.account, &token, &from, &to, moved)?;
        c.logs.push(log);
        (OK,)
    };
    transferTokens(Addr, sol_data::Array<Addr>, sol_data::Array<I64>) changes TRANSFER 5000 -> (I64)
    |c, (token, accounts, amounts)| {
        transfer_list(c, &token, &accounts, &amounts)?;
        (OK,)
    };
    transferFrom(Addr, Addr, Addr, Word) changes TRANSFER -> (I64) |c, (token, from, to, moved)| {
        let moved = super::super::ledger::amount(&moved, ResponseCode::InvalidAccountAmounts)?;
        let log = c.ledger.transfer(&c.acting.account, &token, &from, &to, moved)?;
        c.logs.push(log);
        (OK,)
    };
    mintToken(Addr, I64, sol_data::Array<sol_data::Bytes>) changes SUPPLY -> (I64, I64, sol_data::Array<I64>)
    |c, (token, minted, metadata)| {
        // Metadata is for tokens of which each unit is unlike the others.
        ensure(metadata.is_empty(), ResponseCode::NotSupported)?;
        let minted = units(minted, ResponseCode::InvalidTokenMintAmount)?;
        let log = c.ledger.mint(&c.acting.account, &token, minted)?;
        c.logs.push(log);
        (OK, amount(c.ledger.total_supply(&token)?), Vec::new())
    };
    burnToken(Addr, I64, sol_data::Array<I64>) changes SUPPLY -> (I64, I64) |c, (token, burned, serials)| {
        ensure(serials.is_empty(), ResponseCode::NotSupported)?;
        let burned = units(burned, ResponseCode::InvalidTokenBurnAmount)?;
        let log = c.ledger.burn(&c.acting.account, &token, burned)?;
        c.logs.push(log);
        (OK, amount(c.ledger.total_supply(&token)?))
    };
    wipeTokenAccount(Addr, Addr, I64) changes SUPPLY -> (I64) |c, (token, account, wiped)| {
        let wiped = units(wiped, ResponseCode::InvalidWipingAmount)?;
        let log = c.ledger.wipe(&c.acting.account, &token, &account, wiped)?;
        c.logs.push(log);
        (OK,)
    };
    approve(Addr, Addr, Word) changes APPROVE -> (I64) |c, (token, spender, allowed)| {
        let allowed = super::super::ledger::amount(&allowed, ResponseCode::NegativeAllowanceAmount)?;
        let log = c.ledger.approve(&c.acting.account, &token, &spender, allowed)?;
        c.logs.push(log);
        (OK,)
    };
    allowance(Addr, Addr, Addr) view VIEW -> (I64, Word) |c, (token, owner, spender)| {
        c.ledger.facts(&token)?.ok_or(ResponseCode::InvalidTokenId)?;
        let owner = c.ledger.known_account(&owner, ResponseCode::InvalidAccountId)?;
        let spender = c.ledger.known_account(&spender, ResponseCode::InvalidAllowanceSpenderId)?;
        (OK, U256::from(c.ledger.allowance(&token, &owner, &spender)?))
    };
    createFungibleToken(HederaTokenAbi, I64, sol_data::Int<32>) payable CREATE 3200 -> (I64, Addr)
    |c, (described, supply, decimals)| {
        let mut token = token_of(described, &c.acting.account)?;
        token.total_supply = units(supply, ResponseCode::InvalidTokenInitialSupply)?;
        token.decimals = u32::try_from(decimals).map_err(|_| ResponseCode::InvalidTokenDecimals)?;
        let (address, log) = c.ledger.create_token(&c.acting.account, token)?;
        c.logs.extend(log);
        (OK, address)
    };
    deleteToken(Addr) changes CHANGE -> (I64) |c, (token,)| {
        c.ledger.delete_token(&c.acting.account, &token)?;
        (OK,)
    };
    freezeToken(Addr, Addr) changes CHANGE -> (I64) |c, (token, account)| {
        c.ledger.set_frozen(&c.acting.account, &token, &account, true)?;
        (OK,)
    };
    unfreezeToken(Addr, Addr) changes CHANGE -> (I64) |c, (token, account)| {
        c.ledger.set_frozen(&c.acting.account, &token, &account, false)?;
        (OK,)
    };
    isFrozen(Addr, Addr) view VIEW -> (I64, Bool) |c, (token, account)| {
        (OK, relation(c, &token, &account)?.is_frozen)
    };
    grantTokenKyc(Addr, Addr) changes CHANGE -> (I64) |c, (token, account)| {
        c.ledger.set_kyc(&c.acting.account, &token, &account, true)?;
        (OK,)
    };
    revokeTokenKyc(Addr, Addr) changes CHANGE -> (I64) |c, (token, account)| {
        c.ledger.set_kyc(&c.acting.account, &token, &account, false)?;
        (OK,)
    };
    isKyc(Addr, Addr) view VIEW -> (I64, Bool) |c, (token, account)| {
        (OK, relation(c, &token, &account)?.has_kyc)
    };
    pauseToken(Addr) changes CHANGE -> (I64) |c, (token,)| {
        c.ledger.set_paused(&c.acting.account, &token, true)?;
        (OK,)
    };
    unpauseToken(Addr) changes CHANGE -> (I64) |c, (token,)| {
        c.ledger.set_paused(&c.acting.account, &token, false)?;
        (OK,)
    };
    isToken(Addr) view VIEW -> (I64, Bool) |c, (token,)| {
        (OK, c.ledger.is_token(&token)?)
    };
    getTokenType(Addr) view VIEW -> (I64, sol_data::Int<32>) |c, (token,)| {
        c.ledger.facts(&token)?.ok_or(ResponseCode::InvalidTokenId)?;
        // 0: fungible.
        (OK, 0)
    };
    getTokenDefaultFreezeStatus(Addr) view INFO -> (I64, Bool) |c, (token,)| {
        (OK, c.ledger.token(&token)?.ok_or(ResponseCode::InvalidTokenId)?.freeze_default)
    };
    getTokenDefaultKycStatus(Addr) view INFO -> (I64, Bool) |c, (token,)| {
        let token = c.ledger.token(&token)?.ok_or(ResponseCode::InvalidTokenId)?;
        (OK, !token.key(KeyRole::Kyc).is_set())
    };
    getTokenCustomFees(Addr) view VIEW -> (I64, sol_data::Array<FixedFeeAbi>, sol_data::Array<FractionalFeeAbi>,
        sol_data::Array<RoyaltyFeeAbi>)
    |c, (token,)| {
        c.ledger.facts(&token)?.ok_or(ResponseCode::InvalidTokenId)?;
        (OK, Vec::new(), Vec::new(), Vec::new())
    };
    getTokenInfo(Addr) view INFO -> (I64, TokenInfoAbi) |c, (token,)| {
        (OK, token_info(&c.ledger.token(&token)?.ok_or(ResponseCode::InvalidTokenId)?))
    };
    getFungibleTokenInfo(Addr) view INFO -> (I64, FungibleTokenInfoAbi) |c, (token,)| {
        let token = c.ledger.token(&token)?.ok_or(ResponseCode::InvalidTokenId)?;
        (OK, (token_info(&token), token.decimals.cast_signed()))
    };
    getTokenExpiryInfo(Addr) view INFO -> (I64, ExpiryAbi) |c, (token,)| {
        (OK, expiry(&c.ledger.token(&token)?.ok_or(ResponseCode::InvalidTokenId)?))
    };
    getTokenKey(Addr, Word) view INFO -> (I64, KeyValueAbi) |c, (token, role)| {
        let token = c.ledger.token(&token)?.ok_or(ResponseCode::InvalidTokenId)?;
        let role = KeyRole::ALL.into_iter().find(|known| U256::from(known.bit()) == role);
        (OK, key_value(token.key(role.ok_or(ResponseCode::BadEncoding)?)))
    };
    updateTokenInfo(Addr, HederaTokenAbi) changes CHANGE 3200 -> (I64) |c, (token, described)| {
        let creator = c.acting.account;
        let log = c.ledger.update_token(&creator, &token, |token| {
            let (name, symbol, treasury, memo, _, _, _, keys, expiry) = described;
            // An empty text and the zero address leave things as they are, as on the network.
            for (new, old) in [(name, &mut token.name), (symbol, &mut token.symbol), (memo, &mut token.memo)] {
                if !new.is_empty() {
                    *old = new;
                }
            }
            if treasury != Address::ZERO {
                token.treasury = treasury;
            }
            set_expiry(token, expiry);
            set_keys(token, &keys, &creator)
        })?;
        c.logs.extend(log);
        (OK,)
    };
    updateTokenKeys(Addr, sol_data::Array<TokenKeyAbi>) changes CHANGE 3200 -> (I64) |c, (token, keys)| {
        let creator = c.acting.account;
        c.ledger.update_token(&creator, &token, |token| set_keys(token, &keys, &creator))?;
        (OK,)
    };
    updateTokenExpiryInfo(Addr, ExpiryAbi) changes CHANGE -> (I64) |c, (token, expiry)| {
        c.ledger.update_token(&c.acting.account, &token, |token| {
            set_expiry(token, expiry);
            Ok(())
        })?;
        (OK,)
    };
}

/// The function with that selector.
pub(super) fn function(selector: &[u8; 4]) -> Option<&'static FacadeFunction> {
    by_selector(functions(), selector, {
        static INDEX: OnceLock<Index> = OnceLock::new();
        &INDEX
    })
}

/// Functions by their selectors, made when it is first needed.
pub(super) type Index = HashMap<[u8; 4], usize>;

pub(super) fn by_selector(
    functions: &'static [FacadeFunction],
    selector: &[u8; 4],
    index: &'static OnceLock<Index>,
) -> Option<&'static FacadeFunction> {
    let index = index.get_or_init(|| {
        functions.iter().enumerate().map(|(place, function)| (function.selector(), place)).collect()
    });
    index.get(selector).map(|&place| &functions[place])
}

fn relation(
    context: &mut Context<'_, '_>,
    token: &Address,
    account: &Address,
) -> Result<super::super::Relation, Refusal> {
    context.ledger.facts(token)?.ok_or(ResponseCode::InvalidTokenId)?;
    let account = context.ledger.known_account(account, ResponseCode::InvalidAccountId)?;
    context.ledger.associated(token, &account)
}

/// Moves units from those whose amount is negative to the others; what is given and got must be equal, and no account
/// may be named twice.
fn transfer_list(
    context: &mut Context<'_, '_>,
    token: &Address,
    accounts: &[Address],
    amounts: &[i64],
) -> Result<(), Refusal> {
    let refused = ResponseCode::InvalidAccountAmounts;
    ensure(accounts.len() == amounts.len() && !accounts.is_empty(), refused)?;
    let sum: i128 = amounts.iter().map(|&moved| i128::from(moved)).sum();
    ensure(sum == 0, refused)?;
    // An account may be named by its number and by its address.
    let mut seen = HashSet::with_capacity(accounts.len());
    for account in accounts {
        let known = context.ledger.account(account)?.unwrap_or(*account);
        ensure(seen.insert(known), ResponseCode::AccountRepeatedInAccountAmounts)?;
    }
    let list = accounts.iter().zip(amounts);
    let mut givers =
        list.clone().filter(|(_, moved)| **moved < 0).map(|(from, moved)| (from, moved.unsigned_abs()));
    let mut giver = givers.next();
    for (to, moved) in list.filter(|(_, moved)| **moved >= 0) {
        let mut missing = moved.unsigned_abs();
        while missing > 0 {
            let Some((from, left)) = giver.as_mut() else { return Err(refused.into()) };
            let part = missing.min(*left);
            let log = context.ledger.transfer(&context.acting.account, token, from, to, part)?;
            context.logs.push(log);
            missing -= part;
            *left -= part;
            if *left == 0 {
                giver = givers.next();
            }
        }
    }
    Ok(())
}
