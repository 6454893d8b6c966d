//! Types and their interner.
//!
//! Every type of the language has a representation here, also those that checking does not accept yet, so
//! that a later feature adds no second type system. Types are compared by [`TypeId`]; the types that every
//! program has are constants of it. Declared types (structs, enums, errors, handles) refer to their
//! definitions in [`Types`]; what expressions do with types is [`check`](crate::sema)'s business.

mod definitions;
mod ints;
mod names;

use rustc_hash::{FxBuildHasher, FxHashMap};

use definitions::PREDECLARED_ENUMS;
pub use definitions::{EnumDef, EnumVariant, ErrorTypeDef, ErrorVariant, ExternalFn, HandleDef, StructDef};
pub use ints::IntType;

/// Numbers that name a definition in [`Types`] or in the typed tree.
macro_rules! define_ids {
    ($( $(#[doc = $doc:literal])+ $Name:ident ; )*) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $Name(pub u32);

        impl $Name {
            /// The position in the vector of definitions.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )* };
}
pub(crate) use define_ids;

/// A type is made of at most this many parts, those of its parts included.
pub const TYPE_PARTS_MAX: usize = 256;

define_ids! {
    /// A type, interned in [`Types`]: equal types have equal ids.
    TypeId;
    /// A struct of the program: [`Types::structs`].
    StructId;
    /// An enum of the program: [`Types::enums`].
    EnumId;
    /// An `error` or error set: [`Types::error_types`].
    ErrorTypeId;
    /// An interface, or a contract used as one: [`Types::handles`].
    HandleId;
    /// A type that is still to be inferred, within one function.
    InferId;
}

impl TypeId {
    /// A hole left by a reported mistake; it agrees with every type and is never lowered.
    pub const ERROR: TypeId = TypeId(0);
    /// `!`, the type of `return`, `revert`, `break` and `continue`.
    pub const NEVER: TypeId = TypeId(1);
    /// `()`.
    pub const UNIT: TypeId = TypeId(2);
    /// `bool`.
    pub const BOOL: TypeId = TypeId(3);
    /// `{int}`, the type of an integer literal before its use fixes one; absent from a finished tree.
    pub const INT_LITERAL: TypeId = TypeId(4);
    /// `Address`.
    pub const ADDRESS: TypeId = TypeId(5);
    /// `Hash`.
    pub const HASH: TypeId = TypeId(6);
    /// `bytes`.
    pub const BYTES: TypeId = TypeId(7);
    /// `string`.
    pub const STRING: TypeId = TypeId(8);
    /// `Error`, encoded revert data of any error.
    pub const ANY_ERROR: TypeId = TypeId(9);
    /// `u8`.
    pub const U8: TypeId = TypeId::int(IntType::U8);
    /// `u64`.
    pub const U64: TypeId = TypeId::int(IntType::U64);
    /// `u160`.
    pub const U160: TypeId = TypeId::int(IntType::U160);
    /// `u256`.
    pub const U256: TypeId = TypeId::int(IntType::U256);
    /// `bytes<4>`.
    pub const BYTES4: TypeId = TypeId::fixed_bytes(4);
    /// `CallError`, why a call failed: an enum that every program has.
    pub const CALL_ERROR: TypeId = TypeId(TypeId::FIRST_OTHER);

    const FIRST_INT: u32 = 10;
    const FIRST_FIXED_BYTES: u32 = TypeId::FIRST_INT + 64;
    const FIRST_OTHER: u32 = TypeId::FIRST_FIXED_BYTES + 32;

    /// The id of an integer type.
    pub const fn int(int: IntType) -> TypeId {
        TypeId(TypeId::FIRST_INT + int.signed as u32 * 32 + (int.bits as u32 / 8 - 1))
    }

    /// The id of `bytes<size>`, 1 ≤ `size` ≤ 32.
    pub const fn fixed_bytes(size: u8) -> TypeId {
        TypeId(TypeId::FIRST_FIXED_BYTES + size as u32 - 1)
    }

    /// The integer type behind this id, if it is one. Needs no interner.
    pub const fn as_int(self) -> Option<IntType> {
        if self.0 < TypeId::FIRST_INT || self.0 >= TypeId::FIRST_FIXED_BYTES {
            return None;
        }
        let row = self.0 - TypeId::FIRST_INT;
        Some(IntType { signed: row >= 32, bits: (row % 32 + 1) as u16 * 8 })
    }

    /// N of `bytes<N>`, if this is one. Needs no interner.
    pub const fn as_fixed_bytes(self) -> Option<u8> {
        let known = self.0 >= TypeId::FIRST_FIXED_BYTES && self.0 < TypeId::FIRST_OTHER;
        if known { Some((self.0 - TypeId::FIRST_FIXED_BYTES + 1) as u8) } else { None }
    }
}

/// A type of the language.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// See [`TypeId::ERROR`].
    Error,
    /// `!`.
    Never,
    /// `()`.
    Unit,
    /// `bool`: 0 or 1.
    Bool,
    /// See [`TypeId::INT_LITERAL`].
    IntLiteral,
    /// An integer whose width a later use fixes; absent from a finished tree.
    Infer(InferId),
    /// Any type, which a later use fixes: that of the elements of `Vec::new()`; absent from a finished tree.
    Open(InferId),
    /// `uN`, zero-extended, or `iN`, sign-extended.
    Int(IntType),
    /// `Address`: the low 20 bytes.
    Address,
    /// `Hash`: 32 bytes.
    Hash,
    /// `bytes<N>`: left-aligned and zero-padded.
    FixedBytes(u8),
    /// `bytes`: a pointer to a length word and the data.
    Bytes,
    /// `string`.
    String,
    /// `(A, B, …)` of at least one element; Copy when every element is.
    Tuple(Vec<TypeId>),
    /// `[T; N]`.
    Array {
        /// Type of an element.
        element: TypeId,
        /// Number of elements.
        length: u64,
    },
    /// `Vec<T>`.
    Vec(TypeId),
    /// `Map<K, V>`: storage only.
    Map {
        /// Type of the key.
        key: TypeId,
        /// Type of the value, possibly again a map.
        value: TypeId,
    },
    /// A declared struct.
    Struct(StructId),
    /// A declared enum.
    Enum(EnumId),
    /// A declared `error` or error set.
    ErrorType(ErrorTypeId),
    /// `Error`.
    AnyError,
    /// `Option<T>`.
    Option(TypeId),
    /// `Result<T, E>`.
    Result {
        /// Type of `Ok`.
        ok: TypeId,
        /// Type of `Err`: an error type or `Error`.
        err: TypeId,
    },
    /// A contract or interface handle: its `Address`.
    Handle(HandleId),
    /// `&T` or `&mut T`.
    Ref {
        /// Whether it is `&mut`.
        mutable: bool,
        /// What it refers to.
        target: TypeId,
    },
}

/// The interner, with the definitions that types refer to.
#[derive(Clone, Debug)]
pub struct Types {
    all: Vec<Type>,
    ids: FxHashMap<Type, TypeId>,
    /// Structs by [`StructId`].
    pub structs: Vec<StructDef>,
    /// Enums by [`EnumId`].
    pub enums: Vec<EnumDef>,
    /// Errors and error sets by [`ErrorTypeId`].
    pub error_types: Vec<ErrorTypeDef>,
    /// Interfaces and contracts by [`HandleId`].
    pub handles: Vec<HandleDef>,
}

impl Default for Types {
    fn default() -> Self {
        Self::new()
    }
}

impl Types {
    /// An interner that holds the types every program has.
    pub fn new() -> Types {
        let mut types = Types {
            all: Vec::with_capacity(128),
            ids: FxHashMap::with_capacity_and_hasher(128, FxBuildHasher),
            structs: Vec::new(),
            enums: definitions::predeclared_enums(),
            error_types: Vec::new(),
            handles: Vec::new(),
        };
        let simple = [
            Type::Error,
            Type::Never,
            Type::Unit,
            Type::Bool,
            Type::IntLiteral,
            Type::Address,
            Type::Hash,
            Type::Bytes,
            Type::String,
            Type::AnyError,
        ];
        for ty in simple {
            types.intern(ty);
        }
        for signed in [false, true] {
            for bits in (8..=256).step_by(8) {
                types.intern(Type::Int(IntType { signed, bits }));
            }
        }
        for size in 1..=32 {
            types.intern(Type::FixedBytes(size));
        }
        assert_eq!(
            types.all.len(),
            TypeId::FIRST_OTHER as usize,
            "the constants of TypeId follow this order"
        );
        for index in 0..PREDECLARED_ENUMS.len() {
            types.intern(Type::Enum(EnumId(index as u32)));
        }
        types
    }

    /// The id of `ty`, adding it if it is new.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        if let Some(&id) = self.ids.get(&ty) {
            return id;
        }
        let id = TypeId(self.all.len() as u32);
        self.all.push(ty.clone());
        self.ids.insert(ty, id);
        id
    }

    /// The type behind `id`.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.all[id.index()]
    }

    /// The tuple of `elements`; `()` when there is none.
    pub fn tuple(&mut self, elements: Vec<TypeId>) -> TypeId {
        if elements.is_empty() { TypeId::UNIT } else { self.intern(Type::Tuple(elements)) }
    }

    /// How many types a type is made of, itself and the parts of its parts included; 1 for a word.
    pub fn parts(&self, id: TypeId) -> usize {
        let sum = |ids: &mut dyn Iterator<Item = TypeId>| ids.map(|id| self.parts(id)).sum::<usize>();
        match self.get(id) {
            Type::Tuple(elements) => 1 + sum(&mut elements.iter().copied()),
            Type::Struct(id) => 1 + sum(&mut self.structs[id.index()].fields.iter().map(|field| field.1)),
            Type::Enum(id) => {
                let variants = self.enums[id.index()].variants.iter();
                1 + sum(&mut variants.flat_map(|variant| variant.payload.iter().copied()))
            }
            &Type::Array { element: inner, .. }
            | &Type::Vec(inner)
            | &Type::Option(inner)
            | &Type::Map { value: inner, .. } => 1 + self.parts(inner),
            &Type::Result { ok, err } => 1 + self.parts(ok) + self.parts(err),
            Type::ErrorType(id) => {
                let variants = self.error_type(*id).variants.iter();
                1 + sum(&mut variants.flat_map(|variant| variant.params.iter().map(|param| param.1)))
            }
            _ => 1,
        }
    }

    /// [`parts`](Self::parts) without those of structs and enums.
    pub fn parts_here(&self, id: TypeId) -> usize {
        match self.get(id) {
            Type::Tuple(elements) => {
                1 + elements.iter().map(|&element| self.parts_here(element)).sum::<usize>()
            }
            &Type::Array { element: inner, .. }
            | &Type::Vec(inner)
            | &Type::Option(inner)
            | &Type::Map { value: inner, .. } => 1 + self.parts_here(inner),
            Type::Struct(_) | Type::Enum(_) => 0,
            _ => 1,
        }
    }

    /// Whether the type is a map or has one in it, so that its values exist in storage only.
    pub fn holds_map(&self, id: TypeId) -> bool {
        match self.get(id) {
            Type::Map { .. } => true,
            Type::Tuple(elements) => elements.iter().any(|&element| self.holds_map(element)),
            Type::Struct(id) => self.structs[id.index()].fields.iter().any(|field| self.holds_map(field.1)),
            &Type::Array { element: inner, .. } | &Type::Vec(inner) | &Type::Option(inner) => {
                self.holds_map(inner)
            }
            _ => false,
        }
    }

    /// Whether the language itself declares an enum.
    pub fn is_predeclared(id: EnumId) -> bool {
        id.index() < PREDECLARED_ENUMS.len()
    }

    /// The enum that the language itself declares under this name.
    pub fn predeclared_enum(name: &str) -> Option<EnumId> {
        PREDECLARED_ENUMS.iter().position(|row| row.0 == name).map(|index| EnumId(index as u32))
    }

    /// The variants of a type that has some: tag, name as a pattern writes it, and the parts of the payload.
    ///
    /// Empty for types without variants and for enums without payloads, whose values are words.
    pub fn variants(&self, id: TypeId) -> Vec<(u32, String, Vec<TypeId>)> {
        let row = |tag, name: &str, payload: Vec<TypeId>| (tag, name.to_owned(), payload);
        match self.get(id) {
            Type::Enum(id) if !self.enums[id.index()].is_payload_free() => {
                let def = &self.enums[id.index()];
                let variants = def.variants.iter();
                variants
                    .map(|variant| {
                        let name = format!("{}::{}", def.name, variant.name);
                        (variant.discriminant.into(), name, variant.payload.clone())
                    })
                    .collect()
            }
            &Type::Option(inner) => vec![row(0, "None", Vec::new()), row(1, "Some", vec![inner])],
            &Type::Result { ok, err } => vec![row(0, "Ok", vec![ok]), row(1, "Err", vec![err])],
            Type::ErrorType(id) => {
                let def = self.error_type(*id);
                let name = |variant: &ErrorVariant| match def.is_set {
                    true => format!("{}::{}", def.name, variant.name),
                    false => variant.name.clone(),
                };
                let payload = |variant: &ErrorVariant| variant.params.iter().map(|param| param.1).collect();
                let variants = def.variants.iter().enumerate();
                variants.map(|(at, variant)| (at as u32, name(variant), payload(variant))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the type is a reference or has one in it. Fields and payloads have none.
    pub fn holds_reference(&self, id: TypeId) -> bool {
        match self.get(id) {
            Type::Ref { .. } => true,
            Type::Tuple(elements) => elements.iter().any(|&element| self.holds_reference(element)),
            &Type::Array { element: inner, .. }
            | &Type::Vec(inner)
            | &Type::Option(inner)
            | &Type::Result { ok: inner, .. }
            | &Type::Map { value: inner, .. } => self.holds_reference(inner),
            _ => false,
        }
    }

    /// The definition of an error type.
    pub fn error_type(&self, id: ErrorTypeId) -> &ErrorTypeDef {
        &self.error_types[id.index()]
    }

    /// Whether values of the type are copied by use (§4).
    pub fn is_copy(&self, id: TypeId) -> bool {
        match self.get(id) {
            Type::Error | Type::Never | Type::Unit | Type::Bool | Type::IntLiteral | Type::Infer(_) => true,
            Type::Int(_) | Type::Address | Type::Hash | Type::FixedBytes(_) | Type::Handle(_) => true,
            Type::Tuple(elements) => elements.iter().all(|&element| self.is_copy(element)),
            Type::Enum(id) => self.enums[id.index()].is_payload_free(),
            Type::Struct(id) => self.structs[id.index()].copy,
            Type::Ref { mutable, .. } => !mutable,
            Type::Bytes | Type::String | Type::Array { .. } | Type::Vec(_) | Type::Map { .. } => false,
            Type::ErrorType(_) | Type::AnyError | Type::Option(_) | Type::Result { .. } | Type::Open(_) => {
                false
            }
        }
    }

    /// Whether a value is exactly one word that is not a pointer: the Copy types except `()`, tuples and structs.
    pub fn is_word(&self, id: TypeId) -> bool {
        match self.get(id) {
            Type::Bool
            | Type::Int(_)
            | Type::Address
            | Type::Hash
            | Type::FixedBytes(_)
            | Type::Handle(_) => true,
            Type::Enum(id) => self.enums[id.index()].is_payload_free(),
            _ => false,
        }
    }

    /// Size in storage of a type for which [`is_word`](Self::is_word) holds, in bytes.
    pub fn word_size_bytes(&self, id: TypeId) -> Option<u8> {
        Some(match self.get(id) {
            Type::Bool => 1,
            Type::Int(int) => int.bytes(),
            Type::Address | Type::Handle(_) => 20,
            Type::Hash => 32,
            Type::FixedBytes(size) => *size,
            Type::Enum(id) if self.enums[id.index()].is_payload_free() => 1,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_name_the_types_they_say() {
        let types = Types::new();
        let named = [
            (TypeId::ERROR, Type::Error),
            (TypeId::NEVER, Type::Never),
            (TypeId::UNIT, Type::Unit),
            (TypeId::BOOL, Type::Bool),
            (TypeId::INT_LITERAL, Type::IntLiteral),
            (TypeId::ADDRESS, Type::Address),
            (TypeId::HASH, Type::Hash),
            (TypeId::BYTES, Type::Bytes),
            (TypeId::STRING, Type::String),
            (TypeId::ANY_ERROR, Type::AnyError),
            (TypeId::BYTES4, Type::FixedBytes(4)),
            (TypeId::CALL_ERROR, Type::Enum(EnumId(0))),
            (TypeId::U64, Type::Int(IntType::U64)),
        ];
        for (id, ty) in named {
            assert_eq!(*types.get(id), ty);
        }
        for signed in [false, true] {
            for bits in (8..=256).step_by(8) {
                let int = IntType { signed, bits };
                assert_eq!(*types.get(TypeId::int(int)), Type::Int(int));
                assert_eq!(TypeId::int(int).as_int(), Some(int));
                assert_eq!(IntType::from_name(&int.name()), Some(int));
            }
        }
        assert_eq!(TypeId::BYTES4.as_fixed_bytes(), Some(4));
        assert_eq!(TypeId::fixed_bytes(32).as_fixed_bytes(), Some(32));
        assert_eq!(TypeId::U256.as_fixed_bytes(), None);
        assert_eq!(TypeId::BYTES4.as_int(), None);
        assert_eq!(TypeId::ANY_ERROR.as_int(), None);
    }

    #[test]
    fn equal_types_have_equal_ids() {
        let mut types = Types::new();
        let inner = types.intern(Type::Map { key: TypeId::HASH, value: TypeId::U64 });
        let map = types.intern(Type::Map { key: TypeId::ADDRESS, value: inner });
        assert_eq!(map, types.intern(Type::Map { key: TypeId::ADDRESS, value: inner }));
        assert_eq!(types.display(map), "Map<Address, Map<Hash, u64>>");
        assert_eq!(types.abi_type(map), None);
        let pair = types.tuple(vec![TypeId::U64, TypeId::BYTES4]);
        assert_eq!(types.abi_type(pair).unwrap(), "(uint64,bytes4)");
        assert_eq!(types.tuple(vec![]), TypeId::UNIT);
    }
}
