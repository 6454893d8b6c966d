//! The world that calls share, and the engines that run in it.
//!
//! One transaction at a time: each engine's executor starts from the same state, and what the first of them
//! changed counts. Native code is in [`native`], so that all else builds without it.

mod native;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde_json::Value;
use zvm::Fork;
use zvm::bytecode::Code;
use zvm::check::Checking;
use zvm::engine::{Engine, EngineBuilder, EngineError, Executor, Limits};
use zvm::host::{BlockEnv, HostError};
use zvm::inspect::Inspector;
use zvm::outcome::Exit;
#[cfg(feature = "jit")]
use zvm::profile::{CodeProfile, Profiling};
use zvm::state::{AccountInfo, InMemoryDatabase, StateDiff};
use zvm::tx::{TransactionError, TransactionResult};

pub(crate) use self::native::{Native, disturbed_tiers, tier};
use crate::execution::{Blocks, Checked, End, Execution, Gas, Ran, Snapshot, differences};
use crate::failure::Failure;
use crate::flags::{DumpForm, Mode};
use crate::stats::Stats;
use crate::status::Status;
use crate::trail::{FailedFrame, Trails};
#[cfg(feature = "jit")]
use crate::watch::Costs;
use crate::watch::Watch;

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    /// Sender.
    pub(crate) from: Address,
    /// Receiver; `None` creates a contract.
    pub(crate) to: Option<Address>,
    /// Call data or init code.
    pub(crate) data: Bytes,
    /// Wei.
    pub(crate) value: U256,
    /// Gas limit.
    pub(crate) gas: u64,
}

/// A world and its engines.
pub(crate) struct Session {
    /// Runs each transaction, and its changes count.
    first: Executor<InMemoryDatabase, Watch>,
    /// Runs each transaction a second time, for comparison.
    second: Option<Executor<InMemoryDatabase, Watch>>,
    native: Native,
    block: BlockEnv,
    /// Where the cases of differences go.
    cases: Option<PathBuf>,
    finds_failures: bool,
}

/// By which rules a session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Fork of Ethereum.
    pub(crate) fork: Fork,
    /// Whether Hedera's services are there.
    pub(crate) hedera: bool,
}

/// What a session leaves behind, if it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// Whether native code is named for a profiler.
    pub(crate) perf_map: bool,
    /// Folder for case files.
    pub(crate) cases: Option<PathBuf>,
    /// Folder for machine code.
    pub(crate) code_cache: Option<PathBuf>,
    /// Whether to find out which frames failed, and where.
    pub(crate) finds_failures: bool,
}

impl Session {
    /// An empty world.
    pub(crate) fn new(mode: Mode, rules: Rules, extras: Extras) -> Result<Session, Failure> {
        let native = Native::new(mode, &extras)?;
        let interpreter = builder(rules).mode(zvm::engine::Mode::Interp);
        let (engine, second) = match mode {
            Mode::Interp => (interpreter.build(), None),
            Mode::Auto => (native.tiered(builder(rules)).build(), None),
            Mode::Jit => (native.at_once(builder(rules)).build(), None),
            Mode::Check => (interpreter.build(), Some(native.at_once(builder(rules)).build())),
        };
        let second = second.map(|engine| executor(engine, Watch::default()));
        Ok(Session {
            first: executor(engine, Watch::default()),
            second,
            native,
            block: block(),
            cases: extras.cases,
            finds_failures: extras.finds_failures,
        })
    }

    /// An empty world in which every operation is watched. Everything is interpreted.
    #[cfg(feature = "jit")]
    pub(crate) fn watched(rules: Rules) -> Result<Session, Failure> {
        let engine = builder(rules).mode(zvm::engine::Mode::Interp).build();
        let first = executor(engine, Watch::every_operation());
        Ok(Session {
            first,
            second: None,
            native: Native::new(Mode::Interp, &Extras::default())?,
            block: block(),
            cases: None,
            finds_failures: false,
        })
    }

    /// An empty world in which native code measures the time of its blocks.
    #[cfg(feature = "jit")]
    pub(crate) fn measured(rules: Rules) -> Result<Session, Failure> {
        let native = Native::that_profiles()?;
        let engine = native.at_once(builder(rules)).profiling(Profiling::Times).build();
        Ok(Session {
            first: executor(engine, Watch::default()),
            second: None,
            native,
            block: block(),
            cases: None,
            finds_failures: false,
        })
    }

    /// What the operations of a code have cost, if they were watched.
    #[cfg(feature = "jit")]
    pub(crate) fn costs(&self, code: &B256) -> Costs {
        self.first.inspector().costs(code)
    }

    /// What was counted and measured of a code.
    #[cfg(feature = "jit")]
    pub(crate) fn profile(&self, code: &B256) -> Option<Arc<CodeProfile>> {
        self.first.engine().profile(code)
    }

    /// What becomes of code in production; no region where the JIT refuses it.
    #[cfg(feature = "jit")]
    pub(crate) fn regions(&self, code: &Code) -> Result<Vec<zvm_jit::RegionDump>, Failure> {
        Ok(native::regions(code, self.first.engine().spec())?.unwrap_or_default())
    }

    /// Gives an account code, as if it had been deployed.
    pub(crate) fn install(&mut self, address: Address, code: &Bytes) -> Result<(), Failure> {
        self.in_both(|executor| {
            executor.state_mut().set_nonce(&address, 1)?;
            executor.state_mut().set_code(&address, code.clone())?;
            executor.commit()
        })
    }

    /// Runs a transaction and keeps its changes. A failure changes nothing.
    pub(crate) fn execute(&mut self, transaction: &Transaction) -> Result<Ran, Failure> {
        self.fund(transaction.from)?;
        let compile_time = self.compile_receiver(transaction)?;
        let execution = run_in(&mut self.first, &self.block, transaction)?;
        let checked = match &mut self.second {
            Some(second) => {
                let native =
                    run_in(second, &self.block, transaction).inspect_err(|_| self.first.discard())?;
                let (world, native_world) = (snapshot(&self.first.changes()), snapshot(&second.changes()));
                let differences = differences((&execution, &world), (&native, &native_world));
                if let Some(folder) = self.cases.clone().filter(|_| !differences.is_empty()) {
                    self.write_cases(folder, transaction)?;
                }
                Some(Checked { native, differences, slots_compared: world.slots.len() })
            }
            None => None,
        };
        let blamed = match execution.end {
            End::Revert | End::Trap(_) if self.finds_failures => self.blame(transaction)?,
            _ => Vec::new(),
        };
        self.in_both(Executor::commit)?;
        if let (Some(second), Some(checked)) = (&mut self.second, &checked)
            && !checked.differences.is_empty()
        {
            // What the first changed counts: the next transaction starts equal.
            let world = self.first.state().database().clone();
            *second = Executor::with_inspector(second.engine().clone(), world, Watch::default());
        }
        Ok(Ran { execution, checked, compile_time, blamed })
    }

    /// Runs a transaction that has failed and is not committed yet once more, operation by operation, to see where.
    fn blame(&self, transaction: &Transaction) -> Result<Vec<FailedFrame>, Failure> {
        let spec = self.first.engine().spec();
        let rules = Rules { fork: spec.fork, hedera: spec.hedera };
        let engine = builder(rules).mode(zvm::engine::Mode::Interp).build();
        let world = self.first.state().database().clone();
        let mut executor = Executor::with_inspector(engine, world, Trails::default());
        run_in(&mut executor, &self.block, transaction)?;
        Ok(std::mem::take(executor.inspector_mut()).blamed())
    }

    /// Runs a transaction that is not committed yet once more, frame by frame in both tiers, and writes down the
    /// frames that differ.
    fn write_cases(&self, folder: PathBuf, transaction: &Transaction) -> Result<(), Failure> {
        let checking = Checking { case_folder: Some(folder), ..Checking::new() };
        let spec = self.first.engine().spec();
        let rules = Rules { fork: spec.fork, hedera: spec.hedera };
        let engine = self.native.checked(builder(rules)).checking(checking).build();
        let mut executor =
            Executor::with_inspector(engine, self.first.state().database().clone(), Watch::default());
        run_in(&mut executor, &self.block, transaction)?;
        let stats = executor.engine().check_stats();
        match stats.cases_failed {
            0 => Ok(()),
            _ => Err(Failure::new(Status::File, "a case file could not be written").at("--cases")),
        }
    }

    /// What went wrong with stored machine code, if anything did.
    pub(crate) fn cache_problem(&self) -> Option<String> {
        self.native.cache_problem()
    }

    /// Why an account's code did not run as native code.
    pub(crate) fn why_not_compiled(&self, code: &Bytes) -> String {
        if code.is_empty() {
            return "there is no code".into();
        }
        self.native.why_not(code, self.first.engine().spec())
    }

    /// The code of a contract; `unless` it has none, that.
    pub(crate) fn code(&mut self, contract: &Address, unless: &Bytes) -> Result<Arc<Code>, Failure> {
        let code = self.first.code_of(contract).map_err(host_failed)?;
        let native_code = self.first.engine().spec().native_code;
        Ok(code.unwrap_or_else(|| Arc::new(Code::new(unless.clone(), native_code))))
    }

    /// What becomes of code, as text and JSON.
    pub(crate) fn dump(&self, code: &Code, forms: &[DumpForm]) -> Result<(String, Value), Failure> {
        self.native.dump(code, self.first.engine().spec(), forms)
    }

    /// What the tiers did so far.
    pub(crate) fn stats(&self) -> Stats {
        Stats::of(self.second.as_ref().unwrap_or(&self.first).engine())
    }

    /// Why native code was not named for a profiler, if that failed on the way.
    pub(crate) fn perf_map_failure(&self) -> Option<String> {
        self.native.perf_map_failure()
    }

    /// Whoever sends has wei to send.
    fn fund(&mut self, sender: Address) -> Result<(), Failure> {
        self.in_both(|executor| {
            if !executor.state_mut().account(&sender)?.is_empty() {
                return Ok(());
            }
            executor.state_mut().set_balance(&sender, U256::ONE << 128)?;
            executor.commit()
        })
    }

    fn in_both(
        &mut self,
        change: impl Fn(&mut Executor<InMemoryDatabase, Watch>) -> Result<(), HostError>,
    ) -> Result<(), Failure> {
        std::iter::once(&mut self.first).chain(&mut self.second).try_for_each(change).map_err(host_failed)
    }

    /// Compiles the receiver's code ahead where native code was asked for, so that the time of the call is its own.
    fn compile_receiver(&mut self, transaction: &Transaction) -> Result<Option<Duration>, Failure> {
        let executor = self.second.as_mut().unwrap_or(&mut self.first);
        let Some(receiver) = transaction.to.filter(|_| executor.engine().mode() == zvm::engine::Mode::Jit)
        else {
            return Ok(None);
        };
        let start = Instant::now();
        let code = executor.code_of(&receiver).map_err(host_failed)?;
        let is_new = code.is_some_and(|code| executor.engine().compile(&code));
        Ok(is_new.then(|| start.elapsed()))
    }
}

fn executor(engine: Engine, watch: Watch) -> Executor<InMemoryDatabase, Watch> {
    Executor::with_inspector(engine, InMemoryDatabase::new(), watch)
}

fn host_failed(error: HostError) -> Failure {
    Failure::new(Status::Engine, error.to_string())
}

/// Runs a transaction; its changes are the executor's until they are committed.
fn run_in<I: Inspector>(
    executor: &mut Executor<InMemoryDatabase, I>,
    block: &BlockEnv,
    transaction: &Transaction,
) -> Result<Execution, Failure> {
    let block = BlockEnv { gas_limit: block.gas_limit.max(U256::from(transaction.gas)), ..block.clone() };
    let Transaction { from, to, data, value, gas } = transaction.clone();
    let sent = zvm::tx::Transaction::legacy(from, to, value, data, gas, U256::ZERO);
    let start = Instant::now();
    let result = executor.transact(&sent, &block);
    let time = start.elapsed();
    let result = result.map_err(|error| refused(&error))?;
    Ok(execution(result, sent.intrinsic_gas(), time))
}

/// What all engines have in common.
fn builder(rules: Rules) -> EngineBuilder {
    // A tool may run for longer than a block allows.
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    Engine::builder().fork(rules.fork).hedera(rules.hedera).limits(limits).count_blocks(true)
}

/// Facts of the block; always the same, so that runs can be repeated.
fn block() -> BlockEnv {
    BlockEnv {
        number: U256::from(1),
        timestamp: U256::from(1_767_225_600), // 2026-01-01 00:00 UTC
        coinbase: Address::ZERO,
        gas_limit: U256::from(60_000_000),
        base_fee: U256::ZERO,
        prev_randao: U256::from_be_bytes(keccak256("zvmrun").0),
        blob_base_fee: U256::from(1),
        chain_id: U256::from(31337),
    }
}

fn execution(result: TransactionResult, intrinsic: u64, time: Duration) -> Execution {
    Execution {
        end: match result.exit {
            Exit::Halt | Exit::Return => End::Success,
            Exit::Trap(trap) => End::Trap(trap),
            _ => End::Revert,
        },
        output: result.output,
        created: result.created,
        gas: Gas {
            used: result.gas_used,
            intrinsic,
            execution: result.exec_gas,
            refunded: result.gas_refunded,
        },
        logs: result.logs,
        time,
        blocks: Blocks { compiled: result.blocks_compiled, interpreted: result.blocks_interpreted },
    }
}

/// Why a transaction did not run.
fn refused(error: &TransactionError) -> Failure {
    let (status, help) = match error {
        TransactionError::IntrinsicGas { .. } | TransactionError::FloorGas { .. } => {
            (Status::Refused, Some("give it more with --gas"))
        }
        TransactionError::Balance { .. } => (Status::Refused, Some("send less with --value")),
        TransactionError::Engine(EngineError::MemoryLimit { .. }) => {
            (Status::Engine, Some("less gas buys less memory: --gas"))
        }
        TransactionError::Engine(_) => (Status::Engine, None),
        _ => (Status::Refused, None),
    };
    let failure = Failure::new(status, format!("the transaction did not run: {error}"));
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// Everything that a transaction left changed.
fn snapshot(diff: &StateDiff) -> Snapshot {
    let slots = diff.accounts.iter().flat_map(|(address, account)| {
        account.storage.iter().map(|(slot, value)| ((*address, *slot), *value))
    });
    let code = |hash: &B256| diff.codes.get(hash).map_or(String::new(), |code| format!(" {code}"));
    let accounts: BTreeMap<Address, String> = diff
        .accounts
        .iter()
        .map(|(address, account)| {
            let text = match &account.info {
                None => "deleted".to_owned(),
                Some(AccountInfo { nonce, balance, code_hash }) => {
                    let code = code(code_hash);
                    format!("balance {balance} nonce {nonce} code hash {code_hash}{code}")
                }
            };
            (*address, text)
        })
        .collect();
    Snapshot { slots: slots.collect(), accounts }
}
