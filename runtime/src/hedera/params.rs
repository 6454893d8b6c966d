//! Parameters that programs hand over as the ABI encoding of one struct, decoded strictly: bytes that are not the
//! encoding of what they decode to are refused.

use alloy_primitives::Address;
use alloy_sol_types::{SolType, sol_data};

use super::ledger::{Refusal, ensure};
use super::tokens::Token;
use super::{AMOUNT_MAX, Key, KeyRole, ResponseCode, TEXT_BYTES_MAX};

/// The value of a type that the bytes encode.
macro_rules! strictly {
    ($Abi:ty, $data:expr) => {{
        let value = <$Abi>::abi_decode_validate($data).map_err(|_| ResponseCode::BadEncoding)?;
        ensure(<$Abi>::abi_encode(&value) == $data, ResponseCode::BadEncoding)?;
        value
    }};
}

/// What HTS_CREATE is told: `(string name, string symbol, uint8 decimals, uint64 initial_supply, address treasury)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenParams {
    /// Name, 1 to 100 bytes.
    pub name: String,
    /// Symbol, 1 to 100 bytes.
    pub symbol: String,
    /// Decimals, for display.
    pub decimals: u8,
    /// Units that the treasury begins with.
    pub initial_supply: u64,
    /// Account that gets what is minted: the acting one, or one that allowed it.
    pub treasury: Address,
}

type TokenParamsAbi =
    (sol_data::String, sol_data::String, sol_data::Uint<8>, sol_data::Uint<64>, sol_data::Address);

impl TokenParams {
    /// The parameters of an encoding.
    pub fn decode(data: &[u8]) -> Result<TokenParams, Refusal> {
        let (name, symbol, decimals, initial_supply, treasury) = strictly!(TokenParamsAbi, data);
        Ok(TokenParams { name, symbol, decimals, initial_supply, treasury })
    }

    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        let TokenParams { name, symbol, decimals, initial_supply, treasury } = self;
        TokenParamsAbi::abi_encode(&(name.clone(), symbol.clone(), *decimals, *initial_supply, *treasury))
    }

    /// The token that they describe, whose creator holds the keys of administration and supply.
    pub(super) fn into_token(self, creator: Address) -> Token {
        let mut token = Token {
            name: self.name,
            symbol: self.symbol,
            decimals: u32::from(self.decimals),
            treasury: self.treasury,
            total_supply: self.initial_supply,
            ..Token::default()
        };
        for role in [KeyRole::Admin, KeyRole::Supply] {
            token.keys[role as usize] = Key::Contract(creator);
        }
        token
    }
}

/// What HCS_CREATE_TOPIC and HCS_UPDATE_TOPIC are told: `(string memo)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicParams {
    /// Memo, at most 100 bytes.
    pub memo: String,
}

type TopicParamsAbi = (sol_data::String,);

impl TopicParams {
    /// The parameters of an encoding.
    pub fn decode(data: &[u8]) -> Result<TopicParams, Refusal> {
        let (memo,) = strictly!(TopicParamsAbi, data);
        Ok(TopicParams { memo })
    }

    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        TopicParamsAbi::abi_encode(&(self.memo.clone(),))
    }
}

/// Refuses a text that is too long or has a zero byte.
pub(super) fn check_text(text: &str, too_long: ResponseCode) -> Result<(), Refusal> {
    ensure(text.len() <= TEXT_BYTES_MAX, too_long)?;
    ensure(!text.bytes().any(|byte| byte == 0), ResponseCode::InvalidZeroByteInString)
}

/// Refuses a token that can't be.
pub(super) fn check_token(token: &Token) -> Result<(), Refusal> {
    ensure(!token.name.is_empty(), ResponseCode::MissingTokenName)?;
    ensure(!token.symbol.is_empty(), ResponseCode::MissingTokenSymbol)?;
    check_text(&token.name, ResponseCode::TokenNameTooLong)?;
    check_text(&token.symbol, ResponseCode::TokenSymbolTooLong)?;
    check_text(&token.memo, ResponseCode::MemoTooLong)?;
    ensure(token.decimals <= i32::MAX as u32, ResponseCode::InvalidTokenDecimals)?;
    ensure(token.total_supply <= AMOUNT_MAX, ResponseCode::InvalidTokenInitialSupply)?;
    let can_freeze = token.key(KeyRole::Freeze).is_set();
    ensure(can_freeze || !token.freeze_default, ResponseCode::TokenHasNoFreezeKey)?;
    if let Some(max) = token.max_supply {
        ensure((1..=AMOUNT_MAX).contains(&max), ResponseCode::InvalidTokenMaxSupply)?;
        ensure(token.total_supply <= max, ResponseCode::InvalidTokenInitialSupply)?;
    }
    Ok(())
}
