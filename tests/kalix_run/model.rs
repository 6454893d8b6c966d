//! A tiny model of the integer core of the language: trees, their source text, and what they mean.
//!
//! Integers are mathematical integers in 768-bit two's complement, wide enough for every intermediate result, so
//! the rules of §8.1 are written down directly: compute exactly, then check, wrap or clamp.

mod run;
mod text;

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
    /// A field of a struct of the n-th of [`STRUCTS`] made on the spot from the values of all fields.
    Field(usize, Vec<Expr>, usize),
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

const fn unsigned(bits: usize) -> Ty {
    Ty { signed: false, bits }
}

/// The structs of every program: the types of their fields.
pub(crate) const STRUCTS: [&[Ty]; 2] =
    [&[unsigned(64), unsigned(128)], &[Ty { signed: true, bits: 32 }, unsigned(256), unsigned(8)]];

/// The events of every program: the types of their fields. The first field is indexed.
pub(crate) const EVENTS: [&[Ty]; 3] = [
    &[unsigned(64)],
    &[Ty { signed: true, bits: 16 }, unsigned(256)],
    &[unsigned(256), unsigned(128), Ty { signed: true, bits: 256 }, unsigned(8)],
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
    /// Emits one of [`EVENTS`].
    Emit(usize, Vec<Expr>),
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

impl Contract {
    /// The types of everything in storage: members, then the entries of each table.
    pub(crate) fn stored(&self) -> Vec<Ty> {
        let entries = self.tables.iter().flat_map(|&ty| [ty; TABLE_ENTRIES]);
        self.state.iter().copied().chain(entries).collect()
    }
}
