//! `zvmrun replay`: runs a case file again in both tiers, and says whether they still differ. Reading and running
//! are [`zvm::check`]; here is printing.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use zvm::check::{CASE_BYTES_MAX, Case, Replayed};
use zvm::engine::{Engine, Mode};

use crate::failure::Failure;
use crate::output::{Output, complain};
use crate::session;
use crate::status::Status;

/// The word that selects this command. A file of that name is `./replay`.
pub(crate) const NAME: &str = "replay";

/// The tiers agree, and the interpreter does what it did.
const AGREE: u8 = 0;
/// They differ, or the interpreter no longer follows the record.
const DIFFER: u8 = 1;
/// The file is no case, or nothing could be compared.
const NOT_RUN: u8 = 2;

/// Runs a case file, as cross-checking writes it, again in both tiers.
///
/// The frame runs over the answers that are in the file, so nothing else is needed. Exit status: 0 if interpreter
/// and native code agree now, 1 if they differ, 2 if the file is no case or could not be compared.
#[derive(Clone, Debug, Parser)]
#[command(name = "zvmrun replay", max_term_width = 110)]
struct ReplayFlags {
    /// Case file (`.zvmcase`).
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the command with what follows its name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = OsString::from("zvmrun replay");
    let flags = match ReplayFlags::try_parse_from([name].into_iter().chain(arguments)) {
        Ok(flags) => flags,
        Err(error) => {
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // If nobody reads the message there is nothing left to do but to end.
            let _ = error.print();
            return ExitCode::from(if is_help { AGREE } else { NOT_RUN });
        }
    };
    ExitCode::from(match run(&flags.file) {
        Ok(status) => status,
        Err(failure) => {
            complain(&failure.at(flags.file.display().to_string()));
            NOT_RUN
        }
    })
}

fn run(path: &Path) -> Result<u8, Failure> {
    let case = read(path)?;
    let tier = session::tier()?;
    let compiler = tier.describe();
    let engine = Engine::builder()
        .fork(case.spec.fork)
        .native_code(case.spec.native_code)
        .mode(Mode::Jit)
        .tier(tier)
        .build();
    let replayed = engine.replay(&case).map_err(|error| Failure::new(Status::Engine, error.to_string()))?;
    let mut output = Output::new(false);
    output.text(&text(&case, &replayed, &compiler));
    output
        .finish()
        .map_err(|error| Failure::new(Status::File, format!("cannot write the output: {error}")))?;
    Ok(if replayed.difference.is_none() && replayed.departure.is_none() { AGREE } else { DIFFER })
}

fn read(path: &Path) -> Result<Case, Failure> {
    let wrong = |error: std::io::Error| Failure::new(Status::File, format!("cannot read the file: {error}"));
    let mut bytes = Vec::new();
    // One byte more than is allowed, which the reader refuses.
    let limit = CASE_BYTES_MAX as u64 + 1;
    File::open(path).map_err(wrong)?.take(limit).read_to_end(&mut bytes).map_err(wrong)?;
    Case::parse(&bytes).map_err(|error| Failure::new(Status::Malformed, format!("not a case: {error}")))
}

fn text(case: &Case, replayed: &Replayed, compiler: &str) -> String {
    let Replayed { interpreted, compiled, difference, departure, blocks_compiled } = replayed;
    let mut text = format!(
        "case         {} bytes of code, {} gas, {} recorded answers, fork {}\n\
         recorded by  {}\n\
         recorded     {}\n\
         replayed by  {compiler}\n\
         interpreter  {interpreted}\n\
         native code  {compiled}\n\
         blocks       {blocks_compiled} compiled\n",
        case.code.len(),
        case.gas,
        case.events.len(),
        case.spec.fork.name(),
        printable(&case.compiler),
        printable(&case.difference.to_string()),
    );
    if let Some(departure) = departure {
        text.push_str(&format!(
            "DEPARTS: the interpreter no longer follows the record: {}: recorded {}, now {}\n",
            departure.what,
            printable(&departure.interpreted),
            printable(&departure.compiled)
        ));
    }
    text.push_str(&match difference {
        Some(difference) => format!("DIFFERENT: {}\n", printable(&difference.to_string())),
        None => "equal: the tiers agree\n".to_owned(),
    });
    text
}

/// A text from a file, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
