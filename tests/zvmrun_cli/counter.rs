//! A contract in assembly with a function for each way a call can end, its init code and its ABI.

use alloy_primitives::{Bytes, hex, keccak256};
use serde_json::{Value, json};
use zvm::bytecode::container::{Sections, Target};
use zvm::bytecode::{Container, NATIVE_PREFIX, asm};

/// Functions of the counter: signature, Kalix types of the parameter and the result, body.
///
/// Each body starts with the selector on the stack.
const FUNCTIONS: &[(&str, &str, &str, &str)] = &[
    ("get()", "", "u64", "push1 0\n sload\n push1 0\n mstore\n push1 32\n push1 0\n return"),
    (
        "add(uint64)",
        "u64",
        "",
        "push1 4\n calldataload\n dup1\n push1 0\n sload\n cadd u64\n push1 0\n sstore\n push1 0\n mstore\n \
         caller\n push32 TOPIC\n push1 32\n push1 0\n log2\n halt",
    ),
    (
        "take(uint64)",
        "u64",
        "",
        "push32 ERROR\n push1 0\n mstore\n push1 0\n sload\n push1 4\n mstore\n push1 4\n calldataload\n \
         push1 36\n mstore\n push1 68\n push1 0\n revert",
    ),
    (
        "text()",
        "",
        "",
        "push32 STRING\n push1 0\n mstore\n push1 32\n push1 4\n mstore\n push1 3\n push1 36\n mstore\n \
         push32 0x746f6f0000000000000000000000000000000000000000000000000000000000\n push1 68\n mstore\n \
         push1 100\n push1 0\n revert",
    ),
    ("fault()", "", "", "push1 0\n push1 1\n cdiv u64\n halt"),
    ("spin()", "", "", "again: jumpdest\n push2 again\n jump"),
    ("trap()", "", "", "push1 0\n jump"),
    ("hash(bytes)", "bytes", "", "halt"),
];

/// The run-time code of the counter.
fn runtime() -> Vec<u8> {
    let mut text = String::from("push1 0\n calldataload\n push1 224\n shr\n");
    for (index, (signature, ..)) in FUNCTIONS.iter().enumerate() {
        let selector = hex::encode_prefixed(&keccak256(signature)[..4]);
        text.push_str(&format!("dup1\n push4 {selector}\n eq\n push2 f{index}\n jumpi\n"));
    }
    text.push_str("push1 0\n push1 0\n revert\n");
    let padded = |signature: &str| {
        let mut word = [0; 32];
        word[..4].copy_from_slice(&keccak256(signature)[..4]);
        hex::encode_prefixed(word)
    };
    for (index, (.., body)) in FUNCTIONS.iter().enumerate() {
        let body = body
            .replace("TOPIC", &keccak256("Added(address,uint64)").to_string())
            .replace("ERROR", &padded("Insufficient(uint64,uint64)"))
            .replace("STRING", &padded("Error(string)"));
        text.push_str(&format!("f{index}: jumpdest\n {body}\n"));
    }
    asm::assemble(&text).expect("the counter assembles").code
}

/// Init code of the counter: stores its argument in slot 0 and returns the run-time code.
fn init(runtime: &[u8]) -> Vec<u8> {
    let size = NATIVE_PREFIX.len() + runtime.len();
    let text = |arguments: usize| {
        format!(
            "push1 32\n push2 {arguments}\n push1 0\n codecopy\n push1 0\n mload\n push1 0\n sstore\n \
             push2 {size}\n push2 runtime\n push1 0\n codecopy\n push2 {size}\n push1 0\n return\n runtime:"
        )
    };
    let head_size = asm::assemble(&text(0)).expect("the init code assembles").code.len();
    let head = asm::assemble(&text(head_size + size)).expect("the init code assembles").code;
    [&NATIVE_PREFIX[..], &head, &NATIVE_PREFIX, runtime].concat()
}

fn abi() -> Value {
    let canonical = |kalix: &str| kalix.replace('u', "uint");
    let params = |kalix: &str, name: &str| match kalix {
        "" => json!([]),
        _ => json!([{ "name": name, "type": kalix, "abi_type": canonical(kalix) }]),
    };
    let functions: Vec<Value> = FUNCTIONS
        .iter()
        .map(|(signature, input, output, _)| {
            json!({
                "name": signature.split('(').next(), "signature": signature,
                "selector": hex::encode_prefixed(&keccak256(signature)[..4]),
                "inputs": params(input, "amount"), "outputs": params(output, ""),
                "mutability": if output.is_empty() { "mutable" } else { "view" },
                "gas": { "bound": 30_000, "min": 100, "exact": false },
            })
        })
        .collect();
    json!({
        "contract": "Counter", "functions": functions,
        "events": [{ "name": "Added", "signature": "Added(address,uint64)",
            "topic": keccak256("Added(address,uint64)").to_string(), "anonymous": false,
            "fields": [{ "name": "who", "type": "Address", "indexed": true },
                       { "name": "by", "type": "u64", "indexed": false }] }],
        "errors": [{ "name": "Insufficient", "signature": "Insufficient(uint64,uint64)",
            "selector": hex::encode_prefixed(&keccak256("Insufficient(uint64,uint64)")[..4]),
            "inputs": [{ "name": "have", "type": "u64" }, { "name": "need", "type": "u64" }] }],
        "constructor": { "inputs": [{ "name": "start", "type": "u64", "abi_type": "uint64" }] },
    })
}

/// The counter as a file.
pub(super) fn container() -> Vec<u8> {
    container_with(|_| {})
}

/// The counter with a changed ABI.
pub(super) fn container_with(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut abi = abi();
    change(&mut abi);
    let code = runtime();
    let sections = Sections { init: Some(Bytes::from(init(&code))), ..Sections::default() };
    let container = Container {
        target: Target::Native,
        needs_init: true,
        code: code.into(),
        abi: abi.to_string(),
        sections: Some(sections),
    };
    container.write().expect("the counter is a sound container")
}
