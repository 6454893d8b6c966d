//! Facts about a contract's functions that lowering needs before it begins: who is called, and whose `Err` always
//! ends in a revert.
//!
//! A function *reverts directly* when every caller passes its `Err` on to an entry point: the call is the operand of
//! `?`, or the value returned, in a function that reverts directly itself, and entry points do. Such a function
//! returns T alone and reverts where the source says `Err` (§9.5: this is not observable).

use rustc_hash::FxHashSet;

use super::values;
use crate::sema::typed::{
    AssignTarget, Block, Contract, Expr, ExprKind, FuncId, Place, PlaceStep, Program, Revert, Stmt, StmtKind,
};

/// The facts.
#[derive(Debug, Default)]
pub(super) struct Plan {
    called: FxHashSet<FuncId>,
    reverts_directly: FxHashSet<FuncId>,
}

impl Plan {
    pub(super) fn of(program: &Program, contract: &Contract) -> Plan {
        let mut plan = Plan::default();
        let entry_points: FxHashSet<FuncId> =
            contract.entry_points.iter().map(|entry| entry.function).collect();
        // Functions some of whose callers look at the `Result`.
        let mut observed = FxHashSet::default();
        // Callees stand before their callers, so from the back on all callers of a function are known.
        for &id in contract.functions.iter().rev() {
            let function = program.function(id);
            let returns_result = values::result_parts(&program.types, function.result).is_some();
            let reachable = plan.called.contains(&id) || entry_points.contains(&id);
            let direct = returns_result && reachable && !observed.contains(&id);
            if direct {
                plan.reverts_directly.insert(id);
            }
            let mut walk = Walk { direct, called: &mut plan.called, observed: &mut observed };
            walk.block(&function.body, true);
        }
        plan
    }

    /// Whether some function calls this one.
    pub(super) fn is_called(&self, id: FuncId) -> bool {
        self.called.contains(&id)
    }

    /// Whether the function, which returns a `Result`, reverts instead of returning `Err`.
    pub(super) fn reverts_directly(&self, id: FuncId) -> bool {
        self.reverts_directly.contains(&id)
    }
}

/// Finds the calls in one body.
struct Walk<'a> {
    // Whether the function walked reverts directly.
    direct: bool,
    called: &'a mut FxHashSet<FuncId>,
    observed: &'a mut FxHashSet<FuncId>,
}

impl Walk<'_> {
    /// `returned`: the value is what the function returns.
    fn block(&mut self, block: &Block, returned: bool) {
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        if let Some(value) = &block.value {
            self.expr(value, returned);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { init: expr, .. } | StmtKind::Expr(expr) => self.expr(expr, false),
            StmtKind::Emit { fields, .. } => fields.iter().for_each(|(_, field)| self.expr(field, false)),
            StmtKind::While { cond, body, .. } => {
                self.expr(cond, false);
                self.block(body, false);
            }
            StmtKind::ForRange { start, end, body, .. } => {
                self.expr(start, false);
                self.expr(end, false);
                self.block(body, false);
            }
        }
    }

    /// A call; `passed_on` if its `Err` leaves this function unchanged.
    fn call(&mut self, function: FuncId, args: &[Expr], passed_on: bool) {
        self.called.insert(function);
        if !(self.direct && passed_on) {
            self.observed.insert(function);
        }
        args.iter().for_each(|arg| self.expr(arg, false));
    }

    fn expr(&mut self, expr: &Expr, returned: bool) {
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Unit | ExprKind::Env(_) | ExprKind::Bytes(_) => {}
            ExprKind::Break | ExprKind::Continue | ExprKind::Return(None) | ExprKind::Hole => {}
            ExprKind::Load(place) | ExprKind::Borrow { place, .. } => self.place(place),
            ExprKind::Tuple(parts) | ExprKind::Array(parts) | ExprKind::Data { args: parts, .. } => {
                parts.iter().for_each(|part| self.expr(part, false));
            }
            ExprKind::Variant { args, .. } => args.iter().for_each(|arg| self.expr(arg, false)),
            ExprKind::Match(matched) => {
                self.expr(&matched.subject, false);
                for arm in &matched.arms {
                    if let Some(guard) = &arm.guard {
                        self.expr(guard, false);
                    }
                    self.block(&arm.body, returned);
                }
            }
            ExprKind::Matches { subject, .. } => self.expr(subject, false),
            ExprKind::Struct(fields) => fields.iter().for_each(|(_, field)| self.expr(field, false)),
            ExprKind::Repeat { element, .. } => self.expr(element, false),
            ExprKind::AtPlace { place, args, .. } => {
                self.place(place);
                args.iter().for_each(|arg| self.expr(arg, false));
            }
            ExprKind::TupleField { tuple: operand, .. }
            | ExprKind::Unary { operand, .. }
            | ExprKind::Cast { operand, .. }
            | ExprKind::Query { operand, .. }
            | ExprKind::Ok(operand)
            | ExprKind::Err(operand)
            | ExprKind::IntoAnyError(operand)
            | ExprKind::Assert(operand) => self.expr(operand, false),
            ExprKind::Binary { left, right, .. }
            | ExprKind::Compare { left, right, .. }
            | ExprKind::Logic { left, right, .. } => {
                self.expr(left, false);
                self.expr(right, false);
            }
            ExprKind::Call { function, args } => self.call(*function, args, returned),
            ExprKind::New(creation) => {
                creation.options.iter().for_each(|option| self.expr(&option.1, false));
                creation.args.iter().for_each(|arg| self.expr(arg, false));
            }
            ExprKind::InitHash { args, .. } => args.iter().for_each(|arg| self.expr(arg, false)),
            ExprKind::Create2Address(operands) => {
                operands.iter().for_each(|operand| self.expr(operand, false));
            }
            ExprKind::Modulo { operands, .. } => {
                operands.iter().for_each(|operand| self.expr(operand, false));
            }
            ExprKind::External(call) => {
                self.expr(&call.target, false);
                call.options.iter().for_each(|option| self.expr(&option.1, false));
                call.args.iter().for_each(|arg| self.expr(arg, false));
            }
            ExprKind::RawCall(call) => {
                self.expr(&call.target, false);
                call.options.iter().for_each(|option| self.expr(&option.1, false));
                self.expr(&call.arg, false);
            }
            ExprKind::Try(operand) => match &operand.kind {
                ExprKind::Call { function, args } => self.call(*function, args, true),
                _ => self.expr(operand, false),
            },
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond, false);
                self.block(then, returned);
                if let Some(block) = otherwise {
                    self.block(block, returned);
                }
            }
            ExprKind::Block(block) => self.block(block, returned),
            ExprKind::Assign { target, value } => {
                self.expr(value, false);
                self.target(target);
            }
            ExprKind::AssignOp { place, value, .. } => {
                self.expr(value, false);
                self.place(place);
            }
            ExprKind::Error { args, .. } => args.iter().for_each(|(_, arg)| self.expr(arg, false)),
            ExprKind::Return(Some(value)) => self.expr(value, true),
            ExprKind::Revert(revert) => self.revert(revert),
            ExprKind::Require { cond, failure } => {
                self.expr(cond, false);
                self.revert(failure);
            }
        }
    }

    fn revert(&mut self, revert: &Revert) {
        if let Revert::Error(error) = revert {
            self.expr(error, false);
        }
    }

    fn place(&mut self, place: &Place) {
        for step in &place.steps {
            if let PlaceStep::MapKey(key) | PlaceStep::Index(key) = step {
                self.expr(key, false);
            }
        }
    }

    fn target(&mut self, target: &AssignTarget) {
        match target {
            AssignTarget::Place(place) => self.place(place),
            AssignTarget::Tuple(targets) => targets.iter().for_each(|target| self.target(target)),
        }
    }
}
