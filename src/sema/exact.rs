//! Exact integers: the `{int}` of the language, at most 512 bits.

use std::cmp::Ordering;
use std::fmt;

use alloy_primitives::{U256, U512, Uint};

use super::types::IntType;

/// An integer of at most 512 bits and a sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Int {
    // Invariant: false when `magnitude` is zero.
    negative: bool,
    magnitude: U512,
}

/// Two's complement wide enough for every [`Int`]: bit operations on negative numbers are done in it.
pub(super) type Wide = Uint<576, 9>;

impl Int {
    pub(super) fn new(negative: bool, magnitude: U512) -> Int {
        Int { negative: negative && !magnitude.is_zero(), magnitude }
    }

    pub(super) fn from_u64(value: u64) -> Int {
        Int::new(false, U512::from(value))
    }

    /// The value that `word` has as `ty`.
    pub(super) fn from_word(word: U256, ty: IntType) -> Int {
        if ty.signed && word.bit(255) {
            Int::new(true, U512::from(U256::ZERO.wrapping_sub(word)))
        } else {
            Int::new(false, U512::from(word))
        }
    }

    /// The word of this value as `ty`, if it fits.
    pub(super) fn to_word(self, ty: IntType) -> Option<U256> {
        let in_range = self >= Int::from_word(ty.min_word(), ty) && self <= Int::from_word(ty.max_word(), ty);
        in_range.then(|| self.low_word())
    }

    /// The value modulo 2^256, in two's complement.
    pub(super) fn low_word(self) -> U256 {
        let low: U256 = self.magnitude.wrapping_to();
        if self.negative { U256::ZERO.wrapping_sub(low) } else { low }
    }

    /// The word of this value modulo 2^N, in the representation of `ty`.
    pub(super) fn wrap_word(self, ty: IntType) -> U256 {
        wrap(self.low_word(), ty)
    }

    /// The word of the value of `ty` that is nearest to this one.
    pub(super) fn saturate_word(self, ty: IntType) -> U256 {
        self.to_word(ty).unwrap_or(if self.negative { ty.min_word() } else { ty.max_word() })
    }

    pub(super) fn is_negative(self) -> bool {
        self.negative
    }

    pub(super) fn is_zero(self) -> bool {
        self.magnitude.is_zero()
    }

    /// The value, if it is a `u64`.
    pub(super) fn to_u64(self) -> Option<u64> {
        if self.negative { None } else { u64::try_from(self.magnitude).ok() }
    }

    pub(super) fn neg(self) -> Int {
        Int::new(!self.negative, self.magnitude)
    }

    pub(super) fn add(self, other: Int) -> Option<Int> {
        if self.negative == other.negative {
            return Some(Int::new(self.negative, self.magnitude.checked_add(other.magnitude)?));
        }
        Some(if self.magnitude >= other.magnitude {
            Int::new(self.negative, self.magnitude - other.magnitude)
        } else {
            Int::new(other.negative, other.magnitude - self.magnitude)
        })
    }

    pub(super) fn sub(self, other: Int) -> Option<Int> {
        self.add(other.neg())
    }

    pub(super) fn mul(self, other: Int) -> Option<Int> {
        let magnitude = self.magnitude.checked_mul(other.magnitude)?;
        Some(Int::new(self.negative != other.negative, magnitude))
    }

    /// Truncating division; nothing for divisor 0.
    pub(super) fn div(self, other: Int) -> Option<Int> {
        let magnitude = self.magnitude.checked_div(other.magnitude)?;
        Some(Int::new(self.negative != other.negative, magnitude))
    }

    /// The remainder of [`div`](Self::div), with the sign of the dividend.
    pub(super) fn rem(self, other: Int) -> Option<Int> {
        Some(Int::new(self.negative, self.magnitude.checked_rem(other.magnitude)?))
    }

    /// Power by squaring; nothing for a negative exponent or past 512 bits.
    pub(super) fn pow(self, exponent: Int) -> Option<Int> {
        if exponent.negative {
            return None;
        }
        let mut result = Int::from_u64(1);
        for bit in (0..exponent.magnitude.bit_len()).rev() {
            result = result.mul(result)?;
            if exponent.magnitude.bit(bit) {
                result = result.mul(self)?;
            }
        }
        Some(result)
    }

    /// Times 2^`amount`; nothing for a negative amount or past 512 bits.
    pub(super) fn shl(self, amount: Int) -> Option<Int> {
        if self.is_zero() {
            return (!amount.negative).then_some(self);
        }
        let amount = amount.to_u64().filter(|&amount| amount < 512)? as usize;
        let fits = self.magnitude.bit_len() + amount <= 512;
        fits.then(|| Int::new(self.negative, self.magnitude << amount))
    }

    /// Divided by 2^`amount`, rounded down; nothing for a negative amount.
    pub(super) fn shr(self, amount: Int) -> Option<Int> {
        if amount.negative {
            return None;
        }
        let amount = amount.to_u64().unwrap_or(u64::MAX).min(575) as usize;
        // Shifting all bits out leaves copies of the sign.
        Int::from_wide(self.to_wide().arithmetic_shr(amount))
    }

    pub(super) fn bit_not(self) -> Option<Int> {
        // ~x is −x − 1.
        self.neg().sub(Int::from_u64(1))
    }

    /// A bit operation on the infinite two's complement form; nothing past 512 bits.
    pub(super) fn bitwise(self, other: Int, op: fn(Wide, Wide) -> Wide) -> Option<Int> {
        Int::from_wide(op(self.to_wide(), other.to_wide()))
    }

    fn to_wide(self) -> Wide {
        let magnitude = Wide::from(self.magnitude);
        if self.negative { Wide::ZERO.wrapping_sub(magnitude) } else { magnitude }
    }

    fn from_wide(wide: Wide) -> Option<Int> {
        let negative = wide.bit(575);
        let magnitude = if negative { Wide::ZERO.wrapping_sub(wide) } else { wide };
        (magnitude.bit_len() <= 512).then(|| Int::new(negative, magnitude.wrapping_to()))
    }
}

impl PartialOrd for Int {
    fn partial_cmp(&self, other: &Int) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Int {
    fn cmp(&self, other: &Int) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude.cmp(&other.magnitude),
            (true, true) => other.magnitude.cmp(&self.magnitude),
        }
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negative { "-" } else { "" }, self.magnitude)
    }
}

/// `word` modulo 2^N, in the representation of `ty`.
pub(super) fn wrap(word: U256, ty: IntType) -> U256 {
    let unused = 256 - ty.bits as usize;
    let shifted = word << unused;
    if ty.signed { shifted.arithmetic_shr(unused) } else { shifted >> unused }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i128) -> Int {
        Int::new(value < 0, U512::from(value.unsigned_abs()))
    }

    /// Every operation against `i128`, on small operands of both signs.
    #[test]
    fn exact_integers_agree_with_machine_integers() {
        for a in -20i128..=20 {
            for b in -20i128..=20 {
                let (x, y) = (int(a), int(b));
                assert_eq!(x.add(y), Some(int(a + b)));
                assert_eq!(x.sub(y), Some(int(a - b)));
                assert_eq!(x.mul(y), Some(int(a * b)));
                assert_eq!(x.div(y), a.checked_div(b).map(int));
                assert_eq!(x.rem(y), a.checked_rem(b).map(int));
                assert_eq!(x.cmp(&y), a.cmp(&b));
                assert_eq!(x.bitwise(y, |a, b| a & b), Some(int(a & b)));
                assert_eq!(x.bitwise(y, |a, b| a | b), Some(int(a | b)));
                assert_eq!(x.bitwise(y, |a, b| a ^ b), Some(int(a ^ b)));
                assert_eq!(x.bit_not(), Some(int(!a)));
                let amount = (b >= 0).then_some(b as u32);
                assert_eq!(x.pow(y), amount.map(|amount| int(a.pow(amount))));
                assert_eq!(x.shl(y), amount.map(|amount| int(a << amount)));
                assert_eq!(x.shr(y), amount.map(|amount| int(a >> amount)));
            }
        }
    }

    #[test]
    fn the_limit_is_512_bits() {
        let max = Int::new(false, U512::MAX);
        assert_eq!(max.add(int(1)), None);
        assert_eq!(max.neg().sub(int(1)), None);
        assert_eq!(int(2).pow(int(512)), None);
        assert_eq!(int(1).pow(max), Some(int(1)));
        assert_eq!(int(1).shl(int(511)).unwrap().shr(int(511)), Some(int(1)));
        assert_eq!(int(1).shl(int(512)), None);
        assert_eq!(int(0).shl(max), Some(int(0)));
        assert_eq!(max.shr(max), Some(int(0)));
        assert_eq!(int(-1).shr(max), Some(int(-1)));
        assert_eq!(max.neg().bitwise(max, |a, b| a | b), Some(int(-1)));
        assert_eq!(max.neg().bitwise(int(-2), |a, b| a & b), None);
    }

    #[test]
    fn words_wrap_and_saturate() {
        let i8 = IntType { signed: true, bits: 8 };
        assert_eq!(int(-128).to_word(i8), Some(U256::MAX - U256::from(127)));
        assert_eq!(int(128).to_word(i8), None);
        assert_eq!(int(128).wrap_word(i8), U256::MAX - U256::from(127));
        assert_eq!(int(-1).wrap_word(IntType::U8), U256::from(255));
        assert_eq!(int(300).saturate_word(IntType::U8), U256::from(255));
        assert_eq!(int(-300).saturate_word(i8), i8.min_word());
        assert_eq!(Int::from_word(U256::MAX, i8), int(-1));
    }
}
