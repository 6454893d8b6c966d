//! Programs that pass calls on, in both encodings, and the call data of contracts that speak Solidity's ABI.

use alloy_primitives::keccak256;
use zvm::bytecode::{Code, Encoding, assemble};
use zvm::{Address, Bytes, U256};

/// The bytes that an account with this program has.
///
/// # Panics
///
/// If the text does not assemble.
pub fn account_code(text: &str) -> Bytes {
    let assembly = assemble(text).expect("the text assembles");
    match assembly.encoding {
        Encoding::Evm => assembly.code.into(),
        Encoding::Zvm => Code::native(&assembly.code).raw().clone(),
    }
}

/// Calls the account of `word 0` with the bytes behind `word 1`, by an operation that takes that word as value if it
/// takes any. Leaves success on the stack.
fn calling(operation: &str) -> String {
    let value = if matches!(operation, "call" | "callcode") { "push1 32\ncalldataload\n" } else { "" };
    format!(
        "push1 64
        calldatasize
        sub
        dup1
        push1 64
        push0
        calldatacopy
        push0
        swap1
        push0
        swap1
        push0
        {value}push0
        calldataload
        gas
        {operation}
        "
    )
}

/// Calls one account with its own call data.
fn calling_always(operation: &str, to: &Address) -> String {
    let value = if matches!(operation, "call" | "callcode") { "push0\n" } else { "" };
    format!(
        "calldatasize
        push0
        push0
        calldatacopy
        push0
        push0
        calldatasize
        push0
        {value}push20 {to:#x}
        gas
        {operation}
        "
    )
}

/// Answers with the word on the stack and the return data.
pub(crate) const TELL: &str = "
    push0
    mstore
    returndatasize
    push0
    push1 32
    returndatacopy
    push1 32
    returndatasize
    add
    push0
    return
";

/// Answers with the return data, or reverts with it.
const PASS_ON: &str = "
    returndatasize
    push0
    push0
    returndatacopy
    push2 ok
    jumpi
    returndatasize
    push0
    revert
ok:
    jumpdest
    returndatasize
    push0
    return
";

/// A relay that answers with success and return data; `encoding` is `.zvm` or `.evm`.
pub fn trying(encoding: &str) -> Bytes {
    account_code(&format!("{encoding}\n{}{TELL}", calling("call")))
}

/// A relay that passes failure on.
pub fn strict(encoding: &str) -> Bytes {
    strict_by(encoding, "call")
}

/// The same with another operation than CALL.
pub fn strict_by(encoding: &str, operation: &str) -> Bytes {
    account_code(&format!("{encoding}\n{}{PASS_ON}", calling(operation)))
}

/// A program that hands its call data to one account, by an operation, and passes the outcome on.
pub fn proxy(encoding: &str, operation: &str, to: &Address) -> Bytes {
    account_code(&format!("{encoding}\n{}{PASS_ON}", calling_always(operation, to)))
}

/// A program that hands its call data to one account, by an operation, and ends with `end` (`return`, `revert`), with
/// success as a word.
pub fn link(encoding: &str, operation: &str, to: &Address, end: &str) -> Bytes {
    let tell = format!("push0\nmstore\npush1 32\npush0\n{end}");
    account_code(&format!("{encoding}\n{}{tell}", calling_always(operation, to)))
}

/// Call data for a relay.
pub fn relayed(to: Address, value: u64, data: &[u8]) -> Bytes {
    [&to.into_word()[..], &word(value), data].concat().into()
}

/// The bytes of a word.
pub fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

/// Call data of a function with words as arguments.
pub fn calldata(signature: &str, words: &[[u8; 32]]) -> Bytes {
    [&keccak256(signature)[..4], &words.concat()].concat().into()
}

/// Arguments or return data that end with one dynamic `bytes`: the words before it, its place, its size, its bytes.
pub fn with_bytes(words: &[[u8; 32]], bytes: &[u8]) -> Vec<u8> {
    let mut encoded = words.concat();
    encoded.extend(word(32 * (words.len() as u64 + 1)));
    encoded.extend(word(bytes.len() as u64));
    encoded.extend(bytes);
    encoded.resize(encoded.len().next_multiple_of(32), 0);
    encoded
}
