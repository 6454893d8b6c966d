//! Operations, by the same concepts as the interpreter's handlers, so that the tiers read side by side.

mod arith;
mod bits;
mod checked;
mod compare;
mod context;
mod divide;
mod flow;
mod memory;

use alloy_primitives::U256;
use cranelift_codegen::ir::InstBuilder;
use zvm::bytecode::Op;
use zvm::compiled::frame::offsets;
use zvm::interp::ops::{arith as word_arith, bits as word_bits, compare as word_compare};
use zvm::outcome::Trap;

use super::Translator;
use super::words::Word;
use crate::analysis::blocks::{self, Instr};
use crate::builtins::Builtin;
use crate::options::Mistake;

impl Translator<'_> {
    /// Translates one operation; false when control does not go on behind it.
    pub(super) fn operation(&mut self, op: Op, instr: &Instr) -> bool {
        if let Some(value) = blocks::push_value(self.code, instr, op) {
            self.push(Word::Const(value));
            return true;
        }
        if let Some(n) = blocks::dup_depth(op, instr.immediate) {
            self.stack.dup(n);
            return true;
        }
        if let Some(n) = blocks::swap_depth(op, instr.immediate) {
            self.stack.swap(n);
            return true;
        }
        if self.fold(op) {
            return true;
        }
        match op {
            Op::Halt => {
                self.exit_halt();
                return false;
            }
            Op::Invalid => {
                self.exit_trap(Trap::InvalidOpcode);
                return false;
            }
            Op::Panic => {
                self.fault(instr.immediate, 0);
                return false;
            }
            Op::Return
            | Op::Revert
            | Op::SelfDestruct
            | Op::Call
            | Op::CallCode
            | Op::DelegateCall
            | Op::StaticCall
            | Op::Create
            | Op::Create2 => {
                self.generic(op, instr);
                // The call never says "go on".
                self.exit_trap(Trap::InvalidOpcode);
                return false;
            }
            Op::Jump | Op::JumpI => unreachable!("the block's translation handles jumps"),
            Op::Nop | Op::JumpDest => {}
            Op::Pop => self.stack.drop_top(),
            Op::Gas => {
                let rest = if self.makes(Mistake::GasLeft) { 0 } else { instr.gas_after };
                let gas = self.gas_with(rest);
                self.push(Word::unsigned(gas, 64));
            }
            Op::CodeSize => self.push(Word::Const(U256::from(self.code.body().len()))),
            Op::Assert => self.assert(instr),
            Op::Add => self.binary(Self::add),
            Op::Sub => self.binary(Self::sub),
            Op::Mul => self.binary(Self::mul),
            Op::Div => self.binary(Self::div),
            Op::Mod => self.binary(Self::rem),
            Op::Sdiv => self.binary(Self::sdiv),
            Op::Smod => self.binary(Self::smod),
            Op::AddMod => self.by_words(Builtin::Addmod, 3),
            Op::MulMod => self.by_words(Builtin::Mulmod, 3),
            Op::SignExtend => self.binary(Self::sign_extend),
            Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod => self.checked_binary(op, instr),
            Op::CNeg => self.checked_neg(instr),
            Op::CCast => self.checked_cast(instr),
            Op::Lt => self.binary(|t, a, b| t.less(a, b)),
            Op::Gt => self.binary(|t, a, b| t.less(b, a)),
            Op::Slt => self.binary(|t, a, b| t.less_signed(a, b)),
            Op::Sgt => self.binary(|t, a, b| t.less_signed(b, a)),
            Op::Eq => self.binary(Self::equal),
            Op::IsZero => self.unary(|t, a| Word::Flag(t.is_zero(a))),
            Op::And => self.binary(Self::and),
            Op::Or => self.binary(|t, a, b| t.bitwise(a, b, |b, x, y| b.ins().bor(x, y))),
            Op::Xor => self.binary(|t, a, b| t.bitwise(a, b, |b, x, y| b.ins().bxor(x, y))),
            Op::Not => self.unary(Self::not),
            Op::Byte => self.binary(Self::byte),
            Op::Shl => self.binary(Self::shl),
            Op::Shr => self.binary(Self::shr),
            Op::Sar => self.binary(Self::sar),
            Op::Mload => self.mload(instr),
            Op::Mstore => self.mstore(instr),
            Op::Mstore8 => self.mstore8(instr),
            Op::Msize => self.msize(),
            Op::Exp => self.exp(instr),
            Op::CExp | Op::Clz => self.generic(op, instr),
            Op::Keccak256 => self.keccak(instr),
            Op::Tablehash => self.by_words(Builtin::Tablehash, 2),
            Op::Sha256 | Op::Ripemd160 | Op::Blake2b | Op::TablehashN => {
                self.generic(op, instr);
            }
            Op::Sload => self.by_charging_words(Builtin::Sload, 1, true, instr),
            Op::Sstore => self.by_charging_words(Builtin::Sstore, 2, false, instr),
            Op::Mcopy | Op::Tload | Op::Tstore => self.generic(op, instr),
            Op::Log0 | Op::Log1 | Op::Log2 | Op::Log3 | Op::Log4 => self.generic(op, instr),
            Op::Address => self.address(offsets::ADDRESS),
            Op::Caller => self.address(offsets::CALLER),
            Op::CallValue => self.call_value(),
            Op::Balance | Op::Origin => {
                self.generic(op, instr);
            }
            Op::CalldataLoad => self.by_words(Builtin::CalldataLoad, 1),
            Op::CalldataSize | Op::CalldataCopy | Op::CodeCopy | Op::GasPrice | Op::ExtcodeSize => {
                self.generic(op, instr);
            }
            Op::ExtcodeCopy | Op::ExtcodeHash | Op::ReturndataSize | Op::ReturndataCopy => {
                self.generic(op, instr);
            }
            Op::BlockHash | Op::Coinbase | Op::Timestamp | Op::Number | Op::Difficulty | Op::PrevRandao => {
                self.generic(op, instr);
            }
            Op::GasLimit | Op::ChainId | Op::SelfBalance | Op::BaseFee | Op::BlobHash | Op::BlobBaseFee => {
                self.generic(op, instr);
            }
            Op::HtsTransfer | Op::HtsMint | Op::HtsBurn | Op::HtsAssociate | Op::HtsDissociate => {
                self.generic(op, instr);
            }
            Op::HtsApprove | Op::HtsCreate | Op::HcsSubmit | Op::HcsCreateTopic | Op::HcsUpdateTopic => {
                self.generic(op, instr);
            }
            Op::HcsDeleteTopic | Op::HederaAccountId | Op::HederaTimestamp => self.generic(op, instr),
            Op::PqVerifyDilithium | Op::PqVerifyFalcon | Op::PqVerifySphincs => self.generic(op, instr),
            Op::Pc
            | Op::Push0
            | Op::Push1
            | Op::Push2
            | Op::Push3
            | Op::Push4
            | Op::Push5
            | Op::Push6
            | Op::Push7
            | Op::Push8
            | Op::Push9
            | Op::Push10
            | Op::Push11
            | Op::Push12
            | Op::Push13
            | Op::Push14
            | Op::Push15
            | Op::Push16
            | Op::Push17
            | Op::Push18
            | Op::Push19
            | Op::Push20
            | Op::Push21
            | Op::Push22
            | Op::Push23
            | Op::Push24
            | Op::Push25
            | Op::Push26
            | Op::Push27
            | Op::Push28
            | Op::Push29
            | Op::Push30
            | Op::Push31
            | Op::Push32 => unreachable!("push_value knows every push"),
            Op::Dup1
            | Op::Dup2
            | Op::Dup3
            | Op::Dup4
            | Op::Dup5
            | Op::Dup6
            | Op::Dup7
            | Op::Dup8
            | Op::Dup9
            | Op::Dup10
            | Op::Dup11
            | Op::Dup12
            | Op::Dup13
            | Op::Dup14
            | Op::Dup15
            | Op::Dup16
            | Op::DupN
            | Op::Swap1
            | Op::Swap2
            | Op::Swap3
            | Op::Swap4
            | Op::Swap5
            | Op::Swap6
            | Op::Swap7
            | Op::Swap8
            | Op::Swap9
            | Op::Swap10
            | Op::Swap11
            | Op::Swap12
            | Op::Swap13
            | Op::Swap14
            | Op::Swap15
            | Op::Swap16
            | Op::SwapN => unreachable!("dup_depth and swap_depth know every dup and swap"),
        }
        true
    }

    fn unary(&mut self, f: impl FnOnce(&mut Self, Word) -> Word) {
        let a = self.pop();
        let result = f(self, a);
        self.push(result);
    }

    fn binary(&mut self, f: impl FnOnce(&mut Self, Word, Word) -> Word) {
        let a = self.pop();
        let b = self.pop();
        let result = f(self, a, b);
        self.push(result);
    }

    fn by_words(&mut self, builtin: Builtin, operands: usize) {
        let operands: Vec<Word> = (0..operands).map(|_| self.pop()).collect();
        let result = self.call_words(builtin, &operands);
        self.push(result);
    }

    /// Computes an operation on constants now; Cranelift sees too little of four limbs to do it.
    fn fold(&mut self, op: Op) -> bool {
        let Some((operands, compute)) = pure(op) else { return false };
        let mut values = [U256::ZERO; 3];
        for (n, value) in values.iter_mut().enumerate().take(operands) {
            match self.stack.word(n + 1) {
                super::Slot::Value { word: Word::Const(constant), .. } => *value = *constant,
                super::Slot::Value { .. } | super::Slot::Memory(_) => return false,
            }
        }
        for _ in 0..operands {
            self.stack.drop_top();
        }
        self.push(Word::Const(compute(values)));
        true
    }
}

/// Whether the operation computes a word from words and can't fail.
pub(crate) fn is_pure(op: Op) -> bool {
    pure(op).is_some()
}

/// A function of up to three words, top of stack first.
type PureOp = fn([U256; 3]) -> U256;

/// The interpreter's function for an operation on words alone, and its number of operands.
fn pure(op: Op) -> Option<(usize, PureOp)> {
    Some(match op {
        Op::Add => (2, |[a, b, _]| word_arith::add(a, b)),
        Op::Sub => (2, |[a, b, _]| word_arith::sub(a, b)),
        Op::Mul => (2, |[a, b, _]| word_arith::mul(a, b)),
        Op::Div => (2, |[a, b, _]| word_arith::div(a, b)),
        Op::Sdiv => (2, |[a, b, _]| word_arith::sdiv(a, b)),
        Op::Mod => (2, |[a, b, _]| word_arith::rem(a, b)),
        Op::Smod => (2, |[a, b, _]| word_arith::smod(a, b)),
        Op::AddMod => (3, |[a, b, n]| word_arith::addmod(a, b, n)),
        Op::MulMod => (3, |[a, b, n]| word_arith::mulmod(a, b, n)),
        Op::SignExtend => (2, |[a, b, _]| word_arith::signextend(a, b)),
        Op::Lt => (2, |[a, b, _]| word_compare::lt(a, b)),
        Op::Gt => (2, |[a, b, _]| word_compare::gt(a, b)),
        Op::Slt => (2, |[a, b, _]| word_compare::slt(a, b)),
        Op::Sgt => (2, |[a, b, _]| word_compare::sgt(a, b)),
        Op::Eq => (2, |[a, b, _]| word_compare::eq(a, b)),
        Op::IsZero => (1, |[a, _, _]| word_compare::iszero(a)),
        Op::And => (2, |[a, b, _]| word_bits::and(a, b)),
        Op::Or => (2, |[a, b, _]| word_bits::or(a, b)),
        Op::Xor => (2, |[a, b, _]| word_bits::xor(a, b)),
        Op::Not => (1, |[a, _, _]| word_bits::not(a)),
        Op::Byte => (2, |[a, b, _]| word_bits::byte(a, b)),
        Op::Shl => (2, |[a, b, _]| word_bits::shl(a, b)),
        Op::Shr => (2, |[a, b, _]| word_bits::shr(a, b)),
        Op::Sar => (2, |[a, b, _]| word_bits::sar(a, b)),
        Op::Clz => (1, |[a, _, _]| word_bits::clz(a)),
        _ => return None,
    })
}
