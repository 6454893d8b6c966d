//! `as` and `as%`: which conversions exist (§4.2).

use alloy_primitives::U256;

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::consts::fixed_bytes_mask;
use crate::sema::exact::Int;
use crate::sema::typed::{Block, CastKind, Expr, ExprKind, Match, MatchArm, Pattern, PatternKind, PlaceRoot};
use crate::sema::types::{IntType, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

impl<'a> Checker<'_, 'a> {
    pub(super) fn cast(
        &mut self,
        value: &'a ast::Expr,
        wrapping: bool,
        ty: &'a ast::Type,
        span: Span,
    ) -> Typed {
        let typed = self.expr(value, None);
        self.cast_value(typed, wrapping, ty, span)
    }

    /// `text as bytes` where it is only looked at (§6.7): the memory stays whose it is.
    pub(super) fn borrowed_cast(&mut self, value: &'a ast::Expr, ty: &'a ast::Type, span: Span) -> Typed {
        if let ast::ExprKind::Cast { value: inner, wrapping: false, ty: through } = &value.kind {
            let typed = self.borrowed_cast(inner, through, value.span);
            return self.cast_value(typed, false, ty, span);
        }
        let typed = self.expr_or_place(value, None);
        let is_own =
            matches!(&typed.expr.kind, ExprKind::Load(place) if matches!(place.root, PlaceRoot::Local(_)));
        let is_text = matches!(self.resolved(typed.ty()), TypeId::BYTES | TypeId::STRING);
        let typed = if is_own && is_text { typed } else { self.value_of(value, typed) };
        self.cast_value(typed, false, ty, span)
    }

    fn cast_value(&mut self, typed: Typed, wrapping: bool, ty: &'a ast::Type, span: Span) -> Typed {
        let contract = self.contract;
        let to = self.sema.resolve_any_type(ty, contract);
        let from = self.resolved(typed.ty());
        if to == TypeId::ERROR || from == TypeId::ERROR {
            return Typed::hole(span);
        }
        if from == TypeId::NEVER {
            return typed;
        }
        if let Some(literal) = typed.literal {
            return self.cast_literal(literal, to, wrapping, span);
        }
        if let (Type::Enum(id), TypeId::U8) = (self.type_of(to), from)
            && self.sema.types.enums[id.index()].is_payload_free()
            && !wrapping
            && self.cast_kind(from, to, false).is_none()
        {
            return self.numbered_enum(typed.expr, to, span);
        }
        let Some(kind) = self.cast_kind(from, to, wrapping) else {
            self.invalid_cast(from, to, wrapping, span);
            return Typed::hole(span);
        };
        Typed::new(ExprKind::Cast { kind, operand: Box::new(typed.expr) }, to, span)
    }

    /// A `u8` as an enum whose numbers have gaps: Panic 0x21 unless it is one of them.
    fn numbered_enum(&mut self, operand: Expr, to: TypeId, span: Span) -> Typed {
        let Type::Enum(id) = *self.type_of(to) else { return Typed::hole(span) };
        let ty = TypeId::U8;
        let mut stmts = Vec::new();
        let held = self.held(operand, &mut stmts);
        let numbers = self.sema.types.enums[id.index()].variants.iter().map(|variant| variant.discriminant);
        let known = numbers.map(|number| Pattern { kind: PatternKind::Const(U256::from(number)), ty, span });
        let known = Pattern { kind: PatternKind::Or(known.collect()), ty, span };
        let any = Pattern { kind: PatternKind::Any, ty, span };
        let arm = |pattern, value: Expr| {
            let body = Block { stmts: Vec::new(), ty: to, value: Some(Box::new(value)), span };
            MatchArm { pattern, guard: None, body }
        };
        let cast = |kind, operand| ExprKind::Cast { kind, operand: Box::new(operand) };
        let good = Expr { kind: cast(CastKind::SameWord, held.clone()), ty: to, span };
        // 1 is no variant of an enum that has one.
        let one = Expr { kind: ExprKind::Const(U256::from(1)), ty, span };
        let bad = Expr { kind: cast(CastKind::IntToEnum { variants: 1 }, one), ty: to, span };
        let arms = vec![arm(known, good), arm(any, bad)];
        let kind = ExprKind::Match(Box::new(Match { subject: held, arms }));
        let value = Some(Box::new(Expr { kind, ty: to, span }));
        Typed::new(ExprKind::Block(Box::new(Block { stmts, value, ty: to, span })), to, span)
    }

    fn invalid_cast(&mut self, from: TypeId, to: TypeId, wrapping: bool, span: Span) {
        let would_wrap = !wrapping && self.cast_kind(from, to, true).is_some();
        let narrowing = matches!((from.as_fixed_bytes(), to.as_fixed_bytes()), (Some(_), Some(_)));
        let (a, b) = (self.shown(from), self.shown(to));
        let diagnostic = self.sema.diags.error(Code::InvalidCast, span).arg("a", a).arg("b", b);
        if would_wrap && narrowing {
            diagnostic.note("`as%` cuts the last bytes off");
        } else if let (TypeId::ADDRESS, Type::Handle(_)) = (from, self.sema.types.get(to)) {
            diagnostic.note("an address becomes a handle by the handle's name, `IERC20(a)`");
        } else if to == TypeId::BOOL {
            diagnostic.note("compare with `!= 0` instead");
        }
    }

    /// A literal takes the integer type that converts to the target, and shall fit it.
    fn cast_literal(&mut self, value: Int, to: TypeId, wrapping: bool, span: Span) -> Typed {
        let through = match *self.type_of(to) {
            Type::Int(int) => int,
            Type::Address => IntType::U160,
            Type::Hash => IntType::U256,
            Type::FixedBytes(size) => IntType { signed: false, bits: u16::from(size) * 8 },
            Type::Enum(_) => return self.literal_to_enum(value, to, wrapping, span),
            _ => {
                self.invalid_cast(TypeId::INT_LITERAL, to, wrapping, span);
                return Typed::hole(span);
            }
        };
        let operand = match (wrapping, to.as_int()) {
            (true, Some(int)) => {
                Expr { kind: ExprKind::Const(value.wrap_word(int)), ty: TypeId::int(int), span }
            }
            _ => self.coerce_literal(value, TypeId::int(through), span),
        };
        match to.as_fixed_bytes() {
            Some(size) => {
                let word = value.low_word() << (256 - usize::from(size) * 8);
                Typed::new(ExprKind::Const(word & fixed_bytes_mask(size)), to, span)
            }
            None => Typed::new(operand.kind, to, span),
        }
    }

    /// A literal as a numbered enum: it takes the type `u8`, and the conversion is evaluated now.
    fn literal_to_enum(&mut self, value: Int, to: TypeId, wrapping: bool, span: Span) -> Typed {
        if let Type::Enum(id) = *self.type_of(to)
            && self.sema.types.enums[id.index()].is_payload_free()
            && value.to_word(IntType::U8).is_some()
        {
            let mut variants = self.sema.types.enums[id.index()].variants.iter();
            let number = value.to_u64().unwrap_or(u64::MAX);
            if !variants.any(|variant| u64::from(variant.discriminant) == number) {
                self.diags().error(Code::ConstantFaults, span).arg("reason", "no such variant");
                return Typed::hole(span);
            }
            return Typed::new(ExprKind::Const(value.low_word()), to, span);
        }
        let Some(kind) = self.cast_kind(TypeId::U8, to, wrapping) else {
            self.invalid_cast(TypeId::INT_LITERAL, to, wrapping, span);
            return Typed::hole(span);
        };
        let operand = self.coerce_literal(value, TypeId::U8, span);
        if value.to_word(IntType::U8).is_none() {
            return Typed::hole(span);
        }
        let cast = Expr { kind: ExprKind::Cast { kind, operand: Box::new(operand) }, ty: to, span };
        match self.evaluate(&cast) {
            Some(_) => Typed::new(cast.kind, to, span),
            None => Typed::hole(span),
        }
    }

    /// Whether `as` converts values of `from` to `to`.
    pub(super) fn converts(&self, from: TypeId, to: TypeId) -> bool {
        self.cast_kind(from, to, false).is_some()
    }

    /// How a value of `from` becomes one of `to`; nothing if it cannot.
    fn cast_kind(&self, from: TypeId, to: TypeId, wrapping: bool) -> Option<CastKind> {
        let bits_of = |size: u8| u16::from(size) * 8;
        Some(match (self.type_of(from), self.type_of(to)) {
            // The type of the operand may still be unknown; the finished tree gets the right one.
            (Type::Infer(_), &Type::Int(to)) if wrapping => CastKind::IntWrapping { from: IntType::U256, to },
            (Type::Infer(_), &Type::Int(to)) => CastKind::IntChecked { from: IntType::U256, to },
            (&Type::Int(from), &Type::Int(to)) if wrapping => CastKind::IntWrapping { from, to },
            (&Type::Int(from), &Type::Int(to)) => CastKind::IntChecked { from, to },
            (Type::Bool, Type::Int(_)) => CastKind::SameWord,
            (Type::Address, &Type::Int(IntType::U160)) | (&Type::Int(IntType::U160), Type::Address) => {
                CastKind::SameWord
            }
            (Type::Hash, &Type::Int(IntType::U256)) | (&Type::Int(IntType::U256), Type::Hash) => {
                CastKind::SameWord
            }
            (Type::Hash, Type::FixedBytes(32)) | (Type::FixedBytes(32), Type::Hash) => CastKind::SameWord,
            (&Type::FixedBytes(size), &Type::Int(int)) if !int.signed && int.bits == bits_of(size) => {
                CastKind::FixedBytesToInt { size }
            }
            (&Type::Int(int), &Type::FixedBytes(size)) if !int.signed && int.bits == bits_of(size) => {
                CastKind::IntToFixedBytes { size }
            }
            (&Type::FixedBytes(from), &Type::FixedBytes(to)) if to >= from => CastKind::SameWord,
            (Type::FixedBytes(_), &Type::FixedBytes(size)) if wrapping => {
                CastKind::TruncateFixedBytes { size }
            }
            (Type::Handle(_), Type::Address) => CastKind::SameWord,
            // What wraps never faults, and most numbers are no variant.
            (Type::Int(_), Type::Enum(_)) if wrapping => return None,
            (Type::Enum(_), &Type::Int(IntType::U8)) if self.sema.types.is_word(from) => CastKind::SameWord,
            // The same memory.
            (Type::Bytes | Type::String, Type::Bytes | Type::String) => CastKind::SameWord,
            (&Type::Int(IntType::U8), &Type::Enum(id)) if self.sema.types.is_word(to) => {
                let variants = &self.sema.types.enums[id.index()].variants;
                let dense =
                    variants.iter().enumerate().all(|(at, variant)| at == usize::from(variant.discriminant));
                if !dense {
                    return None;
                }
                CastKind::IntToEnum { variants: variants.len() as u16 }
            }
            (a, b) if a == b && self.sema.types.is_word(to) => CastKind::SameWord,
            _ => return None,
        })
    }
}
