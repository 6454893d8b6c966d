//! `kalixc` from outside: what it writes, what it says, how it exits. One file per command.

#![cfg(feature = "cli")]

mod build;
mod gas;
mod layout;
mod packages;
mod testing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Examples of what only the native machine has: target evm refuses them with K0508.
const NATIVE_EXAMPLES: [&str; 3] = ["audit_log.kalix", "quantum_vault.kalix", "token_treasury.kalix"];

/// An empty folder of this test's own.
fn folder(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kalixc").join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder for the test");
    path
}

fn kalixc(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kalixc")).args(args).current_dir(folder).output().expect("kalixc runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Runs and checks the exit status; gives standard output and standard error.
#[track_caller]
fn expect(folder: &Path, args: &[&str], status: i32) -> (String, String) {
    let output = kalixc(folder, args);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{args:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into()).collect();
    names.sort();
    names
}
