//! Vectors of the folder beside the project in both tiers: benchmark contracts, scripts of Solidity programs, a
//! part of Ethereum's state tests. `zvmrun statetest` runs all of them; this takes seconds.
//!
//! Skips, and says so, when the folder is absent.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use zvm::Fork;
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::suite::{CaseReport, FileReport, Runner, SuiteOptions, Verdict, find_files, run_files};
use zvm_statetest::vectors::vectors_dir;

/// What the cases of some folders gave.
#[derive(Default)]
struct Tally {
    passed: usize,
    skipped: usize,
    blocks_compiled: u64,
    /// Cases in which no compiled code ran.
    interpreted: Vec<String>,
}

/// Runs every case of the folders, of one fork or all, in the interpreter and as native code; `None` without the
/// vectors.
///
/// # Panics
/// If a case fails, or a file can't be read.
fn run(folders: &[&str], fork: Option<Fork>) -> Option<Tally> {
    let Some(vectors) = vectors_dir() else {
        eprintln!("skipped: no vectors folder (set ZVM_VECTORS)");
        return None;
    };
    let paths: Vec<PathBuf> = folders.iter().map(|folder| vectors.join(folder)).collect();
    let files = find_files(&paths).expect("the folders are there");
    let jit = Jit::new(JitOptions::checked()).expect("the JIT supports this machine");
    let options = SuiteOptions {
        runners: vec![Runner::Interp, Runner::Jit(Arc::new(jit))],
        fork,
        threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    let mut tally = Tally::default();
    run_files(&files, &options, |FileReport { path, cases, .. }| {
        for case in cases.unwrap_or_else(|error| panic!("{error}")) {
            tally.add(case, &path.display().to_string());
        }
    });
    println!("{folders:?}: {} cases passed in two tiers, {} skipped", tally.passed, tally.skipped);
    assert!(tally.passed > 0, "the folders have cases that run");
    Some(tally)
}

impl Tally {
    fn add(&mut self, case: CaseReport, file: &str) {
        match case.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Skipped { .. } => self.skipped += 1,
            Verdict::Failed { runner, differences, more } => {
                panic!("{file}: {} ({runner}): {differences:#?} and {more} more", case.name)
            }
        }
        self.blocks_compiled += case.blocks_compiled;
        if case.blocks_compiled == 0 {
            self.interpreted.push(case.name);
        }
    }
}

#[test]
fn benchmark_contracts_give_the_expected_results() {
    let Some(tally) = run(&["bench"], None) else { return };
    let programs: Vec<&String> =
        tally.interpreted.iter().filter(|name| !name.starts_with("precompile-")).collect();
    assert!(programs.is_empty(), "compiled code must run in {programs:?}");
}

/// The forks differ in the price of transactions alone, and compiling for each takes long: here it is one.
#[test]
fn scripts_of_solidity_programs_give_the_expected_results() {
    let Some(tally) = run(&["solidity"], Some(Fork::Prague)) else { return };
    assert!(tally.interpreted.is_empty(), "compiled code must run in {:?}", tally.interpreted);
}

#[test]
fn a_part_of_the_state_tests_gives_the_expected_results() {
    let folders = [
        "eest/cancun/eip1153_tstore",
        "eest/prague/eip7702_set_code_tx",
        "eest/osaka/eip7939_count_leading_zeros",
    ];
    let Some(tally) = run(&folders, None) else { return };
    assert!(tally.blocks_compiled > 0, "compiled code must run");
}
