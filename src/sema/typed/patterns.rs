//! Patterns and the arms of `match`.

use std::sync::Arc;

use alloy_primitives::U256;

use super::{Block, Expr, LocalId};
use crate::sema::types::TypeId;
use crate::source::Span;

/// `match subject { arms }`. Every value of the subject's type matches an arm without guard.
#[derive(Clone, Debug)]
pub struct Match {
    /// Evaluated first. A place in storage is read only as far as patterns ask, unless an arm has a guard.
    pub subject: Expr,
    /// Tried in order.
    pub arms: Vec<MatchArm>,
}

/// `pattern if guard => body`.
#[derive(Clone, Debug)]
pub struct MatchArm {
    /// What the subject shall match.
    pub pattern: Pattern,
    /// A `bool` that is evaluated once the pattern's names are bound; the arm is taken only if it holds.
    pub guard: Option<Expr>,
    /// The value of the `match`.
    pub body: Block,
}

/// A pattern for values of one type.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What it asks.
    pub kind: PatternKind,
    /// The type of the values.
    pub ty: TypeId,
    /// Where it stands.
    pub span: Span,
}

/// What a pattern asks of a value.
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// Nothing.
    Any,
    /// Nothing; the local takes the value.
    Bind(LocalId),
    /// It is this word.
    Const(U256),
    /// It lies between two words, both included, in the order of the type.
    Range {
        /// The least.
        first: U256,
        /// The greatest.
        last: U256,
    },
    /// It is a `string` with these contents.
    Text(Arc<[u8]>),
    /// The elements of a tuple match.
    Tuple(Vec<Pattern>),
    /// It is this variant, and the parts of its payload match.
    Variant {
        /// The discriminant of an enum with payloads; 0 `None` or `Ok`, 1 `Some` or `Err`; the position in an error set.
        tag: u32,
        /// One for each part of the payload.
        fields: Vec<Pattern>,
    },
    /// It matches one of these, tried in order; they bind the same locals. Of none, it matches nothing.
    Or(Vec<Pattern>),
}

impl Pattern {
    /// Whether every value matches by the pattern's form alone.
    pub fn is_irrefutable(&self) -> bool {
        match &self.kind {
            PatternKind::Any | PatternKind::Bind(_) => true,
            PatternKind::Tuple(parts) => parts.iter().all(Pattern::is_irrefutable),
            PatternKind::Or(parts) => parts.iter().any(Pattern::is_irrefutable),
            _ => false,
        }
    }

    /// Calls `each` on the pattern and every pattern in it.
    pub fn for_each_mut(&mut self, each: &mut impl FnMut(&mut Pattern)) {
        each(self);
        match &mut self.kind {
            PatternKind::Tuple(parts)
            | PatternKind::Or(parts)
            | PatternKind::Variant { fields: parts, .. } => {
                parts.iter_mut().for_each(|part| part.for_each_mut(each));
            }
            PatternKind::Any
            | PatternKind::Bind(_)
            | PatternKind::Const(_)
            | PatternKind::Range { .. }
            | PatternKind::Text(_) => {}
        }
    }
}
