//! Following one frame from block to block, whichever tier runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{CodeProfile, Span};
use crate::outcome::Exit;

/// Who runs a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RunBy {
    /// The interpreter.
    Interpreter,
    /// Compiled code.
    Compiled,
}

/// Follows one frame: which block is under way, and what it cost so far.
#[derive(Debug)]
pub struct Tracker {
    profile: Arc<CodeProfile>,
    is_timed: bool,
    /// The block under way.
    block: Option<usize>,
    /// Who runs it.
    by: RunBy,
    /// Gas left when it began.
    gas: u64,
    /// When it began or was gone on with, if times are measured.
    since: Option<Instant>,
}

impl Tracker {
    pub(super) fn new(profile: Arc<CodeProfile>, is_timed: bool) -> Tracker {
        Tracker { profile, is_timed, block: None, by: RunBy::Interpreter, gas: 0, since: None }
    }

    /// Notes that a tier runs from here, with that much gas left: the block that begins here, or the rest of the one
    /// under way.
    pub fn begin(&mut self, pc: usize, gas: u64, by: RunBy) {
        if let Some(block) = self.profile.layout.index(pc) {
            self.end_block(gas);
            add(&self.profile.counters[block].executions[by as usize], 1);
            self.block = Some(block);
            self.gas = gas;
        }
        self.by = by;
        // Read last, so that the time of this call is in no block.
        self.since = self.is_timed.then(Instant::now);
    }

    /// Notes that a tier stopped running the frame at `pc`, with that much gas left or set aside for a call.
    pub(crate) fn leave(&mut self, exit: Exit, pc: usize, gas: u64) {
        let Some(block) = self.block else { return };
        let Span { start, end, .. } = self.profile.layout.blocks[block];
        let is_interrupted = exit == Exit::Interpret;
        // Whoever jumps back to the head of a block has paid for the way.
        if is_interrupted && pc == start as usize && gas == self.gas {
            // It was left before it ran, and whoever goes on begins it.
            self.profile.counters[block].executions[self.by as usize].fetch_sub(1, Ordering::Relaxed);
            self.block = None;
        } else if is_interrupted && (start as usize..end as usize).contains(&pc) && pc != start as usize {
            self.book_time(block);
        } else if matches!(exit, Exit::Trap(_)) {
            self.block = None;
        } else {
            self.end_block(gas);
        }
        self.since = None;
    }

    /// Books what the block under way has taken.
    fn end_block(&mut self, gas_left: u64) {
        if let Some(block) = self.block.take() {
            add(&self.profile.counters[block].gas, self.gas.saturating_sub(gas_left));
            self.book_time(block);
        }
    }

    fn book_time(&self, block: usize) {
        if let Some(since) = self.since {
            let nanoseconds = since.elapsed().as_nanos() as u64;
            add(&self.profile.counters[block].nanoseconds[self.by as usize], nanoseconds);
        }
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
