//! Which code is compiled, when, and on which thread; and how a frame changes between the tiers.
//!
//! Hotness is gas spent in the interpreter. A code that is hot enough is prepared, and of its regions the one that
//! was running is compiled; the others follow when they are hot themselves. A frame in a long loop is paused by
//! [`Frame::pause_at`], so that it too is seen to be hot, and goes on in compiled code at that very jump.
//!
//! The structures that threads share are in [`compiled`](crate::compiled); compiling is a [`Tier`]'s.

mod background;
mod stats;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use self::background::Background;
pub(super) use self::stats::TierCounts;
pub use self::stats::{ExitCounts, TierStats};

use super::Codes;
use super::checking::Bans;
use crate::bytecode::Code;
use crate::compiled::frame::{Frame, Spec};
use crate::compiled::publication::Stage;
use crate::compiled::state::{Prepared, TierState, Unit};
use crate::compiled::tier::{CompiledCode, Effort, Refusal, Tier};
use crate::host::Host;
use crate::interp;
use crate::outcome::Exit;

/// When [`Mode::Tiered`](super::Mode::Tiered) compiles: once the gas interpreted in a code, and from then on in a
/// region of it, reaches a threshold that grows with its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierUp {
    /// Gas for any code or region.
    pub gas_base: u64,
    /// Gas per byte of it.
    pub gas_per_byte: u64,
}

impl TierUp {
    /// For compilation on other threads: soon, because the interpreter goes on meanwhile.
    pub const BACKGROUND: TierUp = TierUp { gas_base: 10 * 1024, gas_per_byte: 32 };

    /// For compilation on the thread that runs the code: when interpreting has taken about as long as compiling
    /// will, so that no code takes more than about twice the time of the better tier.
    pub const INLINE: TierUp = TierUp { gas_base: 500_000, gas_per_byte: 15_000 };

    /// Gas that makes something of that size hot.
    pub fn threshold(&self, size_bytes: usize) -> u64 {
        self.gas_base.saturating_add(self.gas_per_byte.saturating_mul(size_bytes as u64))
    }
}

/// Where [`Mode::Tiered`](super::Mode::Tiered) compiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiling {
    /// On the thread that runs the code, which waits for it. No thread is started.
    Inline,
    /// On threads of the engine's own, which end when the engine is dropped. Where the system gives no thread,
    /// nothing is compiled. What is hot gets code that is made quickly, and better code once nothing hot waits.
    Background {
        /// Number of threads.
        threads: NonZeroUsize,
        /// Most requests that wait; where there are more, hot code asks again later.
        queue_max: usize,
        /// Whether whoever asks waits for the answer: for tests that must not depend on timing.
        is_blocking: bool,
    },
}

impl Compiling {
    /// One thread and a queue that no honest load fills.
    pub const ONE_THREAD: Compiling =
        Compiling::Background { threads: NonZeroUsize::MIN, queue_max: 1024, is_blocking: false };

    /// The threshold that fits.
    pub fn tier_up(&self) -> TierUp {
        match self {
            Compiling::Inline => TierUp::INLINE,
            Compiling::Background { .. } => TierUp::BACKGROUND,
        }
    }
}

/// Most gas that the interpreter spends in a run of code that may become hot.
const SLICE_MAX: u64 = 32 * 1024;
/// Least gas, so that pausing costs little next to running.
const SLICE_MIN: u64 = 1024;

/// The tier of an engine with what decides about its use.
pub(super) struct Tiering {
    compiler: Arc<Compiler>,
    policy: TierUp,
    background: Option<Background>,
    is_paused: AtomicBool,
}

/// What compiles: shared with the threads, which must not keep the engine alive.
pub(super) struct Compiler {
    tier: Arc<dyn Tier>,
    spec: Spec,
    codes: Arc<Codes>,
    bans: Bans,
    /// Checked frames that must agree after each compilation.
    first_runs: u32,
    pub(super) stats: stats::Counters,
}

impl Tiering {
    pub(super) fn new(
        tier: Arc<dyn Tier>,
        spec: Spec,
        codes: Arc<Codes>,
        policy: TierUp,
        compiling: Compiling,
        first_runs: u32,
    ) -> Tiering {
        let (bans, stats) = (Bans::default(), stats::Counters::default());
        let compiler = Arc::new(Compiler { tier, spec, codes, bans, first_runs, stats });
        let background = match compiling {
            Compiling::Inline => None,
            Compiling::Background { threads, queue_max, is_blocking } => {
                Some(Background::start(&compiler, threads, queue_max, is_blocking))
            }
        };
        Tiering { compiler, policy, background, is_paused: AtomicBool::new(false) }
    }

    pub(super) fn stats(&self) -> TierStats {
        self.compiler.stats.read()
    }

    pub(super) fn add_counts(&self, counts: &mut TierCounts) {
        self.compiler.stats.add(std::mem::take(counts));
    }

    pub(super) fn compile_all(&self, code: &Arc<Code>) {
        self.compiler.compile_all(code);
    }

    /// Takes what is stored of a code, if anything.
    pub(super) fn take_stored(&self, code: &Arc<Code>) {
        let Compiler { tier, spec, .. } = &*self.compiler;
        if tier.has_stored(code, spec) {
            self.compiler.prepare(code);
        }
    }

    /// The compiler in its own words.
    pub(super) fn describe(&self) -> String {
        self.compiler.tier.describe()
    }

    /// Codes that are never compiled again.
    pub(super) fn bans(&self) -> &Bans {
        &self.compiler.bans
    }

    /// Never compiles or enters a code again.
    pub(super) fn ban(&self, code: &Arc<Code>) {
        code.tier_state().ban();
        if self.compiler.bans.add(code) {
            self.compiler.tier.ban(code, &self.compiler.spec);
        }
    }

    pub(super) fn pause(&self) {
        self.is_paused.store(true, Ordering::Relaxed);
        if let Some(background) = &self.background {
            background.pause();
        }
    }

    pub(super) fn resume(&self) {
        self.is_paused.store(false, Ordering::Relaxed);
        if let Some(background) = &self.background {
            background.resume();
        }
    }

    pub(super) fn wait_until_idle(&self) {
        if let Some(background) = &self.background {
            background.wait_until_idle();
        }
    }

    /// Gas at which the interpreter is to pause, so that hot code is seen; 0: never.
    fn pause_at(&self, code: &Code, frame: &Frame) -> u64 {
        let state = code.tier_state();
        let slice = match state.unit.progress.stage() {
            // No tier will ever take over.
            Stage::Refused => return 0,
            Stage::Cold => {
                let threshold = self.policy.threshold(code.body().len());
                threshold.saturating_sub(state.unit.heat()).clamp(SLICE_MIN, SLICE_MAX)
            }
            Stage::Requested | Stage::Ready => SLICE_MAX,
        };
        frame.gas.saturating_sub(slice)
    }

    /// Notes that the interpreter spent `gas` from `pc` on; asks for a compilation where that was enough.
    fn note_interpreted(&self, code: &Arc<Code>, pc: usize, gas: u64) {
        let state = code.tier_state();
        let (unit, size) = match state.prepared() {
            None => (&state.unit, code.body().len()),
            Some(prepared) => match prepared.code.region_at(pc) {
                Some(region) => (&prepared.regions[region], prepared.code.region_size(region)),
                None => return,
            },
        };
        let stage = unit.progress.stage();
        if matches!(stage, Stage::Ready | Stage::Refused) {
            return;
        }
        // What waits for its compilation grows hotter still, which says what is compiled first.
        let is_hot = unit.add_heat(gas) >= self.policy.threshold(size);
        if stage == Stage::Cold
            && is_hot
            && !self.is_paused.load(Ordering::Relaxed)
            && unit.progress.request()
        {
            self.ask_for(code, unit, pc);
        }
    }

    /// Sees to the compilation of what `pc` is in; the caller has requested `unit`.
    fn ask_for(&self, code: &Arc<Code>, unit: &Unit, pc: usize) {
        match &self.background {
            None => {
                self.compiler.compile_at(code, pc, Effort::Full);
            }
            Some(background) => {
                if !background.ask(code, pc) {
                    unit.progress.withdraw();
                    self.compiler.stats.note_queue_full();
                }
            }
        }
    }
}

impl Compiler {
    /// Gas interpreted so far in what a request is about.
    fn heat_at(code: &Code, pc: usize) -> u64 {
        let state = code.tier_state();
        let region = |prepared: &Prepared| Some(prepared.regions.get(prepared.code.region_at(pc)?)?.heat());
        state.prepared().and_then(region).unwrap_or_else(|| state.unit.heat())
    }

    /// Gas interpreted in a region until it was compiled.
    fn heat_of(code: &Code, region: usize) -> u64 {
        let prepared = code.tier_state().prepared();
        prepared.and_then(|prepared| prepared.regions.get(region)).map_or(0, Unit::heat)
    }

    /// Compiles the region that the body offset is in; gives its number if better code could be made of it.
    fn compile_at(&self, code: &Arc<Code>, pc: usize, effort: Effort) -> Option<usize> {
        let prepared = self.prepare(code)?;
        let region = prepared.code.region_at(pc)?;
        let progress = &prepared.regions[region].progress;
        // Whoever asks for a region has requested it; whoever asked for the code has not.
        if progress.stage() == Stage::Requested || progress.request() {
            self.compile_region(code, prepared, region, effort);
        }
        prepared.code.is_improvable(region).then_some(region)
    }

    /// Makes better code of a region that is compiled.
    fn improve(&self, code: &Arc<Code>, region: usize) {
        // Nothing where the code was banned meanwhile.
        let Some(prepared) = code.tier_state().prepared() else { return };
        if !prepared.code.is_improvable(region) {
            return;
        }
        let start = Instant::now();
        code.tier_state().begin_trial(self.first_runs);
        let result = prepared.code.compile_region(code, region, Effort::Full);
        let code_bytes = prepared.code.region_code_bytes(region);
        self.stats.note_improved(start.elapsed(), result.as_ref().err(), code_bytes);
        self.codes.grown(&code.hash(), code);
    }

    /// Compiles all regions of a code, once.
    fn compile_all(&self, code: &Arc<Code>) {
        let state = code.tier_state();
        if state.is_complete() {
            return;
        }
        if let Some(prepared) = self.prepare(code) {
            // Others wait: they too may run the code only when it is compiled.
            let _compiling = state.preparing();
            for region in 0..prepared.regions.len() {
                if matches!(prepared.regions[region].progress.stage(), Stage::Cold | Stage::Requested) {
                    self.compile_region(code, prepared, region, Effort::Full);
                }
            }
        }
        state.set_complete();
    }

    /// What the tier makes of a code; `None` where it refuses.
    fn prepare<'c>(&self, code: &'c Arc<Code>) -> Option<&'c Prepared> {
        let state = code.tier_state();
        if let Some(prepared) = state.prepared() {
            return Some(prepared);
        }
        let _preparing = state.preparing();
        if let Some(prepared) = state.prepared() {
            return Some(prepared);
        }
        if state.unit.progress.stage() == Stage::Refused {
            return None;
        }
        if self.bans.holds(code) {
            state.ban();
            return None;
        }
        let start = Instant::now();
        let result = self.tier.prepare(code, &self.spec);
        self.stats.note_prepared(start.elapsed(), result.as_ref().err());
        match result {
            Ok(compiled) => {
                let is_compiled = |region: &usize| compiled.region_code_bytes(*region) > 0;
                let loaded: Vec<usize> = (0..compiled.region_count()).filter(is_compiled).collect();
                if !loaded.is_empty() {
                    state.begin_trial(self.first_runs);
                }
                let prepared = state.publish(compiled);
                for &region in &loaded {
                    prepared.regions[region].progress.finish(true);
                }
                self.stats.note_loaded(loaded.len());
                self.codes.grown(&code.hash(), code);
                Some(prepared)
            }
            Err(Refusal::Limit | Refusal::Failed | Refusal::Panicked | Refusal::Banned) => {
                state.unit.progress.finish(false);
                None
            }
        }
    }

    fn compile_region(&self, code: &Arc<Code>, prepared: &Prepared, region: usize, effort: Effort) {
        let start = Instant::now();
        code.tier_state().begin_trial(self.first_runs);
        let result = prepared.code.compile_region(code, region, effort);
        let code_bytes = prepared.code.region_code_bytes(region);
        self.stats.note_region(start.elapsed(), result.as_ref().err(), code_bytes);
        prepared.regions[region].progress.finish(result.is_ok());
        self.codes.grown(&code.hash(), code);
    }
}

/// How a frame is to be run.
#[derive(Clone, Copy)]
pub(super) enum Tiers<'t> {
    /// In the interpreter; whether blocks are counted.
    Interpreter(bool),
    /// In what is compiled at once, the rest in the interpreter.
    Compiled(&'t Tiering),
    /// In the interpreter until it is hot; whether blocks are counted.
    Mixed(&'t Tiering, bool),
}

/// Runs one frame until it ends or asks for something.
pub(super) fn run_frame(
    engine: u64,
    tiers: Tiers<'_>,
    frame: &mut Frame,
    host: &mut dyn Host,
    counts: &mut TierCounts,
) -> Exit {
    // Another engine's compiled code may be for other rules.
    let is_ours = frame.code.tier_state().claim(engine);
    match tiers {
        Tiers::Interpreter(is_counting) => interpret(frame, host, is_counting, None),
        Tiers::Compiled(_) | Tiers::Mixed(..) if !is_ours => interpret(frame, host, true, None),
        Tiers::Compiled(tiering) => {
            tiering.compile_all(&frame.code);
            alternate(None, true, false, frame, host, counts)
        }
        Tiers::Mixed(tiering, is_counting) => {
            alternate(Some(tiering), is_counting, false, frame, host, counts)
        }
    }
}

/// Runs a frame whose host writes down what it asks: in the interpreter.
pub(super) fn run_recorded(tiers: Tiers<'_>, frame: &mut Frame, host: &mut dyn Host) -> Exit {
    let is_counting = match tiers {
        Tiers::Interpreter(is_counting) | Tiers::Mixed(_, is_counting) => is_counting,
        Tiers::Compiled(_) => true,
    };
    interpret(frame, host, is_counting, None)
}

/// Runs a frame in what is compiled of its code, which the caller has claimed, even where it is on trial.
pub(super) fn run_trial(frame: &mut Frame, host: &mut dyn Host, counts: &mut TierCounts) -> Exit {
    alternate(None, true, true, frame, host, counts)
}

/// Runs a frame in the interpreter, up to a block that `compiled` can enter.
fn interpret(
    frame: &mut Frame,
    host: &mut dyn Host,
    is_counting: bool,
    compiled: Option<&dyn CompiledCode>,
) -> Exit {
    if frame.counts_operations {
        interp::run_counting_operations(frame, host, compiled)
    } else if is_counting || compiled.is_some() {
        interp::run_counting(frame, host, compiled)
    } else {
        interp::run(frame, host)
    }
}

/// Runs a frame in compiled code where there is some and in the interpreter elsewhere; what the interpreter spends
/// is told to `policy`. On trial, it enters also what others may not yet enter.
fn alternate(
    policy: Option<&Tiering>,
    is_counting: bool,
    is_trial: bool,
    frame: &mut Frame,
    host: &mut dyn Host,
    counts: &mut TierCounts,
) -> Exit {
    let code = Arc::clone(&frame.code);
    let state: &TierState = code.tier_state();
    let mut has_interpreted = false;
    loop {
        let prepared = state.prepared().filter(|_| is_trial || !state.is_on_trial());
        if let Some(Prepared { code: compiled, .. }) = prepared
            && compiled.can_enter(frame.pc)
        {
            counts.entries_mid_run += u64::from(has_interpreted);
            let exit = compiled.run(frame, host);
            frame.note_left(exit);
            counts.exits.note(exit, |pc| compiled.can_enter(pc), frame.pc);
            if exit != Exit::Interpret {
                return exit;
            }
        }
        has_interpreted = true;
        let (pc, gas) = (frame.pc, frame.gas);
        frame.pause_at = policy.map_or(0, |tiering| tiering.pause_at(&code, frame));
        let exit = interpret(frame, host, is_counting, prepared.map(|prepared| &*prepared.code));
        frame.pause_at = 0;
        if let Some(tiering) = policy {
            let spent = gas.saturating_sub(frame.gas).saturating_sub(frame.gas_set_aside());
            tiering.note_interpreted(&code, pc, spent);
        }
        if exit != Exit::Interpret {
            return exit;
        }
    }
}
