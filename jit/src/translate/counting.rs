//! For tools: marking what belongs to which operation, and counting what runs: blocks and operations in the frame, and the blocks of the code by the frame's tracker. Only in
//! code that is compiled for it.

use cranelift_codegen::ir::{InstBuilder, SourceLoc, types};
use zvm::compiled::frame::offsets;

use super::Translator;
use crate::analysis::blocks::Instr;
use crate::builtins::Builtin;

impl Translator<'_> {
    /// What is built from here on is for the operation at that body offset, or for none.
    pub(super) fn mark_place(&mut self, pc: Option<u32>) {
        if self.analysis.marks_places {
            self.b.set_srcloc(pc.map_or_else(SourceLoc::default, SourceLoc::new));
        }
    }

    /// Tells the tracker of a block of the code that begins with this instruction, if one does. `rest` is what was
    /// charged for it and what follows.
    pub(super) fn note_block(&mut self, instr: &Instr, rest: u64) {
        let Some(layout) = &self.analysis.profiled else { return };
        if layout.begins_at(instr.pc as usize) {
            let gas = self.gas_with(rest);
            let pc = self.imm32(instr.pc);
            self.call(Builtin::BeginBlock, &[pc, gas]);
        }
    }

    /// Counts a block of that many operations.
    pub(super) fn count_block(&mut self, operations: usize) {
        self.add_to_count(offsets::BLOCKS_COMPILED, 1);
        self.add_to_count(offsets::OPERATIONS_COMPILED, operations as i64);
    }

    /// Takes back what was counted for the operations behind the one under translation, on a way out of the block.
    pub(super) fn count_no_further(&mut self) {
        self.add_to_count(offsets::OPERATIONS_COMPILED, -(self.operations_after as i64));
    }

    /// The same, and for the one under translation, which is left to the interpreter.
    pub(super) fn count_not_even_this(&mut self) {
        self.add_to_count(offsets::OPERATIONS_COMPILED, -(self.operations_after as i64) - 1);
    }

    fn add_to_count(&mut self, offset: usize, more: i64) {
        if self.options.count_blocks && more != 0 {
            let count = self.load_frame(types::I64, offset);
            let more = self.imm(more);
            let count = self.b.ins().iadd(count, more);
            self.store_frame(count, offset);
        }
    }
}
