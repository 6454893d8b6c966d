//! Integers of any size, by the methods one learns at school.
//!
//! Written to be judged by eye and to share nothing with the machine's arithmetic. Slow on purpose.

use std::cmp::Ordering;

use alloy_primitives::U256;

/// A natural number: digits in base 2^32, lowest first.
// Invariant: the last digit is not zero; zero has no digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Natural(Vec<u32>);

impl Natural {
    /// Zero.
    pub fn zero() -> Natural {
        Natural(Vec::new())
    }

    /// A small number.
    pub fn small(value: u32) -> Natural {
        Natural::from_digits(vec![value])
    }

    /// 2 to the power of `bits`.
    pub fn power_of_two(bits: usize) -> Natural {
        let mut digits = vec![0; bits / 32 + 1];
        digits[bits / 32] = 1 << (bits % 32);
        Natural(digits)
    }

    /// The unsigned value of a word.
    pub fn from_word(word: U256) -> Natural {
        let bytes = word.to_le_bytes::<32>();
        let digits = bytes.chunks(4).map(|four| u32::from_le_bytes(four.try_into().expect("four bytes")));
        Natural::from_digits(digits.collect())
    }

    fn from_digits(mut digits: Vec<u32>) -> Natural {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Natural(digits)
    }

    /// The number as a word; it must be below 2^256.
    pub fn to_word(&self) -> U256 {
        assert!(self.0.len() <= 8, "a word has 256 bits");
        let mut bytes = [0u8; 32];
        for (four, digit) in bytes.chunks_mut(4).zip(&self.0) {
            four.copy_from_slice(&digit.to_le_bytes());
        }
        U256::from_le_bytes(bytes)
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of bits up to the highest one.
    pub fn bit_len(&self) -> usize {
        self.0.last().map_or(0, |top| self.0.len() * 32 - top.leading_zeros() as usize)
    }

    /// Bit `index`, 0 is the lowest.
    pub fn bit(&self, index: usize) -> bool {
        self.0.get(index / 32).is_some_and(|digit| digit >> (index % 32) & 1 == 1)
    }

    /// The sum.
    pub fn add(&self, other: &Natural) -> Natural {
        let mut digits = Vec::new();
        let mut carry = 0u64;
        for i in 0..self.0.len().max(other.0.len()) {
            let sum = u64::from(self.digit(i)) + u64::from(other.digit(i)) + carry;
            digits.push(sum as u32);
            carry = sum >> 32;
        }
        digits.push(carry as u32);
        Natural::from_digits(digits)
    }

    /// The difference; `other` must not be larger.
    pub fn sub(&self, other: &Natural) -> Natural {
        let mut digits = Vec::new();
        let mut borrow = 0i64;
        for i in 0..self.0.len() {
            let difference = i64::from(self.digit(i)) - i64::from(other.digit(i)) - borrow;
            borrow = i64::from(difference < 0);
            digits.push(difference as u32);
        }
        assert!(borrow == 0 && other.0.len() <= self.0.len(), "a natural difference");
        Natural::from_digits(digits)
    }

    /// The product, digit by digit.
    pub fn mul(&self, other: &Natural) -> Natural {
        let mut digits = vec![0u32; self.0.len() + other.0.len()];
        for (i, &a) in self.0.iter().enumerate() {
            let mut carry = 0u64;
            for (j, &b) in other.0.iter().enumerate() {
                let sum = u64::from(digits[i + j]) + u64::from(a) * u64::from(b) + carry;
                digits[i + j] = sum as u32;
                carry = sum >> 32;
            }
            digits[i + other.0.len()] = carry as u32;
        }
        Natural::from_digits(digits)
    }

    /// Quotient and remainder by long division in base 2; `divisor` must not be zero.
    pub fn div_rem(&self, divisor: &Natural) -> (Natural, Natural) {
        assert!(!divisor.is_zero(), "division by zero has no quotient");
        let mut quotient = Natural(vec![0; self.0.len()]);
        let mut remainder = Natural::zero();
        for index in (0..self.bit_len()).rev() {
            remainder = remainder.add(&remainder);
            if self.bit(index) {
                remainder = remainder.add(&Natural::small(1));
            }
            if remainder >= *divisor {
                remainder = remainder.sub(divisor);
                quotient.0[index / 32] |= 1 << (index % 32);
            }
        }
        (Natural::from_digits(quotient.0), remainder)
    }

    /// The remainder; `divisor` must not be zero.
    pub fn rem(&self, divisor: &Natural) -> Natural {
        self.div_rem(divisor).1
    }

    /// The remainder after division by 2 to the power of `32 * digits`.
    pub fn low_digits(&self, digits: usize) -> Natural {
        Natural::from_digits(self.0.iter().copied().take(digits).collect())
    }

    fn digit(&self, index: usize) -> u32 {
        self.0.get(index).copied().unwrap_or(0)
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Natural) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Natural) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

/// A signed number: a sign and a magnitude.
// Invariant: zero is not negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integer {
    negative: bool,
    magnitude: Natural,
}

impl Integer {
    /// The number with that sign and magnitude.
    pub fn new(negative: bool, magnitude: Natural) -> Integer {
        Integer { negative: negative && !magnitude.is_zero(), magnitude }
    }

    /// The unsigned value of a word.
    pub fn unsigned(word: U256) -> Integer {
        Integer::new(false, Natural::from_word(word))
    }

    /// The two's-complement value of a word.
    pub fn signed(word: U256) -> Integer {
        let value = Natural::from_word(word);
        if value.bit(255) {
            Integer::new(true, Natural::power_of_two(256).sub(&value))
        } else {
            Integer::new(false, value)
        }
    }

    /// The word congruent to this number modulo 2^256.
    pub fn to_word(&self) -> U256 {
        let modulus = Natural::power_of_two(256);
        let residue = self.magnitude.low_digits(8);
        if self.negative && !residue.is_zero() { modulus.sub(&residue).to_word() } else { residue.to_word() }
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.magnitude.is_zero()
    }

    /// Whether this is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The distance from zero.
    pub fn magnitude(&self) -> &Natural {
        &self.magnitude
    }

    /// The number with the other sign.
    pub fn neg(&self) -> Integer {
        Integer::new(!self.negative, self.magnitude.clone())
    }

    /// The sum.
    pub fn add(&self, other: &Integer) -> Integer {
        if self.negative == other.negative {
            return Integer::new(self.negative, self.magnitude.add(&other.magnitude));
        }
        if self.magnitude >= other.magnitude {
            Integer::new(self.negative, self.magnitude.sub(&other.magnitude))
        } else {
            Integer::new(other.negative, other.magnitude.sub(&self.magnitude))
        }
    }

    /// The difference.
    pub fn sub(&self, other: &Integer) -> Integer {
        self.add(&other.neg())
    }

    /// The product.
    pub fn mul(&self, other: &Integer) -> Integer {
        Integer::new(self.negative != other.negative, self.magnitude.mul(&other.magnitude))
    }

    /// Quotient truncated towards zero, and the remainder with the sign of `self`.
    pub fn div_rem(&self, divisor: &Integer) -> (Integer, Integer) {
        let (quotient, remainder) = self.magnitude.div_rem(&divisor.magnitude);
        (Integer::new(self.negative != divisor.negative, quotient), Integer::new(self.negative, remainder))
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Integer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Integer) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude.cmp(&other.magnitude),
            (true, true) => other.magnitude.cmp(&self.magnitude),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_school_methods_agree_with_machine_numbers() {
        let samples: [u128; 9] =
            [0, 1, 2, 7, 0xffff_ffff, 1 << 32, (1 << 64) - 1, 12_345_678_901_234_567_890, u128::MAX >> 1];
        let natural = |value: u128| Natural::from_word(U256::from(value));
        for a in samples {
            for b in samples {
                assert_eq!(natural(a).add(&natural(b)), natural(a + b));
                assert_eq!(natural(a).cmp(&natural(b)), a.cmp(&b));
                if a >= b {
                    assert_eq!(natural(a).sub(&natural(b)), natural(a - b));
                }
                if let Some(product) = a.checked_mul(b) {
                    assert_eq!(natural(a).mul(&natural(b)), natural(product));
                }
                if b != 0 {
                    assert_eq!(natural(a).div_rem(&natural(b)), (natural(a / b), natural(a % b)));
                }
            }
        }
    }

    #[test]
    fn signed_numbers_round_as_the_machine_says() {
        let integer =
            |value: i128| Integer::new(value < 0, Natural::from_word(U256::from(value.unsigned_abs())));
        for a in [-7i128, -1, 0, 1, 7, 1 << 70] {
            assert_eq!(Integer::signed(integer(a).to_word()), integer(a));
            for b in [-3i128, -1, 0, 1, 2, 1 << 40] {
                assert_eq!(integer(a).add(&integer(b)), integer(a + b));
                assert_eq!(integer(a).sub(&integer(b)), integer(a - b));
                assert_eq!(integer(a).mul(&integer(b)), integer(a * b));
                assert_eq!(integer(a).cmp(&integer(b)), a.cmp(&b));
                if b != 0 {
                    assert_eq!(integer(a).div_rem(&integer(b)), (integer(a / b), integer(a % b)));
                }
            }
        }
    }
}
