//! Comparisons: pure functions on words that give 1 or 0, `a` = top of the stack.

use alloy_primitives::U256;

use super::arith::is_negative;

#[inline(always)]
fn word(truth: bool) -> U256 {
    U256::from_limbs([truth as u64, 0, 0, 0])
}

/// `a = 0`, in registers: the plain comparison goes through memory by wide loads.
#[inline(always)]
pub fn is_zero(a: &U256) -> bool {
    let [a0, a1, a2, a3] = *a.as_limbs();
    a0 | a1 | a2 | a3 == 0
}

/// `a = b`, in registers likewise.
#[inline(always)]
pub fn is_equal(a: &U256, b: &U256) -> bool {
    let [a0, a1, a2, a3] = *a.as_limbs();
    let [b0, b1, b2, b3] = *b.as_limbs();
    (a0 ^ b0) | (a1 ^ b1) | (a2 ^ b2) | (a3 ^ b3) == 0
}

/// `a < b`, unsigned.
#[inline(always)]
pub fn is_less(a: &U256, b: &U256) -> bool {
    let [a0, a1, a2, a3] = *a.as_limbs();
    let [b0, b1, b2, b3] = *b.as_limbs();
    // One borrow chain: no branch depends on the operands.
    let (_, borrow) = a0.overflowing_sub(b0);
    let (_, borrow) = a1.subtract_borrowing(b1, borrow);
    let (_, borrow) = a2.subtract_borrowing(b2, borrow);
    let (_, borrow) = a3.subtract_borrowing(b3, borrow);
    borrow
}

/// Subtraction with borrow, which the standard library does not offer on stable yet.
trait SubtractBorrowing: Sized {
    fn subtract_borrowing(self, other: Self, borrow: bool) -> (Self, bool);
}

impl SubtractBorrowing for u64 {
    #[inline(always)]
    fn subtract_borrowing(self, other: u64, borrow: bool) -> (u64, bool) {
        let (difference, first) = self.overflowing_sub(other);
        let (difference, second) = difference.overflowing_sub(borrow as u64);
        (difference, first | second)
    }
}

/// `a < b`, two's complement.
#[inline(always)]
pub fn is_less_signed(a: &U256, b: &U256) -> bool {
    match (is_negative(a), is_negative(b)) {
        (true, false) => true,
        (false, true) => false,
        _ => is_less(a, b),
    }
}

/// 1 if `a < b`.
#[inline(always)]
pub fn lt(a: U256, b: U256) -> U256 {
    word(is_less(&a, &b))
}

/// 1 if `a > b`.
#[inline(always)]
pub fn gt(a: U256, b: U256) -> U256 {
    word(is_less(&b, &a))
}

/// 1 if signed `a < b`.
#[inline(always)]
pub fn slt(a: U256, b: U256) -> U256 {
    word(is_less_signed(&a, &b))
}

/// 1 if signed `a > b`.
#[inline(always)]
pub fn sgt(a: U256, b: U256) -> U256 {
    word(is_less_signed(&b, &a))
}

/// 1 if `a = b`.
#[inline(always)]
pub fn eq(a: U256, b: U256) -> U256 {
    word(is_equal(&a, &b))
}

/// 1 if `a = 0`.
#[inline(always)]
pub fn iszero(a: U256) -> U256 {
    word(is_zero(&a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_the_numbers() {
        let ascending =
            [U256::ZERO, U256::ONE, U256::ONE << 64, U256::ONE << 128, U256::ONE << 255, U256::MAX];
        for (i, &a) in ascending.iter().enumerate() {
            for (j, &b) in ascending.iter().enumerate() {
                assert_eq!(lt(a, b), U256::from(i < j), "{a} < {b}");
                assert_eq!(gt(a, b), U256::from(i > j), "{a} > {b}");
                assert_eq!(eq(a, b), U256::from(i == j), "{a} = {b}");
                // The last two are negative when signed: least, -1.
                let rank = |index: usize| if index >= 4 { index as i32 - 6 } else { index as i32 };
                assert_eq!(slt(a, b), U256::from(rank(i) < rank(j)), "signed {a} < {b}");
                assert_eq!(sgt(a, b), U256::from(rank(i) > rank(j)), "signed {a} > {b}");
            }
            assert_eq!(iszero(a), U256::from(i == 0));
        }
    }
}
