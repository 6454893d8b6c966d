//! Random Kalix contracts, well-typed by construction: what the language has beyond integers.
//!
//! A program has module errors, events, structs, enums with payloads, `impl`s, free functions that take references, a
//! contract `Child` that is created and called, and a contract [`MAIN`] with packed groups, maps, vectors and bytes in
//! storage, internal functions and entry points, which call each other, also from outside (`try`, re-entry included).
//! It ends: loops are counted, calls have no circles, and what runs in a loop neither loops nor calls further.
//!
//! [`types`] has the types and what is declared, [`items`] functions and contracts, [`stmts`] and [`exprs`] what is in
//! them, [`spots`] the places and [`calls`] the calls of expressions. There is no model of what a program means: those who run it compare ways to run it.

mod calls;
mod exprs;
mod items;
mod spots;
mod stmts;
mod types;

pub use items::contract;

/// The name of the contract that a program is about; the last of its file.
pub const MAIN: &str = "Main";
