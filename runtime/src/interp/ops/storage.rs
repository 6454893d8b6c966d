//! Storage and transient storage.
//!
//! The cold price is charged before the host is asked: a frame that cannot pay it never reaches a database.

use alloy_primitives::U256;

use crate::compiled::frame::Frame;
use crate::gas;
use crate::host::{Host, HostError};
use crate::outcome::{Exit, Trap};

/// Turns the host's trouble into the exit that carries it.
pub(super) fn host_result<T>(frame: &mut Frame, result: Result<T, HostError>) -> Result<T, Exit> {
    result.map_err(|error| {
        frame.host_error = Some(error);
        Exit::HostError
    })
}

/// `sload`.
pub fn sload(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let key = *frame.stack.top_mut();
    *frame.stack.top_mut() = load(frame, host, &key)?;
    Ok(())
}

/// The word at `key` of the frame's account, paid for; `sload` without its operand's place.
pub fn load(frame: &mut Frame, host: &mut dyn Host, key: &U256) -> Result<U256, Exit> {
    let affordable = frame.gas >= gas::SLOT.cold;
    let read = host.sload(&frame.message.address, key, affordable);
    let read = host_result(frame, read)?.ok_or(Trap::OutOfGas)?;
    super::charge(frame, gas::SLOT.of(read.is_cold))?;
    Ok(read.value)
}

/// `sstore`.
pub fn sstore(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let [key, value] = frame.stack.pop();
    store(frame, host, &key, &value)
}

/// Writes `value` at `key` of the frame's account and pays; `sstore` without its operands' place.
pub fn store(frame: &mut Frame, host: &mut dyn Host, key: &U256, value: &U256) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    if frame.gas <= gas::SSTORE_SENTRY {
        return Err(Trap::OutOfGas.into());
    }
    let affordable = frame.gas >= gas::SSTORE_COLD;
    let write = host.sstore(&frame.message.address, key, value, affordable);
    let write = host_result(frame, write)?.ok_or(Trap::OutOfGas)?;
    let (cost, refund) = gas::sstore_cost(&write.original, &write.current, value);
    super::charge(frame, cost + if write.is_cold { gas::SSTORE_COLD } else { 0 })?;
    if refund != 0 {
        host.add_refund(refund);
    }
    Ok(())
}

/// `tload`.
pub fn tload(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let key = frame.stack.top_mut();
    *key = host.tload(&frame.message.address, key);
    Ok(())
}

/// `tstore`.
pub fn tstore(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [key, value] = frame.stack.pop();
    host.tstore(&frame.message.address, &key, &value);
    Ok(())
}
