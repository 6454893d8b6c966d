//! Integer types: width, range, name.

use std::fmt;

use alloy_primitives::U256;

/// Signedness and width of an integer type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IntType {
    /// Whether the type is `iN`.
    pub signed: bool,
    /// Width in bits: a multiple of 8 from 8 to 256.
    pub bits: u16,
}

impl IntType {
    /// `u8`.
    pub const U8: IntType = IntType { signed: false, bits: 8 };
    /// `u64`.
    pub const U64: IntType = IntType { signed: false, bits: 64 };
    /// `u160`, the integer of an `Address`.
    pub const U160: IntType = IntType { signed: false, bits: 160 };
    /// `u256`.
    pub const U256: IntType = IntType { signed: false, bits: 256 };

    /// The type named `name` (`u8`, `i256`, …), if it is one.
    pub fn from_name(name: &str) -> Option<IntType> {
        let signed = match name.as_bytes().first()? {
            b'u' => false,
            b'i' => true,
            _ => return None,
        };
        let digits = &name[1..];
        // `parse` would take a sign.
        let well_formed = digits.len() <= 3
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit());
        let bits: u16 = if well_formed { digits.parse().ok()? } else { return None };
        (bits.is_multiple_of(8) && (8..=256).contains(&bits)).then_some(IntType { signed, bits })
    }

    /// Width in bytes.
    pub const fn bytes(self) -> u8 {
        (self.bits / 8) as u8
    }

    /// Whether every value of `other` is a value of `self`.
    pub const fn contains(self, other: IntType) -> bool {
        match (self.signed, other.signed) {
            (true, true) | (false, false) => self.bits >= other.bits,
            (true, false) => self.bits > other.bits,
            (false, true) => false,
        }
    }

    /// The smallest value, as a two's complement word.
    pub fn min_word(self) -> U256 {
        if self.signed { !(U256::from(1) << (self.bits as usize - 1)) + U256::from(1) } else { U256::ZERO }
    }

    /// The largest value, as a word.
    pub fn max_word(self) -> U256 {
        U256::MAX >> (256 - self.bits as usize + self.signed as usize)
    }

    /// The spelling in source, `u64`.
    pub fn name(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for IntType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.signed { 'i' } else { 'u' }, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_names_are_exact() {
        for name in ["u0", "u7", "u264", "u08", "int", "u", "i", "", "uu8", "u+8", "i1000", "ä8"] {
            assert_eq!(IntType::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn ranges_are_twos_complement_words() {
        let i8 = IntType { signed: true, bits: 8 };
        assert_eq!(i8.min_word(), U256::MAX - U256::from(127));
        assert_eq!(i8.max_word(), U256::from(127));
        assert_eq!(IntType::U256.max_word(), U256::MAX);
        let i256 = IntType { signed: true, bits: 256 };
        assert_eq!(i256.min_word(), U256::from(1) << 255);
        assert_eq!(i256.max_word(), U256::MAX >> 1);
        assert!(IntType::U256.contains(IntType::U64) && !i256.contains(IntType::U256));
        assert!(i256.contains(IntType::U64) && !IntType::U64.contains(i8));
    }
}
