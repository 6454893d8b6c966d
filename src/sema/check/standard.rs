//! Functions of the built-in library that its text cannot say: those of any integer type, and operations on words.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::typed::{
    ArithMode, BinaryOp, Block, CompareOp, Expr, ExprKind, FuncId, LetPattern, Local, LocalId, Place,
    PlaceRoot, Stmt, StmtKind,
};
use crate::sema::types::TypeId;
use crate::source::Span;
use crate::syntax::ast;

/// A function of the library that takes two integers of any one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Generic {
    Min,
    Max,
    AbsDiff,
}

impl<'a> Checker<'_, 'a> {
    /// Which of the generic functions it is, if any; the library declares them for `u256`.
    pub(super) fn generic_function(&self, id: FuncId) -> Option<Generic> {
        if !self.sema.is_std(self.sema.module_of[id.index()]) {
            return None;
        }
        Some(match &*self.sema.signature(id).name {
            "min" => Generic::Min,
            "max" => Generic::Max,
            "abs_diff" => Generic::AbsDiff,
            _ => return None,
        })
    }

    /// `min(a, b)`: both are evaluated once, left to right, and have one type.
    pub(super) fn call_generic(&mut self, function: Generic, args: &'a [ast::Expr], span: Span) -> Typed {
        let [a, b] = args else {
            self.loose_args(args);
            self.diags().error(Code::WrongArgumentCount, span).arg("n", 2).arg("m", args.len());
            return Typed::hole(span);
        };
        let left = self.expr(a, None);
        let hint = left.literal.is_none().then_some(left.ty());
        let right = self.expr(b, hint);
        if left.ty() == TypeId::NEVER || right.ty() == TypeId::NEVER {
            return self.diverging(vec![left.expr, right.expr], span);
        }
        let (left, right, ty) = match (left.literal, right.literal) {
            (Some(a), Some(b)) => {
                let ty = self.fresh_int("_", span, Some(TypeId::U256));
                let (left, right) =
                    (self.coerce_literal(a, ty, left.span()), self.coerce_literal(b, ty, right.span()));
                (left, right, ty)
            }
            (None, _) => {
                let ty = left.ty();
                let right = self.coerce(right, ty);
                (left.expr, right, ty)
            }
            (Some(_), None) => {
                let ty = right.ty();
                let left = self.coerce(left, ty);
                (left, right.expr, ty)
            }
        };
        if left.ty == TypeId::ERROR || right.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        if !self.is_int(ty) {
            let shown = self.shown(ty);
            self.diags().error(Code::MismatchedTypes, a.span).arg("a", "an integer").arg("b", shown);
            return Typed::hole(span);
        }
        let mut stmts = Vec::new();
        let [a, b] = [left, right].map(|value| {
            let id = LocalId(self.locals.len() as u32);
            self.locals.push(Local { name: String::new(), span, ty, mutable: false });
            stmts.push(Stmt {
                span: value.span,
                kind: StmtKind::Let { pattern: LetPattern::Local(id), init: value },
            });
            move || {
                let place = Place { root: PlaceRoot::Local(id), steps: Vec::new(), ty, span };
                Expr { kind: ExprKind::Load(place), ty, span }
            }
        });
        let block =
            |value: Expr| Box::new(Block { stmts: Vec::new(), ty, value: Some(Box::new(value)), span });
        let minus = |left: Expr, right: Expr| {
            let op = BinaryOp::Sub(ArithMode::Checked);
            let kind = ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) };
            Expr { kind, ty, span }
        };
        let (then, otherwise) = match function {
            Generic::Min => (a(), b()),
            Generic::Max => (b(), a()),
            Generic::AbsDiff => (minus(b(), a()), minus(a(), b())),
        };
        let less = ExprKind::Compare { op: CompareOp::Lt, left: Box::new(a()), right: Box::new(b()) };
        let kind = ExprKind::If {
            cond: Box::new(Expr { kind: less, ty: TypeId::BOOL, span }),
            then: block(then),
            otherwise: Some(block(otherwise)),
        };
        let value = Some(Box::new(Expr { kind, ty, span }));
        Typed::new(ExprKind::Block(Box::new(Block { stmts, value, ty, span })), ty, span)
    }

    /// The library's `word_add_mod` and `word_mul_mod`.
    pub(super) fn word_modulo(&mut self, multiply: bool, args: &'a [ast::Expr], span: Span) -> Typed {
        let [a, b, n] = args else {
            self.loose_args(args);
            self.diags().error(Code::WrongArgumentCount, span).arg("n", 3).arg("m", args.len());
            return Typed::hole(span);
        };
        let operands = Box::new([a, b, n].map(|arg| self.expr_as(arg, TypeId::U256)));
        Typed::new(ExprKind::Modulo { multiply, operands }, TypeId::U256, span)
    }
}
