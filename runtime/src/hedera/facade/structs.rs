//! The structs of Hedera's interface, in Solidity's order of fields, and how they say what the ledger holds.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolType, sol_data};

use super::super::ledger::{Refusal, ensure};
use super::super::{Key, KeyRole, ResponseCode, Token};

/// `KeyValue`: inheritAccountKey, contractId, ed25519, ECDSA_secp256k1, delegatableContractId.
pub(super) type KeyValueAbi =
    (sol_data::Bool, sol_data::Address, sol_data::Bytes, sol_data::Bytes, sol_data::Address);
/// `TokenKey`: keyType, key.
pub(super) type TokenKeyAbi = (sol_data::Uint<256>, KeyValueAbi);
/// `Expiry`: second, autoRenewAccount, autoRenewPeriod.
pub(super) type ExpiryAbi = (sol_data::Int<64>, sol_data::Address, sol_data::Int<64>);
/// `HederaToken`: name, symbol, treasury, memo, tokenSupplyType, maxSupply, freezeDefault, tokenKeys, expiry.
pub(super) type HederaTokenAbi = (
    sol_data::String,
    sol_data::String,
    sol_data::Address,
    sol_data::String,
    sol_data::Bool,
    sol_data::Int<64>,
    sol_data::Bool,
    sol_data::Array<TokenKeyAbi>,
    ExpiryAbi,
);
/// `FixedFee`, of which the ledger has none.
pub(super) type FixedFeeAbi =
    (sol_data::Int<64>, sol_data::Address, sol_data::Bool, sol_data::Bool, sol_data::Address);
/// `FractionalFee`, of which the ledger has none.
pub(super) type FractionalFeeAbi = (
    sol_data::Int<64>,
    sol_data::Int<64>,
    sol_data::Int<64>,
    sol_data::Int<64>,
    sol_data::Bool,
    sol_data::Address,
);
/// `RoyaltyFee`, of which the ledger has none.
pub(super) type RoyaltyFeeAbi = (
    sol_data::Int<64>,
    sol_data::Int<64>,
    sol_data::Int<64>,
    sol_data::Address,
    sol_data::Bool,
    sol_data::Address,
);
/// `TokenInfo`: token, totalSupply, deleted, defaultKycStatus, pauseStatus, the three kinds of fees, ledgerId.
pub(super) type TokenInfoAbi = (
    HederaTokenAbi,
    sol_data::Int<64>,
    sol_data::Bool,
    sol_data::Bool,
    sol_data::Bool,
    sol_data::Array<FixedFeeAbi>,
    sol_data::Array<FractionalFeeAbi>,
    sol_data::Array<RoyaltyFeeAbi>,
    sol_data::String,
);
/// `FungibleTokenInfo`: tokenInfo, decimals.
pub(super) type FungibleTokenInfoAbi = (TokenInfoAbi, sol_data::Int<32>);

pub(super) type KeyValue = <KeyValueAbi as SolType>::RustType;
pub(super) type TokenKeyValue = <TokenKeyAbi as SolType>::RustType;
pub(super) type Expiry = <ExpiryAbi as SolType>::RustType;
pub(super) type HederaToken = <HederaTokenAbi as SolType>::RustType;
pub(super) type TokenInfo = <TokenInfoAbi as SolType>::RustType;

/// The id that `TokenInfo` gives this ledger.
const LEDGER_ID: &str = "zvm";

/// An amount of the interface, which no valid one is below.
pub(super) fn units(amount: i64, otherwise: ResponseCode) -> Result<u64, Refusal> {
    u64::try_from(amount).map_err(|_| Refusal::Code(otherwise))
}

/// The ledger's units as the interface has them.
pub(super) fn amount(units: u64) -> i64 {
    // The ledger holds no more than i64::MAX.
    units.cast_signed()
}

/// Sets the roles that a list of keys names; each role at most once.
pub(super) fn set_keys(token: &mut Token, keys: &[TokenKeyValue], creator: &Address) -> Result<(), Refusal> {
    let mut named = U256::ZERO;
    for (roles, value) in keys {
        ensure(!roles.is_zero() && (named & *roles).is_zero(), ResponseCode::BadEncoding)?;
        ensure(*roles < U256::from(1u64 << KeyRole::ALL.len()), ResponseCode::BadEncoding)?;
        named |= *roles;
        let key = key_of(value, creator)?;
        for role in KeyRole::ALL.into_iter().filter(|role| !(*roles & U256::from(role.bit())).is_zero()) {
            token.keys[role as usize] = key.clone();
        }
    }
    Ok(())
}

/// The key of a `KeyValue`, in which exactly one field says who it is, or none: nobody.
fn key_of(
    (inherits, contract, ed25519, secp256k1, delegatable): &KeyValue,
    creator: &Address,
) -> Result<Key, Refusal> {
    let named = [
        inherits.then_some(Key::Contract(*creator)),
        (!contract.is_zero()).then_some(Key::Contract(*contract)),
        (!ed25519.is_empty()).then(|| Key::Ed25519(ed25519.clone())),
        (!secp256k1.is_empty()).then(|| Key::Secp256k1(secp256k1.clone())),
        (!delegatable.is_zero()).then_some(Key::DelegatableContract(*delegatable)),
    ];
    let mut named = named.into_iter().flatten();
    let key = named.next().unwrap_or_default();
    ensure(named.next().is_none(), ResponseCode::BadEncoding)?;
    let is_sound = match &key {
        Key::Ed25519(raw) => raw.len() == 32,
        Key::Secp256k1(raw) => raw.len() == 33,
        _ => true,
    };
    ensure(is_sound, ResponseCode::BadEncoding)?;
    Ok(key)
}

/// A key as a `KeyValue`.
pub(super) fn key_value(key: &Key) -> KeyValue {
    let mut value = (false, Address::ZERO, Bytes::new(), Bytes::new(), Address::ZERO);
    match key {
        Key::Nobody => {}
        Key::Contract(address) => value.1 = *address,
        Key::Ed25519(raw) => value.2 = raw.clone(),
        Key::Secp256k1(raw) => value.3 = raw.clone(),
        Key::DelegatableContract(address) => value.4 = *address,
    }
    value
}

/// The token that a `HederaToken` describes, without units.
pub(super) fn token_of(described: HederaToken, creator: &Address) -> Result<Token, Refusal> {
    let (name, symbol, treasury, memo, is_finite, max_supply, freeze_default, keys, expiry) = described;
    let mut token = Token { name, symbol, treasury, memo, freeze_default, ..Token::default() };
    // Where the supply has no limit the network wants none named.
    ensure(is_finite || max_supply == 0, ResponseCode::InvalidTokenMaxSupply)?;
    // Zero or less is refused below, where the token is checked.
    token.max_supply = is_finite.then_some(u64::try_from(max_supply).unwrap_or(0));
    set_expiry(&mut token, expiry);
    set_keys(&mut token, &keys, creator)?;
    Ok(token)
}

/// Notes when a token would expire and be renewed.
pub(super) fn set_expiry(token: &mut Token, (second, account, period): Expiry) {
    token.expiry = second;
    token.auto_renew_account = account;
    token.auto_renew_period = period;
}

/// When a token would expire and be renewed.
pub(super) fn expiry(token: &Token) -> Expiry {
    (token.expiry, token.auto_renew_account, token.auto_renew_period)
}

/// A token as a `TokenInfo`.
pub(super) fn token_info(token: &Token) -> TokenInfo {
    let keys = KeyRole::ALL
        .into_iter()
        .filter(|&role| token.key(role).is_set())
        .map(|role| (U256::from(role.bit()), key_value(token.key(role))))
        .collect();
    let described = (
        token.name.clone(),
        token.symbol.clone(),
        token.treasury,
        token.memo.clone(),
        token.max_supply.is_some(),
        amount(token.max_supply.unwrap_or(0)),
        token.freeze_default,
        keys,
        expiry(token),
    );
    // Without a KYC key an account needs none.
    let default_kyc = !token.key(KeyRole::Kyc).is_set();
    let supply = amount(token.total_supply);
    let (none, fees, royalties) = (Vec::new(), Vec::new(), Vec::new());
    (
        described,
        supply,
        token.is_deleted,
        default_kyc,
        token.is_paused,
        none,
        fees,
        royalties,
        LEDGER_ID.to_owned(),
    )
}
