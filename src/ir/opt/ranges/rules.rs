//! What facts make of an operation.

use alloy_primitives::U256;

use super::facts::{Def, Facts};
use crate::ir::{Imm, Inst, IntType, Op, Value};

/// What became of an operation.
pub(super) enum Simplified {
    /// Nothing.
    Not,
    /// It changed in place.
    Rewritten,
    /// Its result is this value.
    To(Value),
    /// It does nothing.
    Gone,
}

/// Rewrites an operation in place, or says what it is equal to.
pub(super) fn simplify(facts: &Facts, inst: &mut Inst) -> Simplified {
    if inst.op == Op::Const {
        return Simplified::Not;
    }
    match (inst.op, inst.imm) {
        (Op::Assert, _) => match facts.interval(inst.args[0]).truth() {
            Some(true) => Simplified::Gone,
            _ => Simplified::Not,
        },
        (Op::Ccast, Imm::Type(ty)) if facts.interval(inst.args[0]).max <= ty.max_word() => {
            Simplified::To(inst.args[0])
        }
        // Not negative, and not too large.
        (Op::CcastSigned, Imm::Type(ty))
            if facts.interval(inst.args[0]).max <= ty.max_word().min(U256::MAX >> 1) =>
        {
            Simplified::To(inst.args[0])
        }
        (Op::Cadd | Op::Csub | Op::Cmul | Op::Cdiv | Op::Cmod, Imm::Type(ty)) => unchecked(facts, inst, ty),
        (Op::Lt | Op::Gt | Op::Eq | Op::Iszero | Op::Slt | Op::Sgt, _) => compare(facts, inst),
        (Op::And, _) => and(facts, inst),
        (Op::Shr, _) => shr(facts, inst),
        (Op::Signextend, _) => {
            let Some(byte) = facts.constant(inst.args[0]).filter(|byte| *byte < U256::from(31)) else {
                return Simplified::Not;
            };
            let max = (U256::ONE << (8 * byte.to::<usize>() + 7)) - U256::ONE;
            if facts.interval(inst.args[1]).max <= max {
                Simplified::To(inst.args[1])
            } else {
                Simplified::Not
            }
        }
        _ => Simplified::Not,
    }
}

/// A checked operation that cannot fault becomes a plain one.
fn unchecked(facts: &Facts, inst: &mut Inst, ty: IntType) -> Simplified {
    let (a, b) = (facts.interval(inst.args[0]), facts.interval(inst.args[1]));
    let max = ty.max_word();
    // Words of a signed type count only if they are not negative.
    if a.max > max || b.max > max && inst.op != Op::Csub {
        return Simplified::Not;
    }
    let plain = match inst.op {
        Op::Cadd => a.max.checked_add(b.max).is_some_and(|sum| sum <= max).then_some(Op::Add),
        Op::Cmul => a.max.checked_mul(b.max).is_some_and(|product| product <= max).then_some(Op::Mul),
        // Two numbers that are not negative differ by no more than the greater.
        Op::Csub if ty.is_signed() => (b.max <= max).then_some(Op::Sub),
        Op::Csub => facts.is_at_most(inst.args[1], inst.args[0]).then_some(Op::Sub),
        Op::Cdiv => (!b.min.is_zero()).then_some(Op::Div),
        Op::Cmod => (!b.min.is_zero()).then_some(Op::Mod),
        _ => None,
    };
    match plain {
        Some(op) => {
            inst.op = op;
            inst.imm = Imm::None;
            Simplified::Rewritten
        }
        None => Simplified::Not,
    }
}

fn compare(facts: &Facts, inst: &mut Inst) -> Simplified {
    let holds = match (inst.op, &inst.args[..]) {
        (Op::Lt, &[a, b]) | (Op::Gt, &[b, a]) => less(facts, a, b),
        (Op::Slt, &[a, b]) | (Op::Sgt, &[b, a]) => {
            // Between numbers that are not negative, the order is the unsigned one.
            let positive = |v: Value| facts.interval(v).max < U256::ONE << 255;
            if positive(a) && positive(b) { less(facts, a, b) } else { None }
        }
        (Op::Eq, &[a, b]) => {
            let (x, y) = (facts.interval(a), facts.interval(b));
            if a == b || x.min == x.max && x == y {
                Some(true)
            } else {
                (facts.is_less(a, b) || facts.is_less(b, a)).then_some(false)
            }
        }
        (_, &[x]) => facts.interval(x).truth().map(|is_true| !is_true),
        _ => None,
    };
    match holds {
        Some(holds) => {
            inst.op = Op::Const;
            inst.imm = Imm::Word(U256::from(holds));
            inst.args.clear();
            Simplified::Rewritten
        }
        None => Simplified::Not,
    }
}

fn less(facts: &Facts, a: Value, b: Value) -> Option<bool> {
    if facts.is_less(a, b) { Some(true) } else { facts.is_at_most(b, a).then_some(false) }
}

fn and(facts: &Facts, inst: &mut Inst) -> Simplified {
    for (mask, value) in [(inst.args[0], inst.args[1]), (inst.args[1], inst.args[0])] {
        let Some(word) = facts.constant(mask) else { continue };
        if (facts.bits(value) & !word).is_zero() {
            return Simplified::To(value);
        }
        // Parts of a sum of fields that the mask leaves nothing of.
        if let Def::Binary(Op::Or, [a, b]) = facts.def(value) {
            for (part, other) in [(a, b), (b, a)] {
                if (facts.bits(part) & word).is_zero() {
                    inst.args = vec![other, mask];
                    return Simplified::Rewritten;
                }
            }
        }
        // A mask over a wider mask.
        if let Def::Binary(Op::And, [a, b]) = facts.def(value) {
            for (inner, other) in [(a, b), (b, a)] {
                if let Some(wider) = facts.constant(inner)
                    && (word & !wider).is_zero()
                {
                    inst.args = vec![other, mask];
                    return Simplified::Rewritten;
                }
            }
        }
    }
    Simplified::Not
}

fn shr(facts: &Facts, inst: &mut Inst) -> Simplified {
    let Some(shift) = facts.constant(inst.args[0]).filter(|shift| *shift < U256::from(256)) else {
        return Simplified::Not;
    };
    let (by, value) = (shift.to::<usize>(), inst.args[1]);
    let Def::Binary(op, [a, b]) = facts.def(value) else { return Simplified::Not };
    match op {
        Op::Or => {
            for (part, other) in [(a, b), (b, a)] {
                if (facts.bits(part) >> by).is_zero() {
                    inst.args[1] = other;
                    return Simplified::Rewritten;
                }
            }
            Simplified::Not
        }
        // What was shifted up without loss comes back.
        Op::Shl if facts.constant(a) == Some(shift) && facts.bits(b).leading_zeros() >= by => {
            Simplified::To(b)
        }
        _ => Simplified::Not,
    }
}
