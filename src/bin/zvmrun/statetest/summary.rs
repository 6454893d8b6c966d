//! What the files gave, added up. Only as much is kept of failing cases as will be shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zvm::profile::Operations;
use zvm_statetest::run::Difference;
use zvm_statetest::suite::{CaseReport, FileError, FileReport, Verdict};

/// Least share of operations that `--tier jit` runs as native code, in percent.
pub(super) const NATIVE_PERCENT_MIN: u64 = 99;

/// Counts of cases, blocks and operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    pub(super) blocks_compiled: u64,
    pub(super) blocks_interpreted: u64,
    pub(super) operations: Operations,
}

impl Counts {
    pub(super) fn cases(&self) -> u64 {
        self.passed + self.failed + self.skipped
    }

    /// What ran as native code: operations where they were counted, else blocks.
    pub(super) fn native(&self) -> Option<Native> {
        let Operations { interpreted, compiled } = self.operations;
        let operations = Native { what: "operations", compiled, all: interpreted + compiled };
        let all = self.blocks_compiled + self.blocks_interpreted;
        let blocks = Native { what: "basic blocks", compiled: self.blocks_compiled, all };
        [operations, blocks].into_iter().find(|native| native.all > 0)
    }

    /// Whether too few of the operations ran as native code. Where none ran at all, none is missing.
    pub(super) fn has_too_little_native(&self) -> bool {
        let Operations { compiled, .. } = self.operations;
        u128::from(compiled) * 100 < u128::from(self.operations.total()) * u128::from(NATIVE_PERCENT_MIN)
    }

    fn add(&mut self, case: &CaseReport) {
        match case.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed { .. } => self.failed += 1,
            Verdict::Skipped { .. } => self.skipped += 1,
        }
        self.blocks_compiled += case.blocks_compiled;
        self.blocks_interpreted += case.blocks_interpreted;
        self.operations.add(case.operations);
    }
}

/// How much ran as native code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Native {
    /// What was counted.
    pub(super) what: &'static str,
    pub(super) compiled: u64,
    // Invariant: not 0.
    pub(super) all: u64,
}

impl Native {
    /// Share in percent.
    pub(super) fn percent(&self) -> f64 {
        100.0 * self.compiled as f64 / self.all as f64
    }
}

/// A case that failed.
#[derive(Clone, Debug)]
pub(super) struct FailedCase {
    pub(super) file: PathBuf,
    pub(super) name: String,
    pub(super) runner: &'static str,
    pub(super) differences: Vec<Difference>,
    /// Differences beyond those.
    pub(super) more: usize,
}

/// Everything that is reported.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) total: Counts,
    pub(super) folders: BTreeMap<PathBuf, Counts>,
    pub(super) skipped_by_reason: BTreeMap<&'static str, u64>,
    // Invariant: the first ones by file and case, at most `failures_max`, whatever the order in which threads end.
    pub(super) failures: BTreeMap<(usize, usize), FailedCase>,
    failures_max: usize,
    pub(super) errors: Vec<FileError>,
    pub(super) seconds: f64,
}

impl Summary {
    pub(super) fn new(failures_max: usize) -> Summary {
        Summary {
            total: Counts::default(),
            folders: BTreeMap::new(),
            skipped_by_reason: BTreeMap::new(),
            failures: BTreeMap::new(),
            failures_max,
            errors: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Adds what a file gave.
    pub(super) fn add(&mut self, report: FileReport) {
        let FileReport { index, path, cases } = report;
        let cases = match cases {
            Ok(cases) => cases,
            Err(error) => return self.errors.push(error),
        };
        if cases.is_empty() {
            return;
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let counts = self.folders.entry(folder).or_default();
        for (number, case) in cases.into_iter().enumerate() {
            counts.add(&case);
            self.total.add(&case);
            match case.verdict {
                Verdict::Passed => {}
                Verdict::Skipped { reason } => *self.skipped_by_reason.entry(reason).or_default() += 1,
                Verdict::Failed { runner, differences, more } => {
                    let failed =
                        FailedCase { file: path.clone(), name: case.name, runner, differences, more };
                    self.failures.insert((index, number), failed);
                    if self.failures.len() > self.failures_max {
                        self.failures.pop_last();
                    }
                }
            }
        }
    }

    /// Failing cases that are not shown.
    pub(super) fn failures_not_shown(&self) -> u64 {
        self.total.failed - self.failures.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_nine_percent_are_enough_and_nothing_is_missing_of_nothing() {
        let too_little = |interpreted, compiled| {
            let operations = Operations { interpreted, compiled };
            Counts { operations, ..Counts::default() }.has_too_little_native()
        };
        assert!(!too_little(0, 0) && !too_little(0, 1) && !too_little(1, 99));
        assert!(too_little(1, 0) && too_little(1, 98) && too_little(10_001, 990_000));
    }
}
