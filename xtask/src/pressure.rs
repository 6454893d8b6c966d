//! `cargo xtask compile-soak [contracts]` and `cargo xtask tier-stress [seconds] [threads]`: the long versions of the
//! tests of `tests/tiering.rs`, on the memory of the process and on threads.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testkit::pressure;

/// Contracts unless said otherwise.
const CONTRACTS: u64 = 100_000;
/// Contracts compiled before memory is first looked at: allocators and the compiler keep some for good.
const WARM_UP: u64 = 2000;

/// Bytes of memory that the process has now.
fn resident_bytes() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status").context("this needs Linux's /proc")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is a number")?;
    Ok(kib * 1024)
}

fn number(arguments: &[String], index: usize, default: u64) -> Result<u64> {
    match arguments.get(index) {
        Some(text) => text.parse().with_context(|| format!("`{text}` is not a number")),
        None => Ok(default),
    }
}

/// Compiles and evicts many contracts; fails unless memory returns to within 20 % of where it was.
pub(crate) fn compile_soak(arguments: &[String]) -> Result<()> {
    let contracts = number(arguments, 0, CONTRACTS)?;
    let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
    pressure::compile_and_evict(WARM_UP, |_| {}).map_err(anyhow::Error::msg)?;
    let start = resident_bytes()?;
    println!("{:.1} MiB resident after {WARM_UP} contracts", mib(start));
    let clock = Instant::now();
    let mut peak = start;
    let load = pressure::compile_and_evict(contracts, |done| {
        let now = resident_bytes().unwrap_or(0);
        peak = peak.max(now);
        if done % 10_000 == 0 {
            println!("{done} contracts, {:.1} MiB, {:.0} s", mib(now), clock.elapsed().as_secs_f64());
        }
    })
    .map_err(anyhow::Error::msg)?;
    let end = resident_bytes()?;
    println!("{load:#?}");
    println!("start {:.1} MiB, peak {:.1} MiB, end {:.1} MiB", mib(start), mib(peak), mib(end));
    if end as f64 > start as f64 * 1.2 {
        bail!("memory did not return to within 20 % of the start");
    }
    Ok(())
}

/// Runs threads on one engine under pressure; fails at the first difference.
pub(crate) fn tier_stress(arguments: &[String]) -> Result<()> {
    let seconds = number(arguments, 0, 300)?;
    let threads = number(arguments, 1, 2)?;
    let load =
        pressure::stress(threads as usize, Duration::from_secs(seconds)).map_err(anyhow::Error::msg)?;
    println!("{load:#?}\nno difference in {} runs on {threads} threads in {seconds} s", load.runs);
    Ok(())
}
