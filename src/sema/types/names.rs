//! How types are written: for a reader, and in the ABI.

use super::{Type, TypeId, Types};

impl Types {
    /// The type as a reader writes it, `Map<Address, u64>`.
    pub fn display(&self, id: TypeId) -> String {
        match self.get(id) {
            Type::Error => "{unknown}".into(),
            Type::Never => "!".into(),
            Type::Unit => "()".into(),
            Type::Bool => "bool".into(),
            Type::IntLiteral | Type::Infer(_) => "{int}".into(),
            Type::Open(_) => "_".into(),
            Type::Int(int) => int.to_string(),
            Type::Address => "Address".into(),
            Type::Hash => "Hash".into(),
            Type::FixedBytes(size) => format!("bytes<{size}>"),
            Type::Bytes => "bytes".into(),
            Type::String => "string".into(),
            Type::Tuple(elements) => {
                let list: Vec<_> = elements.iter().map(|&element| self.display(element)).collect();
                format!("({})", list.join(", "))
            }
            Type::Array { element, length } => format!("[{}; {length}]", self.display(*element)),
            Type::Vec(element) => format!("Vec<{}>", self.display(*element)),
            Type::Map { key, value } => format!("Map<{}, {}>", self.display(*key), self.display(*value)),
            Type::Struct(id) => self.structs[id.index()].name.clone(),
            Type::Enum(id) => self.enums[id.index()].name.clone(),
            Type::ErrorType(id) => self.error_types[id.index()].name.clone(),
            Type::AnyError => "Error".into(),
            Type::Option(inner) => format!("Option<{}>", self.display(*inner)),
            Type::Result { ok, err } => format!("Result<{}, {}>", self.display(*ok), self.display(*err)),
            Type::Handle(id) => self.handles[id.index()].name.clone(),
            Type::Ref { mutable, target } => {
                format!("&{}{}", if *mutable { "mut " } else { "" }, self.display(*target))
            }
        }
    }

    /// The canonical ABI type (§14.1), or nothing when it is not an ABI type. `()` has none either.
    pub fn abi_type(&self, id: TypeId) -> Option<String> {
        let list = |ids: &mut dyn Iterator<Item = TypeId>| {
            let parts: Option<Vec<_>> = ids.map(|id| self.abi_type(id)).collect();
            parts.map(|parts| format!("({})", parts.join(",")))
        };
        match self.get(id) {
            Type::Bool => Some("bool".into()),
            Type::Int(int) => Some(format!("{}int{}", if int.signed { "" } else { "u" }, int.bits)),
            Type::Address | Type::Handle(_) => Some("address".into()),
            Type::Hash => Some("bytes32".into()),
            Type::FixedBytes(size) => Some(format!("bytes{size}")),
            Type::Bytes => Some("bytes".into()),
            Type::String => Some("string".into()),
            Type::Tuple(elements) => list(&mut elements.iter().copied()),
            Type::Array { element, length } => Some(format!("{}[{length}]", self.abi_type(*element)?)),
            Type::Vec(element) => Some(format!("{}[]", self.abi_type(*element)?)),
            Type::Struct(id) => list(&mut self.structs[id.index()].fields.iter().map(|field| field.1)),
            Type::Enum(id) => self.enums[id.index()].is_payload_free().then(|| "uint8".into()),
            _ => None,
        }
    }
}
