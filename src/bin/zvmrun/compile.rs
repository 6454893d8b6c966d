//! `zvmrun compile`: compiles a contract ahead, into a folder of machine code.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::Bytes;
use clap::Parser;
use clap::error::ErrorKind;
use zvm::Fork;
use zvm::compiled::frame::Spec;

use crate::failure::Failure;
use crate::flags::Mode;
use crate::output::{Output, complain};
use crate::program::Program;
use crate::session::{Extras, Native};
use crate::status::Status;

/// The word that selects this command. A file of that name is `./compile`.
pub(crate) const NAME: &str = "compile";

/// Compiles a contract to machine code, and stores that for later runs.
///
/// FILE is a container (`.zvmc`) or assembly text (`.zvm`). Run-time code and init code are compiled as they stand in
/// it; code that init code changes before it deploys it is another code. Runs with the same --code-cache, --fork and
/// build of zvmrun on the same kind of processor use what is stored.
#[derive(Clone, Debug, Parser)]
#[command(name = "zvmrun compile", max_term_width = 110)]
struct CompileFlags {
    /// Container or assembly text.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Folder of machine code, made if it is missing, and refused if others can write to it.
    #[arg(long, value_name = "DIR", required = true)]
    code_cache: PathBuf,

    /// Rules to run by: cancun, prague or osaka.
    #[arg(long, value_name = "FORK", default_value = "osaka")]
    fork: String,
}

/// Runs the command with what follows its name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = OsString::from("zvmrun compile");
    let flags = match CompileFlags::try_parse_from([name].into_iter().chain(arguments)) {
        Ok(flags) => flags,
        Err(error) => {
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // If nobody reads the message there is nothing left to do but to end.
            let _ = error.print();
            let status = if is_help { Status::Success } else { Status::Usage };
            return ExitCode::from(status.number());
        }
    };
    let status = match run(&flags) {
        Ok(()) => Status::Success,
        Err(failure) => {
            complain(&failure);
            failure.status
        }
    };
    ExitCode::from(status.number())
}

fn run(flags: &CompileFlags) -> Result<(), Failure> {
    let fork = Fork::from_name(&flags.fork).ok_or_else(|| {
        let message = format!("--fork `{}`: write cancun, prague or osaka", flags.fork);
        Failure::new(Status::Usage, message)
    })?;
    let program = Program::load(&flags.file)?;
    let native =
        Native::new(Mode::Jit, &Extras { code_cache: Some(flags.code_cache.clone()), ..Extras::default() })?;
    let spec = Spec { fork, native_code: true, hedera: program.rules(fork).hedera };
    let mut output = Output::new(false);
    let codes: [(&str, Option<&Bytes>); 2] = [("code", Some(&program.code)), ("init", program.init.as_ref())];
    for (name, code) in codes.into_iter().filter_map(|(name, code)| Some((name, code?))) {
        let what = native.compile(code, &spec).map_err(|error| {
            Failure::new(Status::NothingCompiled, format!("{name}: {error}"))
                .at(flags.file.display().to_string())
        })?;
        output.text(&format!("{name}: {what}\n"));
    }
    if let Some(problem) = native.cache_problem() {
        output.text(&format!("note: {problem}\n"));
    }
    output.finish().map_err(|error| Failure::new(Status::File, format!("cannot write the output: {error}")))
}
