//! The one place that calls a code pointer: from a frame into compiled code, from region to region, and out.

use std::any::Any;
use std::mem::offset_of;

use zvm::compiled::frame::Frame;
use zvm::compiled::tier::CompiledCode;
use zvm::host::{Host, HostError};
use zvm::outcome::{Exit, STATUS_CONTINUE};

use crate::analysis::blocks::{BlockId, NO_BLOCK};
use crate::analysis::heights::Height;
use crate::builtins::{BuiltinTable, TABLE};
use crate::code_memory::CodeMemory;
use crate::compiler::CompileStats;

/// What compiled code is called with; it and the shims read it by [`context_offsets`].
#[repr(C)]
pub(crate) struct RunContext<'r> {
    table: &'static BuiltinTable,
    /// The frame that runs; valid and unshared for the whole call.
    pub(crate) frame: *mut Frame,
    /// Block at each body offset.
    jump_table: *const u32,
    /// Where to go on when a region returns [`STATUS_CONTINUE`].
    next_block: BlockId,
    /// The surroundings of the frame.
    pub(crate) host: &'r mut dyn Host,
}

/// Byte offsets in [`RunContext`].
pub(crate) mod context_offsets {
    use super::{RunContext, offset_of};

    pub(crate) const TABLE: usize = offset_of!(RunContext<'static>, table);
    pub(crate) const FRAME: usize = offset_of!(RunContext<'static>, frame);
    pub(crate) const JUMP_TABLE: usize = offset_of!(RunContext<'static>, jump_table);
    pub(crate) const NEXT_BLOCK: usize = offset_of!(RunContext<'static>, next_block);
}

/// The native function of a region: context and block to start at, to a status.
pub(crate) type RegionFn = unsafe extern "C" fn(*mut RunContext<'_>, BlockId) -> u32;

/// What the driver knows of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryPoint {
    /// Body offset.
    pub pc: u32,
    /// Number of the region in [`CodeMemory`].
    pub region: u32,
    /// Height that the translation relies on.
    pub height: Height,
    /// Whether the block can be entered from outside its chain.
    pub is_enterable: bool,
}

/// Native code of one contract.
pub struct CompiledContract {
    pub(crate) memory: CodeMemory,
    /// By number of block.
    pub(crate) entries: Vec<EntryPoint>,
    /// Block at each body offset that is a jump target, [`NO_BLOCK`] elsewhere.
    // Invariant: one element per byte of the body; compiled code indexes it after a bounds check by that size.
    pub(crate) jump_table: Vec<u32>,
    /// Block at each body offset where one starts.
    pub(crate) block_at: Vec<u32>,
    pub(crate) stats: CompileStats,
}

impl CompiledContract {
    /// Figures of the compilation.
    pub fn stats(&self) -> &CompileStats {
        &self.stats
    }

    fn block_to_enter(&self, pc: usize) -> Option<BlockId> {
        let block = *self.block_at.get(pc)?;
        (block != NO_BLOCK && self.entries[block as usize].is_enterable).then_some(block)
    }
}

impl CompiledCode for CompiledContract {
    fn can_enter(&self, pc: usize) -> bool {
        self.block_to_enter(pc).is_some()
    }

    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit {
        let Some(mut block) = self.block_to_enter(frame.pc) else { return Exit::Interpret };
        let frame: *mut Frame = frame;
        let mut context = RunContext {
            table: &TABLE,
            frame,
            jump_table: self.jump_table.as_ptr(),
            next_block: NO_BLOCK,
            host,
        };
        loop {
            let entry = self.entries[block as usize];
            // SAFETY: the pointer comes from the `&mut Frame` above, and no compiled code runs now.
            let state = unsafe { &mut *frame };
            let fits = match entry.height {
                Height::Known(height) => state.stack.len() == usize::from(height),
                Height::Unknown | Height::Unreached => true,
            };
            if !fits || !entry.is_enterable {
                state.pc = entry.pc as usize;
                return Exit::Interpret;
            }
            // SAFETY: `CodeMemory` holds code of this signature for each region and stays mapped while `self`
            // is borrowed; the context points to a frame that only this call uses; the block lies in the
            // region and its height is what the code relies on.
            let status = unsafe { (self.memory.region(entry.region))(&mut context, block) };
            if status == STATUS_CONTINUE {
                block = context.next_block;
                continue;
            }
            return Exit::from_status(status).unwrap_or_else(|| {
                // SAFETY: as above; the call has returned.
                let state = unsafe { &mut *frame };
                state.host_error = Some(HostError("compiled code returned an unknown status".into()));
                Exit::HostError
            });
        }
    }

    fn size_bytes(&self) -> usize {
        self.memory.size_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
