//! `cargo xtask bench-table`: the last run of `cargo bench` as Markdown, medians and ratios.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::root;

/// Columns of the programs table, in order; ratios are against the first.
const ENGINES: [&str; 4] = ["revm", "interp", "jit", "jit-cold"];

/// Prints one table per benchmark group that has results.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let folder = root().join("target/criterion");
    let programs = read_group(&folder.join("programs"))?;
    let compile = read_group(&folder.join("compile"))?;
    if programs.is_empty() && compile.is_empty() {
        bail!("no results in {}: run `cargo bench` first", folder.display());
    }
    if !programs.is_empty() {
        println!("{}", programs_table(&programs));
    }
    if !compile.is_empty() {
        println!("| compiled | by | bytes in | median | per KB |\n| --- | --- | ---: | ---: | ---: |");
        for (row, compilers) in &compile {
            for (compiler, median) in compilers {
                let bytes = throughput_bytes(&folder.join("compile").join(row).join(compiler))?;
                let per_kb = time(median * 1024.0 / bytes);
                println!("| {row} | {compiler} | {bytes} | {} | {per_kb} |", time(*median));
            }
        }
    }
    Ok(())
}

/// Medians in nanoseconds: row, then engine.
type Group = BTreeMap<String, BTreeMap<String, f64>>;

fn read_group(folder: &Path) -> Result<Group> {
    let mut group = Group::new();
    if !folder.is_dir() {
        return Ok(group);
    }
    for row in subfolders(folder)? {
        for engine in subfolders(&folder.join(&row))? {
            let path = folder.join(&row).join(&engine).join("new/estimates.json");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let json: serde_json::Value =
                serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
            let median = json["median"]["point_estimate"].as_f64();
            let median = median.with_context(|| format!("{}: no median", path.display()))?;
            group.entry(row.clone()).or_default().insert(engine, median);
        }
    }
    Ok(group)
}

/// The bytes that a benchmark says one round consumes.
fn throughput_bytes(folder: &Path) -> Result<f64> {
    let path = folder.join("new/benchmark.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
    json["throughput"]["Bytes"]
        .as_f64()
        .with_context(|| format!("{}: no throughput in bytes", path.display()))
}

fn subfolders(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn programs_table(group: &Group) -> String {
    let mut text =
        String::from("| program | revm | interp | jit | jit-cold | revm / interp | revm / jit |\n");
    text += "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    let mut logs = [(0.0, 0u32); 2];
    for (row, engines) in group {
        let cell = |engine: &str| engines.get(engine).map_or("–".to_owned(), |median| time(*median));
        text += &format!("| {row}");
        for engine in ENGINES {
            text += &format!(" | {}", cell(engine));
        }
        for (index, engine) in ["interp", "jit"].into_iter().enumerate() {
            match (engines.get("revm"), engines.get(engine)) {
                (Some(revm), Some(ours)) => {
                    text += &format!(" | {:.2}x", revm / ours);
                    logs[index].0 += (revm / ours).ln();
                    logs[index].1 += 1;
                }
                _ => text += " | –",
            }
        }
        text += " |\n";
    }
    let mean = |(sum, count): (f64, u32)| match count {
        0 => "–".to_owned(),
        count => format!("{:.2}x", (sum / f64::from(count)).exp()),
    };
    text += &format!("| geometric mean | | | | | {} | {} |\n", mean(logs[0]), mean(logs[1]));
    text
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n >= 1e6 => format!("{:.2} ms", n / 1e6),
        n if n >= 1e3 => format!("{:.2} µs", n / 1e3),
        n => format!("{n:.0} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_against_revm_and_missing_figures_show_as_such() {
        let row = |pairs: &[(&str, f64)]| pairs.iter().map(|(k, v)| (k.to_string(), *v)).collect();
        let group = Group::from([
            ("a".to_owned(), row(&[("revm", 4e6), ("interp", 2e6), ("jit", 1e6)])),
            ("ours".to_owned(), row(&[("interp", 900.0)])),
        ]);
        let table = programs_table(&group);
        assert!(table.contains("| a | 4.00 ms | 2.00 ms | 1.00 ms | – | 2.00x | 4.00x |"), "{table}");
        assert!(table.contains("| ours | – | 900 ns | – | – | – | – |"), "{table}");
        assert!(table.contains("| geometric mean | | | | | 2.00x | 4.00x |"), "{table}");
    }
}
