//! zvmrun.
fn main() {}
