//! One row in one tier, again and again: something for a profiler to look at.
//!
//! `cargo run --release -p zvm-benches --example warm -- ROW (interp | jit) RUNS` prints the times of the fastest run
//! and of the median one; for instruction counts, `valgrind --tool=callgrind` around it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zvm::engine::Mode;
use zvm_benches::examples::EXAMPLES;
use zvm_benches::ours::OurCase;
use zvm_benches::written::written_cases;
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::bench::{BenchCase, bench_cases};
use zvm_statetest::vectors::vectors_dir;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [row, tier, runs] = &words[..] else { panic!("ROW (interp | jit) RUNS") };
    let runs: usize = runs.parse().expect("a number of runs");
    let (case, native_code) = find(row).unwrap_or_else(|| panic!("no row is called {row}"));
    let mut case = match tier.as_str() {
        "interp" => OurCase::new(&case, Mode::Interp, None, native_code),
        "jit" => {
            let jit = Jit::new(JitOptions::production()).expect("the JIT supports this machine");
            OurCase::new(&case, Mode::Jit, Some(Arc::new(jit)), native_code)
        }
        other => panic!("no tier is called {other}"),
    };
    black_box(case.run());
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(case.run());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let us = |time: Duration| time.as_nanos() as f64 / 1000.0;
    println!("{row} {tier}: fastest {:.2} us, median {:.2} us", us(times[0]), us(times[times.len() / 2]));
}

/// The row of that name, and whether it is native bytecode.
fn find(row: &str) -> Option<(BenchCase, bool)> {
    if let Some(example) = EXAMPLES.iter().find(|example| example.name == row) {
        return Some((example.case(), true));
    }
    let vectors = vectors_dir().map(|dir| bench_cases(&dir).expect("the cases read")).unwrap_or_default();
    written_cases().into_iter().chain(vectors).find(|case| case.name == row).map(|case| (case, false))
}
