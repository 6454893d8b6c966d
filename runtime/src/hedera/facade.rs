//! The services as Solidity code knows them: the token service's system contract, and ERC-20 calls to a token.
//!
//! [`call`] is what a call of [`SYSTEM_CONTRACT`] runs in place of code. A token's own
//! address has [`proxy_code`], which hands every call over to the system contract (HIP-719).

mod erc20;
mod functions;
mod structs;

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::{Revert, SolError};

use super::ledger::{Ledger, Refusal};
use super::{Acting, ResponseCode, SYSTEM_CONTRACT};
use crate::call_stack::CallKind;
use crate::gas::words;
use crate::host::{HostError, Log};
use crate::outcome::{Exit, Trap};

pub use self::functions::{FacadeFunction, functions};

/// Selector of `redirectForToken(address,bytes)`, behind which a token's code puts its address and the call data,
/// neither padded.
pub const REDIRECT: [u8; 4] = [0x61, 0x8d, 0xc6, 0x5e];

/// Gas per word of call data, beside the function's own price.
pub const INPUT_WORD_GAS: u64 = 3;

/// A call of the system contract.
#[derive(Clone, Copy, Debug)]
pub struct FacadeCall<'a> {
    /// Which operation asked for it; a transaction's own is [`CallKind::Call`].
    pub kind: CallKind,
    /// Account that CALLER would name.
    pub caller: Address,
    /// Account on which code would run: the system contract, or under DELEGATECALL and CALLCODE the account that
    /// calls.
    pub address: Address,
    /// Value that CALLVALUE would report.
    pub value: U256,
    /// Whether state changes are refused.
    pub is_static: bool,
    /// Call data.
    pub input: &'a [u8],
    /// Gas.
    pub gas: u64,
}

/// How a call of the system contract ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacadeAnswer {
    /// `Return`, `Revert` or a trap, which consumes all gas.
    pub exit: Exit,
    /// Gas left.
    pub gas_left: u64,
    /// Return data.
    pub output: Bytes,
    /// Log entries to be appended, in order.
    pub logs: Vec<Log>,
    /// Whether the value goes back to the caller: creating a token costs none here.
    pub returns_value: bool,
}

impl FacadeAnswer {
    fn trap(trap: Trap) -> FacadeAnswer {
        FacadeAnswer {
            exit: trap.into(),
            gas_left: 0,
            output: Bytes::new(),
            logs: Vec::new(),
            returns_value: false,
        }
    }

    fn revert(gas_left: u64, reason: &str) -> FacadeAnswer {
        let output = Revert { reason: reason.to_owned() }.abi_encode().into();
        FacadeAnswer { exit: Exit::Revert, gas_left, output, logs: Vec::new(), returns_value: false }
    }
}

/// What a function works with.
pub(super) struct Context<'c, 's> {
    pub(super) ledger: &'c mut Ledger<'s>,
    pub(super) acting: Acting,
    /// The token whose address was called, for functions that are called so.
    pub(super) token: Address,
    pub(super) logs: Vec<Log>,
}

/// Runs a call of the system contract.
pub fn call(ledger: &mut Ledger<'_>, call: &FacadeCall<'_>) -> Result<FacadeAnswer, HostError> {
    let is_delegated = matches!(call.kind, CallKind::DelegateCall | CallKind::CallCode);
    // Who calls acts; code that runs on the account that calls is that account.
    let account = if is_delegated { call.address } else { call.caller };
    let mut acting = Acting { account, caller: call.caller };
    let Some((&selector, arguments)) = call.input.split_first_chunk::<4>() else {
        return Ok(FacadeAnswer::revert(call.gas, "no function is named"));
    };
    let input_gas = INPUT_WORD_GAS * words(call.input.len() as u64);
    let mut token = Address::ZERO;
    // What an unknown function leaves of the gas.
    let mut gas_left = call.gas;
    let (function, arguments) = if selector == REDIRECT {
        // To find the token the ledger is read; every function there is costs as much.
        let Some(gas) = call.gas.checked_sub(functions::VIEW + input_gas) else {
            return Ok(FacadeAnswer::trap(Trap::OutOfGas));
        };
        gas_left = gas;
        let Some((named, data)) = redirected(ledger, arguments)? else {
            return Ok(FacadeAnswer::revert(gas_left, ResponseCode::InvalidTokenId.name()));
        };
        // A token's own code acts for who called the token. Run on another account, it is that account's code.
        if call.kind == CallKind::DelegateCall && call.address == named {
            acting = Acting { account: call.caller, caller: call.caller };
        }
        token = named;
        match data.split_first_chunk::<4>() {
            Some((selector, arguments)) => (erc20::function(selector), arguments),
            None => (None, data),
        }
    } else {
        (functions::function(&selector), arguments)
    };
    let Some(function) = function else {
        return Ok(FacadeAnswer::revert(gas_left, "no such function"));
    };
    if function.changes_state && call.is_static {
        return Ok(FacadeAnswer::trap(Trap::StaticViolation));
    }
    let price = function.gas + input_gas;
    let Some(gas) = call.gas.checked_sub(price.saturating_add(function.extra_gas(arguments))) else {
        return Ok(FacadeAnswer::trap(Trap::OutOfGas));
    };
    if !call.value.is_zero() && !function.is_payable {
        return Ok(FacadeAnswer::revert(gas, "the function takes no value"));
    }
    let ran = ledger.whole(|ledger| {
        let mut context = Context { ledger, acting, token, logs: Vec::new() };
        let output = (function.run)(&mut context, arguments)?;
        Ok((output, context.logs))
    });
    let returns_value = function.is_payable && !is_delegated && !call.value.is_zero();
    Ok(match ran {
        Ok((output, logs)) => {
            FacadeAnswer { exit: Exit::Return, gas_left: gas, output: output.into(), logs, returns_value }
        }
        Err(Refusal::Host(error)) => return Err(error),
        Err(Refusal::Code(code)) => match function.refused {
            // The service's functions say so in what they return; ERC-20's revert.
            Some(refused) => FacadeAnswer {
                exit: Exit::Return,
                gas_left: gas,
                output: refused(code).into(),
                logs: Vec::new(),
                returns_value,
            },
            None => FacadeAnswer::revert(gas, code.name()),
        },
    })
}

/// The token that a redirected call is for, and its call data: packed, as a token's code does it, or ABI-encoded.
fn redirected<'d>(
    ledger: &mut Ledger<'_>,
    arguments: &'d [u8],
) -> Result<Option<(Address, &'d [u8])>, HostError> {
    if let Some((token, data)) = arguments.split_first_chunk::<20>() {
        let token = Address::from(*token);
        if ledger.is_token(&token)? {
            return Ok(Some((token, data)));
        }
    }
    // Offset 0x40 and the size stand before the data.
    let (Some(head), Some(rest)) = (arguments.first_chunk::<96>(), arguments.get(96..)) else {
        return Ok(None);
    };
    let token = Address::from_slice(&head[12..32]);
    let size = U256::from_be_slice(&head[64..]);
    let is_encoding = head[..12] == [0; 12] && U256::from_be_slice(&head[32..64]) == U256::from(64);
    let data = usize::try_from(size).ok().and_then(|size| rest.get(..size));
    match data.filter(|_| is_encoding) {
        Some(data) if ledger.is_token(&token)? => Ok(Some((token, data))),
        _ => Ok(None),
    }
}

/// The code at a token's address: a delegate call of the system contract with [`REDIRECT`], the token's address and
/// the call data, whose outcome it passes on.
pub fn proxy_code(token: &Address) -> Bytes {
    let mut code = vec![0x77];
    code.extend_from_slice(&REDIRECT);
    code.extend_from_slice(token.as_slice());
    let system = SYSTEM_CONTRACT.as_slice();
    // push0 mstore; calldatasize push0 push1 32 calldatacopy
    code.extend_from_slice(&hex!("5f52365f602037"));
    // push0 push0 calldatasize push1 24 add push1 8 push2 system gas delegatecall
    code.extend_from_slice(&hex!("5f5f3660180160086100005af4"));
    let at = code.len() - 4;
    code[at..at + 2].copy_from_slice(&system[18..]);
    // returndatasize push0 push0 returndatacopy push1 55 jumpi; returndatasize push0 revert
    code.extend_from_slice(&hex!("3d5f5f3e6037573d5ffd"));
    // jumpdest returndatasize push0 return
    code.extend_from_slice(&hex!("5b3d5ff3"));
    code.into()
}
