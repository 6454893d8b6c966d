//! `as` and `as%`: which conversions exist (§4.2).

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::consts::{Int, fixed_bytes_mask};
use crate::sema::typed::{CastKind, Expr, ExprKind};
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
        let contract = self.contract;
        let typed = self.expr(value, None);
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
        let Some(kind) = self.cast_kind(from, to, wrapping) else {
            self.invalid_cast(from, to, wrapping, span);
            return Typed::hole(span);
        };
        Typed::new(ExprKind::Cast { kind, operand: Box::new(typed.expr) }, to, span)
    }

    fn invalid_cast(&mut self, from: TypeId, to: TypeId, wrapping: bool, span: Span) {
        let would_wrap = !wrapping && self.cast_kind(from, to, true).is_some();
        let narrowing = matches!((from.as_fixed_bytes(), to.as_fixed_bytes()), (Some(_), Some(_)));
        let (a, b) = (self.shown(from), self.shown(to));
        let into_enum = matches!(self.type_of(to), Type::Enum(_)) && from == TypeId::U8;
        if into_enum && self.sema.types.is_word(to) {
            self.diags().unsupported(span, format_args!("a cast to `{b}`"));
            return;
        }
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
