//! `match`, `if let`, `while let`: what is looked at, and the arms.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::check::moves::{Moved, MovedPlace, path_of};
use crate::sema::check::patterns::{Behind, Names};
use crate::sema::typed::{Block, Expr, ExprKind, Match, MatchArm, PlaceRoot, Stmt};
use crate::sema::types::TypeId;
use crate::source::Span;
use crate::syntax::ast;

/// What a `match` looks at.
struct Subject {
    /// What evaluates the keys of a place.
    stmts: Vec<Stmt>,
    expr: Expr,
    /// The value stays where it is, and names are references into it.
    behind: Option<Behind>,
    /// The local that loses its value if a name takes a part of it.
    owner: Option<MovedPlace>,
}

impl<'a> Checker<'_, 'a> {
    fn subject(&mut self, scrutinee: &'a ast::Expr) -> Subject {
        let (explicit, operand) = match Self::reference_of(scrutinee) {
            Some((mutable, operand)) => (Some(mutable), operand),
            None => (None, scrutinee),
        };
        let typed = if explicit.is_some() { self.part(operand, None) } else { self.borrowed(operand, None) };
        let (through, ty) = (typed.through, self.resolved(typed.ty()));
        let plain = |expr| Subject { stmts: Vec::new(), expr, behind: None, owner: None };
        if typed.literal.is_some() {
            return plain(self.materialize(typed, None, None));
        }
        let ExprKind::Load(place) = typed.expr.kind else { return plain(typed.expr) };
        let span = place.span;
        if let Some(mutable) = explicit {
            self.check_not_moved(&place);
            self.check_borrows(&place, through, mutable);
            if mutable {
                self.check_mutable(&place, through);
                if let PlaceRoot::Storage(_) = place.root {
                    self.check_assignable(&place, through);
                }
            }
        } else if self.sema.types.is_copy(ty) {
            return plain(Expr { kind: ExprKind::Load(place), ty, span });
        } else if let Some((id, path, false)) = path_of(&place)
            && through.is_none()
        {
            let owner = Some((id, path, span));
            let expr = Expr { kind: ExprKind::Load(place), ty, span };
            return Subject { owner, ..plain(expr) };
        }
        let (stmts, place) = self.pinned(place, span);
        let expr = Expr { kind: ExprKind::Load(place.clone()), ty, span };
        let mutable = explicit == Some(true);
        Subject {
            stmts,
            expr,
            behind: Some(Behind { place, through, mutable, by_reference: true }),
            owner: None,
        }
    }

    /// `match e { … }`. `dropped`: nobody asks for its value.
    pub(super) fn match_expr(
        &mut self,
        matched: &'a ast::Match,
        span: Span,
        want: Option<TypeId>,
        dropped: bool,
    ) -> Typed {
        let subject = self.subject(&matched.scrutinee);
        let ty = self.resolved(subject.expr.ty);
        let before = self.moved.clone();
        let mut after: Option<Moved> = None;
        let mut arms: Vec<MatchArm> = Vec::with_capacity(matched.arms.len());
        let mut result: Option<TypeId> = None;
        let mut wrong = false;
        for arm in &matched.arms {
            self.moved = before.clone();
            self.scope.enter();
            let mut names = Names::default();
            let pattern = self.pattern(&arm.pattern, ty, subject.behind.as_ref(), &mut names);
            if names.moves.is_some() {
                self.moved.take(subject.owner.clone());
            }
            let guard = arm.guard.as_ref().map(|guard| self.guard(guard));
            let body = self.arm_body(&arm.body, want.or(result), dropped);
            self.leave_scope();
            let body_ty = self.resolved(body.ty);
            if body_ty != TypeId::NEVER {
                match result {
                    _ if body_ty == TypeId::ERROR => wrong = true,
                    None => result = Some(body_ty),
                    Some(known) if self.unify(known, body_ty) => {}
                    Some(known) => {
                        wrong = true;
                        let (a, b) = (self.shown(known), self.shown(body_ty));
                        self.diags()
                            .error(Code::MismatchedTypes, body.span)
                            .arg("a", a)
                            .arg("b", b)
                            .secondary(matched.arms[0].body.span, "the arms of `match` have one type");
                    }
                }
            }
            let moved = std::mem::take(&mut self.moved);
            if body_ty != TypeId::NEVER {
                match &mut after {
                    Some(after) => after.join(moved),
                    None => after = Some(moved),
                }
            }
            arms.push(MatchArm { pattern, guard, body });
        }
        self.moved = after.unwrap_or(before);
        if ty == TypeId::NEVER {
            return self.diverging(vec![subject.expr], span);
        }
        let rows: Vec<_> = arms.iter().map(|arm| (&arm.pattern, arm.guard.is_some())).collect();
        self.check_coverage(&rows, ty, matched.scrutinee.span, span);
        if ty == TypeId::ERROR || wrong {
            return Typed::hole(span);
        }
        let result = result.unwrap_or(TypeId::NEVER);
        let matched = Match { subject: subject.expr, arms };
        let typed = Typed::new(ExprKind::Match(Box::new(matched)), result, span);
        self.after_all(subject.stmts, typed)
    }

    /// A condition that moves nothing, because the arm may still not be taken.
    fn guard(&mut self, guard: &'a ast::Expr) -> Expr {
        let (before, known) = (self.moved.clone(), self.locals.len());
        let cond = self.condition_of_branch(guard);
        self.report_moves_in_guard(&before, known);
        cond
    }

    fn arm_body(&mut self, body: &'a ast::Expr, want: Option<TypeId>, dropped: bool) -> Block {
        let unit = want.is_some_and(|want| self.resolved(want) == TypeId::UNIT);
        // An assignment stands for what it does.
        if let (ast::ExprKind::Assign { .. }, true) = (&body.kind, unit || dropped && want.is_none()) {
            let value = self.expr(body, None).expr;
            let (ty, span) = (value.ty, value.span);
            let ty = if matches!(ty, TypeId::ERROR | TypeId::NEVER) { ty } else { TypeId::UNIT };
            let kind = self.run_and_drop(value);
            let value = Expr { kind, ty: TypeId::UNIT, span };
            return Block { stmts: Vec::new(), value: Some(Box::new(value)), ty, span };
        }
        if let ast::ExprKind::Block(block) = &body.kind {
            return self.block(block, want);
        }
        let value = match want {
            Some(want) => self.expr_as(body, want),
            None => self.expr_any(body),
        };
        let (ty, span) = (value.ty, value.span);
        Block { stmts: Vec::new(), value: Some(Box::new(value)), ty, span }
    }

    /// An expression behind statements, if there are any.
    fn after_all(&self, stmts: Vec<Stmt>, typed: Typed) -> Typed {
        if stmts.is_empty() {
            return typed;
        }
        let (ty, span) = (typed.ty(), typed.span());
        let block = Block { stmts, value: Some(Box::new(typed.expr)), ty, span };
        Typed::new(ExprKind::Block(Box::new(block)), ty, span)
    }

    /// `let pattern = value` as a condition, whose names are bound in the innermost block; the local that is moved where
    /// the condition holds.
    pub(super) fn let_condition(
        &mut self,
        pattern: &'a ast::Pattern,
        value: &'a ast::Expr,
        span: Span,
    ) -> (Expr, Option<MovedPlace>) {
        let subject = self.subject(value);
        let ty = self.resolved(subject.expr.ty);
        let mut names = Names::default();
        let pattern = self.pattern(pattern, ty, subject.behind.as_ref(), &mut names);
        if ty == TypeId::NEVER {
            return (subject.expr, None);
        }
        if ty == TypeId::ERROR {
            return (Typed::hole(span).expr, None);
        }
        let kind = ExprKind::Matches { subject: Box::new(subject.expr), pattern: Box::new(pattern) };
        let typed = self.after_all(subject.stmts, Typed::new(kind, TypeId::BOOL, span));
        (typed.expr, names.moves.and(subject.owner))
    }
}
