//! Jumps and the ends of a frame.

use alloy_primitives::{Bytes, U256};

use crate::bytecode::Code;
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::Exit;

/// The body offset that a jump to `target` goes to, if that is a jump target.
#[inline(always)]
pub fn jump_target(code: &Code, target: &U256) -> Option<usize> {
    let [low, a, b, c] = *target.as_limbs();
    let offset = usize::try_from(low).ok()?;
    (a | b | c == 0 && code.is_jump_target(offset)).then_some(offset)
}

/// `return`.
pub fn r#return(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    take_output(frame)?;
    Err(Exit::Return)
}

/// `revert`.
pub fn revert(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    take_output(frame)?;
    Err(Exit::Revert)
}

fn take_output(frame: &mut Frame) -> Result<(), Exit> {
    let [offset, size] = frame.stack.pop();
    let range = super::memory::touch(frame, &offset, &size)?;
    frame.output = Bytes::copy_from_slice(&frame.memory.bytes()[range]);
    Ok(())
}

/// `assert`: a fault if the condition is zero.
pub fn assert(frame: &mut Frame, _: &mut dyn Host, code: u8) -> Result<(), Exit> {
    let [condition] = frame.stack.pop();
    if condition.is_zero() { Err(super::fault(frame, code)) } else { Ok(()) }
}

/// `panic`.
pub fn panic(frame: &mut Frame, _: &mut dyn Host, code: u8) -> Result<(), Exit> {
    Err(super::fault(frame, code))
}
