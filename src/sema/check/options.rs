//! `Option`, `Result` and enums with payloads as values: variants with their payloads, and the methods of the first two.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::typed::{
    Block, Expr, ExprKind, LetPattern, Local, LocalId, Match, MatchArm, Pattern, PatternKind, Place,
    PlaceRoot, Stmt, StmtKind,
};
use crate::sema::types::{EnumId, TYPE_PARTS_MAX, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

impl<'a> Checker<'_, 'a> {
    /// `None`, whose type comes from its place.
    pub(super) fn none(&mut self, span: Span, want: Option<TypeId>) -> Typed {
        let want = want.map(|want| self.resolved(want));
        match want.map(|want| (want, self.type_of(want).clone())) {
            None => self.cannot_infer("None", span),
            Some((want, Type::Option(_))) => {
                Typed::new(ExprKind::Variant { tag: 0, args: Vec::new() }, want, span)
            }
            Some((TypeId::ERROR, _)) => Typed::hole(span),
            Some((want, _)) => {
                let shown = self.shown(want);
                self.diags().error(Code::MismatchedTypes, span).arg("a", shown).arg("b", "Option<_> (None)");
                Typed::hole(span)
            }
        }
    }

    /// Reports a value whose type is not said.
    pub(super) fn cannot_infer(&mut self, text: &str, span: Span) -> Typed {
        self.diags().error(Code::CannotInferType, span).arg("x", text);
        Typed::hole(span)
    }

    /// `Some(e)`.
    pub(super) fn some(&mut self, args: &'a [ast::Expr], span: Span, want: Option<TypeId>) -> Typed {
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        let wanted = match want.map(|want| self.type_of(want).clone()) {
            Some(Type::Option(inner)) => Some(inner),
            Some(Type::Error) => Some(TypeId::ERROR),
            _ => None,
        };
        let value = match wanted {
            Some(inner) => self.expr_as(arg, inner),
            None => self.expr_any(arg),
        };
        if value.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        if value.ty == TypeId::NEVER {
            return self.diverging(vec![value], span);
        }
        // `let b = Some(a)` adds one: without a limit, a long text has values of any size.
        if self.sema.types.parts(value.ty) >= TYPE_PARTS_MAX {
            let what = format!("more than {TYPE_PARTS_MAX} parts of one type");
            self.diags().error(Code::TooLarge, span).arg("what", what);
            return Typed::hole(span);
        }
        let ty = self.sema.types.intern(Type::Option(value.ty));
        Typed::new(ExprKind::Variant { tag: 1, args: vec![value] }, ty, span)
    }

    /// `Enum::Variant`, with arguments or without.
    pub(super) fn enum_variant(
        &mut self,
        id: EnumId,
        name: &ast::Ident,
        args: Option<&'a [ast::Expr]>,
        span: Span,
    ) -> Option<Typed> {
        let def = &self.sema.types.enums[id.index()];
        let found = def.variants.iter().find(|variant| variant.name == name.as_str());
        let (tag, payload) = found.map(|variant| (variant.discriminant, variant.payload.clone()))?;
        let plain = def.is_payload_free();
        let shown = format!("{}::{}", def.name, name.name);
        let ty = self.sema.types.intern(Type::Enum(id));
        let given = args.unwrap_or_default();
        if given.len() != payload.len() || payload.is_empty() && args.is_some() {
            self.loose_args(given);
            let diagnostic = self.diags().error(Code::WrongArgumentCount, span);
            diagnostic.arg("n", payload.len()).arg("m", given.len());
            match payload.len() {
                0 => diagnostic.label(format!("`{shown}` has no payload; write it without `()`")),
                count => diagnostic.label(format!("`{shown}` has a payload of {count} part(s)")),
            };
            return Some(Typed::hole(span));
        }
        if plain {
            return Some(Typed::new(ExprKind::Const(alloy_primitives::U256::from(tag)), ty, span));
        }
        let args: Vec<Expr> = given.iter().zip(payload).map(|(arg, ty)| self.expr_as(arg, ty)).collect();
        if args.iter().any(|arg| arg.ty == TypeId::ERROR) {
            return Some(Typed::hole(span));
        }
        if args.iter().any(|arg| arg.ty == TypeId::NEVER) {
            return Some(self.diverging(args, span));
        }
        Some(Typed::new(ExprKind::Variant { tag: tag.into(), args }, ty, span))
    }

    /// A method of `Option` or `Result`; the receiver again if `name` is none.
    pub(super) fn option_method(
        &mut self,
        base: Typed,
        name: &'a ast::Ident,
        args: &'a [ast::Expr],
        span: Span,
    ) -> Result<Typed, Box<Typed>> {
        let ty = self.resolved(base.ty());
        let (good, value, other) = match *self.type_of(ty) {
            Type::Option(inner) => (1, inner, None),
            Type::Result { ok, err } => (0, ok, Some(err)),
            _ => return Err(Box::new(base)),
        };
        let bad = 1 - good;
        let test = match (name.as_str(), other) {
            ("is_some", None) | ("is_ok", Some(_)) => Some(good),
            ("is_none", None) | ("is_err", Some(_)) => Some(bad),
            _ => None,
        };
        if let Some(tag) = test {
            if !self.count_args(args, 0, span) {
                return Ok(Typed::hole(span));
            }
            let pattern = Box::new(self.variant_pattern(ty, tag, None, span));
            let kind = ExprKind::Matches { subject: Box::new(base.expr), pattern };
            return Ok(Typed::new(kind, TypeId::BOOL, span));
        }
        let expected = match (name.as_str(), other) {
            ("unwrap_or", _) | ("ok_or", None) => 1,
            ("ok" | "err", Some(_)) => 0,
            _ => return Err(Box::new(base)),
        };
        if !self.count_args(args, expected, span) {
            return Ok(Typed::hole(span));
        }
        let (kept, kept_tag) =
            if name.as_str() == "err" { (other.unwrap_or(value), bad) } else { (value, good) };
        // Only what is not Copy has to leave its owner.
        let base = if self.sema.types.is_copy(self.resolved(kept)) { base } else { self.take(base) };
        if base.ty() == TypeId::ERROR {
            self.loose_args(args);
            return Ok(Typed::hole(span));
        }
        let mut stmts = Vec::new();
        let mut operand = None;
        let subject = match args.first() {
            None => base.expr,
            Some(arg) => {
                // The receiver is evaluated before the argument.
                let subject = self.held(base.expr, &mut stmts);
                let argument = match name.as_str() {
                    "unwrap_or" => self.expr_as(arg, value),
                    _ => match self.raised(arg, None, super::raise::Borrow::No) {
                        Some(error) => error,
                        None => return Ok(Typed::hole(span)),
                    },
                };
                if argument.ty == TypeId::ERROR {
                    return Ok(Typed::hole(span));
                }
                if argument.ty == TypeId::NEVER {
                    return Ok(self.diverging(vec![subject, argument], span));
                }
                operand = Some(match argument.kind {
                    ExprKind::Const(_) => argument,
                    _ => self.held(argument, &mut stmts),
                });
                subject
            }
        };
        let local = self.unnamed_local(kept, span);
        let place = Place { root: PlaceRoot::Local(local), steps: Vec::new(), ty: kept, span };
        let held = Expr { kind: ExprKind::Load(place), ty: kept, span };
        let (result, then, otherwise) = match (name.as_str(), operand) {
            ("unwrap_or", Some(operand)) => (value, held, operand),
            ("ok_or", Some(error)) => {
                let result = self.sema.types.intern(Type::Result { ok: value, err: error.ty });
                let ok = Expr { kind: ExprKind::Ok(Box::new(held)), ty: result, span };
                (result, ok, Expr { kind: ExprKind::Err(Box::new(error)), ty: result, span })
            }
            _ => {
                let result = self.sema.types.intern(Type::Option(kept));
                let some = Expr { kind: ExprKind::Variant { tag: 1, args: vec![held] }, ty: result, span };
                let none = ExprKind::Variant { tag: 0, args: Vec::new() };
                (result, some, Expr { kind: none, ty: result, span })
            }
        };
        let body =
            |value: Expr| Block { stmts: Vec::new(), ty: value.ty, span, value: Some(Box::new(value)) };
        let pattern = self.variant_pattern(ty, kept_tag, Some(local), span);
        let any = Pattern { kind: PatternKind::Any, ty, span };
        let arms = vec![
            MatchArm { pattern, guard: None, body: body(then) },
            MatchArm { pattern: any, guard: None, body: body(otherwise) },
        ];
        let kind = ExprKind::Match(Box::new(Match { subject, arms }));
        let value = Expr { kind, ty: result, span };
        if stmts.is_empty() {
            return Ok(Typed::new(value.kind, result, span));
        }
        let block = Block { stmts, value: Some(Box::new(value)), ty: result, span };
        Ok(Typed::new(ExprKind::Block(Box::new(block)), result, span))
    }

    /// A variant of one part, which a local takes if there is one.
    fn variant_pattern(&mut self, ty: TypeId, tag: u32, local: Option<LocalId>, span: Span) -> Pattern {
        let payload = self.sema.types.variants(ty).into_iter().filter(|variant| variant.0 == tag);
        let part = |ty| {
            let kind = local.map_or(PatternKind::Any, PatternKind::Bind);
            Pattern { kind, ty, span }
        };
        let fields = payload.flat_map(|variant| variant.2).map(part).collect();
        Pattern { kind: PatternKind::Variant { tag, fields }, ty, span }
    }

    /// The value in a local without a name, which a statement puts there.
    pub(super) fn held(&mut self, expr: Expr, stmts: &mut Vec<Stmt>) -> Expr {
        let (ty, span) = (expr.ty, expr.span);
        let id = LocalId(self.locals.len() as u32);
        self.locals.push(Local { name: String::new(), span, ty, mutable: false });
        stmts.push(Stmt { kind: StmtKind::Let { pattern: LetPattern::Local(id), init: expr }, span });
        let place = Place { root: PlaceRoot::Local(id), steps: Vec::new(), ty, span };
        Expr { kind: ExprKind::Load(place), ty, span }
    }
}
