//! Interpreter, warm native code and revm side by side: the engines take turns in one process, so that a busy
//! machine slows all of them, and the medians are printed with their ratios. Results are compared first.
//!
//! `cargo run --release -p zvm-benches --example ratios -- [ROUNDS] [ROW…]`; a row is chosen by a part of its name.

#[path = "../programs/revm.rs"]
mod revm_peer;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zvm::engine::Mode;
use zvm_benches::examples::EXAMPLES;
use zvm_benches::observed::Observed;
use zvm_benches::ours::OurCase;
use zvm_benches::written::written_cases;
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::bench::{BenchCase, bench_cases};
use zvm_statetest::vectors::vectors_dir;

use crate::revm_peer::RevmCase;

fn main() {
    let mut words = std::env::args().skip(1).peekable();
    let rounds = words.next_if(|word| word.parse::<usize>().is_ok());
    let rounds: usize = rounds.and_then(|word| word.parse().ok()).unwrap_or(30);
    let rows: Vec<String> = words.collect();
    let is_wanted = |name: &str| rows.is_empty() || rows.iter().any(|row| name.contains(row.as_str()));
    println!(
        "{:<24}{:>12}{:>12}{:>12}{:>12}{:>10}{:>10}",
        "row", "revm us", "interp us", "jit us", "revm/interp", "revm/jit", "int/jit"
    );
    for example in EXAMPLES.iter().filter(|example| is_wanted(example.name)) {
        compare(&example.case(), true, rounds);
    }
    for case in written_cases().iter().filter(|case| is_wanted(&case.name)) {
        compare(case, false, rounds);
    }
    let cases = vectors_dir().map(|vectors| bench_cases(&vectors).expect("the cases read"));
    if cases.is_none() {
        println!("skipped: the contracts of the vectors folder, which is absent (set ZVM_VECTORS)");
    }
    for case in
        cases.unwrap_or_default().iter().filter(|case| !case.calls_precompile() && is_wanted(&case.name))
    {
        compare(case, false, rounds);
    }
}

fn compare(case: &BenchCase, native_code: bool, rounds: usize) {
    let jit: Arc<Jit> = Arc::new(Jit::new(JitOptions::production()).expect("the JIT supports this machine"));
    let mut interpreter = OurCase::new(case, Mode::Interp, None, native_code);
    let mut compiled = OurCase::new(case, Mode::Jit, Some(jit), native_code);
    let reference = interpreter.observe();
    if let Some(difference) = compiled.observe().difference(&reference) {
        panic!("{}: the tiers differ: {difference}", case.name);
    }
    if !native_code {
        let peer: Observed = RevmCase::new(case).with_machine(|run| run());
        if let Some(difference) = peer.difference(&reference) {
            panic!("{}: revm differs: {difference}", case.name);
        }
    }
    let mut times: [Vec<Duration>; 3] = Default::default();
    let mut measure = |run_revm: Option<&mut dyn FnMut()>| {
        let mut nothing = || {};
        let is_peer = run_revm.is_some();
        let run_revm = run_revm.unwrap_or(&mut nothing);
        // Short rows run often enough per sample that the clock does not matter.
        let start = Instant::now();
        black_box(interpreter.run());
        let batch =
            (Duration::from_millis(2).as_nanos() / start.elapsed().as_nanos().max(1)).clamp(1, 2000) as usize;
        for _ in 0..rounds {
            times[1].push(timed(batch, || drop(black_box(interpreter.run()))));
            times[2].push(timed(batch, || drop(black_box(compiled.run()))));
            if is_peer {
                times[0].push(timed(batch, &mut *run_revm));
            }
        }
    };
    if native_code {
        measure(None);
    } else {
        RevmCase::new(case).with_machine(|run| measure(Some(&mut || drop(black_box(run())))));
    }
    let [revm, interp, jit] = times.map(median_us);
    println!(
        "{:<24}{revm:>12.2}{interp:>12.2}{jit:>12.2}{:>12.2}{:>10.2}{:>10.2}",
        case.name,
        revm / interp,
        revm / jit,
        interp / jit
    );
}

fn timed(batch: usize, mut run: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..batch {
        run();
    }
    start.elapsed() / batch as u32
}

fn median_us(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_nanos() as f64 / 1000.0)
}
