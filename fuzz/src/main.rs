//! The fuzzer's command line: `run`, `summary`, `repro`, `stage`, and `canary` in a build with that feature.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use zvm_fuzz::campaign::{self, Plan};
use zvm_fuzz::case::Case;
use zvm_fuzz::machines::Machines;
use zvm_fuzz::oracle;
use zvm_fuzz::stage_campaign::{self, Progress};
use zvm_fuzz::stages::Stage;
use zvm_fuzz::texts::Texts;
use zvm_fuzz::totals::Totals;

/// Fuzzes the machine (interpreter against disturbed compiled code, and both against revm) and the stages of the Kalix
/// compiler.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judges programs until there were enough executions; goes on where the state file ends.
    Run {
        #[command(flatten)]
        options: CampaignOptions,
        /// Executions in all, those of earlier runs included.
        #[arg(long, default_value_t = 100_000)]
        executions: u64,
        /// Name of this build in the totals: a commit.
        #[arg(long, default_value = "unnamed")]
        build: String,
    },
    /// Prints the totals; exit status 1 while a difference is open.
    Summary {
        /// File that keeps the totals.
        #[arg(long)]
        state: PathBuf,
    },
    /// Takes differences that were repaired out of the totals: those whose cases do not differ any more.
    Close {
        /// File that keeps the totals.
        #[arg(long)]
        state: PathBuf,
    },
    /// Runs case files again; exit status 1 if one differs.
    Repro {
        /// Case files.
        #[arg(required = true)]
        cases: Vec<PathBuf>,
    },
    /// Judges texts with one stage of the Kalix compiler; goes on where the state file ends. Exit status 1 if it finds
    /// something.
    Stage {
        /// `parse`, `check`, `lower` or `run`.
        stage: String,
        #[command(flatten)]
        options: CampaignOptions,
        /// Texts in all, those of earlier runs included.
        #[arg(long, default_value_t = 1_000)]
        inputs: u64,
        /// Generated contracts only, as they are.
        #[arg(long)]
        generated: bool,
        /// Judges these files instead.
        files: Vec<PathBuf>,
    },
    /// Lets the compiler make each mistake that it knows, and finds it within a minute.
    #[cfg(feature = "canary")]
    Canary,
}

/// What both kinds of campaigns take.
#[derive(Args)]
struct CampaignOptions {
    /// Seed of the campaign; by default the state file's, or 1.
    #[arg(long)]
    seed: Option<u64>,
    /// Longest time in minutes: of this run, and for `stage` of all runs together.
    #[arg(long)]
    minutes: Option<f64>,
    /// File that keeps totals or progress between runs.
    #[arg(long)]
    state: Option<PathBuf>,
    /// Folder for what is found.
    #[arg(long, default_value = "fuzz-cases")]
    cases: PathBuf,
}

impl CampaignOptions {
    fn time_max(&self) -> Option<Duration> {
        self.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0))
    }
}

fn main() -> ExitCode {
    match command(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Does what is asked; false if something differs.
fn command(command: Command) -> Result<bool> {
    match command {
        Command::Run { options, executions, build } => {
            let time_max = options.time_max();
            let CampaignOptions { seed, state, cases, .. } = options;
            run(seed, Plan { executions, time_max, state, cases, build })
        }
        Command::Summary { state } => {
            let Some(totals) = Totals::read(&state)? else { bail!("there is no {}", state.display()) };
            print!("{}", totals.summary());
            Ok(totals.open_differences.is_empty())
        }
        Command::Close { state } => {
            let Some(mut totals) = Totals::read(&state)? else { bail!("there is no {}", state.display()) };
            let mut open = Vec::new();
            for path in std::mem::take(&mut totals.open_differences) {
                if repro(&PathBuf::from(&path))? {
                    println!("{path}: closed");
                } else {
                    open.push(path);
                }
            }
            totals.open_differences = open;
            totals.write(&state)?;
            Ok(totals.open_differences.is_empty())
        }
        Command::Repro { cases } => {
            let mut agrees = true;
            for path in &cases {
                agrees &= repro(path)?;
            }
            Ok(agrees)
        }
        Command::Stage { stage, options, inputs, generated, files } => {
            let Some(stage) = Stage::from_name(&stage) else { bail!("there is no stage `{stage}`") };
            if !files.is_empty() {
                return judge_files(stage, &files);
            }
            let time_max = options.time_max();
            let CampaignOptions { seed, state, cases, .. } = options;
            let texts = Texts::of_workspace(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."));
            let mut progress = Progress::read_or_new(stage, seed, state.as_deref())?;
            let plan = stage_campaign::Plan { inputs, time_max, state, cases, only_generated: generated };
            stage_campaign::run(stage, &texts, &mut progress, &plan)?;
            println!("{}", progress.summary());
            progress.findings.iter().for_each(|path| println!("  {path}"));
            Ok(progress.findings.is_empty())
        }
        #[cfg(feature = "canary")]
        Command::Canary => zvm_fuzz::canary::run(),
    }
}

fn run(seed: Option<u64>, plan: Plan) -> Result<bool> {
    let known = plan.state.as_deref().map(Totals::read).transpose()?.flatten();
    let mut totals = match (known, seed) {
        (Some(totals), Some(seed)) if totals.seed != seed => {
            bail!("the state file is that of seed {}, not {seed}", totals.seed)
        }
        (Some(totals), _) => totals,
        (None, seed) => Totals::new(seed.unwrap_or(1)),
    };
    let (clock, before) = (Instant::now(), totals.tally.executions);
    let finding = campaign::run(&mut totals, &plan)?;
    print!("{}", totals.summary());
    let seconds = clock.elapsed().as_secs_f64();
    let executions = totals.tally.executions - before;
    println!(
        "{:24} {executions} executions in {seconds:.1} s, {:.0}/s",
        "this run",
        executions as f64 / seconds
    );
    let Some(finding) = finding else { return Ok(true) };
    println!("\n{}\n\n{}", finding.difference, finding.execution.subject.program.to_text());
    if let Some(case) = totals.open_differences.last() {
        println!("run it again: cargo run --release -p zvm-fuzz -- repro {case}");
    }
    Ok(false)
}

/// Judges files, each with the first choices; true if nothing is wrong.
fn judge_files(stage: Stage, files: &[PathBuf]) -> Result<bool> {
    let mut is_fine = true;
    for path in files {
        let text = std::fs::read_to_string(path)?;
        for choice in 0..8 {
            if let Err(error) = stage_campaign::judge(stage, &text, choice) {
                println!("{}: {error}", path.display());
                is_fine = false;
                break;
            }
        }
    }
    Ok(is_fine)
}

/// Runs a case file; true if everything agrees.
fn repro(path: &std::path::Path) -> Result<bool> {
    let case = Case::read(path)?;
    let result = oracle::rerun(&mut Machines::default(), &case.execution()?);
    match result {
        Ok(()) => println!("{}: agrees ({})", path.display(), case.origin),
        Err(ref difference) => println!("{}: {difference}", path.display()),
    }
    Ok(result.is_ok())
}
