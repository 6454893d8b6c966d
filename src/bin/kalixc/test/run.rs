//! One run of a test: a fresh world, the contract that holds the test, one call.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
#[cfg(feature = "jit")]
use anyhow::Context;
#[cfg(not(feature = "jit"))]
use anyhow::bail;
use kalix::driver::{Compilation, CompiledContract};
use kalix::sema::cheats;
use zvm::bytecode::Code;
use zvm::compiled::frame::Message;
use zvm::engine::{EngineError, ExecutionResult, Executor, Limits};
use zvm::host::{BlockEnv, Log, TxEnv};
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::{Engine, Fork, Mode};

use super::cheats::{Cheats, FailedFrame, Finding};
use crate::gas::follow::{Followed, Follower};

/// The account that holds the test.
pub(super) const TEST: Address = Address::repeat_byte(0x7e);
/// The account that calls the test.
pub(crate) const CALLER: Address = Address::repeat_byte(0xca);
/// What both have, wei: more than a test would spend.
pub(crate) const BALANCE: U256 = U256::from_limbs([u64::MAX, u32::MAX as u64, 0, 0]);
/// Gas of a test.
pub(crate) const GAS: u64 = 1 << 28;
/// The time of the first block: no contract meets one near zero.
const TIMESTAMP: u64 = 1_000_000_000;

/// What a run gave.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) exit: Exit,
    pub(super) output: Bytes,
    pub(super) logs: Vec<Log>,
    pub(super) gas: u64,
    pub(super) finding: Option<Finding>,
    pub(super) is_rejected: bool,
    /// Whether the constructor of the contract under test failed, so that no test ran.
    pub(super) is_creation: bool,
    pub(super) blocks_compiled: u64,
    pub(super) blocks_interpreted: u64,
    pub(super) failed_frames: Vec<FailedFrame>,
    pub(super) created: HashMap<Address, Bytes>,
    /// The calls with what they were estimated to cost, where that was asked for.
    pub(super) followed: Vec<Followed>,
}

impl Outcome {
    /// Whether the test passed, or its input does not count.
    pub(super) fn is_good(&self) -> bool {
        self.is_rejected || self.finding.is_none() && matches!(self.exit, Exit::Halt | Exit::Return)
    }
}

/// What is to be watched while a test runs; either makes the interpreter run everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// Nothing beside what a test needs.
    Nothing,
    /// Where frames fail.
    Failures,
    /// What calls cost.
    Gas,
}

/// Why there is no outcome.
pub(super) type Trouble = EngineError;

/// A machine that runs tests in one tier.
pub(super) struct Machine {
    // Without and with Hedera's services.
    engines: [Engine; 2],
    pub(super) is_jit: bool,
}

impl Machine {
    /// The interpreter.
    pub(super) fn interpreter() -> Machine {
        let engines = [false, true].map(|hedera| builder(Mode::Interp, hedera).build());
        Machine { engines, is_jit: false }
    }

    /// Native code.
    #[cfg(feature = "jit")]
    pub(super) fn jit() -> anyhow::Result<Machine> {
        let options = zvm_jit::JitOptions { count_blocks: true, ..zvm_jit::JitOptions::production() };
        let jit = zvm_jit::Jit::new(options).context("native code does not work on this machine")?;
        let jit = Arc::new(jit);
        let engines = [false, true].map(|hedera| builder(Mode::Jit, hedera).tier(jit.clone()).build());
        Ok(Machine { engines, is_jit: true })
    }

    /// Native code.
    #[cfg(not(feature = "jit"))]
    pub(super) fn jit() -> anyhow::Result<Machine> {
        bail!("this kalixc was built without native code; use --tier interp")
    }

    /// Runs the test with this call data. `constructor_args` is what the constructor of the contract that holds it gets;
    /// without them the contract is put in place as it is.
    pub(super) fn run(
        &self,
        compilation: &Compilation,
        contract: &CompiledContract,
        call_data: Vec<u8>,
        constructor_args: Option<&[u8]>,
        watch: Watch,
    ) -> Result<Outcome, Trouble> {
        let artifact = &contract.artifact;
        let code = [artifact.runtime.target.prefix(), &artifact.runtime.bytes].concat();
        let mut database = InMemoryDatabase::new();
        database.insert_account(CALLER, 0, BALANCE, Bytes::new());
        database.insert_account(cheats::ADDRESS, 1, U256::ZERO, Bytes::from_static(&[0]));
        let deployed = if constructor_args.is_none() { Bytes::from(code) } else { Bytes::new() };
        database.insert_account(TEST, 1, BALANCE, deployed);
        let block = first_block();
        let mut inspector = Cheats::new(&compilation.program.types, block.clone(), watch == Watch::Failures);
        inspector.follower =
            (watch == Watch::Gas).then(|| Follower::new(Fork::LATEST, &compilation.contracts));
        let engine = self.engines[usize::from(requires_hedera(compilation))].clone();
        let mut executor = Executor::with_inspector(engine, database, inspector);
        executor.state_mut().begin_transaction(Fork::LATEST);
        let message = |input: Vec<u8>| Message {
            address: TEST,
            caller: CALLER,
            value: U256::ZERO,
            input: input.into(),
            is_static: false,
            depth: 0,
        };
        let tx = TxEnv { origin: CALLER, ..TxEnv::default() };
        if let Some(args) = constructor_args {
            let init = artifact.container.init().unwrap_or_default();
            let init = Code::new([&init[..], args].concat(), true);
            executor.inspector_mut().begin(TEST, true, GAS);
            let result = executor.execute(Arc::new(init), message(Vec::new()), GAS, &block, &tx)?;
            if !result.is_success() {
                return Ok(outcome(result, executor, true));
            }
            executor.state_mut().set_code(&TEST, result.output)?;
        }
        let Some(code) = executor.code_of(&TEST)? else {
            // A contract without code does nothing, as does a test of it.
            return Ok(outcome(nothing(), executor, false));
        };
        executor.inspector_mut().begin(TEST, false, GAS);
        let result = executor.execute(code, message(call_data), GAS, &block, &tx)?;
        executor.inspector_mut().end();
        Ok(outcome(result, executor, false))
    }
}

/// The block in which a test begins.
pub(crate) fn first_block() -> BlockEnv {
    BlockEnv {
        number: U256::from(1),
        timestamp: U256::from(TIMESTAMP),
        gas_limit: U256::from(GAS),
        chain_id: U256::from(1),
        ..BlockEnv::default()
    }
}

/// What interprets the contracts of a compilation, under the rules of tests.
pub(crate) fn interpreter(compilation: &Compilation) -> Engine {
    builder(Mode::Interp, requires_hedera(compilation)).build()
}

fn builder(mode: Mode, hedera: bool) -> zvm::engine::EngineBuilder {
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let builder = Engine::builder().fork(Fork::LATEST).native_code(true).hedera(hedera);
    builder.mode(mode).limits(limits).count_blocks(true)
}

/// Whether a contract of the compilation uses Hedera's services.
fn requires_hedera(compilation: &Compilation) -> bool {
    let mut abis = compilation.contracts.iter().map(|contract| &contract.artifact.kalix_abi);
    abis.any(|abi| abi["requires"].as_array().is_some_and(|services| services.contains(&"hedera".into())))
}

fn nothing() -> ExecutionResult {
    ExecutionResult {
        exit: Exit::Halt,
        gas_left: GAS,
        refund: 0,
        output: Bytes::new(),
        logs: Vec::new(),
        blocks_interpreted: 0,
        blocks_compiled: 0,
        operations: Default::default(),
    }
}

fn outcome(
    result: ExecutionResult,
    mut executor: Executor<InMemoryDatabase, Cheats>,
    is_creation: bool,
) -> Outcome {
    let cheats = executor.inspector_mut();
    Outcome {
        exit: result.exit,
        output: result.output,
        logs: result.logs,
        gas: GAS - result.gas_left,
        finding: cheats.finding.take(),
        is_rejected: cheats.is_rejected,
        is_creation,
        blocks_compiled: result.blocks_compiled,
        blocks_interpreted: result.blocks_interpreted,
        failed_frames: std::mem::take(&mut cheats.failed_frames),
        created: std::mem::take(&mut cheats.created),
        followed: cheats.follower.as_mut().map(Follower::take).unwrap_or_default(),
    }
}

/// In what two tiers differ, if they do.
pub(super) fn difference(interpreter: &Outcome, native: &Outcome) -> Option<String> {
    let of = |outcome: &Outcome| {
        let Outcome { exit, output, logs, gas, finding, is_rejected, .. } = outcome;
        let hashes: Vec<&[B256]> = logs.iter().map(|log| &log.topics[..]).collect();
        format!(
            "{exit:?}, gas {gas}, output {output}, topics {hashes:?}, {finding:?}, rejected: {is_rejected}"
        )
    };
    let (a, b) = (of(interpreter), of(native));
    (a != b).then(|| format!("interpreter: {a}\nnative code: {b}"))
}
