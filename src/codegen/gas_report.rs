//! Static gas of an entry point, computed from the finished bytes and `zvm::gas` alone.
//!
//! The code is executed abstractly from offset 0 with the entry point's selector: a word on the stack is known or not, a
//! branch on a known word goes one way, any other goes both. Return addresses are known words, so internal calls need no
//! special case, and a loop that counts with constants is simply walked. Where that takes too many states, counters are
//! followed as such ([`counters`], [`rounds`]). A state that comes back to itself otherwise is a loop without a bound. What remains is a graph of blocks with exact static costs:
//! - `bound` is the dearest path, with cold slots, stores from zero to non-zero, and full exponents;
//! - `min` is the cheapest path that ends successfully, with warm slots and stores that change nothing;
//! - `terms` counts the operations whose cost the state decides, on the path with most of each;
//! - `exact` says that every path costs the same and has the same terms.
//!
//! Neither the transaction's intrinsic gas nor refunds are part of it. There is not one cost constant here.

mod counters;
pub mod limits;
mod loops;
pub mod path;
mod rounds;
mod walk;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::hash::BuildHasher;

use alloy_primitives::U256;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde_json::{Value, json};
use zvm::bytecode::instructions;
use zvm::gas::memory_cost;

use super::Assembly;

use path::CodeCosts;
use walk::{End, Node, Precision, Program, State, walk};

/// States explored for one entry point with known words followed through arithmetic.
const PRECISE_STATES_MAX: usize = 2_000;
/// States explored without; after that many nothing is said but the terms.
const COARSE_STATES_MAX: usize = 20_000;

/// The gas of one entry point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasEstimate {
    /// No execution costs more; `None` if a loop, a data length or an external call leaves it open.
    pub bound: Option<u64>,
    /// The same without what external calls cost, where such calls are all that leaves the bound open.
    pub bound_excluding_calls: Option<u64>,
    /// No successful execution costs less.
    pub min: u64,
    /// Whether all paths have one static cost and the same terms.
    pub exact: bool,
    /// Operations with a cost that depends on state or data: the most of each on one path, `None` without limit.
    pub terms: Vec<(&'static str, Option<u64>)>,
}

impl GasEstimate {
    /// The member `gas` of a function in the KALIX ABI.
    pub fn to_json(&self) -> Value {
        let terms = self.terms.iter().map(|(op, count)| json!({ "op": op.to_uppercase(), "count": count }));
        let mut value = json!({ "bound": self.bound, "min": self.min, "exact": self.exact });
        if let (None, Some(bound)) = (self.bound, self.bound_excluding_calls) {
            value["bound_excluding_calls"] = json!(bound);
        }
        value["terms"] = terms.collect();
        value
    }
}

/// Run-time code, decoded once for the estimates of all its entry points.
pub struct Estimator<'c> {
    program: Program<'c>,
    assembly: &'c Assembly,
}

impl<'c> Estimator<'c> {
    /// Decodes the code.
    pub fn new(assembly: &'c Assembly) -> Estimator<'c> {
        let code = &assembly.bytes[..assembly.code_size];
        let instructions =
            instructions(code, assembly.target.encoding()).map(|i| (i.offset as u32, i)).collect();
        let immutables = assembly.immutables.iter().map(|site| site.offset - 1).collect();
        Estimator { program: Program { instructions, immutables }, assembly }
    }

    /// What the blocks of the code cost, for following one execution of it.
    pub fn costs(&self) -> CodeCosts {
        let assembly = self.assembly;
        CodeCosts::new(&assembly.bytes[..assembly.code_size], assembly.target.encoding())
    }

    /// Estimates a call with this selector.
    pub fn estimate(&self, selector: [u8; 4]) -> GasEstimate {
        let selector = U256::from(u32::from_be_bytes(selector));
        // A loop that counts but ends for a reason unknown here has a state for each count: then counts are not followed.
        let mut graph = Graph::explore(&self.program, selector, Precision::Precise, PRECISE_STATES_MAX);
        if !graph.is_complete {
            graph = Graph::explore(&self.program, selector, Precision::Coarse, COARSE_STATES_MAX);
        }
        self.summarize(&graph, selector)
    }

    /// What the graph of a selector says, with the loops that count through [`rounds`].
    fn summarize(&self, graph: &Graph, selector: U256) -> GasEstimate {
        let min = if graph.is_complete { graph.cheapest().unwrap_or(0) } else { 0 };
        let found = graph.summarize(min);
        if found.bound_excluding_calls.is_some() || !graph.is_complete || graph.is_open() {
            return found;
        }
        match Graph::with_rounds_counted(&self.program, selector, &(0, Vec::new()), &|_, _| true) {
            // What loops cost at most stands in that graph, not what they cost at least.
            Some(counted) => GasEstimate { exact: false, ..counted.summarize(min) },
            None => found,
        }
    }
}

struct Graph {
    nodes: Vec<Node>,
    // Where each begins.
    starts: Vec<State>,
    // False if there are too many states, or the code is not what codegen makes.
    is_complete: bool,
}

/// The positions of states, by hash; the states themselves are kept once, by whom they belong to.
#[derive(Default)]
struct Known(FxHashMap<u64, usize>);

impl Known {
    /// Where a state is in `states`, or the place of its position once it is there.
    fn find(&self, state: &State, states: &[State]) -> (Option<usize>, u64) {
        let mut place = FxBuildHasher.hash_one(state);
        while let Some(&at) = self.0.get(&place) {
            if states[at] == *state {
                return (Some(at), place);
            }
            // Another state of the same hash has it.
            place = place.wrapping_add(1);
        }
        (None, place)
    }

    fn insert(&mut self, place: u64, at: usize) {
        self.0.insert(place, at);
    }
}

impl Graph {
    fn explore(program: &Program<'_>, selector: U256, precision: Precision, states_max: usize) -> Graph {
        Graph::explore_from(program, selector, precision, states_max, (0, Vec::new()), &|_, _| true)
    }

    /// The graph of the states that follow `start`, as far as `goes_on` lets it go from the block at an offset.
    fn explore_from(
        program: &Program<'_>,
        selector: U256,
        precision: Precision,
        states_max: usize,
        start: State,
        goes_on: &dyn Fn(u32, &State) -> bool,
    ) -> Graph {
        let mut known = Known::default();
        known.insert(known.find(&start, &[]).1, 0);
        let mut graph = Graph { nodes: vec![Node::default()], starts: vec![start], is_complete: false };
        let mut work = vec![0];
        while let Some(index) = work.pop() {
            let (offset, stack) = graph.starts[index].clone();
            let Some((mut node, ways)) = walk(program, selector, precision, offset, stack, None) else {
                return graph;
            };
            for state in ways.into_iter().filter(|state| goes_on(offset, state)) {
                let next = match known.find(&state, &graph.starts) {
                    (Some(found), _) => found,
                    (None, _) if graph.nodes.len() == states_max => return graph,
                    (None, place) => {
                        let fresh = graph.nodes.len();
                        known.insert(place, fresh);
                        graph.nodes.push(Node::default());
                        graph.starts.push(state);
                        work.push(fresh);
                        fresh
                    }
                };
                node.successors.push(next);
            }
            graph.nodes[index] = node;
        }
        graph.is_complete = true;
        graph
    }

    /// What all ways have in common, the least that one costs given.
    fn summarize(&self, min: u64) -> GasEstimate {
        let order = if self.is_complete { self.topological_order() } else { None };
        let calls_out = self.nodes.iter().any(|n| n.calls_at.is_some());
        let is_open = self.is_open();
        let dearest = order.as_ref().filter(|_| !is_open).map(|order| self.dearest(order).0);
        // Sums stop there.
        let dearest = dearest.filter(|&gas| gas < u64::MAX);
        let names: Vec<&'static str> = self
            .nodes
            .iter()
            .flat_map(|n| n.terms.keys().copied())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut terms: Vec<_> = names
            .into_iter()
            .map(|name| (name, order.as_ref().map(|order| self.most_of(order, name))))
            .collect();
        terms.sort_unstable();
        GasEstimate {
            bound: dearest.filter(|_| !calls_out),
            bound_excluding_calls: dearest,
            min,
            exact: order.is_some_and(|order| !is_open && !calls_out && self.is_uniform(&order)),
            terms,
        }
    }

    /// Whether a length that is not known decides what something costs.
    fn is_open(&self) -> bool {
        self.nodes.iter().any(|n| n.open_at.is_some() || n.grows_at.is_some())
    }

    /// The states so that each comes before those that follow it; `None` if there is a loop.
    fn topological_order(&self) -> Option<Vec<usize>> {
        let mut waiting = vec![0usize; self.nodes.len()];
        self.nodes.iter().flat_map(|n| &n.successors).for_each(|&s| waiting[s] += 1);
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut work = vec![0];
        while let Some(at) = work.pop() {
            order.push(at);
            for &next in &self.nodes[at].successors {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    work.push(next);
                }
            }
        }
        (order.len() == self.nodes.len()).then_some(order)
    }

    /// The most that a path costs, and the states of that path. For each state, the dearest way there by size of memory.
    fn dearest(&self, order: &[usize]) -> (u64, Vec<usize>) {
        // By words of memory: what the way costs, and the state and size that it came from.
        type Ways = BTreeMap<u64, (u64, Option<(usize, u64)>)>;
        let mut best: Vec<Ways> = vec![BTreeMap::new(); self.nodes.len()];
        best[0].insert(0, (0, None));
        let (mut dearest, mut last) = (0, None);
        for &at in order {
            let node = &self.nodes[at];
            let ways: Vec<(u64, u64)> = best[at].iter().map(|(&memory, way)| (memory, way.0)).collect();
            for (before, cost) in ways {
                let memory = before.max(node.memory_words);
                let cost = cost.saturating_add(node.cost).saturating_add(node.most);
                if node.successors.is_empty() {
                    let whole = cost.saturating_add(memory_cost(memory));
                    if last.is_none() || whole > dearest {
                        (dearest, last) = (whole, Some((at, before)));
                    }
                }
                for &next in &node.successors {
                    let known = best[next].entry(memory).or_insert((cost, Some((at, before))));
                    if cost > known.0 {
                        *known = (cost, Some((at, before)));
                    }
                }
            }
        }
        let mut path = Vec::new();
        while let Some((at, memory)) = last {
            path.push(at);
            last = best[at].get(&memory).and_then(|way| way.1);
        }
        path.reverse();
        (dearest, path)
    }

    /// The least that a successful path costs; loops may be walked as often as that takes.
    fn cheapest(&self) -> Option<u64> {
        // A state with the words of memory that exist when it begins; past the last state, the end.
        let end = self.nodes.len();
        let mut heap = BinaryHeap::from([Reverse((0u64, 0usize, 0u64))]);
        let mut done = FxHashSet::default();
        while let Some(Reverse((cost, at, memory))) = heap.pop() {
            if at == end {
                return Some(cost);
            }
            if !done.insert((at, memory)) {
                continue;
            }
            let node = &self.nodes[at];
            let grown = memory.max(node.memory_words);
            let after = cost + node.cost + node.least + memory_cost(grown) - memory_cost(memory);
            if node.end == Some(End::Success) {
                heap.push(Reverse((after, end, grown)));
            }
            heap.extend(node.successors.iter().map(|&next| Reverse((after, next, grown))));
        }
        None
    }

    /// The most operations of one name on a path.
    fn most_of(&self, order: &[usize], name: &str) -> u64 {
        let mut most = vec![0u64; self.nodes.len()];
        for &at in order {
            let own = self.nodes[at].terms.get(name).copied().unwrap_or(0);
            most[at] = most[at].saturating_add(own);
            for &next in &self.nodes[at].successors {
                most[next] = most[next].max(most[at]);
            }
        }
        most.into_iter().max().unwrap_or(0)
    }

    /// Whether all paths, failing ones included, have one static cost and the same terms.
    fn is_uniform(&self, order: &[usize]) -> bool {
        type Sum = (u64, u64, BTreeMap<&'static str, u64>);
        let mut sums: Vec<Option<Sum>> = vec![None; self.nodes.len()];
        sums[0] = Some(Sum::default());
        let mut total: Option<Sum> = None;
        for &at in order {
            let node = &self.nodes[at];
            let (mut cost, mut memory, mut terms) = sums[at].take().expect("an earlier state leads here");
            cost = cost.saturating_add(node.cost);
            memory = memory.max(node.memory_words);
            for (&name, count) in &node.terms {
                let sum: &mut u64 = terms.entry(name).or_default();
                *sum = sum.saturating_add(*count);
            }
            let sum = (cost, memory, terms);
            for &next in &node.successors {
                if sums[next].get_or_insert_with(|| sum.clone()) != &sum {
                    return false;
                }
            }
            if node.successors.is_empty() && total.get_or_insert_with(|| sum.clone()) != &sum {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
