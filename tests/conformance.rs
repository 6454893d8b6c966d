//! The benchmark contracts of the vectors folder in both tiers: output, gas, logs and storage as independent
//! engines computed them. Skips, and says so, when the folder is absent.

use std::sync::Arc;

use testkit::cases::{Case, bench_cases, vectors_dir};
use zvm::engine::{Executor, Mode};
use zvm_jit::{Jit, JitOptions};

/// Runs the case in `mode` and compares everything it observes; returns the blocks that ran compiled.
fn check(case: &Case, mode: Mode) -> u64 {
    let expected = &case.expected;
    let jit = Jit::new(JitOptions::checked()).expect("the JIT supports this machine");
    let engine = case.engine().native_code(false).mode(mode).tier(Arc::new(jit)).count_blocks(true).build();
    let mut executor = Executor::new(engine, case.database());
    let result = executor.transact(&case.transaction(), &case.block()).expect("the transaction is valid");
    let row = format!("{} in {mode:?}", case.name);
    assert_eq!(result.is_success(), expected.success, "{row}: success");
    assert_eq!(result.output, expected.output, "{row}: output");
    assert_eq!(result.gas_used, expected.gas_used, "{row}: gas used");
    assert_eq!(result.exec_gas, expected.exec_gas, "{row}: gas of the top frame");
    assert_eq!(result.logs.len(), expected.logs.len(), "{row}: number of logs");
    for (log, expected) in result.logs.iter().zip(&expected.logs) {
        assert_eq!(
            (&log.address, &log.topics, &log.data),
            (&expected.address, &expected.topics, &expected.data),
            "{row}"
        );
    }
    let diff = executor.state().diff();
    for (address, account) in &diff.accounts {
        let empty = Default::default();
        let slots = expected.storage_diff.get(address).unwrap_or(&empty);
        assert_eq!(&account.storage, slots, "{row}: storage of {address}");
    }
    for address in expected.storage_diff.keys() {
        assert!(diff.accounts.contains_key(address), "{row}: {address} should have changed");
    }
    result.blocks_compiled
}

#[test]
fn the_benchmark_contracts_give_the_expected_results_in_both_tiers() {
    let Some(vectors) = vectors_dir() else {
        eprintln!("skipped: no vectors folder (set ZVM_VECTORS)");
        return;
    };
    let mut ran = 0;
    for case in bench_cases(&vectors).expect("the cases read") {
        assert_eq!(check(&case, Mode::Interp), 0, "{}: nothing is compiled in the interpreter", case.name);
        let compiled = check(&case, Mode::Jit);
        assert!(compiled > 0 || case.calls_precompile(), "{}: compiled code must run", case.name);
        ran += 1;
    }
    println!("{ran} cases in two tiers");
    assert!(ran > 0, "the folder has cases that run");
}
