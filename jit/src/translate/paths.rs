//! Paths: which blocks are translated in one go, on one virtual stack.
//!
//! A path begins at a head, where the stack is in memory. It goes on in the blocks that only a `jumpi` falls into,
//! and, as far as the budget allows, in copies of the blocks behind a jump: a small function that a contract calls
//! then works on words in registers, and its way back is a jump to a constant that lies on the virtual stack.
//! A copy is as right as the block itself, since it starts from the same words; it only costs code, so copies are
//! bounded by path, by head and by region.

use cranelift_codegen::ir::Value;

use super::known::Known;
use super::vstack::VStack;
use super::words::Word;
use super::{Translator, is_excluded, is_head};
use crate::analysis::blocks::{BlockId, Target, Terminator};
use crate::analysis::heights::Height;
use crate::analysis::regions::Region;

/// Most copies of one block on one path.
const SAME_BLOCK_MAX: usize = 4;

/// Instructions of copies that a region may hold beside as many as it has itself.
const REGION_OPS_EXTRA: usize = 128;

/// What a branch may not change for its other side.
pub(super) struct Saved {
    stack: VStack,
    memory_known: u64,
    known: Known,
    bounds: Bounds,
    gas_ahead: u64,
    gas_owed: u64,
    ops: usize,
    blocks: usize,
}

/// What checks on the path have shown of the height at its head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    /// At least so many words.
    pub lowest: i32,
    /// Room for at least so many words more.
    pub room: i32,
}

/// The path under translation, what copies have cost, and which heads are in demand.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// Blocks from the head on.
    blocks: Vec<BlockId>,
    /// Instructions in copies on the path.
    ops: usize,
    /// Instructions in copies in this region.
    ops_of_region: usize,
    /// Most of them.
    ops_of_region_max: usize,
    /// By block of the region: whether something jumps there, or leaves its offset in memory.
    in_demand: Vec<bool>,
}

impl Path {
    pub(super) fn new(region_ops: usize, region_blocks: usize) -> Path {
        Path {
            ops_of_region_max: region_ops + REGION_OPS_EXTRA,
            in_demand: vec![false; region_blocks],
            ..Path::default()
        }
    }

    /// The block under translation.
    pub(super) fn last(&self) -> Option<BlockId> {
        self.blocks.last().copied()
    }
}

impl Translator<'_> {
    /// Translates all heads of the region, each with the paths that start there.
    ///
    /// A block with one way in is part of the path that comes that way, so it is no start of its own unless that
    /// path ended before it. Who enters there all the same, such as a run that changes tiers, is interpreted up to
    /// the next head.
    pub(super) fn heads(&mut self) {
        let region: Region = self.region.clone();
        let heads = region.filter(|&id| is_head(self.analysis, id));
        let (mut waiting, first): (Vec<BlockId>, Vec<BlockId>) =
            heads.partition(|&id| self.may_be_absorbed(id));
        for id in first {
            self.grow_from(id);
        }
        loop {
            let (demanded, rest): (Vec<BlockId>, Vec<BlockId>) =
                waiting.into_iter().partition(|&id| self.path.in_demand[(id - self.region.start) as usize]);
            waiting = rest;
            if demanded.is_empty() {
                break;
            }
            for id in demanded {
                self.grow_from(id);
            }
        }
        for id in waiting {
            self.begin_chain(id);
            self.exit_interpret(self.analysis.blocks[id as usize].pc);
        }
    }

    /// Whether a head may do without a translation of its own.
    fn may_be_absorbed(&self, id: BlockId) -> bool {
        let way = self.analysis.way_in(id);
        self.options.copied_ops_max > 0
            && way.is_some_and(|from| self.region.contains(&from))
            && !self.is_in_loop(id)
    }

    /// Notes that a block is jumped to.
    pub(super) fn demand(&mut self, id: BlockId) {
        if self.region.contains(&id) {
            self.path.in_demand[(id - self.region.start) as usize] = true;
        }
    }

    /// Notes that a word is left in memory, where a jump may find it.
    pub(super) fn demand_word(&mut self, word: Word) {
        let offset = word.constant().and_then(|word| usize::try_from(word).ok());
        if let Some(id) = offset.and_then(|offset| self.analysis.block_at(offset)) {
            self.demand(id);
        }
    }

    /// Translates a head, once for each version of the loop it is in.
    fn grow_from(&mut self, id: BlockId) {
        self.begin_chain(id);
        let versions = self.enter_loop(id);
        if versions.is_empty() {
            self.begin_path();
            self.follow(id);
            return;
        }
        for version in versions {
            self.begin_carried(id, version);
            self.begin_path();
            self.gas_ahead = self.gas_at_head(version, id);
            self.follow(id);
        }
        self.in_loop = None;
    }

    fn begin_path(&mut self) {
        self.path.blocks.clear();
        self.path.ops = 0;
        self.bounds = Bounds::default();
        (self.gas_ahead, self.gas_owed) = (0, 0);
    }

    /// Translates a block and what follows on its path; the builder stands at the block's start.
    pub(super) fn follow(&mut self, first: BlockId) {
        let mut next = Some(first);
        while let Some(id) = next {
            self.path.blocks.push(id);
            next = self.block(id);
        }
    }

    /// Goes on in a block: on the same path, which is for the caller to do then, or by a jump.
    pub(super) fn go_on(&mut self, id: BlockId) -> Option<BlockId> {
        if !is_head(self.analysis, id) {
            return Some(id);
        }
        if self.takes_copy(id) {
            return Some(id);
        }
        self.go_to(id);
        None
    }

    /// Whether a jump to the target is to be followed by a copy of it; counts the copy.
    fn takes_copy(&mut self, id: BlockId) -> bool {
        let analysis = self.analysis;
        if analysis.is_cold(id) || is_excluded(analysis, self.options, id) {
            return false;
        }
        if self.in_loop.is_some() || self.is_in_loop(id) {
            if !self.rounds_on(id) {
                return false;
            }
        } else {
            let is_own = self.region.contains(&id) && analysis.way_in(id).is_some();
            if !is_own && !analysis.is_leaf(id) {
                return false;
            }
        }
        let ops = analysis.path_ops(id);
        let path = &self.path;
        let fits = path.ops + ops <= self.options.copied_ops_max
            && path.ops_of_region + ops <= path.ops_of_region_max;
        if !fits {
            return false;
        }
        // A second time only within a call, whose way back lies on the virtual stack; else it is a loop.
        let times = path.blocks.iter().filter(|&&block| block == id).count();
        if times > 0 && (times >= SAME_BLOCK_MAX || !self.holds_return()) {
            return false;
        }
        self.path.ops += ops;
        self.path.ops_of_region += ops;
        true
    }

    /// Whether the round of a loop goes on in a copy of that head: where it began at a head with a fact that the
    /// others do not have, so that the fact holds for all of it.
    fn rounds_on(&self, id: BlockId) -> bool {
        self.in_loop.is_some_and(|place| {
            self.is_round()
                && self.is_in_this_loop(place, id)
                && self.fact_at(place, id).is_none()
                && !self.path.blocks.contains(&id)
        })
    }

    /// Whether the path is a round of a loop that began at a head with a fact.
    pub(super) fn is_round(&self) -> bool {
        let place = self.in_loop.zip(self.path.blocks.first());
        place.is_some_and(|(place, &first)| self.fact_at(place, first).is_some())
    }

    /// Gas of the blocks that follow from a block on, itself included, up to the next branch that leaves the loop or to
    /// where the next round begins, and what has to be known to be there then.
    pub(super) fn gas_of_round(&self, id: BlockId) -> u64 {
        let Some(place) = self.in_loop else { return 0 };
        let (mut gas, mut seen) = (0, vec![id]);
        loop {
            let block = &self.analysis.blocks[seen[seen.len() - 1] as usize];
            gas += block.gas;
            let at_head = |to| if self.is_in_this_loop(place, to) { self.gas_at_head(place, to) } else { 0 };
            gas += match block.terminator {
                Terminator::Jump(Target::Block(to)) => at_head(to),
                // The last block of the path is paid for with the round, so that what it drops is not kept for a way
                // out at its head.
                Terminator::JumpI(Target::Block(to), next)
                    if self.is_round()
                        && !is_head(self.analysis, next)
                        && !self.is_in_this_loop(place, next) =>
                {
                    at_head(to).max(self.analysis.blocks[next as usize].gas)
                }
                Terminator::JumpI(Target::Block(to), _) => at_head(to),
                _ => 0,
            };
            let next = match block.terminator {
                Terminator::FallThrough(next)
                | Terminator::JumpI(_, next)
                | Terminator::Jump(Target::Block(next)) => next,
                Terminator::Jump(_) | Terminator::Asks(_) | Terminator::End => return gas,
            };
            let goes_on = !is_head(self.analysis, next) || self.rounds_on(next);
            if !goes_on || !self.is_in_this_loop(place, next) || seen.contains(&next) {
                return gas;
            }
            seen.push(next);
        }
    }

    /// Whether the path has pushed a jump target that is still on the stack.
    fn holds_return(&self) -> bool {
        self.stack.pushed_constants().any(|value| {
            usize::try_from(value).is_ok_and(|offset| offset > 0 && self.code.is_jump_target(offset))
        })
    }

    /// Translates a side branch: a jump to `target` where `condition` holds, followed where that pays. The path is then
    /// as it was.
    pub(super) fn side(&mut self, target: BlockId, condition: Value) {
        let saved = self.save();
        self.known.learn(self.b.func, condition, true);
        if let Some(id) = self.go_on(target) {
            self.follow(id);
        }
        self.restore(saved);
    }

    fn save(&self) -> Saved {
        Saved {
            stack: self.stack.clone(),
            memory_known: self.memory_known,
            known: self.known.clone(),
            bounds: self.bounds,
            gas_ahead: self.gas_ahead,
            gas_owed: self.gas_owed,
            ops: self.path.ops,
            blocks: self.path.blocks.len(),
        }
    }

    fn restore(&mut self, saved: Saved) {
        self.stack = saved.stack;
        self.memory_known = saved.memory_known;
        self.known = saved.known;
        self.bounds = saved.bounds;
        self.gas_ahead = saved.gas_ahead;
        self.gas_owed = saved.gas_owed;
        self.path.ops = saved.ops;
        self.path.blocks.truncate(saved.blocks);
    }

    /// The height of the stack now.
    pub(super) fn height_here(&self) -> Height {
        match self.head_height {
            Height::Known(at_head) => {
                let height = i32::from(at_head) + self.stack.height();
                u16::try_from(height).map_or(Height::Unknown, Height::Known)
            }
            Height::Unknown | Height::Unreached => Height::Unknown,
        }
    }
}
