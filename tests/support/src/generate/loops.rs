//! Counted loops over a few words: what compiled code carries in registers, and where narrow words grow wide.

use alloy_primitives::U256;
use zvm::bytecode::{Encoding, Op};

use super::{Generator, TYPES};
use crate::pieces::Piece;

/// Operations of two operands that a loop body applies to its words.
const BODY: &[Op] = &[
    Op::Add,
    Op::Add,
    Op::Sub,
    Op::Mul,
    Op::Div,
    Op::Mod,
    Op::Sdiv,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Lt,
    Op::Sgt,
    Op::Eq,
    Op::Shl,
    Op::Shr,
    Op::Sar,
    Op::Byte,
    Op::SignExtend,
];
const BODY_CHECKED: &[Op] = &[Op::CAdd, Op::CAdd, Op::CSub, Op::CMul, Op::CDiv, Op::CMod];

impl Generator {
    /// A loop of at most some twenty rounds, usually; its counter is on top, the words it works on below.
    pub(super) fn counted_loop(&mut self) {
        let words = 1 + self.random.index(5);
        for _ in 0..words {
            if self.random.chance(50) { self.small_push() } else { self.push_word() }
        }
        let rounds = 1 + self.random.below(20);
        let counts_down = self.random.chance(50);
        // Counters that pass a boundary of the narrow widths on their way.
        let boundary = self.random.pick(&[0, 0, 32, 64, 64, 128, 255, 256]);
        let middle = if boundary == 256 { U256::ZERO } else { U256::ONE << boundary };
        let start = if counts_down || boundary == 0 {
            U256::from(rounds)
        } else {
            middle.wrapping_sub(U256::from(rounds / 2))
        };
        self.push(start);
        let head = self.fresh_label();
        self.pieces.push(Piece::Label(head));
        for _ in 0..self.random.below(6) {
            self.loop_step(words + 1);
        }
        self.advance(counts_down, start.wrapping_add(U256::from(rounds)));
        self.pieces.push(Piece::PushLabel(head));
        self.height += 1;
        self.emit(Op::JumpI, &[]);
    }

    /// Changes the counter and pushes whether the loop goes on.
    fn advance(&mut self, counts_down: bool, limit: U256) {
        let checked = self.encoding == Encoding::Zvm && self.random.chance(50);
        let ty = self.random.pick(TYPES);
        self.push(U256::ONE);
        if counts_down {
            self.emit(Op::Swap1, &[]);
        }
        match (counts_down, checked) {
            (true, true) => self.emit(Op::CSub, &[ty]),
            (true, false) => self.emit(Op::Sub, &[]),
            (false, true) => self.emit(Op::CAdd, &[ty]),
            (false, false) => self.emit(Op::Add, &[]),
        }
        self.emit(Op::Dup1, &[]);
        if !counts_down {
            self.push(limit);
            let op = self.random.pick(&[Op::Sub, Op::Xor, Op::Gt]);
            self.emit(op, &[]);
        }
    }

    /// Replaces one of the top `words` words by a result of them; sometimes only under a condition.
    fn loop_step(&mut self, words: usize) {
        let skip = if self.random.chance(25) { Some(self.fresh_label()) } else { None };
        if let Some(skip) = skip {
            let word = 1 + self.random.index(words);
            self.numbered("dup", word, Op::DupN);
            if self.random.chance(50) {
                self.emit(Op::IsZero, &[]);
            }
            self.pieces.push(Piece::PushLabel(skip));
            self.height += 1;
            self.emit(Op::JumpI, &[]);
        }
        let (first, second) = (1 + self.random.index(words), 1 + self.random.index(words));
        self.numbered("dup", first, Op::DupN);
        match self.random.below(10) {
            0..=5 => self.numbered("dup", 1 + second, Op::DupN),
            6 => {
                self.emit(Op::Mload, &[]);
                self.small_push();
            }
            7 => self.small_push(),
            _ => self.push_word(),
        }
        if self.encoding == Encoding::Zvm && self.random.chance(40) {
            let (op, ty) = (self.random.pick(BODY_CHECKED), self.random.pick(TYPES));
            self.emit(op, &[ty]);
        } else {
            let op = self.random.pick(BODY);
            self.emit(op, &[]);
        }
        // The counter stays, nearly always.
        let place = if words > 1 && self.random.chance(95) { 2 + self.random.index(words - 1) } else { 1 };
        self.numbered("swap", place, Op::SwapN);
        self.emit(Op::Pop, &[]);
        if let Some(skip) = skip {
            self.pieces.push(Piece::Label(skip));
        }
    }

    pub(super) fn fresh_label(&mut self) -> usize {
        self.next_label += 1;
        self.next_label - 1
    }
}
