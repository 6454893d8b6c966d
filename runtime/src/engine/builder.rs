//! Choosing the rules, tiers and limits of an engine.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::{Engine, Limits, Mode, Shared, TierUp};
use crate::compiled::frame::Spec;
use crate::compiled::tier::Tier;
use crate::fork::Fork;

/// Builds an [`Engine`].
#[derive(Clone)]
pub struct EngineBuilder {
    spec: Spec,
    mode: Mode,
    limits: Limits,
    count_blocks: bool,
    tier: Option<Arc<dyn Tier>>,
    tier_up: TierUp,
}

impl EngineBuilder {
    pub(super) fn new() -> EngineBuilder {
        EngineBuilder {
            spec: Spec { fork: Fork::LATEST, native_code: true, hedera: false },
            mode: Mode::Interp,
            limits: Limits::default(),
            count_blocks: false,
            tier: None,
            tier_up: TierUp::default(),
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

    /// When [`Mode::Tiered`] compiles.
    pub fn tier_up(mut self, tier_up: TierUp) -> EngineBuilder {
        self.tier_up = tier_up;
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

    /// The engine.
    pub fn build(self) -> Engine {
        Engine {
            shared: Arc::new(Shared {
                spec: self.spec,
                mode: self.mode,
                limits: self.limits,
                count_blocks: self.count_blocks,
                tier: self.tier,
                tier_up: self.tier_up,
                codes: RwLock::new(HashMap::new()),
            }),
        }
    }
}
