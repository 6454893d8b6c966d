//! Places in memory and in storage: what an address is made of, and whether two of them may be one.
//!
//! What lowering guarantees and this module relies on: memory below [`FRAMES_BEGIN`] is addressed by constants alone; an
//! address made from a static buffer stays inside it, one made from `heapbase` above all buffers; and the preimages of two
//! hashes that come out near each other are equal.

use alloy_primitives::U256;

use crate::ir::{Function, Imm, Inst, Op, SlotId, Value};

/// Scratch memory and the heap pointer lie below this address.
pub(super) const FRAMES_BEGIN: u64 = 0x60;
/// How deep hashes of hashes are compared.
const HASH_DEPTH_MAX: usize = 4;
/// Offsets are followed below this.
const OFFSET_MAX: u64 = 1 << 40;

/// What an address in memory is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Base {
    /// Address 0.
    Zero,
    /// A static buffer.
    Slot(SlotId),
    /// The end of all static buffers.
    Heap,
    /// Whatever this value is.
    Value(Value),
}

/// An address in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) base: Base,
    pub(super) offset: u64,
}

/// A range of memory; without a size it may reach to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) address: Address,
    pub(super) size: Option<u64>,
}

/// A word of storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StorageSlot {
    base: Option<Value>,
    offset: U256,
}

impl StorageSlot {
    /// The value that it is counted from, if that is no constant.
    pub(super) fn base(self) -> Option<Value> {
        self.base
    }
}

#[derive(Clone, Debug)]
enum Def {
    Constant(U256),
    Hash(Vec<Value>),
    Other,
}

/// The addresses and slots that the values of a function name.
pub(super) struct Places {
    defs: Vec<Def>,
    addresses: Vec<Address>,
    slots: Vec<StorageSlot>,
    // Static buffers whose address is used other than as an address.
    escaped: Vec<bool>,
}

impl Places {
    /// Looks at all operations of a function whose blocks are reachable.
    pub(super) fn of(function: &Function) -> Places {
        let unknown = |index| Address { base: Base::Value(Value::new(index)), offset: 0 };
        let mut places = Places {
            defs: vec![Def::Other; function.value_count],
            addresses: (0..function.value_count).map(unknown).collect(),
            slots: (0..function.value_count)
                .map(|index| StorageSlot { base: Some(Value::new(index)), offset: U256::ZERO })
                .collect(),
            escaped: vec![false; function.slots.len()],
        };
        let order = function.reverse_postorder();
        for id in &order {
            for inst in &function.blocks[id.index()].insts {
                places.define(inst);
            }
        }
        for id in &order {
            let block = &function.blocks[id.index()];
            for inst in &block.insts {
                places.note_escapes(inst);
            }
            let handed_over = block.term.successors().flat_map(|to| to.args.iter().copied());
            let returned = match &block.term {
                crate::ir::Terminator::Ret(values) => &values[..],
                _ => &[],
            };
            handed_over.chain(returned.iter().copied()).for_each(|value| places.escape(value));
        }
        places
    }

    fn define(&mut self, inst: &Inst) {
        let [result] = inst.results[..] else { return };
        let at = result.index();
        match (inst.op, inst.imm) {
            (Op::Const, Imm::Word(word)) => {
                self.defs[at] = Def::Constant(word);
                self.slots[at] = StorageSlot { base: None, offset: word };
                if word < U256::from(OFFSET_MAX) {
                    self.addresses[at] = Address { base: Base::Zero, offset: word.to() };
                }
            }
            (Op::FrameAddr, Imm::Slot(slot)) => {
                self.addresses[at] = Address { base: Base::Slot(slot), offset: 0 };
            }
            (Op::HeapBase, _) => self.addresses[at] = Address { base: Base::Heap, offset: 0 },
            (Op::Add, _) => {
                let (a, b) = (inst.args[0], inst.args[1]);
                let sum = match (&self.defs[a.index()], &self.defs[b.index()]) {
                    (Def::Constant(word), Def::Other | Def::Hash(_)) => Some((b, *word)),
                    (Def::Other | Def::Hash(_), Def::Constant(word)) => Some((a, *word)),
                    _ => None,
                };
                let Some((value, word)) = sum else { return };
                let slot = self.slots[value.index()];
                self.slots[at] = StorageSlot { base: slot.base, offset: slot.offset.wrapping_add(word) };
                let address = self.addresses[value.index()];
                if word < U256::from(OFFSET_MAX) && address.offset < OFFSET_MAX {
                    self.addresses[at] = Address { offset: address.offset + word.to::<u64>(), ..address };
                }
            }
            (Op::Tablehash, _) => self.defs[at] = Def::Hash(inst.args.clone()),
            _ => {}
        }
    }

    fn note_escapes(&mut self, inst: &Inst) {
        // Operands that are addresses and nothing else; sums of a buffer's address and a constant are followed above.
        let address_operands: &[usize] = match inst.op {
            Op::Mload | Op::Mstore | Op::Mstore8 | Op::Calldatacopy | Op::Codecopy | Op::Returndatacopy => {
                &[0]
            }
            Op::Keccak256 | Op::Sha256 | Op::Ripemd160 | Op::Blake2b | Op::Log => &[0],
            Op::Mcopy => &[0, 1],
            Op::Create | Op::Create2 => &[1],
            Op::Call => &[3, 5],
            Op::Delegatecall | Op::Staticcall => &[2, 4],
            Op::Add if !matches!(self.addresses[inst.results[0].index()].base, Base::Value(_)) => &[0, 1],
            _ => &[],
        };
        for (index, &arg) in inst.args.iter().enumerate() {
            if !address_operands.contains(&index) {
                self.escape(arg);
            }
        }
    }

    fn escape(&mut self, value: Value) {
        if let Base::Slot(slot) = self.addresses[value.index()].base {
            self.escaped[slot.index()] = true;
        }
    }

    /// The constant that a value is.
    pub(super) fn constant(&self, value: Value) -> Option<U256> {
        match self.defs[value.index()] {
            Def::Constant(word) => Some(word),
            _ => None,
        }
    }

    /// The address that a value is.
    pub(super) fn address(&self, value: Value) -> Address {
        self.addresses[value.index()]
    }

    /// The range of memory that an address and a size name.
    pub(super) fn range(&self, address: Value, size: Value) -> Range {
        let size = self.constant(size).map(|size| size.saturating_to());
        Range { address: self.address(address), size }
    }

    /// The word of storage that a value names.
    pub(super) fn slot(&self, value: Value) -> StorageSlot {
        self.slots[value.index()]
    }

    /// Whether only the function itself can read or write a place in memory.
    pub(super) fn is_private(&self, address: Address) -> bool {
        matches!(address.base, Base::Slot(slot) if !self.escaped[slot.index()])
    }

    /// Whether two ranges of memory may have a byte in common.
    pub(super) fn overlap(&self, a: Range, b: Range) -> bool {
        if a.size == Some(0) || b.size == Some(0) {
            return false;
        }
        let (x, y) = (a.address, b.address);
        if x.base == y.base {
            let ends_before = |first: Range, second: Range| {
                first
                    .size
                    .is_some_and(|size| first.address.offset.saturating_add(size) <= second.address.offset)
            };
            return !ends_before(a, b) && !ends_before(b, a);
        }
        match (x.base, y.base) {
            // From address 0 upward, a range without a known end may reach anything.
            (Base::Zero, _) => self.may_leave_scratch(a),
            (_, Base::Zero) => self.may_leave_scratch(b),
            (Base::Slot(_) | Base::Heap, Base::Slot(_) | Base::Heap) => a.size.is_none() || b.size.is_none(),
            (Base::Slot(slot), Base::Value(_)) | (Base::Value(_), Base::Slot(slot)) => {
                self.escaped[slot.index()]
            }
            (Base::Value(_), Base::Value(_) | Base::Heap) | (Base::Heap, Base::Value(_)) => true,
        }
    }

    fn may_leave_scratch(&self, range: Range) -> bool {
        range.size.is_none_or(|size| range.address.offset.saturating_add(size) > FRAMES_BEGIN)
    }

    /// Whether `outer` surely covers `inner`.
    pub(super) fn covers(outer: Range, inner: Range) -> bool {
        let (Some(outer_size), Some(inner_size)) = (outer.size, inner.size) else { return false };
        let end = |range: Range, size: u64| range.address.offset.saturating_add(size);
        outer.address.base == inner.address.base
            && outer.address.offset <= inner.address.offset
            && end(inner, inner_size) <= end(outer, outer_size)
    }

    /// Whether two words of storage may be one.
    pub(super) fn may_be_one(&self, a: StorageSlot, b: StorageSlot) -> bool {
        let near = |offset: U256| offset < U256::from(OFFSET_MAX);
        match (a.base, b.base) {
            (None, None) => a.offset == b.offset,
            (Some(x), Some(y)) if x == y => a.offset == b.offset,
            (None, Some(hash)) | (Some(hash), None) if matches!(self.defs[hash.index()], Def::Hash(_)) => {
                !near(a.offset) || !near(b.offset)
            }
            (Some(x), Some(y)) => match (&self.defs[x.index()], &self.defs[y.index()]) {
                (Def::Hash(first), Def::Hash(second)) if near(a.offset) && near(b.offset) => {
                    a.offset == b.offset && self.may_hash_equal(first, second, HASH_DEPTH_MAX)
                }
                _ => true,
            },
            _ => true,
        }
    }

    fn may_hash_equal(&self, a: &[Value], b: &[Value], depth: usize) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(&x, &y)| self.may_equal(x, y, depth))
    }

    fn may_equal(&self, a: Value, b: Value, depth: usize) -> bool {
        if a == b || depth == 0 {
            return true;
        }
        match (&self.defs[a.index()], &self.defs[b.index()]) {
            (Def::Constant(x), Def::Constant(y)) => x == y,
            (Def::Hash(x), Def::Hash(y)) => self.may_hash_equal(x, y, depth - 1),
            (Def::Constant(word), Def::Hash(_)) | (Def::Hash(_), Def::Constant(word)) => {
                *word >= U256::from(OFFSET_MAX)
            }
            _ => true,
        }
    }
}
