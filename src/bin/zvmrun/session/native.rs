//! Native code behind the feature `jit`. The two halves of this file have the same interface.

#[cfg(feature = "jit")]
pub(crate) use with_jit::{Native, disturbed_tiers, regions, tier};
#[cfg(not(feature = "jit"))]
pub(crate) use without_jit::{Native, disturbed_tiers, tier};

#[cfg(feature = "jit")]
mod with_jit {
    use std::num::NonZeroU32;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Instant;

    use alloy_primitives::Bytes;
    use serde_json::{Value, json};
    use zvm::bytecode::Code;
    use zvm::compiled::frame::Spec;
    use zvm::compiled::tier::Tier;
    use zvm::engine::{Compiling, EngineBuilder, Mode as EngineMode};
    use zvm_jit::{DiskCache, DiskCacheLimits, Jit, JitError, JitOptions, PerfMap, Perturbation, RegionDump};

    use crate::dump;
    use crate::failure::Failure;
    use crate::flags::{DumpForm, Mode};
    use crate::session::Extras;
    use crate::status::Status;

    /// Longest code that is compiled in state tests, which put code in place that nobody could deploy.
    const TESTED_CODE_SIZE_MAX: usize = 1 << 17;

    /// The JIT as state tests use it.
    pub(crate) fn tier() -> Result<Arc<dyn Tier>, Failure> {
        let options = JitOptions { code_size_max: TESTED_CODE_SIZE_MAX, ..options(Perturbation::NONE) };
        Ok(Arc::new(start(options)?))
    }

    /// The same, but entered midway; and entered midway at other blocks, with some left to the interpreter.
    pub(crate) fn disturbed_tiers() -> Result<Vec<Arc<dyn Tier>>, Failure> {
        let entered = Perturbation { enter_seed: Some(1), ..Perturbation::NONE };
        let left = Perturbation { enter_seed: Some(2), exit_every: NonZeroU32::new(5), ..Perturbation::NONE };
        Ok(vec![Arc::new(start(options(entered))?), Arc::new(start(options(left))?)])
    }

    /// Production code that counts its blocks.
    fn options(perturbation: Perturbation) -> JitOptions {
        JitOptions { count_blocks: true, perturbation, ..JitOptions::production() }
    }

    /// What becomes of code in production, without counters, or why the JIT refuses it.
    pub(crate) fn regions(code: &Code, spec: &Spec) -> Result<Result<Vec<RegionDump>, JitError>, Failure> {
        Ok(start(JitOptions::production())?.dump(code, spec))
    }

    fn open_cache(path: &Path) -> Result<DiskCache, Failure> {
        DiskCache::open(path, DiskCacheLimits::default()).map_err(|error| {
            Failure::new(Status::File, error.to_string())
                .at("--code-cache")
                .help("name a folder of your own that nobody else can write to, or one to be made")
        })
    }

    fn start(options: JitOptions) -> Result<Jit, Failure> {
        Jit::new(options).map_err(no_machine)
    }

    fn no_machine(error: JitError) -> Failure {
        let message = format!("native code does not work on this machine: {error}");
        Failure::new(Status::NoJit, message).help("run it in the interpreter: --interp, --tier interp")
    }

    /// The JIT, if the mode uses it.
    pub(crate) struct Native(Option<Arc<Jit>>);

    impl Native {
        /// Starts the JIT. Where that fails, only a mode that needs it fails.
        pub(crate) fn new(mode: Mode, extras: &Extras) -> Result<Native, Failure> {
            if mode == Mode::Interp {
                return Ok(Native(None));
            }
            let map = extras.perf_map.then(PerfMap::create).transpose().map_err(|error| {
                Failure::new(Status::File, format!("--perf-map: the file cannot be made: {error}"))
            })?;
            let cache = extras.code_cache.as_deref().map(open_cache).transpose()?;
            match Jit::with(options(Perturbation::NONE), map, cache).map_err(no_machine) {
                Ok(jit) => Ok(Native(Some(Arc::new(jit)))),
                Err(failure) if failure.status == Status::NoJit && !mode.needs_jit() => Ok(Native(None)),
                Err(failure) => Err(failure),
            }
        }

        /// The JIT whose code measures its blocks.
        pub(crate) fn that_profiles() -> Result<Native, Failure> {
            let jit = start(JitOptions { profile: true, ..options(Perturbation::NONE) })?;
            Ok(Native(Some(Arc::new(jit))))
        }

        /// What becomes of code, as text and JSON.
        pub(crate) fn dump(
            &self,
            code: &Code,
            spec: &Spec,
            forms: &[DumpForm],
        ) -> Result<(String, Value), Failure> {
            Ok(match regions(code, spec)? {
                Ok(regions) => (dump::text(&regions, forms), dump::json(&regions, forms)),
                Err(error) => (format!("\nnot compiled: {error}\n"), json!([{ "error": error.to_string() }])),
            })
        }

        /// Why the map for a profiler is not complete.
        pub(crate) fn perf_map_failure(&self) -> Option<String> {
            let failure = self.0.as_ref()?.perf_map()?.failure()?;
            Some(format!("--perf-map: {failure}"))
        }

        /// An engine that compiles code which has spent much gas, on a thread of its own.
        pub(crate) fn tiered(&self, builder: EngineBuilder) -> EngineBuilder {
            self.with_mode(builder, EngineMode::Tiered).compiling(Compiling::ONE_THREAD)
        }

        /// An engine that compiles code before its first run.
        pub(crate) fn at_once(&self, builder: EngineBuilder) -> EngineBuilder {
            self.with_mode(builder, EngineMode::Jit)
        }

        fn with_mode(&self, builder: EngineBuilder, mode: EngineMode) -> EngineBuilder {
            match &self.0 {
                Some(jit) => builder.mode(mode).tier(jit.clone()),
                None => builder,
            }
        }

        /// An engine that runs every frame in both tiers.
        pub(crate) fn checked(&self, builder: EngineBuilder) -> EngineBuilder {
            self.with_mode(builder, EngineMode::Check)
        }

        /// What went wrong with the folder of stored code, if anything did.
        pub(crate) fn cache_problem(&self) -> Option<String> {
            let stats = self.0.as_ref()?.disk_cache_stats()?;
            let (rejected, failed) = (stats.rejected, stats.failed);
            let problem = stats.first_problem?;
            Some(format!("code cache: {rejected} files rejected, {failed} not written; the first: {problem}"))
        }

        /// Compiles all of a code; what became of it, in words.
        pub(crate) fn compile(&self, code: &Bytes, spec: &Spec) -> Result<String, String> {
            let Some(jit) = &self.0 else { return Err("the JIT is off".into()) };
            let start = Instant::now();
            let contract = jit.compile(&Code::new(code.clone(), spec.native_code), spec);
            let contract = contract.map_err(|error| error.to_string())?;
            let (stats, stored) = (contract.stats(), jit.disk_cache_stats().unwrap_or_default());
            if stored.failed > 0 {
                return Err(stored.first_problem.unwrap_or_default());
            }
            Ok(format!(
                "{} blocks in {} regions, {} bytes of machine code: {} compiled and stored, {} there already; {:.1} ms",
                stats.blocks,
                stats.regions,
                stats.code_bytes,
                stored.stored,
                stored.loaded,
                start.elapsed().as_secs_f64() * 1e3
            ))
        }

        /// Why code does not run as native code.
        pub(crate) fn why_not(&self, code: &Bytes, spec: &Spec) -> String {
            let Some(jit) = &self.0 else { return "the JIT is off".into() };
            match jit.compile(&Code::new(code.clone(), spec.native_code), spec) {
                Err(error) => format!("the JIT refused the code: {error}"),
                Ok(_) => "the code compiles, but nothing that was compiled was reached".into(),
            }
        }
    }
}

#[cfg(not(feature = "jit"))]
mod without_jit {
    use std::sync::Arc;

    use alloy_primitives::Bytes;
    use serde_json::Value;
    use zvm::bytecode::Code;
    use zvm::compiled::frame::Spec;
    use zvm::compiled::tier::Tier;
    use zvm::engine::EngineBuilder;

    use crate::failure::Failure;
    use crate::flags::{DumpForm, Mode};
    use crate::session::Extras;
    use crate::status::Status;

    /// There is no JIT.
    pub(crate) fn tier() -> Result<Arc<dyn Tier>, Failure> {
        Err(absent("this needs native code"))
    }

    /// There is no JIT.
    pub(crate) fn disturbed_tiers() -> Result<Vec<Arc<dyn Tier>>, Failure> {
        tier().map(|tier| vec![tier])
    }

    fn absent(what: &str) -> Failure {
        Failure::new(Status::NoJit, format!("{what}, but this zvmrun was built without it"))
            .help("build it with the feature `jit`, which is on by default")
    }

    /// No JIT.
    pub(crate) struct Native;

    impl Native {
        /// Refuses what needs native code.
        pub(crate) fn new(mode: Mode, extras: &Extras) -> Result<Native, Failure> {
            match (mode.needs_jit(), extras.perf_map, extras.code_cache.is_some()) {
                (true, _, _) => Err(absent(&format!("--{} needs native code", mode.name()))),
                (_, true, _) => Err(absent("--perf-map needs native code")),
                (_, _, true) => Err(absent("--code-cache needs native code")),
                _ => Ok(Native),
            }
        }

        /// There is nothing to show.
        pub(crate) fn dump(&self, _: &Code, _: &Spec, _: &[DumpForm]) -> Result<(String, Value), Failure> {
            Err(absent("--dump needs native code"))
        }

        /// No map.
        pub(crate) fn perf_map_failure(&self) -> Option<String> {
            None
        }

        /// The interpreter.
        pub(crate) fn tiered(&self, builder: EngineBuilder) -> EngineBuilder {
            builder
        }

        /// The interpreter; no mode comes here.
        pub(crate) fn at_once(&self, builder: EngineBuilder) -> EngineBuilder {
            builder
        }

        /// The interpreter; no mode comes here.
        pub(crate) fn checked(&self, builder: EngineBuilder) -> EngineBuilder {
            builder
        }

        /// There is no folder.
        pub(crate) fn cache_problem(&self) -> Option<String> {
            None
        }

        /// There is no JIT.
        pub(crate) fn compile(&self, _: &Bytes, _: &Spec) -> Result<String, String> {
            Err("there is no JIT".into())
        }

        /// Why code does not run as native code.
        pub(crate) fn why_not(&self, _: &Bytes, _: &Spec) -> String {
            "this zvmrun was built without the feature `jit`".into()
        }
    }
}
