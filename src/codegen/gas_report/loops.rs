//! Loops in the graph of states, and what one iteration of them costs.
//!
//! A loop is a strongly connected part of the graph; the loops inside it are those of what remains without the ways back
//! to its head. One iteration is walked from the head on with counts followed, so that an inner loop of known length is
//! walked to its end, or its rounds are counted ([`rounds`](super::rounds)).

use std::collections::{BTreeSet, HashMap};

use alloy_primitives::U256;

use super::walk::{Precision, Program, State};
use super::{COARSE_STATES_MAX, Graph, PRECISE_STATES_MAX};

/// A loop in the graph.
pub(super) struct Loop {
    /// The state that all entries from outside lead to.
    pub(super) head: usize,
    /// Its states, those of loops inside it included.
    pub(super) members: Vec<usize>,
    /// Its states outside of the loops inside it.
    pub(super) own: Vec<usize>,
    /// The loop around it, by its place among the loops.
    pub(super) outer: Option<usize>,
}

impl Graph {
    /// All loops, outer ones before those inside them.
    pub(super) fn loops(&self) -> Vec<Loop> {
        let mut found: Vec<Loop> = Vec::new();
        let mut sources: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (from, node) in self.nodes.iter().enumerate() {
            node.successors.iter().for_each(|&to| sources[to].push(from));
        }
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        // Some states, the head whose ways back do not count, and the loop that they are.
        let mut work: Vec<(Vec<usize>, Option<usize>, Option<usize>)> = vec![(all, None, None)];
        while let Some((members, head, outer)) = work.pop() {
            for part in self.components(&members, head) {
                let inside: BTreeSet<usize> = part.iter().copied().collect();
                let is_entry = |&at: &usize| sources[at].iter().any(|from| !inside.contains(from));
                let head = part.iter().copied().find(is_entry).unwrap_or(part[0]);
                if let Some(outer) = outer {
                    found[outer].own.retain(|at| !inside.contains(at));
                }
                let own = part.clone();
                work.push((part.clone(), Some(head), Some(found.len())));
                found.push(Loop { head, members: part, own, outer });
            }
        }
        found
    }

    /// The strongly connected parts of `members` that hold a circle, without the edges to `head`.
    fn components(&self, members: &[usize], head: Option<usize>) -> Vec<Vec<usize>> {
        let places: HashMap<usize, usize> =
            members.iter().enumerate().map(|(place, &at)| (at, place)).collect();
        let follow = |place: usize| {
            let ways = self.nodes[members[place]].successors.iter();
            ways.filter(|&&to| Some(to) != head).filter_map(|to| places.get(to).copied())
        };
        // Kosaraju: the order in which a walk leaves the states, then walks against the edges.
        let mut against: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
        for from in 0..members.len() {
            follow(from).for_each(|to| against[to].push(from));
        }
        let mut left = Vec::with_capacity(members.len());
        let mut seen = vec![false; members.len()];
        for start in 0..members.len() {
            let mut work = vec![(start, false)];
            while let Some((at, is_done)) = work.pop() {
                if is_done {
                    left.push(at);
                } else if !std::mem::replace(&mut seen[at], true) {
                    work.push((at, true));
                    work.extend(follow(at).filter(|&to| !seen[to]).map(|to| (to, false)));
                }
            }
        }
        let mut parts = Vec::new();
        let mut taken = vec![false; members.len()];
        for &start in left.iter().rev() {
            let (mut part, mut work) = (Vec::new(), vec![start]);
            while let Some(at) = work.pop() {
                if !std::mem::replace(&mut taken[at], true) {
                    part.push(at);
                    work.extend(&against[at]);
                }
            }
            let is_circle = part.len() > 1 || part.iter().any(|&at| follow(at).any(|to| to == at));
            if is_circle {
                part.sort_unstable();
                parts.push(part.into_iter().map(|place| members[place]).collect());
            }
        }
        parts
    }

    /// The most that one iteration of a loop costs; `None` without a bound. A way out of the loop is followed as long as
    /// `is_inside` says that the block at an offset stands in the loop's text, up to another loop or a round of one around.
    ///
    /// Growth of memory at places that are not known is not part of it, and neither is what an external call costs.
    pub(super) fn iteration(
        &self,
        program: &Program<'_>,
        selector: U256,
        (loops, place): (&[Loop], usize),
        is_inside: &dyn Fn(u32) -> bool,
    ) -> Option<u64> {
        let offsets =
            |looped: &Loop| looped.members.iter().map(|&at| self.starts[at].0).collect::<BTreeSet<_>>();
        let members = offsets(&loops[place]);
        let around: Vec<usize> =
            std::iter::successors(loops[place].outer, |&outer| loops[outer].outer).collect();
        let mut ends: BTreeSet<u32> = around.iter().map(|&outer| self.starts[loops[outer].head].0).collect();
        let others = (0..loops.len()).filter(|other| !around.contains(other));
        others.for_each(|other| ends.extend(offsets(&loops[other])));
        let start = self.starts[loops[place].head].clone();
        let (head, height) = (start.0, start.1.len());
        // Who has left the loop does not come back to it in this round.
        let goes_on = |from: u32, (offset, stack): &State| match members.contains(offset) {
            true => members.contains(&from) && (*offset != head || stack.len() != height),
            false => !ends.contains(offset) && is_inside(*offset),
        };
        let explore = |precision, most| {
            Graph::explore_from(program, selector, precision, most, start.clone(), &goes_on)
        };
        let mut graph = explore(Precision::Precise, PRECISE_STATES_MAX);
        if !graph.is_complete {
            graph = explore(Precision::Coarse, COARSE_STATES_MAX);
        }
        if !graph.is_complete || graph.nodes.iter().any(|node| node.open_at.is_some()) {
            return None;
        }
        let order = graph.topological_order().or_else(|| {
            graph = Graph::with_rounds_counted(program, selector, &start, &goes_on)?;
            graph.topological_order()
        })?;
        Some(graph.dearest(&order).0)
    }
}
