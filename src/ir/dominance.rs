//! Which block dominates which: the tree of immediate dominators, with constant-time questions.
//!
//! Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm". The verifier and common-subexpression elimination use it.

use super::{BlockId, Function};

/// The dominator tree of a function's reachable blocks.
pub struct Dominance {
    // For each block, its numbers on entering and leaving it in a walk of the tree; `None` for unreachable blocks.
    interval: Vec<Option<(u32, u32)>>,
    order: Vec<BlockId>,
}

impl Dominance {
    /// Computes the tree.
    pub fn of(function: &Function) -> Dominance {
        let rpo = function.reverse_postorder();
        let mut position = vec![usize::MAX; function.blocks.len()];
        for (i, id) in rpo.iter().enumerate() {
            position[id.index()] = i;
        }
        let preds = function.predecessors();
        // Positions in `rpo`; the entry is its own parent.
        let mut parent = vec![usize::MAX; rpo.len()];
        parent[0] = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (i, id) in rpo.iter().enumerate().skip(1) {
                let known = preds[id.index()].iter().map(|p| position[p.index()]);
                let known = known.filter(|&p| p != usize::MAX && parent[p] != usize::MAX);
                let new = known.reduce(|a, b| intersect(&parent, a, b)).expect("a predecessor comes earlier");
                if parent[i] != new {
                    parent[i] = new;
                    changed = true;
                }
            }
        }
        number(function.blocks.len(), &rpo, &parent)
    }

    /// Whether every way to `b` leads through `a`; a block dominates itself. False if either is unreachable.
    pub fn dominates(&self, a: BlockId, b: BlockId) -> bool {
        match (self.interval[a.index()], self.interval[b.index()]) {
            (Some((a_in, a_out)), Some((b_in, b_out))) => a_in <= b_in && b_out <= a_out,
            _ => false,
        }
    }

    /// Whether a block can be reached from the entry.
    pub fn is_reachable(&self, block: BlockId) -> bool {
        self.interval[block.index()].is_some()
    }

    /// The reachable blocks, each after every block that dominates it, subtrees in one piece.
    pub fn preorder(&self) -> &[BlockId] {
        &self.order
    }
}

fn intersect(parent: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        while a > b {
            a = parent[a];
        }
        while b > a {
            b = parent[b];
        }
    }
    a
}

fn number(block_count: usize, rpo: &[BlockId], parent: &[usize]) -> Dominance {
    let mut children = vec![Vec::new(); rpo.len()];
    for (i, &p) in parent.iter().enumerate().skip(1) {
        children[p].push(i);
    }
    let mut dominance = Dominance { interval: vec![None; block_count], order: Vec::with_capacity(rpo.len()) };
    let mut clock = 0;
    let mut stack = vec![(0, false)];
    while let Some((i, done)) = stack.pop() {
        let slot = &mut dominance.interval[rpo[i].index()];
        if done {
            let (entered, _) = slot.expect("entered before it is left");
            *slot = Some((entered, clock));
        } else {
            *slot = Some((clock, 0));
            dominance.order.push(rpo[i]);
            stack.push((i, true));
            stack.extend(children[i].iter().rev().map(|&child| (child, false)));
        }
        clock += 1;
    }
    dominance
}
