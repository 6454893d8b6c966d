//! Whole transactions on our tiers and on revm, from the same state.
//!
//! Before a row is timed, every engine runs it once and output, gas, logs and storage are compared; a difference
//! aborts. `cargo xtask bench-table` turns the figures into the tables of `docs/performance.md`.

#[path = "programs/revm.rs"]
mod revm_peer;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion};
use zvm::engine::Mode;
use zvm_benches::examples::EXAMPLES;
use zvm_benches::observed::Observed;
use zvm_benches::ours::OurCase;
use zvm_benches::written::written_cases;
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::bench::{BenchCase, bench_cases};
use zvm_statetest::vectors::vectors_dir;

use crate::revm_peer::RevmCase;

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    match run(&mut criterion) {
        Ok(()) => {
            criterion.final_summary();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(criterion: &mut Criterion) -> Result<(), String> {
    for example in EXAMPLES {
        let case = example.case();
        let reference = OurCase::new(&case, Mode::Interp, None, true).observe();
        if !reference.success {
            return Err(format!("{}: the call does not succeed", case.name));
        }
        differs("jit", &case, compiled(&case, true).observe(), &reference)?;
        measure(criterion, &case, true);
    }
    for case in &written_cases() {
        let reference = OurCase::new(case, Mode::Interp, None, false).observe();
        if !reference.success {
            return Err(format!("{}: the call does not succeed", case.name));
        }
        differs("jit", case, compiled(case, false).observe(), &reference)?;
        differs("revm", case, RevmCase::new(case).with_machine(|run| run()), &reference)?;
        measure(criterion, case, false);
    }
    let Some(vectors) = vectors_dir() else {
        println!("skipped: the contracts of the vectors folder, which is absent (set ZVM_VECTORS)");
        return Ok(());
    };
    for case in &bench_cases(&vectors)? {
        if case.calls_precompile() {
            println!("skipped: {}: a precompiled contract is a library's work", case.name);
            continue;
        }
        let expected = Observed::expected(case);
        differs("interpreter", case, OurCase::new(case, Mode::Interp, None, false).observe(), &expected)?;
        differs("jit", case, compiled(case, false).observe(), &expected)?;
        differs("revm", case, RevmCase::new(case).with_machine(|run| run()), &expected)?;
        measure(criterion, case, false);
    }
    Ok(())
}

/// An error that says where `engine` differs from what is expected.
fn differs(engine: &str, case: &BenchCase, observed: Observed, expected: &Observed) -> Result<(), String> {
    match observed.difference(expected) {
        Some(difference) => Err(format!("{}: {engine} differs: {difference}", case.name)),
        None => Ok(()),
    }
}

/// The case with a compiler of its own that has compiled nothing yet.
fn compiled(case: &BenchCase, native_code: bool) -> OurCase {
    let jit = Jit::new(JitOptions::production()).expect("the JIT supports this machine");
    OurCase::new(case, Mode::Jit, Some(Arc::new(jit)), native_code)
}

/// Times the case on our tiers, and on revm unless it is native code.
fn measure(criterion: &mut Criterion, case: &BenchCase, native_code: bool) {
    let mut group = criterion.benchmark_group("programs");
    let mut interpreter = OurCase::new(case, Mode::Interp, None, native_code);
    group.bench_function(BenchmarkId::new(&case.name, "interp"), |bencher| {
        bencher.iter(|| black_box(interpreter.run()));
    });
    let mut warm = compiled(case, native_code);
    warm.run();
    group.bench_function(BenchmarkId::new(&case.name, "jit"), |bencher| {
        bencher.iter(|| black_box(warm.run()));
    });
    group.bench_function(BenchmarkId::new(&case.name, "jit-cold"), |bencher| {
        let setup = || compiled(case, native_code);
        bencher.iter_batched_ref(setup, |cold| black_box(cold.run()), BatchSize::PerIteration);
    });
    if !native_code {
        RevmCase::new(case).with_machine(|run| {
            group.bench_function(BenchmarkId::new(&case.name, "revm"), |bencher| {
                bencher.iter(|| black_box(run()));
            });
        });
    }
    group.finish();
}
