//! Types as written.

use super::{Expr, IntLit, Path};
use crate::source::Span;

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Which form.
    pub kind: TypeKind,
    /// The whole type.
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// `&T`, `&mut T`
    Ref {
        /// Whether `mut` is written.
        mutable: bool,
        /// What is referred to.
        inner: Box<Type>,
    },
    /// `()`, `(A,)`, `(A, B)`; `(A)` alone is `A`.
    Tuple(Vec<Type>),
    /// `[T; N]`
    Array {
        /// Element type.
        element: Box<Type>,
        /// A constant expression.
        length: Box<Expr>,
    },
    /// `u64`, `token::IERC20`, `Map<K, V>`, `bytes<32>`; without arguments `args` is empty.
    Path {
        /// The name before `<`.
        path: Path,
        /// What stands between `<` and `>`.
        args: Vec<TypeArg>,
    },
    /// No type could be read here; a diagnostic says so.
    Missing,
}

/// What may stand between `<` and `>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeArg {
    /// `32` in `bytes<32>`.
    Int(IntLit),
    /// A type.
    Type(Type),
}
