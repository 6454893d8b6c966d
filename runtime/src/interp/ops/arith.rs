//! Arithmetic modulo 2^256: pure functions on words, `a` = top of the stack.

use alloy_primitives::U256;

use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::Exit;

/// `a + b`.
#[inline(always)]
pub fn add(a: U256, b: U256) -> U256 {
    a.wrapping_add(b)
}

/// `a - b`.
#[inline(always)]
pub fn sub(a: U256, b: U256) -> U256 {
    a.wrapping_sub(b)
}

/// `a * b`.
#[inline(always)]
pub fn mul(a: U256, b: U256) -> U256 {
    a.wrapping_mul(b)
}

/// `a / b`, 0 for `b = 0`.
#[inline]
pub fn div(a: U256, b: U256) -> U256 {
    if let (Some(a), Some(b)) = (small(&a), small(&b)) {
        return U256::from(a.checked_div(b).unwrap_or(0));
    }
    if let (Some(a), Some(b)) = (half(&a), half(&b)) {
        return U256::from(a.checked_div(b).unwrap_or(0));
    }
    a.checked_div(b).unwrap_or(U256::ZERO)
}

/// Signed `a / b`, truncated; 0 for `b = 0`, and the least value / -1 is itself.
#[inline]
pub fn sdiv(a: U256, b: U256) -> U256 {
    if let (Some(a), Some(b)) = (signed_half(&a), signed_half(&b)) {
        let quotient = a.unsigned_abs().checked_div(b.unsigned_abs()).unwrap_or(0);
        let is_negative = (a < 0) != (b < 0);
        return if is_negative { U256::from(quotient).wrapping_neg() } else { U256::from(quotient) };
    }
    let quotient = div(magnitude(a), magnitude(b));
    if is_negative(&a) != is_negative(&b) { quotient.wrapping_neg() } else { quotient }
}

/// `a mod b`, 0 for `b = 0`.
#[inline]
pub fn rem(a: U256, b: U256) -> U256 {
    if let (Some(a), Some(b)) = (small(&a), small(&b)) {
        return U256::from(a.checked_rem(b).unwrap_or(0));
    }
    if let (Some(a), Some(b)) = (half(&a), half(&b)) {
        return U256::from(a.checked_rem(b).unwrap_or(0));
    }
    a.checked_rem(b).unwrap_or(U256::ZERO)
}

/// Signed remainder with the sign of `a`, 0 for `b = 0`.
#[inline]
pub fn smod(a: U256, b: U256) -> U256 {
    let remainder = rem(magnitude(a), magnitude(b));
    if is_negative(&a) { remainder.wrapping_neg() } else { remainder }
}

/// `(a + b) mod n` over 257 bits, 0 for `n = 0`.
#[inline]
pub fn addmod(a: U256, b: U256, n: U256) -> U256 {
    a.add_mod(b, n)
}

/// `(a * b) mod n` over 512 bits, 0 for `n = 0`.
#[inline]
pub fn mulmod(a: U256, b: U256, n: U256) -> U256 {
    a.mul_mod(b, n)
}

/// `a ^ b`.
pub fn exp(a: U256, b: U256) -> U256 {
    a.wrapping_pow(b)
}

/// `exp` as an operation: charges by the bytes of the exponent.
pub fn run_exp(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let [a, b] = frame.stack.pop();
    super::charge(frame, exponent_gas(Op::Exp, &b))?;
    frame.stack.push_word(exp(a, b));
    Ok(())
}

/// Dynamic gas of `exp` and `cexp`.
pub(crate) fn exponent_gas(op: Op, exponent: &U256) -> u64 {
    op.dynamic_rate() * exponent.byte_len() as u64
}

/// Sign-extends `b` from byte `a`, 0 = least significant.
#[inline]
pub fn signextend(a: U256, b: U256) -> U256 {
    match u64::try_from(a) {
        Ok(byte @ 0..=30) => extend_sign(b, byte as usize + 1),
        _ => b,
    }
}

/// Sign-extends the low `width` bytes of `word`, `width` in 1..=32.
#[inline]
pub(crate) fn extend_sign(word: U256, width: usize) -> U256 {
    let shift = 256 - 8 * width;
    (word << shift).arithmetic_shr(shift)
}

/// The word as a signed number of 128 bits, if it is one.
#[inline(always)]
fn signed_half(word: &U256) -> Option<i128> {
    let [first, second, third, fourth] = *word.as_limbs();
    let sign = (second as i64 >> 63) as u64;
    (third == sign && fourth == sign).then_some((u128::from(second) << 64 | u128::from(first)) as i128)
}

/// Whether the word is negative as a two's-complement number.
#[inline(always)]
pub fn is_negative(word: &U256) -> bool {
    word.as_limbs()[3] >> 63 == 1
}

/// The absolute value of a two's-complement number; that of the least value is 2^255.
#[inline]
pub fn magnitude(word: U256) -> U256 {
    if is_negative(&word) { word.wrapping_neg() } else { word }
}

/// The word as a `u128`, if it fits.
#[inline(always)]
fn half(word: &U256) -> Option<u128> {
    let [low, high, a, b] = *word.as_limbs();
    (a | b == 0).then_some(u128::from(high) << 64 | u128::from(low))
}

/// The word as a `u64`, if it fits.
#[inline(always)]
fn small(word: &U256) -> Option<u64> {
    let [low, a, b, c] = *word.as_limbs();
    (a | b | c == 0).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: U256 = U256::from_limbs([0, 0, 0, 1 << 63]);

    fn signed(value: i64) -> U256 {
        extend_sign(U256::from(value as u64), 8)
    }

    #[test]
    fn signed_division_truncates_and_keeps_its_corners() {
        assert_eq!(sdiv(signed(-7), signed(2)), signed(-3));
        assert_eq!(sdiv(signed(7), signed(-2)), signed(-3));
        assert_eq!(sdiv(LEAST, signed(-1)), LEAST);
        assert_eq!(sdiv(signed(-7), U256::ZERO), U256::ZERO);
        assert_eq!(smod(signed(-7), signed(2)), signed(-1));
        assert_eq!(smod(signed(7), signed(-2)), signed(1));
        assert_eq!(smod(LEAST, signed(-1)), U256::ZERO);
        assert_eq!(smod(signed(-7), U256::ZERO), U256::ZERO);
    }

    #[test]
    fn division_by_zero_is_zero() {
        for a in [U256::ZERO, U256::ONE, U256::MAX] {
            assert_eq!(div(a, U256::ZERO), U256::ZERO);
            assert_eq!(rem(a, U256::ZERO), U256::ZERO);
            assert_eq!(addmod(a, a, U256::ZERO), U256::ZERO);
            assert_eq!(mulmod(a, a, U256::ZERO), U256::ZERO);
        }
    }

    #[test]
    fn modular_operations_keep_the_carry() {
        assert_eq!(addmod(U256::MAX, U256::MAX, U256::from(10)), U256::ZERO);
        assert_eq!(mulmod(U256::MAX, U256::MAX, U256::from(12)), U256::from(9));
    }

    #[test]
    fn powers_wrap() {
        assert_eq!(exp(U256::ZERO, U256::ZERO), U256::ONE);
        assert_eq!(exp(U256::from(2), U256::from(255)), LEAST);
        assert_eq!(exp(U256::from(2), U256::from(256)), U256::ZERO);
        assert_eq!(exp(U256::MAX, U256::MAX), U256::MAX);
    }

    #[test]
    fn sign_extension_counts_bytes_from_the_low_end() {
        assert_eq!(signextend(U256::ZERO, U256::from(0x1ff)), U256::MAX);
        assert_eq!(signextend(U256::ZERO, U256::from(0x17f)), U256::from(0x7f));
        assert_eq!(signextend(U256::from(30), LEAST), U256::ZERO);
        assert_eq!(signextend(U256::from(31), LEAST), LEAST);
        assert_eq!(signextend(U256::MAX, LEAST), LEAST);
    }
}
