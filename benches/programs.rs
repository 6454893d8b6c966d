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
use testkit::cases::{Case, bench_cases, vectors_dir};
use zvm::engine::Mode;
use zvm_benches::observed::Observed;
use zvm_benches::ours::OurCase;
use zvm_jit::{Jit, JitOptions};

use crate::revm_peer::RevmCase;

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let Some(vectors) = vectors_dir() else {
        println!("skipped: the contracts of the vectors folder, which is absent (set ZVM_VECTORS)");
        return ExitCode::SUCCESS;
    };
    let cases = match bench_cases(&vectors) {
        Ok(cases) => cases,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    for case in &cases {
        if case.calls_precompile() {
            println!("skipped: {}: precompiled contracts are not built yet", case.name);
            continue;
        }
        if let Err(difference) = compare(case) {
            eprintln!("error: {}: {difference}", case.name);
            return ExitCode::FAILURE;
        }
        measure(&mut criterion, case);
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}

/// Runs the case once on every engine and compares each with the expected result.
fn compare(case: &Case) -> Result<(), String> {
    let expected = Observed::expected(case);
    let check = |engine: &str, observed: Observed| match observed.difference(&expected) {
        Some(difference) => Err(format!("{engine} differs from the expected result: {difference}")),
        None => Ok(()),
    };
    check("interpreter", OurCase::new(case, Mode::Interp, None, false).observe())?;
    check("jit", compiled(case).observe())?;
    check("revm", RevmCase::new(case).with_machine(|run| run()))
}

/// The case with a compiler of its own that has compiled nothing yet.
fn compiled(case: &Case) -> OurCase {
    let jit = Jit::new(JitOptions::production()).expect("the JIT supports this machine");
    OurCase::new(case, Mode::Jit, Some(Arc::new(jit)), false)
}

fn measure(criterion: &mut Criterion, case: &Case) {
    let mut group = criterion.benchmark_group("programs");
    let mut interpreter = OurCase::new(case, Mode::Interp, None, false);
    group.bench_function(BenchmarkId::new(&case.name, "interp"), |bencher| {
        bencher.iter(|| black_box(interpreter.run()));
    });
    let mut warm = compiled(case);
    warm.run();
    group.bench_function(BenchmarkId::new(&case.name, "jit"), |bencher| {
        bencher.iter(|| black_box(warm.run()));
    });
    group.bench_function(BenchmarkId::new(&case.name, "jit-cold"), |bencher| {
        bencher.iter_batched_ref(|| compiled(case), |cold| black_box(cold.run()), BatchSize::PerIteration);
    });
    let mut peer = RevmCase::new(case);
    peer.with_machine(|run| {
        group.bench_function(BenchmarkId::new(&case.name, "revm"), |bencher| {
            bencher.iter(|| black_box(run()))
        });
    });
    group.finish();
}
