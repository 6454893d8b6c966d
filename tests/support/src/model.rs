//! An independent model of the operations that depend on their operands alone.
//!
//! Each is defined over mathematical integers ([`integer`]), as the specification words it, and shares no code
//! with the machine. `None` means that an operation is not pure; those are compared between tiers instead.

pub mod integer;

use alloy_primitives::U256;
use integer::{Integer, Natural};
use sha3::{Digest, Keccak256};
use zvm::bytecode::Op;
use zvm::outcome::panic_code;

/// What a pure operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Takes its operands and leaves these words, top first.
    Words(Vec<U256>),
    /// Ends the frame with `Panic(uint256)` of that code.
    Panic(u8),
}

/// The effect of `op` on `operands` (top first), and the gas that depends on them.
pub fn evaluate(op: Op, immediate: u8, operands: &[U256]) -> Option<(Effect, u64)> {
    if let Some(effect) = fault(op, immediate, operands) {
        return Some((effect, 0));
    }
    if let Some(result) = checked(op, immediate, operands) {
        let gas = if op == Op::CExp { exponent_gas(operands[1]) } else { 0 };
        return Some((result, gas));
    }
    if let Some(words) = stack_words(op, immediate, operands) {
        return Some((Effect::Words(words), 0));
    }
    let gas = match op {
        Op::Exp => exponent_gas(operands[1]),
        Op::TablehashN => 6 * (u64::from(immediate) - 1),
        _ => 0,
    };
    Some((Effect::Words(vec![pure_word(op, operands)?]), gas))
}

/// `assert` and `panic`.
fn fault(op: Op, immediate: u8, operands: &[U256]) -> Option<Effect> {
    match op {
        Op::Panic => Some(Effect::Panic(immediate)),
        Op::Assert if operands[0].is_zero() => Some(Effect::Panic(immediate)),
        Op::Assert => Some(Effect::Words(Vec::new())),
        _ => None,
    }
}

/// 50 for each byte that the exponent needs.
fn exponent_gas(exponent: U256) -> u64 {
    50 * Natural::from_word(exponent).bit_len().div_ceil(8) as u64
}

/// Operations that move words; the words that stand where the operands stood, top first.
fn stack_words(op: Op, immediate: u8, operands: &[U256]) -> Option<Vec<U256>> {
    let name = op.name();
    let number = |prefix: &str| match name.strip_prefix(prefix)? {
        "n" => Some(usize::from(immediate)),
        digits => digits.parse::<usize>().ok(),
    };
    let mut words = operands.to_vec();
    if let Some(n) = number("dup") {
        words.insert(0, operands[n - 1]);
    } else if let Some(n) = number("swap") {
        words.swap(0, n);
    } else {
        return match op {
            Op::Pop => Some(Vec::new()),
            Op::Nop | Op::JumpDest => Some(words),
            _ => None,
        };
    }
    Some(words)
}

/// Operations that give one word.
fn pure_word(op: Op, operands: &[U256]) -> Option<U256> {
    let operand = |index: usize| operands.get(index).copied().unwrap_or(U256::ZERO);
    let (a, b, n) = (operand(0), operand(1), operand(2));
    let (ua, ub, un) = (Integer::unsigned(a), Integer::unsigned(b), Integer::unsigned(n));
    let (sa, sb) = (Integer::signed(a), Integer::signed(b));
    let flag = |value: bool| U256::from(u8::from(value));
    let quotient = |a: &Integer, b: &Integer| if b.is_zero() { U256::ZERO } else { a.div_rem(b).0.to_word() };
    let remainder =
        |a: &Integer, b: &Integer| if b.is_zero() { U256::ZERO } else { a.div_rem(b).1.to_word() };
    let bitwise = |f: fn(bool, bool) -> bool| word_of_bits(|i| f(bit(a, i), bit(b, i)));
    let shift = usize::try_from(a).unwrap_or(usize::MAX).min(256);
    Some(match op {
        Op::Push0 => U256::ZERO,
        Op::Add => ua.add(&ub).to_word(),
        Op::Sub => ua.sub(&ub).to_word(),
        Op::Mul => ua.mul(&ub).to_word(),
        Op::Div => quotient(&ua, &ub),
        Op::Sdiv => quotient(&sa, &sb),
        Op::Mod => remainder(&ua, &ub),
        Op::Smod => remainder(&sa, &sb),
        Op::AddMod => remainder(&ua.add(&ub), &un),
        Op::MulMod => remainder(&ua.mul(&ub), &un),
        Op::Exp => power_of_word(a, b),
        Op::SignExtend => match usize::try_from(a) {
            Ok(byte) if byte < 31 => word_of_bits(|i| bit(b, i.min(8 * byte + 7))),
            _ => b,
        },
        Op::Lt => flag(ua < ub),
        Op::Gt => flag(ua > ub),
        Op::Slt => flag(sa < sb),
        Op::Sgt => flag(sa > sb),
        Op::Eq => flag(ua == ub),
        Op::IsZero => flag(ua.is_zero()),
        Op::And => bitwise(|x, y| x && y),
        Op::Or => bitwise(|x, y| x || y),
        Op::Xor => bitwise(|x, y| x != y),
        Op::Not => word_of_bits(|i| !bit(a, i)),
        Op::Byte => match usize::try_from(a) {
            Ok(index) if index < 32 => U256::from(b.to_be_bytes::<32>()[index]),
            _ => U256::ZERO,
        },
        Op::Shl => word_of_bits(|i| i >= shift && bit(b, i - shift)),
        Op::Shr => word_of_bits(|i| i + shift < 256 && bit(b, i + shift)),
        Op::Sar => word_of_bits(|i| bit(b, (i + shift).min(255))),
        Op::Clz => U256::from(256 - Natural::from_word(a).bit_len()),
        Op::Tablehash | Op::TablehashN => {
            let mut hasher = Keccak256::new();
            for word in operands {
                hasher.update(word.to_be_bytes::<32>());
            }
            U256::from_be_slice(&hasher.finalize())
        }
        _ => return None,
    })
}

/// Bit `index` of a word, 0 is the lowest.
fn bit(word: U256, index: usize) -> bool {
    word.to_le_bytes::<32>()[index / 8] >> (index % 8) & 1 == 1
}

fn word_of_bits(bits: impl Fn(usize) -> bool) -> U256 {
    let mut bytes = [0u8; 32];
    for index in (0..256).filter(|&index| bits(index)) {
        bytes[index / 8] |= 1 << (index % 8);
    }
    U256::from_le_bytes(bytes)
}

/// a to the power of b, modulo 2^256, from the highest bit of b down.
fn power_of_word(a: U256, b: U256) -> U256 {
    let (base, exponent) = (Natural::from_word(a), Natural::from_word(b));
    let mut result = Natural::small(1);
    for index in (0..exponent.bit_len()).rev() {
        result = result.mul(&result).low_digits(8);
        if exponent.bit(index) {
            result = result.mul(&base).low_digits(8);
        }
    }
    result.to_word()
}

/// The range of a type byte.
struct Range {
    least: Integer,
    greatest: Integer,
    signed: bool,
}

impl Range {
    fn of(byte: u8) -> Range {
        let bits = 8 * usize::from(byte & 0x3f);
        let signed = byte & 0x80 != 0;
        let one = Integer::new(false, Natural::small(1));
        let power = |bits: usize| Integer::new(false, Natural::power_of_two(bits));
        if signed {
            Range { least: power(bits - 1).neg(), greatest: power(bits - 1).sub(&one), signed }
        } else {
            Range { least: Integer::new(false, Natural::zero()), greatest: power(bits).sub(&one), signed }
        }
    }

    fn read(&self, word: U256) -> Integer {
        if self.signed { Integer::signed(word) } else { Integer::unsigned(word) }
    }

    fn holds(&self, value: &Integer) -> bool {
        *value >= self.least && *value <= self.greatest
    }
}

/// Checked operations; `immediate` must be legal.
fn checked(op: Op, immediate: u8, operands: &[U256]) -> Option<Effect> {
    let range = match op {
        Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CNeg | Op::CExp | Op::CCast => {
            Range::of(immediate)
        }
        _ => return None,
    };
    let overflow = Effect::Panic(panic_code::OVERFLOW);
    let unchanged = Effect::Words(vec![operands[0]]);
    if op == Op::CCast {
        let operand_is_signed = immediate & 0x40 != 0;
        let value =
            if operand_is_signed { Integer::signed(operands[0]) } else { Integer::unsigned(operands[0]) };
        return Some(if range.holds(&value) { unchanged } else { overflow });
    }
    let a = range.read(operands[0]);
    let checked_operands = if op == Op::CExp { &operands[..1] } else { operands };
    if !checked_operands.iter().all(|&word| range.holds(&range.read(word))) {
        return Some(overflow);
    }
    let result = match op {
        Op::CNeg => a.neg(),
        Op::CExp => match checked_power(&a, operands[1], &range) {
            Some(result) => result,
            None => return Some(overflow),
        },
        _ => {
            let b = range.read(operands[1]);
            match op {
                Op::CAdd => a.add(&b),
                Op::CSub => a.sub(&b),
                Op::CMul => a.mul(&b),
                _ if b.is_zero() => return Some(Effect::Panic(panic_code::DIVISION_BY_ZERO)),
                Op::CDiv => a.div_rem(&b).0,
                _ => a.div_rem(&b).1,
            }
        }
    };
    Some(if range.holds(&result) { Effect::Words(vec![result.to_word()]) } else { overflow })
}

/// The mathematical power if it lies in the range. Multiplies one factor at a time: a base of magnitude 2 or more
/// leaves every range after 256 factors.
fn checked_power(base: &Integer, exponent: U256, range: &Range) -> Option<Integer> {
    let one = Integer::new(false, Natural::small(1));
    let is_odd = bit(exponent, 0);
    if exponent.is_zero() {
        return range.holds(&one).then_some(one);
    }
    if *base.magnitude() <= Natural::small(1) {
        let result = if base.is_negative() && !is_odd { base.neg() } else { base.clone() };
        return range.holds(&result).then_some(result);
    }
    let exponent = usize::try_from(exponent).ok().filter(|&exponent| exponent <= 256)?;
    let mut result = one;
    for _ in 0..exponent {
        result = result.mul(base);
    }
    range.holds(&result).then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(op: Op, immediate: u8, operands: &[U256], effect: Effect) {
        assert_eq!(evaluate(op, immediate, operands).expect("a pure operation").0, effect, "{op}");
    }

    #[track_caller]
    fn check_word(op: Op, operands: &[U256], result: U256) {
        check(op, 0, operands, Effect::Words(vec![result]));
    }

    const MAX: U256 = U256::MAX;

    fn word(value: u64) -> U256 {
        U256::from(value)
    }

    fn min() -> U256 {
        U256::ONE << 255
    }

    #[test]
    fn wrapping_operations_follow_the_yellow_paper() {
        check_word(Op::Add, &[MAX, word(2)], word(1));
        check_word(Op::Sub, &[word(1), word(2)], MAX);
        check_word(Op::Sdiv, &[min(), MAX], min());
        check_word(Op::Smod, &[MAX - word(6), word(3)], MAX);
        check_word(Op::AddMod, &[MAX, MAX, word(7)], word(2));
        check_word(Op::MulMod, &[MAX, MAX, word(12)], word(9));
        check_word(Op::Exp, &[word(3), word(5)], word(243));
        check_word(Op::Exp, &[word(2), word(256)], word(0));
        check_word(Op::SignExtend, &[word(0), word(0x80)], MAX - word(0x7f));
        check_word(Op::SignExtend, &[word(31), word(5)], word(5));
        check_word(Op::Sar, &[word(300), min()], MAX);
        check_word(Op::Shl, &[word(255), word(3)], min());
        check_word(Op::Shr, &[word(256), MAX], word(0));
        check_word(Op::Byte, &[word(31), word(0xabcd)], word(0xcd));
        check_word(Op::Clz, &[word(0)], word(256));
        assert_eq!(evaluate(Op::Exp, 0, &[word(2), word(256)]).expect("pure").1, 100);
    }

    #[test]
    fn checked_operations_follow_the_machine_page() {
        let overflow = Effect::Panic(0x11);
        let (u8_, i8_) = (0x01, 0x81);
        let minus = |value: u64| MAX - word(value - 1);
        check(Op::CAdd, u8_, &[word(255), word(1)], overflow.clone());
        check(Op::CAdd, u8_, &[word(254), word(1)], Effect::Words(vec![word(255)]));
        check(Op::CAdd, u8_, &[word(256), word(0)], overflow.clone());
        check(Op::CDiv, i8_, &[minus(128), minus(1)], overflow.clone());
        check(Op::CMod, i8_, &[minus(128), minus(1)], Effect::Words(vec![word(0)]));
        check(Op::CMod, i8_, &[minus(7), word(3)], Effect::Words(vec![minus(1)]));
        check(Op::CDiv, u8_, &[word(300), word(0)], overflow.clone());
        check(Op::CDiv, u8_, &[word(3), word(0)], Effect::Panic(0x12));
        check(Op::CNeg, u8_, &[word(1)], overflow.clone());
        check(Op::CNeg, u8_, &[word(0)], Effect::Words(vec![word(0)]));
        check(Op::CNeg, i8_, &[minus(128)], overflow.clone());
        check(Op::CExp, u8_, &[word(0), word(0)], Effect::Words(vec![word(1)]));
        check(Op::CExp, i8_, &[minus(2), word(7)], Effect::Words(vec![minus(128)]));
        check(Op::CExp, i8_, &[word(2), word(7)], overflow.clone());
        check(Op::CExp, i8_, &[minus(1), MAX], Effect::Words(vec![minus(1)]));
        check(Op::CExp, 0xa0, &[minus(2), word(255)], Effect::Words(vec![min()]));
        check(Op::CCast, 0xc1, &[minus(128)], Effect::Words(vec![minus(128)]));
        check(Op::CCast, 0x81, &[minus(128)], overflow.clone());
        check(Op::CCast, 0x41, &[minus(1)], overflow);
    }
}
