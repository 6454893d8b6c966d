//! The proof that fuzzing finds what it is for: a compiler that makes a mistake is caught within a minute.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use zvm_jit::Mistake;

use crate::campaign;
use crate::machines::Machines;
use crate::oracle::{self, Judge};

/// Seed of the programs.
const SEED: u64 = 1;
/// Longest time for a mistake, making the program small not included.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Looks for each mistake; true if all are found in time.
pub fn run() -> Result<bool> {
    let mut all = true;
    for mistake in Mistake::ALL {
        all &= find(mistake)?;
    }
    Ok(all)
}

/// Looks for one mistake.
fn find(mistake: Mistake) -> Result<bool> {
    let mut machines = Machines::making(mistake);
    let clock = Instant::now();
    let mut executions = 0;
    for number in 0.. {
        if clock.elapsed() > TIME_MAX {
            break;
        }
        let suspect = campaign::suspect(SEED, number);
        match Judge::judge(&mut machines, &suspect, number) {
            Ok(tally) => executions += tally.executions,
            Err(finding) => {
                let seconds = clock.elapsed().as_secs_f64();
                if let Err(difference) = oracle::rerun(&mut Machines::default(), &finding.execution) {
                    bail!("{mistake:?}: program {number} differs without any mistake:\n{difference}");
                }
                println!(
                    "{mistake:?}: found in program {number}, after {executions} executions, made small in {seconds:.1} s\n  {}\n\n{}",
                    finding.difference,
                    finding.execution.subject.program.to_text()
                );
                return Ok(clock.elapsed() <= TIME_MAX);
            }
        }
    }
    println!("{mistake:?}: not found in {executions} executions");
    Ok(false)
}
