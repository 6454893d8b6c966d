//! Bitwise operations and shifts. Shifts by constants rename limbs; others call the runtime.

use alloy_primitives::U256;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

use crate::builtins::Builtin;
use crate::translate::Translator;
use crate::translate::words::{Ext, Word};

type LimbOp = fn(&mut FunctionBuilder<'_>, Value, Value) -> Value;

impl Translator<'_> {
    pub(super) fn and(&mut self, a: Word, b: Word) -> Word {
        let bits = a.unsigned_bits().min(b.unsigned_bits());
        if bits == 0 {
            return Word::Const(U256::ZERO);
        }
        if bits <= 64 {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            return Word::unsigned(self.b.ins().band(x, y), bits);
        }
        let (x, y) = (self.limbs(a), self.limbs(b));
        if bits <= 128 {
            return Word::wide(self.b.ins().band(x[0], y[0]), self.b.ins().band(x[1], y[1]));
        }
        Word::Full(std::array::from_fn(|i| self.b.ins().band(x[i], y[i])))
    }

    /// OR and XOR, which keep the width of their operands.
    pub(super) fn bitwise(&mut self, a: Word, b: Word, op: LimbOp) -> Word {
        let unsigned = a.unsigned_bits().max(b.unsigned_bits());
        let signed = a.signed_bits().max(b.signed_bits());
        if unsigned <= 64 || signed <= 64 {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            let limb = op(&mut self.b, x, y);
            return if unsigned <= 64 { Word::unsigned(limb, unsigned) } else { Word::signed(limb, signed) };
        }
        let (x, y) = (self.limbs(a), self.limbs(b));
        if unsigned <= 128 {
            return Word::wide(op(&mut self.b, x[0], y[0]), op(&mut self.b, x[1], y[1]));
        }
        Word::Full(std::array::from_fn(|i| op(&mut self.b, x[i], y[i])))
    }

    pub(super) fn not(&mut self, a: Word) -> Word {
        let signed = a.signed_bits();
        if signed <= 64 {
            let limb = self.low_limb(a);
            return Word::signed(self.b.ins().bnot(limb), signed);
        }
        Word::Full(self.limbs(a).map(|limb| self.b.ins().bnot(limb)))
    }

    pub(super) fn byte(&mut self, index: Word, word: Word) -> Word {
        let Some(index) = index.constant() else {
            return self.call_words(Builtin::Byte, &[index, word]);
        };
        let Some(index) = usize::try_from(index).ok().filter(|&i| i < 32) else {
            return Word::Const(U256::ZERO);
        };
        let at = 31 - index;
        let limb = self.limbs(word)[at / 8];
        let shift = self.imm(8 * (at % 8) as i64);
        let shifted = self.b.ins().ushr(limb, shift);
        let mask = self.imm(0xff);
        Word::unsigned(self.b.ins().band(shifted, mask), 8)
    }

    pub(super) fn shl(&mut self, amount: Word, word: Word) -> Word {
        let Some(amount) = amount.constant() else {
            return self.call_words(Builtin::Shl, &[amount, word]);
        };
        let Some(n) = small_amount(amount) else { return Word::Const(U256::ZERO) };
        let bits = word.unsigned_bits() + n as u16;
        if bits <= 64 {
            let limb = self.low_limb(word);
            let n = self.imm(n as i64);
            return Word::unsigned(self.b.ins().ishl(limb, n), bits);
        }
        let limbs = self.limbs(word);
        let zero = self.imm(0);
        let result = std::array::from_fn(|i| {
            let high = i.checked_sub(n / 64).map_or(zero, |at| limbs[at]);
            let low = i.checked_sub(n / 64 + 1).map_or(zero, |at| limbs[at]);
            self.limb_of_pair(high, low, 64 - n % 64)
        });
        if bits <= 128 { Word::wide(result[0], result[1]) } else { Word::Full(result) }
    }

    pub(super) fn shr(&mut self, amount: Word, word: Word) -> Word {
        let Some(amount) = amount.constant() else {
            return self.call_words(Builtin::Shr, &[amount, word]);
        };
        let Some(n) = small_amount(amount) else { return Word::Const(U256::ZERO) };
        let bits = word.unsigned_bits().saturating_sub(n as u16);
        if bits == 0 {
            return Word::Const(U256::ZERO);
        }
        if word.unsigned_bits() <= 64 {
            let limb = self.low_limb(word);
            let n = self.imm(n as i64);
            return Word::unsigned(self.b.ins().ushr(limb, n), bits);
        }
        let above = self.imm(0);
        let result = self.shift_right(word, n, above);
        match bits {
            0..=64 => Word::unsigned(result[0], bits),
            65..=128 => Word::wide(result[0], result[1]),
            _ => Word::Full(result),
        }
    }

    pub(super) fn sar(&mut self, amount: Word, word: Word) -> Word {
        let Some(amount) = amount.constant() else {
            return self.call_words(Builtin::Sar, &[amount, word]);
        };
        let n = small_amount(amount).unwrap_or(255);
        let bits = word.signed_bits().saturating_sub(n as u16).max(1);
        if word.signed_bits() <= 64 {
            let limb = self.low_limb(word);
            let n = self.imm(n.min(63) as i64);
            return Word::signed(self.b.ins().sshr(limb, n), bits);
        }
        let limbs = self.limbs(word);
        let shift = self.imm(63);
        let sign = self.b.ins().sshr(limbs[3], shift);
        let result = self.shift_right(word, n, sign);
        match bits {
            0..=64 => Word::signed(result[0], bits),
            65..=128 => Word::Wide { limbs: [result[0], result[1]], ext: Ext::Sign },
            _ => Word::Full(result),
        }
    }

    fn shift_right(&mut self, word: Word, n: usize, above: Value) -> [Value; 4] {
        let limbs = self.limbs(word);
        let limb_at = |at: usize| limbs.get(at).copied().unwrap_or(above);
        std::array::from_fn(|i| self.limb_of_pair(limb_at(i + n / 64 + 1), limb_at(i + n / 64), n % 64))
    }

    /// 64 bits of `high:low`, `n` bits above the lowest; `n` is 0..=64.
    fn limb_of_pair(&mut self, high: Value, low: Value, n: usize) -> Value {
        match n {
            0 => low,
            64 => high,
            _ => {
                let right = self.imm(n as i64);
                let left = self.imm(64 - n as i64);
                let low = self.b.ins().ushr(low, right);
                let high = self.b.ins().ishl(high, left);
                self.b.ins().bor(high, low)
            }
        }
    }
}

/// A shift amount below 256.
fn small_amount(amount: U256) -> Option<usize> {
    usize::try_from(amount).ok().filter(|&n| n < 256)
}
