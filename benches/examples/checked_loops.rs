//! Loops of checked `u64` arithmetic in Kalix, compiled to native code, beside the same loops in Rust: both take turns
//! in one process, and the medians are printed with their ratio. Results are compared first.
//!
//! `cargo run --release -p zvm-benches --example checked_loops -- [ROUNDS]`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::U256;
use zvm::engine::Mode;
use zvm_benches::examples::EXAMPLES;
use zvm_benches::ours::OurCase;
use zvm_jit::{Jit, JitOptions};

/// Rounds of each loop; the argument that the examples are called with.
const LOOP_ROUNDS: u64 = 100_000;

/// `Loops::sum` of `examples/loops.kalix`.
#[inline(never)]
fn sum(n: u64) -> Option<u64> {
    let (mut total, mut i) = (0u64, 0u64);
    while i < n {
        i = i.checked_add(1)?;
        total = total.checked_add(i)?;
    }
    Some(total)
}

/// `Loops::mix`.
#[inline(never)]
fn mix(n: u64) -> Option<u64> {
    let (mut x, mut i) = (1u64, 0u64);
    while i < n {
        x = x.checked_mul(48_271)?.checked_add(i)? % 2_147_483_647;
        i = i.checked_add(1)?;
    }
    Some(x)
}

/// A row's name and its loop in Rust.
type Loop = (&'static str, fn(u64) -> Option<u64>);

fn main() {
    let rounds: usize = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(101);
    let loops: [Loop; 2] = [("kalix-sum-100k", sum), ("kalix-mix-100k", mix)];
    println!("{:<20}{:>14}{:>14}{:>10}", "row", "kalix ns", "rust ns", "ratio");
    for (name, in_rust) in loops {
        let example = EXAMPLES.iter().find(|example| example.name == name).expect("the row is an example");
        let jit = Jit::new(JitOptions::production()).expect("the JIT supports this machine");
        let mut kalix = OurCase::new(&example.case(), Mode::Jit, Some(Arc::new(jit)), true);
        let output = kalix.run().output;
        assert_eq!(in_rust(LOOP_ROUNDS).map(U256::from), Some(U256::from_be_slice(&output)), "{name}");
        let mut times: [Vec<Duration>; 2] = Default::default();
        for _ in 0..rounds {
            times[0].push(timed(|| drop(black_box(kalix.run()))));
            times[1].push(timed(|| _ = black_box(in_rust(black_box(LOOP_ROUNDS)))));
        }
        let [kalix, rust] = times.map(per_round);
        println!("{name:<20}{kalix:>14.3}{rust:>14.3}{:>10.2}", kalix / rust);
    }
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Nanoseconds per round of the loop, of the median run.
fn per_round(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_nanos() as f64 / LOOP_ROUNDS as f64
}
