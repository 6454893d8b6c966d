//! Runs the files below `tests/filetests` and the generated tests of every operation, one libtest-mimic trial each.
//!
//! A file says in its headers how it is tested and in its expected lines what must come out;
//! `BLESS=1 cargo test --test filetests` rewrites the expected lines. The forms are described in
//! `docs/vm/testing.md`.

mod zvm_file;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use zvm::bytecode::{Encoding, Op};

use crate::operations;

/// Collects and runs all trials; `root` is the folder of the files.
pub fn main(root: &Path) -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let bless = std::env::var_os("BLESS").is_some_and(|value| value != "0");
    let mut trials = Vec::new();
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        trials.push(Trial::test(name, move || check_file(&file, bless)));
    }
    for encoding in Encoding::ALL {
        for &op in Op::ALL.iter().filter(|&&op| encoding.byte(op).is_some()) {
            let name = format!("generated/{}/{op}", encoding.name());
            trials.push(Trial::test(name, move || operations::check(op, encoding).map_err(Failed::from)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// All test files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "zvm") {
            files.push(path);
        }
    }
}

fn check_file(path: &Path, bless: bool) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let found = zvm_file::result(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let expected: Vec<&str> = text.lines().filter(|line| line.starts_with(zvm_file::EXPECTED)).collect();
    let found: Vec<String> =
        found.iter().map(|line| format!("{} {line}", zvm_file::EXPECTED).trim_end().to_owned()).collect();
    if expected == found {
        return Ok(());
    }
    if bless {
        let source = text.lines().filter(|line| !line.starts_with(zvm_file::EXPECTED));
        let mut lines: Vec<&str> = source.collect();
        while lines.last().is_some_and(|line| line.trim().is_empty()) {
            lines.pop();
        }
        lines.extend(found.iter().map(String::as_str));
        return std::fs::write(path, lines.join("\n") + "\n").map_err(|error| error.to_string().into());
    }
    let [expected, found] = [expected.join("\n"), found.join("\n")];
    Err(format!(
        "{}\nexpected\n{expected}\nfound\n{found}\nIf the new result is right, rewrite the file with BLESS=1.",
        path.display()
    )
    .into())
}
