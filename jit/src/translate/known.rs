//! What a branch has told about values, for the rest of its chain.
//!
//! Two facts are worth their keep: a counter that is not zero can be decremented, and one below a bound can be
//! incremented, without a test. They concern SSA values of one limb, which never change, so they hold wherever
//! the branch dominates, and a chain is just that.

use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Function, InstructionData, Opcode, Value, ValueDef, types};

/// Facts about limbs.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    nonzero: Vec<Value>,
    /// Values below some other unsigned value.
    below: Vec<Value>,
}

/// More facts than this are forgotten, oldest first, so that looking them up stays cheap.
const FACTS_MAX: usize = 8;

impl Known {
    /// Learns that `flag` is false.
    pub(super) fn learn_false(&mut self, func: &Function, flag: Value) {
        let ValueDef::Result(inst, _) = func.dfg.value_def(flag) else { return };
        let InstructionData::IntCompare { cond, args: [x, y], .. } = func.dfg.insts[inst] else { return };
        if func.dfg.value_type(x) != types::I64 {
            return;
        }
        match cond.complement() {
            IntCC::NotEqual if is_zero(func, y) => keep(&mut self.nonzero, x),
            IntCC::UnsignedLessThan => keep(&mut self.below, x),
            IntCC::UnsignedGreaterThan => {
                keep(&mut self.below, y);
                keep(&mut self.nonzero, x);
            }
            _ => {}
        }
    }

    /// Whether the limb is known not to be zero.
    pub(super) fn is_nonzero(&self, limb: Value) -> bool {
        self.nonzero.contains(&limb)
    }

    /// Whether the limb is known to be below the largest of 64 bits.
    pub(super) fn is_below_another(&self, limb: Value) -> bool {
        self.below.contains(&limb)
    }
}

fn keep(facts: &mut Vec<Value>, value: Value) {
    if facts.len() == FACTS_MAX {
        facts.remove(0);
    }
    facts.push(value);
}

fn is_zero(func: &Function, value: Value) -> bool {
    let ValueDef::Result(inst, _) = func.dfg.value_def(value) else { return false };
    matches!(func.dfg.insts[inst], InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } if imm.bits() == 0)
}
