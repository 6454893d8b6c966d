//! Wrapping arithmetic: narrow where both operands are known to be, else on 128-bit halves, else by a call.

use alloy_primitives::U256;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use zvm::bytecode::Op;
use zvm::interp::ops::arith as word_arith;

use crate::analysis::blocks::Instr;
use crate::builtins::Builtin;
use crate::translate::Translator;
use crate::translate::words::{Ext, Word};

impl Translator<'_> {
    pub(super) fn add(&mut self, a: Word, b: Word) -> Word {
        if a.constant() == Some(U256::ZERO) {
            return b;
        }
        if b.constant() == Some(U256::ZERO) {
            return a;
        }
        if let Some(limb) = self.increments(a, b) {
            return Word::unsigned(self.increment(limb), 64);
        }
        let unsigned = a.unsigned_bits().max(b.unsigned_bits());
        let signed = a.signed_bits().max(b.signed_bits());
        if unsigned < 64 || signed < 64 {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            let sum = self.b.ins().iadd(x, y);
            return if unsigned < 64 {
                Word::unsigned(sum, unsigned + 1)
            } else {
                Word::signed(sum, signed + 1)
            };
        }
        if unsigned < 128 || signed < 128 {
            let (x, y) = (self.low_half(a), self.low_half(b));
            let sum = self.b.ins().iadd(x, y);
            return self.wide_result(sum, if unsigned < 128 { Ext::Zero } else { Ext::Sign });
        }
        let [a_low, a_high] = self.halves(a);
        let [b_low, b_high] = self.halves(b);
        let (low, carry) = self.b.ins().uadd_overflow(a_low, b_low);
        let carry = self.b.ins().uextend(types::I128, carry);
        let high = self.b.ins().iadd(a_high, b_high);
        let high = self.b.ins().iadd(high, carry);
        self.join_halves(low, high)
    }

    pub(super) fn sub(&mut self, a: Word, b: Word) -> Word {
        if b.constant() == Some(U256::ZERO) {
            return a;
        }
        if let Some(limb) = self.decrements(a, b) {
            let one = self.imm(1);
            return Word::unsigned(self.b.ins().isub(limb, one), 64);
        }
        let signed = a.signed_bits().max(b.signed_bits());
        if signed < 64 {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            return Word::signed(self.b.ins().isub(x, y), signed + 1);
        }
        if signed < 128 {
            let (x, y) = (self.low_half(a), self.low_half(b));
            let difference = self.b.ins().isub(x, y);
            return self.wide_result(difference, Ext::Sign);
        }
        let [a_low, a_high] = self.halves(a);
        let [b_low, b_high] = self.halves(b);
        let (low, borrow) = self.b.ins().usub_overflow(a_low, b_low);
        let borrow = self.b.ins().uextend(types::I128, borrow);
        let high = self.b.ins().isub(a_high, b_high);
        let high = self.b.ins().isub(high, borrow);
        self.join_halves(low, high)
    }

    /// One more than a limb. In a round opaque to Cranelift, which else adds the one once more wherever the sum is added
    /// to something, from the counter as it was, and so needs both.
    pub(super) fn increment(&mut self, limb: Value) -> Value {
        let one = self.imm(1);
        if self.is_round() { self.b.ins().uadd_overflow(limb, one).0 } else { self.b.ins().iadd(limb, one) }
    }

    /// The limb to add one to, if that is what the sum does and it is known not to overflow 64 bits.
    pub(super) fn increments(&self, a: Word, b: Word) -> Option<Value> {
        let limb = match (a, b) {
            (Word::Narrow { limb, ext: Ext::Zero, .. }, Word::Const(U256::ONE))
            | (Word::Const(U256::ONE), Word::Narrow { limb, ext: Ext::Zero, .. }) => limb,
            _ => return None,
        };
        self.known.is_below_another(limb).then_some(limb)
    }

    /// The limb to take one from, if that is what the difference does and it is known not to be zero.
    pub(super) fn decrements(&self, a: Word, b: Word) -> Option<Value> {
        match (a, b) {
            (Word::Narrow { limb, ext: Ext::Zero, .. }, Word::Const(U256::ONE)) => {
                self.known.is_nonzero(limb).then_some(limb)
            }
            _ => None,
        }
    }

    fn wide_result(&mut self, value: Value, ext: Ext) -> Word {
        let (low, high) = self.b.ins().isplit(value);
        Word::Wide { limbs: [low, high], ext }
    }

    pub(super) fn mul(&mut self, a: Word, b: Word) -> Word {
        for (constant, other) in [(a.constant(), b), (b.constant(), a)] {
            match constant {
                Some(U256::ZERO) => return Word::Const(U256::ZERO),
                Some(value) if value.is_power_of_two() => {
                    let shift = Word::Const(U256::from(value.trailing_zeros()));
                    return self.shl(shift, other);
                }
                Some(_) | None => {}
            }
        }
        let bits = a.unsigned_bits() + b.unsigned_bits();
        let Some(high) = self.high_limbs(&[a, b]) else {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            let low = self.b.ins().imul(x, y);
            if bits <= 64 {
                return Word::unsigned(low, bits);
            }
            let above = self.b.ins().umulhi(x, y);
            return Word::wide(low, above);
        };
        self.guarded(high, &[a, b], Builtin::Mul, |t, x, y| {
            let low = t.b.ins().imul(x, y);
            let above = t.b.ins().umulhi(x, y);
            let zero = t.imm(0);
            [low, above, zero, zero]
        })
    }

    /// `inline` on the lowest limbs when `high` is zero, else the builtin on the words.
    pub(super) fn guarded(
        &mut self,
        high: Value,
        operands: &[Word; 2],
        builtin: Builtin,
        inline: impl FnOnce(&mut Self, Value, Value) -> [Value; 4],
    ) -> Word {
        // Two ways instead of one cost time to compile, so there are only so many.
        if self.guards_left == 0 {
            return self.call_words(builtin, operands);
        }
        self.guards_left -= 1;
        let fast = self.b.create_block();
        let slow = self.b.create_block();
        let done = self.b.create_block();
        let result: [Value; 4] = std::array::from_fn(|_| self.b.append_block_param(done, types::I64));
        let x = self.low_limb(operands[0]);
        let y = self.low_limb(operands[1]);
        self.b.ins().brif(high, slow, &[], fast, &[]);
        self.b.seal_block(fast);
        self.b.seal_block(slow);
        self.b.switch_to_block(fast);
        let limbs = inline(self, x, y);
        self.b.ins().jump(done, &limbs.map(Into::into));
        self.b.switch_to_block(slow);
        let word = self.call_words(builtin, operands);
        let limbs = self.limbs(word);
        self.b.ins().jump(done, &limbs.map(Into::into));
        self.b.seal_block(done);
        self.b.switch_to_block(done);
        Word::Full(result)
    }

    /// By a constant exponent; others are the interpreter's.
    pub(super) fn exp(&mut self, instr: &Instr) {
        let Some(exponent) = self.peek(2).constant() else {
            self.generic(Op::Exp, instr);
            return;
        };
        self.charge_beyond(Op::Exp.dynamic_rate() * exponent.byte_len() as u64, instr);
        let (base, exponent_word) = (self.pop(), self.pop());
        let result = match (base.constant(), u64::try_from(exponent)) {
            (Some(base), _) => Word::Const(word_arith::exp(base, exponent)),
            (None, Ok(0)) => Word::Const(U256::ONE),
            (None, Ok(n @ 1..=4)) => (1..n).fold(base, |power, _| self.mul(power, base)),
            (None, _) => self.call_words(Builtin::Exp, &[base, exponent_word]),
        };
        self.push(result);
    }

    pub(super) fn sign_extend(&mut self, index: Word, word: Word) -> Word {
        let Some(index) = index.constant() else {
            return self.call_words(Builtin::Signextend, &[index, word]);
        };
        let Ok(index) = u16::try_from(index) else { return word };
        let bits = 8 * (index.min(31) + 1);
        if word.signed_bits() <= bits {
            return word;
        }
        if bits <= 64 {
            let limb = self.low_limb(word);
            return Word::signed(self.extend_limb(limb, bits), bits);
        }
        let mut limbs = self.limbs(word);
        let at = usize::from(bits - 1) / 64;
        limbs[at] = self.extend_limb(limbs[at], bits - 64 * at as u16);
        if at == 3 {
            return Word::Full(limbs);
        }
        let shift = self.imm(63);
        let sign = self.b.ins().sshr(limbs[at], shift);
        for limb in &mut limbs[at + 1..] {
            *limb = sign;
        }
        Word::Full(limbs)
    }

    /// Sign-extends the low `bits` bits of a limb.
    pub(super) fn extend_limb(&mut self, limb: Value, bits: u16) -> Value {
        if bits == 64 {
            return limb;
        }
        let shift = self.imm(i64::from(64 - bits));
        let left = self.b.ins().ishl(limb, shift);
        self.b.ins().sshr(left, shift)
    }
}
