//! Immutables: assigned on every path of the constructor, and not read before (K0713).
//!
//! One walk over the constructor's typed tree in evaluation order carries the set of immutables that are surely assigned.
//! A path that ends early by `return` needs all of them; one that reverts needs none. What functions read that the
//! constructor calls counts at the call.

use std::collections::BTreeSet;

use super::Sema;
use super::typed::{Expr, ExprKind, FuncId, FunctionKind, ImmutableId, Place, PlaceRoot, Stmt, StmtKind};
use super::types::TypeId;
use super::visit::{Access, Visit, walk_expr, walk_place, walk_revert, walk_stmt};
use crate::diag::{Code, Diagnostics};
use crate::source::Span;

/// Immutables that are surely assigned; nothing where control does not come.
type Assigned = Option<BTreeSet<ImmutableId>>;

impl Sema<'_> {
    /// Checks the immutables of every contract; `order` lists callees before callers.
    pub(super) fn check_immutables(&mut self, order: &[FuncId]) {
        let mut read: Vec<BTreeSet<ImmutableId>> = vec![BTreeSet::new(); self.signatures.len()];
        for &id in order {
            let effects = &self.signature(id).effects;
            let mut all = effects.immutables_read.clone();
            // A call never leaves the contract, so the numbers mean the same immutables.
            effects.calls.iter().for_each(|call| all.extend(&read[call.0.index()]));
            read[id.index()] = all;
        }
        let Sema { contracts, functions, diags, .. } = self;
        for contract in contracts.iter().filter(|contract| !contract.typed.immutables.is_empty()) {
            let typed = &contract.typed;
            let immutables = typed.immutables.iter();
            let declared = immutables
                .map(|immutable| (immutable.name.as_str(), immutable.span, immutable.ty != TypeId::ERROR))
                .collect();
            let mut walk =
                Walk { read: &read, declared, diags, assigned: Some(BTreeSet::new()), returned: Vec::new() };
            if let Some(id) = typed.initializer {
                walk.block(&functions[id.index()].body);
            }
            match typed.constructor {
                Some(id) => {
                    debug_assert_eq!(functions[id.index()].kind, FunctionKind::Constructor);
                    let body = &functions[id.index()].body;
                    walk.block(body);
                    let end = Span::new(body.span.end.saturating_sub(1), body.span.end);
                    walk.returned.push((walk.assigned.clone(), end));
                    walk.report_unassigned();
                }
                None => {
                    for (name, span, _) in walk.declared {
                        let what = "not assigned: the contract has no constructor";
                        walk.diags.error(Code::ImmutableMisused, span).arg("x", name).arg("what", what);
                    }
                }
            }
        }
    }
}

/// The walk over one constructor.
struct Walk<'s> {
    read: &'s [BTreeSet<ImmutableId>],
    /// Name, place, and whether the type is known.
    declared: Vec<(&'s str, Span, bool)>,
    diags: &'s mut Diagnostics,
    assigned: Assigned,
    /// What is assigned where the constructor ends well.
    returned: Vec<(Assigned, Span)>,
}

/// What is sure where two ways meet.
fn meet(a: Assigned, b: Assigned) -> Assigned {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.intersection(&b).copied().collect()),
        (a, b) => a.or(b),
    }
}

impl Walk<'_> {
    fn report_unassigned(&mut self) {
        for (index, &(name, declared, known)) in self.declared.iter().enumerate() {
            // What has a mistake of its own may be assigned by what has one.
            if !known {
                continue;
            }
            let id = ImmutableId(index as u32);
            let lacks = |(assigned, _): &&(Assigned, Span)| {
                assigned.as_ref().is_some_and(|assigned| !assigned.contains(&id))
            };
            if let Some(&(_, span)) = self.returned.iter().find(lacks) {
                self.diags
                    .error(Code::ImmutableMisused, span)
                    .arg("x", name)
                    .arg("what", "not assigned on this path")
                    .secondary(declared, "declared here");
            }
        }
    }

    fn reads(&mut self, id: ImmutableId, span: Span, through: &str) {
        let Some(assigned) = &mut self.assigned else { return };
        // One report for each: afterwards it counts as assigned.
        if assigned.insert(id) {
            let (name, declared, _) = self.declared[id.index()];
            self.diags
                .error(Code::ImmutableMisused, span)
                .arg("x", name)
                .arg("what", format_args!("read before assignment{through}"))
                .secondary(declared, "declared here");
        }
    }
}

impl Visit for Walk<'_> {
    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::While { cond, body, .. } => {
                self.expr(cond);
                // What a body assigns that may not run is not sure afterwards.
                let before = self.assigned.clone();
                self.block(body);
                self.assigned = before;
            }
            StmtKind::ForRange { start, end, body, .. } => {
                self.expr(start);
                self.expr(end);
                let before = self.assigned.clone();
                self.block(body);
                self.assigned = before;
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn place(&mut self, place: &Place, access: Access) {
        walk_place(self, place);
        let PlaceRoot::Immutable(id) = place.root else { return };
        if access != Access::Write {
            self.reads(id, place.span, "");
        }
        if let (true, Some(assigned)) = (access != Access::Read, &mut self.assigned) {
            assigned.insert(id);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call { function, .. } => {
                walk_expr(self, expr);
                let read = self.read;
                for &id in &read[function.index()] {
                    self.reads(id, expr.span, " by the function called here");
                }
            }
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond);
                let before = self.assigned.clone();
                self.block(then);
                let after = std::mem::replace(&mut self.assigned, before);
                if let Some(otherwise) = otherwise {
                    self.block(otherwise);
                }
                self.assigned = meet(after, self.assigned.take());
            }
            ExprKind::Match(matched) => {
                self.expr(&matched.subject);
                let mut before = self.assigned.clone();
                let mut after = None;
                for arm in &matched.arms {
                    self.assigned = before.clone();
                    if let Some(guard) = &arm.guard {
                        self.expr(guard);
                        // A guard that fails leads to the arms behind it.
                        before = self.assigned.clone();
                    }
                    self.block(&arm.body);
                    after = meet(after, self.assigned.take());
                }
                self.assigned = after;
            }
            ExprKind::Logic { left, right, .. } => {
                self.expr(left);
                let before = self.assigned.clone();
                self.expr(right);
                self.assigned = meet(before, self.assigned.take());
            }
            ExprKind::Return(_) => {
                walk_expr(self, expr);
                let assigned = self.assigned.take();
                self.returned.push((assigned, expr.span));
            }
            ExprKind::Break | ExprKind::Continue => self.assigned = None,
            ExprKind::Revert(_) => {
                walk_expr(self, expr);
                self.assigned = None;
            }
            ExprKind::Require { cond, failure } => {
                self.expr(cond);
                // Whatever the failure assigns, it does not come back.
                let before = self.assigned.clone();
                walk_revert(self, failure);
                self.assigned = before;
            }
            _ => walk_expr(self, expr),
        }
    }
}
