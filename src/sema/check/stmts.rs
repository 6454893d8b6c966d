//! Blocks and statements.

use std::sync::Arc;

use alloy_primitives::U256;

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::check::patterns::Names;
use crate::sema::consts::Value;
use crate::sema::resolve::Position;
use crate::sema::scope::LocalDef;
use crate::sema::typed::{
    Block, Expr, ExprKind, LetPattern, LocalId, LoopBounds, Place, PlaceOp, PlaceRoot, PlaceStep, Stmt,
    StmtKind,
};
use crate::sema::types::{IntType, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, BindMode, ForIter, LoopBoundKind, PatternKind};

impl<'a> Checker<'_, 'a> {
    /// Checks a block. Its value gets type `want`, if that is known.
    pub(super) fn block(&mut self, block: &'a ast::Block, want: Option<TypeId>) -> Block {
        self.scope.enter();
        let mut stmts = Vec::with_capacity(block.stmts.len());
        let (mut diverges, mut warned) = (false, false);
        for stmt in &block.stmts {
            self.warn_unreachable(diverges, &mut warned, stmt.span);
            diverges |= self.stmt(stmt, &mut stmts);
        }
        let value = block.tail.as_ref().map(|tail| {
            self.warn_unreachable(diverges, &mut warned, tail.span);
            self.block_value(tail, want)
        });
        self.leave_scope();
        let ty = match &value {
            _ if diverges => TypeId::NEVER,
            Some(value) => value.ty,
            None => TypeId::UNIT,
        };
        Block { stmts, value: value.map(Box::new), ty, span: block.span }
    }

    fn block_value(&mut self, tail: &'a ast::Expr, want: Option<TypeId>) -> Expr {
        match want {
            Some(want) => self.expr_as(tail, want),
            None => self.expr_any(tail),
        }
    }

    fn warn_unreachable(&mut self, diverges: bool, warned: &mut bool, span: Span) {
        if diverges && !*warned {
            self.diags().warning(Code::Unreachable, span).arg("what", "code");
            *warned = true;
        }
    }

    /// Checks a statement; whether control never gets past it.
    fn stmt(&mut self, stmt: &'a ast::Stmt, out: &mut Vec<Stmt>) -> bool {
        let span = stmt.span;
        let kind = match &stmt.kind {
            ast::StmtKind::Error => return false,
            ast::StmtKind::Let(decl) => match self.let_stmt(decl) {
                Some(kind) => kind,
                None => return false,
            },
            ast::StmtKind::Emit(payload) => match self.emit(payload) {
                Some(kind) => kind,
                None => return false,
            },
            ast::StmtKind::While(looped) => self.while_loop(looped, span),
            ast::StmtKind::For(looped) => match self.for_loop(looped, span) {
                Some(kind) => kind,
                None => return false,
            },
            ast::StmtKind::Expr(expr) => StmtKind::Expr(self.expr_stmt(expr)),
        };
        let diverges = match &kind {
            StmtKind::Expr(expr) | StmtKind::Let { init: expr, .. } => expr.ty == TypeId::NEVER,
            _ => false,
        };
        out.push(Stmt { kind, span });
        diverges
    }

    /// An expression whose value is dropped.
    fn expr_stmt(&mut self, expr: &'a ast::Expr) -> Expr {
        let typed = match &expr.kind {
            ast::ExprKind::Match(matched) => self.match_expr(matched, expr.span, None, true),
            _ => self.expr(expr, None),
        };
        if self.holds_result(typed.ty()) {
            self.diags().error(Code::UnusedResult, expr.span);
        } else {
            self.note_dropped_data(&typed.expr);
        }
        match typed.literal {
            // A literal that nobody takes needs no type of its own.
            Some(_) => Expr { ty: TypeId::U256, ..typed.expr },
            None => typed.expr,
        }
    }

    /// Whether a value of the type is a `Result`, or a tuple with one among its parts.
    fn holds_result(&self, ty: TypeId) -> bool {
        match self.type_of(ty) {
            Type::Result { .. } => true,
            Type::Tuple(elements) => elements.iter().any(|&element| self.holds_result(element)),
            _ => false,
        }
    }

    fn let_stmt(&mut self, decl: &'a ast::Let) -> Option<StmtKind> {
        let contract = self.contract;
        if let (Some(ty), Some((own, operand)), Some((name, false)), BindMode::Plain) =
            (&decl.ty, Self::reference_of(&decl.value), single_name(&decl.pattern), decl.mode)
            && let ast::TypeKind::Ref { mutable, inner } = &ty.kind
        {
            let target = self.type_in_block(|sema| sema.resolve_any_type(inner, contract));
            if *mutable && !own {
                let shown = self.shown(target);
                self.diags()
                    .error(Code::MismatchedTypes, decl.value.span)
                    .arg("a", format_args!("&mut {shown}"))
                    .arg("b", format_args!("&{shown}"));
            }
            return self.bind_reference(name, *mutable, operand, decl.value.span, Some(target));
        }
        let annotated = decl
            .ty
            .as_ref()
            .map(|ty| self.type_in_block(|sema| sema.resolve_type(ty, contract, Position::Local)));
        if decl.mode == BindMode::Const {
            self.let_const(decl, annotated);
            return None;
        }
        if let (Some((mutable, operand)), Some((name, false)), BindMode::Plain, None) =
            (Self::reference_of(&decl.value), single_name(&decl.pattern), decl.mode, &decl.ty)
        {
            return self.bind_reference(name, mutable, operand, decl.value.span, None);
        }
        let init = match annotated {
            Some(ty) => self.expr_as(&decl.value, ty),
            None => self.let_value(decl)?,
        };
        let ty = annotated.unwrap_or(init.ty);
        let pattern = self.bind(&decl.pattern, ty, decl.mode == BindMode::Mut);
        if let LetPattern::Discard = pattern {
            self.note_dropped_data(&init);
        }
        Some(StmtKind::Let { pattern, init })
    }

    /// The value of a `let` without annotation. A single immutable name bound to a literal is that literal
    /// at each use (§4.1), so nothing is left to do.
    fn let_value(&mut self, decl: &'a ast::Let) -> Option<Expr> {
        let typed = self.expr(&decl.value, None);
        let Some(value) = typed.literal else { return Some(typed.expr) };
        match single_name(&decl.pattern) {
            Some((name, mutable)) => {
                if decl.mode == BindMode::Plain && !mutable {
                    let def = LocalDef::Constant(Value::Literal(value), TypeId::INT_LITERAL);
                    self.define_name(&name.name, name.span, def, false);
                    return None;
                }
                // K0208 names the variable.
                let name = ast::Ident { name: name.name.clone(), span: name.span };
                let ty = self.fresh_int(name.as_str(), name.span, None);
                Some(self.coerce_literal(value, ty, decl.value.span))
            }
            None => Some(self.materialize(typed, None, Some(TypeId::U256))),
        }
    }

    fn let_const(&mut self, decl: &'a ast::Let, annotated: Option<TypeId>) {
        let value = self.constant_value(&decl.value, annotated);
        match value {
            Some((ty, value)) => self.bind_constant(&decl.pattern, ty, value),
            None => self.bind_holes(&decl.pattern),
        }
    }

    /// Binds the names of `let const` to the parts of a constant.
    fn bind_constant(&mut self, pattern: &'a ast::Pattern, ty: TypeId, value: Value) {
        match (&pattern.kind, value) {
            (PatternKind::Wildcard | PatternKind::Missing, _) => {}
            (PatternKind::Tuple(parts), Value::Tuple(values)) if matches!(self.type_of(ty), Type::Tuple(types) if types.len() == parts.len()) =>
            {
                let Type::Tuple(types) = self.type_of(ty).clone() else { return };
                for ((part, ty), value) in parts.iter().zip(types).zip(values) {
                    self.bind_constant(part, ty, value);
                }
            }
            (_, value) => match single_name(pattern) {
                Some((name, false)) => {
                    self.define_name(&name.name, name.span, LocalDef::Constant(value, ty), false);
                }
                _ => {
                    let shown = self.shown(ty);
                    self.diags()
                        .error(Code::MismatchedTypes, pattern.span)
                        .arg("a", "a name, `_` or a tuple of them")
                        .arg("b", format_args!("a pattern for a constant of type `{shown}`"));
                    self.bind_holes(pattern);
                }
            },
        }
    }

    /// Binds the names of a pattern to parts of a value of type `ty`.
    fn bind(&mut self, pattern: &'a ast::Pattern, ty: TypeId, mutable: bool) -> LetPattern {
        let resolved = self.resolved(ty);
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Missing => LetPattern::Discard,
            PatternKind::Tuple(parts) => {
                let elements = match self.type_of(ty).clone() {
                    Type::Tuple(elements) if elements.len() == parts.len() => elements,
                    Type::Unit if parts.is_empty() => Vec::new(),
                    Type::Error => vec![TypeId::ERROR; parts.len()],
                    Type::Never => vec![TypeId::NEVER; parts.len()],
                    _ => {
                        let shown = self.shown(resolved);
                        self.diags()
                            .error(Code::MismatchedTypes, pattern.span)
                            .arg("a", shown)
                            .arg("b", format_args!("a tuple of {}", parts.len()));
                        vec![TypeId::ERROR; parts.len()]
                    }
                };
                let parts = parts.iter().zip(elements);
                LetPattern::Tuple(parts.map(|(part, ty)| self.bind(part, ty, mutable)).collect())
            }
            _ => match single_name(pattern) {
                Some((name, own_mut)) => {
                    let without_value = match resolved {
                        TypeId::ERROR => Some(LocalDef::Hole),
                        TypeId::NEVER => Some(LocalDef::Never),
                        _ => None,
                    };
                    if let Some(def) = without_value {
                        self.define_name(&name.name, name.span, def, false);
                        return LetPattern::Discard;
                    }
                    LetPattern::Local(self.define_local(&name.name, name.span, ty, mutable || own_mut, false))
                }
                None => {
                    let pattern = self.pattern(pattern, ty, None, &mut Names::default());
                    self.check_irrefutable(&pattern, resolved);
                    LetPattern::Parts(Box::new(pattern))
                }
            },
        }
    }

    /// Makes the names of a rejected pattern known, so that their uses are silent.
    pub(super) fn bind_holes(&mut self, pattern: &'a ast::Pattern) {
        match &pattern.kind {
            PatternKind::BindMut(name) => self.define_name(&name.name, name.span, LocalDef::Hole, false),
            PatternKind::Path { path, args: None } => {
                if let Some(name) = path.as_ident() {
                    self.define_name(&name.name, name.span, LocalDef::Hole, false);
                }
            }
            PatternKind::Tuple(parts) | PatternKind::Path { args: Some(parts), .. } => {
                parts.iter().for_each(|part| self.bind_holes(part));
            }
            // Alternatives bind the same names.
            PatternKind::Or(parts) => parts.iter().take(1).for_each(|part| self.bind_holes(part)),
            PatternKind::Wildcard
            | PatternKind::Literal(_)
            | PatternKind::Range { .. }
            | PatternKind::Missing => {}
        }
    }

    fn while_loop(&mut self, looped: &'a ast::While, span: Span) -> StmtKind {
        self.scope.enter();
        let (before, known) = (self.moved.clone(), self.locals.len());
        let cond = match &looped.cond {
            ast::Cond::Expr(cond) => self.condition_of_branch(cond),
            ast::Cond::Let { pattern, value, span } => {
                let (cond, moved) = self.let_condition(pattern, value, *span);
                self.moved.take(moved);
                cond
            }
        };
        self.report_repeated_moves(&before, known);
        let bounds = self.loop_bounds(&looped.bounds);
        if bounds.max.is_none() && bounds.gas.is_none() && cond.ty != TypeId::ERROR {
            self.effects.unbounded_loops.push(loop_head(span, &looped.body));
        }
        let body = self.loop_body_after(known, &looped.body);
        self.leave_scope();
        StmtKind::While { cond, bounds, body }
    }

    fn loop_body(&mut self, body: &'a ast::Block) -> Block {
        let known = self.locals.len();
        self.loop_body_after(known, body)
    }

    /// The body of a loop that binds the locals from `known` on in each round.
    fn loop_body_after(&mut self, known: usize, body: &'a ast::Block) -> Block {
        self.loop_depth += 1;
        let body = self.in_loop(known, |checker| {
            let body = checker.block(body, Some(TypeId::UNIT));
            let diverges = body.ty == TypeId::NEVER;
            (body, diverges)
        });
        self.loop_depth -= 1;
        body
    }

    fn for_loop(&mut self, looped: &'a ast::For, span: Span) -> Option<StmtKind> {
        let ForIter::Range { start, end, inclusive } = &looped.iter else {
            let ForIter::Value(value) = &looped.iter else { return None };
            return self.for_each(looped, value, span);
        };
        let (start, end, constant) = self.range(start, end, looped);
        if start.ty == TypeId::NEVER || end.ty == TypeId::NEVER {
            // The loop never begins; its body is checked for its own mistakes.
            self.scope.enter();
            self.bind_holes(&looped.pattern);
            self.loop_bounds(&looped.bounds);
            self.loop_body(&looped.body);
            self.leave_scope();
            return Some(StmtKind::Expr(self.diverging(vec![start, end], span).expr));
        }
        let ty = start.ty;
        let bounds = self.loop_bounds(&looped.bounds);
        if !constant && bounds.max.is_none() && bounds.gas.is_none() {
            self.effects.unbounded_loops.push(loop_head(span, &looped.body));
        }
        self.scope.enter();
        let var = self.loop_variable(&looped.pattern, ty);
        let body = self.loop_body(&looped.body);
        self.leave_scope();
        Some(StmtKind::ForRange { var, start, end, inclusive: *inclusive, bounds, body })
    }

    /// `for x in v`: a range loop over the indices.
    fn for_each(&mut self, looped: &'a ast::For, value: &'a ast::Expr, span: Span) -> Option<StmtKind> {
        let typed = self.borrowed(value, None);
        let ty = self.resolved(typed.ty());
        let element = match *self.type_of(ty) {
            Type::Array { element, .. } | Type::Vec(element) => Some(element),
            Type::Bytes => Some(TypeId::U8),
            _ => None,
        };
        let is_known = element.is_none_or(|element| self.known_element(element, value.span));
        let Some(element) = element.filter(|_| is_known) else {
            if is_known && !matches!(ty, TypeId::ERROR | TypeId::NEVER) {
                let shown = self.shown(ty);
                self.diags()
                    .error(Code::MismatchedTypes, value.span)
                    .arg("a", "a range, an array, a `Vec` or `bytes`")
                    .arg("b", shown);
            }
            self.scope.enter();
            self.bind_holes(&looped.pattern);
            self.loop_bounds(&looped.bounds);
            self.loop_body(&looped.body);
            self.leave_scope();
            return (ty == TypeId::NEVER).then_some(StmtKind::Expr(typed.expr));
        };
        let constant = matches!(self.type_of(ty), Type::Array { .. });
        let through = typed.through;
        // A cast text lies where it did before.
        let cast_from = match &typed.expr.kind {
            ExprKind::Cast { operand, .. } => cast_place(operand),
            _ => None,
        };
        let (mut stmts, place) = match self.as_place(typed) {
            (None, place) => self.pinned(place, value.span),
            (Some(stmt), place) => (vec![stmt], place),
        };
        let bounds = self.loop_bounds(&looped.bounds);
        if !constant && bounds.max.is_none() && bounds.gas.is_none() {
            self.effects.unbounded_loops.push(loop_head(span, &looped.body));
        }
        let here = value.span;
        let word = |kind| Expr { kind, ty: TypeId::U256, span: here };
        let var = self.unnamed_local(TypeId::U256, here);
        let index = Place { root: PlaceRoot::Local(var), steps: Vec::new(), ty: TypeId::U256, span: here };
        let mut item = place.clone();
        item.steps.push(PlaceStep::Index(word(ExprKind::Load(index))));
        (item.ty, item.span) = (element, here);
        self.scope.enter();
        let borrow = self.borrow_for_loop(&place, through);
        let source_borrow = cast_from.map(|from| self.borrow_for_loop(&from, through));
        let body = match single_name(&looped.pattern) {
            Some((name, false)) if !self.sema.types.is_copy(self.resolved(element)) => {
                self.add_borrow(name, item, false, Some(borrow));
                self.loop_body(&looped.body)
            }
            _ => {
                let mut bound = Vec::new();
                let known = self.locals.len();
                self.bind_element(&looped.pattern, item, borrow, &mut bound);
                let mut body = self.loop_body_after(known, &looped.body);
                body.stmts.splice(0..0, bound);
                body
            }
        };
        for over in [Some(borrow), source_borrow].into_iter().flatten() {
            self.borrows[over].live = false;
        }
        self.leave_scope();
        let end = word(ExprKind::AtPlace { op: PlaceOp::Len, place, args: Vec::new() });
        let start = word(ExprKind::Const(U256::ZERO));
        let looped = StmtKind::ForRange { var, start, end, inclusive: false, bounds, body };
        if stmts.is_empty() {
            return Some(looped);
        }
        stmts.push(Stmt { kind: looped, span });
        let block = Block { stmts, value: None, ty: TypeId::UNIT, span };
        Some(StmtKind::Expr(Expr { kind: ExprKind::Block(Box::new(block)), ty: TypeId::UNIT, span }))
    }

    /// Binds the names of a loop's pattern to an element or its parts: copies of what is Copy, references to the rest.
    fn bind_element(&mut self, pattern: &'a ast::Pattern, item: Place, borrow: usize, bound: &mut Vec<Stmt>) {
        let (ty, span) = (self.resolved(item.ty), pattern.span);
        let is_copy = self.sema.types.is_copy(ty);
        match (&pattern.kind, self.type_of(ty).clone(), single_name(pattern)) {
            (PatternKind::Tuple(parts), Type::Tuple(types), _) if !is_copy && parts.len() == types.len() => {
                for (at, (part, ty)) in parts.iter().zip(types).enumerate() {
                    let mut place = Place { ty, ..item.clone() };
                    place.steps.push(PlaceStep::Field(at as u32));
                    self.bind_element(part, place, borrow, bound);
                }
            }
            (_, _, Some((name, false))) if !is_copy => self.add_borrow(name, item, false, Some(borrow)),
            (PatternKind::Tuple(_), ..) => {
                let pattern = self.bind(pattern, ty, false);
                let init = Expr { kind: ExprKind::Load(item), ty, span };
                bound.push(Stmt { kind: StmtKind::Let { pattern, init }, span });
            }
            _ => {
                let pattern = LetPattern::Local(self.loop_variable(pattern, ty));
                if is_copy {
                    let init = Expr { kind: ExprKind::Load(item), ty, span };
                    bound.push(Stmt { kind: StmtKind::Let { pattern, init }, span });
                }
            }
        }
    }

    /// Both ends of a range with one type, and whether both are constant.
    fn range(
        &mut self,
        start: &'a ast::Expr,
        end: &'a ast::Expr,
        looped: &'a ast::For,
    ) -> (Expr, Expr, bool) {
        let start = self.expr(start, None);
        let end = self.expr(end, None);
        if start.ty() == TypeId::NEVER || end.ty() == TypeId::NEVER {
            return (start.expr, end.expr, true);
        }
        let constant = |typed: &Typed| matches!(typed.expr.kind, ExprKind::Const(_));
        let constant = constant(&start) && constant(&end);
        let name = single_name(&looped.pattern).map_or(Arc::from("_"), |(name, _)| name.name.clone());
        let ty = match (start.literal, end.literal) {
            (Some(_), Some(_)) => self.fresh_int(&name, looped.pattern.span, Some(TypeId::U256)),
            (None, _) => start.ty(),
            (Some(_), None) => end.ty(),
        };
        if !self.is_int(ty) && ty != TypeId::ERROR {
            let shown = self.shown(ty);
            let span = start.span().to(end.span());
            self.diags().error(Code::MismatchedTypes, span).arg("a", "an integer").arg("b", shown);
            let hole = || Typed::hole(span).expr;
            return (hole(), hole(), true);
        }
        let (start, end) = (self.coerce(start, ty), self.coerce(end, ty));
        (start, end, constant || ty == TypeId::ERROR)
    }

    fn loop_variable(&mut self, pattern: &'a ast::Pattern, ty: TypeId) -> LocalId {
        match (&pattern.kind, single_name(pattern)) {
            (_, Some((name, mutable))) => {
                if mutable {
                    self.diags()
                        .error(Code::ItemNotAllowed, pattern.span)
                        .arg("item", "mut")
                        .arg("place", "a loop variable");
                }
                self.define_local(&name.name, name.span, ty, false, false)
            }
            (PatternKind::Wildcard | PatternKind::Missing, _) => self.unnamed_local(ty, pattern.span),
            _ => {
                let shown = self.shown(ty);
                self.diags()
                    .error(Code::MismatchedTypes, pattern.span)
                    .arg("a", "a name, `_` or, for an element that is a tuple, a tuple of them")
                    .arg("b", format_args!("a pattern for `{shown}`"));
                self.bind_holes(pattern);
                self.unnamed_local(ty, pattern.span)
            }
        }
    }

    pub(super) fn unnamed_local(&mut self, ty: TypeId, span: Span) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        self.locals.push(crate::sema::typed::Local { name: String::new(), span, ty, mutable: false });
        id
    }

    /// `[gas: N, max: M]`: positive constants (K0603).
    fn loop_bounds(&mut self, list: &'a [ast::LoopBound]) -> LoopBounds {
        let mut bounds = LoopBounds::default();
        for bound in list {
            let (name, limit) = match bound.kind {
                LoopBoundKind::Gas => ("gas", IntType::U64),
                LoopBoundKind::Max => ("max", IntType::U256),
            };
            let repeated = match bound.kind {
                LoopBoundKind::Gas => bounds.gas.is_some(),
                LoopBoundKind::Max => bounds.max.is_some(),
            };
            if repeated {
                self.diags().error(Code::AlreadyDefined, bound.span).arg("name", name);
            }
            let value = match self.constant_value(&bound.value, None) {
                Some((_, Value::Literal(int))) => int.to_word(limit),
                Some((ty, Value::Word(word))) if ty.as_int().is_some_and(|int| !int.signed) => Some(word),
                Some(_) => None,
                None => {
                    // The loop has an annotation, if a wrong one.
                    bounds.max = bounds.max.or(Some(U256::MAX));
                    continue;
                }
            };
            let positive = value.filter(|value| *value > U256::ZERO && *value <= limit.max_word());
            match (positive, bound.kind) {
                (Some(value), LoopBoundKind::Gas) => {
                    bounds.gas = Some((value.saturating_to(), bound.value.span))
                }
                (Some(value), LoopBoundKind::Max) => bounds.max = Some(value),
                (None, _) => {
                    self.diags().error(Code::AnnotationNotPositive, bound.value.span).arg("annotation", name);
                    bounds.max = bounds.max.or(Some(U256::MAX));
                }
            }
        }
        bounds
    }
}

/// The place whose contents a cast shows, perhaps by casts of casts.
fn cast_place(expr: &Expr) -> Option<Place> {
    match &expr.kind {
        ExprKind::Load(place) => Some(place.clone()),
        ExprKind::Cast { operand, .. } => cast_place(operand),
        _ => None,
    }
}

/// A loop without its body.
fn loop_head(span: Span, body: &ast::Block) -> Span {
    Span::new(span.start, body.span.start.max(span.start))
}

/// The name that a pattern binds alone, and whether `mut` stands before it.
fn single_name(pattern: &ast::Pattern) -> Option<(&ast::Ident, bool)> {
    match &pattern.kind {
        PatternKind::BindMut(name) => Some((name, true)),
        PatternKind::Path { path, args: None } => path.as_ident().map(|name| (name, false)),
        _ => None,
    }
}
