//! References (§6): `let p = &mut state.m[k];` gives a place another name.
//!
//! The keys and indices of the place are evaluated once, into locals without names; each use of `p` then stands for the
//! place itself, so everything that looks at places sees what is really accessed. A borrow lasts to the end of its block.
//! While it lives, an overlapping access past it is K0303 or K0304, and an external call K0501.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::effects::{self, LentPlace};
use crate::sema::scope::LocalDef;
use crate::sema::typed::{
    Block, DataOp, Expr, ExprKind, FuncId, LetPattern, Local, LocalId, Place, PlaceOp, PlaceRoot, PlaceStep,
    Stmt, StmtKind,
};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

/// An argument that is a reference, and the borrow that ends with the call.
pub(super) struct Lent {
    pub(super) expr: Expr,
    pub(super) borrow: Option<usize>,
}

/// A reference that a name of the function stands for.
pub(super) struct Borrow {
    pub(super) place: Place,
    pub(super) mutable: bool,
    /// The reference through which the place was reached.
    pub(super) parent: Option<usize>,
    /// Whether its block has not ended.
    pub(super) live: bool,
}

/// Whether two places may have something in common (§6.4).
fn overlap(a: &Place, b: &Place) -> bool {
    if a.root != b.root {
        return false;
    }
    for (a, b) in a.steps.iter().zip(&b.steps) {
        match (a, b) {
            (PlaceStep::Field(a), PlaceStep::Field(b)) if a != b => return false,
            (PlaceStep::Payload { field: a, .. }, PlaceStep::Payload { field: b, .. }) if a != b => {
                return false;
            }
            (PlaceStep::Index(a), PlaceStep::Index(b)) => {
                if let (ExprKind::Const(a), ExprKind::Const(b)) = (&a.kind, &b.kind)
                    && a != b
                {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

impl<'a> Checker<'_, 'a> {
    /// Whether an expression is `&place` or `&mut place`.
    pub(super) fn reference_of(expr: &'a ast::Expr) -> Option<(bool, &'a ast::Expr)> {
        match &expr.kind {
            ast::ExprKind::Unary { op: ast::UnaryOp::Ref, operand, .. } => Some((false, operand)),
            ast::ExprKind::Unary { op: ast::UnaryOp::RefMut, operand, .. } => Some((true, operand)),
            _ => None,
        }
    }

    /// `let name = &operand;`: what evaluates the keys of the place.
    pub(super) fn bind_reference(
        &mut self,
        name: &ast::Ident,
        mutable: bool,
        operand: &'a ast::Expr,
        span: Span,
        want: Option<TypeId>,
    ) -> Option<StmtKind> {
        let typed = self.part(operand, want);
        let (through, ty) = (typed.through, self.resolved(typed.ty()));
        if let Some(want) = want
            && typed.literal.is_none()
            && !self.unify(ty, want)
        {
            let (a, b) = (self.shown(want), self.shown(ty));
            self.diags()
                .error(Code::MismatchedTypes, span)
                .arg("a", format_args!("&{a}"))
                .arg("b", format_args!("&{b}"));
            self.define_name(&name.name, name.span, LocalDef::Hole, false);
            return None;
        }
        let ExprKind::Load(place) = typed.expr.kind else {
            if ty == TypeId::ERROR || ty == TypeId::NEVER {
                self.define_name(&name.name, name.span, LocalDef::Hole, false);
                return (ty == TypeId::NEVER).then_some(StmtKind::Expr(typed.expr));
            }
            // A value that nothing else refers to lies in a local without a name.
            let init = match want {
                Some(want) => self.coerce(typed, want),
                None => self.materialize(typed, Some(name.as_str()), None),
            };
            let local = self.unnamed_local(init.ty, operand.span);
            let place =
                Place { root: PlaceRoot::Local(local), steps: Vec::new(), ty: init.ty, span: operand.span };
            self.add_borrow(name, place, mutable, None);
            return Some(StmtKind::Let { pattern: LetPattern::Local(local), init });
        };
        self.check_not_moved(&place);
        let is_free = self.check_borrows(&place, through, mutable);
        if !is_free || mutable && !self.check_mutable(&place, through) {
            // A borrow that does not come about is in nobody's way.
            self.define_name(&name.name, name.span, LocalDef::Hole, false);
            return None;
        }
        let (stmts, place) = self.pinned(place, span);
        self.add_borrow(name, place, mutable, through);
        let block = Block { stmts, value: None, ty: TypeId::UNIT, span };
        let kind = ExprKind::Block(Box::new(block));
        Some(StmtKind::Expr(Expr { kind, ty: TypeId::UNIT, span }))
    }

    /// Gives a name to a place whose keys and indices cannot change.
    pub(super) fn add_borrow(
        &mut self,
        name: &ast::Ident,
        place: Place,
        mutable: bool,
        parent: Option<usize>,
    ) {
        let index = self.borrows.len();
        self.borrows.push(Borrow { place, mutable, parent, live: true });
        self.define_name(&name.name, name.span, LocalDef::Alias(index), false);
    }

    /// The place with its keys and indices in locals without names, and what puts them there.
    pub(super) fn pinned(&mut self, mut place: Place, span: Span) -> (Vec<Stmt>, Place) {
        let mut stmts = Vec::new();
        for step in &mut place.steps {
            let (PlaceStep::MapKey(key) | PlaceStep::Index(key)) = step else { continue };
            if let ExprKind::Const(_) = key.kind {
                continue;
            }
            let (ty, at) = (key.ty, key.span);
            if let (TypeId::BYTES | TypeId::STRING, ExprKind::Load(place)) = (ty, &key.kind) {
                // The contents count, and their owner may change them.
                let stored = matches!(place.root, PlaceRoot::Storage(_));
                let op = if stored { DataOp::Load } else { DataOp::Clone };
                let load = std::mem::replace(&mut key.kind, ExprKind::Hole);
                let args = vec![Expr { kind: load, ty, span: at }];
                key.kind = ExprKind::Data { op, args };
            }
            let id = LocalId(self.locals.len() as u32);
            self.locals.push(Local { name: String::new(), span: at, ty, mutable: false });
            let own = Place { root: PlaceRoot::Local(id), steps: Vec::new(), ty, span: at };
            let load = Expr { kind: ExprKind::Load(own), ty, span: at };
            let init = std::mem::replace(key, load);
            stmts.push(Stmt { kind: StmtKind::Let { pattern: LetPattern::Local(id), init }, span });
        }
        // An index outside is a fault here, and not only where the reference is used.
        if place.steps.iter().any(|step| matches!(step, PlaceStep::Index(_))) {
            let kind = ExprKind::AtPlace { op: PlaceOp::Reach, place: place.clone(), args: Vec::new() };
            let reach = Expr { kind, ty: TypeId::UNIT, span };
            stmts.push(Stmt { kind: StmtKind::Expr(reach), span });
        }
        (stmts, place)
    }

    /// The place that a reference stands for.
    pub(super) fn borrowed_place(&self, index: usize, span: Span) -> Typed {
        let borrow = &self.borrows[index];
        let ty = borrow.place.ty;
        let place = Place { span, ..borrow.place.clone() };
        Typed { through: Some(index), ..Typed::new(ExprKind::Load(place), ty, span) }
    }

    /// Whether an access through `through` may be one to what `index` borrows: they are one reference, or one was
    /// reached through the other.
    fn is_derived(&self, mut through: Option<usize>, index: usize) -> bool {
        while let Some(own) = through {
            if own == index {
                return true;
            }
            through = self.borrows[own].parent;
        }
        false
    }

    /// Reports an access to a place that is borrowed (K0303), or a write to one that is borrowed for reading (K0304);
    /// whether it is neither.
    pub(super) fn check_borrows(&mut self, place: &Place, through: Option<usize>, write: bool) -> bool {
        let conflict = (0..self.borrows.len()).find(|&index| {
            let borrow = &self.borrows[index];
            borrow.live
                && (borrow.mutable || write)
                && overlap(&borrow.place, place)
                && !self.is_derived(through, index)
        });
        let Some(index) = conflict else { return true };
        let (mutable, first) = (self.borrows[index].mutable, self.borrows[index].place.span);
        let text = self.shorten(place.span);
        let code = if mutable { Code::MutablyBorrowed } else { Code::WriteWhileBorrowed };
        // A use by value is a read and a write.
        if !self.diags().iter().any(|known| known.code() == code && known.span() == place.span) {
            self.diags()
                .error(code, place.span)
                .arg("place", text)
                .secondary(first, "the borrow starts here; it lasts to the end of its block");
        }
        false
    }

    /// Reports a write through `&` (K0302), or to a local that is not `mut`.
    pub(super) fn check_mutable(&mut self, place: &Place, through: Option<usize>) -> bool {
        if let Some(index) = through
            && !self.borrows[index].mutable
        {
            let (text, first) = (self.shorten(place.span), self.borrows[index].place.span);
            self.diags()
                .error(Code::NotMutable, place.span)
                .arg("x", text)
                .secondary(first, "borrowed with `&` here; write `&mut` to change it");
            return false;
        }
        match place.root {
            PlaceRoot::Local(id) if through.is_none() && !self.locals[id.index()].mutable => {
                let (name, declared) = (self.locals[id.index()].name.clone(), self.locals[id.index()].span);
                self.diags()
                    .error(Code::NotMutable, place.span)
                    .arg("x", name)
                    .secondary(declared, "declared without `mut` here");
                false
            }
            _ => true,
        }
    }

    /// Reports an external call while storage is mutably borrowed (K0501).
    pub(super) fn check_no_borrow(&mut self, span: Span) {
        self.effects.sites.push(span);
        let live = self.borrows.iter().find(|borrow| {
            borrow.live && borrow.mutable && matches!(borrow.place.root, PlaceRoot::Storage(_))
        });
        let Some(first) = live.map(|borrow| borrow.place.span) else { return };
        let text = self.shorten(first);
        self.diags()
            .error(Code::CallWhileBorrowed, span)
            .arg("place", text)
            .label("this call may re-enter the contract")
            .secondary(first, "the borrow starts here; it lasts to the end of its block")
            .note("copy the fields that you need into locals and end the borrow's block before the call");
    }

    /// `*r`.
    pub(super) fn deref(&mut self, operand: &'a ast::Expr, op_span: Span) -> Typed {
        let typed = self.part(operand, None);
        if typed.ty() == TypeId::ERROR || typed.through.is_some() {
            return typed;
        }
        let shown = self.shown(typed.ty());
        self.diags().error(Code::MismatchedTypes, op_span).arg("a", "a reference").arg("b", shown);
        Typed::hole(operand.span)
    }

    /// A reference where a value is needed: the value is `*r`.
    pub(super) fn not_a_reference(&mut self, expr: &'a ast::Expr, typed: Typed) -> Typed {
        let (Some(index), ast::ExprKind::Path(_) | ast::ExprKind::SelfValue) = (typed.through, &expr.kind)
        else {
            return typed;
        };
        let shown = self.shown(typed.ty());
        let found = format!("&{}{shown}", if self.borrows[index].mutable { "mut " } else { "" });
        self.diags().error(Code::MismatchedTypes, expr.span).arg("a", shown).arg("b", found).fix(
            Span::at(expr.span.start),
            "*",
            "read what it refers to",
        );
        Typed::hole(expr.span)
    }

    /// The borrow of `place` for as long as a call runs.
    fn lend(&mut self, place: Place, mutable: bool, parent: Option<usize>) -> usize {
        self.borrows.push(Borrow { place, mutable, parent, live: true });
        self.borrows.len() - 1
    }

    /// Lends a place to a call that takes `&` or `&mut`.
    fn lend_place(&mut self, typed: Typed, mutable: bool, target: TypeId, span: Span) -> Lent {
        let (through, ty) = (typed.through, self.resolved(typed.ty()));
        if matches!(ty, TypeId::ERROR | TypeId::NEVER) {
            return Lent { expr: typed.expr, borrow: None };
        }
        let reference = |checker: &mut Self, ty| checker.sema.types.intern(Type::Ref { mutable, target: ty });
        if !self.unify(ty, target) {
            let (want, found) = (reference(self, target), reference(self, ty));
            let (a, b) = (self.shown(want), self.shown(found));
            self.diags().error(Code::MismatchedTypes, span).arg("a", a).arg("b", b);
            return Lent { expr: Typed::hole(span).expr, borrow: None };
        }
        let expr = self.materialize(typed, None, None);
        let ExprKind::Load(place) = expr.kind else {
            // A value that nothing else refers to.
            let local = self.unnamed_local(target, span);
            let place = Place { root: PlaceRoot::Local(local), steps: Vec::new(), ty: target, span };
            let ty = reference(self, target);
            let borrow = Expr { kind: ExprKind::Borrow { place, mutable }, ty, span };
            let bind = StmtKind::Let { pattern: LetPattern::Local(local), init: expr };
            let stmts = vec![Stmt { kind: bind, span }];
            let block = Block { stmts, value: Some(Box::new(borrow)), ty, span };
            return Lent { expr: Expr { kind: ExprKind::Block(Box::new(block)), ty, span }, borrow: None };
        };
        self.check_not_moved(&place);
        if !mutable
            || matches!(place.root, PlaceRoot::Local(_) | PlaceRoot::Reference(_))
            || self.sema.is_map(ty)
        {
            self.check_borrows(&place, through, mutable);
        }
        if mutable {
            match place.root {
                PlaceRoot::Storage(_) | PlaceRoot::Immutable(_) if !self.sema.is_map(place.ty) => {
                    self.check_assignable(&place, through);
                }
                PlaceRoot::Storage(_) if self.check_mutable(&place, through) => {
                    let text = self.shorten(place.span);
                    self.effects.writes.push((format!("writes `{text}`"), place.span));
                }
                PlaceRoot::Storage(_) => {}
                _ => drop(self.check_mutable(&place, through)),
            }
        } else if let PlaceRoot::Storage(_) = place.root {
            self.effects.reads_state = true;
        }
        let borrow = Some(self.lend(place.clone(), mutable, through));
        let ty = reference(self, target);
        Lent { expr: Expr { kind: ExprKind::Borrow { place, mutable }, ty, span }, borrow }
    }

    /// An argument for a parameter of type `&target` or `&mut target`.
    pub(super) fn reference_argument(&mut self, arg: &'a ast::Expr, mutable: bool, target: TypeId) -> Lent {
        let span = arg.span;
        if let Some((own, operand)) = Self::reference_of(arg) {
            let typed = self.part(operand, Some(target));
            let typed = match typed.literal {
                Some(value) => {
                    let expr = self.coerce_literal(value, target, span);
                    Typed::new(expr.kind, expr.ty, span)
                }
                None => typed,
            };
            if mutable && !own && typed.ty() != TypeId::ERROR {
                let shown = self.shown(target);
                self.diags()
                    .error(Code::MismatchedTypes, span)
                    .arg("a", format_args!("&mut {shown}"))
                    .arg("b", format_args!("&{shown}"))
                    .fix(Span::new(span.start, span.start + 1), "&mut ", "lend it to be changed");
                return Lent { expr: Typed::hole(span).expr, borrow: None };
            }
            return self.lend_place(typed, mutable, target, span);
        }
        let typed = self.part(arg, None);
        let is_reference =
            typed.through.is_some() && matches!(&arg.kind, ast::ExprKind::Path(_) | ast::ExprKind::SelfValue);
        if is_reference || matches!(typed.ty(), TypeId::ERROR | TypeId::NEVER) {
            return self.lend_place(typed, mutable, target, span);
        }
        let (want, found) = (self.shown(target), self.shown(typed.ty()));
        let sign = if mutable { "&mut " } else { "&" };
        self.diags()
            .error(Code::MismatchedTypes, span)
            .arg("a", format_args!("{sign}{want}"))
            .arg("b", found)
            .fix(Span::at(span.start), sign, "lend it");
        Lent { expr: Typed::hole(span).expr, borrow: None }
    }

    /// The receiver of a method that takes `&self` or `&mut self`.
    pub(super) fn lend_receiver(&mut self, base: Typed, mutable: bool) -> Lent {
        let (ty, span) = (self.resolved(base.ty()), base.span());
        if mutable && !matches!(base.expr.kind, ExprKind::Load(_)) {
            let text = self.shorten(span);
            self.diags()
                .error(Code::NotMutable, span)
                .arg("x", text)
                .label("this is a value that nothing keeps");
            return Lent { expr: Typed::hole(span).expr, borrow: None };
        }
        self.lend_place(base, mutable, ty, span)
    }

    /// Notes an internal call: what of storage is borrowed while it runs (§6.5).
    pub(super) fn note_call(&mut self, callee: FuncId, span: Span) {
        self.effects.calls.push((callee, span));
        let live = self.borrows.iter().filter(|borrow| borrow.live);
        let lent = live.filter_map(|borrow| match borrow.place.root {
            PlaceRoot::Storage(member) => {
                Some(LentPlace { member, mutable: borrow.mutable, span: borrow.place.span })
            }
            _ => None,
        });
        let borrows: Vec<_> = lent.collect();
        if !borrows.is_empty() {
            self.effects.lent.push(effects::Lent { callee, span, borrows });
        }
    }

    /// Ends borrows that lasted for a call.
    pub(super) fn end_lent(&mut self, lent: &[Option<usize>]) {
        lent.iter().flatten().for_each(|&index| self.borrows[index].live = false);
    }

    /// Ends the borrow of a name that goes out of scope.
    pub(super) fn end_borrow(&mut self, def: &LocalDef) {
        if let LocalDef::Alias(index) = *def {
            self.borrows[index].live = false;
        }
    }

    /// A borrow without a name, for as long as a loop runs.
    pub(super) fn borrow_for_loop(&mut self, place: &Place, parent: Option<usize>) -> usize {
        self.borrows.push(Borrow { place: place.clone(), mutable: false, parent, live: true });
        self.borrows.len() - 1
    }
}
