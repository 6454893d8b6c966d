//! The one place that calls a code pointer: from a frame into compiled code, from region to region, and out.

use std::any::Any;
use std::mem::offset_of;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zvm::bytecode::Code;
use zvm::compiled::frame::Frame;
use zvm::compiled::publication::Slot;
use zvm::compiled::tier::{CompiledCode, Effort, Refusal};
use zvm::host::{Host, HostError};
use zvm::outcome::{Exit, STATUS_CONTINUE};

use crate::analysis::Analysis;
use crate::analysis::blocks::{BlockId, NO_BLOCK};
use crate::analysis::heights::Height;
use crate::builtins::{BuiltinTable, TABLE};
use crate::code_memory::RegionCode;
use crate::compiler::{self, CompileStats, CompiledRegion, Compiler};
use crate::disk_cache::Key;
use crate::error::JitError;

/// What compiled code is called with; it and the shims read it by [`context_offsets`].
#[repr(C)]
pub(crate) struct RunContext<'r> {
    table: &'static BuiltinTable,
    /// The frame that runs; valid and unshared for the whole call.
    pub(crate) frame: *mut Frame,
    /// Block at each body offset.
    jump_table: *const u32,
    /// By number of block, the code to enter it by; null where there is none yet.
    code_at: *const AtomicPtr<u8>,
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
    pub(crate) const CODE_AT: usize = offset_of!(RunContext<'static>, code_at);
    pub(crate) const NEXT_BLOCK: usize = offset_of!(RunContext<'static>, next_block);
}

/// The native function that enters regions: context, block to start at, code of its region, to a status.
type GateFn = unsafe extern "C" fn(*mut RunContext<'_>, BlockId, *const u8) -> u32;

/// What the driver knows of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryPoint {
    /// Body offset.
    pub pc: u32,
    /// Number of the region.
    pub region: u32,
    /// Height that the translation relies on.
    pub height: Height,
    /// Whether the block can be entered from outside its chain.
    pub is_enterable: bool,
}

/// Native code of one contract, region by region as they are compiled.
pub struct CompiledContract {
    pub(crate) compiler: Arc<Compiler>,
    /// What regions are compiled from; `None` when all are, with full effort.
    pub(crate) analysis: Mutex<Option<Arc<Analysis>>>,
    /// By number of block, in the order of their offsets.
    pub(crate) entries: Vec<EntryPoint>,
    /// Block at each body offset that is a jump target, [`NO_BLOCK`] elsewhere.
    // Invariant: one element per byte of the body; compiled code indexes it after a bounds check by that size.
    pub(crate) jump_table: Vec<u32>,
    /// Block at each body offset where one starts.
    pub(crate) block_at: Vec<u32>,
    /// By number of region.
    pub(crate) regions: Box<[RegionSlot]>,
    /// By number of block: the best code of its region so far, if there is some and it may be entered at the block.
    // Invariant: not null only where that code lies in `regions`, which hold it as long as this lives.
    pub(crate) code_at: Box<[AtomicPtr<u8>]>,
    pub(crate) counts: Counts,
    /// The key of the code on disk, if machine code is stored.
    pub(crate) key: Option<Key>,
}

/// A region: its places for code, empty until it is compiled.
#[derive(Default)]
pub(crate) struct RegionSlot {
    /// Code made with full effort.
    pub(crate) code: Slot<RegionCode>,
    /// Code made quickly; it stays when there is better code, since frames may run in it.
    pub(crate) quick: Slot<RegionCode>,
    /// Bytes of bytecode.
    pub(crate) size_bytes: usize,
}

/// What was compiled so far.
#[derive(Default)]
pub(crate) struct Counts {
    regions: AtomicUsize,
    code_bytes: AtomicUsize,
    page_bytes: AtomicUsize,
    nanoseconds: AtomicU64,
}

impl CompiledContract {
    /// Figures of what was compiled so far.
    pub fn stats(&self) -> CompileStats {
        CompileStats {
            regions: self.counts.regions.load(Ordering::Relaxed),
            blocks: self.entries.len(),
            code_bytes: self.counts.code_bytes.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.counts.nanoseconds.load(Ordering::Relaxed)),
        }
    }

    /// Adds to the time that [`CompileStats`] shows.
    pub(crate) fn add_time(&self, time: Duration) {
        self.counts.nanoseconds.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Compiles a region of `code`, unless it is compiled with as much effort.
    pub(crate) fn compile(&self, code: &Code, region: usize, effort: Effort) -> Result<(), JitError> {
        let effort = if self.compiler.is_quick_other() { effort } else { Effort::Full };
        let slot = &self.regions[region];
        let is_done = slot.code.get().is_some() || (effort == Effort::Quick && slot.quick.get().is_some());
        let analysis = self.analysis.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(analysis) = analysis.filter(|_| !is_done) else { return Ok(()) };
        let key = self.key.as_ref();
        let compiled = compiler::compile_region(&self.compiler, code, &analysis, region, effort, key)?;
        self.install(region, compiled, effort);
        Ok(())
    }

    /// Takes from disk what is there of this code.
    pub(crate) fn load_stored(&self, code: &Code) {
        let Some(key) = &self.key else { return };
        let analysis = self.analysis.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(analysis) = analysis else { return };
        for region in compiler::stored_regions(&self.compiler, key) {
            let region = region as usize;
            if region < self.regions.len()
                && let Some(loaded) = compiler::load_region(&self.compiler, code, key, &analysis, region)
            {
                self.install(region, loaded, Effort::Full);
            }
        }
    }

    /// Publishes a region.
    fn install(&self, region: usize, compiled: CompiledRegion, effort: Effort) {
        let RegionSlot { code, quick, .. } = &self.regions[region];
        let is_first = code.get().is_none() && quick.get().is_none();
        let slot = if effort == Effort::Full { code } else { quick };
        let published = slot.publish(Box::new(compiled.code));
        let start = published.start().cast_mut();
        for (entry, code_at) in self.entries.iter().zip(&self.code_at) {
            if entry.region as usize != region || !entry.is_enterable {
                continue;
            }
            match effort {
                Effort::Full => code_at.store(start, Ordering::Release),
                // An error: another thread was there first, with code that is no worse.
                Effort::Quick => {
                    let null = std::ptr::null_mut();
                    let _ = code_at.compare_exchange(null, start, Ordering::Release, Ordering::Relaxed);
                }
            }
        }
        self.add_time(compiled.time);
        self.counts.code_bytes.fetch_add(compiled.code_bytes, Ordering::Relaxed);
        self.counts.page_bytes.fetch_add(published.size_bytes(), Ordering::Relaxed);
        self.counts.regions.fetch_add(usize::from(is_first), Ordering::Relaxed);
        if effort == Effort::Full && self.regions.iter().all(|region| region.code.get().is_some()) {
            *self.analysis.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// The block to enter at a body offset, if it is compiled.
    #[inline]
    fn block_to_enter(&self, pc: usize) -> Option<BlockId> {
        let block = *self.block_at.get(pc)?;
        let code = self.code_at.get(block as usize)?;
        (!code.load(Ordering::Acquire).is_null()).then_some(block)
    }
}

impl CompiledCode for CompiledContract {
    fn region_count(&self) -> usize {
        self.regions.len()
    }

    fn region_at(&self, pc: usize) -> Option<usize> {
        let behind = self.entries.partition_point(|entry| entry.pc as usize <= pc);
        Some(self.entries[behind.checked_sub(1)?].region as usize)
    }

    fn region_size(&self, region: usize) -> usize {
        self.regions[region].size_bytes
    }

    fn compile_region(&self, code: &Code, region: usize, effort: Effort) -> Result<(), Refusal> {
        self.compile(code, region, effort).map_err(|error| error.refusal())
    }

    fn is_improvable(&self, region: usize) -> bool {
        let RegionSlot { code, quick, .. } = &self.regions[region];
        quick.get().is_some() && code.get().is_none()
    }

    fn region_code_bytes(&self, region: usize) -> usize {
        let RegionSlot { code, quick, .. } = &self.regions[region];
        code.get().or_else(|| quick.get()).map_or(0, RegionCode::code_bytes)
    }

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
            code_at: self.code_at.as_ptr(),
            next_block: NO_BLOCK,
            host,
        };
        // SAFETY: the compiler's gate has this signature and stays mapped as long as the compiler lives.
        let gate = unsafe { std::mem::transmute::<*const u8, GateFn>(self.compiler.gate.start()) };
        loop {
            let entry = self.entries[block as usize];
            // SAFETY: the pointer comes from the `&mut Frame` above, and no compiled code runs now.
            let state = unsafe { &mut *frame };
            let fits = match entry.height {
                Height::Known(height) => state.stack.len() == usize::from(height),
                Height::Unknown | Height::Unreached => true,
            };
            let code = self.code_at[block as usize].load(Ordering::Acquire);
            if code.is_null() || !fits {
                state.pc = entry.pc as usize;
                return Exit::Interpret;
            }
            // SAFETY: the code is a region's, of the signature that the gate calls, and stays mapped while `self` is
            // borrowed; the context points to a frame that only this call uses; the block lies in the region, whose
            // code relies on its height. From there on regions go to others only at heights that the analysis knows.
            let status = unsafe { gate(&mut context, block, code) };
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
        let tables = size_of_val(&self.entries[..])
            + size_of_val(&self.jump_table[..])
            + size_of_val(&self.block_at[..])
            + size_of_val(&self.regions[..])
            + size_of_val(&self.code_at[..]);
        let analysis = self.analysis.lock().unwrap_or_else(PoisonError::into_inner);
        let analysis = analysis.as_ref().map_or(0, |analysis| analysis.size_bytes());
        size_of::<CompiledContract>() + tables + analysis + self.counts.page_bytes.load(Ordering::Relaxed)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
