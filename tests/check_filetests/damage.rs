//! Damaged and extreme programs: checking never panics, uses little stack and roughly linear time.

use kalix::diag::{Code, Diagnostics};
use kalix::modules::{Module, NoModules};
use kalix::source::Source;
use libtest_mimic::Failed;

use crate::annotations::is_annotation;
use crate::program::Program;

/// How many damaged variants of each program are checked.
const VARIANTS: usize = 60;

/// Checks damaged variants of a program's root module: what passes without an error is fit for lowering.
pub(crate) fn damage(program: &Program, seed: u64) -> Result<(), Failed> {
    let pieces = pieces(program.text());
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
pub(crate) fn hostile() -> Result<(), Failed> {
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

/// The module with those of the built-in library that it imports.
fn load(source: &mut Source, diags: &mut Diagnostics) -> Vec<Module> {
    kalix::modules::load(source, Vec::new(), &mut NoModules, diags)
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
