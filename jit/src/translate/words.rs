//! 256-bit words as SSA values: four 64-bit limbs, or fewer where the value is known to be narrow.
//!
//! A fact about a width is worth more than any other optimization, and a wrong one is a wrong program, so the list
//! of producers is short: constants, comparisons, masks, shifts by constants, checked operations, sizes. Facts:
//! an unsigned value below 2^bits, or a signed one of that many bits, sign-extended.

use alloy_primitives::U256;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Value, ValueDef, types};

use super::Translator;

/// How a narrow word continues above its limbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ext {
    /// With zeros.
    Zero,
    /// With copies of its top bit.
    Sign,
}

/// A word of the stack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// Known at compile time.
    Const(U256),
    /// 0 or 1, an `i8`.
    Flag(Value),
    /// One limb. `Zero`: below 2^bits. `Sign`: a signed number of `bits` bits. `bits` is 1..=64.
    Narrow { limb: Value, bits: u16, ext: Ext },
    /// Two limbs, lowest first.
    Wide { limbs: [Value; 2], ext: Ext },
    /// Four limbs, lowest first.
    Full([Value; 4]),
}

impl Word {
    /// An unsigned value below 2^bits, `bits` at most 64.
    pub(super) fn unsigned(limb: Value, bits: u16) -> Word {
        Word::Narrow { limb, bits: bits.clamp(1, 64), ext: Ext::Zero }
    }

    /// A signed value of `bits` bits, at most 64.
    pub(super) fn signed(limb: Value, bits: u16) -> Word {
        Word::Narrow { limb, bits: bits.clamp(1, 64), ext: Ext::Sign }
    }

    /// Two limbs, zero-extended.
    pub(super) fn wide(low: Value, high: Value) -> Word {
        Word::Wide { limbs: [low, high], ext: Ext::Zero }
    }

    /// The constant, if it is one.
    pub(super) fn constant(&self) -> Option<U256> {
        match self {
            Word::Const(value) => Some(*value),
            Word::Flag(_) | Word::Narrow { .. } | Word::Wide { .. } | Word::Full(_) => None,
        }
    }

    /// n such that the word, read as unsigned, is below 2^n.
    pub(super) fn unsigned_bits(&self) -> u16 {
        match self {
            Word::Const(value) => value.bit_len() as u16,
            Word::Flag(_) => 1,
            Word::Narrow { bits, ext: Ext::Zero, .. } => *bits,
            Word::Wide { ext: Ext::Zero, .. } => 128,
            Word::Narrow { ext: Ext::Sign, .. } | Word::Wide { ext: Ext::Sign, .. } | Word::Full(_) => 256,
        }
    }

    /// n such that the word, read as signed, has n bits, its sign included.
    pub(super) fn signed_bits(&self) -> u16 {
        match self {
            Word::Const(value) if value.bit(255) => (!*value).bit_len() as u16 + 1,
            Word::Narrow { bits, ext: Ext::Sign, .. } => *bits,
            Word::Wide { ext: Ext::Sign, .. } => 128,
            _ => (self.unsigned_bits() + 1).min(256),
        }
    }
}

impl Translator<'_> {
    /// All four limbs, lowest first.
    pub(super) fn limbs(&mut self, word: Word) -> [Value; 4] {
        match word {
            Word::Const(value) => value.into_limbs().map(|limb| self.imm(limb as i64)),
            Word::Flag(flag) => {
                let limb = self.b.ins().uextend(types::I64, flag);
                let zero = self.imm(0);
                [limb, zero, zero, zero]
            }
            Word::Narrow { limb, ext, .. } => {
                let above = self.above(limb, ext);
                [limb, above, above, above]
            }
            Word::Wide { limbs: [low, high], ext } => {
                let above = self.above(high, ext);
                [low, high, above, above]
            }
            Word::Full(limbs) => limbs,
        }
    }

    pub(super) fn above(&mut self, limb: Value, ext: Ext) -> Value {
        match ext {
            Ext::Zero => self.imm(0),
            Ext::Sign => {
                let shift = self.imm(63);
                self.b.ins().sshr(limb, shift)
            }
        }
    }

    /// The lowest limb.
    pub(super) fn low_limb(&mut self, word: Word) -> Value {
        match word {
            Word::Const(value) => self.imm(value.as_limbs()[0] as i64),
            Word::Flag(flag) => self.b.ins().uextend(types::I64, flag),
            Word::Narrow { limb, .. } => limb,
            Word::Wide { limbs, .. } => limbs[0],
            Word::Full(limbs) => limbs[0],
        }
    }

    /// The low 128 bits as one value.
    pub(super) fn low_half(&mut self, word: Word) -> Value {
        let limbs = self.limbs(word);
        self.b.ins().iconcat(limbs[0], limbs[1])
    }

    /// Both halves as 128-bit values, low first.
    pub(super) fn halves(&mut self, word: Word) -> [Value; 2] {
        let limbs = self.limbs(word);
        [self.b.ins().iconcat(limbs[0], limbs[1]), self.b.ins().iconcat(limbs[2], limbs[3])]
    }

    /// A word of two 128-bit halves, low first.
    pub(super) fn join_halves(&mut self, low: Value, high: Value) -> Word {
        let (a, b) = self.b.ins().isplit(low);
        let (c, d) = self.b.ins().isplit(high);
        Word::Full([a, b, c, d])
    }

    /// The bitwise or of some limbs.
    pub(super) fn or_all(&mut self, limbs: &[Value]) -> Value {
        let mut limbs = limbs.iter().copied();
        let Some(first) = limbs.next() else { return self.imm(0) };
        limbs.fold(first, |all, limb| self.b.ins().bor(all, limb))
    }

    /// An `i64` that is zero when the word is.
    pub(super) fn zero_test(&mut self, word: Word) -> Value {
        match word {
            Word::Narrow { limb, .. } => limb,
            Word::Wide { limbs, .. } => self.or_all(&limbs),
            Word::Full(limbs) => self.or_all(&limbs),
            Word::Const(_) | Word::Flag(_) => self.low_limb_of_bool(word),
        }
    }

    fn low_limb_of_bool(&mut self, word: Word) -> Value {
        match word {
            Word::Const(value) => self.imm(i64::from(!value.is_zero())),
            other => self.low_limb(other),
        }
    }

    /// An `i8` flag: whether the word is not zero.
    pub(super) fn is_nonzero(&mut self, word: Word) -> Value {
        if let Word::Flag(flag) = word {
            return flag;
        }
        let test = self.zero_test(word);
        let zero = self.imm(0);
        self.b.ins().icmp(IntCC::NotEqual, test, zero)
    }

    /// An `i8` flag: whether the word is zero.
    pub(super) fn is_zero(&mut self, word: Word) -> Value {
        if let Word::Flag(flag) = word {
            return self.not_flag(flag);
        }
        let test = self.zero_test(word);
        let zero = self.imm(0);
        self.b.ins().icmp(IntCC::Equal, test, zero)
    }

    /// The opposite of a flag; of a comparison, the opposite comparison, which a branch can use as it is.
    fn not_flag(&mut self, flag: Value) -> Value {
        if let ValueDef::Result(inst, _) = self.b.func.dfg.value_def(flag)
            && let InstructionData::IntCompare { cond, args: [x, y], .. } = self.b.func.dfg.insts[inst]
        {
            return self.b.ins().icmp(cond.complement(), x, y);
        }
        let one = self.b.ins().iconst(types::I8, 1);
        self.b.ins().bxor(flag, one)
    }

    /// The bitwise or of all limbs above the lowest that may be non-zero in some of the words; `None` when all
    /// words are known to fit one limb.
    pub(super) fn high_limbs(&mut self, words: &[Word]) -> Option<Value> {
        let mut high = Vec::new();
        for &word in words {
            match word {
                Word::Flag(_) | Word::Narrow { ext: Ext::Zero, .. } => {}
                Word::Const(value) if value.bit_len() <= 64 => {}
                // A sign-extended word continues with zeros when the limb below does.
                Word::Wide { limbs, .. } => high.push(limbs[1]),
                // The sign alone decides.
                Word::Narrow { limb, ext: Ext::Sign, .. } => high.push(self.above(limb, Ext::Sign)),
                Word::Const(_) | Word::Full(_) => {
                    let limbs = self.limbs(word);
                    high.extend_from_slice(&limbs[1..]);
                }
            }
        }
        if high.is_empty() { None } else { Some(self.or_all(&high)) }
    }

    /// A value that is not zero when some of the words is no signed number of 64 bits; `None` when all are known to
    /// be one.
    pub(super) fn beyond_signed_limb(&mut self, words: &[Word]) -> Option<Value> {
        let mut beyond = Vec::new();
        for &word in words {
            if word.signed_bits() <= 64 {
                continue;
            }
            let low = self.low_limb(word);
            let sign = self.above(low, Ext::Sign);
            match word {
                Word::Narrow { .. } | Word::Flag(_) => beyond.push(sign),
                // An unsigned word continues with zeros, which no negative limb has above it.
                Word::Wide { limbs, ext } => {
                    beyond.push(self.b.ins().bxor(limbs[1], sign));
                    if ext == Ext::Zero {
                        beyond.push(sign);
                    }
                }
                Word::Const(_) | Word::Full(_) => {
                    let limbs = self.limbs(word);
                    for limb in &limbs[1..] {
                        beyond.push(self.b.ins().bxor(*limb, sign));
                    }
                }
            }
        }
        if beyond.is_empty() { None } else { Some(self.or_all(&beyond)) }
    }
}
