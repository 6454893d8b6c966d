//! How values of the language become words.
//!
//! | Type | Words |
//! |---|---|
//! | `()`, `!` | none |
//! | one-word types | the word (§4) |
//! | tuple, struct | the words of the elements or fields in order |
//! | enum with payload, `Option<T>` | tag (the discriminant; 0 `None`, 1 `Some`), then the words of the longest variant |
//! | `bytes`, `string`, `Vec<T>`, `[T; N]` | a pointer into the heap, see [`memory`](super::memory) |
//! | `error` | the parameters' words |
//! | error set | tag (position of the variant), then the words of the longest variant |
//! | `Error` | the pointer to `bytes`: the encoded revert data |
//! | `Result<T, E>` | tag (0 `Ok`, 1 `Err`), then the words of the longer of T and E |
//!
//! Words of a payload beyond those of the variant at hand are 0 and never read.

use crate::sema::types::{ErrorTypeDef, Type, TypeId, Types};

/// How many words a value of the type is; nothing for a type that has no values here yet.
pub(super) fn word_count(types: &Types, ty: TypeId) -> Option<usize> {
    let sum = |ids: &mut dyn Iterator<Item = TypeId>| {
        ids.map(|id| word_count(types, id)).try_fold(0, |sum, count| Some(sum + count?))
    };
    match types.get(ty) {
        Type::Unit | Type::Never => Some(0),
        Type::AnyError | Type::Bytes | Type::String => Some(1),
        Type::Vec(element) | Type::Array { element, .. } => word_count(types, *element).map(|_| 1),
        Type::Tuple(elements) => sum(&mut elements.iter().copied()),
        Type::Struct(id) => sum(&mut types.structs[id.index()].fields.iter().map(|field| field.1)),
        Type::Enum(id) if !types.enums[id.index()].is_payload_free() => {
            let mut longest = 0;
            for variant in &types.enums[id.index()].variants {
                longest = longest.max(sum(&mut variant.payload.iter().copied())?);
            }
            Some(1 + longest)
        }
        Type::Option(inner) => Some(1 + word_count(types, *inner)?),
        Type::ErrorType(id) => error_word_count(types, types.error_type(*id)),
        Type::Result { ok, err } => Some(1 + word_count(types, *ok)?.max(word_count(types, *err)?)),
        _ => types.is_word(ty).then_some(1),
    }
}

/// How many words a value of an error type is.
pub(super) fn error_word_count(types: &Types, def: &ErrorTypeDef) -> Option<usize> {
    let mut longest = 0;
    for variant in &def.variants {
        let counts = variant.params.iter().map(|param| word_count(types, param.1));
        longest = longest.max(counts.sum::<Option<usize>>()?);
    }
    Some(usize::from(has_tag(def)) + longest)
}

/// Whether a value of the error type begins with the position of its variant.
pub(super) fn has_tag(def: &ErrorTypeDef) -> bool {
    def.variants.len() != 1
}

/// Whether a value of a type with variants begins with a tag.
pub(super) fn is_tagged(types: &Types, ty: TypeId) -> bool {
    match types.get(ty) {
        Type::ErrorType(id) => has_tag(types.error_type(*id)),
        _ => true,
    }
}

/// T and E of a `Result<T, E>`.
pub(super) fn result_parts(types: &Types, ty: TypeId) -> Option<(TypeId, TypeId)> {
    match types.get(ty) {
        Type::Result { ok, err } => Some((*ok, *err)),
        _ => None,
    }
}

/// The types of the elements of a tuple or of the fields of a struct; nothing for other types.
pub(super) fn field_types(types: &Types, ty: TypeId) -> Option<Vec<TypeId>> {
    match types.get(ty) {
        Type::Tuple(elements) => Some(elements.clone()),
        Type::Struct(id) => Some(types.structs[id.index()].fields.iter().map(|field| field.1).collect()),
        _ => None,
    }
}

/// The types of the words of a type that is made of tuples, structs and one-word types only; nothing for others.
///
/// A value of such a type has one form on the stack, in memory and in the ABI: these words in order.
pub(super) fn word_types(types: &Types, ty: TypeId) -> Option<Vec<TypeId>> {
    match types.get(ty) {
        Type::Unit => Some(Vec::new()),
        Type::Tuple(_) | Type::Struct(_) => {
            let fields = field_types(types, ty)?;
            let parts: Option<Vec<_>> = fields.into_iter().map(|field| word_types(types, field)).collect();
            Some(parts?.concat())
        }
        _ => types.is_word(ty).then(|| vec![ty]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_counts() {
        let mut types = Types::new();
        let pair = types.tuple(vec![TypeId::U64, TypeId::BOOL]);
        let nested = types.tuple(vec![pair, TypeId::ADDRESS]);
        let result = types.intern(Type::Result { ok: nested, err: TypeId::ANY_ERROR });
        let unit_result = types.intern(Type::Result { ok: TypeId::UNIT, err: TypeId::ANY_ERROR });
        let vec = types.intern(Type::Vec(TypeId::U64));
        let counts =
            [(TypeId::UNIT, 0), (TypeId::HASH, 1), (pair, 2), (nested, 3), (result, 4), (unit_result, 2)];
        for (ty, count) in counts {
            assert_eq!(word_count(&types, ty), Some(count), "{}", types.display(ty));
        }
        let map = types.intern(Type::Map { key: TypeId::U64, value: TypeId::U64 });
        assert_eq!(word_count(&types, vec), Some(1));
        assert_eq!(word_count(&types, map), None);
        assert_eq!(word_types(&types, nested), Some(vec![TypeId::U64, TypeId::BOOL, TypeId::ADDRESS]));
        assert_eq!(word_types(&types, result), None);
    }
}
