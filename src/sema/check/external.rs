//! Calls of other contracts: through handles (§10.1), with `try`, and of plain addresses (§10.2).

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::resolve::suggestion;
use crate::sema::scope::closest;
use crate::sema::typed::{CallOption, CastKind, Expr, ExprKind, ExternalCall, RawCall, RawCallKind};
use crate::sema::types::{HandleId, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, CallOptionKind};

impl<'a> Checker<'_, 'a> {
    /// `IERC20(a)`: the handle of an address.
    pub(super) fn handle_of(&mut self, handle: HandleId, args: &'a [ast::Expr], span: Span) -> Typed {
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        let operand = self.expr_as(arg, TypeId::ADDRESS);
        if operand.ty == TypeId::NEVER {
            return self.diverging(vec![operand], span);
        }
        if operand.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        let ty = self.sema.types.intern(Type::Handle(handle));
        let kind = ExprKind::Cast { kind: CastKind::SameWord, operand: Box::new(operand) };
        Typed::new(kind, ty, span)
    }

    /// Options before the arguments of a call that stays inside the contract.
    pub(super) fn reject_options(&mut self, options: &'a [ast::CallOption]) {
        options.iter().for_each(|option| drop(self.expr(&option.value, None)));
        if let Some(option) = options.first() {
            self.diags()
                .error(Code::ItemNotAllowed, option.span)
                .arg("item", format_args!("{}:", option_word(option.kind)))
                .arg("place", "a call that does not leave the contract");
        }
    }

    /// `handle.f{…}(…)`.
    pub(super) fn external_call(
        &mut self,
        target: Typed,
        handle: HandleId,
        name: &'a ast::Ident,
        options: &'a [ast::CallOption],
        args: &'a [ast::Expr],
        span: Span,
    ) -> Typed {
        self.check_no_borrow(span);
        let def = &self.sema.types.handles[handle.index()];
        let Some(index) = def.functions.iter().position(|function| function.name == name.as_str()) else {
            let hint = closest(name.as_str(), def.functions.iter().map(|function| function.name.as_str()));
            let (shown, label) = (def.name.clone(), suggestion(hint));
            options.iter().for_each(|option| drop(self.expr(&option.value, None)));
            self.loose_args(args);
            let diagnostic =
                self.diags().error(Code::NoFieldOrMethod, name.span).arg("t", shown).arg("m", &name.name);
            if !label.is_empty() {
                diagnostic.label(label.trim_start_matches("; "));
            }
            return Typed::hole(span);
        };
        let function = def.functions[index].clone();
        let options = self.call_options(options, function.payable, &function.name, Some(function.span));
        let known = args.len() == function.params.len();
        if !known {
            self.loose_args(args);
            self.diags()
                .error(Code::WrongArgumentCount, span)
                .arg("n", function.params.len())
                .arg("m", args.len())
                .secondary(function.span, format!("`{}` is declared here", function.name));
        }
        let pairs = args.iter().zip(&function.params).filter(|_| known);
        let args: Vec<Expr> = pairs.map(|(arg, param)| self.expr_as(arg, param.1)).collect();
        if function.view {
            // What others know may change from block to block.
            self.effects.reads_state = true;
        } else {
            self.effects.writes.push((format!("calls `{}`", function.name), span));
        }
        let mut parts: Vec<&Expr> = options.iter().map(|option| &option.1).chain(&args).collect();
        parts.insert(0, &target.expr);
        if !known || function.result == TypeId::ERROR || parts.iter().any(|part| part.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        if parts.iter().any(|part| part.ty == TypeId::NEVER) {
            let parts = parts.into_iter().cloned().collect();
            return self.diverging(parts, span);
        }
        let call = ExternalCall {
            target: target.expr,
            handle,
            function: index as u32,
            options,
            args,
            is_static: function.view,
            is_tried: false,
        };
        Typed::new(ExprKind::External(Box::new(call)), function.result, span)
    }

    /// `try e`: the call or creation that `e` is gives a `Result`.
    pub(super) fn try_call(&mut self, operand: &'a ast::Expr, span: Span) -> Typed {
        let mut typed = self.expr_or_place(operand, None);
        let is_tried = match &mut typed.expr.kind {
            ExprKind::External(call) => &mut call.is_tried,
            ExprKind::New(creation) => &mut creation.is_tried,
            _ => {
                if !matches!(typed.ty(), TypeId::ERROR | TypeId::NEVER) {
                    let text = self.shorten(operand.span);
                    self.diags().error(Code::TryNeedsExternalCall, span).arg("e", text);
                }
                return Typed::hole(span);
            }
        };
        if std::mem::replace(is_tried, true) {
            let text = self.shorten(operand.span);
            self.diags().error(Code::TryNeedsExternalCall, span).arg("e", text);
            return Typed::hole(span);
        }
        let (ok, err) = (typed.ty(), TypeId::CALL_ERROR);
        typed.expr.ty = self.sema.types.intern(Type::Result { ok, err });
        typed.expr.span = span;
        typed
    }

    /// `a.call{…}(data)` and its siblings on an address.
    pub(super) fn raw_call(
        &mut self,
        target: Typed,
        kind: RawCallKind,
        options: &'a [ast::CallOption],
        args: &'a [ast::Expr],
        span: Span,
    ) -> Typed {
        self.check_no_borrow(span);
        let name = raw_call_name(kind);
        if kind == RawCallKind::Send {
            options.iter().for_each(|option| drop(self.expr(&option.value, None)));
            if let Some(option) = options.first() {
                self.diags()
                    .error(Code::ItemNotAllowed, option.span)
                    .arg("item", format_args!("{}:", option_word(option.kind)))
                    .arg("place", "`send`; use `call`");
            }
        }
        let options = match kind {
            RawCallKind::Send => Vec::new(),
            _ => self.call_options(options, kind == RawCallKind::Call, name, None),
        };
        match kind {
            RawCallKind::Static => self.effects.reads_state = true,
            _ => self.effects.writes.push((format!("calls `{name}`"), span)),
        }
        if kind == RawCallKind::Delegate {
            self.effects.delegate_calls.push(span);
        }
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        let arg = self.expr_as(arg, if kind == RawCallKind::Send { TypeId::U256 } else { TypeId::BYTES });
        let parts = || [&target.expr].into_iter().chain(options.iter().map(|option| &option.1)).chain([&arg]);
        if parts().any(|part| part.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        if parts().any(|part| part.ty == TypeId::NEVER) {
            let parts = parts().cloned().collect();
            return self.diverging(parts, span);
        }
        let ok = if kind == RawCallKind::Send { TypeId::UNIT } else { TypeId::BYTES };
        let ty = self.sema.types.intern(Type::Result { ok, err: TypeId::CALL_ERROR });
        let call = RawCall { kind, target: target.expr, options, arg };
        Typed::new(ExprKind::RawCall(Box::new(call)), ty, span)
    }

    /// Warns where what a low-level call returns is dropped (W0909).
    pub(super) fn note_dropped_data(&mut self, dropped: &Expr) {
        let call = match &dropped.kind {
            ExprKind::Try(operand) => operand,
            _ => dropped,
        };
        if let ExprKind::RawCall(raw) = &call.kind
            && raw.kind != RawCallKind::Send
        {
            self.effects.dropped_data.push(call.span);
        }
    }

    /// `{value: v, gas: g}` of a call of `name`.
    fn call_options(
        &mut self,
        options: &'a [ast::CallOption],
        payable: bool,
        name: &str,
        declared: Option<Span>,
    ) -> Vec<(CallOption, Expr)> {
        let mut checked: Vec<(CallOption, Expr)> = Vec::new();
        for option in options {
            let (kind, ty) = match option.kind {
                CallOptionKind::Value => (CallOption::Value, TypeId::U256),
                CallOptionKind::Gas => (CallOption::Gas, TypeId::U64),
                CallOptionKind::Salt => {
                    self.expr(&option.value, None);
                    self.diags()
                        .error(Code::ItemNotAllowed, option.span)
                        .arg("item", "salt:")
                        .arg("place", "a call; it belongs to `new`");
                    continue;
                }
            };
            let value = self.expr_as(&option.value, ty);
            if kind == CallOption::Value && !payable {
                let diagnostic = self.diags().error(Code::TargetNotPayable, option.span).arg("f", name);
                if let Some(declared) = declared {
                    diagnostic.secondary(declared, "declared without `payable` here");
                }
            }
            if let Some(first) = checked.iter().find(|other| other.0 == kind) {
                let first = first.1.span;
                self.diags()
                    .error(Code::AlreadyDefined, option.span)
                    .arg("name", option_word(option.kind))
                    .secondary(first, "first given here");
                continue;
            }
            checked.push((kind, value));
        }
        checked
    }
}

const fn raw_call_name(kind: RawCallKind) -> &'static str {
    match kind {
        RawCallKind::Call => "call",
        RawCallKind::Static => "static_call",
        RawCallKind::Delegate => "delegate_call",
        RawCallKind::Send => "send",
    }
}

/// The low-level call of that name.
pub(super) fn raw_call_kind(name: &str) -> Option<RawCallKind> {
    use RawCallKind::{Call, Delegate, Send, Static};
    [Call, Static, Delegate, Send].into_iter().find(|&kind| raw_call_name(kind) == name)
}

pub(super) const fn option_word(kind: CallOptionKind) -> &'static str {
    match kind {
        CallOptionKind::Value => "value",
        CallOptionKind::Gas => "gas",
        CallOptionKind::Salt => "salt",
    }
}
