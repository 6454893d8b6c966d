//! `cargo xtask soak [programs] [first seed]`: many more random programs through every tier than the tests run.

use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Programs unless said otherwise.
const PROGRAMS: u64 = 1_000_000;
/// Programs between two lines of progress.
const STEP: u64 = 20_000;

/// Runs until the programs are done or the first difference.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.len() > 2 {
        bail!("usage: cargo xtask soak [programs] [first seed]");
    }
    let number = |index: usize, default: u64| match arguments.get(index) {
        Some(text) => text.parse().with_context(|| format!("`{text}` is not a number")),
        None => Ok(default),
    };
    let programs = number(0, PROGRAMS)?;
    // Other seeds than the tests, which start at 0.
    let start = number(1, 1 << 32)?;
    let clock = Instant::now();
    let mut compiled_blocks = 0;
    let mut done = 0;
    while done < programs {
        let step = STEP.min(programs - done);
        let seeds = start + done..start + done + step;
        let report = testkit::differential::run(seeds).map_err(anyhow::Error::msg)?;
        compiled_blocks += report.compiled_blocks;
        done += step;
        let seconds = clock.elapsed().as_secs_f64();
        println!("{done} of {programs} programs agree, {compiled_blocks} compiled blocks, {seconds:.0} s");
    }
    Ok(())
}
