//! What cross-checking costs: rows as compiled code, unchecked and with one in so many frames checked.
//!
//! `cargo run --release -p zvm-benches --example sampled -- RUNS` prints, per row, the mean time of a run; the
//! contenders take turns in batches, and each one's fastest half of the batches counts.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use zvm::check::Checking;
use zvm::engine::Mode;
use zvm_benches::ours::OurCase;
use zvm_benches::written::written_cases;
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::bench::bench_cases;
use zvm_statetest::vectors::vectors_dir;

/// Frames between checks; 0: none is checked.
const ONE_IN: [u32; 5] = [0, 1000, 100, 10, 1];
/// Batches of each contender.
const BATCHES: usize = 20;

fn main() {
    let runs: usize = std::env::args().nth(1).map_or(1000, |word| word.parse().expect("a number of runs"));
    let vectors = vectors_dir().map(|dir| bench_cases(&dir).expect("the cases read")).unwrap_or_default();
    let rows = ["empty-stop", "counter", "weth", "calls-1k", "erc20_transfer"];
    println!(
        "{:16} {:>12} {:>10} {:>10} {:>10} {:>10}",
        "row", "unchecked", "1/1000", "1/100", "1/10", "all"
    );
    let jit = Arc::new(Jit::new(JitOptions::production()).expect("the JIT supports this machine"));
    for case in written_cases().into_iter().chain(vectors).filter(|case| rows.contains(&case.name.as_str())) {
        let mut contenders = ONE_IN.map(|one_in| {
            let checking = Checking { one_in: NonZeroU32::new(one_in), ..Checking::new() };
            let builder = case.engine().native_code(false).mode(Mode::Jit).tier(jit.clone());
            let mut case = OurCase::of(&case, builder.checking(checking).build());
            black_box(case.run());
            case
        });
        // A heavy row needs fewer runs for the same time.
        let start = Instant::now();
        black_box(contenders[0].run());
        let runs = runs.min((50_000_000 / start.elapsed().as_nanos().max(1)) as usize).max(2);
        let mut times = ONE_IN.map(|_| Vec::new());
        for _ in 0..BATCHES {
            for (contender, times) in contenders.iter_mut().zip(&mut times) {
                let start = Instant::now();
                for _ in 0..runs {
                    black_box(contender.run());
                }
                times.push(start.elapsed().as_nanos() as f64 / runs as f64);
            }
        }
        let means = times.map(|mut times| {
            times.sort_unstable_by(f64::total_cmp);
            times[..BATCHES / 2].iter().sum::<f64>() / (BATCHES / 2) as f64
        });
        print!("{:16} {:>9.0} ns", case.name, means[0]);
        means[1..].iter().for_each(|mean| print!(" {:>10.3}", mean / means[0]));
        println!();
    }
}
