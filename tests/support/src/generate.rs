//! Random programs that mostly make sense: balanced stacks, loops bounded by gas, operands at boundaries.
//!
//! Programs are lists of [`Piece`]s, which the [shrinker](crate::shrink) makes small again.

mod loops;

use alloy_primitives::{Bytes, U256};
use zvm::bytecode::{Encoding, Op, StackEffect};
use zvm::fork::Fork;

use crate::host::{CALLEE, CALLER, CONTRACT, DELEGATOR};
use crate::pieces::{Piece, Pieces};
use crate::program::Setting;
use crate::random::Random;

/// The program of a seed.
pub fn program(seed: u64) -> Pieces {
    let mut random = Random::new(seed);
    let encoding = if random.chance(60) { Encoding::Zvm } else { Encoding::Evm };
    let label_count = 1 + random.index(8);
    let label_heights = (0..label_count).map(|_| random.index(6)).collect();
    let setting = setting(&mut random);
    let mut generator =
        Generator { random, encoding, label_heights, pieces: Vec::new(), height: 0, next_label: label_count };
    generator.prologue();
    for label in 0..label_count {
        generator.block(label);
    }
    Pieces { encoding, pieces: generator.pieces, setting }
}

fn setting(random: &mut Random) -> Setting {
    let mut input = Vec::new();
    for _ in 0..random.below(5) {
        input.extend_from_slice(&random.word().to_be_bytes::<32>());
    }
    input.truncate(input.len().saturating_sub(random.index(8)));
    let storage = (0..random.below(4)).map(|key| (U256::from(key), random.word())).collect();
    Setting {
        fork: random.pick(&Fork::ALL),
        gas: match random.below(10) {
            0..=1 => random.below(200),
            2..=4 => random.below(3000),
            _ => 20_000 + random.below(60_000),
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
    Op::BlobBaseFee,
];
/// Widths that narrow code paths care about, as type bytes.
const TYPES: &[u8] =
    &[0x01, 0x02, 0x04, 0x08, 0x08, 0x08, 0x09, 0x10, 0x11, 0x20, 0x81, 0x84, 0x88, 0x88, 0x90, 0xa0];

struct Generator {
    random: Random,
    encoding: Encoding,
    /// Stack height that jumps to a label usually arrange.
    label_heights: Vec<usize>,
    pieces: Vec<Piece>,
    /// Words on the stack where the next piece stands, if all went as usual.
    height: usize,
    /// A label that nothing uses yet.
    next_label: usize,
}

impl Generator {
    fn prologue(&mut self) {
        for _ in 0..self.random.below(4) {
            self.push_word();
        }
    }

    fn block(&mut self, label: usize) {
        self.arrange(label);
        if self.random.chance(90) {
            self.pieces.push(Piece::Label(label));
        }
        let shape = self.random.below(100);
        for _ in 0..1 + self.random.below(14) {
            self.step();
        }
        if shape < 12 {
            self.fault_before_shortage();
        } else if shape < 30 {
            self.counted_loop();
        }
        self.terminator();
    }

    /// A checked operation that faults, or nearly does, before work for which gas or stack may run short.
    fn fault_before_shortage(&mut self) {
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
            93 => self.request(),
            94 => self.log(),
            95 => self.hash(),
            96..=98 => self.from(CONTEXT),
            _ => self.anything(),
        }
    }

    fn terminator(&mut self) {
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
                let label = self.random.index(self.label_heights.len());
                self.pieces.push(Piece::PushLabel(label));
                self.height += 1;
                self.emit(Op::JumpI, &[]);
            }
            10..=13 => {
                let label = self.random.index(self.label_heights.len());
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
            16 => self.range_then(&[Op::Return]),
            17 => self.range_then(&[Op::Revert]),
            18 if self.encoding == Encoding::Zvm => {
                let code = self.random.bits64() as u8;
                self.emit(Op::Panic, &[code]);
            }
            _ => self.from(&[Op::Jump, Op::JumpI, Op::Invalid, Op::Halt]),
        }
    }

    /// Brings the stack to the height that a label expects, most of the time.
    fn arrange(&mut self, label: usize) {
        if self.random.chance(6) {
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
            self.push_word();
            let code = self.random.bits64() as u8;
            self.emit(Op::Assert, &[code]);
            return;
        }
        let op = self.random.pick(CHECKED);
        let mut ty = self.random.pick(TYPES);
        if self.random.chance(3) {
            ty = self.random.bits64() as u8;
        }
        if op == Op::CCast && self.random.chance(50) {
            ty ^= 0x40;
        }
        if self.random.chance(50) {
            // Operands that fit most types, so that the frame goes on.
            for _ in 0..op.stack_effect(ty).0 {
                self.small_push();
            }
        }
        self.supply(op, ty);
        self.emit(op, &[ty]);
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

    fn memory(&mut self) {
        let op = self.random.pick(&[
            Op::Mload,
            Op::Mstore,
            Op::Mstore,
            Op::Mstore8,
            Op::Mcopy,
            Op::CalldataCopy,
            Op::CodeCopy,
        ]);
        let operands = usize::from(op.stack_effect(0).0);
        if matches!(op, Op::Mstore | Op::Mstore8) && self.random.chance(70) {
            self.supply(op, 0);
            self.small_push();
        } else if self.random.chance(92) {
            for _ in 0..operands {
                self.small_push();
            }
        }
        self.supply(op, 0);
        self.emit(op, &[]);
    }

    fn storage(&mut self) {
        let op = self.random.pick(&[Op::Sload, Op::Sload, Op::Sstore, Op::Tload, Op::Tstore]);
        self.supply(op, 0);
        if self.random.chance(80) {
            // Few keys, so that slots are touched more than once.
            let key = U256::from(self.random.below(4));
            self.push(key);
        }
        self.emit(op, &[]);
    }

    /// A call or a creation, its memory ranges usually small and its address usually somebody's.
    fn request(&mut self) {
        let op = self.random.pick(&[
            Op::Call,
            Op::Call,
            Op::CallCode,
            Op::DelegateCall,
            Op::StaticCall,
            Op::Create,
            Op::Create2,
        ]);
        let operands = usize::from(op.stack_effect(0).0);
        match op {
            Op::Create | Op::Create2 => (0..operands).for_each(|_| self.small_push()),
            _ => {
                // Ranges and value; a value only where the operation takes one.
                (0..operands - 2).for_each(|_| self.small_push());
                let address = match self.random.below(6) {
                    0 => U256::from(self.random.below(0x14)),
                    1 => self.random.word(),
                    n => {
                        let known = [CONTRACT, CALLER, CALLEE, DELEGATOR][n as usize - 2];
                        U256::from_be_slice(known.as_slice())
                    }
                };
                self.push(address);
                let gas = if self.random.chance(50) {
                    self.random.word()
                } else {
                    U256::from(self.random.below(9000))
                };
                self.push(gas);
            }
        }
        self.emit(op, &[]);
    }

    fn log(&mut self) {
        let op = self.random.pick(&[Op::Log0, Op::Log1, Op::Log2, Op::Log3, Op::Log4]);
        self.supply(op, 0);
        self.range_then(&[op]);
    }

    fn hash(&mut self) {
        if self.encoding == Encoding::Zvm && self.random.chance(60) {
            if self.random.chance(50) {
                self.from(&[Op::Tablehash]);
            } else {
                let n = self.random.below(5) as u8;
                self.supply(Op::TablehashN, n);
                self.emit(Op::TablehashN, &[n]);
            }
        } else {
            self.range_then(&[Op::Keccak256]);
        }
    }

    /// An operation on a memory range, usually a small one.
    fn range_then(&mut self, ops: &[Op]) {
        if self.random.chance(95) {
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
        while self.height < usize::from(needs) && !self.random.chance(1) {
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
