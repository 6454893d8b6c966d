//! Random programs of the integer core that are well-typed by construction.

use testkit::random::Random;

use crate::model::{
    Call, Cmp, Cond, Contract, ERRORS, EVENTS, End, Expr, Fails, Func, Int, Op, Raise, STRUCTS, Stmt, Ty, int,
};

/// Widths with an even chance for the usual ones and for the others.
fn ty(r: &mut Random) -> Ty {
    let bits = if r.chance(60) { r.pick(&[8, 16, 32, 64, 128, 256]) } else { 8 * (1 + r.index(32)) };
    Ty { signed: r.chance(50), bits }
}

/// A value of the type: mostly near its limits, near zero, or near a power of two.
pub(crate) fn value(r: &mut Random, ty: Ty) -> Int {
    let near = int(r.below(5) as i64 - 2);
    let x = match r.below(9) {
        0 => ty.max().wrapping_sub(int(r.below(3) as i64)),
        1 => ty.min().wrapping_add(int(r.below(3) as i64)),
        2 => near,
        3 => (Int::from(1) << r.index(ty.bits)).wrapping_add(near),
        4..=7 => int(r.below(40) as i64 - 10),
        _ => {
            let mut limbs = [0; 12];
            limbs[..5].fill_with(|| r.bits64());
            Int::from_limbs(limbs)
        }
    };
    ty.wrap(&x)
}

/// A contract with a few members, up to two helpers, and an entry point.
pub(crate) fn contract(r: &mut Random) -> Contract {
    let state: Vec<Ty> = (0..r.below(5)).map(|_| ty(r)).collect();
    let tables: Vec<Ty> = (0..r.below(3)).map(|_| ty(r)).collect();
    let packed = r.chance(50);
    let mut funcs: Vec<Func> = Vec::new();
    for _ in 0..=r.below(5) {
        let result = ty(r);
        let fails = *r.pick(&[&None, &Some(Fails::Set), &Some(Fails::Any)]);
        let (locals, scope) = (Vec::new(), Vec::new());
        let func = Builder {
            r,
            state: &state,
            tables: &tables,
            funcs: &funcs,
            locals,
            scope,
            depth: 0,
            result,
            fails,
        }
        .func();
        funcs.push(func);
    }
    Contract { state, tables, packed, funcs }
}

/// A local that can be named here.
#[derive(Clone, Copy)]
struct Visible {
    id: usize,
    ty: Ty,
    assignable: bool,
}

struct Builder<'a> {
    r: &'a mut Random,
    state: &'a [Ty],
    tables: &'a [Ty],
    funcs: &'a [Func],
    locals: Vec<Ty>,
    scope: Vec<Visible>,
    // How many loops are around.
    depth: usize,
    result: Ty,
    fails: Option<Fails>,
}

impl Builder<'_> {
    fn func(mut self) -> Func {
        let params = self.r.index(5);
        // Few types per function, so that values meet.
        let mut types: Vec<Ty> = (0..1 + self.r.index(3)).map(|_| ty(self.r)).collect();
        if let Some(func) = self.funcs.last() {
            types.push(func.result);
        }
        if !self.tables.is_empty() {
            types.push(self.r.pick(self.tables));
        }
        if !self.state.is_empty() {
            types.push(self.r.pick(self.state));
        }
        for _ in 0..params {
            let ty = self.r.pick(&types);
            self.declare(ty, true);
        }
        self.result = self.r.pick(&types);
        let mut body = Vec::new();
        for _ in 0..1 + self.r.index(3) {
            let ty = self.r.pick(&types);
            let init = self.expr(ty, 3);
            body.push(Stmt::Let(self.declare(ty, true), init));
        }
        body.extend(self.block(3));
        let result = self.result;
        let end = self.end();
        Func { locals: self.locals, params, result, body, end, fails: self.fails }
    }

    fn declare(&mut self, ty: Ty, assignable: bool) -> usize {
        let id = self.locals.len();
        self.locals.push(ty);
        self.scope.push(Visible { id, ty, assignable });
        id
    }

    /// Statements in a scope of their own.
    fn block(&mut self, size: usize) -> Vec<Stmt> {
        let outer = self.scope.len();
        let mut stmts = Vec::new();
        for _ in 0..1 + self.r.index(size + 1) {
            self.stmt(size, &mut stmts);
        }
        self.scope.truncate(outer);
        stmts
    }

    fn assignable(&mut self) -> Option<Visible> {
        let all: Vec<_> = self.scope.iter().copied().filter(|v| v.assignable).collect();
        (!all.is_empty()).then(|| self.r.pick(&all))
    }

    /// Any operation, less often one that faults: otherwise hardly a program would come to its end.
    fn op(&mut self) -> Op {
        loop {
            let op = self.r.pick(&Op::ALL);
            let percent = match op {
                Op::Div | Op::Rem | Op::Mul | Op::Pow => 20,
                Op::Add | Op::Sub => 50,
                _ => 100,
            };
            if self.r.chance(percent) {
                return op;
            }
        }
    }

    fn assigning_op(&mut self) -> Op {
        loop {
            let op = self.op();
            if op.assigns() {
                return op;
            }
        }
    }

    /// The right operand of an operation: shifts and powers take a small unsigned one most of the time.
    fn right(&mut self, op: Op, ty: Ty, size: usize) -> Expr {
        if !op.takes_count() {
            return self.expr(ty, size);
        }
        let count = Ty { signed: false, ..crate::generate::ty(self.r) };
        if self.r.chance(70) {
            let limit = if op == Op::Pow { 6 } else { ty.bits as u64 + 10 };
            return Expr::Lit(count, count.wrap(&Int::from(self.r.below(limit))));
        }
        self.expr(count, size)
    }

    fn stmt(&mut self, size: usize, out: &mut Vec<Stmt>) {
        let smaller = size.saturating_sub(1);
        match self.r.below(22) {
            0..=2 => {
                if let Some(target) = self.assignable() {
                    let value = self.expr(target.ty, 3);
                    out.push(Stmt::Assign(target.id, value));
                }
            }
            3..=5 => {
                if let Some(target) = self.assignable() {
                    let op = self.assigning_op();
                    let right = self.right(op, target.ty, 2);
                    out.push(Stmt::AssignOp(op, target.id, right));
                }
            }
            6 if !self.state.is_empty() => {
                let n = self.r.index(self.state.len());
                let value = self.expr(self.state[n], 2);
                out.push(Stmt::Store(n, value));
            }
            7 if !self.state.is_empty() => {
                let n = self.r.index(self.state.len());
                let op = self.assigning_op();
                let right = self.right(op, self.state[n], 2);
                out.push(Stmt::StoreOp(op, n, right));
            }
            8 | 9 if size > 0 => {
                let cond = self.cond(2);
                let then = self.block(smaller);
                let otherwise = if self.r.chance(50) { self.block(smaller) } else { Vec::new() };
                out.push(Stmt::If(cond, then, otherwise));
            }
            10 if size > 0 => {
                let counter_ty = Ty { signed: self.r.chance(30), bits: 8 * (1 + self.r.index(32)) };
                let counter = self.declare(counter_ty, false);
                out.push(Stmt::Let(counter, Expr::Lit(counter_ty, Int::ZERO)));
                let times = self.r.below(7);
                let cond = self.cond(1);
                let body = self.loop_body(smaller);
                let max = self.loop_max(times);
                out.push(Stmt::While { counter, times, cond, max, body });
            }
            11 if size > 0 => {
                let ty = ty(self.r);
                let from = value(self.r, ty);
                let length = self.r.below(7);
                let mut to = from.wrapping_add(int(length as i64 - 1));
                if !ty.holds(&to) {
                    to = ty.max();
                }
                let inclusive = self.r.chance(50);
                let outer = self.scope.len();
                let var = self.declare(ty, false);
                let body = self.loop_body(smaller);
                self.scope.truncate(outer);
                let max = self.loop_max(length);
                out.push(Stmt::For { var, from, to, inclusive, max, body });
            }
            12 if self.depth > 0 => {
                let cond = self.cond(1);
                out.push(if self.r.chance(50) { Stmt::BreakIf(cond) } else { Stmt::ContinueIf(cond) });
            }
            13 => {
                let cond = self.mostly_true();
                out.push(if self.r.chance(50) { Stmt::Require(cond) } else { Stmt::Assert(cond) });
            }
            16 if self.fails.is_some() => {
                let cond = self.cond(1);
                let raise = self.raise();
                out.push(Stmt::FailIf(cond, raise));
            }
            18 | 19 if !self.tables.is_empty() => {
                let n = self.r.index(self.tables.len());
                let (ty, key) = (self.tables[n], self.key());
                let stmt = if self.r.chance(50) {
                    Stmt::Put(n, key, self.expr(ty, 2))
                } else {
                    let op = self.assigning_op();
                    Stmt::PutOp(op, n, key, self.right(op, ty, 2))
                };
                out.push(stmt);
            }
            17 if self.r.chance(60) => {
                let failing: Vec<usize> =
                    (0..self.funcs.len()).filter(|&n| self.funcs[n].fails.is_some()).collect();
                if !failing.is_empty() {
                    let func = self.r.pick(&failing);
                    out.push(Stmt::Drop(self.call(func, 2)));
                }
            }
            21 => {
                let event = self.r.index(EVENTS.len());
                let args = EVENTS[event].iter().map(|&ty| self.expr(ty, 2)).collect();
                out.push(Stmt::Emit(event, args));
            }
            14 if self.r.chance(40) => {
                let cond = self.cond(1);
                let value = self.expr(self.result, 2);
                out.push(Stmt::ReturnIf(cond, value));
            }
            14 => {
                let (Some(a), Some(b)) = (self.assignable(), self.assignable()) else { return };
                if a.id != b.id && a.ty == b.ty {
                    out.push(Stmt::Swap(a.id, b.id));
                }
            }
            _ => {
                let ty = self.some_type();
                let init = self.expr(ty, 2);
                out.push(Stmt::Let(self.declare(ty, true), init));
            }
        }
    }

    fn loop_body(&mut self, size: usize) -> Vec<Stmt> {
        self.depth += 1;
        let body = self.block(size);
        self.depth -= 1;
        body
    }

    /// A bound that is mostly kept.
    fn loop_max(&mut self, times: u64) -> Option<u64> {
        self.r.chance(40).then(|| 1 + (times + self.r.below(4)).saturating_sub(1))
    }

    fn mostly_true(&mut self) -> Cond {
        let cond = self.cond(1);
        let ty = self.some_type();
        let always = Cond::Cmp(Cmp::Ge, Box::new((Expr::Lit(ty, ty.max()), self.expr(ty, 1))));
        if self.r.chance(70) { Cond::Or(Box::new(always), Box::new(cond)) } else { cond }
    }

    fn some_type(&mut self) -> Ty {
        if !self.scope.is_empty() && self.r.chance(80) {
            let index = self.r.index(self.scope.len());
            return self.scope[index].ty;
        }
        ty(self.r)
    }

    fn cond(&mut self, size: usize) -> Cond {
        if size == 0 || self.r.chance(50) {
            let ty = self.some_type();
            let op = self.r.pick(&Cmp::ALL);
            return Cond::Cmp(op, Box::new((self.expr(ty, 1), self.expr(ty, 1))));
        }
        match self.r.below(3) {
            0 => Cond::And(Box::new(self.cond(size - 1)), Box::new(self.cond(size - 1))),
            1 => Cond::Or(Box::new(self.cond(size - 1)), Box::new(self.cond(size - 1))),
            _ => Cond::Not(Box::new(self.cond(size - 1))),
        }
    }

    /// Whether an error of function `n` may leave this one through `?`.
    fn may_ask(&self, n: usize) -> bool {
        match (self.funcs[n].fails, self.fails) {
            (None, _) | (Some(_), Some(Fails::Any)) | (Some(Fails::Set), Some(Fails::Set)) => true,
            (Some(_), None) | (Some(Fails::Any), Some(Fails::Set)) => false,
        }
    }

    fn call(&mut self, func: usize, size: usize) -> Call {
        let funcs = self.funcs;
        let callee = &funcs[func];
        let args = (0..callee.params).map(|p| self.expr(callee.locals[p], size)).collect();
        Call { func, fails: callee.fails.is_some(), args }
    }

    fn raise(&mut self) -> Raise {
        let variant = self.r.index(ERRORS.len());
        let args = ERRORS[variant].1.iter().map(|&ty| self.expr(ty, 1)).collect();
        Raise { variant, args }
    }

    fn end(&mut self) -> End {
        let result = self.result;
        if self.fails.is_some() {
            let same = |func: &Func| func.result == result && func.fails == self.fails;
            let fitting: Vec<usize> = (0..self.funcs.len()).filter(|&n| same(&self.funcs[n])).collect();
            if !fitting.is_empty() && self.r.chance(50) {
                let func = self.r.pick(&fitting);
                return End::Tail(self.call(func, 2));
            }
            if self.r.chance(40) {
                let (cond, raise) = (self.cond(1), self.raise());
                return End::Fail(cond, raise, self.expr(result, 2));
            }
        }
        End::Value(self.expr(result, 3))
    }

    /// A key of a table: mostly a constant, so that entries meet.
    fn key(&mut self) -> Expr {
        let u8 = Ty { signed: false, bits: 8 };
        if self.r.chance(50) { Expr::Lit(u8, Int::from(self.r.below(3))) } else { self.expr(u8, 2) }
    }

    fn leaf(&mut self, ty: Ty) -> Expr {
        let mut leaves: Vec<Expr> =
            self.scope.iter().filter(|v| v.ty == ty).map(|v| Expr::Local(v.id)).collect();
        leaves.extend((0..self.state.len()).filter(|&n| self.state[n] == ty).map(Expr::State));
        let fitting: Vec<usize> = (0..self.tables.len()).filter(|&n| self.tables[n] == ty).collect();
        if !fitting.is_empty() && self.r.chance(30) {
            let n = self.r.pick(&fitting);
            let key = self.r.below(3);
            return Expr::Entry(n, Box::new(Expr::Lit(Ty { signed: false, bits: 8 }, Int::from(key))));
        }
        if leaves.is_empty() || self.r.chance(25) {
            return Expr::Lit(ty, value(self.r, ty));
        }
        let index = self.r.index(leaves.len());
        leaves.swap_remove(index)
    }

    fn expr(&mut self, ty: Ty, size: usize) -> Expr {
        if size == 0 || self.r.chance(20) {
            return self.leaf(ty);
        }
        match self.r.below(13) {
            12 => {
                let of = self.r.index(STRUCTS.len());
                let at = self.r.index(STRUCTS[of].len());
                let fields = STRUCTS[of].iter().map(|&ty| self.expr(ty, size - 1)).collect();
                let field = Expr::Field(of, fields, at);
                Expr::Cast { checked: false, to: ty, operand: Box::new(field) }
            }
            0..=5 => {
                let op = self.op();
                let left = self.expr(ty, size - 1);
                Expr::Binary(op, ty, Box::new(left), Box::new(self.right(op, ty, size - 1)))
            }
            6 if ty.signed => Expr::Neg(ty, Box::new(self.expr(ty, size - 1))),
            7 => Expr::BitNot(ty, Box::new(self.expr(ty, size - 1))),
            8 => {
                let from = if self.r.chance(50) { self.some_type() } else { crate::generate::ty(self.r) };
                let checked = self.r.chance(15);
                Expr::Cast { checked, to: ty, operand: Box::new(self.expr(from, size - 1)) }
            }
            9 => {
                let cond = self.cond(1);
                let then = self.expr(ty, size - 1);
                Expr::If(Box::new(cond), Box::new(then), Box::new(self.expr(ty, size - 1)))
            }
            10 => {
                let Some(target) = self.assignable() else { return self.leaf(ty) };
                let value = self.expr(target.ty, size - 1);
                Expr::Seq(target.id, Box::new(value), Box::new(self.expr(ty, size - 1)))
            }
            11 if !self.tables.is_empty() && self.r.chance(30) => {
                let n = self.r.index(self.tables.len());
                let entry = Expr::Entry(n, Box::new(self.key()));
                Expr::Cast { checked: false, to: ty, operand: Box::new(entry) }
            }
            _ => {
                let fitting: Vec<usize> = (0..self.funcs.len())
                    .filter(|&n| self.funcs[n].result == ty && self.may_ask(n))
                    .collect();
                if fitting.is_empty() {
                    return self.leaf(ty);
                }
                let func = self.r.pick(&fitting);
                Expr::Call(self.call(func, size - 1))
            }
        }
    }
}
