//! Native code for the ZVM, by Cranelift.
//!
//! [`Jit`] compiles a [`Code`] to a [`CompiledContract`] and implements the machine's
//! [`Tier`]: an embedder hands it to the engine, and `zvm` never names it. The way of a contract: [`analysis`]
//! finds blocks, heights and regions; [`translate`] writes one native function per region; [`code_memory`] makes it
//! executable; [`entry`] calls it; [`builtins`] is what it calls back.
//!
//! Anything that goes wrong here means "interpret": compiling returns a [`JitError`] and never panics, and compiled
//! code leaves to the interpreter wherever charging ahead could show.

mod analysis;
mod builtins;
mod code_memory;
mod compiler;
mod entry;
mod error;
mod options;
mod translate;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cranelift_codegen::isa::OwnedTargetIsa;
use zvm::bytecode::Code;
use zvm::compiled::frame::Spec;
use zvm::compiled::tier::{CompiledCode, Tier};

pub use compiler::{CompileStats, Dump};
pub use entry::CompiledContract;
pub use error::JitError;
pub use options::{JitOptions, OptLevel, Perturbation};
pub use translate::{Lowering, lowering};

/// A compiler with its options.
pub struct Jit {
    options: JitOptions,
    isa: OwnedTargetIsa,
    failures: AtomicU64,
}

impl Jit {
    /// A compiler for this machine.
    pub fn new(options: JitOptions) -> Result<Jit, JitError> {
        let isa = compiler::target(&options)?;
        Ok(Jit { options, isa, failures: AtomicU64::new(0) })
    }

    /// The options it was made with.
    pub fn options(&self) -> &JitOptions {
        &self.options
    }

    /// Compiles `code` as it runs under `spec`.
    pub fn compile(&self, code: &Code, spec: &Spec) -> Result<CompiledContract, JitError> {
        let result = compiler::compile(code, spec, &self.options, &self.isa);
        if result.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// Compilations that failed so far.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// What becomes of `code`, region by region, as text.
    pub fn dump(&self, code: &Code, spec: &Spec, form: Dump) -> Result<String, JitError> {
        compiler::dump(code, spec, &self.options, &self.isa, form)
    }
}

impl Tier for Jit {
    fn compile(&self, code: &Code, spec: &Spec) -> Option<Arc<dyn CompiledCode>> {
        match Jit::compile(self, code, spec) {
            Ok(compiled) => Some(Arc::new(compiled)),
            Err(_) => None,
        }
    }
}
