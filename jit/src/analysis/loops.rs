//! Inner loops whose stack words can stay in registers from round to round.
//!
//! A block of such a loop is entered from within the loop with some positions of the stack in SSA values and their
//! memory stale; from anywhere else through a stub that loads them. Loops that call the runtime keep memory as the
//! only place, since a call needs it up to date.

mod bounds;
mod narrow;

use std::collections::BTreeMap;
use std::ops::Range;

use zvm::bytecode::Code;

use super::Analysis;
use super::blocks::{BlockId, Target, Terminator};
use super::heights::Height;
use super::regions::Region;
use crate::translate::{Lowering, lowering};

/// Most blocks in a loop that is looked at.
const BLOCKS_MAX: usize = 24;
/// Most words carried; there are 16 registers, and a word needs four.
const WORDS_MAX: i32 = 8;

/// A loop whose words are carried.
#[derive(Clone, Debug)]
pub(crate) struct LoopPlan {
    /// Its blocks, with the stack height at each head, relative to the loop's header.
    pub blocks: BTreeMap<BlockId, i32>,
    /// Positions carried, relative to the height at the header; at a block, those below its height.
    pub positions: Range<i32>,
    /// By position: whether the word is expected to fit one limb.
    pub narrow: Vec<bool>,
    /// By head, where there are such: two positions of which the first word is expected to be below the second.
    pub below: BTreeMap<BlockId, (i32, i32)>,
    /// By head with such words: positions whose words the block drops before anything can look at them, its gas and
    /// the height of the stack being known.
    pub dropped: BTreeMap<BlockId, Vec<i32>>,
}

/// Finds the loops of a region, inner before outer; a block is in one at most.
pub(crate) fn find(code: &Code, analysis: &Analysis, region: &Region) -> Vec<LoopPlan> {
    let predecessors = predecessors(analysis, region);
    let mut headers: BTreeMap<BlockId, Vec<BlockId>> = BTreeMap::new();
    for (&to, from) in &predecessors {
        let tails: Vec<BlockId> = from.iter().copied().filter(|&from| from >= to).collect();
        if !tails.is_empty() {
            headers.insert(to, tails);
        }
    }
    let mut by_span: Vec<(BlockId, Vec<BlockId>)> = headers.into_iter().collect();
    by_span.sort_by_key(|(header, tails)| tails.iter().max().map_or(0, |tail| tail - header));
    let mut plans: Vec<LoopPlan> = Vec::new();
    for (header, tails) in by_span {
        let Some(blocks) = natural_loop(header, &tails, &predecessors) else { continue };
        if blocks.iter().any(|id| plans.iter().any(|plan| plan.blocks.contains_key(id))) {
            continue;
        }
        plans.extend(plan(code, analysis, header, &blocks));
    }
    plans
}

fn predecessors(analysis: &Analysis, region: &Region) -> BTreeMap<BlockId, Vec<BlockId>> {
    let mut predecessors: BTreeMap<BlockId, Vec<BlockId>> = BTreeMap::new();
    for from in region.clone() {
        // A loop that a region's border cuts is none within the region.
        for to in successors(analysis, from).filter(|to| region.contains(to)) {
            predecessors.entry(to).or_default().push(from);
        }
    }
    predecessors
}

fn successors(analysis: &Analysis, id: BlockId) -> impl Iterator<Item = BlockId> {
    let block_of = |target| match target {
        Target::Block(id) => Some(id),
        Target::Invalid | Target::Dynamic => None,
    };
    let (first, second) = match analysis.blocks[id as usize].terminator {
        Terminator::FallThrough(next) | Terminator::Asks(next) => (Some(next), None),
        Terminator::Jump(target) => (block_of(target), None),
        Terminator::JumpI(target, next) => (block_of(target), Some(next)),
        Terminator::End => (None, None),
    };
    first.into_iter().chain(second)
}

/// The blocks that reach a tail without passing the header, which is the loop's first block in code order;
/// `None` for loops that are too large.
///
/// Control may enter at any of them, through the stub that every block has: a compiler that tests at the bottom
/// enters behind the header.
fn natural_loop(
    header: BlockId,
    tails: &[BlockId],
    predecessors: &BTreeMap<BlockId, Vec<BlockId>>,
) -> Option<Vec<BlockId>> {
    let mut blocks = vec![header];
    let mut work = tails.to_vec();
    while let Some(id) = work.pop() {
        if id < header || blocks.contains(&id) {
            continue;
        }
        if blocks.len() == BLOCKS_MAX {
            return None;
        }
        blocks.push(id);
        work.extend(predecessors.get(&id).into_iter().flatten());
    }
    Some(blocks)
}

fn plan(code: &Code, analysis: &Analysis, header: BlockId, blocks: &[BlockId]) -> Option<LoopPlan> {
    let calls_runtime = |id: &BlockId| {
        let block = &analysis.blocks[*id as usize];
        let mut ops = analysis.instrs[block.instrs.clone()].iter();
        ops.any(|instr| instr.op.is_none_or(|op| lowering(op) != Lowering::Native))
    };
    if blocks.iter().any(calls_runtime) {
        return None;
    }
    let mut heights = BTreeMap::from([(header, 0)]);
    let mut work = vec![header];
    while let Some(id) = work.pop() {
        let after = heights[&id] + analysis.blocks[id as usize].delta;
        for to in successors(analysis, id).filter(|to| blocks.contains(to)) {
            match heights.insert(to, after) {
                None => work.push(to),
                Some(before) if before == after => {}
                // Grows or shrinks from round to round.
                Some(_) => return None,
            }
        }
    }
    let need = |id: BlockId| i32::from(analysis.blocks[id as usize].need);
    let lowest = heights.iter().map(|(&id, height)| height - need(id)).min()?;
    let highest = heights.values().copied().max()?;
    let mut positions = lowest.max(highest - WORDS_MAX)..highest;
    if let Height::Known(height) = analysis.heights[header as usize] {
        positions.start = positions.start.max(-i32::from(height));
    }
    if positions.is_empty() {
        return None;
    }
    let narrow = narrow::guess(code, analysis, &heights, &positions);
    let below = bounds::guess(code, analysis, &heights, &positions);
    let drops = |&id: &BlockId| (id, bounds::dropped(code, analysis, id, heights[&id], &positions));
    let dropped = below.keys().map(drops).collect();
    Some(LoopPlan { blocks: heights, positions, narrow, below, dropped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::JitOptions;
    use zvm::Fork;
    use zvm::compiled::frame::Spec;

    fn plans(code: &Code) -> Vec<LoopPlan> {
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        let analysis = Analysis::new(code, &spec, &JitOptions::checked());
        find(code, &analysis, &analysis.regions[0])
    }

    #[test]
    fn fibonacci_keeps_a_counter_and_two_sums() {
        let body = [
            0x5f, 0x35, 0x5f, 0x60, 0x01, 0x5b, 0x82, 0x15, 0x60, 0x1a, 0x57, 0x81, 0x81, 0x01, 0x91, 0x50,
            0x90, 0x91, 0x60, 0x01, 0x90, 0x03, 0x91, 0x60, 0x05, 0x56, 0x5b,
        ];
        let plans = plans(&Code::evm(body.to_vec()));
        assert_eq!(plans.len(), 1);
        assert_eq!(plans[0].positions, -3..0);
        assert_eq!(plans[0].narrow, [true, false, false]);
        assert_eq!(plans[0].blocks, BTreeMap::from([(1, 0), (2, 0)]));
    }

    #[test]
    fn a_loop_that_is_entered_behind_its_header_is_one() {
        // push0; push1 2; push2 L; jump; H: jumpdest; swap1; pop; L: jumpdest; push1 1; dup2; sub; dup1; push2 H;
        // jumpi. The height at H is one more than at L.
        let body = [
            0x5f, 0x60, 2, 0x61, 0, 10, 0x56, 0x5b, 0x90, 0x50, 0x5b, 0x60, 1, 0x81, 0x03, 0x80, 0x61, 0, 7,
            0x57,
        ];
        let plans = plans(&Code::evm(body.to_vec()));
        assert_eq!(plans.len(), 1);
        assert_eq!(plans[0].blocks, BTreeMap::from([(1, 0), (2, -1)]));
    }

    #[test]
    fn a_counter_tested_at_the_bottom_is_below_its_bound_at_the_top() {
        // push1 100; push0; push2 L; jump; H: jumpdest; L: jumpdest; push1 1; add; dup2; dup2; lt; push2 H; jumpi
        let body = [
            0x60, 100, 0x5f, 0x61, 0, 8, 0x56, 0x5b, 0x5b, 0x60, 1, 0x01, 0x81, 0x81, 0x10, 0x61, 0, 7, 0x57,
        ];
        let plans = plans(&Code::evm(body.to_vec()));
        assert_eq!(plans.len(), 1);
        assert_eq!((plans[0].blocks.len(), plans[0].positions.clone()), (2, -2..0));
        assert_eq!(plans[0].below, BTreeMap::from([(1, (-1, -2))]));
    }

    #[test]
    fn loops_that_call_the_runtime_or_grow_the_stack_are_left_alone() {
        // jumpdest; (push0; sload; pop | push0); callvalue; push0; jumpi
        assert!(plans(&Code::evm(vec![0x5b, 0x5f, 0x54, 0x50, 0x34, 0x5f, 0x57])).is_empty());
        assert!(plans(&Code::evm(vec![0x5b, 0x5f, 0x60, 1, 0x5f, 0x57])).is_empty());
    }
}
