//! The hash and signature operations in both tiers, against values that other implementations made.

mod hashes;
mod language;
mod signatures;
mod world;
