//! The grammar, one function per production, in the order of the language reference.
//!
//! [`Grammar`] holds the productions that contain themselves; the others are reached from them. It is built
//! once per thread: building takes far longer than parsing a contract.

mod exprs;
mod items;
mod members;
mod patterns;
mod primary;
mod signatures;
mod stmts;
mod types;

use super::ast::{Block, Expr, Module, Pattern, Type};
use super::parser::{RecursiveRule, Rule};

/// The productions that contain themselves.
#[derive(Clone)]
pub(super) struct Grammar {
    /// An expression.
    expr: RecursiveRule<Expr>,
    /// An expression before a block: a struct literal needs parentheses.
    head: RecursiveRule<Expr>,
    /// A prefix operator's expression; the exponent of `**`.
    unary: Unary,
    /// `if … else …`
    if_expr: RecursiveRule<Expr>,
    /// `{ … }`
    block: RecursiveRule<Block>,
    /// A type.
    ty: RecursiveRule<Type>,
    /// A pattern.
    pattern: RecursiveRule<Pattern>,
}

#[derive(Clone)]
struct Unary {
    plain: RecursiveRule<Expr>,
    head: RecursiveRule<Expr>,
}

impl Grammar {
    fn new() -> Self {
        use chumsky::recursive::Recursive;
        let mut grammar = Grammar {
            expr: Recursive::declare(),
            head: Recursive::declare(),
            unary: Unary { plain: Recursive::declare(), head: Recursive::declare() },
            if_expr: Recursive::declare(),
            block: Recursive::declare(),
            ty: Recursive::declare(),
            pattern: Recursive::declare(),
        };
        types::define(&mut grammar);
        patterns::define(&mut grammar);
        exprs::define(&mut grammar);
        stmts::define(&mut grammar);
        grammar
    }
}

thread_local! {
    static MODULE: Rule<Module> = items::module(&Grammar::new());
}

/// Calls `use_rule` with the production for a whole module.
pub(super) fn with_module<R>(use_rule: impl FnOnce(&Rule<Module>) -> R) -> R {
    MODULE.with(use_rule)
}
