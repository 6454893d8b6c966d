//! `kalixc gas`: what functions cost, what one call costs, and snapshots of what tests cost.

mod call;
pub(crate) mod follow;
mod paths;
mod state;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use crate::emit;
use crate::flags::{GasArgs, GasCommand, TestTier};
use crate::package::Sources;
use crate::test::{TestRequest, measure};
use crate::{MISTAKES, compile_file, print, read_text, report, say};

/// Runs the command.
pub(crate) fn gas(args: &GasArgs) -> anyhow::Result<ExitCode> {
    match &args.snapshot {
        Some(GasCommand::Snapshot { path, check, file, code, reporting }) => {
            let sources = Sources::find(path.as_deref())?;
            let request = TestRequest { filter: None, tier: TestTier::Interp, seed: 0, code, reporting };
            snapshot(&sources, &request, file, *check)
        }
        Some(GasCommand::Paths { path, code, reporting }) => {
            paths::paths(&Sources::find(path.as_deref())?, code, reporting)
        }
        None => match &args.function {
            Some(function) => call::call(args, function),
            None => table(args),
        },
    }
}

/// Prints the figures of every function.
fn table(args: &GasArgs) -> anyhow::Result<ExitCode> {
    let sources = Sources::find(args.path.as_deref())?;
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut has_failed = false;
    for file in sources.files() {
        let compilation = compile_file(file, &args.code)?;
        has_failed |= report(&compilation.diagnostics, &compilation.source, &args.reporting)?;
        for contract in &compilation.contracts {
            let abi = &contract.artifact.kalix_abi;
            for function in abi["functions"].as_array().into_iter().flatten() {
                let name = function["name"].as_str().unwrap_or_default();
                let name = format!("{}.{name}", contract.artifact.name);
                if args.only.as_deref().is_none_or(|only| name.contains(only)) {
                    rows.push(row(name, &function["gas"]));
                }
            }
        }
    }
    if has_failed {
        return Ok(ExitCode::from(MISTAKES));
    }
    if rows.is_empty() {
        say(&match &args.only {
            Some(only) => format!("kalixc: no function of {} has `{only}` in its name\n", sources.shown()),
            None => format!("kalixc: {} holds no function that a caller could reach\n", sources.shown()),
        });
        return Ok(ExitCode::from(MISTAKES));
    }
    print(&aligned(["function", "min", "max", "terms"], &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn row(name: String, gas: &Value) -> [String; 4] {
    let number = |member: &str| gas[member].as_u64();
    let max = match (number("bound"), number("bound_excluding_calls")) {
        (Some(bound), _) => bound.to_string(),
        (None, Some(bound)) => format!("{bound} + calls"),
        (None, None) => "unbounded".to_owned(),
    };
    let terms = gas["terms"].as_array().into_iter().flatten().map(|term| {
        let op = term["op"].as_str().unwrap_or_default();
        match term["count"].as_u64() {
            Some(1) => op.to_owned(),
            Some(count) => format!("{count} {op}"),
            None => format!("n {op}"),
        }
    });
    let mut terms: Vec<String> = terms.collect();
    if gas["exact"].as_bool() == Some(true) {
        terms.push("exact".to_owned());
    }
    [name, number("min").unwrap_or_default().to_string(), max, terms.join(", ")]
}

/// A table whose columns of numbers, all but the first and the last, stand on the right.
fn aligned<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let head = head.map(str::to_owned);
    let lines = || std::iter::once(&head).chain(rows);
    let widths: Vec<usize> = (0..COLUMNS)
        .map(|column| lines().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in lines() {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ if column + 1 == COLUMNS => cell.clone(),
            _ => format!("{cell:>width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(text, "{}", line.trim_end()).expect("a string grows");
    }
    text
}

/// Writes the gas of every test, or compares it with what the file says.
fn snapshot(
    sources: &Sources,
    request: &TestRequest<'_>,
    file: &Path,
    is_check: bool,
) -> anyhow::Result<ExitCode> {
    let Some(measured) = measure(sources, request)? else {
        say("kalixc: a test failed, so there is nothing to compare\n");
        return Ok(ExitCode::from(MISTAKES));
    };
    if measured.is_empty() {
        say(&format!("kalixc: {} holds no test\n", sources.shown()));
        return Ok(ExitCode::from(MISTAKES));
    }
    let now: BTreeMap<String, u64> = measured.into_iter().map(|test| (test.name, test.gas)).collect();
    if !is_check {
        let text: String = now.iter().map(|(name, gas)| format!("{gas}\t{name}\n")).collect();
        emit::write_file(file, text, sources.files())?;
        print(&format!("{}: {} tests\n", file.display(), now.len()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = read_text(file)?;
    let mut before = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let parts = line.split_once('\t').and_then(|(gas, name)| Some((gas.parse::<u64>().ok()?, name)));
        let (gas, name) =
            parts.with_context(|| format!("{}:{number}: expected gas, a tab and a name", file.display()))?;
        before.insert(name.to_owned(), gas);
    }
    let mut text = String::new();
    for (name, &gas) in &now {
        match before.get(name) {
            Some(&old) if old == gas => {}
            Some(&old) => {
                let share = (gas as f64 - old as f64) * 100.0 / old.max(1) as f64;
                writeln!(text, "{name}: {old} -> {gas} ({share:+.2} %)")?;
            }
            None => writeln!(text, "{name}: new, {gas}")?,
        }
    }
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        writeln!(text, "{name}: gone")?;
    }
    if text.is_empty() {
        print(&format!("{} tests cost what {} says\n", now.len(), file.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&text)?;
    Ok(ExitCode::from(MISTAKES))
}
