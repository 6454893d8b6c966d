//! What a branch has told about values, for the rest of its chain.
//!
//! Two facts are worth their keep: a counter that is not zero can be decremented, and one below a bound can be
//! incremented, without a test. What it is below of is kept for the next round of its loop. The facts concern SSA values of one limb, which never change, so they hold wherever
//! the branch dominates, and a chain is just that.

use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Function, InstructionData, Opcode, Value, ValueDef, types};

/// Facts about limbs.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    nonzero: Vec<Value>,
    /// Pairs of unsigned values, the first below the second.
    below: Vec<(Value, Value)>,
}

/// More facts than this are forgotten, oldest first, so that looking them up stays cheap.
const FACTS_MAX: usize = 8;

impl Known {
    /// Learns whether `flag` is true.
    pub(super) fn learn(&mut self, func: &Function, flag: Value, is_true: bool) {
        let ValueDef::Result(inst, _) = func.dfg.value_def(flag) else { return };
        let InstructionData::IntCompare { cond, args: [x, y], .. } = func.dfg.insts[inst] else { return };
        if func.dfg.value_type(x) != types::I64 {
            return;
        }
        match if is_true { cond } else { cond.complement() } {
            IntCC::NotEqual if is_zero(func, y) => keep(&mut self.nonzero, x),
            IntCC::UnsignedLessThan => self.learn_below(x, y),
            IntCC::UnsignedGreaterThan => self.learn_below(y, x),
            _ => {}
        }
    }

    /// Learns that `low` is below `high`.
    pub(super) fn learn_below(&mut self, low: Value, high: Value) {
        keep(&mut self.below, (low, high));
        keep(&mut self.nonzero, high);
    }

    /// Whether the limb is known not to be zero.
    pub(super) fn is_nonzero(&self, limb: Value) -> bool {
        self.nonzero.contains(&limb)
    }

    /// Whether the limb is known to be below the largest of 64 bits.
    pub(super) fn is_below_another(&self, limb: Value) -> bool {
        self.below.iter().any(|(low, _)| *low == limb)
    }

    /// Whether `low` is known to be below `high`.
    pub(super) fn is_below(&self, low: Value, high: Value) -> bool {
        self.below.contains(&(low, high))
    }
}

fn keep<F>(facts: &mut Vec<F>, fact: F) {
    if facts.len() == FACTS_MAX {
        facts.remove(0);
    }
    facts.push(fact);
}

fn is_zero(func: &Function, value: Value) -> bool {
    let ValueDef::Result(inst, _) = func.dfg.value_def(value) else { return false };
    matches!(func.dfg.insts[inst], InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } if imm.bits() == 0)
}
