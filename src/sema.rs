//! Tree to typed tree: names, types, constants, effects and storage slots.
//!
//! Checking never stops at the first mistake: a part that is wrong becomes [`TypeId::ERROR`](types::TypeId)
//! and suppresses what would follow from it. Lowering consumes [`typed`] alone and only if no error was
//! reported; nothing in it refers back to the syntax tree.

pub mod typed;
pub mod types;
