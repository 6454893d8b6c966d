//! Files of scripts: their programs one by one, what becomes of their results, and how many there are.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::cases;

/// The folders of scripts.
const FOLDERS: [&str; 3] = ["run", "chain", "solidity"];
/// How many programs there shall be at least.
const PROGRAMS_MIN: usize = 300;

/// Executes every program of a folder and compares it with what `run` makes of it: the program with the results of
/// today, nothing if it is for another machine. With `BLESS=1`, files are rewritten.
pub(crate) fn run_folder(name: &str, run: impl Fn(&str) -> Result<Option<String>, String> + Sync) {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value != "0");
    let files = read(name);
    let programs: Vec<_> = files
        .iter()
        .flat_map(|(path, text)| cases::split(text).1.into_iter().map(move |case| (path, case)))
        .collect();
    let results = in_parallel(programs.len(), |at| run(programs[at].1.text));
    let mut blessed: BTreeMap<&PathBuf, String> = BTreeMap::new();
    let mut failures = String::new();
    for ((path, case), result) in programs.iter().zip(results) {
        let whole = blessed.entry(path).or_insert_with(|| cases::split(&files[*path]).0.to_owned());
        let problem = match &result {
            // Nothing to compare, or an end of another machine.
            Ok(found) if found.as_ref().is_none_or(|found| found == case.text) => None,
            Ok(_) if bless => None,
            Ok(found) => Some(diff(case.text, found.as_ref().expect("compared above"))),
            Err(error) => Some(error.lines().map(str::to_owned).collect()),
        };
        *whole += result.ok().flatten().as_deref().unwrap_or(case.text);
        if let Some(lines) = problem {
            let line = case.lines_before + 1;
            writeln!(failures, "{}:{line}: {}", path.display(), case.name).expect("a String accepts all");
            lines.iter().for_each(|line| failures += &format!("  {line}\n"));
        }
    }
    if bless {
        for (path, text) in blessed.into_iter().filter(|(path, text)| files[*path] != *text) {
            std::fs::write(path, text).expect("a writable script");
        }
    }
    println!("{} programs of `{name}`", programs.len());
    assert!(failures.is_empty(), "\n{failures}If the new results are right, rewrite them with BLESS=1.");
}

/// The files below a folder.
fn read(name: &str) -> BTreeMap<PathBuf, String> {
    let root = Path::new(crate::ROOT).join("tests/filetests").join(name);
    let (mut folders, mut files) = (vec![root], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder of scripts") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "kalix") {
                let text = std::fs::read_to_string(&path).expect("a readable script");
                files.insert(path, text);
            }
        }
    }
    assert!(!files.is_empty(), "`{name}` holds no script");
    files
}

/// `task` of every number below `count`, in order.
fn in_parallel<T: Send>(count: usize, task: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<T>>> = Mutex::new((0..count).map(|_| None).collect());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            let result = task(at);
            results.lock().expect("no task panics while it holds the lock")[at] = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let results = results.into_inner().expect("no task panics while it holds the lock");
    results.into_iter().map(|result| result.expect("every task was done")).collect()
}

/// The lines of `found` that `text` does not have at that place, and the other way round.
pub(crate) fn diff(text: &str, found: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (text.lines().collect(), found.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let context = old[..same_start].iter().rev().find(|line| line.starts_with("//>"));
    let mut lines: Vec<String> = context.into_iter().map(|line| format!("  {line}")).collect();
    lines.extend(old[same_start..].iter().take(3).map(|line| format!("- {line}")));
    lines.extend(new[same_start..].iter().take(8).map(|line| format!("+ {line}")));
    lines
}

#[test]
fn programs_are_many_and_differ_in_more_than_names_and_literals() {
    let mut shapes = BTreeMap::new();
    let mut sections: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failures = String::new();
    let files: Vec<_> = FOLDERS.iter().map(|name| read(name)).collect();
    for files in &files {
        for (path, text) in files {
            let (header, found) = cases::split(text);
            assert!(cases::shape(header).is_empty(), "{}: a program before the first case", path.display());
            for case in found {
                let place = format!("{}:{}: {}", path.display(), case.lines_before + 1, case.name);
                assert!(case.text.contains("\n//= "), "{place}: nothing is expected of it");
                if !case.name.is_empty() {
                    let section = case.name.split(' ').next().filter(|section| section.starts_with('§'));
                    *sections.entry(section.expect("a case begins with its section")).or_default() += 1;
                }
                let shape: Vec<_> =
                    cases::shape(case.text).iter().map(|token| token.map(|token| token as u8)).collect();
                if let Some(other) = shapes.insert(shape, place.clone()) {
                    writeln!(failures, "{other}\n{place}\n").expect("a String accepts all");
                }
            }
        }
    }
    println!("{} programs are executed", shapes.len());
    let sections: Vec<_> = sections.iter().map(|(section, count)| format!("{section}: {count}")).collect();
    println!("cases by section: {}", sections.join(", "));
    assert!(failures.is_empty(), "programs that differ only in names or literals:\n{failures}");
    assert!(shapes.len() >= PROGRAMS_MIN, "{} programs, fewer than {PROGRAMS_MIN}", shapes.len());
}
