//! A campaign: programs by number, all of which follow from one seed, judged until there were enough.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use testkit::generate;
use testkit::pieces::Piece;
use testkit::random::Random;
use zvm::bytecode::Encoding;

use crate::case::Case;
use crate::machines::Machines;
use crate::oracle::{Finding, Judge, Suspect};
use crate::totals::Totals;

/// Programs that share a set of companions, so that those are compiled once for many programs.
const PROGRAMS_PER_SET: u64 = 256;
/// Companions in a set.
const SET_SIZE: usize = 8;
/// Time between two writes of the totals.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// When a run ends, and where it leaves what it found.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Executions in all, those of earlier runs included.
    pub executions: u64,
    /// Longest time of this run.
    pub time_max: Option<Duration>,
    /// The totals' file, if they are to be kept.
    pub state: Option<PathBuf>,
    /// Folder for case files.
    pub cases: PathBuf,
    /// Name of the build.
    pub build: String,
}

/// The program of a number in a campaign.
pub fn suspect(seed: u64, number: u64) -> Suspect {
    let seed_of = |salt: u64, number: u64| {
        let mut hasher = Random::new(seed ^ salt.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let start = hasher.bits64();
        Random::new(start.wrapping_add(number.wrapping_mul(0xa076_1d64_78bd_642f))).bits64()
    };
    let mut random = Random::new(seed_of(1, number));
    let pieces = generate::program(random.bits64());
    let set = number / PROGRAMS_PER_SET;
    let mut companions = Vec::new();
    while companions.len() < 2 {
        let member = set * SET_SIZE as u64 + random.below(SET_SIZE as u64);
        // Where Ethereum's encoding is judged, revm must be able to run all of it.
        let of = |number: u64| generate::program(seed_of(2, number));
        let companion = match pieces.encoding {
            Encoding::Zvm => of(member),
            Encoding::Evm => (0..)
                .map(|n| of(member + (n << 40)))
                .find(|p| p.encoding == Encoding::Evm)
                .expect("every other program or so is in Ethereum's encoding"),
        };
        companions.push(companion.assemble().to_code().raw().clone());
    }
    let is_creation = random.chance(8);
    Suspect { pieces, companions, is_creation }
}

/// Judges programs until the plan is met or a difference is found, which is then written down.
///
/// A difference does not lose the totals: they go on behind the program that showed it.
pub fn run(totals: &mut Totals, plan: &Plan) -> Result<Option<Box<Finding>>> {
    let clock = Instant::now();
    let wall_before = totals.wall_ms;
    let mut written = Instant::now();
    let mut machines = Machines::default();
    totals.begin(&plan.build);
    let is_over = |totals: &Totals| {
        totals.tally.executions >= plan.executions || plan.time_max.is_some_and(|max| clock.elapsed() >= max)
    };
    let save = |totals: &mut Totals| {
        totals.wall_ms = wall_before + clock.elapsed().as_millis() as u64;
        plan.state.as_deref().map_or(Ok(()), |path| totals.write(path))
    };
    while !is_over(totals) {
        let number = totals.next_program;
        let suspect = suspect(totals.seed, number);
        let judged = catch_unwind(AssertUnwindSafe(|| Judge::judge(&mut machines, &suspect, number)));
        let finding = match judged {
            Ok(Ok(tally)) => {
                let length =
                    suspect.pieces.pieces.iter().filter(|piece| !matches!(piece, Piece::Raw(_))).count();
                totals.add(hash_of(&suspect), length, &tally);
                None
            }
            Ok(Err(finding)) => Some(finding),
            Err(_) => {
                // The message is on the terminal. The program is kept as a whole: half-way state must not judge it.
                machines = Machines::default();
                Some(Box::new(Finding::panicked(&suspect)))
            }
        };
        if let Some(finding) = finding {
            totals.next_program += 1;
            let path = write_case(&plan.cases, totals.seed, number, &finding)?;
            totals.open_differences.push(path.display().to_string());
            save(totals)?;
            return Ok(Some(finding));
        }
        if written.elapsed() >= WRITE_EVERY {
            written = Instant::now();
            save(totals)?;
        }
    }
    save(totals)?;
    Ok(None)
}

fn hash_of(suspect: &Suspect) -> u64 {
    let program = suspect.pieces.assemble();
    let mut hasher = DefaultHasher::new();
    (program.encoding == Encoding::Zvm).hash(&mut hasher);
    program.code.hash(&mut hasher);
    hasher.finish()
}

fn write_case(folder: &Path, seed: u64, number: u64, finding: &Finding) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("seed-{seed}-program-{number}.json"));
    let origin = format!("seed {seed}, program {number}");
    Case::new(origin, finding.difference.clone(), &finding.execution).write(&path)?;
    Ok(path)
}
