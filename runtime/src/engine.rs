//! The embedder's entry: an [`Engine`] with its rules and tiers, shared by threads, and an [`Executor`] per thread.
//!
//! The executor drives frames in a loop of its own: frames lie in a vector, a call
//! pushes one, and nothing recurses on the native stack. Transactions are in [`tx`](crate::tx).

mod builder;
mod driver;
mod messages;
mod session;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use alloy_primitives::{Address, B256, Bytes};

pub use self::builder::EngineBuilder;
pub use self::driver::Executor;
pub use self::messages::created_address;
pub use self::session::Session;

use crate::bytecode::Code;
use crate::compiled::frame::Spec;
use crate::compiled::tier::{CompiledCode, Tier};
use crate::host::{HostError, Log};
use crate::outcome::Exit;

/// Which tiers run code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The interpreter only.
    Interp,
    /// Code is compiled before its first run; what the tier refuses is interpreted.
    Jit,
    /// Code is compiled once enough gas was spent in it.
    Tiered,
    /// Every transaction runs interpreted and compiled, and any difference is an error.
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
    /// Basic blocks run by the interpreter, if counted.
    pub blocks_interpreted: u64,
    /// Basic blocks run by compiled code, if counted.
    pub blocks_compiled: u64,
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
    /// Interpreter and compiled code disagreed.
    #[error("the tiers disagree: {0}")]
    TiersDisagree(String),
}

/// A machine with fixed rules, shared by any number of executors.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    spec: Spec,
    mode: Mode,
    limits: Limits,
    count_blocks: bool,
    tier: Option<Arc<dyn Tier>>,
    tier_up: TierUp,
    /// Analyzed code by the hash of all bytes. One engine has one set of rules, so nothing else is in the key.
    codes: RwLock<HashMap<B256, Arc<Code>>>,
}

/// When [`Mode::Tiered`] compiles: once the gas spent in a code reaches a threshold that grows with its size,
/// so that making the engine compile costs about what compiling costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierUp {
    /// Gas for any code.
    pub gas_base: u64,
    /// Gas per byte of code.
    pub gas_per_byte: u64,
}

impl Default for TierUp {
    fn default() -> TierUp {
        TierUp { gas_base: 10 * 1024, gas_per_byte: 32 }
    }
}

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
        // A panic while the lock was held can't have left a half-made entry.
        if let Some(code) = self.shared.codes.read().unwrap_or_else(PoisonError::into_inner).get(hash) {
            return Ok(code.clone());
        }
        let code = Arc::new(Code::new(bytes()?, self.shared.spec.native_code));
        let mut codes = self.shared.codes.write().unwrap_or_else(PoisonError::into_inner);
        Ok(codes.entry(*hash).or_insert(code).clone())
    }

    /// Compiled code to run `code` with in `mode`; compiles it where the mode says so.
    fn compiled(&self, code: &Code, mode: Mode) -> Option<Arc<dyn CompiledCode>> {
        let tier = match mode {
            Mode::Interp => return None,
            Mode::Jit | Mode::Tiered | Mode::Check => self.shared.tier.as_ref()?,
        };
        let published = code.compiled(&self.shared.spec);
        if published.is_some() || mode == Mode::Tiered {
            return published;
        }
        let compiled = tier.compile(code, &self.shared.spec)?;
        code.publish(&self.shared.spec, compiled.clone());
        Some(compiled)
    }

    /// Notes gas spent in a code, and compiles it when that was enough.
    fn note_gas_spent(&self, code: &Code, gas: u64) {
        if self.shared.mode != Mode::Tiered {
            return;
        }
        let TierUp { gas_base, gas_per_byte } = self.shared.tier_up;
        let threshold = gas_base + gas_per_byte * code.body().len() as u64;
        let heat = code.add_heat(gas);
        // Once, when the threshold is crossed: a refusal is not asked for again.
        if heat >= threshold
            && heat.saturating_sub(gas) < threshold
            && let Some(tier) = &self.shared.tier
            && let Some(compiled) = tier.compile(code, &self.shared.spec)
        {
            code.publish(&self.shared.spec, compiled);
        }
    }
}
