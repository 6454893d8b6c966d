//! Arithmetic, comparisons and casts on words.
//!
//! Every operation takes and gives words in the form of their type (§4): zero-extended, sign-extended or
//! left-aligned. Operations that could leave it bring the result back ([`Lower::normalize`]).

use alloy_primitives::U256;
use zvm::outcome::panic_code;

use super::function::Lower;
use crate::ir::{self, Op, Value};
use crate::sema::typed::{ArithMode, BinaryOp, CastKind, CompareOp, UnaryOp};
use crate::sema::types::{IntType, Type, TypeId};
use crate::source::Span;

/// The type as the machine's checked operations name it.
fn machine_type(int: IntType) -> ir::IntType {
    ir::IntType::new(int.signed, int.bits).expect("integer types are of 8 to 256 bits")
}

/// The upper `size` bytes of a word.
fn left_mask(size: u8) -> U256 {
    !U256::ZERO << (256 - 8 * usize::from(size))
}

impl Lower<'_, '_> {
    /// The word modulo 2^N in the form of the type.
    fn normalize(&mut self, int: IntType, word: Value) -> Value {
        match int {
            IntType { bits: 256, .. } => word,
            IntType { signed: false, .. } => {
                let mask = self.b.iconst(int.max_word());
                self.b.binary(Op::And, word, mask)
            }
            IntType { signed: true, .. } => {
                let byte = self.b.iconst_u64(u64::from(int.bytes()) - 1);
                self.b.binary(Op::Signextend, byte, word)
            }
        }
    }

    /// `left op right` in type `ty`; the right operand of shifts and `**` is any unsigned word.
    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        ty: TypeId,
        left: Value,
        right: Value,
        span: Span,
    ) -> Value {
        match op {
            BinaryOp::And => return self.b.binary(Op::And, left, right),
            BinaryOp::Or => return self.b.binary(Op::Or, left, right),
            BinaryOp::Xor => return self.b.binary(Op::Xor, left, right),
            _ => {}
        }
        let Some(int) = ty.as_int() else {
            if ty != TypeId::NEVER {
                self.cx.unsupported(span, "this operator on a type that is not an integer");
            }
            return self.zero();
        };
        let checked = |lower: &mut Self, op| lower.b.checked(op, machine_type(int), &[left, right]);
        match op {
            BinaryOp::Add(ArithMode::Checked) => checked(self, Op::Cadd),
            BinaryOp::Sub(ArithMode::Checked) => checked(self, Op::Csub),
            BinaryOp::Mul(ArithMode::Checked) => checked(self, Op::Cmul),
            BinaryOp::Div => checked(self, Op::Cdiv),
            BinaryOp::Rem => checked(self, Op::Cmod),
            BinaryOp::Pow => checked(self, Op::Cexp),
            BinaryOp::Add(ArithMode::Wrapping) => self.wrapping(Op::Add, int, left, right),
            BinaryOp::Sub(ArithMode::Wrapping) => self.wrapping(Op::Sub, int, left, right),
            BinaryOp::Mul(ArithMode::Wrapping) => self.wrapping(Op::Mul, int, left, right),
            BinaryOp::Add(ArithMode::Saturating) => self.saturating_add(int, left, right),
            BinaryOp::Sub(ArithMode::Saturating) => self.saturating_sub(int, left, right),
            BinaryOp::Mul(ArithMode::Saturating) => self.saturating_mul(int, left, right),
            BinaryOp::Shl => self.wrapping(Op::Shl, int, right, left),
            // A shift by N or more leaves no bit, or the sign alone, because the word is extended.
            BinaryOp::Shr => self.b.binary(if int.signed { Op::Sar } else { Op::Shr }, right, left),
            BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => unreachable!("handled above for all types"),
        }
    }

    fn wrapping(&mut self, op: Op, int: IntType, a: Value, b: Value) -> Value {
        let word = self.b.binary(op, a, b);
        self.normalize(int, word)
    }

    fn saturating_add(&mut self, int: IntType, a: Value, b: Value) -> Value {
        let sum = self.b.binary(Op::Add, a, b);
        match int {
            IntType { signed: false, bits: 256 } => {
                let over = self.b.binary(Op::Lt, sum, a);
                self.all_ones_if(over, sum)
            }
            IntType { signed: false, .. } => self.cap(int, sum),
            IntType { signed: true, bits: 256 } => {
                let (x, y) = (self.b.binary(Op::Xor, a, sum), self.b.binary(Op::Xor, b, sum));
                self.clamp_by_sign(int, (x, y), a, sum)
            }
            IntType { signed: true, .. } => self.clamp(int, sum),
        }
    }

    fn saturating_sub(&mut self, int: IntType, a: Value, b: Value) -> Value {
        let difference = self.b.binary(Op::Sub, a, b);
        match int {
            IntType { signed: false, .. } => {
                let fits = {
                    let under = self.b.binary(Op::Lt, a, b);
                    self.b.unary(Op::Iszero, under)
                };
                self.b.binary(Op::Mul, difference, fits)
            }
            IntType { signed: true, bits: 256 } => {
                let (x, y) = (self.b.binary(Op::Xor, a, b), self.b.binary(Op::Xor, a, difference));
                self.clamp_by_sign(int, (x, y), a, difference)
            }
            IntType { signed: true, .. } => self.clamp(int, difference),
        }
    }

    fn saturating_mul(&mut self, int: IntType, a: Value, b: Value) -> Value {
        let product = self.b.binary(Op::Mul, a, b);
        if int.bits <= 128 {
            return if int.signed { self.clamp(int, product) } else { self.cap(int, product) };
        }
        let zero = self.zero();
        let max = self.b.iconst(int.max_word());
        if !int.signed {
            // a·b > max exactly when b ≠ 0 and a > ⌊max / b⌋.
            let quotient = self.b.binary(Op::Div, max, b);
            let above = self.b.binary(Op::Gt, a, quotient);
            let some = self.b.binary(Op::Gt, b, zero);
            let over = self.b.binary(Op::And, above, some);
            return self.select(over, max, product);
        }
        // The 256-bit product is exact when dividing it by a gives b again; −1 · −2^255 is the one product that
        // passes this test and is wrong, because the division wraps as well.
        let quotient = self.b.binary(Op::Sdiv, product, a);
        let same = self.b.binary(Op::Eq, quotient, b);
        let differs = self.b.unary(Op::Iszero, same);
        let some = {
            let none = self.b.unary(Op::Iszero, a);
            self.b.unary(Op::Iszero, none)
        };
        let mut over = self.b.binary(Op::And, differs, some);
        if int.bits == 256 {
            let minus_one = self.b.iconst(U256::MAX);
            let least = self.b.iconst(int.min_word());
            let (x, y) = (self.b.binary(Op::Eq, a, minus_one), self.b.binary(Op::Eq, b, least));
            let wraps = self.b.binary(Op::And, x, y);
            over = self.b.binary(Op::Or, over, wraps);
        } else {
            let least = self.b.iconst(int.min_word());
            let (x, y) = (self.b.binary(Op::Sgt, product, max), self.b.binary(Op::Slt, product, least));
            let outside = self.b.binary(Op::Or, x, y);
            over = self.b.binary(Op::Or, over, outside);
        }
        let signs = self.b.binary(Op::Xor, a, b);
        let limit = self.limit_of_sign(int, signs);
        self.select(over, limit, product)
    }

    /// All ones if `condition` is 1, else the word.
    fn all_ones_if(&mut self, condition: Value, word: Value) -> Value {
        let zero = self.zero();
        let ones = self.b.binary(Op::Sub, zero, condition);
        self.b.binary(Op::Or, word, ones)
    }

    /// The lesser of an unsigned word and the greatest value of the type.
    fn cap(&mut self, int: IntType, word: Value) -> Value {
        let max = self.b.iconst(int.max_word());
        let over = self.b.binary(Op::Gt, word, max);
        let word = self.all_ones_if(over, word);
        self.b.binary(Op::And, word, max)
    }

    /// The signed word, clamped to the range of the type.
    fn clamp(&mut self, int: IntType, word: Value) -> Value {
        let (min, max) = (self.b.iconst(int.min_word()), self.b.iconst(int.max_word()));
        let over = self.b.binary(Op::Sgt, word, max);
        let word = self.select(over, max, word);
        let under = self.b.binary(Op::Slt, word, min);
        self.select(under, min, word)
    }

    /// The limit on the side of `like`'s sign if both words of `signs` are negative, else `word`.
    fn clamp_by_sign(&mut self, int: IntType, signs: (Value, Value), like: Value, word: Value) -> Value {
        let both = self.b.binary(Op::And, signs.0, signs.1);
        let top = self.b.iconst_u64(255);
        let over = self.b.binary(Op::Shr, top, both);
        let limit = self.limit_of_sign(int, like);
        self.select(over, limit, word)
    }

    /// The least value of the signed type if `word` is negative, else the greatest.
    fn limit_of_sign(&mut self, int: IntType, word: Value) -> Value {
        let top = self.b.iconst_u64(255);
        let sign = self.b.binary(Op::Sar, top, word);
        let max = self.b.iconst(int.max_word());
        self.b.binary(Op::Xor, sign, max)
    }

    /// `op operand` in type `ty`.
    pub(super) fn unary(&mut self, op: UnaryOp, ty: TypeId, operand: Value) -> Value {
        match (op, ty.as_int()) {
            (UnaryOp::Not, _) => self.b.unary(Op::Iszero, operand),
            (UnaryOp::Neg, Some(int)) => self.b.checked(Op::Cneg, machine_type(int), &[operand]),
            (UnaryOp::BitNot, Some(int @ IntType { signed: false, bits: ..256 })) => {
                let mask = self.b.iconst(int.max_word());
                self.b.binary(Op::Xor, operand, mask)
            }
            (UnaryOp::BitNot, _) => match self.cx.program.types.get(ty) {
                Type::FixedBytes(size @ ..32) => {
                    let mask = self.b.iconst(left_mask(*size));
                    self.b.binary(Op::Xor, operand, mask)
                }
                _ => self.b.unary(Op::Not, operand),
            },
            (UnaryOp::Neg, None) => {
                if ty != TypeId::NEVER {
                    self.cx.unsupported(self.b.span(), "`-` on a type that is not an integer");
                }
                operand
            }
        }
    }

    /// `left op right`, both of type `ty`.
    pub(super) fn compare(&mut self, op: CompareOp, ty: TypeId, left: &[Value], right: &[Value]) -> Value {
        if matches!(op, CompareOp::Eq | CompareOp::Ne) {
            let equal = self.equal(ty, left, right);
            return if op == CompareOp::Eq { equal } else { self.b.unary(Op::Iszero, equal) };
        }
        let (&[a], &[b]) = (left, right) else {
            if ty != TypeId::NEVER {
                self.cx.unsupported(self.b.span(), "an order of values that are not one word");
            }
            return self.zero();
        };
        let signed = ty.as_int().is_some_and(|int| int.signed);
        let (less, greater) = if signed { (Op::Slt, Op::Sgt) } else { (Op::Lt, Op::Gt) };
        let (op, negate) = match op {
            CompareOp::Lt => (less, false),
            CompareOp::Gt => (greater, false),
            CompareOp::Le => (greater, true),
            CompareOp::Ge => (less, true),
            CompareOp::Eq | CompareOp::Ne => unreachable!("handled above for all types"),
        };
        let word = self.b.binary(op, a, b);
        if negate { self.b.unary(Op::Iszero, word) } else { word }
    }

    /// The word in the form of the target type.
    pub(super) fn cast(&mut self, kind: CastKind, word: Value) -> Value {
        let shift = |lower: &mut Self, op, size: u8| {
            let bits = lower.b.iconst_u64(256 - 8 * u64::from(size));
            lower.b.binary(op, bits, word)
        };
        match kind {
            CastKind::SameWord => word,
            CastKind::IntChecked { from, to } | CastKind::IntWrapping { from, to } if to.contains(from) => {
                word
            }
            CastKind::IntChecked { from, to } => {
                let op = if from.signed { Op::CcastSigned } else { Op::Ccast };
                self.b.checked(op, machine_type(to), &[word])
            }
            CastKind::IntWrapping { to, .. } => self.normalize(to, word),
            CastKind::FixedBytesToInt { size: 32 } | CastKind::IntToFixedBytes { size: 32 } => word,
            CastKind::FixedBytesToInt { size } => shift(self, Op::Shr, size),
            CastKind::IntToFixedBytes { size } => shift(self, Op::Shl, size),
            CastKind::TruncateFixedBytes { size } => {
                let mask = self.b.iconst(left_mask(size));
                self.b.binary(Op::And, word, mask)
            }
            CastKind::IntToEnum { variants } => {
                let count = self.b.iconst_u64(u64::from(variants));
                let known = self.b.binary(Op::Lt, word, count);
                self.b.assert(known, panic_code::ENUM);
                word
            }
        }
    }
}
