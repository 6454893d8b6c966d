//! Keeps a slot that a loop reads and writes on the stack while the loop runs: loaded before it, stored on each way out.
//!
//! That is the same to everybody else if nothing in the loop looks at storage otherwise, which calls do; logs do not. Every
//! way out either comes after a store in the loop, so that nothing is written that the program does not write (a call
//! that may change nothing would fail by it), or leads to nothing but a revert, and then stores nothing. A slot that every
//! way out has touched costs no more before the loop than in its first round.

use super::effects::Effects;
use super::hoist::{Shape, body, place};
use super::places::StorageSlot;
use super::{Changed, Context};
use crate::ir::build::{remove_redundant_params, replace_values};
use crate::ir::{Block, BlockCall, BlockId, Function, Imm, Inst, Op, Terminator, Value};
use crate::source::Span;

/// Slots kept for one loop: each takes a word of stack while it runs.
const SLOTS_MAX: usize = 3;
/// Ways out of a loop that store: each takes code.
const EXITS_MAX: usize = 3;
/// Blocks that are looked at to see that a way leads to a revert.
const REVERT_BLOCKS_MAX: usize = 16;

/// Persistent or transient storage.
#[derive(Clone, Copy)]
struct Kind {
    load: Op,
    store: Op,
    is_observed: fn(Effects) -> bool,
}

const KINDS: [Kind; 2] = [
    Kind {
        load: Op::Sload,
        store: Op::Sstore,
        is_observed: |effects| effects.reads_storage || effects.writes_storage,
    },
    Kind {
        load: Op::Tload,
        store: Op::Tstore,
        is_observed: |effects| effects.reads_transient || effects.writes_transient,
    },
];

/// Runs the pass.
pub fn run(function: &mut Function, cx: &Context) -> Changed {
    let mut changed = false;
    for kind in KINDS {
        let mut ops = function.blocks.iter().flat_map(|block| &block.insts).map(|inst| inst.op);
        if !ops.any(|op| op == kind.store) {
            continue;
        }
        let mut shape = Shape::of(function);
        // Inner ones first: what leaves them may leave those around them.
        let heads: Vec<BlockId> = shape.heads().into_iter().rev().collect();
        for head in heads {
            for _ in 0..SLOTS_MAX {
                let Some(found) = Promotion::find(function, cx, head, &shape, kind) else { break };
                found.apply(function, &shape);
                shape = Shape::of(function);
                changed = true;
            }
        }
    }
    Changed::from(changed)
}

/// A slot to keep in a loop.
struct Promotion {
    kind: Kind,
    slot: StorageSlot,
    // The same slot, as a value from before the loop.
    address: Value,
    span: Span,
    way: BlockId,
    head: BlockId,
    // The loop's blocks, each after those that dominate it.
    blocks: Vec<BlockId>,
    within: Vec<bool>,
    // The ways out that store: from where, and which of the successors.
    exits: Vec<(BlockId, usize)>,
}

impl Promotion {
    fn find(
        function: &Function,
        cx: &Context,
        head: BlockId,
        shape: &Shape,
        kind: Kind,
    ) -> Option<Promotion> {
        let Shape { dominance, preds, places } = shape;
        let (latches, ways): (Vec<BlockId>, Vec<BlockId>) =
            preds[head.index()].iter().partition(|&&pred| dominance.dominates(head, pred));
        let [way] = ways[..] else { return None };
        let within = body(dominance, preds, head, &latches);
        let blocks: Vec<BlockId> =
            dominance.preorder().iter().copied().filter(|id| within[id.index()]).collect();
        let insts = || blocks.iter().flat_map(|id| &function.blocks[id.index()].insts);
        let is_access = |inst: &Inst| inst.op == kind.load || inst.op == kind.store;
        if insts().any(|inst| !is_access(inst) && (kind.is_observed)(cx.of_inst(inst))) {
            return None;
        }
        let is_entered_elsewhere =
            |id: &BlockId| *id != head && preds[id.index()].iter().any(|pred| !within[pred.index()]);
        if blocks.iter().any(is_entered_elsewhere) {
            return None;
        }
        let mut outs: Vec<(BlockId, usize)> = Vec::new();
        for &id in &blocks {
            for (at, to) in function.blocks[id.index()].term.successors().enumerate() {
                if !within[to.block.index()] && !is_undone(function, cx, to.block, &within, kind) {
                    outs.push((id, at));
                }
            }
        }
        if outs.is_empty() || outs.len() > EXITS_MAX {
            return None;
        }
        let mut inside = vec![false; function.value_count];
        blocks
            .iter()
            .flat_map(|id| function.blocks[id.index()].defs())
            .for_each(|value| inside[value.index()] = true);
        let mut seen: Vec<StorageSlot> = Vec::new();
        for inst in insts().filter(|inst| inst.op == kind.store && !inside[inst.args[0].index()]) {
            let slot = places.slot(inst.args[0]);
            if seen.contains(&slot) {
                continue;
            }
            seen.push(slot);
            let is_alone = insts().filter(|inst| is_access(inst)).all(|inst| {
                let other = places.slot(inst.args[0]);
                other == slot || !places.may_be_one(other, slot)
            });
            let stores = |id: &BlockId| {
                let mut own = function.blocks[id.index()].insts.iter();
                own.any(|inst| inst.op == kind.store && places.slot(inst.args[0]) == slot)
            };
            let writers: Vec<BlockId> = blocks.iter().copied().filter(stores).collect();
            let is_stored =
                |out: &(BlockId, usize)| writers.iter().any(|&writer| dominance.dominates(writer, out.0));
            if is_alone && outs.iter().all(is_stored) {
                let (address, span) = (inst.args[0], inst.span);
                return Some(Promotion { kind, slot, address, span, way, head, blocks, within, exits: outs });
            }
        }
        None
    }

    fn apply(self, function: &mut Function, shape: &Shape) {
        let Shape { preds, places, .. } = shape;
        let Promotion { kind, slot, address, span, way, head, .. } = self;
        let first = function.new_value();
        let mut replacement: Vec<Option<Value>> = Vec::new();
        let mut at_end: Vec<Option<Value>> = vec![None; function.blocks.len()];
        let mut is_join = vec![false; function.blocks.len()];
        let mut is_read = false;
        for &id in &self.blocks {
            is_join[id.index()] = id == head || preds[id.index()].len() != 1;
            let mut word = match preds[id.index()][..] {
                [pred] if !is_join[id.index()] => at_end[pred.index()],
                _ => None,
            }
            .unwrap_or_else(|| {
                let param = function.new_value();
                function.blocks[id.index()].params.push(param);
                param
            });
            replacement.resize(function.value_count, None);
            function.blocks[id.index()].insts.retain(|inst| {
                let is_access = inst.op == kind.load || inst.op == kind.store;
                if !is_access || places.slot(inst.args[0]) != slot {
                    return true;
                }
                if inst.op == kind.load {
                    is_read = true;
                    replacement[inst.results[0].index()] = Some(word);
                } else {
                    word = inst.args[1];
                }
                false
            });
            at_end[id.index()] = Some(word);
        }
        for &id in &self.blocks {
            let word = at_end[id.index()].expect("each block of the loop was gone through");
            for to in function.blocks[id.index()].term.successors_mut() {
                if self.within[to.block.index()] && is_join[to.block.index()] {
                    to.args.push(word);
                }
            }
        }
        // Where nothing in the loop reads it, any word will do: each way out has one that was stored.
        let inst = |op, imm, args: &[Value], results: &[Value]| Inst {
            op,
            imm,
            args: args.to_vec(),
            results: results.to_vec(),
            span,
        };
        let before = match is_read {
            true => inst(kind.load, Imm::None, &[address], &[first]),
            false => inst(Op::Const, Imm::Word(alloy_primitives::U256::ZERO), &[], &[first]),
        };
        let way = place(function, way, head, vec![before]);
        for to in function.blocks[way.index()].term.successors_mut() {
            to.args.push(first);
        }
        for (from, at) in self.exits {
            let fresh = BlockId::new(function.blocks.len());
            let word = at_end[from.index()].expect("each block of the loop was gone through");
            let block = &mut function.blocks[from.index()];
            let term_span = block.term_span;
            let to = block.term.successors_mut().nth(at).expect("the successor that was found");
            let on = std::mem::replace(to, BlockCall { block: fresh, args: Vec::new() });
            let insts = vec![inst(kind.store, Imm::None, &[address, word], &[])];
            function.blocks.push(Block { params: Vec::new(), insts, term: Terminator::Jump(on), term_span });
        }
        replacement.resize(function.value_count, None);
        replace_values(function, &replacement);
        remove_redundant_params(function);
    }
}

/// Whether a way leads to a revert or a trap, whatever happens, and nothing looks at storage before.
fn is_undone(function: &Function, cx: &Context, start: BlockId, within: &[bool], kind: Kind) -> bool {
    let mut seen = vec![start];
    let mut next = 0;
    while let Some(&id) = seen.get(next) {
        next += 1;
        let block = &function.blocks[id.index()];
        let ends = matches!(block.term, Terminator::Halt | Terminator::Return { .. } | Terminator::Ret(_));
        if ends
            || within[id.index()]
            || seen.len() > REVERT_BLOCKS_MAX
            || block.insts.iter().any(|inst| (kind.is_observed)(cx.of_inst(inst)))
        {
            return false;
        }
        for to in block.term.successors() {
            if !seen.contains(&to.block) {
                seen.push(to.block);
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Context, OptLevel, promote};
    use crate::ir::text::{print_function, read_module};

    /// A loop with these operations in its only block, which counts `v3` down, and what follows it.
    fn after(body: &str, after: &str) -> String {
        let text = format!(
            "func \"f\" -> 0 {{\nb0:\n  v0 = caller\n  v1 = const 1\n  v2 = const 2\n  jump b1(v2)\nb1(v3):\n{body}  v9 = sub v3, v1\n  \
             br v9, b1(v9), b2\nb2:\n{after}}}\nfunc \"g\" -> 0 {{\nb0:\n  v0 = const 1\n  v1 = sload v0\n  sstore v1, v0\n  ret\n}}\n"
        );
        let mut module = read_module(&text).expect("readable");
        let cx = Context::of(&module, OptLevel::O1);
        promote::run(&mut module.functions[0], &cx);
        crate::ir::verify::verify(&module).expect("well-formed");
        print_function(&module.functions[0])
    }

    #[track_caller]
    fn check(body: &str, is_promoted: bool) {
        let printed = after(body, "  halt\n");
        let (_, looped) = printed.split_once("b1(").expect("the loop");
        let (looped, rest) = looped.split_once("b2:").expect("the end");
        assert_eq!(looped.contains("sstore v1"), !is_promoted, "{body} in\n{printed}");
        assert_eq!(rest.contains("sstore v1"), is_promoted, "{body} in\n{printed}");
    }

    #[test]
    fn a_slot_is_loaded_before_a_loop_and_stored_after_it() {
        let printed = after("  v4 = sload v1\n  v5 = add v4, v3\n  sstore v1, v5\n", "  halt\n");
        let expected = "  v10 = sload v1\n  jump b1(v2, v10)\nb1(v3, v11):\n  v5 = add v11, v3\n  v9 = sub v3, v1\n  \
                        br v9, b1(v9, v5), b3\nb2:\n  halt\nb3:\n  sstore v1, v5\n  jump b2\n";
        assert!(printed.contains(expected), "{printed}");
    }

    #[test]
    fn what_may_look_at_the_slot_keeps_it_in_place() {
        let add = "  v4 = sload v1\n  v5 = add v4, v3\n  sstore v1, v5\n";
        check(add, true);
        check(&format!("{add}  log v1, v2, v0\n"), true);
        check(&format!("{add}  v6 = sload v2\n  tstore v6, v6\n"), true);
        check(&format!("{add}  v6 = tablehash v2, v3\n  sstore v6, v3\n"), true);
        check(&format!("{add}  v6 = sload v3\n  tstore v6, v6\n"), false);
        check(&format!("{add}  sstore v3, v3\n"), false);
        check(&format!("{add}  icall f1\n"), false);
        check(&format!("{add}  v6 = staticcall v0, v0, v1, v1, v1, v1\n  tstore v6, v6\n"), false);
        check(&format!("{add}  v6 = call v0, v0, v1, v1, v1, v1, v1\n  tstore v6, v6\n"), false);
        check("  sstore v1, v3\n", true);
    }

    /// A loop whose first block may leave it to `b3` before the store; `more` are blocks behind all others.
    fn leaves(early: &str, more: &str) -> String {
        let text = format!(
            "func \"f\" -> 0 {{\nb0:\n  v0 = caller\n  v1 = const 1\n  jump b1(v0)\nb1(v3):\n  v4 = sload v1\n  br v4, b2, b3\nb2:\n  \
             v5 = add v4, v3\n  sstore v1, v5\n  v9 = sub v3, v1\n  br v9, b1(v9), b4\nb3:\n{early}b4:\n  halt\n{more}}}\n"
        );
        let mut module = read_module(&text).expect("readable");
        let cx = Context::of(&module, OptLevel::O1);
        promote::run(&mut module.functions[0], &cx);
        crate::ir::verify::verify(&module).expect("well-formed");
        print_function(&module.functions[0])
    }

    #[test]
    fn a_way_out_without_a_store_gets_none() {
        let stores_in_loop = |printed: &str| {
            let (before, _) = printed.split_once("b3:").expect("the early way out");
            before.contains("sstore")
        };
        let reverts = [
            ("  revert v1, v1\n", ""),
            ("  panic 0x11\n", ""),
            ("  v7 = add v0, v0\n  br v7, b5, b6\n", "b5:\n  panic 0x01\nb6:\n  invalid\n"),
        ];
        for (early, more) in reverts {
            let printed = leaves(early, more);
            assert!(!stores_in_loop(&printed), "{printed}");
            assert_eq!(printed.matches("sstore").count(), 1, "{printed}");
        }
        // Nothing was stored in the first round.
        for stays in ["  halt\n", "  jump b4\n", "  v7 = sload v1\n  revert v7, v1\n"] {
            assert!(stores_in_loop(&leaves(stays, "")), "{stays}");
        }
    }
}
