//! What is known about code before it is translated: blocks, gas, stack heights, regions.
//!
//! Everything here is linear or n log n in the size of the code, and any bytes have an analysis. Translation itself
//! is in [`translate`](crate::translate).

pub(crate) mod blocks;
pub(crate) mod gas;
pub(crate) mod heights;
pub(crate) mod loops;
pub(crate) mod regions;

use zvm::bytecode::Code;
use zvm::compiled::frame::Spec;

use crate::options::JitOptions;
use blocks::{Block, BlockId, Instr};
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
        Analysis { blocks, instrs, heights, block_at, regions }
    }

    /// The block that starts at that body offset.
    pub(crate) fn block_at(&self, pc: usize) -> Option<BlockId> {
        self.block_at.get(pc).copied().filter(|&id| id != blocks::NO_BLOCK)
    }
}
