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
use zvm::profile::BlockLayout;

use crate::options::JitOptions;
use blocks::{Block, BlockId, Instr, Target, Terminator};
use heights::Height;
use regions::Region;

/// Most instructions of a function that is copied to where it is called.
const LEAF_OPS_MAX: usize = 64;

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
    /// By block: where the only way in comes from.
    way_in: Vec<Option<BlockId>>,
    /// Whether instructions are marked with the operation they come from.
    pub marks_places: bool,
    /// The blocks to count, where that is asked for.
    pub profiled: Option<BlockLayout>,
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
        let way_in = way_in(code, &blocks, &instrs, &block_at);
        let profiled = options.profile.then(|| BlockLayout::new(code));
        Analysis {
            blocks,
            instrs,
            heights,
            block_at,
            regions,
            path_ops,
            cold,
            way_in,
            marks_places: false,
            profiled,
        }
    }

    /// The only block that pushes the block's offset or falls into it, if it is only one and does so once: whoever
    /// follows it needs no other translation of the block. Blocks that computed jumps alone reach have none.
    pub(crate) fn way_in(&self, id: BlockId) -> Option<BlockId> {
        self.way_in[id as usize]
    }

    /// Whether the block begins a small function that calls no other: its fall-throughs end in a jump to an offset
    /// that it did not push itself.
    pub(crate) fn is_leaf(&self, id: BlockId) -> bool {
        if self.path_ops(id) > LEAF_OPS_MAX {
            return false;
        }
        let mut id = id as usize;
        loop {
            match self.blocks[id].terminator {
                // A side that is part of this path alone would be missed where the copy is in another region.
                Terminator::JumpI(Target::Block(side), next)
                    if self.blocks[next as usize].follows_jumpi && self.way_in(side).is_none() =>
                {
                    id = next as usize;
                }
                Terminator::Jump(Target::Dynamic) => return true,
                _ => return false,
            }
        }
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

    /// Bytes held.
    pub(crate) fn size_bytes(&self) -> usize {
        size_of_val(&self.blocks[..])
            + size_of_val(&self.instrs[..])
            + size_of_val(&self.heights[..])
            + size_of_val(&self.block_at[..])
            + size_of_val(&self.regions[..])
            + size_of_val(&self.path_ops[..])
            + size_of_val(&self.cold[..])
            + size_of_val(&self.way_in[..])
    }

    /// The block that starts at that body offset.
    pub(crate) fn block_at(&self, pc: usize) -> Option<BlockId> {
        self.block_at.get(pc).copied().filter(|&id| id != blocks::NO_BLOCK)
    }
}

/// The only way into each block that has one: by its offset, which an instruction pushes, or a fall-through.
fn way_in(code: &Code, blocks: &[Block], instrs: &[Instr], block_at: &[u32]) -> Vec<Option<BlockId>> {
    // Who computes jump targets may mean any.
    if blocks.iter().any(|block| block.computes_target) {
        return vec![None; blocks.len()];
    }
    let mut ways = vec![(0u32, 0); blocks.len()];
    let mut note = |id: BlockId, from: BlockId| {
        let (number, way) = &mut ways[id as usize];
        *number += 1;
        *way = from;
    };
    for (from, block) in blocks.iter().enumerate() {
        let from = from as BlockId;
        match block.terminator {
            Terminator::FallThrough(next) | Terminator::JumpI(_, next) => note(next, from),
            Terminator::Asks(next) => {
                // The driver comes back that way, from outside.
                note(next, from);
                note(next, from);
            }
            Terminator::Jump(_) | Terminator::End => {}
        }
        for instr in &instrs[block.instrs.clone()] {
            let pushed = instr.op.and_then(|op| blocks::push_value(code, instr, op));
            let offset = pushed.and_then(|word| usize::try_from(word).ok());
            let target = offset.and_then(|offset| block_at.get(offset).copied());
            if let Some(id) = target.filter(|&id| id != blocks::NO_BLOCK) {
                note(id, from);
            }
        }
    }
    // A frame starts in the first block.
    ways.iter().enumerate().map(|(id, &(number, way))| (number == 1 && id > 0).then_some(way)).collect()
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
