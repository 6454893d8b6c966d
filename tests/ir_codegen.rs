//! Random IR modules, executed directly and as bytecode: outcome, storage, transient storage and logs must agree, however
//! few values codegen may keep on the stack.

#[path = "ir_codegen/evaluate.rs"]
mod evaluate;
#[path = "ir_codegen/generate.rs"]
mod generate;

use std::collections::BTreeMap;

use alloy_primitives::U256;
use evaluate::{Ending, Outcome};
use kalix::codegen::gas_report::Estimator;
use kalix::codegen::{Assembly, CodegenOptions, OptLevel, Target, compile_module};
use kalix::ir::text::{print_module, read_module};
use kalix::ir::{Module, verify};
use testkit::observe::Observed;
use testkit::program::{Program, Setting};
use testkit::tiers::run_interpreted;
use zvm::bytecode::{DisasmOptions, disassemble};
use zvm::outcome::Exit;

/// Programs per run; every one is compiled and executed with each setting. `KALIX_IR_PROGRAMS` asks for more.
const PROGRAMS: u64 = 1500;
/// Words on the stack, and how much the IR is optimized first.
const SETTINGS: [(Target, usize, OptLevel); 9] = [
    (Target::Zvm, 96, OptLevel::O0),
    (Target::Zvm, 96, OptLevel::O1),
    (Target::Zvm, 96, OptLevel::Os),
    (Target::Zvm, 5, OptLevel::O0),
    (Target::Zvm, 1, OptLevel::O2),
    (Target::Evm, 96, OptLevel::O0),
    (Target::Evm, 96, OptLevel::O2),
    (Target::Evm, 3, OptLevel::O0),
    (Target::Evm, 1, OptLevel::O1),
];

type Totals = BTreeMap<&'static str, u64>;

fn setting(seed: u64) -> Setting {
    let input: Vec<u8> = (0..64).map(|i| (seed.wrapping_mul(31).wrapping_add(i * 7) >> 1) as u8).collect();
    let storage = BTreeMap::from([(U256::from(1), U256::from(5)), (U256::from(3), U256::MAX)]);
    Setting { input: input.into(), storage, gas: 50_000_000, ..Setting::plain() }
}

fn execute(assembly: &Assembly, setting: &Setting) -> Observed {
    let program = Program {
        encoding: assembly.target.encoding(),
        code: assembly.bytes.clone(),
        setting: setting.clone(),
    };
    run_interpreted(&program.to_code(), setting).observed
}

fn difference(expected: &Outcome, observed: &Observed) -> Option<String> {
    let ending = match observed.exit {
        Exit::Halt | Exit::Return => Ending::Success(observed.output.to_vec()),
        Exit::Revert => Ending::Revert(observed.output.to_vec()),
        _ => Ending::Invalid,
    };
    if ending != expected.ending {
        return Some(format!("ending: {:?} instead of {:?} ({:?})", ending, expected.ending, observed.exit));
    }
    if !matches!(ending, Ending::Success(_)) {
        return None;
    }
    let logs: Vec<(Vec<U256>, Vec<u8>)> = observed
        .logs
        .iter()
        .map(|log| (log.topics.iter().map(|t| (*t).into()).collect(), log.data.to_vec()))
        .collect();
    if logs != expected.logs {
        return Some(format!("logs: {logs:?} instead of {:?}", expected.logs));
    }
    if observed.storage.as_ref() != Some(&expected.storage) {
        return Some(format!("storage: {:?} instead of {:?}", observed.storage, expected.storage));
    }
    (observed.transient.as_ref() != Some(&expected.transient)).then(|| "transient storage".to_owned())
}

/// What the run says against the estimate.
fn gas_difference(
    assembly: &Assembly,
    setting: &Setting,
    observed: &Observed,
    totals: &mut Totals,
) -> Option<String> {
    let selector = setting.input[..4].try_into().expect("four bytes");
    let estimate = Estimator::new(assembly).estimate(selector);
    let used = setting.gas - observed.gas_left;
    let succeeded = matches!(observed.exit, Exit::Halt | Exit::Return);
    *totals.entry(if estimate.bound.is_some() { "bounded" } else { "unbounded" }).or_default() += 1;
    let above = estimate.bound.is_some_and(|bound| used > bound);
    let below = succeeded && used < estimate.min;
    (above || below).then(|| format!("{used} gas, estimated {estimate:?}"))
}

fn check(seed: u64, module: &Module, totals: &mut Totals) {
    verify::verify(module).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{}", print_module(module)));
    let setting = setting(seed);
    let expected = evaluate::run(module, &setting.input, &setting.storage);
    *totals
        .entry(match expected.ending {
            Ending::Success(_) => "success",
            Ending::Revert(_) => "revert",
            Ending::Invalid => "invalid",
        })
        .or_default() += 1;
    for (target, stack_words_max, opt_level) in SETTINGS {
        // Expansions rely on words in the form of their type.
        if target == Target::Evm && expected.is_out_of_type {
            *totals.entry("out of type").or_default() += 1;
            continue;
        }
        let assembly = compile_module(module, &CodegenOptions { target, stack_words_max, opt_level })
            .unwrap_or_else(|e| {
                panic!("seed {seed}, {target:?}, {stack_words_max} words: {e}\n{}", print_module(module))
            });
        let observed = execute(&assembly, &setting);
        let difference = difference(&expected, &observed)
            .or_else(|| gas_difference(&assembly, &setting, &observed, totals));
        if let Some(difference) = difference {
            let code = disassemble(&assembly.bytes, target.encoding(), DisasmOptions { offsets: true });
            panic!(
                "seed {seed}, {target:?}, {stack_words_max} words, {opt_level:?}: {difference}\n{}\n{code}",
                print_module(module)
            );
        }
    }
}

#[test]
fn compiled_modules_do_what_the_ir_says() {
    let mut totals = Totals::new();
    let wanted = std::env::var("KALIX_IR_PROGRAMS").ok().and_then(|text| text.parse().ok());
    let programs: u64 = wanted.unwrap_or(PROGRAMS).max(100);
    for seed in 0..programs {
        let module = generate::module(seed);
        check(seed, &module, &mut totals);
    }
    assert!(totals["bounded"] > programs, "{totals:?}");
    // A generator that only makes programs which fault at once would test little.
    let out_of_type = totals.get("out of type").copied().unwrap_or_default();
    assert!(out_of_type < programs / 2, "{totals:?}");
    assert!(totals["success"] > programs / 3 && totals["revert"] > programs / 20, "{totals:?}");
}

#[test]
fn the_text_form_keeps_random_modules() {
    for seed in 0..200 {
        let module = generate::module(seed);
        let text = print_module(&module);
        let read = read_module(&text).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(print_module(&read), text, "seed {seed}");
    }
}
