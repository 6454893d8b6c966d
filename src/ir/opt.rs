//! Simplification: small passes that keep a function well-formed and its meaning, run in a fixed, bounded order.
//!
//! One pass per file, each `pub fn run(&mut Function) -> Changed`, with a [`Context`] if it asks what calls do. A pass that
//! needs dominance computes it; nothing is cached between passes. What codegen relies on whatever the optimization level is in [`canonicalize`].

use super::{Function, Imm, Inst, Module, Op, verify};
use effects::Effects;

pub mod blocks;
pub mod branches;
pub mod dead;
pub mod effects;
pub mod fold;
pub mod hoist;
pub mod inline;
pub mod leaves;
pub mod loads;
mod places;
pub mod promote;
pub mod ranges;
pub mod reuse;
pub mod stores;
pub mod tails;

/// How much the optimizer does, and what it prefers. The program means the same at every level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OptLevel {
    /// `-O0`: nothing; every check and every call stays as it is written.
    O0,
    /// `-O1`: all passes, with a moderate budget for code that grows.
    #[default]
    O1,
    /// `-O2`: all passes, with a large budget for code that grows.
    O2,
    /// `-Os`: all passes, but code does not grow.
    Os,
}

impl OptLevel {
    /// Every level.
    pub const ALL: [OptLevel; 4] = [OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::Os];

    /// The name that follows `-O` on a command line: `0`, `1`, `2` or `s`.
    pub const fn name(self) -> &'static str {
        match self {
            OptLevel::O0 => "0",
            OptLevel::O1 => "1",
            OptLevel::O2 => "2",
            OptLevel::Os => "s",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<OptLevel> {
        OptLevel::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Rounds of simplification; each is linear or nearly so, and later ones rarely find anything.
const ROUNDS_MAX: usize = 4;

/// Whether a pass changed the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It did.
    Yes,
    /// It did not.
    No,
}

impl Changed {
    fn from(changed: bool) -> Changed {
        if changed { Changed::Yes } else { Changed::No }
    }
}

/// The shape that codegen expects at every optimization level: no dead operations, no inverted conditions.
pub fn canonicalize(function: &mut Function) {
    branches::run(function);
    dead::run(function);
}

/// A pass left a module that is not well-formed.
#[derive(Debug, thiserror::Error)]
#[error("after pass `{pass}`: {error}")]
pub struct Broken {
    /// The pass.
    pub pass: &'static str,
    /// What does not hold.
    pub error: verify::VerifyError,
}

/// What passes know of the module around a function.
pub struct Context {
    /// How much to do.
    pub level: OptLevel,
    /// What a call of each function may read and write, by its number.
    pub effects: Vec<Effects>,
}

impl Context {
    /// Looks at all functions of a module.
    pub fn of(module: &Module, level: OptLevel) -> Context {
        Context { level, effects: Effects::of_functions(module) }
    }

    /// What an operation may read and write, calls of functions included.
    fn of_inst(&self, inst: &Inst) -> Effects {
        match (inst.op, inst.imm) {
            (Op::Icall, Imm::Func(callee)) => self.effects[callee.index()],
            _ => Effects::of(inst.op),
        }
    }
}

/// How a pass is called.
enum Pass {
    /// It looks at the function alone.
    Alone(fn(&mut Function) -> Changed),
    /// It also asks what calls do.
    Among(fn(&mut Function, &Context) -> Changed),
}

/// One round of simplification, in order.
const PASSES: [(&str, Pass); 12] = [
    ("fold", Pass::Alone(fold::run)),
    ("branches", Pass::Alone(branches::run)),
    ("blocks", Pass::Alone(blocks::run)),
    ("leaves", Pass::Alone(leaves::run)),
    ("reuse", Pass::Alone(reuse::run)),
    ("loads", Pass::Among(loads::run)),
    ("stores", Pass::Among(stores::run)),
    ("ranges", Pass::Alone(ranges::run)),
    ("hoist", Pass::Among(hoist::run)),
    ("promote", Pass::Among(promote::run)),
    ("tails", Pass::Among(tails::run)),
    ("dead", Pass::Alone(dead::run)),
];

/// Simplifies every function of a module, puts the bodies of small functions in the place of calls, and simplifies again
/// what is still called.
///
/// # Errors
/// In builds with debug assertions, if a pass leaves a module that is not well-formed.
pub fn optimize(module: &mut Module, level: OptLevel) -> Result<(), Broken> {
    if level == OptLevel::O0 {
        return Ok(());
    }
    let mut settled = Settled::default();
    simplify(module, level, &mut settled, &vec![true; module.functions.len()])?;
    let grown = inline::run(module, level);
    if grown.contains(&true) {
        verify_after(module, "inline")?;
        grown
            .iter()
            .zip(&mut settled.passes)
            .filter(|(grown, _)| **grown)
            .for_each(|(_, passes)| *passes = 0);
        let called = called(module);
        simplify(module, level, &mut settled, &called)?;
    }
    Ok(())
}

/// Simplifies every function by itself.
///
/// # Errors
/// As [`optimize`].
pub fn simplify_all(module: &mut Module, level: OptLevel) -> Result<(), Broken> {
    let all = vec![true; module.functions.len()];
    simplify(module, level, &mut Settled::default(), &all)
}

/// The passes that would find nothing to do: they found nothing, and nothing that they look at has changed since.
#[derive(Default)]
struct Settled {
    /// By function, a bit for each pass.
    passes: Vec<u16>,
    /// What calls did when that was noted.
    effects: Vec<Effects>,
}

impl Settled {
    /// Takes note of what calls do now.
    fn meet(&mut self, cx: &Context) {
        if self.effects == cx.effects {
            return;
        }
        self.effects.clone_from(&cx.effects);
        for (index, (_, pass)) in PASSES.iter().enumerate() {
            if let Pass::Among(_) = pass {
                self.passes.iter_mut().for_each(|passes| *passes &= !(1 << index));
            }
        }
    }
}

/// Simplifies the functions that are wanted.
fn simplify(
    module: &mut Module,
    level: OptLevel,
    settled: &mut Settled,
    is_wanted: &[bool],
) -> Result<(), Broken> {
    settled.passes.resize(module.functions.len(), 0);
    // Dominance and order are of reachable blocks only.
    for (function, passes) in module.functions.iter_mut().zip(&mut settled.passes) {
        let before = function.blocks.len();
        super::build::remove_unreachable(function);
        if function.blocks.len() != before {
            *passes = 0;
        }
    }
    let mut is_busy = is_wanted.to_vec();
    for _ in 0..ROUNDS_MAX {
        let cx = Context::of(module, level);
        settled.meet(&cx);
        let mut changed = vec![false; module.functions.len()];
        for (at, (name, pass)) in PASSES.iter().enumerate() {
            for (index, function) in module.functions.iter_mut().enumerate().filter(|(i, _)| is_busy[*i]) {
                let passes = &mut settled.passes[index];
                if *passes & 1 << at != 0 {
                    continue;
                }
                let result = match pass {
                    Pass::Alone(run) => run(function),
                    Pass::Among(run) => run(function, &cx),
                };
                *passes = if result == Changed::Yes { 0 } else { *passes | 1 << at };
                changed[index] |= result == Changed::Yes;
            }
            verify_after(module, name)?;
        }
        is_busy = changed;
        if !is_busy.contains(&true) {
            break;
        }
    }
    Ok(())
}

/// Whether each function may be executed: the entry, and what is called from there.
fn called(module: &Module) -> Vec<bool> {
    let mut called = vec![false; module.functions.len()];
    let mut work = vec![Module::ENTRY];
    while let Some(id) = work.pop() {
        if !std::mem::replace(&mut called[id.index()], true) {
            work.extend(verify::callees(&module.functions[id.index()]));
        }
    }
    called
}

fn verify_after(module: &Module, pass: &'static str) -> Result<(), Broken> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    verify::verify(module).map_err(|error| Broken { pass, error })
}
