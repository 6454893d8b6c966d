//! The command line of `kalixc`.

use std::path::PathBuf;

use alloy_primitives::U256;
use clap::{Args, Parser, Subcommand, ValueEnum};
use kalix::codegen::{self, CodegenOptions, OptLevel};
use kalix::driver::CompileOptions;

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
    /// Compile a file or package: writes `<Contract>.zvmc` and `<Contract>.abi.json` for each of its contracts.
    ///
    /// Nothing is written if a source has a mistake. A package is a folder with `kalix.toml` and `src/`.
    Build {
        /// A source file or the folder of a package; without it, the package around the current folder.
        path: Option<PathBuf>,
        /// The folder to write into; it is created if it does not exist.
        #[arg(short, long = "out-dir", value_name = "DIR", default_value = ".")]
        out_dir: PathBuf,
        /// Also write intermediate products: the syntax tree as `<file>.ast`, the IR as `<Contract>.ir`, the
        /// code as `<Contract>.zvm` and `<Contract>.init.zvm`, the run-time code alone as `<Contract>.bin-runtime`.
        #[arg(long, value_name = "KIND", value_delimiter = ',')]
        emit: Vec<Emit>,
        /// Compare the storage of each contract with what this file records, and record it there. Members may be added;
        /// one that moved, changed its type or is gone is an error.
        #[arg(long, value_name = "FILE")]
        layout_lock: Option<PathBuf>,
        /// What the code is for. `evm` also writes `<Contract>.bin` and `<Contract>.bin-runtime`: creation code
        #[command(flatten)]
        code: CodeFlags,
        #[command(flatten)]
        reporting: Reporting,
    },
    /// Report the mistakes of a file or package, tests included, and write nothing.
    Check {
        /// A source file or the folder of a package; without it, the package around the current folder.
        path: Option<PathBuf>,
        #[command(flatten)]
        code: CodeFlags,
        #[command(flatten)]
        reporting: Reporting,
    },
    /// Run the tests of a file or package.
    ///
    /// Each test runs in a fresh world; a test with parameters runs with many inputs, edge values first, and a failure
    /// is shown with a small input. Exit status 1 if a test fails, or if no test is there or has the filter in its name.
    Test {
        /// A source file or the folder of a package; if there is no such file, the filter.
        #[arg(value_name = "PATH")]
        first: Option<PathBuf>,
        /// Run only tests with this in their names.
        filter: Option<String>,
        /// What runs the tests.
        #[arg(long, value_name = "TIER", default_value = "interp")]
        tier: TestTier,
        /// From which inputs are made; the same seed gives the same ones.
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
        #[command(flatten)]
        code: CodeFlags,
        #[command(flatten)]
        reporting: Reporting,
    },
    /// What the functions of a file or package cost.
    #[command(args_conflicts_with_subcommands = true)]
    Gas(GasArgs),
    /// Show what can be called, and what is done against re-entry and why.
    Audit {
        /// A source file or the folder of a package; without it, the package around the current folder.
        path: Option<PathBuf>,
        #[command(flatten)]
        code: CodeFlags,
        #[command(flatten)]
        reporting: Reporting,
    },
    /// Explain a diagnostic code, such as K0201.
    Explain {
        /// The code.
        code: String,
    },
}

/// What `kalixc gas` is told.
#[derive(Debug, Args)]
pub(crate) struct GasArgs {
    #[command(subcommand)]
    pub(crate) snapshot: Option<GasCommand>,
    /// A source file or the folder of a package; without it, the package around the current folder.
    pub(crate) path: Option<PathBuf>,
    /// Show only functions whose name, written `Contract.function`, has this in it.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
    /// Estimate one call of this function, written `Contract.function`, in a given state; `Contract.constructor` is the
    /// creation.
    #[arg(long, value_name = "FUNCTION", conflicts_with = "only")]
    pub(crate) function: Option<String>,
    /// Its arguments, separated by commas; a contract that was created before stands for its address.
    #[arg(long, value_name = "LIST", requires = "function")]
    pub(crate) args: Option<String>,
    /// What ran before, each in a transaction of its own: `new C(args)` or `C.f(args)`, with `from ADDRESS` and
    /// `value WEI` behind it. A contract that nobody creates is created without arguments.
    #[arg(long, value_name = "STEP", requires = "function")]
    pub(crate) before: Vec<String>,
    /// A word in storage: `NAME=VALUE`, `NAME[KEY]=VALUE` or `0xSLOT=VALUE`.
    #[arg(long, value_name = "SETTING", requires = "function")]
    pub(crate) state: Vec<String>,
    /// Who calls.
    #[arg(long, value_name = "ADDRESS", requires = "function")]
    pub(crate) from: Option<String>,
    /// Wei that go along.
    #[arg(long, value_name = "WEI", requires = "function", default_value = "0")]
    pub(crate) value: U256,
    #[command(flatten)]
    pub(crate) code: CodeFlags,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

/// What else `kalixc gas` does.
#[derive(Debug, Subcommand)]
pub(crate) enum GasCommand {
    /// Estimate every call that the tests make, in the state that they make it in, and hold it against what it took.
    ///
    /// Lists for each function how many calls and ways through it the tests have, and what they cost. Exit status 1 if an
    /// estimate is off, if a test fails, or if no test is there.
    Paths {
        /// A source file or the folder of a package; without it, the package around the current folder.
        path: Option<PathBuf>,
        #[command(flatten)]
        code: CodeFlags,
        #[command(flatten)]
        reporting: Reporting,
    },
    /// Write down what each test costs, or compare with what was written down.
    ///
    /// Exit status 1 if a test fails, or with --check if a figure differs.
    Snapshot {
        /// A source file or the folder of a package; without it, the package around the current folder.
        path: Option<PathBuf>,
        /// Compare and write nothing.
        #[arg(long)]
        check: bool,
        /// The file with the figures.
        #[arg(long, value_name = "FILE", default_value = ".gas-snapshot")]
        file: PathBuf,
        #[command(flatten)]
        code: CodeFlags,
        #[command(flatten)]
        reporting: Reporting,
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

/// What code to make.
#[derive(Debug, Args)]
pub(crate) struct CodeFlags {
    /// What the code is for.
    #[arg(long, value_name = "TARGET", default_value = "zvm")]
    target: Target,
    /// How much to optimize.
    #[arg(short = 'O', value_name = "LEVEL", default_value = "1")]
    optimize: Level,
}

impl CodeFlags {
    /// What the compiler is to do.
    pub(crate) fn compile_options(&self) -> CompileOptions {
        let opt_level = match self.optimize {
            Level::None => OptLevel::O0,
            Level::Standard => OptLevel::O1,
            Level::More => OptLevel::O2,
            Level::Size => OptLevel::Os,
        };
        let target = self.target.into();
        CompileOptions { codegen: CodegenOptions { target, opt_level, ..CodegenOptions::STANDARD } }
    }
}

/// What runs tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestTier {
    /// The interpreter.
    Interp,
    /// Native code.
    Jit,
    /// Both; a difference is a failure.
    Both,
}

/// How much the code is optimized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Not at all: every check and variable stays.
    #[value(name = "0")]
    None,
    /// What a build does if nothing is said.
    #[value(name = "1")]
    Standard,
    /// More, for more time and bytes.
    #[value(name = "2")]
    More,
    /// For few bytes.
    #[value(name = "s")]
    Size,
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
    /// The run-time code as hexadecimal digits, for contracts whose creation does nothing else.
    Runtime,
}
