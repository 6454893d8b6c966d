//! The interpreter: the reference by which compiled code is judged.
//!
//! The run loops are in `dispatch.rs`, what operations do is in [`ops`].
//!
//! Order within an operation: stack, static gas, the immediate's legality, static rule, dynamic gas, effect.

mod dispatch;
pub mod memory;
pub mod ops;
pub mod stack;

use self::dispatch::{run_evm, run_zvm};
use crate::bytecode::Encoding;
use crate::compiled::frame::Frame;
use crate::compiled::tier::CompiledCode;
use crate::host::Host;
use crate::outcome::Exit;

/// Runs the frame from `frame.pc` until it ends or asks for something.
///
/// Afterwards stack, memory, gas and pc in the frame are exactly those of the program at that point.
pub fn run(frame: &mut Frame, host: &mut dyn Host) -> Exit {
    match frame.code.encoding() {
        Encoding::Zvm => run_zvm::<false>(frame, host, None),
        Encoding::Evm => run_evm::<false>(frame, host, None),
    }
}

/// Like [`run`]; counts basic blocks into `frame.blocks_interpreted` and stops with [`Exit::Interpret`] at a
/// block that `compiled` can enter.
///
/// A block starts at the entry, at each jump target reached, and where a `jumpi` falls through. At least one
/// block runs before the stop, so two tiers that hand over to each other always make progress.
pub fn run_counting(frame: &mut Frame, host: &mut dyn Host, compiled: Option<&dyn CompiledCode>) -> Exit {
    match frame.code.encoding() {
        Encoding::Zvm => run_zvm::<true>(frame, host, compiled),
        Encoding::Evm => run_evm::<true>(frame, host, compiled),
    }
}
