//! Scripts of the project: `cargo xtask <name>`. One file per script; this one only dispatches.

#![forbid(unsafe_code)]

mod bench_table;
mod codegen;
mod demo;
mod lint;
mod pressure;
mod soak;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// A script: its name, what it does, and the function that runs it with the rest of the arguments.
struct Script {
    name: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Result<()>,
}

/// Every script, in the order of the help text.
const SCRIPTS: &[Script] = &[
    Script { name: "codegen", summary: "write derived files; --check only compares", run: codegen::run },
    Script { name: "soak", summary: "random programs through every tier: [programs] [seed]", run: soak::run },
    Script {
        name: "compile-soak",
        summary: "compile and evict many contracts, and look at memory: [contracts]",
        run: pressure::compile_soak,
    },
    Script {
        name: "tier-stress",
        summary: "threads on one engine that compiles and evicts: [seconds] [threads]",
        run: pressure::tier_stress,
    },
    Script { name: "demo", summary: "compile an example and run it in both tiers", run: demo::run },
    Script {
        name: "bench-table",
        summary: "the last run of `cargo bench` as Markdown, medians and ratios",
        run: bench_table::run,
    },
    Script { name: "lint", summary: "rustfmt, clippy with warnings denied, tidy", run: lint::run },
    Script {
        name: "tidy",
        summary: "rules about the tree itself: module docs, unsafe, dependencies",
        run: tidy::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(script) = arguments.first().and_then(|name| SCRIPTS.iter().find(|script| script.name == name))
    else {
        eprintln!("usage: cargo xtask <script> [argument…]\n");
        for script in SCRIPTS {
            eprintln!("  {:12} {}", script.name, script.summary);
        }
        return ExitCode::from(2);
    };
    match (script.run)(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {}: {error:#}", script.name);
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}

/// Runs a command in the root folder, printing it first; its failure is an error.
fn sh(program: &str, arguments: &[&str]) -> Result<()> {
    println!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    if !status.success() {
        bail!("`{program} {}` ended with {status}", arguments.join(" "));
    }
    Ok(())
}
