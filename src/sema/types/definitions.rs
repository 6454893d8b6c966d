//! What the names of structs, enums, errors and handles stand for, and the enums that the language itself declares.

use std::collections::BTreeSet;

use super::{EnumId, StructId, Type, TypeId, Types};
use crate::source::Span;

/// A variant's name, and the parts of its payload.
type Variant = (&'static str, &'static [TypeId]);

/// Name and variants of each enum that every program has, with the parts of the variants' payloads.
///
/// The position is the number of its [`EnumId`](super::EnumId).
pub(super) const PREDECLARED_ENUMS: &[(&str, &[Variant])] =
    &[("CallError", &[("Reverted", &[TypeId::BYTES]), ("NoCode", &[]), ("BadReturn", &[])])];

/// The predeclared enums.
pub(super) fn predeclared_enums() -> Vec<EnumDef> {
    let variants = |variants: &[Variant]| {
        let variant = |(at, (name, payload)): (usize, &Variant)| EnumVariant {
            name: (*name).to_owned(),
            discriminant: at as u8,
            payload: payload.to_vec(),
        };
        variants.iter().enumerate().map(variant).collect()
    };
    let table = PREDECLARED_ENUMS.iter();
    table
        .map(|(name, list)| EnumDef {
            name: (*name).to_owned(),
            span: Span::default(),
            variants: variants(list),
        })
        .collect()
}

impl Types {
    /// The structs and enums that values of some types hold, those inside of others included.
    pub fn definitions_in(
        &self,
        roots: impl IntoIterator<Item = TypeId>,
    ) -> (BTreeSet<StructId>, BTreeSet<EnumId>) {
        let (mut structs, mut enums) = (BTreeSet::new(), BTreeSet::new());
        // The stack is explicit: how deep types nest is the source's choice.
        let mut open: Vec<TypeId> = roots.into_iter().collect();
        while let Some(ty) = open.pop() {
            match self.get(ty) {
                &Type::Struct(id) if structs.insert(id) => {
                    open.extend(self.structs[id.index()].fields.iter().map(|field| field.1));
                }
                &Type::Enum(id) if enums.insert(id) => {
                    let variants = self.enums[id.index()].variants.iter();
                    open.extend(variants.flat_map(|variant| variant.payload.iter().copied()));
                }
                Type::Tuple(elements) => open.extend(elements),
                &Type::Array { element, .. } | &Type::Vec(element) | &Type::Option(element) => {
                    open.push(element);
                }
                &Type::Map { key, value } => open.extend([key, value]),
                &Type::Result { ok, .. } => open.push(ok),
                &Type::Ref { target, .. } => open.push(target),
                _ => {}
            }
        }
        (structs, enums)
    }
}

/// A declared struct.
#[derive(Clone, Debug)]
pub struct StructDef {
    /// Name in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Names and types of the fields, in declaration order.
    pub fields: Vec<(String, TypeId)>,
    /// Whether it carries `#[copy]`.
    pub copy: bool,
    /// Whether it carries `#[unpacked]`.
    pub unpacked: bool,
}

/// A declared enum.
#[derive(Clone, Debug)]
pub struct EnumDef {
    /// Name in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// The variants in declaration order.
    pub variants: Vec<EnumVariant>,
}

impl EnumDef {
    /// Whether no variant has a payload, so that a value is its discriminant.
    pub fn is_payload_free(&self) -> bool {
        self.variants.iter().all(|variant| variant.payload.is_empty())
    }
}

/// One variant of an enum.
#[derive(Clone, Debug)]
pub struct EnumVariant {
    /// Name in source.
    pub name: String,
    /// The value in memory and storage.
    pub discriminant: u8,
    /// Types of the payload.
    pub payload: Vec<TypeId>,
}

/// An `error` (one variant, the error itself) or an error set.
#[derive(Clone, Debug)]
pub struct ErrorTypeDef {
    /// Name of the type in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Whether it is a set, `error E { A, B(x: u8) }`, so that a value also says which variant it is.
    pub is_set: bool,
    /// The variants; a value's tag is the position here.
    pub variants: Vec<ErrorVariant>,
}

/// One ABI error.
#[derive(Clone, Debug)]
pub struct ErrorVariant {
    /// Name in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Names and types of the parameters.
    pub params: Vec<(String, TypeId)>,
    /// The canonical signature, `Insufficient(uint64,uint64)`.
    pub signature: String,
    /// First four bytes of keccak256 of the signature.
    pub selector: [u8; 4],
}

/// An interface, or a contract used as one.
#[derive(Clone, Debug)]
pub struct HandleDef {
    /// Name in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// The functions that can be called, in source order.
    pub functions: Vec<ExternalFn>,
}

/// A function as other contracts see it.
#[derive(Clone, Debug)]
pub struct ExternalFn {
    /// Name in source.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Names and types of the parameters.
    pub params: Vec<(String, TypeId)>,
    /// Type of the result; T of a `Result<T, E>`.
    pub result: TypeId,
    /// The canonical signature, `transfer(address,uint256)`.
    pub signature: String,
    /// First four bytes of call data.
    pub selector: [u8; 4],
    /// Whether it is called so that nothing can change.
    pub view: bool,
    /// Whether it takes value.
    pub payable: bool,
    /// `#[optional_return]`: no data from an account with code counts as `true`.
    pub optional_return: bool,
}
