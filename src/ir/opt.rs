//! Simplification: small passes that keep a function well-formed and its meaning, run in a fixed, bounded order.
//!
//! One pass per file, each `pub fn run(&mut Function) -> Changed`. A pass that needs dominance computes it; nothing is cached
//! between passes. What codegen relies on whatever the optimization level is in [`canonicalize`].

use super::{Function, Module};

pub mod branches;
pub mod dead;

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

/// Simplifies every function of a module.
pub fn optimize(module: &mut Module) {
    for function in &mut module.functions {
        canonicalize(function);
    }
}
