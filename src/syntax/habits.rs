//! What people bring along from other languages, and how it is written here. Only hints come from it.

/// How a type that newcomers bring along is written here; for two ways, with back quotes between them.
pub fn type_here(name: &str) -> Option<String> {
    Some(match name {
        "address" => "Address".into(),
        "uint" => "u256".into(),
        "int" => "i256".into(),
        "usize" => "u256".into(),
        "bytes32" => "bytes<32>` or `Hash".into(),
        "mapping" => "Map".into(),
        "String" | "str" => "string".into(),
        _ => {
            let (kind, bits) = match name.strip_prefix("uint") {
                Some(bits) => ('u', bits),
                None => ('i', name.strip_prefix("int")?),
            };
            let width: u16 = bits.parse().ok()?;
            let exists =
                (8..=256).contains(&width) && width.is_multiple_of(8) && !bits.starts_with(['0', '+']);
            exists.then(|| format!("{kind}{bits}"))?
        }
    })
}

/// A note on a word that stands where the grammar knows none.
pub(super) fn note(word: &str) -> Option<&'static str> {
    Some(match word {
        "function" | "func" | "def" => {
            "a function is written `fn name(a: u64) -> u64 { … }`; with `pub` before it, it can be called from outside"
        }
        "mapping" => "a map is written `table name: Map<Key, Value>;`",
        "modifier" => "there are no modifiers: begin with a call of a function that checks",
        "returns" => "a result is written `-> Type`",
        "public" | "external" => "`pub` before `fn` makes a function callable from outside",
        "private" | "internal" => "a function without `pub` can be called from inside only",
        "memory" | "storage" | "calldata" => "types do not say where their values lie",
        "pragma" => "a file states no version of the compiler",
        "import" => "names of other files come in by `use`",
        "library" => "what a library would hold are functions of a module",
        "var" | "auto" => "a variable is declared by `let name = …;` or `let mut name = …;`",
        "bool" | "string" => STATE,
        _ if type_here(word).is_some() => STATE,
        _ => return None,
    })
}

/// How a variable of storage is declared.
const STATE: &str = "a variable of storage is written `state name: Type;`";
