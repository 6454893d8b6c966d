//! Running one operation at a time, for inspectors that want to see each and for counting them: slow, and apart from
//! the run loop, which knows nothing of it.

use super::ops::{execute, runnable};
use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::compiled::tier::CompiledCode;
use crate::host::Host;
use crate::outcome::{Exit, Trap};
use crate::profile::RunBy;

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

/// Like [`run_counting`](super::run_counting), and counts operations and tells the frame's tracker of every block.
pub(crate) fn run_counting_operations(
    frame: &mut Frame,
    host: &mut dyn Host,
    compiled: Option<&dyn CompiledCode>,
) -> Exit {
    let mut behind = None;
    let exit = loop {
        let (pc, gas) = (frame.pc, frame.gas);
        let op = frame.code.encoding().op(frame.code.padded()[pc]);
        let is_head = op == Some(Op::JumpDest) || behind == Some(Op::JumpI);
        if is_head && behind.is_some() {
            // Who can't pay the head is not paused, but ends there.
            let is_pause = (1..=frame.pause_at).contains(&gas);
            if is_pause || compiled.is_some_and(|compiled| compiled.can_enter(pc)) {
                break Exit::Interpret;
            }
        }
        if is_head || behind.is_none() {
            frame.blocks_interpreted += 1;
            if let Some(tracker) = &mut frame.tracker {
                tracker.begin(pc, gas, RunBy::Interpreter);
            }
        }
        frame.operations.interpreted += 1;
        if let Err(exit) = step(frame, host) {
            if !matches!(exit, Exit::Call | Exit::Create) {
                frame.pc = pc;
            }
            break exit;
        }
        behind = op;
    };
    frame.note_left(exit);
    exit
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
