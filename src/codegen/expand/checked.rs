//! Checked arithmetic in plain operations: the result, and a condition that is true where it does not fit its type.
//!
//! Conditions are written so that one branch to the fault decides: a jump that is not taken costs the way on nothing more.

use alloy_primitives::U256;
use zvm::outcome::panic_code;

use super::Expander;
use crate::ir::{IntType, Op, Value};

impl Expander<'_> {
    /// `a op b` in the type; `result` gets it.
    pub(super) fn checked_binary(&mut self, op: Op, ty: IntType, a: Value, b: Value, result: Value) {
        match op {
            Op::Cadd => self.add(ty, a, b, result),
            Op::Csub => self.subtract(ty, a, b, result),
            Op::Cmul => self.multiply(ty, a, b, result),
            Op::Cdiv => self.divide(ty, a, b, result),
            Op::Cmod => {
                self.refuse_zero(b);
                self.finish(if ty.is_signed() { Op::Smod } else { Op::Mod }, a, b, result);
            }
            Op::Cexp => self.power(ty, a, b, result),
            op => unreachable!("{op:?} has no type and two operands"),
        }
    }

    /// `op a` in the type.
    pub(super) fn checked_unary(&mut self, op: Op, ty: IntType, a: Value, result: Value) {
        match op {
            Op::Cneg => {
                // The least value has no counterpart; of unsigned values only 0 has one.
                let bad = if ty.is_signed() {
                    let least = self.constant(ty.min_word());
                    self.binary(Op::Eq, a, least)
                } else {
                    a
                };
                self.fault_if(bad, panic_code::OVERFLOW);
                let zero = self.number(0);
                self.finish(Op::Sub, zero, a, result);
            }
            Op::Ccast => {
                let outside = self.above(ty, a);
                self.refuse(outside);
                self.replace(result, a);
            }
            Op::CcastSigned => {
                let outside = match ty.is_signed() {
                    true => self.not_extended(ty, a),
                    // Negative words are the greatest unsigned ones.
                    false if ty.bits() < 256 => self.above(ty, a),
                    false => Some(self.is_negative(a)),
                };
                self.refuse(outside);
                self.replace(result, a);
            }
            op => unreachable!("{op:?} has no type and one operand"),
        }
    }

    fn finish(&mut self, op: Op, a: Value, b: Value, result: Value) {
        self.emit(op, crate::ir::Imm::None, &[a, b], vec![result]);
    }

    /// Panic 0x11 if there is such a condition and it holds.
    pub(super) fn refuse(&mut self, bad: Option<Value>) {
        if let Some(bad) = bad {
            self.fault_if(bad, panic_code::OVERFLOW);
        }
    }

    fn refuse_zero(&mut self, divisor: Value) {
        if self.known(divisor).is_none_or(|word| word.is_zero()) {
            let is_zero = self.unary(Op::Iszero, divisor);
            self.fault_if(is_zero, panic_code::DIVISION_BY_ZERO);
        }
    }

    fn is_negative(&mut self, word: Value) -> Value {
        let zero = self.number(0);
        self.binary(Op::Slt, word, zero)
    }

    /// Whether a word, read as unsigned, is above the type; `None` if none is.
    pub(super) fn above(&mut self, ty: IntType, word: Value) -> Option<Value> {
        if ty.max_word() == U256::MAX {
            return None;
        }
        let max = self.constant(ty.max_word());
        Some(self.binary(Op::Gt, word, max))
    }

    /// Whether a word, read as signed, lies outside the signed type: its sign does not reach to the top.
    fn not_extended(&mut self, ty: IntType, word: Value) -> Option<Value> {
        if ty.bits() == 256 {
            return None;
        }
        let byte = self.number(u64::from(ty.bits() / 8) - 1);
        let extended = self.binary(Op::Signextend, byte, word);
        Some(self.binary(Op::Xor, extended, word))
    }

    fn add(&mut self, ty: IntType, a: Value, b: Value, result: Value) {
        self.finish(Op::Add, a, b, result);
        let bad = match (ty.is_signed(), ty.bits()) {
            (false, 256) => Some(self.binary(Op::Lt, result, a)),
            (false, _) => self.above(ty, result),
            (true, 256) => {
                // The sum lies below b exactly when a is negative.
                let (below, negative) = (self.binary(Op::Slt, result, b), self.is_negative(a));
                Some(self.binary(Op::Xor, below, negative))
            }
            (true, _) => self.not_extended(ty, result),
        };
        self.refuse(bad);
    }

    fn subtract(&mut self, ty: IntType, a: Value, b: Value, result: Value) {
        if !ty.is_signed() {
            let below = self.binary(Op::Lt, a, b);
            self.refuse(Some(below));
            return self.finish(Op::Sub, a, b, result);
        }
        self.finish(Op::Sub, a, b, result);
        let bad = if ty.bits() == 256 {
            // The difference lies above a exactly when b is negative.
            let (above, negative) = (self.binary(Op::Sgt, result, a), self.is_negative(b));
            Some(self.binary(Op::Xor, above, negative))
        } else {
            self.not_extended(ty, result)
        };
        self.refuse(bad);
    }

    fn multiply(&mut self, ty: IntType, a: Value, b: Value, result: Value) {
        if ty.is_signed() {
            return self.multiply_signed(ty, a, b, result);
        }
        let factor = self.known(a).map(|word| (word, b)).or(self.known(b).map(|word| (word, a)));
        if let Some((factor, other)) = factor.filter(|(factor, _)| !factor.is_zero()) {
            let most = self.constant(ty.max_word() / factor);
            let bad = self.binary(Op::Gt, other, most);
            self.refuse(Some(bad));
            return self.finish(Op::Mul, a, b, result);
        }
        self.finish(Op::Mul, a, b, result);
        let bad = if ty.bits() <= 128 {
            self.above(ty, result)
        } else {
            // a·b is above the type exactly when a is not 0 and b is above ⌊max / a⌋.
            let max = self.constant(ty.max_word());
            let most = self.binary(Op::Div, max, a);
            let (above, is_zero) = (self.binary(Op::Gt, b, most), self.unary(Op::Iszero, a));
            Some(self.binary(Op::Gt, above, is_zero))
        };
        self.refuse(bad);
    }

    fn multiply_signed(&mut self, ty: IntType, a: Value, b: Value, result: Value) {
        self.finish(Op::Mul, a, b, result);
        if ty.bits() > 128 {
            // The word is the exact product if dividing it by a gives b again, or if a is 0.
            let quotient = self.binary(Op::Sdiv, result, a);
            let (same, is_zero) = (self.binary(Op::Eq, quotient, b), self.unary(Op::Iszero, a));
            let exact = self.binary(Op::Or, same, is_zero);
            let inexact = self.unary(Op::Iszero, exact);
            self.refuse(Some(inexact));
        }
        let bad = if ty.bits() == 256 {
            // Division wraps as multiplication does for the least value: no negative number times it fits.
            let least = self.constant(ty.min_word());
            let (is_least, negative) = (self.binary(Op::Eq, b, least), self.is_negative(a));
            Some(self.binary(Op::And, is_least, negative))
        } else {
            self.not_extended(ty, result)
        };
        self.refuse(bad);
    }

    fn divide(&mut self, ty: IntType, a: Value, b: Value, result: Value) {
        self.refuse_zero(b);
        if !ty.is_signed() {
            return self.finish(Op::Div, a, b, result);
        }
        if self.known(b).is_none_or(|word| word == U256::MAX) {
            let (least, minus_one) = (self.constant(ty.min_word()), self.constant(U256::MAX));
            let (x, y) = (self.binary(Op::Eq, a, least), self.binary(Op::Eq, b, minus_one));
            let bad = self.binary(Op::And, x, y);
            self.refuse(Some(bad));
        }
        self.finish(Op::Sdiv, a, b, result);
    }
}
