//! Where control goes: ends of blocks, jumps with known and unknown targets, subroutines.

use alloy_primitives::U256;
use zvm::bytecode::{Encoding, Op};

use super::{Generator, TYPES};
use crate::pieces::Piece;

impl Generator {
    /// A checked operation that faults, or nearly does, before work for which gas or stack may run short.
    pub(super) fn fault_before_shortage(&mut self) {
        if self.encoding == Encoding::Zvm {
            let ty = self.random.pick(TYPES);
            let word = self.random.word();
            self.push(word);
            let other = self.random.word();
            self.push(other);
            let op = self.random.pick(&[Op::CAdd, Op::CSub, Op::CMul, Op::CDiv]);
            self.emit(op, &[ty]);
        }
        match self.random.below(40) {
            0 => {
                for _ in 0..1000 + self.random.below(30) {
                    self.emit(Op::Push0, &[]);
                }
            }
            1..=13 => {
                for _ in 0..self.random.below(12) {
                    self.emit(Op::Pop, &[]);
                }
            }
            14..=26 => {
                for _ in 0..self.random.below(30) {
                    self.emit(Op::Gas, &[]);
                    self.emit(Op::Mul, &[]);
                }
            }
            _ => {
                for _ in 0..self.random.below(4) {
                    self.small_push();
                    self.small_push();
                    self.emit(Op::Sstore, &[]);
                }
            }
        }
    }

    pub(super) fn terminator(&mut self) {
        match self.random.below(20) {
            0..=4 => {} // Falls through.
            5..=9 => {
                // The condition is a word of the stack or a comparison, below a label.
                if self.random.chance(50) {
                    self.dup();
                    self.from(&[Op::Lt, Op::Gt, Op::Slt, Op::Eq, Op::IsZero]);
                } else {
                    self.dup();
                }
                let label = self.pick_label();
                self.pieces.push(Piece::PushLabel(label));
                self.height += 1;
                self.emit(Op::JumpI, &[]);
            }
            10..=13 => {
                let label = self.pick_label();
                self.arrange(label);
                self.pieces.push(Piece::PushLabel(label));
                self.height += 1;
                if self.random.chance(30) {
                    // Zero is added that only a run can know to be zero: call data is shorter than that.
                    self.push(U256::from(0x1000));
                    self.emit(Op::CalldataLoad, &[]);
                    let op = self.random.pick(&[Op::Add, Op::Or, Op::Xor]);
                    self.emit(op, &[]);
                }
                self.emit(Op::Jump, &[]);
            }
            14..=15 => self.emit(Op::Halt, &[]),
            16 if self.random.chance(12) => {
                self.emit(Op::Caller, &[]);
                self.emit(Op::SelfDestruct, &[]);
            }
            16 => self.range_then(&[Op::Return]),
            17 if self.is_tame && self.random.chance(70) => self.range_then(&[Op::Return]),
            17 => self.range_then(&[Op::Revert]),
            18..=19 if self.is_tame => {} // Falls through.
            18 if self.encoding == Encoding::Zvm => {
                let code = self.random.bits64() as u8;
                self.emit(Op::Panic, &[code]);
            }
            _ => self.from(&[Op::Jump, Op::JumpI, Op::Invalid, Op::Halt]),
        }
    }

    /// Brings the stack to the height that a label expects, most of the time.
    pub(super) fn arrange(&mut self, label: usize) {
        if self.wild(6) {
            return;
        }
        let wanted = self.label_heights[label];
        while self.height > wanted {
            self.emit(Op::Pop, &[]);
        }
        while self.height < wanted {
            self.push_word();
        }
    }

    /// A label to go to: in a tame program usually one further on, so that it ends by itself.
    fn pick_label(&mut self) -> usize {
        let count = self.label_heights.len();
        let next = self.current + 1;
        if self.is_tame && next < count && self.random.chance(85) {
            return next + self.random.index(count - next);
        }
        self.random.index(count)
    }

    /// Pushes a word, calls a subroutine on it and goes on with its result; in a program without subroutines, only
    /// pushes.
    pub(super) fn call_subroutine(&mut self) {
        if self.height > 0 && self.random.chance(50) {
            self.dup()
        } else {
            self.push_word()
        }
        if !self.subroutines.is_empty() {
            let target = self.random.pick(&self.subroutines);
            self.call_with_top(target);
        }
    }

    /// Like [`Generator::call_subroutine`], once in a while.
    pub(super) fn subroutine_or_word(&mut self) {
        if self.random.chance(30) { self.call_subroutine() } else { self.push_word() }
    }

    /// Calls a subroutine with the word on top, which its result replaces.
    fn call_with_top(&mut self, target: usize) {
        let back = self.fresh_label();
        self.pieces.push(Piece::PushLabel(back));
        self.numbered("swap", 1, Op::SwapN);
        self.pieces.push(Piece::PushLabel(target));
        self.emit(Op::Jump, &[]);
        self.pieces.push(Piece::Label(back));
        self.height += 1;
    }

    /// The subroutines, behind everything else: each works on the word above its return address and jumps back.
    pub(super) fn subroutine_bodies(&mut self) {
        if self.subroutines.is_empty() {
            return;
        }
        self.emit(Op::Halt, &[]);
        for (index, label) in self.subroutines.clone().into_iter().enumerate() {
            self.height = 2;
            self.pieces.push(Piece::Label(label));
            for _ in 0..1 + self.random.below(6) {
                self.subroutine_step();
            }
            let deeper = self.subroutines.get(index + 1).copied().filter(|_| self.random.chance(40));
            if let Some(deeper) = deeper {
                self.call_with_top(deeper);
            }
            if self.random.chance(40) {
                self.dup_top();
                let skip = self.fresh_label();
                self.pieces.push(Piece::PushLabel(skip));
                self.height += 1;
                self.emit(Op::JumpI, &[]);
                self.subroutine_step();
                self.pieces.push(Piece::Label(skip));
            }
            self.emit(Op::Swap1, &[]);
            self.emit(Op::Jump, &[]);
        }
    }

    /// Replaces the top word by a result of it.
    fn subroutine_step(&mut self) {
        match self.random.below(5) {
            0 => self.dup_top(),
            1 => self.small_push(),
            _ => self.push_word(),
        }
        let op = self.random.pick(&[
            Op::Add,
            Op::Sub,
            Op::Mul,
            Op::Div,
            Op::Mod,
            Op::Xor,
            Op::And,
            Op::Or,
            Op::Slt,
            Op::Shl,
            Op::Shr,
            Op::Sar,
        ]);
        self.emit(op, &[]);
        if self.random.chance(20) {
            self.dup_top();
            self.small_push();
            self.emit(Op::Mstore, &[]);
        }
    }

    fn dup_top(&mut self) {
        self.emit(Op::Dup1, &[]);
    }
}
