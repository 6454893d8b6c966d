//! Tree to typed tree: names, types, constants, effects and storage slots.
//!
//! [`check`] runs four steps over a module and those that it imports: collect what is declared ([`check::items`], [`imports`]), give storage its
//! slots ([`slots`]), check the bodies ([`check`](self::check)), then look at the call graph ([`effects`]).
//! Checking never stops at the first mistake: a part that is wrong becomes [`TypeId::ERROR`] and suppresses
//! what would follow from it. What the language has and this compiler not yet is reported as
//! [`Code::Unsupported`] at its place. Lowering consumes [`typed`] alone and only if no error was reported;
//! nothing in it refers back to the syntax tree.

mod attrs;
pub mod cheats;
mod check;
mod consts;
mod creation;
mod effects;
mod exact;
mod handled;
mod immutables;
mod imports;
mod infer;
pub mod layout;
mod lent;
mod reentrancy;
mod resolve;
mod scope;
mod slots;
pub mod typed;
pub mod types;
pub mod visit;
pub mod weave;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use zvm::bytecode::Encoding;

use crate::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::modules::Module;
use crate::source::{FileId, Source, Span};
use crate::syntax::ast;
use consts::Value;
use effects::Effects;
use imports::{ModuleIndex, ModuleScope};
use scope::{ConstIndex, ContractIndex, Names, ValueDef};
use typed::{Contract, Event, FuncId, Function, FunctionKind, Program};
use types::{ErrorTypeId, HandleId, TypeId, Types};

/// Checks the root module, which comes first, and those that it imports. The program is fit for lowering only if the
/// diagnostics hold no error.
pub fn check<'a>(modules: &'a [Module], source: &'a Source) -> (Program, Diagnostics) {
    check_for(modules, source, Encoding::Zvm)
}

/// The names that every program has: functions and objects, constants, types.
pub fn predeclared_names() -> impl Iterator<Item = &'static str> {
    let values = scope::PREDECLARED_VALUES.iter().copied().chain(scope::PRELUDE.iter().map(|row| row.0));
    values.chain(scope::PREDECLARED_TYPES.iter().copied()).chain(scope::COMMON_INTEGERS.iter().copied())
}

/// The same for a target with that encoding: builtins whose operations it lacks are reported (K0508).
pub fn check_for<'a>(
    modules: &'a [Module],
    source: &'a Source,
    encoding: Encoding,
) -> (Program, Diagnostics) {
    let mut sema = Sema {
        source,
        encoding,
        diags: Diagnostics::new(),
        types: Types::new(),
        modules: modules.iter().map(imports::ModuleScope::of).collect(),
        current: 0,
        contracts: Vec::new(),
        consts: Vec::new(),
        signatures: Vec::new(),
        functions: Vec::new(),
        module_of: Vec::new(),
        events: Vec::new(),
        methods: HashMap::new(),
        used: HashSet::new(),
        allowed: Vec::new(),
        hole: None,
        block_names: Vec::new(),
        constant_depth: 0,
        decode_error: None,
        vm_handle: None,
        assertions: Vec::new(),
        test_addresses: Vec::new(),
        test_words: weave::words(&modules[0].tree, source),
    };
    sema.collect(modules);
    sema.check_constants();
    sema.check_bodies();
    sema.finish()
}

/// The state of checking one module.
struct Sema<'a> {
    source: &'a Source,
    // Of the target.
    encoding: Encoding,
    diags: Diagnostics,
    types: Types,
    modules: Vec<ModuleScope>,
    /// The module whose names are in scope.
    current: ModuleIndex,
    contracts: Vec<ContractInfo<'a>>,
    consts: Vec<ConstInfo<'a>>,
    // Invariant: `functions` grows with `signatures`; a body that is not checked yet is empty.
    signatures: Vec<Signature<'a>>,
    functions: Vec<Function>,
    /// The module in which each function is declared.
    module_of: Vec<ModuleIndex>,
    events: Vec<Event>,
    /// Functions of `impl` blocks, by their type and name.
    methods: HashMap<(TypeId, Arc<str>), FuncId>,
    /// Places of the names that something refers to, for warnings about the others.
    used: HashSet<Span>,
    /// Warnings that are silenced, and in which item.
    allowed: Vec<(Code, Span)>,
    /// A part of a tree that cannot be lowered.
    hole: Option<Span>,
    /// The constants of the block in which a type stands, and its other names, while that type is resolved.
    block_names: Vec<scope::LocalEntry>,
    /// How many constants are being evaluated, each for the one before.
    constant_depth: u32,
    /// The predeclared error of `abi.decode`, once something names it.
    decode_error: Option<ErrorTypeId>,
    /// The type of the account that answers cheats, once a test names one.
    vm_handle: Option<HandleId>,
    /// Assertions of tests.
    assertions: Vec<typed::Assertion>,
    /// Names that tests give to accounts.
    test_addresses: Vec<String>,
    /// Every word of the root module's tests: a build leaves them out, but what they use is not unused.
    test_words: HashSet<&'a str>,
}

/// How deep constants in a circle are followed.
const CONSTANT_DEPTH_MAX: u32 = 4;

/// A contract while it is checked.
struct ContractInfo<'a> {
    ast: &'a ast::Contract,
    module: ModuleIndex,
    /// The type of its handles.
    handle: HandleId,
    names: Names,
    typed: Contract,
    /// `pub` functions and getters, with the attributes that name them.
    entries: Vec<(FuncId, &'a ast::Attrs, bool)>,
    /// Members of each `state` group.
    groups: Vec<std::ops::Range<usize>>,
    /// Initial values of `state` members.
    initial_values: Vec<(typed::MemberId, &'a ast::Expr)>,
}

/// A constant, evaluated when it is first used.
struct ConstInfo<'a> {
    ast: &'a ast::Const,
    module: ModuleIndex,
    contract: Option<ContractIndex>,
    is_pub: bool,
    attrs: &'a ast::Attrs,
    state: ConstState,
}

/// How far the evaluation of a constant is.
#[derive(Clone)]
enum ConstState {
    Waiting,
    Running,
    Done(TypeId, Value),
    /// Its mistake was reported.
    Failed,
}

/// What callers see of a function, and what its body was found to do.
struct Signature<'a> {
    name: Arc<str>,
    span: Span,
    kind: FunctionKind,
    contract: Option<ContractIndex>,
    attrs: Option<&'a ast::Attrs>,
    params: Vec<Param>,
    result: TypeId,
    view: bool,
    payable: bool,
    is_pub: bool,
    /// Whether the first parameter is `self`.
    has_receiver: bool,
    body: Body<'a>,
    effects: Effects,
}

/// Where the body of a function comes from.
#[derive(Clone, Copy)]
enum Body<'a> {
    Block(&'a ast::Block),
    /// Synthesized when the function is added.
    Ready,
    /// The state initialisers of the contract.
    Initializer,
}

/// A parameter of a function.
#[derive(Clone)]
struct Param {
    name: Arc<str>,
    span: Span,
    ty: TypeId,
    mutable: bool,
    constant: bool,
}

impl<'a> Sema<'a> {
    /// Reports that `name` was defined before at `first`.
    fn already_defined(&mut self, name: &ast::Ident, first: Span) {
        self.diags
            .error(Code::AlreadyDefined, name.span)
            .arg("name", &name.name)
            .secondary(first, "first defined here");
    }

    /// The type `DecodeError`, the error of `abi.decode`.
    fn decode_error(&mut self) -> ErrorTypeId {
        if let Some(id) = self.decode_error {
            return id;
        }
        let id = ErrorTypeId(self.types.error_types.len() as u32);
        let (name, span) = ("DecodeError".to_owned(), Span::default());
        let signature = "DecodeError()".to_owned();
        let selector = check::selector_of(&signature);
        let variant =
            types::ErrorVariant { name: name.clone(), span, params: Vec::new(), signature, selector };
        self.types.error_types.push(types::ErrorTypeDef {
            name,
            span,
            is_set: false,
            variants: vec![variant],
        });
        self.decode_error = Some(id);
        id
    }

    fn signature(&self, id: FuncId) -> &Signature<'a> {
        &self.signatures[id.index()]
    }

    /// The constant of this number, evaluating it if that has not been done.
    fn constant(&mut self, index: ConstIndex) -> Option<(TypeId, Value)> {
        match self.consts[index].state.clone() {
            ConstState::Done(ty, value) => Some((ty, value)),
            ConstState::Failed => None,
            // Constants are evaluated in the order of their use, so only a circle leads on and on.
            ConstState::Waiting if self.constant_depth < CONSTANT_DEPTH_MAX => {
                self.consts[index].state = ConstState::Running;
                self.constant_depth += 1;
                let state = self.evaluate_constant(index);
                self.constant_depth -= 1;
                self.consts[index].state = state;
                self.constant(index)
            }
            ConstState::Waiting | ConstState::Running => {
                let name = &self.consts[index].ast.name;
                self.diags.error(Code::NotConstant, name.span).arg("reason", "its value depends on itself");
                self.consts[index].state = ConstState::Failed;
                None
            }
        }
    }

    /// Evaluates every constant, each after those that its text names. The stack is explicit, because the
    /// length of a chain is the source's choice.
    fn check_constants(&mut self) {
        let mut entered = vec![false; self.consts.len()];
        for start in 0..self.consts.len() {
            let mut path = vec![(start, false)];
            while let Some((index, ready)) = path.pop() {
                if ready {
                    self.constant(index);
                } else if !std::mem::replace(&mut entered[index], true) {
                    path.push((index, true));
                    path.extend(self.named_constants(index).map(|other| (other, false)));
                }
            }
        }
    }

    /// The constants that the text of a constant's value names, and perhaps others.
    fn named_constants(&self, index: ConstIndex) -> impl Iterator<Item = ConstIndex> {
        let constant = &self.consts[index];
        let own = constant.contract.map(|contract| &self.contracts[contract].names.values);
        let text = self.source.slice(constant.ast.value.span);
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        words.filter_map(move |word| {
            match own
                .and_then(|own| own.get(word))
                .or_else(|| self.modules[constant.module].any_value(word, self))
            {
                Some(ValueDef::Const(other)) => Some(other),
                _ => None,
            }
        })
    }

    fn finish(mut self) -> (Program, Diagnostics) {
        self.check_effects();
        if let (Some(span), false) = (self.hole, self.diags.has_errors()) {
            self.diags.error(Code::Internal, span).arg("detail", "a part that was not checked");
        }
        // What an imported module could do better is told to those who build it.
        let (source, mut diags) = (self.source, Diagnostics::new());
        let foreign = |span: Span| source.file_at(span.start) != FileId::ROOT;
        let allowed = |diagnostic: &Diagnostic| {
            let at = diagnostic.span().start;
            self.allowed
                .iter()
                .any(|&(code, place)| code == diagnostic.code() && place.start <= at && at < place.end)
        };
        for diagnostic in self.diags.iter() {
            if self.follows_from_import(diagnostic) {
                continue;
            }
            let is_shown = diagnostic.severity() == Severity::Error
                || !foreign(diagnostic.span()) && !allowed(diagnostic);
            if is_shown {
                diags.push(diagnostic.clone());
            }
        }
        diags.sort();
        let contracts = self.contracts.into_iter().map(|contract| contract.typed).collect();
        let program = Program {
            types: self.types,
            functions: self.functions,
            events: self.events,
            contracts,
            assertions: self.assertions,
            test_addresses: self.test_addresses,
        };
        (program, diags)
    }
}
