//! What compiling to native code costs: CPU time of all regions of a contract, time per KB, the first run, and how
//! soon the hot regions are published when another thread compiles.
//!
//! `cargo run --release -p zvm-benches --example compile_times -- [ROUNDS] [ROW…]`; a row is chosen by a part of its
//! name. CPU time is that of the compiling thread, the least of the rounds; the times of first runs and of
//! publication are on the clock, the medians.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use zvm::Fork;
use zvm::bytecode::Code;
use zvm::compiled::frame::{Frame, Spec};
use zvm::compiled::tier::{CompiledCode, Effort};
use zvm::engine::{Compiling, Executor, Mode};
use zvm::inspect::Inspector;
use zvm_benches::examples::EXAMPLES;
use zvm_benches::ours::OurCase;
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::bench::{BenchCase, bench_cases};
use zvm_statetest::vectors::vectors_dir;

/// Of the operations of a run, the part that hot regions execute together.
const HOT_SHARE: f64 = 0.9;

fn main() {
    let mut words = std::env::args().skip(1).peekable();
    let rounds = words.next_if(|word| word.parse::<usize>().is_ok());
    let rounds: usize = rounds.and_then(|word| word.parse().ok()).unwrap_or(5);
    let rows: Vec<String> = words.collect();
    let is_wanted = |name: &str| rows.is_empty() || rows.iter().any(|row| name.contains(row.as_str()));
    let mut cases: Vec<(BenchCase, bool)> = EXAMPLES.iter().map(|example| (example.case(), true)).collect();
    match vectors_dir() {
        Some(dir) => {
            let vectors = bench_cases(&dir).expect("the cases read");
            cases.extend(
                vectors.into_iter().filter(|case| !case.calls_precompile()).map(|case| (case, false)),
            );
        }
        None => println!("skipped: the contracts of the vectors folder, which is absent (set ZVM_VECTORS)"),
    }
    cases.retain(|(case, _)| is_wanted(&case.name));
    println!(
        "{:<22}{:>8}{:>9}{:>12}{:>8}{:>10}{:>11}{:>11}{:>11}",
        "row", "bytes", "regions", "all CPU ms", "ms/KB", "code KB", "first ms", "interp ms", "warm ms"
    );
    for (case, native_code) in &cases {
        costs(case, *native_code, rounds);
    }
    println!("\nhot regions: those that execute {:.0} % of a run's operations", 100.0 * HOT_SHARE);
    println!(
        "{:<22}{:>8}{:>14}{:>14}{:>14}{:>18}",
        "row", "hot", "quick CPU ms", "full CPU ms", "published ms", "interp run ms"
    );
    for (case, native_code) in &cases {
        publication(case, *native_code, rounds);
    }
}

fn jit() -> Arc<Jit> {
    Arc::new(Jit::new(JitOptions::production()).expect("the JIT supports this machine"))
}

fn code_of(case: &BenchCase, native_code: bool) -> (Code, Spec) {
    let bytes = case.pre[&case.target].code.clone();
    let spec = Spec { fork: Fork::LATEST, native_code, hedera: false };
    (Code::new(bytes, native_code), spec)
}

/// Prints what compiling all of the contract costs, and its first run beside the interpreter's and a warm one.
fn costs(case: &BenchCase, native_code: bool, rounds: usize) {
    let (code, spec) = code_of(case, native_code);
    let jit = jit();
    // Once without the clock, for the pages of the compiler itself.
    let contract = jit.compile(&code, &spec).expect("the contract compiles");
    let all = least(rounds, || drop(black_box(jit.compile(&code, &spec).expect("it compiled before"))));
    let first = median(rounds, || {
        let mut case = OurCase::new(case, Mode::Jit, Some(self::jit()), native_code);
        timed(|| drop(black_box(case.run())))
    });
    let mut interpreter = OurCase::new(case, Mode::Interp, None, native_code);
    let mut warm = OurCase::new(case, Mode::Jit, Some(jit), native_code);
    drop(warm.run());
    let interpreted = median(rounds, || timed(|| drop(black_box(interpreter.run()))));
    let compiled = median(rounds, || timed(|| drop(black_box(warm.run()))));
    let size = code.body().len();
    let stats = contract.stats();
    println!(
        "{:<22}{size:>8}{:>9}{:>12.2}{:>8.2}{:>10.1}{:>11.2}{:>11.3}{:>11.3}",
        case.name,
        stats.regions,
        ms(all),
        ms(all) * 1024.0 / size as f64,
        stats.code_bytes as f64 / 1024.0,
        ms(first),
        ms(interpreted),
        ms(compiled),
    );
}

/// Prints how soon the hot regions are published by a thread that compiles in the background, quickly first, and what
/// compiling them costs that way and with full effort.
fn publication(case: &BenchCase, native_code: bool, rounds: usize) {
    let (code, spec) = code_of(case, native_code);
    let jit = jit();
    let contract = jit.compile(&code, &spec).expect("the contract compiles");
    let hot = hot_regions(case, native_code, &contract);
    // One block of each by which it can be entered.
    let heads: Vec<usize> = hot
        .iter()
        .filter_map(|&region| {
            (0..code.body().len())
                .find(|&pc| contract.region_at(pc) == Some(region) && contract.can_enter(pc))
        })
        .collect();
    let [quick, full] = [Effort::Quick, Effort::Full].map(|effort| {
        least(rounds, || {
            let contract = jit.prepare(&code, &spec).expect("it was prepared before");
            for &region in &hot {
                contract.compile_region(&code, region, effort).expect("it compiled before");
            }
        })
    });
    let mut interpreter = OurCase::new(case, Mode::Interp, None, native_code);
    let interpreted = median(rounds, || timed(|| drop(black_box(interpreter.run()))));
    let published = median(rounds, || published_after(case, native_code, &heads));
    println!(
        "{:<22}{:>8}{:>14.2}{:>14.2}{:>14.2}{:>18.2}",
        case.name,
        hot.len(),
        ms(quick),
        ms(full),
        ms(published),
        ms(interpreted)
    );
}

/// The fewest regions that together execute the hot share of a run's operations.
fn hot_regions(case: &BenchCase, native_code: bool, contract: &dyn CompiledCode) -> Vec<usize> {
    let engine = case.engine().native_code(native_code).mode(Mode::Interp).build();
    let steps = Steps { target: case.target, by_pc: BTreeMap::new() };
    let mut executor = Executor::with_inspector(engine, case.database(), steps);
    executor.transact(&case.transaction(), &case.block()).expect("the transaction is valid");
    let mut by_region: BTreeMap<usize, u64> = BTreeMap::new();
    for (&pc, &count) in &executor.inspector().by_pc {
        if let Some(region) = contract.region_at(pc) {
            *by_region.entry(region).or_default() += count;
        }
    }
    let mut regions: Vec<(usize, u64)> = by_region.into_iter().collect();
    regions.sort_unstable_by_key(|&(_, count)| std::cmp::Reverse(count));
    let total: u64 = regions.iter().map(|(_, count)| count).sum();
    let mut sum = 0;
    let is_needed = |&&(_, count): &&(usize, u64)| {
        let is_short = (sum as f64) < HOT_SHARE * total as f64;
        sum += count;
        is_short
    };
    regions.iter().take_while(is_needed).map(|&(region, _)| region).collect()
}

/// Counts the operations of one account's code by their offset.
struct Steps {
    target: zvm::Address,
    by_pc: BTreeMap<usize, u64>,
}

impl Inspector for Steps {
    fn wants_steps(&self) -> bool {
        true
    }

    fn step(&mut self, frame: &Frame) {
        if frame.message.address == self.target {
            *self.by_pc.entry(frame.pc).or_default() += 1;
        }
    }
}

/// From the first call on, runs the case again and again while another thread compiles; gives the time after which
/// all of these blocks could be entered.
fn published_after(case: &BenchCase, native_code: bool, heads: &[usize]) -> Duration {
    const LONGEST: Duration = Duration::from_secs(2);
    let builder = case.engine().native_code(native_code).mode(Mode::Tiered).compiling(Compiling::ONE_THREAD);
    let engine = builder.tier(jit()).build();
    let mut executor = Executor::new(engine.clone(), case.database());
    let code =
        executor.code_of(&case.target).expect("the database is in memory").expect("the target has code");
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let start = Instant::now();
        let (transaction, block) = (case.transaction(), case.block());
        let is_done = &is_done;
        scope.spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                executor.transact(&transaction, &block).expect("the transaction is valid");
                executor.state_mut().forget();
            }
        });
        let is_published =
            || engine.compiled(&code).is_some_and(|compiled| heads.iter().all(|&pc| compiled.can_enter(pc)));
        while !is_published() && start.elapsed() < LONGEST {
            thread::sleep(Duration::from_micros(100));
        }
        let elapsed = start.elapsed();
        is_done.store(true, Ordering::Relaxed);
        elapsed
    })
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// The median of some rounds.
fn median(rounds: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..rounds).map(|_| measure()).collect();
    times.sort_unstable();
    times[rounds / 2]
}

/// The least CPU time of this thread in some rounds, which other work on the machine lengthens least.
fn least(rounds: usize, mut run: impl FnMut()) -> Duration {
    let once = |_| {
        let start = cpu_time();
        run();
        cpu_time() - start
    };
    (0..rounds).map(once).min().unwrap_or_default()
}

/// CPU time of this thread so far.
fn cpu_time() -> Duration {
    // Linux brings the figure up to date when the thread asks for a turn, else only now and then.
    thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts CPU time");
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.expect("the first number is CPU time"))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
