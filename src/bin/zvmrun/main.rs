//! `zvmrun`: runs a ZVM contract from the command line.
//!
//! The way through it: [`flags`] is what the user asked for, [`program`] the file, [`abi`] what it offers.
//! [`run`] goes step by step, [`session`] holds the world and the engine, [`report`] says what happened, and
//! [`status`] is what the shell sees. [`statetest`], `explore`, [`replay`] and [`compile`] are commands of their own.
//! Nothing here decides how code runs; that is crate `zvm`.

#![forbid(unsafe_code)]

mod abi;
#[cfg(test)]
mod book;
mod compile;
mod decode;
#[cfg(feature = "jit")]
mod dump;
mod execution;
#[cfg(feature = "jit")]
mod explore;
mod failure;
mod flags;
mod names;
mod output;
mod places;
mod program;
mod replay;
mod report;
mod run;
mod session;
mod statetest;
mod stats;
mod status;
mod trail;
mod types;
mod values;
mod watch;
mod words;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

use crate::failure::Failure;
use crate::flags::Flags;
use crate::output::Output;
use crate::status::Status;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_deref().and_then(OsStr::to_str) {
        Some(statetest::NAME) => statetest::main(arguments),
        #[cfg(feature = "jit")]
        Some(explore::NAME) => ExitCode::from(explore::main(arguments).number()),
        Some(replay::NAME) => replay::main(arguments),
        Some(compile::NAME) => compile::main(arguments),
        _ => ExitCode::from(zvmrun().number()),
    }
}

fn zvmrun() -> Status {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => {
            // Help and version come here, too, and go to stdout.
            let is_usage = error.use_stderr();
            return match error.print() {
                _ if is_usage => Status::Usage,
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Status::File,
                _ => Status::Success,
            };
        }
    };
    let mut output = Output::new(flags.json);
    let status = run::run(&flags, &mut output);
    match output.finish() {
        Ok(()) => status,
        Err(error) => {
            output::complain(&Failure::new(Status::File, format!("cannot write the output: {error}")));
            Status::File
        }
    }
}
