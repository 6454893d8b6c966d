//! kalixc.
fn main() {}
