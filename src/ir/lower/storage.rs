//! Values in storage (§5.2): single words, packed words, and everything that is made of them.
//!
//! A word that has its slot for itself stands in the low-order bytes; a store writes the whole slot, sign-extended
//! for `iN`, and a load needs no mask. Words that share a slot are extracted by a load, and a store keeps the other
//! bytes. Where the parts of an aggregate lie is [`layout`](crate::sema::layout)'s knowledge.

use alloy_primitives::U256;

use super::function::{Base, Lower};
use super::helpers::Helper;
use crate::ir::{Imm, Op, Value};
use crate::sema::layout::{self, Elements, FieldPlace};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// A value in storage.
#[derive(Clone, Copy)]
pub(super) struct StoragePlace {
    pub(super) slot: Value,
    pub(super) transient: bool,
    pub(super) ty: TypeId,
    /// `Some` if other values live in the slot.
    pub(super) part: Option<Part>,
}

/// Which bits of a slot a word has.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) shift: Shift,
    pub(super) size_bytes: u8,
}

/// How far from the low-order end a word begins, in bits.
#[derive(Clone, Copy)]
pub(super) enum Shift {
    Constant(u32),
    Computed(Value),
}

/// How the word of a value relates to the bytes in storage.
#[derive(Clone, Copy)]
enum Form {
    /// Zero-extended, or the whole slot.
    Plain,
    /// Sign-extended.
    Signed,
    /// Left-aligned in the word, low-order in storage: `bytes<N>` with N < 32.
    Left { shift: u32 },
}

impl Part {
    /// The bits of the value at the low-order end.
    fn mask(self) -> U256 {
        U256::MAX >> (256 - 8 * usize::from(self.size_bytes))
    }
}

impl Lower<'_, '_> {
    fn form(&self, ty: TypeId) -> Form {
        match self.cx.program.types.get(ty) {
            Type::Int(int) if int.signed => Form::Signed,
            Type::FixedBytes(size @ ..32) => Form::Left { shift: 256 - 8 * u32::from(*size) },
            _ => Form::Plain,
        }
    }

    fn is_word(&self, ty: TypeId) -> bool {
        self.cx.program.types.is_word(ty)
    }

    // Slots.

    /// The bits of a slot.
    pub(super) fn load_slot(&mut self, slot: Value, transient: bool) -> Value {
        self.b.unary(if transient { Op::Tload } else { Op::Sload }, slot)
    }

    fn store_slot(&mut self, slot: Value, transient: bool, word: Value) {
        let op = if transient { Op::Tstore } else { Op::Sstore };
        self.b.ins0(op, Imm::None, &[slot, word]);
    }

    fn shifted(&mut self, op: Op, shift: Shift, word: Value) -> Value {
        let bits = match shift {
            Shift::Constant(0) => return word,
            Shift::Constant(bits) => self.b.iconst_u64(bits.into()),
            Shift::Computed(bits) => bits,
        };
        self.b.binary(op, bits, word)
    }

    /// The word among the bits of its slot.
    pub(super) fn extract(&mut self, place: &StoragePlace, raw: Value) -> Value {
        let form = self.form(place.ty);
        let mut word = raw;
        if let Some(part) = place.part {
            word = self.shifted(Op::Shr, part.shift, word);
            word = match form {
                Form::Signed => {
                    let byte = self.b.iconst_u64(u64::from(part.size_bytes) - 1);
                    self.b.binary(Op::Signextend, byte, word)
                }
                // The left shift below removes what stands above.
                Form::Left { .. } => word,
                Form::Plain => {
                    let mask = self.b.iconst(part.mask());
                    self.b.binary(Op::And, word, mask)
                }
            };
        }
        match form {
            Form::Left { shift } => self.shifted(Op::Shl, Shift::Constant(shift), word),
            Form::Plain | Form::Signed => word,
        }
    }

    /// The bits of a word where it stands in its slot, all others 0; for a word alone, the slot.
    pub(super) fn placed(&mut self, place: &StoragePlace, mut word: Value) -> Value {
        let form = self.form(place.ty);
        if let Form::Left { shift } = form {
            word = self.shifted(Op::Shr, Shift::Constant(shift), word);
        }
        let Some(part) = place.part else { return word };
        if let Form::Signed = form {
            let mask = self.b.iconst(part.mask());
            word = self.b.binary(Op::And, word, mask);
        }
        self.shifted(Op::Shl, part.shift, word)
    }

    /// Stores a word; `before` are the bits of the slot if other values live there.
    pub(super) fn store_word(&mut self, place: &StoragePlace, before: Option<Value>, word: Value) {
        let mut word = self.placed(place, word);
        if let (Some(part), Some(before)) = (place.part, before) {
            let others = match part.shift {
                Shift::Constant(bits) => self.b.iconst(!(part.mask() << bits as usize)),
                Shift::Computed(bits) => {
                    let mask = self.b.iconst(part.mask());
                    let own = self.b.binary(Op::Shl, bits, mask);
                    self.b.unary(Op::Not, own)
                }
            };
            let kept = self.b.binary(Op::And, before, others);
            word = self.b.binary(Op::Or, kept, word);
        }
        self.store_slot(place.slot, place.transient, word);
    }

    /// The slot `offset` slots further on.
    pub(super) fn slot_after(&mut self, slot: Value, offset: u64) -> Value {
        self.address(Base::At(slot), offset)
    }

    /// Where the data of `bytes` or of a `Vec` at a slot begin: keccak256(slot).
    pub(super) fn data_slot(&mut self, slot: Value) -> Value {
        let (zero, size) = (self.zero(), self.b.iconst_u64(32));
        self.b.mstore(zero, slot);
        self.b.binary(Op::Keccak256, zero, size)
    }

    // Parts of aggregates.

    /// The place of a field of an aggregate at `slot`.
    pub(super) fn field_place(&mut self, base: &StoragePlace, field: FieldPlace, ty: TypeId) -> StoragePlace {
        let slot = self.slot_after(base.slot, field.slot);
        let part = field
            .shared_bytes
            .map(|size_bytes| Part { shift: Shift::Constant(8 * u32::from(field.offset_bytes)), size_bytes });
        StoragePlace { slot, transient: base.transient, ty, part }
    }

    /// The place of a part of the payload of an enum or `Option`.
    pub(super) fn payload_place(
        &mut self,
        base: &StoragePlace,
        parts: &[TypeId],
        field: u32,
    ) -> Option<StoragePlace> {
        let fields = layout::fields(&self.cx.program.types, parts, false)?;
        let slot = self.slot_after(base.slot, 1);
        let first = StoragePlace { slot, part: None, ..*base };
        let ty = *parts.get(field as usize)?;
        Some(self.field_place(&first, *fields.places.get(field as usize)?, ty))
    }

    /// The place of an element of an array or vector whose elements begin at `first`.
    pub(super) fn element_place(
        &mut self,
        first: Value,
        transient: bool,
        element: TypeId,
        index: Value,
    ) -> StoragePlace {
        match layout::elements(&self.cx.program.types, element) {
            Some(Elements::Packed { per_slot, size_bytes }) => {
                let per_slot_word = self.b.iconst_u64(per_slot);
                let slots = self.b.binary(Op::Div, index, per_slot_word);
                let within = self.b.binary(Op::Mod, index, per_slot_word);
                let slot = self.b.binary(Op::Add, first, slots);
                let shift = Shift::Computed(self.times(within, 8 * u64::from(size_bytes)));
                StoragePlace { slot, transient, ty: element, part: Some(Part { shift, size_bytes }) }
            }
            other => {
                let slots = match other {
                    Some(Elements::Slots(slots)) => slots,
                    _ => 1,
                };
                let offset = self.times(index, slots);
                let slot = self.b.binary(Op::Add, first, offset);
                StoragePlace { slot, transient, ty: element, part: None }
            }
        }
    }

    // Whole values.

    /// The words of a value in storage; a copy of it in memory for what lives there.
    pub(super) fn load_storage(&mut self, place: &StoragePlace, span: Span) -> Vec<Value> {
        let (ty, transient) = (place.ty, place.transient);
        if self.is_word(ty) {
            let raw = self.load_slot(place.slot, transient);
            return vec![self.extract(place, raw)];
        }
        match self.cx.program.types.get(ty) {
            Type::String => self.call_helper(Helper::Load { ty: TypeId::BYTES, transient }, &[place.slot]),
            Type::Tuple(_) | Type::Struct(_) => {
                let fields = self.storage_fields(place, span);
                let mut loaded: Option<(u64, Value)> = None;
                let mut words = Vec::new();
                for (slot, field) in fields {
                    if field.part.is_none() {
                        words.extend(self.load_storage(&field, span));
                        continue;
                    }
                    let raw = match loaded {
                        Some((at, raw)) if at == slot => raw,
                        _ => self.load_slot(field.slot, transient),
                    };
                    loaded = Some((slot, raw));
                    words.push(self.extract(&field, raw));
                }
                words
            }
            _ => self.call_helper(Helper::Load { ty, transient }, &[place.slot]),
        }
    }

    /// The fields of a struct or tuple, each with the number of its slot.
    pub(super) fn storage_fields(&mut self, place: &StoragePlace, span: Span) -> Vec<(u64, StoragePlace)> {
        let program = self.cx.program;
        let types = super::values::field_types(&program.types, place.ty).unwrap_or_default();
        let Some(fields) = layout::fields_of(&program.types, place.ty) else {
            self.not_storable(place.ty, span);
            return Vec::new();
        };
        let fields = fields.places.into_iter().zip(types);
        fields.map(|(field, ty)| (field.slot, self.field_place(place, field, ty))).collect()
    }

    fn not_storable(&mut self, ty: TypeId, span: Span) {
        let name = self.cx.program.types.display(ty);
        self.cx.unsupported(span, format_args!("a value of type `{name}` in storage"));
    }

    /// Stores a value.
    pub(super) fn store_storage(&mut self, place: &StoragePlace, words: &[Value], span: Span) {
        let (ty, transient) = (place.ty, place.transient);
        if self.is_word(ty) {
            let Some(&word) = words.first() else { return };
            let before = place.part.map(|_| self.load_slot(place.slot, transient));
            return self.store_word(place, before, word);
        }
        let with_slot = [&[place.slot], words].concat();
        match self.cx.program.types.get(ty) {
            Type::String => {
                drop(self.call_helper(Helper::Store { ty: TypeId::BYTES, transient }, &with_slot))
            }
            Type::Tuple(_) | Type::Struct(_) => {
                let fields = self.storage_fields(place, span);
                let mut rest = words;
                let mut open: Option<(u64, StoragePlace, Value)> = None;
                for (slot, field) in fields {
                    let count = self.words(field.ty, span).min(rest.len());
                    let (own, others) = rest.split_at(count);
                    rest = others;
                    // All words of a slot are stored at once.
                    let placed = match (field.part, own) {
                        (Some(_), &[word]) => Some(self.placed(&field, word)),
                        _ => None,
                    };
                    open = match (open, placed) {
                        (Some((at, first, bits)), Some(placed)) if at == slot => {
                            Some((at, first, self.b.binary(Op::Or, bits, placed)))
                        }
                        (before, placed) => {
                            if let Some((_, first, bits)) = before {
                                self.store_slot(first.slot, transient, bits);
                            }
                            placed.map(|placed| (slot, field, placed))
                        }
                    };
                    if placed.is_none() {
                        self.store_storage(&field, own, span);
                    }
                }
                if let Some((_, first, bits)) = open {
                    self.store_slot(first.slot, transient, bits);
                }
            }
            _ => drop(self.call_helper(Helper::Store { ty, transient }, &with_slot)),
        }
    }

    /// Stores zeros over a value and over what it refers to.
    pub(super) fn clear_storage(&mut self, place: &StoragePlace, span: Span) {
        let (ty, transient) = (place.ty, place.transient);
        if self.is_word(ty) {
            let zero = self.zero();
            return self.store_storage(place, &[zero], span);
        }
        match self.cx.program.types.get(ty) {
            Type::Tuple(_) | Type::Struct(_) => {
                let mut cleared = None;
                for (slot, field) in self.storage_fields(place, span) {
                    if field.part.is_none() {
                        self.clear_storage(&field, span);
                    } else if cleared.replace(slot) != Some(slot) {
                        let zero = self.zero();
                        self.store_slot(field.slot, transient, zero);
                    }
                }
            }
            Type::String => {
                drop(self.call_helper(Helper::Clear { ty: TypeId::BYTES, transient }, &[place.slot]))
            }
            _ => drop(self.call_helper(Helper::Clear { ty, transient }, &[place.slot])),
        }
    }
}
