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

type Pass = fn(&mut Function, &Context) -> Changed;

/// One round of simplification, in order.
const PASSES: [(&str, Pass); 12] = [
    ("fold", |function, _| fold::run(function)),
    ("branches", |function, _| branches::run(function)),
    ("blocks", |function, _| blocks::run(function)),
    ("leaves", |function, _| leaves::run(function)),
    ("reuse", |function, _| reuse::run(function)),
    ("loads", loads::run),
    ("stores", stores::run),
    ("ranges", ranges::run),
    ("hoist", hoist::run),
    ("promote", promote::run),
    ("tails", tails::run),
    ("dead", |function, _| dead::run(function)),
];

/// Simplifies every function of a module, puts the bodies of small functions in the place of calls, and simplifies again.
///
/// # Errors
/// In builds with debug assertions, if a pass leaves a module that is not well-formed.
pub fn optimize(module: &mut Module, level: OptLevel) -> Result<(), Broken> {
    if level == OptLevel::O0 {
        return Ok(());
    }
    simplify_all(module, level)?;
    if inline::run(module, level) == Changed::Yes {
        verify_after(module, "inline")?;
        simplify_all(module, level)?;
    }
    Ok(())
}

/// Simplifies every function by itself.
///
/// # Errors
/// As [`optimize`].
pub fn simplify_all(module: &mut Module, level: OptLevel) -> Result<(), Broken> {
    // Dominance and order are of reachable blocks only.
    module.functions.iter_mut().for_each(super::build::remove_unreachable);
    let mut is_busy = vec![true; module.functions.len()];
    for _ in 0..ROUNDS_MAX {
        let cx = Context::of(module, level);
        let mut changed = vec![false; module.functions.len()];
        for (name, pass) in PASSES {
            for (index, function) in module.functions.iter_mut().enumerate().filter(|(i, _)| is_busy[*i]) {
                changed[index] |= pass(function, &cx) == Changed::Yes;
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

fn verify_after(module: &Module, pass: &'static str) -> Result<(), Broken> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    verify::verify(module).map_err(|error| Broken { pass, error })
}
