//! Damaged containers: an error, or code that runs to an end in every tier. Never a panic.

use std::path::Path;

use alloy_primitives::Bytes;
use kalix::CompileOptions;
use kalix::source::Source;
use testkit::program::{Program, Setting};
use testkit::random::Random;
use testkit::tiers::{Compile, Prepared, run_interpreted};
use zvm::bytecode::container::{Sections, Target};
use zvm::bytecode::{Code, Container, Encoding, NATIVE_PREFIX, assemble};
use zvm::outcome::Exit;

/// Damaged containers per test run.
const MUTATIONS: u64 = 10_000;
/// Of the mutated containers that still read, one in this many also runs in native code.
const NATIVE_EVERY: u64 = 8;
/// Gas of a run: enough to leave any prologue, little enough that a loop ends soon.
const GAS: u64 = 60_000;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Containers of every `.zvm` file of the tests and of every contract among the examples.
fn corpus() -> Vec<Vec<u8>> {
    let mut corpus = synthetic();
    corpus.extend(compiled());
    corpus
}

/// What the compiler makes of the examples and of the contracts that tests run.
fn compiled() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for folder in ["examples", "tests/filetests/run"] {
        collect(&Path::new(ROOT).join(folder), "kalix", &mut texts);
    }
    let mut containers = Vec::new();
    let programs = texts.iter().flat_map(|text| testkit::cases::split(text).1);
    for program in programs {
        let source = Source::new("example.kalix", program.text);
        let compilation = kalix::compile(&source, &CompileOptions::STANDARD);
        containers.extend(compilation.contracts.into_iter().map(|contract| contract.artifact.bytes));
    }
    assert!(containers.len() >= 2, "the examples compile");
    containers
}

/// One container per `.zvm` file, with and without sections and init code.
fn synthetic() -> Vec<Vec<u8>> {
    let mut containers = Vec::new();
    let mut texts = Vec::new();
    collect(&Path::new(ROOT).join("tests/filetests/vm"), "zvm", &mut texts);
    for (index, text) in texts.iter().enumerate() {
        let assembly = assemble(text).expect("the filetests assemble");
        let (target, prefix) = match assembly.encoding {
            Encoding::Zvm => (Target::Native, &NATIVE_PREFIX[..]),
            Encoding::Evm => (Target::Evm, &[][..]),
        };
        let init: Bytes = [prefix, &assembly.code].concat().into();
        let sections = Sections {
            init: index.is_multiple_of(2).then_some(init),
            source_map: Some(Bytes::from_static(&[1, 2, 3])),
            gas_estimates: None,
            sources: Some(Bytes::copy_from_slice(text.as_bytes())),
            meta: Some(Bytes::from_static(br#"{"compiler":"test"}"#)),
        };
        let container = Container {
            target,
            needs_init: index.is_multiple_of(4),
            code: assembly.code.into(),
            abi: r#"[{"type":"function","name":"f","inputs":[],"outputs":[]}]"#.to_owned(),
            sections: (!index.is_multiple_of(3) || index.is_multiple_of(4)).then_some(sections),
        };
        containers.push(container.write().expect("the corpus keeps the rules"));
    }
    assert!(containers.len() > 40, "the filetests were found");
    containers
}

fn collect(folder: &Path, extension: &str, texts: &mut Vec<String>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, extension, texts);
        } else if path.extension().is_some_and(|found| found == extension) {
            texts.push(std::fs::read_to_string(&path).expect("a text file"));
        }
    }
}

/// Runs code and init code of a container that read without an error.
fn run_to_an_end(container: &Container, in_native_code: bool) {
    let setting =
        Setting { gas: GAS, input: Bytes::from_static(&[0xb6, 0xb5, 0x5f, 0x25]), ..Setting::plain() };
    let codes = [Some(container.account_code()), container.init().cloned()];
    for raw in codes.into_iter().flatten() {
        let code = std::sync::Arc::new(Code::new(raw, true));
        let exit = run_interpreted(&code, &setting).observed.exit;
        assert!(matches!(exit, Exit::Halt | Exit::Return | Exit::Revert | Exit::Trap(_)), "{exit:?}");
        if in_native_code {
            let program =
                Program { encoding: code.encoding(), code: code.body().to_vec(), setting: setting.clone() };
            let agreed = Prepared::new(&program, &Compile::PLAIN).check(&setting);
            agreed.unwrap_or_else(|difference| panic!("{difference}\n{}", program.to_text()));
        }
    }
}

/// Hashes what stands before the last 40 bytes anew, so that damage gets past the check.
fn repair_hash(bytes: &mut [u8]) {
    if let Some(at) = bytes.len().checked_sub(40) {
        let hash = alloy_primitives::keccak256(&bytes[..at]);
        bytes[at + 8..].copy_from_slice(hash.as_slice());
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        let at = random.index(bytes.len());
        match random.below(12) {
            0..=3 => bytes[at] ^= 1 << random.below(8),
            4..=7 => bytes[at] = random.bits64() as u8,
            8 => bytes.insert(at, random.bits64() as u8),
            9 => {
                bytes.remove(at);
            }
            10 => {
                // The header holds the sizes.
                let at = random.index(bytes.len().min(16));
                bytes[at] = bytes[at].wrapping_add(random.pick(&[1, 0xff, 0x7f, 0x80]));
            }
            _ => {
                let end = (at + random.index(40)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
        }
        if bytes.is_empty() {
            return;
        }
    }
    let has_sections = bytes.get(6).is_some_and(|flags| flags & 1 != 0);
    if has_sections && random.chance(85) {
        repair_hash(bytes);
    }
}

#[test]
fn every_truncation_is_an_error() {
    for bytes in corpus() {
        Container::read(&bytes).expect("the corpus reads");
        for len in 0..bytes.len() {
            let error = Container::read(&bytes[..len]).expect_err("a truncated container");
            assert!(error.offset <= len, "{error}");
        }
    }
}

#[test]
fn mutated_containers_are_refused_or_run_to_an_end() {
    let corpus = corpus();
    let (mut refused, mut ran) = (0, 0);
    for seed in 0..MUTATIONS {
        let mut random = Random::new(seed);
        let mut bytes = corpus[random.index(corpus.len())].clone();
        mutate(&mut bytes, &mut random);
        match Container::read(&bytes) {
            Ok(container) => {
                run_to_an_end(&container, seed.is_multiple_of(NATIVE_EVERY));
                ran += 1;
            }
            Err(error) => {
                assert!(error.offset <= bytes.len(), "{error}");
                refused += 1;
            }
        }
    }
    println!("{refused} refused, {ran} ran");
    assert!(ran > MUTATIONS / 20 && refused > MUTATIONS / 20, "{refused} refused, {ran} ran");
}
