//! Modules, contracts and what they contain.

use std::sync::Arc;

use super::{Attrs, BindMode, Block, DocLine, Expr, Ident, IntLit, Path, Type};
use crate::source::Span;

/// One source file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Module {
    /// The `//!` lines at the top.
    pub docs: Vec<DocLine>,
    /// The items in source order.
    pub items: Vec<ModuleItem>,
    /// The whole text.
    pub span: Span,
}

/// An item of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleItem {
    /// Documentation and attributes.
    pub attrs: Attrs,
    /// Where `pub` stands, if it is written; for a function also a `pub` after the parameters.
    pub public: Option<Span>,
    /// Which item.
    pub kind: ModuleItemKind,
    /// The item without documentation and attributes.
    pub span: Span,
}

/// The items of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleItemKind {
    /// `use token::IERC20;`
    Use(Use),
    /// `test "…" { … }`
    Test(Test),
    /// `const N: u64 = 1;`
    Const(Const),
    /// `struct S { … }`
    Struct(Struct),
    /// `enum E { … }`
    Enum(Enum),
    /// `impl S { … }`
    Impl(Impl),
    /// `error E(…);`
    Error(ErrorDecl),
    /// `event E(…);`
    Event(EventDecl),
    /// `interface I { … }`
    Interface(Interface),
    /// `contract C { … }`
    Contract(Contract),
    /// `fn f() { … }`
    Fn(Fn),
}

/// An item of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractItem {
    /// Documentation and attributes.
    pub attrs: Attrs,
    /// Where `pub` stands, if it is written; for a function also a `pub` after the parameters.
    pub public: Option<Span>,
    /// Which item.
    pub kind: ContractItemKind,
    /// The item without documentation and attributes.
    pub span: Span,
}

/// The items of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractItemKind {
    /// `constructor(…) { … }`
    Constructor(Constructor),
    /// `receive() payable { … }`
    Receive(Receive),
    /// `fallback(data: bytes) -> bytes { … }`
    Fallback(Fallback),
    /// `test "…" { … }`
    Test(Test),
    /// `state { a: u16, b: bool }`
    StateGroup(StateGroup),
    /// `state n: u64 = 1;`
    State(StateDecl),
    /// `table t: Map<K, V>;`
    Table(Member),
    /// `immutable owner: Address;`
    Immutable(Member),
    /// `transient depth: u8;`
    Transient(Member),
    /// `const N: u64 = 1;`
    Const(Const),
    /// `struct S { … }`
    Struct(Struct),
    /// `enum E { … }`
    Enum(Enum),
    /// `error E(…);`
    Error(ErrorDecl),
    /// `event E(…);`
    Event(EventDecl),
    /// `fn f() { … }`
    Fn(Fn),
}

/// `use path…;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The path up to `as`, `::{` or `::*`.
    pub path: Path,
    /// What is imported from it.
    pub tree: UseTree,
}

/// The end of a `use`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseTree {
    /// The path itself, perhaps `as` another name.
    Single {
        /// The new name.
        alias: Option<Ident>,
    },
    /// `::{A, B as C}`
    List(Vec<UseItem>),
    /// `::*`
    All,
}

/// One name in a `use` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseItem {
    /// What is imported.
    pub name: Ident,
    /// The name after `as`.
    pub alias: Option<Ident>,
}

/// `const NAME: T = e;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Const {
    /// Its name.
    pub name: Ident,
    /// The annotation.
    pub ty: Option<Type>,
    /// The value.
    pub value: Expr,
}

/// `struct Name { fields }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struct {
    /// Its name.
    pub name: Ident,
    /// The fields in order.
    pub fields: Vec<Field>,
}

/// A field of a struct or a state group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Documentation and attributes.
    pub attrs: Attrs,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// Name and type.
    pub span: Span,
}

/// `enum Name { variants }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// Its name.
    pub name: Ident,
    /// The variants in order.
    pub variants: Vec<Variant>,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Documentation and attributes.
    pub attrs: Attrs,
    /// Its name.
    pub name: Ident,
    /// Its payload; empty for a variant without one.
    pub payload: Vec<Type>,
    /// `= 3`
    pub discriminant: Option<IntLit>,
    /// The whole variant.
    pub span: Span,
}

/// `impl Name { methods }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impl {
    /// The struct.
    pub name: Ident,
    /// Its methods.
    pub methods: Vec<Method>,
}

/// A function in an `impl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Documentation and attributes.
    pub attrs: Attrs,
    /// Where `pub` stands, if it is written.
    pub public: Option<Span>,
    /// The function.
    pub function: Fn,
    /// The item without documentation and attributes.
    pub span: Span,
}

/// `error E;`, `error E(…);` or `error Set { A, B(…) }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDecl {
    /// The name of the error or of the set.
    pub name: Ident,
    /// Which form.
    pub kind: ErrorKind,
}

/// The forms of an error declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// One error with its fields.
    Single(Vec<Param>),
    /// An error set.
    Set(Vec<ErrorVariant>),
}

/// One error of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorVariant {
    /// Documentation and attributes.
    pub attrs: Attrs,
    /// Its name.
    pub name: Ident,
    /// Its fields.
    pub params: Vec<Param>,
    /// The whole variant.
    pub span: Span,
}

/// `event E(indexed a: A, b: B);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDecl {
    /// Its name.
    pub name: Ident,
    /// Its fields in order.
    pub fields: Vec<EventField>,
}

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventField {
    /// Whether it is `indexed`.
    pub indexed: bool,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// The whole field.
    pub span: Span,
}

/// `interface I { signatures }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: Ident,
    /// Its functions.
    pub functions: Vec<InterfaceFn>,
}

/// A function of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceFn {
    /// Documentation and attributes.
    pub attrs: Attrs,
    /// The signature.
    pub sig: FnSig,
    /// The item without documentation and attributes.
    pub span: Span,
}

/// `contract C : I, J { items }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Its name.
    pub name: Ident,
    /// The interfaces it conforms to.
    pub interfaces: Vec<Path>,
    /// The items in source order.
    pub items: Vec<ContractItem>,
}

/// `state n: u64 = 1;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDecl {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// The initial value.
    pub init: Option<Expr>,
}

/// `state { a: u16, b: bool }`: one packed unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateGroup {
    /// The members in order.
    pub fields: Vec<Field>,
}

/// A table, immutable or transient member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
}

/// `constructor(…) payable { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constructor {
    /// The parameters.
    pub params: Vec<Param>,
    /// Where `payable` stands.
    pub payable: Option<Span>,
    /// The body.
    pub body: Block,
}

/// `receive() payable { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receive {
    /// The body.
    pub body: Block,
}

/// `fallback(data: bytes) payable -> bytes { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The calldata.
    pub param: Option<Param>,
    /// Where `payable` stands.
    pub payable: Option<Span>,
    /// The type of what is returned.
    pub ret: Option<Type>,
    /// The body.
    pub body: Block,
}

/// A function with its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fn {
    /// The signature.
    pub sig: FnSig,
    /// The body.
    pub body: Block,
}

/// A function's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FnSig {
    /// Its name; may be `new`.
    pub name: Ident,
    /// `self`, `&self`, `&mut self`
    pub receiver: Option<Receiver>,
    /// The other parameters.
    pub params: Vec<Param>,
    /// Where `view` stands.
    pub view: Option<Span>,
    /// Where `payable` stands.
    pub payable: Option<Span>,
    /// The type after `->`.
    pub ret: Option<Type>,
    /// The whole signature.
    pub span: Span,
}

/// The `self` parameter of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// How `self` is passed.
    pub kind: ReceiverKind,
    /// The whole parameter.
    pub span: Span,
}

/// How `self` is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    /// `self`
    Value,
    /// `&self`
    Ref,
    /// `&mut self`
    RefMut,
}

/// `name: T`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The word before the name.
    pub mode: BindMode,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// The whole parameter.
    pub span: Span,
}

/// `test "name"(params) { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The name between quotes.
    pub name: Arc<str>,
    /// The inputs of a property.
    pub params: Vec<Param>,
    /// The body.
    pub body: Block,
}
