//! Single bytes of `bytes` in storage: reading one, and the bodies of the helpers that add and replace one.

use zvm::outcome::panic_code;

use super::function::Lower;
use super::storage::StoragePlace;
use crate::ir::{BlockId, Op, Value};
use crate::sema::types::TypeId;

/// Code for both forms of `bytes` in storage while it is made: in place first, then the long form.
pub(super) struct StoredForms {
    /// The word of the slot.
    pub(super) raw: Value,
    one: Value,
    far: BlockId,
    join: BlockId,
}

impl Lower<'_, '_> {
    /// Loads the slot of `bytes` and goes on where they lie in place; also gives their length there.
    pub(super) fn bytes_in_place(&mut self, slot: Value, transient: bool) -> (StoredForms, Value) {
        let raw = self.load_slot(slot, transient);
        let one = self.b.iconst_u64(1);
        let long = self.b.binary(Op::And, raw, one);
        let (far, near, join) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.br(long, far, near);
        self.b.seal_block(far);
        self.b.seal_block(near);
        self.b.switch_to(near);
        let mask = self.b.iconst_u64(0xff);
        let twice = self.b.binary(Op::And, raw, mask);
        let length = self.b.binary(Op::Shr, one, twice);
        (StoredForms { raw, one, far, join }, length)
    }

    /// Goes on where they have the long form; gives their length there.
    pub(super) fn bytes_far(&mut self, forms: &StoredForms) -> Value {
        self.b.jump(forms.join);
        self.b.switch_to(forms.far);
        self.b.binary(Op::Shr, forms.one, forms.raw)
    }

    /// Goes on behind both forms.
    pub(super) fn bytes_joined(&mut self, forms: &StoredForms) {
        self.b.jump(forms.join);
        self.b.seal_block(forms.join);
        self.b.switch_to(forms.join);
    }

    /// Byte `index` of `bytes` in storage.
    pub(super) fn load_storage_byte(&mut self, whole: &StoragePlace, index: Value) -> Value {
        let (forms, length) = self.bytes_in_place(whole.slot, whole.transient);
        let word = self.b.declare_var();
        self.b.def_var(word, forms.raw);
        self.check_index(index, length);
        let length = self.bytes_far(&forms);
        self.check_index(index, length);
        let first = self.data_slot(whole.slot);
        let bits = self.b.iconst_u64(5);
        let slots = self.b.binary(Op::Shr, bits, index);
        let slot = self.b.binary(Op::Add, first, slots);
        let data = self.load_slot(slot, whole.transient);
        self.b.def_var(word, data);
        self.bytes_joined(&forms);
        let word = self.b.use_var(word);
        let mask = self.b.iconst_u64(31);
        let within = self.b.binary(Op::And, index, mask);
        self.b.binary(Op::Byte, within, word)
    }

    fn put_slot(&mut self, slot: Value, word: Value, transient: bool) {
        let place = StoragePlace { slot, transient, ty: TypeId::U256, part: None };
        self.store_word(&place, None, word);
    }

    /// `word` with `byte` at position `index % 32`, counted from the most significant one.
    fn with_byte(&mut self, word: Value, index: Value, byte: Value) -> Value {
        let (last, three) = (self.b.iconst_u64(31), self.b.iconst_u64(3));
        let within = self.b.binary(Op::And, index, last);
        let behind = self.b.binary(Op::Sub, last, within);
        let shift = self.b.binary(Op::Shl, three, behind);
        let ones = self.b.iconst_u64(0xff);
        let mask = self.b.binary(Op::Shl, shift, ones);
        let others = self.b.unary(Op::Not, mask);
        let kept = self.b.binary(Op::And, word, others);
        let own = self.b.binary(Op::Shl, shift, byte);
        self.b.binary(Op::Or, kept, own)
    }

    /// Stores one byte of the data of long `bytes`.
    fn set_data_byte(&mut self, slot: Value, index: Value, byte: Value, transient: bool) {
        let (first, bits) = (self.data_slot(slot), self.b.iconst_u64(5));
        let slots = self.b.binary(Op::Shr, bits, index);
        let at = self.b.binary(Op::Add, first, slots);
        let word = self.load_slot(at, transient);
        let word = self.with_byte(word, index, byte);
        self.put_slot(at, word, transient);
    }

    /// The body of [`Helper::SetByte`](super::helpers::Helper::SetByte).
    pub(super) fn set_byte_body(&mut self, slot: Value, index: Value, byte: Value, transient: bool) {
        let (forms, length) = self.bytes_in_place(slot, transient);
        self.check_index(index, length);
        let word = self.with_byte(forms.raw, index, byte);
        self.put_slot(slot, word, transient);

        let length = self.bytes_far(&forms);
        self.check_index(index, length);
        self.set_data_byte(slot, index, byte, transient);
        self.bytes_joined(&forms);
    }

    /// The body of [`Helper::PushByte`](super::helpers::Helper::PushByte).
    pub(super) fn push_byte_body(&mut self, slot: Value, byte: Value, transient: bool) {
        let raw = self.load_slot(slot, transient);
        let (one, two) = (self.b.iconst_u64(1), self.b.iconst_u64(2));
        let long = self.b.binary(Op::And, raw, one);
        let (far, near, join) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.br(long, far, near);
        self.b.seal_block(far);
        self.b.seal_block(near);

        self.b.switch_to(far);
        let length = self.b.binary(Op::Shr, one, raw);
        // A length past this is none that stores of bytes lead to.
        let limit = self.b.iconst_u64(u64::MAX);
        let fits = self.b.binary(Op::Lt, length, limit);
        self.b.assert(fits, panic_code::ALLOCATION);
        self.set_data_byte(slot, length, byte, transient);
        let longer = self.b.binary(Op::Add, raw, two);
        self.put_slot(slot, longer, transient);
        self.b.jump(join);

        self.b.switch_to(near);
        let mask = self.b.iconst_u64(0xff);
        let twice = self.b.binary(Op::And, raw, mask);
        let length = self.b.binary(Op::Shr, one, twice);
        let full = self.b.iconst_u64(31);
        let room = self.b.binary(Op::Lt, length, full);
        let (stays, moves) = (self.b.create_block(), self.b.create_block());
        self.b.br(room, stays, moves);
        self.b.seal_block(stays);
        self.b.seal_block(moves);

        self.b.switch_to(stays);
        let word = self.with_byte(raw, length, byte);
        let word = self.b.binary(Op::Add, word, two);
        self.put_slot(slot, word, transient);
        self.b.jump(join);

        // The 32nd byte: all of them move to the slot of the data.
        self.b.switch_to(moves);
        let word = self.with_byte(raw, length, byte);
        let first = self.data_slot(slot);
        self.put_slot(first, word, transient);
        let head = self.b.iconst_u64(65);
        self.put_slot(slot, head, transient);
        self.b.jump(join);

        self.b.seal_block(join);
        self.b.switch_to(join);
    }
}
