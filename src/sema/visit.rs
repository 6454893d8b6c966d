//! A walk over typed trees in evaluation order.
//!
//! A visitor overrides what it looks at and calls the `walk_…` function to go on inside. Adding a kind of node means adding
//! it here once; walks that need it all follow.

use super::typed::{AssignTarget, Block, Expr, ExprKind, Place, PlaceOp, PlaceStep, Revert, Stmt, StmtKind};

/// What a walk does at each node.
pub trait Visit {
    /// An expression.
    fn expr(&mut self, expr: &Expr) {
        walk_expr(self, expr);
    }

    /// A statement.
    fn stmt(&mut self, stmt: &Stmt) {
        walk_stmt(self, stmt);
    }

    /// A block: its statements, then its value.
    fn block(&mut self, block: &Block) {
        walk_block(self, block);
    }

    /// A place; `access` says what happens to it once its sub-expressions are evaluated.
    fn place(&mut self, place: &Place, access: Access) {
        let _ = access;
        walk_place(self, place);
    }
}

/// What happens to a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// It is read.
    Read,
    /// It is assigned.
    Write,
    /// It is read, then assigned: `op=`.
    Update,
}

/// Visits the parts of a block.
pub fn walk_block<V: Visit + ?Sized>(v: &mut V, block: &Block) {
    block.stmts.iter().for_each(|stmt| v.stmt(stmt));
    if let Some(value) = &block.value {
        v.expr(value);
    }
}

/// Visits the parts of a statement; a loop's body once.
pub fn walk_stmt<V: Visit + ?Sized>(v: &mut V, stmt: &Stmt) {
    match &stmt.kind {
        StmtKind::Let { init: expr, .. } | StmtKind::Expr(expr) => v.expr(expr),
        StmtKind::Emit { fields, .. } => fields.iter().for_each(|(_, field)| v.expr(field)),
        StmtKind::While { cond, body, .. } => {
            v.expr(cond);
            v.block(body);
        }
        StmtKind::ForRange { start, end, body, .. } => {
            v.expr(start);
            v.expr(end);
            v.block(body);
        }
    }
}

/// Visits the sub-expressions of a place.
pub fn walk_place<V: Visit + ?Sized>(v: &mut V, place: &Place) {
    for step in &place.steps {
        match step {
            PlaceStep::MapKey(key) | PlaceStep::Index(key) => v.expr(key),
            PlaceStep::Field(_) | PlaceStep::Payload { .. } => {}
        }
    }
}

/// Visits the places on the left of `=`.
pub fn walk_target<V: Visit + ?Sized>(v: &mut V, target: &AssignTarget) {
    match target {
        AssignTarget::Place(place) => v.place(place, Access::Write),
        AssignTarget::Tuple(targets) => targets.iter().for_each(|target| walk_target(v, target)),
    }
}

/// Visits what a revert carries.
pub fn walk_revert<V: Visit + ?Sized>(v: &mut V, revert: &Revert) {
    if let Revert::Error(error) = revert {
        v.expr(error);
    }
}

/// Visits the parts of an expression; both branches of a choice.
pub fn walk_expr<V: Visit + ?Sized>(v: &mut V, expr: &Expr) {
    match &expr.kind {
        ExprKind::Const(_) | ExprKind::Unit | ExprKind::Env(_) | ExprKind::Hole | ExprKind::Bytes(_) => {}
        ExprKind::Break | ExprKind::Continue | ExprKind::Return(None) => {}
        ExprKind::Load(place) => v.place(place, Access::Read),
        ExprKind::Borrow { place, mutable } => {
            v.place(place, if *mutable { Access::Update } else { Access::Read });
        }
        ExprKind::Tuple(parts) | ExprKind::Array(parts) | ExprKind::Data { args: parts, .. } => {
            parts.iter().for_each(|part| v.expr(part));
        }
        ExprKind::Variant { args, .. } => args.iter().for_each(|arg| v.expr(arg)),
        ExprKind::Match(matched) => {
            v.expr(&matched.subject);
            for arm in &matched.arms {
                if let Some(guard) = &arm.guard {
                    v.expr(guard);
                }
                v.block(&arm.body);
            }
        }
        ExprKind::Matches { subject, .. } => v.expr(subject),
        ExprKind::Struct(fields) => fields.iter().for_each(|(_, field)| v.expr(field)),
        ExprKind::Repeat { element, .. } => v.expr(element),
        ExprKind::AtPlace { op, place, args } => {
            // The place is accessed after the arguments; what is inside it was evaluated before them.
            walk_place(v, place);
            args.iter().for_each(|arg| v.expr(arg));
            let access = match op {
                PlaceOp::Len | PlaceOp::Reach => Access::Read,
                PlaceOp::Clear => Access::Write,
                PlaceOp::Push | PlaceOp::Pop => Access::Update,
            };
            v.place(place, access);
        }
        ExprKind::TupleField { tuple: operand, .. }
        | ExprKind::Unary { operand, .. }
        | ExprKind::Cast { operand, .. }
        | ExprKind::Query { operand, .. }
        | ExprKind::Ok(operand)
        | ExprKind::Err(operand)
        | ExprKind::IntoAnyError(operand)
        | ExprKind::Try(operand)
        | ExprKind::Return(Some(operand))
        | ExprKind::Assert(operand) => v.expr(operand),
        ExprKind::Binary { left, right, .. }
        | ExprKind::Compare { left, right, .. }
        | ExprKind::Logic { left, right, .. } => {
            v.expr(left);
            v.expr(right);
        }
        ExprKind::Call { args, .. } => args.iter().for_each(|arg| v.expr(arg)),
        ExprKind::New(creation) => {
            creation.options.iter().for_each(|option| v.expr(&option.1));
            creation.args.iter().for_each(|arg| v.expr(arg));
        }
        ExprKind::InitHash { args, .. } => args.iter().for_each(|arg| v.expr(arg)),
        ExprKind::Create2Address(operands) => operands.iter().for_each(|operand| v.expr(operand)),
        ExprKind::Modulo { operands, .. } => operands.iter().for_each(|operand| v.expr(operand)),
        ExprKind::External(call) => {
            v.expr(&call.target);
            call.options.iter().for_each(|option| v.expr(&option.1));
            call.args.iter().for_each(|arg| v.expr(arg));
        }
        ExprKind::RawCall(call) => {
            v.expr(&call.target);
            call.options.iter().for_each(|option| v.expr(&option.1));
            v.expr(&call.arg);
        }
        ExprKind::If { cond, then, otherwise } => {
            v.expr(cond);
            v.block(then);
            if let Some(block) = otherwise {
                v.block(block);
            }
        }
        ExprKind::Block(block) => v.block(block),
        ExprKind::Assign { target, value } => {
            v.expr(value);
            walk_target(v, target);
        }
        ExprKind::AssignOp { place, value, .. } => {
            v.expr(value);
            v.place(place, Access::Update);
        }
        ExprKind::Error { args, .. } => args.iter().for_each(|(_, arg)| v.expr(arg)),
        ExprKind::Revert(revert) => walk_revert(v, revert),
        ExprKind::Require { cond, failure } => {
            v.expr(cond);
            walk_revert(v, failure);
        }
    }
}
