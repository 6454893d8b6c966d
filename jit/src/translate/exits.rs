//! Ways out of a region: ends of the frame, other regions, the interpreter.
//!
//! Every exit writes gas and stack height to the frame first. Exits that many places share are one native block
//! each, made when the region is done.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, JumpTableData, Value, types};
use cranelift_frontend::FunctionBuilder;
use zvm::compiled::frame::offsets;
use zvm::outcome::{Exit, STATUS_CONTINUE, Trap};

use super::words::Word;
use super::{Translator, region_signature};
use crate::analysis::blocks::{BlockId, Instr, NO_BLOCK, Target};
use crate::analysis::heights::Height;
use crate::builtins::Builtin;
use crate::entry::context_offsets;
use crate::options::OptLevel;

/// Native blocks that many exits share.
pub(super) struct Shared {
    /// Enters the block with the number given as `i32`, in this region or another; the stack is in memory.
    pub dispatch: ir::Block,
    /// Jumps to the offset in its `i64`; the stack is in memory.
    pub jump_dynamic: ir::Block,
    /// Goes on in another region's block, its number given as `i32`; leaves where that is not compiled.
    pub cross: ir::Block,
    /// Leaves out of gas, no operands.
    pub out_of_gas: ir::Block,
    /// Writes gas and height (from a pointer above the top word, `i64`), leaves with a status (`i32`).
    pub leave: ir::Block,
    /// Leaves with a status (`i32`); the frame is in order.
    pub leave_synced: ir::Block,
    /// Leaves with the status (`i32`) of a runtime call, whose `Interpret` says that what follows in the block can't be
    /// paid: out of gas, whatever it is.
    pub unpaid: ir::Block,
    /// Writes the gas (`i64`) and ends with the panic of that code (`i32`).
    pub fault: ir::Block,
}

impl Shared {
    pub(super) fn new(b: &mut FunctionBuilder<'_>) -> Shared {
        let mut block = |params: &[ir::Type], cold: bool| {
            let block = b.create_block();
            for &ty in params {
                b.append_block_param(block, ty);
            }
            if cold {
                b.set_cold_block(block);
            }
            block
        };
        Shared {
            dispatch: block(&[types::I32], false),
            jump_dynamic: block(&[types::I64], false),
            cross: block(&[types::I32], false),
            out_of_gas: block(&[], true),
            leave: block(&[types::I32, types::I64], true),
            leave_synced: block(&[types::I32], true),
            unpaid: block(&[types::I32], true),
            fault: block(&[types::I64, types::I32], true),
        }
    }
}

impl Translator<'_> {
    /// Writes the shared exits.
    pub(super) fn shared_exits(&mut self) {
        self.operations_after = 0;
        self.mark_place(None);
        self.dispatch_block();
        self.jump_dynamic_block();

        self.b.switch_to_block(self.shared.cross);
        let block = self.b.block_params(self.shared.cross)[0];
        let flags = self.flags(self.regions.context);
        let table = self.load_context(types::I64, context_offsets::CODE_AT);
        let index = self.b.ins().uextend(types::I64, block);
        let three = self.imm(3);
        let offset = self.b.ins().ishl(index, three);
        let place = self.b.ins().iadd(table, offset);
        // Another thread may publish it right now.
        let code = self.b.ins().atomic_load(types::I64, flags, place);
        let compiled = self.b.create_block();
        let not_yet = self.b.create_block();
        self.b.set_cold_block(not_yet);
        self.b.ins().brif(code, compiled, &[], not_yet, &[]);
        self.b.seal_block(compiled);
        self.b.seal_block(not_yet);

        self.b.switch_to_block(compiled);
        let (gas, top) = (self.b.use_var(self.gas), self.b.use_var(self.top));
        let signature = self.b.import_signature(region_signature());
        let arguments = [self.context, block, self.frame, self.stack_base, gas, top];
        self.b.ins().return_call_indirect(signature, code, &arguments);

        self.b.switch_to_block(not_yet);
        self.b.ins().store(flags, block, self.context, context_offsets::NEXT_BLOCK as i32);
        let top = self.b.use_var(self.top);
        let status = self.imm32(STATUS_CONTINUE);
        self.b.ins().jump(self.shared.leave, &[status.into(), top.into()]);

        self.b.switch_to_block(self.shared.fault);
        let gas = self.b.block_params(self.shared.fault)[0];
        let code = self.b.block_params(self.shared.fault)[1];
        self.store_frame(gas, offsets::GAS);
        let status = self.call(Builtin::Panic, &[code]);
        self.b.ins().jump(self.shared.leave_synced, &[status.into()]);

        self.b.switch_to_block(self.shared.leave);
        let status = self.b.block_params(self.shared.leave)[0];
        let top = self.b.block_params(self.shared.leave)[1];
        let gas = self.b.use_var(self.gas);
        self.store_frame(gas, offsets::GAS);
        self.store_height(top);
        self.b.ins().jump(self.shared.leave_synced, &[status.into()]);

        self.b.switch_to_block(self.shared.unpaid);
        let status = self.b.block_params(self.shared.unpaid)[0];
        let interpret = self.imm32(Exit::Interpret.to_status());
        let is_short = self.b.ins().icmp(IntCC::Equal, status, interpret);
        let Shared { out_of_gas, leave_synced, .. } = self.shared;
        self.b.ins().brif(is_short, out_of_gas, &[], leave_synced, &[status.into()]);

        self.b.switch_to_block(self.shared.out_of_gas);
        let status = self.imm32(Exit::Trap(Trap::OutOfGas).to_status());
        self.b.ins().jump(self.shared.leave_synced, &[status.into()]);

        self.b.switch_to_block(self.shared.leave_synced);
        let status = self.b.block_params(self.shared.leave_synced)[0];
        self.b.ins().return_(&[status]);
    }

    fn dispatch_block(&mut self) {
        self.b.switch_to_block(self.shared.dispatch);
        let block = self.b.block_params(self.shared.dispatch)[0];
        let first = self.imm32(self.region.start);
        let index = self.b.ins().isub(block, first);
        let cross = self.b.func.dfg.block_call(self.shared.cross, &[block.into()]);
        let calls: Vec<_> = self
            .region
            .clone()
            .map(|id| {
                if super::is_head(self.analysis, id) {
                    let head = self.head(id);
                    self.b.func.dfg.block_call(head, &[])
                } else {
                    // A call of its own: the SSA builder adds arguments to each.
                    self.b.func.dfg.block_call(self.shared.cross, &[block.into()])
                }
            })
            .collect();
        let table = self.b.create_jump_table(JumpTableData::new(cross, &calls));
        self.b.ins().br_table(index, table);
    }

    fn jump_dynamic_block(&mut self) {
        self.b.switch_to_block(self.shared.jump_dynamic);
        let target = self.b.block_params(self.shared.jump_dynamic)[0];
        let len = self.imm(self.code.body().len() as i64);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, target, len);
        self.cold_branch(outside, Self::exit_invalid_jump);
        let table = self.load_context(types::I64, context_offsets::JUMP_TABLE);
        let two = self.imm(2);
        let offset = self.b.ins().ishl(target, two);
        let address = self.b.ins().iadd(table, offset);
        let flags = self.flags(self.regions.context).with_readonly();
        let block = self.b.ins().load(types::I32, flags, address, 0);
        let none = self.imm32(NO_BLOCK);
        let invalid = self.b.ins().icmp(IntCC::Equal, block, none);
        self.cold_branch(invalid, Self::exit_invalid_jump);
        self.b.ins().jump(self.shared.dispatch, &[block.into()]);
    }

    /// In the shared blocks, where the stack is in memory and `top` is set.
    fn exit_invalid_jump(&mut self) {
        let top = self.b.use_var(self.top);
        let status = self.imm32(Exit::Trap(Trap::InvalidJump).to_status());
        self.b.ins().jump(self.shared.leave, &[status.into(), top.into()]);
    }

    /// Writes the number of words, from a pointer above the top one.
    fn store_height(&mut self, top: Value) {
        let bytes = self.b.ins().isub(top, self.stack_base);
        let five = self.imm(5);
        let len = self.b.ins().ushr(bytes, five);
        self.store_frame(len, offsets::STACK_LEN);
    }

    /// Writes gas, `rest` given back, and stack height to the frame. The stack itself must be flushed.
    pub(super) fn sync(&mut self, rest: u64) {
        let gas = self.gas_with(rest);
        self.store_frame(gas, offsets::GAS);
        self.sync_height();
    }

    /// Writes the stack height to the frame.
    pub(super) fn sync_height(&mut self) {
        let height = self.stack.height();
        match self.head_height {
            Height::Known(at_head) => {
                let len = self.imm(i64::from(i32::from(at_head) + height));
                self.store_frame(len, offsets::STACK_LEN);
            }
            Height::Unknown | Height::Unreached => {
                let top = self.position_address(height);
                self.store_height(top);
            }
        }
    }

    /// Leaves to the interpreter at `pc`, where nothing of the block was charged; the virtual stack stays.
    pub(super) fn exit_interpret(&mut self, pc: u32) {
        self.write_dirty();
        let pc = self.imm(i64::from(pc));
        self.store_frame(pc, offsets::PC);
        self.leave(Exit::Interpret);
    }

    /// Leaves to the interpreter in front of an instruction inside a block.
    pub(super) fn exit_before(&mut self, instr: &Instr) {
        let own = instr.op.map_or(0, |op| op.info().gas);
        let gas = self.gas_with(instr.gas_after + own);
        self.set_gas(gas);
        self.count_not_even_this();
        self.exit_interpret(instr.pc);
    }

    /// Ends with a trap. What the stack holds no longer matters.
    pub(super) fn exit_trap(&mut self, trap: Trap) {
        self.count_no_further();
        self.leave(Exit::Trap(trap));
    }

    /// Ends successfully, the stack in memory as tools like to see it.
    pub(super) fn exit_halt(&mut self) {
        self.write_dirty();
        self.leave(Exit::Halt);
    }

    fn leave(&mut self, exit: Exit) {
        self.hand_over_gas();
        let top = self.position_address(self.stack.height());
        let status = self.imm32(exit.to_status());
        self.b.ins().jump(self.shared.leave, &[status.into(), top.into()]);
    }

    /// When `condition` holds, ends with a panic; `rest` is what the block charged for later instructions.
    pub(super) fn fault_if(&mut self, condition: Value, code: u8, rest: u64) {
        self.cold_branch(condition, |t| t.fault(code, rest));
    }

    /// Ends with a panic.
    pub(super) fn fault(&mut self, code: u8, rest: u64) {
        self.count_no_further();
        let gas = self.gas_with(rest);
        let code = self.imm32(u32::from(code));
        self.b.ins().jump(self.shared.fault, &[gas.into(), code.into()]);
    }

    /// Ends the chain by going on in a block; the virtual stack stays as it is.
    pub(super) fn go_to(&mut self, id: BlockId) {
        if self.go_to_carried(id) {
            return;
        }
        self.hand_over_gas();
        // A failure that asks nothing of the stack doesn't get it.
        self.demand(id);
        if !self.analysis.ignores_stack(id) {
            self.leave_in_memory();
        }
        let in_region = self.region.contains(&id) && !self.looks_for_better_code(id);
        if !in_region || self.analysis.heights[id as usize] == Height::Unknown {
            self.define_top();
        }
        if in_region {
            let head = self.head(id);
            self.b.ins().jump(head, &[]);
        } else {
            let id = self.imm32(id);
            self.b.ins().jump(self.shared.cross, &[id.into()]);
        }
    }

    /// Whether a jump goes to a block by the table, which better code may have entered meanwhile: in code that was
    /// made quickly, all jumps back, so that no loop goes on in it for long.
    fn looks_for_better_code(&self, id: BlockId) -> bool {
        self.options.opt_level == OptLevel::Quick && self.path.last().is_some_and(|from| id <= from)
    }

    /// Writes what differs from memory for code that goes on from there.
    fn leave_in_memory(&mut self) {
        for (_, word) in self.write_dirty() {
            self.demand_word(word);
        }
    }

    pub(super) fn define_top(&mut self) {
        let top = self.position_address(self.stack.height());
        self.b.def_var(self.top, top);
    }

    /// Ends the chain by a jump, to an offset popped from the stack as `word`, that leads to no known block.
    pub(super) fn leave_by_jump(&mut self, target: Target, word: Word) {
        if target == Target::Invalid {
            self.exit_trap(Trap::InvalidJump);
            return;
        }
        self.hand_over_gas();
        self.leave_in_memory();
        self.define_top();
        let limbs = self.limbs(word);
        let high = self.or_all(&limbs[1..]);
        // An offset beyond 64 bits is as invalid as the largest of 64 bits.
        let zero = self.imm(0);
        let is_high = self.b.ins().icmp(IntCC::NotEqual, high, zero);
        let ones = self.imm(-1);
        let offset = self.b.ins().select(is_high, ones, limbs[0]);
        self.b.ins().jump(self.shared.jump_dynamic, &[offset.into()]);
    }
}
