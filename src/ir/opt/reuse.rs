//! Reuses what was computed before: equal pure operations, and storage words whose value is known.
//!
//! A pure operation with equal operands gives equal results, or the same fault, so one that is dominated by its like is replaced. A storage read
//! is replaced by the last word read from or written to the same slot, as long as nothing in between may have written another.
//! Operations without operands are left alone: codegen pushes them again for less than a stack slot costs.

use std::collections::HashMap;

use alloy_primitives::U256;

use super::Changed;
use crate::ir::build::replace_values;
use crate::ir::dominance::Dominance;
use crate::ir::{BlockId, Effect, Function, Imm, Inst, Op, Value};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let dominance = Dominance::of(function);
    let preds = function.predecessors();
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    let mut seen: HashMap<Key, Vec<(BlockId, Option<Value>)>> = HashMap::new();
    let mut constants: Vec<Option<U256>> = vec![None; function.value_count];
    let mut stored_after: Vec<Known> = vec![Known::default(); function.blocks.len()];
    let mut changed = false;
    for &id in dominance.preorder() {
        // With one way in, what was known before still is; it was visited before, since it dominates.
        let mut known = match preds[id.index()][..] {
            [pred] => stored_after[pred.index()].clone(),
            _ => Known::default(),
        };
        let mut insts = std::mem::take(&mut function.blocks[id.index()].insts);
        insts.retain_mut(|inst| {
            for arg in &mut inst.args {
                // Definitions dominate uses, so this is settled.
                *arg = replacement[arg.index()].unwrap_or(*arg);
            }
            if let (Op::Const, Imm::Word(word)) = (inst.op, inst.imm) {
                constants[inst.results[0].index()] = Some(word);
            }
            let found = if inst.op.is_repeatable() && !inst.args.is_empty() {
                let like = seen.entry(key(inst)).or_default();
                let found =
                    like.iter().rev().find(|(block, _)| dominance.dominates(*block, id)).map(|(_, v)| *v);
                if found.is_none() {
                    like.push((id, inst.results.first().copied()));
                }
                found
            } else {
                known.execute(inst, &constants).map(Some)
            };
            match found {
                None => true,
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
        stored_after[id.index()] = known;
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

/// Words of storage whose value is known, by slot.
#[derive(Clone, Default)]
struct Known {
    persistent: HashMap<Value, Value>,
    transient: HashMap<Value, Value>,
}

impl Known {
    /// Follows an operation; for a read of a known word, gives that word.
    fn execute(&mut self, inst: &Inst, constants: &[Option<U256>]) -> Option<Value> {
        match inst.op {
            Op::Sload => read(&mut self.persistent, inst),
            Op::Tload => read(&mut self.transient, inst),
            Op::Sstore => write(&mut self.persistent, inst, constants),
            Op::Tstore => write(&mut self.transient, inst, constants),
            Op::Log => None,
            op if op.info().effect == Effect::Effect => {
                *self = Known::default();
                None
            }
            _ => None,
        }
    }
}

fn read(known: &mut HashMap<Value, Value>, inst: &Inst) -> Option<Value> {
    let (slot, result) = (inst.args[0], inst.results[0]);
    let found = known.get(&slot).copied();
    known.entry(slot).or_insert(result);
    found
}

fn write(known: &mut HashMap<Value, Value>, inst: &Inst, constants: &[Option<U256>]) -> Option<Value> {
    let (slot, word) = (inst.args[0], inst.args[1]);
    // Two slots may be one unless both are constants, and different ones.
    let constant = |slot: Value| constants.get(slot.index()).copied().flatten();
    let own = constant(slot);
    known.retain(|&other, _| own.is_some() && constant(other).is_some_and(|other| Some(other) != own));
    known.insert(slot, word);
    None
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

    #[test]
    fn stored_words_are_known_until_another_slot_may_be_the_same() {
        check("  sstore v0, v0\n  v1 = sload v0\n  tstore v0, v1\n  halt\n", "tstore v0, v0");
        check("  v1 = sload v0\n  v2 = sload v0\n  tstore v1, v2\n  halt\n", "tstore v1, v1");
        check(
            "  v3 = origin\n  v1 = sload v0\n  sstore v3, v3\n  v2 = sload v0\n  tstore v1, v2\n  halt\n",
            "tstore v1, v2",
        );
        check("  v1 = sload v0\n  icall f1\n  v2 = sload v0\n  tstore v1, v2\n  halt\n", "tstore v1, v2");
        check(
            "  v3 = const 1\n  v4 = const 2\n  v1 = sload v3\n  sstore v4, v0\n  v2 = sload v3\n  tstore v1, v2\n  halt\n",
            "tstore v1, v1",
        );
    }
}
