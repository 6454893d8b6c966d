//! Our machine in every way that executions need, made once and used again.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use testkit::observe::Observed;
use testkit::tiers;
use zvm::compiled::cache::CacheLimits;
use zvm::compiled::frame::Frame;
use zvm::engine::{EngineBuilder, TierUp};
use zvm::inspect::Inspector;
use zvm::outcome::Exit;
use zvm::{Engine, Executor, Fork, Mode};
use zvm_jit::Jit;
#[cfg(feature = "canary")]
use zvm_jit::{JitOptions, Perturbation};

use crate::execution::Subject;
use crate::gate::{Control, Gate, GatedTier};
use crate::seen::Seen;
use crate::variant::Variant;
use crate::world::{Source, World, block};

/// Rules that an engine is made for: fork, and whether native code has a meaning.
type Rules = (Fork, bool);

/// Interpreters and compilers for all rules and variants, over one world at a time.
#[derive(Default)]
pub struct Machines {
    source: Source,
    references: HashMap<Rules, Executor<Source>>,
    steppers: HashMap<Rules, Executor<Source, Steps>>,
    compiled: HashMap<(Variant, Rules), Compiled>,
    jits: HashMap<Variant, Arc<Jit>>,
    #[cfg(feature = "canary")]
    mistake: Option<zvm_jit::Mistake>,
}

/// An engine of a variant.
struct Compiled {
    executor: Executor<Source>,
    control: Arc<Control>,
}

/// What a transaction gave, and who ran it.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What can be seen.
    pub seen: Seen,
    /// How the top frame ended.
    pub exit: Exit,
    /// Gas that the top frame used, before refunds.
    pub exec_gas: u64,
    /// Blocks that ran in compiled code.
    pub blocks_compiled: u64,
    /// Blocks that the interpreter ran.
    pub blocks_interpreted: u64,
}

/// Counts operations, and notes the gas before those of the outermost frame.
#[derive(Clone, Debug, Default)]
struct Steps {
    operations: u64,
    gas: Vec<u64>,
}

/// Most operations whose gas is noted.
const GAS_NOTED_MAX: usize = 4096;

impl Inspector for Steps {
    fn wants_steps(&self) -> bool {
        true
    }

    fn step(&mut self, frame: &Frame) {
        self.operations += 1;
        if frame.message.depth == 0 && self.gas.len() < GAS_NOTED_MAX {
            self.gas.push(frame.gas);
        }
    }
}

impl Machines {
    /// Machines whose compiler makes a mistake.
    #[cfg(feature = "canary")]
    pub fn making(mistake: zvm_jit::Mistake) -> Machines {
        Machines { mistake: Some(mistake), ..Machines::default() }
    }

    /// Shows every machine another world.
    pub fn show(&mut self, world: Rc<World>) {
        self.source.show(world);
    }

    /// Runs the subject's transaction interpreted.
    pub fn reference(&mut self, subject: &Subject) -> Result<Ran, String> {
        let rules = rules(subject);
        let source = &self.source;
        let executor = self
            .references
            .entry(rules)
            .or_insert_with(|| Executor::new(builder(rules).mode(Mode::Interp).build(), source.clone()));
        transact(executor, subject)
    }

    /// Runs the subject's transaction interpreted, operation by operation; also gives the number of operations, and
    /// the gas before each of the outermost frame, as far as it is noted.
    pub fn stepwise(&mut self, subject: &Subject) -> Result<(Ran, u64, Vec<u64>), String> {
        let rules = rules(subject);
        let source = &self.source;
        let executor = self.steppers.entry(rules).or_insert_with(|| {
            let engine = builder(rules).mode(Mode::Interp).build();
            Executor::with_inspector(engine, source.clone(), Steps::default())
        });
        *executor.inspector_mut() = Steps::default();
        let ran = transact(executor, subject)?;
        let Steps { operations, gas } = std::mem::take(executor.inspector_mut());
        Ok((ran, operations, gas))
    }

    /// Runs the subject's transaction in compiled code behind a gate.
    pub fn compiled(&mut self, subject: &Subject, variant: &Variant, gate: Gate) -> Result<Ran, String> {
        let Compiled { executor, control } = self.machine(variant, rules(subject))?;
        control.set(gate);
        let ran = transact(executor, subject)?;
        if control.take_failure() { Err("the compiler failed".to_owned()) } else { Ok(ran) }
    }

    /// Runs the program as a single frame in compiled code behind a gate; also gives the share of blocks.
    pub fn frame(
        &mut self,
        subject: &Subject,
        variant: &Variant,
        gate: Gate,
    ) -> Result<(Observed, u64, u64), String> {
        let Compiled { executor, control } = self.machine(variant, rules(subject))?;
        let raw = subject.program.to_code();
        let engine = executor.engine();
        let code = engine.code(&raw.hash(), || Ok(raw.raw().clone())).map_err(|error| error.to_string())?;
        engine.compile(&code);
        let compiled = engine.compiled(&code).ok_or("the program was not compiled")?;
        control.set(gate);
        let run = tiers::run_compiled(&code, &subject.program.setting, compiled);
        Ok((run.observed, run.blocks.compiled, run.blocks.interpreted))
    }

    fn machine(&mut self, variant: &Variant, rules: Rules) -> Result<&mut Compiled, String> {
        let key = (variant.clone(), rules);
        if !self.compiled.contains_key(&key) {
            let jit = match self.jits.get(variant) {
                Some(jit) => jit.clone(),
                None => {
                    let options = variant.options();
                    #[cfg(feature = "canary")]
                    let options = {
                        let perturbation = Perturbation { mistake: self.mistake, ..options.perturbation };
                        JitOptions { perturbation, ..options }
                    };
                    let jit = Arc::new(Jit::new(options).map_err(|error| error.to_string())?);
                    self.jits.insert(variant.clone(), jit.clone());
                    jit
                }
            };
            let control = Control::new();
            let tier = GatedTier::new(jit, control.clone(), variant.skip_seed);
            let mode = if variant.is_tiered { Mode::Tiered } else { Mode::Jit };
            let engine = builder(rules)
                .mode(mode)
                .tier(Arc::new(tier))
                .tier_up(TierUp { gas_base: 400, gas_per_byte: 0 })
                .count_blocks(true)
                .build();
            let executor = Executor::new(engine, self.source.clone());
            self.compiled.insert(key.clone(), Compiled { executor, control });
        }
        self.compiled.get_mut(&key).ok_or_else(|| "the machine was just made".to_owned())
    }
}

fn rules(subject: &Subject) -> Rules {
    (subject.program.setting.fork, subject.is_native())
}

fn builder((fork, native_code): Rules) -> EngineBuilder {
    // There are hundreds of engines: each keeps what a few dozen programs need.
    let limits = CacheLimits { analyzed_bytes: 256 << 10, compiled_bytes: 1 << 20 };
    Engine::builder().fork(fork).native_code(native_code).code_cache(limits)
}

fn transact<I: Inspector>(executor: &mut Executor<Source, I>, subject: &Subject) -> Result<Ran, String> {
    let result = executor.transact(&subject.transaction(), &block());
    let changes = executor.take_changes();
    let result = result.map_err(|error| error.to_string())?;
    let (exit, exec_gas) = (result.exit, result.exec_gas);
    let (blocks_compiled, blocks_interpreted) = (result.blocks_compiled, result.blocks_interpreted);
    Ok(Ran { seen: Seen::of(result, changes), exit, exec_gas, blocks_compiled, blocks_interpreted })
}
