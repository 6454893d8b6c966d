//! A type of the ABI: how Kalix calls it, how it is encoded, and which integers fit.

use std::fmt;

use alloy_dyn_abi::DynSolType;
use alloy_primitives::{I256, U256};

/// Deepest nesting of a type; an ABI may come from anywhere.
const NESTING_MAX: usize = 16;
/// Longest text of a type, in bytes.
const TEXT_SIZE_MAX: usize = 4096;
/// Most words that a value of fixed size may take, so that no array length in an ABI makes us allocate.
const WORDS_MAX: usize = 1 << 14;

/// A type of a parameter or a result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AbiType {
    /// The Kalix type, as the source names it.
    pub(crate) kalix: String,
    /// The canonical type, which says how a value is encoded.
    pub(crate) sol: DynSolType,
}

/// An integer type of the source language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IntRange {
    /// Whether values may be negative.
    pub(crate) is_signed: bool,
    /// Width.
    pub(crate) bits: usize,
}

impl AbiType {
    /// Reads both spellings; the canonical one alone decides about encoding.
    pub(crate) fn parse(kalix: &str, canonical: &str) -> Result<AbiType, String> {
        if canonical.len() > TEXT_SIZE_MAX || kalix.len() > TEXT_SIZE_MAX {
            return Err(format!("a type of more than {TEXT_SIZE_MAX} bytes"));
        }
        let brackets = canonical.bytes().filter(|byte| matches!(byte, b'(' | b'[')).count();
        let opening = canonical.bytes().fold((0_usize, 0_usize), |(depth, deepest), byte| match byte {
            b'(' => (depth + 1, deepest.max(depth + 1)),
            b')' => (depth.saturating_sub(1), deepest),
            _ => (depth, deepest),
        });
        if opening.1 > NESTING_MAX || brackets > 256 {
            return Err(format!("`{canonical}` is nested deeper than {NESTING_MAX}"));
        }
        let sol = DynSolType::parse(canonical).map_err(|error| format!("`{canonical}`: {error}"))?;
        match words(&sol) {
            Some(words) if words <= WORDS_MAX => Ok(AbiType { kalix: kalix.into(), sol }),
            Some(_) => Err(format!("a value of `{canonical}` takes more than {WORDS_MAX} words")),
            None => Err(format!("`{canonical}` is not a type that Kalix encodes")),
        }
    }

    /// The integers that fit, for an integer type. An explicit selector may name a wider type than the source
    /// has; the source's counts, because the contract rejects the rest.
    pub(crate) fn int_range(&self) -> Option<IntRange> {
        let encoded = match self.sol {
            DynSolType::Uint(bits) => IntRange { is_signed: false, bits },
            DynSolType::Int(bits) => IntRange { is_signed: true, bits },
            _ => return None,
        };
        let source = IntRange::of_kalix(&self.kalix);
        Some(
            source
                .filter(|range| range.is_signed == encoded.is_signed && range.bits <= encoded.bits)
                .unwrap_or(encoded),
        )
    }

    /// The element type of an array.
    pub(crate) fn element(&self) -> Option<AbiType> {
        let (DynSolType::Array(element) | DynSolType::FixedArray(element, _)) = &self.sol else {
            return None;
        };
        Some(AbiType::nested(element))
    }

    /// The members of a tuple or struct.
    pub(crate) fn members(&self) -> Option<Vec<AbiType>> {
        Some(self.sol.as_tuple()?.iter().map(AbiType::nested).collect())
    }

    /// A part of a type: only its canonical spelling is known, which equals Kalix's widths.
    fn nested(sol: &DynSolType) -> AbiType {
        AbiType { kalix: kalix_name(sol), sol: sol.clone() }
    }

    /// How many dynamic arrays lie in each other.
    pub(crate) fn array_depth(&self) -> usize {
        array_depth(&self.sol)
    }
}

impl fmt::Display for AbiType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kalix)
    }
}

impl IntRange {
    /// `u8` to `i256`.
    fn of_kalix(name: &str) -> Option<IntRange> {
        let (sign, bits) = name.split_at_checked(1)?;
        let is_signed = match sign {
            "u" => false,
            "i" => true,
            _ => return None,
        };
        let bits: usize = bits.parse().ok()?;
        ((8..=256).contains(&bits) && bits.is_multiple_of(8)).then_some(IntRange { is_signed, bits })
    }

    /// The largest value.
    pub(crate) fn max(self) -> U256 {
        U256::MAX >> (256 - self.bits + usize::from(self.is_signed))
    }

    /// The least value.
    pub(crate) fn min(self) -> I256 {
        if self.is_signed { I256::MIN.asr(256 - self.bits) } else { I256::ZERO }
    }
}

impl fmt::Display for IntRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.min(), self.max())
    }
}

/// Kalix's name of a canonical type.
pub(crate) fn kalix_name(sol: &DynSolType) -> String {
    let list = |types: &[DynSolType]| types.iter().map(kalix_name).collect::<Vec<_>>().join(", ");
    match sol {
        DynSolType::Uint(bits) => format!("u{bits}"),
        DynSolType::Int(bits) => format!("i{bits}"),
        DynSolType::Address => "Address".into(),
        DynSolType::FixedBytes(32) => "Hash".into(),
        DynSolType::FixedBytes(size) => format!("bytes<{size}>"),
        DynSolType::Array(element) => format!("Vec<{}>", kalix_name(element)),
        DynSolType::FixedArray(element, count) => format!("[{}; {count}]", kalix_name(element)),
        DynSolType::Tuple(members) => format!("({})", list(members)),
        _ => sol.sol_type_name().into_owned(),
    }
}

/// Words of a value's fixed part; `None` for types that Kalix never encodes or that take no room at all.
fn words(sol: &DynSolType) -> Option<usize> {
    match sol {
        DynSolType::Bool
        | DynSolType::Address
        | DynSolType::Uint(_)
        | DynSolType::Int(_)
        | DynSolType::FixedBytes(_)
        | DynSolType::Bytes
        | DynSolType::String => Some(1),
        DynSolType::Array(element) => words(element).map(|words| words.max(1)),
        DynSolType::FixedArray(element, count) => {
            let words = words(element)?.saturating_mul(*count);
            (words > 0).then_some(words)
        }
        DynSolType::Tuple(members) if !members.is_empty() => {
            members.iter().try_fold(0_usize, |sum, member| Some(sum.saturating_add(words(member)?)))
        }
        _ => None,
    }
}

fn array_depth(sol: &DynSolType) -> usize {
    match sol {
        DynSolType::Array(element) => 1 + array_depth(element),
        DynSolType::FixedArray(element, _) => array_depth(element),
        DynSolType::Tuple(members) => members.iter().map(array_depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrower_source_type_gives_the_range() {
        let range =
            |kalix, canonical| AbiType::parse(kalix, canonical).unwrap().int_range().map(|r| r.to_string());
        assert_eq!(range("u64", "uint256").unwrap(), "0..=18446744073709551615");
        assert_eq!(range("i8", "int8").unwrap(), "-128..=127");
        assert_eq!(range("u8", "uint8").unwrap(), "0..=255");
        assert_eq!(range("Color", "uint8").unwrap(), "0..=255");
        assert_eq!(range("u256", "uint256").unwrap(), format!("0..={}", U256::MAX));
        assert_eq!(range("i256", "int256").unwrap(), format!("{}..={}", I256::MIN, I256::MAX));
        assert_eq!(range("Address", "address"), None);
    }

    #[test]
    fn names_follow_the_canonical_type() {
        let name = |canonical| kalix_name(&AbiType::parse("x", canonical).unwrap().sol);
        assert_eq!(name("(uint64,address)[]"), "Vec<(u64, Address)>");
        assert_eq!(name("bytes32[3]"), "[Hash; 3]");
        assert_eq!(name("bytes4"), "bytes<4>");
        assert_eq!(name("string"), "string");
    }

    #[test]
    fn hostile_types_are_refused() {
        let deep = format!("{}uint8{}", "(".repeat(5000), ")".repeat(5000));
        let deep_arrays = format!("uint8{}", "[]".repeat(300));
        for text in [
            "",
            "uint7",
            "uint512",
            "foo",
            "()",
            "()[9]",
            "uint8[0]",
            "uint8[99999999999]",
            "uint8[4096][4096]",
            "function",
            &deep,
            &deep_arrays,
            "uint8[18446744073709551616]",
        ] {
            assert!(AbiType::parse("x", text).is_err(), "{}", &text[..text.len().min(40)]);
        }
    }
}
