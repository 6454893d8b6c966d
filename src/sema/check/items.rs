//! What modules and contracts declare: every name, before any type or body is looked at.
//!
//! What the declarations mean follows in [`define`](super::define), once all type names are known.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::diag::Code;
use crate::modules::Module;
use crate::sema::attrs::{Target, docs};
use crate::sema::check::structs::Definition;
use crate::sema::exact::Int;
use crate::sema::imports::ModuleIndex;
use crate::sema::infer::literal_does_not_fit;
use crate::sema::scope::{
    ConstIndex, ContractIndex, Names, PREDECLARED_VALUES, Resource, TypeDef, ValueDef, is_predeclared_type,
    prelude,
};
use crate::sema::typed::{Contract, Event, EventId, Guards};
use crate::sema::types::{
    EnumDef, EnumId, EnumVariant, ErrorTypeDef, ErrorTypeId, HandleId, IntType, TypeId,
};
use crate::sema::{ConstInfo, ConstState, ContractInfo, Sema};
use crate::source::Span;
use crate::syntax::ast::{self, ContractItemKind, ModuleItemKind};

/// Declarations that become functions, constants and events once every type name is known.
pub(super) struct Pending<'a> {
    pub(super) module: ModuleIndex,
    pub(super) contract: Option<ContractIndex>,
    pub(super) attrs: &'a ast::Attrs,
    pub(super) public: Option<Span>,
    pub(super) span: Span,
    pub(super) kind: PendingKind<'a>,
}

pub(super) enum PendingKind<'a> {
    Error(&'a ast::ErrorDecl, ErrorTypeId),
    Event(&'a ast::EventDecl, EventId),
    Fn(&'a ast::Fn),
    /// A function in the `impl` of the type of this name.
    Method(&'a ast::Ident, &'a ast::Fn),
    Constructor(&'a ast::Constructor),
    State(&'a ast::Ident, &'a ast::Type, Option<&'a ast::Expr>),
    Group(&'a ast::StateGroup),
    Table(&'a ast::Member),
    Transient(&'a ast::Member),
    Immutable(&'a ast::Member),
    Interface(&'a ast::Interface, HandleId),
    Receive(&'a ast::Receive),
    Fallback(&'a ast::Fallback),
}

impl<'a> Sema<'a> {
    /// Reports `#[create(…)]` with another number of values than the constructor has parameters (K0207).
    fn check_create(&mut self, contract: ContractIndex, attrs: &ast::Attrs) {
        let Some(create) = attrs.find("create") else { return };
        let items = &self.contracts[contract].ast.items;
        let constructor = items.iter().find_map(|item| match &item.kind {
            ContractItemKind::Constructor(constructor) => Some(constructor),
            _ => None,
        });
        let expected = constructor.map_or(0, |constructor| constructor.params.len());
        if create.args.len() != expected {
            let found = create.args.len();
            self.diags.error(Code::WrongArgumentCount, create.span).arg("n", expected).arg("m", found);
        }
    }

    /// Defines every name of every module, then resolves signatures and member types.
    pub(in crate::sema) fn collect(&mut self, modules: &'a [Module]) {
        let (mut pending, mut definitions) = (Vec::new(), Vec::new());
        for (index, module) in modules.iter().enumerate() {
            self.current = index;
            for item in &module.tree.items {
                self.declare_module_item(item, &mut pending, &mut definitions);
            }
        }
        for index in 0..self.contracts.len() {
            self.current = self.contracts[index].module;
            for item in &self.contracts[index].ast.items {
                self.declare_contract_item(item, index, &mut pending, &mut definitions);
            }
        }
        self.bring_in(modules);
        self.bring_in_values(modules, false);
        self.define_types(&definitions);
        for item in pending {
            self.define(item);
        }
        self.bring_in_values(modules, true);
        for index in 0..self.contracts.len() {
            self.assign_slots(index);
        }
    }

    fn declare_module_item(
        &mut self,
        item: &'a ast::ModuleItem,
        pending: &mut Vec<Pending<'a>>,
        definitions: &mut Vec<Definition<'a>>,
    ) {
        let target = match &item.kind {
            ModuleItemKind::Fn(_) => Target::Function,
            ModuleItemKind::Const(_) => Target::Constant,
            ModuleItemKind::Event(_) => Target::Event,
            ModuleItemKind::Error(_) => Target::Error,
            ModuleItemKind::Contract(_) => Target::Contract,
            ModuleItemKind::Struct(_) => Target::Struct,
            ModuleItemKind::Test(_) => Target::Test,
            _ => Target::Other,
        };
        self.check_attrs(&item.attrs, target, item.span);
        let module = self.current;
        if let ModuleItemKind::Impl(decl) = &item.kind {
            return self.declare_methods(decl, pending);
        }
        let mut later = |kind| {
            pending.push(Pending {
                module,
                contract: None,
                attrs: &item.attrs,
                public: item.public,
                span: item.span,
                kind,
            });
        };
        match &item.kind {
            // Tests are left out of a build. Where they run, each stands in a contract of its own as well.
            ModuleItemKind::Test(_) => {
                if let Some(create) = item.attrs.find("create") {
                    self.diags
                        .error(Code::ItemNotAllowed, create.span)
                        .arg("item", "#[create]")
                        .arg("place", "front of a test outside a contract")
                        .label("it says with what the contract around the test is created");
                }
            }
            // Imports follow once every module has its names.
            ModuleItemKind::Use(_) => {}
            ModuleItemKind::Struct(decl) => definitions.push(self.declare_struct(decl, &item.attrs, None)),
            ModuleItemKind::Enum(decl) => definitions.push(self.declare_enum(decl, None)),
            ModuleItemKind::Interface(decl) => {
                let handle = self.add_handle(&decl.name);
                later(PendingKind::Interface(decl, handle));
                self.define_type(&decl.name, TypeDef::Interface(handle), None);
            }
            // Above.
            ModuleItemKind::Impl(_) => {}
            ModuleItemKind::Const(decl) => self.declare_const(decl, None, item.public.is_some(), &item.attrs),
            ModuleItemKind::Error(decl) => later(PendingKind::Error(decl, self.declare_error(decl, None))),
            ModuleItemKind::Event(decl) => {
                later(PendingKind::Event(decl, self.declare_event(decl, None, &item.attrs)))
            }
            ModuleItemKind::Contract(decl) => self.declare_contract(decl, item),
            ModuleItemKind::Fn(decl) => later(PendingKind::Fn(decl)),
        }
    }

    fn declare_contract_item(
        &mut self,
        item: &'a ast::ContractItem,
        contract: ContractIndex,
        pending: &mut Vec<Pending<'a>>,
        definitions: &mut Vec<Definition<'a>>,
    ) {
        let is_pub = item.public.is_some();
        let member = if is_pub { Target::PubMember } else { Target::Member };
        let target = match &item.kind {
            ContractItemKind::Fn(_) if is_pub => Target::PubFunction,
            ContractItemKind::Fn(_) => Target::Function,
            ContractItemKind::Constructor(_) => Target::Constructor,
            ContractItemKind::Receive(_) | ContractItemKind::Fallback(_) => Target::Fallback,
            ContractItemKind::State(_) | ContractItemKind::Table(_) | ContractItemKind::Immutable(_) => {
                member
            }
            ContractItemKind::Const(_) if is_pub => Target::PubConstant,
            ContractItemKind::Const(_) => Target::Constant,
            ContractItemKind::Event(_) => Target::Event,
            ContractItemKind::Error(_) => Target::Error,
            ContractItemKind::Struct(_) => Target::Struct,
            ContractItemKind::StateGroup(_) => Target::Group,
            ContractItemKind::Test(_) => Target::Test,
            _ => Target::Other,
        };
        self.check_attrs(&item.attrs, target, item.span);
        let module = self.current;
        let mut later = |kind| {
            let contract = Some(contract);
            pending.push(Pending {
                module,
                contract,
                attrs: &item.attrs,
                public: item.public,
                span: item.span,
                kind,
            });
        };
        match &item.kind {
            ContractItemKind::Test(_) => self.check_create(contract, &item.attrs),
            ContractItemKind::Receive(decl) => later(PendingKind::Receive(decl)),
            ContractItemKind::Fallback(decl) => later(PendingKind::Fallback(decl)),
            ContractItemKind::StateGroup(group) => later(PendingKind::Group(group)),
            ContractItemKind::Immutable(decl) => later(PendingKind::Immutable(decl)),
            ContractItemKind::Transient(decl) => later(PendingKind::Transient(decl)),
            ContractItemKind::Struct(decl) => {
                definitions.push(self.declare_struct(decl, &item.attrs, Some(contract)));
            }
            ContractItemKind::Enum(decl) => definitions.push(self.declare_enum(decl, Some(contract))),
            ContractItemKind::State(decl) => {
                later(PendingKind::State(&decl.name, &decl.ty, decl.init.as_ref()))
            }
            ContractItemKind::Table(decl) => later(PendingKind::Table(decl)),
            ContractItemKind::Const(decl) => self.declare_const(decl, Some(contract), is_pub, &item.attrs),
            ContractItemKind::Error(decl) => {
                later(PendingKind::Error(decl, self.declare_error(decl, Some(contract))))
            }
            ContractItemKind::Event(decl) => {
                later(PendingKind::Event(decl, self.declare_event(decl, Some(contract), &item.attrs)));
            }
            ContractItemKind::Constructor(decl) => later(PendingKind::Constructor(decl)),
            ContractItemKind::Fn(decl) => later(PendingKind::Fn(decl)),
        }
    }

    fn names(&mut self, contract: Option<ContractIndex>) -> &mut Names {
        match contract {
            Some(index) => &mut self.contracts[index].names,
            None => &mut self.modules[self.current].names,
        }
    }

    pub(super) fn define_type(&mut self, name: &ast::Ident, def: TypeDef, contract: Option<ContractIndex>) {
        if is_predeclared_type(name.as_str()) {
            self.predeclared(name);
        } else if let Err(first) = self.names(contract).types.define(&name.name, def, name.span) {
            self.already_defined(name, first);
        }
    }

    pub(super) fn define_value(&mut self, name: &ast::Ident, def: ValueDef, contract: Option<ContractIndex>) {
        if PREDECLARED_VALUES.contains(&name.as_str()) || prelude(name.as_str()).is_some() {
            self.predeclared(name);
        } else if let Err(first) = self.names(contract).values.define(&name.name, def, name.span) {
            let both_functions = matches!(def, ValueDef::Function(_))
                && matches!(self.names(contract).values.get(&name.name), Some(ValueDef::Function(_)));
            if both_functions {
                self.diags
                    .error(Code::DefinedTwice, name.span)
                    .arg("f", &name.name)
                    .secondary(first, "first defined here");
            } else {
                self.already_defined(name, first);
            }
        }
    }

    pub(super) fn define_resource(&mut self, name: &ast::Ident, def: Resource, contract: ContractIndex) {
        if let Err(first) = self.contracts[contract].names.resources.define(&name.name, def, name.span) {
            self.already_defined(name, first);
        }
    }

    pub(in crate::sema) fn predeclared(&mut self, name: &ast::Ident) {
        self.diags
            .error(Code::AlreadyDefined, name.span)
            .arg("name", &name.name)
            .note("the language itself gives this name a meaning");
    }

    fn declare_const(
        &mut self,
        decl: &'a ast::Const,
        contract: Option<ContractIndex>,
        is_pub: bool,
        attrs: &'a ast::Attrs,
    ) {
        let index: ConstIndex = self.consts.len();
        self.consts.push(ConstInfo {
            ast: decl,
            module: self.current,
            contract,
            is_pub,
            attrs,
            state: ConstState::Waiting,
        });
        self.define_value(&decl.name, ValueDef::Const(index), contract);
    }

    /// An enum; without payloads its values are numbers of one byte.
    fn declare_enum(&mut self, decl: &'a ast::Enum, contract: Option<ContractIndex>) -> Definition<'a> {
        self.report_repeated(decl.variants.iter().map(|variant| &variant.name));
        let has_payload = decl.variants.iter().any(|variant| !variant.payload.is_empty());
        let mut variants: Vec<EnumVariant> = Vec::new();
        let mut taken: HashMap<u8, Span> = HashMap::new();
        let mut next = Int::from_u64(0);
        for variant in &decl.variants {
            self.check_attrs(&variant.attrs, Target::Other, variant.name.span);
            let span = variant.discriminant.as_ref().map_or(variant.name.span, |value| value.span);
            if let Some(explicit) = &variant.discriminant {
                if has_payload {
                    self.diags
                        .error(Code::ItemNotAllowed, explicit.span)
                        .arg("item", "an explicit number")
                        .arg("place", "an enum with payloads");
                }
                next = Int::new(false, explicit.value);
            }
            let Some(discriminant) = next.to_u64().and_then(|value| u8::try_from(value).ok()) else {
                literal_does_not_fit(&mut self.diags, next, IntType::U8, span);
                break;
            };
            if let Some(first) = taken.insert(discriminant, span) {
                self.diags
                    .error(Code::AlreadyDefined, span)
                    .arg("name", discriminant)
                    .secondary(first, "another variant has this number");
            }
            variants.push(EnumVariant {
                name: variant.name.name.to_string(),
                discriminant,
                // What they are follows once every type has its name.
                payload: vec![TypeId::ERROR; variant.payload.len()],
            });
            next = Int::from_u64(u64::from(discriminant) + 1);
        }
        let id = EnumId(self.types.enums.len() as u32);
        self.types.enums.push(EnumDef { name: decl.name.name.to_string(), span: decl.name.span, variants });
        self.define_type(&decl.name, TypeDef::Enum(id), contract);
        Definition::Enum(decl, id, contract)
    }

    fn declare_error(&mut self, decl: &'a ast::ErrorDecl, contract: Option<ContractIndex>) -> ErrorTypeId {
        let id = ErrorTypeId(self.types.error_types.len() as u32);
        let is_set = matches!(decl.kind, ast::ErrorKind::Set(_));
        let name = decl.name.name.to_string();
        self.types.error_types.push(ErrorTypeDef {
            name,
            span: decl.name.span,
            is_set,
            variants: Vec::new(),
        });
        self.define_type(&decl.name, TypeDef::ErrorType(id), contract);
        id
    }

    fn declare_event(
        &mut self,
        decl: &'a ast::EventDecl,
        contract: Option<ContractIndex>,
        attrs: &'a ast::Attrs,
    ) -> EventId {
        let id = EventId(self.events.len() as u32);
        let name = decl.name.name.to_string();
        let abi_name = self.abi_name(attrs).unwrap_or_else(|| name.clone());
        self.events.push(Event {
            abi_name,
            name,
            span: decl.name.span,
            docs: docs(attrs),
            fields: Vec::new(),
            anonymous: attrs.find("anonymous").is_some(),
            signature: String::new(),
            topic: [0; 32],
        });
        self.define_type(&decl.name, TypeDef::Event(id), contract);
        if let Some(index) = contract {
            self.contracts[index].typed.events.push(id);
        }
        id
    }

    fn declare_contract(&mut self, decl: &'a ast::Contract, item: &'a ast::ModuleItem) {
        let index = self.contracts.len();
        let name = decl.name.name.to_string();
        let handle = self.add_handle(&decl.name);
        let layout_lock = self.layout_lock(&item.attrs);
        self.contracts.push(ContractInfo {
            ast: decl,
            module: self.current,
            handle,
            names: Names::default(),
            entries: Vec::new(),
            groups: Vec::new(),
            initial_values: Vec::new(),
            typed: Contract {
                name,
                is_imported: self.current != 0,
                is_test: crate::sema::weave::is_test_name(decl.name.as_str()),
                layout_lock,
                span: item.span,
                docs: docs(&item.attrs),
                storage: Vec::new(),
                immutables: Vec::new(),
                initializer: None,
                constructor: None,
                receive: None,
                fallback: None,
                guards: Guards::default(),
                entry_points: Vec::new(),
                functions: Vec::new(),
                creates: Vec::new(),
                events: Vec::new(),
                errors: Vec::new(),
            },
        });
        self.define_type(&decl.name, TypeDef::Contract(index), None);
    }

    /// Reports names that a list gives twice.
    pub(super) fn report_repeated<'n>(&mut self, names: impl Iterator<Item = &'n ast::Ident>) {
        let mut first = HashMap::new();
        for name in names {
            match first.entry(name.name.clone()) {
                Entry::Occupied(entry) => self.already_defined(name, *entry.get()),
                Entry::Vacant(entry) => {
                    entry.insert(name.span);
                }
            }
        }
    }
}
