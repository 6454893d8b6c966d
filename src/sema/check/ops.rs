//! Operators: unary, binary, comparison, `&&` and `||`.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::consts::{DIVISION_BY_ZERO, OVERFLOW, compare};
use crate::sema::exact::Int;
use crate::sema::infer::Demand;
use crate::sema::typed::{ArithMode, BinaryOp, CompareOp, Expr, ExprKind, UnaryOp};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

/// What a binary operator of the syntax tree means.
enum Meaning {
    Arith(BinaryOp),
    /// Shifts and `**`: the right operand has a type of its own.
    Uneven(BinaryOp),
    Compare(CompareOp),
    Logic {
        and: bool,
    },
}

fn meaning(op: ast::BinaryOp) -> (Meaning, &'static str) {
    use ArithMode::{Checked, Saturating, Wrapping};
    use Meaning::{Arith, Compare, Logic, Uneven};
    match op {
        ast::BinaryOp::Or => (Logic { and: false }, "||"),
        ast::BinaryOp::And => (Logic { and: true }, "&&"),
        ast::BinaryOp::Eq => (Compare(CompareOp::Eq), "=="),
        ast::BinaryOp::Ne => (Compare(CompareOp::Ne), "!="),
        ast::BinaryOp::Lt => (Compare(CompareOp::Lt), "<"),
        ast::BinaryOp::Le => (Compare(CompareOp::Le), "<="),
        ast::BinaryOp::Gt => (Compare(CompareOp::Gt), ">"),
        ast::BinaryOp::Ge => (Compare(CompareOp::Ge), ">="),
        ast::BinaryOp::BitOr => (Arith(BinaryOp::Or), "|"),
        ast::BinaryOp::BitXor => (Arith(BinaryOp::Xor), "^"),
        ast::BinaryOp::BitAnd => (Arith(BinaryOp::And), "&"),
        ast::BinaryOp::Shl => (Uneven(BinaryOp::Shl), "<<"),
        ast::BinaryOp::Shr => (Uneven(BinaryOp::Shr), ">>"),
        ast::BinaryOp::Add => (Arith(BinaryOp::Add(Checked)), "+"),
        ast::BinaryOp::Sub => (Arith(BinaryOp::Sub(Checked)), "-"),
        ast::BinaryOp::AddWrap => (Arith(BinaryOp::Add(Wrapping)), "+%"),
        ast::BinaryOp::SubWrap => (Arith(BinaryOp::Sub(Wrapping)), "-%"),
        ast::BinaryOp::AddSat => (Arith(BinaryOp::Add(Saturating)), "+|"),
        ast::BinaryOp::SubSat => (Arith(BinaryOp::Sub(Saturating)), "-|"),
        ast::BinaryOp::Mul => (Arith(BinaryOp::Mul(Checked)), "*"),
        ast::BinaryOp::Div => (Arith(BinaryOp::Div), "/"),
        ast::BinaryOp::Rem => (Arith(BinaryOp::Rem), "%"),
        ast::BinaryOp::MulWrap => (Arith(BinaryOp::Mul(Wrapping)), "*%"),
        ast::BinaryOp::MulSat => (Arith(BinaryOp::Mul(Saturating)), "*|"),
        ast::BinaryOp::Pow => (Uneven(BinaryOp::Pow), "**"),
    }
}

impl<'a> Checker<'_, 'a> {
    pub(super) fn unary(
        &mut self,
        op: ast::UnaryOp,
        op_span: Span,
        operand: &'a ast::Expr,
        span: Span,
    ) -> Typed {
        match op {
            ast::UnaryOp::Not => {
                let operand = Box::new(self.condition(operand));
                Typed::new(ExprKind::Unary { op: UnaryOp::Not, operand }, TypeId::BOOL, span)
            }
            ast::UnaryOp::Neg => {
                if let ast::ExprKind::Literal(ast::Literal { kind: ast::LiteralKind::Int(int), .. }) =
                    &operand.kind
                {
                    return self.int_literal(int, true, span, None);
                }
                let typed = self.expr(operand, None);
                match typed.literal {
                    Some(value) => Typed::literal(value.neg(), span),
                    None => self.negate(typed, span),
                }
            }
            ast::UnaryOp::BitNot => {
                let typed = self.expr(operand, None);
                match typed.literal {
                    Some(value) => self.exact(value.bit_not(), OVERFLOW, span),
                    None => self.bit_not(typed, span),
                }
            }
            ast::UnaryOp::Ref | ast::UnaryOp::RefMut => {
                self.expr(operand, None);
                let position = "an expression that is neither bound by `let` nor passed to a function";
                self.diags().error(Code::ReferenceNotAllowed, op_span).arg("position", position);
                Typed::hole(span)
            }
            ast::UnaryOp::Deref => self.deref(operand, op_span),
            ast::UnaryOp::Try => self.try_call(operand, span),
        }
    }

    fn negate(&mut self, typed: Typed, span: Span) -> Typed {
        let ty = self.resolved(typed.ty());
        match self.type_of(ty) {
            Type::Error => return Typed::hole(span),
            Type::Never => return typed,
            Type::Int(_) | Type::Infer(_) => self.inference.demand(Demand::Signed(ty, typed.span())),
            _ => {
                let shown = self.shown(ty);
                self.diags()
                    .error(Code::MismatchedTypes, typed.span())
                    .arg("a", "a signed integer")
                    .arg("b", shown);
                return Typed::hole(span);
            }
        }
        Typed::new(ExprKind::Unary { op: UnaryOp::Neg, operand: Box::new(typed.expr) }, ty, span)
    }

    fn bit_not(&mut self, typed: Typed, span: Span) -> Typed {
        let ty = self.resolved(typed.ty());
        if ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        if ty == TypeId::NEVER {
            return typed;
        }
        if !self.has_bits(ty) {
            let shown = self.shown(ty);
            self.diags()
                .error(Code::MismatchedTypes, typed.span())
                .arg("a", "an integer or `bytes<N>`")
                .arg("b", shown);
            return Typed::hole(span);
        }
        Typed::new(ExprKind::Unary { op: UnaryOp::BitNot, operand: Box::new(typed.expr) }, ty, span)
    }

    fn has_bits(&self, ty: TypeId) -> bool {
        self.is_int(ty) || matches!(self.type_of(ty), Type::Hash | Type::FixedBytes(_))
    }

    pub(super) fn binary(
        &mut self,
        op: ast::BinaryOp,
        op_span: Span,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        let (meaning, spelled) = meaning(op);
        if let Meaning::Logic { and } = meaning {
            let left = Box::new(self.condition(left));
            let before = self.moved.clone();
            let right = Box::new(self.condition(right));
            // The right side may not run.
            self.moved.join(before);
            return Typed::new(ExprKind::Logic { and, left, right }, TypeId::BOOL, span);
        }
        let left_expr = left;
        let mut left = self.borrowed(left, None);
        // An address literal is one only where an address is expected, on either side.
        let same_type = !matches!(meaning, Meaning::Uneven(_));
        let hint = (same_type && left.literal.is_none()).then_some(left.ty());
        let right_expr = right;
        let right = self.borrowed(right, hint);
        if let ast::ExprKind::Literal(ast::Literal { kind: ast::LiteralKind::Int(int), .. }) = &left_expr.kind
            && same_type
            && self.resolved(right.ty()) == TypeId::ADDRESS
        {
            left = self.int_literal(int, false, left_expr.span, Some(TypeId::ADDRESS));
        }
        if left.ty() == TypeId::NEVER || right.ty() == TypeId::NEVER {
            return self.diverging(vec![left.expr, right.expr], span);
        }
        // Comparisons look at what a reference refers to (§6); elsewhere `*` says so.
        let (left, right) = match meaning {
            Meaning::Compare(_) => (left, right),
            _ => (self.not_a_reference(left_expr, left), self.not_a_reference(right_expr, right)),
        };
        match meaning {
            Meaning::Arith(op) => self.arith(op, spelled, op_span, left, right, span),
            Meaning::Uneven(op) => self.uneven(op, spelled, op_span, left, right, span, want),
            Meaning::Compare(op) => self.compare(op, spelled, op_span, left, right, span),
            Meaning::Logic { .. } => unreachable!("handled above"),
        }
    }

    /// An exact result of literals, or K0209.
    fn exact(&mut self, value: Option<Int>, fault: &str, span: Span) -> Typed {
        match value {
            Some(value) => Typed::literal(value, span),
            None => {
                self.diags().error(Code::ConstantFaults, span).arg("reason", fault);
                Typed::hole(span)
            }
        }
    }

    fn arith(
        &mut self,
        op: BinaryOp,
        spelled: &str,
        op_span: Span,
        left: Typed,
        right: Typed,
        span: Span,
    ) -> Typed {
        if let (Some(a), Some(b)) = (left.literal, right.literal) {
            let fault = match op {
                BinaryOp::Div | BinaryOp::Rem => DIVISION_BY_ZERO,
                _ => OVERFLOW,
            };
            return self.exact(exact_arith(op, a, b), fault, span);
        }
        let Some((left, right, ty)) = self.same_type(spelled, op_span, left, right) else {
            return Typed::hole(span);
        };
        let bitwise = matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Xor);
        if !(self.is_int(ty) || bitwise && self.has_bits(ty)) {
            return self.operator_mismatch(spelled, op_span, ty, ty, span);
        }
        Typed::new(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty, span)
    }

    /// Shifts and powers.
    #[expect(clippy::too_many_arguments, reason = "operator, two operands and their places")]
    fn uneven(
        &mut self,
        op: BinaryOp,
        spelled: &str,
        op_span: Span,
        left: Typed,
        right: Typed,
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        if let (Some(a), Some(b)) = (left.literal, right.literal) {
            let fault = if b.is_negative() { "negative right operand" } else { OVERFLOW };
            return self.exact(exact_arith(op, a, b), fault, span);
        }
        let (a, b) = (self.resolved(left.ty()), self.resolved(right.ty()));
        if a == TypeId::ERROR || b == TypeId::ERROR {
            return Typed::hole(span);
        }
        if !self.is_int(a) || !self.is_int(b) {
            return self.operator_mismatch(spelled, op_span, a, b, span);
        }
        let left = match left.literal {
            Some(value) => {
                let wanted = want.filter(|&want| self.is_int(want));
                let ty = wanted.unwrap_or_else(|| self.fresh_int(&value.to_string(), left.span(), None));
                self.coerce_literal(value, ty, left.span())
            }
            None => left.expr,
        };
        let right = match right.literal {
            Some(value) => self.coerce_literal(value, TypeId::U256, right.span()),
            None => {
                self.inference.demand(Demand::Unsigned(b, right.span()));
                right.expr
            }
        };
        let ty = self.resolved(left.ty);
        Typed::new(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty, span)
    }

    pub(super) fn compare(
        &mut self,
        op: CompareOp,
        spelled: &str,
        op_span: Span,
        left: Typed,
        right: Typed,
        span: Span,
    ) -> Typed {
        if let (Some(a), Some(b)) = (left.literal, right.literal) {
            let value = alloy_primitives::U256::from(compare(op, a.cmp(&b)));
            return Typed::new(ExprKind::Const(value), TypeId::BOOL, span);
        }
        let Some((left, right, ty)) = self.same_type(spelled, op_span, left, right) else {
            return Typed::hole(span);
        };
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        let comparable = match self.type_of(ty) {
            Type::Int(_) | Type::Infer(_) | Type::Address | Type::Hash | Type::FixedBytes(_) => true,
            _ => equality && self.has_equality(ty),
        };
        if !comparable {
            return self.operator_mismatch(spelled, op_span, ty, ty, span);
        }
        let kind = ExprKind::Compare { op, left: Box::new(left), right: Box::new(right) };
        Typed::new(kind, TypeId::BOOL, span)
    }

    /// Whether `==` compares the contents of values of the type.
    fn has_equality(&self, ty: TypeId) -> bool {
        let ty = self.resolved(ty);
        match self.sema.types.get(ty) {
            Type::Bytes | Type::String => true,
            Type::Tuple(elements) => elements.iter().all(|&element| self.has_equality(element)),
            Type::Struct(id) => {
                let fields = &self.sema.types.structs[id.index()].fields;
                fields.iter().all(|field| self.has_equality(field.1))
            }
            Type::Enum(id) => {
                let variants = &self.sema.types.enums[id.index()].variants;
                variants.iter().flat_map(|variant| &variant.payload).all(|&part| self.has_equality(part))
            }
            &Type::Vec(inner) | &Type::Array { element: inner, .. } | &Type::Option(inner) => {
                self.has_equality(inner)
            }
            _ => self.is_int(ty) || self.sema.types.is_word(ty),
        }
    }

    /// Both operands with one type (K0204); nothing if there is none, or if an operand was reported.
    pub(super) fn same_type(
        &mut self,
        spelled: &str,
        op_span: Span,
        left: Typed,
        right: Typed,
    ) -> Option<(Expr, Expr, TypeId)> {
        let (a, b) = (self.resolved(left.ty()), self.resolved(right.ty()));
        if a == TypeId::ERROR || b == TypeId::ERROR {
            return None;
        }
        let ty = if left.literal.is_some() { b } else { a };
        let compatible = match (left.literal, right.literal) {
            (None, None) => self.unify(a, b),
            _ => self.is_int(ty),
        };
        if !compatible {
            self.operator_mismatch(spelled, op_span, a, b, op_span);
            return None;
        }
        let (left, right) = (self.coerce(left, ty), self.coerce(right, ty));
        (left.ty != TypeId::ERROR && right.ty != TypeId::ERROR).then(|| (left, right, self.resolved(ty)))
    }

    pub(super) fn operator_mismatch(
        &mut self,
        op: &str,
        op_span: Span,
        a: TypeId,
        b: TypeId,
        span: Span,
    ) -> Typed {
        let converts = a != b && (self.converts(a, b) || self.converts(b, a));
        let hint = if converts { "; convert one with `as`" } else { "" };
        let (a, b) = (self.shown(a), self.shown(b));
        let diagnostic = self.diags().error(Code::OperatorMismatch, op_span);
        diagnostic.arg("op", op).arg("a", a).arg("b", b).arg("hint", hint);
        Typed::hole(span)
    }

    /// The operation of `op=`.
    pub(super) fn assign_op(&mut self, op: ast::BinaryOp) -> Option<(BinaryOp, &'static str, bool)> {
        match meaning(op) {
            (Meaning::Arith(op), spelled) => Some((op, spelled, false)),
            (Meaning::Uneven(op), spelled) => Some((op, spelled, true)),
            (Meaning::Compare(_) | Meaning::Logic { .. }, _) => None,
        }
    }

    /// Whether `op` applies to values of type `ty`.
    pub(super) fn applies(&self, op: BinaryOp, ty: TypeId) -> bool {
        match op {
            BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => self.has_bits(ty),
            _ => self.is_int(ty),
        }
    }
}

/// An operation on two literals, exact; nothing where it faults.
fn exact_arith(op: BinaryOp, a: Int, b: Int) -> Option<Int> {
    match op {
        BinaryOp::Add(_) => a.add(b),
        BinaryOp::Sub(_) => a.sub(b),
        BinaryOp::Mul(_) => a.mul(b),
        BinaryOp::Div => a.div(b),
        BinaryOp::Rem => a.rem(b),
        BinaryOp::Pow => a.pow(b),
        BinaryOp::Shl => a.shl(b),
        BinaryOp::Shr => a.shr(b),
        BinaryOp::And => a.bitwise(b, |a, b| a & b),
        BinaryOp::Or => a.bitwise(b, |a, b| a | b),
        BinaryOp::Xor => a.bitwise(b, |a, b| a ^ b),
    }
}
