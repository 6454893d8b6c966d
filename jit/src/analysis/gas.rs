//! Static gas per block, and where charging it at the block's head would show.

use zvm::bytecode::{DynamicGas, Observes, Op};

use super::blocks::Instr;
use crate::translate::{Lowering, lowering};

/// Whether the operation can end the frame in any way but by running out of gas on the stack check's or its own
/// static price, without being the last of its block.
///
/// In a block that holds such an operation a failed charge at the head says nothing about how the frame ends, so
/// the interpreter decides.
pub(crate) fn may_end_otherwise(op: Op) -> bool {
    let info = op.info();
    matches!(info.observes, Observes::Fault)
        || !matches!(info.dynamic, DynamicGas::None)
        || !matches!(lowering(op), Lowering::Native)
}

/// Fills in the gas that is left to charge after each instruction, and whether a later one may end the frame
/// otherwise; gives the gas of the whole block.
pub(crate) fn annotate(instrs: &mut [Instr]) -> u64 {
    let mut rest = 0;
    let mut exact = false;
    for instr in instrs.iter_mut().rev() {
        instr.gas_after = rest;
        instr.exact_after = exact;
        if let Some(op) = instr.op {
            rest += op.info().gas;
            exact |= may_end_otherwise(op);
        }
    }
    rest
}
