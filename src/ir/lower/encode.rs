//! ABI encoding (§14.1): typed values to heads and tails in memory.
//!
//! [`Lower::encode_list`] encodes a list of values at an address; everything else chooses where that is:
//! [`Lower::encoded`] for data that are consumed at once (return data, revert data, logs, call data),
//! [`Lower::encoded_bytes`] for data that become a value.

use alloy_primitives::U256;

use super::function::{Base, Lower};
use super::helpers::Helper;
use super::values;
use crate::ir::{Op, Value};
use crate::sema::types::{Type, TypeId, Types};

/// Encodings of at most this many bytes have a static buffer; larger ones are made above the heap.
const STATIC_BYTES_MAX: u64 = 1_024;

/// A value with its type.
pub(super) type Item = (TypeId, Vec<Value>);

/// Whether the encoding of the type has a tail.
pub(super) fn is_dynamic(types: &Types, ty: TypeId) -> bool {
    match types.get(ty) {
        Type::Bytes | Type::String | Type::Vec(_) => true,
        Type::Array { element, .. } => is_dynamic(types, *element),
        Type::Tuple(_) | Type::Struct(_) => {
            let fields = values::field_types(types, ty).unwrap_or_default();
            fields.into_iter().any(|field| is_dynamic(types, field))
        }
        _ => false,
    }
}

/// The size of the part of the encoding that stands in the list of heads.
pub(super) fn head_bytes(types: &Types, ty: TypeId) -> u64 {
    if is_dynamic(types, ty) {
        return 32;
    }
    match types.get(ty) {
        Type::Unit | Type::Never => 0,
        Type::Array { element, length } => head_bytes(types, *element).saturating_mul(*length),
        Type::Tuple(_) | Type::Struct(_) => {
            values::field_types(types, ty).unwrap_or_default().into_iter().map(|f| head_bytes(types, f)).sum()
        }
        _ => 32,
    }
}

impl Lower<'_, '_> {
    pub(super) fn is_dynamic(&self, ty: TypeId) -> bool {
        is_dynamic(&self.cx.program.types, ty)
    }

    pub(super) fn head_bytes(&self, ty: TypeId) -> u64 {
        head_bytes(&self.cx.program.types, ty)
    }

    /// Whether values of the type are in memory as they are in the ABI.
    pub(super) fn is_flat(&self, ty: TypeId) -> bool {
        values::word_types(&self.cx.program.types, ty).is_some()
    }

    /// The fields of a tuple or struct with their parts of its words.
    pub(super) fn fields_of(&mut self, ty: TypeId, words: &[Value]) -> Vec<Item> {
        let fields = values::field_types(&self.cx.program.types, ty).unwrap_or_default();
        let mut rest = words;
        let mut items = Vec::with_capacity(fields.len());
        for field in fields {
            let count = self.words(field, self.b.span()).min(rest.len());
            let (own, others) = rest.split_at(count);
            items.push((field, own.to_vec()));
            rest = others;
        }
        items
    }

    /// The values of a list of types with their parts of the words.
    pub(super) fn items_of(&mut self, types: impl IntoIterator<Item = TypeId>, words: &[Value]) -> Vec<Item> {
        let mut rest = words;
        let mut items = Vec::new();
        for ty in types {
            let count = self.words(ty, self.b.span()).min(rest.len());
            let (own, others) = rest.split_at(count);
            items.push((ty, own.to_vec()));
            rest = others;
        }
        items
    }

    /// Encodes a list of values, after a selector if there is one, for use before anything else is stored in
    /// memory: where it begins, and how many bytes it has.
    ///
    /// With `may_end_frame`, nothing is read from memory afterwards but this.
    pub(super) fn encoded(
        &mut self,
        selector: Option<[u8; 4]>,
        items: &[Item],
        may_end_frame: bool,
    ) -> (Value, Value) {
        let head: u64 = items.iter().map(|item| self.head_bytes(item.0)).sum();
        let dynamic = items.iter().any(|item| self.is_dynamic(item.0));
        // The selector stands in the low-order end of the word before the rest: it is a short constant there, and
        // the rest is aligned.
        let before = if selector.is_some() { 32 } else { 0 };
        let base = match u32::try_from(before + head) {
            Ok(bytes) if !dynamic && u64::from(bytes) <= STATIC_BYTES_MAX => {
                self.buffer(bytes, may_end_frame)
            }
            _ => Base::At(self.heap_pointer()),
        };
        let mut skipped = 0;
        if let Some(selector) = selector {
            let selector = self.b.iconst_u64(u32::from_be_bytes(selector).into());
            let start = self.address(base, 0);
            self.b.mstore(start, selector);
            skipped = 28;
        }
        if dynamic {
            let at = self.address(base, before);
            let end = self.encode_list(items, at);
            let start = self.address(base, skipped);
            return (start, self.b.binary(Op::Sub, end, start));
        }
        self.encode_heads(items, base, before);
        let start = self.address(base, skipped);
        (start, self.b.iconst_u64(before + head - skipped))
    }

    /// The encoding of a list of values as `bytes`, after a selector if there is one.
    pub(super) fn encoded_bytes(&mut self, selector: Option<[u8; 4]>, items: &[Item]) -> Value {
        let start = self.heap_pointer();
        let data = self.address(Base::At(start), 64);
        let mut at = data;
        if let Some(selector) = selector {
            let selector = self.b.iconst(U256::from(u32::from_be_bytes(selector)) << 224);
            self.b.mstore(data, selector);
            at = self.address(Base::At(start), 68);
        }
        let end = self.encode_list(items, at);
        self.keep_bytes(start, end)
    }

    /// Makes `bytes` of what was written from 64 bytes after the heap pointer `start` to `end`.
    pub(super) fn keep_bytes(&mut self, start: Value, end: Value) -> Value {
        let data = self.address(Base::At(start), 64);
        let length = self.b.binary(Op::Sub, end, data);
        let capacity = self.rounded(length);
        let free = self.b.binary(Op::Add, data, capacity);
        self.set_heap_pointer(free);
        self.b.mstore(start, capacity);
        let pointer = self.address(Base::At(start), 32);
        self.b.mstore(pointer, length);
        pointer
    }

    /// Encodes a list of values from `at` on; the address behind the last byte.
    pub(super) fn encode_list(&mut self, items: &[Item], at: Value) -> Value {
        let head: u64 = items.iter().map(|item| self.head_bytes(item.0)).sum();
        let (mut tail, mut relative) = (self.address(Base::At(at), head), Some(head));
        let mut offset = 0;
        for (ty, words) in items {
            if self.is_dynamic(*ty) {
                let from_base = match relative.take() {
                    Some(head) => self.b.iconst_u64(head),
                    None => self.b.binary(Op::Sub, tail, at),
                };
                let slot = self.address(Base::At(at), offset);
                self.b.mstore(slot, from_base);
                tail = self.encode_tail(*ty, words, tail);
            } else {
                self.encode_static(*ty, words, Base::At(at), offset);
            }
            offset += self.head_bytes(*ty);
        }
        tail
    }

    /// Encodes values without tails one after the other.
    fn encode_heads(&mut self, items: &[Item], base: Base, mut offset: u64) {
        for (ty, words) in items {
            self.encode_static(*ty, words, base, offset);
            offset += self.head_bytes(*ty);
        }
    }

    /// Encodes a value that has no tail.
    fn encode_static(&mut self, ty: TypeId, words: &[Value], base: Base, offset: u64) {
        let program = self.cx.program;
        match *program.types.get(ty) {
            Type::Array { element, length } => {
                let Some(&source) = words.first() else { return };
                let dest = self.address(base, offset);
                self.encode_elements(element, source, length, dest);
            }
            Type::Tuple(_) | Type::Struct(_) if !self.is_flat(ty) => {
                let fields = self.fields_of(ty, words);
                self.encode_heads(&fields, base, offset);
            }
            _ => self.store_words(base, offset, words),
        }
    }

    /// Encodes a constant number of elements without tails.
    fn encode_elements(&mut self, element: TypeId, source: Value, length: u64, dest: Value) {
        let words = self.words(element, self.b.span());
        let size = self.b.iconst_u64((32 * words as u64).saturating_mul(length));
        if self.is_flat(element) {
            return self.b.ins0(Op::Mcopy, crate::ir::Imm::None, &[dest, source, size]);
        }
        let end = self.b.binary(Op::Add, source, size);
        self.encode_each(element, source, end, dest);
    }

    /// Encodes the elements without tails that lie between two addresses.
    fn encode_each(&mut self, element: TypeId, source: Value, end: Value, dest: Value) {
        let words = self.words(element, self.b.span());
        let head = self.head_bytes(element);
        let cursor = self.b.declare_var();
        self.b.def_var(cursor, dest);
        self.each_address(source, end, 32 * words as u64, |lower, at| {
            let words = lower.load_words(at, words);
            let dest = lower.b.use_var(cursor);
            lower.encode_static(element, &words, Base::At(dest), 0);
            let next = lower.address(Base::At(dest), head);
            lower.b.def_var(cursor, next);
        });
    }

    /// Encodes the tail of a value that has one; the address behind it.
    fn encode_tail(&mut self, ty: TypeId, words: &[Value], at: Value) -> Value {
        let program = self.cx.program;
        match *program.types.get(ty) {
            Type::Tuple(_) | Type::Struct(_) => {
                let fields = self.fields_of(ty, words);
                self.encode_list(&fields, at)
            }
            Type::Vec(element) if self.is_flat(element) => {
                let Some(&pointer) = words.first() else { return at };
                let count = self.words(element, self.b.span());
                let length = self.length(pointer);
                let data = self.times(length, 32 * count as u64);
                let size = self.address(Base::At(data), 32);
                self.b.ins0(Op::Mcopy, crate::ir::Imm::None, &[at, pointer, size]);
                self.b.binary(Op::Add, at, size)
            }
            Type::Bytes | Type::String => self.call_helper(Helper::EncodeBytes, &[words, &[at]].concat())[0],
            _ => self.call_helper(Helper::Encode(ty), &[words, &[at]].concat())[0],
        }
    }

    /// The body of [`Helper::EncodeBytes`]: length, data, zeros up to a whole word.
    pub(super) fn encode_bytes_body(&mut self, pointer: Value, at: Value) -> Value {
        let length = self.length(pointer);
        let whole = self.rounded(length);
        // The last word of the data; the length itself if there are none.
        let last = self.b.binary(Op::Add, at, whole);
        let zero = self.zero();
        self.b.mstore(last, zero);
        self.b.mstore(at, length);
        let (dest, source) = (self.address(Base::At(at), 32), self.data(pointer));
        self.b.ins0(Op::Mcopy, crate::ir::Imm::None, &[dest, source, length]);
        self.address(Base::At(last), 32)
    }

    /// The body of [`Helper::Encode`]: a vector or array of elements that are not flat.
    pub(super) fn encode_body(&mut self, ty: TypeId, pointer: Value, at: Value) -> Value {
        let program = self.cx.program;
        let (element, source, count, heads) = match *program.types.get(ty) {
            Type::Vec(element) => {
                let count = self.length(pointer);
                self.b.mstore(at, count);
                (element, self.data(pointer), count, self.address(Base::At(at), 32))
            }
            Type::Array { element, length } => (element, pointer, self.b.iconst_u64(length), at),
            _ => return at,
        };
        let words = self.words(element, self.b.span());
        let size = self.times(count, 32 * words as u64);
        let end = self.b.binary(Op::Add, source, size);
        let heads_size = self.times(count, self.head_bytes(element));
        let tails = self.b.binary(Op::Add, heads, heads_size);
        if !self.is_dynamic(element) {
            self.encode_each(element, source, end, heads);
            return tails;
        }
        let (cursor, tail) = (self.b.declare_var(), self.b.declare_var());
        self.b.def_var(cursor, heads);
        self.b.def_var(tail, tails);
        self.each_address(source, end, 32 * words as u64, |lower, from| {
            let words = lower.load_words(from, words);
            let (head, here) = (lower.b.use_var(cursor), lower.b.use_var(tail));
            let relative = lower.b.binary(Op::Sub, here, heads);
            lower.b.mstore(head, relative);
            let next = lower.encode_tail(element, &words, here);
            lower.b.def_var(tail, next);
            let next = lower.address(Base::At(head), 32);
            lower.b.def_var(cursor, next);
        });
        self.b.use_var(tail)
    }
}
