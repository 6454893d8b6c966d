//! Checked exponentiation: one operation where base or exponent is known, else a function that squares and multiplies.

use alloy_primitives::U256;
use zvm::outcome::panic_code;

use super::{Expander, Helpers};
use crate::ir::build::FunctionBuilder;
use crate::ir::{FuncId, Function, Imm, IntType, Op, Value};
use crate::source::Span;

impl Expander<'_> {
    /// `base ** exponent` in the type; 0 ** 0 is 1.
    pub(super) fn power(&mut self, ty: IntType, base: Value, exponent: Value, result: Value) {
        if !ty.is_signed() {
            let bad = match (self.known(base), self.known(exponent)) {
                (Some(known), _) => {
                    Some(greatest_exponent(known, ty.max_word()).map(|most| (exponent, most)))
                }
                (_, Some(known)) => Some(greatest_base(known, ty.max_word()).map(|most| (base, most))),
                _ => None,
            };
            if let Some(limit) = bad {
                if let Some((operand, most)) = limit {
                    let most = self.constant(most);
                    let bad = self.binary(Op::Gt, operand, most);
                    self.refuse(Some(bad));
                }
                return self.emit(Op::Exp, Imm::None, &[base, exponent], vec![result]);
            }
        }
        let max = self.constant(ty.max_word());
        let helper = self.helpers.power(ty.is_signed(), self.span);
        self.emit(Op::Icall, Imm::Func(helper), &[base, exponent, max], vec![result]);
    }
}

/// The greatest exponent with which a base stays within `max`; `None` if all do.
fn greatest_exponent(base: U256, max: U256) -> Option<U256> {
    if base <= U256::ONE {
        return None;
    }
    let (mut power, mut exponent) = (U256::ONE, U256::ZERO);
    while let Some(next) = power.checked_mul(base).filter(|next| *next <= max) {
        (power, exponent) = (next, exponent + U256::ONE);
    }
    Some(exponent)
}

/// The greatest base that stays within `max` with an exponent; `None` if all do.
fn greatest_base(exponent: U256, max: U256) -> Option<U256> {
    if exponent.is_zero() {
        return None;
    }
    // No base above 1 fits with an exponent above 255.
    let exponent = exponent.saturating_to::<u64>().min(256);
    let fits = |base: U256| base.checked_pow(U256::from(exponent)).is_some_and(|power| power <= max);
    let mut root = U256::ZERO;
    for bit in (0..256).rev() {
        let candidate = root | (U256::ONE << bit);
        if fits(candidate) {
            root = candidate;
        }
    }
    Some(root)
}

impl Helpers {
    /// The function (base, exponent, max) -> power, where max is the greatest value of the type.
    fn power(&mut self, is_signed: bool, span: Span) -> FuncId {
        let unsigned = match self.power {
            Some(id) => id,
            None => {
                let id = self.add(unsigned_power(span));
                self.power = Some(id);
                id
            }
        };
        if !is_signed {
            return unsigned;
        }
        match self.signed_power {
            Some(id) => id,
            None => {
                let id = self.add(signed_power(unsigned, span));
                self.signed_power = Some(id);
                id
            }
        }
    }
}

/// Squares and multiplies; where the square that is needed next is too great, so is the power.
fn unsigned_power(span: Span) -> Function {
    let mut b = FunctionBuilder::new("power", 3, 1, span);
    let [base_given, exponent_given, max] = b.params()[..] else { unreachable!("three parameters") };
    let (base, exponent, power) = (b.declare_var(), b.declare_var(), b.declare_var());
    let one = b.iconst(U256::ONE);
    b.def_var(base, base_given);
    b.def_var(exponent, exponent_given);
    b.def_var(power, one);

    // A base of 0 or 1 never grows, and has no exponent that is too great.
    let (small, general) = (b.create_block(), b.create_block());
    let two = b.iconst_u64(2);
    let is_small = b.binary(Op::Lt, base_given, two);
    b.br(is_small, small, general);
    b.seal_block(small);
    b.seal_block(general);
    b.switch_to(small);
    let trivial = b.binary(Op::Exp, base_given, exponent_given);
    b.ret(&[trivial]);
    b.switch_to(general);

    let (head, body, last) = (b.create_block(), b.create_block(), b.create_block());
    let fault = b.create_block();
    b.jump(head);
    b.switch_to(head);
    let (left, one) = (b.use_var(exponent), b.iconst(U256::ONE));
    let goes_on = b.binary(Op::Gt, left, one);
    b.br(goes_on, body, last);
    b.seal_block(body);
    b.seal_block(last);

    b.switch_to(body);
    let factor = b.use_var(base);
    let most = b.binary(Op::Div, max, factor);
    let too_great = b.binary(Op::Gt, factor, most);
    let square = b.create_block();
    b.br(too_great, fault, square);
    b.seal_block(square);
    b.switch_to(square);
    let (left, one) = (b.use_var(exponent), b.iconst(U256::ONE));
    let is_odd = b.binary(Op::And, left, one);
    let (odd, even) = (b.create_block(), b.create_block());
    b.br(is_odd, odd, even);
    b.seal_block(odd);
    b.switch_to(odd);
    // The power so far is at most the base, whose square fits.
    let (so_far, factor) = (b.use_var(power), b.use_var(base));
    let product = b.binary(Op::Mul, so_far, factor);
    b.def_var(power, product);
    b.jump(even);
    b.seal_block(even);
    b.switch_to(even);
    let factor = b.use_var(base);
    let squared = b.binary(Op::Mul, factor, factor);
    b.def_var(base, squared);
    let (left, one) = (b.use_var(exponent), b.iconst(U256::ONE));
    let halved = b.binary(Op::Shr, one, left);
    b.def_var(exponent, halved);
    b.jump(head);
    b.seal_block(head);

    // The exponent that is left is 0 or 1; it is 0 only if it was from the beginning.
    b.switch_to(last);
    let (some, none) = (b.create_block(), b.create_block());
    let left = b.use_var(exponent);
    b.br(left, some, none);
    b.seal_block(some);
    b.seal_block(none);
    b.switch_to(none);
    let so_far = b.use_var(power);
    b.ret(&[so_far]);
    b.switch_to(some);
    let (so_far, factor) = (b.use_var(power), b.use_var(base));
    let most = b.binary(Op::Div, max, factor);
    let too_great = b.binary(Op::Gt, so_far, most);
    let fits = b.create_block();
    b.br(too_great, fault, fits);
    b.seal_block(fits);
    b.seal_block(fault);
    b.switch_to(fits);
    let product = b.binary(Op::Mul, so_far, factor);
    b.ret(&[product]);
    b.switch_to(fault);
    b.panic(panic_code::OVERFLOW);
    b.finish()
}

/// The power of the magnitude, negated if the base is negative and the exponent odd; then one more fits.
fn signed_power(unsigned: FuncId, span: Span) -> Function {
    let mut b = FunctionBuilder::new("signed power", 3, 1, span);
    let [base, exponent, max] = b.params()[..] else { unreachable!("three parameters") };
    let (zero, one) = (b.iconst(U256::ZERO), b.iconst(U256::ONE));
    let negative = b.binary(Op::Slt, base, zero);
    // All ones for a negative base: negation is complement and one more.
    let mask = b.binary(Op::Sub, zero, negative);
    let flipped = b.binary(Op::Xor, base, mask);
    let magnitude = b.binary(Op::Add, flipped, negative);
    let is_odd = b.binary(Op::And, exponent, one);
    let negates = b.binary(Op::And, negative, is_odd);
    let most = b.binary(Op::Add, max, negates);
    let power = b.icall(unsigned, &[magnitude, exponent, most], 1)[0];
    let mask = b.binary(Op::Sub, zero, negates);
    let flipped = b.binary(Op::Xor, power, mask);
    let result = b.binary(Op::Add, flipped, negates);
    b.ret(&[result]);
    b.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_last_that_fit() {
        let most = |base: u64, max| greatest_exponent(U256::from(base), max);
        assert_eq!(most(10, U256::MAX), Some(U256::from(77)));
        assert_eq!(most(2, U256::MAX), Some(U256::from(255)));
        assert_eq!(most(16, U256::from(255)), Some(U256::from(1)));
        assert_eq!(most(1, U256::from(255)), None);
        let most = |exponent: u64, max| greatest_base(U256::from(exponent), max);
        assert_eq!(most(2, U256::from(255)), Some(U256::from(15)));
        assert_eq!(most(1, U256::from(255)), Some(U256::from(255)));
        assert_eq!(most(3, U256::from(u64::MAX)), Some(U256::from(2_642_245)));
        assert_eq!(most(255, U256::MAX), Some(U256::from(2)));
        assert_eq!(most(256, U256::MAX), Some(U256::ONE));
        assert_eq!(most(u64::MAX, U256::MAX), Some(U256::ONE));
        assert_eq!(most(0, U256::MAX), None);
    }
}
