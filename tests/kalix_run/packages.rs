//! Several modules in memory: what imports mean, and what is reported about them (§3).

use std::collections::BTreeMap;

use kalix::diag::render::render_short;
use kalix::modules::{Loaded, Loader};
use kalix::source::Source;
use kalix::{Compilation, CompileOptions, compile_with};

/// Modules by their path, `dex::pair`.
struct Texts(BTreeMap<String, String>);

impl Loader for Texts {
    fn load(&mut self, path: &[String]) -> Loaded {
        let name = format!("src/{}.kalix", path.join("/"));
        match self.0.get(&path.join("::")) {
            Some(text) => Loaded::File { name, text: text.clone() },
            None => Loaded::Missing { looked_for: name },
        }
    }
}

/// Compiles the module `dex::main` with others.
fn compile(main: &str, others: &[(&str, &str)]) -> Compilation {
    let texts = others.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
    let root = vec!["dex".to_owned(), "main".to_owned()];
    compile_with(Source::new("src/dex/main.kalix", main), root, &mut Texts(texts), &CompileOptions::STANDARD)
}

#[track_caller]
fn expect(main: &str, others: &[(&str, &str)], expected: &str) {
    let compilation = compile(main, others);
    let found = render_short(&compilation.diagnostics, &compilation.source);
    assert_eq!(found.trim_end(), expected.trim_end());
}

const TOKEN: &str = "//! Tokens.
pub interface IToken { fn balance(who: Address) view -> u256; }
pub error Poor(have: u256);
pub enum Kind { Plain, Rare }
pub const LIMIT: u64 = 2 * HALF;
const HALF: u64 = 21;
pub fn twice(n: u64) -> u64 { n * factor() }
fn factor() -> u64 { 2 }
pub contract Token : IToken {
    pub table balance: Map<Address, u256>;
    pub error Locked;
    event Moved(amount: u64);
    pub fn give(to: Address) { state.balance[to] += 1; }
}
";

#[test]
fn imports_bring_names_in() {
    let main = "use token::{IToken, Poor as TooPoor, LIMIT, twice};
use token;
use token::Kind;
use super::math::half;
use super::super::deep::nested;
contract Main : IToken {
    state kind: Kind;
    const OWN: u64 = LIMIT + token::LIMIT + nested::ONE;
    pub fn balance(who: Address) view -> u256 {
        require(state.kind == token::Kind::Plain, TooPoor(1));
        IToken(who).balance(who) + token::Token(who).balance(who)
    }
    pub fn sum(n: u64) -> u64 { state.kind = Kind::Rare; twice(n) + token::twice(n) + half(n) + OWN }
    pub fn fail() { state.kind = Kind::Plain; revert token::Token::Locked; }
}
";
    let others = [
        ("token", TOKEN),
        ("dex::math", "use token::LIMIT; pub fn half(n: u64) -> u64 { if n > LIMIT { n / 2 } else { n } }"),
        ("deep::nested", "pub const ONE: u64 = 1;"),
    ];
    let compilation = compile(main, &others);
    let reported = render_short(&compilation.diagnostics, &compilation.source);
    assert_eq!(reported, "");
    let names: Vec<_> = compilation.contracts.iter().map(|contract| &contract.artifact.name).collect();
    assert_eq!(names, ["Main"], "imported contracts make no artifacts");
    let abi = &compilation.contracts[0].artifact.kalix_abi;
    let files = abi["source_map"]["files"].as_array().expect("a list");
    assert_eq!(files[0], "src/dex/main.kalix");
    assert_eq!(files.len(), 4);
    // Code of three files is in the map.
    let map = abi["source_map"]["map"].as_str().expect("a text");
    let numbers =
        map.split(';').filter_map(|entry| entry.split(':').nth(3)).filter(|field| !field.is_empty());
    assert_eq!(numbers.collect::<std::collections::BTreeSet<_>>().len(), 3, "{map}");
}

#[test]
fn a_star_brings_all_in_and_loses_against_names() {
    let main = "use token::*;
pub const LIMIT: u64 = 1;
contract Main {
    state kind: Kind;
    pub fn f() -> u64 { state.kind = Kind::Rare; LIMIT + twice(1) + factor() }
}
";
    let expected = "src/dex/main.kalix:5:69: error[K0101]: cannot find `factor` in this scope";
    expect(main, &[("token", TOKEN)], expected);
}

#[test]
fn what_is_missing_or_private_is_named() {
    let main = "use nowhere::Thing;
use token::{HALF, factor, Nothing};
use token;
use super::super::super::x;
contract Main {
    pub fn f() view -> u64 { token::factor() + token::HALF + token::nothing() + std::math::log2(1) as u64 }
    pub fn g(t: Thing) view -> u64 { factor() }
}
";
    let expected = "\
src/dex/main.kalix:1:5: error[K0105]: module `nowhere::Thing` not found; looked for `src/nowhere.kalix` and `src/nowhere/Thing.kalix`
src/dex/main.kalix:2:13: error[K0107]: `HALF` is private to module `token`
src/dex/main.kalix:2:19: error[K0107]: `factor` is private to module `token`
src/dex/main.kalix:2:27: error[K0101]: cannot find `Nothing` in this scope; module `token` has no such item
src/dex/main.kalix:4:5: error[K0105]: module `super::super::super::x` not found; looked for `a parent of the package`
src/dex/main.kalix:6:37: error[K0107]: `factor` is private to module `token`
src/dex/main.kalix:6:55: error[K0107]: `HALF` is private to module `token`
src/dex/main.kalix:6:69: error[K0101]: cannot find `nothing` in this scope; module `token` has no such item
src/dex/main.kalix:6:81: error[K0101]: cannot find `std::math` in this scope; bring the module in with `use`";
    expect(main, &[("token", TOKEN)], expected);
}

#[test]
fn circles_and_mistakes_in_other_files_are_shown_there() {
    let main = "use a::f; pub const x: u64 = 1; contract Main { pub fn g() view -> u64 { f() } }";
    let others = [
        ("a", "use b::h;\npub fn f() -> u64 { h() + true }"),
        ("b", "use dex::main::x;\nuse a::f;\npub fn h() -> u64 { 1 }\nfn unused() {}"),
    ];
    let expected = "\
src/b.kalix:1:1: error[K0106]: import cycle: dex::main → a → b → dex::main
src/b.kalix:2:1: error[K0106]: import cycle: a → b → a
src/a.kalix:2:25: error[K0204]: cannot apply `+` to `u64` and `bool`; convert one with `as`";
    let compilation = compile(main, &others);
    let found = render_short(&compilation.diagnostics, &compilation.source);
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sorted(&found), sorted(expected));
    // The excerpt is that of the file.
    let shown = kalix::diag::render::render(&compilation.diagnostics, &compilation.source, false);
    assert!(
        shown.contains("src/a.kalix:2:25") && shown.contains("pub fn f() -> u64 { h() + true }"),
        "{shown}"
    );
}

#[test]
fn unused_imports_are_told() {
    let main =
        "use token::{LIMIT, twice};\nuse std::math;\ncontract Main { pub fn g() view -> u64 { twice(1) } }";
    let expected = "\
src/dex/main.kalix:1:13: warning[W0901]: unused import `LIMIT`
src/dex/main.kalix:2:10: warning[W0901]: unused import `math`";
    expect(main, &[("token", TOKEN)], expected);
}
