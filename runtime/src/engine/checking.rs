//! Which frames are checked, and what happens when compiled code differs. What a check is: [`check`](crate::check).

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::B256;

use super::tiering::Tiering;
use super::{Engine, Executor, Mode};
use crate::bytecode::Code;
use crate::call_stack::Active;
use crate::check::{
    Case, CaseFolder, CheckStats, Checking, Difference, FrameEnd, Over, Record, Report, difference, run_over,
};
use crate::compiled::frame::Frame;
use crate::host::{BlockEnv, TxEnv};
use crate::inspect::Inspector;
use crate::outcome::Exit;
use crate::state::Database;

/// The checks of an engine.
pub(super) struct Checks {
    options: Checking,
    /// Whether every frame is checked.
    is_every: bool,
    folder: Option<CaseFolder>,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    frames_checked: AtomicU64,
    frames_given_up: AtomicU64,
    differences: AtomicU64,
    cases_written: AtomicU64,
    cases_failed: AtomicU64,
}

/// Codes that are never compiled again.
#[derive(Default)]
pub(super) struct Bans {
    /// Whether there are any: one load where there are none.
    is_any: AtomicBool,
    hashes: Mutex<HashSet<B256>>,
}

/// Codes that may be banned. A compiler that is wrong about more of them is not asked again at all.
const BANS_MAX: usize = 4096;

impl Bans {
    /// Bans a code; whether it was not banned.
    pub(super) fn add(&self, code: &Code) -> bool {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = hashes.len() < BANS_MAX && hashes.insert(code.hash());
        self.is_any.store(true, Ordering::Release);
        is_new
    }

    pub(super) fn holds(&self, code: &Code) -> bool {
        if !self.is_any.load(Ordering::Acquire) {
            return false;
        }
        let hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.len() >= BANS_MAX || hashes.contains(&code.hash())
    }

    fn count(&self) -> u64 {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

/// An executor's part: when the next frame is picked.
#[derive(Default)]
pub(super) struct Sampler {
    /// Frames until the next one that is picked; 0: not drawn yet.
    frames_left: u64,
    /// State of the generator; 0: not seeded yet.
    random: u64,
}

impl Sampler {
    /// Whether the next frame is one of those that are picked at random.
    fn picks(&mut self, options: &Checking) -> bool {
        let Some(one_in) = options.one_in else { return false };
        if self.frames_left == 0 {
            self.frames_left = self.distance(u64::from(one_in.get()), options.seed);
        }
        self.frames_left -= 1;
        self.frames_left == 0
    }

    /// A distance to the next picked frame: uniform in 1 to 2n − 1, so n on average.
    fn distance(&mut self, n: u64, seed: Option<u64>) -> u64 {
        if self.random == 0 {
            self.random = seed.unwrap_or_else(|| RandomState::new().hash_one(0u64)) | 1;
        }
        // Marsaglia's xorshift64.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        1 + self.random % (2 * n - 1)
    }
}

impl Checks {
    /// `None` where the options check nothing.
    pub(super) fn new(mode: Mode, options: Option<Checking>) -> Option<Checks> {
        let is_every = mode == Mode::Check;
        let options = match options {
            Some(options) => options,
            None if is_every => Checking::new(),
            None => return None,
        };
        if !is_every && options.one_in.is_none() && options.first_runs == 0 {
            return None;
        }
        let folder = options.case_folder.clone();
        let folder = folder.map(|path| CaseFolder::new(path, options.case_files_max));
        Some(Checks { options, is_every, folder, counters: Counters::default() })
    }

    /// Frames of a code that must agree before its compiled code gives results.
    pub(super) fn first_runs(&self) -> u32 {
        if self.is_every { 0 } else { self.options.first_runs }
    }

    pub(super) fn stats(&self, bans: &Bans) -> CheckStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CheckStats {
            frames_checked: get(&self.counters.frames_checked),
            frames_given_up: get(&self.counters.frames_given_up),
            differences: get(&self.counters.differences),
            codes_banned: bans.count(),
            cases_written: get(&self.counters.cases_written),
            cases_failed: get(&self.counters.cases_failed),
        }
    }

    /// Writes a case and tells the embedder.
    fn report(&self, case: Case, code: &B256) {
        let add = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        add(&self.counters.differences);
        let file = self.folder.as_ref().and_then(|folder| folder.write(&case, code));
        match &file {
            Some(Ok(_)) => add(&self.counters.cases_written),
            Some(Err(_)) => add(&self.counters.cases_failed),
            None => 0,
        };
        if let Some(tell) = &self.options.on_difference {
            tell(&Report { case, file });
        }
    }
}

impl Engine {
    /// Never compiles or enters compiled code of `code` again; frames that are in it finish their run. Does nothing
    /// without a tier.
    pub fn ban(&self, code: &Arc<Code>) {
        if let Some(tiering) = &self.shared.tiering {
            tiering.ban(code);
        }
    }

    /// What cross-checking did so far.
    pub fn check_stats(&self) -> CheckStats {
        match (&self.shared.checks, &self.shared.tiering) {
            (Some(checks), Some(tiering)) => checks.stats(tiering.bans()),
            _ => CheckStats::default(),
        }
    }

    pub(crate) fn has_tier(&self) -> bool {
        self.shared.tiering.is_some()
    }

    /// Runs a frame of this engine's code in what is compiled of it, the rest in the interpreter.
    pub(crate) fn run_compiled(&self, frame: &mut Frame, host: &mut dyn crate::host::Host) -> Exit {
        super::tiering::run_trial(frame, host, &mut super::tiering::TierCounts::default())
    }
}

impl<D: Database, I: Inspector> Executor<D, I> {
    /// The record of a frame that is about to start, if it is to be checked.
    #[inline]
    pub(super) fn record_for(&mut self, code: &Arc<Code>, gas: u64) -> Option<Box<Record>> {
        if self.engine.shared.checks.is_some() { self.pick(code, gas) } else { None }
    }

    fn pick(&mut self, code: &Arc<Code>, gas: u64) -> Option<Box<Record>> {
        let wants_steps = self.wants_steps();
        let shared = &*self.engine.shared;
        let (checks, tiering) = (shared.checks.as_ref()?, shared.tiering.as_ref()?);
        let state = code.tier_state();
        if wants_steps || !state.claim(shared.id) {
            return None;
        }
        if matches!(shared.mode, Mode::Jit | Mode::Check) {
            tiering.compile_all(code);
        }
        state.prepared()?;
        let is_picked = checks.is_every || state.is_on_trial() || self.sampler.picks(&checks.options);
        is_picked.then(|| {
            let bytes_left = self.frames.record_bytes_left().unwrap_or(checks.options.record_bytes_max);
            Box::new(Record::new(gas, bytes_left))
        })
    }

    /// Runs a frame that has ended as compiled code, over its record, and compares; the blocks are those of this run.
    #[cold]
    pub(super) fn check(
        &mut self,
        active: &mut Active,
        exit: Exit,
        record: Record,
        (block, tx): (&BlockEnv, &TxEnv),
    ) {
        let shared = Arc::clone(&self.engine.shared);
        let (Some(checks), Some(tiering)) = (&shared.checks, &shared.tiering) else { return };
        if !record.is_whole() {
            checks.counters.frames_given_up.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let interpreted = &active.frame;
        let code = &interpreted.code;
        let message = interpreted.message.clone();
        let mut frame = self.frames.lend(Arc::clone(code), message, interpreted.spec, record.gas);
        frame.memory.set_limit(interpreted.memory.limit());
        frame.counts_operations = interpreted.counts_operations;
        let entries = self.tier_counts.entries();
        let over = Over::new(block, tx, &record.events);
        let counts = &mut self.tier_counts;
        let end = run_over(&mut frame, over, |frame, host| super::tiering::run_trial(frame, host, counts));
        checks.counters.frames_checked.fetch_add(1, Ordering::Relaxed);
        let questions = record.events.len();
        match difference((interpreted, exit, questions), (&frame, &end)) {
            None if self.tier_counts.entries() > entries => code.tier_state().pass_trial(),
            // Nothing compiled was reached, which says nothing about the code.
            None => {}
            Some(difference) => {
                tiering.ban(code);
                let compiled = FrameEnd::of(&frame, end.exit, end.questions);
                let ends = (FrameEnd::of(interpreted, exit, questions), compiled);
                let case = case_of(tiering, difference, interpreted, record, ends, (block, tx));
                checks.report(case, &code.hash());
            }
        }
        active.frame.blocks_interpreted = frame.blocks_interpreted;
        active.frame.blocks_compiled = frame.blocks_compiled;
        active.frame.operations = frame.operations;
        self.frames.give_back(frame);
    }
}

fn case_of(
    tiering: &Tiering,
    difference: Difference,
    frame: &Frame,
    record: Record,
    (interpreted, compiled): (FrameEnd, FrameEnd),
    (block, tx): (&BlockEnv, &TxEnv),
) -> Case {
    Case {
        compiler: tiering.describe(),
        difference,
        spec: frame.spec,
        memory_limit: frame.memory.limit(),
        block: block.clone(),
        tx: tx.clone(),
        message: frame.message.clone(),
        gas: record.gas,
        code: frame.code.raw().clone(),
        events: record.events,
        interpreted,
        compiled,
    }
}
