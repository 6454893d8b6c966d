//! What is known about code before it is translated: blocks, gas, stack heights, regions.
//!
//! Everything here is linear or n log n in the size of the code, and any bytes have an analysis. Translation itself
//! is in [`translate`](crate::translate).

pub(crate) mod blocks;
pub(crate) mod gas;
pub(crate) mod heights;
pub(crate) mod loops;
pub(crate) mod regions;

use zvm::bytecode::{Code, Op};
use zvm::compiled::frame::Spec;

use crate::options::JitOptions;
use blocks::{Block, BlockId, Instr, Target, Terminator};
use heights::Height;
use regions::Region;

/// The analysis of one code for one spec.
pub(crate) struct Analysis {
    /// Blocks in the order of their offsets; dead code has none.
    pub blocks: Vec<Block>,
    /// Instructions of all blocks; a block holds a range of them.
    pub instrs: Vec<Instr>,
    /// Stack height at the head of each block.
    pub heights: Vec<Height>,
    /// Block at each body offset, [`blocks::NO_BLOCK`] where none starts.
    pub block_at: Vec<u32>,
    /// Consecutive ranges of blocks.
    pub regions: Vec<Region>,
    /// By block: instructions up to where the next head begins.
    path_ops: Vec<u32>,
    /// By block: whether it leads to nothing but a failure.
    cold: Vec<bool>,
}

impl Analysis {
    /// Analyzes `code`.
    pub(crate) fn new(code: &Code, spec: &Spec, options: &JitOptions) -> Analysis {
        let (blocks, instrs) = blocks::find(code, spec, options.block_ops_max);
        let mut block_at = vec![blocks::NO_BLOCK; code.body().len() + 1];
        for (id, block) in blocks.iter().enumerate() {
            // A block past the end (after a cut-off immediate) is the same empty `halt` as one at the end.
            if let Some(slot) = block_at.get_mut(block.pc as usize) {
                *slot = id as u32;
            }
        }
        let heights = heights::solve(&blocks);
        let regions = regions::cut(&blocks, options.region_blocks_max, options.region_ops_max);
        let path_ops = path_ops(&blocks);
        let cold = cold(&blocks, &instrs);
        Analysis { blocks, instrs, heights, block_at, regions, path_ops, cold }
    }

    /// Instructions of the block and of those that only fall-throughs enter behind it.
    pub(crate) fn path_ops(&self, id: BlockId) -> usize {
        self.path_ops[id as usize] as usize
    }

    /// Whether the block fails without a look at the words that are on the stack at its head.
    pub(crate) fn ignores_stack(&self, id: BlockId) -> bool {
        let block = &self.blocks[id as usize];
        self.is_cold(id) && block.terminator == Terminator::End && block.need == 0
    }

    /// Whether the block leads to nothing but a failure.
    pub(crate) fn is_cold(&self, id: BlockId) -> bool {
        self.cold[id as usize]
    }

    /// The block that starts at that body offset.
    pub(crate) fn block_at(&self, pc: usize) -> Option<BlockId> {
        self.block_at.get(pc).copied().filter(|&id| id != blocks::NO_BLOCK)
    }
}

fn path_ops(blocks: &[Block]) -> Vec<u32> {
    let mut sums = vec![0; blocks.len()];
    let mut behind = 0;
    for (id, block) in blocks.iter().enumerate().rev() {
        let ops = block.instrs.len() as u32;
        sums[id] = ops + if blocks.get(id + 1).is_some_and(|next| next.follows_jumpi) { behind } else { 0 };
        behind = sums[id];
    }
    sums
}

fn cold(blocks: &[Block], instrs: &[Instr]) -> Vec<bool> {
    let mut cold = vec![false; blocks.len()];
    // Twice, so that a short way back to a shared failure is seen too.
    for _ in 0..2 {
        for (id, block) in blocks.iter().enumerate().rev() {
            cold[id] = match block.terminator {
                Terminator::FallThrough(next) => cold[next as usize],
                Terminator::Jump(Target::Block(to)) => cold[to as usize],
                Terminator::Jump(Target::Invalid) => true,
                Terminator::Jump(Target::Dynamic) | Terminator::JumpI(..) | Terminator::Asks(_) => false,
                Terminator::End => match instrs[block.instrs.clone()].last().map(|instr| instr.op) {
                    Some(Some(op)) => matches!(op, Op::Revert | Op::Invalid | Op::Panic),
                    Some(None) => true,
                    None => false,
                },
            };
        }
    }
    cold
}
