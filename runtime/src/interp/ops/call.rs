//! Message calls: what a call costs, and the request with which the frame stops.
//!
//! The driver of frames answers the request: it checks depth and balance, runs the callee, and puts success on the
//! stack and return data in place.

use alloy_primitives::{Address, Bytes, U256};

use super::account::touch_account;
use super::context::word_address;
use super::memory::touch_all;
use super::storage::host_result;
use crate::call_stack::{CallKind, CallRequest, Callee, Request};
use crate::compiled::frame::Frame;
use crate::fork::Fork;
use crate::gas;
use crate::host::Host;
use crate::outcome::Exit;
use crate::precompiles::runs_without_code;
use crate::state::AccountInfo;

/// Offset and size of a memory range, as operands.
type MemoryOperands = (U256, U256);

/// A call as the four operations set it up.
struct Call {
    /// Gas that the operation asks for.
    gas: U256,
    /// Account whose code runs.
    code_address: Address,
    /// Account on which it runs.
    address: Address,
    caller: Address,
    value: U256,
    kind: CallKind,
    is_static: bool,
    input: MemoryOperands,
    output: MemoryOperands,
}

/// `call`.
pub fn call(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let [gas, to, value, in_offset, in_size, out_offset, out_size] = frame.stack.pop();
    if !value.is_zero() {
        super::refuse_static(frame)?;
    }
    let to = word_address(&to);
    let call = Call {
        gas,
        code_address: to,
        address: to,
        caller: frame.message.address,
        value,
        kind: CallKind::Call,
        is_static: frame.message.is_static,
        input: (in_offset, in_size),
        output: (out_offset, out_size),
    };
    ask(frame, host, &call)
}

/// `callcode`: the callee's code on this account; the value stays here but must be there.
pub fn callcode(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let [gas, to, value, in_offset, in_size, out_offset, out_size] = frame.stack.pop();
    let here = frame.message.address;
    let call = Call {
        gas,
        code_address: word_address(&to),
        address: here,
        caller: here,
        value,
        kind: CallKind::CallCode,
        is_static: frame.message.is_static,
        input: (in_offset, in_size),
        output: (out_offset, out_size),
    };
    ask(frame, host, &call)
}

/// `delegatecall`: the callee's code on this account, for this frame's caller and with its value.
pub fn delegatecall(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let [gas, to, in_offset, in_size, out_offset, out_size] = frame.stack.pop();
    let call = Call {
        gas,
        code_address: word_address(&to),
        address: frame.message.address,
        caller: frame.message.caller,
        value: frame.message.value,
        kind: CallKind::DelegateCall,
        is_static: frame.message.is_static,
        input: (in_offset, in_size),
        output: (out_offset, out_size),
    };
    ask(frame, host, &call)
}

/// `staticcall`.
pub fn staticcall(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let [gas, to, in_offset, in_size, out_offset, out_size] = frame.stack.pop();
    let to = word_address(&to);
    let call = Call {
        gas,
        code_address: to,
        address: to,
        caller: frame.message.address,
        value: U256::ZERO,
        kind: CallKind::StaticCall,
        is_static: true,
        input: (in_offset, in_size),
        output: (out_offset, out_size),
    };
    ask(frame, host, &call)
}

/// Pays for the call, sets the callee's gas aside, and stops with the request.
fn ask(frame: &mut Frame, host: &mut dyn Host, call: &Call) -> Result<(), Exit> {
    let [input, output] = touch_all(frame, [call.input, call.output])?;
    let target = touch_account(frame, host, &call.code_address)?;
    let callee = callee(frame, host, &call.code_address, &target)?;
    let pays_value = call.kind.sends_value() && !call.value.is_zero();
    if pays_value {
        super::charge(frame, gas::CALL_VALUE)?;
        // Under CALLCODE the value goes to this account, which is alive.
        if call.address == call.code_address && target.is_empty() {
            super::charge(frame, gas::NEW_ACCOUNT)?;
        }
    }
    let most = gas::forwardable(frame.gas);
    let forwarded = u64::try_from(call.gas).map_or(most, |asked| asked.min(most));
    frame.gas -= forwarded;
    let input = match callee {
        Callee::Empty => Bytes::new(),
        Callee::Code(_) | Callee::Precompile(_) => Bytes::copy_from_slice(&frame.memory.bytes()[input]),
    };
    frame.return_data = Bytes::new();
    frame.request = Some(Request::Call(CallRequest {
        kind: call.kind,
        callee,
        code_address: call.code_address,
        address: call.address,
        caller: call.caller,
        value: call.value,
        input,
        gas: forwarded + if pays_value { gas::CALL_STIPEND } else { 0 },
        is_static: call.is_static,
        output: (output.start, output.len()),
    }));
    Err(Exit::Call)
}

/// What a call of the account runs: through its delegation if it is one, for which the target is paid (EIP-7702).
fn callee(
    frame: &mut Frame,
    host: &mut dyn Host,
    address: &Address,
    account: &AccountInfo,
) -> Result<Callee, Exit> {
    let fork = frame.spec.fork;
    let mut code = code_of(frame, host, account)?;
    if let Callee::Code(delegator) = &code
        && fork >= Fork::Prague
        && let Some(target) = delegator.delegation()
    {
        let target = touch_account(frame, host, &target)?;
        // Where the target is a precompiled contract this is empty code, and where it is a delegation, its bytes.
        return code_of(frame, host, &target);
    }
    if runs_without_code(&frame.spec, address) {
        code = Callee::Precompile(*address);
    }
    Ok(code)
}

fn code_of(frame: &mut Frame, host: &mut dyn Host, account: &AccountInfo) -> Result<Callee, Exit> {
    if !account.has_code() {
        return Ok(Callee::Empty);
    }
    let code = host.code(&account.code_hash);
    Ok(Callee::Code(host_result(frame, code)?))
}
