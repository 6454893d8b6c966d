//! What runs is counted alike in both tiers: operations, and executions and gas of each block.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use testkit::generate;
use testkit::pressure::{Runner, contract, seen};
use zvm::bytecode::{Code, Encoding};
use zvm::compiled::frame::{Message, Spec};
use zvm::compiled::tier::{CompiledCode, Refusal, Tier};
use zvm::engine::{Compiling, EngineBuilder, ExecutionResult, TierUp};
use zvm::host::{BlockEnv, TxEnv};
use zvm::outcome::{Exit, Trap};
use zvm::profile::{BlockProfile, Operations, Profiling};
use zvm::state::InMemoryDatabase;
use zvm::{Engine, Executor, Fork, Mode};
use zvm_jit::{Jit, JitOptions};

fn engine(mode: Mode, profiling: Profiling) -> EngineBuilder {
    static JITS: [OnceLock<Arc<Jit>>; 2] = [OnceLock::new(), OnceLock::new()];
    let profile = profiling >= Profiling::Blocks;
    let jit = JITS[usize::from(profile)].get_or_init(|| {
        let options = JitOptions { profile, ..JitOptions::checked() };
        Arc::new(Jit::new(options).expect("this machine has a code generator"))
    });
    Engine::builder().mode(mode).tier(jit.clone()).profiling(profiling).native_code(false)
}

/// Runs code once and gives what the engine counted of it.
fn profiled(builder: EngineBuilder, code: &Bytes) -> (ExecutionResult, Vec<BlockProfile>) {
    let engine = builder.build();
    let result = Runner::new(engine.clone()).run(code).expect("runs");
    let profile = engine.profile(&keccak256(code)).expect("it ran");
    (result, profile.blocks())
}

/// A block's figures that do not depend on the tier.
fn figures(blocks: &[BlockProfile]) -> Vec<(usize, usize, u64, u64, u64)> {
    blocks.iter().map(|b| (b.start, b.end, b.operations, b.executions(), b.gas)).collect()
}

/// n rounds of Fibonacci.
fn fibonacci(rounds: u8) -> Bytes {
    // push0 push1 1 push1 n / loop: jumpdest dup1 swap2 add swap2 push1 1 swap1 sub dup1 push1 loop jumpi pop push0 ...
    Bytes::from(vec![
        0x5f, 0x60, 1, 0x60, rounds, 0x5b, 0x91, 0x81, 0x01, 0x90, 0x91, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 5,
        0x57, 0x50, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3,
    ])
}

#[test]
fn the_blocks_of_a_loop_are_counted_exactly() {
    let code = fibonacci(10);
    for mode in [Mode::Interp, Mode::Jit] {
        let (result, blocks) = profiled(engine(mode, Profiling::Blocks), &code);
        // push0 push1 push1 = 8 gas; a round of 12 operations; pop push0 mstore push1 push0 return and a word of memory
        let round = 1 + 3 * 9 + 3 + 10;
        assert_eq!(
            figures(&blocks),
            [(0, 5, 3, 1, 8), (5, 19, 12, 10, 10 * round), (19, 26, 6, 1, 2 + 2 + 3 + 3 + 2 + 3)],
            "{mode:?}"
        );
        assert_eq!(result.operations.total(), 3 + 120 + 6);
        let compiled = blocks.iter().map(|block| block.compiled).sum::<u64>();
        let expected = if mode == Mode::Jit { (result.operations.total(), 12) } else { (0, 0) };
        assert_eq!((result.operations.compiled, compiled), expected, "{mode:?}: {result:?}");
        assert!(blocks.iter().all(|block| block.time_compiled + block.time_interpreted == Duration::ZERO));
    }
}

#[test]
fn a_frame_that_changes_tiers_is_counted_as_one_that_does_not() {
    let mut changed = 0;
    for seed in 0..20 {
        let code = Bytes::from(contract(seed));
        let (expected, in_interpreter) = profiled(engine(Mode::Interp, Profiling::Blocks), &code);
        let tier_up = TierUp { gas_base: 3000, gas_per_byte: 0 };
        let changing = engine(Mode::Tiered, Profiling::Blocks).compiling(Compiling::Inline).tier_up(tier_up);
        for (builder, name) in [(changing, "tiered"), (engine(Mode::Jit, Profiling::Blocks), "jit")] {
            let (result, blocks) = profiled(builder, &code);
            assert_eq!(seen(&result), seen(&expected), "{name} {seed}");
            assert_eq!(figures(&blocks), figures(&in_interpreter), "{name} {seed}");
            assert_eq!(result.operations.total(), expected.operations.total(), "{name} {seed}");
            let both = blocks.iter().map(|block| block.compiled).sum::<u64>() > 0
                && result.operations.compiled > 0
                && result.operations.interpreted > 0;
            changed += u64::from(both && name == "tiered");
            assert!(name == "tiered" || result.operations.interpreted == 0, "{name} {seed}: {result:?}");
        }
        let gas: u64 = in_interpreter.iter().map(|block| block.gas).sum();
        assert_eq!(gas, 100_000_000 - expected.gas_left, "all gas is some block's");
    }
    assert!(changed > 10, "{changed} frames changed tiers");
}

#[test]
fn blocks_of_random_programs_are_counted_alike_in_both_tiers() {
    let (mut compared, mut compiled) = (0, 0);
    for seed in 0..200 {
        let program = generate::program(seed).assemble();
        if program.encoding != Encoding::Evm {
            continue;
        }
        let code = Bytes::from(program.code);
        let (expected, in_interpreter) = profiled(engine(Mode::Interp, Profiling::Blocks), &code);
        let (result, blocks) = profiled(engine(Mode::Jit, Profiling::Blocks), &code);
        assert_eq!(seen(&result).1, seen(&expected).1, "{seed}");
        // Compiled code finds earlier that a frame runs out of gas.
        if expected.exit == Exit::Trap(Trap::OutOfGas) {
            continue;
        }
        assert_eq!(figures(&blocks), figures(&in_interpreter), "seed {seed}: {:?}", expected.exit);
        let is_exact = !matches!(expected.exit, Exit::Trap(_));
        assert!(!is_exact || result.operations.total() == expected.operations.total(), "seed {seed}");
        compared += 1;
        compiled += result.operations.compiled;
    }
    assert!(compared > 40 && compiled > 10 * compared, "{compared} programs, {compiled} operations compiled");
}

/// A contract that calls another, with value and without; what it gives to the call is in the callee's blocks.
#[test]
fn gas_of_a_callee_is_counted_once_in_both_tiers() {
    let (caller, callee) = (Address::repeat_byte(0xaa), Address::repeat_byte(0xcc));
    // push1 1 push0 sstore stop, after which little of a stipend would be left
    let callee_code = Bytes::from_static(&[0x60, 1, 0x5f, 0x55, 0x00]);
    let call = |value: u8| {
        // push0 four times, push1 value, push20 callee, gas, call, pop
        [&[0x5f, 0x5f, 0x5f, 0x5f, 0x60, value, 0x73][..], callee.as_slice(), &[0x5a, 0xf1, 0x50]].concat()
    };
    let caller_code = Bytes::from([call(0), call(1), vec![0x00]].concat());
    let run = |mode| {
        let engine = engine(mode, Profiling::Blocks).build();
        let mut executor = Executor::new(engine.clone(), InMemoryDatabase::new());
        let state = executor.state_mut();
        state.begin_transaction(Fork::LATEST);
        state.set_code(&callee, callee_code.clone()).expect("no trouble");
        state.set_balance(&caller, U256::from(10)).expect("no trouble");
        let code = Arc::new(Code::evm(caller_code.clone()));
        let message = Message {
            address: caller,
            caller: Address::ZERO,
            value: U256::ZERO,
            input: Bytes::new(),
            is_static: false,
            depth: 0,
        };
        let result = executor.execute(code, message, 1_000_000, &BlockEnv::default(), &TxEnv::default());
        let result = result.expect("runs");
        let figures = [&caller_code, &callee_code]
            .map(|code| figures(&engine.profile(&keccak256(code)).expect("it ran").blocks()));
        (result, figures)
    };
    let (interpreted, in_interpreter) = run(Mode::Interp);
    let (compiled, in_compiled) = run(Mode::Jit);
    assert_eq!(in_interpreter, in_compiled);
    assert_eq!(in_interpreter[0].iter().map(|block| block.3).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(in_interpreter[1].iter().map(|block| block.3).collect::<Vec<_>>(), [2]);
    let gas: u64 = in_interpreter.iter().flatten().map(|block| block.4).sum();
    assert_eq!(gas, 1_000_000 - interpreted.gas_left, "{in_interpreter:?}");
    assert_eq!(
        compiled.operations,
        Operations { interpreted: 0, compiled: interpreted.operations.interpreted }
    );
}

#[test]
fn times_are_measured_where_asked_for() {
    let (_, blocks) = profiled(engine(Mode::Jit, Profiling::Times), &fibonacci(200));
    assert!(blocks[1].time_compiled > Duration::ZERO, "{blocks:?}");
    let (_, blocks) = profiled(engine(Mode::Interp, Profiling::Times), &fibonacci(200));
    assert!(blocks[1].time_interpreted > Duration::ZERO && blocks[1].time_compiled == Duration::ZERO);
}

#[test]
fn an_engine_that_does_not_profile_counts_nothing() {
    let engine = engine(Mode::Interp, Profiling::Off).build();
    let result = Runner::new(engine.clone()).run(&fibonacci(3)).expect("runs");
    assert_eq!(result.operations, Operations::default());
    assert!(engine.profile(&keccak256(fibonacci(3))).is_none());
}

/// A tier that takes on nothing.
struct Refusing;

impl Tier for Refusing {
    fn prepare(&self, _: &Code, _: &Spec) -> Result<Box<dyn CompiledCode>, Refusal> {
        Err(Refusal::Limit)
    }
}

#[test]
fn what_a_tier_refuses_counts_as_interpreted() {
    let builder = Engine::builder().mode(Mode::Jit).tier(Arc::new(Refusing));
    let engine = builder.profiling(Profiling::Operations).build();
    let result = Runner::new(engine).run(&fibonacci(10)).expect("runs");
    assert_eq!(result.operations, Operations { interpreted: 129, compiled: 0 });
    assert_eq!(result.operations.compiled_share(), Some(0.0));
}
