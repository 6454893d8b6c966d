//! Length, growing and shrinking of vectors and `bytes`, wherever they lie.

use super::function::{Base, Lower};
use super::helpers::Helper;
use super::places::LoweredPlace;
use super::storage::StoragePlace;
use crate::ir::{Imm, Op, Value};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

impl Lower<'_, '_> {
    /// Adds a value behind the last one of a vector or of `bytes`.
    pub(super) fn push(&mut self, ty: TypeId, place: &LoweredPlace, words: &[Value]) {
        let program = self.cx.program;
        if let LoweredPlace::Storage(vec) = place {
            let Type::Vec(element) = *program.types.get(ty) else {
                let operands = [&[vec.slot], words].concat();
                return drop(self.call_helper(Helper::PushByte { transient: vec.transient }, &operands));
            };
            let length = self.load_slot(vec.slot, vec.transient);
            let first = self.data_slot(vec.slot);
            let slot = self.element_place(first, vec.transient, element, length);
            self.store_storage(&slot, words, self.b.span());
            let longer = self.address(Base::At(length), 1);
            let length_place = StoragePlace { ty: TypeId::U256, part: None, ..*vec };
            return self.store_word(&length_place, None, longer);
        }
        let pointer = self.load(place);
        let pointer = self.fit(pointer, 1)[0];
        let stride = match program.types.get(ty) {
            Type::Vec(_) => 32 * words.len() as u64,
            _ => 1,
        };
        let length = self.length(pointer);
        let current = self.b.declare_var();
        self.b.def_var(current, pointer);
        let back = self.b.iconst_u64(32);
        let capacity_at = self.b.binary(Op::Sub, pointer, back);
        let capacity = self.b.unary(Op::Mload, capacity_at);
        let full = {
            let room = self.b.binary(Op::Lt, length, capacity);
            self.b.unary(Op::Iszero, room)
        };
        self.when(full, |lower| {
            // Twice the length, and room for a few to begin with.
            let few = lower.b.iconst_u64(if stride == 1 { 32 } else { 4 });
            let double = lower.times(length, 2);
            let larger = lower.b.binary(Op::Add, double, few);
            let moved = if stride == 1 {
                let moved = lower.new_bytes(larger);
                lower.b.mstore(moved, length);
                moved
            } else {
                lower.new_vec(length, larger, words.len())
            };
            let size = lower.times(length, stride);
            let (dest, source) = (lower.data(moved), lower.data(pointer));
            lower.b.ins0(Op::Mcopy, Imm::None, &[dest, source, size]);
            lower.b.def_var(current, moved);
        });
        let pointer = self.b.use_var(current);
        self.store(place, &[pointer]);
        let longer = self.address(Base::At(length), 1);
        self.b.mstore(pointer, longer);
        let offset = self.times(length, stride);
        let data = self.data(pointer);
        let at = self.b.binary(Op::Add, data, offset);
        match (stride, words) {
            (1, &[byte]) => self.b.ins0(Op::Mstore8, Imm::None, &[at, byte]),
            _ => self.store_words(Base::At(at), 0, words),
        }
    }

    /// Takes the last value off a vector: the words of `Option<T>`.
    pub(super) fn pop(&mut self, ty: TypeId, place: &LoweredPlace, span: Span) -> Vec<Value> {
        let Type::Vec(element) = *self.cx.program.types.get(ty) else {
            self.cx.unsupported(span, "`pop` on what is not a `Vec`");
            return Vec::new();
        };
        let count = self.words(element, span);
        let results: Vec<_> = (0..=count).map(|_| self.b.declare_var()).collect();
        let zero = self.zero();
        results.iter().for_each(|&result| self.b.def_var(result, zero));
        let one = self.b.iconst_u64(1);
        let (pointer, length) = match place {
            LoweredPlace::Storage(vec) => (vec.slot, self.load_slot(vec.slot, vec.transient)),
            _ => {
                let words = self.load(place);
                let pointer = self.fit(words, 1)[0];
                (pointer, self.length(pointer))
            }
        };
        self.when(length, |lower| {
            let last = lower.b.binary(Op::Sub, length, one);
            let words = match place {
                LoweredPlace::Storage(vec) => {
                    let first = lower.data_slot(vec.slot);
                    let slot = lower.element_place(first, vec.transient, element, last);
                    let words = lower.load_storage(&slot, span);
                    lower.clear_storage(&slot, span);
                    let length_place = StoragePlace { ty: TypeId::U256, part: None, ..*vec };
                    lower.store_word(&length_place, None, last);
                    words
                }
                _ => {
                    lower.b.mstore(pointer, last);
                    let offset = lower.times(last, 32 * count as u64);
                    let data = lower.data(pointer);
                    let at = lower.b.binary(Op::Add, data, offset);
                    lower.load_words(at, count)
                }
            };
            lower.b.def_var(results[0], one);
            for (&result, word) in results[1..].iter().zip(words) {
                lower.b.def_var(result, word);
            }
        });
        results.into_iter().map(|result| self.b.use_var(result)).collect()
    }

    /// `a.len()` of what is at a place.
    pub(super) fn place_length(&mut self, ty: TypeId, place: &LoweredPlace) -> Value {
        if let &Type::Array { length, .. } = self.cx.program.types.get(ty) {
            return self.b.iconst_u64(length);
        }
        match place {
            LoweredPlace::Storage(vec) => {
                let raw = self.load_slot(vec.slot, vec.transient);
                if let Type::Vec(_) = self.cx.program.types.get(ty) {
                    return raw;
                }
                // `bytes` and `string`: 2·len in the lowest byte, or 2·len + 1 in the whole slot.
                let one = self.b.iconst_u64(1);
                let long = self.b.binary(Op::And, raw, one);
                let mask = self.b.iconst_u64(0xff);
                let low = self.b.binary(Op::And, raw, mask);
                let twice = self.select(long, raw, low);
                self.b.binary(Op::Shr, one, twice)
            }
            _ => {
                let words = self.load(place);
                let pointer = self.fit(words, 1)[0];
                self.length(pointer)
            }
        }
    }
}
