//! Runtime calls: what they need in the frame, and what happens when they don't say "go on".

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, Value, types};
use zvm::bytecode::Op;
use zvm::compiled::frame::offsets;
use zvm::outcome::{Exit, STATUS_CONTINUE};

use super::vstack::Slot;
use super::words::Word;
use super::{Lowering, Translator, lowering};
use crate::analysis::blocks::Instr;
use crate::builtins::Builtin;
use crate::entry::context_offsets;
use crate::options::Mistake;

impl Translator<'_> {
    /// Calls a builtin with what follows the run context and gives the status.
    pub(super) fn call(&mut self, builtin: Builtin, arguments: &[Value]) -> Value {
        let signature = match self.signatures[builtin as usize] {
            Some(signature) => signature,
            None => {
                let signature = self.b.import_signature(builtin.signature(self.native_call_conv));
                self.signatures[builtin as usize] = Some(signature);
                signature
            }
        };
        let flags = self.flags(self.regions.context).with_readonly();
        let table = self.b.ins().load(types::I64, flags, self.context, context_offsets::TABLE as i32);
        let callee = self.b.ins().load(types::I64, flags, table, builtin.table_offset() as i32);
        let all: Vec<Value> = std::iter::once(self.context).chain(arguments.iter().copied()).collect();
        let call = self.b.ins().call_indirect(signature, callee, &all);
        self.b.inst_results(call)[0]
    }

    /// Calls a builtin on words, operands first; gives the word that replaces the first.
    pub(super) fn call_words(&mut self, builtin: Builtin, operands: &[Word]) -> Word {
        let address = self.write_scratch(operands);
        let status = self.call(builtin, &[address]);
        self.test_status(status);
        self.read_scratch(address)
    }

    pub(super) fn write_scratch(&mut self, operands: &[Word]) -> Value {
        let slot = *self.scratch.get_or_insert_with(|| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 4 * 32, 4);
            self.b.create_sized_stack_slot(data)
        });
        let address = self.b.ins().stack_addr(types::I64, slot, 0);
        for (n, &operand) in operands.iter().enumerate() {
            for (i, limb) in self.limbs(operand).into_iter().enumerate() {
                let offset = (32 * n + 8 * i) as i32;
                self.b.ins().store(MemFlagsData::trusted(), limb, address, offset);
            }
        }
        address
    }

    pub(super) fn read_scratch(&mut self, address: Value) -> Word {
        Word::Full(std::array::from_fn(|i| {
            self.b.ins().load(types::I64, MemFlagsData::trusted(), address, 8 * i as i32)
        }))
    }

    /// Leaves with a status that is not 0; the frame is as the callee left it.
    pub(super) fn test_status(&mut self, status: Value) {
        self.test_status_or(status, self.shared.leave_synced);
    }

    /// Goes to a shared block with a status that is not 0.
    pub(super) fn test_status_or(&mut self, status: Value, shared: ir::Block) {
        debug_assert_eq!(STATUS_CONTINUE, 0);
        let go_on = self.b.create_block();
        self.b.ins().brif(status, shared, &[status.into()], go_on, &[]);
        self.b.seal_block(go_on);
        self.b.switch_to_block(go_on);
    }

    /// Leaves with a status that is not 0, where `Interpret` says that the operation is done and what follows in
    /// the block can't be paid. The virtual stack is as behind the operation, the frame's gas too.
    fn settle(&mut self, status: Value, instr: &Instr) {
        if instr.gas_after == 0 {
            self.test_status(status);
            return;
        }
        if !instr.exact_after {
            self.test_status_or(status, self.shared.unpaid);
            return;
        }
        let interpret = Exit::Interpret.to_status();
        self.cold_branch(status, |t| {
            let interpret = t.imm32(interpret);
            let is_short = t.b.ins().icmp(IntCC::Equal, status, interpret);
            let synced = t.b.create_block();
            t.b.ins().brif(is_short, synced, &[], t.shared.leave_synced, &[status.into()]);
            t.b.seal_block(synced);
            t.b.switch_to_block(synced);
            t.count_no_further();
            t.write_dirty();
            t.sync_height();
            let pc = t.imm(i64::from(instr.next_pc));
            t.store_frame(pc, offsets::PC);
            t.b.ins().jump(t.shared.leave_synced, &[status.into()]);
        });
    }

    /// An operation by the interpreter's own handler, on the stack in memory.
    pub(super) fn generic(&mut self, op: Op, instr: &Instr) {
        let (needs, leaves) = op.stack_effect(instr.immediate);
        if lowering(op) == Lowering::Stop || op.ends_block() {
            // The frame is left: entered again behind a call, or ended, with its words as tools like to see them.
            self.flush();
        } else {
            self.flush_for_call(usize::from(needs));
        }
        self.sync(instr.gas_after);
        let arguments = [
            self.imm32(op as u32),
            self.imm32(instr.pc),
            self.imm32(instr.next_pc),
            self.imm(instr.gas_after as i64),
        ];
        let status = self.call(Builtin::Execute, &arguments);
        for _ in 0..needs {
            self.stack.drop_top();
        }
        for _ in 0..leaves {
            let position = self.stack.height();
            self.stack.push(Slot::Memory(position));
        }
        self.settle(status, instr);
        self.reload_gas();
    }

    /// An operation of a builtin that takes its operands as words and charges the frame's gas.
    pub(super) fn by_charging_words(
        &mut self,
        builtin: Builtin,
        operands: usize,
        leaves: bool,
        instr: &Instr,
    ) {
        let operands: Vec<Word> = (0..operands).map(|_| self.pop()).collect();
        let is_wrong = builtin == Builtin::Sstore && self.makes(Mistake::SstoreGas);
        let rest = if is_wrong { 0 } else { instr.gas_after };
        let gas = self.gas_with(rest);
        self.store_frame(gas, offsets::GAS);
        let address = self.write_scratch(&operands);
        let rest = self.imm(rest as i64);
        let status = self.call(builtin, &[address, rest]);
        if leaves {
            let result = self.read_scratch(address);
            self.push(result);
        }
        self.settle(status, instr);
        self.reload_gas();
    }

    /// Charges `cost` beyond the static gas of the block, before the operation has any effect.
    pub(super) fn charge_beyond(&mut self, cost: u64, instr: &Instr) {
        let fails = self.is_short_of(cost);
        self.gas_ahead = 0;
        if instr.exact_after {
            self.cold_branch(fails, |t| t.exit_before(instr));
        } else {
            let go_on = self.b.create_block();
            self.b.ins().brif(fails, self.shared.out_of_gas, &[], go_on, &[]);
            self.b.seal_block(go_on);
            self.b.switch_to_block(go_on);
        }
        self.take_gas(cost);
    }

    /// Writes what a call works on in memory: the top `operands` words; wide words too, since registers don't last
    /// across a call.
    fn flush_for_call(&mut self, operands: usize) {
        let dirty = self.stack.dirty_for_call(operands);
        for (position, word) in self.write(dirty) {
            self.demand_word(word);
            self.stack.set(position, Slot::Value { word, home: Some(position) });
        }
        self.stack.disown_dirty();
        self.stack.forget_wide();
    }

    pub(super) fn reload_gas(&mut self) {
        let gas = self.load_frame(types::I64, offsets::GAS);
        self.set_gas(gas);
    }
}
