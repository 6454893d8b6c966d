//! Random programs through every tier, by ranges of seeds.
//!
//! A program is compiled once and run with the gas it was made with, with exactly the gas it used, and with less.
//! The first difference is shrunk to a `.zvm` file that shows it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::generate;
use crate::observe::exit_name;
use crate::pieces::Pieces;
use crate::program::Setting;
use crate::random::Random;
use crate::shrink::shrink;
use crate::tiers::{Agreed, Compile, Prepared};

/// Most candidates that the shrinker tries.
const SHRINK_TRIES: usize = 3000;
/// Seeds that a thread takes at once.
const SEEDS_AT_ONCE: u64 = 64;

/// What a series of programs did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Programs tried.
    pub programs: u64,
    /// Runs of them in each tier.
    pub runs: u64,
    /// Blocks that ran in compiled code.
    pub compiled_blocks: u64,
    /// Blocks that the interpreter ran when compiled code led.
    pub interpreted_blocks: u64,
    /// Runs by the way they ended.
    pub exits: BTreeMap<String, u64>,
}

impl Report {
    fn count(&mut self, agreed: &Agreed) {
        self.runs += 1;
        self.compiled_blocks += agreed.blocks.compiled;
        self.interpreted_blocks += agreed.blocks.interpreted;
        *self.exits.entry(exit_name(agreed.observed.exit)).or_default() += 1;
    }

    fn add(&mut self, other: Report) {
        self.programs += other.programs;
        self.runs += other.runs;
        self.compiled_blocks += other.compiled_blocks;
        self.interpreted_blocks += other.interpreted_blocks;
        for (exit, count) in other.exits {
            *self.exits.entry(exit).or_default() += count;
        }
    }
}

/// Tries the programs of these seeds on all cores; an error is the first difference found, made small.
pub fn run(seeds: Range<u64>) -> Result<Report, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let worker = || -> Result<Report, String> {
        let mut report = Report::default();
        while !stop.load(Ordering::Relaxed) {
            let start = next.fetch_add(SEEDS_AT_ONCE, Ordering::Relaxed);
            if start >= seeds.end {
                break;
            }
            for seed in start..seeds.end.min(start + SEEDS_AT_ONCE) {
                if let Err(failure) = check_seed(seed, &mut report) {
                    stop.store(true, Ordering::Relaxed);
                    return Err(failure.explain(seed));
                }
            }
        }
        Ok(report)
    };
    let results: Vec<Result<Report, String>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        handles
            .into_iter()
            .map(|handle| {
                handle.join().unwrap_or_else(|_| Err("a worker panicked; its message is above".to_owned()))
            })
            .collect()
    });
    let mut report = Report::default();
    for result in results {
        report.add(result?);
    }
    Ok(report)
}

/// A program on which the tiers differ, with the setting that shows it.
struct Failure {
    pieces: Pieces,
    trial: Trial,
    difference: String,
}

/// How a program is compiled and entered.
#[derive(Clone, Copy, Debug)]
struct Trial {
    how: Compile,
    /// Blocks that run interpreted before compiled code is entered.
    late: Option<u64>,
}

impl Trial {
    fn difference(&self, pieces: &Pieces) -> Option<String> {
        let program = pieces.assemble();
        let prepared = Prepared::new(&program, &self.how);
        match self.late {
            Some(blocks) => prepared.check_late(&program.setting, blocks).err(),
            None => prepared.check(&program.setting).err(),
        }
    }
}

impl Failure {
    fn explain(self, seed: u64) -> String {
        let trial = self.trial;
        let small = shrink(&self.pieces, SHRINK_TRIES, |pieces| trial.difference(pieces).is_some());
        let difference = trial.difference(&small).unwrap_or(self.difference);
        format!(
            "seed {seed}, {trial:?}:\n  {difference}\n\nThe smallest program found:\n\n{}",
            small.assemble().to_text()
        )
    }
}

/// Tries the program of one seed under several gas limits, and entered late.
fn check_seed(seed: u64, report: &mut Report) -> Result<(), Box<Failure>> {
    let pieces = generate::program(seed);
    let mut random = Random::new(!seed);
    let how = Compile::of_random(&mut random);
    let program = pieces.assemble();
    let prepared = Prepared::new(&program, &how);
    report.programs += 1;
    let failure = |setting: Setting, late: Option<u64>, difference: String| {
        let pieces = Pieces { setting, ..pieces.clone() };
        Box::new(Failure { pieces, trial: Trial { how, late }, difference })
    };
    let mut attempt = |gas: u64| {
        let setting = Setting { gas, ..program.setting.clone() };
        match prepared.check(&setting) {
            Ok(agreed) => {
                report.count(&agreed);
                Ok(agreed)
            }
            Err(difference) => Err(failure(setting, None, difference)),
        }
    };
    let agreed = attempt(program.setting.gas)?;
    let used = program.setting.gas - agreed.observed.gas_left;
    if used > 0 && used < program.setting.gas {
        attempt(used)?;
        attempt(used - 1)?;
    }
    if used > 1 {
        attempt(random.below(used))?;
    }
    let late = random.below(12);
    prepared
        .check_late(&program.setting, late)
        .map_err(|difference| failure(program.setting.clone(), Some(late), difference))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::any::Any;
    use std::sync::Arc;

    use zvm::bytecode::Op;
    use zvm::compiled::frame::Frame;
    use zvm::compiled::tier::CompiledCode;
    use zvm::host::Host;
    use zvm::outcome::Exit;

    use crate::pieces::Piece;
    use crate::stepper;

    /// A tier that gets one thing wrong: a frame that ends with more than one word forgets a unit of gas.
    struct Wrong;

    impl CompiledCode for Wrong {
        fn can_enter(&self, pc: usize) -> bool {
            pc == 0
        }

        fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit {
            let exit = stepper::run(frame, host);
            if frame.stack.len() > 1 {
                frame.gas = frame.gas.saturating_sub(1);
            }
            exit
        }

        fn size_bytes(&self) -> usize {
            0
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    /// The canary: a planted mistake is found, and shrunk to what shows it.
    #[test]
    fn a_planted_difference_is_found_and_made_small() {
        let fails = |pieces: &Pieces| {
            let program = pieces.assemble();
            Prepared::with_compiled(&program, Arc::new(Wrong)).check(&program.setting).is_err()
        };
        let found = (0..200).map(generate::program).find(|pieces| fails(pieces)).expect("the mistake shows");
        let small = shrink(&found, SHRINK_TRIES, fails);
        assert_eq!(small.pieces.len(), 2, "{}", small.assemble().to_text());
        let pushes = |piece: &Piece| match piece {
            Piece::Instruction(op, _) => {
                let (needs, leaves) = op.stack_effect(0);
                (leaves > needs || op.name().starts_with("dup")) && *op != Op::Halt
            }
            Piece::PushLabel(_) => true,
            _ => false,
        };
        assert!(small.pieces.iter().all(pushes), "{}", small.assemble().to_text());
    }
}
