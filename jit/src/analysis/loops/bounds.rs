//! What the branch that closes a loop has told by the time the loop's next round begins: that one carried word is
//! below another. A counter that is compared with its bound at the bottom of the loop then counts up at the top
//! without a test.
//!
//! Like the guess of narrow words this is a guess: compiled code proves it on each way in or tests it.

use std::collections::BTreeMap;
use std::ops::Range;

use zvm::bytecode::{Code, Op};

use crate::analysis::Analysis;
use crate::analysis::blocks::{self, BlockId, Instr, Target, Terminator};
use crate::analysis::heights::Height;

/// For heads of the loop: the positions of two words of which the first is below the second there, relative to the
/// loop's header.
pub(super) fn guess(
    code: &Code,
    analysis: &Analysis,
    heights: &BTreeMap<BlockId, i32>,
    positions: &Range<i32>,
) -> BTreeMap<BlockId, (i32, i32)> {
    let mut facts = BTreeMap::new();
    for (&from, &height) in heights {
        let Terminator::JumpI(Target::Block(to), next) = analysis.blocks[from as usize].terminator else {
            continue;
        };
        // Where others lead to the block too, the test would be made again and again.
        if to == next || !heights.contains_key(&to) || analysis.way_in(to) != Some(from) {
            continue;
        }
        let mut words = Words::new(positions.start, height);
        if let Some((less, greater)) = words.run(code, analysis, from)
            && let (Some(low), Some(high)) = (words.position(less), words.position(greater))
            && positions.contains(&low)
            && positions.contains(&high)
        {
            facts.insert(to, (low, high));
        }
    }
    facts
}

/// Positions whose words a block that does nothing but move words drops; none of other blocks.
pub(super) fn dropped(
    code: &Code,
    analysis: &Analysis,
    id: BlockId,
    height: i32,
    positions: &Range<i32>,
) -> Vec<i32> {
    let block = &analysis.blocks[id as usize];
    let Height::Known(_) = analysis.heights[id as usize] else { return Vec::new() };
    let moves = |instr: &Instr| {
        instr.op.is_some_and(|op| {
            matches!(op, Op::JumpDest | Op::Pop | Op::Nop)
                || blocks::dup_depth(op, instr.immediate).is_some()
                || blocks::swap_depth(op, instr.immediate).is_some()
                || blocks::push_value(code, instr, op).is_some()
        })
    };
    if !matches!(block.terminator, Terminator::FallThrough(_))
        || !analysis.instrs[block.instrs.clone()].iter().all(moves)
    {
        return Vec::new();
    }
    let mut words = Words::new(positions.start, height);
    let before = words.stack.clone();
    words.run(code, analysis, id);
    let numbered = (positions.start..).zip(before);
    numbered.filter(|(_, word)| !words.stack.contains(word)).map(|(position, _)| position).collect()
}

/// Number of a word: words of equal number are the same.
type WordId = usize;

/// The stack of a block, its words numbered.
struct Words {
    stack: Vec<WordId>,
    /// Position of the lowest word.
    lowest: i32,
    /// By word: the two that it compares, if it tells whether the first is below the second, and whether it tells the
    /// opposite.
    compared: Vec<Option<(WordId, WordId, bool)>>,
}

impl Words {
    fn new(lowest: i32, height: i32) -> Words {
        let mut words = Words { stack: Vec::new(), lowest, compared: Vec::new() };
        for _ in lowest..height {
            words.push(None);
        }
        words
    }

    fn push(&mut self, compared: Option<(WordId, WordId, bool)>) {
        self.stack.push(self.compared.len());
        self.compared.push(compared);
    }

    /// Word `n`, 1 = top; below what is numbered, one like no other.
    fn word(&mut self, n: usize) -> WordId {
        match self.stack.len().checked_sub(n) {
            Some(index) => self.stack[index],
            None => {
                self.compared.push(None);
                self.compared.len() - 1
            }
        }
    }

    fn position(&self, word: WordId) -> Option<i32> {
        let index = self.stack.iter().position(|&other| other == word)?;
        Some(self.lowest + index as i32)
    }

    /// Runs a block that ends in a `jumpi`; gives the words of which the first is below the second where it is taken.
    /// A block that takes more words than are numbered is left in the middle.
    fn run(&mut self, code: &Code, analysis: &Analysis, id: BlockId) -> Option<(WordId, WordId)> {
        let mut taken = None;
        for instr in &analysis.instrs[analysis.blocks[id as usize].instrs.clone()] {
            let op = instr.op?;
            if let Some(n) = blocks::dup_depth(op, instr.immediate) {
                let word = self.word(n);
                self.stack.push(word);
            } else if let Some(n) = blocks::swap_depth(op, instr.immediate) {
                let top = self.stack.len().checked_sub(1)?;
                self.stack.swap(top.checked_sub(n)?, top);
            } else {
                let (first, second) = (self.word(1), self.word(2));
                let result = match op {
                    Op::Lt => Some((first, second, false)),
                    Op::Gt => Some((second, first, false)),
                    Op::IsZero => self.compared[first].map(|(low, high, not)| (low, high, !not)),
                    _ => None,
                };
                if op == Op::JumpI {
                    taken = self.compared[second];
                }
                let (needs, leaves) = op.stack_effect(instr.immediate);
                let left = self.stack.len().checked_sub(usize::from(needs))?;
                self.stack.truncate(left);
                let is_push = blocks::push_value(code, instr, op).is_some();
                for _ in 0..leaves {
                    self.push(if is_push { None } else { result });
                }
            }
        }
        taken.and_then(|(low, high, not)| (!not).then_some((low, high)))
    }
}
