//! Patterns of `let`, `for`, `match`, `if let` and `while let`.

use std::sync::Arc;

use super::{Ident, IntLit, Path};
use crate::source::Span;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Which form.
    pub kind: PatternKind,
    /// The whole pattern.
    pub span: Span,
}

/// The forms of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternKind {
    /// `_`
    Wildcard,
    /// `5`, `-1`, `"text"`, `true`
    Literal(PatLit),
    /// `1..5`, `1..=5`
    Range {
        /// First value.
        start: PatLit,
        /// Last value, or the one after it.
        end: PatLit,
        /// Whether it is written `..=`.
        inclusive: bool,
    },
    /// `()`, `(a, b)`; `(a)` is `a`.
    Tuple(Vec<Pattern>),
    /// `mut x`
    BindMut(Ident),
    /// `x`, `Phase::Voting`, `Some(x)`. A path of one segment without arguments binds a name, unless it
    /// resolves to a constant, a variant or an error.
    Path {
        /// The name before the parentheses.
        path: Path,
        /// `None` without parentheses.
        args: Option<Vec<Pattern>>,
    },
    /// `a | b`, at least two.
    Or(Vec<Pattern>),
    /// No pattern could be read here; a diagnostic says so.
    Missing,
}

/// A literal in a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatLit {
    /// Which literal.
    pub kind: PatLitKind,
    /// Sign included.
    pub span: Span,
}

/// The literals that a pattern may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatLitKind {
    /// `5`, `-5`
    Int {
        /// Whether `-` stands before it.
        negative: bool,
        /// The magnitude.
        value: IntLit,
    },
    /// `"text"`
    Str(Arc<str>),
    /// `true`, `false`
    Bool(bool),
}
