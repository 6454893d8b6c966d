//! Which values an operand can have where it is used, and what follows: checks that always hold go, comparisons that are
//! decided become constants, masks that change nothing go.
//!
//! Three kinds of facts: an interval for each value, the bits of it that may be set, and the order of pairs of values. They come from operations
//! (a mask, a checked sum), from conditions on the way (`br`, `assert`), and from checks that have succeeded. The walk follows
//! the dominator tree, so a fact holds in all blocks below the place where it was learned. For a loop, a counter is below its limit if
//! it is so on every way to the loop's head.

mod facts;
mod rules;

use super::Changed;
use crate::ir::build::replace_values;
use crate::ir::dominance::Dominance;
use crate::ir::{BlockCall, BlockId, Function, Op, Terminator, Value};

use facts::{Def, Facts, Interval};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let dominance = Dominance::of(function);
    let edges = incoming(function);
    let mut facts = Facts::of(function);
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    let mut scopes: Vec<(BlockId, facts::Mark)> = Vec::new();
    let mut decided: Vec<(BlockId, Terminator)> = Vec::new();
    let mut changed = false;
    for &id in dominance.preorder() {
        while let Some(&(block, mark)) = scopes.last()
            && !dominance.dominates(block, id)
        {
            facts.undo(mark);
            scopes.pop();
        }
        scopes.push((id, facts.mark()));
        enter(function, &dominance, &edges[id.index()], id, &mut facts);
        let mut insts = std::mem::take(&mut function.blocks[id.index()].insts);
        insts.retain_mut(|inst| {
            for arg in &mut inst.args {
                *arg = replacement[arg.index()].unwrap_or(*arg);
            }
            let keep = match rules::simplify(&facts, inst) {
                rules::Simplified::Not => true,
                rules::Simplified::Rewritten => {
                    changed = true;
                    true
                }
                rules::Simplified::To(value) => {
                    replacement[inst.results[0].index()] = Some(value);
                    changed = true;
                    false
                }
                rules::Simplified::Gone => {
                    changed = true;
                    false
                }
            };
            if keep {
                facts.learn_from(inst);
            }
            keep
        });
        let block = &mut function.blocks[id.index()];
        block.insts = insts;
        block.term.for_each_value_mut(|v| *v = replacement[v.index()].unwrap_or(*v));
        if let Terminator::Br { cond, then, otherwise } = &block.term
            && let Some(holds) = facts.interval(*cond).truth()
        {
            // Not at once: blocks further on still look at the condition.
            decided.push((id, Terminator::Jump(if holds { then.clone() } else { otherwise.clone() })));
        }
    }
    let ways_go = !decided.is_empty();
    decided.into_iter().for_each(|(id, term)| function.blocks[id.index()].term = term);
    replace_values(function, &replacement);
    if ways_go {
        crate::ir::build::remove_unreachable(function);
    }
    Changed::from(changed | ways_go)
}

/// One way into a block: from where, and which of the jumps there.
type Edge = (BlockId, usize);

fn incoming(function: &Function) -> Vec<Vec<Edge>> {
    let mut edges = vec![Vec::new(); function.blocks.len()];
    for (id, block) in function.blocks() {
        for (index, to) in block.term.successors().enumerate() {
            edges[to.block.index()].push((id, index));
        }
    }
    edges
}

/// Learns what holds when a block begins.
fn enter(function: &Function, dominance: &Dominance, edges: &[Edge], id: BlockId, facts: &mut Facts) {
    let call = |&(from, index): &Edge| -> &BlockCall {
        function.blocks[from.index()].term.successors().nth(index).expect("collected from there")
    };
    let edges: Vec<Edge> = edges.iter().copied().filter(|(from, _)| dominance.is_reachable(*from)).collect();
    if let [edge] = edges[..] {
        assume_edge(function, edge, facts);
        for (&param, &arg) in function.blocks[id.index()].params.iter().zip(&call(&edge).args) {
            facts.set(param, facts.interval(arg));
        }
        return;
    }
    let params = &function.blocks[id.index()].params;
    // On each way, with what its condition says.
    let mut intervals: Vec<Option<Interval>> = vec![None; params.len()];
    for edge in &edges {
        let mark = facts.mark();
        assume_edge(function, *edge, facts);
        for (interval, &arg) in intervals.iter_mut().zip(&call(edge).args) {
            let other = facts.interval(arg);
            *interval = Some(interval.map_or(other, |known| known.join(other)));
        }
        facts.undo(mark);
    }
    // Which limits a parameter is below, by the condition of one way; the others must agree.
    let mut limits: Vec<(Value, Value)> = Vec::new();
    for edge in &edges {
        for (p, &arg) in call(edge).args.iter().enumerate() {
            if let Some(limit) = limit_on(function, *edge, arg, facts)
                && facts.block_of(limit).is_none_or(|block| block != id && dominance.dominates(block, id))
            {
                let holds = edges.iter().all(|other| {
                    let mark = facts.mark();
                    assume_edge(function, *other, facts);
                    let holds = facts.is_less(call(other).args[p], limit);
                    facts.undo(mark);
                    holds
                });
                if holds {
                    limits.push((params[p], limit));
                }
            }
        }
    }
    for (&param, interval) in params.iter().zip(intervals) {
        if let Some(interval) = interval {
            facts.set(param, interval);
        }
    }
    for (param, limit) in limits {
        facts.assume_less(param, limit);
    }
}

/// What a value is below if control takes an edge.
fn limit_on(function: &Function, (from, index): Edge, arg: Value, facts: &Facts) -> Option<Value> {
    let Terminator::Br { cond, .. } = &function.blocks[from.index()].term else { return None };
    match (facts.def(*cond), index == 0) {
        (Def::Binary(Op::Lt, [low, limit]), true) if low == arg => Some(limit),
        (Def::Binary(Op::Gt, [limit, low]), true) if low == arg => Some(limit),
        _ => None,
    }
}

/// Learns what the condition of an edge says.
fn assume_edge(function: &Function, (from, index): Edge, facts: &mut Facts) {
    match &function.blocks[from.index()].term {
        // With both ways to one block, the condition says nothing.
        Terminator::Br { cond, then, otherwise } if then.block != otherwise.block => {
            facts.assume(*cond, index == 0);
        }
        Terminator::Switch { value, cases, default } => {
            if let Some((word, to)) = cases.get(index)
                && to.block != default.block
                && cases.iter().filter(|(_, other)| other.block == to.block).count() == 1
            {
                facts.set(*value, Interval::of(*word));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::ranges;
    use crate::ir::text::{print_function, read_module};

    fn after(body: &str) -> String {
        let text = format!(
            "func \"f\" -> 0 {{\nb0:\n  v0 = caller\n  v1 = origin\n  v2 = const 0\n  v3 = const 1\n  v4 = const 255\n{body}}}\n"
        );
        let mut module = read_module(&text).expect("readable");
        ranges::run(&mut module.functions[0]);
        crate::ir::verify::verify(&module).expect("well-formed");
        print_function(&module.functions[0])
    }

    fn check(body: &str, expected: &str) {
        let printed = after(body);
        assert!(printed.contains(expected), "{expected} in\n{printed}");
    }

    #[test]
    fn a_difference_after_a_comparison_has_no_check() {
        let text = |cond: &str, ways: &str| {
            format!(
                "  v5 = {cond}\n  br v5, {ways}\nb1:\n  panic 0x01\nb2:\n  v6 = csub.u256 v0, v1\n  sstore v6, v6\n  halt\n"
            )
        };
        check(&text("lt v0, v1", "b1, b2"), "v6 = sub v0, v1");
        check(&text("gt v1, v0", "b1, b2"), "v6 = sub v0, v1");
        check(&text("lt v1, v0", "b2, b1"), "v6 = sub v0, v1");
        check(&text("lt v1, v0", "b1, b2"), "v6 = csub.u256 v0, v1");
        check(&text("lt v0, v1", "b2, b1"), "v6 = csub.u256 v0, v1");
    }

    #[test]
    fn an_assertion_and_a_check_are_facts_too() {
        check(
            "  v5 = lt v1, v0\n  assert 0x32, v5\n  v6 = csub.u256 v0, v1\n  sstore v6, v6\n  halt\n",
            "sub v0, v1",
        );
        check(
            "  v5 = csub.u256 v0, v1\n  v6 = csub.u256 v0, v5\n  sstore v6, v6\n  halt\n",
            "v6 = sub v0, v5",
        );
        check("  v5 = cadd.u64 v0, v1\n  v6 = csub.u64 v5, v1\n  sstore v6, v6\n  halt\n", "v6 = sub v5, v1");
        check("  v5 = cadd.u64 v0, v1\n  v6 = ccast.u64 v5\n  sstore v6, v6\n  halt\n", "sstore v5, v5");
    }

    #[test]
    fn masks_and_small_sums() {
        let masked = "  v5 = and v0, v4\n  v6 = and v1, v4\n";
        check(&format!("{masked}  v7 = cadd.u16 v5, v6\n  sstore v7, v7\n  halt\n"), "v7 = add v5, v6");
        check(&format!("{masked}  v7 = cadd.u8 v5, v6\n  sstore v7, v7\n  halt\n"), "v7 = cadd.u8 v5, v6");
        check(&format!("{masked}  v7 = cmul.i24 v5, v6\n  sstore v7, v7\n  halt\n"), "v7 = mul v5, v6");
        check(&format!("{masked}  v7 = cmul.i16 v5, v6\n  sstore v7, v7\n  halt\n"), "v7 = cmul.i16 v5, v6");
        check(&format!("{masked}  v7 = and v5, v4\n  sstore v7, v7\n  halt\n"), "sstore v5, v5");
        check(&format!("{masked}  v7 = cdiv.u8 v5, v6\n  sstore v7, v7\n  halt\n"), "v7 = cdiv.u8 v5, v6");
        check(
            &format!("{masked}  v7 = or v6, v3\n  v8 = cdiv.u8 v5, v7\n  sstore v8, v8\n  halt\n"),
            "v8 = div v5, v7",
        );
    }

    #[test]
    fn fields_of_one_word_do_not_disturb_each_other() {
        let text = "  v5 = sload v2\n  v6 = const 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00ff\n  v7 = and v5, v6\n  \
                    v8 = and v0, v4\n  v9 = const 8\n  v10 = shl v9, v8\n  v11 = or v7, v10\n  v12 = shr v9, v11\n  \
                    v13 = and v12, v4\n  v14 = and v11, v4\n  sstore v13, v14\n  sstore v2, v11\n  halt\n";
        let printed = after(text);
        assert!(printed.contains("v14 = and v7, v4") || printed.contains("v14 = and v5, v4"), "{printed}");
    }

    #[test]
    fn a_counter_below_its_limit_needs_no_check() {
        let text = "  br v0, b1(v2), b2\nb1(v5):\n  v6 = lt v5, v0\n  assert 0x32, v6\n  v7 = add v5, v3\n  v8 = lt v7, v0\n  \
                    br v8, b1(v7), b2\nb2:\n  halt\n";
        let printed = after(text);
        assert!(!printed.contains("assert"), "{printed}");
        let text = "  br v0, b1(v3), b2\nb1(v5):\n  v6 = lt v5, v0\n  assert 0x32, v6\n  v7 = add v5, v3\n  v8 = lt v7, v0\n  \
                    br v8, b1(v7), b2\nb2:\n  halt\n";
        check(text, "assert");
        let text = "  jump b1(v2)\nb1(v5):\n  v6 = lt v5, v0\n  br v6, b2, b3\nb2:\n  v7 = lt v5, v0\n  assert 0x32, v7\n  \
                    v8 = add v5, v3\n  jump b1(v8)\nb3:\n  halt\n";
        assert!(!after(text).contains("assert"), "{}", after(text));
    }

    #[test]
    fn what_refuses_call_data_is_known_afterwards() {
        let text = "  v5 = const 64\n  v6 = shr v5, v0\n  v7 = callvalue\n  v8 = or v6, v7\n  br v8, b1, b2\nb1:\n  panic 0x01\nb2:\n  \
                    v9 = ccast.u64 v0\n  sstore v9, v7\n  halt\n";
        check(text, "sstore v0, v7");
    }

    #[test]
    fn what_may_be_negative_keeps_its_check() {
        check("  v5 = sload v0\n  v6 = ccast_signed.u256 v5\n  sstore v6, v6\n  halt\n", "ccast_signed");
        check("  v5 = and v0, v4\n  v6 = ccast_signed.u256 v5\n  sstore v6, v6\n  halt\n", "sstore v5, v5");
    }
}
