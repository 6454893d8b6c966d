//! Static gas per block, and where charging it at the block's head would show.

use zvm::bytecode::{DynamicGas, Observes, Op};

use super::blocks::Instr;
use crate::translate::{Lowering, is_pure, lowering};

/// Whether the operation can end the frame in any way but by running out of gas, without being the last of its
/// block.
///
/// In a block that holds such an operation a failed charge at the head says nothing about how the frame ends, so
/// the interpreter decides. Trouble of the host or an engine's limit is no end of a frame: who can't pay the block
/// never asks for either.
pub(crate) fn may_end_otherwise(op: Op) -> bool {
    let info = op.info();
    let has_own_price = !matches!(info.dynamic, DynamicGas::None);
    matches!(info.observes, Observes::Fault)
        || (has_own_price || !matches!(lowering(op), Lowering::Native)) && !only_runs_out_of_gas(op)
}

/// Operations that can fail, but in one way only.
fn only_runs_out_of_gas(op: Op) -> bool {
    is_pure(op)
        || matches!(
            op,
            Op::Mload
                | Op::Mstore
                | Op::Mstore8
                | Op::Mcopy
                | Op::Keccak256
                | Op::Tablehash
                | Op::Exp
                | Op::CalldataLoad
                | Op::CalldataSize
                | Op::CalldataCopy
                | Op::CodeCopy
                | Op::ReturndataSize
                | Op::Sload
                | Op::Tload
        )
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
