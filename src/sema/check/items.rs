//! What modules and contracts declare, before any body is looked at.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use alloy_primitives::keccak256;

use crate::diag::Code;
use crate::sema::attrs::{Target, allows, docs};
use crate::sema::consts::Int;
use crate::sema::effects::Effects;
use crate::sema::infer::literal_does_not_fit;
use crate::sema::resolve::Position;
use crate::sema::scope::{
    ConstIndex, ContractIndex, Names, PREDECLARED_VALUES, Resource, TypeDef, ValueDef, is_predeclared_type,
    prelude,
};
use crate::sema::typed::{
    Block, Contract, ErrorRef, Event, EventField, EventId, FuncId, Function, FunctionKind, MemberId,
    MemberKind, Mutability, StorageMember,
};
use crate::sema::types::{
    EnumDef, EnumId, EnumVariant, ErrorTypeDef, ErrorTypeId, ErrorVariant, HandleDef, IntType, TypeId,
};
use crate::sema::{Body, ConstInfo, ConstState, ContractInfo, Param, Sema, Signature};
use crate::source::Span;
use crate::syntax::ast::{self, BindMode, ContractItemKind, ModuleItemKind};

/// Declarations that become functions, constants and events once every type name is known.
struct Pending<'a> {
    contract: Option<ContractIndex>,
    attrs: &'a ast::Attrs,
    public: Option<Span>,
    span: Span,
    kind: PendingKind<'a>,
}

enum PendingKind<'a> {
    Error(&'a ast::ErrorDecl, ErrorTypeId),
    Event(&'a ast::EventDecl, EventId),
    Fn(&'a ast::Fn),
    Constructor(&'a ast::Constructor),
    State(&'a ast::Ident, &'a ast::Type, Option<&'a ast::Expr>),
    Group(&'a ast::StateGroup),
    Table(&'a ast::Member),
    Transient(&'a ast::Member),
}

impl<'a> Sema<'a> {
    /// Defines every name of the module, then resolves signatures and member types.
    pub(in crate::sema) fn collect_module(&mut self, module: &'a ast::Module) {
        let mut pending = Vec::new();
        for item in &module.items {
            self.declare_module_item(item, &mut pending);
        }
        for index in 0..self.contracts.len() {
            for item in &self.contracts[index].ast.items {
                self.declare_contract_item(item, index, &mut pending);
            }
        }
        for item in pending {
            self.define(item);
        }
        for index in 0..self.contracts.len() {
            self.assign_slots(index);
        }
    }

    fn declare_module_item(&mut self, item: &'a ast::ModuleItem, pending: &mut Vec<Pending<'a>>) {
        let target = match &item.kind {
            ModuleItemKind::Fn(_) => Target::Function,
            ModuleItemKind::Const(_) => Target::Constant,
            ModuleItemKind::Event(_) => Target::Event,
            ModuleItemKind::Error(_) => Target::Error,
            ModuleItemKind::Contract(_) => Target::Contract,
            _ => Target::Other,
        };
        self.check_attrs(&item.attrs, target);
        let mut later = |kind| {
            pending.push(Pending {
                contract: None,
                attrs: &item.attrs,
                public: item.public,
                span: item.span,
                kind,
            });
        };
        match &item.kind {
            // Tests are left out of a build; they are checked when they run.
            ModuleItemKind::Test(_) => {}
            ModuleItemKind::Use(import) => self.declare_import(import, item.span),
            ModuleItemKind::Struct(decl) => self.declare_unsupported(&decl.name, "a struct", None),
            ModuleItemKind::Enum(decl) => self.declare_enum(decl, None),
            ModuleItemKind::Interface(decl) => self.declare_unsupported(&decl.name, "an interface", None),
            ModuleItemKind::Impl(decl) => {
                self.diags.unsupported(decl.name.span, "an `impl` block");
            }
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
    ) {
        let is_pub = item.public.is_some();
        let member = if is_pub { Target::PubMember } else { Target::Member };
        let target = match &item.kind {
            ContractItemKind::Fn(_) if is_pub => Target::PubFunction,
            ContractItemKind::Fn(_) => Target::Function,
            ContractItemKind::Constructor(_) => Target::Constructor,
            ContractItemKind::Receive(_) | ContractItemKind::Fallback(_) => Target::Fallback,
            ContractItemKind::State(_) | ContractItemKind::Table(_) => member,
            ContractItemKind::Const(_) if is_pub => Target::PubConstant,
            ContractItemKind::Const(_) => Target::Constant,
            ContractItemKind::Event(_) => Target::Event,
            ContractItemKind::Error(_) => Target::Error,
            _ => Target::Other,
        };
        self.check_attrs(&item.attrs, target);
        let mut later = |kind| {
            let contract = Some(contract);
            pending.push(Pending {
                contract,
                attrs: &item.attrs,
                public: item.public,
                span: item.span,
                kind,
            });
        };
        match &item.kind {
            ContractItemKind::Test(_) => {}
            ContractItemKind::Receive(_) => {
                self.diags.unsupported(item.span, "`receive`");
            }
            ContractItemKind::Fallback(_) => {
                self.diags.unsupported(item.span, "`fallback`");
            }
            ContractItemKind::StateGroup(group) => later(PendingKind::Group(group)),
            ContractItemKind::Immutable(decl) => {
                self.diags.unsupported(item.span, "`immutable`");
                self.declare_unsupported_resource(&decl.name, contract);
            }
            ContractItemKind::Transient(decl) => later(PendingKind::Transient(decl)),
            ContractItemKind::Struct(decl) => {
                self.declare_unsupported(&decl.name, "a struct", Some(contract))
            }
            ContractItemKind::Enum(decl) => self.declare_enum(decl, Some(contract)),
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
            None => &mut self.module,
        }
    }

    fn define_type(&mut self, name: &ast::Ident, def: TypeDef, contract: Option<ContractIndex>) {
        if is_predeclared_type(name.as_str()) {
            self.predeclared(name);
        } else if let Err(first) = self.names(contract).types.define(&name.name, def, name.span) {
            self.already_defined(name, first);
        }
    }

    fn define_value(&mut self, name: &ast::Ident, def: ValueDef, contract: Option<ContractIndex>) {
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

    fn define_resource(&mut self, name: &ast::Ident, def: Resource, contract: ContractIndex) {
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

    /// Reports an item as not supported and makes its name known, so that its uses are silent.
    fn declare_unsupported(&mut self, name: &ast::Ident, what: &str, contract: Option<ContractIndex>) {
        self.diags.unsupported(name.span, what);
        self.define_type(name, TypeDef::Unsupported, contract);
    }

    fn declare_unsupported_resource(&mut self, name: &ast::Ident, contract: ContractIndex) {
        self.define_resource(name, Resource::Unsupported, contract);
    }

    fn declare_import(&mut self, import: &'a ast::Use, span: Span) {
        self.diags.unsupported(span, "`use`");
        let mut names: Vec<&ast::Ident> = Vec::new();
        match &import.tree {
            ast::UseTree::Single { alias } => names.extend(alias.as_ref().or(import.path.segments.last())),
            ast::UseTree::List(items) => {
                names.extend(items.iter().map(|item| item.alias.as_ref().unwrap_or(&item.name)));
            }
            ast::UseTree::All => self.module.open = true,
        }
        for name in names {
            // Imports may repeat a predeclared name of a library; the report above is enough.
            let _ = self.module.types.define(&name.name, TypeDef::Unsupported, name.span);
            let _ = self.module.values.define(&name.name, ValueDef::Unsupported, name.span);
        }
    }

    fn declare_const(
        &mut self,
        decl: &'a ast::Const,
        contract: Option<ContractIndex>,
        is_pub: bool,
        attrs: &'a ast::Attrs,
    ) {
        let index: ConstIndex = self.consts.len();
        let allow_unused = allows(attrs, "W0901");
        self.consts.push(ConstInfo {
            ast: decl,
            contract,
            is_pub,
            allow_unused,
            attrs,
            state: ConstState::Waiting,
        });
        self.define_value(&decl.name, ValueDef::Const(index), contract);
    }

    /// An enum; without payloads its values are numbers of one byte.
    fn declare_enum(&mut self, decl: &'a ast::Enum, contract: Option<ContractIndex>) {
        self.report_repeated(decl.variants.iter().map(|variant| &variant.name));
        if decl.variants.iter().any(|variant| !variant.payload.is_empty()) {
            return self.declare_unsupported(&decl.name, "an enum with payloads", contract);
        }
        let mut variants: Vec<EnumVariant> = Vec::new();
        let mut taken: HashMap<u8, Span> = HashMap::new();
        let mut next = Int::from_u64(0);
        for variant in &decl.variants {
            self.check_attrs(&variant.attrs, Target::Other);
            let span = variant.discriminant.as_ref().map_or(variant.name.span, |value| value.span);
            if let Some(explicit) = &variant.discriminant {
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
                payload: Vec::new(),
            });
            next = Int::from_u64(u64::from(discriminant) + 1);
        }
        let id = EnumId(self.types.enums.len() as u32);
        self.types.enums.push(EnumDef { name: decl.name.name.to_string(), span: decl.name.span, variants });
        self.define_type(&decl.name, TypeDef::Enum(id), contract);
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
        for interface in &decl.interfaces {
            self.diags.unsupported(interface.span, "conformance to an interface");
        }
        let name = decl.name.name.to_string();
        self.types.handles.push(HandleDef { name: name.clone() });
        self.contracts.push(ContractInfo {
            ast: decl,
            names: Names::default(),
            entries: Vec::new(),
            groups: Vec::new(),
            initial_values: Vec::new(),
            typed: Contract {
                name,
                span: item.span,
                docs: docs(&item.attrs),
                storage: Vec::new(),
                immutables: Vec::new(),
                initializer: None,
                constructor: None,
                entry_points: Vec::new(),
                functions: Vec::new(),
                events: Vec::new(),
                errors: Vec::new(),
            },
        });
        self.define_type(&decl.name, TypeDef::Contract(index), None);
    }

    fn define(&mut self, item: Pending<'a>) {
        let contract = item.contract;
        match item.kind {
            PendingKind::Error(decl, id) => self.define_error(decl, id, contract, item.attrs),
            PendingKind::Event(decl, id) => self.define_event(decl, id, contract),
            PendingKind::Fn(decl) => self.define_fn(decl, &item),
            PendingKind::Constructor(decl) => self.define_constructor(decl, &item),
            PendingKind::State(name, ty, init) => {
                let kind = MemberKind::State;
                let member = self.define_member(name, ty, kind, item.attrs, &item);
                if let (Some(init), Some(index)) = (init, contract) {
                    self.contracts[index].initial_values.push((member, init));
                }
            }
            PendingKind::Table(decl) => {
                self.define_member(&decl.name, &decl.ty, MemberKind::Table, item.attrs, &item);
            }
            PendingKind::Transient(decl) => {
                self.define_member(&decl.name, &decl.ty, MemberKind::Transient, item.attrs, &item);
            }
            PendingKind::Group(group) => {
                let contract = contract.expect("groups are declared in contracts");
                let start = self.contracts[contract].typed.storage.len();
                for field in &group.fields {
                    self.check_attrs(&field.attrs, Target::Other);
                    self.define_member(&field.name, &field.ty, MemberKind::GroupField, &field.attrs, &item);
                }
                let end = self.contracts[contract].typed.storage.len();
                self.contracts[contract].groups.push(start..end);
            }
        }
    }

    fn define_member(
        &mut self,
        name: &'a ast::Ident,
        ty: &'a ast::Type,
        kind: MemberKind,
        attrs: &'a ast::Attrs,
        item: &Pending<'a>,
    ) -> MemberId {
        let contract = item.contract.expect("members are declared in contracts");
        let mut id = self.resolve_type(ty, Some(contract), Position::State);
        if kind == MemberKind::Table && id != TypeId::ERROR && !self.is_map(id) {
            self.diags
                .error(Code::MismatchedTypes, ty.span)
                .arg("a", "Map<_, _>")
                .arg("b", self.types.display(id))
                .label("a `table` is a `Map`; any other member is declared with `state`");
            id = TypeId::ERROR;
        }
        if kind == MemberKind::GroupField && self.is_map(id) {
            self.diags.unsupported(ty.span, "a map in a `state` group");
            id = TypeId::ERROR;
        }
        let slot = self.slot_attr(attrs);
        let storage = &mut self.contracts[contract].typed.storage;
        let member = MemberId(storage.len() as u32);
        storage.push(StorageMember {
            name: name.name.to_string(),
            span: name.span,
            docs: docs(attrs),
            kind,
            ty: id,
            slot: slot.map_or(alloy_primitives::U256::ZERO, |slot| slot.0),
            explicit_slot: slot.is_some(),
            offset_bytes: 0,
            size_bytes: self.types.word_size_bytes(id).map_or(32, u32::from),
            is_pub: item.public.is_some(),
        });
        self.define_resource(name, Resource::Member(member), contract);
        if allows(attrs, "W0901") || allows(item.attrs, "W0901") {
            self.used.insert(name.span);
        }
        if item.public.is_some() && id != TypeId::ERROR {
            self.add_member_getter(contract, member, attrs);
        }
        member
    }

    fn define_error(
        &mut self,
        decl: &'a ast::ErrorDecl,
        id: ErrorTypeId,
        contract: Option<ContractIndex>,
        attrs: &'a ast::Attrs,
    ) {
        let mut variants = Vec::new();
        match &decl.kind {
            ast::ErrorKind::Single(params) => {
                variants.push(self.error_variant(&decl.name, params, attrs, contract))
            }
            ast::ErrorKind::Set(set) => {
                self.report_repeated(set.iter().map(|variant| &variant.name));
                for variant in set {
                    self.check_attrs(&variant.attrs, Target::Error);
                    let name = &variant.name;
                    variants.push(self.error_variant(name, &variant.params, &variant.attrs, contract));
                }
            }
        }
        if let Some(index) = contract {
            let refs = (0..variants.len() as u32).map(|variant| ErrorRef { ty: id, variant });
            self.contracts[index].typed.errors.extend(refs);
        }
        self.types.error_types[id.index()].variants = variants;
    }

    fn error_variant(
        &mut self,
        name: &ast::Ident,
        params: &'a [ast::Param],
        attrs: &'a ast::Attrs,
        contract: Option<ContractIndex>,
    ) -> ErrorVariant {
        let params: Vec<_> = self
            .resolve_params(params, contract, Position::ErrorParam)
            .into_iter()
            .map(|param| (param.name.to_string(), param.ty))
            .collect();
        let abi_name = self.abi_name(attrs).unwrap_or_else(|| name.name.to_string());
        let signature = self.canonical_signature(&abi_name, params.iter().map(|param| param.1));
        let selector = selector_of(&signature);
        ErrorVariant { name: name.name.to_string(), span: name.span, params, signature, selector }
    }

    fn define_event(&mut self, decl: &'a ast::EventDecl, id: EventId, contract: Option<ContractIndex>) {
        let mut fields: Vec<EventField> = Vec::new();
        self.report_repeated(decl.fields.iter().map(|field| &field.name));
        for field in &decl.fields {
            let ty = self.resolve_type(&field.ty, contract, Position::EventField);
            fields.push(EventField { name: field.name.name.to_string(), ty, indexed: field.indexed });
        }
        let indexed = fields.iter().filter(|field| field.indexed).count();
        let most = if self.events[id.index()].anonymous { 4 } else { 3 };
        if indexed > most {
            self.diags
                .error(Code::TooManyIndexed, decl.name.span)
                .arg("E", &decl.name.name)
                .arg("n", indexed)
                .arg("m", most);
        }
        let name = self.events[id.index()].abi_name.clone();
        let signature = self.canonical_signature(&name, fields.iter().map(|field| field.ty));
        let event = &mut self.events[id.index()];
        event.topic = keccak256(signature.as_bytes()).0;
        event.signature = signature;
        event.fields = fields;
    }

    /// `name(types)`, with a gap where a type was reported.
    pub(in crate::sema) fn canonical_signature(
        &self,
        name: &str,
        types: impl Iterator<Item = TypeId>,
    ) -> String {
        let types: Vec<_> = types.map(|ty| self.types.abi_type(ty).unwrap_or_default()).collect();
        format!("{name}({})", types.join(","))
    }

    /// Reports names that a list gives twice.
    fn report_repeated<'n>(&mut self, names: impl Iterator<Item = &'n ast::Ident>) {
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

    fn resolve_params(
        &mut self,
        params: &'a [ast::Param],
        contract: Option<ContractIndex>,
        position: Position,
    ) -> Vec<Param> {
        let mut resolved: Vec<Param> = Vec::new();
        self.report_repeated(params.iter().map(|param| &param.name));
        for param in params {
            let constant = param.mode == BindMode::Const;
            if constant && position != Position::Param {
                self.diags
                    .error(Code::ItemNotAllowed, param.span)
                    .arg("item", "const")
                    .arg("place", "a parameter that comes from outside");
            }
            resolved.push(Param {
                name: param.name.name.clone(),
                span: param.name.span,
                ty: self.resolve_type(&param.ty, contract, position),
                mutable: param.mode == BindMode::Mut,
                constant,
            });
        }
        resolved
    }

    fn define_fn(&mut self, decl: &'a ast::Fn, item: &Pending<'a>) {
        let sig = &decl.sig;
        let (contract, name) = (item.contract, &sig.name);
        if let Some(receiver) = &sig.receiver {
            self.diags
                .error(Code::ItemNotAllowed, receiver.span)
                .arg("item", "self")
                .arg("place", "a function outside `impl`");
        }
        let is_entry = contract.is_some() && item.public.is_some();
        let (param, result) = match is_entry {
            true => (Position::EntryParam, Position::EntryResult),
            false => (Position::Param, Position::Result),
        };
        if let (None, Some(span)) = (contract, sig.payable) {
            self.diags
                .error(Code::ItemNotAllowed, span)
                .arg("item", "payable")
                .arg("place", "a function outside a contract");
        }
        let params = self.resolve_params(&sig.params, contract, param);
        let result = sig.ret.as_ref().map_or(TypeId::UNIT, |ty| self.resolve_type(ty, contract, result));
        if let (Some(_), Some(payable)) = (sig.view, sig.payable) {
            self.diags
                .error(Code::ViewHasEffect, payable)
                .arg("f", &name.name)
                .arg("effect", "accepts value");
        }
        let id = self.add_signature(Signature {
            name: name.name.clone(),
            span: name.span,
            kind: if contract.is_some() { FunctionKind::Contract } else { FunctionKind::Free },
            contract,
            attrs: Some(item.attrs),
            params,
            result,
            view: sig.view.is_some(),
            payable: sig.payable.is_some(),
            is_pub: item.public.is_some(),
            body: Body::Block(&decl.body),
            effects: Effects::default(),
        });
        self.define_value(name, ValueDef::Function(id), contract);
        if let (true, Some(index)) = (is_entry, contract) {
            self.contracts[index].entries.push((id, item.attrs, false));
        }
    }

    fn define_constructor(&mut self, decl: &'a ast::Constructor, item: &Pending<'a>) {
        let contract = item.contract.expect("constructors are declared in contracts");
        if let Some(first) = self.contracts[contract].typed.constructor {
            let first = self.signature(first).span;
            self.diags
                .error(Code::SecondConstructor, keyword(item.span, "constructor"))
                .secondary(first, "the first one");
            return;
        }
        let params = self.resolve_params(&decl.params, Some(contract), Position::EntryParam);
        let id = self.add_signature(Signature {
            name: Arc::from("constructor"),
            span: keyword(item.span, "constructor"),
            kind: FunctionKind::Constructor,
            contract: Some(contract),
            attrs: Some(item.attrs),
            params,
            result: TypeId::UNIT,
            view: false,
            payable: decl.payable.is_some(),
            is_pub: false,
            body: Body::Block(&decl.body),
            effects: Effects::default(),
        });
        self.contracts[contract].typed.constructor = Some(id);
    }

    /// Adds a function whose body is still to come.
    pub(in crate::sema) fn add_signature(&mut self, signature: Signature<'a>) -> FuncId {
        let id = FuncId(self.functions.len() as u32);
        let span = signature.span;
        self.functions.push(Function {
            name: signature.name.to_string(),
            span,
            docs: signature.attrs.map(docs).unwrap_or_default(),
            kind: signature.kind,
            mutability: match (signature.payable, signature.view) {
                (true, _) => Mutability::Payable,
                (false, true) => Mutability::View,
                (false, false) => Mutability::Mutable,
            },
            param_count: signature.params.len() as u32,
            locals: Vec::new(),
            result: signature.result,
            body: Block { stmts: Vec::new(), value: None, ty: TypeId::ERROR, span },
        });
        self.signatures.push(signature);
        id
    }
}

/// The place of the keyword that opens an item.
fn keyword(item: Span, word: &str) -> Span {
    Span::new(item.start, item.end.min(item.start + word.len() as u32))
}

/// First four bytes of keccak256 of a signature.
pub(in crate::sema) fn selector_of(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature.as_bytes()).0;
    [hash[0], hash[1], hash[2], hash[3]]
}
