//! The heap (§12): allocation, and how `bytes`, `string`, `Vec<T>` and `[T; N]` lie there.
//!
//! A value of `bytes`, `string` or `Vec<T>` is the address of its length word. The data follow it, and the word
//! before it is the capacity: how many bytes or elements fit before `push` has to move the value. An element is
//! as many words as its type has ([`values`](super::values)), one after the other, so an element that is itself a
//! vector is its pointer. `[T; N]` is the address of its first element; there is no header. What follows the last
//! byte of `bytes` in its word is arbitrary. Memory above the heap pointer is arbitrary too: it serves for
//! encodings that nothing keeps.
//!
//! Each value has one owner, because using one by value moves it; so no two values share memory.

use alloy_primitives::U256;
use zvm::outcome::panic_code;

use super::function::{Base, Lower};
use super::values;
use crate::ir::{Imm, Op, Value};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// Memory address of the word that holds the heap pointer.
pub(super) const HEAP_POINTER: u64 = 0x40;

/// How large the heap of one activation may become (§12).
const HEAP_BYTES_MAX: u64 = 1 << 20;

/// Capacity and length, in front of the data.
const HEADER_BYTES: u64 = 64;

impl Lower<'_, '_> {
    // Allocation.

    /// The first free address of the heap, a multiple of 32.
    pub(super) fn heap_pointer(&mut self) -> Value {
        self.cx.uses_heap = true;
        let address = self.b.iconst_u64(HEAP_POINTER);
        self.b.unary(Op::Mload, address)
    }

    /// Makes `end`, a multiple of 32, the first free address; Panic 0x41 if the heap gets too large.
    pub(super) fn set_heap_pointer(&mut self, end: Value) {
        let base = self.b.nullary(Op::HeapBase);
        let limit = self.address(Base::At(base), HEAP_BYTES_MAX);
        let over = self.b.binary(Op::Gt, end, limit);
        let fits = self.b.unary(Op::Iszero, over);
        self.b.assert(fits, panic_code::ALLOCATION);
        let address = self.b.iconst_u64(HEAP_POINTER);
        self.b.mstore(address, end);
    }

    /// Allocates a constant number of bytes, a multiple of 32. What they hold is arbitrary.
    pub(super) fn allocate(&mut self, bytes: u64) -> Value {
        let pointer = self.heap_pointer();
        let end = self.address(Base::At(pointer), bytes);
        self.set_heap_pointer(end);
        pointer
    }

    /// Allocates a number of bytes, a multiple of 32 below 2^255. What they hold is arbitrary.
    fn allocate_dynamic(&mut self, bytes: Value) -> Value {
        let pointer = self.heap_pointer();
        let end = self.b.binary(Op::Add, pointer, bytes);
        self.set_heap_pointer(end);
        pointer
    }

    /// The next multiple of 32.
    pub(super) fn rounded(&mut self, bytes: Value) -> Value {
        let (up, mask) = (self.b.iconst_u64(31), self.b.iconst(!U256::from(31)));
        let above = self.b.binary(Op::Add, bytes, up);
        self.b.binary(Op::And, above, mask)
    }

    /// A copy of the call data.
    pub(super) fn calldata_bytes(&mut self) -> Value {
        let size = self.b.nullary(Op::Calldatasize);
        let pointer = self.new_bytes(size);
        let (data, zero) = (self.data(pointer), self.zero());
        self.b.ins0(Op::Calldatacopy, Imm::None, &[data, zero, size]);
        pointer
    }

    /// A pointer to `length` bytes, which are arbitrary; `length` is below 2^254.
    pub(super) fn new_bytes(&mut self, length: Value) -> Value {
        let capacity = self.rounded(length);
        let size = self.address(Base::At(capacity), HEADER_BYTES);
        let start = self.allocate_dynamic(size);
        self.b.mstore(start, capacity);
        let pointer = self.address(Base::At(start), 32);
        self.b.mstore(pointer, length);
        pointer
    }

    /// A pointer to a vector of `length` elements of `words` words, which are arbitrary; with room for `capacity`
    /// elements, at least `length` and below 2^64.
    pub(super) fn new_vec(&mut self, length: Value, capacity: Value, words: usize) -> Value {
        let data = self.times(capacity, 32 * words as u64);
        let size = self.address(Base::At(data), HEADER_BYTES);
        let start = self.allocate_dynamic(size);
        self.b.mstore(start, capacity);
        let pointer = self.address(Base::At(start), 32);
        self.b.mstore(pointer, length);
        pointer
    }

    /// Faults with Panic 0x41 unless `count` is small enough for sizes to be computed with it.
    pub(super) fn check_count(&mut self, count: Value) {
        let limit = self.b.iconst_u64(HEAP_BYTES_MAX);
        let over = self.b.binary(Op::Gt, count, limit);
        let fits = self.b.unary(Op::Iszero, over);
        self.b.assert(fits, panic_code::ALLOCATION);
    }

    /// `bytes` or `string` with constant contents.
    pub(super) fn constant_bytes(&mut self, bytes: &[u8]) -> Value {
        let capacity = (bytes.len() as u64).next_multiple_of(32);
        let start = self.allocate(HEADER_BYTES + capacity);
        let (capacity, length) = (self.b.iconst_u64(capacity), self.b.iconst_u64(bytes.len() as u64));
        self.b.mstore(start, capacity);
        let pointer = self.address(Base::At(start), 32);
        self.b.mstore(pointer, length);
        if bytes.is_empty() {
            return pointer;
        }
        let data = self.address(Base::At(pointer), 32);
        if bytes.len() <= 32 {
            let mut word = [0; 32];
            word[..bytes.len()].copy_from_slice(bytes);
            let word = self.b.iconst(U256::from_be_bytes(word));
            self.b.mstore(data, word);
        } else {
            let segment = self.cx.data_segment(bytes);
            let offset = self.b.ins(Op::DataOffset, Imm::Data(segment), &[]);
            self.b.ins0(Op::Codecopy, Imm::None, &[data, offset, length]);
        }
        pointer
    }

    // Parts.

    /// The length of `bytes`, `string` or a vector.
    pub(super) fn length(&mut self, pointer: Value) -> Value {
        self.b.unary(Op::Mload, pointer)
    }

    /// The address of the first byte or element.
    pub(super) fn data(&mut self, pointer: Value) -> Value {
        self.address(Base::At(pointer), 32)
    }

    /// Faults with Panic 0x32 unless `index < length`.
    pub(super) fn check_index(&mut self, index: Value, length: Value) {
        let inside = self.b.binary(Op::Lt, index, length);
        self.b.assert(inside, panic_code::INDEX);
    }

    /// `value * factor`, without a check.
    pub(super) fn times(&mut self, value: Value, factor: u64) -> Value {
        match factor {
            1 => value,
            _ if factor.is_power_of_two() => {
                let shift = self.b.iconst_u64(factor.trailing_zeros().into());
                self.b.binary(Op::Shl, shift, value)
            }
            _ => {
                let factor = self.b.iconst_u64(factor);
                self.b.binary(Op::Mul, value, factor)
            }
        }
    }

    /// The words that lie at an address one after the other.
    pub(super) fn load_words(&mut self, start: Value, count: usize) -> Vec<Value> {
        let load = |index: usize| {
            let address = self.address(Base::At(start), 32 * index as u64);
            self.b.unary(Op::Mload, address)
        };
        (0..count).map(load).collect()
    }

    /// Runs `each` for the addresses from `start` to before `end`, `step` apart.
    pub(super) fn each_address(
        &mut self,
        start: Value,
        end: Value,
        step: u64,
        each: impl FnOnce(&mut Self, Value),
    ) {
        let at = self.b.declare_var();
        self.b.def_var(at, start);
        let (head, body, exit) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.jump(head);
        self.b.switch_to(head);
        let here = self.b.use_var(at);
        let more = self.b.binary(Op::Lt, here, end);
        self.b.br(more, body, exit);
        self.b.seal_block(body);
        self.b.switch_to(body);
        each(self, here);
        let next = self.address(Base::At(here), step);
        self.b.def_var(at, next);
        self.b.jump(head);
        self.b.seal_block(head);
        self.b.seal_block(exit);
        self.b.switch_to(exit);
    }

    /// Runs `then` only if `condition` is not 0.
    pub(super) fn when(&mut self, condition: Value, then: impl FnOnce(&mut Self)) {
        let (yes, join) = (self.b.create_block(), self.b.create_block());
        self.b.br(condition, yes, join);
        self.b.seal_block(yes);
        self.b.switch_to(yes);
        then(self);
        if self.b.is_open() {
            self.b.jump(join);
        }
        self.b.seal_block(join);
        self.b.switch_to(join);
    }

    /// Writes zeros.
    pub(super) fn clear_memory(&mut self, start: Value, bytes: Value) {
        // Call data read past its end are zeros.
        let past = self.b.nullary(Op::Calldatasize);
        self.b.ins0(Op::Calldatacopy, Imm::None, &[start, past, bytes]);
    }

    // Whole values.

    /// The zero value of a type (§5): what an absent key of a map reads as.
    pub(super) fn zero_value(&mut self, ty: TypeId, span: Span) -> Vec<Value> {
        let program = self.cx.program;
        match program.types.get(ty) {
            Type::Bytes | Type::String | Type::Vec(_) => {
                let zero = self.zero();
                vec![self.new_vec(zero, zero, 1)]
            }
            &Type::Array { element, length } => {
                let words = self.words(element, span);
                let start = self.allocate((32 * words as u64).saturating_mul(length));
                let size = self.b.iconst_u64((32 * words as u64).saturating_mul(length));
                if values::word_types(&program.types, element).is_some() {
                    self.clear_memory(start, size);
                } else {
                    let end = self.b.binary(Op::Add, start, size);
                    self.each_address(start, end, 32 * words as u64, |lower, at| {
                        let words = lower.zero_value(element, span);
                        lower.store_words(Base::At(at), 0, &words);
                    });
                }
                vec![start]
            }
            Type::Tuple(_) | Type::Struct(_) => {
                let fields = values::field_types(&program.types, ty).unwrap_or_default();
                fields.into_iter().flat_map(|field| self.zero_value(field, span)).collect()
            }
            // The first variant; its payload is zero as well.
            Type::Enum(id) if !program.types.enums[id.index()].is_payload_free() => {
                let mut words = vec![self.zero()];
                if let Some(first) = program.types.enums[id.index()].variants.first() {
                    for &field in &first.payload {
                        words.extend(self.zero_value(field, span));
                    }
                }
                let count = self.words(ty, span);
                self.fit(words, count)
            }
            _ => {
                let count = self.words(ty, span);
                self.fit(Vec::new(), count)
            }
        }
    }
}
