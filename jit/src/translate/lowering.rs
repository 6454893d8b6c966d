//! How each operation is translated. The book's table of operations shows this column.

use zvm::bytecode::Op;

/// How compiled code does an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowering {
    /// By instructions, with a call at most where an operand is wide or memory must grow.
    Native,
    /// By a call of the runtime.
    Helper,
    /// By a call of the runtime and a stop: the driver of frames answers and enters compiled code again behind it.
    Stop,
}

impl Lowering {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Lowering::Native => "native",
            Lowering::Helper => "helper",
            Lowering::Stop => "stop",
        }
    }
}

/// How compiled code does `op`. No wildcard: a new operation must be thought about here.
///
/// Operations that the interpreter does not implement yet are invalid opcodes in both tiers, whatever stands here.
#[rustfmt::skip]
pub const fn lowering(op: Op) -> Lowering {
    match op {
        Op::Halt | Op::Nop | Op::Pop | Op::Invalid
        | Op::Push0 | Op::Push1 | Op::Push2 | Op::Push3 | Op::Push4 | Op::Push5 | Op::Push6 | Op::Push7 | Op::Push8
        | Op::Push9 | Op::Push10 | Op::Push11 | Op::Push12 | Op::Push13 | Op::Push14 | Op::Push15 | Op::Push16
        | Op::Push17 | Op::Push18 | Op::Push19 | Op::Push20 | Op::Push21 | Op::Push22 | Op::Push23 | Op::Push24
        | Op::Push25 | Op::Push26 | Op::Push27 | Op::Push28 | Op::Push29 | Op::Push30 | Op::Push31 | Op::Push32
        | Op::Dup1 | Op::Dup2 | Op::Dup3 | Op::Dup4 | Op::Dup5 | Op::Dup6 | Op::Dup7 | Op::Dup8
        | Op::Dup9 | Op::Dup10 | Op::Dup11 | Op::Dup12 | Op::Dup13 | Op::Dup14 | Op::Dup15 | Op::Dup16 | Op::DupN
        | Op::Swap1 | Op::Swap2 | Op::Swap3 | Op::Swap4 | Op::Swap5 | Op::Swap6 | Op::Swap7 | Op::Swap8
        | Op::Swap9 | Op::Swap10 | Op::Swap11 | Op::Swap12 | Op::Swap13 | Op::Swap14 | Op::Swap15 | Op::Swap16
        | Op::SwapN
        | Op::Jump | Op::JumpI | Op::JumpDest | Op::Pc | Op::Gas | Op::CodeSize
        | Op::Assert | Op::Panic
        | Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod | Op::Sdiv | Op::Smod
        | Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CNeg | Op::CCast
        | Op::Lt | Op::Gt | Op::Slt | Op::Sgt | Op::Eq | Op::IsZero
        | Op::And | Op::Or | Op::Xor | Op::Not | Op::Byte | Op::Shl | Op::Shr | Op::Sar
        | Op::SignExtend
        | Op::Address | Op::Caller | Op::CallValue
        | Op::Mload | Op::Mstore | Op::Mstore8 | Op::Msize => Lowering::Native,

        Op::AddMod | Op::MulMod | Op::Exp | Op::CExp | Op::Clz
        | Op::Keccak256 | Op::Sha256 | Op::Ripemd160 | Op::Blake2b | Op::Tablehash | Op::TablehashN
        | Op::Mcopy | Op::Sload | Op::Sstore | Op::Tload | Op::Tstore
        | Op::Return | Op::Revert | Op::SelfDestruct
        | Op::Log0 | Op::Log1 | Op::Log2 | Op::Log3 | Op::Log4
        | Op::Balance | Op::Origin
        | Op::CalldataLoad | Op::CalldataSize | Op::CalldataCopy | Op::CodeCopy
        | Op::GasPrice | Op::ExtcodeSize | Op::ExtcodeCopy | Op::ExtcodeHash
        | Op::ReturndataSize | Op::ReturndataCopy
        | Op::BlockHash | Op::Coinbase | Op::Timestamp | Op::Number | Op::Difficulty | Op::PrevRandao
        | Op::GasLimit | Op::ChainId | Op::SelfBalance | Op::BaseFee | Op::BlobHash | Op::BlobBaseFee
        | Op::HtsTransfer | Op::HtsMint | Op::HtsBurn | Op::HtsAssociate | Op::HtsDissociate | Op::HtsApprove
        | Op::HtsCreate | Op::HcsSubmit | Op::HcsCreateTopic | Op::HcsUpdateTopic | Op::HcsDeleteTopic
        | Op::HederaAccountId | Op::HederaTimestamp
        | Op::PqVerifyDilithium | Op::PqVerifyFalcon | Op::PqVerifySphincs => Lowering::Helper,

        Op::Call | Op::CallCode | Op::DelegateCall | Op::StaticCall | Op::Create | Op::Create2 => Lowering::Stop,
    }
}
