//! Big integers as lists of bits, lowest first: so slow and plain that they are right.

use zvm::U256;

/// A natural number without leading zero bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Natural(Vec<bool>);

impl Natural {
    pub(crate) fn zero() -> Natural {
        Natural(Vec::new())
    }

    pub(crate) fn from_word(word: U256) -> Natural {
        Natural((0..256).map(|bit| word.bit(bit)).collect()).trimmed()
    }

    pub(crate) fn power_of_two(exponent: usize) -> Natural {
        let mut bits = vec![false; exponent];
        bits.push(true);
        Natural(bits)
    }

    /// The number modulo 2^256.
    pub(crate) fn to_word(&self) -> U256 {
        let mut word = U256::ZERO;
        self.0.iter().take(256).enumerate().for_each(|(bit, &value)| word.set_bit(bit, value));
        word
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn trimmed(mut self) -> Natural {
        while self.0.last() == Some(&false) {
            self.0.pop();
        }
        self
    }

    fn bit(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or(false)
    }

    pub(crate) fn add(&self, other: &Natural) -> Natural {
        let mut carry = false;
        let mut bits = Vec::new();
        for index in 0..=self.0.len().max(other.0.len()) {
            let ones = [self.bit(index), other.bit(index), carry].into_iter().filter(|&bit| bit).count();
            bits.push(ones % 2 == 1);
            carry = ones >= 2;
        }
        Natural(bits).trimmed()
    }

    /// The difference; `other` is not larger.
    pub(crate) fn sub(&self, other: &Natural) -> Natural {
        let mut borrow = false;
        let mut bits = Vec::new();
        for index in 0..self.0.len() {
            let value = i32::from(self.bit(index)) - i32::from(other.bit(index)) - i32::from(borrow);
            bits.push(value.rem_euclid(2) == 1);
            borrow = value < 0;
        }
        assert!(!borrow, "a difference of naturals is not negative");
        Natural(bits).trimmed()
    }

    pub(crate) fn mul(&self, other: &Natural) -> Natural {
        let mut product = Natural::zero();
        for index in (0..self.0.len()).rev() {
            product = product.shifted();
            if self.bit(index) {
                product = product.add(other);
            }
        }
        product
    }

    fn shifted(&self) -> Natural {
        if self.is_zero() {
            return Natural::zero();
        }
        let mut bits = vec![false];
        bits.extend(&self.0);
        Natural(bits)
    }

    pub(crate) fn is_less(&self, other: &Natural) -> bool {
        if self.0.len() != other.0.len() {
            return self.0.len() < other.0.len();
        }
        self.0.iter().rev().lt(other.0.iter().rev())
    }

    /// Quotient and remainder by long division; `divisor` is not zero.
    pub(crate) fn div_rem(&self, divisor: &Natural) -> (Natural, Natural) {
        assert!(!divisor.is_zero());
        let mut remainder = Natural::zero();
        let mut quotient = vec![false; self.0.len()];
        for index in (0..self.0.len()).rev() {
            remainder = remainder.shifted();
            if self.bit(index) {
                remainder = remainder.add(&Natural(vec![true]));
            }
            if !remainder.is_less(divisor) {
                remainder = remainder.sub(divisor);
                quotient[index] = true;
            }
        }
        (Natural(quotient).trimmed(), remainder)
    }
}

/// An integer with sign; zero is not negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    pub(crate) negative: bool,
    pub(crate) magnitude: Natural,
}

impl Integer {
    pub(crate) fn new(negative: bool, magnitude: Natural) -> Integer {
        Integer { negative: negative && !magnitude.is_zero(), magnitude }
    }

    /// The word read as unsigned, or in two's complement.
    pub(crate) fn from_word(word: U256, signed: bool) -> Integer {
        let natural = Natural::from_word(word);
        if signed && word.bit(255) {
            Integer::new(true, Natural::power_of_two(256).sub(&natural))
        } else {
            Integer::new(false, natural)
        }
    }

    /// The integer modulo 2^256.
    pub(crate) fn to_word(&self) -> U256 {
        let word = self.magnitude.to_word();
        if self.negative { U256::ZERO.wrapping_sub(word) } else { word }
    }

    pub(crate) fn add(&self, other: &Integer) -> Integer {
        if self.negative == other.negative {
            Integer::new(self.negative, self.magnitude.add(&other.magnitude))
        } else if self.magnitude.is_less(&other.magnitude) {
            Integer::new(other.negative, other.magnitude.sub(&self.magnitude))
        } else {
            Integer::new(self.negative, self.magnitude.sub(&other.magnitude))
        }
    }

    pub(crate) fn negated(&self) -> Integer {
        Integer::new(!self.negative, self.magnitude.clone())
    }

    pub(crate) fn mul(&self, other: &Integer) -> Integer {
        Integer::new(self.negative != other.negative, self.magnitude.mul(&other.magnitude))
    }

    /// Truncated division; the remainder has this number's sign.
    pub(crate) fn div_rem(&self, divisor: &Integer) -> (Integer, Integer) {
        let (quotient, remainder) = self.magnitude.div_rem(&divisor.magnitude);
        (Integer::new(self.negative != divisor.negative, quotient), Integer::new(self.negative, remainder))
    }

    /// Whether the integer is a value of the type of that many bytes.
    pub(crate) fn lies_in(&self, signed: bool, width: usize) -> bool {
        if !signed {
            return !self.negative && self.magnitude.is_less(&Natural::power_of_two(8 * width));
        }
        let bound = Natural::power_of_two(8 * width - 1);
        self.magnitude.is_less(&bound) || self.negative && self.magnitude == bound
    }
}
