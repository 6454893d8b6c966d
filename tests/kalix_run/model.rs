//! A tiny model of the integer core of the language: trees, their source text, and what they mean.
//!
//! Integers are mathematical integers in 768-bit two's complement, wide enough for every intermediate result, so
//! the rules of §8.1 are written down directly: compute exactly, then check, wrap or clamp.

use std::fmt::Write;

use alloy_primitives::{U256, Uint};

/// An exact integer.
pub(crate) type Int = Uint<768, 12>;

/// The exact integer of a small number.
pub(crate) fn int(n: i64) -> Int {
    let magnitude = Int::from(n.unsigned_abs());
    if n < 0 { magnitude.wrapping_neg() } else { magnitude }
}

fn is_negative(x: &Int) -> bool {
    x.bit(767)
}

fn abs(x: &Int) -> Int {
    if is_negative(x) { x.wrapping_neg() } else { *x }
}

/// `a < b`.
pub(crate) fn less(a: &Int, b: &Int) -> bool {
    match (is_negative(a), is_negative(b)) {
        (true, false) => true,
        (false, true) => false,
        _ => a < b,
    }
}

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ty {
    pub(crate) signed: bool,
    pub(crate) bits: usize,
}

impl Ty {
    pub(crate) fn name(self) -> String {
        format!("{}{}", if self.signed { 'i' } else { 'u' }, self.bits)
    }

    pub(crate) fn min(self) -> Int {
        if self.signed { (Int::from(1) << (self.bits - 1)).wrapping_neg() } else { Int::ZERO }
    }

    pub(crate) fn max(self) -> Int {
        (Int::from(1) << (self.bits - usize::from(self.signed))) - Int::from(1)
    }

    pub(crate) fn holds(self, x: &Int) -> bool {
        !less(x, &self.min()) && !less(&self.max(), x)
    }

    /// The integer of the type that is congruent modulo 2^N.
    pub(crate) fn wrap(self, x: &Int) -> Int {
        let modulus = Int::from(1) << self.bits;
        let low: Int = *x & (modulus - Int::from(1));
        if less(&self.max(), &low) { low.wrapping_sub(modulus) } else { low }
    }

    pub(crate) fn clamp(self, x: &Int) -> Int {
        if less(x, &self.min()) {
            self.min()
        } else if less(&self.max(), x) {
            self.max()
        } else {
            *x
        }
    }

    /// The word in which the ABI carries a value of the type.
    pub(crate) fn word(self, x: &Int) -> U256 {
        assert!(self.holds(x));
        let low: Int = *x & ((Int::from(1) << 256) - Int::from(1));
        let limbs: &[u64; 12] = low.as_limbs();
        U256::from_limbs_slice(&limbs[..4])
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    AddWrap,
    SubWrap,
    MulWrap,
    AddSat,
    SubSat,
    MulSat,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

impl Op {
    pub(crate) const ALL: [Op; 17] = [
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::Div,
        Op::Rem,
        Op::Pow,
        Op::AddWrap,
        Op::SubWrap,
        Op::MulWrap,
        Op::AddSat,
        Op::SubSat,
        Op::MulSat,
        Op::And,
        Op::Or,
        Op::Xor,
        Op::Shl,
        Op::Shr,
    ];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::Div => "/",
            Op::Rem => "%",
            Op::Pow => "**",
            Op::AddWrap => "+%",
            Op::SubWrap => "-%",
            Op::MulWrap => "*%",
            Op::AddSat => "+|",
            Op::SubSat => "-|",
            Op::MulSat => "*|",
            Op::And => "&",
            Op::Or => "|",
            Op::Xor => "^",
            Op::Shl => "<<",
            Op::Shr => ">>",
        }
    }

    /// Whether the right operand has a type of its own.
    pub(crate) fn takes_count(self) -> bool {
        matches!(self, Op::Pow | Op::Shl | Op::Shr)
    }

    /// Whether `op=` exists.
    pub(crate) fn assigns(self) -> bool {
        self != Op::Pow
    }

    /// `a op b` in type `ty`.
    pub(crate) fn apply(self, ty: Ty, a: &Int, b: &Int) -> Result<Int, Stop> {
        let checked = |x: Int| if ty.holds(&x) { Ok(x) } else { Err(Stop::Panic(0x11)) };
        let (sum, difference) = (a.wrapping_add(*b), a.wrapping_sub(*b));
        // Operands are below 2^256, so the product is exact.
        let product = || a.wrapping_mul(*b);
        Ok(match self {
            Op::Add => checked(sum)?,
            Op::Sub => checked(difference)?,
            Op::Mul => checked(product())?,
            Op::Div | Op::Rem if b.is_zero() => return Err(Stop::Panic(0x12)),
            Op::Div => {
                let quotient = abs(a) / abs(b);
                checked(if is_negative(a) != is_negative(b) { quotient.wrapping_neg() } else { quotient })?
            }
            Op::Rem => {
                let rest = abs(a) % abs(b);
                if is_negative(a) { rest.wrapping_neg() } else { rest }
            }
            Op::Pow => power(ty, a, b)?,
            Op::AddWrap => ty.wrap(&sum),
            Op::SubWrap => ty.wrap(&difference),
            Op::MulWrap => ty.wrap(&product()),
            Op::AddSat => ty.clamp(&sum),
            Op::SubSat => ty.clamp(&difference),
            Op::MulSat => ty.clamp(&product()),
            Op::And => *a & *b,
            Op::Or => *a | *b,
            Op::Xor => *a ^ *b,
            Op::Shl => match count(b) {
                Some(n) if n < ty.bits => ty.wrap(&(*a << n)),
                _ => Int::ZERO,
            },
            Op::Shr => match count(b) {
                // Rounds towards minus infinity.
                Some(n) if n < ty.bits => arithmetic_shift(a, n),
                _ if is_negative(a) => int(-1),
                _ => Int::ZERO,
            },
        })
    }
}

fn count(b: &Int) -> Option<usize> {
    (*b < Int::from(1024)).then(|| b.as_limbs()[0] as usize)
}

fn arithmetic_shift(a: &Int, n: usize) -> Int {
    if is_negative(a) { !(!*a >> n) } else { *a >> n }
}

fn power(ty: Ty, base: &Int, exponent: &Int) -> Result<Int, Stop> {
    // These never leave the type, however large the exponent is.
    if exponent.is_zero() {
        return Ok(int(1));
    }
    if base.is_zero() || *base == int(1) {
        return Ok(*base);
    }
    if *base == int(-1) {
        return Ok(if exponent.bit(0) { int(-1) } else { int(1) });
    }
    let mut result = int(1);
    let mut left = *exponent;
    while !left.is_zero() {
        result = result.wrapping_mul(*base);
        // The magnitude only grows. One past the range may come back: i8, (-128)... is checked at the end.
        if abs(&result) > (Int::from(1) << 256) {
            return Err(Stop::Panic(0x11));
        }
        left -= Int::from(1);
    }
    if ty.holds(&result) { Ok(result) } else { Err(Stop::Panic(0x11)) }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Cmp {
    pub(crate) const ALL: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Cmp::Eq => "==",
            Cmp::Ne => "!=",
            Cmp::Lt => "<",
            Cmp::Le => "<=",
            Cmp::Gt => ">",
            Cmp::Ge => ">=",
        }
    }

    pub(crate) fn apply(self, a: &Int, b: &Int) -> bool {
        match self {
            Cmp::Eq => a == b,
            Cmp::Ne => a != b,
            Cmp::Lt => less(a, b),
            Cmp::Le => !less(b, a),
            Cmp::Gt => less(b, a),
            Cmp::Ge => !less(a, b),
        }
    }
}

/// Each table has this many entries.
pub(crate) const TABLE_ENTRIES: usize = 4;

/// An integer expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Lit(Ty, Int),
    Local(usize),
    State(usize),
    /// An entry of a table; the key is of type `u8`, and its lower bits count.
    Entry(usize, Box<Expr>),
    Binary(Op, Ty, Box<Expr>, Box<Expr>),
    Neg(Ty, Box<Expr>),
    BitNot(Ty, Box<Expr>),
    /// `as` (checked) or `as%`.
    Cast {
        checked: bool,
        to: Ty,
        operand: Box<Expr>,
    },
    If(Box<Cond>, Box<Expr>, Box<Expr>),
    /// `{ local = value; rest }`
    Seq(usize, Box<Expr>, Box<Expr>),
    /// A call of helper function `n`.
    Call(Call),
}

/// A call of helper function `func`; if that may fail, with `?` or as a returned value.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) func: usize,
    pub(crate) fails: bool,
    pub(crate) args: Vec<Expr>,
}

/// An error value: a variant of [`ERRORS`] and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Raise {
    pub(crate) variant: usize,
    pub(crate) args: Vec<Expr>,
}

/// The error set of every program: names and parameters.
pub(crate) const ERRORS: [(&str, &[Ty]); 4] = [
    ("A", &[]),
    ("B", &[Ty { signed: false, bits: 64 }]),
    ("C", &[Ty { signed: true, bits: 16 }, Ty { signed: false, bits: 8 }]),
    ("D", &[Ty { signed: false, bits: 256 }, Ty { signed: true, bits: 256 }, Ty { signed: false, bits: 40 }]),
];

/// A condition.
#[derive(Clone, Debug)]
pub(crate) enum Cond {
    Cmp(Cmp, Box<(Expr, Expr)>),
    And(Box<Cond>, Box<Cond>),
    Or(Box<Cond>, Box<Cond>),
    Not(Box<Cond>),
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Let(usize, Expr),
    Assign(usize, Expr),
    AssignOp(Op, usize, Expr),
    Store(usize, Expr),
    StoreOp(Op, usize, Expr),
    /// Table, key, value.
    Put(usize, Expr, Expr),
    PutOp(Op, usize, Expr, Expr),
    /// Two locals of one type trade places with an addition in between, by a tuple assignment.
    Swap(usize, usize),
    If(Cond, Vec<Stmt>, Vec<Stmt>),
    /// The counter is a local that only this loop writes: `while counter < times && cond`.
    While {
        counter: usize,
        times: u64,
        cond: Cond,
        max: Option<u64>,
        body: Vec<Stmt>,
    },
    For {
        var: usize,
        from: Int,
        to: Int,
        inclusive: bool,
        max: Option<u64>,
        body: Vec<Stmt>,
    },
    BreakIf(Cond),
    ContinueIf(Cond),
    ReturnIf(Cond, Expr),
    /// `if cond { return Err(…); }`
    FailIf(Cond, Raise),
    /// `let _ = f(…);` of a function that may fail.
    Drop(Call),
    Require(Cond),
    Assert(Cond),
}

/// A function: locals with their types, the parameters first.
#[derive(Clone, Debug)]
pub(crate) struct Func {
    pub(crate) locals: Vec<Ty>,
    pub(crate) params: usize,
    pub(crate) result: Ty,
    pub(crate) body: Vec<Stmt>,
    pub(crate) end: End,
    /// What it returns as `Err`, if it may fail.
    pub(crate) fails: Option<Fails>,
}

/// The error type of a function that may fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fails {
    /// The error set.
    Set,
    /// `Error`.
    Any,
}

/// The value of a body.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Value(Expr),
    /// `if cond { Err(…) } else { Ok(…) }`
    Fail(Cond, Raise, Expr),
    /// The result of another function, passed on.
    Tail(Call),
}

/// A contract: state members, helpers that call earlier helpers only, and the entry point, which is the last.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) state: Vec<Ty>,
    /// Types of the values of the tables.
    pub(crate) tables: Vec<Ty>,
    /// Whether the state members are fields of a group and share slots.
    pub(crate) packed: bool,
    pub(crate) funcs: Vec<Func>,
}

/// Why a run ends without a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// An error on its way to whoever looks at it: the variant and the words of its arguments.
    Error(usize, Vec<U256>),
    Panic(u8),
    /// `require` failed: no data.
    Revert,
    /// The model gives up; the program is not compared.
    TooLong,
}

// Text.

fn lit(ty: Ty, x: &Int) -> String {
    let name = ty.name();
    if is_negative(x) { format!("(-{}{name})", abs(x)) } else { format!("{x}{name}") }
}

impl Expr {
    fn text(&self) -> String {
        match self {
            Expr::Lit(ty, x) => lit(*ty, x),
            Expr::Local(n) => format!("v{n}"),
            Expr::State(n) => format!("state.s{n}"),
            Expr::Entry(n, key) => format!("state.t{n}[{} & {}u8]", key.text(), TABLE_ENTRIES - 1),
            Expr::Binary(op, _, a, b) => format!("({} {} {})", a.text(), op.text(), b.text()),
            Expr::Neg(_, a) => format!("(-{})", a.text()),
            Expr::BitNot(_, a) => format!("(~{})", a.text()),
            Expr::Cast { checked, to, operand } => {
                format!("({} {} {})", operand.text(), if *checked { "as" } else { "as%" }, to.name())
            }
            Expr::If(cond, a, b) => {
                format!("(if {} {{ {} }} else {{ {} }})", cond.text(), a.text(), b.text())
            }
            Expr::Seq(n, value, rest) => format!("({{ v{n} = {}; {} }})", value.text(), rest.text()),
            Expr::Call(call) => format!("{}{}", call.text(), if call.fails { "?" } else { "" }),
        }
    }
}

fn list(exprs: &[Expr]) -> String {
    exprs.iter().map(Expr::text).collect::<Vec<_>>().join(", ")
}

impl Call {
    fn text(&self) -> String {
        format!("f{}({})", self.func, list(&self.args))
    }
}

impl Raise {
    fn text(&self) -> String {
        let (name, params) = ERRORS[self.variant];
        let args = if params.is_empty() { String::new() } else { format!("({})", list(&self.args)) };
        format!("Err(E::{name}{args})")
    }
}

impl End {
    fn text(&self, fails: bool) -> String {
        match self {
            End::Value(value) if fails => format!("Ok({})", value.text()),
            End::Value(value) => value.text(),
            End::Fail(cond, raise, value) => {
                format!("if {} {{ {} }} else {{ Ok({}) }}", cond.text(), raise.text(), value.text())
            }
            End::Tail(call) => call.text(),
        }
    }
}

impl Cond {
    fn text(&self) -> String {
        match self {
            Cond::Cmp(op, sides) => format!("({} {} {})", sides.0.text(), op.text(), sides.1.text()),
            Cond::And(a, b) => format!("({} && {})", a.text(), b.text()),
            Cond::Or(a, b) => format!("({} || {})", a.text(), b.text()),
            Cond::Not(a) => format!("(!{})", a.text()),
        }
    }
}

fn block(func: &Func, stmts: &[Stmt], depth: usize, out: &mut String) {
    for stmt in stmts {
        stmt.write(func, depth, out);
    }
}

impl Stmt {
    fn write(&self, func: &Func, depth: usize, out: &mut String) {
        let pad = "    ".repeat(depth);
        let bound = |max: &Option<u64>| max.map(|m| format!(" [max: {m}]")).unwrap_or_default();
        out.push_str(&pad);
        match self {
            Stmt::Let(n, e) => writeln!(out, "let mut v{n}: {} = {};", func.locals[*n].name(), e.text()),
            Stmt::Assign(n, e) => writeln!(out, "v{n} = {};", e.text()),
            Stmt::AssignOp(op, n, e) => writeln!(out, "v{n} {}= {};", op.text(), e.text()),
            Stmt::Put(n, key, e) => {
                writeln!(out, "state.t{n}[{} & {}u8] = {};", key.text(), TABLE_ENTRIES - 1, e.text())
            }
            Stmt::PutOp(op, n, key, e) => {
                let last = TABLE_ENTRIES - 1;
                writeln!(out, "state.t{n}[{} & {last}u8] {}= {};", key.text(), op.text(), e.text())
            }
            Stmt::Store(n, e) => writeln!(out, "state.s{n} = {};", e.text()),
            Stmt::StoreOp(op, n, e) => writeln!(out, "state.s{n} {}= {};", op.text(), e.text()),
            Stmt::Swap(a, b) => writeln!(out, "(v{a}, v{b}) = (v{b}, v{a});"),
            Stmt::If(cond, then, otherwise) => {
                writeln!(out, "if {} {{", cond.text()).expect("a String accepts all");
                block(func, then, depth + 1, out);
                if !otherwise.is_empty() {
                    writeln!(out, "{pad}}} else {{").expect("a String accepts all");
                    block(func, otherwise, depth + 1, out);
                }
                writeln!(out, "{pad}}}")
            }
            Stmt::While { counter, times, cond, max, body } => {
                let counter_ty = func.locals[*counter].name();
                writeln!(out, "v{counter} = 0{counter_ty};").expect("a String accepts all");
                writeln!(
                    out,
                    "{pad}while v{counter} < {times}{counter_ty} && {}{} {{",
                    cond.text(),
                    bound(max)
                )
                .expect("a String accepts all");
                writeln!(out, "{pad}    v{counter} += 1{counter_ty};").expect("a String accepts all");
                block(func, body, depth + 1, out);
                writeln!(out, "{pad}}}")
            }
            Stmt::For { var, from, to, inclusive, max, body } => {
                let ty = func.locals[*var];
                let dots = if *inclusive { "..=" } else { ".." };
                writeln!(out, "for v{var} in {}{dots}{}{} {{", lit(ty, from), lit(ty, to), bound(max))
                    .expect("a String accepts all");
                block(func, body, depth + 1, out);
                writeln!(out, "{pad}}}")
            }
            Stmt::BreakIf(cond) => writeln!(out, "if {} {{ break; }}", cond.text()),
            Stmt::ContinueIf(cond) => writeln!(out, "if {} {{ continue; }}", cond.text()),
            Stmt::ReturnIf(cond, e) if func.fails.is_some() => {
                writeln!(out, "if {} {{ return Ok({}); }}", cond.text(), e.text())
            }
            Stmt::ReturnIf(cond, e) => writeln!(out, "if {} {{ return {}; }}", cond.text(), e.text()),
            Stmt::FailIf(cond, raise) => writeln!(out, "if {} {{ return {}; }}", cond.text(), raise.text()),
            Stmt::Drop(call) => writeln!(out, "let _ = {};", call.text()),
            Stmt::Require(cond) => writeln!(out, "require({});", cond.text()),
            Stmt::Assert(cond) => writeln!(out, "assert({});", cond.text()),
        }
        .expect("a String accepts all");
    }
}

impl Contract {
    /// The source text. The entry point is `run`.
    pub(crate) fn text(&self) -> String {
        let param = |(n, ty): (usize, &Ty)| format!("p{n}: {}", ty.name());
        let error = |(name, params): &(&str, &[Ty])| {
            let params: Vec<_> = params.iter().enumerate().map(param).collect();
            if params.is_empty() { (*name).to_owned() } else { format!("{name}({})", params.join(", ")) }
        };
        let errors: Vec<_> = ERRORS.iter().map(error).collect();
        let mut out = format!("error E {{ {} }}\ncontract C {{\n", errors.join(", "));
        if self.packed && !self.state.is_empty() {
            let field = |(n, ty): (usize, &Ty)| format!("s{n}: {}", ty.name());
            let fields: Vec<_> = self.state.iter().enumerate().map(field).collect();
            writeln!(out, "    state {{ {} }}", fields.join(", ")).expect("a String accepts all");
        } else {
            for (n, ty) in self.state.iter().enumerate() {
                writeln!(out, "    state s{n}: {};", ty.name()).expect("a String accepts all");
            }
        }
        for (n, ty) in self.tables.iter().enumerate() {
            writeln!(out, "    table t{n}: Map<u8, {}>;", ty.name()).expect("a String accepts all");
        }
        for (n, func) in self.funcs.iter().enumerate() {
            let params: Vec<_> =
                (0..func.params).map(|p| format!("mut v{p}: {}", func.locals[p].name())).collect();
            let name = if n + 1 == self.funcs.len() { "pub fn run".to_owned() } else { format!("fn f{n}") };
            let result = match func.fails {
                None => func.result.name(),
                Some(Fails::Set) => format!("Result<{}, E>", func.result.name()),
                Some(Fails::Any) => format!("Result<{}, Error>", func.result.name()),
            };
            writeln!(out, "    {name}({}) -> {result} {{", params.join(", ")).expect("a String accepts all");
            block(func, &func.body, 2, &mut out);
            writeln!(out, "        {}\n    }}", func.end.text(func.fails.is_some()))
                .expect("a String accepts all");
        }
        out + "}\n"
    }

    /// The types of everything in storage: members, then the entries of each table.
    pub(crate) fn stored(&self) -> Vec<Ty> {
        let entries = self.tables.iter().flat_map(|&ty| [ty; TABLE_ENTRIES]);
        self.state.iter().copied().chain(entries).collect()
    }

    /// Runs the entry point: its value, or why there is none. `state` holds the values of what is [`stored`](Self::stored).
    pub(crate) fn run(&self, args: &[Int], state: &mut [Int]) -> Result<Int, Stop> {
        let mut machine = Machine { contract: self, state, fuel: 20_000 };
        machine.call(self.funcs.len() - 1, args)
    }
}

struct Machine<'a> {
    contract: &'a Contract,
    state: &'a mut [Int],
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
            Expr::Call(call) => self.call_from(frame, call)?,
        })
    }
}
