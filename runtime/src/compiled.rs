//! The seam where compiled code plugs in: the frame's layout, the runtime calls, the tier trait; and what threads
//! share of it: how code is published, asked for, kept and let go.

pub mod builtins;
pub mod cache;
pub mod frame;
pub mod publication;
pub mod queue;
pub(crate) mod state;
mod sync;
pub mod tier;
