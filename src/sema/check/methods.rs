//! `impl`: functions that belong to a struct or enum, and calls of them.

use std::sync::Arc;

use crate::diag::Code;
use crate::sema::attrs::Target;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::check::borrows::Lent;
use crate::sema::check::items::{Pending, PendingKind};
use crate::sema::effects::Effects;
use crate::sema::resolve::Position;
use crate::sema::scope::TypeDef;
use crate::sema::typed::{FuncId, FunctionKind};
use crate::sema::types::{Type, TypeId};
use crate::sema::{Body, Param, Sema, Signature};
use crate::source::Span;
use crate::syntax::ast::{self, ReceiverKind};

impl<'a> Sema<'a> {
    /// Notes the functions of an `impl`.
    pub(super) fn declare_methods(&mut self, decl: &'a ast::Impl, pending: &mut Vec<Pending<'a>>) {
        for method in &decl.methods {
            self.check_attrs(&method.attrs, Target::Function, method.span);
            pending.push(Pending {
                module: self.current,
                contract: None,
                attrs: &method.attrs,
                public: method.public,
                span: method.span,
                kind: PendingKind::Method(&decl.name, &method.function),
            });
        }
    }

    /// The type that an `impl` is for; an error that was reported if there is none.
    fn impl_type(&mut self, name: &'a ast::Ident) -> TypeId {
        let (ty, declared) = match self.find_type_name(&name.name, None) {
            Some(TypeDef::Struct(id)) => {
                (self.types.intern(Type::Struct(id)), self.types.structs[id.index()].span)
            }
            Some(TypeDef::Enum(id)) => (self.types.intern(Type::Enum(id)), self.types.enums[id.index()].span),
            Some(_) => {
                self.report_once(Code::MismatchedTypes, name.span, |diagnostic| {
                    diagnostic.arg("a", "a struct or enum").arg("b", &name.name);
                });
                return TypeId::ERROR;
            }
            None => {
                let path = ast::Path { segments: vec![name.clone()], span: name.span };
                if !self.diags.iter().any(|known| known.span() == name.span) {
                    self.type_not_found(&path, None);
                }
                return TypeId::ERROR;
            }
        };
        if self.source.file_at(declared.start) != self.source.file_at(name.span.start) {
            self.report_once(Code::ItemNotAllowed, name.span, |diagnostic| {
                diagnostic
                    .arg("item", "impl")
                    .arg("place", "a module that does not declare the type")
                    .secondary(declared, "declared here");
            });
            return TypeId::ERROR;
        }
        ty
    }

    /// Reports a mistake unless it was reported for another function of the same `impl`.
    fn report_once(&mut self, code: Code, span: Span, fill: impl FnOnce(&mut crate::diag::Diagnostic)) {
        if !self.diags.iter().any(|known| known.code() == code && known.span() == span) {
            fill(self.diags.error(code, span));
        }
    }

    /// A function of an `impl`: a free function, whose first parameter may be `self`.
    pub(super) fn define_method(&mut self, owner: &'a ast::Ident, decl: &'a ast::Fn, item: &Pending<'a>) {
        let (sig, name) = (&decl.sig, &decl.sig.name);
        let ty = self.impl_type(owner);
        if let Some(span) = sig.payable {
            self.diags
                .error(Code::ItemNotAllowed, span)
                .arg("item", "payable")
                .arg("place", "a function outside a contract");
        }
        let mut params = Vec::with_capacity(sig.params.len() + 1);
        if let Some(receiver) = &sig.receiver {
            let reference = |types: &mut crate::sema::types::Types, mutable| {
                if ty == TypeId::ERROR { ty } else { types.intern(Type::Ref { mutable, target: ty }) }
            };
            let own = match receiver.kind {
                ReceiverKind::Value => self.allow_type(ty, receiver.span, Position::Param),
                ReceiverKind::Ref => reference(&mut self.types, false),
                ReceiverKind::RefMut => reference(&mut self.types, true),
            };
            let (name, span) = (Arc::from("self"), receiver.span);
            params.push(Param { name, span, ty: own, mutable: false, constant: false });
        }
        params.extend(self.resolve_params(&sig.params, None, Position::Param));
        let result = match &sig.ret {
            Some(ty) => self.resolve_type(ty, None, Position::Result),
            None => TypeId::UNIT,
        };
        let id = self.add_signature(Signature {
            name: Arc::from(format!("{}::{}", owner.name, name.name)),
            span: name.span,
            kind: FunctionKind::Free,
            contract: None,
            attrs: Some(item.attrs),
            params,
            result,
            view: sig.view.is_some(),
            payable: false,
            is_pub: item.public.is_some(),
            has_receiver: sig.receiver.is_some(),
            body: Body::Block(&decl.body),
            effects: Effects::default(),
        });
        if ty == TypeId::ERROR {
            return;
        }
        if let Some(&first) = self.methods.get(&(ty, name.name.clone())) {
            let first = self.signature(first).span;
            self.diags
                .error(Code::DefinedTwice, name.span)
                .arg("f", &name.name)
                .secondary(first, "first defined here");
            return;
        }
        self.methods.insert((ty, name.name.clone()), id);
    }
}

impl<'a> Checker<'_, 'a> {
    /// The function of a type's `impl`, which shall be visible here.
    fn method(&mut self, ty: TypeId, name: &ast::Ident) -> Option<FuncId> {
        let id = *self.sema.methods.get(&(ty, name.name.clone()))?;
        let signature = self.sema.signature(id);
        let (declared, visible) = (signature.span, signature.is_pub);
        let module = self.sema.module_of[id.index()];
        self.sema.mark_used(Some(declared));
        if !visible && module != self.sema.current {
            let path = self.sema.module_path(module);
            self.diags()
                .error(Code::PrivateItem, name.span)
                .arg("item", &name.name)
                .arg("m", path)
                .secondary(declared, "declared without `pub` here");
        }
        Some(id)
    }

    /// `value.name(…)` of a function that the value's type declares; the receiver again if it declares none.
    pub(super) fn declared_method(
        &mut self,
        base: Typed,
        name: &'a ast::Ident,
        options: &'a [ast::CallOption],
        args: &'a [ast::Expr],
        span: Span,
    ) -> Result<Typed, Box<Typed>> {
        let ty = self.resolved(base.ty());
        let Some(id) = self.method(ty, name) else { return Err(Box::new(base)) };
        self.reject_options(options);
        let signature = self.sema.signature(id);
        let declared = signature.span;
        if !signature.has_receiver {
            let path = signature.name.to_string();
            self.loose_args(args);
            self.diags()
                .error(Code::NoFieldOrMethod, name.span)
                .arg("t", self_less(&path))
                .arg("m", &name.name)
                .label(format!("it takes no `self`; call it as `{path}(…)`"))
                .secondary(declared, "declared here");
            return Ok(Typed::hole(span));
        }
        let receiver = signature.params.first().map_or(TypeId::ERROR, |param| param.ty);
        let lent = match *self.type_of(receiver) {
            Type::Ref { mutable, .. } => self.lend_receiver(base, mutable),
            _ => {
                let base = self.looked_at(base);
                let taken = self.take(base);
                Lent { expr: taken.expr, borrow: None }
            }
        };
        Ok(self.call_with(id, Some(lent), args, span))
    }

    /// The function that `Type::name` names.
    pub(super) fn associated_function(&mut self, path: &ast::Path) -> Option<FuncId> {
        let (last, parent) = path.segments.split_last()?;
        let parent = ast::Path { segments: parent.to_vec(), span: path.span };
        if parent.segments.is_empty() {
            return None;
        }
        let ty = match self.sema.find_type(&parent, self.contract)? {
            TypeDef::Struct(id) => self.sema.types.intern(Type::Struct(id)),
            TypeDef::Enum(id) => self.sema.types.intern(Type::Enum(id)),
            _ => return None,
        };
        self.method(ty, last)
    }
}

/// The type in `Type::function`.
fn self_less(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}
