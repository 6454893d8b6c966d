//! The traits through which compiled code plugs in. `zvm` never names a compiler.

use std::sync::Arc;

use super::frame::{Frame, Spec};
use crate::bytecode::Code;
use crate::host::Host;
use crate::outcome::Exit;

/// A compiler of code, as the engine sees it.
pub trait Tier: Send + Sync {
    /// Compiles `code` for `spec`; `None` means "interpret", and the reason is the tier's to remember.
    fn compile(&self, code: &Code, spec: &Spec) -> Option<Arc<dyn CompiledCode>>;
}

/// Native code of one [`Code`] for one [`Spec`].
pub trait CompiledCode: Send + Sync {
    /// Whether compiled code can be entered at that body offset (a block head that was compiled).
    fn can_enter(&self, pc: usize) -> bool;
    /// Runs from `frame.pc`, which must be enterable, until the code ends or asks for something.
    ///
    /// With [`Exit::Interpret`], stack, memory, gas and pc in the frame are exactly those of the interpreter at
    /// that block head.
    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit;
    /// Bytes of machine code.
    fn size_bytes(&self) -> usize;
    /// For downcasts by tools that know the tier.
    fn as_any(&self) -> &dyn std::any::Any;
}
