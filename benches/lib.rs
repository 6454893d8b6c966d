//! What the benchmarks share: results in one form, and our engine set up for a case.
//!
//! Peers are dev-dependencies, so their adapters lie beside the benchmark that uses them.

#![forbid(unsafe_code)]

pub mod examples;
pub mod generated;
pub mod observed;
pub mod ours;
pub mod written;
