//! Memory: one test and four loads or stores; growing is a call in a cold block.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use zvm::bytecode::Op;
use zvm::compiled::frame::offsets;
use zvm::gas;
use zvm::outcome::Exit;

use crate::analysis::blocks::Instr;
use crate::builtins::Builtin;
use crate::translate::Translator;
use crate::translate::words::Word;

/// Constant offsets beyond this are tested like unknown ones.
const KNOWN_OFFSET_MAX: u64 = 1 << 32;

/// Most bytes that are hashed without a detour through the interpreter's handler.
const HASHED_BYTES_MAX: u64 = 4096;

impl Translator<'_> {
    pub(super) fn mload(&mut self, instr: &Instr) {
        let address = self.memory_address(32, instr);
        self.stack.drop_top();
        let flags = self.flags(self.regions.memory);
        let limbs = std::array::from_fn(|i| {
            let bytes = self.b.ins().load(types::I64, flags, address, 24 - 8 * i as i32);
            self.b.ins().bswap(bytes)
        });
        self.push(Word::Full(limbs));
    }

    pub(super) fn mstore(&mut self, instr: &Instr) {
        // The value is read before the test, so that both ways behind it know it.
        let value = self.peek(2);
        let address = self.memory_address(32, instr);
        self.stack.drop_top();
        self.stack.drop_top();
        let flags = self.flags(self.regions.memory);
        for (i, limb) in self.limbs(value).into_iter().enumerate() {
            let bytes = self.b.ins().bswap(limb);
            self.b.ins().store(flags, bytes, address, 24 - 8 * i as i32);
        }
    }

    pub(super) fn mstore8(&mut self, instr: &Instr) {
        let value = self.peek(2);
        let address = self.memory_address(1, instr);
        self.stack.drop_top();
        self.stack.drop_top();
        let flags = self.flags(self.regions.memory);
        let limb = self.low_limb(value);
        self.b.ins().istore8(flags, limb, address, 0);
    }

    /// Of a constant number of bytes; others are the interpreter's.
    pub(super) fn keccak(&mut self, instr: &Instr) {
        let size = self.peek(2).constant().and_then(|size| u64::try_from(size).ok());
        let Some(size) = size.filter(|size| (1..=HASHED_BYTES_MAX).contains(size)) else {
            self.generic(Op::Keccak256, instr);
            return;
        };
        let offset = self.peek(1);
        self.memory_address(size, instr);
        self.charge_beyond(Op::Keccak256.dynamic_rate() * gas::words(size), instr);
        self.stack.drop_top();
        self.stack.drop_top();
        let offset = self.low_limb(offset);
        let size = self.imm(size as i64);
        let result = self.write_scratch(&[]);
        let status = self.call(Builtin::Keccak, &[offset, size, result]);
        self.test_status(status);
        let hash = self.read_scratch(result);
        self.push(hash);
    }

    pub(super) fn msize(&mut self) {
        let len = self.load_frame(types::I64, offsets::MEMORY_LEN);
        self.push(Word::unsigned(len, 64));
    }

    /// Address of the `size` bytes at the offset on top of the stack, which stays there; memory holds them then.
    fn memory_address(&mut self, size: u64, instr: &Instr) -> Value {
        self.limit_dirty();
        let offset = self.peek(1);
        let limb = self.low_limb(offset);
        let constant = offset.constant().and_then(|value| u64::try_from(value).ok());
        match constant.filter(|&offset| offset < KNOWN_OFFSET_MAX) {
            Some(start) => {
                let end = start + size;
                if end > self.memory_known {
                    let len = self.load_frame(types::I64, offsets::MEMORY_LEN);
                    let end_value = self.imm(end as i64);
                    let is_short = self.b.ins().icmp(IntCC::UnsignedLessThan, len, end_value);
                    self.grow_if(is_short, limb, size, instr);
                    self.memory_known = end;
                }
            }
            None => {
                let is_short = self.is_beyond(offset, limb, size);
                // What doesn't fit 64 bits is as unpayable as the largest offset that does.
                let high = self.high_limbs(&[offset]);
                let argument = match high {
                    None => limb,
                    Some(high) => {
                        let ones = self.imm(-1);
                        self.b.ins().select(high, ones, limb)
                    }
                };
                self.grow_if(is_short, argument, size, instr);
            }
        }
        let base = self.load_frame(types::I64, offsets::MEMORY_BASE);
        self.b.ins().iadd(base, limb)
    }

    /// A flag: whether `size` bytes at the offset reach beyond memory.
    fn is_beyond(&mut self, offset: Word, limb: Value, size: u64) -> Value {
        let len = self.load_frame(types::I64, offsets::MEMORY_LEN);
        // The last byte decides; memory is never empty behind it.
        let last = self.imm(size as i64 - 1);
        let last = self.b.ins().iadd(limb, last);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, last, len);
        if offset.unsigned_bits() < 64 {
            return beyond;
        }
        // The sum above can wrap for offsets of 2^63 and more; those are beyond any memory.
        let shift = self.imm(63);
        let mut high = self.b.ins().ushr(limb, shift);
        if let Some(limbs) = self.high_limbs(&[offset]) {
            high = self.b.ins().bor(high, limbs);
        }
        let zero = self.imm(0);
        let is_high = self.b.ins().icmp(IntCC::NotEqual, high, zero);
        self.b.ins().bor(beyond, is_high)
    }

    /// Grows memory where the flag says so; the operands are still on the virtual stack.
    fn grow_if(&mut self, is_short: Value, offset: Value, size: u64, instr: &Instr) {
        // Both ways meet again, so the gas is to be the same thing on both.
        self.pay_gas();
        let cold = self.b.create_block();
        let go_on = self.b.create_block();
        self.b.set_cold_block(cold);
        self.b.ins().brif(is_short, cold, &[], go_on, &[]);
        self.b.seal_block(cold);
        self.b.switch_to_block(cold);
        let gas = self.gas_with(instr.gas_after);
        self.store_frame(gas, offsets::GAS);
        let size = self.imm(size as i64);
        let rest = self.imm(instr.gas_after as i64);
        let status = self.call(Builtin::MemoryGrow, &[offset, size, rest]);
        if instr.exact_after {
            let interpret = self.imm32(Exit::Interpret.to_status());
            let short_of_gas = self.b.ins().icmp(IntCC::Equal, status, interpret);
            self.cold_branch(short_of_gas, |t| t.exit_before(instr));
            self.test_status(status);
            self.reload_gas();
            self.b.ins().jump(go_on, &[]);
        } else {
            // Both ways read the gas, so that the call's status decides everything in one branch.
            self.reload_gas();
            self.b.ins().brif(status, self.shared.unpaid, &[status.into()], go_on, &[]);
        }
        self.b.seal_block(go_on);
        self.b.switch_to_block(go_on);
    }
}
