//! The interpreter: the reference by which compiled code is judged.
//!
//! The run loop is in `dispatch.rs`, what operations do is in [`ops`].
//!
//! Order within an operation: stack, static gas, the immediate's legality, static rule, dynamic gas, effect.

mod dispatch;
pub mod memory;
pub mod ops;
pub mod stack;
mod stepping;

pub(crate) use self::stepping::run_counting_operations;
pub use self::stepping::run_stepping;

use crate::compiled::frame::Frame;
use crate::compiled::tier::CompiledCode;
use crate::host::Host;
use crate::outcome::Exit;

/// Runs the frame from `frame.pc` until it ends or asks for something.
///
/// Afterwards stack, memory, gas and pc in the frame are exactly those of the program at that point.
pub fn run(frame: &mut Frame, host: &mut dyn Host) -> Exit {
    dispatch::run::<false>(frame, host, None)
}

/// Like [`run`]; counts basic blocks into `frame.blocks_interpreted` and stops with [`Exit::Interpret`] at a
/// block that `compiled` can enter.
///
/// A block starts at the entry, at each jump target reached, and where a `jumpi` falls through. At least one
/// block runs before the stop, so two tiers that hand over to each other always make progress.
pub fn run_counting(frame: &mut Frame, host: &mut dyn Host, compiled: Option<&dyn CompiledCode>) -> Exit {
    dispatch::run::<true>(frame, host, compiled)
}
