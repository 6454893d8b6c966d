//! Operations on values that are more than words.

use alloy_primitives::U256;
use sha2::Digest;
use zvm::bytecode::Op;

/// An operation on whole values, which it borrows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DataOp {
    /// `keccak256(b)` and other hashes of `bytes`.
    Hash(HashFunction),
    /// `hts.mint(token, amount)` and its siblings, by the operation: a `Result` of `()` or `Address` with `HederaError`.
    Service(Op),
    /// `crypto.verify_dilithium(key, message, signature)` and its siblings, by the operation: `bool`.
    VerifySignature(Op),
    /// `ecrecover(hash, v, r, s)`: `Option<Address>`.
    Ecrecover,
    /// `a.len()` of a value that is not a place.
    Len,
    /// `concat(a, b, …)` of `bytes` or `string`.
    Concat,
    /// `b.slice(from, to)` of `bytes`: Panic 0x32 unless `from <= to <= b.len()`.
    Slice,
    /// `Vec::new()`, or with an operand `Vec::with_capacity(n)`.
    NewVec,
    /// `x.clone()` of a value in memory.
    Clone,
    /// `place.load()` of a place in storage: what reading it gives, which is a copy.
    Load,
    /// `abi.encode(x, …)`.
    AbiEncode,
    /// `abi.encode_packed(x, …)`.
    AbiEncodePacked,
    /// `abi.call_data(I::f, x, …)`: the selector and what `abi.encode` gives.
    AbiCallData([u8; 4]),
    /// `abi.decode(data)`: the node's type is `Result<T, DecodeError>`, and T says what is decoded; a tuple is
    /// several values.
    AbiDecode,
    /// `e.data()` of an `Error`.
    ErrorData,
    /// `e.selector()` of an `Error`.
    ErrorSelector,
}

/// A hash of `bytes`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HashFunction {
    /// `keccak256(b)`: `Hash`.
    Keccak256,
    /// `sha256(b)`: `Hash`.
    Sha256,
    /// `ripemd160(b)`: `bytes<20>`.
    Ripemd160,
    /// `blake2b(b)`: `Hash`, unkeyed and of 32 bytes (RFC 7693).
    Blake2b,
}

impl HashFunction {
    /// The function of this name.
    pub fn from_name(name: &str) -> Option<HashFunction> {
        Some(match name {
            "keccak256" => HashFunction::Keccak256,
            "sha256" => HashFunction::Sha256,
            "ripemd160" => HashFunction::Ripemd160,
            "blake2b" => HashFunction::Blake2b,
            _ => return None,
        })
    }

    /// The hash as a word of the result's type.
    pub fn word_of(self, bytes: &[u8]) -> U256 {
        match self {
            HashFunction::Keccak256 => U256::from_be_bytes(alloy_primitives::keccak256(bytes).0),
            HashFunction::Sha256 => U256::from_be_bytes(sha2::Sha256::digest(bytes).into()),
            HashFunction::Ripemd160 => U256::from_be_slice(&ripemd::Ripemd160::digest(bytes)) << 96,
            HashFunction::Blake2b => U256::from_be_bytes(blake2::Blake2b256::digest(bytes).into()),
        }
    }
}

/// An operation on what is at a place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlaceOp {
    /// `v.len()`.
    Len,
    /// Nothing but the faults of reaching the place.
    Reach,
    /// `v.push(x)` of a `Vec` or of `bytes`.
    Push,
    /// `v.pop()` of a `Vec`: `Option<T>`.
    Pop,
    /// `v.clear()`: an empty `Vec`, `bytes` or `string` in memory, zeros in storage.
    Clear,
}
