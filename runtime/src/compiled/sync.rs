//! The primitives that the shared structures of this folder are built from, in one place, so that a model checker
//! can put its own there: `tests/publication.rs` includes those files beside a `sync` of its own.

pub(super) use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};
pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard, RwLock};
