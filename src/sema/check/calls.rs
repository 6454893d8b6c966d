//! Calls: builtins, internal functions, errors, and what looks like a call and is none.

use alloy_primitives::U256;

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::check::borrows::Lent;
use crate::sema::check::external::raw_call_kind;
use crate::sema::check::paths::OBJECTS;
use crate::sema::check::raise::{Borrow, Fields};
use crate::sema::scope::{LocalDef, TypeDef, ValueDef, is_predeclared_type, prelude};
use crate::sema::typed::{BinaryOp, CastKind, Env, Expr, ExprKind, FuncId, HashFunction, Query};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, CallOption, LiteralKind};

impl<'a> Checker<'_, 'a> {
    pub(super) fn call(
        &mut self,
        callee: &'a ast::Expr,
        options: &'a [CallOption],
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        if let (Some(_), false) = (options.first(), matches!(callee.kind, ast::ExprKind::Field { .. })) {
            self.reject_options(options);
        }
        match &callee.kind {
            ast::ExprKind::Path(path) => match path.as_ident() {
                Some(name) => self.call_name(name, path, args, span, want),
                None => self.call_path(path, args, span, want),
            },
            ast::ExprKind::Field { base, name } => {
                self.call_method(base, name, callee.span, options, args, span, want)
            }
            _ => {
                let typed = self.expr(callee, None);
                self.loose_args(args);
                if typed.ty() == TypeId::NEVER {
                    return typed;
                }
                if typed.ty() != TypeId::ERROR {
                    let text = self.shorten(callee.span);
                    self.diags().error(Code::NotAFunction, callee.span).arg("f", text);
                }
                Typed::hole(span)
            }
        }
    }

    /// Checks arguments whose parameters are unknown, for the mistakes inside them.
    pub(super) fn loose_args(&mut self, args: &'a [ast::Expr]) {
        args.iter().for_each(|arg| drop(self.expr_or_place(arg, None)));
    }

    fn call_name(
        &mut self,
        name: &'a ast::Ident,
        path: &'a ast::Path,
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        if let Some(def) = self.scope.use_name(name.as_str()) {
            self.loose_args(args);
            return if def == LocalDef::Hole { Typed::hole(span) } else { self.not_a_function(name, span) };
        }
        match self.sema.find_value(&name.name, self.contract) {
            Some(ValueDef::Function(id)) => return self.call_function(id, args, span),
            Some(ValueDef::Const(_)) => {
                self.loose_args(args);
                return self.not_a_function(name, span);
            }
            None => {}
        }
        if let Some(typed) = self.builtin(name, args, span, want) {
            return typed;
        }
        match self.sema.find_type_name(&name.name, self.contract) {
            Some(TypeDef::ErrorType(_)) => self.call_path(path, args, span, want),
            Some(TypeDef::Event(_)) => {
                self.loose_args(args);
                self.diags()
                    .error(Code::NotAFunction, name.span)
                    .arg("f", &name.name)
                    .label("this is an event; log it with `emit`");
                Typed::hole(span)
            }
            Some(TypeDef::Contract(index)) => {
                let handle = self.sema.contracts[index].handle;
                self.handle_of(handle, args, span)
            }
            Some(TypeDef::Interface(handle)) => self.handle_of(handle, args, span),
            Some(TypeDef::Enum(_) | TypeDef::Struct(_)) => {
                self.loose_args(args);
                self.not_a_function(name, span)
            }
            None => {
                self.loose_args(args);
                if is_predeclared_type(name.as_str()) || prelude(name.as_str()).is_some() {
                    return self.not_a_function(name, span);
                }
                self.value_not_found(name);
                Typed::hole(span)
            }
        }
    }

    fn not_a_function(&mut self, name: &ast::Ident, span: Span) -> Typed {
        self.diags().error(Code::NotAFunction, name.span).arg("f", &name.name);
        Typed::hole(span)
    }

    /// `Set::Variant(…)`, `Contract::Error(…)` and other paths with arguments.
    fn call_path(
        &mut self,
        path: &'a ast::Path,
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        if let [first, last] = path.segments.as_slice()
            && first.as_str() == "Vec"
        {
            return self.new_vec(last, args, span, want);
        }
        if let [first, last] = path.segments.as_slice()
            && (first.as_str(), last.as_str()) == ("Address", "from_entity")
        {
            return self.entity_address(args, span);
        }
        if let Some(ValueDef::Function(id)) = self.sema.find_exported_value(path) {
            return self.call_function(id, args, span);
        }
        if let Some(id) = self.associated_function(path) {
            return self.call_function(id, args, span);
        }
        if let Some(typed) = self.init_hash(path, args, span) {
            return typed;
        }
        match self.sema.find_type(path, self.contract) {
            Some(TypeDef::Contract(index)) => {
                return self.handle_of(self.sema.contracts[index].handle, args, span);
            }
            Some(TypeDef::Interface(handle)) => return self.handle_of(handle, args, span),
            _ => {}
        }
        if let Some((last, parent)) = path.segments.split_last() {
            let parent = ast::Path { segments: parent.to_vec(), span: path.span };
            if let Some(id) = self.enum_named(&parent)
                && let Some(typed) = self.enum_variant(id, last, Some(args), span)
            {
                return typed;
            }
        }
        if let Some(error) = self.find_error(path)
            && !self.is_bare_set(error, path)
        {
            return self.error_value(error, Fields::Positional(args), span, Borrow::No);
        }
        self.loose_args(args);
        let Some((last, parent)) = path.segments.split_last() else { return Typed::hole(span) };
        if self.sema.find_type(path, self.contract).is_some() {
            self.diags().error(Code::NotAFunction, path.span).arg("f", path);
            return Typed::hole(span);
        }
        let first = &path.segments[0];
        if is_predeclared_type(first.as_str()) {
            self.diags().error(Code::NoFieldOrMethod, last.span).arg("t", &first.name).arg("m", &last.name);
            return Typed::hole(span);
        }
        let parent = ast::Path { segments: parent.to_vec(), span: first.span };
        self.member_not_found(&parent, last, span)
    }

    /// An internal call.
    fn call_function(&mut self, id: FuncId, args: &'a [ast::Expr], span: Span) -> Typed {
        if let Some(function) = self.generic_function(id) {
            return self.call_generic(function, args, span);
        }
        self.call_with(id, None, args, span)
    }

    /// A call, of a method with its receiver.
    pub(super) fn call_with(
        &mut self,
        id: FuncId,
        receiver: Option<Lent>,
        args: &'a [ast::Expr],
        span: Span,
    ) -> Typed {
        let signature = self.sema.signature(id);
        let (params, result, name) = (signature.params.clone(), signature.result, signature.name.clone());
        let declared = signature.span;
        let own = usize::from(receiver.is_some());
        if args.len() + own != params.len() {
            self.loose_args(args);
            self.note_call(id, span);
            self.end_lent(&[receiver.and_then(|lent| lent.borrow)]);
            self.diags()
                .error(Code::WrongArgumentCount, span)
                .arg("n", params.len().saturating_sub(own))
                .arg("m", args.len())
                .secondary(declared, format!("`{name}` is declared here"));
            return Typed::hole(span);
        }
        let mut checked = Vec::with_capacity(params.len());
        let mut lent = Vec::new();
        if let Some(receiver) = receiver {
            checked.push(receiver.expr);
            lent.push(receiver.borrow);
        }
        for (arg, param) in args.iter().zip(&params[own..]) {
            if let Type::Ref { mutable, target } = *self.type_of(param.ty) {
                let argument = self.reference_argument(arg, mutable, target);
                checked.push(argument.expr);
                lent.push(argument.borrow);
                continue;
            }
            let expr = self.expr_as(arg, param.ty);
            if param.constant && expr.ty != TypeId::ERROR && crate::sema::consts::eval(&expr).is_err() {
                self.diags().error(Code::ArgumentNotConstant, arg.span).arg("p", &param.name);
            }
            checked.push(expr);
        }
        self.note_call(id, span);
        self.end_lent(&lent);
        if result == TypeId::ERROR {
            return Typed::hole(span);
        }
        Typed::new(ExprKind::Call { function: id, args: checked }, result, span)
    }

    /// A predeclared function; nothing if `name` is none.
    fn builtin(
        &mut self,
        name: &'a ast::Ident,
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Option<Typed> {
        Some(match name.as_str() {
            "require" => self.require(args, span),
            "Ok" => self.ok_or_err(true, args, span, want),
            "Err" => self.ok_or_err(false, args, span, want),
            "assert" => match self.one_argument(args, span) {
                Some(arg) if self.is_test() => self.assert_in_test(arg, span),
                Some(arg) => {
                    let cond = Box::new(self.condition(arg));
                    Typed::new(ExprKind::Assert(cond), TypeId::UNIT, span)
                }
                None => Typed::hole(span),
            },
            "gas_left" => {
                if !args.is_empty() {
                    self.loose_args(args);
                    self.diags().error(Code::WrongArgumentCount, span).arg("n", 0).arg("m", args.len());
                    return Some(Typed::hole(span));
                }
                Typed::new(ExprKind::Env(Env::GasLeft), TypeId::U64, span)
            }
            "block_hash" => match self.one_argument(args, span) {
                Some(arg) => {
                    let operand = Box::new(self.expr_as(arg, TypeId::U64));
                    let kind = ExprKind::Query { query: Query::BlockHash, operand };
                    Typed::new(kind, TypeId::HASH, span)
                }
                None => Typed::hole(span),
            },
            "concat" => self.concat(args, span, want),
            "Some" => self.some(args, span, want),
            "create2_address" => self.create2_address(args, span),
            "ecrecover" => self.ecrecover(args, span),
            "assert_eq" | "assert_ne" | "assert_lt" | "assert_approx" if self.is_test() => {
                self.assertion(name.as_str(), args, span)
            }
            "assert_eq" | "assert_ne" | "assert_lt" | "assert_approx" => {
                self.loose_args(args);
                self.diags()
                    .error(Code::NotFound, name.span)
                    .arg("name", &name.name)
                    .arg("hint", "; it is only available in `test`");
                Typed::hole(span)
            }
            "word_add_mod" | "word_mul_mod" if self.sema.in_std() => {
                self.word_modulo(name.as_str() == "word_mul_mod", args, span)
            }
            other => {
                return HashFunction::from_name(other).map(|function| self.hash_call(function, args, span));
            }
        })
    }

    pub(super) fn one_argument(&mut self, args: &'a [ast::Expr], span: Span) -> Option<&'a ast::Expr> {
        if let [arg] = args {
            return Some(arg);
        }
        self.loose_args(args);
        self.diags().error(Code::WrongArgumentCount, span).arg("n", 1).arg("m", args.len());
        None
    }

    /// `Address::from_entity(shard, realm, num)`: the three numbers, big-endian, one after the other.
    fn entity_address(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let shard = TypeId::int(crate::sema::types::IntType { signed: false, bits: 32 });
        let types = [shard, TypeId::U64, TypeId::U64];
        if !self.count_args(args, types.len(), span) {
            return Typed::hole(span);
        }
        let mut all: Option<Expr> = None;
        for (arg, ty) in args.iter().zip(types) {
            let operand = self.expr_as(arg, ty);
            if operand.ty == TypeId::ERROR {
                return Typed::hole(span);
            }
            let wide = ExprKind::Cast { kind: CastKind::SameWord, operand: Box::new(operand) };
            let next = Expr { kind: wide, ty: TypeId::U160, span };
            all = Some(match all {
                None => next,
                Some(before) => {
                    let bits = ExprKind::Const(U256::from(64));
                    let bits = Box::new(Expr { kind: bits, ty: TypeId::U256, span });
                    let shift = ExprKind::Binary { op: BinaryOp::Shl, left: Box::new(before), right: bits };
                    let shifted = Box::new(Expr { kind: shift, ty: TypeId::U160, span });
                    let kind = ExprKind::Binary { op: BinaryOp::Or, left: shifted, right: Box::new(next) };
                    Expr { kind, ty: TypeId::U160, span }
                }
            });
        }
        let Some(all) = all else { return Typed::hole(span) };
        let kind = ExprKind::Cast { kind: CastKind::SameWord, operand: Box::new(all) };
        Typed::new(kind, TypeId::ADDRESS, span)
    }

    /// A hash; of constant bytes it is a constant.
    fn hash_call(&mut self, function: HashFunction, args: &'a [ast::Expr], span: Span) -> Typed {
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        if let ast::ExprKind::Literal(ast::Literal { kind: LiteralKind::Str(_), .. }) = arg.kind {
            self.diags().error(Code::MismatchedTypes, arg.span).arg("a", "bytes").arg("b", "string").fix(
                Span::at(arg.span.start),
                "b",
                "write the text as bytes, `b\"…\"`",
            );
            return Typed::hole(span);
        }
        self.hash(function, arg, span)
    }

    /// `base.name(…)`.
    #[expect(clippy::too_many_arguments, reason = "a call as written, and what its place asks for")]
    fn call_method(
        &mut self,
        base: &'a ast::Expr,
        name: &'a ast::Ident,
        callee_span: Span,
        options: &'a [CallOption],
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        let object = match &base.kind {
            ast::ExprKind::SelfValue if self.scope.find("self").is_none() => Some("self"),
            ast::ExprKind::Path(path) => path.as_ident().map(|name| name.as_str()),
            _ => None,
        };
        if let Some(object) = object
            && (object == "self" || OBJECTS.contains(&object) && self.scope.find(object).is_none())
        {
            self.reject_options(options);
            if object == "abi"
                && let Some(typed) = self.abi_call(name.as_str(), args, span, want)
            {
                return typed;
            }
            if object == "vm" && self.is_test() {
                return self.vm_call(name, args, span);
            }
            if let Some(typed) = self.service_call(object, name, args, callee_span, span) {
                return typed;
            }
            self.loose_args(args);
            return self.call_object(object, base.span, name, callee_span, span);
        }
        if matches!(base.kind, ast::ExprKind::State | ast::ExprKind::Transient) {
            self.reject_options(options);
            let typed = self.field(base, name, callee_span);
            self.loose_args(args);
            if typed.ty() != TypeId::ERROR {
                let shown = self.shorten(callee_span);
                self.diags().error(Code::NotAFunction, callee_span).arg("f", shown);
            }
            return Typed::hole(span);
        }
        if self.dot_after_type(base, name, callee_span) {
            self.loose_args(args);
            return Typed::hole(span);
        }
        let typed = self.part(base, None);
        let typed = match self.declared_method(typed, name, options, args, span) {
            Ok(done) => return done,
            Err(other) => self.looked_at(*other),
        };
        let typed = match self.option_method(typed, name, args, span) {
            Ok(done) => return done,
            Err(other) => *other,
        };
        let typed = match self.data_method(typed, name, args, span) {
            Ok(done) => return done,
            Err(other) => *other,
        };
        let ty = self.resolved(typed.ty());
        if let Type::Handle(handle) = *self.type_of(ty) {
            return self.external_call(typed, handle, name, options, args, span);
        }
        if let (Type::Address, Some(kind)) = (self.type_of(ty), raw_call_kind(name.as_str())) {
            return self.raw_call(typed, kind, options, args, span);
        }
        self.reject_options(options);
        match (self.type_of(ty), name.as_str()) {
            (Type::Error, _) => {
                self.loose_args(args);
                Typed::hole(span)
            }
            (Type::Never, _) => {
                self.loose_args(args);
                typed
            }
            (Type::Map { .. }, "remove") => self.map_remove(typed, args, span),
            _ => {
                self.loose_args(args);
                self.no_field(ty, name, &["send", "call", "static_call"]);
                Typed::hole(span)
            }
        }
    }

    fn call_object(
        &mut self,
        object: &str,
        object_span: Span,
        name: &'a ast::Ident,
        callee_span: Span,
        span: Span,
    ) -> Typed {
        if self.is_env_field(object, name.as_str()) {
            let shown = format!("{object}.{}", name.as_str());
            self.diags().error(Code::FieldNotFunction, span).arg("name", &shown).fix(
                span,
                shown,
                "remove `()`",
            );
            return Typed::hole(span);
        }
        match object {
            "vm" => {
                self.diags().error(Code::VmOutsideTest, object_span);
            }
            "self" => {
                let function = self.sema.find_value(&name.name, self.contract);
                let diagnostic = self
                    .sema
                    .diags
                    .error(Code::NoFieldOrMethod, name.span)
                    .arg("t", "self")
                    .arg("m", &name.name);
                if matches!(function, Some(ValueDef::Function(_))) {
                    diagnostic.note("functions of the contract are called by name, without `self.`").fix(
                        callee_span,
                        name.as_str(),
                        "remove `self.`",
                    );
                }
            }
            _ => self.no_member(object, name, &[]),
        }
        Typed::hole(span)
    }
}
