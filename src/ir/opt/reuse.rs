//! Reuses what was computed before: a pure operation with equal operands gives equal results, or the same fault, so one that
//! is dominated by its like is replaced.
//!
//! Operations without operands are [`leaves`](super::leaves)' business.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::Changed;
use crate::ir::build::replace_values;
use crate::ir::dominance::Dominance;
use crate::ir::{BlockId, Function, Imm, Inst, Op, Value};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let dominance = Dominance::of(function);
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    // By operation the last one seen, each with the one before that is like it.
    let mut seen: FxHashMap<Key, usize> = FxHashMap::default();
    let mut likes: Vec<(BlockId, Option<Value>, Option<usize>)> = Vec::new();
    let mut changed = false;
    for &id in dominance.preorder() {
        let mut insts = std::mem::take(&mut function.blocks[id.index()].insts);
        insts.retain_mut(|inst| {
            for arg in &mut inst.args {
                // Definitions dominate uses, so this is settled.
                *arg = replacement[arg.index()].unwrap_or(*arg);
            }
            if !inst.op.is_repeatable() || inst.args.is_empty() {
                return true;
            }
            let last = seen.entry(Key::of(inst));
            let mut before = match &last {
                Entry::Occupied(last) => Some(*last.get()),
                Entry::Vacant(_) => None,
            };
            let latest = before;
            let mut found = None;
            while let Some(at) = before {
                let (block, value, earlier) = likes[at];
                if dominance.dominates(block, id) {
                    found = Some(value);
                    break;
                }
                before = earlier;
            }
            match found {
                None => {
                    last.insert_entry(likes.len());
                    likes.push((id, inst.results.first().copied(), latest));
                    true
                }
                Some(value) => {
                    if let Some(&result) = inst.results.first() {
                        replacement[result.index()] = value;
                    }
                    changed = true;
                    false
                }
            }
        });
        function.blocks[id.index()].insts = insts;
    }
    replace_values(function, &replacement);
    Changed::from(changed)
}

/// What makes two operations equal.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    op: Op,
    imm: Imm,
    // Most have few operands, which take no memory of their own.
    few: [Option<Value>; FEW],
    others: Vec<Value>,
}

const FEW: usize = 3;

impl Key {
    fn of(inst: &Inst) -> Key {
        let mut few = [None; FEW];
        few.iter_mut().zip(&inst.args).for_each(|(place, &arg)| *place = Some(arg));
        let others = inst.args.get(FEW..).unwrap_or_default().to_vec();
        if inst.op.is_commutative() && few[1] < few[0] {
            few.swap(0, 1);
        }
        Key { op: inst.op, imm: inst.imm, few, others }
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::reuse;
    use crate::ir::text::{print_function, read_module};

    fn check(body: &str, expected: &str) {
        let text = format!("func \"f\" -> 0 {{\nb0:\n  v0 = caller\n{body}}}\n");
        let mut function = read_module(&text).expect("readable").functions.remove(0);
        reuse::run(&mut function);
        let printed = print_function(&function);
        assert!(printed.contains(expected), "{expected} in\n{printed}");
    }

    #[test]
    fn equal_operations_are_done_once() {
        check(
            "  v1 = add v0, v0\n  v2 = add v0, v0\n  sstore v1, v2\n  halt\n",
            "  v1 = add v0, v0\n  sstore v1, v1\n",
        );
        check(
            "  v1 = tablehash v0, v0\n  br v1, b1, b1\nb1:\n  v2 = tablehash v0, v0\n  sstore v1, v2\n  halt\n",
            "b1:\n  sstore v1, v1\n",
        );
    }

    #[test]
    fn an_operation_in_another_branch_does_not_count() {
        check(
            "  br v0, b1, b2\nb1:\n  v1 = add v0, v0\n  sstore v0, v1\n  halt\nb2:\n  v2 = add v0, v0\n  sstore v0, v2\n  halt\n",
            "b2:\n  v2 = add v0, v0\n",
        );
    }
}
