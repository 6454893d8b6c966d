//! The typed tree: what checking hands to lowering.
//!
//! Plain data in which every name is resolved, every literal has its type and all sugar is gone. A tree is
//! lowered only when checking reported no error; then it holds no [`TypeId::ERROR`], no `{int}` and no
//! construct that is "not supported yet". Lowering needs this file and [`types`](super::types), nothing else.
//!
//! **Evaluation order** (§8) is the order of the fields as documented on each node, always strict left to
//! right. **Divergence**: an expression of type `!` ([`TypeId::NEVER`]) may stand wherever a value is
//! expected; what follows it in evaluation order is not executed. **Constants** are words (§4): zero-extended,
//! sign-extended in two's complement, or left-aligned, as the type says.

use alloy_primitives::U256;

mod data;
mod items;
mod ops;
mod patterns;

pub use data::{DataOp, HashFunction, PlaceOp};
pub use items::{
    AbiParam, Assertion, Contract, Docs, EntryPoint, ErrorRef, Event, EventField, Function, FunctionKind,
    Guards, Immutable, Local, MemberKind, Mutability, Program, StorageMember,
};
pub use ops::{ArithMode, BinaryOp, CastKind, CompareOp, Env, Query, UnaryOp};
pub use patterns::{Match, MatchArm, Pattern, PatternKind};

use super::types::{HandleId, TypeId, define_ids};
use crate::source::Span;

define_ids! {
    /// A function: [`Program::functions`].
    FuncId;
    /// A parameter or `let` of one function: [`Function::locals`].
    LocalId;
    /// A `state`, `table` or `transient` member of one contract: [`Contract::storage`].
    MemberId;
    /// An immutable of one contract: [`Contract::immutables`].
    ImmutableId;
    /// An event: [`Program::events`].
    EventId;
}

/// Statements, then the value.
#[derive(Clone, Debug)]
pub struct Block {
    /// Executed in order.
    pub stmts: Vec<Stmt>,
    /// The block's value; without one it is `()`, or nothing when [`ty`](Self::ty) is `!`.
    pub value: Option<Box<Expr>>,
    /// Type of the block; `!` when its end is never reached.
    pub ty: TypeId,
    /// Where it stands, braces included.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// Evaluates `init`, then binds its value.
    Let {
        /// What is bound.
        pattern: LetPattern,
        /// The value.
        init: Expr,
    },
    /// Evaluates an expression and drops its value.
    Expr(Expr),
    /// Evaluates `fields` in the order given, then logs them.
    Emit {
        /// The event.
        event: EventId,
        /// Position in [`Event::fields`] and value; each field once, in written order.
        fields: Vec<(u32, Expr)>,
    },
    /// `while cond { body }`.
    While {
        /// Evaluated before each iteration.
        cond: Expr,
        /// `[gas: N]` and `[max: M]`.
        bounds: LoopBounds,
        /// One iteration; its value is `()`.
        body: Block,
    },
    /// `for var in start..end { body }`. `start`, then `end` are evaluated once; both have the type of `var`.
    /// The increment cannot overflow: with `inclusive`, the loop ends after the iteration with `var == end`
    /// without computing a successor.
    ForRange {
        /// Bound freshly in each iteration; immutable in the body.
        var: LocalId,
        /// First value.
        start: Expr,
        /// The end of the range.
        end: Expr,
        /// Whether `end` itself is visited: `..=`.
        inclusive: bool,
        /// `[gas: N]` and `[max: M]`.
        bounds: LoopBounds,
        /// One iteration; its value is `()`.
        body: Block,
    },
}

/// Annotations of a loop.
#[derive(Clone, Debug, Default)]
pub struct LoopBounds {
    /// `[gas: N]`: one iteration costs at most N gas, with the place of N. Checked on the emitted code (K0604).
    pub gas: Option<(u64, Span)>,
    /// `[max: M]`: an attempt to start iteration M+1 is Panic 0x61 (after the condition held).
    pub max: Option<U256>,
}

/// What a `let` binds.
#[derive(Clone, Debug)]
pub enum LetPattern {
    /// `_`: the value is dropped.
    Discard,
    /// A new local.
    Local(LocalId),
    /// The elements of a tuple value, left to right.
    Tuple(Vec<LetPattern>),
    /// What a pattern binds that every value matches.
    Parts(Box<Pattern>),
}

/// An expression with its type and place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// Type of the value.
    pub ty: TypeId,
    /// Where it stands.
    pub span: Span,
}

/// Something that can be read, and assigned when it is mutable.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where the place begins.
    pub root: PlaceRoot,
    /// Steps from the root to the place, outermost first; their expressions are evaluated in this order.
    pub steps: Vec<PlaceStep>,
    /// Type of the value at the place.
    pub ty: TypeId,
    /// Where it stands.
    pub span: Span,
}

/// Where a place begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceRoot {
    /// A local.
    Local(LocalId),
    /// A storage member of the contract; its kind says which space.
    Storage(MemberId),
    /// An immutable: assigned only in the constructor.
    Immutable(ImmutableId),
    /// What a parameter of type `&T` or `&mut T` refers to.
    Reference(LocalId),
}

/// One step into a place.
#[derive(Clone, Debug)]
pub enum PlaceStep {
    /// `place[key]` of a map: the value begins at TABLEHASH(slot, word(key)). A tuple key
    /// ([`Type::Tuple`](super::types::Type::Tuple)) uses TABLEHASHN over its words.
    MapKey(Expr),
    /// `place.0` of a tuple, or a field of a struct by its position.
    Field(u32),
    /// A part of the payload of a variant, which the value at the place is known to be.
    Payload {
        /// The variant, by its tag (see [`PatternKind::Variant`]).
        tag: u32,
        /// Which part.
        field: u32,
    },
    /// `place[index]` of an array, a `Vec` or `bytes`: Panic 0x32 unless it is below the length.
    Index(Expr),
}

/// A place, or a tuple of them, on the left of `=`.
#[derive(Clone, Debug)]
pub enum AssignTarget {
    /// A single place.
    Place(Place),
    /// `_` is not assignable, so every element is a target. Sub-expressions of all places are evaluated left
    /// to right, then the elements are stored left to right.
    Tuple(Vec<AssignTarget>),
}

/// A typed external call (§10.1): `target`, `options` and `args` are evaluated in this order.
///
/// It is a static call if the function is `view`. The node's value is the decoded result; failure reverts with the
/// callee's data, a target without code and malformed results with empty data. With `try` the value is a
/// `Result<T, CallError>` that says which of these it was.
#[derive(Clone, Debug)]
pub struct ExternalCall {
    /// The handle.
    pub target: Expr,
    /// The type of the handle.
    pub handle: HandleId,
    /// Position in [`HandleDef::functions`](super::types::HandleDef::functions).
    pub function: u32,
    /// `value:` of type `u256` and `gas:` of type `u64`, in written order, each at most once.
    pub options: Vec<(CallOption, Expr)>,
    /// One for each parameter.
    pub args: Vec<Expr>,
    /// Whether the callee may change nothing.
    pub is_static: bool,
    /// Whether `try` stands before it.
    pub is_tried: bool,
}

/// A low-level call (§10.2) of an address: target, options and argument are evaluated in this order. The node's value is a
/// `Result<bytes, CallError>` of what the callee returned, of `send` a `Result<(), CallError>`.
#[derive(Clone, Debug)]
pub struct RawCall {
    /// Which.
    pub kind: RawCallKind,
    /// The address.
    pub target: Expr,
    /// `value:` of type `u256` and `gas:` of type `u64`, in written order, each at most once.
    pub options: Vec<(CallOption, Expr)>,
    /// The call data, of `send` the value.
    pub arg: Expr,
}

/// The kinds of low-level calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RawCallKind {
    /// `a.call(data)`.
    Call,
    /// `a.static_call(data)`: the callee may change nothing.
    Static,
    /// `a.delegate_call(data)`: the callee's code with this contract's storage.
    Delegate,
    /// `a.send(v)`: value without call data.
    Send,
}

impl RawCall {
    /// Whether value may go with it.
    pub fn sends_value(&self) -> bool {
        self.kind == RawCallKind::Send || self.options.iter().any(|option| option.0 == CallOption::Value)
    }
}

/// `new C{value: v, salt: s}(args)` (§10.3): options in written order, then arguments; reverts with the constructor's data
/// if creation fails. The node's value is the handle.
#[derive(Clone, Debug)]
pub struct Creation {
    /// Position in [`Program::contracts`].
    pub contract: u32,
    /// `value:` of type `u256` and `salt:` of type `Hash`, in written order, each at most once.
    pub options: Vec<(CreateOption, Expr)>,
    /// One for each parameter of the constructor.
    pub args: Vec<Expr>,
    /// Whether `try` stands before it: the value is a `Result<_, CallError>`, and nothing reverts.
    pub is_tried: bool,
}

/// An option of a creation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreateOption {
    /// `value:`.
    Value,
    /// `salt:`, which makes it a CREATE2.
    Salt,
}

/// An option of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallOption {
    /// `value:`.
    Value,
    /// `gas:`.
    Gas,
}

/// What a revert carries.
#[derive(Clone, Debug)]
pub enum Revert {
    /// Empty data.
    Empty,
    /// A value of an error type, in the encoding of its variant: selector, then ABI parameters.
    Error(Box<Expr>),
    /// `Error(string)` of a constant text (selector `0x08c379a0`).
    Text(String),
}

/// What an expression computes.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A constant of a one-word type.
    Const(U256),
    /// `()`.
    Unit,
    /// Reads a place: steps left to right, then the load.
    Load(Place),
    /// `(a, b, …)`, left to right; two or more elements.
    Tuple(Vec<Expr>),
    /// Constant contents of `bytes` or `string`.
    Bytes(std::sync::Arc<[u8]>),
    /// A struct literal: position in the declaration and value, in written order; each field once.
    Struct(Vec<(u32, Expr)>),
    /// `[a, b, …]`, left to right.
    Array(Vec<Expr>),
    /// `[e; N]`: `e` once; its value, which is Copy, in each element.
    Repeat {
        /// The value.
        element: Box<Expr>,
        /// N.
        length: u64,
    },
    /// An operation on whole values, which it borrows: operands left to right, then the operation.
    Data {
        /// The operation.
        op: DataOp,
        /// Its operands.
        args: Vec<Expr>,
    },
    /// An operation on what is at a place: sub-expressions of the place, arguments, then the operation.
    AtPlace {
        /// The operation.
        op: PlaceOp,
        /// Where.
        place: Place,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `e.0` of a tuple, or a field of a struct by its position, that is not a place.
    TupleField {
        /// The tuple.
        tuple: Box<Expr>,
        /// Which element.
        index: u32,
    },
    /// Operand, operation.
    Unary {
        /// The operation.
        op: UnaryOp,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// `left`, `right`, operation; both of the node's type, except the right operand of shifts and `**`.
    Binary {
        /// The operation.
        op: BinaryOp,
        /// Evaluated first.
        left: Box<Expr>,
        /// Evaluated second.
        right: Box<Expr>,
    },
    /// `left`, `right`, comparison; both of one type, which is one word (or, for `==` and `!=`, a tuple of
    /// words compared element by element).
    Compare {
        /// The comparison.
        op: CompareOp,
        /// Evaluated first.
        left: Box<Expr>,
        /// Evaluated second.
        right: Box<Expr>,
    },
    /// `left && right` or `left || right`: `right` only if needed.
    Logic {
        /// Whether it is `&&`.
        and: bool,
        /// Evaluated first.
        left: Box<Expr>,
        /// Evaluated only if `left` does not decide.
        right: Box<Expr>,
    },
    /// Operand, conversion.
    Cast {
        /// How.
        kind: CastKind,
        /// What.
        operand: Box<Expr>,
    },
    /// Reads the environment.
    Env(Env),
    /// Asks the environment about a word: operand, query.
    Query {
        /// The question.
        query: Query,
        /// An `Address`, or the block number.
        operand: Box<Expr>,
    },
    /// `&place` or `&mut place` as the argument of an internal call; in front of it may stand statements, in a block. The
    /// places that the arguments of one call borrow mutably overlap with no other.
    Borrow {
        /// Where.
        place: Place,
        /// Whether it is `&mut`.
        mutable: bool,
    },
    /// Internal call: arguments left to right, one for each parameter.
    Call {
        /// The callee; never recursive.
        function: FuncId,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// (a + b) mod n or (a * b) mod n of `u256`, exact before the remainder; 0 if n is 0. The library's own.
    Modulo {
        /// Whether it multiplies.
        multiply: bool,
        /// a, b and n, left to right.
        operands: Box<[Expr; 3]>,
    },
    /// A call of a function of another contract.
    External(Box<ExternalCall>),
    /// A low-level call.
    RawCall(Box<RawCall>),
    /// Creates a contract.
    New(Box<Creation>),
    /// `C::init_hash(args)`: keccak256 of the creation code with arguments.
    InitHash {
        /// Position in [`Program::contracts`].
        contract: u32,
        /// One for each parameter of the constructor.
        args: Vec<Expr>,
    },
    /// `create2_address(deployer, salt, init_hash)`.
    Create2Address(Box<[Expr; 3]>),
    /// `if`: the condition, then one branch. A branch of type `!` gives no value; otherwise both have the
    /// node's type, and without `else` the node's type is `()`.
    If {
        /// The condition.
        cond: Box<Expr>,
        /// When it holds.
        then: Box<Block>,
        /// When it does not.
        otherwise: Option<Box<Block>>,
    },
    /// A block as an expression.
    Block(Box<Block>),
    /// `target = value`: `value`, then the sub-expressions of `target`, then the store. The node's value is
    /// the stored value.
    Assign {
        /// Where to.
        target: AssignTarget,
        /// What; evaluated first.
        value: Box<Expr>,
    },
    /// `place op= value`: `value`, then the sub-expressions of `place`, the load of `place`, the operation,
    /// the store. The node's value is the stored value. A map's key is hashed once.
    AssignOp {
        /// The operation, with the loaded value as the left operand.
        op: BinaryOp,
        /// Where to.
        place: Place,
        /// The right operand; evaluated first.
        value: Box<Expr>,
    },
    /// A variant of an enum with payloads or of an `Option`: arguments left to right.
    Variant {
        /// The variant, by its tag (see [`PatternKind::Variant`]).
        tag: u32,
        /// One for each part of the payload.
        args: Vec<Expr>,
    },
    /// `match`: what is looked at, then the arms in order.
    Match(Box<Match>),
    /// Whether a value matches, as a `bool`; if it does, the pattern's names are bound: `if let`, `while let`.
    Matches {
        /// What is looked at; a place is read only as far as the pattern asks.
        subject: Box<Expr>,
        /// What it shall match.
        pattern: Box<Pattern>,
    },
    /// `Ok(e)`; the node's type is the `Result`.
    Ok(Box<Expr>),
    /// `Err(e)`; the node's type is the `Result`, `e` has its error type.
    Err(Box<Expr>),
    /// A value of an error type: arguments left to right.
    Error {
        /// Which error.
        error: ErrorRef,
        /// One for each parameter of the variant, in written order with its position.
        args: Vec<(u32, Expr)>,
    },
    /// A value of an error type or a `CallError` as `Error`: its encoded revert data.
    IntoAnyError(Box<Expr>),
    /// `e?`: the value of `Ok`; for `Err(e)` returns `Err(e)` from the function, converted to `Error` when the
    /// function's error type is `Error` and the operand's is not. Of an `Option`: the value of `Some`, or returns `None`.
    Try(Box<Expr>),
    /// `return e`; type `!`. Without a value in a function whose result is `()`.
    Return(Option<Box<Expr>>),
    /// `break` of the innermost loop; type `!`.
    Break,
    /// `continue` of the innermost loop; type `!`.
    Continue,
    /// `revert`; type `!`.
    Revert(Revert),
    /// `require(cond, …)`: `cond`; only when it is false the payload is evaluated and the call reverts.
    Require {
        /// The condition.
        cond: Box<Expr>,
        /// What a failure carries.
        failure: Revert,
    },
    /// `assert(cond)`: Panic 0x01 when it is false.
    Assert(Box<Expr>),
    /// A reported mistake; absent from a tree that is lowered.
    Hole,
}
