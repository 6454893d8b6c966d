//! Runs one program in every tier and compares what can be seen of it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use zvm::bytecode::Code;
use zvm::compiled::frame::Frame;
use zvm::compiled::tier::{CompiledCode, Tier};
use zvm::interp;
use zvm::outcome::Exit;
use zvm_jit::{Jit, JitOptions, OptLevel, Perturbation};

use crate::host::TestHost;
use crate::observe::{BlockCounts, Observed};
use crate::program::{Program, Setting};
use crate::random::Random;
use crate::stepper;

/// How a program is compiled; every way must give the same results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compile(JitOptions);

impl Compile {
    /// As in production, with checks and counters on.
    pub const PLAIN: Compile = Compile(JitOptions::checked());
    /// Without Cranelift's optimizer.
    pub const UNOPTIMIZED: Compile =
        Compile(JitOptions { opt_level: OptLevel::None, ..JitOptions::checked() });

    /// Mostly as in production, sometimes disturbed in ways that must not show.
    pub fn of_random(random: &mut Random) -> Compile {
        let plain = JitOptions { verify: random.chance(25), ..JitOptions::checked() };
        Compile(match random.below(10) {
            0..=4 => plain,
            5 => JitOptions { opt_level: OptLevel::None, ..plain },
            6 => JitOptions { region_blocks_max: 1 + random.index(3), ..plain },
            7 => JitOptions {
                perturbation: Perturbation { flush_always: true, ..Perturbation::NONE },
                ..plain
            },
            8 => {
                let exit_every = NonZeroU32::new(1 + random.below(4) as u32);
                JitOptions { perturbation: Perturbation { exit_every, ..Perturbation::NONE }, ..plain }
            }
            _ => JitOptions { block_ops_max: 1 + random.index(12), ..plain },
        })
    }

    /// Whether blocks are left to the interpreter on purpose.
    pub fn leaves_blocks(&self) -> bool {
        self.0.perturbation.exit_every.is_some()
    }
}

/// Native code of a program under the rules of a setting.
fn compile(code: &Code, setting: &Setting, how: &Compile) -> Option<Arc<dyn CompiledCode>> {
    // Few ways are in use, and each owns a description of the machine that takes a while to make.
    static JITS: Mutex<BTreeMap<String, Arc<Jit>>> = Mutex::new(BTreeMap::new());
    let jit = {
        let mut jits = JITS.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{how:?}");
        match jits.get(&key) {
            Some(jit) => jit.clone(),
            None => {
                let jit = Arc::new(Jit::new(how.0).ok()?);
                jits.insert(key, jit.clone());
                jit
            }
        }
    };
    Tier::compile(&*jit, code, &setting.spec())
}

/// What one tier made of a program.
#[derive(Clone, Debug)]
pub struct Run {
    /// What can be seen.
    pub observed: Observed,
    /// Which tier ran how many blocks.
    pub blocks: BlockCounts,
}

/// Runs a program operation by operation: the judge of both tiers.
pub fn run_stepwise(code: &Arc<Code>, setting: &Setting) -> Run {
    run(code, setting, |frame, host| stepper::run(frame, host))
}

/// Runs a program in the interpreter.
pub fn run_interpreted(code: &Arc<Code>, setting: &Setting) -> Run {
    run(code, setting, |frame, host| interp::run_counting(frame, host, None))
}

/// Runs a program in compiled code; blocks that it leaves out run in the interpreter.
pub fn run_compiled(code: &Arc<Code>, setting: &Setting, compiled: &dyn CompiledCode) -> Run {
    run(code, setting, |frame, host| {
        loop {
            let exit = if compiled.can_enter(frame.pc) { compiled.run(frame, host) } else { Exit::Interpret };
            if exit != Exit::Interpret {
                return exit;
            }
            let exit = interp::run_counting(frame, host, Some(compiled));
            if exit != Exit::Interpret {
                return exit;
            }
        }
    })
}

fn run(code: &Arc<Code>, setting: &Setting, tier: impl FnOnce(&mut Frame, &mut TestHost) -> Exit) -> Run {
    let mut host = TestHost::new(&setting.storage);
    let mut frame = Frame::new(code.clone(), setting.message(), setting.spec(), setting.gas);
    let exit = tier(&mut frame, &mut host);
    let blocks = BlockCounts { interpreted: frame.blocks_interpreted, compiled: frame.blocks_compiled };
    Run { observed: Observed::of(exit, &frame, host), blocks }
}

/// A program together with its compiled code, to be run under several settings.
pub struct Prepared {
    code: Arc<Code>,
    compiled: Option<Arc<dyn CompiledCode>>,
}

/// Both tiers agreed; what they agreed on, and which blocks ran when compiled code led.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// What can be seen.
    pub observed: Observed,
    /// Which tier ran how many blocks.
    pub blocks: BlockCounts,
}

impl Prepared {
    /// Compiles the program's code for the rules of its setting.
    pub fn new(program: &Program, how: &Compile) -> Prepared {
        let code = program.to_code();
        let compiled = compile(&code, &program.setting, how);
        Prepared { code, compiled }
    }

    /// The program with native code from elsewhere.
    pub fn with_compiled(program: &Program, compiled: Arc<dyn CompiledCode>) -> Prepared {
        Prepared { code: program.to_code(), compiled: Some(compiled) }
    }

    /// Whether native code exists.
    pub fn is_compiled(&self) -> bool {
        self.compiled.is_some()
    }

    /// Runs the code under `setting` in every tier; an error says what differs.
    pub fn check(&self, setting: &Setting) -> Result<Agreed, String> {
        let stepwise = run_stepwise(&self.code, setting);
        let interpreted = run_interpreted(&self.code, setting);
        if let Some(difference) = stepwise.observed.difference(&interpreted.observed) {
            return Err(format!("step by step against the interpreter:\n  {difference}"));
        }
        let Some(compiled) = &self.compiled else {
            return Ok(Agreed { observed: interpreted.observed, blocks: interpreted.blocks });
        };
        let native = run_compiled(&self.code, setting, &**compiled);
        match interpreted.observed.difference(&native.observed) {
            Some(difference) => Err(format!("interpreter against compiled code:\n  {difference}")),
            None => Ok(Agreed { observed: native.observed, blocks: native.blocks }),
        }
    }
}
