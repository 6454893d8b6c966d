//! Many files on several threads: finds them, runs every case in every way asked for, reports file by file.
//!
//! A thread holds one file at a time. Engines live as long as a file, so that neither code nor native code piles up.

use std::any::Any;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use zvm::Fork;
use zvm::check::Checking;
use zvm::compiled::tier::Tier;
use zvm::engine::{Engine, EngineBuilder, Mode};
use zvm::profile::{Operations, Profiling};

use crate::case::Case;
use crate::read::{Entry, read};
use crate::run::{Difference, Run, run};
use crate::skips::skip_reason;

/// A way to run code.
#[derive(Clone)]
pub enum Runner {
    /// The interpreter.
    Interp,
    /// Native code from the first instruction on.
    Jit(Arc<dyn Tier>),
    /// Native code of a tier that is disturbed, so that it is entered or left midway.
    Mixed(Arc<dyn Tier>),
    /// The interpreter, with every frame held against native code; a difference is a panic, which fails the case.
    Check(Arc<dyn Tier>),
}

impl Runner {
    /// Name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Runner::Interp => "interp",
            Runner::Jit(_) => "jit",
            Runner::Mixed(_) => "mixed",
            Runner::Check(_) => "check",
        }
    }

    /// An engine with the case's rules that runs in this way.
    pub fn engine(&self, case: &Case) -> Engine {
        let builder = case.engine();
        let native = |builder: EngineBuilder, tier: &Arc<dyn Tier>| {
            builder.mode(Mode::Jit).tier(Arc::clone(tier)).count_blocks(true)
        };
        match self {
            Runner::Interp => builder.mode(Mode::Interp),
            Runner::Jit(tier) => native(builder, tier).profiling(Profiling::Operations),
            // The interpreter that counts operations is not the one that changes tiers elsewhere.
            Runner::Mixed(tier) => native(builder, tier),
            Runner::Check(tier) => native(builder, tier).mode(Mode::Check).checking(Checking {
                on_difference: Some(Arc::new(|report| {
                    panic!("the tiers differ: {}", report.case.difference)
                })),
                ..Checking::new()
            }),
        }
        .build()
    }
}

/// What to run, and how.
pub struct SuiteOptions {
    /// Every case runs in each of these ways, and must pass in all.
    pub runners: Vec<Runner>,
    /// Only cases of this fork; others are not even counted.
    pub fork: Option<Fork>,
    /// Threads.
    pub threads: NonZeroUsize,
}

/// A file or folder that can't be read, or a file that holds no cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong, with the field if one is known.
    pub message: String,
}

/// What the cases of a file gave.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// Place of the file in the list.
    pub index: usize,
    /// The file.
    pub path: PathBuf,
    /// Its cases in order, or why they could not be read.
    pub cases: Result<Vec<CaseReport>, FileError>,
}

/// What one case gave.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// Name within the file.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Basic blocks run by compiled code.
    pub blocks_compiled: u64,
    /// Basic blocks run by the interpreter while it counted them.
    pub blocks_interpreted: u64,
    /// Operations run as [`Runner::Jit`].
    pub operations: Operations,
}

impl CaseReport {
    /// Of a case that has run nothing yet.
    fn new(name: String, verdict: Verdict) -> CaseReport {
        let operations = Operations::default();
        CaseReport { name, verdict, blocks_compiled: 0, blocks_interpreted: 0, operations }
    }
}

/// How a case ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Everything was as expected.
    Passed,
    /// Something differs.
    Failed {
        /// The way it ran.
        runner: &'static str,
        /// What differs.
        differences: Vec<Difference>,
        /// Differences beyond those.
        more: usize,
    },
    /// Not run.
    Skipped {
        /// Why.
        reason: &'static str,
    },
}

/// The files to read: paths that are files, and every `.json` below paths that are folders, sorted.
///
/// # Errors
/// If a path can't be looked at.
pub fn find_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files)?;
        } else {
            std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FileError> {
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        // Links to folders are not followed, so that no circle of them has no end.
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> FileError {
    FileError { path: path.to_owned(), message: error.to_string() }
}

/// Runs every case of the files; `on_file` hears of each file once, in the order in which they are done.
pub fn run_files(files: &[PathBuf], options: &SuiteOptions, mut on_file: impl FnMut(FileReport)) {
    let next = AtomicUsize::new(0);
    let (sender, reports) = mpsc::sync_channel(options.threads.get());
    std::thread::scope(|scope| {
        for _ in 0..options.threads.get().min(files.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(index) else { return };
                    let report = FileReport { index, path: path.clone(), cases: run_file(path, options) };
                    if sender.send(report).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // Taken along: where `on_file` panics the channel ends with it, and no thread waits for a place in it.
        reports.into_iter().for_each(&mut on_file);
    });
}

/// Runs the cases of one file.
///
/// # Errors
/// If the file can't be read, or is of no known form.
pub fn run_file(path: &Path, options: &SuiteOptions) -> Result<Vec<CaseReport>, FileError> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let entries =
        read(&text).map_err(|error| FileError { path: path.to_owned(), message: error.to_string() })?;
    drop(text);
    let listed = skip_reason(&path.to_string_lossy().replace('\\', "/"));
    let mut engines: HashMap<EngineKey, Engine> = HashMap::new();
    let is_asked_for = |entry: &Entry| match (entry, options.fork) {
        (_, None) => true,
        (Entry::Case(case), Some(fork)) => case.fork == fork,
        (Entry::Skipped { .. }, Some(_)) => false,
    };
    let report = |entry| match entry {
        Entry::Skipped { name, reason } => skipped(name, reason),
        Entry::Case(case) => match listed {
            Some(reason) => skipped(case.name, reason),
            None => run_case(*case, &options.runners, &mut engines),
        },
    };
    Ok(entries.into_iter().filter(is_asked_for).map(report).collect())
}

/// What cases that share an engine have in common: the way to run, by its place, and the rules.
type EngineKey = (usize, Fork, bool);

fn skipped(name: String, reason: &'static str) -> CaseReport {
    CaseReport::new(name, Verdict::Skipped { reason })
}

fn run_case(case: Case, runners: &[Runner], engines: &mut HashMap<EngineKey, Engine>) -> CaseReport {
    let mut report = CaseReport::new(String::new(), Verdict::Passed);
    for (index, runner) in runners.iter().enumerate() {
        let key = (index, case.fork, case.transaction_gas_cap);
        let engine = engines.entry(key).or_insert_with(|| runner.engine(&case));
        // A panic is a fault of the machine like any other: it fails the case, and the others go on.
        let Run { differences, more, blocks_compiled, blocks_interpreted, operations } =
            catch_unwind(AssertUnwindSafe(|| run(&case, engine))).unwrap_or_else(|panic| panicked(&*panic));
        report.blocks_compiled += blocks_compiled;
        report.blocks_interpreted += blocks_interpreted;
        // The interpreter of the other runners does not count, and a share needs both sides.
        if matches!(runner, Runner::Jit(_)) {
            report.operations.add(operations);
        }
        if !differences.is_empty() {
            report.verdict = Verdict::Failed { runner: runner.name(), differences, more };
            break;
        }
    }
    CaseReport { name: case.name, ..report }
}

fn panicked(panic: &(dyn Any + Send)) -> Run {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
    let difference = Difference {
        what: "the machine".into(),
        expected: "no panic".into(),
        found: format!("panic: {message}"),
    };
    Run { differences: vec![difference], ..Run::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_panics_ends_the_run() {
        // More files than the channel holds; that they aren't there is a report as well.
        let files: Vec<PathBuf> = (0..64).map(|n| PathBuf::from(format!("nowhere/{n}.json"))).collect();
        let threads = NonZeroUsize::new(2).expect("two");
        let options = SuiteOptions { runners: vec![Runner::Interp], fork: None, threads };
        let run = || run_files(&files, &options, |_| panic!("enough"));
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    }
}
