//! Loops that count, without walking each round: how often they go round, and the graph with each of them as one step.
//!
//! The states of a loop's rounds differ in a few words of the stack. These are found by walking, and in each state at the
//! loop's head they stand as [`Counter`]s; so the loop is a circle in the graph. Where one of its branches asks a counter
//! a question that ends it, and the counter starts with a known word and changes by a known number, the rounds are counted.
//! Then the loop is replaced, from the inside out, by one step for each way out of it, which costs the dearest way
//! through that many rounds. What is left has no circles.
//!
//! Nothing here is told by the source: a bound given with `[max: N]` is a counter like others.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use alloy_primitives::U256;
use zvm::bytecode::Op;

use super::counters::Counter;
use super::loops::Loop;
use super::walk::{End, Node, Precision, Program, State, Word, walk};
use super::{Graph, PRECISE_STATES_MAX};

/// How often the graph is made anew because another word turned out to change.
const TRIES_MAX: usize = 32;

/// Which words change in the rounds of loops: by the head's offset and the height of the stack there, from the bottom.
type Changing = BTreeMap<(u32, usize), BTreeSet<u32>>;

/// A graph in which what changes from round to round stands as counters.
struct Counted {
    graph: Graph,
    // From where each head was reached, which state it is, and with which words.
    arrivals: Vec<(usize, usize, Vec<Word>)>,
}

/// A branch that is decided one way at most so many times in a row.
#[derive(Clone)]
struct Limit {
    // The states that end with it; each round comes to at most one of them.
    at: Vec<usize>,
    rounds: u64,
}

impl Graph {
    /// The graph of the states that follow `start`, in which each loop is one step per way out of it, which costs what all
    /// its rounds cost at most. `None` if one of them has no bound that is found here.
    pub(super) fn with_rounds_counted(
        program: &Program<'_>,
        selector: U256,
        start: &State,
        goes_on: &dyn Fn(u32, &State) -> bool,
    ) -> Option<Graph> {
        let mut changing = Changing::new();
        for _ in 0..TRIES_MAX {
            match Counted::explore(program, selector, start, goes_on, &mut changing)? {
                Explored::All(found) => return found.collapsed(),
                Explored::NewChange => {}
            }
        }
        None
    }
}

/// What came of a walk.
enum Explored {
    All(Counted),
    /// A word turned out to change in the rounds of a loop, and was noted.
    NewChange,
}

impl Counted {
    fn explore(
        program: &Program<'_>,
        selector: U256,
        start: &State,
        goes_on: &dyn Fn(u32, &State) -> bool,
        changing: &mut Changing,
    ) -> Option<Explored> {
        let mut graph =
            Graph { nodes: vec![Node::default()], starts: vec![start.clone()], is_complete: true };
        let mut arrivals = Vec::new();
        // From which state each was first reached.
        let mut origins = vec![0];
        let mut known: HashMap<State, usize> = HashMap::from([(start.clone(), 0)]);
        let mut work = vec![0];
        while let Some(index) = work.pop() {
            let (offset, stack) = graph.starts[index].clone();
            let (mut node, ways) = walk(program, selector, Precision::Precise, offset, stack, None)?;
            for mut state in ways.into_iter().filter(|state| goes_on(offset, state)) {
                // A loop is entered at its head: the first place that is reached again is one.
                if let Some(before) = earlier(program, &graph.starts, &origins, index, &state)
                    && note_changes(changing, before, &state)
                {
                    return Some(Explored::NewChange);
                }
                let words = changing.contains_key(&(state.0, state.1.len())).then(|| state.1.clone());
                count_from_here(changing, &mut state);
                let next = match known.entry(state) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(_) if graph.nodes.len() == PRECISE_STATES_MAX => return None,
                    Entry::Vacant(entry) => {
                        let fresh = graph.nodes.len();
                        graph.nodes.push(Node::default());
                        graph.starts.push(entry.key().clone());
                        origins.push(index);
                        work.push(fresh);
                        *entry.insert(fresh)
                    }
                };
                node.successors.push(next);
                arrivals.extend(words.map(|words| (index, next, words)));
            }
            graph.nodes[index] = node;
        }
        Some(Explored::All(Counted { graph, arrivals }))
    }

    /// How often a branch of a loop can be decided so that the loop goes on, for each branch of which that is known.
    fn limits(&self, looped: &Loop) -> Vec<Limit> {
        let Graph { nodes, starts, .. } = &self.graph;
        let members: HashSet<usize> = looped.members.iter().copied().collect();
        let head = starts[looped.head].0;
        // Counters are of the last time that this offset was reached: it must be this state.
        let is_other_head = |&at: &usize| at != looped.head && starts[at].0 == head;
        let is_other_entry = |(from, node): (usize, &Node)| {
            let enters = |to: &usize| *to != looped.head && members.contains(to);
            !members.contains(&from) && node.successors.iter().any(enters)
        };
        if looped.members.iter().any(is_other_head) || nodes.iter().enumerate().any(is_other_entry) {
            return Vec::new();
        }
        // By the branch's place and what it asks: the states with it and how often it is answered.
        let mut found: BTreeMap<(u32, u32, i64), Limit> = BTreeMap::new();
        for &at in &looped.own {
            let node = &nodes[at];
            let Some(test) = node.test.filter(|test| test.counter.head == head) else { continue };
            let inside: Vec<bool> = node.successors.iter().map(|to| members.contains(to)).collect();
            // The first of two ways is that of a true condition.
            let answer = match inside[..] {
                [true] | [true, false] => true,
                [false, true] => false,
                _ => continue,
            };
            let Some((starts, step)) = self.counts(looped.head, &members, test.counter) else { continue };
            let rounds: Option<Vec<u64>> =
                starts.into_iter().map(|start| test.rounds(answer, start, step)).collect();
            let Some(rounds) = rounds.and_then(|rounds| rounds.into_iter().max()) else { continue };
            let Counter { place, plus, .. } = test.counter;
            let limit = found.entry((node.last, place, plus)).or_insert(Limit { at: Vec::new(), rounds });
            limit.rounds = limit.rounds.max(rounds);
            limit.at.push(at);
        }
        let mut found: Vec<Limit> = found.into_values().collect();
        found.sort_by_key(|limit| limit.rounds);
        found
    }

    /// The words that a counter may start with, and what each round adds.
    fn counts(&self, head: usize, members: &HashSet<usize>, counter: Counter) -> Option<(Vec<u64>, i64)> {
        let (mut starts, mut step) = (Vec::new(), None);
        for (from, _, words) in self.arrivals.iter().filter(|arrival| arrival.1 == head) {
            match *words.get(counter.place as usize)? {
                Word::Known(word) if !members.contains(from) => starts.push(u64::try_from(word).ok()?),
                Word::Counter(Counter { head, place, plus })
                    if members.contains(from) && (head, place) == (counter.head, counter.place) =>
                {
                    if *step.get_or_insert(plus) != plus {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        Some((starts, step?))
    }

    /// The graph with each loop replaced.
    fn collapsed(self) -> Option<Graph> {
        let loops = self.graph.loops();
        let limits: Vec<Vec<Limit>> = loops.iter().map(|looped| self.limits(looped)).collect();
        let mut graph = self.graph;
        let mut members: Vec<Vec<usize>> = loops.iter().map(|looped| looped.own.clone()).collect();
        // Inner ones come later.
        for (place, looped) in loops.iter().enumerate().rev() {
            let own = std::mem::take(&mut members[place]);
            let fresh = graph.collapse(&own, looped.head, &limits[place])?;
            if let Some(outer) = looped.outer {
                members[outer].extend(&fresh);
            }
        }
        Some(graph.reachable())
    }
}

/// The last state before this one, on the way that led here first, with the same offset, height and places to return to.
fn earlier<'g>(
    program: &Program<'_>,
    starts: &'g [State],
    origins: &[usize],
    mut at: usize,
    (offset, stack): &State,
) -> Option<&'g [Word]> {
    let is_place = |word: &Word| match word {
        Word::Known(word) => u32::try_from(*word).is_ok_and(|at| {
            program.instructions.get(&at).is_some_and(|found| found.op == Some(Op::JumpDest))
        }),
        _ => false,
    };
    if !is_place(&Word::Known(U256::from(*offset))) {
        // Only one way leads here.
        return None;
    }
    loop {
        let (other, words) = &starts[at];
        if other == offset && words.len() == stack.len() {
            let mut changed = words.iter().zip(stack).filter(|(old, new)| old != new);
            if !changed.any(|(old, new)| is_place(old) && is_place(new)) {
                return Some(words);
            }
        }
        if at == 0 {
            return None;
        }
        at = origins[at];
    }
}

/// Notes the words that a round has changed; whether there are any that were not known to change.
fn note_changes(changing: &mut Changing, before: &[Word], (offset, stack): &State) -> bool {
    let mut is_new = false;
    for (place, (old, new)) in (0u32..).zip(before.iter().zip(stack)) {
        let counts = matches!(old, Word::Counter(Counter { head, place: at, plus: 0 }) if (head, at) == (offset, &place));
        if old != new && !counts {
            is_new |= changing.entry((*offset, stack.len())).or_default().insert(place);
        }
    }
    is_new
}

/// Makes the words that change in the rounds of a loop counters, at its head.
fn count_from_here(changing: &Changing, (offset, stack): &mut State) {
    let places = changing.get(&(*offset, stack.len()));
    for (place, word) in (0u32..).zip(stack) {
        if places.is_some_and(|places| places.contains(&place)) {
            *word = Word::Counter(Counter { head: *offset, place, plus: 0 });
        } else if matches!(word, Word::Counter(counter) if counter.head == *offset) {
            // It is of an earlier time.
            *word = Word::Unknown;
        }
    }
}

/// The dearest ways through a loop, in one measure.
struct Dearest {
    // From the head, and from the first states after the branch that is limited; by state, itself included.
    first: HashMap<usize, u64>,
    later: HashMap<usize, u64>,
    // To the branch for the first time, and from there to it again.
    start: u64,
    round: u64,
    rounds: u64,
}

impl Dearest {
    /// The most that it takes to come to the end of a state, all rounds included.
    fn through(&self, at: usize) -> u64 {
        let without = self.first.get(&at).copied().unwrap_or(0);
        match (self.later.get(&at), self.rounds.checked_sub(1)) {
            (Some(&last), Some(between)) => {
                let rounds = self.start.saturating_add(between.saturating_mul(self.round));
                without.max(rounds.saturating_add(last))
            }
            _ => without,
        }
    }
}

impl Graph {
    /// Replaces a loop without loops inside by a state for each way out of it; gives these. `None` if no branch of `limits`
    /// is part of every round.
    fn collapse(&mut self, members: &[usize], head: usize, limits: &[Limit]) -> Option<Vec<usize>> {
        let inside: HashSet<usize> = members.iter().copied().collect();
        let (limit, order) =
            limits.iter().find_map(|limit| Some((limit, self.order_of(&inside, head, &limit.at)?)))?;
        let gas = |node: &Node| node.cost.saturating_add(node.most);
        let gas = self.dearest_of(&inside, head, limit, &order, &gas);
        let names: BTreeSet<&'static str> =
            members.iter().flat_map(|&at| self.nodes[at].terms.keys().copied()).collect();
        let terms: Vec<(&'static str, Dearest)> = names
            .into_iter()
            .map(|name| {
                let count = |node: &Node| node.terms.get(name).copied().unwrap_or(0);
                (name, self.dearest_of(&inside, head, limit, &order, &count))
            })
            .collect();
        let parts = || members.iter().map(|&at| &self.nodes[at]);
        let memory_words = parts().map(|node| node.memory_words).max().unwrap_or(0);
        let open_at = parts().find_map(|node| node.open_at);
        let grows_at = parts().find_map(|node| node.grows_at);
        let calls_at = parts().find_map(|node| node.calls_at);
        let mut fresh: Vec<(State, Node)> = Vec::new();
        for &at in &order {
            let node = &self.nodes[at];
            let out: BTreeSet<usize> =
                node.successors.iter().copied().filter(|to| !inside.contains(to)).collect();
            // A check ends the frame if it fails; so do some ways out of loops inside.
            let fails = node.end.is_some();
            for successors in out.into_iter().map(|to| vec![to]).chain(fails.then(Vec::new)) {
                let way = Node {
                    cost: gas.through(at),
                    memory_words,
                    terms: terms.iter().map(|(name, count)| (*name, count.through(at))).collect(),
                    open_at,
                    grows_at,
                    calls_at,
                    last: node.last,
                    end: successors.is_empty().then_some(End::Failure),
                    successors,
                    ..Node::default()
                };
                fresh.push((self.starts[at].clone(), way));
            }
        }
        let places: Vec<usize> = (self.nodes.len()..).take(fresh.len()).collect();
        for (start, node) in fresh {
            self.starts.push(start);
            self.nodes.push(node);
        }
        for (at, node) in self.nodes.iter_mut().enumerate() {
            if !inside.contains(&at) && node.successors.contains(&head) {
                node.successors.retain(|&to| to != head);
                node.successors.extend(&places);
            }
        }
        members.iter().for_each(|&at| self.nodes[at].successors.clear());
        Some(places)
    }

    /// The states of a loop so that each comes before those that follow it, if the ways on from `branches` are none; `None` if
    /// that leaves a circle, or a round may come to two of them.
    fn order_of(&self, inside: &HashSet<usize>, head: usize, branches: &[usize]) -> Option<Vec<usize>> {
        let ways = |at: usize| self.nodes[at].successors.iter().copied().filter(|to| inside.contains(to));
        let mut seen: HashSet<usize> = branches.iter().flat_map(|&at| ways(at)).collect();
        let mut work: Vec<usize> = seen.iter().copied().collect();
        while let Some(at) = work.pop() {
            if at == head {
                continue;
            }
            if branches.contains(&at) {
                return None;
            }
            work.extend(ways(at).filter(|&to| seen.insert(to)));
        }
        let next = |at: usize| ways(at).filter(move |_| !branches.contains(&at));
        let mut waiting: BTreeMap<usize, usize> = inside.iter().map(|&at| (at, 0)).collect();
        for to in inside.iter().flat_map(|&at| next(at)) {
            *waiting.entry(to).or_default() += 1;
        }
        let mut work: Vec<usize> =
            waiting.iter().filter(|(_, count)| **count == 0).map(|(&at, _)| at).collect();
        let mut order = Vec::with_capacity(inside.len());
        while let Some(at) = work.pop() {
            order.push(at);
            for to in next(at) {
                let left = waiting.get_mut(&to)?;
                *left -= 1;
                if *left == 0 {
                    work.push(to);
                }
            }
        }
        (order.len() == inside.len()).then_some(order)
    }

    fn dearest_of(
        &self,
        inside: &HashSet<usize>,
        head: usize,
        limit: &Limit,
        order: &[usize],
        measure: &dyn Fn(&Node) -> u64,
    ) -> Dearest {
        let from = |begins: &[usize]| {
            let mut sums: HashMap<usize, u64> =
                begins.iter().map(|&at| (at, measure(&self.nodes[at]))).collect();
            for &at in order {
                let Some(&sum) = sums.get(&at).filter(|_| !limit.at.contains(&at)) else { continue };
                for &to in self.nodes[at].successors.iter().filter(|to| inside.contains(to)) {
                    let through = sum.saturating_add(measure(&self.nodes[to]));
                    let known = sums.entry(to).or_insert(through);
                    *known = through.max(*known);
                }
            }
            sums
        };
        let after = limit.at.iter().flat_map(|&at| self.nodes[at].successors.iter().copied());
        let after: BTreeSet<usize> = after.filter(|to| inside.contains(to)).collect();
        let first = from(&[head]);
        let later = from(&after.into_iter().collect::<Vec<_>>());
        let most = |sums: &HashMap<usize, u64>| limit.at.iter().filter_map(|at| sums.get(at)).copied().max();
        let (start, round) = (most(&first).unwrap_or(0), most(&later).unwrap_or(0));
        Dearest { first, later, start, round, rounds: limit.rounds }
    }

    /// The part of the graph that the first state leads to.
    fn reachable(mut self) -> Graph {
        let mut places: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut order = vec![0];
        places[0] = Some(0);
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            next += 1;
            for &to in &self.nodes[at].successors {
                if places[to].is_none() {
                    places[to] = Some(order.len());
                    order.push(to);
                }
            }
        }
        let mut graph = Graph { nodes: Vec::new(), starts: Vec::new(), is_complete: true };
        for at in order {
            let mut node = std::mem::take(&mut self.nodes[at]);
            node.successors = node.successors.iter().filter_map(|&to| places[to]).collect();
            graph.nodes.push(node);
            graph.starts.push(std::mem::take(&mut self.starts[at]));
        }
        graph
    }
}
