//! A contract that calls whatever its call data says, in both encodings.

use alloy_primitives::keccak256;
use zvm::{Address, Bytes, U256};

use crate::world::account_code;

/// Calls `word 0` with the value `word 1` and the bytes behind them. Answers with success as a word and the return
/// data.
const TRYING: &str = "
    push1 64
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
    push1 32
    calldataload
    push0
    calldataload
    gas
    call
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

/// Likewise; answers with the return data, and reverts with it if the call failed.
const STRICT: &str = "
    push1 64
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
    push1 32
    calldataload
    push0
    calldataload
    gas
    call
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

/// An account's code of the relay that answers with success; `encoding` is `.zvm` or `.evm`.
pub(crate) fn trying(encoding: &str) -> Bytes {
    account_code(&format!("{encoding}\n{TRYING}"))
}

/// An account's code of the relay that passes failure on.
pub(crate) fn strict(encoding: &str) -> Bytes {
    account_code(&format!("{encoding}\n{STRICT}"))
}

/// Call data for a relay.
pub(crate) fn relayed(to: Address, value: u64, data: &[u8]) -> Bytes {
    [&to.into_word()[..], &word(value), data].concat().into()
}

/// The bytes of a word.
pub(crate) fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

/// Call data of a function with words as arguments.
pub(crate) fn calldata(signature: &str, words: &[[u8; 32]]) -> Bytes {
    [&keccak256(signature)[..4], &words.concat()].concat().into()
}

/// Arguments or return data that end with one dynamic `bytes`: the words before it, its place, its size, its bytes.
pub(crate) fn with_bytes(words: &[[u8; 32]], bytes: &[u8]) -> Vec<u8> {
    let mut encoded = words.concat();
    encoded.extend(word(32 * (words.len() as u64 + 1)));
    encoded.extend(word(bytes.len() as u64));
    encoded.extend(bytes);
    encoded.resize(encoded.len().next_multiple_of(32), 0);
    encoded
}
