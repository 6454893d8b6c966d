//! Tier-up, publication, bounds and failures of compiled code, through the engine as an embedder uses it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use testkit::pressure::{self, Runner, contract, seen};
use zvm::bytecode::Code;
use zvm::compiled::cache::CacheLimits;
use zvm::engine::{Compiling, EngineBuilder, EngineError, TierUp};
use zvm::host::{BlockEnv, HostError};
use zvm::state::{AccountInfo, Database};
use zvm::{Engine, Executor, Fork, Mode};
use zvm_jit::{Jit, JitOptions};

fn jit(options: JitOptions) -> Arc<Jit> {
    Arc::new(Jit::new(options).expect("this machine has a code generator"))
}

fn tiered(compiling: Compiling) -> EngineBuilder {
    let tier_up = TierUp { gas_base: 3000, gas_per_byte: 0 };
    Engine::builder()
        .mode(Mode::Tiered)
        .tier(jit(JitOptions::checked()))
        .tier_up(tier_up)
        .compiling(compiling)
}

fn background(is_blocking: bool) -> Compiling {
    Compiling::Background { threads: NonZeroUsize::MIN, queue_max: 16, is_blocking }
}

/// n rounds of Fibonacci, n in two bytes.
fn fibonacci(rounds: u16) -> Bytes {
    let [high, low] = rounds.to_be_bytes();
    // push2 n push0 push1 1 (n a b) / loop: jumpdest dup1 swap2 add swap2 push1 1 swap1 sub dup1 push1 loop jumpi
    Bytes::from(vec![
        0x5f, 0x60, 1, 0x61, high, low, 0x5b, 0x91, 0x81, 0x01, 0x90, 0x91, 0x60, 1, 0x90, 0x03, 0x80, 0x60,
        6, 0x57, 0x50, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3,
    ])
}

fn interpreted(code: &Bytes) -> (zvm::outcome::Exit, u64, Bytes) {
    seen(&Runner::new(Engine::builder().build()).run(code).expect("runs"))
}

#[test]
fn a_running_loop_changes_to_compiled_code() {
    for compiling in [Compiling::Inline, background(true)] {
        let engine = tiered(compiling).build();
        let code = fibonacci(5000);
        let result = Runner::new(engine.clone()).run(&code).expect("runs");
        assert_eq!(seen(&result), interpreted(&code), "{compiling:?}");
        assert!(result.blocks_compiled > 4500, "{compiling:?}: most rounds run compiled: {result:?}");
        let stats = engine.tier_stats();
        assert_eq!(
            (stats.codes_prepared, stats.regions_compiled, stats.entries_mid_run),
            (1, 1, 1),
            "{stats:?}"
        );
        assert_eq!(stats.exits.ended, 1, "{stats:?}");
        assert!(stats.compile_time > Duration::ZERO);
        assert!((50..10_000).contains(&stats.code_bytes), "{stats:?}");
    }
}

#[test]
fn cold_code_is_not_compiled() {
    let engine = tiered(Compiling::Inline).build();
    let mut runner = Runner::new(engine.clone());
    let code = fibonacci(10);
    for run in 0..5 {
        assert_eq!(runner.run(&code).expect("runs").blocks_compiled, 0, "run {run}");
    }
    assert_eq!(engine.tier_stats().codes_prepared, 0);
    for _ in 0..20 {
        assert_eq!(seen(&runner.run(&code).expect("runs")), interpreted(&code));
    }
    assert_eq!(engine.tier_stats().regions_compiled, 1, "many short runs are hot together");
    assert!(runner.run(&code).expect("runs").blocks_compiled > 0);
}

#[test]
fn the_background_thread_publishes_while_the_interpreter_goes_on_and_ends_with_the_engine() {
    let jit = jit(JitOptions::checked());
    let engine = tiered(background(false)).tier(jit.clone()).build();
    let mut runner = Runner::new(engine.clone());
    let code = fibonacci(3000);
    assert_eq!(seen(&runner.run(&code).expect("runs")), interpreted(&code));
    engine.wait_for_compiler();
    let result = runner.run(&code).expect("runs");
    assert_eq!(seen(&result), interpreted(&code));
    assert!(result.blocks_compiled > 3000 && result.blocks_interpreted == 0, "{result:?}");
    assert!(jit.code_memory().used_bytes > 0);
    drop((runner, engine));
    // The thread held the compiler and the code; it was joined, so both are gone.
    assert_eq!(Arc::strong_count(&jit), 1);
    assert_eq!(jit.code_memory().used_bytes, 0);
}

#[test]
fn pausing_defers_compilation() {
    for compiling in [Compiling::Inline, background(true)] {
        let engine = tiered(compiling).build();
        let mut runner = Runner::new(engine.clone());
        let code = fibonacci(3000);
        engine.pause_compiling();
        assert_eq!(runner.run(&code).expect("runs").blocks_compiled, 0, "{compiling:?}");
        engine.resume_compiling();
        assert!(runner.run(&code).expect("runs").blocks_compiled > 0, "{compiling:?}");
    }
}

#[test]
fn hot_regions_are_compiled_and_cold_ones_are_not() {
    let options = JitOptions { region_blocks_max: 4, ..JitOptions::checked() };
    let engine = tiered(Compiling::Inline).tier(jit(options)).build();
    // A hot loop, then a tail of blocks that run once.
    let mut code = fibonacci(2000).to_vec();
    let tail = code.split_off(20);
    for _ in 0..40 {
        code.extend([0x33, 0x61]);
        code.extend((code.len() as u16 + 4).to_be_bytes());
        code.extend([0x57, 0x00, 0x5b]);
    }
    code.extend(tail);
    let code = Bytes::from(code);
    let result = Runner::new(engine.clone()).run(&code).expect("runs");
    assert_eq!(seen(&result), interpreted(&code));
    let object = engine.code(&keccak256(&code), || unreachable!("cached")).expect("no trouble");
    let regions = engine.compiled(&object).expect("prepared").region_count();
    let stats = engine.tier_stats();
    assert!(regions > 5, "{regions} regions");
    assert_eq!(stats.regions_compiled, 1, "{stats:?}");
    assert_eq!(stats.exits.not_compiled + stats.exits.ended, 1, "{stats:?}");
    assert!(result.blocks_compiled > 1000 && result.blocks_interpreted > 10, "{result:?}");
}

#[test]
fn what_was_refused_is_not_asked_for_again() {
    let options = JitOptions { code_size_max: 10, ..JitOptions::checked() };
    let engine = Engine::builder().mode(Mode::Jit).tier(jit(options)).build();
    let mut runner = Runner::new(engine.clone());
    let code = fibonacci(50);
    for _ in 0..3 {
        assert_eq!(seen(&runner.run(&code).expect("runs")), interpreted(&code));
    }
    assert_eq!((engine.tier_stats().refused, engine.tier_stats().codes_prepared), (1, 0));

    // Fuel: a region that becomes too much intermediate code is interpreted, and counted once.
    let options = JitOptions { instructions_per_op_max: 0, ..JitOptions::checked() };
    let engine = Engine::builder().native_code(false).mode(Mode::Jit).tier(jit(options)).build();
    let mut runner = Runner::new(engine.clone());
    // Many operations on full words.
    let code = Bytes::from([&[0x30, 0x80][..], &[0x80, 0x02].repeat(1000)].concat());
    for _ in 0..3 {
        runner.run(&code).expect("runs");
    }
    let stats = engine.tier_stats();
    assert_eq!((stats.codes_prepared, stats.regions_compiled), (1, 0), "{stats:?}");
    assert!((1..10).contains(&stats.refused), "each region once: {stats:?}");
}

#[test]
fn engines_of_different_rules_share_a_code_object() {
    // clz(1) from Osaka on: push1 1 clz push0 mstore push1 32 push0 return
    let code = Arc::new(Code::evm(vec![0x60, 1, 0x1e, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]));
    let engine = |fork| {
        let builder = Engine::builder().fork(fork).native_code(false).mode(Mode::Jit);
        builder.tier(jit(JitOptions::checked())).build()
    };
    let (osaka, prague) = (engine(Fork::Osaka), engine(Fork::Prague));
    for _ in 0..3 {
        for (engine, is_success) in [(&osaka, true), (&prague, false)] {
            let result = Runner::new(engine.clone()).run_code(code.clone()).expect("runs");
            assert_eq!(result.is_success(), is_success, "{:?}", engine.spec().fork);
            assert!(result.blocks_compiled > 0 || !is_success, "compiled for its own rules");
        }
    }
    for engine in [osaka, prague] {
        assert_eq!(engine.tier_stats().codes_prepared, 1, "once per engine");
    }
}

#[test]
fn the_cache_keeps_its_budgets_and_running_code_outlives_eviction() {
    let load = pressure::compile_and_evict(1200, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert!(load.blocks_compiled > load.runs, "{load:?}");
    assert!(load.cache.evictions > 300, "{load:?}");
    assert!(load.cache.compiled_bytes <= 8 << 20 && load.cache.analyzed_bytes <= 2 << 20, "{load:?}");
    assert_eq!(load.tiers.failed + load.tiers.panicked + load.tiers.refused, 0, "{load:?}");

    let jit = jit(JitOptions::checked());
    let limits = CacheLimits { analyzed_bytes: 1, compiled_bytes: 1 };
    let engine =
        Engine::builder().native_code(false).mode(Mode::Jit).tier(jit.clone()).code_cache(limits).build();
    let bytes = |seed| Bytes::from(contract(seed));
    let get = |seed| engine.code(&keccak256(bytes(seed)), || Ok(bytes(seed))).expect("no trouble");
    let held = get(1);
    assert!(engine.compile(&held) && !engine.compile(&held));
    let other = get(2);
    assert_eq!(engine.cache_stats().codes, 1, "the first is evicted");
    let result = Runner::new(engine.clone()).run_code(held).expect("runs");
    assert!(result.blocks_compiled > 0, "who holds it runs it");
    drop(other);
}

#[test]
fn two_threads_under_pressure_agree_with_the_interpreter() {
    let load = pressure::stress(2, Duration::from_secs(5)).unwrap_or_else(|error| panic!("{error}"));
    assert!(load.runs > 100 && load.blocks_compiled > 0, "{load:?}");
    assert!(load.tiers.regions_compiled > 0 && load.cache.evictions > 0, "{load:?}");
}

/// A database whose storage fails.
struct Broken(Bytes);

impl Database for Broken {
    fn account(&mut self, _: &Address) -> Result<Option<AccountInfo>, HostError> {
        let code_hash = keccak256(&self.0);
        Ok(Some(AccountInfo { nonce: 0, balance: U256::from(1_000_000_000), code_hash }))
    }
    fn code(&mut self, _: &B256) -> Result<Bytes, HostError> {
        Ok(self.0.clone())
    }
    fn storage(&mut self, _: &Address, key: &U256) -> Result<U256, HostError> {
        if key.is_zero() { Ok(U256::ZERO) } else { Err(HostError("the disk is gone".into())) }
    }
    fn has_storage(&mut self, _: &Address) -> Result<bool, HostError> {
        Ok(false)
    }
    fn block_hash(&mut self, _: u64) -> Result<B256, HostError> {
        Err(HostError("the disk is gone".into()))
    }
}

#[test]
fn a_failing_database_ends_compiled_code_as_an_error_with_nothing_committed() {
    // push1 1 push0 sstore (works); push1 1 sload (fails)
    let code = Bytes::from_static(&[0x60, 1, 0x5f, 0x55, 0x60, 1, 0x54]);
    let engine =
        Engine::builder().native_code(false).mode(Mode::Jit).tier(jit(JitOptions::checked())).build();
    let mut executor = Executor::new(engine.clone(), Broken(code));
    let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let block = BlockEnv { gas_limit: U256::from(30_000_000), ..BlockEnv::default() };
    executor.state_mut().begin_transaction(Fork::LATEST);
    let message = zvm::compiled::frame::Message {
        address: to,
        caller: from,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    let object = executor.code_of(&to).expect("no trouble").expect("code");
    let before = executor.state().diff();
    let tx = zvm::host::TxEnv::default();
    let error = executor.execute(object, message, 100_000, &block, &tx).expect_err("the database fails");
    assert!(
        matches!(&error, EngineError::Host(_)) && error.to_string().contains("the disk is gone"),
        "{error}"
    );
    assert_eq!(executor.state().diff(), before, "nothing is committed");
    let stats = engine.tier_stats();
    assert_eq!((stats.exits.host, stats.exits.not_compiled), (1, 0), "it failed in compiled code: {stats:?}");
}
