//! The frames of one transaction: a vector, never the native stack.
//!
//! A frame that calls or creates stops with a [`Request`]; whoever drives the frames answers it by pushing a
//! frame, and puts the answer on the caller's stack when that frame has ended.

use alloy_primitives::{Address, Bytes, U256};

/// What a frame asks of the driver when it stops with `Exit::Call` or `Exit::Create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A message call.
    Call(CallRequest),
    /// A creation.
    Create(CreateRequest),
}

/// A message call to be made. Its price is paid and `gas` is set aside already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// Account whose storage and balance the callee uses.
    pub address: Address,
    /// Account whose code runs.
    pub code_address: Address,
    /// Account that CALLER names.
    pub caller: Address,
    /// Value that CALLVALUE reports.
    pub value: U256,
    /// Whether `value` moves from caller to callee.
    pub transfers_value: bool,
    /// Call data.
    pub input: Bytes,
    /// Gas of the callee, stipend included.
    pub gas: u64,
    /// Whether state changes are refused in the callee.
    pub is_static: bool,
    /// Start and size of the caller's memory range, paid for, that takes the return data.
    pub output: (usize, usize),
}

/// A creation to be made. Its price is paid and `gas` is set aside already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// Account that creates.
    pub creator: Address,
    /// Value that moves to the created account.
    pub value: U256,
    /// Init code.
    pub init_code: Bytes,
    /// Salt of a CREATE2.
    pub salt: Option<U256>,
    /// Gas of the init code.
    pub gas: u64,
}
