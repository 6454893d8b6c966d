//! `zvmrun explore`: one page that shows a contract's source, bytecode, intermediate code and machine code side by
//! side, with what each line has cost in the calls that were asked for.
//!
//! The calls run in fresh worlds: once operation by operation in the interpreter, which gives executions and gas, and
//! a few times as native code that measures its blocks, which gives time. [`lines`] puts the figures on lines,
//! [`source`] finds the source, [`page`] writes.

mod lines;
mod page;
mod source;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use zvm::Fork;
use zvm::profile::BlockProfile;

use self::lines::Listing;
use crate::failure::Failure;
use crate::flags::{Flags, Mode};
use crate::output::{Output, complain};
use crate::program::Program;
use crate::run::{self, Ran};
use crate::session::Session;
use crate::status::Status;

/// The word that selects this command. A file of that name is `./explore`.
pub(crate) const NAME: &str = "explore";

/// Times that the calls are measured; of each block the shortest time counts.
const MEASUREMENTS: usize = 3;

/// Shows a contract from the inside: source, bytecode, intermediate code and machine code side by side in one HTML
/// page, linked line by line, with gas and time.
///
/// The contract is deployed and called as by `zvmrun FILE …`, each time in a fresh world. What the calls cost stands
/// beside the lines; without a call, only the code is shown.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "zvmrun explore",
    version,
    override_usage = "zvmrun explore [-o FILE.html] [OPTIONS] FILE [FUNCTION [ARGUMENT]…]",
    after_help = Status::help(),
    max_term_width = 110,
)]
struct ExploreFlags {
    /// Page to write; FILE with the ending `.html` unless given.
    #[arg(short, long, value_name = "FILE.html")]
    output: Option<PathBuf>,

    /// Source of the contract; unless given, the file that the container names, as seen from here or beside FILE.
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,

    #[command(flatten)]
    run: Flags,
}

/// Runs the command with what follows its name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> Status {
    let name = OsString::from("zvmrun explore");
    let flags = match ExploreFlags::try_parse_from([name].into_iter().chain(arguments)) {
        Ok(flags) => flags,
        Err(error) => {
            let is_usage = error.use_stderr();
            // If nobody reads the message there is nothing left to do but to end.
            let _ = error.print();
            return if is_usage { Status::Usage } else { Status::Success };
        }
    };
    match explore(&flags) {
        Ok(status) => status,
        Err(failure) => {
            complain(&failure);
            failure.status
        }
    }
}

/// What the page says of the contract as a whole.
struct Facts {
    title: String,
    fork: Fork,
    calls: Vec<String>,
    code_size: usize,
    /// Time that reading the clock takes, which is in no figure.
    clock: Duration,
}

fn explore(flags: &ExploreFlags) -> Result<Status, Failure> {
    let ExploreFlags { output: page, source, run: flags } = flags;
    let Flags { json, dump, perf_map, stats, .. } = flags;
    if flags.mode() != Mode::Auto || *json || !dump.is_empty() || *perf_map || *stats {
        let message =
            "--interp, --jit, --check, --json, --dump, --perf-map and --stats are not for this command";
        return Err(Failure::new(Status::Usage, message));
    }
    let fork = run::fork(flags)?;
    let mut output = Output::new(false);
    let rules = Program::load(&flags.file)?.rules(fork);
    let mut watched = run::run_in(flags, Session::watched(rules)?, &mut output)?;
    let code = watched.code()?;
    let costs = watched.session.costs(&code.hash());
    let mut measured: Option<Vec<BlockProfile>> = None;
    for _ in 0..MEASUREMENTS {
        // The first run has said what there is to say.
        let ran = run::run_in(flags, Session::measured(rules)?, &mut Output::new(true))?;
        if let Some(profile) = ran.session.profile(&code.hash()) {
            let blocks = profile.blocks();
            measured = Some(match measured {
                Some(before) => shortest(&before, &blocks),
                None => blocks,
            });
        }
    }
    let regions = watched.session.regions(&code)?;
    let source = source::find(&watched.program, &flags.file, source.as_deref())?;
    let facts = Facts {
        title: watched.program.contract().map_or(flags.file.display().to_string(), str::to_owned),
        fork,
        calls: watched.report.steps.iter().map(|step| step.title.clone()).collect(),
        code_size: code.body().len(),
        clock: clock(),
    };
    let listing = Listing::new(&code, source, &regions, &costs, &measured.unwrap_or_default(), facts.clock);
    let path = page.clone().unwrap_or_else(|| flags.file.with_extension("html"));
    fs::write(&path, page::html(&facts, &listing)).map_err(|error| {
        Failure::new(Status::File, format!("cannot write the page: {error}")).at(path.display().to_string())
    })?;
    let Ran { report, .. } = watched;
    output.text(&format!("\nwrote {}\n", path.display()));
    output
        .finish()
        .map_err(|error| Failure::new(Status::File, format!("cannot write the output: {error}")))?;
    Ok(report.status())
}

/// Of two runs of the same blocks, the shorter time of each.
fn shortest(a: &[BlockProfile], b: &[BlockProfile]) -> Vec<BlockProfile> {
    let blocks = a.iter().zip(b);
    blocks.map(|(a, b)| BlockProfile { time_compiled: a.time_compiled.min(b.time_compiled), ..*a }).collect()
}

/// Time between two readings of the clock, the median of many.
fn clock() -> Duration {
    let mut times: Vec<Duration> = (0..1001).map(|_| Instant::now().elapsed()).collect();
    times.sort_unstable();
    times[times.len() / 2]
}
