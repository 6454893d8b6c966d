//! Jumps and ASSERT.

use cranelift_codegen::ir::InstBuilder;

use crate::analysis::blocks::{Instr, Target, Terminator};
use crate::translate::Translator;
use crate::translate::words::Word;

impl Translator<'_> {
    pub(super) fn jump(&mut self, terminator: Terminator) {
        let Terminator::Jump(target) = terminator else {
            unreachable!("the analysis ends a block at each jump")
        };
        let word = self.pop();
        let target = self.refine(target, word);
        self.jump_to(target, word);
    }

    /// Leaves the builder in the block of the fall-through, which is the next of the chain.
    pub(super) fn jump_if(&mut self, terminator: Terminator) {
        let Terminator::JumpI(target, next) = terminator else {
            unreachable!("the analysis ends a block at each jumpi")
        };
        let word = self.pop();
        let condition = self.pop();
        let target = self.refine(target, word);
        self.limit_dirty();
        let taken = self.b.create_block();
        let falls = self.b.create_block();
        if target == Target::Invalid {
            self.b.set_cold_block(taken);
        }
        match condition.constant() {
            Some(value) => {
                let to = if value.is_zero() { falls } else { taken };
                self.b.ins().jump(to, &[]);
            }
            None => {
                let condition = match condition {
                    Word::Flag(flag) => flag,
                    other => self.zero_test(other),
                };
                self.b.ins().brif(condition, taken, &[], falls, &[]);
                self.known.learn_false(self.b.func, condition);
            }
        }
        self.b.seal_block(taken);
        self.b.seal_block(falls);
        self.b.switch_to_block(taken);
        self.jump_to(target, word);
        self.b.switch_to_block(falls);
        if !crate::translate::is_continued(self.analysis, &self.region, next) {
            self.go_to(next);
        }
    }

    /// The translator knows more constants than the analysis.
    fn refine(&self, target: Target, word: Word) -> Target {
        match (target, word.constant()) {
            (Target::Dynamic, Some(offset)) => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                if !self.code.is_jump_target(offset) {
                    return Target::Invalid;
                }
                self.analysis.block_at(offset).map_or(Target::Invalid, Target::Block)
            }
            _ => target,
        }
    }

    pub(super) fn assert(&mut self, instr: &Instr) {
        let condition = self.pop();
        match condition.constant() {
            Some(value) if !value.is_zero() => {}
            Some(_) | None => {
                let fails = self.is_zero(condition);
                self.fault_if(fails, instr.immediate, instr.gas_after);
            }
        }
    }
}
