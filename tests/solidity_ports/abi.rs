//! The JSON ABI of the ports beside what solc wrote for the originals, and their storage layout beside that of the originals'
//! declarations, laid out by solc's rules.
//!
//! That the words really lie there is checked at the end of each script ([`super::script`]) with [`is_shared`].

use std::collections::BTreeMap;

use alloy_primitives::{U256, keccak256};
use kalix::codegen::CodegenOptions;
use serde_json::Value;
use zvm_statetest::vectors::vectors_dir;

use super::CONTRACTS;
use super::script::{Script, compiled};

/// Variables of the originals that the ports have not: what locks the pair against re-entry, which is the language's task here.
const MISSING: [(&str, &str); 1] = [("AMMPair", "unlocked")];
/// Slots below this are those of declarations.
const DECLARED_MAX: u64 = 64;
/// Words of a long string or byte sequence that are looked at.
const LONG_WORDS: u64 = 4;

/// What callers and readers of logs depend on, by kind, name and types.
fn facts(abi: &Value) -> BTreeMap<String, String> {
    let list = |entry: &Value, member: &str| {
        let params = entry[member].as_array().into_iter().flatten();
        let shown = params.map(|param| {
            let indexed = if param["indexed"] == true { " indexed" } else { "" };
            format!("{}{indexed}", param["type"].as_str().expect("a type"))
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let entries = abi.as_array().expect("a list");
    let fact = |entry: &Value| {
        let text = |member: &str| entry[member].as_str().unwrap_or_default();
        let key = format!("{} {}({})", text("type"), text("name"), list(entry, "inputs"));
        let anonymous = if entry["anonymous"] == true { " anonymous" } else { "" };
        (key, format!("({}) {}{anonymous}", list(entry, "outputs"), text("stateMutability")))
    };
    let all: BTreeMap<_, _> = entries.iter().map(fact).collect();
    assert_eq!(all.len(), entries.len(), "nothing is listed twice");
    all
}

#[test]
fn abis_of_ports_are_those_of_the_originals() {
    let Some(vectors) = vectors_dir() else {
        println!("skipped: the vectors are not there (ZVM_VECTORS)");
        return;
    };
    for contract in CONTRACTS {
        let artifact = compiled(contract, &CodegenOptions::STANDARD);
        let mut ours = facts(&artifact.ethereum_abi);
        let script = Script::read(&vectors, contract);
        let theirs = facts(script.original_abi());
        // A constructor that takes nothing may be listed or not: both mean the same.
        if !theirs.contains_key("constructor ()") {
            ours.remove("constructor ()");
        }
        assert_eq!(ours, theirs, "{contract}");
        assert!(ours.len() >= 17, "{contract}: {}", ours.len());
        let selectors: BTreeMap<&str, &str> = artifact.kalix_abi["functions"]
            .as_array()
            .expect("functions")
            .iter()
            .map(|f| (f["signature"].as_str().expect("text"), f["selector"].as_str().expect("text")))
            .collect();
        let expected = script.original_selectors();
        assert_eq!(selectors.len(), expected.len(), "{contract}");
        for (signature, selector) in expected {
            let selector = selector.as_str().expect("text");
            assert_eq!(selectors[signature.as_str()].trim_start_matches("0x"), selector, "{signature}");
        }
    }
}

/// A variable in storage.
#[derive(Debug, PartialEq, Eq)]
struct Variable {
    name: String,
    slot: u64,
    offset: u64,
    bytes: u64,
    ty: String,
}

/// The variables that the text of a Solidity contract declares, as solc lays them out: in order, a value beside the one
/// before it if it fits into the rest of the slot, strings and mappings in slots of their own.
fn original_layout(text: &str, contract: &str) -> Vec<Variable> {
    let start = text.find(&format!("\ncontract {contract} {{")).expect("the contract");
    let body = &text[start..];
    let body = &body[body.find('{').expect("a body") + 1..];
    let mut declarations = Vec::new();
    let (mut depth, mut words) = (0, String::new());
    for c in body.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => {
                depth -= 1;
                words.clear();
            }
            ';' if depth == 0 => declarations.push(std::mem::take(&mut words)),
            c if depth == 0 => words.push(c),
            _ => {}
        }
    }
    let mut found: Vec<Variable> = Vec::new();
    let (mut slot, mut used) = (0, 0);
    for declaration in declarations {
        let declaration = declaration.replace(" => ", "->");
        let declaration = declaration.split('=').next().unwrap_or_default();
        let words: Vec<&str> = declaration.split_whitespace().collect();
        let [ty, attributes @ .., name] = &words[..] else { continue };
        let is_stored = !attributes.contains(&"constant") && !attributes.contains(&"immutable");
        if !is_stored || matches!(*ty, "event" | "error" | "using") {
            continue;
        }
        let ty = if *ty == "IERC20" { "address" } else { ty };
        let bytes = match ty {
            "address" => 20,
            "bool" => 1,
            _ if ty.starts_with("mapping(") || ty == "string" => 32,
            _ => ty.strip_prefix("uint").and_then(|bits| bits.parse::<u64>().ok()).expect("an integer") / 8,
        };
        if used + bytes > 32 {
            (slot, used) = (slot + 1, 0);
        }
        found.push(Variable { name: (*name).to_owned(), slot, offset: used, bytes, ty: ty.to_owned() });
        used += bytes;
    }
    found
}

/// A Kalix type in Solidity's words.
fn original_type(ty: &str) -> String {
    match ty.strip_prefix("Map<").and_then(|rest| rest.strip_suffix('>')) {
        Some(parts) => {
            let (key, value) = parts.split_once(", ").expect("a key and a value");
            format!("mapping({}->{})", original_type(key), original_type(value))
        }
        None => match ty {
            "Address" => "address".to_owned(),
            _ => ty.strip_prefix('u').map_or_else(|| ty.to_owned(), |bits| format!("uint{bits}")),
        },
    }
}

#[test]
fn layouts_of_ports_are_those_of_the_originals() {
    let Some(vectors) = vectors_dir() else {
        println!("skipped: the vectors are not there (ZVM_VECTORS)");
        return;
    };
    for contract in CONTRACTS {
        let path = vectors.join(format!("solidity/src/{contract}.sol"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut theirs = original_layout(&text, contract);
        theirs.retain(|variable| !MISSING.contains(&(contract, &variable.name)));
        let artifact = compiled(contract, &CodegenOptions::STANDARD);
        let layout = artifact.kalix_abi["storage_layout"].as_array().expect("a layout");
        let ours: Vec<Variable> = layout
            .iter()
            .filter(|entry| entry["space"] == "persistent")
            .zip(&theirs)
            .map(|(entry, original)| {
                let text = |member: &str| entry[member].as_str().expect("text");
                let plain = |name: &str| name.replace('_', "").to_lowercase();
                // Names follow the style of their language; `balances` is called `balanceOf` outside.
                let is_same = plain(text("name")) == plain(&original.name)
                    || (text("name"), &*original.name) == ("balances", "balanceOf");
                Variable {
                    name: if is_same { original.name.clone() } else { text("name").to_owned() },
                    slot: text("slot").parse().expect("a number"),
                    offset: entry["offset"].as_u64().expect("a number"),
                    bytes: entry["bytes"].as_u64().expect("a number"),
                    ty: original_type(text("type")),
                }
            })
            .collect();
        assert_eq!(ours, theirs, "{contract}");
        assert!(ours.len() >= 5, "{contract}: {ours:?}");
        assert_eq!(layout.len(), ours.len(), "{contract} has nothing else in storage");
    }
}

/// Whether a slot holds the same word in a port and in its original: those of declarations and of what long strings hold.
/// Entries of tables lie elsewhere, since a port hashes slot and key in the other order.
pub(crate) fn is_shared(contract: &str, slot: U256) -> bool {
    let is_long = |begin: U256| (0..LONG_WORDS).any(|word| begin.wrapping_add(U256::from(word)) == slot);
    let is_declared = slot < U256::from(DECLARED_MAX);
    let is_missing = contract == "AMMPair" && slot == U256::from(5);
    let strings = (0..DECLARED_MAX).map(|declared| keccak256(U256::from(declared).to_be_bytes::<32>()));
    (is_declared && !is_missing) || strings.into_iter().any(|begin| is_long(begin.into()))
}
