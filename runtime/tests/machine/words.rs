//! Word operations against the slow model, on random operands and on edges.

use proptest::prelude::*;
use zvm::U256;
use zvm::interp::ops::checked::{self, NumType};
use zvm::interp::ops::{arith, bits, compare};
use zvm::outcome::panic_code::{DIVISION_BY_ZERO, OVERFLOW};

use crate::slow::{Integer, Natural};

/// Words near powers of two, small ones, and random ones of any length, of either sign.
fn any_word() -> impl Strategy<Value = U256> {
    let near_power = (0usize..256, -2i64..=2).prop_map(|(bit, delta)| {
        let power = U256::ONE << bit;
        if delta < 0 {
            power.wrapping_sub(U256::from(delta.unsigned_abs()))
        } else {
            power.wrapping_add(U256::from(delta))
        }
    });
    let random = (any::<[u64; 4]>(), 0usize..256).prop_map(|(limbs, shift)| U256::from_limbs(limbs) >> shift);
    let positive = prop_oneof![near_power, random, (0u64..20).prop_map(U256::from)];
    (positive, any::<bool>()).prop_map(|(word, negate)| if negate { word.wrapping_neg() } else { word })
}

fn any_type() -> impl Strategy<Value = NumType> {
    (any::<bool>(), 1u8..=32)
        .prop_map(|(signed, width)| NumType::new(signed, width).expect("a width of 1..=32"))
}

/// A type and two words, most of them values of the type.
fn typed_pair() -> impl Strategy<Value = (NumType, U256, U256)> {
    (any_type(), any_word(), any_word(), 0u8..10).prop_map(|(t, a, b, wild)| {
        let fit = |word: U256| {
            let shift = 256 - 8 * t.width_bytes();
            if t.signed { (word << shift).arithmetic_shr(shift) } else { (word << shift) >> shift }
        };
        (t, if wild == 0 { a } else { fit(a) }, if wild == 1 { b } else { fit(b) })
    })
}

fn unsigned(word: U256) -> Integer {
    Integer::from_word(word, false)
}

fn signed(word: U256) -> Integer {
    Integer::from_word(word, true)
}

fn truth(value: bool) -> U256 {
    U256::from(value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn wrapping_arithmetic_is_that_of_the_integers(a in any_word(), b in any_word()) {
        prop_assert_eq!(arith::add(a, b), unsigned(a).add(&unsigned(b)).to_word());
        prop_assert_eq!(arith::sub(a, b), unsigned(a).add(&unsigned(b).negated()).to_word());
        prop_assert_eq!(arith::mul(a, b), unsigned(a).mul(&unsigned(b)).to_word());
    }

    #[test]
    fn division_is_long_division(a in any_word(), b in any_word()) {
        if b.is_zero() {
            for op in [arith::div, arith::rem, arith::sdiv, arith::smod] {
                prop_assert_eq!(op(a, b), U256::ZERO);
            }
        } else {
            let (quotient, remainder) = unsigned(a).div_rem(&unsigned(b));
            prop_assert_eq!(arith::div(a, b), quotient.to_word());
            prop_assert_eq!(arith::rem(a, b), remainder.to_word());
            let (quotient, remainder) = signed(a).div_rem(&signed(b));
            prop_assert_eq!(arith::sdiv(a, b), quotient.to_word());
            prop_assert_eq!(arith::smod(a, b), remainder.to_word());
        }
    }

    #[test]
    fn modular_operations_do_not_wrap_before_the_modulus(a in any_word(), b in any_word(), n in any_word()) {
        let modulus = Natural::from_word(n);
        let (sum, product) = (unsigned(a).add(&unsigned(b)), unsigned(a).mul(&unsigned(b)));
        let reduce = |value: Integer| match modulus.is_zero() {
            true => U256::ZERO,
            false => value.magnitude.div_rem(&modulus).1.to_word(),
        };
        prop_assert_eq!(arith::addmod(a, b, n), reduce(sum));
        prop_assert_eq!(arith::mulmod(a, b, n), reduce(product));
    }

    #[test]
    fn powers_are_repeated_products(a in any_word(), b in 0u64..40) {
        let power = (0..b).fold(U256::ONE, |power, _| unsigned(power).mul(&unsigned(a)).to_word());
        prop_assert_eq!(arith::exp(a, U256::from(b)), power);
    }

    /// a^(b+c) = a^b * a^c reaches the exponents that a loop can't.
    #[test]
    fn powers_of_large_exponents_add(a in any_word(), b in any_word(), c in any_word()) {
        let (b, c) = (b >> 1, c >> 1);
        prop_assert_eq!(arith::exp(a, b + c), arith::mul(arith::exp(a, b), arith::exp(a, c)));
    }

    #[test]
    fn comparisons_are_those_of_the_integers(a in any_word(), b in any_word()) {
        let less = |a: &Integer, b: &Integer| a.add(&b.negated()).negative;
        prop_assert_eq!(compare::lt(a, b), truth(less(&unsigned(a), &unsigned(b))));
        prop_assert_eq!(compare::gt(a, b), truth(less(&unsigned(b), &unsigned(a))));
        prop_assert_eq!(compare::slt(a, b), truth(less(&signed(a), &signed(b))));
        prop_assert_eq!(compare::sgt(a, b), truth(less(&signed(b), &signed(a))));
        prop_assert_eq!(compare::eq(a, b), truth(unsigned(a) == unsigned(b)));
        prop_assert_eq!(compare::eq(a, a), U256::ONE);
        prop_assert_eq!(compare::iszero(a), truth(unsigned(a).magnitude.is_zero()));
    }

    #[test]
    fn shifts_multiply_and_divide_by_powers_of_two(shift in 0usize..300, word in any_word()) {
        let (distance, power) = (U256::from(shift), Natural::power_of_two(shift));
        let shifted = Natural::from_word(word).mul(&power).to_word();
        prop_assert_eq!(bits::shl(distance, word), shifted);
        prop_assert_eq!(bits::shr(distance, word), Natural::from_word(word).div_rem(&power).0.to_word());
        // Towards minus infinity: a negative number's complement is divided.
        let arithmetic = match word.bit(255) {
            true => !Natural::from_word(!word).div_rem(&power).0.to_word(),
            false => Natural::from_word(word).div_rem(&power).0.to_word(),
        };
        prop_assert_eq!(bits::sar(distance, word), arithmetic);
    }

    #[test]
    fn bits_and_bytes_are_picked_one_by_one(a in any_word(), b in any_word(), index in 0usize..40) {
        let bit = |f: fn(bool, bool) -> bool| {
            let mut word = U256::ZERO;
            (0..256).for_each(|i| word.set_bit(i, f(a.bit(i), b.bit(i))));
            word
        };
        prop_assert_eq!(bits::and(a, b), bit(|a, b| a && b));
        prop_assert_eq!(bits::or(a, b), bit(|a, b| a || b));
        prop_assert_eq!(bits::xor(a, b), bit(|a, b| a != b));
        prop_assert_eq!(bits::not(a), bit(|a, _| !a));
        let byte = a.to_be_bytes::<32>().get(index).copied().unwrap_or(0);
        prop_assert_eq!(bits::byte(U256::from(index), a), U256::from(byte));
        let zeros = (0..256).rev().take_while(|&i| !a.bit(i)).count();
        prop_assert_eq!(bits::clz(a), U256::from(zeros));
        let mut extended = a;
        if index < 31 {
            (8 * index + 8..256).for_each(|i| extended.set_bit(i, a.bit(8 * index + 7)));
        }
        prop_assert_eq!(arith::signextend(U256::from(index), a), extended);
    }

    #[test]
    fn checked_operations_give_the_integer_or_a_fault((t, a, b) in typed_pair()) {
        let width = t.width_bytes();
        let (x, y) = (Integer::from_word(a, t.signed), Integer::from_word(b, t.signed));
        let admit = |value: &Integer| match value.lies_in(t.signed, width) {
            true => Ok(value.to_word()),
            false => Err(OVERFLOW),
        };
        let operands = x.lies_in(t.signed, width) && y.lies_in(t.signed, width);
        let expect = |result: Result<U256, u8>| if operands { result } else { Err(OVERFLOW) };
        prop_assert_eq!(checked::cadd(t, a, b), expect(admit(&x.add(&y))));
        prop_assert_eq!(checked::csub(t, a, b), expect(admit(&x.add(&y.negated()))));
        prop_assert_eq!(checked::cmul(t, a, b), expect(admit(&x.mul(&y))));
        let (quotient, remainder) = match b.is_zero() {
            true => (Err(DIVISION_BY_ZERO), Err(DIVISION_BY_ZERO)),
            false => {
                let (quotient, remainder) = x.div_rem(&y);
                (admit(&quotient), admit(&remainder))
            }
        };
        prop_assert_eq!(checked::cdiv(t, a, b), expect(quotient));
        prop_assert_eq!(checked::cmod(t, a, b), expect(remainder));
        let negated = if x.lies_in(t.signed, width) { admit(&x.negated()) } else { Err(OVERFLOW) };
        prop_assert_eq!(checked::cneg(t, a), negated);
        for from_signed in [false, true] {
            let cast = admit(&Integer::from_word(a, from_signed)).map(|_| a);
            prop_assert_eq!(checked::ccast(t, from_signed, a), cast);
        }
    }

    #[test]
    fn checked_powers_fault_when_the_product_leaves_the_type((t, a, _) in typed_pair(), b in 0u64..300) {
        let x = Integer::from_word(a, t.signed);
        let one = Integer::new(false, Natural::power_of_two(0));
        let mut power = Ok(one);
        // Beyond the widest type nothing comes back, but for bases of magnitude 0 and 1, which stay small.
        for _ in 0..b {
            power = power.and_then(|power: Integer| {
                let power = power.mul(&x);
                if power.magnitude.is_less(&Natural::power_of_two(257)) { Ok(power) } else { Err(OVERFLOW) }
            });
        }
        let power = power.and_then(|power| match power.lies_in(t.signed, t.width_bytes()) {
            true => Ok(power.to_word()),
            false => Err(OVERFLOW),
        });
        let expected = if x.lies_in(t.signed, t.width_bytes()) { power } else { Err(OVERFLOW) };
        prop_assert_eq!(checked::cexp(t, a, U256::from(b)), expected);
    }
}
