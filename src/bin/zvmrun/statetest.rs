//! `zvmrun statetest`: runs files of state tests and says what passed. Reading and running are crate
//! `zvm-statetest`; here are flags, progress and printing.

mod flags;
mod json;
mod summary;
mod text;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clap::error::ErrorKind;
use indicatif::{ProgressBar, ProgressStyle};
use zvm_statetest::suite::{Runner, SuiteOptions, find_files, run_files};

use self::flags::{StateTestFlags, TierFlag};
use self::summary::Summary;
use crate::failure::Failure;
use crate::output::{Output, complain};
use crate::session;
use crate::status::Status;

/// The word that selects this command. A file of that name is `./statetest`.
pub(crate) const NAME: &str = "statetest";

/// Every case passed, or was skipped.
const PASSED: u8 = 0;
/// A case failed, or too little ran as native code.
const FAILED: u8 = 1;
/// No case was found, a file can't be read, or the command line makes no sense.
const NOT_RUN: u8 = 2;

/// Runs the command with what follows its name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = OsString::from("zvmrun statetest");
    let flags = match StateTestFlags::try_parse_from([name].into_iter().chain(arguments)) {
        Ok(flags) => flags,
        Err(error) => {
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // If nobody reads the message there is nothing left to do but to end.
            let _ = error.print();
            return ExitCode::from(if is_help { PASSED } else { NOT_RUN });
        }
    };
    ExitCode::from(match run(&flags) {
        Ok(number) => number,
        Err(failure) => {
            complain(&failure);
            NOT_RUN
        }
    })
}

fn run(flags: &StateTestFlags) -> Result<u8, Failure> {
    let file_failure = |message: String| Failure::new(Status::File, message);
    let files = find_files(&flags.paths).map_err(|error| file_failure(error.to_string()))?;
    let threads = flags.threads.or_else(|| std::thread::available_parallelism().ok());
    let options = SuiteOptions {
        runners: runners(flags.tier)?,
        fork: flags.fork()?,
        threads: threads.unwrap_or(NonZeroUsize::MIN),
    };
    let start = Instant::now();
    let progress = progress(files.len());
    let mut summary = Summary::new(flags.failures);
    run_files(&files, &options, |report| {
        summary.add(report);
        progress.set_message(format!("{} failed", summary.total.failed));
        progress.inc(1);
    });
    progress.finish_and_clear();
    summary.seconds = start.elapsed().as_secs_f64();

    for error in &summary.errors {
        complain(&file_failure(error.to_string()));
    }
    let mut output = Output::new(flags.json);
    output.json(&json::document(flags, &summary));
    output.text(&text::report(flags, &summary));
    output.finish().map_err(|error| file_failure(format!("cannot write the output: {error}")))?;

    if summary.total.failed > 0 || flags.lacks_native(&summary) {
        return Ok(FAILED);
    }
    if summary.total.cases() == 0 && summary.errors.is_empty() {
        return Err(Failure::new(Status::File, "no case was found")
            .help("name files of state tests, or folders that have some"));
    }
    Ok(if summary.errors.is_empty() { PASSED } else { NOT_RUN })
}

/// The ways to run that a flag stands for.
fn runners(tier: TierFlag) -> Result<Vec<Runner>, Failure> {
    Ok(match tier {
        TierFlag::Interp => vec![Runner::Interp],
        TierFlag::Jit => vec![Runner::Jit(session::tier()?)],
        TierFlag::Mixed => session::disturbed_tiers()?.into_iter().map(Runner::Mixed).collect(),
        TierFlag::Both => vec![Runner::Interp, Runner::Jit(session::tier()?)],
        TierFlag::Check => vec![Runner::Check(session::tier()?)],
    })
}

/// A bar on a terminal, nothing elsewhere.
fn progress(files: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(files as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {msg} {elapsed}");
    bar.with_style(style.expect("the template is sound"))
}
