//! Comparisons. Their results stay flags, so that a `jumpi` or an `iszero` can use them as they are.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::condcodes::IntCC;

use crate::options::Mistake;
use crate::translate::Translator;
use crate::translate::words::Word;

impl Translator<'_> {
    pub(super) fn less(&mut self, a: Word, b: Word) -> Word {
        let bits = a.unsigned_bits().max(b.unsigned_bits());
        if bits <= 64 {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            return Word::Flag(self.b.ins().icmp(IntCC::UnsignedLessThan, x, y));
        }
        if bits <= 128 {
            let (x, y) = (self.low_half(a), self.low_half(b));
            return Word::Flag(self.b.ins().icmp(IntCC::UnsignedLessThan, x, y));
        }
        self.less_by_halves(a, b, IntCC::UnsignedLessThan)
    }

    pub(super) fn less_signed(&mut self, a: Word, b: Word) -> Word {
        let bits = a.signed_bits().max(b.signed_bits());
        if bits <= 64 {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            return Word::Flag(self.b.ins().icmp(IntCC::SignedLessThan, x, y));
        }
        if bits <= 128 {
            let (x, y) = (self.low_half(a), self.low_half(b));
            return Word::Flag(self.b.ins().icmp(IntCC::SignedLessThan, x, y));
        }
        let is_wrong = self.makes(Mistake::SignedLess);
        let condition = if is_wrong { IntCC::UnsignedLessThan } else { IntCC::SignedLessThan };
        self.less_by_halves(a, b, condition)
    }

    fn less_by_halves(&mut self, a: Word, b: Word, high_condition: IntCC) -> Word {
        let [a_low, a_high] = self.halves(a);
        let [b_low, b_high] = self.halves(b);
        let equal = self.b.ins().icmp(IntCC::Equal, a_high, b_high);
        let low = self.b.ins().icmp(IntCC::UnsignedLessThan, a_low, b_low);
        let high = self.b.ins().icmp(high_condition, a_high, b_high);
        Word::Flag(self.b.ins().select(equal, low, high))
    }

    pub(super) fn equal(&mut self, a: Word, b: Word) -> Word {
        for (constant, other) in [(a.constant(), b), (b.constant(), a)] {
            if constant.is_some_and(|value| value.is_zero()) {
                return Word::Flag(self.is_zero(other));
            }
        }
        let unsigned = a.unsigned_bits().max(b.unsigned_bits());
        let signed = a.signed_bits().max(b.signed_bits());
        if unsigned <= 64 || signed <= 64 {
            let (x, y) = (self.low_limb(a), self.low_limb(b));
            return Word::Flag(self.b.ins().icmp(IntCC::Equal, x, y));
        }
        let (x, y) = (self.limbs(a), self.limbs(b));
        let differences: Vec<_> = x.into_iter().zip(y).map(|(x, y)| self.b.ins().bxor(x, y)).collect();
        let any = self.or_all(&differences);
        let zero = self.imm(0);
        Word::Flag(self.b.ins().icmp(IntCC::Equal, any, zero))
    }
}
