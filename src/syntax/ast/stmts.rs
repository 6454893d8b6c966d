//! Blocks and statements.

use super::{Cond, Expr, Pattern, Payload, Type};
use crate::source::Span;

/// `{ statements tail }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The statements, without the tail.
    pub stmts: Vec<Stmt>,
    /// The block's value. An `if`, `match` or block that ends the block without `;` is its tail.
    pub tail: Option<Box<Expr>>,
    /// Braces included.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stmt {
    /// Which form.
    pub kind: StmtKind,
    /// The whole statement, `;` included.
    pub span: Span,
}

/// The forms of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StmtKind {
    /// `let x = e;`
    Let(Let),
    /// `emit E(a, b);`
    Emit(Payload),
    /// `while c { … }`
    While(While),
    /// `for x in a..b { … }`
    For(For),
    /// An expression whose value is not used: `e;`, or an `if`, `match` or block without `;`.
    Expr(Expr),
    /// Text that could not be read; a diagnostic says so.
    Error,
}

/// `let [mut | const] pattern [: T] = e;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Let {
    /// The word after `let`.
    pub mode: BindMode,
    /// What is bound.
    pub pattern: Pattern,
    /// The annotation.
    pub ty: Option<Type>,
    /// The value.
    pub value: Expr,
}

/// How a binding or a parameter may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindMode {
    /// Immutable.
    Plain,
    /// `mut`
    Mut,
    /// `const`
    Const,
}

/// `while cond [bounds] { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct While {
    /// The condition.
    pub cond: Cond,
    /// `[gas: N, max: M]`
    pub bounds: Vec<LoopBound>,
    /// The body.
    pub body: Block,
}

/// `for pattern in … [bounds] { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct For {
    /// Bound anew in each iteration.
    pub pattern: Pattern,
    /// What is iterated.
    pub iter: ForIter,
    /// `[gas: N, max: M]`
    pub bounds: Vec<LoopBound>,
    /// The body.
    pub body: Block,
}

/// What a `for` loop runs over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForIter {
    /// An array, `Vec`, `bytes`.
    Value(Expr),
    /// `a..b`, `a..=b`
    Range {
        /// The first value.
        start: Expr,
        /// The last value, or the one after it.
        end: Expr,
        /// Whether it is written `..=`.
        inclusive: bool,
    },
}

/// One entry of a loop annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopBound {
    /// `gas` or `max`.
    pub kind: LoopBoundKind,
    /// A positive constant.
    pub value: Expr,
    /// Name and value.
    pub span: Span,
}

/// Which annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopBoundKind {
    /// At most so much gas in one iteration.
    Gas,
    /// At most so many iterations.
    Max,
}
