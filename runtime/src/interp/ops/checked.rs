//! Checked arithmetic: the machine's integer types, and operations that give a word or a panic code.
//!
//! Order of faults: an operand outside the type, division by zero, a result outside the type.

use alloy_primitives::U256;

use super::arith::{div, exponent_gas, extend_sign, is_negative, magnitude, rem, smod};
use super::compare::{is_equal, is_less};
use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::Exit;
use crate::outcome::panic_code::{DIVISION_BY_ZERO, OVERFLOW};

/// An integer type of the checked operations, as their immediate names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NumType {
    /// Two's complement instead of unsigned.
    pub signed: bool,
    /// Width in bytes.
    // Invariant: 1..=32; `new` and `from_immediate` see to it.
    width: u8,
}

impl NumType {
    /// The type of `width` bytes, 1..=32; `None` for any other width.
    pub const fn new(signed: bool, width: u8) -> Option<NumType> {
        if width >= 1 && width <= 32 { Some(NumType { signed, width }) } else { None }
    }

    /// The type that an immediate names, whatever bit 6 says.
    #[inline(always)]
    pub const fn from_immediate(immediate: u8) -> Option<NumType> {
        NumType::new(immediate & 0x80 != 0, immediate & 0x3f)
    }

    /// The type byte of this type.
    pub const fn immediate(self) -> u8 {
        (self.signed as u8) << 7 | self.width
    }

    /// Width in bytes, 1..=32.
    #[inline(always)]
    pub const fn width_bytes(self) -> usize {
        self.width as usize
    }

    /// Whether the word is a value of the type.
    #[inline(always)]
    pub fn holds(self, word: &U256) -> bool {
        if self.signed {
            is_equal(&extend_sign(*word, self.width_bytes()), word)
        } else {
            fits_bits(word, 8 * self.width_bytes())
        }
    }

    /// The word if it is a value of the type, else the overflow code.
    #[inline(always)]
    fn admit(self, word: U256) -> Result<U256, u8> {
        if self.holds(&word) { Ok(word) } else { Err(OVERFLOW) }
    }

    /// Both operands must be values of the type.
    #[inline(always)]
    fn admit_operands(self, a: &U256, b: &U256) -> Result<(), u8> {
        if self.holds(a) && self.holds(b) { Ok(()) } else { Err(OVERFLOW) }
    }

    /// The signed number of that sign and magnitude, if the type holds it.
    #[inline]
    fn admit_signed(self, negative: bool, magnitude: U256) -> Result<U256, u8> {
        // 2^(8n-1): the largest magnitude of a negative value.
        let bound = U256::ONE << (8 * self.width_bytes() - 1);
        let fits = if negative { magnitude <= bound } else { magnitude < bound };
        if !fits {
            return Err(OVERFLOW);
        }
        Ok(if negative { magnitude.wrapping_neg() } else { magnitude })
    }
}

/// Whether the word is below 2^bits, `bits` in 1..=256.
#[inline(always)]
fn fits_bits(word: &U256, bits: usize) -> bool {
    let limbs = word.as_limbs();
    if bits <= 64 {
        return limbs[1] | limbs[2] | limbs[3] == 0 && (bits == 64 || limbs[0] >> bits == 0);
    }
    bits == 256 || (*word >> bits).is_zero()
}

/// Checked `a + b`.
#[inline]
pub fn cadd(t: NumType, a: U256, b: U256) -> Result<U256, u8> {
    t.admit_operands(&a, &b)?;
    let (sum, carry) = a.overflowing_add(b);
    let wraps = if t.signed {
        // Only at 32 bytes can the sum leave 256 bits.
        is_negative(&a) == is_negative(&b) && is_negative(&sum) != is_negative(&a)
    } else {
        carry
    };
    if wraps { Err(OVERFLOW) } else { t.admit(sum) }
}

/// Checked `a - b`.
#[inline]
pub fn csub(t: NumType, a: U256, b: U256) -> Result<U256, u8> {
    t.admit_operands(&a, &b)?;
    let difference = a.wrapping_sub(b);
    if t.signed {
        if is_negative(&a) != is_negative(&b) && is_negative(&difference) != is_negative(&a) {
            return Err(OVERFLOW);
        }
        t.admit(difference)
    } else if is_less(&a, &b) {
        Err(OVERFLOW)
    } else {
        Ok(difference)
    }
}

/// Checked `a * b`.
#[inline]
pub fn cmul(t: NumType, a: U256, b: U256) -> Result<U256, u8> {
    t.admit_operands(&a, &b)?;
    if t.signed {
        let (product, overflow) = magnitude(a).overflowing_mul(magnitude(b));
        if overflow {
            return Err(OVERFLOW);
        }
        t.admit_signed(is_negative(&a) != is_negative(&b) && !product.is_zero(), product)
    } else {
        let (product, overflow) = a.overflowing_mul(b);
        if overflow { Err(OVERFLOW) } else { t.admit(product) }
    }
}

/// Checked `a / b`, truncated.
#[inline]
pub fn cdiv(t: NumType, a: U256, b: U256) -> Result<U256, u8> {
    t.admit_operands(&a, &b)?;
    if b.is_zero() {
        return Err(DIVISION_BY_ZERO);
    }
    if t.signed {
        let quotient = div(magnitude(a), magnitude(b));
        t.admit_signed(is_negative(&a) != is_negative(&b) && !quotient.is_zero(), quotient)
    } else {
        Ok(div(a, b))
    }
}

/// Checked `a mod b` with the sign of `a`; the least value mod -1 is 0.
#[inline]
pub fn cmod(t: NumType, a: U256, b: U256) -> Result<U256, u8> {
    t.admit_operands(&a, &b)?;
    if b.is_zero() {
        return Err(DIVISION_BY_ZERO);
    }
    Ok(if t.signed { smod(a, b) } else { rem(a, b) })
}

/// Checked `-a`: a fault for the least signed value and for every unsigned value but 0.
#[inline]
pub fn cneg(t: NumType, a: U256) -> Result<U256, u8> {
    if !t.holds(&a) {
        return Err(OVERFLOW);
    }
    if t.signed {
        t.admit_signed(!is_negative(&a) && !a.is_zero(), magnitude(a))
    } else if a.is_zero() {
        Ok(a)
    } else {
        Err(OVERFLOW)
    }
}

/// Checked `a ^ b`: `a` must be a value of the type, `b` is any unsigned word; `0 ^ 0` is 1.
pub fn cexp(t: NumType, a: U256, b: U256) -> Result<U256, u8> {
    if !t.holds(&a) {
        return Err(OVERFLOW);
    }
    let (base, negative) = if t.signed { (magnitude(a), is_negative(&a) && b.bit(0)) } else { (a, false) };
    let power = if base <= U256::ONE {
        if b.is_zero() { U256::ONE } else { base }
    } else {
        // A base of at least 2 leaves 256 bits by exponent 256.
        if b >= U256::from(256) {
            return Err(OVERFLOW);
        }
        base.checked_pow(b).ok_or(OVERFLOW)?
    };
    if t.signed { t.admit_signed(negative, power) } else { t.admit(power) }
}

/// `cexp` as an operation: gas counts the exponent's bytes and is charged before any fault.
pub fn run_cexp(frame: &mut Frame, _: &mut dyn Host, immediate: u8) -> Result<(), Exit> {
    let t = super::num_type(immediate)?;
    let [a, b] = frame.stack.pop();
    super::charge(frame, exponent_gas(Op::CExp, &b))?;
    match cexp(t, a, b) {
        Ok(word) => {
            frame.stack.push_word(word);
            Ok(())
        }
        Err(code) => Err(super::fault(frame, code)),
    }
}

/// Checked conversion: the value of `a`, read as signed over 256 bits if `from_signed`, must lie in the type.
#[inline]
pub fn ccast(t: NumType, from_signed: bool, a: U256) -> Result<U256, u8> {
    // The two readings of a word differ only for words with the top bit set, and no signed type holds the large
    // unsigned values, no unsigned type the negative ones.
    let fits = if t.signed == from_signed { t.holds(&a) } else { !is_negative(&a) && t.holds(&a) };
    if fits { Ok(a) } else { Err(OVERFLOW) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u(width: u8) -> NumType {
        NumType::new(false, width).expect("a width of 1..=32")
    }

    fn i(width: u8) -> NumType {
        NumType::new(true, width).expect("a width of 1..=32")
    }

    fn w(value: i64) -> U256 {
        extend_sign(U256::from(value as u64), 8)
    }

    const MIN: U256 = U256::from_limbs([0, 0, 0, 1 << 63]);

    #[test]
    fn immediates_name_types() {
        assert_eq!(NumType::from_immediate(0x88), NumType::new(true, 8));
        assert_eq!(NumType::from_immediate(0x41), NumType::new(false, 1));
        assert_eq!(NumType::from_immediate(0x00), None);
        assert_eq!(NumType::from_immediate(0x21), None);
        assert_eq!(i(20).immediate(), 0x94);
    }

    /// Every pair of 8-bit words against numbers; the operands also leave the type on both sides.
    #[test]
    fn one_byte_types_agree_with_numbers() {
        for (t, least, most) in [(u(1), 0i64, 255i64), (i(1), -128, 127)] {
            let inside = |value: i64| (least..=most).contains(&value);
            let checked = |value: i64| if inside(value) { Ok(w(value)) } else { Err(OVERFLOW) };
            for a in -130..=260 {
                for b in -130..=260 {
                    let (wa, wb) = (w(a), w(b));
                    if !inside(a) || !inside(b) {
                        for op in [cadd, csub, cmul, cdiv, cmod] {
                            assert_eq!(op(t, wa, wb), Err(OVERFLOW), "{t:?} {a} {b}");
                        }
                        continue;
                    }
                    assert_eq!(cadd(t, wa, wb), checked(a + b), "{t:?} {a} + {b}");
                    assert_eq!(csub(t, wa, wb), checked(a - b), "{t:?} {a} - {b}");
                    assert_eq!(cmul(t, wa, wb), checked(a * b), "{t:?} {a} * {b}");
                    if b == 0 {
                        assert_eq!(cdiv(t, wa, wb), Err(DIVISION_BY_ZERO));
                        assert_eq!(cmod(t, wa, wb), Err(DIVISION_BY_ZERO));
                    } else {
                        assert_eq!(cdiv(t, wa, wb), checked(a / b), "{t:?} {a} / {b}");
                        assert_eq!(cmod(t, wa, wb), checked(a % b), "{t:?} {a} mod {b}");
                    }
                }
                let negated = if inside(a) { checked(-a) } else { Err(OVERFLOW) };
                assert_eq!(cneg(t, w(a)), negated, "{t:?} -{a}");
                for b in 0..=12u32 {
                    // 260^12 fits an i128; outside the type any number of that sign will do.
                    let power = i128::from(a).pow(b).clamp(-1000, 1000) as i64;
                    let power = if inside(a) { checked(power) } else { Err(OVERFLOW) };
                    assert_eq!(cexp(t, w(a), U256::from(b)), power, "{t:?} {a} ^ {b}");
                }
                assert_eq!(ccast(t, true, w(a)), checked(a), "{t:?} signed {a}");
                let unsigned = if a < 0 { Err(OVERFLOW) } else { checked(a) };
                assert_eq!(ccast(t, false, w(a)), unsigned, "{t:?} unsigned {a}");
            }
        }
    }

    #[test]
    fn full_width_types_use_the_carry() {
        assert_eq!(cadd(u(32), U256::MAX, U256::ONE), Err(OVERFLOW));
        assert_eq!(cadd(u(32), U256::MAX, U256::ZERO), Ok(U256::MAX));
        assert_eq!(cadd(i(32), MIN - U256::ONE, U256::ONE), Err(OVERFLOW));
        assert_eq!(cadd(i(32), U256::MAX, MIN), Err(OVERFLOW));
        assert_eq!(cadd(i(32), U256::MAX, U256::ONE), Ok(U256::ZERO));
        assert_eq!(csub(i(32), MIN, U256::ONE), Err(OVERFLOW));
        assert_eq!(csub(i(32), U256::ZERO, MIN), Err(OVERFLOW));
        assert_eq!(csub(i(32), U256::MAX, MIN), Ok(MIN - U256::ONE));
        assert_eq!(cmul(i(32), MIN, U256::MAX), Err(OVERFLOW));
        assert_eq!(cmul(i(32), MIN, U256::ONE), Ok(MIN));
        assert_eq!(cmul(i(32), MIN >> 1, U256::from(2)), Err(OVERFLOW));
        assert_eq!(cmul(i(32), w(-2), MIN >> 1), Ok(MIN));
        assert_eq!(cmul(u(32), MIN, U256::from(2)), Err(OVERFLOW));
        assert_eq!(cdiv(i(32), MIN, U256::MAX), Err(OVERFLOW));
        assert_eq!(cmod(i(32), MIN, U256::MAX), Ok(U256::ZERO));
        assert_eq!(cneg(i(32), MIN), Err(OVERFLOW));
        assert_eq!(ccast(i(32), false, MIN), Err(OVERFLOW));
        assert_eq!(ccast(i(32), true, MIN), Ok(MIN));
        assert_eq!(ccast(u(32), true, MIN), Err(OVERFLOW));
        assert_eq!(ccast(u(32), false, MIN), Ok(MIN));
    }

    #[test]
    fn powers_fault_exactly_when_the_number_leaves_the_type() {
        assert_eq!(cexp(u(32), U256::from(2), U256::from(255)), Ok(MIN));
        assert_eq!(cexp(u(32), U256::from(2), U256::from(256)), Err(OVERFLOW));
        assert_eq!(cexp(i(32), w(-2), U256::from(255)), Ok(MIN));
        assert_eq!(cexp(i(32), w(2), U256::from(255)), Err(OVERFLOW));
        assert_eq!(cexp(i(1), w(-1), U256::MAX), Ok(w(-1)));
        assert_eq!(cexp(i(1), w(-1), U256::MAX - U256::ONE), Ok(U256::ONE));
        assert_eq!(cexp(u(1), U256::ZERO, U256::MAX), Ok(U256::ZERO));
        assert_eq!(cexp(u(1), U256::from(256), U256::ZERO), Err(OVERFLOW), "the operand is looked at first");
        // The square that the last step does not need leaves 256 bits.
        assert_eq!(cexp(u(32), U256::ONE << 84, U256::from(3)), Ok(U256::ONE << 252));
        // 16^3 fits 16 bits although squaring once more would not.
        assert_eq!(cexp(u(2), U256::from(16), U256::from(3)), Ok(U256::from(4096)));
    }
}
