//! Native code behind the feature `jit`. The two halves of this file have the same interface.

#[cfg(feature = "jit")]
pub(crate) use with_jit::{Native, disturbed_tiers, tier};
#[cfg(not(feature = "jit"))]
pub(crate) use without_jit::{Native, disturbed_tiers, tier};

#[cfg(feature = "jit")]
mod with_jit {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use alloy_primitives::Bytes;
    use zvm::bytecode::Code;
    use zvm::compiled::frame::Spec;
    use zvm::compiled::tier::Tier;
    use zvm::engine::{Compiling, EngineBuilder, Mode as EngineMode};
    use zvm_jit::{Jit, JitOptions, Perturbation};

    use crate::failure::Failure;
    use crate::flags::Mode;
    use crate::status::Status;

    /// The JIT as state tests use it.
    pub(crate) fn tier() -> Result<Arc<dyn Tier>, Failure> {
        Ok(Arc::new(start(Perturbation::NONE)?))
    }

    /// The same, but entered midway; and entered midway at other blocks, with some left to the interpreter.
    pub(crate) fn disturbed_tiers() -> Result<Vec<Arc<dyn Tier>>, Failure> {
        let entered = Perturbation { enter_seed: Some(1), ..Perturbation::NONE };
        let left = Perturbation { enter_seed: Some(2), exit_every: NonZeroU32::new(5), ..Perturbation::NONE };
        Ok(vec![Arc::new(start(entered)?), Arc::new(start(left)?)])
    }

    /// Production code that counts its blocks.
    fn start(perturbation: Perturbation) -> Result<Jit, Failure> {
        let options = JitOptions { count_blocks: true, perturbation, ..JitOptions::production() };
        Jit::new(options).map_err(|error| {
            let message = format!("native code does not work on this machine: {error}");
            Failure::new(Status::NoJit, message).help("run it in the interpreter: --interp, --tier interp")
        })
    }

    /// The JIT, if the mode uses it.
    pub(crate) struct Native(Option<Arc<Jit>>);

    impl Native {
        /// Starts the JIT. Where that fails, only a mode that needs it fails.
        pub(crate) fn new(mode: Mode) -> Result<Native, Failure> {
            if mode == Mode::Interp {
                return Ok(Native(None));
            }
            match start(Perturbation::NONE) {
                Ok(jit) => Ok(Native(Some(Arc::new(jit)))),
                Err(_) if !mode.needs_jit() => Ok(Native(None)),
                Err(failure) => Err(failure),
            }
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
    use zvm::bytecode::Code;
    use zvm::compiled::frame::Spec;
    use zvm::compiled::tier::Tier;
    use zvm::engine::EngineBuilder;

    use crate::failure::Failure;
    use crate::flags::Mode;
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
        pub(crate) fn new(mode: Mode) -> Result<Native, Failure> {
            if !mode.needs_jit() {
                return Ok(Native);
            }
            Err(absent(&format!("--{} needs native code", mode.name())))
        }

        /// The interpreter.
        pub(crate) fn tiered(&self, builder: EngineBuilder) -> EngineBuilder {
            builder
        }

        /// The interpreter; no mode comes here.
        pub(crate) fn at_once(&self, builder: EngineBuilder) -> EngineBuilder {
            builder
        }

        /// Why code does not run as native code.
        pub(crate) fn why_not(&self, _: &Bytes, _: &Spec) -> String {
            "this zvmrun was built without the feature `jit`".into()
        }
    }
}
