//! testkit.

pub mod cases;
