//! Kalix programs, compiled and executed in both tiers.
//!
//! [`files`] runs the scripts below `tests/filetests/run`, [`chain`] those below `tests/filetests/chain`; [`random`] compares generated programs with a model,
//! [`hostile`] sends damaged arguments, [`gas`] holds examples against their estimates. The scripts are executed on revm, too, by a test of `zvm-fuzz`, which brings
//! another [`peer`].

mod chain;
mod compile;
mod files;
mod gas;
mod generate;
mod hostile;
mod lowering;
mod model;
mod packages;
mod peer;
mod random;
mod scripts;

use kalix::codegen::Target;
use zvm::Mode;

/// The folder of the workspace.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// What scripts are compiled for.
const TARGETS: &[Target] = &Target::ALL;
/// How scripts of transactions are executed.
const MODES: &[Mode] = &[Mode::Interp, Mode::Jit, Mode::Check];
