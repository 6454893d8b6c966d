//! Kalix programs, compiled and executed in both tiers.
//!
//! [`files`] runs the scripts below `tests/filetests/run`, [`chain`] those below `tests/filetests/chain`; [`random`] compares generated programs with a model.

mod chain;
mod compile;
mod files;
mod generate;
mod lowering;
mod model;
mod random;
