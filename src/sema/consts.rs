//! The evaluation of constant expressions.
//!
//! [`eval`] computes a typed expression without running anything; which expressions shall be constant is decided where
//! they stand ([`check`](super::check)). Integers without a type yet are [`exact`](super::exact).

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::U256;

use super::exact::{Int, wrap};
use super::typed::{
    ArithMode, BinaryOp, Block, CastKind, CompareOp, DataOp, Expr, ExprKind, LetPattern, LocalId, Place,
    PlaceRoot, PlaceStep, StmtKind, UnaryOp,
};
use super::types::{IntType, TypeId};
use crate::source::Span;

/// The result of evaluating a constant expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// A value of a one-word type.
    Word(U256),
    /// An integer whose type each use decides.
    Literal(Int),
    /// A tuple, the fields of a struct in the order of the declaration, or the elements of an array; `()` has no element.
    Tuple(Vec<Value>),
    /// Contents of `bytes` or `string`.
    Bytes(Arc<[u8]>),
    /// A variant of an enum with payloads or of an `Option`, by its tag.
    Variant(u32, Vec<Value>),
}

/// A constant array has at most this many elements.
const ELEMENTS_MAX: u64 = 4_096;

impl Value {
    fn word(self, span: Span) -> Result<U256, EvalError> {
        match self {
            Value::Word(word) => Ok(word),
            Value::Literal(int) => Ok(int.low_word()),
            _ => Err(EvalError::NotConstant("this is decided when the program runs", span)),
        }
    }
}

/// Why an expression has no constant value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum EvalError {
    /// It would fault: what happens, and where (K0209).
    Fault(&'static str, Span),
    /// It is not made of constants: what is not, and where (K0217).
    NotConstant(&'static str, Span),
    /// It holds a mistake that was reported.
    Reported,
}

pub(super) const OVERFLOW: &str = "overflow";
pub(super) const DIVISION_BY_ZERO: &str = "division by zero";
const INDEX: &str = "index out of range";

/// Evaluates a typed expression that shall be constant.
pub(super) fn eval(expr: &Expr) -> Result<Value, EvalError> {
    eval_with(&HashMap::new(), expr)
}

/// The values of locals that a constant expression binds for itself, such as an array that is indexed.
type Locals = HashMap<LocalId, Value>;

fn eval_with(locals: &Locals, expr: &Expr) -> Result<Value, EvalError> {
    let eval = |expr: &Expr| eval_with(locals, expr);
    let span = expr.span;
    Ok(match &expr.kind {
        ExprKind::Hole => return Err(EvalError::Reported),
        ExprKind::Const(word) => Value::Word(*word),
        ExprKind::Unit => Value::Tuple(Vec::new()),
        ExprKind::Tuple(elements) => Value::Tuple(elements.iter().map(eval).collect::<Result<_, _>>()?),
        ExprKind::TupleField { tuple, index } => match eval(tuple)? {
            Value::Tuple(mut elements) if (*index as usize) < elements.len() => {
                elements.swap_remove(*index as usize)
            }
            _ => return Err(EvalError::Reported),
        },
        ExprKind::Unary { op, operand } => {
            Value::Word(eval_unary(*op, eval(operand)?.word(span)?, operand.ty, span)?)
        }
        ExprKind::Binary { op, left, right } => {
            let (a, b) = (eval(left)?.word(span)?, eval(right)?.word(span)?);
            Value::Word(eval_binary(*op, a, left.ty, b, right.ty, span)?)
        }
        ExprKind::Compare { op, left, right } => {
            Value::Word(U256::from(eval_compare(*op, &eval(left)?, &eval(right)?, left.ty)))
        }
        ExprKind::Logic { and, left, right } => {
            let decided = (eval(left)?.word(span)? == U256::ZERO) == *and;
            Value::Word(if decided { U256::from(!*and) } else { eval(right)?.word(span)? })
        }
        // `bytes` and `string` are cast into each other.
        ExprKind::Cast { kind, operand } => match eval(operand)? {
            Value::Bytes(bytes) => Value::Bytes(bytes),
            value => Value::Word(eval_cast(*kind, value.word(span)?, span)?),
        },
        ExprKind::Bytes(bytes) => Value::Bytes(bytes.clone()),
        ExprKind::Array(elements) => Value::Tuple(elements.iter().map(eval).collect::<Result<_, _>>()?),
        ExprKind::Repeat { element, length } => {
            if *length > ELEMENTS_MAX {
                return Err(EvalError::NotConstant("it has more than 4096 elements", span));
            }
            Value::Tuple(vec![eval(element)?; *length as usize])
        }
        ExprKind::Struct(fields) => {
            let mut values = vec![None; fields.len()];
            for (position, field) in fields {
                let value = eval(field)?;
                if let Some(slot) = values.get_mut(*position as usize) {
                    *slot = Some(value);
                }
            }
            Value::Tuple(values.into_iter().collect::<Option<_>>().ok_or(EvalError::Reported)?)
        }
        ExprKind::Variant { tag, args } => {
            Value::Variant(*tag, args.iter().map(eval).collect::<Result<_, _>>()?)
        }
        ExprKind::Data { op, args } => {
            eval_data(*op, &args.iter().map(eval).collect::<Result<Vec<_>, _>>()?, span)?
        }
        ExprKind::If { cond, then, otherwise: Some(otherwise) } => {
            let branch = if eval(cond)?.word(span)?.is_zero() { otherwise } else { then };
            eval_block(locals, branch)?
        }
        ExprKind::Block(block) => eval_block(locals, block)?,
        ExprKind::Load(place) => eval_place(locals, place)?,
        kind => return Err(EvalError::NotConstant(why_not_constant(kind), span)),
    })
}

/// A block that binds locals and ends with a value.
fn eval_block(locals: &Locals, block: &Block) -> Result<Value, EvalError> {
    let other = || EvalError::NotConstant("it holds statements", block.span);
    let value = block.value.as_ref().ok_or_else(other)?;
    if block.stmts.is_empty() {
        return eval_with(locals, value);
    }
    let mut locals = locals.clone();
    for stmt in &block.stmts {
        let StmtKind::Let { pattern: LetPattern::Local(id), init } = &stmt.kind else { return Err(other()) };
        let bound = eval_with(&locals, init)?;
        locals.insert(*id, bound);
    }
    eval_with(&locals, value)
}

/// A part of a local of a constant expression.
fn eval_place(locals: &Locals, place: &Place) -> Result<Value, EvalError> {
    let variable = || EvalError::NotConstant("it reads a variable", place.span);
    let PlaceRoot::Local(id) = place.root else { return Err(variable()) };
    let mut value = locals.get(&id).ok_or_else(variable)?;
    for step in &place.steps {
        let Value::Tuple(parts) = value else { return Err(variable()) };
        let at = match step {
            PlaceStep::Field(index) => Some(*index as usize),
            PlaceStep::Index(index) => usize::try_from(eval_with(locals, index)?.word(index.span)?).ok(),
            _ => return Err(variable()),
        };
        value = at.and_then(|at| parts.get(at)).ok_or(EvalError::Fault(INDEX, place.span))?;
    }
    Ok(value.clone())
}

/// An operation on constant contents.
fn eval_data(op: DataOp, contents: &[Value], span: Span) -> Result<Value, EvalError> {
    let not_constant = || EvalError::NotConstant("this is decided when the program runs", span);
    match (op, contents) {
        (DataOp::Hash(function), [Value::Bytes(bytes)]) => Ok(Value::Word(function.word_of(bytes))),
        (DataOp::Len, [Value::Bytes(bytes)]) => Ok(Value::Word(U256::from(bytes.len()))),
        (DataOp::Len, [Value::Tuple(elements)]) => Ok(Value::Word(U256::from(elements.len()))),
        (DataOp::Clone, [value]) => Ok(value.clone()),
        (DataOp::Concat, parts) => {
            let mut all = Vec::new();
            for part in parts {
                let Value::Bytes(bytes) = part else { return Err(not_constant()) };
                all.extend_from_slice(bytes);
            }
            Ok(Value::Bytes(all.into()))
        }
        _ => Err(not_constant()),
    }
}

fn why_not_constant(kind: &ExprKind) -> &'static str {
    match kind {
        ExprKind::Load(_) => "it reads a variable",
        ExprKind::Call { .. } => "it calls a function",
        ExprKind::Env(_) | ExprKind::Query { .. } => "it depends on the environment",
        ExprKind::Block(_) => "it holds statements",
        ExprKind::Assign { .. } | ExprKind::AssignOp { .. } => "it assigns",
        ExprKind::If { .. } => "it has no `else`",
        _ => "this is decided when the program runs",
    }
}

/// The integer type whose arithmetic a one-word type follows.
fn int_of(ty: TypeId) -> IntType {
    ty.as_int().unwrap_or(IntType::U256)
}

fn eval_unary(op: UnaryOp, word: U256, ty: TypeId, span: Span) -> Result<U256, EvalError> {
    match op {
        UnaryOp::Not => Ok(word ^ U256::from(1)),
        UnaryOp::Neg => {
            let int = int_of(ty);
            Int::from_word(word, int).neg().to_word(int).ok_or(EvalError::Fault(OVERFLOW, span))
        }
        // `bytes<N>` keeps its padding zero; every other one-word type here is an integer or full width.
        UnaryOp::BitNot => Ok(match ty.as_fixed_bytes() {
            Some(size) => !word & fixed_bytes_mask(size),
            None => wrap(!word, int_of(ty)),
        }),
    }
}

/// The bits of a `bytes<size>` word that hold data.
pub(super) fn fixed_bytes_mask(size: u8) -> U256 {
    U256::MAX << (256 - size as usize * 8)
}

fn eval_binary(
    op: BinaryOp,
    a: U256,
    ty: TypeId,
    b: U256,
    right_ty: TypeId,
    span: Span,
) -> Result<U256, EvalError> {
    let int = int_of(ty);
    let (x, y) = (Int::from_word(a, int), Int::from_word(b, int_of(right_ty)));
    let overflow = EvalError::Fault(OVERFLOW, span);
    let by_mode = |mode, exact: Option<Int>| {
        let exact = exact.ok_or(overflow.clone())?;
        match mode {
            ArithMode::Checked => exact.to_word(int).ok_or(overflow.clone()),
            ArithMode::Wrapping => Ok(exact.wrap_word(int)),
            ArithMode::Saturating => Ok(exact.saturate_word(int)),
        }
    };
    match op {
        BinaryOp::Add(mode) => by_mode(mode, x.add(y)),
        BinaryOp::Sub(mode) => by_mode(mode, x.sub(y)),
        BinaryOp::Mul(mode) => by_mode(mode, x.mul(y)),
        BinaryOp::Div | BinaryOp::Rem if y.is_zero() => Err(EvalError::Fault(DIVISION_BY_ZERO, span)),
        BinaryOp::Div => by_mode(ArithMode::Checked, x.div(y)),
        BinaryOp::Rem => by_mode(ArithMode::Checked, x.rem(y)),
        BinaryOp::Pow => by_mode(ArithMode::Checked, x.pow(y)),
        BinaryOp::Shl => {
            let amount = y.to_u64().filter(|&amount| amount < u64::from(int.bits));
            Ok(amount.map_or(U256::ZERO, |amount| wrap(a << amount as usize, int)))
        }
        BinaryOp::Shr => {
            let amount = y.to_u64().unwrap_or(256).min(256) as usize;
            Ok(match (int.signed, amount) {
                (true, _) => a.arithmetic_shr(amount.min(255)),
                (false, 256) => U256::ZERO,
                (false, _) => a >> amount,
            })
        }
        BinaryOp::And => Ok(a & b),
        BinaryOp::Or => Ok(a | b),
        BinaryOp::Xor => Ok(a ^ b),
    }
}

fn eval_compare(op: CompareOp, a: &Value, b: &Value, ty: TypeId) -> bool {
    let order = match (a, b) {
        (Value::Word(a), Value::Word(b)) => {
            let int = int_of(ty);
            Int::from_word(*a, int).cmp(&Int::from_word(*b, int))
        }
        // Only `==` and `!=` apply to tuples.
        _ if a == b => Ordering::Equal,
        _ => Ordering::Less,
    };
    compare(op, order)
}

/// What `op` says about two values in this order.
pub(super) fn compare(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

fn eval_cast(kind: CastKind, word: U256, span: Span) -> Result<U256, EvalError> {
    Ok(match kind {
        CastKind::IntChecked { from, to } => {
            Int::from_word(word, from).to_word(to).ok_or(EvalError::Fault(OVERFLOW, span))?
        }
        CastKind::IntWrapping { to, .. } => wrap(word, to),
        CastKind::SameWord => word,
        CastKind::FixedBytesToInt { size } => word >> (256 - size as usize * 8),
        CastKind::IntToFixedBytes { size } => word << (256 - size as usize * 8),
        CastKind::TruncateFixedBytes { size } => word & fixed_bytes_mask(size),
        CastKind::IntToEnum { variants } => {
            if word >= U256::from(variants) {
                return Err(EvalError::Fault("no such variant", span));
            }
            word
        }
    })
}
