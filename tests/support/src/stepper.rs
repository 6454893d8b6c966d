//! Runs a program one operation at a time through [`zvm::interp::ops::execute`], in the order that the machine's
//! specification gives for one operation.
//!
//! The run loop of the interpreter is derived from the same handlers but checks stacks and gas in its own, faster
//! way; this one is judged by eye and checks that loop.

use zvm::compiled::frame::Frame;
use zvm::host::Host;
use zvm::interp::ops;
use zvm::outcome::{Exit, Trap};

/// Runs the frame from `frame.pc` to its end.
pub fn run(frame: &mut Frame, host: &mut dyn Host) -> Exit {
    loop {
        if let Err(exit) = step(frame, host) {
            return exit;
        }
    }
}

fn step(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let pc = frame.pc;
    let code = frame.code.clone();
    let Some(&byte) = code.body().get(pc) else { return Err(Exit::Halt) };
    let immediate = code.body().get(pc + 1).copied().unwrap_or(0);
    let op = ops::runnable(code.encoding(), byte, &frame.spec).ok_or(Trap::InvalidOpcode)?;

    let (needs, leaves) = op.stack_effect(immediate);
    frame.stack.check(usize::from(needs), usize::from(leaves))?;
    frame.gas = frame.gas.checked_sub(op.info().gas).ok_or(Trap::OutOfGas)?;
    // A jump replaces this.
    frame.pc = pc + code.encoding().instruction_len(byte);
    ops::execute(op, pc, frame, host)
}
