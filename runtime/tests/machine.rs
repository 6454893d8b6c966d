//! The machine from outside: operations in tables, words against a slow model, storage prices, the engine.

#[path = "machine/calls.rs"]
mod calls;
#[path = "machine/cold.rs"]
mod cold;
#[path = "machine/creations.rs"]
mod creations;
#[path = "machine/engine.rs"]
mod engine;
#[path = "machine/lockstep.rs"]
mod lockstep;
#[path = "machine/operations.rs"]
mod operations;
#[path = "machine/run.rs"]
mod run;
#[path = "machine/slow.rs"]
mod slow;
#[path = "machine/storage.rs"]
mod storage;
#[path = "machine/words.rs"]
mod words;
