//! The command line of `kalixc`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kalix::codegen;

/// Compiles Kalix contracts for the ZVM.
///
/// Exit status: 0 on success, 1 for mistakes in the source, 2 for a wrong command line or for files that
/// cannot be read or written.
#[derive(Debug, Parser)]
#[command(name = "kalixc", version, arg_required_else_help = true)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile a file: writes `<Contract>.zvmc` and `<Contract>.abi.json` for each of its contracts.
    ///
    /// Nothing is written if the source has a mistake.
    Build {
        /// The source file.
        file: PathBuf,
        /// The folder to write into; it is created if it does not exist.
        #[arg(short, long = "out-dir", value_name = "DIR", default_value = ".")]
        out_dir: PathBuf,
        /// Also write intermediate products: the syntax tree as `<file>.ast`, the IR as `<Contract>.ir`, the
        /// code as `<Contract>.zvm` and `<Contract>.init.zvm`.
        #[arg(long, value_name = "KIND", value_delimiter = ',')]
        emit: Vec<Emit>,
        /// What the code is for. `evm` also writes `<Contract>.bin` and `<Contract>.bin-runtime`: creation code
        /// and run-time code in hexadecimal.
        #[arg(long, value_name = "TARGET", default_value = "zvm")]
        target: Target,
        #[command(flatten)]
        reporting: Reporting,
    },
    /// Report the mistakes of a file and write nothing.
    Check {
        /// The source file.
        file: PathBuf,
        /// What the code would be for.
        #[arg(long, value_name = "TARGET", default_value = "zvm")]
        target: Target,
        #[command(flatten)]
        reporting: Reporting,
    },
    /// Explain a diagnostic code, such as K0201.
    Explain {
        /// The code.
        code: String,
    },
}

/// How to report mistakes.
#[derive(Debug, Args)]
pub(crate) struct Reporting {
    /// The form of messages. JSON goes to standard output, the others to standard error.
    #[arg(long, value_name = "FORM", default_value = "full")]
    pub(crate) error_format: ErrorFormat,
    /// When to use colors.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Treat warnings like errors.
    #[arg(long = "deny", value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
}

impl Reporting {
    /// Whether a warning forbids to write anything.
    pub(crate) fn denies_warnings(&self) -> bool {
        self.deny.is_some()
    }
}

/// What code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// The ZVM's native encoding.
    Zvm,
    /// Ethereum bytecode, as of Cancun.
    Evm,
}

impl From<Target> for codegen::Target {
    fn from(target: Target) -> codegen::Target {
        match target {
            Target::Zvm => codegen::Target::Zvm,
            Target::Evm => codegen::Target::Evm,
        }
    }
}

/// The form of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorFormat {
    /// With an excerpt of the source.
    Full,
    /// One line each.
    Short,
    /// An array of objects, for tools.
    Json,
}

/// When to use colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Also into files and pipes.
    Always,
    /// Nowhere.
    Never,
}

/// An intermediate product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// The syntax tree.
    Ast,
    /// The intermediate representation.
    Ir,
    /// The code as assembly text, which `zvmrun` runs too.
    Asm,
}
