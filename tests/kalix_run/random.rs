//! Generated programs against the model: same value, same fault, same storage.

use alloy_primitives::{Bytes, U256};
use kalix::codegen::{CodegenOptions, OptLevel, Target};
use kalix::sema::typed::MemberKind;
use sha3::Digest;
use testkit::observe::{Observed, exit_name};
use testkit::random::Random;
use zvm::outcome::{Exit, panic_data};

use crate::compile::{Compiled, World};
use crate::generate;
use crate::model::{Contract, Int, Stop, TABLE_ENTRIES};

/// Programs per run of the test; `KALIX_RANDOM_PROGRAMS` asks for more.
const PROGRAMS: u64 = 300;
const CALLS_PER_PROGRAM: usize = 6;

#[test]
fn random_programs_agree_with_the_model() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let programs = number("KALIX_RANDOM_PROGRAMS").unwrap_or(PROGRAMS);
    let first = number("KALIX_RANDOM_SEED").unwrap_or(0);
    let mut outcomes = [0; 4];
    for seed in first..first + programs {
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

/// Selector and words.
fn calldata(selector: [u8; 4], args: &[U256]) -> Bytes {
    let mut data = selector.to_vec();
    args.iter().for_each(|arg| data.extend(arg.to_be_bytes::<32>()));
    data.into()
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
        let expected = contract.run(&args, &mut after);
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
                expect(&observed, Exit::Return, &word).or_else(|| state_difference(&contract, &state, &world))
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

/// Compares each member and each entry with its bytes in storage, by the places that the typed tree gives.
fn state_difference(contract: &Contract, state: &[Int], world: &World) -> Option<String> {
    let members = &world.compiled.contract().storage;
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
        let word = world.storage.get(&slot).copied().unwrap_or_default();
        let mask = U256::MAX >> (256 - ty.bits);
        let found = (word >> (8 * usize::from(offset_bytes))) & mask;
        let expected = ty.word(value) & mask;
        if found != expected {
            return Some(format!("slot {slot:#x} holds {found:#x} instead of {expected:#x}"));
        }
    }
    None
}
