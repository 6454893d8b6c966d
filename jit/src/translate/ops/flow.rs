//! Jumps and ASSERT.

use cranelift_codegen::ir::InstBuilder;

use crate::analysis::blocks::{BlockId, Instr, Target, Terminator};
use crate::translate::Translator;
use crate::translate::words::Word;

impl Translator<'_> {
    /// Gives the block in which the path goes on, if it does.
    pub(in crate::translate) fn jump(&mut self, terminator: Terminator) -> Option<BlockId> {
        let Terminator::Jump(target) = terminator else {
            unreachable!("the analysis ends a block at each jump")
        };
        let word = self.pop();
        match self.refine(target, word) {
            Target::Block(id) => self.go_on(id),
            target => {
                self.leave_by_jump(target, word);
                None
            }
        }
    }

    /// Gives the block in which the path goes on, if it does: the fall-through.
    pub(in crate::translate) fn jump_if(&mut self, terminator: Terminator) -> Option<BlockId> {
        let Terminator::JumpI(target, next) = terminator else {
            unreachable!("the analysis ends a block at each jumpi")
        };
        let word = self.pop();
        let condition = self.pop();
        let target = self.refine(target, word);
        match condition.constant() {
            Some(value) if value.is_zero() => return self.go_on(next),
            Some(_) => {
                return match target {
                    Target::Block(id) => self.go_on(id),
                    target => {
                        self.leave_by_jump(target, word);
                        None
                    }
                };
            }
            None => {}
        }
        self.limit_dirty();
        let taken = self.b.create_block();
        let falls = self.b.create_block();
        if self.is_cold_target(target) {
            self.b.set_cold_block(taken);
        }
        if self.analysis.is_cold(next) {
            self.b.set_cold_block(falls);
        }
        let condition = match condition {
            Word::Flag(flag) => flag,
            other => self.zero_test(other),
        };
        self.b.ins().brif(condition, taken, &[], falls, &[]);
        self.b.seal_block(taken);
        self.b.seal_block(falls);
        self.b.switch_to_block(taken);
        match target {
            Target::Block(id) => self.side(id, condition),
            target => self.leave_by_jump(target, word),
        }
        self.b.switch_to_block(falls);
        self.known.learn(self.b.func, condition, false);
        self.go_on(next)
    }

    fn is_cold_target(&self, target: Target) -> bool {
        match target {
            Target::Block(id) => self.analysis.is_cold(id),
            Target::Invalid => true,
            Target::Dynamic => false,
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
