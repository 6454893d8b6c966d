//! Running one operation at a time, for inspectors that want to see each: slow, and apart from the run loop, which
//! knows nothing of it.

use super::ops::{execute, runnable};
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::{Exit, Trap};

/// Like [`run`](super::run), and calls [`Host::step`] before every operation.
pub fn run_stepping(frame: &mut Frame, host: &mut dyn Host) -> Exit {
    loop {
        host.step(frame);
        let pc = frame.pc;
        if let Err(exit) = step(frame, host) {
            // What was asked for comes back behind the operation; what ended the frame stays in sight.
            if !matches!(exit, Exit::Call | Exit::Create) {
                frame.pc = pc;
            }
            return exit;
        }
    }
}

fn step(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let pc = frame.pc;
    let padded = frame.code.padded();
    let (byte, immediate) = (padded[pc], padded[pc + 1]);
    let encoding = frame.code.encoding();
    let op = runnable(encoding, byte, &frame.spec).ok_or(Trap::InvalidOpcode)?;
    let (pops, pushes) = op.stack_effect(immediate);
    frame.stack.check(usize::from(pops), usize::from(pushes))?;
    frame.gas = frame.gas.checked_sub(op.info().gas).ok_or(Trap::OutOfGas)?;
    frame.pc = pc + encoding.instruction_len(byte);
    execute(op, pc, frame, host)
}
