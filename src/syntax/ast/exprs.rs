//! Expressions and literals.

use std::sync::Arc;

use alloy_primitives::U512;

use super::{Block, Ident, Path, Pattern, Type};
use crate::source::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// Which form.
    pub kind: ExprKind,
    /// The whole expression, parentheses around it included.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `5`, `"text"`, `hex"00ff"`, `true`
    Literal(Literal),
    /// `x`, `Phase::Voting`, `u256::MAX`, `Vec::new`
    Path(Path),
    /// `self`
    SelfValue,
    /// `state`
    State,
    /// `transient`
    Transient,
    /// `()`, `(a,)`, `(a, b)`; `(a)` alone is `a`.
    Tuple(Vec<Expr>),
    /// `[a, b, c]`
    Array(Vec<Expr>),
    /// `[e; n]`
    Repeat {
        /// The value of each element.
        element: Box<Expr>,
        /// A constant expression.
        length: Box<Expr>,
    },
    /// `{ … }`
    Block(Block),
    /// `if c { … } else { … }`
    If(Box<If>),
    /// `match e { … }`
    Match(Box<Match>),
    /// `new C{salt: s}(a)`
    New {
        /// The contract, or what else `new` is applied to.
        path: Path,
        /// `{value: v, salt: s}`
        options: Vec<CallOption>,
        /// The constructor's arguments.
        args: Vec<Expr>,
    },
    /// `Position { owner, amount: 0 }`
    StructLit {
        /// The struct.
        path: Path,
        /// The fields in written order.
        fields: Vec<FieldInit>,
    },
    /// `-a`, `!a`, `&mut a`, `try a`, …
    Unary {
        /// Which operator.
        op: UnaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// What it is applied to.
        operand: Box<Expr>,
    },
    /// `a + b`, `a && b`, `a < b`, …
    Binary {
        /// Which operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `p = v`, `p += v`
    Assign {
        /// `None` for `=`; for `+=` it is [`BinaryOp::Add`], and so on.
        op: Option<BinaryOp>,
        /// Where the operator stands.
        op_span: Span,
        /// What is assigned to.
        place: Box<Expr>,
        /// The value.
        value: Box<Expr>,
    },
    /// `a as T`, `a as% T`
    Cast {
        /// What is converted.
        value: Box<Expr>,
        /// Whether it is written `as%`.
        wrapping: bool,
        /// A path, or `bytes<N>`.
        ty: Type,
    },
    /// `a.name`
    Field {
        /// Left of the dot.
        base: Box<Expr>,
        /// Right of the dot.
        name: Ident,
    },
    /// `a.0`
    TupleField {
        /// Left of the dot.
        base: Box<Expr>,
        /// Right of the dot.
        index: IntLit,
    },
    /// `a[i]`
    Index {
        /// Before the brackets.
        base: Box<Expr>,
        /// Between them.
        index: Box<Expr>,
    },
    /// `f(a)`, `a.f(b)`, `a.f{value: v}(b)`; a method call has a [`ExprKind::Field`] as callee.
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// `{value: v, gas: g}`
        options: Vec<CallOption>,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `a?`
    Question(Box<Expr>),
    /// `return`, `return e`
    Return(Option<Box<Expr>>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `revert`, `revert E(a)`
    Revert(Option<Payload>),
    /// Text that could not be read; a diagnostic says so.
    Error,
}

impl ExprKind {
    /// Whether this is an `if`, a `match` or a block: forms that end a statement without `;`.
    pub fn is_block_like(&self) -> bool {
        matches!(self, ExprKind::If(_) | ExprKind::Match(_) | ExprKind::Block(_))
    }
}

/// A literal with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Which literal.
    pub kind: LiteralKind,
    /// The whole literal.
    pub span: Span,
}

/// The forms of a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// `1_000u64`
    Int(IntLit),
    /// `"text"`, escapes resolved.
    Str(Arc<str>),
    /// `b"…"`, `hex"…"`, escapes resolved.
    Bytes(Arc<[u8]>),
    /// `true`, `false`
    Bool(bool),
}

/// An integer literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntLit {
    /// Its value; one that does not fit was reported and reads as zero.
    pub value: U512,
    /// `u8`, `i256`, …
    pub suffix: Option<IntSuffix>,
    /// The literal as written, with prefix, `_` and suffix.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl IntLit {
    /// The forty digits of a literal that has the shape of an address.
    pub fn address_digits(&self) -> Option<&str> {
        let digits = self.text.strip_prefix("0x")?;
        (digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
    }
}

/// The type suffix of an integer literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntSuffix {
    /// `i` and not `u`.
    pub signed: bool,
    /// A multiple of 8 from 8 to 256.
    pub bits: u16,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `!` or `not`
    Not,
    /// `~`
    BitNot,
    /// `&`
    Ref,
    /// `&mut`
    RefMut,
    /// `*`
    Deref,
    /// `try`
    Try,
}

/// Infix operators, without assignment and cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `+%`
    AddWrap,
    /// `-%`
    SubWrap,
    /// `+|`
    AddSat,
    /// `-|`
    SubSat,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `*%`
    MulWrap,
    /// `*|`
    MulSat,
    /// `**`
    Pow,
}

/// `value: e`, `gas: e` or `salt: e` before the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOption {
    /// Which option.
    pub kind: CallOptionKind,
    /// Its value.
    pub value: Expr,
    /// Name and value.
    pub span: Span,
}

/// The call options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallOptionKind {
    /// `value:`
    Value,
    /// `gas:`
    Gas,
    /// `salt:`
    Salt,
}

/// `name: e`, or `name` alone, which means `name: name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInit {
    /// The field.
    pub name: Ident,
    /// `None` for the short form.
    pub value: Option<Expr>,
    /// Name and value.
    pub span: Span,
}

/// An error or event with its fields, after `revert` or `emit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The error or event.
    pub path: Path,
    /// Its fields.
    pub args: PayloadArgs,
    /// Path and fields.
    pub span: Span,
}

/// The fields of a [`Payload`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadArgs {
    /// `revert E`
    None,
    /// `E(a, b)`
    Positional(Vec<Expr>),
    /// `E { a: x, b }`
    Named(Vec<FieldInit>),
}

/// `if cond { … } else …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct If {
    /// The condition.
    pub cond: Cond,
    /// Run if it holds.
    pub then: Block,
    /// An [`ExprKind::If`] or [`ExprKind::Block`].
    pub otherwise: Option<Expr>,
}

/// The condition of an `if` or a `while`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it lies in a box of its `if`, or once in a `while`")]
pub enum Cond {
    /// A `bool` expression.
    Expr(Expr),
    /// `let pattern = e`
    Let {
        /// What has to match.
        pattern: Pattern,
        /// What is matched.
        value: Expr,
        /// From `let` to the end of the value.
        span: Span,
    },
}

/// `match e { arms }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// What is matched.
    pub scrutinee: Expr,
    /// The arms in order.
    pub arms: Vec<Arm>,
}

/// `pattern if guard => body`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// What has to match.
    pub pattern: Pattern,
    /// What has to hold besides.
    pub guard: Option<Expr>,
    /// The arm's value.
    pub body: Expr,
    /// From the pattern to the end of the body.
    pub span: Span,
}

impl UnaryOp {
    /// How it is written; `!` for both spellings of "not".
    pub const fn spelling(self) -> &'static str {
        match self {
            UnaryOp::Neg => "-",
            UnaryOp::Not => "!",
            UnaryOp::BitNot => "~",
            UnaryOp::Ref => "&",
            UnaryOp::RefMut => "&mut",
            UnaryOp::Deref => "*",
            UnaryOp::Try => "try",
        }
    }
}

impl BinaryOp {
    /// How it is written.
    pub const fn spelling(self) -> &'static str {
        self.row().0
    }

    /// How tightly it binds: `||` is 1, `*` is 10, `**` is 11.
    pub const fn precedence(self) -> u8 {
        self.row().1
    }

    /// Whether it is `==`, `!=`, `<`, `<=`, `>` or `>=`; these do not chain.
    pub const fn is_comparison(self) -> bool {
        matches!(self.precedence(), 3 | 4)
    }

    const fn row(self) -> (&'static str, u8) {
        match self {
            BinaryOp::Or => ("||", 1),
            BinaryOp::And => ("&&", 2),
            BinaryOp::Eq => ("==", 3),
            BinaryOp::Ne => ("!=", 3),
            BinaryOp::Lt => ("<", 4),
            BinaryOp::Le => ("<=", 4),
            BinaryOp::Gt => (">", 4),
            BinaryOp::Ge => (">=", 4),
            BinaryOp::BitOr => ("|", 5),
            BinaryOp::BitXor => ("^", 6),
            BinaryOp::BitAnd => ("&", 7),
            BinaryOp::Shl => ("<<", 8),
            BinaryOp::Shr => (">>", 8),
            BinaryOp::Add => ("+", 9),
            BinaryOp::Sub => ("-", 9),
            BinaryOp::AddWrap => ("+%", 9),
            BinaryOp::SubWrap => ("-%", 9),
            BinaryOp::AddSat => ("+|", 9),
            BinaryOp::SubSat => ("-|", 9),
            BinaryOp::Mul => ("*", 10),
            BinaryOp::Div => ("/", 10),
            BinaryOp::Rem => ("%", 10),
            BinaryOp::MulWrap => ("*%", 10),
            BinaryOp::MulSat => ("*|", 10),
            BinaryOp::Pow => ("**", 11),
        }
    }
}
