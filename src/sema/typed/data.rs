//! Operations on values that are more than words.

/// An operation on whole values, which it borrows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DataOp {
    /// `keccak256(b)` of `bytes`.
    Keccak256,
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
