//! Where the parts of a type lie in storage (§5.2), relative to its first slot.
//!
//! Checking gives members their slots with it, lowering finds fields and elements with it, the ABI lists them with
//! it. Words are packed from the low-order end of a slot on; everything else begins a slot of its own, and what
//! follows it does too. A word that shares its slot with nothing is stored as a whole slot.

use super::types::{Type, TypeId, Types};

/// Elements of at most this size share slots.
const PACKED_ELEMENT_BYTES_MAX: u8 = 16;

/// The place of a field in a struct, tuple, group or payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldPlace {
    /// Slot, counted from the first one.
    pub slot: u64,
    /// Offset in the slot, in bytes from the low-order end.
    pub offset_bytes: u8,
    /// Size in bytes if other fields live in the slot.
    pub shared_bytes: Option<u8>,
}

/// The places of the fields of a struct, tuple, group or payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fields {
    /// One for each field.
    pub places: Vec<FieldPlace>,
    /// How many slots they take; at least 1.
    pub slots: u64,
}

/// How the elements of an array or `Vec` lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Elements {
    /// Several in a slot.
    Packed {
        /// How many.
        per_slot: u64,
        /// Size of one.
        size_bytes: u8,
    },
    /// Each takes this many slots.
    Slots(u64),
}

/// Packs fields in order; nothing if one of them cannot be stored or the slots are too many.
pub fn fields(types: &Types, fields: &[TypeId], unpacked: bool) -> Option<Fields> {
    let mut places: Vec<FieldPlace> = Vec::with_capacity(fields.len());
    let (mut slot, mut used) = (0u64, 0u8);
    for &field in fields {
        match types.word_size_bytes(field) {
            Some(size) => {
                if used > 0 && (unpacked || used + size > 32) {
                    (slot, used) = (slot.checked_add(1)?, 0);
                }
                places.push(FieldPlace { slot, offset_bytes: used, shared_bytes: Some(size) });
                used += size;
            }
            None => {
                if used > 0 {
                    (slot, used) = (slot.checked_add(1)?, 0);
                }
                places.push(FieldPlace { slot, offset_bytes: 0, shared_bytes: None });
                slot = slot.checked_add(slot_count(types, field)?)?;
            }
        }
    }
    for index in 0..places.len() {
        let alone = |other: usize| places.get(other).is_none_or(|place| place.slot != places[index].slot);
        if alone(index + 1) && (index == 0 || alone(index - 1)) {
            places[index].shared_bytes = None;
        }
    }
    let slots = if used > 0 { slot.checked_add(1)? } else { slot };
    Some(Fields { places, slots: slots.max(1) })
}

/// The fields of a struct or tuple type.
pub fn fields_of(types: &Types, ty: TypeId) -> Option<Fields> {
    match types.get(ty) {
        Type::Tuple(elements) => fields(types, elements, false),
        Type::Struct(id) => {
            let def = &types.structs[id.index()];
            let list: Vec<_> = def.fields.iter().map(|field| field.1).collect();
            fields(types, &list, def.unpacked)
        }
        _ => None,
    }
}

/// How elements of a type lie in an array or `Vec`; nothing if they cannot be stored.
pub fn elements(types: &Types, element: TypeId) -> Option<Elements> {
    match types.word_size_bytes(element) {
        Some(size_bytes @ 1..=PACKED_ELEMENT_BYTES_MAX) => {
            Some(Elements::Packed { per_slot: 32 / u64::from(size_bytes), size_bytes })
        }
        _ => slot_count(types, element).map(Elements::Slots),
    }
}

/// How many slots a value takes; nothing for a type that cannot be stored or takes more than 2^64.
pub fn slot_count(types: &Types, ty: TypeId) -> Option<u64> {
    match types.get(ty) {
        Type::Bytes | Type::String | Type::Map { .. } => Some(1),
        Type::Vec(element) => elements(types, *element).map(|_| 1),
        Type::Array { element, length } => match elements(types, *element)? {
            Elements::Packed { per_slot, .. } => Some(length.div_ceil(per_slot).max(1)),
            Elements::Slots(slots) => slots.checked_mul(*length).map(|slots| slots.max(1)),
        },
        Type::Tuple(_) | Type::Struct(_) => fields_of(types, ty).map(|fields| fields.slots),
        // The discriminant has the first slot, the payload begins in the next one.
        Type::Enum(id) if !types.enums[id.index()].is_payload_free() => {
            let mut longest = 0;
            for variant in &types.enums[id.index()].variants {
                longest = longest.max(fields(types, &variant.payload, false)?.slots);
            }
            longest.checked_add(1)
        }
        Type::Option(inner) => fields(types, &[*inner], false)?.slots.checked_add(1),
        _ => types.is_word(ty).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sema::types::IntType;

    #[test]
    fn fields_pack_from_the_low_end_and_aggregates_begin_slots() {
        let mut types = Types::new();
        let u128 = TypeId::int(IntType { signed: false, bits: 128 });
        let array = types.intern(Type::Array { element: u128, length: 3 });
        let list = [TypeId::U64, TypeId::BOOL, TypeId::ADDRESS, TypeId::U256, TypeId::U8, array, TypeId::U8];
        let packed = fields(&types, &list, false).unwrap();
        let places: Vec<_> = packed.places.iter().map(|p| (p.slot, p.offset_bytes, p.shared_bytes)).collect();
        let expected = [
            (0, 0, Some(8)),
            (0, 8, Some(1)),
            (0, 9, Some(20)),
            (1, 0, None),
            (2, 0, None),
            (3, 0, None),
            (5, 0, None),
        ];
        assert_eq!(places, expected);
        assert_eq!(packed.slots, 6);
        assert_eq!(fields(&types, &list[..3], true).unwrap().slots, 3);
        assert_eq!(slot_count(&types, array), Some(2));
        assert_eq!(elements(&types, TypeId::ADDRESS), Some(Elements::Slots(1)));
        assert_eq!(slot_count(&types, TypeId::ANY_ERROR), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut types = Types::new();
        let large = types.intern(Type::Array { element: TypeId::U256, length: u64::MAX });
        let larger = types.intern(Type::Array { element: large, length: 2 });
        assert_eq!(slot_count(&types, large), Some(u64::MAX));
        assert_eq!(slot_count(&types, larger), None);
        assert_eq!(fields(&types, &[large, TypeId::U8], false), None);
    }
}
