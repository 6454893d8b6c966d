//! IR operation -> machine operation.
//!
//! The match in [`select`] has no wildcard: a new row of the IR table does not compile until it says here what it becomes.
//! Operands of both tables stand top of stack first, so selection never reorders them; where they sit is
//! [`stackify`](super::stackify)'s business.

use zvm::bytecode::Op as MachineOp;

use crate::ir::{Imm, Inst, Op};

/// What an IR operation becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// One machine operation without immediate.
    Plain(MachineOp),
    /// One machine operation with an immediate byte.
    WithByte(MachineOp, u8),
    /// A word known at compile time or when code is laid out: it is pushed wherever it is used.
    Pushed,
    /// An internal call.
    Call,
}

/// Bit of CCAST's type byte: the operand is read as signed.
const CAST_FROM_SIGNED: u8 = 0x40;

/// Selects the machine operation of a verified instruction.
pub(super) fn select(inst: &Inst) -> Selection {
    use Selection::{Call, Plain, Pushed, WithByte};
    let type_byte = match inst.imm {
        Imm::Type(ty) => ty.type_byte(),
        _ => 0,
    };
    match inst.op {
        Op::Const
        | Op::FrameAddr
        | Op::HeapBase
        | Op::DataOffset
        | Op::DataSize
        | Op::CodeEnd
        | Op::Immutable => Pushed,
        Op::Add => Plain(MachineOp::Add),
        Op::Sub => Plain(MachineOp::Sub),
        Op::Mul => Plain(MachineOp::Mul),
        Op::Div => Plain(MachineOp::Div),
        Op::Sdiv => Plain(MachineOp::Sdiv),
        Op::Mod => Plain(MachineOp::Mod),
        Op::Smod => Plain(MachineOp::Smod),
        Op::Addmod => Plain(MachineOp::AddMod),
        Op::Mulmod => Plain(MachineOp::MulMod),
        Op::Exp => Plain(MachineOp::Exp),
        Op::Signextend => Plain(MachineOp::SignExtend),
        Op::Cadd => WithByte(MachineOp::CAdd, type_byte),
        Op::Csub => WithByte(MachineOp::CSub, type_byte),
        Op::Cmul => WithByte(MachineOp::CMul, type_byte),
        Op::Cdiv => WithByte(MachineOp::CDiv, type_byte),
        Op::Cmod => WithByte(MachineOp::CMod, type_byte),
        Op::Cneg => WithByte(MachineOp::CNeg, type_byte),
        Op::Cexp => WithByte(MachineOp::CExp, type_byte),
        Op::Ccast => WithByte(MachineOp::CCast, type_byte),
        Op::CcastSigned => WithByte(MachineOp::CCast, type_byte | CAST_FROM_SIGNED),
        Op::Lt => Plain(MachineOp::Lt),
        Op::Gt => Plain(MachineOp::Gt),
        Op::Slt => Plain(MachineOp::Slt),
        Op::Sgt => Plain(MachineOp::Sgt),
        Op::Eq => Plain(MachineOp::Eq),
        Op::Iszero => Plain(MachineOp::IsZero),
        Op::And => Plain(MachineOp::And),
        Op::Or => Plain(MachineOp::Or),
        Op::Xor => Plain(MachineOp::Xor),
        Op::Not => Plain(MachineOp::Not),
        Op::Byte => Plain(MachineOp::Byte),
        Op::Shl => Plain(MachineOp::Shl),
        Op::Shr => Plain(MachineOp::Shr),
        Op::Sar => Plain(MachineOp::Sar),
        Op::Address => Plain(MachineOp::Address),
        Op::Origin => Plain(MachineOp::Origin),
        Op::Caller => Plain(MachineOp::Caller),
        Op::Callvalue => Plain(MachineOp::CallValue),
        Op::Calldatasize => Plain(MachineOp::CalldataSize),
        Op::Codesize => Plain(MachineOp::CodeSize),
        Op::Gasprice => Plain(MachineOp::GasPrice),
        Op::Coinbase => Plain(MachineOp::Coinbase),
        Op::Timestamp | Op::WarpedTimestamp => Plain(MachineOp::Timestamp),
        Op::Number | Op::RolledNumber => Plain(MachineOp::Number),
        Op::Prevrandao => Plain(MachineOp::PrevRandao),
        Op::Gaslimit => Plain(MachineOp::GasLimit),
        Op::Chainid => Plain(MachineOp::ChainId),
        Op::Basefee => Plain(MachineOp::BaseFee),
        Op::Blobbasefee => Plain(MachineOp::BlobBaseFee),
        Op::Blockhash => Plain(MachineOp::BlockHash),
        Op::Calldataload => Plain(MachineOp::CalldataLoad),
        Op::Balance => Plain(MachineOp::Balance),
        Op::Selfbalance => Plain(MachineOp::SelfBalance),
        Op::Extcodesize => Plain(MachineOp::ExtcodeSize),
        Op::Extcodehash => Plain(MachineOp::ExtcodeHash),
        Op::Returndatasize => Plain(MachineOp::ReturndataSize),
        Op::Gas => Plain(MachineOp::Gas),
        Op::Mload => Plain(MachineOp::Mload),
        Op::Mstore => Plain(MachineOp::Mstore),
        Op::Mstore8 => Plain(MachineOp::Mstore8),
        Op::Mcopy => Plain(MachineOp::Mcopy),
        Op::Calldatacopy => Plain(MachineOp::CalldataCopy),
        Op::Codecopy => Plain(MachineOp::CodeCopy),
        Op::Returndatacopy => Plain(MachineOp::ReturndataCopy),
        Op::Keccak256 => Plain(MachineOp::Keccak256),
        Op::Sha256 => Plain(MachineOp::Sha256),
        Op::Ripemd160 => Plain(MachineOp::Ripemd160),
        Op::Blake2b => Plain(MachineOp::Blake2b),
        Op::Sload => Plain(MachineOp::Sload),
        Op::Sstore => Plain(MachineOp::Sstore),
        Op::Tload => Plain(MachineOp::Tload),
        Op::Tstore => Plain(MachineOp::Tstore),
        Op::Tablehash if inst.args.len() == 2 => Plain(MachineOp::Tablehash),
        // The verifier allows at most 16 keys.
        Op::Tablehash => WithByte(MachineOp::TablehashN, (inst.args.len() - 1) as u8),
        Op::Log => Plain(LOGS[inst.args.len() - 2]),
        Op::Call => Plain(MachineOp::Call),
        Op::Delegatecall => Plain(MachineOp::DelegateCall),
        Op::Staticcall => Plain(MachineOp::StaticCall),
        Op::Create => Plain(MachineOp::Create),
        Op::Create2 => Plain(MachineOp::Create2),
        Op::HtsTransfer => Plain(MachineOp::HtsTransfer),
        Op::HtsMint => Plain(MachineOp::HtsMint),
        Op::HtsBurn => Plain(MachineOp::HtsBurn),
        Op::HtsAssociate => Plain(MachineOp::HtsAssociate),
        Op::HtsDissociate => Plain(MachineOp::HtsDissociate),
        Op::HtsApprove => Plain(MachineOp::HtsApprove),
        Op::HtsCreate => Plain(MachineOp::HtsCreate),
        Op::HcsSubmit => Plain(MachineOp::HcsSubmit),
        Op::HcsCreateTopic => Plain(MachineOp::HcsCreateTopic),
        Op::HcsUpdateTopic => Plain(MachineOp::HcsUpdateTopic),
        Op::HcsDeleteTopic => Plain(MachineOp::HcsDeleteTopic),
        Op::HederaAccountId => Plain(MachineOp::HederaAccountId),
        Op::HederaTimestamp => Plain(MachineOp::HederaTimestamp),
        Op::PqVerifyDilithium => Plain(MachineOp::PqVerifyDilithium),
        Op::PqVerifyFalcon => Plain(MachineOp::PqVerifyFalcon),
        Op::PqVerifySphincs => Plain(MachineOp::PqVerifySphincs),
        Op::Icall => Call,
        Op::Assert => match inst.imm {
            Imm::Panic(code) => WithByte(MachineOp::Assert, code),
            _ => unreachable!("the verifier checked the immediate"),
        },
    }
}

/// By number of topics; the verifier allows at most 4.
const LOGS: [MachineOp; 5] =
    [MachineOp::Log0, MachineOp::Log1, MachineOp::Log2, MachineOp::Log3, MachineOp::Log4];

/// The operation that gives the same result when the two operands are exchanged.
pub(super) fn mirrored(op: MachineOp) -> Option<MachineOp> {
    Some(match op {
        MachineOp::Lt => MachineOp::Gt,
        MachineOp::Gt => MachineOp::Lt,
        MachineOp::Slt => MachineOp::Sgt,
        MachineOp::Sgt => MachineOp::Slt,
        MachineOp::Add
        | MachineOp::Mul
        | MachineOp::CAdd
        | MachineOp::CMul
        | MachineOp::Eq
        | MachineOp::And
        | MachineOp::Or
        | MachineOp::Xor => op,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::*;
    use crate::codegen::Target;
    use crate::codegen::expand::is_expanded;
    use crate::ir::ops::{ImmKind, Results};
    use crate::ir::{DataId, FuncId, IntType, SlotId, Value};
    use crate::source::Span;

    /// Whether only one target has the operation, and nothing stands for it in the other.
    fn is_native_only(op: MachineOp) -> bool {
        let of_services = ["hts_", "hcs_", "hedera_", "pq_"];
        of_services.iter().any(|prefix| op.name().starts_with(prefix))
    }

    /// Both tables must agree on every operation: a mismatch fails the build instead of miscompiling.
    #[test]
    fn selected_operations_exist_or_are_expanded_and_take_the_same_operands() {
        for &op in Op::ALL {
            let info = op.info();
            let imm = match info.imm {
                ImmKind::None => Imm::None,
                ImmKind::Word => Imm::Word(U256::ZERO),
                ImmKind::Type => Imm::Type(IntType::signed(24)),
                ImmKind::Panic => Imm::Panic(0x32),
                ImmKind::Func => Imm::Func(FuncId(1)),
                ImmKind::Data => Imm::Data(DataId(0)),
                ImmKind::Slot => Imm::Slot(SlotId(0)),
            };
            let tail_max = match op {
                Op::Tablehash => 15,
                Op::Log => 4,
                _ => 0,
            };
            for tail in 0..=tail_max {
                let args = vec![Value(0); info.operands.len() + tail];
                let arg_count = args.len();
                let inst = Inst { op, imm, args, results: Vec::new(), span: Span::default() };
                let (machine_op, byte) = match select(&inst) {
                    Selection::Plain(machine_op) => (machine_op, 0),
                    Selection::WithByte(machine_op, byte) => (machine_op, byte),
                    Selection::Pushed | Selection::Call => continue,
                };
                for target in Target::ALL {
                    // What is not expanded either, checking refuses for that target (K0508).
                    let lacks = !target.has(machine_op) && !is_native_only(machine_op);
                    assert_eq!(lacks, target == Target::Evm && is_expanded(op), "{machine_op}");
                }
                assert!(machine_op.immediate_is_legal(byte), "{machine_op} {byte}");
                let (pops, pushes) = machine_op.stack_effect(byte);
                assert_eq!(usize::from(pops), arg_count, "{machine_op}");
                assert_eq!(info.results, Results::Fixed(usize::from(pushes)), "{machine_op}");
            }
        }
    }
}
