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

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;

mod data;

pub use data::{DataOp, PlaceOp};

use super::types::{ErrorTypeId, HandleId, IntType, TypeId, Types, define_ids};
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

/// Everything that one module compiles to.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The types, and the definitions of structs, enums and errors.
    pub types: Types,
    /// Functions of all contracts and of the module; a free function stands here once.
    pub functions: Vec<Function>,
    /// Events of the module and of all contracts.
    pub events: Vec<Event>,
    /// The contracts, in source order.
    pub contracts: Vec<Contract>,
}

impl Program {
    /// The function behind `id`.
    pub fn function(&self, id: FuncId) -> &Function {
        &self.functions[id.index()]
    }

    /// The event behind `id`.
    pub fn event(&self, id: EventId) -> &Event {
        &self.events[id.index()]
    }
}

/// Lines of a doc comment, without the slashes and one leading space.
pub type Docs = Vec<String>;

/// One contract: one artifact.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Name in source.
    pub name: String,
    /// Whether it belongs to an imported module, so that this compilation makes no artifact of it.
    pub is_imported: bool,
    /// Where the whole item stands.
    pub span: Span,
    /// Its doc comment.
    pub docs: Docs,
    /// Every `state`, `table` and `transient` member with its place, in source order (§5.2).
    pub storage: Vec<StorageMember>,
    /// The immutables, in source order.
    pub immutables: Vec<Immutable>,
    /// Stores the `state` initialisers, in source order; a synthesized function without parameters and result.
    /// Creation runs it before the constructor's body.
    pub initializer: Option<FuncId>,
    /// The `constructor`; its parameters are the creation arguments, its result is `()`. Whether creation
    /// accepts value is [`Function::mutability`].
    pub constructor: Option<FuncId>,
    /// `receive`: runs on empty call data. It takes value, and neither takes nor gives anything else.
    pub receive: Option<FuncId>,
    /// `fallback`: runs on call data that selects nothing, and on empty call data without `receive`.
    pub fallback: Option<FuncId>,
    /// What entry points, `receive` and `fallback` do against re-entry; nothing stands for nothing.
    pub guards: Guards,
    /// `pub` functions in source order, then getters of `pub` members in source order.
    pub entry_points: Vec<EntryPoint>,
    /// Every function that the entry points, the constructor or the initializer may execute, these included;
    /// a function comes after all functions that it calls.
    pub functions: Vec<FuncId>,
    /// Contracts whose creation code is part of this one's, as positions in [`Program::contracts`]; never in a circle.
    pub creates: Vec<u32>,
    /// Events declared in the contract or emitted by one of [`functions`](Self::functions), for the ABI.
    pub events: Vec<EventId>,
    /// Errors declared in the contract or raised by one of [`functions`](Self::functions), for the ABI.
    pub errors: Vec<ErrorRef>,
}

/// One ABI error: a variant of an error type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ErrorRef {
    /// The error or error set.
    pub ty: ErrorTypeId,
    /// Position in [`ErrorTypeDef::variants`](super::types::ErrorTypeDef::variants); 0 for a single error.
    pub variant: u32,
}

/// How a member was declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemberKind {
    /// `state x: T`.
    State,
    /// A field of `state { … }`, which shares slots with the fields beside it.
    GroupField,
    /// `table x: Map<K, V>`.
    Table,
    /// `transient x: T`, in the transient space.
    Transient,
}

/// A storage member with its place. Values narrower than a word stand in the low-order bytes first.
#[derive(Clone, Debug)]
pub struct StorageMember {
    /// Name in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its doc comment.
    pub docs: Docs,
    /// How it was declared.
    pub kind: MemberKind,
    /// Its type; for a table always a map.
    pub ty: TypeId,
    /// First slot.
    pub slot: U256,
    /// Whether `#[slot(…)]` placed it.
    pub explicit_slot: bool,
    /// Offset of the value in the slot, in bytes from the low-order end; 0 outside groups.
    pub offset_bytes: u8,
    /// Size of the value in bytes; for what is more than a word, 32 for each of its slots.
    pub size_bytes: u64,
    /// Whether it is `pub`.
    pub is_pub: bool,
}

/// An immutable member.
#[derive(Clone, Debug)]
pub struct Immutable {
    /// Name in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its doc comment.
    pub docs: Docs,
    /// Its type: one word.
    pub ty: TypeId,
    /// Whether it is `pub`.
    pub is_pub: bool,
}

/// The re-entrancy plan of a contract (§11.3).
#[derive(Clone, Debug, Default)]
pub struct Guards {
    /// Entry points, `receive` and `fallback` that test the lock before anything else.
    pub checks: BTreeSet<FuncId>,
    /// Those that may hold the lock, each with the place of the call that needs it first.
    pub locks: BTreeMap<FuncId, Span>,
    /// Places of the calls around which the lock is held.
    pub locked: BTreeSet<Span>,
    /// Whether a function that may hold the lock can be entered while it is held, so that it is restored, not cleared.
    pub nested: bool,
}

/// What a function may do, from most to least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mutability {
    /// May write and accept value.
    Payable,
    /// May write; as an entry point it reverts with empty data if `msg.value != 0`.
    Mutable,
    /// Declared `view` and reads state.
    View,
    /// Declared `view`, and reads no state. Computed, never written.
    Pure,
}

impl Mutability {
    /// The word in the ABI JSON of Kalix.
    pub const fn name(self) -> &'static str {
        match self {
            Mutability::Payable => "payable",
            Mutability::Mutable => "mutable",
            Mutability::View => "view",
            Mutability::Pure => "pure",
        }
    }
}

/// What clients call.
#[derive(Clone, Debug)]
pub struct EntryPoint {
    /// The function to run; its parameters and result are the inputs and outputs. A result of
    /// `Result<T, E>` returns T, and `Err(e)` reverts with e's encoding.
    pub function: FuncId,
    /// Name in the ABI: that of the function or member, or of `#[abi_name]`.
    pub name: String,
    /// First four bytes of calldata that select it.
    pub selector: [u8; 4],
    /// The signature that the ABI exports, `deposit(uint256)`.
    pub signature: String,
    /// Inputs as the ABI exports them, in order.
    pub inputs: Vec<AbiParam>,
    /// Outputs; a tuple is several, `()` is none.
    pub outputs: Vec<AbiParam>,
    /// What it may do.
    pub mutability: Mutability,
    /// Whether it is the getter of a member rather than a declared function.
    pub is_getter: bool,
    /// Whether it is `#[hot]`: compared before all others.
    pub is_hot: bool,
}

/// An input or output of an entry point.
#[derive(Clone, Debug)]
pub struct AbiParam {
    /// Name in source; empty for outputs and getter keys.
    pub name: String,
    /// The Kalix type, which decoding enforces.
    pub ty: TypeId,
    /// The canonical type that the ABI exports; wider than `ty` under `#[selector("…")]`.
    pub abi_type: String,
}

/// Why a function exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionKind {
    /// Written in a contract.
    Contract,
    /// Written in the module.
    Free,
    /// The constructor.
    Constructor,
    /// `receive` of a contract.
    Receive,
    /// `fallback` of a contract.
    Fallback,
    /// Stores the state initialisers; synthesized.
    Initializer,
    /// Reads a `pub` member; synthesized.
    Getter,
}

/// A function with its body.
#[derive(Clone, Debug)]
pub struct Function {
    /// Name in source; `constructor`, `initializer` or the member's name for the others.
    pub name: String,
    /// Where the name stands, or what it was synthesized from.
    pub span: Span,
    /// Its doc comment.
    pub docs: Docs,
    /// Why it exists.
    pub kind: FunctionKind,
    /// What it may do.
    pub mutability: Mutability,
    /// How many of [`locals`](Self::locals), from the first on, are the parameters.
    pub param_count: u32,
    /// Parameters, then every `let` and loop variable, numbered in declaration order. Blocks beside
    /// each other may use one name.
    pub locals: Vec<Local>,
    /// Type of the result.
    pub result: TypeId,
    /// The body; its value is the result. When [`Block::ty`] is `!`, every path returns or reverts.
    pub body: Block,
}

impl Function {
    /// The parameters, in order.
    pub fn params(&self) -> &[Local] {
        &self.locals[..self.param_count as usize]
    }
}

/// A parameter or local variable.
#[derive(Clone, Debug)]
pub struct Local {
    /// Name in source; empty for a getter's key and for `_` as a loop variable.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its type.
    pub ty: TypeId,
    /// Whether it may be assigned after its `let`.
    pub mutable: bool,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Name in source.
    pub name: String,
    /// Name in the ABI.
    pub abi_name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its doc comment.
    pub docs: Docs,
    /// The fields, in declaration order.
    pub fields: Vec<EventField>,
    /// Whether topic 0 is left out.
    pub anonymous: bool,
    /// The canonical signature, `Deposited(address,uint64)`.
    pub signature: String,
    /// keccak256 of the signature: topic 0.
    pub topic: [u8; 32],
}

/// A field of an event.
#[derive(Clone, Debug)]
pub struct EventField {
    /// Name in source.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Whether it becomes a topic; the others are the ABI-encoded data.
    pub indexed: bool,
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
}

/// One step into a place.
#[derive(Clone, Debug)]
pub enum PlaceStep {
    /// `place[key]` of a map: the value begins at TABLEHASH(slot, word(key)). A tuple key
    /// ([`Type::Tuple`](super::types::Type::Tuple)) uses TABLEHASHN over its words.
    MapKey(Expr),
    /// `place.0` of a tuple, or a field of a struct by its position.
    Field(u32),
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

/// How an arithmetic operation treats a result outside its type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArithMode {
    /// Faults: Panic 0x11, or 0x12 for division by zero.
    Checked,
    /// Result modulo 2^N, in the type's representation.
    Wrapping,
    /// Result clamped to the range of the type.
    Saturating,
}

/// A binary operation on words of one type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `+ +% +|`, integers.
    Add(ArithMode),
    /// `- -% -|`, integers.
    Sub(ArithMode),
    /// `* *% *|`, integers.
    Mul(ArithMode),
    /// `/`: truncating; divisor 0 faults 0x12, `MIN / -1` faults 0x11.
    Div,
    /// `%`: divisor 0 faults 0x12, `MIN % -1` is 0.
    Rem,
    /// `**`, checked; the right operand has an unsigned type of its own.
    Pow,
    /// `<<` modulo 2^N; the right operand has an unsigned type of its own, and N or more gives 0.
    Shl,
    /// `>>`: arithmetic for `iN`, else logical; the right operand has an unsigned type of its own, and N or
    /// more gives 0 or −1.
    Shr,
    /// `&` on integers, `bytes<N>`, `Hash`.
    And,
    /// `|` on integers, `bytes<N>`, `Hash`.
    Or,
    /// `^` on integers, `bytes<N>`, `Hash`.
    Xor,
}

/// A unary operation; the result has the operand's type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-` on `iN`: Panic 0x11 for `MIN`.
    Neg,
    /// `~` on integers, `bytes<N>`, `Hash`; the result is again in the type's representation.
    BitNot,
    /// `!` on `bool`.
    Not,
}

/// A comparison; the result is `bool`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CompareOp {
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`; signed for `iN`, else unsigned.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
}

/// A conversion; source and target types are those of the operand and of the node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CastKind {
    /// Integer to integer; Panic 0x11 when the target does not hold the value. No check is needed when
    /// `to.contains(from)`.
    IntChecked {
        /// Type of the operand.
        from: IntType,
        /// Type of the result.
        to: IntType,
    },
    /// Integer to integer: truncates or sign-extends.
    IntWrapping {
        /// Type of the operand.
        from: IntType,
        /// Type of the result.
        to: IntType,
    },
    /// The word stays as it is: `bool` to integer, `Address` and `u160`, `Hash`, `u256` and `bytes<32>`,
    /// a wider `bytes<M>`, handle to `Address`, payload-free enum to `u8`, and identities.
    SameWord,
    /// `bytes<N>` to `u(8N)`: shifts right.
    FixedBytesToInt {
        /// N.
        size: u8,
    },
    /// `u(8N)` to `bytes<N>`: shifts left.
    IntToFixedBytes {
        /// N.
        size: u8,
    },
    /// `bytes<N>` to a narrower `bytes<M>` with `as%`: keeps the first M bytes.
    TruncateFixedBytes {
        /// M.
        size: u8,
    },
    /// `u8` to a payload-free enum with discriminants 0..variants: Panic 0x21 from `variants` on.
    IntToEnum {
        /// Number of variants.
        variants: u16,
    },
}

/// What is known without an operand (§10.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Env {
    /// `msg.sender: Address`.
    MsgSender,
    /// `msg.value: u256`.
    MsgValue,
    /// `msg.data: bytes`: a copy of the call data.
    MsgData,
    /// `msg.sig: bytes<4>`: the first four bytes of calldata, zero-padded.
    MsgSig,
    /// `tx.origin: Address`.
    TxOrigin,
    /// `tx.gasprice: u256`.
    TxGasPrice,
    /// `block.timestamp: u64`.
    BlockTimestamp,
    /// `block.number: u64`.
    BlockNumber,
    /// `block.chainid: u64`.
    BlockChainId,
    /// `block.gaslimit: u64`.
    BlockGasLimit,
    /// `block.basefee: u256`.
    BlockBaseFee,
    /// `block.prevrandao: u256`.
    BlockPrevRandao,
    /// `block.coinbase: Address`.
    BlockCoinbase,
    /// `self.address: Address`.
    SelfAddress,
    /// `self.balance: u256`.
    SelfBalance,
    /// `gas_left() -> u64`.
    GasLeft,
    /// `hedera.account_id: Address`.
    HederaAccountId,
    /// `hedera.timestamp: u64`.
    HederaTimestamp,
}

/// What the environment knows about one word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Query {
    /// `a.balance: u256` of an `Address`.
    Balance,
    /// `a.code_size: u256` of an `Address`.
    CodeSize,
    /// `a.code_hash: Hash` of an `Address`.
    CodeHash,
    /// `block_hash(n: u64) -> Hash`.
    BlockHash,
}

/// A typed external call (§10.1): `target`, `options` and `args` are evaluated in this order.
///
/// It is a static call if the function is `view`. The node's value is the decoded result; failure reverts with the
/// callee's data, a target without code and malformed results with empty data.
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
    /// A value of an error type as `Error`: its encoded revert data.
    IntoAnyError(Box<Expr>),
    /// `e?`: the value of `Ok`; for `Err(e)` returns `Err(e)` from the function, converted to `Error` when the
    /// function's error type is `Error` and the operand's is not.
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
