//! What declarations mean: types of members, fields of errors and events, signatures of functions.

use std::sync::Arc;

use alloy_primitives::{U256, keccak256};

use crate::diag::Code;
use crate::sema::attrs::{Target, docs};
use crate::sema::check::items::{Pending, PendingKind};
use crate::sema::effects::Effects;
use crate::sema::layout;
use crate::sema::resolve::Position;
use crate::sema::scope::{ContractIndex, Resource, ValueDef};
use crate::sema::typed::{
    Block, ErrorRef, EventField, EventId, FuncId, Function, FunctionKind, MemberId, MemberKind, Mutability,
    StorageMember,
};
use crate::sema::types::{ErrorTypeId, ErrorVariant, TypeId};
use crate::sema::{Body, Param, Sema, Signature};
use crate::source::Span;
use crate::syntax::ast::{self, BindMode};

impl<'a> Sema<'a> {
    /// Works out what a declaration means.
    pub(super) fn define(&mut self, item: Pending<'a>) {
        let contract = item.contract;
        self.current = item.module;
        match item.kind {
            PendingKind::Error(decl, id) => self.define_error(decl, id, contract, item.attrs),
            PendingKind::Event(decl, id) => self.define_event(decl, id, contract),
            PendingKind::Fn(decl) => self.define_fn(decl, &item),
            PendingKind::Method(name, decl) => self.define_method(name, decl, &item),
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
            PendingKind::Interface(decl, handle) => self.define_interface(decl, handle),
            PendingKind::Immutable(decl) => self.define_immutable(decl, &item),
            PendingKind::Receive(decl) => self.define_receive(decl, &item),
            PendingKind::Fallback(decl) => self.define_fallback(decl, &item),
            PendingKind::Group(group) => {
                let contract = contract.expect("groups are declared in contracts");
                let start = self.contracts[contract].typed.storage.len();
                for field in &group.fields {
                    self.check_attrs(&field.attrs, Target::Other, field.name.span);
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
        let slots = if id == TypeId::ERROR { Some(1) } else { layout::slot_count(&self.types, id) };
        let size_bytes = slots.and_then(|slots| slots.checked_mul(32)).unwrap_or_else(|| {
            self.diags.error(Code::TooLarge, ty.span).arg("what", "more than 2^59 slots of one member");
            id = TypeId::ERROR;
            32
        });
        let slot = self.slot_attr(attrs);
        let storage = &mut self.contracts[contract].typed.storage;
        let member = MemberId(storage.len() as u32);
        storage.push(StorageMember {
            name: name.name.to_string(),
            span: name.span,
            docs: docs(attrs),
            kind,
            ty: id,
            slot: slot.map_or(U256::ZERO, |slot| slot.0),
            explicit_slot: slot.is_some(),
            offset_bytes: 0,
            size_bytes: self.types.word_size_bytes(id).map_or(size_bytes, u64::from),
            is_pub: item.public.is_some(),
        });
        self.define_resource(name, Resource::Member(member), contract);
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
                    self.check_attrs(&variant.attrs, Target::Error, variant.name.span);
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

    pub(super) fn resolve_params(
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
            kind: match contract {
                Some(_) if crate::sema::weave::is_test_name(name.as_str()) => FunctionKind::Test,
                Some(_) => FunctionKind::Contract,
                None => FunctionKind::Free,
            },
            contract,
            attrs: Some(item.attrs),
            params,
            result,
            view: sig.view.is_some(),
            payable: sig.payable.is_some(),
            is_pub: item.public.is_some(),
            has_receiver: false,
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
                .arg("item", "constructor")
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
            has_receiver: false,
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
        self.module_of.push(self.current);
        id
    }
}

/// The place of the keyword that opens an item.
pub(super) fn keyword(item: Span, word: &str) -> Span {
    Span::new(item.start, item.end.min(item.start + word.len() as u32))
}

/// First four bytes of keccak256 of a signature.
pub(in crate::sema) fn selector_of(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature.as_bytes()).0;
    [hash[0], hash[1], hash[2], hash[3]]
}
