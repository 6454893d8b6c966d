//! Estimates against execution: every entry point of some examples, called with what comes to mind.
//!
//! Scripts hold each of their calls against its estimate as well ([`super::files`]). Here nobody writes the calls down, so
//! many of them are reverted; which entry points never succeeded is part of the test's output.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, U256};
use kalix::codegen::gas_report::Estimator;
use kalix::diag::Diagnostics;
use kalix::modules::{Loaded, Loader};
use kalix::sema::typed::Program;
use kalix::sema::types::TypeId;
use kalix::source::Source;
use zvm::outcome::Exit;

use crate::compile::{Compiled, World};
use crate::files::{every_way, is_executed_natively};

/// The examples.
const FILES: [&str; 5] = ["amm_pair", "loops", "staking", "token", "token_vault"];
/// How often all entry points of a contract are called one after another.
const ROUNDS: usize = 6;
/// Numbers for arguments.
const NUMBERS: [u64; 6] = [0, 1, 3, 2, 1_000, 1_000_000];

/// Modules that lie beside each other.
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, path: &[String]) -> Loaded {
        let name = format!("{}.kalix", path.join("/"));
        match std::fs::read_to_string(self.0.join(&name)) {
            Ok(text) => Loaded::File { name, text },
            Err(_) => Loaded::Missing { looked_for: name },
        }
    }
}

#[test]
fn executions_of_examples_lie_within_their_estimates() {
    let folder = Path::new(crate::ROOT).join("examples");
    let mut failures = String::new();
    let (mut called, mut succeeded) = (BTreeSet::new(), BTreeSet::new());
    for file in FILES {
        let path = folder.join(format!("{file}.kalix"));
        let text = std::fs::read_to_string(&path).expect("a readable example");
        let mut source = Source::new(file, text);
        let mut diags = Diagnostics::new();
        let modules = kalix::modules::load(&mut source, Vec::new(), &mut Folder(folder.clone()), &mut diags);
        let (program, checked) = kalix::sema::check(&modules, &source);
        diags.append(checked);
        assert!(!diags.has_errors(), "{}", kalix::diag::render::render_short(&diags, &source));
        for (index, contract) in program.contracts.iter().enumerate() {
            // What creates others needs their code, which only whole compilations have.
            if contract.is_imported || !contract.creates.is_empty() {
                continue;
            }
            for options in every_way() {
                let compiled = Compiled::contract_of(program.clone(), index, &options)
                    .unwrap_or_else(|error| panic!("{file}: {error}"));
                let compiled = Compiled { is_native: is_executed_natively(&options), ..compiled };
                let name = format!("{file}: {}", contract.name);
                let Some(mut world) = deployed(compiled) else { continue };
                for round in 0..ROUNDS {
                    for entry in &contract.entry_points {
                        let types: Vec<TypeId> = entry.inputs.iter().map(|input| input.ty).collect();
                        let args = arguments(&program, &types, round);
                        let input = [&entry.selector[..], &args].concat();
                        let called_as = format!("{name}.{}", entry.name);
                        let observed = world.call(input.into(), U256::ZERO);
                        let observed = observed.unwrap_or_else(|error| panic!("{called_as}: {error}"));
                        if let Err(error) = world.check_gas(entry.selector, &observed) {
                            let (target, level) = (options.target.name(), options.opt_level);
                            writeln!(failures, "{called_as} for {target}, {level:?}: {error}")
                                .expect("a String accepts all");
                        }
                        if matches!(observed.exit, Exit::Halt | Exit::Return) {
                            succeeded.insert(called_as.clone());
                        }
                        called.insert(called_as);
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    let never: Vec<_> = called.difference(&succeeded).collect();
    println!("{} of {} entry points succeeded; never: {never:?}", succeeded.len(), called.len());
    assert!(
        called.len() >= 30 && 2 * succeeded.len() > called.len(),
        "{} of {}",
        succeeded.len(),
        called.len()
    );
}

/// The contract with the first arguments of its constructor that it accepts.
fn deployed(compiled: Compiled) -> Option<World> {
    let constructor = compiled.contract().constructor;
    let types: Vec<TypeId> = constructor.map_or(Vec::new(), |id| {
        compiled.program.function(id).params().iter().map(|param| param.ty).collect()
    });
    let args = arguments(&compiled.program, &types, 3);
    World::deploy(compiled, &args, U256::ZERO).expect("a run of the creation code").1
}

fn arguments(program: &Program, types: &[TypeId], round: usize) -> Vec<u8> {
    let values = types.iter().enumerate().map(|(at, &ty)| {
        let name = program.types.abi_type(ty).expect("an ABI type");
        value(&DynSolType::parse(&name).expect("an ABI type"), round + at)
    });
    DynSolValue::Tuple(values.collect()).abi_encode_params()
}

/// A value of a type that depends on `seed` alone.
fn value(ty: &DynSolType, seed: usize) -> DynSolValue {
    let number = U256::from(NUMBERS[seed % NUMBERS.len()]);
    match ty {
        DynSolType::Bool => DynSolValue::Bool(seed % 2 == 1),
        DynSolType::Int(bits) => {
            DynSolValue::Int((number % U256::from(100)).try_into().expect("small"), *bits)
        }
        DynSolType::Uint(bits) if *bits < 32 => DynSolValue::Uint(number % U256::from(2), *bits),
        DynSolType::Uint(bits) => DynSolValue::Uint(number, *bits),
        DynSolType::Address if seed.is_multiple_of(2) => DynSolValue::Address(testkit::host::CALLER),
        DynSolType::Address => DynSolValue::Address(Address::with_last_byte(0x77 + (seed % 3) as u8)),
        DynSolType::FixedBytes(size) => DynSolValue::FixedBytes(number.into(), *size),
        DynSolType::Bytes => DynSolValue::Bytes(vec![7; 40 * (seed % 3)]),
        DynSolType::String => DynSolValue::String("word ".repeat(5 * (seed % 3))),
        DynSolType::Array(inner) => {
            DynSolValue::Array((0..seed % 4).map(|at| value(inner, seed + at)).collect())
        }
        DynSolType::FixedArray(inner, size) => {
            DynSolValue::FixedArray((0..*size).map(|at| value(inner, seed + at)).collect())
        }
        DynSolType::Tuple(parts) => {
            DynSolValue::Tuple(parts.iter().enumerate().map(|(at, part)| value(part, seed + at)).collect())
        }
        other => panic!("no values of {other}"),
    }
}

/// Loops of more rounds than are walked one by one.
const LONG: &str = r#"
contract Long {
    state { result: u64, }
    table seen: Map<u64, u64>;
    pub fn sum(n: u64) { let mut t: u64 = 1; for i in 0..n [max: 5_000] { t = t +% i; } state.result = t; }
    pub fn last(n: u64) { let mut t: u64 = 1; for i in 1..=n [max: 5_000] { t = t +% i; } state.result = t; }
    pub fn fixed() { let mut t: u64 = 1; for i in 7..10_000u64 { t = t +% i; } state.result = t; }
    pub fn down(n: u64) { let mut i = n; let mut t: u64 = 1; while i > 0 [max: 4_000] { i -= 1; t = t +% i; } state.result = t; }
    pub fn nested(n: u64) {
        let mut t: u64 = 1;
        for i in 0..n [max: 90] { for j in 0..n [max: 90] { t = t +% i * j; } t = t +% 1; }
        state.result = t;
    }
    pub fn deep(n: u64) {
        let mut t: u64 = 1;
        for i in 0..n [max: 20] {
            for j in 0..n [max: 20] { for _ in 0..3u64 { for k in 0..n [max: 20] { t = t +% k; } t = t +% j; } }
            t = t +% i;
        }
        state.result = t;
    }
    fn part(n: u64, add: u64) -> u64 { let mut t = add; for i in 0..n [max: 3_000] { t = t +% i; t = t ^ add; } t }
    pub fn twice(n: u64) { let a = part(n, 3); state.result = a +% part(n, 4) +% 1; }
    fn step(t: u64, i: u64) -> u64 { let mut r = t; for k in 0..i [max: 40] { r = r +% k * k; } for _ in 0..2u64 { r = r ^ i; } r }
    pub fn called(n: u64) { let mut t: u64 = 1; for _ in 0..n [max: 40] { t = step(t, n); } t = step(t, n); state.result = t + 1; }
    pub fn many(n: u64) {
        let (a, b, c, d, e, f, g, h) = (n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8);
        let (k, l, m, o, p, q, r, s) = (n ^ 1, n ^ 2, n ^ 3, n ^ 4, n ^ 5, n ^ 6, n ^ 7, n ^ 8);
        let mut t: u64 = 1;
        for i in 0..n [max: 3_000] {
            t = t +% i;
            t = ((((((((t ^ a) +% b) ^ c) +% d) ^ e) +% f) ^ g) +% h);
            t = ((((((((t ^ k) +% l) ^ m) +% o) ^ p) +% q) ^ r) +% s);
        }
        state.result = t | 1;
    }
    pub fn uneven(n: u64) {
        let mut t: u64 = 1;
        for i in 0..n [max: 3_000] {
            if i % 3 == 0 { continue; }
            if t == 77 { break; }
            if i % 5 == 0 { t = t +% i * i; }
            t = t +% 2;
        }
        state.result = t;
    }
    pub fn refused(n: u64) {
        let mut i: u64 = 0;
        let mut t: u64 = n;
        while i < 1_000_000 [max: 70] { i += 1; let mut k = i; while k > 0 [max: 70] { k -= 1; t = t ^ k; } }
        state.result = t;
    }
    pub fn fill(n: u64) { for i in 0..n [max: 300] { state.seen[i] = i + 1; } }
    pub fn fill_twice(n: u64) { for _ in 0..2u64 { for i in 0..n [max: 150] { state.seen[i] += i; } } }
    #[allow(W0902)]
    pub fn endless(n: u64) {
        let mut left = n;
        while left > 0 { left -= 1; for i in 0..left [max: 3_000] { if i > 1 { break; } } }
        state.result = n;
    }
    #[allow(W0902)]
    pub fn open(n: u64) { let mut t: u64 = 1; for i in 0..n { t = t +% i; } state.result = t; }
}
"#;

/// Functions of [`LONG`] with the most that they accept, and whether every round costs the same.
const LONG_CALLS: [(&str, u64, bool); 14] = [
    ("sum", 5_000, true),
    ("last", 5_000, true),
    ("fixed", 0, true),
    ("down", 4_000, true),
    ("nested", 90, true),
    ("deep", 20, true),
    ("twice", 3_000, true),
    ("called", 40, true),
    ("many", 3_000, true),
    ("uneven", 3_000, false),
    ("refused", 5, false),
    ("fill", 300, false),
    ("fill_twice", 150, false),
    ("sum", 17, false),
];

#[test]
fn bounds_count_the_rounds_of_long_loops() {
    let program = crate::compile::check(LONG).expect("a program without mistakes");
    let mut failures = String::new();
    for options in every_way() {
        let compile = || Compiled::contract_of(program.clone(), 0, &options).expect("it compiles");
        let way = format!("{}, {:?}", options.target.name(), options.opt_level);
        for (name, most, is_even) in LONG_CALLS {
            let compiled = Compiled { is_native: false, ..compile() };
            let entry = compiled.entry(name).expect("an entry point").clone();
            let estimate = Estimator::new(&compiled.runtime).estimate(entry.selector);
            let mut world = World::deploy(compiled, &[], U256::ZERO).expect("a run").1.expect("deployed");
            let words = entry.inputs.iter().flat_map(|_| U256::from(most).to_be_bytes::<32>());
            let input: Vec<u8> = entry.selector.into_iter().chain(words).collect();
            let observed = world.call(input.into(), U256::ZERO).expect("a run");
            let used = crate::compile::GAS - observed.gas_left;
            // One starts a round too many.
            let is_refused = name == "refused";
            let is_success = matches!(observed.exit, Exit::Halt | Exit::Return) != is_refused;
            // There the counter lies in memory, which the estimator does not follow.
            if (way.as_str(), name) == ("evm, O0", "many") && estimate.bound.is_none() {
                continue;
            }
            let is_right = estimate.bound.is_some_and(|bound| used <= bound && (!is_even || used == bound));
            if !is_success || !is_right || !is_refused && used < estimate.min {
                writeln!(failures, "{way}: {name}({most}) used {used}, {:?}: {estimate:?}", observed.exit)
                    .expect("a String accepts all");
            }
        }
        let compiled = compile();
        for name in ["endless", "open"] {
            let entry = compiled.entry(name).expect("an entry point");
            let found = Estimator::new(&compiled.runtime).estimate(entry.selector);
            if found.bound.is_some() {
                writeln!(failures, "{way}: {name} has a bound: {found:?}").expect("a String accepts all");
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
