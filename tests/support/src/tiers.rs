//! Runs one program in every tier and compares what can be seen of it.

use std::any::Any;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use zvm::bytecode::Code;
use zvm::compiled::frame::Frame;
use zvm::compiled::tier::CompiledCode;
use zvm::host::Host;
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

    /// As in production, with counters on.
    pub const UNVERIFIED: Compile = Compile(JitOptions { verify: false, ..JitOptions::checked() });

    /// Mostly as in production, sometimes disturbed in ways that must not show.
    pub fn of_random(random: &mut Random) -> Compile {
        let plain = JitOptions { verify: random.chance(12), ..JitOptions::checked() };
        Compile(match random.below(13) {
            0..=4 => plain,
            10 => JitOptions { carry_loops: false, ..plain },
            11 => JitOptions { region_ops_max: 1 + random.index(60), ..plain },
            12 => {
                let enter_seed = Some(random.below(1 << 20));
                JitOptions { perturbation: Perturbation { enter_seed, ..Perturbation::NONE }, ..plain }
            }
            5 => JitOptions { opt_level: OptLevel::Quick, ..plain },
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
        let Perturbation { exit_every, enter_seed, .. } = self.0.perturbation;
        exit_every.is_some() || enter_seed.is_some()
    }
}

/// Native code of a program under the rules of a setting, or why there is none.
fn compile(code: &Code, setting: &Setting, how: &Compile) -> Result<Arc<dyn CompiledCode>, String> {
    // Few ways are in use, and each owns a description of the machine that takes a while to make.
    static JITS: Mutex<BTreeMap<String, Arc<Jit>>> = Mutex::new(BTreeMap::new());
    let jit = {
        let mut jits = JITS.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{how:?}");
        match jits.get(&key) {
            Some(jit) => jit.clone(),
            None => {
                let jit = Arc::new(Jit::new(how.0).map_err(|error| error.to_string())?);
                jits.insert(key, jit.clone());
                jit
            }
        }
    };
    match jit.compile(code, &setting.spec()) {
        Ok(compiled) => Ok(Arc::new(compiled)),
        Err(error) => Err(error.to_string()),
    }
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
    run(code, setting, |frame, host| lead(frame, host, compiled))
}

/// Compiled code leads, and the interpreter runs what it leaves out.
fn lead(frame: &mut Frame, host: &mut dyn Host, compiled: &dyn CompiledCode) -> Exit {
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
}

/// Runs a program in the interpreter until `blocks` block heads went by, then in compiled code: the way a running
/// loop changes tiers.
pub fn run_entering_late(
    code: &Arc<Code>,
    setting: &Setting,
    compiled: &dyn CompiledCode,
    blocks: u64,
) -> Run {
    let late = Late { compiled, blocks: AtomicU64::new(blocks) };
    run(code, setting, |frame, host| match interp::run_counting(frame, host, Some(&late)) {
        Exit::Interpret => lead(frame, host, compiled),
        exit => exit,
    })
}

/// Compiled code that lets itself be entered only after a while.
struct Late<'c> {
    compiled: &'c dyn CompiledCode,
    blocks: AtomicU64,
}

impl CompiledCode for Late<'_> {
    fn can_enter(&self, pc: usize) -> bool {
        let left = self.blocks.load(Ordering::Relaxed);
        self.blocks.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0 && self.compiled.can_enter(pc)
    }

    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit {
        self.compiled.run(frame, host)
    }

    fn size_bytes(&self) -> usize {
        self.compiled.size_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self.compiled.as_any()
    }
}

fn run(code: &Arc<Code>, setting: &Setting, mut tier: impl FnMut(&mut Frame, &mut TestHost) -> Exit) -> Run {
    let mut host = TestHost::new(&setting.storage);
    let mut frame = Frame::new(code.clone(), setting.message(), setting.spec(), setting.gas);
    let exit = loop {
        match tier(&mut frame, &mut host) {
            Exit::Call | Exit::Create => host.answer(&mut frame),
            exit => break exit,
        }
    };
    let blocks = BlockCounts { interpreted: frame.blocks_interpreted, compiled: frame.blocks_compiled };
    Run { observed: Observed::of(exit, &frame, host), blocks }
}

/// A program together with its compiled code, to be run under several settings.
pub struct Prepared {
    code: Arc<Code>,
    /// Nothing where no native code is asked for.
    compiled: Option<Result<Arc<dyn CompiledCode>, String>>,
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
        Prepared { code, compiled: Some(compiled) }
    }

    /// The program without native code: [`check`](Prepared::check) compares the interpreter with itself, step by step.
    pub fn without_native(program: &Program) -> Prepared {
        Prepared { code: program.to_code(), compiled: None }
    }

    /// The program with native code from elsewhere.
    pub fn with_compiled(program: &Program, compiled: Arc<dyn CompiledCode>) -> Prepared {
        Prepared { code: program.to_code(), compiled: Some(Ok(compiled)) }
    }

    /// Runs the code under `setting` in every tier; an error says what differs, or why there is no native code.
    pub fn check(&self, setting: &Setting) -> Result<Agreed, String> {
        let stepwise = run_stepwise(&self.code, setting);
        let interpreted = run_interpreted(&self.code, setting);
        if let Some(difference) = stepwise.observed.difference(&interpreted.observed) {
            return Err(format!("step by step against the interpreter:\n  {difference}"));
        }
        if self.compiled.is_none() {
            return Ok(Agreed { observed: interpreted.observed, blocks: interpreted.blocks });
        }
        let compiled = self.compiled()?;
        let native = run_compiled(&self.code, setting, compiled);
        match interpreted.observed.difference(&native.observed) {
            Some(difference) => Err(format!("interpreter against compiled code:\n  {difference}")),
            None => Ok(Agreed { observed: native.observed, blocks: native.blocks }),
        }
    }

    /// Enters compiled code only after some blocks ran interpreted; an error says what differs.
    pub fn check_late(&self, setting: &Setting, blocks: u64) -> Result<(), String> {
        let compiled = self.compiled()?;
        let interpreted = run_interpreted(&self.code, setting);
        let late = run_entering_late(&self.code, setting, compiled, blocks);
        match interpreted.observed.difference(&late.observed) {
            Some(difference) => Err(format!(
                "interpreter against compiled code entered after {blocks} blocks:\n  {difference}"
            )),
            None => Ok(()),
        }
    }

    fn compiled(&self) -> Result<&dyn CompiledCode, String> {
        match &self.compiled {
            Some(Ok(compiled)) => Ok(&**compiled),
            Some(Err(error)) => Err(format!("the program was not compiled: {error}")),
            None => Err("the program was prepared without native code".into()),
        }
    }
}
