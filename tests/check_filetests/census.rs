//! All programs together: how many there are, that each is another program, and that every code has one.

use std::collections::HashMap;
use std::fmt::Write as _;

use kalix::diag::Code;
use libtest_mimic::Failed;

use crate::program::Program;

/// How many programs shall be refused at least.
const REFUSED_MIN: usize = 300;

/// Codes that no source text by itself brings about, and where they are tested.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::LayoutChanged, "needs the recorded layout of an earlier build: tests/kalixc_cli/layout.rs"),
    (Code::RuntimeEmitImpossible, "needs a flag of `kalixc`: tests/kalixc_cli/layout.rs"),
    (Code::CodeTooLarge, "needs a generated program: tests/kalixc_cli/layout.rs"),
    (Code::Unsupported, "what a version cannot translate yet: nothing is meant to bring it about"),
    (Code::Internal, "a fault of the compiler: nothing is meant to bring it about"),
];

/// Counts the programs, and compares their shapes and codes.
pub(crate) fn take(programs: &[Program]) -> Result<(), Failed> {
    let mut faults = String::new();
    let mut uses: HashMap<String, usize> = HashMap::new();
    let (mut refused, mut warned) = (0, 0);
    let mut shapes = HashMap::new();
    for program in programs {
        let mut codes: Vec<String> =
            program.annotations()?.into_iter().flatten().map(|remark| remark.code).collect();
        codes.sort();
        codes.dedup();
        match codes.iter().any(|code| code.starts_with("error")) {
            true => refused += 1,
            false if !codes.is_empty() => warned += 1,
            false => {}
        }
        for code in codes {
            *uses.entry(code).or_default() += 1;
        }
        if let Some(other) = shapes.insert(program.shape(), &program.name) {
            let _ = writeln!(faults, "differ only in names or literals:\n  {other}\n  {}", program.name);
        }
    }
    for &code in Code::ALL {
        let is_used = uses.contains_key(&format!("{}[{}]", code.severity(), code.id()));
        let elsewhere = ELSEWHERE.iter().find(|row| row.0 == code);
        let fault = match (is_used, elsewhere) {
            (false, None) => format!("no program for {}: {}", code.id(), code.title()),
            (true, Some((_, why))) => format!("{} has a program, yet is said to: {why}", code.id()),
            _ => continue,
        };
        let _ = writeln!(faults, "{fault}");
    }
    let all = programs.len();
    println!(
        "{all} programs: {refused} refused, {warned} with warnings only, {} accepted",
        all - refused - warned
    );
    if refused < REFUSED_MIN {
        let _ = writeln!(faults, "{refused} programs are refused, fewer than {REFUSED_MIN}");
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}
