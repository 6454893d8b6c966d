//! The traits through which compiled code plugs in. `zvm` never names a compiler.
//!
//! A code is compiled region by region: [`Tier::prepare`] finds the regions, [`CompiledCode::compile_region`]
//! compiles one and makes its blocks enterable. Which regions are worth it, and on which thread they are compiled,
//! is decided by the [`engine`](crate::engine).

use super::frame::{Frame, Spec};
use crate::bytecode::Code;
use crate::host::Host;
use crate::outcome::Exit;

/// A compiler of code, as the engine sees it.
pub trait Tier: Send + Sync {
    /// Analyzes `code` for `spec`. Nothing is compiled yet.
    fn prepare(&self, code: &Code, spec: &Spec) -> Result<Box<dyn CompiledCode>, Refusal>;

    /// Its name, build and options, for reports.
    fn describe(&self) -> String {
        "a compiler without a name".to_owned()
    }

    /// Whether [`prepare`](Tier::prepare) would come with regions that need no compilation. Such code is prepared when
    /// it is first seen, hot or not.
    fn has_stored(&self, _code: &Code, _spec: &Spec) -> bool {
        false
    }

    /// Is told that its code for `code` gave a wrong result, which must not be kept for other engines either.
    fn ban(&self, _code: &Code, _spec: &Spec) {}
}

/// Why code or a region is not compiled. It is interpreted then, and not asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is larger, or would cost more, than the compiler's options allow.
    Limit,
    /// The compiler failed, or there was no memory for machine code.
    Failed,
    /// The compiler panicked.
    Panicked,
    /// What it compiled gave a wrong result once, and was [banned](Tier::ban).
    Banned,
}

/// How much work machine code is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Code that is there soon, to be replaced by better code when nothing is more urgent.
    Quick,
    /// The best code that the compiler makes.
    Full,
}

/// Native code of one [`Code`] for one [`Spec`], as far as it is compiled.
pub trait CompiledCode: Send + Sync {
    /// Number of regions.
    fn region_count(&self) -> usize {
        1
    }

    /// The region that the instruction at that body offset is in; `None` for code that nothing reaches.
    fn region_at(&self, _pc: usize) -> Option<usize> {
        Some(0)
    }

    /// Bytes of bytecode in a region.
    fn region_size(&self, _region: usize) -> usize {
        0
    }

    /// Compiles a region of `code`, the one that this was prepared for, and publishes it. May be called by several
    /// threads; compiling a region again with no more effort than before does nothing.
    fn compile_region(&self, _code: &Code, _region: usize, _effort: Effort) -> Result<(), Refusal> {
        Ok(())
    }

    /// Whether a region is compiled, and [`Effort::Full`] would make better code of it.
    fn is_improvable(&self, _region: usize) -> bool {
        false
    }

    /// Bytes of machine code of a region, the latest of it; 0 unless it is compiled, as it may be from the start where
    /// the tier had it stored.
    fn region_code_bytes(&self, _region: usize) -> usize {
        0
    }

    /// Whether compiled code can be entered at that body offset (a block head that was compiled).
    fn can_enter(&self, pc: usize) -> bool;

    /// Runs from `frame.pc`, which must be enterable, until the code ends or asks for something.
    ///
    /// With [`Exit::Interpret`], stack, memory, gas and pc in the frame are exactly those of the interpreter at
    /// that block head.
    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit;

    /// Bytes held for it, machine code and tables.
    fn size_bytes(&self) -> usize;

    /// For downcasts by tools that know the tier.
    fn as_any(&self) -> &dyn std::any::Any;
}
