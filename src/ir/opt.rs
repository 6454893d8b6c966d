//! Simplification: small passes that keep a function well-formed and its meaning, run in a fixed, bounded order.
//!
//! One pass per file, each `pub fn run(&mut Function) -> Changed`. A pass that needs dominance computes it; nothing is cached
//! between passes. What codegen relies on whatever the optimization level is in [`canonicalize`].

use super::{Function, Module};

pub mod blocks;
pub mod branches;
pub mod dead;
pub mod fold;
pub mod inline;
pub mod reuse;

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

/// Simplifies every function of a module, puts the bodies of small functions in the place of calls, and simplifies again.
pub fn optimize(module: &mut Module, level: OptLevel) {
    if level == OptLevel::O0 {
        return;
    }
    simplify_all(module);
    if inline::run(module) == Changed::Yes {
        simplify_all(module);
    }
}

/// Simplifies every function by itself.
pub fn simplify_all(module: &mut Module) {
    module.functions.iter_mut().for_each(simplify);
}

fn simplify(function: &mut Function) {
    // Dominance and order are of reachable blocks only.
    super::build::remove_unreachable(function);
    for _ in 0..ROUNDS_MAX {
        let passes = [fold::run, branches::run, blocks::run, reuse::run, dead::run];
        let changes = passes.map(|pass| pass(function));
        if changes.iter().all(|&changed| changed == Changed::No) {
            return;
        }
    }
}
