//! The command line of `zvmrun statetest`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use zvm::Fork;

use super::summary::Summary;
use crate::failure::Failure;
use crate::status::Status;

/// Runs Ethereum's state tests, and the project's own vectors, on the machine.
///
/// A PATH is a file, or a folder of which every `.json` is read. Four forms are told by their content: state
/// tests of execution-spec-tests, those of ethereum/tests with tables of indexes, scripts of transactions, and
/// benchmark cases. The last line is the total.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "zvmrun statetest",
    version,
    after_help = AFTER_HELP,
    max_term_width = 110,
)]
pub(super) struct StateTestFlags {
    /// Files and folders.
    #[arg(value_name = "PATH", required = true)]
    pub(super) paths: Vec<PathBuf>,

    /// How code runs.
    #[arg(long, value_enum, value_name = "TIER", default_value = "interp")]
    pub(super) tier: TierFlag,

    /// Only cases of this fork: cancun, prague or osaka.
    #[arg(long, value_name = "FORK")]
    fork: Option<String>,

    /// Print one JSON document instead of text.
    #[arg(long)]
    pub(super) json: bool,

    /// Threads; as many as the machine has cores unless given.
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,

    /// Failing cases of which everything that differs is shown; further ones are counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) failures: usize,
}

const AFTER_HELP: &str = "\
Exit status:
  0  every case passed, or was skipped for a reason that the last line names
  1  a case failed, or with --tier jit less than 99 % of the operations that were executed ran as native code
  2  no case was found, a file cannot be read or has none of the forms, or the command line makes no sense";

/// How code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TierFlag {
    /// In the interpreter.
    Interp,
    /// As native code from the first instruction on; at least 99 % of all operations must run so.
    Jit,
    /// In both by turns, changing at blocks that fixed seeds pick.
    Mixed,
    /// In the interpreter, then as native code; both must pass.
    Both,
    /// In the interpreter, with every frame run again as native code over the same answers.
    Check,
}

impl TierFlag {
    /// Name on the command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            TierFlag::Interp => "interp",
            TierFlag::Jit => "jit",
            TierFlag::Mixed => "mixed",
            TierFlag::Both => "both",
            TierFlag::Check => "check",
        }
    }
}

impl StateTestFlags {
    /// Whether the tier that was asked for has run too few operations.
    pub(super) fn lacks_native(&self, summary: &Summary) -> bool {
        self.tier == TierFlag::Jit && summary.total.has_too_little_native()
    }

    /// The fork that was asked for.
    pub(super) fn fork(&self) -> Result<Option<Fork>, Failure> {
        let Some(name) = &self.fork else { return Ok(None) };
        let fork = Fork::from_name(name).ok_or_else(|| {
            Failure::new(Status::Usage, format!("--fork: there is no fork `{name}`"))
                .help("cancun, prague or osaka")
        })?;
        Ok(Some(fork))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        StateTestFlags::command().debug_assert();
    }

    #[test]
    fn a_tier_is_called_as_the_command_line_calls_it() {
        for tier in TierFlag::value_variants() {
            let value = tier.to_possible_value().expect("no tier is hidden");
            assert_eq!(value.get_name(), tier.name());
        }
    }
}
