//! Calls of other contracts through handles (§10.1).

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::resolve::suggestion;
use crate::sema::scope::closest;
use crate::sema::typed::{CallOption, CastKind, Expr, ExprKind, ExternalCall};
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
        let options = self.call_options(options, function.payable, &function.name, function.span);
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
        };
        Typed::new(ExprKind::External(Box::new(call)), function.result, span)
    }

    /// `{value: v, gas: g}` of a call of `name`.
    fn call_options(
        &mut self,
        options: &'a [ast::CallOption],
        payable: bool,
        name: &str,
        declared: Span,
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
                self.diags()
                    .error(Code::TargetNotPayable, option.span)
                    .arg("f", name)
                    .secondary(declared, "declared without `payable` here");
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

pub(super) const fn option_word(kind: CallOptionKind) -> &'static str {
    match kind {
        CallOptionKind::Value => "value",
        CallOptionKind::Gas => "gas",
        CallOptionKind::Salt => "salt",
    }
}
