//! How values of the language become words.
//!
//! | Type | Words |
//! |---|---|
//! | `()`, `!` | none |
//! | one-word types | the word (§4) |
//! | tuple | the elements' words in order |
//! | `error` | the parameters' words |
//! | error set | tag (position of the variant), then the words of the longest variant |
//! | `Error` | a heap pointer: length word, then the encoded revert data |
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
        Type::AnyError => Some(1),
        Type::Tuple(elements) => sum(&mut elements.iter().copied()),
        Type::ErrorType(id) => {
            let def = types.error_type(*id);
            let mut longest = 0;
            for variant in &def.variants {
                longest = longest.max(sum(&mut variant.params.iter().map(|param| param.1))?);
            }
            Some(usize::from(has_tag(def)) + longest)
        }
        Type::Result { ok, err } => Some(1 + word_count(types, *ok)?.max(word_count(types, *err)?)),
        _ => types.is_word(ty).then_some(1),
    }
}

/// Whether a value of the error type begins with the position of its variant.
pub(super) fn has_tag(def: &ErrorTypeDef) -> bool {
    def.variants.len() != 1
}

/// T and E of a `Result<T, E>`.
pub(super) fn result_parts(types: &Types, ty: TypeId) -> Option<(TypeId, TypeId)> {
    match types.get(ty) {
        Type::Result { ok, err } => Some((*ok, *err)),
        _ => None,
    }
}

/// The types of the words of a type that is made of tuples and one-word types only; nothing for others.
pub(super) fn word_types(types: &Types, ty: TypeId) -> Option<Vec<TypeId>> {
    match types.get(ty) {
        Type::Unit => Some(Vec::new()),
        Type::Tuple(elements) => {
            let parts: Option<Vec<_>> = elements.iter().map(|&element| word_types(types, element)).collect();
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
        assert_eq!(word_count(&types, vec), None);
        assert_eq!(word_types(&types, nested), Some(vec![TypeId::U64, TypeId::BOOL, TypeId::ADDRESS]));
        assert_eq!(word_types(&types, result), None);
    }
}
