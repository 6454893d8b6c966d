//! Modules, contracts and their items.

use std::sync::Arc;

use super::Printer;
use super::exprs::Context;
use crate::syntax::ast::{
    AttrArg, Attrs, Const, Contract, ContractItemKind, Enum, ErrorDecl, ErrorKind, ErrorVariant, EventDecl,
    Field, Fn, FnSig, Member, Module, ModuleItemKind, Param, ReceiverKind, StateDecl, Struct, Test, Type,
    Use, UseTree, Variant,
};

impl Printer {
    pub(super) fn module(&mut self, module: &Module) {
        for doc in &module.docs {
            self.doc("//!", &doc.text);
            self.line();
        }
        for item in &module.items {
            self.attrs(&item.attrs);
            self.text(if item.public.is_some() { "pub " } else { "" });
            self.module_item(&item.kind);
            self.line();
        }
    }

    fn module_item(&mut self, kind: &ModuleItemKind) {
        match kind {
            ModuleItemKind::Use(item) => self.use_item(item),
            ModuleItemKind::Test(test) => self.test(test),
            ModuleItemKind::Const(constant) => self.constant(constant),
            ModuleItemKind::Struct(structure) => self.structure(structure),
            ModuleItemKind::Enum(enumeration) => self.enumeration(enumeration),
            ModuleItemKind::Impl(item) => {
                self.text(format!("impl {} ", item.name.name));
                self.braces(&item.methods, "", |p, method| {
                    p.attrs(&method.attrs);
                    p.text(if method.public.is_some() { "pub " } else { "" });
                    p.function(&method.function);
                });
            }
            ModuleItemKind::Error(error) => self.error(error),
            ModuleItemKind::Event(event) => self.event(event),
            ModuleItemKind::Interface(interface) => {
                self.text(format!("interface {} ", interface.name.name));
                self.braces(&interface.functions, ";", |p, function| {
                    p.attrs(&function.attrs);
                    p.sig(&function.sig);
                });
            }
            ModuleItemKind::Contract(contract) => self.contract(contract),
            ModuleItemKind::Fn(function) => self.function(function),
        }
    }

    fn contract(&mut self, contract: &Contract) {
        self.text(format!("contract {}", contract.name.name));
        for (index, interface) in contract.interfaces.iter().enumerate() {
            self.text(if index == 0 { " : " } else { ", " });
            self.text(interface.to_string());
        }
        self.text(" ");
        self.braces(&contract.items, "", |p, item| {
            p.attrs(&item.attrs);
            p.text(if item.public.is_some() { "pub " } else { "" });
            p.contract_item(&item.kind);
        });
    }

    fn contract_item(&mut self, kind: &ContractItemKind) {
        match kind {
            ContractItemKind::Constructor(constructor) => {
                self.text("constructor");
                self.params(&constructor.params);
                self.text(if constructor.payable.is_some() { " payable " } else { " " });
                self.block(&constructor.body);
            }
            ContractItemKind::Receive(receive) => {
                self.text("receive() payable ");
                self.block(&receive.body);
            }
            ContractItemKind::Fallback(fallback) => {
                self.text("fallback");
                self.params(fallback.param.as_slice());
                self.text(if fallback.payable.is_some() { " payable" } else { "" });
                self.ret(fallback.ret.as_ref());
                self.text(" ");
                self.block(&fallback.body);
            }
            ContractItemKind::Test(test) => self.test(test),
            ContractItemKind::StateGroup(group) => {
                self.text("state ");
                self.braces(&group.fields, ",", Self::field);
            }
            ContractItemKind::State(state) => self.state(state),
            ContractItemKind::Table(member) => self.member("table", member),
            ContractItemKind::Immutable(member) => self.member("immutable", member),
            ContractItemKind::Transient(member) => self.member("transient", member),
            ContractItemKind::Const(constant) => self.constant(constant),
            ContractItemKind::Struct(structure) => self.structure(structure),
            ContractItemKind::Enum(enumeration) => self.enumeration(enumeration),
            ContractItemKind::Error(error) => self.error(error),
            ContractItemKind::Event(event) => self.event(event),
            ContractItemKind::Fn(function) => self.function(function),
        }
    }

    fn doc(&mut self, marker: &str, text: &str) {
        self.text(marker);
        self.text(if text.is_empty() { "" } else { " " });
        self.text(text);
    }

    fn attrs(&mut self, attrs: &Attrs) {
        for doc in &attrs.docs {
            self.doc("///", &doc.text);
            self.line();
        }
        for attr in &attrs.list {
            self.text(format!("#[{}", attr.name.name));
            if !attr.args.is_empty() {
                self.text("(");
                self.commas(&attr.args, |p, arg| match arg {
                    AttrArg::Named { name, value } => {
                        p.text(format!("{} = ", name.name));
                        p.attr_literal(value);
                    }
                    AttrArg::Literal(literal) => p.attr_literal(literal),
                    AttrArg::Ident(name) => p.text(&name.name),
                });
                self.text(")");
            }
            self.text("]");
            self.line();
        }
    }

    fn use_item(&mut self, item: &Use) {
        self.text(format!("use {}", item.path));
        match &item.tree {
            UseTree::Single { alias } => self.alias(alias.as_ref().map(|name| &name.name)),
            UseTree::All => self.text("::*"),
            UseTree::List(items) => {
                self.text("::{");
                self.commas(items, |p, item| {
                    p.text(&item.name.name);
                    p.alias(item.alias.as_ref().map(|name| &name.name));
                });
                self.text("}");
            }
        }
        self.text(";");
    }

    fn alias(&mut self, alias: Option<&Arc<str>>) {
        if let Some(alias) = alias {
            self.text(format!(" as {alias}"));
        }
    }

    fn constant(&mut self, constant: &Const) {
        self.text(format!("const {}", constant.name.name));
        if let Some(ty) = &constant.ty {
            self.text(": ");
            self.ty(ty);
        }
        self.text(" = ");
        self.expr(&constant.value, Context::PLAIN);
        self.text(";");
    }

    fn structure(&mut self, structure: &Struct) {
        self.text(format!("struct {} ", structure.name.name));
        self.braces(&structure.fields, ",", Self::field);
    }

    fn field(&mut self, field: &Field) {
        self.attrs(&field.attrs);
        self.text(format!("{}: ", field.name.name));
        self.ty(&field.ty);
    }

    fn enumeration(&mut self, enumeration: &Enum) {
        self.text(format!("enum {} ", enumeration.name.name));
        self.braces(&enumeration.variants, ",", Self::variant);
    }

    fn variant(&mut self, variant: &Variant) {
        self.attrs(&variant.attrs);
        self.text(&variant.name.name);
        if !variant.payload.is_empty() {
            self.text("(");
            self.commas(&variant.payload, Self::ty);
            self.text(")");
        }
        if let Some(discriminant) = &variant.discriminant {
            self.text(format!(" = {}", discriminant.text));
        }
    }

    fn error(&mut self, error: &ErrorDecl) {
        self.text(format!("error {}", error.name.name));
        match &error.kind {
            ErrorKind::Single(params) => {
                self.optional_params(params);
                self.text(";");
            }
            ErrorKind::Set(variants) => {
                self.text(" ");
                self.braces(variants, ",", Self::error_variant);
            }
        }
    }

    fn error_variant(&mut self, variant: &ErrorVariant) {
        self.attrs(&variant.attrs);
        self.text(&variant.name.name);
        self.optional_params(&variant.params);
    }

    fn event(&mut self, event: &EventDecl) {
        self.text(format!("event {}(", event.name.name));
        self.commas(&event.fields, |p, field| {
            p.text(if field.indexed { "indexed " } else { "" });
            p.text(format!("{}: ", field.name.name));
            p.ty(&field.ty);
        });
        self.text(");");
    }

    fn state(&mut self, state: &StateDecl) {
        self.text(format!("state {}: ", state.name.name));
        self.ty(&state.ty);
        if let Some(init) = &state.init {
            self.text(" = ");
            self.expr(init, Context::PLAIN);
        }
        self.text(";");
    }

    fn member(&mut self, keyword: &str, member: &Member) {
        self.text(format!("{keyword} {}: ", member.name.name));
        self.ty(&member.ty);
        self.text(";");
    }

    fn test(&mut self, test: &Test) {
        self.text("test ");
        self.string(&test.name);
        self.optional_params(&test.params);
        self.text(" ");
        self.block(&test.body);
    }

    fn function(&mut self, function: &Fn) {
        self.sig(&function.sig);
        self.text(" ");
        self.block(&function.body);
    }

    fn sig(&mut self, sig: &FnSig) {
        self.text(format!("fn {}(", sig.name.name));
        if let Some(receiver) = &sig.receiver {
            self.text(match receiver.kind {
                ReceiverKind::Value => "self",
                ReceiverKind::Ref => "&self",
                ReceiverKind::RefMut => "&mut self",
            });
            self.text(if sig.params.is_empty() { "" } else { ", " });
        }
        self.commas(&sig.params, Self::param);
        self.text(")");
        self.text(if sig.view.is_some() { " view" } else { "" });
        self.text(if sig.payable.is_some() { " payable" } else { "" });
        self.ret(sig.ret.as_ref());
    }

    fn ret(&mut self, ret: Option<&Type>) {
        if let Some(ret) = ret {
            self.text(" -> ");
            self.ty(ret);
        }
    }

    fn params(&mut self, params: &[Param]) {
        self.text("(");
        self.commas(params, Self::param);
        self.text(")");
    }

    fn optional_params(&mut self, params: &[Param]) {
        if !params.is_empty() {
            self.params(params);
        }
    }

    fn param(&mut self, param: &Param) {
        self.bind_mode(param.mode);
        self.text(format!("{}: ", param.name.name));
        self.ty(&param.ty);
    }
}
