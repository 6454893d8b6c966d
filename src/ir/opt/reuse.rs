//! Reuses what was computed before: a pure operation with equal operands gives equal results, or the same fault, so one that
//! is dominated by its like is replaced.
//!
//! Operations without operands are [`leaves`](super::leaves)' business.

use std::collections::HashMap;

use super::Changed;
use crate::ir::build::replace_values;
use crate::ir::dominance::Dominance;
use crate::ir::{BlockId, Function, Imm, Inst, Op, Value};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let dominance = Dominance::of(function);
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    let mut seen: HashMap<Key, Vec<(BlockId, Option<Value>)>> = HashMap::new();
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
            let like = seen.entry(key(inst)).or_default();
            let found = like.iter().rev().find(|(block, _)| dominance.dominates(*block, id)).map(|(_, v)| *v);
            match found {
                None => {
                    like.push((id, inst.results.first().copied()));
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
type Key = (Op, Imm, Vec<Value>);

fn key(inst: &Inst) -> Key {
    let mut args = inst.args.clone();
    if inst.op.is_commutative() {
        args.sort_unstable();
    }
    (inst.op, inst.imm, args)
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
