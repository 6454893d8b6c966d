//! Errors and events: their fields, `emit`, `revert`, `require`, `Err` and `?`.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::scope::TypeDef;
use crate::sema::typed::{ErrorRef, Expr, ExprKind, Revert, StmtKind};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, FieldInit, LiteralKind, PayloadArgs};

/// The fields of an error or event as written.
#[derive(Clone, Copy)]
pub(super) enum Fields<'a> {
    None,
    Positional(&'a [ast::Expr]),
    Named(&'a [FieldInit]),
}

/// Whether the values of fields stay where they are (§6.7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Borrow {
    Yes,
    No,
}

impl<'a> From<&'a PayloadArgs> for Fields<'a> {
    fn from(args: &'a PayloadArgs) -> Fields<'a> {
        match args {
            PayloadArgs::None => Fields::None,
            PayloadArgs::Positional(args) => Fields::Positional(args),
            PayloadArgs::Named(fields) => Fields::Named(fields),
        }
    }
}

impl<'a> Checker<'_, 'a> {
    /// `emit E(…)`; nothing if it is wrong.
    pub(super) fn emit(&mut self, payload: &'a ast::Payload) -> Option<StmtKind> {
        self.emit_event(&payload.path, Fields::from(&payload.args), payload.span)
    }

    /// The log entry that an event with these fields is; nothing if it is wrong.
    pub(super) fn emit_event(
        &mut self,
        path: &'a ast::Path,
        fields: Fields<'a>,
        span: Span,
    ) -> Option<StmtKind> {
        match self.sema.find_type(path, self.contract) {
            Some(TypeDef::Event(id)) => {
                let def = &self.sema.events[id.index()];
                let declared: Vec<_> =
                    def.fields.iter().map(|field| (field.name.clone(), field.ty)).collect();
                let name = def.name.clone();
                let fields = self.fields(&name, &declared, fields, span, Borrow::Yes)?;
                self.effects.writes.push(("emits".to_owned(), span));
                self.effects.events.insert(id);
                return Some(StmtKind::Emit { event: id, fields });
            }
            Some(TypeDef::ErrorType(_)) => self.not_an_event(path, "an error; use `revert`"),
            Some(TypeDef::Contract(_)) => self.not_an_event(path, "a contract"),
            Some(TypeDef::Interface(_)) => self.not_an_event(path, "an interface"),
            Some(TypeDef::Enum(_)) => self.not_an_event(path, "an enum"),
            Some(TypeDef::Struct(_)) => self.not_an_event(path, "a struct"),
            None => match path.as_ident().map(|name| self.sema.find_value(&name.name, self.contract)) {
                Some(Some(_)) => self.not_an_event(path, "a function or constant"),
                _ => self.sema.type_not_found(path, self.contract),
            },
        }
        self.check_loosely(fields);
        None
    }

    fn not_an_event(&mut self, path: &ast::Path, kind: &str) {
        self.diags().error(Code::EmitNeedsEvent, path.span).arg("x", path).arg("kind", kind);
    }

    /// Checks fields whose owner is unknown, for the mistakes inside them.
    pub(super) fn check_loosely(&mut self, fields: Fields<'a>) {
        match fields {
            Fields::None => {}
            Fields::Positional(args) => args.iter().for_each(|arg| drop(self.expr(arg, None))),
            Fields::Named(fields) => {
                fields
                    .iter()
                    .filter_map(|field| field.value.as_ref())
                    .for_each(|value| drop(self.expr(value, None)));
            }
        }
    }

    /// The fields of an error or event in written order, each with its position in the declaration.
    pub(super) fn fields(
        &mut self,
        owner: &str,
        declared: &[(String, TypeId)],
        fields: Fields<'a>,
        span: Span,
        borrow: Borrow,
    ) -> Option<Vec<(u32, Expr)>> {
        match fields {
            Fields::None if declared.is_empty() => Some(Vec::new()),
            Fields::None => self.wrong_count(declared.len(), 0, span),
            Fields::Positional(args) => {
                if args.len() != declared.len() {
                    self.check_loosely(fields);
                    return self.wrong_count(declared.len(), args.len(), span);
                }
                let pairs = args.iter().zip(declared).enumerate();
                let value = |(at, (arg, field)): (usize, (&'a ast::Expr, &(String, TypeId)))| {
                    (at as u32, self.field_value(arg, field.1, borrow))
                };
                Some(pairs.map(value).collect())
            }
            Fields::Named(inits) => self.named_fields(owner, declared, inits, span, borrow),
        }
    }

    fn field_value(&mut self, value: &'a ast::Expr, ty: TypeId, borrow: Borrow) -> Expr {
        match borrow {
            Borrow::Yes => self.borrowed_as(value, ty),
            Borrow::No => self.expr_as(value, ty),
        }
    }

    fn wrong_count<T>(&mut self, expected: usize, found: usize, span: Span) -> Option<T> {
        self.diags().error(Code::WrongArgumentCount, span).arg("n", expected).arg("m", found);
        None
    }

    fn named_fields(
        &mut self,
        owner: &str,
        declared: &[(String, TypeId)],
        inits: &'a [FieldInit],
        span: Span,
        borrow: Borrow,
    ) -> Option<Vec<(u32, Expr)>> {
        let mut seen: Vec<Option<Span>> = vec![None; declared.len()];
        let mut fields = Vec::with_capacity(inits.len());
        let mut complete = true;
        for init in inits {
            let at = declared.iter().position(|field| field.0 == init.name.as_str());
            let ty = match at {
                Some(at) => {
                    if let Some(first) = seen[at].replace(init.name.span) {
                        self.sema.already_defined(&init.name, first);
                        complete = false;
                    }
                    declared[at].1
                }
                None => {
                    let name = &init.name;
                    self.diags().error(Code::NoFieldOrMethod, name.span).arg("t", owner).arg("m", &name.name);
                    complete = false;
                    TypeId::ERROR
                }
            };
            let value = match &init.value {
                Some(value) => self.field_value(value, ty, borrow),
                None => {
                    let mut typed = self.short_field(&init.name);
                    if let ExprKind::Load(place) = &typed.expr.kind {
                        self.check_not_moved(place);
                    }
                    if borrow == Borrow::No {
                        typed = self.take(typed);
                    }
                    self.coerce(typed, ty)
                }
            };
            if let Some(at) = at {
                fields.push((at as u32, value));
            }
        }
        let missing: Vec<_> = declared
            .iter()
            .zip(&seen)
            .filter(|(_, seen)| seen.is_none())
            .map(|(field, _)| field.0.as_str())
            .collect();
        if !missing.is_empty() {
            let list = missing.join(", ");
            self.diags().error(Code::MissingFields, span).arg("list", list).arg("t", owner);
            complete = false;
        }
        complete.then_some(fields)
    }

    /// `{ amount }`: the local or constant of that name.
    fn short_field(&mut self, name: &'a ast::Ident) -> Typed {
        if let Some(def) = self.scope.use_name(name.as_str()) {
            return self.local(def, name.span);
        }
        if let Some(crate::sema::scope::ValueDef::Const(index)) =
            self.sema.find_value(&name.name, self.contract)
        {
            return match self.sema.constant(index) {
                Some((ty, value)) => self.constant(ty, &value, name.span),
                None => Typed::hole(name.span),
            };
        }
        self.value_not_found(name);
        Typed::hole(name.span)
    }

    /// A value of an error type.
    pub(super) fn error_value(
        &mut self,
        error: ErrorRef,
        fields: Fields<'a>,
        span: Span,
        borrow: Borrow,
    ) -> Typed {
        let Some(variant) = self.sema.types.error_type(error.ty).variants.get(error.variant as usize) else {
            self.check_loosely(fields);
            return Typed::hole(span);
        };
        let (name, declared) = (variant.name.clone(), variant.params.clone());
        let Some(args) = self.fields(&name, &declared, fields, span, borrow) else {
            return Typed::hole(span);
        };
        self.effects.errors.insert(error);
        let ty = self.sema.types.intern(Type::ErrorType(error.ty));
        Typed::new(ExprKind::Error { error, args }, ty, span)
    }

    /// `revert`, `revert E`, `revert E(…)`, `revert E { … }`.
    pub(super) fn revert_expr(&mut self, payload: Option<&'a ast::Payload>, span: Span) -> Typed {
        let revert = match payload {
            None => Revert::Empty,
            Some(payload) if self.names_held_error(payload) => {
                let typed = self.path(&payload.path, payload.span, None);
                let typed = self.looked_at(typed);
                match self.raised_value(typed, payload.span, None) {
                    Some(error) => Revert::Error(Box::new(error)),
                    None => Revert::Empty,
                }
            }
            Some(payload) => {
                let fields = Fields::from(&payload.args);
                match self.find_error(&payload.path) {
                    Some(error) if !self.is_bare_set(error, &payload.path) => {
                        let error = self.error_value(error, fields, payload.span, Borrow::Yes);
                        Revert::Error(Box::new(error.expr))
                    }
                    _ => {
                        self.reject_error(&payload.path);
                        self.check_loosely(fields);
                        Revert::Empty
                    }
                }
            }
        };
        Typed::new(ExprKind::Revert(revert), TypeId::NEVER, span)
    }

    /// Whether `revert e` is about a local, whose value is an error.
    fn names_held_error(&self, payload: &ast::Payload) -> bool {
        let name = payload.path.as_ident().filter(|_| matches!(payload.args, PayloadArgs::None));
        name.is_some_and(|name| self.scope.find(name.as_str()).is_some())
    }

    /// Whether the path names a whole error set instead of one of its errors.
    pub(super) fn is_bare_set(&mut self, error: ErrorRef, path: &ast::Path) -> bool {
        self.sema.types.error_type(error.ty).is_set
            && matches!(self.sema.find_type(path, self.contract), Some(TypeDef::ErrorType(_)))
    }

    /// Reports a path after `revert` that names no error (K0802).
    fn reject_error(&mut self, path: &'a ast::Path) {
        let contract = self.contract;
        let parent = ast::Path {
            segments: path.segments[..path.segments.len().saturating_sub(1)].to_vec(),
            ..path.clone()
        };
        match self.sema.find_type(path, contract) {
            Some(TypeDef::ErrorType(_)) => {
                self.diags()
                    .error(Code::NotAnError, path.span)
                    .arg("x", path)
                    .label("this is an error set; name one of its errors");
            }
            Some(_) => {
                self.diags().error(Code::NotAnError, path.span).arg("x", path);
            }
            None if !parent.segments.is_empty() => {
                let last = path.segments.last().expect("the parent is not empty").clone();
                self.member_not_found(&parent, &last, path.span);
            }
            None => {
                let name = &path.segments[0];
                let known = self.scope.use_name(name.as_str()).is_some()
                    || self.sema.find_value(&name.name, contract).is_some();
                if known {
                    self.diags().error(Code::NotAnError, path.span).arg("x", path);
                } else {
                    self.sema.type_not_found(path, contract);
                }
            }
        }
    }

    /// `require(c)`, `require(c, E(…))`, `require(c, "text")`.
    pub(super) fn require(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let (cond, failure) = match args {
            [cond] => (self.condition(cond), Revert::Empty),
            [cond, failure] => {
                let cond = self.condition(cond);
                // Whoever evaluates the error does not come back: what it moves is there for those who do.
                let before = self.moved.clone();
                let failure = self.failure(failure);
                self.moved = before;
                (cond, failure)
            }
            _ => {
                args.iter().for_each(|arg| drop(self.expr_or_place(arg, None)));
                let expected = if args.is_empty() { "1 or 2" } else { "at most 2" };
                self.diags().error(Code::WrongArgumentCount, span).arg("n", expected).arg("m", args.len());
                return Typed::hole(span);
            }
        };
        if cond.ty == TypeId::NEVER {
            return self.diverging(vec![cond], span);
        }
        Typed::new(ExprKind::Require { cond: Box::new(cond), failure }, TypeId::UNIT, span)
    }

    fn failure(&mut self, failure: &'a ast::Expr) -> Revert {
        if let ast::ExprKind::Literal(ast::Literal { kind: LiteralKind::Str(text), .. }) = &failure.kind {
            return Revert::Text(text.to_string());
        }
        match self.raised(failure, None, Borrow::Yes) {
            Some(error) => Revert::Error(Box::new(error)),
            None => Revert::Empty,
        }
    }

    /// An expression that shall be an error to raise; with `want`, of that error type.
    pub(super) fn raised(
        &mut self,
        expr: &'a ast::Expr,
        want: Option<TypeId>,
        borrow: Borrow,
    ) -> Option<Expr> {
        let mut typed = self.expr_or_place(expr, want);
        if borrow == Borrow::No {
            typed = self.take(typed);
        }
        self.raised_value(typed, expr.span, want)
    }

    /// Whether values of the type are errors, which become an `Error`.
    pub(super) fn is_error_value(&self, ty: TypeId) -> bool {
        ty == TypeId::CALL_ERROR || matches!(self.type_of(ty), Type::ErrorType(_) | Type::AnyError)
    }

    /// A value that shall be an error to raise.
    fn raised_value(&mut self, typed: Typed, span: Span, want: Option<TypeId>) -> Option<Expr> {
        let ty = self.resolved(typed.ty());
        match self.type_of(ty) {
            Type::Error => return None,
            _ if self.is_error_value(ty) => {}
            _ if matches!(typed.expr.kind, ExprKind::Hole) => return None,
            // It never gets so far.
            Type::Never => return Some(typed.expr),
            _ => {
                let text = self.shorten(span);
                self.diags().error(Code::NotAnError, span).arg("x", text);
                return None;
            }
        }
        if let Some(want) = want
            && want != ty
        {
            if want == TypeId::ANY_ERROR {
                let kind = ExprKind::IntoAnyError(Box::new(typed.expr));
                return Some(Expr { kind, ty: want, span });
            }
            if want != TypeId::ERROR {
                let (a, b) = (self.shown(want), self.shown(ty));
                self.diags().error(Code::MismatchedTypes, span).arg("a", a).arg("b", b);
            }
            return None;
        }
        Some(typed.expr)
    }

    /// `Ok(e)` and `Err(e)`: the result type comes from their place.
    pub(super) fn ok_or_err(
        &mut self,
        is_ok: bool,
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        let name = if is_ok { "Ok" } else { "Err" };
        let [arg] = args else {
            args.iter().for_each(|arg| drop(self.expr_or_place(arg, None)));
            self.diags().error(Code::WrongArgumentCount, span).arg("n", 1).arg("m", args.len());
            return Typed::hole(span);
        };
        let Some(want) = want.map(|want| self.resolved(want)) else {
            self.expr_or_place(arg, None);
            return self.cannot_infer(&format!("{name}(…)"), span);
        };
        let &Type::Result { ok, err } = self.type_of(want) else {
            let inner = self.expr_or_place(arg, None);
            if want != TypeId::ERROR && inner.ty() != TypeId::ERROR {
                let shown = self.shown(want);
                let found = if is_ok { "Result<…> (Ok)" } else { "Result<…> (Err)" };
                self.diags().error(Code::MismatchedTypes, span).arg("a", shown).arg("b", found);
            }
            return Typed::hole(span);
        };
        if is_ok {
            let value = self.expr_as(arg, ok);
            if value.ty == TypeId::NEVER {
                return self.diverging(vec![value], span);
            }
            return Typed::new(ExprKind::Ok(Box::new(value)), want, span);
        }
        match self.raised(arg, Some(err), Borrow::No) {
            Some(error) if error.ty == TypeId::NEVER => self.diverging(vec![error], span),
            Some(error) => Typed::new(ExprKind::Err(Box::new(error)), want, span),
            None => Typed::hole(span),
        }
    }

    /// `e?`.
    pub(super) fn question(&mut self, operand: &'a ast::Expr, span: Span, want: Option<TypeId>) -> Typed {
        // What the value shall be is known, what the error is, not.
        let is_option = matches!(self.type_of(self.result), Type::Option(_));
        let wanted = want.filter(|&ok| ok != TypeId::ERROR).map(|ok| {
            let err = TypeId::ANY_ERROR;
            self.sema.types.intern(if is_option { Type::Option(ok) } else { Type::Result { ok, err } })
        });
        let typed = self.expr(operand, wanted);
        let ty = self.resolved(typed.ty());
        let (ok, err) = match *self.type_of(ty) {
            Type::Error => return Typed::hole(span),
            Type::Never => return typed,
            Type::Result { ok, err } => (ok, err),
            Type::Option(inner) => {
                if !is_option && self.result != TypeId::ERROR {
                    let shown = self.shown(self.result);
                    self.diags().error(Code::QuestionOutsideResult, span).label(format!(
                        "`?` of an `Option` returns `None`, but `{shown}` is returned here; use `.ok_or(…)?`"
                    ));
                }
                return Typed::new(ExprKind::Try(Box::new(typed.expr)), inner, span);
            }
            _ => {
                let shown = self.shown(ty);
                self.diags()
                    .error(Code::MismatchedTypes, operand.span)
                    .arg("a", "Result<_, _> or Option<_>")
                    .arg("b", shown);
                return Typed::hole(span);
            }
        };
        match *self.type_of(self.result) {
            Type::Error => return Typed::hole(span),
            // What is already encoded, or becomes so by returning it.
            Type::Result { err: own, .. } if own == err || own == TypeId::ANY_ERROR => {}
            Type::Result { err: own, .. } => {
                let (from, to) = (self.shown(err), self.shown(own));
                self.diags().error(Code::QuestionConversion, span).arg("E1", from).arg("E2", to);
            }
            _ => {
                self.diags().error(Code::QuestionOutsideResult, span);
            }
        }
        Typed::new(ExprKind::Try(Box::new(typed.expr)), ok, span)
    }
}
