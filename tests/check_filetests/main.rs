//! One test per program in `tests/filetests/check`: compiled, and what is reported compared with its annotations.
//!
//! A file holds one program, or several that are judged one by one, each after a line
//! `//! case: <§ and the sentence that it tests>`. A line `//! module a::b` begins another module of the program.
//!
//! The first line of a file, and the one after `//! case:` where a program differs, says how it is checked:
//! `//! test check`, with `evm` behind it for that target and `tests` to check `test` items.
//!
//! A line of carets says what is reported about the line above it: `//^^^^ error[K0203]: text`, where the
//! carets stand under the primary place and the text is part of the title. `//~ error[K0203]: text` leaves
//! the columns open, for places too far left. Every diagnostic needs its annotation and every annotation its
//! diagnostic. Behind the title, ` => text` asks for a label, note or fix with that text in it; a fix reads
//! "message: `replacement`". `BLESS=1 cargo test --test check_filetests` rewrites the annotations.
//!
//! More tests look at all programs together ([`census`]), and damage each in many ways ([`damage`]).

mod annotations;
mod census;
mod damage;
mod program;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use testkit::cases;

use crate::program::Program;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests/check");
    let mut paths = Vec::new();
    find(&root, &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "no programs below {}", root.display());
    let mut trials = Vec::new();
    let mut programs = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).expect("found below it").display().to_string();
        if std::env::var_os("BLESS").is_some_and(|value| value != "0") {
            trials.push(Trial::test(name, move || bless(&path)));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("the folder of tests can be read");
        match read(&text, &name) {
            Ok(found) => programs.extend(found),
            Err(problem) => trials.push(Trial::test(name, move || Err(problem.into()))),
        }
    }
    if !programs.is_empty() {
        let all = programs.clone();
        trials.push(Trial::test("census", move || census::take(&all)));
        trials.push(Trial::test("hostile", damage::hostile));
    }
    for (seed, program) in programs.into_iter().enumerate() {
        let damaged = program.clone();
        let name = format!("damaged/{}", program.name);
        trials.push(Trial::test(name, move || damage::damage(&damaged, seed as u64)));
        trials.push(Trial::test(program.name.clone(), move || program.compare()));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of tests can be read") {
        let path = entry.expect("the folder of tests can be read").path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "kalix") {
            files.push(path);
        }
    }
}

/// The programs of a file.
fn read(text: &str, name: &str) -> Result<Vec<Program>, String> {
    let (header, found) = cases::split(text);
    if !cases::shape(header).is_empty() {
        return Err("only comments may precede the first `//! case:`".into());
    }
    let default = text.lines().next().unwrap_or("");
    found.iter().map(|case| Program::read(case, default, name)).collect()
}

/// Rewrites the annotations of a file.
fn bless(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let mut blessed = cases::split(&text).0.to_owned();
    for program in read(&text, &path.display().to_string())? {
        blessed += &program.annotated();
    }
    std::fs::write(path, blessed)?;
    Ok(())
}
