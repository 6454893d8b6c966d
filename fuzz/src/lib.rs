//! Differential fuzzing of the machine: one program, one input and one disturbance make an execution.
//!
//! Programs come from testkit's generators. [`oracle`] runs one in the interpreter, in compiled code of several
//! [`variant`]s behind several [`gate`]s, and on revm; [`campaign`] does so for as many as are asked for and keeps
//! the totals in a [`totals`] file, so that runs add up. A difference becomes a [`case`] file that runs again.
//!
//! The compiler is fuzzed stage by stage: [`stages`] judge what [`texts`] makes, [`stage_campaign`] counts.

#![forbid(unsafe_code)]

pub mod campaign;
#[cfg(feature = "canary")]
pub mod canary;
pub mod case;
pub mod corpus;
pub mod execution;
pub mod gate;
pub mod machines;
pub mod oracle;
pub mod peer;
pub mod seen;
pub mod stage_campaign;
pub mod stages;
pub mod targets;
pub mod texts;
pub mod totals;
pub mod variant;
pub mod world;
