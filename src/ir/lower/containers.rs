//! `bytes`, `Vec`, arrays and payloads between storage and memory: the bodies of the helpers that load, store and
//! clear them.

use super::function::{Base, Lower};
use super::helpers::Helper;
use super::storage::{Part, Shift, StoragePlace};
use crate::ir::{Op, Value};
use crate::sema::layout::{self, Elements};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

impl Lower<'_, '_> {
    // `bytes` and `string`: up to 31 bytes in place with 2·len in the lowest byte, else 2·len + 1 and the data from
    // keccak256(slot) on.

    /// The body of [`Helper::Load`] for `bytes`.
    pub(super) fn load_bytes_body(&mut self, slot: Value, transient: bool) -> Value {
        let (forms, length) = self.bytes_in_place(slot, transient);
        let result = self.b.declare_var();
        let pointer = self.new_bytes(length);
        let data = self.data(pointer);
        self.b.mstore(data, forms.raw);
        self.b.def_var(result, pointer);

        let length = self.bytes_far(&forms);
        let pointer = self.new_bytes(length);
        let data = self.data(pointer);
        let end = self.b.binary(Op::Add, data, length);
        let source = self.b.declare_var();
        let first = self.data_slot(slot);
        self.b.def_var(source, first);
        self.each_address(data, end, 32, |lower, at| {
            let slot = lower.b.use_var(source);
            let word = lower.load_slot(slot, transient);
            lower.b.mstore(at, word);
            let next = lower.slot_after(slot, 1);
            lower.b.def_var(source, next);
        });
        self.b.def_var(result, pointer);
        self.bytes_joined(&forms);
        self.b.use_var(result)
    }

    /// How many slots of data belong to the slot's bits.
    fn data_slots(&mut self, raw: Value) -> Value {
        let (one, up, bits) = (self.b.iconst_u64(1), self.b.iconst_u64(31), self.b.iconst_u64(5));
        let long = self.b.binary(Op::And, raw, one);
        let length = self.b.binary(Op::Shr, one, raw);
        let above = self.b.binary(Op::Add, length, up);
        let slots = self.b.binary(Op::Shr, bits, above);
        self.b.binary(Op::Mul, slots, long)
    }

    /// The body of [`Helper::Store`] for `bytes`.
    pub(super) fn store_bytes_body(&mut self, slot: Value, pointer: Value, transient: bool) {
        let before = self.load_slot(slot, transient);
        let used_before = self.data_slots(before);
        let length = self.length(pointer);
        let data = self.data(pointer);
        let used = self.b.declare_var();
        let limit = self.b.iconst_u64(32);
        let short = self.b.binary(Op::Lt, length, limit);
        let one = self.b.iconst_u64(1);
        let twice = self.b.binary(Op::Shl, one, length);
        let (near, far, join) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.br(short, near, far);
        self.b.seal_block(near);
        self.b.seal_block(far);
        let put = |lower: &mut Self, slot: Value, word: Value| {
            let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
            lower.store_word(&place, None, word);
        };

        self.b.switch_to(near);
        let word = self.b.unary(Op::Mload, data);
        let kept = self.first_bytes(word, length);
        let word = self.b.binary(Op::Or, kept, twice);
        put(self, slot, word);
        let zero = self.zero();
        self.b.def_var(used, zero);
        self.b.jump(join);

        self.b.switch_to(far);
        let head = self.b.binary(Op::Or, twice, one);
        put(self, slot, head);
        let first = self.data_slot(slot);
        let dest = self.b.declare_var();
        self.b.def_var(dest, first);
        let end = self.b.binary(Op::Add, data, length);
        self.each_address(data, end, 32, |lower, at| {
            let slot = lower.b.use_var(dest);
            let word = lower.b.unary(Op::Mload, at);
            // Bytes behind the end are stored as zeros.
            let left = lower.b.binary(Op::Sub, end, at);
            let word = lower.first_bytes(word, left);
            put(lower, slot, word);
            let next = lower.slot_after(slot, 1);
            lower.b.def_var(dest, next);
        });
        let behind = self.b.use_var(dest);
        let count = self.b.binary(Op::Sub, behind, first);
        self.b.def_var(used, count);
        self.b.jump(join);

        self.b.seal_block(join);
        self.b.switch_to(join);
        let used = self.b.use_var(used);
        self.clear_slots(slot, used, used_before, transient);
    }

    /// The first `count` bytes of a word, zeros after them; all of it from 32 on.
    fn first_bytes(&mut self, word: Value, count: Value) -> Value {
        // 256 - 8 * min(count, 32), without a branch.
        let (three, full) = (self.b.iconst_u64(3), self.b.iconst_u64(256));
        let bits = self.b.binary(Op::Shl, three, count);
        let inside = self.b.binary(Op::Lt, bits, full);
        let rest = self.b.binary(Op::Sub, full, bits);
        let shift = self.b.binary(Op::Mul, rest, inside);
        let cut = self.b.binary(Op::Shr, shift, word);
        self.b.binary(Op::Shl, shift, cut)
    }

    /// Stores zeros in the slots `from..to` of the data that belong to `slot`.
    fn clear_slots(&mut self, slot: Value, from: Value, to: Value, transient: bool) {
        let any = self.b.binary(Op::Lt, from, to);
        self.when(any, |lower| {
            let first = lower.data_slot(slot);
            let (start, count) = (lower.b.binary(Op::Add, first, from), lower.b.binary(Op::Sub, to, from));
            lower.each_slot(start, count, |lower, slot| {
                let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
                let zero = lower.zero();
                lower.store_word(&place, None, zero);
            });
        });
    }

    /// Runs `each` for `count` slots from `start` on. Slots may pass 2^256.
    fn each_slot(&mut self, start: Value, count: Value, each: impl FnOnce(&mut Self, Value)) {
        let zero = self.zero();
        self.each_address(zero, count, 1, |lower, index| {
            let slot = lower.b.binary(Op::Add, start, index);
            each(lower, slot);
        });
    }

    // Vectors, arrays, payloads.

    /// Element type, constant length, and first slot of the elements.
    fn container(&mut self, ty: TypeId, slot: Value) -> Option<(TypeId, Option<u64>, Value)> {
        match *self.cx.program.types.get(ty) {
            Type::Vec(element) => Some((element, None, self.data_slot(slot))),
            Type::Array { element, length } => Some((element, Some(length), slot)),
            _ => None,
        }
    }

    /// The body of [`Helper::Load`] for everything but `bytes`.
    pub(super) fn load_body(&mut self, ty: TypeId, slot: Value, transient: bool, span: Span) -> Vec<Value> {
        let Some((element, length, first)) = self.container(ty, slot) else {
            return self.load_variants(ty, slot, transient, span);
        };
        let words = self.words(element, span);
        let (count, pointer, data) = match length {
            Some(length) => {
                let pointer = self.allocate((32 * words as u64).saturating_mul(length));
                (self.b.iconst_u64(length), pointer, pointer)
            }
            None => {
                let count = self.load_slot(slot, transient);
                self.check_count(count);
                let pointer = self.new_vec(count, count, words);
                (count, pointer, self.data(pointer))
            }
        };
        let cursor = self.b.declare_var();
        self.b.def_var(cursor, data);
        self.each_element(first, transient, element, count, |lower, place, raw| {
            let at = lower.b.use_var(cursor);
            let words = match raw {
                Some(raw) => vec![lower.extract(place, raw)],
                None => lower.load_storage(place, span),
            };
            lower.store_words(Base::At(at), 0, &words);
            let next = lower.address(Base::At(at), 32 * words.len() as u64);
            lower.b.def_var(cursor, next);
        });
        vec![pointer]
    }

    /// Runs `each` for the places of elements, for packed ones with the bits of their slot.
    fn each_element(
        &mut self,
        first: Value,
        transient: bool,
        element: TypeId,
        count: Value,
        each: impl FnOnce(&mut Self, &StoragePlace, Option<Value>),
    ) {
        let zero = self.zero();
        let Some(Elements::Packed { per_slot, size_bytes }) =
            layout::elements(&self.cx.program.types, element)
        else {
            return self.each_address(zero, count, 1, |lower, index| {
                let place = lower.element_place(first, transient, element, index);
                each(lower, &place, None);
            });
        };
        self.each_address(zero, count, per_slot, |lower, index| {
            let per_slot_word = lower.b.iconst_u64(per_slot);
            let slots = lower.b.binary(Op::Div, index, per_slot_word);
            let slot = lower.b.binary(Op::Add, first, slots);
            let raw = lower.load_slot(slot, transient);
            let left = lower.b.binary(Op::Sub, count, index);
            let fewer = lower.b.binary(Op::Lt, left, per_slot_word);
            let here = lower.select(fewer, left, per_slot_word);
            let bits = 8 * u64::from(size_bytes);
            let end = lower.times(here, bits);
            let zero = lower.zero();
            lower.each_address(zero, end, bits, |lower, shift| {
                let part = Some(Part { shift: Shift::Computed(shift), size_bytes });
                let place = StoragePlace { slot, transient, ty: element, part };
                each(lower, &place, Some(raw));
            });
        });
    }

    /// The body of [`Helper::Store`] for everything but `bytes`.
    pub(super) fn store_body(
        &mut self,
        ty: TypeId,
        slot: Value,
        words: &[Value],
        transient: bool,
        span: Span,
    ) {
        let Some(&pointer) = words.first() else { return };
        let Some((element, length, first)) = self.container(ty, slot) else {
            return self.store_variants(ty, slot, words, transient, span);
        };
        let (count, data) = match length {
            Some(length) => (self.b.iconst_u64(length), pointer),
            None => {
                let count = self.length(pointer);
                let before = self.load_slot(slot, transient);
                self.clear_elements(first, transient, element, (count, before), span);
                let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
                self.store_word(&place, None, count);
                (count, self.data(pointer))
            }
        };
        let stride = 32 * self.words(element, span) as u64;
        let Some(Elements::Packed { per_slot, size_bytes }) =
            layout::elements(&self.cx.program.types, element)
        else {
            let cursor = self.b.declare_var();
            self.b.def_var(cursor, data);
            let zero = self.zero();
            return self.each_address(zero, count, 1, |lower, index| {
                let at = lower.b.use_var(cursor);
                let words = lower.load_words(at, (stride / 32) as usize);
                let place = lower.element_place(first, transient, element, index);
                lower.store_storage(&place, &words, span);
                let next = lower.address(Base::At(at), stride);
                lower.b.def_var(cursor, next);
            });
        };
        // Whole slots: the bits behind the last element are 0.
        let (cursor, dest) = (self.b.declare_var(), self.b.declare_var());
        self.b.def_var(cursor, data);
        self.b.def_var(dest, first);
        let zero = self.zero();
        self.each_address(zero, count, per_slot, |lower, index| {
            let per_slot_word = lower.b.iconst_u64(per_slot);
            let left = lower.b.binary(Op::Sub, count, index);
            let fewer = lower.b.binary(Op::Lt, left, per_slot_word);
            let here = lower.select(fewer, left, per_slot_word);
            let step = 8 * u64::from(size_bytes);
            let end = lower.times(here, step);
            let bits = lower.b.declare_var();
            let zero = lower.zero();
            lower.b.def_var(bits, zero);
            lower.each_address(zero, end, step, |lower, shift| {
                let at = lower.b.use_var(cursor);
                let word = lower.b.unary(Op::Mload, at);
                let part = Some(Part { shift: Shift::Computed(shift), size_bytes });
                let placed = lower.placed(&StoragePlace { slot: first, transient, ty: element, part }, word);
                let before = lower.b.use_var(bits);
                let all = lower.b.binary(Op::Or, before, placed);
                lower.b.def_var(bits, all);
                let next = lower.address(Base::At(at), 32);
                lower.b.def_var(cursor, next);
            });
            let slot = lower.b.use_var(dest);
            let word = lower.b.use_var(bits);
            let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
            lower.store_word(&place, None, word);
            let next = lower.slot_after(slot, 1);
            lower.b.def_var(dest, next);
        });
    }

    /// Stores zeros over the elements `from..to`, which lie from `first` on.
    fn clear_elements(
        &mut self,
        first: Value,
        transient: bool,
        element: TypeId,
        (from, to): (Value, Value),
        span: Span,
    ) {
        if let Some(Elements::Packed { per_slot, .. }) = layout::elements(&self.cx.program.types, element) {
            let round_up = |lower: &mut Self, count: Value| {
                let (up, per_slot) = (lower.b.iconst_u64(per_slot - 1), lower.b.iconst_u64(per_slot));
                let above = lower.b.binary(Op::Add, count, up);
                lower.b.binary(Op::Div, above, per_slot)
            };
            let (from, to) = (round_up(self, from), round_up(self, to));
            return self.each_address(from, to, 1, |lower, index| {
                let slot = lower.b.binary(Op::Add, first, index);
                let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
                let zero = lower.zero();
                lower.store_word(&place, None, zero);
            });
        }
        self.each_address(from, to, 1, |lower, index| {
            let place = lower.element_place(first, transient, element, index);
            lower.clear_storage(&place, span);
        });
    }

    /// The body of [`Helper::Clear`].
    pub(super) fn clear_body(&mut self, ty: TypeId, slot: Value, transient: bool, span: Span) {
        if ty == TypeId::BYTES {
            let before = self.load_slot(slot, transient);
            let used = self.data_slots(before);
            let zero = self.zero();
            let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
            self.store_word(&place, None, zero);
            return self.clear_slots(slot, zero, used, transient);
        }
        let zero = self.zero();
        match self.container(ty, slot) {
            Some((element, Some(length), first)) => {
                let count = self.b.iconst_u64(length);
                self.clear_elements(first, transient, element, (zero, count), span);
            }
            Some((element, None, first)) => {
                let count = self.load_slot(slot, transient);
                self.clear_elements(first, transient, element, (zero, count), span);
                let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
                self.store_word(&place, None, zero);
            }
            None => {
                let tag = self.load_slot(slot, transient);
                self.each_payload(ty, slot, transient, tag, |lower, place| {
                    lower.clear_storage(place, span);
                });
                let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
                self.store_word(&place, None, zero);
            }
        }
    }

    /// Runs `each` for the payload's places where control flow says which variant there is.
    fn each_payload(
        &mut self,
        ty: TypeId,
        slot: Value,
        transient: bool,
        tag: Value,
        mut each: impl FnMut(&mut Self, &StoragePlace),
    ) {
        self.each_variant(ty, tag, |lower, payload| {
            let Some(fields) = layout::fields(&lower.cx.program.types, payload, false) else { return };
            let first = lower.slot_after(slot, 1);
            let base = StoragePlace { slot: first, transient, ty, part: None };
            for (place, &field) in fields.places.into_iter().zip(payload) {
                let place = lower.field_place(&base, place, field);
                each(lower, &place);
            }
        });
    }

    fn load_variants(&mut self, ty: TypeId, slot: Value, transient: bool, span: Span) -> Vec<Value> {
        let count = self.words(ty, span);
        let tag = self.load_slot(slot, transient);
        let words: Vec<_> = (1..count).map(|_| self.b.declare_var()).collect();
        let zero = self.zero();
        words.iter().for_each(|&word| self.b.def_var(word, zero));
        self.each_variant(ty, tag, |lower, payload| {
            let Some(fields) = layout::fields(&lower.cx.program.types, payload, false) else { return };
            let first = lower.slot_after(slot, 1);
            let base = StoragePlace { slot: first, transient, ty, part: None };
            let mut loaded = Vec::new();
            for (place, &field) in fields.places.into_iter().zip(payload) {
                let place = lower.field_place(&base, place, field);
                loaded.extend(lower.load_storage(&place, span));
            }
            for (&word, value) in words.iter().zip(loaded) {
                lower.b.def_var(word, value);
            }
        });
        let mut all = vec![tag];
        all.extend(words.into_iter().map(|word| self.b.use_var(word)));
        all
    }

    fn store_variants(&mut self, ty: TypeId, slot: Value, words: &[Value], transient: bool, span: Span) {
        let Some((&tag, payload)) = words.split_first() else { return };
        // What another variant left would be taken for lengths.
        let _ = self.call_helper(Helper::Clear { ty, transient }, &[slot]);
        let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
        self.store_word(&place, None, tag);
        let payload = payload.to_vec();
        self.each_variant(ty, tag, |lower, fields| {
            let Some(places) = layout::fields(&lower.cx.program.types, fields, false) else { return };
            let items = lower.items_of(fields.iter().copied(), &payload);
            let first = lower.slot_after(slot, 1);
            let base = StoragePlace { slot: first, transient, ty, part: None };
            for (place, (field, words)) in places.places.into_iter().zip(items) {
                let place = lower.field_place(&base, place, field);
                lower.store_storage(&place, &words, span);
            }
        });
    }
}
