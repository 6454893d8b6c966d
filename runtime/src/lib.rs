//! The ZVM: an EVM-class machine with two encodings of one set of operations.
//!
//! This crate is the leaf that every other may use: bytecode, gas, the interpreter, state. It names no compiler;
//! native code plugs in through [`compiled::tier`].

pub mod bytecode;
pub mod call_stack;
pub mod check;
pub mod compiled;
pub mod engine;
pub mod fork;
pub mod gas;
pub mod hedera;
pub mod host;
pub mod inspect;
pub mod interp;
pub mod keccak;
pub mod outcome;
pub mod precompiles;
pub mod profile;
pub mod state;
pub mod tx;

pub use alloy_primitives::{Address, B256, Bytes, U256};
pub use engine::{Engine, Executor, Mode};
pub use fork::Fork;
pub use keccak::keccak256;
