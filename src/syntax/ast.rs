//! The syntax tree: plain data with spans, one type per idea of the grammar.
//!
//! Parentheses are not kept; an expression's span includes those around it. Names are not resolved here:
//! a pattern `x` is a [`PatternKind::Path`] of one segment, whether it binds a name or means a constant.

mod exprs;
mod items;
mod patterns;
mod stmts;
mod types;

pub use exprs::*;
pub use items::*;
pub use patterns::*;
pub use stmts::*;
pub use types::*;

use std::sync::Arc;

use crate::source::Span;

/// A name as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    /// The text of the name.
    pub name: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Ident {
    /// The name as a string slice.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

/// `a::b::c`; the last segment may be `new`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// At least one segment.
    pub segments: Vec<Ident>,
    /// All segments.
    pub span: Span,
}

impl Path {
    /// The only segment, if there is just one.
    pub fn as_ident(&self) -> Option<&Ident> {
        match self.segments.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            let separator = if index == 0 { "" } else { "::" };
            write!(f, "{separator}{}", segment.name)?;
        }
        Ok(())
    }
}

/// One line of a documentation comment, without its `///` or `//!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocLine {
    /// The text after the marker, without one leading space.
    pub text: Arc<str>,
    /// The whole comment.
    pub span: Span,
}

/// What stands before an item: its documentation and its `#[…]` attributes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Attrs {
    /// The `///` lines, in order.
    pub docs: Vec<DocLine>,
    /// The attributes, in order, those of one `#[a, b]` one by one.
    pub list: Vec<Attr>,
}

impl Attrs {
    /// The first attribute called `name`.
    pub fn find(&self, name: &str) -> Option<&Attr> {
        self.list.iter().find(|attr| attr.name.as_str() == name)
    }
}

/// `name`, or `name(arg, …)`, inside `#[…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr {
    /// The attribute's name.
    pub name: Ident,
    /// The arguments; empty without parentheses.
    pub args: Vec<AttrArg>,
    /// Name and arguments.
    pub span: Span,
}

/// One argument of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttrArg {
    /// `max = 400_000`
    Named {
        /// Left of `=`.
        name: Ident,
        /// Right of `=`.
        value: Literal,
    },
    /// `"deposit(uint256)"`, `0xb6b55f25`
    Literal(Literal),
    /// `delegatecall`, `W0901`
    Ident(Ident),
}
