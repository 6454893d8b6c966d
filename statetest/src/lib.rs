//! State tests: files of four forms become [`Case`]s, a case runs on an engine, and what differs is named.
//!
//! [`read`] turns the text of a file into cases, [`run`](mod@run) runs one of them, [`suite`] runs whole folders on several
//! threads. Expected exceptions are in [`exceptions`], what is not run in [`skips`]. Nothing here prints, and no
//! compiler is named: whoever wants native code hands a tier in.

#![forbid(unsafe_code)]

pub mod bench;
pub mod case;
pub mod database;
pub mod exceptions;
pub mod read;
pub mod run;
pub mod skips;
pub mod suite;
pub mod vectors;

pub use self::case::{Account, Accounts, Case, Expected, Post, Step};
pub use self::read::{Entry, Form, ReadError, read};
pub use self::run::{Difference, Run, run};
