//! Removes stores that nothing reads: memory that is overwritten or never looked at again, storage that is overwritten, or undone by
//! a revert. A store of the heap pointer that only some ways need moves to those.
//!
//! What may still be read flows backward. A trap reads no storage, since it undoes all; a call may read everything that its
//! effects say.

use super::effects::Effects;
use super::places::{Places, Range, StorageSlot};
use super::{Changed, Context};
use crate::ir::{Block, Function, Imm, Inst, Op, Terminator, Value};

/// Ranges of memory and slots that are told apart; more count as everything.
const PLACES_MAX: usize = 48;
/// Rounds until what loops read must have settled; otherwise nothing is removed.
const FLOW_ROUNDS_MAX: usize = 8;

/// Runs the pass.
pub fn run(function: &mut Function, cx: &Context) -> Changed {
    let places = Places::of(function);
    let flow = Flow { places: &places, cx };
    let Some(live_out) = flow.solve(function) else { return Changed::No };
    let mut changed = false;
    for (index, live) in live_out.iter().enumerate() {
        let Some(mut live) = live.clone() else { continue };
        let mut dead = vec![false; function.blocks[index].insts.len()];
        flow.terminator(&mut live, &function.blocks[index]);
        for (at, inst) in function.blocks[index].insts.iter().enumerate().rev() {
            dead[at] = flow.execute(&mut live, inst);
        }
        if dead.contains(&true) {
            let mut dead = dead.iter();
            function.blocks[index].insts.retain(|_| !dead.next().copied().unwrap_or(false));
            changed = true;
        }
    }
    Changed::from(changed | (!changed && flow.sink(function, &live_out)))
}

/// What may still be read.
#[derive(Clone, PartialEq, Default)]
struct Live {
    memory: Memory,
    storage: Storage,
    transient: Storage,
}

#[derive(Clone, PartialEq)]
enum Memory {
    /// These ranges.
    Ranges(Vec<Range>),
    /// Everything but static buffers whose address only this function knows, unless they are listed.
    All(Vec<Range>),
}

impl Default for Memory {
    fn default() -> Self {
        Memory::Ranges(Vec::new())
    }
}

#[derive(Clone, PartialEq, Default)]
enum Storage {
    /// Nothing: all ways lead to a revert.
    #[default]
    Nothing,
    /// Everything but these slots, which are written before they are read.
    AllBut(Vec<StorageSlot>),
}

impl Memory {
    fn add(&mut self, range: Range) {
        let (Memory::Ranges(ranges) | Memory::All(ranges)) = self;
        if ranges.iter().any(|&known| known == range || Places::covers(known, range)) {
            return;
        }
        if ranges.len() == PLACES_MAX {
            // Address 0 and no end: everything.
            let zero = super::places::Address { base: super::places::Base::Zero, offset: 0 };
            *ranges = vec![Range { address: zero, size: None }];
            *self = Memory::All(std::mem::take(ranges));
            return;
        }
        ranges.push(range);
    }

    fn join(&mut self, other: &Memory) {
        let (Memory::Ranges(ranges) | Memory::All(ranges)) = other;
        if matches!(other, Memory::All(_)) {
            self.make_all();
        }
        ranges.iter().for_each(|&range| self.add(range));
    }

    fn make_all(&mut self) {
        if let Memory::Ranges(ranges) = self {
            *self = Memory::All(std::mem::take(ranges));
        }
    }
}

impl Storage {
    fn join(&mut self, other: &Storage) {
        match (&mut *self, other) {
            (Storage::Nothing, _) => *self = other.clone(),
            (_, Storage::Nothing) => {}
            (Storage::AllBut(slots), Storage::AllBut(others)) => slots.retain(|slot| others.contains(slot)),
        }
    }
}

struct Flow<'a> {
    places: &'a Places,
    cx: &'a Context,
}

impl Flow<'_> {
    /// What may be read after each block, by its successors; `None` if that does not settle.
    fn solve(&self, function: &Function) -> Option<Vec<Option<Live>>> {
        let mut order = function.reverse_postorder();
        order.reverse();
        let mut live_in: Vec<Option<Live>> = vec![None; function.blocks.len()];
        let mut live_out: Vec<Option<Live>> = vec![None; function.blocks.len()];
        for _ in 0..FLOW_ROUNDS_MAX {
            let mut changed = false;
            for id in &order {
                let block = &function.blocks[id.index()];
                let mut live = Live::default();
                for next in block.term.successors().filter_map(|to| live_in[to.block.index()].as_ref()) {
                    live.memory.join(&next.memory);
                    live.storage.join(&next.storage);
                    live.transient.join(&next.transient);
                }
                if live_out[id.index()].as_ref() == Some(&live) {
                    continue;
                }
                changed = true;
                live_out[id.index()] = Some(live.clone());
                self.terminator(&mut live, block);
                for inst in block.insts.iter().rev() {
                    self.execute(&mut live, inst);
                }
                live_in[id.index()] = Some(live);
            }
            if !changed {
                return Some(live_out);
            }
        }
        None
    }

    fn terminator(&self, live: &mut Live, block: &Block) {
        match block.term {
            Terminator::Return { address, size } => {
                live.memory.add(self.places.range(address, size));
                live.storage = Storage::AllBut(Vec::new());
                live.transient = Storage::AllBut(Vec::new());
            }
            Terminator::Revert { address, size } => live.memory.add(self.places.range(address, size)),
            Terminator::Halt => {
                live.storage = Storage::AllBut(Vec::new());
                live.transient = Storage::AllBut(Vec::new());
            }
            Terminator::Ret(_) => {
                live.memory.make_all();
                live.storage = Storage::AllBut(Vec::new());
                live.transient = Storage::AllBut(Vec::new());
            }
            Terminator::Jump(_)
            | Terminator::Br { .. }
            | Terminator::Switch { .. }
            | Terminator::Panic(_)
            | Terminator::Invalid => {}
        }
    }

    /// Goes back over an operation; whether it is a store that nothing reads.
    fn execute(&self, live: &mut Live, inst: &Inst) -> bool {
        let places = self.places;
        let word_at = |address: Value| Range { address: places.address(address), size: Some(32) };
        // What is named by a value is not known before the value exists.
        for &result in &inst.results {
            for storage in [&mut live.storage, &mut live.transient] {
                if let Storage::AllBut(slots) = storage {
                    slots.retain(|slot| slot.base() != Some(result));
                }
            }
        }
        match inst.op {
            Op::Mload => live.memory.add(word_at(inst.args[0])),
            Op::Mstore => return self.write(live, word_at(inst.args[0])),
            Op::Mstore8 => return self.write(live, Range { size: Some(1), ..word_at(inst.args[0]) }),
            Op::Calldatacopy | Op::Codecopy => {
                return self.write(live, places.range(inst.args[0], inst.args[2]));
            }
            Op::Mcopy => {
                if self.write(live, places.range(inst.args[0], inst.args[2])) {
                    return true;
                }
                live.memory.add(places.range(inst.args[1], inst.args[2]));
            }
            Op::Keccak256 | Op::Sha256 | Op::Ripemd160 | Op::Blake2b | Op::Log => {
                live.memory.add(places.range(inst.args[0], inst.args[1]));
            }
            Op::Create | Op::Create2 => {
                live.memory.add(places.range(inst.args[1], inst.args[2]));
                self.observe(live, Effects::ALL);
            }
            Op::Call | Op::Delegatecall | Op::Staticcall => {
                // The output may be shorter than its place: what was there may stay.
                let input = inst.args.len() - 4;
                live.memory.add(places.range(inst.args[input], inst.args[input + 1]));
                self.observe(live, Effects::of(inst.op));
            }
            Op::Icall => {
                let effects = match inst.imm {
                    Imm::Func(callee) => self.cx.effects[callee.index()],
                    _ => Effects::ALL,
                };
                if effects.reads_memory {
                    live.memory.make_all();
                }
                self.observe(live, effects);
            }
            Op::Sload => self.read_slot(&mut live.storage, inst.args[0]),
            Op::Tload => self.read_slot(&mut live.transient, inst.args[0]),
            Op::Sstore => return self.write_slot(&mut live.storage, inst.args[0]),
            Op::Tstore => return self.write_slot(&mut live.transient, inst.args[0]),
            // Services and signatures: how much they read is not worth following.
            op if Effects::of(op).reads_memory => live.memory.make_all(),
            _ => {}
        }
        false
    }

    fn observe(&self, live: &mut Live, effects: Effects) {
        if effects.reads_storage {
            live.storage = Storage::AllBut(Vec::new());
        }
        if effects.reads_transient {
            live.transient = Storage::AllBut(Vec::new());
        }
    }

    fn read_slot(&self, storage: &mut Storage, slot: Value) {
        let slot = self.places.slot(slot);
        match storage {
            // Which of all others nothing reads is not worth remembering.
            Storage::Nothing => *storage = Storage::AllBut(Vec::new()),
            Storage::AllBut(slots) => slots.retain(|&other| !self.places.may_be_one(other, slot)),
        }
    }

    fn write_slot(&self, storage: &mut Storage, slot: Value) -> bool {
        let slot = self.places.slot(slot);
        match storage {
            Storage::Nothing => true,
            Storage::AllBut(slots) if slots.contains(&slot) => true,
            Storage::AllBut(slots) => {
                if slots.len() < PLACES_MAX {
                    slots.push(slot);
                }
                false
            }
        }
    }

    fn is_live(&self, memory: &Memory, range: Range) -> bool {
        match memory {
            Memory::Ranges(ranges) => ranges.iter().any(|&live| self.places.overlap(live, range)),
            Memory::All(ranges) => {
                !self.places.is_private(range.address)
                    || ranges.iter().any(|&live| self.places.overlap(live, range))
            }
        }
    }

    fn write(&self, live: &mut Live, range: Range) -> bool {
        if !self.is_live(&live.memory, range) {
            return true;
        }
        let (Memory::Ranges(ranges) | Memory::All(ranges)) = &mut live.memory;
        ranges.retain(|&inner| !Places::covers(range, inner));
        false
    }

    /// Moves constants that a block stores in scratch memory last to those of the next blocks that may read them.
    fn sink(&self, function: &mut Function, live_out: &[Option<Live>]) -> bool {
        let preds = function.predecessors();
        let mut changed = false;
        for id in function.reverse_postorder() {
            let block = &function.blocks[id.index()];
            let successors: Vec<usize> = block.term.successors().map(|to| to.block.index()).collect();
            if successors.len() < 2 {
                continue;
            }
            let Some(at) = block.insts.iter().rposition(|inst| self.is_constant_store(inst)) else {
                continue;
            };
            let stored = Range { address: self.places.address(block.insts[at].args[0]), size: Some(32) };
            if block.insts[at + 1..].iter().any(|inst| self.touches(inst, stored)) {
                continue;
            }
            let needs = |&next: &usize| {
                let Some(mut live) = live_out[next].clone() else { return true };
                let block = &function.blocks[next];
                self.terminator(&mut live, block);
                for inst in block.insts.iter().rev() {
                    self.execute(&mut live, inst);
                }
                self.is_live(&live.memory, stored)
            };
            let mut needing: Vec<usize> = successors.iter().copied().filter(needs).collect();
            needing.sort_unstable();
            needing.dedup();
            let all = successors.len() == needing.len();
            if all || needing.iter().any(|&next| preds[next].len() != 1) {
                continue;
            }
            let store = function.blocks[id.index()].insts.remove(at);
            for next in needing {
                function.blocks[next].insts.insert(0, store.clone());
            }
            changed = true;
        }
        changed
    }

    fn is_constant_store(&self, inst: &Inst) -> bool {
        let is_leaf = |value: Value| {
            self.places.constant(value).is_some()
                || matches!(self.places.address(value).base, super::places::Base::Heap)
                    && self.places.address(value).offset == 0
        };
        inst.op == Op::Mstore && self.places.constant(inst.args[0]).is_some() && is_leaf(inst.args[1])
    }

    /// Whether an operation may read or write a range of scratch memory.
    fn touches(&self, inst: &Inst, range: Range) -> bool {
        let effects = match (inst.op, inst.imm) {
            (Op::Icall, Imm::Func(callee)) => self.cx.effects[callee.index()],
            _ => Effects::of(inst.op),
        };
        if !effects.reads_memory && !effects.writes_memory {
            return false;
        }
        match inst.op {
            Op::Mload | Op::Mstore | Op::Mstore8 => {
                let word = Range { address: self.places.address(inst.args[0]), size: Some(32) };
                self.places.overlap(word, range)
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Context, OptLevel, stores};
    use crate::ir::text::{print_function, read_module};

    fn after(body: &str) -> String {
        let text = format!(
            "func \"f\" -> 0 {{\nb0:\n  v0 = caller\n  v1 = const 1\n  v2 = const 32\n  v3 = const 64\n{body}}}\n"
        );
        let mut module = read_module(&text).expect("readable");
        let cx = Context::of(&module, OptLevel::O1);
        stores::run(&mut module.functions[0], &cx);
        print_function(&module.functions[0])
    }

    fn check(body: &str, expected: &str, gone: &str) {
        let printed = after(body);
        assert!(
            printed.contains(expected) && !printed.contains(gone),
            "{expected} without {gone} in\n{printed}"
        );
    }

    #[test]
    fn storage_that_is_overwritten_or_undone_is_not_stored() {
        check("  sstore v1, v0\n  sstore v1, v2\n  halt\n", "sstore v1, v2", "sstore v1, v0");
        check("  sstore v1, v0\n  v4 = sload v0\n  sstore v1, v4\n  halt\n", "sstore v1, v0", "nothing");
        check("  sstore v1, v0\n  log v1, v1\n  sstore v1, v2\n  halt\n", "sstore v1, v2", "sstore v1, v0");
        check("  sstore v1, v0\n  panic 0x11\n", "panic", "sstore");
        check(
            "  sstore v1, v0\n  br v0, b1, b2\nb1:\n  halt\nb2:\n  sstore v1, v2\n  halt\n",
            "sstore v1, v0",
            "nothing",
        );
        let both = "  sstore v1, v0\n  br v0, b1, b2\nb1:\n  panic 0x11\nb2:\n  sstore v1, v2\n  halt\n";
        check(both, "sstore v1, v2", "sstore v1, v0");
        let call = "  sstore v1, v0\n  v4 = call v0, v0, v0, v1, v1, v1, v1\n  sstore v1, v2\n  halt\n";
        check(call, "sstore v1, v0", "nothing");
    }

    #[test]
    fn memory_that_nobody_looks_at_is_not_stored() {
        check("  mstore v3, v0\n  return v1, v2\n", "return", "mstore");
        check("  mstore v2, v0\n  return v1, v2\n", "mstore v2, v0", "nothing");
        check("  mstore v3, v0\n  v4 = mload v3\n  sstore v4, v4\n  halt\n", "mstore", "nothing");
        check(
            "  mstore v3, v0\n  mstore v3, v1\n  v4 = mload v3\n  sstore v4, v4\n  halt\n",
            "mstore v3, v1",
            "mstore v3, v0",
        );
    }

    #[test]
    fn a_constant_is_stored_where_it_is_needed() {
        let printed = after(
            "  v5 = heapbase\n  mstore v3, v5\n  br v0, b1, b2\nb1:\n  halt\nb2:\n  v4 = mload v3\n  sstore v4, v4\n  halt\n",
        );
        assert!(printed.contains("b2:\n  mstore v3, v5\n"), "{printed}");
        assert_eq!(printed.matches("mstore").count(), 1, "{printed}");
    }
}
