//! What is declared once per contract or stands beside its storage: immutables, `receive` and `fallback`.

use std::sync::Arc;

use crate::diag::Code;
use crate::sema::attrs::docs;
use crate::sema::check::define::keyword;
use crate::sema::check::items::Pending;
use crate::sema::effects::Effects;
use crate::sema::resolve::Position;
use crate::sema::scope::Resource;
use crate::sema::typed::{Expr, ExprKind, FuncId, FunctionKind, Immutable, ImmutableId, Place, PlaceRoot};
use crate::sema::types::{Type, TypeId};
use crate::sema::{Body, Param, Sema, Signature};
use crate::source::Span;
use crate::syntax::ast;

impl<'a> Sema<'a> {
    pub(super) fn define_immutable(&mut self, decl: &'a ast::Member, item: &Pending<'a>) {
        let contract = item.contract.expect("immutables are declared in contracts");
        let name = &decl.name;
        let mut ty = self.resolve_any_type(&decl.ty, Some(contract));
        let embedded = self.types.is_copy(ty) && ty != TypeId::UNIT && !self.types.holds_reference(ty);
        if ty != TypeId::ERROR && !embedded {
            let shown = self.types.display(ty);
            self.diags
                .error(Code::NotStorable, decl.ty.span)
                .arg("t", shown)
                .arg("place", " in an immutable, whose type is a Copy type")
                .note("an immutable is part of the code");
            ty = TypeId::ERROR;
        }
        let id = ImmutableId(self.contracts[contract].typed.immutables.len() as u32);
        self.contracts[contract].typed.immutables.push(Immutable {
            name: name.name.to_string(),
            span: name.span,
            docs: docs(item.attrs),
            ty,
            is_pub: item.public.is_some(),
        });
        self.define_resource(name, Resource::Immutable(id), contract);
        if item.public.is_some() && ty != TypeId::ERROR {
            let place = Place { root: PlaceRoot::Immutable(id), steps: Vec::new(), ty, span: name.span };
            let value = Expr { kind: ExprKind::Load(place), ty, span: name.span };
            self.add_getter(contract, name.as_str(), name.span, Vec::new(), value, item.attrs, false);
        }
    }

    pub(super) fn define_receive(&mut self, decl: &'a ast::Receive, item: &Pending<'a>) {
        let contract = item.contract.expect("`receive` is declared in contracts");
        let first = self.contracts[contract].typed.receive;
        if !self.is_second(first, "receive", item.span) {
            let body = Body::Block(&decl.body);
            let id = self.add_special(FunctionKind::Receive, item, Vec::new(), TypeId::UNIT, true, body);
            self.contracts[contract].typed.receive = Some(id);
        }
    }

    pub(super) fn define_fallback(&mut self, decl: &'a ast::Fallback, item: &Pending<'a>) {
        let contract = item.contract.expect("`fallback` is declared in contracts");
        let first = self.contracts[contract].typed.fallback;
        if self.is_second(first, "fallback", item.span) {
            return;
        }
        let params = decl.param.as_slice();
        let params = self.resolve_params(params, Some(contract), Position::Local);
        let result = match &decl.ret {
            Some(ty) => self.resolve_type(ty, Some(contract), Position::Result),
            None => TypeId::UNIT,
        };
        let param = decl.param.as_ref().and_then(|param| Some((params.first()?.ty, param.ty.span)));
        let own = decl.ret.as_ref().map(|ty| (result, ty.span));
        // `Err` of a `Result` reverts, as in entry points.
        let own = own.map(|(ty, span)| match *self.types.get(ty) {
            Type::Result { ok: TypeId::UNIT, .. } => (TypeId::BYTES, span),
            Type::Result { ok, .. } => (ok, span),
            _ => (ty, span),
        });
        for (ty, span) in param.into_iter().chain(own) {
            if !matches!(ty, TypeId::BYTES | TypeId::ERROR) {
                let shown = self.types.display(ty);
                self.diags.error(Code::MismatchedTypes, span).arg("a", "bytes").arg("b", shown);
            }
        }
        let (payable, body) = (decl.payable.is_some(), Body::Block(&decl.body));
        let id = self.add_special(FunctionKind::Fallback, item, params, result, payable, body);
        self.contracts[contract].typed.fallback = Some(id);
    }

    /// Reports a second declaration of what a contract has once (K0403).
    fn is_second(&mut self, first: Option<FuncId>, word: &str, item: Span) -> bool {
        let Some(first) = first else { return false };
        let first = self.signature(first).span;
        self.diags
            .error(Code::SecondConstructor, keyword(item, word))
            .arg("item", word)
            .secondary(first, "the first one");
        true
    }

    fn add_special(
        &mut self,
        kind: FunctionKind,
        item: &Pending<'a>,
        params: Vec<Param>,
        result: TypeId,
        payable: bool,
        body: Body<'a>,
    ) -> FuncId {
        let word = if kind == FunctionKind::Receive { "receive" } else { "fallback" };
        self.add_signature(Signature {
            name: Arc::from(word),
            span: keyword(item.span, word),
            kind,
            contract: item.contract,
            attrs: Some(item.attrs),
            params,
            result,
            view: false,
            payable,
            is_pub: false,
            has_receiver: false,
            body,
            effects: Effects::default(),
        })
    }
}
