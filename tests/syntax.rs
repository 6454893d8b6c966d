//! The parser against whole contracts and against broken text.

use std::fs;
use std::path::{Path, PathBuf};

use kalix::source::Source;
use kalix::syntax::ast::Module;
use kalix::syntax::parse;

/// Our own example contracts.
fn examples() -> Vec<PathBuf> {
    contracts_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"))
}

/// The reference contracts beside the conformance vectors, where a machine has them.
fn samples() -> Vec<PathBuf> {
    let vectors = std::env::var_os("ZVM_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"), PathBuf::from);
    let found = contracts_in(&vectors.join("../samples"));
    if found.is_empty() {
        eprintln!("skipped: no reference contracts beside {}", vectors.display());
    }
    found
}

fn contracts_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "kalix")).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Source {
    Source::new(path.display().to_string(), fs::read_to_string(path).expect("a readable contract"))
}

fn parse_cleanly(source: &Source) -> Module {
    let (module, diags) = parse(source);
    let titles: Vec<String> = diags
        .iter()
        .map(|diagnostic| {
            let at = source.line_column(diagnostic.span().start);
            format!("{}:{} {} {}", at.line, at.column, diagnostic.code().id(), diagnostic.title())
        })
        .collect();
    assert!(titles.is_empty(), "{}: {titles:#?}", source.name());
    module
}

#[test]
fn examples_and_samples_parse_without_diagnostics() {
    let examples = examples();
    assert!(!examples.is_empty(), "examples/ holds contracts");
    for path in examples.into_iter().chain(samples()) {
        let module = parse_cleanly(&read(&path));
        assert!(!module.items.is_empty(), "{}", path.display());
    }
}

/// Parses `text` and lists what is reported, as `line:column code title`.
fn report(text: &str) -> Vec<String> {
    let source = Source::new("test", text);
    let (_, diags) = parse(&source);
    let line = |diagnostic: &kalix::diag::Diagnostic| {
        let at = source.line_column(diagnostic.span().start);
        format!("{}:{} {} {}", at.line, at.column, diagnostic.code().id(), diagnostic.title())
    };
    diags.iter().map(line).collect()
}

/// Wraps statements into a function of a contract; they begin in line 2.
fn in_function(statements: &str) -> String {
    format!("contract C {{ fn f() {{\n{statements}\n}} }}")
}

#[test]
fn one_run_reports_every_independent_mistake() {
    let text = "\
contract C {
    state a u64;
    table b: Map<Address, >;
    fn f() {
        let x = ;
        let = 1;
        y + ;
        if a { }
        emit 5;
        ok();
    }
    fn 1() { }
    event E(a: u64)
    fn g() { return 1 }
}
contact D { }
fn last( { }
";
    assert_eq!(
        report(text),
        [
            "2:13 K0001 unexpected `u64`, expected `:`",
            "3:27 K0001 unexpected `>`, expected a type",
            "5:17 K0001 unexpected `;`, expected an expression",
            "6:13 K0001 unexpected `=`, expected a pattern, `const` or `mut`",
            "7:13 K0001 unexpected `;`, expected an expression",
            "9:14 K0001 unexpected `5`, expected a name",
            "12:8 K0001 unexpected `1`, expected a name or `new`",
            "14:5 K0001 unexpected `fn`, expected `;`",
            "16:1 K0001 unexpected `contact`, expected an item",
            "17:10 K0001 unexpected `{`, expected a name, `const`, `mut` or `)`",
        ]
    );
}

#[test]
fn resolution_rules_have_their_codes() {
    assert_eq!(
        report("contract C { pub fn f() view view { } }"),
        ["1:30 K0011 qualifier `view` is repeated"]
    );
    assert_eq!(
        report(&in_function("if a = b { }\nwhile (a = b) { }")),
        [
            "2:6 K0012 assignment used as a condition; did you mean `==`?",
            "3:10 K0012 assignment used as a condition; did you mean `==`?"
        ]
    );
    assert_eq!(
        report(&in_function("let x = a < b < c;\nlet y = a == b < c;\nlet z = (a < b) == c;")),
        ["2:15 K0013 comparisons cannot be chained; write `a < b && b < c`"]
    );
    assert_eq!(report(&in_function("let move = 1;")), ["2:5 K0109 `move` is reserved"]);
}
