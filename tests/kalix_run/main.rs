//! Kalix programs, compiled and executed in both tiers.
//!
//! [`files`] runs the scripts below `tests/filetests/run`, [`chain`] those below `tests/filetests/chain`; [`random`] compares generated programs with a model,
//! [`hostile`] sends damaged arguments.

mod chain;
mod compile;
mod files;
mod generate;
mod hostile;
mod lowering;
mod model;
mod packages;
mod random;
