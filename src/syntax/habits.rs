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

/// Kinds of values whose members have other names elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An account.
    Address,
    /// `bytes`, `string`, `Vec` and arrays.
    Sequence,
    /// A map.
    Map,
    /// `Option` and `Result`.
    Maybe,
    /// Any integer.
    Integer,
    /// Everything else.
    Other,
}

/// What is written here for a field or method that other languages have.
pub fn member_here(kind: Kind, name: &str) -> Option<&'static str> {
    Some(match (kind, name) {
        (Kind::Address, "transfer") => {
            "`a.send(wei)?` sends the native currency; a token moves by its handle, `IERC20(a).transfer(to, amount)`"
        }
        (Kind::Address, "delegatecall") => "it is written `delegate_call`",
        (Kind::Address, "staticcall") => "it is written `static_call`",
        (Kind::Address, "code") => "`a.code_size` and `a.code_hash` tell about the code",
        (Kind::Address, "codehash") => "it is written `code_hash`",
        (Kind::Address, "address") => "this is an address",
        (Kind::Sequence, "length" | "size" | "count") => "it is written `len()`",
        (Kind::Sequence, "is_empty" | "isEmpty") => "compare `len()` with 0",
        (Kind::Sequence, "iter" | "iter_mut" | "into_iter" | "map" | "filter" | "forEach") => {
            "there are no iterators: `for x in v` goes over the elements"
        }
        (Kind::Sequence, "get" | "at" | "charAt") => "an element is `v[i]`",
        (Kind::Sequence, "append" | "add" | "push_back" | "extend") => "`v.push(x)` adds one element",
        (Kind::Sequence, "first" | "last") => "an element is reached by its index",
        (Kind::Sequence, "to_string" | "as_bytes" | "to_vec") => "`x as bytes` and `x as string` convert",
        (Kind::Map, "get" | "get_mut" | "entry") => {
            "the value of a key is `m[k]`; one that was never set is zero"
        }
        (Kind::Map, "insert" | "set" | "put") => "a value is set by `m[k] = v`",
        (Kind::Map, "contains_key" | "contains" | "has") => {
            "a key that was never set reads as zero: keep in the value whether it is there"
        }
        (Kind::Map, "len" | "length" | "keys" | "values" | "iter" | "size") => {
            "a map knows no keys: keep a `Vec` or a counter beside it"
        }
        (Kind::Maybe, "unwrap" | "expect") => {
            "there is no `unwrap`: use `?`, `match`, `unwrap_or(d)`, or `if let`"
        }
        (Kind::Maybe, "map" | "and_then" | "map_err" | "unwrap_or_default" | "unwrap_or_else") => {
            "functions are not values: use `match`"
        }
        (Kind::Integer, "checked_add" | "checked_sub" | "checked_mul" | "checked_div") => {
            "`+`, `-`, `*` and `/` are checked, and stop execution where the result does not fit"
        }
        (Kind::Integer, "add" | "sub" | "mul" | "div" | "mod") => {
            "use `+`, `-`, `*`, `/` and `%`: they are checked"
        }
        (Kind::Integer, "wrapping_add" | "wrapping_sub" | "wrapping_mul") => "use `+%`, `-%` and `*%`",
        (Kind::Integer, "saturating_add" | "saturating_sub" | "saturating_mul") => "use `+|`, `-|` and `*|`",
        (Kind::Integer, "pow") => "use `**`",
        (Kind::Integer, "to_string" | "toString") => "numbers have no text form",
        _ => return None,
    })
}

/// How a variable of storage is declared.
const STATE: &str = "a variable of storage is written `state name: Type;`";
