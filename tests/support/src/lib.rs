//! What tests, benches and fuzzing share: an independent model, hosts, generators, runners of both tiers.
//!
//! Only those import it; the product never does.

#![forbid(unsafe_code)]

pub mod abi_values;
pub mod boundary;
pub mod cases;
pub mod contracts;
pub mod deployed;
pub mod differential;
pub mod filetests;
pub mod generate;
pub mod host;
pub mod model;
pub mod multisig;
pub mod observe;
pub mod operations;
pub mod pieces;
pub mod pressure;
pub mod program;
pub mod random;
pub mod relay;
pub mod services;
pub mod shrink;
pub mod spec_table;
pub mod stepper;
pub mod tiers;
