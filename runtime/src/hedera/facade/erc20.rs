//! THE table of functions at a token's own address: ERC-20's, and those with which an account associates itself
//! (HIP-719). What is refused reverts with the response code's name as `Error(string)`.

use std::sync::OnceLock;

use alloy_primitives::U256;
use alloy_sol_types::{SolType, sol_data};

use super::super::ResponseCode;
use super::super::ledger::{Refusal, amount};
use super::Context;
use super::functions::{
    APPROVE, ASSOCIATE, FacadeFunction, INFO, Index, Rate, TRANSFER, VIEW, arguments, by_selector, views,
};

macro_rules! functions {
    ($( $name:ident($($param:ty),*) $kind:ident $gas:ident -> $ret:ty
        |$context:ident, $args:pat_param| $body:expr; )*) => {
        /// All functions that are called at a token's address.
        fn functions() -> &'static [FacadeFunction] {
            static FUNCTIONS: OnceLock<Vec<FacadeFunction>> = OnceLock::new();
            FUNCTIONS.get_or_init(|| vec![$({
                type Args = ($($param,)*);
                type Ret = ($ret,);
                fn run(context: &mut Context<'_, '_>, data: &[u8]) -> Result<Vec<u8>, Refusal> {
                    let $args = arguments::<Args>(data)?;
                    let $context = context;
                    let answer: <$ret as SolType>::RustType = $body;
                    Ok(Ret::abi_encode_params(&(answer,)))
                }
                FacadeFunction {
                    signature: format!("{}{}", stringify!($name), Args::SOL_NAME),
                    gas: $gas,
                    rate: Rate::Fixed,
                    changes_state: views!($kind),
                    is_payable: false,
                    run,
                    refused: None,
                }
            }),*])
        }
    };
}

type Addr = sol_data::Address;
type Word = sol_data::Uint<256>;

functions! {
    name() view INFO -> sol_data::String |c, ()| token(c)?.name;
    symbol() view INFO -> sol_data::String |c, ()| token(c)?.symbol;
    decimals() view INFO -> sol_data::Uint<8> |c, ()| {
        u8::try_from(token(c)?.decimals).unwrap_or(u8::MAX)
    };
    totalSupply() view VIEW -> Word |c, ()| U256::from(c.ledger.total_supply(&c.token)?);
    balanceOf(Addr) view VIEW -> Word |c, (account,)| {
        // Whom the ledger does not know has nothing.
        let relation = match c.ledger.account(&account)? {
            Some(account) => c.ledger.relation(&c.token, &account)?,
            None => None,
        };
        U256::from(relation.map_or(0, |relation| relation.balance))
    };
    allowance(Addr, Addr) view VIEW -> Word |c, (owner, spender)| {
        match (c.ledger.account(&owner)?, c.ledger.account(&spender)?) {
            (Some(owner), Some(spender)) => U256::from(c.ledger.allowance(&c.token, &owner, &spender)?),
            _ => U256::ZERO,
        }
    };
    transfer(Addr, Word) changes TRANSFER -> sol_data::Bool |c, (to, moved)| {
        let moved = amount(&moved, ResponseCode::InvalidAccountAmounts)?;
        let from = c.acting.account;
        let log = c.ledger.transfer(&from, &c.token, &from, &to, moved)?;
        c.logs.push(log);
        true
    };
    transferFrom(Addr, Addr, Word) changes TRANSFER -> sol_data::Bool |c, (from, to, moved)| {
        let moved = amount(&moved, ResponseCode::InvalidAccountAmounts)?;
        let log = c.ledger.transfer(&c.acting.account, &c.token, &from, &to, moved)?;
        c.logs.push(log);
        true
    };
    approve(Addr, Word) changes APPROVE -> sol_data::Bool |c, (spender, allowed)| {
        let allowed = amount(&allowed, ResponseCode::NegativeAllowanceAmount)?;
        let log = c.ledger.approve(&c.acting.account, &c.token, &spender, allowed)?;
        c.logs.push(log);
        true
    };
    associate() changes ASSOCIATE -> Word |c, ()| {
        let acting = c.acting;
        c.ledger.associate(&acting, &acting.account, &c.token)?;
        U256::from(ResponseCode::Success.number())
    };
    dissociate() changes ASSOCIATE -> Word |c, ()| {
        let acting = c.acting;
        c.ledger.dissociate(&acting, &acting.account, &c.token)?;
        U256::from(ResponseCode::Success.number())
    };
    isAssociated() view VIEW -> sol_data::Bool |c, ()| {
        c.ledger.relation(&c.token, &c.acting.account)?.is_some()
    };
}

/// The function with that selector.
pub(super) fn function(selector: &[u8; 4]) -> Option<&'static FacadeFunction> {
    static INDEX: OnceLock<Index> = OnceLock::new();
    by_selector(functions(), selector, &INDEX)
}

fn token(context: &mut Context<'_, '_>) -> Result<super::super::Token, Refusal> {
    Ok(context.ledger.token(&context.token)?.ok_or(ResponseCode::InvalidTokenId)?)
}
