//! Checking: one function per node of the tree.
//!
//! [`items`] collects what modules and contracts declare, [`define`] and [`members`] work out what it means, [`entries`] works out
//! selectors and getters,
//! [`body`] holds the state of checking one function; [`stmts`], [`exprs`], [`ops`], [`casts`], [`places`],
//! [`paths`], [`calls`], [`raise`], [`structs`], [`data`], [`matches`], [`patterns`], [`variants`], [`methods`], [`options`] and [`testing`] each check a family of nodes in it, [`coverage`] knows what
//! patterns leave over, and [`moves`] and [`borrows`] know
//! which values were moved and which places are borrowed.

mod body;
mod borrows;
mod calls;
mod casts;
mod coverage;
mod create;
mod data;
mod define;
mod entries;
mod exprs;
mod external;
mod interfaces;
mod items;
mod matches;
mod members;
mod methods;
mod moves;
mod ops;
mod options;
mod paths;
mod patterns;
mod places;
mod raise;
mod services;
mod standard;
mod stmts;
mod structs;
mod testing;
mod variants;

pub(super) use define::selector_of;
