//! The interpreter: the reference by which compiled code is judged.

pub mod memory;
pub mod ops;
pub mod stack;
