//! Quotients and remainders: inline where both operands fit one limb, else by a call.

use alloy_primitives::U256;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use crate::builtins::Builtin;
use crate::translate::Translator;
use crate::translate::words::{Ext, Word};

impl Translator<'_> {
    pub(super) fn div(&mut self, a: Word, b: Word) -> Word {
        if let Some(divisor) = b.constant() {
            if divisor.is_zero() {
                return b;
            }
            if divisor.is_power_of_two() {
                return self.shr(Word::Const(U256::from(divisor.trailing_zeros())), a);
            }
        }
        self.divide(a, b, Builtin::Div, |t, x, y| t.b.ins().udiv(x, y))
    }

    pub(super) fn rem(&mut self, a: Word, b: Word) -> Word {
        if let Some(divisor) = b.constant() {
            if divisor.is_zero() {
                return b;
            }
            if divisor.is_power_of_two() {
                return self.and(a, Word::Const(divisor - U256::ONE));
            }
        }
        self.divide(a, b, Builtin::Rem, |t, x, y| t.b.ins().urem(x, y))
    }

    /// A quotient or remainder: inline for operands of one limb. A divisor of zero is replaced by one, so that
    /// no instruction can trap, and the result by zero.
    fn divide(
        &mut self,
        a: Word,
        b: Word,
        builtin: Builtin,
        compute: fn(&mut Self, Value, Value) -> Value,
    ) -> Word {
        if b.constant().is_some_and(|divisor| divisor.bit_len() > 64) {
            return self.call_words(builtin, &[a, b]);
        }
        let bits = a.unsigned_bits().min(64);
        let one_limb = move |t: &mut Self, x: Value, y: Value| {
            let zero = t.imm(0);
            if b.constant().is_some() {
                // The caller saw to it that a constant divisor is not zero.
                return [compute(t, x, y), zero, zero, zero];
            }
            let is_zero = t.b.ins().icmp(IntCC::Equal, y, zero);
            let one = t.imm(1);
            let divisor = t.b.ins().select(is_zero, one, y);
            let result = compute(t, x, divisor);
            [t.b.ins().select(is_zero, zero, result), zero, zero, zero]
        };
        match self.high_limbs(&[a, b]) {
            None => {
                let (x, y) = (self.low_limb(a), self.low_limb(b));
                Word::unsigned(one_limb(self, x, y)[0], bits)
            }
            Some(high) => self.guarded(high, &[a, b], builtin, one_limb),
        }
    }

    pub(super) fn sdiv(&mut self, a: Word, b: Word) -> Word {
        match b.constant() {
            Some(U256::ZERO) => return b,
            Some(U256::ONE) => return a,
            Some(U256::MAX) => return self.sub(Word::Const(U256::ZERO), a),
            Some(_) | None => {}
        }
        if a.unsigned_bits() < 256 && b.unsigned_bits() < 256 {
            return self.div(a, b);
        }
        let bits = a.signed_bits();
        self.divide_as_signed(
            a,
            b,
            Builtin::Sdiv,
            |t, x, y| t.signed_quotient(x, y, b),
            |_, limb, above| {
                if bits < 64 {
                    Word::signed(limb, bits + 1)
                } else {
                    Word::Wide { limbs: [limb, above], ext: Ext::Sign }
                }
            },
        )
    }

    pub(super) fn smod(&mut self, a: Word, b: Word) -> Word {
        if let Some(U256::ZERO | U256::ONE | U256::MAX) = b.constant() {
            return Word::Const(U256::ZERO);
        }
        if a.unsigned_bits() < 256 && b.unsigned_bits() < 256 {
            return self.rem(a, b);
        }
        let bits = a.signed_bits().min(b.signed_bits());
        let remainder = move |t: &mut Self, x: Value, y: Value| {
            let divisor = if b.constant().is_some() { y } else { t.divisor_or_one(y).0 };
            // By 1 instead of 0 or -1: the remainder is 0, as it must be.
            let limb = t.b.ins().srem(x, divisor);
            [limb, t.above(limb, Ext::Sign)]
        };
        self.divide_as_signed(a, b, Builtin::Smod, remainder, |_, limb, _| Word::signed(limb, bits))
    }

    /// A quotient or remainder of two signed words: inline for operands of one limb.
    fn divide_as_signed(
        &mut self,
        a: Word,
        b: Word,
        builtin: Builtin,
        inline: impl FnOnce(&mut Self, Value, Value) -> [Value; 2],
        narrow: impl FnOnce(&mut Self, Value, Value) -> Word,
    ) -> Word {
        if [a, b].iter().any(|word| word.constant().is_some() && word.signed_bits() > 64) {
            return self.call_words(builtin, &[a, b]);
        }
        match self.beyond_signed_limb(&[a, b]) {
            None => {
                let (x, y) = (self.low_limb(a), self.low_limb(b));
                let [limb, above] = inline(self, x, y);
                narrow(self, limb, above)
            }
            Some(beyond) => self.guarded(beyond, &[a, b], builtin, |t, x, y| {
                let [limb, above] = inline(t, x, y);
                [limb, above, above, above]
            }),
        }
    }

    /// The quotient of signed limbs and what continues it above; 0 for a divisor of zero.
    fn signed_quotient(&mut self, x: Value, y: Value, divisor: Word) -> [Value; 2] {
        if divisor.constant().is_some() {
            // The caller saw to it that it is neither 0 nor -1.
            let limb = self.b.ins().sdiv(x, y);
            return [limb, self.above(limb, Ext::Sign)];
        }
        let (divisor, is_replaced) = self.divisor_or_one(y);
        let quotient = self.b.ins().sdiv(x, divisor);
        // x / 0 is x * 0, and x / -1 is x * -1.
        let product = self.b.ins().imul(x, y);
        let limb = self.b.ins().select(is_replaced, product, quotient);
        // Of two negative numbers the quotient is not negative, not even 2^63 of the least by -1.
        let both = self.b.ins().band(x, y);
        let not_both = self.b.ins().bnot(both);
        let sign = self.b.ins().band(limb, not_both);
        [limb, self.above(sign, Ext::Sign)]
    }

    /// The divisor, or 1 where it is 0 or -1, which processors refuse; and whether it is.
    fn divisor_or_one(&mut self, y: Value) -> (Value, Value) {
        let one = self.imm(1);
        let next = self.b.ins().iadd(y, one);
        let is_replaced = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, next, one);
        (self.b.ins().select(is_replaced, one, y), is_replaced)
    }
}
