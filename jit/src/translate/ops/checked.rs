//! Checked arithmetic: native up to 64 bits and for unsigned sums of any width, else by a call.
//!
//! Whatever breaks the type, operand or result, is the same panic, so all tests of an operation are gathered into
//! one branch. What is known about an operand's width makes its test vanish.

use alloy_primitives::U256;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use zvm::bytecode::Op;
use zvm::interp::ops::checked::NumType;
use zvm::outcome::panic_code::{DIVISION_BY_ZERO, OVERFLOW};

use crate::analysis::blocks::Instr;
use crate::builtins::{Builtin, checked_word};
use crate::options::Mistake;
use crate::translate::Translator;
use crate::translate::words::{Ext, Word};

/// What is wrong with an operation: `i64` values that must be zero, and flags that must not be set.
#[derive(Default)]
struct Faults {
    bits: Vec<Value>,
    flags: Vec<Value>,
}

impl Translator<'_> {
    pub(super) fn checked_binary(&mut self, op: Op, instr: &Instr) {
        let t = num_type(instr);
        let a = self.pop();
        let b = self.pop();
        let result = match self.checked_constant(op, t, instr, a, b) {
            Some(word) => word,
            None if type_bits(t) <= 64 && t.signed => self.checked_signed(op, t, a, b, instr),
            None if type_bits(t) <= 64 => self.checked_unsigned(op, t, a, b, instr),
            None => self.checked_wide(op, t, a, b, instr),
        };
        self.push(result);
    }

    pub(super) fn checked_neg(&mut self, instr: &Instr) {
        let t = num_type(instr);
        let a = self.pop();
        let zero = Word::Const(U256::ZERO);
        let result = if let Some(word) = self.checked_constant(Op::CNeg, t, instr, a, zero) {
            word
        } else if !t.signed {
            // Only 0 has a negative in an unsigned type.
            let fails = self.is_nonzero(a);
            self.fault_if(fails, OVERFLOW, instr.gas_after);
            zero
        } else if type_bits(t) <= 64 {
            self.checked_signed(Op::CSub, t, zero, a, instr)
        } else {
            self.checked_call(Op::CNeg, t, &[a, Word::Const(U256::ZERO)], instr)
        };
        self.push(result);
    }

    pub(super) fn checked_cast(&mut self, instr: &Instr) {
        let t = num_type(instr);
        let bits = type_bits(t);
        let from_signed = instr.immediate & 0x40 != 0;
        let a = self.pop();
        let zero = Word::Const(U256::ZERO);
        let result = if let Some(word) = self.checked_constant(Op::CCast, t, instr, a, zero) {
            word
        } else if t.signed && from_signed {
            let mut faults = Faults::default();
            self.check_signed(a, bits, &mut faults);
            self.raise(faults, instr);
            self.as_signed(a, bits)
        } else {
            // A word that the two readings differ on is in no type, so the top bit may not be set.
            let bits = if t.signed { bits - 1 } else { bits };
            let bits = if from_signed { bits.min(255) } else { bits };
            let mut faults = Faults::default();
            self.check_unsigned(a, bits, &mut faults);
            self.raise(faults, instr);
            self.as_unsigned(a, bits)
        };
        self.push(result);
    }

    /// Constants: the result, or a fault that always happens.
    fn checked_constant(&mut self, op: Op, t: NumType, instr: &Instr, a: Word, b: Word) -> Option<Word> {
        let (a, b) = (a.constant()?, b.constant()?);
        match checked_word(op, t, instr.immediate, a, b)? {
            Ok(word) => Some(Word::Const(word)),
            Err(code) => {
                // A branch that is always taken keeps the block's shape.
                let always = self.b.ins().iconst(types::I8, 1);
                self.fault_if(always, code, instr.gas_after);
                Some(Word::Const(U256::ZERO))
            }
        }
    }

    fn raise(&mut self, faults: Faults, instr: &Instr) {
        let Faults { bits, mut flags } = faults;
        if !bits.is_empty() {
            let any = self.or_all(&bits);
            let zero = self.imm(0);
            flags.push(self.b.ins().icmp(IntCC::NotEqual, any, zero));
        }
        let Some(first) = flags.pop() else { return };
        let any = flags.into_iter().fold(first, |all, flag| self.b.ins().bor(all, flag));
        self.fault_if(any, OVERFLOW, instr.gas_after);
    }

    // --- tests of types ---

    /// Tests that the word is below 2^bits.
    fn check_unsigned(&mut self, word: Word, bits: u16, faults: &mut Faults) {
        if word.unsigned_bits() <= bits {
            return;
        }
        let limbs = self.limbs(word);
        let looked_at = if self.makes(Mistake::CheckedLimb) { 3 } else { 4 };
        for (i, limb) in limbs.into_iter().enumerate().take(looked_at) {
            let from = 64 * i as u16;
            if bits <= from {
                faults.bits.push(limb);
            } else if bits - from < 64 {
                let shift = self.imm(i64::from(bits - from));
                faults.bits.push(self.b.ins().ushr(limb, shift));
            }
        }
    }

    /// Tests that the word is a signed number of that many bits.
    fn check_signed(&mut self, word: Word, bits: u16, faults: &mut Faults) {
        if word.signed_bits() <= bits {
            return;
        }
        let limbs = self.limbs(word);
        let at = usize::from((bits - 1) / 64);
        let extended = self.extend_limb(limbs[at], bits - 64 * at as u16);
        if !bits.is_multiple_of(64) {
            faults.bits.push(self.b.ins().bxor(extended, limbs[at]));
        }
        let shift = self.imm(63);
        let sign = self.b.ins().sshr(extended, shift);
        for &limb in &limbs[at + 1..] {
            faults.bits.push(self.b.ins().bxor(limb, sign));
        }
    }

    /// The word with the fact that it is below 2^bits.
    fn as_unsigned(&mut self, word: Word, bits: u16) -> Word {
        if word.unsigned_bits() <= bits {
            return word;
        }
        let limbs = self.limbs(word);
        match bits {
            0..=64 => Word::unsigned(limbs[0], bits),
            65..=128 => Word::wide(limbs[0], limbs[1]),
            _ => word,
        }
    }

    /// The word with the fact that it is a signed number of that many bits.
    fn as_signed(&mut self, word: Word, bits: u16) -> Word {
        if word.signed_bits() <= bits {
            return word;
        }
        let limbs = self.limbs(word);
        match bits {
            0..=64 => Word::signed(limbs[0], bits),
            65..=128 => Word::Wide { limbs: [limbs[0], limbs[1]], ext: Ext::Sign },
            _ => word,
        }
    }

    // --- operations in one limb ---

    fn checked_unsigned(&mut self, op: Op, t: NumType, a: Word, b: Word, instr: &Instr) -> Word {
        let bits = type_bits(t);
        let mut faults = Faults::default();
        self.check_unsigned(a, bits, &mut faults);
        self.check_unsigned(b, bits, &mut faults);
        let (a_bits, b_bits) = (a.unsigned_bits().min(bits), b.unsigned_bits().min(bits));
        let (x, y) = (self.low_limb(a), self.low_limb(b));
        let (result, natural) = match op {
            Op::CAdd => {
                let natural = a_bits.max(b_bits) + 1;
                if natural <= bits {
                    (self.b.ins().iadd(x, y), natural)
                } else if bits == 64
                    && let Some(limb) = self.increments(a, b)
                {
                    (self.increment(limb), bits)
                } else if bits == 64 {
                    // A comparison, since Cranelift branches on one without making it a value first: with the operand
                    // that is needed further on, so that the sum can take the place of the other.
                    let sum = self.b.ins().iadd(x, y);
                    let stays = if b.constant().is_some() || self.stack.holds(y) { y } else { x };
                    faults.flags.push(self.b.ins().icmp(IntCC::UnsignedLessThan, sum, stays));
                    (sum, bits)
                } else {
                    let sum = self.b.ins().iadd(x, y);
                    self.check_limb(sum, bits, &mut faults);
                    (sum, bits)
                }
            }
            Op::CSub => {
                if self.decrements(a, b).is_none() {
                    faults.flags.push(self.b.ins().icmp(IntCC::UnsignedLessThan, x, y));
                }
                (self.b.ins().isub(x, y), a_bits)
            }
            Op::CMul => {
                let natural = a_bits + b_bits;
                if natural <= bits {
                    (self.b.ins().imul(x, y), natural)
                } else if natural <= 64 {
                    let product = self.b.ins().imul(x, y);
                    self.check_limb(product, bits, &mut faults);
                    (product, bits)
                } else if bits == 64 {
                    let (product, overflow) = self.b.ins().umul_overflow(x, y);
                    faults.flags.push(overflow);
                    (product, bits)
                } else {
                    let product = self.b.ins().imul(x, y);
                    faults.bits.push(self.b.ins().umulhi(x, y));
                    self.check_limb(product, bits, &mut faults);
                    (product, bits)
                }
            }
            _ => {
                self.raise(std::mem::take(&mut faults), instr);
                self.fault_if_zero(b, y, instr);
                return if op == Op::CDiv {
                    Word::unsigned(self.b.ins().udiv(x, y), a_bits)
                } else {
                    Word::unsigned(self.b.ins().urem(x, y), a_bits.min(b_bits))
                };
            }
        };
        self.raise(faults, instr);
        Word::unsigned(result, natural)
    }

    /// Tests that a limb is below 2^bits, `bits` below 64.
    fn check_limb(&mut self, limb: Value, bits: u16, faults: &mut Faults) {
        let shift = self.imm(i64::from(bits));
        faults.bits.push(self.b.ins().ushr(limb, shift));
    }

    /// Tests that a limb is a signed number of that many bits.
    fn check_signed_limb(&mut self, limb: Value, bits: u16, faults: &mut Faults) {
        if bits < 64 {
            let extended = self.extend_limb(limb, bits);
            faults.bits.push(self.b.ins().bxor(extended, limb));
        }
    }

    fn fault_if_zero(&mut self, divisor: Word, limb: Value, instr: &Instr) {
        if divisor.constant().is_some_and(|value| !value.is_zero()) {
            return;
        }
        let zero = self.imm(0);
        let fails = self.b.ins().icmp(IntCC::Equal, limb, zero);
        self.fault_if(fails, DIVISION_BY_ZERO, instr.gas_after);
    }

    fn checked_signed(&mut self, op: Op, t: NumType, a: Word, b: Word, instr: &Instr) -> Word {
        let bits = type_bits(t);
        let mut faults = Faults::default();
        self.check_signed(a, bits, &mut faults);
        self.check_signed(b, bits, &mut faults);
        let (a_bits, b_bits) = (a.signed_bits().min(bits), b.signed_bits().min(bits));
        let (x, y) = (self.low_limb(a), self.low_limb(b));
        let (result, natural) = match op {
            Op::CAdd | Op::CSub => {
                let natural = a_bits.max(b_bits) + 1;
                if natural <= 64 {
                    let result =
                        if op == Op::CAdd { self.b.ins().iadd(x, y) } else { self.b.ins().isub(x, y) };
                    if natural > bits {
                        self.check_signed_limb(result, bits, &mut faults);
                    }
                    (result, natural.min(bits))
                } else {
                    let (result, overflow) = if op == Op::CAdd {
                        self.b.ins().sadd_overflow(x, y)
                    } else {
                        self.b.ins().ssub_overflow(x, y)
                    };
                    faults.flags.push(overflow);
                    (result, bits)
                }
            }
            Op::CMul => {
                let natural = a_bits + b_bits;
                if natural <= 64 {
                    let product = self.b.ins().imul(x, y);
                    if natural > bits {
                        self.check_signed_limb(product, bits, &mut faults);
                    }
                    (product, natural.min(bits))
                } else {
                    let (product, overflow) = self.b.ins().smul_overflow(x, y);
                    faults.flags.push(overflow);
                    self.check_signed_limb(product, bits, &mut faults);
                    (product, bits)
                }
            }
            _ => {
                self.raise(std::mem::take(&mut faults), instr);
                return self.divide_signed(op, bits, (b, x, y), instr);
            }
        };
        self.raise(faults, instr);
        Word::signed(result, natural)
    }

    fn divide_signed(&mut self, op: Op, bits: u16, (b, x, y): (Word, Value, Value), instr: &Instr) -> Word {
        self.fault_if_zero(b, y, instr);
        let ones = self.imm(-1);
        let by_minus_one = self.b.ins().icmp(IntCC::Equal, y, ones);
        if op == Op::CMod {
            // The remainder by -1 is that by 1, and nothing overflows on the way.
            let one = self.imm(1);
            let divisor = self.b.ins().select(by_minus_one, one, y);
            return Word::signed(self.b.ins().srem(x, divisor), bits);
        }
        let least = self.imm(i64::MIN >> (64 - bits));
        let of_least = self.b.ins().icmp(IntCC::Equal, x, least);
        let fails = self.b.ins().band(of_least, by_minus_one);
        self.fault_if(fails, OVERFLOW, instr.gas_after);
        Word::signed(self.b.ins().sdiv(x, y), bits)
    }

    // --- wider types ---

    fn checked_wide(&mut self, op: Op, t: NumType, a: Word, b: Word, instr: &Instr) -> Word {
        let bits = type_bits(t);
        if t.signed {
            return self.checked_call(op, t, &[a, b], instr);
        }
        let (a_bits, b_bits) = (a.unsigned_bits(), b.unsigned_bits());
        match op {
            // What cannot overflow needs no check beside the operands'.
            Op::CAdd if a_bits.max(b_bits) < bits => self.add(a, b),
            Op::CMul if a_bits + b_bits <= bits && a_bits.max(b_bits) <= 64 => self.mul(a, b),
            Op::CAdd | Op::CSub => {
                let mut faults = Faults::default();
                self.check_unsigned(a, bits, &mut faults);
                self.check_unsigned(b, bits, &mut faults);
                if bits <= 128 {
                    self.sum_in_half(op, bits, a, b, faults, instr)
                } else {
                    self.sum_in_word(op, bits, a, b, faults, instr)
                }
            }
            _ => self.checked_call(op, t, &[a, b], instr),
        }
    }

    fn sum_in_half(
        &mut self,
        op: Op,
        bits: u16,
        a: Word,
        b: Word,
        mut faults: Faults,
        instr: &Instr,
    ) -> Word {
        let (x, y) = (self.low_half(a), self.low_half(b));
        let (sum, overflow) =
            if op == Op::CAdd { self.b.ins().uadd_overflow(x, y) } else { self.b.ins().usub_overflow(x, y) };
        faults.flags.push(overflow);
        let (low, high) = self.b.ins().isplit(sum);
        if bits < 128 {
            self.check_limb(high, bits - 64, &mut faults);
        }
        self.raise(faults, instr);
        Word::wide(low, high)
    }

    fn sum_in_word(
        &mut self,
        op: Op,
        bits: u16,
        a: Word,
        b: Word,
        mut faults: Faults,
        instr: &Instr,
    ) -> Word {
        let [a_low, a_high] = self.halves(a);
        let [b_low, b_high] = self.halves(b);
        let is_sum = op == Op::CAdd;
        let step = |t: &mut Self, x, y| {
            if is_sum { t.b.ins().uadd_overflow(x, y) } else { t.b.ins().usub_overflow(x, y) }
        };
        let (low, carry) = step(self, a_low, b_low);
        let carry = self.b.ins().uextend(types::I128, carry);
        let (high, overflow) = step(self, a_high, b_high);
        let (high, second_overflow) = step(self, high, carry);
        faults.flags.extend([overflow, second_overflow]);
        let result = self.join_halves(low, high);
        // A difference that did not wrap is no larger than its first operand.
        if is_sum {
            self.check_unsigned(result, bits, &mut faults);
        }
        self.raise(faults, instr);
        result
    }

    fn checked_call(&mut self, op: Op, t: NumType, operands: &[Word], instr: &Instr) -> Word {
        let address = self.write_scratch(operands);
        let arguments = [self.imm32(op as u32), self.imm32(u32::from(instr.immediate)), address];
        let code = self.call(Builtin::Checked, &arguments);
        self.cold_branch(code, |t| {
            let gas = t.gas_with(instr.gas_after);
            let fault = t.shared.fault;
            t.b.ins().jump(fault, &[gas.into(), code.into()]);
        });
        let result = self.read_scratch(address);
        if t.signed { self.as_signed(result, type_bits(t)) } else { self.as_unsigned(result, type_bits(t)) }
    }
}

fn num_type(instr: &Instr) -> NumType {
    NumType::from_immediate(instr.immediate).expect("illegal immediates were translated as invalid opcodes")
}

fn type_bits(t: NumType) -> u16 {
    8 * t.width_bytes() as u16
}
