//! Many contracts under little memory: what compiles, publishes and evicts is put under load, and every result is
//! compared with the interpreter's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes, U256, keccak256};
use zvm::bytecode::Code;
use zvm::compiled::cache::{CacheLimits, CacheStats};
use zvm::compiled::frame::Message;
use zvm::engine::{Compiling, EngineBuilder, ExecutionResult, TierStats, TierUp};
use zvm::host::{BlockEnv, TxEnv};
use zvm::state::InMemoryDatabase;
use zvm::{Engine, Executor, Fork, Mode};
use zvm_jit::{Jit, JitOptions};

use crate::random::Random;

/// Ethereum code of a loop that mixes a word, unlike that of any other seed; it returns the word.
///
/// Some have more blocks than a region takes.
pub fn contract(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut code = Vec::new();
    let push32 = |code: &mut Vec<u8>, word: U256| {
        code.push(0x7f);
        code.extend(word.to_be_bytes::<32>());
    };
    // The word, and the rounds of the loop above it.
    push32(&mut code, random.bits());
    code.extend([0x61, random.below(2) as u8, 1 + random.below(255) as u8]);
    let head = code.len() as u16;
    code.push(0x5b);
    // Each step is a block of its own: a conditional jump over nothing.
    let steps_max = if random.chance(10) { 120 } else { 8 };
    let steps = 1 + random.below(steps_max);
    for _ in 0..steps {
        code.push(0x90);
        push32(&mut code, random.bits());
        code.push(random.pick(&[0x01, 0x02, 0x03, 0x18, 0x16, 0x17, 0x04, 0x06]));
        code.push(0x90);
        if random.chance(70) {
            // if the word is odd, skip an increment: swap1 dup1 push1 1 and push2 over jumpi push1 1 add over:
            code.extend([0x90, 0x80, 0x60, 1, 0x16, 0x61]);
            let over = code.len() as u16 + 6;
            code.extend(over.to_be_bytes());
            code.extend([0x57, 0x60, 1, 0x01, 0x5b, 0x90]);
        }
    }
    // push1 1 swap1 sub dup1 push2 head jumpi pop push0 mstore push1 32 push0 return
    code.extend([0x60, 1, 0x90, 0x03, 0x80, 0x61]);
    code.extend(head.to_be_bytes());
    code.extend([0x57, 0x50, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]);
    code
}

/// Runs contracts as top frames on an engine.
pub struct Runner {
    executor: Executor<InMemoryDatabase>,
}

impl Runner {
    /// With a world of its own.
    pub fn new(engine: Engine) -> Runner {
        let mut executor = Executor::new(engine, InMemoryDatabase::new());
        executor.state_mut().begin_transaction(Fork::LATEST);
        Runner { executor }
    }

    /// Runs code that the engine looks up, as it does that of an account.
    pub fn run(&mut self, bytes: &Bytes) -> Result<ExecutionResult, String> {
        let hash = keccak256(bytes);
        let code = self.executor.engine().code(&hash, || Ok(bytes.clone()));
        self.run_code(code.map_err(|error| error.to_string())?)
    }

    /// Runs a code object.
    pub fn run_code(&mut self, code: Arc<Code>) -> Result<ExecutionResult, String> {
        let message = Message {
            address: Address::repeat_byte(0xaa),
            caller: Address::repeat_byte(0xbb),
            value: U256::ZERO,
            input: Bytes::new(),
            is_static: false,
            depth: 0,
        };
        let (block, tx) = (BlockEnv::default(), TxEnv::default());
        self.executor.execute(code, message, 100_000_000, &block, &tx).map_err(|error| error.to_string())
    }
}

/// What a frame's end shows, without the counts of blocks.
pub fn seen(result: &ExecutionResult) -> (zvm::outcome::Exit, u64, Bytes) {
    (result.exit, result.gas_left, result.output.clone())
}

/// What an engine has left after a load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Frames that ran.
    pub runs: u64,
    /// Blocks that ran compiled.
    pub blocks_compiled: u64,
    /// What the tiers did.
    pub tiers: TierStats,
    /// What the cache holds and let go.
    pub cache: CacheStats,
}

fn builder(mode: Mode, jit: &Arc<Jit>) -> EngineBuilder {
    Engine::builder().native_code(false).mode(mode).tier(jit.clone())
}

fn production() -> Result<Arc<Jit>, String> {
    let options = JitOptions { count_blocks: true, ..JitOptions::production() };
    Jit::new(options).map(Arc::new).map_err(|error| error.to_string())
}

/// Compiles `contracts` different contracts in one engine whose cache holds a few hundred, and runs each of them once.
/// `progress` is called now and then with the number done. All code memory is free again at the end.
pub fn compile_and_evict(contracts: u64, mut progress: impl FnMut(u64)) -> Result<Load, String> {
    let jit = production()?;
    let limits = CacheLimits { analyzed_bytes: 2 << 20, compiled_bytes: 8 << 20 };
    let engine = builder(Mode::Jit, &jit).code_cache(limits).build();
    let mut runner = Runner::new(engine.clone());
    let mut reference = Runner::new(Engine::builder().native_code(false).build());
    let mut blocks_compiled = 0;
    for seed in 0..contracts {
        let code = Bytes::from(contract(seed));
        let result = runner.run(&code)?;
        blocks_compiled += result.blocks_compiled;
        // The reference's own cache would grow: it runs a code object that nobody keeps.
        if seed % 16 == 0 {
            let expected = reference.run_code(Arc::new(Code::evm(code)))?;
            if seen(&expected) != seen(&result) {
                return Err(format!("contract {seed}: interpreted {expected:?}, compiled {result:?}"));
            }
        }
        if seed % 1000 == 999 {
            let held = jit.code_memory().used_bytes;
            // What a frame's buffers still hold comes on top.
            if held > limits.compiled_bytes + (1 << 20) {
                return Err(format!("{held} bytes of machine code after {seed} contracts"));
            }
            progress(seed + 1);
        }
    }
    let load =
        Load { runs: contracts, blocks_compiled, tiers: engine.tier_stats(), cache: engine.cache_stats() };
    drop((runner, engine));
    match jit.code_memory().used_bytes {
        0 => Ok(load),
        held => Err(format!("{held} bytes of machine code are held by nobody")),
    }
}

/// Runs contracts on `threads` threads for a time, on one engine that compiles in the background, evicts all the
/// time, and pauses now and then; the first result that differs from the interpreter's is an error.
pub fn stress(threads: usize, time: Duration) -> Result<Load, String> {
    const CONTRACTS: u64 = 300;
    let jit = production()?;
    let mut reference = Runner::new(Engine::builder().native_code(false).build());
    let codes: Vec<Bytes> = (0..CONTRACTS).map(|seed| contract(seed).into()).collect();
    let expected: Vec<_> =
        codes.iter().map(|code| reference.run(code).map(|result| seen(&result))).collect::<Result<_, _>>()?;
    // Hot at once, room for a part of them, and a queue that is full now and then.
    let compiling =
        Compiling::Background { threads: std::num::NonZeroUsize::MIN, queue_max: 4, is_blocking: false };
    let engine = builder(Mode::Tiered, &jit)
        .compiling(compiling)
        .tier_up(TierUp { gas_base: 2000, gas_per_byte: 0 })
        .code_cache(CacheLimits { analyzed_bytes: 256 << 10, compiled_bytes: 2 << 20 })
        .build();
    let (runs, blocks) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let deadline = Instant::now() + time;
    let work = |number: u64| -> Result<(), String> {
        let mut random = Random::new(number);
        let mut runner = Runner::new(engine.clone());
        while Instant::now() < deadline && !is_over.load(Ordering::Relaxed) {
            // Most of the time a few contracts, so that they get hot; sometimes any.
            let among = if random.chance(90) { 12 } else { codes.len() };
            let index = random.index(among);
            let result = runner.run(&codes[index]).inspect_err(|_| is_over.store(true, Ordering::Relaxed))?;
            if seen(&result) != expected[index] {
                is_over.store(true, Ordering::Relaxed);
                return Err(format!("contract {index}: expected {:?}, got {result:?}", expected[index]));
            }
            runs.fetch_add(1, Ordering::Relaxed);
            blocks.fetch_add(result.blocks_compiled, Ordering::Relaxed);
            match random.below(500) {
                0 => engine.pause_compiling(),
                1..=5 => engine.resume_compiling(),
                6 => engine.wait_for_compiler(),
                _ => {}
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads as u64)
            .map(|number| {
                scope.spawn({
                    let work = &work;
                    move || work(number)
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a panic".into())))
    })?;
    let load = Load {
        runs: runs.load(Ordering::Relaxed),
        blocks_compiled: blocks.load(Ordering::Relaxed),
        tiers: engine.tier_stats(),
        cache: engine.cache_stats(),
    };
    drop(engine);
    match jit.code_memory().used_bytes {
        0 => Ok(load),
        held => Err(format!("{held} bytes of machine code are held by nobody")),
    }
}
