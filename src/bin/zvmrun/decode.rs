//! What came back, read by the ABI: results, revert reasons, logs.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{B256, I256, U256, hex};
use zvm::host::Log;
use zvm::outcome::panic_code;

use crate::abi::{Abi, Event, Param};
use crate::names::Names;
use crate::types::AbiType;
use crate::values::show_value;

/// More than this is shown in hex only.
const DECODED_SIZE_MAX: usize = 1 << 16;
/// Values decoded from one range at most. Nested dynamic arrays may share their elements, so that a short
/// range can stand for very many values.
const DECODED_VALUES_MAX: usize = 1 << 20;

/// A decoded value with its name and type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// Name, empty if it has none.
    pub(crate) name: String,
    /// Kalix type.
    pub(crate) ty: String,
    /// Value.
    pub(crate) value: DynSolValue,
}

/// Why a program reverted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reason {
    /// An error of the ABI.
    Custom {
        /// Name.
        name: String,
        /// Values.
        fields: Vec<Named>,
    },
    /// `Error(string)`: a text given to `require` or `revert`.
    Text(String),
    /// `Panic(uint256)`.
    Panic(U256),
    /// Empty revert data.
    Empty,
    /// Data that no error of the ABI explains.
    Unknown(Vec<u8>),
}

/// A log, read by the ABI where it can be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReadLog {
    /// As it was emitted.
    pub(crate) log: Log,
    /// Event name and fields in the order of the source.
    pub(crate) event: Option<(String, Vec<Named>)>,
}

/// Meaning of every panic code that Solidity or Kalix defines.
const PANICS: &[(u8, &str)] = &[
    (panic_code::ASSERTION, "an assertion failed"),
    (panic_code::OVERFLOW, "arithmetic overflow: a value does not fit its type"),
    (panic_code::DIVISION_BY_ZERO, "division or remainder by zero"),
    (panic_code::ENUM, "a number that names no variant of the enum"),
    (panic_code::EMPTY_POP, "pop of an empty Vec"),
    (panic_code::INDEX, "index out of bounds"),
    (panic_code::ALLOCATION, "memory allocation above the limit"),
    (panic_code::LOOP_BOUND, "a loop ran more often than its bound"),
];

/// Errors that exist without being declared.
const PREDECLARED: &[([u8; 4], &str)] = &[([0xab, 0x14, 0x3c, 0x06], "Reentrancy")];

const ERROR_STRING: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// Decodes data by its types; `None` if it is not exactly that.
pub(crate) fn decode(params: &[Param], data: &[u8]) -> Option<Vec<Named>> {
    let types: Vec<&AbiType> = params.iter().map(|param| &param.ty).collect();
    let values = decode_values(&types, data)?;
    Some(params.iter().zip(values).map(|(param, value)| named(param, value)).collect())
}

fn named(param: &Param, value: DynSolValue) -> Named {
    Named { name: param.name.clone(), ty: param.ty.kalix.clone(), value }
}

fn decode_values(types: &[&AbiType], data: &[u8]) -> Option<Vec<DynSolValue>> {
    if types.is_empty() {
        return data.is_empty().then(Vec::new);
    }
    let depth = types.iter().map(|ty| ty.array_depth()).max().unwrap_or(0);
    let values_at_most = (data.len() / 32).checked_pow(u32::try_from(depth).ok()?)?;
    if data.len() > DECODED_SIZE_MAX || values_at_most > DECODED_VALUES_MAX {
        return None;
    }
    let tuple = DynSolType::Tuple(types.iter().map(|ty| ty.sol.clone()).collect());
    let value = tuple.abi_decode_params(data).ok()?;
    // The decoder is lenient about padding; a value that encodes to other bytes was not what was meant.
    if !fits(&value) || value.abi_encode_params() != data {
        return None;
    }
    match value {
        DynSolValue::Tuple(values) => Some(values),
        _ => None,
    }
}

/// Whether every integer lies in its type: the decoder keeps whole words.
fn fits(value: &DynSolValue) -> bool {
    match value {
        DynSolValue::Uint(value, bits) => value.bit_len() <= *bits,
        DynSolValue::Int(value, bits) => {
            let sign = value.asr(bits.saturating_sub(1));
            sign.is_zero() || sign == I256::MINUS_ONE
        }
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            values.iter().all(fits)
        }
        _ => true,
    }
}

/// Reads revert data.
pub(crate) fn reason(abi: Option<&Abi>, data: &[u8]) -> Reason {
    let Some((selector, rest)) = data.split_first_chunk::<4>() else {
        return if data.is_empty() { Reason::Empty } else { Reason::Unknown(data.into()) };
    };
    let declared = abi.into_iter().flat_map(|abi| &abi.errors).find(|error| error.selector == *selector);
    if let Some(error) = declared
        && let Some(fields) = decode(&error.inputs, rest)
    {
        return Reason::Custom { name: error.name.clone(), fields };
    }
    if rest.is_empty()
        && let Some((_, name)) = PREDECLARED.iter().find(|(known, _)| known == selector)
    {
        return Reason::Custom { name: name.to_string(), fields: vec![] };
    }
    let value = match *selector {
        ERROR_STRING => DynSolType::Tuple(vec![DynSolType::String]).abi_decode_params(rest).ok(),
        PANIC => DynSolType::Tuple(vec![DynSolType::Uint(256)]).abi_decode_params(rest).ok(),
        _ => None,
    };
    match value.as_ref().and_then(DynSolValue::as_tuple) {
        Some([DynSolValue::String(text)]) => Reason::Text(text.clone()),
        Some([DynSolValue::Uint(code, _)]) => Reason::Panic(*code),
        _ => Reason::Unknown(data.into()),
    }
}

/// What a panic code means.
pub(crate) fn panic_meaning(code: &U256) -> &'static str {
    let known = PANICS.iter().find(|(known, _)| U256::from(*known) == *code);
    known.map_or("a code that zvmrun does not know", |(_, text)| text)
}

impl Reason {
    /// The reason as text: `Insufficient(have: 0, need: 5)`.
    pub(crate) fn show(&self, names: &Names) -> String {
        match self {
            Reason::Custom { name, fields } => show_fields(name, fields, names),
            Reason::Text(text) => format!("Error({text:?})"),
            Reason::Panic(code) => format!("Panic({code:#04x}): {}", panic_meaning(code)),
            Reason::Empty => "no data".into(),
            Reason::Unknown(data) => hex::encode_prefixed(data),
        }
    }

    /// What the user may look for.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Reason::Custom { .. } | Reason::Text(_) | Reason::Panic(_) => None,
            Reason::Empty => Some(
                "a revert without data means: no such function, malformed call data, value sent to a function \
                 that is not payable, or a `require` without a reason"
                    .into(),
            ),
            Reason::Unknown(_) => Some("no error of the ABI has this selector; a called contract may".into()),
        }
    }
}

/// `Name(a: 1, b: 2)`.
pub(crate) fn show_fields(name: &str, fields: &[Named], names: &Names) -> String {
    format!("{name}({})", show_named(fields, names))
}

/// `a: 1, b: 2`.
pub(crate) fn show_named(fields: &[Named], names: &Names) -> String {
    let show = |field: &Named| {
        let value = show_value(&field.value, names);
        if field.name.is_empty() { value } else { format!("{}: {value}", field.name) }
    };
    fields.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// Reads a log by the events of the contract that emitted it.
pub(crate) fn read_log(abi: Option<&Abi>, log: Log) -> ReadLog {
    let events = || abi.into_iter().flat_map(|abi| &abi.events);
    let of_topic = events().find(|event| event.topic.is_some() && event.topic.as_ref() == log.topics.first());
    let fields = |event: &Event| {
        let fields = event_fields(event, &log)?;
        Some((event.name.clone(), fields))
    };
    let event = of_topic.and_then(fields);
    // An anonymous event has nothing to be known by, so it is named only if no other fits.
    let anonymous = || {
        let mut fitting = events().filter(|event| event.topic.is_none()).filter_map(fields);
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let event = event.or_else(anonymous);
    ReadLog { log, event }
}

fn event_fields(event: &Event, log: &Log) -> Option<Vec<Named>> {
    let mut topics = log.topics.iter().skip(usize::from(event.topic.is_some()));
    let data_params: Vec<Param> = event.fields.iter().filter(|field| !field.indexed).cloned().collect();
    let mut data = decode(&data_params, &log.data)?.into_iter();
    let fields: Option<Vec<Named>> = event
        .fields
        .iter()
        .map(|field| if field.indexed { topic_value(field, topics.next()?) } else { data.next() })
        .collect();
    fields.filter(|_| topics.next().is_none())
}

/// A word is its topic; of anything longer only the hash is there.
fn topic_value(field: &Param, topic: &B256) -> Option<Named> {
    let is_word = !matches!(
        field.ty.sol,
        DynSolType::Bytes
            | DynSolType::String
            | DynSolType::Array(_)
            | DynSolType::FixedArray(..)
            | DynSolType::Tuple(_)
    );
    if is_word {
        let value = decode_values(&[&field.ty], topic.as_slice())?.pop()?;
        return Some(named(field, value));
    }
    let ty = format!("keccak256 of {}", field.ty);
    Some(Named { name: field.name.clone(), ty, value: DynSolValue::FixedBytes(*topic, 32) })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, Bytes, keccak256};

    use super::*;
    use crate::abi::tests::VAULT;

    fn vault() -> Abi {
        Abi::read(VAULT).unwrap().unwrap()
    }

    fn word(value: u64) -> [u8; 32] {
        U256::from(value).to_be_bytes()
    }

    fn shown(data: &[u8]) -> String {
        reason(Some(&vault()), data).show(&Names::new())
    }

    #[test]
    fn reverts_are_decoded() {
        let insufficient = [&[0x5b, 0x72, 0xb5, 0xcf][..], &word(0), &word(5)].concat();
        assert_eq!(shown(&insufficient), "Insufficient(have: 0, need: 5)");
        assert_eq!(shown(&zvm::outcome::panic_data(0x12)), "Panic(0x12): division or remainder by zero");
        assert_eq!(shown(&zvm::outcome::panic_data(0x99)), "Panic(0x99): a code that zvmrun does not know");
        let text = [&ERROR_STRING[..], &word(32), &word(3), b"too", &[0; 29]].concat();
        assert_eq!(shown(&text), "Error(\"too\")");
        assert_eq!(shown(&[0xab, 0x14, 0x3c, 0x06]), "Reentrancy()");
        assert_eq!(shown(&[]), "no data");
    }

    #[test]
    fn what_is_not_quite_an_error_stays_hex() {
        let mut padded = [&[0x5b, 0x72, 0xb5, 0xcf][..], &word(0), &word(5)].concat();
        padded[4] = 1; // Non-zero padding of a u64.
        for data in [&padded[..], &padded[..40], &[1], &[1, 2, 3, 4], &ERROR_STRING, &PANIC] {
            assert_eq!(shown(data), hex::encode_prefixed(data));
        }
    }

    #[test]
    fn logs_are_decoded_by_their_first_topic() {
        let account = Address::repeat_byte(7);
        let topics = vec![keccak256("Deposited(address,uint64)"), account.into_word()];
        let log = Log { address: Address::ZERO, topics: topics.clone(), data: Bytes::from(word(100)) };
        let (name, fields) = read_log(Some(&vault()), log.clone()).event.unwrap();
        assert_eq!(
            show_fields(&name, &fields, &Names::new()),
            format!("Deposited(account: {account}, amount: 100)")
        );
        let without_topic = Log { topics: topics[..1].to_vec(), ..log.clone() };
        assert_eq!(read_log(Some(&vault()), without_topic).event, None);
        let short = Log { data: Bytes::new(), ..log.clone() };
        assert_eq!(read_log(Some(&vault()), short).event, None);
        assert_eq!(read_log(None, log).event, None);
    }

    #[test]
    fn shared_elements_of_nested_arrays_do_not_multiply() {
        let ty = AbiType::parse("x", "uint8[][][][]").unwrap();
        let param = Param { name: String::new(), ty, indexed: false };
        assert_eq!(decode(&[param], &vec![0; 60_000]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_decoded_or_left_alone(
            data in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
            zeros in 0_usize..200,
        ) {
            // Runs of zeros make offsets and lengths that are not absurd.
            let data: Vec<u8> = data.iter().enumerate().map(|(i, b)| if i < zeros && i % 32 < 31 { 0 } else { *b }).collect();
            for canonical in ["uint8[]", "(bytes,string)[2]", "int64[][3]", "(bool,(uint8,address[]))", "bytes4", "string[][]"] {
                let ty = AbiType::parse("x", canonical).unwrap();
                let sol = ty.sol.clone();
                let param = Param { name: String::new(), ty, indexed: false };
                if let Some(values) = decode(&[param], &data) {
                    proptest::prop_assert!(values[0].value.matches(&sol));
                    let again = DynSolValue::Tuple(vec![values[0].value.clone()]).abi_encode_params();
                    proptest::prop_assert_eq!(again, data.clone());
                }
            }
            reason(Some(&vault()), &data).show(&Names::new());
        }
    }
}
