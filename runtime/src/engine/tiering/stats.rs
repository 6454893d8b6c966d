//! What the tiers did: counters of an engine, and those of one executor that are added to them per run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::compiled::tier::Refusal;
use crate::outcome::Exit;

/// What the tiers of an engine did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierStats {
    /// Codes that the tier took on.
    pub codes_prepared: u64,
    /// Regions compiled.
    pub regions_compiled: u64,
    /// Of those, regions that were compiled a second time, with more effort.
    pub regions_improved: u64,
    /// Bytes of machine code made for regions, for the same region more than once where it was improved.
    pub code_bytes: u64,
    /// Regions that came compiled, from a store of the tier's.
    pub regions_loaded: u64,
    /// Wall time spent in the tier's compiler, over all threads.
    pub compile_time: Duration,
    /// Codes and regions refused because of a limit, or because they are banned on disk.
    pub refused: u64,
    /// Codes and regions at which the compiler failed.
    pub failed: u64,
    /// Panics of the compiler.
    pub panicked: u64,
    /// Requests that found the queue full.
    pub queue_full: u64,
    /// Changes from the interpreter into compiled code in the middle of a frame.
    pub entries_mid_run: u64,
    /// Why compiled code was left.
    pub exits: ExitCounts,
}

/// How often compiled code was left, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExitCounts {
    /// The frame ended without a trap.
    pub ended: u64,
    /// The frame ended in a trap.
    pub trapped: u64,
    /// The frame asked for a call or a creation.
    pub asked: u64,
    /// Control went to a block, or behind an operation, that is not compiled.
    pub not_compiled: u64,
    /// A compiled block left itself to the interpreter: its gas or stack would not do, or its height differs.
    pub handed_over: u64,
    /// The host failed, or the limit of memory was reached.
    pub host: u64,
}

impl ExitCounts {
    /// Counts an exit; `can_enter` tells whether there is compiled code at `pc`, where the frame stands.
    pub(super) fn note(&mut self, exit: Exit, can_enter: impl FnOnce(usize) -> bool, pc: usize) {
        let count = match exit {
            Exit::Halt | Exit::Return | Exit::Revert => &mut self.ended,
            Exit::Trap(_) => &mut self.trapped,
            Exit::Call | Exit::Create => &mut self.asked,
            Exit::Interpret if can_enter(pc) => &mut self.handed_over,
            Exit::Interpret => &mut self.not_compiled,
            Exit::HostError | Exit::MemoryLimit => &mut self.host,
        };
        *count += 1;
    }
}

/// What one executor counts without sharing anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct TierCounts {
    pub(super) entries_mid_run: u64,
    pub(super) exits: ExitCounts,
}

impl TierCounts {
    /// How often compiled code was entered and has stopped.
    pub(in crate::engine) fn entries(&self) -> u64 {
        let ExitCounts { ended, trapped, asked, not_compiled, handed_over, host } = self.exits;
        ended + trapped + asked + not_compiled + handed_over + host
    }
}

/// The counters of an engine.
#[derive(Default)]
pub(in crate::engine) struct Counters {
    codes_prepared: AtomicU64,
    regions_compiled: AtomicU64,
    regions_improved: AtomicU64,
    code_bytes: AtomicU64,
    regions_loaded: AtomicU64,
    compile_nanoseconds: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    queue_full: AtomicU64,
    entries_mid_run: AtomicU64,
    ended: AtomicU64,
    trapped: AtomicU64,
    asked: AtomicU64,
    not_compiled: AtomicU64,
    handed_over: AtomicU64,
    host: AtomicU64,
}

fn add(counter: &AtomicU64, more: u64) {
    // Most are zero most of the time, and the line is shared.
    if more > 0 {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

impl Counters {
    pub(super) fn read(&self) -> TierStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TierStats {
            codes_prepared: get(&self.codes_prepared),
            regions_compiled: get(&self.regions_compiled),
            regions_improved: get(&self.regions_improved),
            code_bytes: get(&self.code_bytes),
            regions_loaded: get(&self.regions_loaded),
            compile_time: Duration::from_nanos(get(&self.compile_nanoseconds)),
            refused: get(&self.refused),
            failed: get(&self.failed),
            panicked: get(&self.panicked),
            queue_full: get(&self.queue_full),
            entries_mid_run: get(&self.entries_mid_run),
            exits: ExitCounts {
                ended: get(&self.ended),
                trapped: get(&self.trapped),
                asked: get(&self.asked),
                not_compiled: get(&self.not_compiled),
                handed_over: get(&self.handed_over),
                host: get(&self.host),
            },
        }
    }

    pub(super) fn add(&self, counts: TierCounts) {
        let TierCounts { entries_mid_run, exits } = counts;
        let ExitCounts { ended, trapped, asked, not_compiled, handed_over, host } = exits;
        add(&self.entries_mid_run, entries_mid_run);
        add(&self.ended, ended);
        add(&self.trapped, trapped);
        add(&self.asked, asked);
        add(&self.not_compiled, not_compiled);
        add(&self.handed_over, handed_over);
        add(&self.host, host);
    }

    pub(super) fn note_prepared(&self, time: Duration, refusal: Option<&Refusal>) {
        self.note(time, refusal, &self.codes_prepared);
    }

    pub(super) fn note_region(&self, time: Duration, refusal: Option<&Refusal>, code_bytes: usize) {
        self.note(time, refusal, &self.regions_compiled);
        add(&self.code_bytes, code_bytes as u64);
    }

    pub(super) fn note_improved(&self, time: Duration, refusal: Option<&Refusal>, code_bytes: usize) {
        self.note(time, refusal, &self.regions_improved);
        add(&self.code_bytes, code_bytes as u64);
    }

    fn note(&self, time: Duration, refusal: Option<&Refusal>, success: &AtomicU64) {
        add(&self.compile_nanoseconds, time.as_nanos() as u64);
        add(
            match refusal {
                None => success,
                Some(Refusal::Limit | Refusal::Banned) => &self.refused,
                Some(Refusal::Failed) => &self.failed,
                Some(Refusal::Panicked) => &self.panicked,
            },
            1,
        );
    }

    pub(super) fn note_loaded(&self, regions: usize) {
        add(&self.regions_loaded, regions as u64);
    }

    pub(super) fn note_queue_full(&self) {
        add(&self.queue_full, 1);
    }

    pub(super) fn note_panic(&self) {
        add(&self.panicked, 1);
    }
}
