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
mod disk_cache;
mod dump;
mod entry;
mod error;
mod options;
mod perf_map;
mod translate;

use std::sync::Arc;

use compiler::Compiler;
use zvm::bytecode::Code;
use zvm::compiled::frame::Spec;
use zvm::compiled::tier::{CompiledCode, Effort, Refusal, Tier};

pub use code_memory::CodeMemoryStats;
pub use compiler::CompileStats;
pub use disk_cache::{DiskCache, DiskCacheError, DiskCacheLimits, DiskCacheStats};
pub use dump::{BlockDump, DumpLine, FunctionDump, RegionDump};
pub use entry::CompiledContract;
pub use error::JitError;
pub use options::{JitOptions, Mistake, OptLevel, Perturbation};
pub use perf_map::PerfMap;
pub use translate::{Lowering, lowering};

/// A compiler with its options, and the memory of what it compiled.
pub struct Jit {
    compiler: Arc<Compiler>,
}

impl Jit {
    /// A compiler for this machine.
    pub fn new(options: JitOptions) -> Result<Jit, JitError> {
        Jit::with(options, None, None)
    }

    /// A compiler for this machine that takes machine code from a folder and stores there what it compiles.
    pub fn with_disk_cache(options: JitOptions, cache: DiskCache) -> Result<Jit, JitError> {
        Jit::with(options, None, Some(cache))
    }

    /// A compiler that names what it compiles in a map, and keeps it in a folder, where these are given.
    pub fn with(
        options: JitOptions,
        map: Option<PerfMap>,
        cache: Option<DiskCache>,
    ) -> Result<Jit, JitError> {
        Ok(Jit { compiler: Arc::new(Compiler::new(options, map, cache)?) })
    }

    /// What was read and written on disk; `None` without a folder.
    pub fn disk_cache_stats(&self) -> Option<DiskCacheStats> {
        self.compiler.disk_cache().map(DiskCache::stats)
    }

    /// The same; what it compiles is named in `map`.
    pub fn with_perf_map(options: JitOptions, map: PerfMap) -> Result<Jit, JitError> {
        Jit::with(options, Some(map), None)
    }

    /// The map in which it names what it compiles.
    pub fn perf_map(&self) -> Option<&PerfMap> {
        self.compiler.perf_map.as_ref()
    }

    /// The options it was made with.
    pub fn options(&self) -> &JitOptions {
        &self.compiler.options
    }

    /// Analyzes `code` as it runs under `spec`; its regions are compiled one by one later.
    pub fn prepare(&self, code: &Code, spec: &Spec) -> Result<CompiledContract, JitError> {
        compiler::prepare(&self.compiler, code, spec)
    }

    /// Compiles all of `code` as it runs under `spec`.
    pub fn compile(&self, code: &Code, spec: &Spec) -> Result<CompiledContract, JitError> {
        let contract = self.prepare(code, spec)?;
        for region in 0..contract.regions.len() {
            contract.compile(code, region, Effort::Full)?;
        }
        Ok(contract)
    }

    /// What the machine code of contracts takes up now; the compiler's own gate is not in it.
    pub fn code_memory(&self) -> CodeMemoryStats {
        let CodeMemoryStats { used_bytes, mapped_bytes } = self.compiler.arena.stats();
        CodeMemoryStats { used_bytes: used_bytes - self.compiler.gate.size_bytes(), mapped_bytes }
    }

    /// What becomes of `code`, region by region, for people to look at. Nothing is published.
    pub fn dump(&self, code: &Code, spec: &Spec) -> Result<Vec<RegionDump>, JitError> {
        dump::dump(&self.compiler, code, spec)
    }
}

impl Tier for Jit {
    fn prepare(&self, code: &Code, spec: &Spec) -> Result<Box<dyn CompiledCode>, Refusal> {
        match Jit::prepare(self, code, spec) {
            Ok(contract) => Ok(Box::new(contract)),
            Err(error) => Err(error.refusal()),
        }
    }

    fn describe(&self) -> String {
        self.compiler.name.clone()
    }

    fn has_stored(&self, code: &Code, spec: &Spec) -> bool {
        self.compiler.has_stored(code, spec)
    }

    fn ban(&self, code: &Code, spec: &Spec) {
        self.compiler.ban(code, spec);
    }
}
