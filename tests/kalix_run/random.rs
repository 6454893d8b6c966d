//! Generated programs against the model: same value, same fault, same storage.

use std::collections::BTreeMap;
use std::ops::Range;

use alloy_primitives::{Bytes, U256};
use kalix::codegen::{CodegenOptions, OptLevel, Target};
use kalix::sema::typed::MemberKind;
use kalix::source::Source;
use kalix::syntax::parse;
use kalix::syntax::pretty::pretty;
use sha3::Digest;
use testkit::deployed::{self, Compared, Way};
use testkit::observe::{Observed, exit_name};
use testkit::program::{Program, Setting};
use testkit::random::Random;
use testkit::tiers::run_interpreted;
use zvm::outcome::{Exit, panic_data};

use crate::compile::{Compiled, World};
use crate::generate;
use crate::model::{Contract, Int, Stop, TABLE_ENTRIES};

/// Programs per run of the test; `KALIX_RANDOM_PROGRAMS` asks for more.
const PROGRAMS: u64 = 300;
const CALLS_PER_PROGRAM: usize = 6;

#[test]
fn random_programs_agree_with_the_model() {
    let programs = asked("KALIX_RANDOM_PROGRAMS", PROGRAMS);
    let mut outcomes = [0; 4];
    for seed in seeds(0, programs) {
        check(seed, &mut outcomes);
    }
    println!("values, panics, reverts, errors: {outcomes:?}");
    // Otherwise the programs say nothing.
    let [values, panics, reverts, errors] = outcomes;
    assert!(
        values > programs && panics > programs / 2 && reverts > 0 && errors > programs / 2
            || programs < PROGRAMS,
        "{outcomes:?}"
    );
}

/// The number that a variable of the environment holds.
fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The seeds of so many programs; `KALIX_RANDOM_SEED` says where they begin.
fn seeds(first: u64, programs: u64) -> Range<u64> {
    let first = asked("KALIX_RANDOM_SEED", first);
    first..first + programs
}

/// Selector and words.
fn calldata(selector: [u8; 4], args: &[U256]) -> Bytes {
    let mut data = selector.to_vec();
    args.iter().for_each(|arg| data.extend(arg.to_be_bytes::<32>()));
    data.into()
}

/// Programs per run of the comparison of levels; `KALIX_LEVEL_PROGRAMS` asks for more.
const LEVEL_PROGRAMS: u64 = 200;

/// Every level and every target does what `-O0` does, and what the printer makes of a program is that program.
#[test]
fn levels_of_optimization_agree() {
    let programs = asked("KALIX_LEVEL_PROGRAMS", LEVEL_PROGRAMS);
    let mut ends = BTreeMap::new();
    for seed in seeds(1_000_000, programs) {
        compare_levels(seed, &mut ends);
    }
    println!("ends of calls: {ends:?}");
    let count = |end| ends.get(end).copied().unwrap_or(0);
    assert!(
        count("return") > programs && count("revert") > programs || programs < LEVEL_PROGRAMS,
        "{ends:?}"
    );
}

/// What a level made of a program, and the storage that its calls left.
struct Level {
    name: String,
    target: Target,
    code: std::sync::Arc<zvm::bytecode::Code>,
    storage: BTreeMap<U256, U256>,
}

fn compare_levels(seed: u64, ends: &mut BTreeMap<&'static str, u64>) {
    let mut r = Random::new(seed);
    let contract = generate::contract(&mut r);
    let text = contract.text();
    let fail = |what: String| -> ! { panic!("seed {seed}: {what}\n{text}") };
    let mut levels = Vec::new();
    let mut selector = [0; 4];
    for target in Target::ALL {
        for opt_level in OptLevel::ALL {
            let options = CodegenOptions { target, opt_level, ..CodegenOptions::STANDARD };
            let compiled = Compiled::new(&text, &options).unwrap_or_else(|error| fail(error));
            selector = compiled.entry("run").expect("the entry point").selector;
            let program = |code| Program { encoding: target.encoding(), code, setting: Setting::plain() };
            let setting = Setting { gas: 10_000_000, ..Setting::plain() };
            let created = run_interpreted(&program(compiled.init.clone()).to_code(), &setting).observed;
            let deployed = created.output.strip_prefix(target.prefix());
            let deployed = deployed.unwrap_or_else(|| fail("creation failed".into())).to_vec();
            levels.push(Level {
                name: format!("{target:?} {opt_level:?}"),
                target,
                code: program(deployed).to_code(),
                storage: created.storage.unwrap_or_default(),
            });
            if opt_level == OptLevel::O1 {
                let printed = printed(&text).unwrap_or_else(|what| fail(what));
                let again = Compiled::new(&printed, &options).unwrap_or_else(|error| fail(error));
                if again.runtime.bytes != compiled.runtime.bytes {
                    fail(format!("another program when printed:\n{printed}"));
                }
            }
        }
    }
    for _ in 0..CALLS_PER_PROGRAM {
        let func = contract.funcs.last().expect("the entry point");
        let args: Vec<Int> = (0..func.params).map(|p| generate::value(&mut r, func.locals[p])).collect();
        let words: Vec<U256> = args.iter().enumerate().map(|(p, x)| func.locals[p].word(x)).collect();
        let mut first: Option<Observed> = None;
        for level in &mut levels {
            let setting = Setting {
                input: calldata(selector, &words),
                gas: 10_000_000,
                storage: level.storage.clone(),
                ..Setting::plain()
            };
            let observed = run_interpreted(&level.code, &setting).observed;
            if let Some(storage) = &observed.storage {
                level.storage = storage.clone();
            }
            let end = |observed: &Observed| match observed.exit {
                Exit::Halt | Exit::Return => "return",
                Exit::Revert => "revert",
                _ => "trap",
            };
            let Some(expected) = &first else {
                *ends.entry(end(&observed)).or_default() += 1;
                first = Some(observed);
                continue;
            };
            let same = end(&observed) == end(expected)
                && observed.output == expected.output
                && observed.logs == expected.logs
                && observed.storage == expected.storage;
            // Levels may run out of gas at different places.
            if !same && end(expected) != "trap" && end(&observed) != "trap" {
                fail(format!(
                    "{} {:?}: run{words:?}: {} {} instead of {} {}",
                    level.name,
                    level.target,
                    exit_name(observed.exit),
                    observed.output,
                    exit_name(expected.exit),
                    expected.output
                ));
            }
        }
    }
}

/// The program as the printer writes it, which must be a fixed point.
fn printed(text: &str) -> Result<String, String> {
    let print = |text: &str| {
        let (tree, diags) = parse(&Source::new("test.kalix", text));
        if diags.has_errors() { Err(format!("does not parse:\n{text}")) } else { Ok(pretty(&tree)) }
    };
    let once = print(text)?;
    let twice = print(&once)?;
    if once == twice {
        Ok(once)
    } else {
        Err(format!("printed differently the second time:\n{once}\n{twice}"))
    }
}

fn check(seed: u64, outcomes: &mut [u64; 4]) {
    let mut r = Random::new(seed);
    let contract = generate::contract(&mut r);
    let text = contract.text();
    let fail = |what: String| -> ! { panic!("seed {seed}: {what}\n{text}") };
    // Some have little of the stack.
    let stack_words_max = *r.pick(&[&96, &96, &96, &8, &3, &1]);
    let target = *r.pick(&Target::ALL.each_ref());
    let options = CodegenOptions { target, stack_words_max, opt_level: OptLevel::ALL[seed as usize % 4] };
    let compiled = Compiled::new(&text, &options).unwrap_or_else(|error| fail(error));
    let entry = compiled.entry("run").expect("the entry point").clone();
    let (_, world) = World::deploy(compiled, &[], U256::ZERO).unwrap_or_else(|error| fail(error));
    let mut world = world.unwrap_or_else(|| fail("creation failed".into()));
    let mut state = vec![Int::ZERO; contract.stored().len()];
    for _ in 0..CALLS_PER_PROGRAM {
        let func = contract.funcs.last().expect("the entry point");
        let args: Vec<Int> = (0..func.params).map(|p| generate::value(&mut r, func.locals[p])).collect();
        let mut after = state.clone();
        let mut events = Vec::new();
        let expected = contract.run(&args, &mut after, &mut events);
        if expected == Err(Stop::TooLong) {
            continue;
        }
        let words: Vec<U256> = args.iter().enumerate().map(|(p, x)| func.locals[p].word(x)).collect();
        let observed = world
            .call(calldata(entry.selector, &words), U256::ZERO)
            .unwrap_or_else(|error| fail(format!("run{words:?}: {error}")));
        let difference = match &expected {
            Ok(value) => {
                state = after;
                outcomes[0] += 1;
                let word = func.result.word(value).to_be_bytes::<32>();
                expect(&observed, Exit::Return, &word)
                    .or_else(|| state_difference(&contract, &state, &world.compiled, &world.storage))
                    .or_else(|| events_difference(&events, &observed))
            }
            Err(Stop::Panic(code)) => {
                outcomes[1] += 1;
                expect(&observed, Exit::Revert, &panic_data(*code))
            }
            Err(Stop::Error(variant, words)) => {
                outcomes[3] += 1;
                let errors = &world.compiled.program.types.error_types[0];
                expect(&observed, Exit::Revert, &calldata(errors.variants[*variant].selector, words))
            }
            Err(_) => {
                outcomes[2] += 1;
                expect(&observed, Exit::Revert, &[])
            }
        };
        if let Some(difference) = difference {
            fail(format!("run{words:?}: {difference}, the model says {expected:?}"));
        }
    }
}

fn expect(observed: &Observed, exit: Exit, output: &[u8]) -> Option<String> {
    let same = observed.exit == exit && observed.output[..] == *output;
    (!same).then(|| {
        let output = Bytes::copy_from_slice(output);
        let (found, expected) = (exit_name(observed.exit), exit_name(exit));
        format!("{found} {} instead of {expected} {output}", observed.output)
    })
}

/// Compares each event with its log: the first word is a topic, the others are data.
fn events_difference(events: &[(usize, Vec<U256>)], observed: &Observed) -> Option<String> {
    let logs: Vec<Vec<U256>> = observed
        .logs
        .iter()
        .map(|log| {
            let data = log.data.chunks(32).map(U256::from_be_slice);
            log.topics[1..].iter().map(|topic| (*topic).into()).chain(data).collect()
        })
        .collect();
    let same = logs.iter().eq(events.iter().map(|(_, words)| words));
    (!same).then(|| format!("events {logs:?} instead of {events:?}"))
}

/// Compares each member and each entry with its bytes in storage, by the places that the typed tree gives.
fn state_difference(
    contract: &Contract,
    state: &[Int],
    compiled: &Compiled,
    storage: &BTreeMap<U256, U256>,
) -> Option<String> {
    let members = &compiled.contract().storage;
    let mut places = Vec::new();
    for member in members.iter().filter(|member| member.kind != MemberKind::Table) {
        places.push((member.slot, member.offset_bytes));
    }
    for table in members.iter().filter(|member| member.kind == MemberKind::Table) {
        for key in 0..TABLE_ENTRIES {
            let words = [table.slot, U256::from(key)].map(|word| word.to_be_bytes::<32>());
            places.push((U256::from_be_slice(&sha3::Keccak256::digest(words.concat())), 0));
        }
    }
    for (&(slot, offset_bytes), (value, ty)) in places.iter().zip(state.iter().zip(contract.stored())) {
        let word = storage.get(&slot).copied().unwrap_or_default();
        let mask = U256::MAX >> (256 - ty.bits);
        let found = (word >> (8 * usize::from(offset_bytes))) & mask;
        let expected = ty.word(value) & mask;
        if found != expected {
            return Some(format!("slot {slot:#x} holds {found:#x} instead of {expected:#x}"));
        }
    }
    None
}

/// Programs with everything that the language has, per run of the test; `KALIX_CONTRACT_PROGRAMS` asks for more.
const CONTRACTS: u64 = 40;
/// Calls of each, after its creation.
const MESSAGES: usize = 8;

/// Contracts with enums, references, vectors, errors and calls of each other do at every level and on every target what
/// they do at `-O0`, and in compiled code what they do interpreted; the printer's text of each is the same program.
#[test]
fn levels_and_targets_agree_on_contracts() {
    let programs = asked("KALIX_CONTRACT_PROGRAMS", CONTRACTS);
    let mut all = Compared::default();
    for seed in seeds(0, programs) {
        if let Err(error) = compare_contract(seed, &mut all) {
            let text = testkit::contracts::contract(&mut Random::new(seed));
            panic!("seed {seed}: {error}\n{text}");
        }
        if programs > CONTRACTS && seed % 100 == 99 {
            println!("up to seed {seed}: {all:?}");
        }
    }
    println!("{all:?}");
    let count = |end| all.ends.get(end).copied().unwrap_or(0);
    let is_telling = count("return") > programs && count("revert") > programs && count("trap") < programs;
    assert!(is_telling && all.compiled > programs / 4 || programs < CONTRACTS, "{all:?}");
}

fn compare_contract(seed: u64, all: &mut Compared) -> Result<(), String> {
    let text = testkit::contracts::contract(&mut Random::new(seed));
    let way = Way { target: Target::Zvm, opt_level: OptLevel::O1 };
    let code = |text: &str| {
        let mut compilation = way.compile(text);
        compilation.contracts.pop().map(|contract| contract.artifact.runtime.bytes)
    };
    // One in some hundred has more code than a contract may have.
    let compilation = way.compile(&text);
    if compilation.has_errors() && deployed::depends_on_way(&compilation) {
        return Ok(());
    }
    let expected = code(&text).ok_or("it does not compile")?;
    let printed = printed(&text)?;
    if code(&printed) != Some(expected) {
        return Err(format!("another program when printed:\n{printed}"));
    }
    // Native code takes longer than all else: one way of every fourth program.
    let in_both_tiers = |way: Way| {
        seed.is_multiple_of(4) && way.opt_level == OptLevel::ALL[seed as usize / 4 % OptLevel::ALL.len()]
    };
    all.add(&deployed::compare(&text, seed, MESSAGES, in_both_tiers)?);
    Ok(())
}

/// What the generator of contracts claims to use.
#[test]
fn generated_contracts_have_what_the_language_has() {
    let texts: Vec<String> =
        (0..200).map(|seed| testkit::contracts::contract(&mut Random::new(seed))).collect();
    let mut rare = Vec::new();
    for (part, programs_min) in PARTS {
        let programs = texts.iter().filter(|text| text.contains(part)).count();
        println!("{part:?}: {programs}");
        if programs < *programs_min {
            rare.push(part);
        }
    }
    assert!(rare.is_empty(), "hardly a program of {} has {rare:?}", texts.len());
    println!("{} lines", texts.iter().map(|text| text.lines().count()).sum::<usize>() / texts.len());
}

const PARTS: &[(&str, usize)] = &[
    ("match state.", 10),
    ("match &mut state.", 10),
    ("match &mut *self", 20),
    ("match self", 20),
    ("match try Main(self.address)", 10),
    ("= Main(self", 1),
    ("Main(self.address)", 10),
    ("(try Main(self", 10),
    ("try new Child", 1),
    ("new Child(", 10),
    (".bump(", 10),
    ("?", 10),
    ("(&mut state.", 5),
    ("(&mut x", 5),
    ("(&state.", 5),
    ("(&x", 5),
    (".m", 20),
    ("= &mut state.", 10),
    ("= &state.", 10),
    ("= &mut x", 10),
    ("while let Some(", 10),
    (" in state.", 10),
    ("transient.", 10),
    ("emit Event", 50),
    ("revert Fault", 20),
    ("Err(Fault::", 20),
    ("Err(Low(", 10),
    (".unwrap_or(", 10),
    ("break", 5),
    ("continue", 5),
    (".remove(", 10),
    (".push(", 20),
    (".pop()", 10),
    ("msg.value", 5),
    ("{value: 1}", 3),
    ("Map<(", 10),
    (".slice(", 10),
    ("keccak256(", 10),
    ("[max:", 10),
    ("return ", 10),
    ("free", 10),
    ("inner", 10),
    ("_of_Point", 1),
    ("state.g", 1),
    ("abi.encode(", 1),
];
