//! The parser against whole contracts and against broken text.

use std::fs;
use std::path::{Path, PathBuf};

use kalix::source::Source;
use kalix::syntax::ast::Module;
use kalix::syntax::parse;
use kalix::syntax::pretty::pretty;
use proptest::prelude::*;

#[path = "syntax/generate.rs"]
mod generate;

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
            "13:20 K0001 unexpected `fn`, expected `;`",
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

/// A tree as text, without the spans in it.
fn dump(module: &Module) -> String {
    let full = format!("{module:?}");
    let mut out = String::with_capacity(full.len());
    let mut rest = full.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let start = digits(from);
        let end = from[start..].strip_prefix("..").map_or(0, digits);
        let (taken, kept) = if end > 0 { (start + 2 + end, "_") } else { (start, &from[..start]) };
        out.push_str(kept);
        rest = &from[taken..];
    }
    out.push_str(rest);
    out
}

#[track_caller]
fn check_round_trip(module: &Module) {
    let text = pretty(module);
    let again = parse_cleanly(&Source::new("printed", text.as_str()));
    // The whole module's span and lengths differ, everything else is the same.
    let (before, after) = (dump(module), dump(&again));
    if before != after {
        let at = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
        let context = |dump: &str| dump.chars().skip(at.saturating_sub(300)).take(600).collect::<String>();
        panic!("{text}\n--- before printing\n{}\n--- after\n{}", context(&before), context(&after));
    }
}

#[test]
fn examples_and_samples_survive_printing() {
    for path in examples().into_iter().chain(samples()) {
        check_round_trip(&parse_cleanly(&read(&path)));
    }
}

#[test]
fn every_production_survives_printing() {
    check_round_trip(&parse_cleanly(&read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests/parser/everything.kalix"),
    )));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_trees_survive_printing(seed in any::<u64>()) {
        let module = generate::Generator::new(seed).module();
        check_round_trip(&module);
    }

    #[test]
    fn token_soup_never_panics(seed in any::<u64>()) {
        let text = generate::Generator::new(seed).soup();
        let (module, diags) = parse(&Source::new("soup", text.as_str()));
        if diags.is_empty() {
            check_round_trip(&module);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        parse(&Source::new("text", text));
    }
}

#[test]
fn damaged_contracts_never_panic() {
    let examples = examples();
    // More examples are damaged at fewer places each, for a parse costs as much as its file is long.
    let stride = examples.len().div_ceil(4);
    for (index, path) in examples.iter().enumerate() {
        let text = read(path).text().to_owned();
        for at in (index % stride..text.len()).step_by(stride).filter(|&at| text.is_char_boundary(at)) {
            let mut holed = text.clone();
            holed.remove(at);
            for damaged in [Source::new("cut", &text[..at]), Source::new("holed", holed)] {
                let (_, diags) = parse(&damaged);
                if at % 16 == 0 {
                    kalix::diag::render::render(&diags, &damaged, false);
                    kalix::diag::json::to_json(&diags, &damaged);
                }
            }
        }
    }
}

#[test]
fn deep_nesting_is_reported_and_costs_no_stack() {
    let n = 20_000;
    let cases = [
        in_function(&format!("{}1{};", "(".repeat(n), ")".repeat(n))),
        in_function(&"(".repeat(n)),
        in_function(&format!("{}{}", "{".repeat(n), "}".repeat(n))),
        in_function(&"{".repeat(n)),
        in_function(&format!("{}x;", "-".repeat(n))),
        in_function(&format!("{}x;", "& ".repeat(n))),
        in_function(&format!("x{};", " + x".repeat(n))),
        in_function(&format!("x{};", " ** x".repeat(n))),
        in_function(&format!("x{};", " = x".repeat(n))),
        in_function(&format!("x{};", ".f".repeat(n))),
        in_function(&format!("x{};", "[0]".repeat(n))),
        in_function(&format!("x{}{};", "[x".repeat(n), "]".repeat(n))),
        in_function(&format!("x{};", " as u8".repeat(n))),
        in_function(&format!("{}{{ }}", "if a { } else ".repeat(n))),
        in_function(&"if ".repeat(n)),
        in_function(&"match x { _ => ".repeat(n)),
        in_function(&"return ".repeat(n)),
        in_function(&"new A{value: ".repeat(n)),
        in_function(&"A { a: ".repeat(n)),
        in_function(&format!("let {}x{} = 1;", "(".repeat(n), ")".repeat(n))),
        format!("contract C {{ state x: {}u8{}; }}", "Vec<".repeat(n), ">".repeat(n)),
        format!("contract C {{ state x: {}u8; }}", "& ".repeat(n)),
        "contract C { ".repeat(n),
        format!("/*{}", "/*".repeat(n)),
    ];
    for text in cases {
        let shown: String = text.chars().take(60).collect();
        let begin = std::time::Instant::now();
        let reported = report(&text);
        assert!(!reported.is_empty(), "{shown}");
        // Generous for a loaded machine; quadratic behavior takes minutes.
        assert!(begin.elapsed().as_secs() < 10, "{shown} took {:?}", begin.elapsed());
    }
    assert_eq!(
        report(&in_function(&format!("{}1{};\nlet = 2;", "(".repeat(300), ")".repeat(300)))),
        [
            "2:256 K0008 expression is nested more than 256 levels deep",
            "3:5 K0001 unexpected `=`, expected a pattern, `const` or `mut`"
        ]
    );
}

#[test]
fn parsing_takes_microseconds() {
    let source = read(&examples()[0]);
    parse(&source);
    let begin = std::time::Instant::now();
    for _ in 0..100 {
        parse(&source);
    }
    let each = begin.elapsed() / 100;
    eprintln!("{} bytes in {each:?}", source.text().len());
    assert!(each.as_millis() < 5, "{each:?}");
}

#[test]
fn a_report_shows_the_place_and_the_fix() {
    let source = Source::new("vault.kalix", in_function("let a = 1\nlet b = a < 2 < 3;"));
    let (_, diags) = parse(&source);
    insta::assert_snapshot!(kalix::diag::render::render(&diags, &source, false));
    insta::assert_snapshot!(kalix::diag::render::render_short(&diags, &source));
}

#[test]
fn siblings_do_not_count_as_nesting() {
    let n = 2_000;
    for text in [
        "fn f(a: Vec<u8>) -> (u8, u8) { a + 1 }\n".repeat(n),
        format!("contract C {{ {} }}", "state a: Map<u8, u8> = 1 + 2; fn f() { }\n".repeat(n)),
        in_function(&"let a: u8 = b + c * d; if a { 1 } else { 2 }\n".repeat(n)),
        in_function(&format!("f({});", "a + b, ".repeat(n))),
        in_function(&format!("let ({}) = x;", vec!["(a, _)"; n].join(", "))),
        in_function(&format!("match x {{ {} }}", "A(b) | C => d + 1,".repeat(n))),
    ] {
        parse_cleanly(&Source::new("wide", text));
    }
}
