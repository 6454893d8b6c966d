//! Kalix: source text in, ZVM container out.
//!
//! The stages run in order and each is a pure function that returns its product together with
//! diagnostics: [`syntax`] turns text into a tree, [`modules`] follows its imports, `sema` checks all, `ir` lowers it, `codegen` emits
//! bytecode. All stages may use [`source`] and [`diag`]; none reads a file, a clock or a terminal. The
//! command line lives in `bin/kalixc`.

#![forbid(unsafe_code)]

pub mod codegen;
pub mod diag;
pub mod driver;
pub mod ir;
pub mod modules;
pub mod sema;
pub mod source;
pub mod syntax;

pub use codegen::OptLevel;
pub use driver::{Compilation, CompileOptions, compile, compile_with};
