//! The seam where compiled code plugs in: the frame's layout, the runtime calls, the tier trait.

pub mod builtins;
pub mod frame;
pub mod tier;
