//! One test per program in `tests/filetests/check`: parsed, checked, and compared with its annotations.
//!
//! A line of carets says what is reported about the line above it: `//^^^^ error[K0203]: text`, where the
//! carets stand under the primary place and the text is part of the title. `//~ error[K0203]: text` leaves
//! the columns open, for places too far left. `//! test check evm` is about that target; `//! test build` generates the code
//! too, for what only that shows. Every diagnostic needs its annotation and every annotation its diagnostic. `BLESS=1 cargo test --test check_filetests` rewrites the annotations.
//!
//! One more test per program damages it in many ways: checking never panics, and what passes without an error
//! is fit for lowering.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kalix::diag::{Code, Diagnostic, Diagnostics};
use kalix::driver::CompileOptions;
use kalix::modules::{Module, NoModules};
use kalix::source::Source;
use libtest_mimic::{Arguments, Failed, Trial};
use zvm::bytecode::Encoding;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests/check");
    let mut files = Vec::new();
    find(&root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no programs below {}", root.display());
    let mut trials = Vec::new();
    for (seed, file) in files.into_iter().enumerate() {
        let name = file.strip_prefix(&root).expect("found below it").display().to_string();
        let damaged = file.clone();
        // The file is being rewritten then.
        if std::env::var_os("BLESS").is_none() {
            trials.push(Trial::test(format!("damaged/{name}"), move || damage(&damaged, seed as u64)));
        }
        trials.push(Trial::test(name, move || run(&file)));
    }
    trials.push(Trial::test("hostile", hostile));
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

fn run(file: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let mut source = Source::new(file.display().to_string(), text.clone());
    let diags = match text.lines().next() {
        Some("//! test check") => check(&mut source, Encoding::Zvm),
        Some("//! test check evm") => check(&mut source, Encoding::Evm),
        Some("//! test build") => {
            let compilation = kalix::driver::compile(&source, &CompileOptions::STANDARD);
            source = compilation.source;
            compilation.diagnostics
        }
        _ => return Err("the first line is not `//! test check`".into()),
    };
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, annotate(&text, &source, &diags))?;
        return Ok(());
    }
    compare(&text, &source, &diags)
}

fn check(source: &mut Source, target: Encoding) -> Diagnostics {
    let mut diags = Diagnostics::new();
    let modules = load(source, &mut diags);
    let (_, checked) = kalix::sema::check_for(&modules, source, target);
    diags.append(checked);
    diags.sort();
    diags
}

/// The module with those of the built-in library that it imports.
fn load(source: &mut Source, diags: &mut Diagnostics) -> Vec<Module> {
    kalix::modules::load(source, Vec::new(), &mut NoModules, diags)
}

/// What an annotation or a diagnostic says about one line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Remark {
    /// Counted from zero.
    line: usize,
    /// First column and the one after the last, counted from zero; nothing for `//~`.
    columns: Option<(usize, usize)>,
    /// `error[K0203]`
    code: String,
    text: String,
}

fn compare(text: &str, source: &Source, diags: &Diagnostics) -> Result<(), Failed> {
    let mut expected = annotations(text)?;
    let mut message = String::new();
    for diagnostic in diags {
        let found = remark(text, source, diagnostic);
        let matches = |annotation: &Remark| {
            annotation.line == found.line
                && annotation.code == found.code
                && (annotation.columns.is_none() || annotation.columns == found.columns)
                && found.text.contains(&annotation.text)
        };
        match expected.iter().position(matches) {
            Some(at) => drop(expected.swap_remove(at)),
            None => {
                let _ = writeln!(
                    message,
                    "not annotated: line {}: {}: {}",
                    found.line + 1,
                    found.code,
                    found.text
                );
            }
        }
    }
    for annotation in expected {
        let _ = writeln!(
            message,
            "not reported: line {}: {}: {}",
            annotation.line + 1,
            annotation.code,
            annotation.text
        );
    }
    if message.is_empty() { Ok(()) } else { Err(message.into()) }
}

fn is_annotation(line: &str) -> bool {
    line.trim_start().strip_prefix("//").is_some_and(|rest| rest.starts_with(['^', '~']))
}

fn annotations(text: &str) -> Result<Vec<Remark>, Failed> {
    let mut remarks = Vec::new();
    let mut about = 0;
    for (at, line) in text.lines().enumerate() {
        if !is_annotation(line) {
            about = at;
            continue;
        }
        let start = line.find("//").expect("annotations are comments") + 2;
        let marks = line[start..].chars().take_while(|&mark| mark == '^' || mark == '~').count();
        let rest = line[start + marks..].trim();
        let Some((code, text)) = rest.split_once(": ") else {
            return Err(format!("line {}: an annotation reads `^^^ error[K0201]: text`", at + 1).into());
        };
        let columns = (line.as_bytes()[start] == b'^').then_some((start, start + marks));
        remarks.push(Remark { line: about, columns, code: code.into(), text: text.into() });
    }
    Ok(remarks)
}

fn remark(text: &str, source: &Source, diagnostic: &Diagnostic) -> Remark {
    let span = diagnostic.span();
    let start = source.line_column(span.start);
    let line = text.lines().nth(start.line as usize - 1).unwrap_or("");
    let first = start.column as usize - 1;
    // A place that goes on below is marked up to the end of its first line.
    let end = source.line_column(span.end.max(span.start + 1));
    let last = if end.line == start.line { end.column as usize - 1 } else { line.chars().count() };
    Remark {
        line: start.line as usize - 1,
        columns: Some((first, last.max(first + 1))),
        code: format!("{}[{}]", diagnostic.severity(), diagnostic.code().id()),
        text: diagnostic.title(),
    }
}

fn annotate(text: &str, source: &Source, diags: &Diagnostics) -> String {
    let remarks: Vec<_> = diags.iter().map(|diagnostic| remark(text, source, diagnostic)).collect();
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        if is_annotation(line) {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        for remark in remarks.iter().filter(|remark| remark.line == at) {
            match remark.columns {
                Some((first, last)) if first >= 2 => {
                    let _ = write!(out, "{}//{}", " ".repeat(first - 2), "^".repeat(last - first));
                }
                _ => out.push_str("//~"),
            }
            let _ = writeln!(out, " {}: {}", remark.code, remark.text);
        }
    }
    out
}

/// How many damaged variants of each program are checked.
const VARIANTS: usize = 300;

fn damage(file: &Path, seed: u64) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let pieces = pieces(&text);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..VARIANTS {
        let mut variant: Vec<&str> = pieces.clone();
        for _ in 0..1 + random.below(4) {
            let (at, other) = (random.below(variant.len()), random.below(variant.len()));
            match random.below(5) {
                0 => drop(variant.remove(at)),
                1 => variant.swap(at, other),
                2 => variant[at] = variant[other],
                3 => variant.insert(at, variant[other]),
                _ => variant[at] = SPLICES[random.below(SPLICES.len())],
            }
            if variant.is_empty() {
                break;
            }
        }
        let text = variant.concat();
        let mut source = Source::new("damaged", text.clone());
        let mut parsed = Diagnostics::new();
        let modules = load(&mut source, &mut parsed);
        let (_, checked) = kalix::sema::check(&modules, &source);
        // A tree with a hole and no report would be lowered: the checker says so itself (K0999). After a
        // mistake in the syntax it may be silent, because nothing is lowered then.
        let internal = checked.iter().find(|diagnostic| diagnostic.code() == Code::Internal);
        if let (Some(internal), false) = (internal, parsed.has_errors()) {
            return Err(format!("{} at {:?} in\n{text}", internal.title(), internal.span()).into());
        }
    }
    Ok(())
}

/// Programs of extreme shape: the checker uses little stack and roughly linear time.
fn hostile() -> Result<(), Failed> {
    let list = |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    let nested = |open: &str, close: &str| {
        let depth = 250;
        format!("fn f(x: u64) -> u64 {{ {}x{} }}", open.repeat(depth), close.repeat(depth))
    };
    let programs = [
        (
            "forward constants",
            list(20_000, &|i| format!("const C{i}: u64 = C{};\n", i + 1)) + "const C20000: u64 = 1;",
        ),
        ("circle of constants", list(5_000, &|i| format!("const C{i}: u64 = C{};\n", (i + 1) % 5_000))),
        ("chain of calls", list(5_000, &|i| format!("fn f{i}() {{ f{}(); }}\n", i + 1)) + "fn f5000() {}"),
        ("circle of calls", list(5_000, &|i| format!("fn f{i}() {{ f{}(); }}\n", (i + 1) % 5_000))),
        ("nested blocks", nested("{", "}")),
        ("nested parentheses", nested("(1 + ", ")")),
        ("nested branches", nested("if x > 1 { ", " } else { 1 }")),
        ("nested casts", nested("(", " as u64)")),
        ("many statements", format!("fn f(x: u64) {{ {} }}", list(5_000, &|i| format!("let a{i} = x; ")))),
        ("wide tuple", format!("fn f(x: u64) {{ let t = ({}); }}", "x, ".repeat(5_000))),
        (
            "doubled tuples",
            format!(
                "fn f(x: u64) {{ let a0 = x; {} }}",
                list(60, &|i| format!("let a{} = (a{i}, a{i}); ", i + 1))
            ),
        ),
        (
            "doubled constants",
            "const C0 = 1u8;\n".to_owned() + &list(60, &|i| format!("const C{} = (C{i}, C{i});\n", i + 1)),
        ),
        ("many unknown names", format!("fn f() {{ {} }}", list(1_000, &|i| format!("unknown{i}(); ")))),
        ("many members", format!("contract C {{ {} }}", list(5_000, &|i| format!("state s{i}: u64; ")))),
        ("long name", format!("fn {}() {{ {}x(); }}", "a".repeat(100_000), "a".repeat(100_000))),
        (
            "large powers",
            "const A: u256 = 2 ** 2 ** 2 ** 2 ** 2; const B: u256 = 3u256 ** 1000000000;".into(),
        ),
        ("large shifts", "const A: u256 = 1 << (1 << 500); const B: u256 = 1u256 << (1 << 255);".into()),
    ];
    for (name, text) in programs {
        let start = std::time::Instant::now();
        let mut source = Source::new(name, text);
        let modules = load(&mut source, &mut Diagnostics::new());
        let parsed = start.elapsed();
        kalix::sema::check(&modules, &source);
        let checked = start.elapsed() - parsed;
        // Far above what it takes, far below what a square or an exponential would.
        if checked.as_secs() > 5 {
            return Err(format!("{name}: {checked:?}").into());
        }
    }
    Ok(())
}

/// What may take the place of a piece.
const SPLICES: &[&str] = &[
    "0",
    "1",
    "256",
    "-1",
    "u8",
    "i256",
    "bool",
    "Address",
    "return",
    "revert",
    "(1, 2)",
    "()",
    "state",
    "msg.value",
    "msg.sender",
    "true",
    "x",
    "_",
    " as ",
    " as% ",
    "?",
    "!",
    "~",
    "-",
    "**",
    "<<",
    "+%",
    "=",
    "==",
    "&&",
    "if true {",
    "}",
    "{",
    "[",
    "]",
    "mut ",
    "const ",
    "view",
    "payable",
    "pub ",
    "Ok(",
    "Err(",
    ")",
    "{ return 1; }",
    "break",
    "115792089237316195423570985008687907853269984665640564039457584007913129639936",
    "while true { }",
    "for i in 0..3 { }",
    "let q = 1;",
    "fn f() {}",
    "Map<u8, u8>",
    "Result<u8, E>",
    "E",
    "let const z = 2 ** 8;",
];

/// Words, numbers, spaces and single characters of a text, with the annotations left out.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for line in text.split_inclusive('\n').filter(|line| !is_annotation(line)) {
        let mut start = 0;
        let mut last = None;
        for (at, letter) in line.char_indices() {
            let kind =
                if letter.is_ascii_alphanumeric() || letter == '_' { 0 } else { 1 + u32::from(letter) };
            if last.is_some_and(|last| last != kind) {
                pieces.push(&line[start..at]);
                start = at;
            }
            last = Some(kind);
        }
        pieces.push(&line[start..]);
    }
    pieces
}

/// A small xorshift generator: equal seeds, equal programs.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
