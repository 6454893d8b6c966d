//! Kalix programs, compiled and executed in both tiers.
//!
//! [`files`] runs the scripts below `tests/filetests/run`; [`random`] compares generated programs with a model.

mod compile;
mod files;
mod generate;
mod lowering;
mod model;
mod random;
