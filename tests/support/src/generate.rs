//! Random programs that mostly make sense: balanced stacks, loops bounded by gas, operands at boundaries.
//!
//! Programs are lists of [`Piece`]s, which the [shrinker](crate::shrink) makes small again.

mod effects;
mod flow;
mod loops;

use alloy_primitives::{Bytes, U256};
use zvm::bytecode::{Encoding, Op, StackEffect};
use zvm::fork::Fork;

use crate::pieces::{Piece, Pieces};
use crate::program::Setting;
use crate::random::Random;

/// The program of a seed.
pub fn program(seed: u64) -> Pieces {
    let mut random = Random::new(seed);
    let encoding = if random.chance(50) { Encoding::Zvm } else { Encoding::Evm };
    let is_tame = random.chance(70);
    let label_count = 1 + random.index(8);
    let label_heights = (0..label_count).map(|_| random.index(6)).collect();
    let setting = setting(&mut random, is_tame);
    let subroutine_count = if random.chance(40) { 1 + random.index(3) } else { 0 };
    let mut generator = Generator {
        random,
        encoding,
        is_tame,
        label_heights,
        subroutines: (label_count..label_count + subroutine_count).collect(),
        pieces: Vec::new(),
        height: 0,
        next_label: label_count + subroutine_count,
        current: 0,
    };
    generator.prologue();
    for label in 0..label_count {
        generator.block(label);
    }
    generator.subroutine_bodies();
    Pieces { encoding, pieces: generator.pieces, setting }
}

fn setting(random: &mut Random, is_tame: bool) -> Setting {
    let mut input = Vec::new();
    for _ in 0..random.below(5) {
        input.extend_from_slice(&random.word().to_be_bytes::<32>());
    }
    input.truncate(input.len().saturating_sub(random.index(8)));
    let storage = (0..random.below(4)).map(|key| (U256::from(key), random.word())).collect();
    Setting {
        fork: random.pick(&Fork::ALL),
        gas: match random.below(10) {
            0 if !is_tame => random.below(200),
            0..=1 => random.below(3000),
            2..=7 => 20_000 + random.below(60_000),
            _ => 100_000 + random.below(200_000),
        },
        input: Bytes::from(input),
        value: if random.chance(50) { U256::ZERO } else { random.word() },
        is_static: random.chance(4),
        storage,
    }
}

/// Groups of operations that are chosen together; weights stand in [`Generator::step`].
const ARITHMETIC: &[Op] = &[
    Op::Add,
    Op::Add,
    Op::Sub,
    Op::Sub,
    Op::Mul,
    Op::Mul,
    Op::Div,
    Op::Sdiv,
    Op::Mod,
    Op::Smod,
    Op::AddMod,
    Op::MulMod,
    Op::Exp,
    Op::SignExtend,
];
const CHECKED: &[Op] =
    &[Op::CAdd, Op::CAdd, Op::CSub, Op::CMul, Op::CDiv, Op::CMod, Op::CNeg, Op::CExp, Op::CCast];
const BITS: &[Op] = &[
    Op::Lt,
    Op::Gt,
    Op::Slt,
    Op::Sgt,
    Op::Eq,
    Op::IsZero,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Not,
    Op::Byte,
    Op::Shl,
    Op::Shr,
    Op::Sar,
    Op::Clz,
];
const CONTEXT: &[Op] = &[
    Op::Address,
    Op::Origin,
    Op::Caller,
    Op::CallValue,
    Op::CalldataLoad,
    Op::CalldataSize,
    Op::CodeSize,
    Op::GasPrice,
    Op::Coinbase,
    Op::Timestamp,
    Op::Number,
    Op::PrevRandao,
    Op::GasLimit,
    Op::ChainId,
    Op::SelfBalance,
    Op::BaseFee,
    Op::Gas,
    Op::Pc,
    Op::Msize,
    Op::ReturndataSize,
    Op::Balance,
    Op::ExtcodeSize,
    Op::ExtcodeHash,
    Op::BlobHash,
    Op::BlockHash,
    Op::BlobBaseFee,
];
/// Widths that narrow code paths care about, as type bytes.
const TYPES: &[u8] =
    &[0x01, 0x02, 0x04, 0x08, 0x08, 0x08, 0x09, 0x10, 0x11, 0x20, 0x81, 0x84, 0x88, 0x88, 0x90, 0xa0];

struct Generator {
    random: Random,
    encoding: Encoding,
    /// Whether what makes frames fail is rare, so that they go on for long.
    is_tame: bool,
    /// Labels of subroutines: they take a word below their return address and leave one.
    subroutines: Vec<usize>,
    /// Stack height that jumps to a label usually arrange.
    label_heights: Vec<usize>,
    pieces: Vec<Piece>,
    /// Words on the stack where the next piece stands, if all went as usual.
    height: usize,
    /// A label that nothing uses yet.
    next_label: usize,
    /// Number of the block that is made.
    current: usize,
}

impl Generator {
    fn prologue(&mut self) {
        for _ in 0..self.random.below(4) {
            self.push_word();
        }
    }

    /// True in `percent` of 100 cases, and in a tame program in a tenth of them: for what usually ends a frame.
    fn wild(&mut self, percent: u64) -> bool {
        self.random.chance(percent) && (!self.is_tame || self.random.chance(10))
    }

    fn block(&mut self, label: usize) {
        self.current = label;
        self.arrange(label);
        if !self.wild(10) {
            self.pieces.push(Piece::Label(label));
        }
        let shape = self.random.below(100);
        for _ in 0..1 + self.random.below(14) {
            self.step();
        }
        match shape {
            0..12 if !self.is_tame || shape == 0 => self.fault_before_shortage(),
            12..34 => self.counted_loop(),
            34..44 => self.call_subroutine(),
            _ => {}
        }
        self.terminator();
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..=40 => self.dup(),
            41..=57 => self.push_word(),
            58..=66 => self.from(ARITHMETIC),
            67..=73 if self.encoding == Encoding::Zvm => self.checked(),
            67..=73 => self.from(ARITHMETIC),
            74..=80 => self.from(BITS),
            81..=83 => self.swap(),
            84..=85 => self.from(&[Op::Pop]),
            86..=90 => self.memory(),
            91..=92 => self.storage(),
            93 if self.random.chance(25) => self.creation(),
            93 => self.request(),
            94 => self.log(),
            95 => self.hash(),
            96..=98 => self.context(),
            _ if self.wild(50) => self.anything(),
            _ => self.subroutine_or_word(),
        }
    }

    // --- kinds of steps ---

    fn from(&mut self, ops: &[Op]) {
        let op = self.random.pick(ops);
        if self.encoding.byte(op).is_none() {
            return;
        }
        self.supply(op, 0);
        self.emit(op, &[]);
    }

    fn checked(&mut self) {
        if self.random.chance(10) {
            if self.wild(90) {
                self.push_word()
            } else {
                self.push(U256::ONE)
            }
            let code = self.random.bits64() as u8;
            self.emit(Op::Assert, &[code]);
            return;
        }
        let op = self.random.pick(CHECKED);
        let mut ty = self.random.pick(TYPES);
        if self.wild(3) {
            ty = self.random.bits64() as u8;
        }
        if op == Op::CCast && self.random.chance(50) {
            ty ^= 0x40;
        }
        if !self.wild(50) {
            self.fitting_operands(op, ty);
        }
        self.supply(op, ty);
        self.emit(op, &[ty]);
    }

    /// Operands with which a checked operation usually goes on: words cut to the type, the larger on top where
    /// the result must not be below zero.
    fn fitting_operands(&mut self, op: Op, ty: u8) {
        let bytes = u64::from(ty & 0x3f).clamp(1, 32);
        let mask = U256::MAX >> (256 - (8 * bytes - 1) as usize);
        for position in 0..op.stack_effect(ty).0 {
            let is_top = position > 0;
            match (op, is_top) {
                (Op::CSub, true) | (Op::CDiv | Op::CMod, false) => {
                    self.push_word();
                    self.push(mask);
                    self.emit(Op::And, &[]);
                    self.push(if is_top { mask ^ (mask >> 1) } else { U256::ONE });
                    self.emit(Op::Or, &[]);
                }
                (Op::CMul, _) => {
                    self.push_word();
                    self.push(mask >> (4 * bytes) as usize);
                    self.emit(Op::And, &[]);
                }
                (Op::CExp | Op::CNeg, _) => self.small_push(),
                _ => {
                    if self.height > 0 && self.random.chance(50) {
                        self.dup()
                    } else {
                        self.push_word()
                    }
                    self.push(mask >> 1);
                    self.emit(Op::And, &[]);
                }
            }
        }
    }

    fn dup(&mut self) {
        if self.height == 0 {
            self.push_word();
        }
        let n = 1 + self.random.index(self.height.min(20));
        self.numbered("dup", n, Op::DupN);
    }

    fn swap(&mut self) {
        if self.height < 2 {
            return self.push_word();
        }
        let n = 1 + self.random.index((self.height - 1).min(20));
        self.numbered("swap", n, Op::SwapN);
    }

    /// `dup1` or `dupn 1`, whichever the encoding has.
    fn numbered(&mut self, stem: &str, n: usize, general: Op) {
        let named = Op::from_name(&format!("{stem}{n}")).filter(|&op| self.encoding.byte(op).is_some());
        match named {
            Some(op) if self.encoding == Encoding::Evm || self.random.chance(80) => self.emit(op, &[]),
            _ if self.encoding == Encoding::Zvm => self.emit(general, &[n as u8]),
            _ => self.push_word(),
        }
    }

    /// An operation on a memory range, usually a small one.
    fn range_then(&mut self, ops: &[Op]) {
        if !self.wild(5) {
            self.small_push();
            self.small_push();
        }
        self.from(ops);
    }

    /// Any operation of the table, or a byte that is none.
    fn anything(&mut self) {
        if self.random.chance(10) {
            self.pieces.push(Piece::Raw(self.random.bits64() as u8));
            return;
        }
        let op = self.random.pick(Op::ALL);
        if self.encoding.byte(op).is_some() {
            let immediate: Vec<u8> = (0..op.info().imm).map(|_| self.random.bits64() as u8).collect();
            self.emit(op, &immediate);
        }
    }

    // --- emitting ---

    /// Pushes words until the operation has its operands, nearly always.
    fn supply(&mut self, op: Op, immediate: u8) {
        let (needs, _) = op.stack_effect(immediate);
        while self.height < usize::from(needs) && !self.wild(1) {
            if self.height > 0 && self.random.chance(60) { self.dup() } else { self.push_word() }
        }
    }

    fn push_word(&mut self) {
        let word = self.random.word();
        self.push(word);
    }

    fn small_push(&mut self) {
        let word = U256::from(self.random.pick(&[0u64, 0, 1, 2, 31, 32, 33, 64, 95, 96, 160]));
        self.push(word);
    }

    /// Pushes a word by a push of the encoding that is wide enough, usually the narrowest.
    fn push(&mut self, word: U256) {
        let bytes = word.byte_len();
        if bytes == 0 && self.random.chance(60) {
            return self.emit(Op::Push0, &[]);
        }
        let extra = if self.random.chance(10) { self.random.index(33) } else { 0 };
        let width = (bytes + extra).clamp(1, 32);
        self.pieces.push(Piece::push(self.encoding, word, width));
        self.height += 1;
    }

    fn emit(&mut self, op: Op, immediate: &[u8]) {
        let byte = immediate.first().copied().unwrap_or(0);
        let (needs, leaves) = match op.info().stack {
            StackEffect::Fixed(..) => op.stack_effect(0),
            _ => op.stack_effect(byte),
        };
        self.height = self.height.saturating_sub(usize::from(needs)) + usize::from(leaves);
        self.pieces.push(Piece::Instruction(op, immediate.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_program() {
        for seed in 0..50 {
            assert_eq!(program(seed).assemble(), program(seed).assemble());
        }
        assert_ne!(program(1).assemble(), program(2).assemble());
    }

    #[test]
    fn weights_and_encodings_are_as_announced() {
        let (mut dups, mut pushes, mut all, mut native) = (0, 0, 0, 0);
        for seed in 0..400 {
            let pieces = program(seed);
            native += usize::from(pieces.encoding == Encoding::Zvm);
            for piece in &pieces.pieces {
                if let Piece::Instruction(op, _) = piece {
                    all += usize::from(*op != Op::Push0);
                    dups += usize::from(op.name().starts_with("dup"));
                    pushes += usize::from(op.name().starts_with("push") && *op != Op::Push0);
                }
            }
        }
        assert!(native > 150 && native < 350, "{native} of 400 are native");
        println!("{} pieces, {dups} DUPs, {pushes} PUSHes", all);
        assert!(dups * 100 > all * 15, "{dups} of {all} are DUPs");
        assert!(pushes * 100 > all * 15, "{pushes} of {all} are PUSHes");
    }
}
