//! A campaign over one stage of the compiler: numbered texts of a seed, judged one by one, with what is found made small
//! and kept.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::stages::Stage;
use crate::texts::Texts;

/// An input that takes more of a processor's time is a finding. Development builds need a second for the longest.
const TIME_MAX: Duration = Duration::from_secs(10);
/// An input that takes longer on the clock ends the process.
const HANG: Duration = Duration::from_secs(600);
/// Findings after which a run ends.
const FINDINGS_MAX: usize = 30;
/// Texts tried to make a finding smaller.
const TRIES_MAX: usize = 400;

/// What all runs of a campaign did so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The stage's name.
    pub stage: String,
    /// Seed of the campaign, from which every text follows.
    pub seed: u64,
    /// Number of the next text.
    pub next: u64,
    /// What became of the texts.
    pub counts: BTreeMap<String, u64>,
    /// Milliseconds that the runs took on the clock.
    pub wall_ms: u64,
    /// Milliseconds of a processor's time that judging took.
    pub cpu_ms: u64,
    /// Those of the longest text.
    pub longest_ms: u64,
    /// Files of what was found.
    pub findings: Vec<String>,
}

/// How long to go on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Number of texts in all, those of earlier runs included.
    pub inputs: u64,
    /// Longest time of all runs together.
    pub time_max: Option<Duration>,
    /// File that keeps the progress.
    pub state: Option<PathBuf>,
    /// Folder for what is found.
    pub cases: PathBuf,
    /// Only generated contracts, as they are.
    pub only_generated: bool,
}

impl Progress {
    /// A campaign's file, or a new campaign.
    ///
    /// # Errors
    /// If the file cannot be read, or is that of another campaign.
    pub fn read_or_new(stage: Stage, seed: Option<u64>, state: Option<&Path>) -> Result<Progress> {
        let Some(path) = state.filter(|path| path.exists()) else {
            return Ok(Progress {
                stage: stage.name().to_owned(),
                seed: seed.unwrap_or(1),
                next: 0,
                counts: BTreeMap::new(),
                wall_ms: 0,
                cpu_ms: 0,
                longest_ms: 0,
                findings: Vec::new(),
            });
        };
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let progress: Progress = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        ensure!(
            progress.stage == stage.name() && seed.is_none_or(|seed| progress.seed == seed),
            "the state file is that of stage {} with seed {}",
            progress.stage,
            progress.seed
        );
        Ok(progress)
    }

    fn write(&self, path: &Path) -> Result<()> {
        let beside = path.with_extension("tmp");
        fs::write(&beside, serde_json::to_string_pretty(self)?)?;
        fs::rename(&beside, path).with_context(|| path.display().to_string())
    }

    /// A line for people.
    pub fn summary(&self) -> String {
        format!(
            "stage {}, seed {}: {} texts in {:.1} min ({:.1} of a processor), the longest took {} ms, {} findings\n  {:?}",
            self.stage,
            self.seed,
            self.next,
            self.wall_ms as f64 / 60_000.0,
            self.cpu_ms as f64 / 60_000.0,
            self.longest_ms,
            self.findings.len(),
            self.counts
        )
    }
}

/// Judges texts until there were enough; what it found stands in the progress.
///
/// # Errors
/// If a file cannot be written.
pub fn run(stage: Stage, texts: &Texts, progress: &mut Progress, plan: &Plan) -> Result<()> {
    let earlier = Duration::from_millis(progress.wall_ms);
    let clock = Instant::now();
    let mut written = Instant::now();
    let watch = watch(stage);
    let old_hook = std::panic::take_hook();
    // Panics are findings, told at the end.
    std::panic::set_hook(Box::new(|_| {}));
    let mut outcome = Ok(());
    while progress.next < plan.inputs
        && plan.time_max.is_none_or(|max| earlier + clock.elapsed() < max)
        && progress.findings.len() < FINDINGS_MAX
    {
        let number = progress.next;
        let text = if plan.only_generated {
            testkit::contracts::contract(&mut testkit::random::Random::new(
                progress.seed.wrapping_add(number),
            ))
        } else {
            texts.nth(
                progress.seed,
                number,
                stage == Stage::Run || (stage == Stage::Lower && number.is_multiple_of(2)),
            )
        };
        let _ = watch.send(number);
        let start = processor_time();
        let verdict = judge(stage, &text, number);
        let took = processor_time().saturating_sub(start);
        let _ = watch.send(u64::MAX);
        progress.cpu_ms += took.as_millis() as u64;
        progress.longest_ms = progress.longest_ms.max(took.as_millis() as u64);
        progress.next += 1;
        match verdict {
            Ok(counts) => counts.into_iter().for_each(|(name, count)| {
                *progress.counts.entry(name.to_owned()).or_default() += count;
            }),
            Err(error) => {
                let small = shrink(stage, text, number, &error);
                let name = format!("{}-{}-{number}.kalix", stage.name(), progress.seed);
                let path = plan.cases.join(name);
                let told = error.lines().take(40).map(|line| format!("// {line}\n")).collect::<String>();
                outcome = fs::create_dir_all(&plan.cases)
                    .and_then(|()| fs::write(&path, format!("{small}\n{told}")))
                    .with_context(|| path.display().to_string());
                eprintln!("{}: {}", path.display(), error.lines().next().unwrap_or_default());
                progress.findings.push(path.display().to_string());
                if outcome.is_err() {
                    break;
                }
            }
        }
        progress.wall_ms = (earlier + clock.elapsed()).as_millis() as u64;
        if let Some(path) = &plan.state
            && written.elapsed() > Duration::from_secs(10)
        {
            progress.write(path)?;
            written = Instant::now();
        }
    }
    std::panic::set_hook(old_hook);
    if let Some(path) = &plan.state {
        progress.write(path)?;
    }
    outcome
}

/// The verdict on a text, a panic or too long a time among its errors.
///
/// # Errors
/// What is wrong.
pub fn judge(stage: Stage, text: &str, choice: u64) -> Result<BTreeMap<&'static str, u64>, String> {
    let start = processor_time();
    let verdict = catch_unwind(AssertUnwindSafe(|| stage.judge(text, choice))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", said.unwrap_or_default()))
    });
    match verdict {
        Ok(_) if processor_time().saturating_sub(start) > TIME_MAX => Err("takes too long".into()),
        verdict => verdict,
    }
}

/// What this thread has used of a processor; where the system doesn't tell, the clock's time.
fn processor_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next().and_then(|first| first.parse().ok()));
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// Ends the process when a text takes very long; whoever runs it sees which.
fn watch(stage: Stage) -> Sender<u64> {
    let (sender, receiver) = channel::<u64>();
    std::thread::spawn(move || {
        let mut current = u64::MAX;
        loop {
            match receiver.recv_timeout(HANG) {
                Ok(number) => current = number,
                Err(RecvTimeoutError::Timeout) if current != u64::MAX => {
                    eprintln!("stage {}: text {current} hangs", stage.name());
                    std::process::exit(3);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    sender
}

/// A smaller text with the same verdict, as far as numbers in it do not count.
fn shrink(stage: Stage, mut text: String, choice: u64, error: &str) -> String {
    let kind = |error: &str| -> String {
        let line = error.lines().next().unwrap_or_default();
        line.split(" at ")
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .take(60)
            .collect()
    };
    let wanted = kind(error);
    let clock = Instant::now();
    let mut tries = 0;
    let mut size = text.lines().count().div_ceil(2);
    while size > 0 && tries < TRIES_MAX && clock.elapsed() < Duration::from_secs(60) {
        let mut from = 0;
        let mut has_shrunk = false;
        while from < text.lines().count() && tries < TRIES_MAX {
            let shorter: Vec<&str> = text
                .lines()
                .enumerate()
                .filter(|(n, _)| !(from..from + size).contains(n))
                .map(|(_, line)| line)
                .collect();
            let shorter = shorter.join("\n");
            tries += 1;
            if judge(stage, &shorter, choice).is_err_and(|error| kind(&error) == wanted) {
                text = shorter;
                has_shrunk = true;
            } else {
                from += size;
            }
        }
        if !has_shrunk || size > 1 {
            size /= 2;
        }
    }
    text
}
