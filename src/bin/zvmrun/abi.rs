//! The KALIX ABI JSON as zvmrun uses it: what can be called, and how results, events and errors read.
//!
//! Reading is lenient about members it does not need and strict about those it does. Finding a function by
//! what the user wrote lives in [`lookup`].

pub(crate) mod lookup;

use alloy_primitives::{B256, hex, keccak256};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::status::Status;
use crate::types::AbiType;

/// What a contract offers.
#[derive(Clone, Debug)]
pub(crate) struct Abi {
    /// Name of the contract.
    pub(crate) contract: String,
    /// Callable functions, in the order of the file.
    pub(crate) functions: Vec<Function>,
    /// Events.
    pub(crate) events: Vec<Event>,
    /// Errors it may revert with.
    pub(crate) errors: Vec<ErrorItem>,
    /// Parameters of the constructor; empty without one.
    pub(crate) constructor: Vec<Param>,
    /// What the host must offer.
    requires: Vec<String>,
}

/// A callable function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Name.
    pub(crate) name: String,
    /// First four bytes of the call data.
    pub(crate) selector: [u8; 4],
    /// Canonical signature.
    pub(crate) signature: String,
    /// Parameters.
    pub(crate) inputs: Vec<Param>,
    /// Results.
    pub(crate) outputs: Vec<Param>,
    /// `mutable`, `payable`, `view` or `pure`.
    pub(crate) mutability: String,
    /// Bound of the gas of its execution.
    pub(crate) gas: GasBound,
}

/// What the compiler promises about the gas of a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GasBound {
    /// Whether the ABI says anything about it.
    pub(crate) is_known: bool,
    /// Never more than this.
    pub(crate) bound: Option<u64>,
    /// Never more than this, external calls aside.
    pub(crate) bound_excluding_calls: Option<u64>,
}

/// A named, typed part of a function, event or error.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Param {
    /// Name, empty if it has none.
    pub(crate) name: String,
    /// Type.
    pub(crate) ty: AbiType,
    /// Whether an event field is a topic.
    pub(crate) indexed: bool,
}

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Name.
    pub(crate) name: String,
    /// First topic; `None` for an anonymous event.
    pub(crate) topic: Option<B256>,
    /// Fields.
    pub(crate) fields: Vec<Param>,
}

/// An error of the contract.
#[derive(Clone, Debug)]
pub(crate) struct ErrorItem {
    /// Name.
    pub(crate) name: String,
    /// First four bytes of the revert data.
    pub(crate) selector: [u8; 4],
    /// Parameters.
    pub(crate) inputs: Vec<Param>,
}

#[derive(Deserialize)]
struct AbiJson {
    contract: String,
    functions: Vec<ItemJson>,
    #[serde(default)]
    events: Vec<ItemJson>,
    #[serde(default)]
    errors: Vec<ItemJson>,
    #[serde(default)]
    constructor: Option<ItemJson>,
    #[serde(default)]
    requires: Vec<String>,
}

/// A function, event, error or constructor; each has some of these members.
#[derive(Deserialize)]
struct ItemJson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    selector: Option<String>,
    #[serde(default)]
    signature: String,
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    anonymous: bool,
    #[serde(default)]
    inputs: Vec<ParamJson>,
    #[serde(default)]
    outputs: Vec<ParamJson>,
    #[serde(default)]
    fields: Vec<ParamJson>,
    #[serde(default)]
    mutability: String,
    #[serde(default)]
    gas: Value,
}

#[derive(Deserialize)]
struct ParamJson {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kalix: String,
    #[serde(default)]
    abi_type: Option<String>,
    #[serde(default)]
    indexed: bool,
}

impl Abi {
    /// Whether the contract uses Hedera's services.
    pub(crate) fn requires_hedera(&self) -> bool {
        self.requires.iter().any(|service| service == "hedera")
    }

    /// Reads the ABI of a container; `None` if the container has none (empty text, or `{}`).
    pub(crate) fn read(text: &str) -> Result<Option<Abi>, Failure> {
        let malformed = |message: String| {
            Failure::new(Status::Malformed, format!("the ABI cannot be read: {message}"))
                .help("build the container again with kalixc; zvmrun reads the KALIX ABI JSON")
        };
        if matches!(text.trim(), "" | "{}" | "null") {
            return Ok(None);
        }
        let json: AbiJson = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        json.resolve().map(Some).map_err(malformed)
    }
}

impl AbiJson {
    fn resolve(self) -> Result<Abi, String> {
        fn each<T>(
            kind: &str,
            items: Vec<ItemJson>,
            resolve: impl Fn(ItemJson) -> Result<T, String>,
        ) -> Result<Vec<T>, String> {
            let named = |item: ItemJson| {
                let name = item.name.clone();
                resolve(item).map_err(|error| format!("{kind} `{name}`: {error}"))
            };
            items.into_iter().map(named).collect()
        }
        Ok(Abi {
            contract: self.contract,
            functions: each("function", self.functions, ItemJson::function)?,
            events: each("event", self.events, ItemJson::event)?,
            errors: each("error", self.errors, ItemJson::error)?,
            constructor: match self.constructor {
                Some(item) => params(item.inputs, None).map_err(|error| format!("constructor: {error}"))?,
                None => Vec::new(),
            },
            requires: self.requires,
        })
    }
}

impl ItemJson {
    fn function(self) -> Result<Function, String> {
        let types = signature_types(&self.signature)?;
        let bound = |member: &str| self.gas.get(member).and_then(Value::as_u64);
        Ok(Function {
            gas: GasBound {
                is_known: self.gas.is_object(),
                bound: bound("bound"),
                bound_excluding_calls: bound("bound_excluding_calls"),
            },
            selector: selector(self.selector.as_deref(), &self.signature)?,
            inputs: params(self.inputs, Some(types))?,
            outputs: params(self.outputs, None)?,
            name: self.name,
            signature: self.signature,
            mutability: self.mutability,
        })
    }

    fn event(self) -> Result<Event, String> {
        let topic = match (self.anonymous, &self.topic) {
            (true, _) => None,
            (false, Some(topic)) => Some(topic.parse().map_err(|_| format!("`{topic}` is not a topic"))?),
            (false, None) => Some(keccak256(&self.signature)),
        };
        let types = signature_types(&self.signature)?;
        Ok(Event { topic, fields: params(self.fields, Some(types))?, name: self.name })
    }

    fn error(self) -> Result<ErrorItem, String> {
        let types = signature_types(&self.signature)?;
        Ok(ErrorItem {
            selector: selector(self.selector.as_deref(), &self.signature)?,
            inputs: params(self.inputs, Some(types))?,
            name: self.name,
        })
    }
}

/// Resolves parameters. Their canonical types are their own, or else those of the signature.
fn params(items: Vec<ParamJson>, signature: Option<Vec<String>>) -> Result<Vec<Param>, String> {
    if let Some(types) = &signature
        && types.len() != items.len()
    {
        return Err(format!("{} parameters, but {} in the signature", items.len(), types.len()));
    }
    let mut types = signature.unwrap_or_default().into_iter();
    let mut resolve = |index: usize, item: ParamJson| {
        let of_signature = types.next();
        let canonical = item.abi_type.or(of_signature).ok_or("`abi_type` is missing")?;
        let kalix = if item.kalix.is_empty() { &canonical } else { &item.kalix };
        let ty = AbiType::parse(kalix, &canonical)?;
        Ok(Param { name: item.name, ty, indexed: item.indexed })
            .map_err(|error: String| format!("{index}: {error}"))
    };
    items.into_iter().enumerate().map(|(index, item)| resolve(index, item)).collect()
}

/// The parameter types of `name(a,(b,c)[])`.
fn signature_types(signature: &str) -> Result<Vec<String>, String> {
    let list = signature
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .ok_or_else(|| format!("`{signature}` is not a signature"))?;
    let mut types = vec![String::new()];
    let mut depth = 0_usize;
    for c in list.chars() {
        match c {
            ',' if depth == 0 => {
                types.push(String::new());
                continue;
            }
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        types.last_mut().expect("the list begins with one").push(c);
    }
    if list.is_empty() { Ok(Vec::new()) } else { Ok(types) }
}

/// The selector as given, or that of the signature.
fn selector(given: Option<&str>, signature: &str) -> Result<[u8; 4], String> {
    match given {
        Some(text) => hex::decode_to_array(text).map_err(|_| format!("`{text}` is not a selector")),
        None => Ok(keccak256(signature)[..4].try_into().expect("a hash has 32 bytes")),
    }
}

impl Function {
    /// The signature as the source has it: `withdraw(amount: u64) -> u64`.
    pub(crate) fn typed_signature(&self) -> String {
        let mut text = format!("{}({})", self.name, list_params(&self.inputs));
        match &self.outputs[..] {
            [] => {}
            [output] if output.name.is_empty() => text.push_str(&format!(" -> {}", output.ty)),
            outputs => text.push_str(&format!(" -> ({})", list_params(outputs))),
        }
        text
    }

    /// The name with the Kalix types of the parameters: `withdraw(u64)`.
    fn kalix_signature(&self) -> String {
        let types: Vec<_> = self.inputs.iter().map(|param| param.ty.kalix.as_str()).collect();
        format!("{}({})", self.name, types.join(","))
    }
}

impl GasBound {
    /// The bound as the list of functions shows it.
    pub(crate) fn show(self) -> String {
        match (self.bound, self.bound_excluding_calls) {
            (Some(bound), _) => format!("≤ {bound}"),
            (None, Some(bound)) => format!("≤ {bound} + calls"),
            (None, None) if self.is_known => "unbounded".into(),
            (None, None) => "unknown".into(),
        }
    }
}

/// Parameters as the source has them: `to: Address, amount: u64`.
pub(crate) fn list_params(params: &[Param]) -> String {
    let show = |param: &Param| match param.name.as_str() {
        "" => param.ty.to_string(),
        name => format!("{name}: {}", param.ty),
    };
    params.iter().map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The ABI of `TokenVault`, shortened.
    pub(crate) const VAULT: &str = r#"{
      "contract": "TokenVault",
      "functions": [
        { "name": "deposit", "selector": "0xb6b55f25",
          "inputs": [{ "name": "amount", "type": "u64", "abi_type": "uint256" }], "outputs": [],
          "mutability": "mutable", "visibility": "public", "signature": "deposit(uint256)",
          "gas": { "bound": 24731, "min": 2631, "exact": false } },
        { "name": "withdraw", "selector": "0x5f6c5a8e",
          "inputs": [{ "name": "amount", "type": "u64", "abi_type": "uint64" }], "outputs": [],
          "mutability": "mutable", "visibility": "public", "signature": "withdraw(uint64)",
          "gas": { "bound": null, "bound_excluding_calls": 900 } },
        { "name": "balance_of", "inputs": [{ "name": "account", "type": "Address", "abi_type": "address" }],
          "outputs": [{ "name": "", "type": "u64", "abi_type": "uint64" }],
          "mutability": "view", "visibility": "public", "signature": "balance_of(address)" }
      ],
      "events": [{ "name": "Deposited", "signature": "Deposited(address,uint64)",
          "topic": "0x1097be1d8298997c7140059298ce265b07a3781b991fd7ec8dd614705c9ca3fb", "anonymous": false,
          "fields": [{ "name": "account", "type": "Address", "indexed": true },
                     { "name": "amount", "type": "u64", "indexed": false }] }],
      "errors": [{ "name": "Insufficient", "selector": "0x5b72b5cf", "signature": "Insufficient(uint64,uint64)",
          "inputs": [{ "name": "have", "type": "u64" }, { "name": "need", "type": "u64" }] }],
      "constructor": null
    }"#;

    #[test]
    fn the_example_of_the_specification_reads() {
        let abi = Abi::read(VAULT).unwrap().unwrap();
        assert_eq!(abi.contract, "TokenVault");
        let deposit = &abi.functions[0];
        assert_eq!(deposit.selector, [0xb6, 0xb5, 0x5f, 0x25]);
        assert_eq!(deposit.typed_signature(), "deposit(amount: u64)");
        assert_eq!(deposit.gas.show(), "≤ 24731");
        assert_eq!(abi.functions[1].gas.show(), "≤ 900 + calls");
        assert_eq!(abi.functions[2].gas.show(), "unknown");
        assert_eq!(abi.functions[2].typed_signature(), "balance_of(account: Address) -> u64");
        assert_eq!(abi.functions[2].selector, keccak256("balance_of(address)")[..4]);
        assert_eq!(abi.events[0].topic, Some(keccak256("Deposited(address,uint64)")));
        assert_eq!(list_params(&abi.errors[0].inputs), "have: u64, need: u64");
    }

    #[test]
    fn no_abi_is_not_an_error_and_a_broken_one_is() {
        for text in ["", " ", "{}", "null"] {
            assert!(Abi::read(text).unwrap().is_none());
        }
        for (text, part) in [
            ("[]", "cannot be read"),
            ("{\"contract\":1}", "cannot be read"),
            (&VAULT.replace("uint64\" }], \"outputs", "uint63\" }], \"outputs"), "function `withdraw`"),
            (&VAULT.replace("0xb6b55f25", "0xb6"), "not a selector"),
            (&VAULT.replace("Insufficient(uint64,uint64)", "Insufficient(uint64)"), "2 parameters, but 1"),
            (&"[".repeat(100_000), "cannot be read"),
        ] {
            let failure = Abi::read(text).unwrap_err();
            assert_eq!(failure.status, Status::Malformed);
            assert!(failure.message.contains(part), "{}", failure.message);
        }
    }

    #[test]
    fn signatures_split_at_outer_commas() {
        assert_eq!(signature_types("f()").unwrap(), Vec::<String>::new());
        assert_eq!(signature_types("f(a,(b,c)[],d)").unwrap(), ["a", "(b,c)[]", "d"]);
        assert!(signature_types("f").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_damaged_abi_is_read_or_refused(
            changes in proptest::collection::vec((0..VAULT.len(), proptest::prelude::any::<char>()), 1..8),
        ) {
            let mut chars: Vec<char> = VAULT.chars().collect();
            for (index, c) in changes {
                chars[index] = c;
            }
            let text: String = chars.into_iter().collect();
            if let Ok(Some(abi)) = Abi::read(&text) {
                for function in &abi.functions {
                    function.typed_signature();
                }
            }
        }
    }
}
