//! Expressions: the parent function with the `match`, literals, tuples, blocks, `if` and jumps.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::exact::Int;
use crate::sema::infer::literal_does_not_fit;
use crate::sema::typed::{Block, Expr, ExprKind, Stmt, StmtKind};
use crate::sema::types::{IntType, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, IntLit, LiteralKind};

/// A tuple expression has at most this many parts, those of its elements included.
const TUPLE_PARTS_MAX: usize = 256;

impl<'a> Checker<'_, 'a> {
    /// Checks an expression. `want` is what its place requires, if that is known; it guides literals and
    /// branches, and the caller still compares the result with [`coerce`](Checker::coerce).
    pub(super) fn expr(&mut self, expr: &'a ast::Expr, want: Option<TypeId>) -> Typed {
        let typed = self.expr_or_place(expr, want);
        self.value_of(expr, typed)
    }

    /// A use by value of what was looked at.
    pub(super) fn value_of(&mut self, expr: &'a ast::Expr, typed: Typed) -> Typed {
        let typed = self.no_map(expr, typed);
        let typed = self.not_a_reference(expr, typed);
        self.take(typed)
    }

    /// Like [`expr`](Checker::expr), but the result may be what is not a value that goes anywhere: a map to be
    /// indexed, an error to be raised, or a value that stays where it is.
    pub(super) fn expr_or_place(&mut self, expr: &'a ast::Expr, want: Option<TypeId>) -> Typed {
        let typed = self.part(expr, want);
        self.looked_at(typed)
    }

    /// Notes that a place is read.
    pub(super) fn looked_at(&mut self, typed: Typed) -> Typed {
        if let ExprKind::Load(place) = &typed.expr.kind {
            self.check_not_moved(place);
            // A map is accessed where it is indexed.
            if !self.sema.is_map(place.ty) {
                self.check_borrows(place, typed.through, false);
            }
        }
        typed
    }

    /// Like [`expr_or_place`](Checker::expr_or_place), of which only a part is used: other parts may be gone.
    pub(super) fn part(&mut self, expr: &'a ast::Expr, want: Option<TypeId>) -> Typed {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Error => Typed::hole(span),
            ast::ExprKind::Literal(literal) => self.literal(literal, span, want),
            ast::ExprKind::Path(path) => self.path(path, span, want),
            ast::ExprKind::SelfValue => self.bare_object(span, "self"),
            ast::ExprKind::State => self.bare_object(span, "state"),
            ast::ExprKind::Transient => self.bare_object(span, "transient"),
            ast::ExprKind::Tuple(elements) => self.tuple(elements, span, want),
            ast::ExprKind::Block(block) => {
                let block = self.block(block, want);
                let ty = block.ty;
                Typed::new(ExprKind::Block(Box::new(block)), ty, span)
            }
            ast::ExprKind::If(branches) => self.if_expr(branches, span, want),
            ast::ExprKind::Unary { op, op_span, operand } => self.unary(*op, *op_span, operand, span),
            ast::ExprKind::Binary { op, op_span, left, right } => {
                self.binary(*op, *op_span, left, right, span, want)
            }
            ast::ExprKind::Assign { op, op_span, place, value } => {
                self.assign(*op, *op_span, place, value, span)
            }
            ast::ExprKind::Cast { value, wrapping, ty } => self.cast(value, *wrapping, ty, span),
            ast::ExprKind::Field { base, name } => self.field(base, name, span),
            ast::ExprKind::TupleField { base, index } => self.tuple_field(base, index, span),
            ast::ExprKind::Index { base, index } => self.index(base, index, span),
            ast::ExprKind::Call { callee, options, args } => self.call(callee, options, args, span, want),
            ast::ExprKind::Question(operand) => self.question(operand, span, want),
            ast::ExprKind::Return(value) => self.return_expr(value.as_deref(), span),
            ast::ExprKind::Break => self.jump(ExprKind::Break, "break", span),
            ast::ExprKind::Continue => self.jump(ExprKind::Continue, "continue", span),
            ast::ExprKind::Revert(payload) => self.revert_expr(payload.as_ref(), span),
            ast::ExprKind::Match(matched) => self.match_expr(matched, span, want, false),
            ast::ExprKind::Array(elements) => self.array(elements, span, want),
            ast::ExprKind::Repeat { element, length } => self.repeat(element, length, span, want),
            ast::ExprKind::New { path, options, args } => self.new_contract(path, options, args, span),
            ast::ExprKind::StructLit { path, fields } => self.struct_literal(path, fields, span),
        }
    }

    fn bare_object(&mut self, span: Span, name: &str) -> Typed {
        if let ("self", Some(def)) = (name, self.scope.use_name(name)) {
            return self.local(def, span);
        }
        let hint = match name {
            "self" => "; the contract has `self.address` and `self.balance`".to_owned(),
            _ => format!("; a member is reached as `{name}.x`"),
        };
        self.diags().error(Code::NotFound, span).arg("name", name).arg("hint", hint);
        Typed::hole(span)
    }

    fn literal(&mut self, literal: &'a ast::Literal, span: Span, want: Option<TypeId>) -> Typed {
        match &literal.kind {
            LiteralKind::Bool(value) => {
                Typed::new(ExprKind::Const(alloy_primitives::U256::from(*value)), TypeId::BOOL, span)
            }
            LiteralKind::Int(int) => self.int_literal(int, false, span, want),
            LiteralKind::Str(text) => self.bytes_literal(text.as_bytes(), TypeId::STRING, span),
            LiteralKind::Bytes(bytes) => match want.and_then(|want| self.resolved(want).as_fixed_bytes()) {
                Some(size) => self.fixed_bytes_literal(bytes, size, span),
                None => self.bytes_literal(bytes, TypeId::BYTES, span),
            },
        }
    }

    /// `hex"00ff"` where a `bytes<N>` is required: it has N bytes.
    fn fixed_bytes_literal(&mut self, bytes: &[u8], size: u8, span: Span) -> Typed {
        if bytes.len() != usize::from(size) {
            self.diags()
                .error(Code::MismatchedTypes, span)
                .arg("a", format_args!("bytes<{size}>"))
                .arg("b", format_args!("a literal of {} byte(s)", bytes.len()));
            return Typed::hole(span);
        }
        let ty = self.sema.types.intern(Type::FixedBytes(size));
        let mut word = [0; 32];
        word[..bytes.len()].copy_from_slice(bytes);
        Typed::new(ExprKind::Const(alloy_primitives::U256::from_be_bytes(word)), ty, span)
    }

    /// An integer literal, perhaps with `-` before it, which belongs to it when there is a suffix.
    pub(super) fn int_literal(
        &mut self,
        int: &IntLit,
        negative: bool,
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        let value = Int::new(negative, int.value);
        if let Some(suffix) = int.suffix {
            let ty = IntType { signed: suffix.signed, bits: suffix.bits };
            if value.to_word(ty).is_none() {
                literal_does_not_fit(self.diags(), value, ty, span);
                return Typed::hole(span);
            }
            return Typed::new(ExprKind::Const(value.low_word()), TypeId::int(ty), span);
        }
        if want.is_some_and(|want| self.resolved(want) == TypeId::ADDRESS)
            && let (Some(digits), false) = (int.address_digits(), negative)
        {
            self.check_address(digits, span);
            return Typed::new(ExprKind::Const(value.low_word()), TypeId::ADDRESS, span);
        }
        Typed::literal(value, span)
    }

    /// An address that mixes case carries a checksum (EIP-55, K0005).
    fn check_address(&mut self, digits: &str, span: Span) {
        let mixed = digits.bytes().any(|byte| byte.is_ascii_lowercase())
            && digits.bytes().any(|byte| byte.is_ascii_uppercase());
        let Ok(address) = format!("0x{digits}").parse::<alloy_primitives::Address>() else { return };
        let expected = address.to_checksum(None);
        if mixed && expected[2..] != *digits {
            self.diags().error(Code::AddressChecksum, span).arg("addr", &expected).fix(
                span,
                expected,
                "write the address with its checksum, if it is the one you mean",
            );
        }
    }

    fn tuple(&mut self, elements: &'a [ast::Expr], span: Span, want: Option<TypeId>) -> Typed {
        if elements.is_empty() {
            return Typed::new(ExprKind::Unit, TypeId::UNIT, span);
        }
        let wanted: Vec<Option<TypeId>> = match want.map(|want| self.type_of(want).clone()) {
            Some(Type::Tuple(types)) if types.len() == elements.len() => {
                types.into_iter().map(Some).collect()
            }
            // What is expected was reported, so nothing can be asked of the elements.
            Some(Type::Error) => vec![Some(TypeId::ERROR); elements.len()],
            _ => vec![None; elements.len()],
        };
        let mut exprs = Vec::with_capacity(elements.len());
        for (element, want) in elements.iter().zip(wanted) {
            let typed = self.expr(element, want);
            exprs.push(match want {
                Some(want) => self.coerce(typed, want),
                None => self.materialize(typed, None, None),
            });
        }
        if exprs.iter().any(|expr| expr.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        let types = exprs.iter().map(|expr| expr.ty).collect();
        if exprs.iter().any(|expr| expr.ty == TypeId::NEVER) {
            return self.diverging(exprs, span);
        }
        // `let b = (a, a)` doubles: without a limit, a short text has values of any size.
        if exprs.iter().map(|expr| self.sema.types.parts(expr.ty)).sum::<usize>() > TUPLE_PARTS_MAX {
            let what = format!("more than {TUPLE_PARTS_MAX} parts of one tuple");
            self.diags().error(Code::TooLarge, span).arg("what", what);
            return Typed::hole(span);
        }
        let ty = self.sema.types.tuple(types);
        Typed::new(ExprKind::Tuple(exprs), ty, span)
    }

    fn if_expr(&mut self, branches: &'a ast::If, span: Span, want: Option<TypeId>) -> Typed {
        let mut moved = None;
        // The names of `if let` are known in the first branch.
        self.scope.enter();
        let cond = match &branches.cond {
            ast::Cond::Expr(cond) => self.condition_of_branch(cond),
            ast::Cond::Let { pattern, value, span } => {
                let (cond, moves) = self.let_condition(pattern, value, *span);
                moved = moves;
                cond
            }
        };
        let Some(otherwise) = &branches.otherwise else {
            let before = self.moved.clone();
            self.moved.take(moved);
            let then = self.block(&branches.then, Some(TypeId::UNIT));
            self.leave_scope();
            let in_then = self.end_branch(then.ty, before);
            self.join_branch(TypeId::UNIT, in_then);
            let kind = ExprKind::If { cond: Box::new(cond), then: Box::new(then), otherwise: None };
            return Typed::new(kind, TypeId::UNIT, span);
        };
        // Without a type from outside, the branches agree on one; a literal in one of them stays open.
        let before = self.moved.clone();
        self.moved.take(moved);
        let then = self.block(&branches.then, want);
        self.leave_scope();
        let in_then = self.end_branch(then.ty, before);
        let want = want.or((then.ty != TypeId::NEVER && then.ty != TypeId::ERROR).then_some(then.ty));
        let otherwise = self.else_branch(otherwise, want);
        self.join_branch(otherwise.ty, in_then);
        let ty = self.branch_type(&then, &otherwise);
        let kind =
            ExprKind::If { cond: Box::new(cond), then: Box::new(then), otherwise: Some(Box::new(otherwise)) };
        Typed::new(kind, ty, span)
    }

    fn else_branch(&mut self, otherwise: &'a ast::Expr, want: Option<TypeId>) -> Block {
        if let ast::ExprKind::Block(block) = &otherwise.kind {
            return self.block(block, want);
        }
        // `else if`: a block whose value is the inner `if`.
        let value = self.expr(otherwise, want).expr;
        let (ty, span) = (value.ty, value.span);
        Block { stmts: Vec::new(), value: Some(Box::new(value)), ty, span }
    }

    fn branch_type(&mut self, then: &Block, otherwise: &Block) -> TypeId {
        match (then.ty, otherwise.ty) {
            (TypeId::NEVER, ty) | (ty, TypeId::NEVER) => ty,
            (TypeId::ERROR, _) | (_, TypeId::ERROR) => TypeId::ERROR,
            (a, b) if self.unify(a, b) => a,
            (a, b) => {
                let (a, b) = (self.shown(a), self.shown(b));
                let span = otherwise.value.as_ref().map_or(otherwise.span, |value| value.span);
                self.diags()
                    .error(Code::MismatchedTypes, span)
                    .arg("a", a)
                    .arg("b", b)
                    .secondary(then.span, "the branches of `if` have one type");
                TypeId::ERROR
            }
        }
    }

    fn jump(&mut self, kind: ExprKind, word: &str, span: Span) -> Typed {
        if self.loop_depth == 0 {
            self.diags()
                .error(Code::ItemNotAllowed, span)
                .arg("item", word)
                .arg("place", "code outside a loop");
        }
        self.leave_round(matches!(kind, ExprKind::Break));
        Typed::new(kind, TypeId::NEVER, span)
    }

    fn return_expr(&mut self, value: Option<&'a ast::Expr>, span: Span) -> Typed {
        let result = self.result;
        let value = match value {
            None => {
                if result != TypeId::UNIT && result != TypeId::ERROR {
                    self.return_mismatch(TypeId::UNIT, span);
                }
                None
            }
            Some(value) => {
                let typed = self.expr(value, Some(result));
                let ty = self.resolved(typed.ty());
                let silent = [ty, result].iter().any(|ty| matches!(*ty, TypeId::ERROR | TypeId::NEVER));
                if typed.literal.is_some() && self.is_int(result) || silent {
                    Some(Box::new(self.coerce(typed, result)))
                } else if self.unify(ty, result) {
                    Some(Box::new(typed.expr))
                } else if result == TypeId::ANY_ERROR && self.is_error_value(ty) {
                    let kind = ExprKind::IntoAnyError(Box::new(typed.expr));
                    Some(Box::new(Expr { kind, ty: result, span: value.span }))
                } else {
                    self.return_mismatch(ty, value.span);
                    Some(Box::new(Typed::hole(value.span).expr))
                }
            }
        };
        Typed::new(ExprKind::Return(value), TypeId::NEVER, span)
    }

    fn return_mismatch(&mut self, found: TypeId, span: Span) {
        let (a, b) = (self.shown(self.result), self.shown(found));
        let name = self.name.clone();
        self.diags().error(Code::ReturnMismatch, span).arg("f", name).arg("a", a).arg("b", b);
    }

    /// Expressions of which one never comes about: they run in order, and what would use them is not reached.
    pub(super) fn diverging(&mut self, exprs: Vec<Expr>, span: Span) -> Typed {
        let run = |mut expr: Expr| {
            // A literal that nobody takes needs no type of its own.
            if expr.ty == TypeId::INT_LITERAL {
                expr.ty = TypeId::U256;
            }
            Stmt { span: expr.span, kind: StmtKind::Expr(expr) }
        };
        let block =
            Block { stmts: exprs.into_iter().map(run).collect(), value: None, ty: TypeId::NEVER, span };
        Typed::new(ExprKind::Block(Box::new(block)), TypeId::NEVER, span)
    }

    /// A block that runs one expression for its effect.
    pub(super) fn run_and_drop(&self, expr: Expr) -> ExprKind {
        let span = expr.span;
        let stmts = vec![Stmt { kind: StmtKind::Expr(expr), span }];
        ExprKind::Block(Box::new(Block { stmts, value: None, ty: TypeId::UNIT, span }))
    }
}
