//! Regions: consecutive blocks that become one native function.
//!
//! Compile time grows faster than linearly with a function's size, so code is cut; a cut is made where the fewest
//! loops cross it, because crossing costs a return to the driver.

use std::ops::Range;

use super::blocks::{Block, BlockId, Target, Terminator};

/// A consecutive range of blocks.
pub(crate) type Region = Range<BlockId>;

/// Cuts the blocks into regions of at most `blocks_max` blocks and `ops_max` instructions, except that blocks which
/// only a fall-through enters stay with their predecessor.
pub(crate) fn cut(blocks: &[Block], blocks_max: usize, ops_max: usize) -> Vec<Region> {
    let crossings = loop_crossings(blocks);
    let mut regions = Vec::new();
    let mut start = 0;
    while start < blocks.len() {
        let end = best_cut(blocks, &crossings, start, window(blocks, start, blocks_max, ops_max));
        regions.push(start as BlockId..end as BlockId);
        start = end;
    }
    regions
}

/// Where a region that begins at `start` has to end at the latest.
fn window(blocks: &[Block], start: usize, blocks_max: usize, ops_max: usize) -> usize {
    let mut ops = 0;
    let fitting = blocks[start..].iter().take(blocks_max).take_while(|block| {
        ops += block.instrs.len();
        ops <= ops_max
    });
    start + fitting.count().max(1)
}

/// The cut in the last three quarters of the window that the fewest loops cross, the latest of equals.
fn best_cut(blocks: &[Block], crossings: &[i32], start: usize, latest: usize) -> usize {
    if latest == blocks.len() {
        return latest;
    }
    let allowed = |cut: &usize| !blocks[*cut].follows_jumpi;
    let earliest = start + ((latest - start) / 4).max(1);
    match (earliest..=latest).filter(allowed).min_by_key(|&cut| (crossings[cut], usize::MAX - cut)) {
        Some(cut) => cut,
        // A chain of conditional jumps longer than the window: go on to its end.
        None => (latest..blocks.len()).find(allowed).unwrap_or(blocks.len()),
    }
}

/// For each position, the number of backward jumps that cross it.
fn loop_crossings(blocks: &[Block]) -> Vec<i32> {
    let mut steps = vec![0; blocks.len() + 1];
    for (id, block) in blocks.iter().enumerate() {
        let (Terminator::Jump(Target::Block(to)) | Terminator::JumpI(Target::Block(to), _)) =
            block.terminator
        else {
            continue;
        };
        if to as usize <= id {
            // Cuts before `to + 1` up to before `id` would separate the loop.
            steps[to as usize + 1] += 1;
            steps[id + 1] -= 1;
        }
    }
    let mut sum = 0;
    steps
        .iter()
        .map(|step| {
            sum += step;
            sum
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::blocks;
    use zvm::Fork;
    use zvm::bytecode::Code;
    use zvm::compiled::frame::Spec;

    fn regions(bytes: &[u8], blocks_max: usize, ops_max: usize) -> Vec<Region> {
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        cut(&blocks::find(&Code::evm(bytes.to_vec()), &spec, 256).0, blocks_max, ops_max)
    }

    /// A dynamic jump makes each JUMPDEST a block.
    const DYNAMIC: [u8; 2] = [0x34, 0x56];

    #[test]
    fn regions_cover_all_blocks_and_keep_their_bounds() {
        let bytes = [&[0x5b; 100][..], &DYNAMIC].concat();
        for (blocks_max, ops_max) in [(1, 1000), (7, 1000), (64, 1000), (64, 10), (1000, 1000)] {
            let regions = regions(&bytes, blocks_max, ops_max);
            assert_eq!((regions[0].start, regions[regions.len() - 1].end), (0, 100));
            assert!(regions.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(regions.iter().all(|region| region.len() <= blocks_max.min(ops_max)));
        }
    }

    #[test]
    fn a_loop_stays_whole_where_it_fits() {
        // Five blocks; a loop of four; blocks to the end.
        let mut bytes = vec![0x5b; 9];
        bytes.extend([0x60, 5, 0x56]);
        bytes.extend([0x5b; 6]);
        bytes.extend(DYNAMIC);
        let regions = regions(&bytes, 6, 1000);
        let of = |id: u32| regions.iter().position(|region| region.contains(&id));
        assert_eq!(of(5), of(8), "{regions:?}");
    }

    #[test]
    fn a_chain_is_never_cut() {
        let bytes = [0x34, 0x60, 0, 0x57].repeat(15);
        assert_eq!(regions(&bytes, 4, 1000).len(), 1);
        // Only where it is so long that its blocks begin a new one.
        let bytes = [0x34, 0x60, 0, 0x57].repeat(50);
        assert_eq!(regions(&bytes, 4, 1000), [0..16, 16..32, 32..48, 48..51]);
    }
}
