//! Creations: what one costs, and the request with which the frame stops.

use alloy_primitives::{Bytes, U256};

use super::memory::{charge_words, touch};
use crate::bytecode::Op;
use crate::call_stack::{CreateRequest, Request};
use crate::compiled::frame::Frame;
use crate::gas;
use crate::host::Host;
use crate::outcome::{Exit, Trap};

/// `create`.
pub fn create(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [value, offset, size] = frame.stack.pop();
    ask(frame, Op::Create, value, &offset, &size, None)
}

/// `create2` (EIP-1014).
pub fn create2(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [value, offset, size, salt] = frame.stack.pop();
    ask(frame, Op::Create2, value, &offset, &size, Some(salt))
}

/// Pays for the creation, sets the init code's gas aside, and stops with the request.
fn ask(
    frame: &mut Frame,
    op: Op,
    value: U256,
    offset: &U256,
    size: &U256,
    salt: Option<U256>,
) -> Result<(), Exit> {
    if *size > U256::from(gas::INIT_CODE_SIZE_MAX) {
        return Err(Trap::OutOfGas.into());
    }
    charge_words(frame, op, size)?;
    let range = touch(frame, offset, size)?;
    let init_code = Bytes::copy_from_slice(&frame.memory.bytes()[range]);
    let gas = gas::forwardable(frame.gas);
    frame.gas -= gas;
    frame.return_data = Bytes::new();
    let creator = frame.message.address;
    frame.request = Some(Request::Create(CreateRequest { creator, value, init_code, salt, gas }));
    Err(Exit::Create)
}
