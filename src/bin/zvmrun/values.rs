//! Values of the ABI: from the text of an argument, and back to text and JSON.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{I256, U256, hex};
use serde_json::{Value, json};

use crate::names::Names;
use crate::types::{AbiType, IntRange};

/// Reads an argument as a value of that type. The error says why not, without naming argument or type.
pub(crate) fn parse_value(text: &str, ty: &AbiType, names: &mut Names) -> Result<DynSolValue, String> {
    // A string stands alone without quotes; whatever else it holds is its text.
    if matches!(ty.sol, DynSolType::String) {
        return Ok(DynSolValue::String(text.into()));
    }
    let mut reader = Reader { rest: text.trim(), names };
    let value = reader.value(ty)?;
    match reader.rest.trim_start() {
        "" => Ok(value),
        rest => Err(format!("`{rest}` is left over behind the value")),
    }
}

/// A cursor over the text of one argument. It recurses as deep as the type, whose depth is limited.
struct Reader<'t, 'n> {
    rest: &'t str,
    names: &'n mut Names,
}

impl<'t> Reader<'t, '_> {
    fn value(&mut self, ty: &AbiType) -> Result<DynSolValue, String> {
        match &ty.sol {
            DynSolType::Array(_) => Ok(DynSolValue::Array(self.array(ty)?)),
            DynSolType::FixedArray(_, count) => {
                let values = self.array(ty)?;
                match values.len() == *count {
                    true => Ok(DynSolValue::FixedArray(values)),
                    false => Err(format!("{count} elements are needed, here are {}", values.len())),
                }
            }
            DynSolType::Tuple(_) => self.tuple(&ty.members().unwrap_or_default()),
            DynSolType::String => Ok(DynSolValue::String(self.quoted_or_atom()?)),
            sol => {
                let atom = self.atom();
                match sol {
                    DynSolType::Bool => parse_bool(atom).map(DynSolValue::Bool),
                    DynSolType::Address => self.names.address(atom).map(DynSolValue::Address),
                    DynSolType::Bytes => parse_hex(atom).map(DynSolValue::Bytes),
                    DynSolType::FixedBytes(size) => parse_fixed_bytes(atom, *size),
                    DynSolType::Uint(bits) | DynSolType::Int(bits) => {
                        let range = ty.int_range().ok_or("not an integer type")?;
                        parse_int(atom, range, *bits)
                    }
                    _ => Err("zvmrun cannot read values of this type".into()),
                }
            }
        }
    }

    fn array(&mut self, ty: &AbiType) -> Result<Vec<DynSolValue>, String> {
        let element = ty.element().ok_or("not an array type")?;
        let mut values = Vec::new();
        self.expect('[', "an array is written [a, b]")?;
        if self.take(']') {
            return Ok(values);
        }
        loop {
            values.push(self.value(&element).map_err(|error| format!("element {}: {error}", values.len()))?);
            if self.take(']') {
                return Ok(values);
            }
            self.expect(',', "elements are separated by commas and end with `]`")?;
        }
    }

    fn tuple(&mut self, members: &[AbiType]) -> Result<DynSolValue, String> {
        let mut values = Vec::new();
        self.expect('(', "a tuple or struct is written (a, b)")?;
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.expect(',', &format!("the tuple has {} members", members.len()))?;
            }
            values.push(self.value(member).map_err(|error| format!("member {index}: {error}"))?);
        }
        self.expect(')', &format!("the tuple has {} members", members.len()))?;
        Ok(DynSolValue::Tuple(values))
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, wanted: char, rule: &str) -> Result<(), String> {
        match self.take(wanted) {
            true => Ok(()),
            false => Err(format!("`{wanted}` is missing: {rule}")),
        }
    }

    /// Text up to a comma or bracket.
    fn atom(&mut self) -> &'t str {
        let text = self.rest.trim_start();
        let end = text.find([',', ']', ')', '[', '(']).unwrap_or(text.len());
        let (atom, rest) = text.split_at(end);
        self.rest = rest;
        atom.trim_end()
    }

    fn quoted_or_atom(&mut self) -> Result<String, String> {
        let text = self.rest.trim_start();
        let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return Ok(self.atom().into());
        };
        let mut out = String::new();
        let mut chars = text[1..].char_indices();
        while let Some((index, c)) = chars.next() {
            match c {
                '\\' => out.push(chars.next().ok_or("a backslash ends the text")?.1),
                _ if c == quote => {
                    self.rest = &text[1 + index + 1..];
                    return Ok(out);
                }
                _ => out.push(c),
            }
        }
        Err(format!("the quote {quote} is not closed"))
    }
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("write true or false".into()),
    }
}

/// Reads bytes in hex.
pub(crate) fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.strip_prefix("0x").ok_or("bytes are written 0x and hex digits")?;
    hex::decode(digits).map_err(|error| format!("not hex: {error}"))
}

fn parse_fixed_bytes(text: &str, size: usize) -> Result<DynSolValue, String> {
    let bytes = parse_hex(text)?;
    if bytes.len() != size {
        return Err(format!("{size} bytes are needed, here are {}", bytes.len()));
    }
    let mut word = alloy_primitives::B256::ZERO;
    word[..size].copy_from_slice(&bytes);
    Ok(DynSolValue::FixedBytes(word, size))
}

/// Reads an unsigned number: decimal, 0x or 0b, with `_` between digits.
pub(crate) fn parse_magnitude(text: &str) -> Result<U256, String> {
    let (digits, radix) = match text.split_at_checked(2) {
        Some(("0x", digits)) => (digits, 16),
        Some(("0b", digits)) => (digits, 2),
        _ => (text, 10),
    };
    let is_wrong = |c: char| !(c.is_digit(radix) || c == '_');
    if digits.is_empty() || digits.starts_with('_') || digits.ends_with('_') || digits.contains(is_wrong) {
        return Err("not a number".into());
    }
    let digits = digits.replace('_', "");
    U256::from_str_radix(&digits, u64::from(radix)).map_err(|_| "larger than any integer type".into())
}

fn parse_int(text: &str, range: IntRange, bits: usize) -> Result<DynSolValue, String> {
    let out_of_range = || format!("{text} is out of the range {range}");
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let magnitude = match parse_magnitude(digits) {
        Ok(magnitude) => magnitude,
        Err(error) if error == "not a number" => return Err(error),
        Err(_) => return Err(out_of_range()),
    };
    let limit = if is_negative { range.min().unsigned_abs() } else { range.max() };
    if magnitude > limit {
        return Err(out_of_range());
    }
    let word = if is_negative { magnitude.wrapping_neg() } else { magnitude };
    Ok(match range.is_signed {
        true => DynSolValue::Int(I256::from_raw(word), bits),
        false => DynSolValue::Uint(word, bits),
    })
}

/// A value as Kalix would write it, addresses with their names.
pub(crate) fn show_value(value: &DynSolValue, names: &Names) -> String {
    let list = |values: &[DynSolValue]| {
        values.iter().map(|value| show_value(value, names)).collect::<Vec<_>>().join(", ")
    };
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, size) => hex::encode_prefixed(&word[..*size]),
        DynSolValue::Address(address) => names.show(address),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(text) => format!("{text:?}"),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => format!("[{}]", list(values)),
        DynSolValue::Tuple(values) => format!("({})", list(values)),
        other => format!("{other:?}"),
    }
}

/// A value in JSON: integers as decimal strings, because JSON's numbers lose digits.
pub(crate) fn json_value(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(value) => json!(value),
        DynSolValue::Int(value, _) => json!(value.to_string()),
        DynSolValue::Uint(value, _) => json!(value.to_string()),
        DynSolValue::FixedBytes(word, size) => json!(hex::encode_prefixed(&word[..*size])),
        DynSolValue::Address(address) => json!(address.to_string()),
        DynSolValue::Bytes(bytes) => json!(hex::encode_prefixed(bytes)),
        DynSolValue::String(text) => json!(text),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            values.iter().map(json_value).collect()
        }
        other => json!(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, canonical: &str) -> Result<String, String> {
        let sol = DynSolType::parse(canonical).unwrap();
        let ty = AbiType::parse(&crate::types::kalix_name(&sol), canonical).unwrap();
        let mut names = Names::new();
        let value = parse_value(text, &ty, &mut names)?;
        assert!(value.matches(&ty.sol), "{value:?} is not a {canonical}");
        Ok(show_value(&value, &names))
    }

    #[test]
    fn integers_in_every_spelling() {
        for (text, canonical, shown) in [
            ("0", "uint8", "0"),
            ("255", "uint8", "255"),
            ("0xff", "uint8", "255"),
            ("0b11", "uint8", "3"),
            ("1_000_000", "uint64", "1000000"),
            ("-128", "int8", "-128"),
            ("-0x80", "int8", "-128"),
            ("127", "int8", "127"),
            ("-0", "uint8", "0"),
            ("-1", "int256", "-1"),
        ] {
            assert_eq!(parse(text, canonical).as_deref(), Ok(shown), "{text} as {canonical}");
        }
        let least = I256::MIN.to_string();
        assert_eq!(parse(&least, "int256"), Ok(least.clone()));
        assert_eq!(parse(&U256::MAX.to_string(), "uint256"), Ok(U256::MAX.to_string()));
    }

    #[test]
    fn what_does_not_fit_says_the_range() {
        for (text, canonical) in [
            ("256", "uint8"),
            ("-1", "uint8"),
            ("128", "int8"),
            ("-129", "int8"),
            (&"9".repeat(100), "uint256"),
        ] {
            let error = parse(text, canonical).unwrap_err();
            assert!(error.contains("is out of the range"), "{text} as {canonical}: {error}");
        }
        for text in ["", "x", "1x", "_1", "1_", "0x", "--1", "1.5", "é", "+1"] {
            assert_eq!(parse(text, "uint64"), Err("not a number".into()), "{text}");
        }
    }

    #[test]
    fn the_source_type_is_narrower_than_the_encoded_one() {
        let ty = AbiType::parse("u64", "uint256").unwrap();
        let mut names = Names::new();
        assert!(parse_value("18446744073709551615", &ty, &mut names).is_ok());
        let error = parse_value("18446744073709551616", &ty, &mut names).unwrap_err();
        assert_eq!(error, "18446744073709551616 is out of the range 0..=18446744073709551615");
    }

    #[test]
    fn other_types() {
        assert_eq!(parse("true", "bool").as_deref(), Ok("true"));
        assert_eq!(parse("0x01020304", "bytes4").as_deref(), Ok("0x01020304"));
        assert_eq!(parse("0x", "bytes").as_deref(), Ok("0x"));
        assert_eq!(parse("two \"words\", [", "string").as_deref(), Ok(r#""two \"words\", [""#));
        for (text, canonical) in
            [("1", "bool"), ("0x0102", "bytes4"), ("0x1", "bytes"), ("12", "bytes"), ("1", "address")]
        {
            assert!(parse(text, canonical).is_err(), "{text} as {canonical}");
        }
    }

    #[test]
    fn arrays_and_tuples() {
        assert_eq!(parse("[1, 2,3]", "uint8[]").as_deref(), Ok("[1, 2, 3]"));
        assert_eq!(parse("[]", "uint8[]").as_deref(), Ok("[]"));
        assert_eq!(
            parse("(@zero, [(1, 'a, b'), (2, c)])", "(address,(uint8,string)[])").as_deref(),
            Ok(r#"(0x0000000000000000000000000000000000000000, [(1, "a, b"), (2, "c")])"#)
        );
        for (text, canonical, error) in [
            ("[1, 256]", "uint8[]", "element 1: 256 is out of the range 0..=255"),
            ("[1]", "uint8[2]", "2 elements are needed, here are 1"),
            ("[1", "uint8[]", "`,` is missing"),
            ("1", "uint8[]", "`[` is missing"),
            ("[1] 2", "uint8[]", "`2` is left over"),
            ("(1)", "(uint8,uint8)", "`,` is missing: the tuple has 2 members"),
            ("(1, 'x)", "(uint8,string)", "member 1: the quote ' is not closed"),
        ] {
            let found = parse(text, canonical).unwrap_err();
            assert!(found.starts_with(error), "{text}: {found}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_value_or_an_error(text in r#"[\[\](),"'@\\0-9a-fx_ \-é]{0,40}"#) {
            for canonical in ["uint8", "int256", "bool", "address", "bytes", "bytes4", "string", "string[]", "(uint8,string)[2]"] {
                // It asserts that a value has its type.
                let _ = parse(&text, canonical);
            }
        }

        #[test]
        fn what_is_shown_reads_back(values in proptest::collection::vec(proptest::prelude::any::<i64>(), 0..5)) {
            let text = format!("{values:?}");
            proptest::prop_assert_eq!(parse(&text, "int64[]"), Ok(text));
        }
    }
}
