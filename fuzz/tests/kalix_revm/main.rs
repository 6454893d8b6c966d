//! Kalix programs compiled for target evm, on revm as on our machine: every script of `tests/filetests/run` and
//! `tests/filetests/chain`, with equal outcome, output, logs and storage, and for transactions equal gas.

#[path = "../../../tests/kalix_run/chain.rs"]
mod chain;
#[path = "../../../tests/kalix_run/compile.rs"]
mod compile;
#[path = "../../../tests/kalix_run/files.rs"]
mod files;
mod peer;
#[path = "../../../tests/kalix_run/scripts.rs"]
mod scripts;

use kalix::codegen::Target;
use zvm::Mode;

/// The folder of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// What scripts are compiled for.
const TARGETS: &[Target] = &[Target::Evm];
/// How scripts of transactions are executed.
const MODES: &[Mode] = &[Mode::Interp];
