//! Every kind of wrong code is found, its result does not count, and it is banned.

use std::sync::atomic::Ordering;

use zvm::check::Checking;
use zvm::{Engine, Mode};

use crate::bent::{Bend, BentTier};
use crate::world::{CALLING, CREATING, PLAIN, STATIC, call, cases, executor, plain, reference, telling};

const RETURNING: &str = "push1 1\npush0\nreturn";
const REVERTING: &str = "push1 1\npush0\nrevert";
const TRAPPING: &str = "push1 9\npush0\nmstore\npop";
const DESTROYING: &str = "caller\nselfdestruct";

/// What is wrong, where, and what the first difference is about.
const ROWS: [(Bend, &str, &str, &str); 19] = [
    (Bend::Gas, PLAIN, RETURNING, "gas left"),
    (Bend::Gas, REVERTING, RETURNING, "gas left"),
    (Bend::Gas, CALLING, REVERTING, "gas left"),
    (Bend::Outcome, PLAIN, RETURNING, "outcome"),
    (Bend::Trap, PLAIN, RETURNING, "outcome"),
    (Bend::NoTrap, TRAPPING, RETURNING, "outcome"),
    (Bend::NoTrap, CALLING, TRAPPING, "outcome"),
    (Bend::Output, PLAIN, RETURNING, "return data"),
    (Bend::Output, CALLING, RETURNING, "return data"),
    (Bend::Memory, PLAIN, RETURNING, "memory at 0"),
    (Bend::Store, PLAIN, RETURNING, "question 1"),
    (Bend::NoStore, PLAIN, RETURNING, "question 1"),
    (Bend::Log, PLAIN, RETURNING, "question 4"),
    (Bend::Refund, PLAIN, RETURNING, "question 3"),
    (Bend::Beneficiary, DESTROYING, RETURNING, "question"),
    (Bend::CallGas, CALLING, RETURNING, "question 3"),
    (Bend::CallData, STATIC, RETURNING, "question 3"),
    (Bend::CallData, CREATING, RETURNING, "question"),
    (Bend::Transient, PLAIN, RETURNING, "question"),
];

#[test]
fn what_is_wrong_is_found_and_the_interpreters_result_stands() {
    for (bend, target, callee, what) in ROWS {
        let row = format!("{bend:?} {target:?} {callee:?}");
        for checking in [
            (Mode::Check, Checking::new()),
            (Mode::Jit, Checking { first_runs: 1, ..Checking::new() }),
            (Mode::Jit, Checking { one_in: std::num::NonZeroU32::new(1), ..Checking::new() }),
        ] {
            let tier = BentTier::new(bend);
            let (builder, told) = telling(&tier, checking.0, checking.1);
            let engine = builder.build();
            let mut executor = executor(engine.clone(), target, callee);
            let result = call(&mut executor);
            let (expected, changes) = reference(target, callee);
            assert_eq!(plain(result), plain(expected), "{row}");
            assert_eq!(executor.changes(), changes, "{row}");

            let found = cases(&told);
            assert!(!found.is_empty(), "{row}: not found");
            assert!(found[0].difference.what.starts_with(what), "{row}: {}", found[0].difference);
            let stats = engine.check_stats();
            assert_eq!(stats.differences, found.len() as u64, "{row}");
            assert_eq!(stats.codes_banned, found.len() as u64, "{row}");
            assert_eq!(tier.bans.load(Ordering::Relaxed), stats.codes_banned, "{row}");
        }
    }
}

#[test]
fn banned_code_is_neither_entered_nor_compiled_again() {
    let tier = BentTier::new(Bend::Gas);
    let (builder, told) = telling(&tier, Mode::Check, Checking::new());
    let engine = builder.build();
    let mut first = executor(engine.clone(), PLAIN, RETURNING);
    call(&mut first);
    assert_eq!((tier.runs(), tier.prepared.load(Ordering::Relaxed)), (1, 1));
    for _ in 0..3 {
        call(&mut first);
    }
    // The same code where the engine has forgotten the code object.
    let code = std::sync::Arc::new(zvm::bytecode::Code::evm(crate::world::evm(PLAIN)));
    assert!(!engine.compile(&code));
    assert!(engine.compiled(&code).is_none());
    assert_eq!((tier.runs(), tier.prepared.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(cases(&told).len(), 1);
}

#[test]
fn what_is_right_passes() {
    for target in [PLAIN, CALLING, STATIC, CREATING, REVERTING, TRAPPING, DESTROYING] {
        for callee in [RETURNING, REVERTING, TRAPPING, DESTROYING, PLAIN] {
            let tier = BentTier::new(Bend::Straight);
            let (builder, told) = telling(&tier, Mode::Check, Checking::new());
            let engine = builder.build();
            let mut executor = executor(engine.clone(), target, callee);
            let result = call(&mut executor);
            let (expected, changes) = reference(target, callee);
            assert_eq!(plain(result), plain(expected), "{target:?} {callee:?}");
            assert_eq!(executor.changes(), changes, "{target:?} {callee:?}");
            let differences: Vec<String> =
                cases(&told).iter().map(|case| case.difference.to_string()).collect();
            assert_eq!(differences, [""; 0], "{target:?} {callee:?}");
            assert!(engine.check_stats().frames_checked >= 1, "{target:?} {callee:?}");
            assert!(tier.runs() >= 1, "compiled code has run");
        }
    }
}

#[test]
fn an_inspector_is_told_once_what_the_interpreter_does() {
    use zvm::Executor;
    use zvm::inspect::{CallEnd, CallStart, Inspector, StorageAccess};
    #[derive(Default)]
    struct Counting(u32);
    impl Inspector for Counting {
        fn call_start(&mut self, _: &CallStart<'_>) {
            self.0 += 1;
        }
        fn call_end(&mut self, _: &CallEnd<'_>) {
            self.0 += 100;
        }
        fn storage(&mut self, _: &StorageAccess) {
            self.0 += 10_000;
        }
    }
    let count = |engine: Engine| {
        let database = executor(engine.clone(), CALLING, RETURNING).into_state().into_database();
        let mut inspected = Executor::with_inspector(engine, database, Counting::default());
        let block = zvm::host::BlockEnv { gas_limit: crate::world::word(30_000_000), ..Default::default() };
        let sent = zvm::tx::Transaction::legacy(
            crate::world::SENDER,
            Some(crate::world::TARGET),
            zvm::U256::ZERO,
            zvm::Bytes::new(),
            1_000_000,
            zvm::U256::ZERO,
        );
        inspected.transact(&sent, &block).expect("the transaction is valid");
        inspected.inspector().0
    };
    let tier = BentTier::new(Bend::Straight);
    let (builder, _) = telling(&tier, Mode::Check, Checking::new());
    let engine = builder.build();
    assert_eq!(count(engine.clone()), count(Engine::builder().build()));
    assert_eq!(engine.check_stats().frames_checked, 2);
}
