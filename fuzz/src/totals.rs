//! What all runs of a campaign did so far, kept in a file between them.
//!
//! The file is replaced as a whole and checked when it is read: figures that do not add up are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::oracle::Tally;

/// Version of the form.
const FORMAT: u32 = 1;

/// The totals of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    format: u32,
    /// Seed of the campaign, from which every program follows.
    pub seed: u64,
    /// Number of the next program.
    pub next_program: u64,
    /// What was executed.
    pub tally: Tally,
    /// Programs by the number of their instructions.
    pub lengths: BTreeMap<usize, u64>,
    /// Programs by the number of operations that their first transaction executed, in powers of two.
    pub executed: BTreeMap<u32, u64>,
    /// Milliseconds that the runs took.
    pub wall_ms: u64,
    /// Runs of different builds.
    pub segments: Vec<Segment>,
    /// Case files of differences that nobody has looked after.
    pub open_differences: Vec<String>,
    /// Hashes of the programs' encoding and code, 16 hexadecimal digits each, in order.
    hashes: String,
    #[serde(skip)]
    distinct: BTreeSet<u64>,
}

/// Programs that one build ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The build, as its user names it: a commit.
    pub build: String,
    /// Number of the first program.
    pub first_program: u64,
    /// Programs.
    pub programs: u64,
    /// Executions.
    pub executions: u64,
}

impl Totals {
    /// A campaign that has not begun.
    pub fn new(seed: u64) -> Totals {
        Totals {
            format: FORMAT,
            seed,
            next_program: 0,
            tally: Tally::default(),
            lengths: BTreeMap::new(),
            executed: BTreeMap::new(),
            wall_ms: 0,
            segments: Vec::new(),
            open_differences: Vec::new(),
            hashes: String::new(),
            distinct: BTreeSet::new(),
        }
    }

    /// Starts or continues the segment of a build.
    pub fn begin(&mut self, build: &str) {
        if self.segments.last().is_none_or(|last| last.build != build) {
            let first_program = self.next_program;
            self.segments.push(Segment {
                build: build.to_owned(),
                first_program,
                programs: 0,
                executions: 0,
            });
        }
    }

    /// Adds a program that was judged.
    pub fn add(&mut self, hash: u64, length: usize, tally: &Tally) {
        self.next_program += 1;
        self.tally.add(tally);
        *self.lengths.entry(length).or_default() += 1;
        *self.executed.entry(tally.operations.checked_ilog2().map_or(0, |log| log + 1)).or_default() += 1;
        self.distinct.insert(hash);
        if let Some(segment) = self.segments.last_mut() {
            segment.programs += 1;
            segment.executions += tally.executions;
        }
    }

    /// Programs that differ from every other.
    pub fn distinct(&self) -> usize {
        self.distinct.len()
    }

    /// Programs that were judged.
    pub fn programs(&self) -> u64 {
        self.lengths.values().sum()
    }

    /// Median number of instructions of a program.
    pub fn median_length(&self) -> usize {
        median(&self.lengths).copied().unwrap_or(0)
    }

    /// Reads a campaign's file; `None` if there is none.
    pub fn read(path: &Path) -> Result<Option<Totals>> {
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let totals =
            serde_json::from_str::<Totals>(&text).map_err(anyhow::Error::from).and_then(Totals::checked);
        totals.map(Some).with_context(|| format!("{} is no sound state of a campaign", path.display()))
    }

    fn checked(mut self) -> Result<Totals> {
        ensure!(self.format == FORMAT, "form {} is not known", self.format);
        ensure!(self.hashes.len().is_multiple_of(16) && self.hashes.is_ascii(), "the hashes are cut off");
        for at in (0..self.hashes.len()).step_by(16) {
            self.distinct.insert(u64::from_str_radix(&self.hashes[at..at + 16], 16)?);
        }
        self.hashes.clear();
        let programs = self.programs();
        ensure!(self.distinct.len() as u64 <= programs, "there are more distinct programs than programs");
        ensure!(programs <= self.next_program, "more programs were judged than there are numbers");
        ensure!(self.executed.values().sum::<u64>() == programs, "two counts of programs differ");
        let exits: u64 = self.tally.exits.values().sum();
        ensure!(exits == self.tally.executions, "{exits} ends of {} executions", self.tally.executions);
        let executions: u64 = self.segments.iter().map(|segment| segment.executions).sum();
        ensure!(executions == self.tally.executions, "the segments do not add up");
        Ok(self)
    }

    /// Writes the file in one step: whoever reads it sees the old totals or the new ones.
    pub fn write(&mut self, path: &Path) -> Result<()> {
        for hash in &self.distinct {
            write!(self.hashes, "{hash:016x}").expect("writing to a string");
        }
        let text = serde_json::to_string_pretty(self)? + "\n";
        self.hashes.clear();
        let Some(name) = path.file_name() else { bail!("{} names no file", path.display()) };
        let mut beside = name.to_owned();
        beside.push(".new");
        let beside = path.with_file_name(beside);
        fs::write(&beside, text).with_context(|| format!("writing {}", beside.display()))?;
        fs::rename(&beside, path).with_context(|| format!("replacing {}", path.display()))
    }

    /// The totals for people.
    pub fn summary(&self) -> String {
        let Totals { tally, .. } = self;
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            writeln!(text, "{name:24} {value}").expect("writing to a string");
        };
        let share = |part: u64, all: u64| format!("{:.1} %", 100.0 * part as f64 / all.max(1) as f64);
        line("seed", self.seed.to_string());
        line("programs", format!("{} ({} distinct)", self.programs(), self.distinct()));
        line("median length", format!("{} instructions", self.median_length()));
        let power = median(&self.executed).copied().unwrap_or(0);
        let range = if power == 0 {
            "0".to_owned()
        } else {
            format!("{} to {}", 1u64 << (power - 1), (1u64 << power) - 1)
        };
        line("median executed", format!("{range} operations"));
        line("executions", tally.executions.to_string());
        line("of them frames", share(tally.frames, tally.executions));
        line("transactions on revm", tally.peer_runs.to_string());
        for (exit, count) in &tally.exits {
            line(&format!("  {exit}"), share(*count, tally.executions));
        }
        let all = |compiled: u64, interpreted: u64| share(compiled, compiled + interpreted);
        line("blocks compiled", all(tally.blocks_compiled, tally.blocks_interpreted));
        line("  where nothing hinders", all(tally.open_compiled, tally.open_interpreted));
        let seconds = self.wall_ms as f64 / 1e3;
        line(
            "wall time",
            format!("{seconds:.0} s, {:.0} executions/s", tally.executions as f64 / seconds.max(0.001)),
        );
        for segment in &self.segments {
            let Segment { build, first_program, programs, executions } = segment;
            line(
                "build",
                format!("{build}: programs {first_program} and on, {programs} with {executions} executions"),
            );
        }
        line("open differences", self.open_differences.len().to_string());
        for case in &self.open_differences {
            line("", case.clone());
        }
        text
    }
}

fn median<K: Ord>(histogram: &BTreeMap<K, u64>) -> Option<&K> {
    let half = histogram.values().sum::<u64>().div_ceil(2);
    let mut seen = 0;
    histogram
        .iter()
        .find(|(_, count)| {
            seen += **count;
            seen >= half
        })
        .map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Totals {
        let mut totals = Totals::new(7);
        totals.begin("here");
        let exits = BTreeMap::from([("halt".to_owned(), 3)]);
        let tally = Tally { executions: 3, exits, operations: 40, ..Tally::default() };
        for hash in [1, 2, 2] {
            totals.add(hash, 30 + hash as usize, &tally);
        }
        totals
    }

    #[test]
    fn totals_survive_their_file() {
        let folder = std::env::temp_dir().join(format!("zvm-fuzz-totals-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the test");
        let path = folder.join("state.json");
        assert_eq!(Totals::read(&path).expect("no file is no error"), None);
        let mut totals = some();
        totals.write(&path).expect("written");
        assert_eq!(Totals::read(&path).expect("sound"), Some(totals.clone()));
        assert_eq!((totals.programs(), totals.distinct(), totals.median_length()), (3, 2, 32));

        // Whatever does not add up is refused.
        let text = fs::read_to_string(&path).expect("written");
        for (from, to) in [
            ("\"executions\": 9", "\"executions\": 8"),
            ("\"next_program\": 3", "\"next_program\": 2"),
            ("\"format\": 1", "\"format\": 2"),
            ("\"hashes\": \"0000", "\"hashes\": \"000"),
            ("\"seed\"", "\"sead\""),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            fs::write(&path, text.replacen(from, to, 1)).expect("written");
            assert!(Totals::read(&path).is_err(), "{to}");
        }
        fs::remove_dir_all(&folder).expect("the test's folder goes");
    }
}
