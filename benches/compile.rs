//! What compiling costs: Kalix source in process, and bytecode to native code.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use zvm::Fork;
use zvm::bytecode::Code;
use zvm::compiled::frame::Spec;
use zvm_benches::examples::EXAMPLES;
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::bench::bench_cases;
use zvm_statetest::vectors::vectors_dir;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    kalixc(&mut criterion);
    jit(&mut criterion);
    criterion.final_summary();
}

fn kalixc(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    let mut seen = Vec::new();
    for example in EXAMPLES {
        if seen.contains(&example.text) {
            continue;
        }
        seen.push(example.text);
        let name = example.name.split('-').next().unwrap_or(example.name);
        let source = Source::new("example.kalix", example.text);
        group.throughput(Throughput::Bytes(example.text.len() as u64));
        group.bench_function(BenchmarkId::new(name, "kalixc"), |bencher| {
            bencher.iter(|| {
                let compilation = compile(&source, &CompileOptions::STANDARD);
                assert!(!compilation.has_errors());
                black_box(compilation)
            });
        });
    }
    group.finish();
}

fn jit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    let mut codes: Vec<(String, Code, bool)> = Vec::new();
    for example in EXAMPLES.iter().filter(|example| example.name == "vault-deposit") {
        codes.push((example.name.to_owned(), example.code(), true));
    }
    match vectors_dir().map(|vectors| bench_cases(&vectors)) {
        Some(Ok(cases)) => {
            for case in cases.iter().filter(|case| !case.calls_precompile() && !case.name.ends_with("100k")) {
                codes.push((case.name.clone(), Code::evm(case.pre[&case.target].code.clone()), false));
            }
        }
        Some(Err(error)) => panic!("{error}"),
        None => println!("skipped: the contracts of the vectors folder, which is absent (set ZVM_VECTORS)"),
    }
    let jit = Jit::new(JitOptions::production()).expect("the JIT supports this machine");
    for (name, code, native_code) in &codes {
        let spec = Spec { fork: Fork::LATEST, native_code: *native_code, hedera: false };
        group.throughput(Throughput::Bytes(code.body().len() as u64));
        group.bench_function(BenchmarkId::new(name, "jit"), |bencher| {
            bencher.iter(|| black_box(jit.compile(code, &spec).expect("the contract compiles")));
        });
    }
    group.finish();
}
