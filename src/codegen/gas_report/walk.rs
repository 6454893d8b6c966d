//! Abstract execution of one basic block: what it costs, and the states in which it leaves.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use rustc_hash::FxHashSet;
use zvm::bytecode::{DynamicGas, Instruction, Op};
use zvm::gas::{ACCOUNT, SLOT, SSTORE_COLD, SSTORE_SET, SSTORE_WARM, words};

use super::counters::{self, Counter, Test};

/// Code to walk.
pub(super) struct Program<'c> {
    /// The instructions by offset.
    pub(super) instructions: BTreeMap<u32, Instruction<'c>>,
    /// Pushes whose word creation fills in: nothing is known of it.
    pub(super) immutables: FxHashSet<u32>,
}

/// A block with the stack that it begins with.
pub(super) type State = (u32, Vec<Word>);

/// Memory beyond this many words is not worth a bound: it costs more than any block has.
const MEMORY_WORDS_MAX: u64 = 1 << 20;

/// How far known words are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    /// Through arithmetic: a loop that counts has a state for each count.
    Precise,
    /// Through comparisons only: enough for dispatch.
    Coarse,
}

/// What is known of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Word {
    /// All of it.
    Known(U256),
    /// It is the first word of the call data: the selector and what follows.
    FirstInput,
    /// It is the result of the operation at this offset of the block being walked.
    Local(u32),
    /// It counts the rounds of a loop.
    Counter(Counter),
    /// It says whether such a word is still below an end, or the like.
    Test(Test),
    /// Nothing.
    Unknown,
}

/// A block in the graph of states.
#[derive(Default, Debug)]
pub(super) struct Node {
    /// Static gas and every dynamic part that is known, memory growth aside.
    pub(super) cost: u64,
    /// What state and data add at least.
    pub(super) least: u64,
    /// What state and data add at most.
    pub(super) most: u64,
    /// Words of memory that exist afterwards at least.
    pub(super) memory_words: u64,
    /// Operations whose cost state or data decide.
    pub(super) terms: BTreeMap<&'static str, u64>,
    /// Where an operation is whose price a length decides that is not known.
    pub(super) open_at: Option<u32>,
    /// Where an operation is that makes memory grow up to a place that is not known.
    pub(super) grows_at: Option<u32>,
    /// Where other code is run.
    pub(super) calls_at: Option<u32>,
    /// The offset of its last instruction.
    pub(super) last: u32,
    /// How the frame ends, if it does, or may: a check of a counter has one successor as well.
    pub(super) end: Option<End>,
    /// What the branch or the check at its end asks of a counter.
    pub(super) test: Option<Test>,
    /// The states that may follow.
    pub(super) successors: Vec<usize>,
}

/// How a frame ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its changes stay.
    Success,
    /// Its changes are undone.
    Failure,
}

/// Walks the block of a state; `None` if the code is not what codegen makes. `steps` gets the offset of each instruction
/// with the most that it costs, growth of memory aside.
pub(super) fn walk(
    program: &Program<'_>,
    selector: U256,
    precision: Precision,
    offset: u32,
    stack: Vec<Word>,
    mut steps: Option<&mut Vec<(u32, u64)>>,
) -> Option<(Node, Vec<State>)> {
    let mut block = Block { node: Node::default(), stack, selector, precision, warm: Vec::new() };
    let mut at = offset;
    let mut following = program.instructions.range(offset..);
    let mut operands = Vec::new();
    loop {
        let (&found, instruction) = following.next()?;
        if found != at {
            return None;
        }
        let op = instruction.op?;
        let next = instruction.next as u32;
        let before = block.node.cost + block.node.most;
        block.node.cost += op.info().gas;
        block.take(op, instruction, &mut operands)?;
        if op != Op::JumpDest || at == offset {
            block.node.last = at;
        }
        match op {
            Op::JumpDest if at != offset => {
                // The block that begins here pays for it.
                block.node.cost -= op.info().gas;
                return Some(block.leave(vec![at]));
            }
            Op::Jump => return Some(block.leave(vec![target(operands[0])?])),
            Op::JumpI => {
                let taken = target(operands[0])?;
                block.node.test = Test::of(operands[1]);
                return Some(block.leave(match operands[1] {
                    Word::Known(condition) if condition.is_zero() => vec![next],
                    Word::Known(_) => vec![taken],
                    _ => vec![taken, next],
                }));
            }
            // A loop's rounds are counted so.
            Op::Assert if operands[0] == Word::Known(U256::ZERO) => {
                block.node.end = Some(End::Failure);
                return Some(block.leave(vec![]));
            }
            Op::Assert if Test::of(operands[0]).is_some() => {
                block.node.test = Test::of(operands[0]);
                block.node.end = Some(End::Failure);
                return Some(block.leave(vec![next]));
            }
            Op::Invalid => {
                block.node.end = Some(End::Failure);
                return Some(block.leave(vec![]));
            }
            _ => {}
        }
        block.charge(op, instruction, &operands);
        if let Some(steps) = &mut steps {
            steps.push((at, block.node.cost + block.node.most - before));
        }
        if op.ends_block() {
            let failed = matches!(op, Op::Revert | Op::Panic);
            block.node.end = Some(if failed { End::Failure } else { End::Success });
            return Some(block.leave(vec![]));
        }
        if program.immutables.contains(&at) {
            block.stack.push(Word::Unknown);
        } else {
            block.execute(op, instruction, &operands);
        }
        at = next;
    }
}

/// What an operation does to the stack besides taking operands and leaving results.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Push,
    Dup,
    Swap,
    Other,
}

impl Form {
    /// By number of the operation: it is asked of every instruction.
    const TABLE: [Form; Op::ALL.len()] = {
        let mut table = [Form::Other; Op::ALL.len()];
        let mut at = 0;
        while at < table.len() {
            table[at] = match Op::ALL[at].name().as_bytes() {
                [b'p', b'u', b's', b'h', ..] => Form::Push,
                [b'd', b'u', b'p', ..] => Form::Dup,
                [b's', b'w', b'a', b'p', ..] => Form::Swap,
                _ => Form::Other,
            };
            at += 1;
        }
        table
    };

    fn of(op: Op) -> Form {
        Form::TABLE[op as usize]
    }
}

fn target(word: Word) -> Option<u32> {
    match word {
        Word::Known(target) => u32::try_from(target).ok(),
        _ => None,
    }
}

struct Block {
    node: Node,
    stack: Vec<Word>,
    selector: U256,
    precision: Precision,
    // Slots read or written in this block, which are few: the second access is warm.
    warm: Vec<Word>,
}

impl Block {
    /// Fills in the operands, top first; they are gone from the stack except for DUP and SWAP.
    fn take(&mut self, op: Op, instruction: &Instruction<'_>, operands: &mut Vec<Word>) -> Option<()> {
        let (pops, _) = op.stack_effect(instruction.immediate_byte());
        let from = self.stack.len().checked_sub(usize::from(pops))?;
        operands.clear();
        operands.extend(self.stack[from..].iter().rev());
        if !matches!(Form::of(op), Form::Dup | Form::Swap) {
            self.stack.truncate(from);
        }
        Some(())
    }

    /// Ends the block: what only it knew is forgotten.
    fn leave(mut self, ways: Vec<u32>) -> (Node, Vec<State>) {
        for word in &mut self.stack {
            if let Word::Local(_) | Word::Test(_) = word {
                *word = Word::Unknown;
            }
        }
        let mut states = Vec::with_capacity(ways.len());
        if let [others @ .., last] = &ways[..] {
            states.extend(others.iter().map(|&way| (way, self.stack.clone())));
            states.push((*last, self.stack));
        }
        (self.node, states)
    }

    fn execute(&mut self, op: Op, instruction: &Instruction<'_>, operands: &[Word]) {
        match Form::of(op) {
            Form::Push => self.stack.push(Word::Known(instruction.immediate_word())),
            Form::Dup => self.stack.push(*operands.last().expect("DUP has an operand")),
            Form::Swap => {
                let top = self.stack.len() - 1;
                self.stack.swap(top, top + 1 - operands.len());
            }
            Form::Other => {
                let (_, pushes) = op.stack_effect(instruction.immediate_byte());
                for _ in 0..pushes {
                    let word = result(op, operands, self.selector, self.precision);
                    self.stack.push(word.unwrap_or(Word::Local(instruction.offset as u32)));
                }
            }
        }
    }

    fn term(&mut self, op: Op, least: u64, most: u64) {
        *self.node.terms.entry(op.name()).or_default() += 1;
        self.node.least += least;
        self.node.most += most;
    }

    /// Adds the dynamic part of an operation's price.
    fn charge(&mut self, op: Op, instruction: &Instruction<'_>, operands: &[Word]) {
        let (at, immediate) = (instruction.offset as u32, instruction.immediate_byte());
        let rate = op.dynamic_rate();
        match op.info().dynamic {
            DynamicGas::None => {}
            DynamicGas::Memory => {}
            DynamicGas::PerWord(_) | DynamicGas::PerByte(_) => {
                // What comes back from a call is as large as that pleases, and part of what the call costs.
                if op == Op::ReturndataCopy && known(operands[2]).is_none() {
                    self.node.calls_at.get_or_insert(at);
                    return;
                }
                let Some(size) = size_operand(op).map(|at| operands[at]) else { return self.open(op, at) };
                match known(size) {
                    Some(size) if matches!(op.info().dynamic, DynamicGas::PerByte(_)) => {
                        self.node.cost += rate * size
                    }
                    Some(size) => self.node.cost += rate * words(size),
                    None => self.open(op, at),
                }
            }
            DynamicGas::PerExponentByte(_) => match operands[1] {
                Word::Known(exponent) => self.node.cost += rate * exponent.byte_len() as u64,
                _ => self.term(op, 0, rate * U256::BYTES as u64),
            },
            DynamicGas::PerExtraKey(_) => self.node.cost += rate * u64::from(immediate).saturating_sub(1),
            DynamicGas::Slot => {
                let most = SLOT.of(!self.touch(operands[0]));
                self.term(op, SLOT.warm, most);
            }
            DynamicGas::Sstore => {
                let cold = if self.touch(operands[0]) { 0 } else { SSTORE_COLD };
                self.term(op, SSTORE_WARM, SSTORE_SET + cold);
            }
            DynamicGas::Account => self.term(op, ACCOUNT.warm, ACCOUNT.cold),
            DynamicGas::AccountPerWord(_) | DynamicGas::SelfDestruct => self.open(op, at),
            DynamicGas::Call | DynamicGas::All => {
                self.term(op, 0, 0);
                self.node.calls_at.get_or_insert(at);
            }
        }
        if matches!(op, Op::Create | Op::Create2) {
            self.node.calls_at.get_or_insert(at);
        }
        self.grow(op, at, operands);
    }

    /// A price that nothing bounds.
    fn open(&mut self, op: Op, at: u32) {
        self.term(op, 0, 0);
        self.node.open_at.get_or_insert(at);
    }

    /// Whether the slot was touched before in this block; from now on it was.
    fn touch(&mut self, slot: Word) -> bool {
        if slot == Word::Unknown || self.warm.contains(&slot) {
            return slot != Word::Unknown;
        }
        self.warm.push(slot);
        false
    }

    /// Notes the memory that an operation touches.
    fn grow(&mut self, op: Op, at: u32, operands: &[Word]) {
        for &(offset, size) in ranges(op) {
            let size = match size {
                Size::Fixed(size) => Some(size),
                Size::Operand(at) => known(operands[at]),
            };
            let end = match (known(operands[offset]), size) {
                (_, Some(0)) => continue,
                (Some(offset), Some(size)) => offset.checked_add(size).map(words),
                _ => None,
            };
            match end.filter(|&end| end <= MEMORY_WORDS_MAX) {
                Some(end) => self.node.memory_words = self.node.memory_words.max(end),
                None => {
                    self.node.grows_at.get_or_insert(at);
                }
            }
        }
    }
}

fn known(word: Word) -> Option<u64> {
    match word {
        Word::Known(word) => u64::try_from(word).ok(),
        _ => None,
    }
}

/// How many bytes a range has.
#[derive(Clone, Copy)]
pub(super) enum Size {
    /// This many.
    Fixed(u64),
    /// As many as this operand says.
    Operand(usize),
}

/// The memory ranges of an operation: which operand is the offset, and the size.
pub(super) fn ranges(op: Op) -> &'static [(usize, Size)] {
    use Size::{Fixed, Operand};
    match op {
        Op::Mload | Op::Mstore => &[(0, Fixed(32))],
        Op::Mstore8 => &[(0, Fixed(1))],
        Op::Keccak256 | Op::Sha256 | Op::Ripemd160 | Op::Blake2b | Op::Return | Op::Revert => {
            &[(0, Operand(1))]
        }
        Op::Log0 | Op::Log1 | Op::Log2 | Op::Log3 | Op::Log4 => &[(0, Operand(1))],
        Op::HtsCreate | Op::HcsCreateTopic => &[(0, Operand(1))],
        Op::HcsSubmit | Op::HcsUpdateTopic => &[(1, Operand(2))],
        // The key is left out: it is a value in memory, which exists by then.
        Op::PqVerifyDilithium | Op::PqVerifyFalcon | Op::PqVerifySphincs => {
            &[(0, Operand(1)), (2, Operand(3))]
        }
        Op::Mcopy => &[(0, Operand(2)), (1, Operand(2))],
        Op::CalldataCopy | Op::CodeCopy | Op::ReturndataCopy => &[(0, Operand(2))],
        Op::ExtcodeCopy => &[(1, Operand(3))],
        Op::Create | Op::Create2 => &[(1, Operand(2))],
        Op::Call | Op::CallCode => &[(3, Operand(4)), (5, Operand(6))],
        Op::DelegateCall | Op::StaticCall => &[(2, Operand(3)), (4, Operand(5))],
        _ => &[],
    }
}

/// The operand that a price per word or byte multiplies; `None` where this file does not know it.
pub(super) fn size_operand(op: Op) -> Option<usize> {
    match ranges(op) {
        [(_, Size::Operand(at)), ..] => Some(*at),
        _ => None,
    }
}

/// The result of an operation on known words, as far as dispatch and counting loops need it.
fn result(op: Op, operands: &[Word], selector: U256, precision: Precision) -> Option<Word> {
    let compares = matches!(op, Op::Lt | Op::Gt | Op::Eq | Op::IsZero | Op::Shr | Op::CalldataLoad);
    if precision == Precision::Coarse && !compares {
        return None;
    }
    let word = match (op, operands) {
        (Op::CalldataLoad, [Word::Known(U256::ZERO)]) => return Some(Word::FirstInput),
        (Op::Shr, [Word::Known(shift), Word::FirstInput]) if *shift == U256::from(224) => selector,
        (_, &[Word::Known(a)]) => match op {
            Op::IsZero => U256::from(a.is_zero()),
            Op::Not => !a,
            Op::CCast => a,
            _ => return None,
        },
        (_, &[Word::Known(a), Word::Known(b)]) => binary(op, a, b)?,
        _ => return counters::result(op, operands),
    };
    Some(Word::Known(word))
}

fn binary(op: Op, a: U256, b: U256) -> Option<U256> {
    Some(match op {
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Mul => a.wrapping_mul(b),
        // Where the result does not fit the type, execution ends, and what follows costs nothing.
        Op::CAdd => a.wrapping_add(b),
        Op::CSub => a.wrapping_sub(b),
        Op::CMul => a.wrapping_mul(b),
        Op::Lt => U256::from(a < b),
        Op::Gt => U256::from(a > b),
        Op::Eq => U256::from(a == b),
        Op::And => a & b,
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::Shl | Op::Shr => {
            let shift = usize::try_from(a).ok().filter(|&shift| shift < 256);
            match (shift, op) {
                (None, _) => U256::ZERO,
                (Some(shift), Op::Shl) => b << shift,
                (Some(shift), _) => b >> shift,
            }
        }
        _ => return None,
    })
}
