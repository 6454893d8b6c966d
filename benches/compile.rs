//! programs.
fn main() {}
