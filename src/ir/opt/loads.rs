//! Replaces loads of memory, storage and transient storage by the word that was stored or loaded there before.
//!
//! What is known at the end of each block flows forward; at a join, what is known on every way in stays known. Calls end
//! what the callee may write (see [`Effects`]).

use super::effects::Effects;
use super::places::{Address, Places, Range, StorageSlot};
use super::{Changed, Context};
use crate::ir::build::replace_values;
use crate::ir::{BlockId, Function, Imm, Inst, Op, Value};

/// Words remembered per kind; the oldest is forgotten first.
const WORDS_MAX: usize = 48;
/// Rounds until the words known at the heads of loops must have settled; after that nothing is known there.
const FLOW_ROUNDS_MAX: usize = 5;

/// Runs the pass.
pub fn run(function: &mut Function, cx: &Context) -> Changed {
    let places = Places::of(function);
    let flow = Flow { places: &places, cx };
    let known_in = flow.solve(function);
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    let mut changed = false;
    for (index, known) in known_in.into_iter().enumerate() {
        let Some(mut known) = known else { continue };
        function.blocks[index].insts.retain(|inst| match flow.execute(&mut known, inst) {
            Some(word) => {
                replacement[inst.results[0].index()] = Some(word);
                changed = true;
                false
            }
            None => true,
        });
    }
    replace_values(function, &replacement);
    Changed::from(changed)
}

/// Words that are known, the newest last.
#[derive(Clone, Default, PartialEq)]
struct Known {
    memory: Vec<(Address, Value)>,
    storage: Vec<(StorageSlot, Value)>,
    transient: Vec<(StorageSlot, Value)>,
}

impl Known {
    /// Keeps what both know.
    fn meet(&mut self, other: &Known) {
        self.memory.retain(|word| other.memory.contains(word));
        self.storage.retain(|word| other.storage.contains(word));
        self.transient.retain(|word| other.transient.contains(word));
    }
}

fn remember<K: PartialEq>(words: &mut Vec<(K, Value)>, place: K, value: Value) {
    if words.len() == WORDS_MAX {
        words.remove(0);
    }
    words.push((place, value));
}

fn find<K: PartialEq>(words: &[(K, Value)], place: &K) -> Option<Value> {
    words.iter().find(|(known, _)| known == place).map(|&(_, value)| value)
}

struct Flow<'a> {
    places: &'a Places,
    cx: &'a Context,
}

impl Flow<'_> {
    /// What is known at the beginning of each block that can be reached.
    fn solve(&self, function: &Function) -> Vec<Option<Known>> {
        let order = function.reverse_postorder();
        let preds = function.predecessors();
        let mut position = vec![usize::MAX; function.blocks.len()];
        order.iter().enumerate().for_each(|(at, id)| position[id.index()] = at);
        let mut known_in: Vec<Option<Known>> = vec![None; function.blocks.len()];
        let mut known_out: Vec<Option<Known>> = vec![None; function.blocks.len()];
        for round in 0.. {
            let mut changed = false;
            for (at, id) in order.iter().enumerate() {
                // A way that was not looked at yet limits nothing, until the next round, or too many of them.
                let is_back = |pred: &BlockId| position[pred.index()] >= at;
                let known = if round == FLOW_ROUNDS_MAX && preds[id.index()].iter().any(is_back) {
                    Known::default()
                } else {
                    let mut ways =
                        preds[id.index()].iter().filter_map(|pred| known_out[pred.index()].as_ref());
                    let mut known = ways.next().cloned().unwrap_or_default();
                    ways.for_each(|way| known.meet(way));
                    known
                };
                if known_in[id.index()].as_ref() == Some(&known) {
                    continue;
                }
                changed = true;
                let mut after = known.clone();
                for inst in &function.blocks[id.index()].insts {
                    self.execute(&mut after, inst);
                }
                known_in[id.index()] = Some(known);
                known_out[id.index()] = Some(after);
            }
            if !changed || round == FLOW_ROUNDS_MAX {
                return known_in;
            }
        }
        known_in
    }

    /// Follows an operation; for a load of a known word, gives that word.
    fn execute(&self, known: &mut Known, inst: &Inst) -> Option<Value> {
        let places = self.places;
        let word_at = |address: Value| Range { address: places.address(address), size: Some(32) };
        match inst.op {
            Op::Mload => {
                let address = places.address(inst.args[0]);
                let found = find(&known.memory, &address);
                if found.is_none() {
                    remember(&mut known.memory, address, inst.results[0]);
                }
                return found;
            }
            Op::Mstore => {
                self.forget(known, word_at(inst.args[0]));
                remember(&mut known.memory, places.address(inst.args[0]), inst.args[1]);
            }
            Op::Mstore8 => self.forget(known, Range { size: Some(1), ..word_at(inst.args[0]) }),
            Op::Mcopy | Op::Calldatacopy | Op::Codecopy | Op::Returndatacopy => {
                self.forget(known, places.range(inst.args[0], inst.args[2]));
            }
            Op::Sload => return self.load(&mut known.storage, inst),
            Op::Tload => return self.load(&mut known.transient, inst),
            Op::Sstore => self.store(&mut known.storage, inst),
            Op::Tstore => self.store(&mut known.transient, inst),
            Op::Icall => {
                let effects = match inst.imm {
                    Imm::Func(callee) => self.cx.effects[callee.index()],
                    _ => Effects::ALL,
                };
                self.call(known, effects);
                if effects.writes_memory {
                    known.memory.retain(|&(address, _)| places.is_private(address));
                }
            }
            Op::Call | Op::Delegatecall | Op::Staticcall => {
                let out = inst.args.len() - 2;
                self.call(known, Effects::of(inst.op));
                self.forget(known, places.range(inst.args[out], inst.args[out + 1]));
            }
            _ => self.call(known, Effects::of(inst.op)),
        }
        None
    }

    fn call(&self, known: &mut Known, effects: Effects) {
        if effects.writes_storage {
            known.storage.clear();
        }
        if effects.writes_transient {
            known.transient.clear();
        }
    }

    fn forget(&self, known: &mut Known, written: Range) {
        let word = |address| Range { address, size: Some(32) };
        known.memory.retain(|&(address, _)| !self.places.overlap(word(address), written));
    }

    fn load(&self, words: &mut Vec<(StorageSlot, Value)>, inst: &Inst) -> Option<Value> {
        let slot = self.places.slot(inst.args[0]);
        let found = find(words, &slot);
        if found.is_none() {
            remember(words, slot, inst.results[0]);
        }
        found
    }

    fn store(&self, words: &mut Vec<(StorageSlot, Value)>, inst: &Inst) {
        let slot = self.places.slot(inst.args[0]);
        words.retain(|&(other, _)| !self.places.may_be_one(slot, other));
        remember(words, slot, inst.args[1]);
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Context, OptLevel, loads};
    use crate::ir::text::{print_function, read_module};

    fn check(body: &str, expected: &str) {
        let text = format!(
            "func \"f\" -> 0 {{\nb0:\n  v0 = caller\n  v1 = const 1\n  v2 = const 2\n  v3 = const 64\n{body}}}\n\
             func \"g\" -> 0 {{\nb0:\n  v0 = caller\n  sstore v0, v0\n  ret\n}}\n"
        );
        let mut module = read_module(&text).expect("readable");
        let cx = Context::of(&module, OptLevel::O1);
        loads::run(&mut module.functions[0], &cx);
        let printed = print_function(&module.functions[0]);
        assert!(printed.contains(expected), "{expected} in\n{printed}");
    }

    #[test]
    fn storage_is_known_until_another_slot_may_be_the_same() {
        check("  sstore v0, v0\n  v4 = sload v0\n  tstore v0, v4\n  halt\n", "tstore v0, v0");
        check("  v4 = sload v0\n  v5 = sload v0\n  tstore v4, v5\n  halt\n", "tstore v4, v4");
        check(
            "  v4 = sload v1\n  sstore v2, v0\n  v5 = sload v1\n  tstore v4, v5\n  halt\n",
            "tstore v4, v4",
        );
        check(
            "  v4 = sload v1\n  sstore v0, v0\n  v5 = sload v1\n  tstore v4, v5\n  halt\n",
            "tstore v4, v5",
        );
        check("  v4 = sload v1\n  icall f1\n  v5 = sload v1\n  tstore v4, v5\n  halt\n", "tstore v4, v5");
        let table =
            "  v6 = tablehash v1, v0\n  v7 = tablehash v2, v0\n  v8 = tablehash v1, v3\n  v4 = sload v6\n";
        check(
            &format!("{table}  sstore v7, v0\n  v5 = sload v6\n  tstore v4, v5\n  halt\n"),
            "tstore v4, v4",
        );
        check(
            &format!("{table}  sstore v8, v0\n  v5 = sload v6\n  tstore v4, v5\n  halt\n"),
            "tstore v4, v5",
        );
        check(
            &format!("{table}  sstore v1, v0\n  v5 = sload v6\n  tstore v4, v5\n  halt\n"),
            "tstore v4, v4",
        );
    }

    #[test]
    fn what_every_way_in_knows_is_known() {
        let diamond = |then: &str| {
            format!(
                "  v4 = sload v1\n  br v0, b1, b2\nb1:\n{then}  jump b3\nb2:\n  jump b3\nb3:\n  v5 = sload v1\n  tstore v4, v5\n  halt\n"
            )
        };
        check(&diamond(""), "tstore v4, v4");
        check(&diamond("  sstore v1, v0\n"), "tstore v4, v5");
        let lap = |body: &str| {
            format!(
                "  v4 = sload v1\n  jump b1\nb1:\n  v5 = sload v1\n  br v5, b2, b3\nb2:\n{body}  jump b1\nb3:\n  halt\n"
            )
        };
        check(&lap(""), "br v4, b2, b3");
        check(&lap("  sstore v1, v0\n"), "br v5, b2, b3");
    }

    #[test]
    fn memory_is_known_until_it_may_be_written() {
        check("  mstore v3, v0\n  v4 = mload v3\n  tstore v0, v4\n  halt\n", "tstore v0, v0");
        // 1 and 2 overlap, 64 lies above both.
        check(
            "  mstore v2, v0\n  mstore v1, v1\n  v4 = mload v2\n  tstore v0, v4\n  halt\n",
            "tstore v0, v4",
        );
        check(
            "  mstore v3, v0\n  mstore v1, v1\n  v4 = mload v3\n  tstore v0, v4\n  halt\n",
            "tstore v0, v0",
        );
        // An address that is no constant is no scratch memory.
        check(
            "  mstore v3, v0\n  mstore v0, v1\n  v4 = mload v3\n  tstore v0, v4\n  halt\n",
            "tstore v0, v0",
        );
        check(
            "  mstore v3, v0\n  calldatacopy v1, v1, v3\n  v4 = mload v3\n  tstore v0, v4\n  halt\n",
            "tstore v0, v4",
        );
    }
}
