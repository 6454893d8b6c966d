//! Storage that is written before `Err` is returned to a caller that handles it (W0906).
//!
//! An `Err` that reaches an entry point reverts everything; one that some caller looks at does not (§9.5). A caller passes
//! `Err` on if the call is the operand of `?` or the value returned, and its own callers do the same.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Sema;
use super::typed::{Block, Expr, ExprKind, FuncId, Place, PlaceRoot, Stmt, StmtKind};
use super::types::Type;
use super::visit::{Access, Visit, walk_expr, walk_place, walk_revert, walk_stmt};
use crate::diag::Code;
use crate::source::Span;

/// The calls whose value is what a body returns.
fn returned(block: &Block, found: &mut HashSet<Span>) {
    if let Some(value) = &block.value {
        returned_by(value, found);
    }
}

fn returned_by(expr: &Expr, found: &mut HashSet<Span>) {
    match &expr.kind {
        ExprKind::Call { .. } => drop(found.insert(expr.span)),
        ExprKind::Block(block) => returned(block, found),
        ExprKind::If { then, otherwise, .. } => {
            returned(then, found);
            otherwise.iter().for_each(|block| returned(block, found));
        }
        ExprKind::Match(matched) => matched.arms.iter().for_each(|arm| returned(&arm.body, found)),
        _ => {}
    }
}

/// Collects the calls of one body, and which of them pass `Err` on.
#[derive(Default)]
struct Calls {
    passed_on: HashSet<Span>,
    calls: Vec<(FuncId, Span)>,
}

impl Visit for Calls {
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call { function, .. } => self.calls.push((*function, expr.span)),
            ExprKind::Try(operand) => {
                if let ExprKind::Call { .. } = operand.kind {
                    self.passed_on.insert(operand.span);
                }
            }
            ExprKind::Return(Some(value)) => returned_by(value, &mut self.passed_on),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// A walk in evaluation order that knows where storage was written.
struct Order<'s> {
    writes: &'s [bool],
    /// The first write before this point; nothing where control does not come counts as none.
    written: Option<Span>,
    /// Writes behind which `Err` is returned, each with the first such place.
    found: BTreeMap<Span, Span>,
}

impl Order<'_> {
    fn fails(&mut self, span: Span) {
        if let Some(write) = self.written {
            self.found.entry(write).or_insert(span);
        }
    }

    fn looped(&mut self, body: &Block) {
        // What a round writes comes before what the next one returns.
        self.block(body);
        self.block(body);
    }
}

impl Visit for Order<'_> {
    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::While { cond, body, .. } => {
                self.expr(cond);
                self.looped(body);
            }
            StmtKind::ForRange { start, end, body, .. } => {
                self.expr(start);
                self.expr(end);
                self.looped(body);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn place(&mut self, place: &Place, access: Access) {
        walk_place(self, place);
        if let (PlaceRoot::Storage(_), true) = (place.root, access != Access::Read) {
            self.written = self.written.or(Some(place.span));
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond);
                let before = self.written;
                self.block(then);
                let after = std::mem::replace(&mut self.written, before);
                otherwise.iter().for_each(|block| self.block(block));
                self.written = self.written.or(after);
            }
            ExprKind::Match(matched) => {
                self.expr(&matched.subject);
                let before = self.written;
                let mut after = before;
                for arm in &matched.arms {
                    self.written = before;
                    arm.guard.iter().for_each(|guard| self.expr(guard));
                    self.block(&arm.body);
                    after = after.or(self.written);
                }
                self.written = after;
            }
            ExprKind::Call { function, .. } => {
                walk_expr(self, expr);
                if self.writes[function.index()] {
                    self.written = self.written.or(Some(expr.span));
                }
            }
            ExprKind::Try(operand) => {
                // What the callee writes before its own `Err` is said about the callee.
                let before = self.written;
                self.expr(operand);
                let after = std::mem::replace(&mut self.written, before);
                self.fails(expr.span);
                self.written = after;
            }
            ExprKind::Err(_) => {
                walk_expr(self, expr);
                self.fails(expr.span);
            }
            ExprKind::Return(_) | ExprKind::Break | ExprKind::Continue => {
                walk_expr(self, expr);
                if let ExprKind::Return(_) = expr.kind {
                    self.written = None;
                }
            }
            ExprKind::Revert(_) => {
                walk_expr(self, expr);
                self.written = None;
            }
            ExprKind::Require { cond, failure } => {
                self.expr(cond);
                let before = self.written;
                walk_revert(self, failure);
                self.written = before;
            }
            _ => walk_expr(self, expr),
        }
    }
}

impl Sema<'_> {
    /// Warns about functions that write and may then return an `Err` that somebody handles. `order` lists callees before
    /// callers, `writes` says which functions write.
    pub(super) fn warn_about_handled_errors(&mut self, order: &[FuncId], writes: &[bool]) {
        if self.diags.has_errors() {
            return;
        }
        let returns_result =
            |id: FuncId| matches!(self.types.get(self.functions[id.index()].result), Type::Result { .. });
        // The functions whose `Err` some caller looks at, callers first.
        let mut handled: BTreeSet<FuncId> = BTreeSet::new();
        for &id in order.iter().rev() {
            let mut calls = Calls::default();
            let body = &self.functions[id.index()].body;
            returned(body, &mut calls.passed_on);
            calls.block(body);
            let passes = returns_result(id) && !handled.contains(&id);
            for (callee, span) in calls.calls {
                if returns_result(callee) && !(passes && calls.passed_on.contains(&span)) {
                    handled.insert(callee);
                }
            }
        }
        let mut warnings = Vec::new();
        for &id in handled.iter().filter(|id| writes[id.index()]) {
            let mut walk = Order { writes, written: None, found: BTreeMap::new() };
            walk.block(&self.functions[id.index()].body);
            warnings.extend(walk.found);
        }
        for (write, fails) in warnings {
            self.diags
                .warning(Code::WriteBeforeErr, write)
                .secondary(fails, "`Err` is returned here, and a caller goes on with what was written")
                .note("check first and write afterwards, or let the error revert");
        }
    }
}
