//! The embedder's entry: an [`Engine`] with its rules and tiers, shared by threads, and an [`Executor`] per thread.
//!
//! The executor drives frames in a loop of its own: frames lie in a vector, a call
//! pushes one, and nothing recurses on the native stack. Transactions are in [`tx`](crate::tx).

mod builder;
mod changes;
mod checking;
mod driver;
mod load;
mod messages;
mod session;
mod tiering;

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};

pub use self::builder::EngineBuilder;
pub use self::driver::Executor;
pub use self::load::{Deployment, LoadError};
pub use self::messages::created_address;
pub use self::session::Session;
pub use self::tiering::{Compiling, ExitCounts, TierStats, TierUp};

use crate::bytecode::Code;
use crate::compiled::cache::{CacheStats, CodeCache};
use crate::compiled::frame::Spec;
use crate::compiled::tier::CompiledCode;
use crate::host::{HostError, Log};
use crate::outcome::Exit;
use crate::profile::{CodeProfile, Operations, Profiles};
use crate::state::hash::WordHasherBuilder;
use checking::Checks;
use tiering::{Tiering, Tiers};

/// Which tiers run code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The interpreter only.
    Interp,
    /// Code is compiled before its first run; what the tier refuses is interpreted.
    Jit,
    /// Code is compiled once enough gas was interpreted in it, also while it runs.
    Tiered,
    /// Code is compiled before its first run, every frame runs interpreted and compiled, and the interpreter's
    /// result counts: see [`check`](crate::check). A difference is told as [`Checking`](crate::check::Checking)
    /// says.
    Check,
}

/// Limits beyond those of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory over all frames of a transaction.
    pub memory_bytes: usize,
    /// Whether a transaction's gas limit is capped at 2^24 from Osaka on (EIP-7825).
    pub transaction_gas_cap: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory_bytes: crate::interp::memory::Memory::LIMIT_DEFAULT, transaction_gas_cap: true }
    }
}

/// What a run of a top frame gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionResult {
    /// How the frame ended: `Halt`, `Return`, `Revert` or `Trap`.
    pub exit: Exit,
    /// Gas left; 0 after a trap.
    pub gas_left: u64,
    /// Refund counter, not capped; 0 unless the frame succeeded.
    pub refund: i64,
    /// Return data.
    pub output: Bytes,
    /// Log entries; none unless the frame succeeded.
    pub logs: Vec<Log>,
    /// Basic blocks run by the interpreter, if counted; of a frame that was checked, those of the compiled run.
    pub blocks_interpreted: u64,
    /// Basic blocks run by compiled code, if counted, those of checks included.
    pub blocks_compiled: u64,
    /// Operations run, if the engine [profiles](crate::profile::Profiling).
    pub operations: Operations,
}

impl ExecutionResult {
    /// Whether the effects were kept.
    pub fn is_success(&self) -> bool {
        matches!(self.exit, Exit::Halt | Exit::Return)
    }
}

/// Why there is no outcome. The state is as before.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The host failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The frames together needed more memory than the engine allows.
    #[error("the transaction needed more than {limit} bytes of memory, which this engine does not give")]
    MemoryLimit {
        /// Bytes allowed.
        limit: usize,
    },
    /// A precompiled contract was called that this build does not have.
    #[error("{0} is a precompiled contract, and this build of zvm has none (feature `precompiles`)")]
    NoPrecompile(Address),
}

/// A machine with fixed rules, shared by any number of executors.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    /// Unlike that of any other engine.
    id: u64,
    spec: Spec,
    mode: Mode,
    limits: Limits,
    count_blocks: bool,
    tiering: Option<Tiering>,
    counts_operations: bool,
    profiles: Option<Profiles>,
    checks: Option<Checks>,
    codes: Arc<Codes>,
}

/// Analyzed code by the hash of all bytes. One engine has one set of rules, so nothing else is in the key; what is
/// compiled hangs on the code.
type Codes = CodeCache<B256, Code, WordHasherBuilder>;

impl Engine {
    /// A builder with the newest fork, native code, the interpreter and default limits.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    /// The rules.
    pub fn spec(&self) -> &Spec {
        &self.shared.spec
    }

    /// Which tiers run.
    pub fn mode(&self) -> Mode {
        self.shared.mode
    }

    /// Limits beyond those of the rules.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The analyzed form of code with that hash; `bytes` is asked for only if the engine does not know it.
    pub fn code(
        &self,
        hash: &B256,
        bytes: impl FnOnce() -> Result<Bytes, HostError>,
    ) -> Result<Arc<Code>, HostError> {
        if let Some(code) = self.shared.codes.get(hash) {
            return Ok(code);
        }
        let code = Arc::new(Code::new(bytes()?, self.shared.spec.native_code));
        code.tier_state().claim(self.shared.id);
        let code = self.shared.codes.insert(*hash, code);
        if let (Mode::Tiered, Some(tiering)) = (self.shared.mode, &self.shared.tiering) {
            tiering.take_stored(&code);
        }
        Ok(code)
    }

    /// Compiles all of a code now, on this thread, and returns true if that was still to be done. Not in
    /// [`Mode::Interp`] nor without a tier.
    pub fn compile(&self, code: &Arc<Code>) -> bool {
        let Some(tiering) = &self.shared.tiering else { return false };
        let state = code.tier_state();
        if !state.claim(self.shared.id) || state.is_complete() {
            return false;
        }
        tiering.compile_all(code);
        state.prepared().is_some()
    }

    /// What is compiled of a code for this engine, if anything.
    pub fn compiled<'c>(&self, code: &'c Code) -> Option<&'c dyn CompiledCode> {
        let state = code.tier_state();
        let prepared = if state.claim(self.shared.id) { state.prepared() } else { None };
        prepared.map(|prepared| &*prepared.code)
    }

    /// What the tiers did so far. An executor's part is added when a top frame has ended.
    pub fn tier_stats(&self) -> TierStats {
        self.shared.tiering.as_ref().map(Tiering::stats).unwrap_or_default()
    }

    /// What was counted of the code with that hash, of all its bytes; `None` where the engine does not
    /// [profile](crate::profile::Profiling) or the code has not run.
    pub fn profile(&self, hash: &B256) -> Option<Arc<CodeProfile>> {
        self.shared.profiles.as_ref()?.get(hash)
    }

    /// What the cache of codes holds and has let go.
    pub fn cache_stats(&self) -> CacheStats {
        self.shared.codes.stats()
    }

    /// Starts no further compilation in [`Mode::Tiered`] until [`Engine::resume_compiling`]; what is compiled
    /// stays in use, and what has become hot meanwhile is compiled afterwards.
    pub fn pause_compiling(&self) {
        if let Some(tiering) = &self.shared.tiering {
            tiering.pause();
        }
    }

    /// Ends [`Engine::pause_compiling`].
    pub fn resume_compiling(&self) {
        if let Some(tiering) = &self.shared.tiering {
            tiering.resume();
        }
    }

    /// Waits until no compilation is queued or running; while paused, until none is running.
    pub fn wait_for_compiler(&self) {
        if let Some(tiering) = &self.shared.tiering {
            tiering.wait_until_idle();
        }
    }

    /// The code to run in place of `code`, which an embedder brought: a copy where the compiled code of another
    /// engine hangs on it.
    fn adopt(&self, code: Arc<Code>) -> Arc<Code> {
        if self.shared.tiering.is_none() || code.tier_state().claim(self.shared.id) {
            return code;
        }
        match self.code(&code.hash(), || Ok(code.raw().clone())) {
            Ok(own) if own.encoding() == code.encoding() => own,
            // Analyzed by other rules than this engine's: it is interpreted.
            _ => code,
        }
    }

    /// How frames are run.
    fn tiers(&self) -> Tiers<'_> {
        let Shared { mode, count_blocks, tiering, .. } = &*self.shared;
        match (mode, tiering) {
            (Mode::Interp, _) | (_, None) => Tiers::Interpreter(*count_blocks),
            (Mode::Jit | Mode::Check, Some(tiering)) => Tiers::Compiled(tiering),
            (Mode::Tiered, Some(tiering)) => Tiers::Mixed(tiering, *count_blocks),
        }
    }
}
