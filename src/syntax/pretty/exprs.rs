//! Expressions, with parentheses where the grammar needs them.

use std::fmt::Write;

use super::{Printer, begins_with_block};
use crate::syntax::ast::{
    Arm, BinaryOp, CallOption, CallOptionKind, Cond, Expr, ExprKind, FieldInit, If, Literal, LiteralKind,
    Match, Payload, PayloadArgs, UnaryOp,
};

/// Where an expression is printed.
#[derive(Clone, Copy)]
pub(super) struct Context {
    /// Expressions that bind less tightly need parentheses.
    min_level: u8,
    /// Before a block.
    head: bool,
}

impl Context {
    pub(super) const PLAIN: Context = Context { min_level: 0, head: false };
    pub(super) const HEAD: Context = Context { min_level: 0, head: true };

    fn at(self, min_level: u8) -> Context {
        Context { min_level, ..self }
    }
}

// The levels above those of the binary operators, 1 to 10.
const CAST: u8 = 11;
const UNARY: u8 = 12;
const POWER: u8 = 13;
const POSTFIX: u8 = 14;
const PRIMARY: u8 = 15;

/// How tightly an expression binds.
fn level(expr: &Expr) -> u8 {
    match &expr.kind {
        // A jump takes everything to its right.
        ExprKind::Assign { .. } | ExprKind::Return(_) | ExprKind::Revert(_) => 0,
        ExprKind::Binary { op: BinaryOp::Pow, .. } => POWER,
        ExprKind::Binary { op, .. } => op.precedence(),
        ExprKind::Cast { .. } => CAST,
        ExprKind::Unary { .. } => UNARY,
        ExprKind::Field { .. }
        | ExprKind::TupleField { .. }
        | ExprKind::Index { .. }
        | ExprKind::Call { .. }
        | ExprKind::Question(_) => POSTFIX,
        _ => PRIMARY,
    }
}

/// The expression that the text of `expr` begins with, if it is another one.
pub(super) fn left_part(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Assign { place: left, .. }
        | ExprKind::Binary { left, .. }
        | ExprKind::Cast { value: left, .. }
        | ExprKind::Field { base: left, .. }
        | ExprKind::TupleField { base: left, .. }
        | ExprKind::Index { base: left, .. }
        | ExprKind::Call { callee: left, .. }
        | ExprKind::Question(left) => Some(left),
        _ => None,
    }
}

/// Whether a statement that begins with `expr` would end after its first block: only `.`, `?` and `as`
/// continue one.
pub(super) fn would_end_early(mut expr: &Expr) -> bool {
    while let Some(left) = left_part(expr) {
        let continues = matches!(
            expr.kind,
            ExprKind::Field { .. }
                | ExprKind::TupleField { .. }
                | ExprKind::Question(_)
                | ExprKind::Cast { .. }
        );
        if left.kind.is_block_like() && !continues {
            return true;
        }
        expr = left;
    }
    false
}

impl Printer {
    pub(super) fn expr(&mut self, expr: &Expr, context: Context) {
        let refused_in_head =
            matches!(expr.kind, ExprKind::StructLit { .. } | ExprKind::Return(_) | ExprKind::Revert(_));
        if level(expr) < context.min_level || context.head && refused_in_head {
            self.parenthesized(expr);
        } else {
            self.bare(expr, context);
        }
    }

    pub(super) fn parenthesized(&mut self, expr: &Expr) {
        self.text("(");
        self.bare(expr, Context::PLAIN);
        self.text(")");
    }

    fn bare(&mut self, expr: &Expr, context: Context) {
        let plain = Context::PLAIN;
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Path(path) => self.text(path.to_string()),
            ExprKind::SelfValue => self.text("self"),
            ExprKind::State => self.text("state"),
            ExprKind::Transient => self.text("transient"),
            ExprKind::Tuple(exprs) => self.tuple(exprs, |p, expr| p.expr(expr, plain)),
            ExprKind::Array(exprs) => {
                self.text("[");
                self.commas(exprs, |p, expr| p.expr(expr, plain));
                self.text("]");
            }
            ExprKind::Repeat { element, length } => {
                self.text("[");
                self.expr(element, plain);
                self.text("; ");
                self.expr(length, plain);
                self.text("]");
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::If(if_expr) => self.if_expr(if_expr),
            ExprKind::Match(match_expr) => self.match_expr(match_expr),
            ExprKind::New { path, options, args } => {
                self.text(format!("new {path}"));
                self.call_options(options);
                self.args(args);
            }
            ExprKind::StructLit { path, fields } => {
                self.text(format!("{path} "));
                self.fields(fields);
            }
            ExprKind::Unary { op, operand, .. } => self.unary(*op, operand, context),
            ExprKind::Binary { op, left, right, .. } => {
                let (left_level, right_level) = match *op {
                    BinaryOp::Pow => (POSTFIX, UNARY),
                    op if op.is_comparison() => (op.precedence() + 1, op.precedence() + 1),
                    op => (op.precedence(), op.precedence() + 1),
                };
                self.expr(left, context.at(left_level));
                self.text(format!(" {} ", op.spelling()));
                self.expr(right, context.at(right_level));
            }
            ExprKind::Assign { op, place, value, .. } => {
                self.expr(place, context.at(1));
                self.text(format!(" {}= ", op.map_or("", BinaryOp::spelling)));
                self.expr(value, context.at(0));
            }
            ExprKind::Cast { value, wrapping, ty } => {
                self.expr(value, context.at(CAST));
                self.text(if *wrapping { " as% " } else { " as " });
                self.ty(ty);
            }
            ExprKind::Field { base, name } => {
                self.expr(base, context.at(POSTFIX));
                self.text(format!(".{}", name.name));
            }
            ExprKind::TupleField { base, index } => {
                self.expr(base, context.at(POSTFIX));
                self.text(format!(".{}", index.text));
            }
            ExprKind::Index { base, index } => {
                self.expr(base, context.at(POSTFIX));
                self.text("[");
                self.expr(index, plain);
                self.text("]");
            }
            ExprKind::Call { callee, options, args } => {
                // After a path, braces would begin a struct literal.
                if !options.is_empty() && matches!(callee.kind, ExprKind::Path(_)) {
                    self.parenthesized(callee);
                } else {
                    self.expr(callee, context.at(POSTFIX));
                }
                self.call_options(options);
                self.args(args);
            }
            ExprKind::Question(value) => {
                self.expr(value, context.at(POSTFIX));
                self.text("?");
            }
            ExprKind::Return(None) => self.text("return"),
            ExprKind::Return(Some(value)) => {
                self.text("return ");
                self.expr(value, context.at(0));
            }
            ExprKind::Break => self.text("break"),
            ExprKind::Continue => self.text("continue"),
            ExprKind::Revert(None) => self.text("revert"),
            ExprKind::Revert(Some(error)) => {
                self.text("revert ");
                self.payload(error);
            }
            ExprKind::Error => self.text("/* unreadable expression */"),
        }
    }

    fn literal(&mut self, literal: &Literal) {
        match &literal.kind {
            LiteralKind::Int(int) => self.text(&int.text),
            LiteralKind::Str(value) => self.string(value),
            LiteralKind::Bytes(bytes) => {
                self.text("hex\"");
                for byte in bytes.iter() {
                    write!(self.out, "{byte:02x}").expect("a string grows");
                }
                self.text("\"");
            }
            LiteralKind::Bool(value) => self.text(if *value { "true" } else { "false" }),
        }
    }

    pub(super) fn attr_literal(&mut self, literal: &Literal) {
        self.literal(literal);
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, context: Context) {
        self.text(op.spelling());
        // A space keeps `& &x`, `* *x`, `&mut x` and `try x` apart.
        let is_word = matches!(op, UnaryOp::RefMut | UnaryOp::Try);
        let is_prefixed = matches!(operand.kind, ExprKind::Unary { .. });
        self.text(if is_word || is_prefixed { " " } else { "" });
        self.expr(operand, context.at(UNARY));
    }

    fn args(&mut self, args: &[Expr]) {
        self.text("(");
        self.commas(args, |p, arg| p.expr(arg, Context::PLAIN));
        self.text(")");
    }

    fn call_options(&mut self, options: &[CallOption]) {
        if options.is_empty() {
            return;
        }
        self.text("{");
        self.commas(options, |p, option| {
            p.text(match option.kind {
                CallOptionKind::Value => "value: ",
                CallOptionKind::Gas => "gas: ",
                CallOptionKind::Salt => "salt: ",
            });
            p.expr(&option.value, Context::PLAIN);
        });
        self.text("}");
    }

    fn fields(&mut self, fields: &[FieldInit]) {
        self.text("{ ");
        self.commas(fields, |p, field| {
            p.text(&field.name.name);
            if let Some(value) = &field.value {
                p.text(": ");
                p.expr(value, Context::PLAIN);
            }
        });
        self.text(" }");
    }

    pub(super) fn payload(&mut self, payload: &Payload) {
        self.text(payload.path.to_string());
        match &payload.args {
            PayloadArgs::None => {}
            PayloadArgs::Positional(args) => self.args(args),
            PayloadArgs::Named(fields) => {
                self.text(" ");
                self.fields(fields);
            }
        }
    }

    pub(super) fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Expr(expr) => self.expr(expr, Context::HEAD),
            Cond::Let { pattern, value, .. } => {
                self.text("let ");
                self.pattern(pattern);
                self.text(" = ");
                self.expr(value, Context::HEAD);
            }
        }
    }

    fn if_expr(&mut self, if_expr: &If) {
        self.text("if ");
        self.cond(&if_expr.cond);
        self.text(" ");
        self.block(&if_expr.then);
        if let Some(otherwise) = &if_expr.otherwise {
            self.text(" else ");
            self.expr(otherwise, Context::PLAIN);
        }
    }

    fn match_expr(&mut self, match_expr: &Match) {
        self.text("match ");
        self.expr(&match_expr.scrutinee, Context::HEAD);
        self.text(" ");
        self.braces(&match_expr.arms, ",", Self::arm);
    }

    fn arm(&mut self, arm: &Arm) {
        self.pattern(&arm.pattern);
        if let Some(guard) = &arm.guard {
            self.text(" if ");
            self.expr(guard, Context::PLAIN);
        }
        self.text(" => ");
        let is_block = matches!(arm.body.kind, ExprKind::Block(_));
        if !is_block && begins_with_block(&arm.body) {
            self.parenthesized(&arm.body);
        } else {
            self.expr(&arm.body, Context::PLAIN);
        }
    }
}
