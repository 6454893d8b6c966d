//! Native code in an embedder's hands: when code is compiled and where, what that cost, and how to look on.
//!
//! `cargo run -p zvm-jit --example tiering`

use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;

use zvm::bytecode::asm;
use zvm::bytecode::container::{Container, Target};
use zvm::check::Checking;
use zvm::engine::{Compiling, Deployment, EngineBuilder, TierUp};
use zvm::host::{BlockEnv, Log};
use zvm::inspect::{CallEnd, CallStart, Inspector, StorageAccess};
use zvm::profile::Profiling;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, Mode, U256};
use zvm_jit::{Jit, JitOptions};

/// Adds up 1 to 2000, keeps the sum in slot 0 and logs it.
const SUM: &str = "
    push0
    push2 2000
round:
    jumpdest
    dup1
    swap2
    add
    swap1
    push1 1
    swap1
    sub
    dup1
    push2 round
    jumpi
    pop
    dup1
    push0
    sstore
    push0
    mstore
    push1 32
    push0
    log0
    halt
";

/// What happened, as text: the same whoever runs the code.
#[derive(Default)]
struct Events(Vec<String>);

impl Inspector for Events {
    fn call_start(&mut self, start: &CallStart<'_>) {
        self.0.push(format!("call {} with {} gas", start.address, start.gas));
    }
    fn call_end(&mut self, end: &CallEnd<'_>) {
        self.0.push(format!("end {:?}, {} gas left", end.exit, end.gas_left));
    }
    fn log(&mut self, log: &Log) {
        self.0.push(format!("log {}", log.data));
    }
    fn storage(&mut self, access: &StorageAccess) {
        self.0.push(format!("{access:?}"));
    }
}

/// A world in which the contract lies, on an engine.
struct World {
    executor: Executor<InMemoryDatabase, Events>,
    call: Transaction,
    block: BlockEnv,
}

impl World {
    fn new(engine: Engine) -> Result<World, Box<dyn Error>> {
        let alice = Address::repeat_byte(0xa1);
        let mut database = InMemoryDatabase::new();
        database.insert_account(alice, 0, U256::from(10).pow(U256::from(18)), Bytes::new());
        let mut executor = Executor::with_inspector(engine, database, Events::default());
        let block = BlockEnv { gas_limit: U256::from(30_000_000), ..BlockEnv::default() };
        let container = Container {
            target: Target::Native,
            needs_init: false,
            code: asm::assemble(SUM)?.code.into(),
            abi: "[]".into(),
            sections: None,
        };
        let deployment = Deployment { from: alice, arguments: &[], value: U256::ZERO, gas_limit: 200_000 };
        let contract = executor.load(&container, &deployment, &block)?;
        executor.commit()?;
        let call =
            Transaction::legacy(alice, Some(contract), U256::ZERO, Bytes::new(), 1_000_000, U256::ZERO);
        Ok(World { executor, call, block })
    }

    /// Calls the contract; gives what the inspector saw, and how many blocks ran interpreted and compiled.
    fn run(&mut self) -> Result<(Vec<String>, u64, u64), Box<dyn Error>> {
        self.executor.inspector_mut().0.clear();
        let result = self.executor.transact(&self.call, &self.block)?;
        assert!(result.is_success(), "{result:?}");
        // Every call starts from the same state.
        self.executor.discard();
        let events = std::mem::take(&mut self.executor.inspector_mut().0);
        Ok((events, result.blocks_interpreted, result.blocks_compiled))
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    // The compiler is made once and handed to engines. `checked` counts its blocks; a node takes `production`.
    let jit = Arc::new(Jit::new(JitOptions::checked())?);
    let empty = jit.code_memory();
    let native =
        |mode: Mode| -> EngineBuilder { Engine::builder().mode(mode).tier(jit.clone()).count_blocks(true) };
    let (expected, ..) = World::new(Engine::builder().build())?.run()?;

    // No thread starts unless it is asked for: here code is compiled by whoever runs it, once it has spent enough
    // gas in the interpreter, and the running loop goes on in native code.
    let policy = TierUp { gas_base: 5_000, gas_per_byte: 10 };
    let inline = native(Mode::Tiered).compiling(Compiling::Inline).tier_up(policy).build();
    let (events, interpreted, compiled) = World::new(inline.clone())?.run()?;
    println!("inline: {interpreted} blocks interpreted, then {compiled} compiled");
    assert!(interpreted > 0 && compiled > 1000 && inline.tier_stats().entries_mid_run == 1);
    assert_eq!(events, expected, "inspectors are told the same by both tiers");

    // One thread of the engine's own, behind a bounded queue; until it is done, the interpreter goes on.
    let engine = native(Mode::Tiered).compiling(Compiling::ONE_THREAD).tier_up(policy).build();
    let mut world = World::new(engine.clone())?;
    // While paused, nothing is compiled: for moments in which the machine has other work.
    engine.pause_compiling();
    let (events, _, compiled) = world.run()?;
    assert_eq!((events, compiled), (expected.clone(), 0));
    engine.resume_compiling();
    world.run()?;
    engine.wait_for_compiler();
    let (events, interpreted, compiled) = world.run()?;
    println!("in the background: {interpreted} blocks interpreted, {compiled} compiled");
    assert!(compiled > 1000 && interpreted == 0);
    assert_eq!(events, expected);

    let stats = engine.tier_stats();
    println!(
        "{} regions, {} bytes of machine code, {:?}; entered in mid-run {} times, left: {:?}",
        stats.regions_compiled, stats.code_bytes, stats.compile_time, stats.entries_mid_run, stats.exits
    );
    println!("{:?}, {:?}", engine.cache_stats(), jit.code_memory());

    // Trust, but verify: of the frames that have compiled code, one in four runs in both tiers, and so do the first
    // two. On a difference the interpreter's result stands, the code is banned, and the embedder is told.
    let checking = Checking {
        on_difference: Some(Arc::new(|report| eprintln!("{report:?}"))),
        ..Checking::sampling(NonZeroU32::new(4).ok_or("four is not zero")?, 2)
    };
    let checked = native(Mode::Jit).checking(checking).build();
    let mut sampled = World::new(checked.clone())?;
    for _ in 0..20 {
        assert_eq!(sampled.run()?.0, expected);
    }
    let stats = checked.check_stats();
    println!("{stats:?}");
    assert!(stats.frames_checked >= 2 && stats.differences == 0);

    // Everything compiled before it runs, and counted operation by operation.
    let mut at_once = World::new(native(Mode::Jit).profiling(Profiling::Operations).build())?;
    let (events, ..) = at_once.run()?;
    assert_eq!(events, expected);
    let result = at_once.executor.transact(&at_once.call, &at_once.block)?;
    let share = result.operations.compiled_share().unwrap_or_default();
    println!("at once: {:.1} % of {} operations native", 100.0 * share, result.operations.total());
    assert_eq!(result.operations.interpreted, 0);

    // Dropping an engine ends and joins its threads; what it compiled goes with it.
    drop((inline, world, engine, sampled, checked, at_once));
    assert_eq!(jit.code_memory().used_bytes, empty.used_bytes);
    Ok(())
}
