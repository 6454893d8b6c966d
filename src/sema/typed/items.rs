//! What a program declares: contracts with their members and entry points, functions, events.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;

use super::{Block, EventId, FuncId};
use crate::sema::types::{ErrorTypeId, TypeId, Types};
use crate::source::Span;

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
    /// Assertions of tests, by the number that one hands over when it fails.
    pub assertions: Vec<Assertion>,
    /// The names that tests give to accounts with `vm.address`.
    pub test_addresses: Vec<String>,
}

/// An assertion of a test.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Where it stands.
    pub span: Span,
    /// The type of both sides, if it has two whose values can be told.
    pub sides: Option<TypeId>,
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
    /// Whether it holds tests: it runs where the limits of code are wider, and is never deployed elsewhere.
    pub is_test: bool,
    /// The file of `#[layout_lock("…")]`, and where the attribute stands. Whoever reads files sees to it.
    pub layout_lock: Option<(String, Span)>,
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
    /// Its type: a Copy type. Its words follow those of the immutables before it.
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
    /// N of `#[gas(max = N)]`, and where the attribute stands. Checked on the emitted code (K0601, K0602).
    pub gas_max: Option<(u64, Span)>,
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
    /// A `test`: an entry point of a contract that only tests have.
    Test,
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
