//! What the files gave, added up. Only as much is kept of failing cases as will be shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zvm_statetest::run::Difference;
use zvm_statetest::suite::{CaseReport, FileError, FileReport, Verdict};

/// Counts of cases and blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    pub(super) blocks_compiled: u64,
    pub(super) blocks_interpreted: u64,
}

impl Counts {
    pub(super) fn cases(&self) -> u64 {
        self.passed + self.failed + self.skipped
    }

    /// Share of the blocks that ran compiled, in percent; `None` where nothing was counted.
    pub(super) fn compiled_percent(&self) -> Option<f64> {
        let all = self.blocks_compiled + self.blocks_interpreted;
        (all > 0).then(|| 100.0 * self.blocks_compiled as f64 / all as f64)
    }

    fn add(&mut self, case: &CaseReport) {
        match case.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed { .. } => self.failed += 1,
            Verdict::Skipped { .. } => self.skipped += 1,
        }
        self.blocks_compiled += case.blocks_compiled;
        self.blocks_interpreted += case.blocks_interpreted;
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
