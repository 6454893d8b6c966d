//! Choosing the rules, tiers and limits of an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::checking::Checks;
use super::tiering::Tiering;
use super::{Codes, Compiling, Engine, Limits, Mode, Shared, TierUp};
use crate::check::Checking;
use crate::compiled::cache::CacheLimits;
use crate::compiled::frame::Spec;
use crate::compiled::tier::Tier;
use crate::fork::Fork;
use crate::profile::{Profiles, Profiling};

/// Builds an [`Engine`].
#[derive(Clone)]
pub struct EngineBuilder {
    spec: Spec,
    mode: Mode,
    limits: Limits,
    count_blocks: bool,
    profiling: Profiling,
    tier: Option<Arc<dyn Tier>>,
    tier_up: Option<TierUp>,
    compiling: Compiling,
    code_cache: CacheLimits,
    checking: Option<Checking>,
}

impl EngineBuilder {
    pub(super) fn new() -> EngineBuilder {
        EngineBuilder {
            spec: Spec { fork: Fork::LATEST, native_code: true, hedera: false },
            mode: Mode::Interp,
            limits: Limits::default(),
            count_blocks: false,
            profiling: Profiling::Off,
            tier: None,
            tier_up: None,
            compiling: Compiling::Inline,
            code_cache: CacheLimits::default(),
            checking: None,
        }
    }

    /// Fork of every block this engine runs.
    pub fn fork(mut self, fork: Fork) -> EngineBuilder {
        self.spec.fork = fork;
        self
    }

    /// Whether `EF 5A 01` marks native code; off for pure Ethereum.
    pub fn native_code(mut self, native_code: bool) -> EngineBuilder {
        self.spec.native_code = native_code;
        self
    }

    /// Whether Hedera's services are offered; by default they are not, and their operations are invalid.
    pub fn hedera(mut self, hedera: bool) -> EngineBuilder {
        self.spec.hedera = hedera;
        self
    }

    /// Which tiers run code. All but [`Mode::Interp`] need a [`tier`](EngineBuilder::tier) to compile anything.
    pub fn mode(mut self, mode: Mode) -> EngineBuilder {
        self.mode = mode;
        self
    }

    /// The compiler.
    pub fn tier(mut self, tier: Arc<dyn Tier>) -> EngineBuilder {
        self.tier = Some(tier);
        self
    }

    /// When [`Mode::Tiered`] compiles; by default what suits [`compiling`](EngineBuilder::compiling).
    pub fn tier_up(mut self, tier_up: TierUp) -> EngineBuilder {
        self.tier_up = Some(tier_up);
        self
    }

    /// Where [`Mode::Tiered`] compiles; by default [`Compiling::Inline`], which starts no thread.
    pub fn compiling(mut self, compiling: Compiling) -> EngineBuilder {
        self.compiling = compiling;
        self
    }

    /// How many bytes of analyzed and of compiled code are kept for later frames.
    pub fn code_cache(mut self, limits: CacheLimits) -> EngineBuilder {
        self.code_cache = limits;
        self
    }

    /// Which frames are cross-checked, and what becomes of a difference; by default none in any mode but
    /// [`Mode::Check`].
    pub fn checking(mut self, checking: Checking) -> EngineBuilder {
        self.checking = Some(checking);
        self
    }

    /// Limits beyond those of the rules.
    pub fn limits(mut self, limits: Limits) -> EngineBuilder {
        self.limits = limits;
        self
    }

    /// Whether interpreted blocks are counted, which costs the interpreter a little.
    pub fn count_blocks(mut self, count_blocks: bool) -> EngineBuilder {
        self.count_blocks = count_blocks;
        self
    }

    /// What is counted of every code that runs; by default nothing. Frames that an inspector sees step by step are
    /// left out.
    pub fn profiling(mut self, profiling: Profiling) -> EngineBuilder {
        self.profiling = profiling;
        self
    }

    /// The engine. Starts the threads that [`compiling`](EngineBuilder::compiling) asks for.
    pub fn build(self) -> Engine {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let EngineBuilder {
            spec,
            mode,
            limits,
            count_blocks,
            profiling,
            tier,
            tier_up,
            compiling,
            code_cache,
            checking,
        } = self;
        let counts_operations = profiling != Profiling::Off;
        let profiles = Profiles::new(profiling);
        let codes = Arc::new(Codes::new(code_cache));
        let checks = Checks::new(mode, checking);
        let first_runs = checks.as_ref().map_or(0, Checks::first_runs);
        let policy = tier_up.unwrap_or_else(|| compiling.tier_up());
        // Only one mode compiles in the background.
        let compiling = if mode == Mode::Tiered { compiling } else { Compiling::Inline };
        let tiering = match mode {
            Mode::Interp => None,
            Mode::Jit | Mode::Tiered | Mode::Check => {
                tier.map(|tier| Tiering::new(tier, spec, Arc::clone(&codes), policy, compiling, first_runs))
            }
        };
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Engine {
            shared: Arc::new(Shared {
                id,
                spec,
                mode,
                limits,
                count_blocks,
                tiering,
                checks,
                counts_operations,
                profiles,
                codes,
            }),
        }
    }
}
