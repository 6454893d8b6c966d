//! Bitwise operations and shifts: pure functions on words, `a` = top of the stack.

use alloy_primitives::U256;

/// `a and b`.
#[inline(always)]
pub fn and(a: U256, b: U256) -> U256 {
    a & b
}

/// `a or b`.
#[inline(always)]
pub fn or(a: U256, b: U256) -> U256 {
    a | b
}

/// `a xor b`.
#[inline(always)]
pub fn xor(a: U256, b: U256) -> U256 {
    a ^ b
}

/// `not a`.
#[inline(always)]
pub fn not(a: U256) -> U256 {
    !a
}

/// Byte `a` of `b`, 0 = most significant; 0 for `a > 31`.
#[inline]
pub fn byte(a: U256, b: U256) -> U256 {
    match u64::try_from(a) {
        Ok(index @ 0..=31) => U256::from(b.byte(31 - index as usize)),
        _ => U256::ZERO,
    }
}

/// `b << a`, 0 for `a > 255`.
#[inline]
pub fn shl(a: U256, b: U256) -> U256 {
    match shift(a) {
        Some(bits) => b << bits,
        None => U256::ZERO,
    }
}

/// `b >> a` with zeros moving in, 0 for `a > 255`.
#[inline]
pub fn shr(a: U256, b: U256) -> U256 {
    match shift(a) {
        Some(bits) => b >> bits,
        None => U256::ZERO,
    }
}

/// `b >> a` with the sign moving in; all sign for `a > 255`.
#[inline]
pub fn sar(a: U256, b: U256) -> U256 {
    b.arithmetic_shr(shift(a).unwrap_or(255))
}

/// Leading zero bits; 256 for 0.
#[inline]
pub fn clz(a: U256) -> U256 {
    U256::from(a.leading_zeros())
}

/// The shift distance if it keeps any bit.
#[inline(always)]
fn shift(a: U256) -> Option<usize> {
    let [low, b, c, d] = *a.as_limbs();
    (b | c | d == 0 && low < 256).then_some(low as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: U256 = U256::from_limbs([0, 0, 0, 1 << 63]);

    #[test]
    fn shifts_end_at_256() {
        let w = |value: u64| U256::from(value);
        assert_eq!(shl(w(255), U256::ONE), LEAST);
        assert_eq!(shl(w(256), U256::MAX), U256::ZERO);
        assert_eq!(shr(w(255), LEAST), U256::ONE);
        assert_eq!(shr(U256::MAX, U256::MAX), U256::ZERO);
        assert_eq!(sar(w(255), LEAST), U256::MAX);
        assert_eq!(sar(w(4), LEAST), LEAST | LEAST >> 1 | LEAST >> 2 | LEAST >> 3 | LEAST >> 4);
        assert_eq!(sar(U256::ONE << 64, LEAST), U256::MAX);
        assert_eq!(sar(U256::MAX, LEAST - U256::ONE), U256::ZERO);
        for a in [shl, shr, sar] {
            assert_eq!(a(U256::ZERO, w(0x1234)), w(0x1234));
        }
    }

    #[test]
    fn bytes_count_from_the_high_end() {
        let word = U256::from_be_bytes::<32>(std::array::from_fn(|i| i as u8 + 1));
        assert_eq!(byte(U256::ZERO, word), U256::from(1));
        assert_eq!(byte(U256::from(31), word), U256::from(32));
        assert_eq!(byte(U256::from(32), word), U256::ZERO);
        assert_eq!(byte(U256::ONE << 64, word), U256::ZERO);
    }

    #[test]
    fn clz_counts_256_for_zero() {
        assert_eq!(clz(U256::ZERO), U256::from(256));
        assert_eq!(clz(U256::ONE), U256::from(255));
        assert_eq!(clz(U256::MAX), U256::ZERO);
    }
}
