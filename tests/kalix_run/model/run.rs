//! What programs of the model do.

use alloy_primitives::U256;

use super::{
    Call, Cond, Contract, ERRORS, EVENTS, End, Expr, Func, Int, Op, Raise, Stmt, Stop, TABLE_ENTRIES, int,
    less,
};

impl Contract {
    /// Runs the entry point: its value, or why there is none. `state` holds the values of what is [`stored`](Self::stored);
    /// `events` takes the number and the words of each event, in order.
    pub(crate) fn run(
        &self,
        args: &[Int],
        state: &mut [Int],
        events: &mut Vec<(usize, Vec<U256>)>,
    ) -> Result<Int, Stop> {
        let mut machine = Machine { contract: self, state, events, fuel: 20_000 };
        machine.call(self.funcs.len() - 1, args)
    }
}
struct Machine<'a> {
    contract: &'a Contract,
    state: &'a mut [Int],
    events: &'a mut Vec<(usize, Vec<U256>)>,
    fuel: u32,
}

struct Frame<'a> {
    func: &'a Func,
    locals: Vec<Int>,
}

/// How a statement ends.
enum Flow {
    Next,
    Break,
    Continue,
    Return(Int),
}

impl<'a> Machine<'a> {
    fn call(&mut self, index: usize, args: &[Int]) -> Result<Int, Stop> {
        let contract: &'a Contract = self.contract;
        let func = &contract.funcs[index];
        let mut locals = args.to_vec();
        locals.resize(func.locals.len(), Int::ZERO);
        let mut frame = Frame { func, locals };
        match self.block(&mut frame, &func.body)? {
            Flow::Return(value) => Ok(value),
            _ => match &func.end {
                End::Value(value) => self.expr(&mut frame, value),
                End::Fail(cond, raise, value) => {
                    if self.cond(&mut frame, cond)? {
                        return Err(self.raise(&mut frame, raise)?);
                    }
                    self.expr(&mut frame, value)
                }
                End::Tail(call) => self.call_from(&mut frame, call),
            },
        }
    }

    /// Where an entry stands among the members' values.
    fn entry(&mut self, frame: &mut Frame<'a>, table: usize, key: &Expr) -> Result<usize, Stop> {
        let key = self.expr(frame, key)?.as_limbs()[0] as usize % TABLE_ENTRIES;
        Ok(self.contract.state.len() + table * TABLE_ENTRIES + key)
    }

    fn call_from(&mut self, frame: &mut Frame<'a>, call: &Call) -> Result<Int, Stop> {
        let mut values = Vec::new();
        for arg in &call.args {
            values.push(self.expr(frame, arg)?);
        }
        self.call(call.func, &values)
    }

    /// The error as it leaves the function.
    fn raise(&mut self, frame: &mut Frame<'a>, raise: &Raise) -> Result<Stop, Stop> {
        let mut words = Vec::new();
        for (arg, ty) in raise.args.iter().zip(ERRORS[raise.variant].1) {
            words.push(ty.word(&self.expr(frame, arg)?));
        }
        Ok(Stop::Error(raise.variant, words))
    }

    fn burn(&mut self) -> Result<(), Stop> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Stop::TooLong)?;
        Ok(())
    }

    fn block(&mut self, frame: &mut Frame<'a>, stmts: &[Stmt]) -> Result<Flow, Stop> {
        for stmt in stmts {
            match self.stmt(frame, stmt)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    fn stmt(&mut self, frame: &mut Frame<'a>, stmt: &Stmt) -> Result<Flow, Stop> {
        self.burn()?;
        match stmt {
            Stmt::Let(n, e) | Stmt::Assign(n, e) => frame.locals[*n] = self.expr(frame, e)?,
            Stmt::AssignOp(op, n, e) => {
                let right = self.expr(frame, e)?;
                frame.locals[*n] = op.apply(frame.func.locals[*n], &frame.locals[*n], &right)?;
            }
            Stmt::Put(n, key, e) => {
                let value = self.expr(frame, e)?;
                let place = self.entry(frame, *n, key)?;
                self.state[place] = value;
            }
            Stmt::PutOp(op, n, key, e) => {
                let right = self.expr(frame, e)?;
                let place = self.entry(frame, *n, key)?;
                self.state[place] = op.apply(self.contract.tables[*n], &self.state[place], &right)?;
            }
            Stmt::Store(n, e) => self.state[*n] = self.expr(frame, e)?,
            Stmt::StoreOp(op, n, e) => {
                let right = self.expr(frame, e)?;
                self.state[*n] = op.apply(self.contract.state[*n], &self.state[*n], &right)?;
            }
            Stmt::Swap(a, b) => frame.locals.swap(*a, *b),
            Stmt::If(cond, then, otherwise) => {
                let taken = if self.cond(frame, cond)? { then } else { otherwise };
                return self.block(frame, taken);
            }
            Stmt::While { counter, times, cond, max, body } => {
                frame.locals[*counter] = Int::ZERO;
                let mut started = 0;
                while frame.locals[*counter] < Int::from(*times) && self.cond(frame, cond)? {
                    self.start_iteration(&mut started, *max)?;
                    frame.locals[*counter] += Int::from(1);
                    match self.block(frame, body)? {
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                        Flow::Next | Flow::Continue => {}
                    }
                }
            }
            Stmt::For { var, from, to, inclusive, max, body } => {
                let mut started = 0;
                let mut at = *from;
                while if *inclusive { !less(to, &at) } else { less(&at, to) } {
                    self.start_iteration(&mut started, *max)?;
                    frame.locals[*var] = at;
                    match self.block(frame, body)? {
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                        Flow::Next | Flow::Continue => {}
                    }
                    at = at.wrapping_add(int(1));
                }
            }
            Stmt::BreakIf(cond) if self.cond(frame, cond)? => return Ok(Flow::Break),
            Stmt::ContinueIf(cond) if self.cond(frame, cond)? => return Ok(Flow::Continue),
            Stmt::BreakIf(_) | Stmt::ContinueIf(_) => {}
            Stmt::ReturnIf(cond, e) => {
                if self.cond(frame, cond)? {
                    return Ok(Flow::Return(self.expr(frame, e)?));
                }
            }
            Stmt::FailIf(cond, raise) => {
                if self.cond(frame, cond)? {
                    return Err(self.raise(frame, raise)?);
                }
            }
            Stmt::Drop(call) => {
                // The arguments are evaluated here, and their errors leave this function.
                let mut values = Vec::new();
                for arg in &call.args {
                    values.push(self.expr(frame, arg)?);
                }
                match self.call(call.func, &values) {
                    Ok(_) | Err(Stop::Error(..)) => {}
                    Err(stop) => return Err(stop),
                }
            }
            Stmt::Require(cond) => {
                if !self.cond(frame, cond)? {
                    return Err(Stop::Revert);
                }
            }
            Stmt::Emit(event, args) => {
                let mut words = Vec::new();
                for (arg, ty) in args.iter().zip(EVENTS[*event]) {
                    words.push(ty.word(&self.expr(frame, arg)?));
                }
                self.events.push((*event, words));
            }
            Stmt::Assert(cond) => {
                if !self.cond(frame, cond)? {
                    return Err(Stop::Panic(0x01));
                }
            }
        }
        Ok(Flow::Next)
    }

    fn start_iteration(&mut self, started: &mut u64, max: Option<u64>) -> Result<(), Stop> {
        self.burn()?;
        *started += 1;
        if max.is_some_and(|max| *started > max) { Err(Stop::Panic(0x61)) } else { Ok(()) }
    }

    fn cond(&mut self, frame: &mut Frame<'a>, cond: &Cond) -> Result<bool, Stop> {
        Ok(match cond {
            Cond::Cmp(op, sides) => {
                let a = self.expr(frame, &sides.0)?;
                let b = self.expr(frame, &sides.1)?;
                op.apply(&a, &b)
            }
            Cond::And(a, b) => self.cond(frame, a)? && self.cond(frame, b)?,
            Cond::Or(a, b) => self.cond(frame, a)? || self.cond(frame, b)?,
            Cond::Not(a) => !self.cond(frame, a)?,
        })
    }

    fn expr(&mut self, frame: &mut Frame<'a>, expr: &Expr) -> Result<Int, Stop> {
        self.burn()?;
        Ok(match expr {
            Expr::Lit(_, x) => *x,
            Expr::Local(n) => frame.locals[*n],
            Expr::State(n) => self.state[*n],
            Expr::Entry(n, key) => {
                let place = self.entry(frame, *n, key)?;
                self.state[place]
            }
            Expr::Binary(op, ty, a, b) => {
                let a = self.expr(frame, a)?;
                let b = self.expr(frame, b)?;
                op.apply(*ty, &a, &b)?
            }
            Expr::Neg(ty, a) => {
                let a = self.expr(frame, a)?;
                Op::Sub.apply(*ty, &Int::ZERO, &a)?
            }
            Expr::BitNot(ty, a) => {
                let a = self.expr(frame, a)?;
                ty.wrap(&!a)
            }
            Expr::Cast { checked, to, operand } => {
                let a = self.expr(frame, operand)?;
                match (checked, to.holds(&a)) {
                    (true, false) => return Err(Stop::Panic(0x11)),
                    _ => to.wrap(&a),
                }
            }
            Expr::If(cond, a, b) => {
                if self.cond(frame, cond)? {
                    self.expr(frame, a)?
                } else {
                    self.expr(frame, b)?
                }
            }
            Expr::Seq(n, value, rest) => {
                frame.locals[*n] = self.expr(frame, value)?;
                self.expr(frame, rest)?
            }
            Expr::Field(_, fields, at) => {
                let mut values = Vec::new();
                for field in fields {
                    values.push(self.expr(frame, field)?);
                }
                values[*at]
            }
            Expr::Call(call) => self.call_from(frame, call)?,
        })
    }
}
