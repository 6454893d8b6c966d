//! Blocks, `let`, loops.

use alloy_primitives::U256;
use zvm::outcome::panic_code;

use super::function::{Loop, Lower};
use crate::ir::build::Variable;
use crate::ir::{Op, Value};
use crate::sema::typed::{Block, Expr, ExprKind, LetPattern, LocalId, LoopBounds, Stmt, StmtKind};
use crate::sema::types::{Type, TypeId};

/// A condition of at most this many nodes is evaluated in two places rather than jumped to.
const REPEATED_CONDITION_NODES_MAX: usize = 6;

impl<'p> Lower<'_, 'p> {
    /// Lowers the statements of a block and hands back its value, which is still to be lowered.
    pub(super) fn statements<'t>(&mut self, block: &'t Block) -> Option<&'t Expr> {
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        block.value.as_deref()
    }

    /// Lowers a block; the words of its value are those of `ty`.
    pub(super) fn block(&mut self, block: &Block, ty: TypeId) -> Vec<Value> {
        match self.statements(block) {
            // A value that is never reached has a type of its own.
            Some(value) if block.ty == TypeId::NEVER => {
                let words = self.value(value);
                let count = self.words(ty, block.span);
                self.fit(words, count)
            }
            Some(value) => self.value_as(value, ty),
            None => {
                let count = self.words(ty, block.span);
                self.fit(Vec::new(), count)
            }
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        self.b.set_span(stmt.span);
        match &stmt.kind {
            StmtKind::Let { pattern, init } => {
                let words = self.value(init);
                if init.ty != TypeId::NEVER {
                    self.bind(pattern, init.ty, &words);
                }
            }
            StmtKind::Expr(expr) => {
                self.value(expr);
            }
            StmtKind::Emit { event, fields } => self.emit(*event, fields, stmt.span),
            StmtKind::While { cond, bounds, body } => self.while_loop(cond, bounds, body),
            StmtKind::ForRange { var, start, end, inclusive, bounds, body } => {
                self.range_loop(*var, (start, end, *inclusive), bounds, body);
            }
        }
    }

    fn bind(&mut self, pattern: &LetPattern, ty: TypeId, words: &[Value]) {
        match pattern {
            LetPattern::Discard => {}
            LetPattern::Parts(pattern) => {
                self.test(pattern, &super::matches::Subject::Words(words.to_vec()), None);
            }
            LetPattern::Local(id) => self.define(*id, words),
            LetPattern::Tuple(patterns) => {
                let program = self.cx.program;
                let elements: &[TypeId] = match program.types.get(ty) {
                    Type::Tuple(elements) => elements,
                    _ => &[],
                };
                let mut rest = words;
                for (pattern, &element) in patterns.iter().zip(elements) {
                    let count = self.words(element, self.b.span()).min(rest.len());
                    let (own, others) = rest.split_at(count);
                    self.bind(pattern, element, own);
                    rest = others;
                }
            }
        }
    }

    fn define(&mut self, local: LocalId, words: &[Value]) {
        for (variable, &word) in self.local(local).into_iter().zip(words) {
            self.b.def_var(variable, word);
        }
    }

    /// The counter of iterations that are still allowed.
    fn loop_budget(&mut self, bounds: &LoopBounds) -> Option<Variable> {
        let max = bounds.max?;
        let left = self.b.declare_var();
        let value = self.b.iconst(max);
        self.b.def_var(left, value);
        Some(left)
    }

    /// One iteration, beginning with the check that it is allowed.
    fn iteration(&mut self, budget: Option<Variable>, targets: Loop, body: &Block) {
        if let Some(variable) = budget {
            let left = self.b.use_var(variable);
            self.b.assert(left, panic_code::LOOP_BOUND);
            let one = self.b.iconst_u64(1);
            let rest = self.b.binary(Op::Sub, left, one);
            self.b.def_var(variable, rest);
        }
        self.push_loop(targets);
        self.block(body, TypeId::UNIT);
        self.pop_loop();
        if self.b.is_open() {
            self.b.jump(targets.continue_to);
        }
    }

    fn while_loop(&mut self, cond: &Expr, bounds: &LoopBounds, body: &Block) {
        let budget = self.loop_budget(bounds);
        let (first, again, exit) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        // `again` evaluates the condition after an iteration. A small condition is also evaluated before the first
        // one, which saves a jump in each iteration; otherwise the loop is entered through `again`.
        let repeated = repeatable_nodes(cond).is_some_and(|nodes| nodes <= REPEATED_CONDITION_NODES_MAX);
        let targets = Loop { continue_to: again, break_to: exit };
        if repeated {
            self.condition(cond, first, exit);
            self.b.switch_to(first);
            self.iteration(budget, targets, body);
            self.b.seal_block(again);
            self.b.switch_to(again);
            self.condition(cond, first, exit);
            self.b.seal_block(first);
        } else {
            self.b.jump(again);
            self.b.switch_to(again);
            self.condition(cond, first, exit);
            self.b.seal_block(first);
            self.b.switch_to(first);
            self.iteration(budget, targets, body);
            self.b.seal_block(again);
        }
        self.b.seal_block(exit);
        self.b.switch_to(exit);
    }

    fn range_loop(
        &mut self,
        var: LocalId,
        (start, end, inclusive): (&Expr, &Expr, bool),
        bounds: &LoopBounds,
        body: &Block,
    ) {
        let ty = self.local_type(var);
        let less = if ty.as_int().is_some_and(|int| int.signed) { Op::Slt } else { Op::Lt };
        let first = self.word_as(start, ty);
        let last = self.word_as(end, ty);
        // A loop variable named `_` still counts.
        let [index] = self.local(var)[..] else {
            return self.cx.internal(start.span, "a range that is not of integers");
        };
        self.b.def_var(index, first);
        let kept =
            matches!((constant_trips(start, end, inclusive), bounds.max), (Some(n), Some(max)) if n <= max);
        let budget = if kept { None } else { self.loop_budget(bounds) };
        let (head, again, exit) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        if inclusive {
            let empty = self.b.binary(less, last, first);
            self.b.br(empty, exit, head);
        } else {
            let some = self.b.binary(less, first, last);
            self.b.br(some, head, exit);
        }
        self.b.switch_to(head);
        self.iteration(budget, Loop { continue_to: again, break_to: exit }, body);
        self.b.seal_block(again);
        self.b.switch_to(again);
        // The successor is below the end, or not computed at all: no overflow, and the type's form is kept.
        let one = self.b.iconst_u64(1);
        if inclusive {
            let next = self.b.create_block();
            let here = self.b.use_var(index);
            let done = self.b.binary(Op::Eq, here, last);
            self.b.br(done, exit, next);
            self.b.seal_block(next);
            self.b.switch_to(next);
            let successor = self.b.binary(Op::Add, here, one);
            self.b.def_var(index, successor);
            self.b.jump(head);
        } else {
            let here = self.b.use_var(index);
            let successor = self.b.binary(Op::Add, here, one);
            self.b.def_var(index, successor);
            let more = self.b.binary(less, successor, last);
            self.b.br(more, head, exit);
        }
        self.b.seal_block(head);
        self.b.seal_block(exit);
        self.b.switch_to(exit);
    }
}

/// How many values a range of constants has, at most; an empty range may count as a large one.
fn constant_trips(start: &Expr, end: &Expr, inclusive: bool) -> Option<U256> {
    match (&start.kind, &end.kind) {
        (ExprKind::Const(start), ExprKind::Const(end)) => {
            Some(end.wrapping_sub(*start).saturating_add(U256::from(inclusive)))
        }
        _ => None,
    }
}

/// The number of nodes of an expression that is cheap to evaluate twice in the code: locals, constants and
/// environment reads, compared and combined without faults.
fn repeatable_nodes(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Const(word) if *word <= U256::from(u64::MAX) => Some(1),
        ExprKind::Env(_) => Some(1),
        ExprKind::Load(place) => match place.root {
            crate::sema::typed::PlaceRoot::Local(_) if place.steps.is_empty() => Some(1),
            _ => None,
        },
        ExprKind::Unary { op: crate::sema::typed::UnaryOp::Not, operand } => {
            Some(1 + repeatable_nodes(operand)?)
        }
        ExprKind::Compare { left, right, .. } | ExprKind::Logic { left, right, .. } => {
            Some(1 + repeatable_nodes(left)? + repeatable_nodes(right)?)
        }
        _ => None,
    }
}
