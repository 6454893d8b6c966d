//! Holds estimates against what the source demands: `#[gas(max = N)]` of a function, `[gas: N]` of a loop.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::U256;

use super::loops::Loop;
use super::walk::{Precision, walk};
use super::{COARSE_STATES_MAX, Estimator, Graph, PRECISE_STATES_MAX};
use crate::codegen::Assembly;
use crate::diag::{Code, Diagnostics};
use crate::sema::typed::{Contract, EntryPoint, ExprKind, LoopBounds, Program, Stmt, StmtKind};
use crate::sema::visit::{Visit, walk_stmt};
use crate::source::{Source, Span};

/// Lines of the costliest path that are shown.
const PATH_LINES_MAX: usize = 4;
/// What stands for a figure where there is none.
const UNLIMITED: &str = "unlimited";

/// A loop of the source.
struct SourceLoop {
    span: Span,
    // Without the body.
    head: Span,
    gas: Option<(u64, Span)>,
    // Whether `max` or constant ends bound it.
    is_bounded: bool,
}

/// Reports functions and loops of a contract that may cost more than they shall (K0601, K0602, K0604).
pub fn check(
    program: &Program,
    contract: &Contract,
    (runtime, init): (&Assembly, &Assembly),
    source: &Source,
    diags: &mut Diagnostics,
) {
    let mut loops = Loops(Vec::new());
    contract.functions.iter().for_each(|&id| loops.block(&program.function(id).body));
    let Loops(loops) = loops;
    let limited: Vec<&EntryPoint> = contract.entry_points.iter().filter(|e| e.gas_max.is_some()).collect();
    let has_annotations = loops.iter().any(|looped| looped.gas.is_some());
    if limited.is_empty() && !has_annotations {
        return;
    }
    let runtime = Limits { estimator: Estimator::new(runtime), loops: &loops };
    for entry in limited {
        runtime.check_entry(entry, &program.function(entry.function).name, source, diags);
    }
    if !has_annotations {
        return;
    }
    let mut worst: HashMap<usize, Option<u64>> = HashMap::new();
    let selectors = contract.entry_points.iter().map(|entry| number(entry.selector));
    // No function has the last one: it leads to `receive` and `fallback`.
    let taken: Vec<U256> = selectors.collect();
    let free = (0u32..).map(U256::from).find(|selector| !taken.contains(selector));
    taken.iter().copied().chain(free).for_each(|selector| runtime.iterations(selector, &mut worst));
    let init = Limits { estimator: Estimator::new(init), loops: &loops };
    init.iterations(U256::ZERO, &mut worst);
    for (index, looped) in loops.iter().enumerate() {
        let Some((limit, span)) = looped.gas else { continue };
        let found = match worst.get(&index) {
            // Nothing is left of it, or nothing leads to it.
            None => continue,
            Some(found) => *found,
        };
        if found.is_none_or(|gas| gas > limit) {
            let shown = found.map_or(UNLIMITED.to_owned(), |gas| gas.to_string());
            diags
                .error(Code::IterationGasAbove, span)
                .arg("n", shown)
                .arg("m", limit)
                .secondary(looped.head, "one iteration of this loop");
        }
    }
}

fn number(selector: [u8; 4]) -> U256 {
    U256::from(u32::from_be_bytes(selector))
}

/// All loops of the functions that a contract may execute.
struct Loops(Vec<SourceLoop>);

impl Visit for Loops {
    fn stmt(&mut self, stmt: &Stmt) {
        let (bounds, body, is_constant): (&LoopBounds, _, bool) = match &stmt.kind {
            StmtKind::While { bounds, body, .. } => (bounds, body, false),
            StmtKind::ForRange { start, end, bounds, body, .. } => {
                let constant = |kind: &ExprKind| matches!(kind, ExprKind::Const(_));
                (bounds, body, constant(&start.kind) && constant(&end.kind))
            }
            _ => return walk_stmt(self, stmt),
        };
        self.0.push(SourceLoop {
            span: stmt.span,
            head: Span::new(stmt.span.start, body.span.start.max(stmt.span.start)),
            gas: bounds.gas,
            is_bounded: bounds.max.is_some() || is_constant,
        });
        walk_stmt(self, stmt);
    }
}

struct Limits<'c> {
    estimator: Estimator<'c>,
    loops: &'c [SourceLoop],
}

impl Limits<'_> {
    fn check_entry(&self, entry: &EntryPoint, name: &str, source: &Source, diags: &mut Diagnostics) {
        let Some((limit, span)) = entry.gas_max else { return };
        let selector = number(entry.selector);
        let program = &self.estimator.program;
        let mut graph = Graph::explore(program, selector, Precision::Precise, PRECISE_STATES_MAX);
        let is_followed = graph.is_complete;
        if !is_followed {
            graph = Graph::explore(program, selector, Precision::Coarse, COARSE_STATES_MAX);
        }
        let found = self.estimator.summarize(&graph, selector).bound;
        if found.is_some_and(|bound| bound <= limit) {
            return;
        }
        let order = if graph.is_complete { graph.topological_order() } else { None };
        if order.is_none() && graph.is_complete {
            let mut open = self.source_loops(&graph, &graph.loops()).into_iter().flatten();
            if let Some(index) = open.find(|&index| !self.loops[index].is_bounded) {
                let diagnostic = diags.error(Code::GasUnbounded, self.loops[index].head);
                diagnostic.arg("f", name).secondary(span, "this asks for a bound");
                return;
            }
        }
        let shown = found.map_or(UNLIMITED.to_owned(), |bound| bound.to_string());
        let diagnostic = diags.error(Code::GasAboveMax, span);
        diagnostic.arg("f", name).arg("n", shown).arg("m", limit);
        let open = |at: fn(&super::Node) -> Option<u32>| graph.nodes.iter().find_map(at);
        let label = |at: u32| self.instruction_span(at);
        if let (Some(order), Some(_)) = (&order, found) {
            let path = graph.dearest(order).1;
            for (span, gas) in self.path_lines(&graph, &path, selector, source) {
                diagnostic.secondary(span, format!("{gas} gas on this line"));
            }
        } else if order.is_none() {
            diagnostic.note("a loop has more iterations than the estimate follows");
        } else if let Some(at) = open(|node| node.calls_at) {
            diagnostic.secondary(label(at), "other code runs here, and it may use any amount");
        } else if let Some(at) = open(|node| node.open_at.or(node.grows_at)) {
            diagnostic.secondary(label(at), "the length of data decides what this costs");
        }
    }

    /// The lines of a path that cost most, in the order of the path, each with the place of its dearest instruction.
    fn path_lines(&self, graph: &Graph, path: &[usize], selector: U256, source: &Source) -> Vec<(Span, u64)> {
        struct Line {
            order: usize,
            gas: u64,
            span: Span,
            dearest: u64,
        }
        let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
        for &at in path {
            let (offset, stack) = graph.starts[at].clone();
            let mut steps = Vec::new();
            walk(&self.estimator.program, selector, Precision::Precise, offset, stack, Some(&mut steps));
            for (offset, gas) in steps {
                let span = self.instruction_span(offset);
                let first = source.line_column(span.start).line;
                // Dispatch, decoding and encoding stand for a whole function or contract.
                if span.is_empty() || source.slice(span).contains('\n') {
                    continue;
                }
                let order = lines.len();
                let line = lines.entry(first).or_insert(Line { order, gas: 0, span, dearest: 0 });
                line.gas += gas;
                if gas > line.dearest {
                    (line.span, line.dearest) = (span, gas);
                }
            }
        }
        let mut lines: Vec<Line> = lines.into_values().collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.gas));
        lines.truncate(PATH_LINES_MAX);
        lines.sort_by_key(|line| line.order);
        lines.into_iter().map(|line| (line.span, line.gas)).collect()
    }

    /// Notes what one iteration of each annotated loop costs at most in a call with this selector.
    fn iterations(&self, selector: U256, worst: &mut HashMap<usize, Option<u64>>) {
        let program = &self.estimator.program;
        let graph = Graph::explore(program, selector, Precision::Coarse, COARSE_STATES_MAX);
        if !graph.is_complete {
            // Nothing is known of any loop.
            worst.extend((0..self.loops.len()).map(|index| (index, None)));
            return;
        }
        let loops = graph.loops();
        for (place, index) in self.source_loops(&graph, &loops).into_iter().enumerate() {
            let Some(index) = index else { continue };
            let SourceLoop { span, gas: Some(_), .. } = self.loops[index] else { continue };
            let is_inside = |offset| self.block_spans(offset).any(|other| is_within(other, span));
            let cost = graph.iteration(program, selector, (&loops, place), &is_inside);
            let known = worst.entry(index).or_insert(cost);
            *known = known.zip(cost).map(|(a, b)| a.max(b));
        }
    }

    /// For each loop of the code the one of the source, where there is one: what most instructions stand for that are
    /// outside of its inner loops, and outside of what these are in the source.
    fn source_loops(&self, graph: &Graph, loops: &[Loop]) -> Vec<Option<usize>> {
        let mut found = vec![None; loops.len()];
        let mut inside: Vec<Vec<Span>> = vec![Vec::new(); loops.len()];
        // Inner ones come later.
        for (place, looped) in loops.iter().enumerate().rev() {
            let is_around = |index: usize, span: Span| {
                let own = self.loops[index].span;
                is_within(span, own) && !inside[place].iter().any(|&inner| is_within(own, inner))
            };
            let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
            for &at in &looped.own {
                let (from, to) = (graph.starts[at].0, graph.nodes[at].last);
                for (&offset, _) in self.estimator.program.instructions.range(from..=to) {
                    let span = self.instruction_span(offset);
                    let around = (0..self.loops.len()).filter(|&index| is_around(index, span));
                    if let Some(innermost) = around.min_by_key(|&index| self.loops[index].span.len()) {
                        *counts.entry(innermost).or_default() += 1;
                    }
                }
            }
            found[place] = counts.into_iter().max_by_key(|&(_, count)| count).map(|(index, _)| index);
            if let Some(outer) = looped.outer {
                let mut known = std::mem::take(&mut inside[place]);
                known.extend(found[place].map(|index| self.loops[index].span));
                inside[outer].extend(known);
            }
        }
        found
    }

    /// What the instructions of the block at an offset stand for.
    fn block_spans(&self, offset: u32) -> impl Iterator<Item = Span> {
        let mut is_over = false;
        let block =
            self.estimator.program.instructions.range(offset..).take_while(move |(_, instruction)| {
                let goes_on = !is_over;
                is_over = instruction.op.is_none_or(|op| op.ends_block());
                goes_on
            });
        block.map(|(&offset, _)| self.instruction_span(offset))
    }

    fn instruction_span(&self, offset: u32) -> Span {
        let instructions = &self.estimator.assembly.instructions;
        let found = instructions.binary_search_by_key(&offset, |instruction| instruction.offset);
        found.map_or(Span::new(0, 0), |at| instructions[at].span)
    }
}

fn is_within(inner: Span, outer: Span) -> bool {
    !inner.is_empty() && outer.start <= inner.start && inner.end <= outer.end
}
