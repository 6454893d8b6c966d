//! Vectors of the folder beside the project in both tiers: benchmark contracts, scripts of Solidity programs, a
//! part of Ethereum's state tests. `zvmrun statetest` runs all of them; this takes seconds.
//!
//! Skips, and says so, when the folder is absent.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use zvm::Fork;
use zvm_jit::{Jit, JitOptions, Perturbation};
use zvm_statetest::suite::{CaseReport, FileReport, Runner, SuiteOptions, Verdict, find_files, run_files};
use zvm_statetest::vectors::vectors_dir;

/// A part of the state tests that takes seconds.
const STATE_TESTS: &[&str] = &[
    "eest/cancun/eip1153_tstore",
    "eest/prague/eip7702_set_code_tx",
    "eest/osaka/eip7939_count_leading_zeros",
];

/// The interpreter, then native code.
fn both() -> Vec<Runner> {
    vec![Runner::Interp, Runner::Jit(jit(Perturbation::NONE))]
}

fn jit(perturbation: Perturbation) -> Arc<Jit> {
    let options = JitOptions { perturbation, ..JitOptions::checked() };
    Arc::new(Jit::new(options).expect("the JIT supports this machine"))
}

/// What the cases of some folders gave.
#[derive(Default)]
struct Tally {
    passed: usize,
    skipped: usize,
    blocks_compiled: u64,
    blocks_interpreted: u64,
    /// Cases in which no compiled code ran.
    interpreted: Vec<String>,
}

/// Runs every case of the folders, of one fork or all, in each of the ways; `None` without the vectors.
///
/// # Panics
/// If a case fails, or a file can't be read.
fn run(folders: &[&str], fork: Option<Fork>, runners: Vec<Runner>) -> Option<Tally> {
    let Some(vectors) = vectors_dir() else {
        eprintln!("skipped: no vectors folder (set ZVM_VECTORS)");
        return None;
    };
    let paths: Vec<PathBuf> = folders.iter().map(|folder| vectors.join(folder)).collect();
    let files = find_files(&paths).expect("the folders are there");
    let options = SuiteOptions {
        runners,
        fork,
        threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    let mut tally = Tally::default();
    run_files(&files, &options, |FileReport { path, cases, .. }| {
        for case in cases.unwrap_or_else(|error| panic!("{error}")) {
            tally.add(case, &path.display().to_string());
        }
    });
    println!("{folders:?}: {} cases passed, {} skipped", tally.passed, tally.skipped);
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
        self.blocks_interpreted += case.blocks_interpreted;
        if case.blocks_compiled == 0 {
            self.interpreted.push(case.name);
        }
    }
}

#[test]
fn benchmark_contracts_give_the_expected_results() {
    let Some(tally) = run(&["bench"], None, both()) else { return };
    let programs: Vec<&String> =
        tally.interpreted.iter().filter(|name| !name.starts_with("precompile-")).collect();
    assert!(programs.is_empty(), "compiled code must run in {programs:?}");
}

/// The forks differ in the price of transactions alone, and compiling for each takes long: here it is one.
#[test]
fn scripts_of_solidity_programs_give_the_expected_results() {
    let Some(tally) = run(&["solidity"], Some(Fork::Prague), both()) else { return };
    assert!(tally.interpreted.is_empty(), "compiled code must run in {:?}", tally.interpreted);
}

#[test]
fn a_part_of_the_state_tests_gives_the_expected_results() {
    let Some(tally) = run(STATE_TESTS, None, both()) else { return };
    assert!(tally.blocks_compiled > 0, "compiled code must run");
}

#[test]
fn runs_that_change_tiers_midway_give_the_expected_results() {
    let disturbed = |seed| {
        Runner::Mixed(jit(Perturbation {
            enter_seed: Some(seed),
            exit_every: NonZeroU32::new(5),
            ..Perturbation::NONE
        }))
    };
    let Some(tally) = run(STATE_TESTS, None, vec![disturbed(1), disturbed(2)]) else { return };
    assert!(tally.blocks_compiled > 0 && tally.blocks_interpreted > 0, "both tiers must run");
}

#[test]
fn every_frame_is_the_same_in_compiled_code_over_its_record() {
    let Some(tally) = run(STATE_TESTS, None, vec![Runner::Check(jit(Perturbation::NONE))]) else { return };
    assert!(tally.blocks_compiled > 0, "compiled code must run");
}
