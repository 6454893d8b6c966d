//! A contract on a chain of its own: compiled in some way, created, called, looked at.
//!
//! What [`run`] gives for one way of compiling can be compared with what it gives for another: same ends, same return
//! data, same logs, same storage of every account. Gas and code differ between ways, so a contract that looks at either
//! is not comparable ([`is_comparable`]), and neither is what happens once a call used more than half of its gas.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, Bytes, U256};
use kalix::codegen::artifact::Artifact;
use kalix::codegen::{CodegenOptions, OptLevel, Target};
use kalix::diag::render::render_short;
use kalix::diag::{Code, Severity};
use kalix::sema::typed::{Contract, Mutability, Program};
use kalix::source::Source;
use kalix::{Compilation, CompileOptions, compile};
use zvm::engine::{Executor, Limits};
use zvm::host::{BlockEnv, Log};
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Engine, Fork, Mode};
use zvm_jit::{Jit, JitOptions};

use crate::abi_values::{damage, random_value};
use crate::random::Random;

/// Sends all transactions.
pub const SENDER: Address = Address::repeat_byte(0x5e);
/// Gas of a transaction.
const GAS: u64 = 30_000_000;

/// Target and level: what a program must not notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What the code is for.
    pub target: Target,
    /// How much it is optimized.
    pub opt_level: OptLevel,
}

impl Way {
    /// All ways; the first is native code that is not optimized.
    pub fn all() -> impl Iterator<Item = Way> {
        let levels = |target| OptLevel::ALL.into_iter().map(move |opt_level| Way { target, opt_level });
        Target::ALL.into_iter().flat_map(levels)
    }

    /// Compiles a module in this way.
    pub fn compile(self, text: &str) -> Compilation {
        let Way { target, opt_level } = self;
        let codegen = CodegenOptions { target, opt_level, ..CodegenOptions::STANDARD };
        compile(&Source::new("test.kalix", text), &CompileOptions { codegen })
    }
}

/// What a message carries.
#[derive(Clone, Debug)]
pub struct Message {
    /// Call data, or arguments of a constructor.
    pub data: Bytes,
    /// Value.
    pub value: U256,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How its frame ended.
    pub exit: Exit,
    /// Return data; of a creation none.
    pub output: Bytes,
    /// Logs.
    pub logs: Vec<Log>,
    /// Gas that it used.
    pub gas_used: u64,
    /// Whether compiled code ran.
    pub is_compiled: bool,
}

impl Answer {
    /// Whether it did not come near the end of its gas.
    fn has_gas(&self) -> bool {
        self.gas_used < GAS / 2 && !matches!(self.exit, Exit::Trap(_))
    }

    /// `return`, `revert` or `trap`.
    pub fn end(&self) -> &'static str {
        match self.exit {
            Exit::Halt | Exit::Return => "return",
            Exit::Revert => "revert",
            _ => "trap",
        }
    }
}

/// Accounts with their storage, without zeros; and balances of all but the sender.
type World = BTreeMap<Address, (U256, BTreeMap<U256, U256>)>;

/// What a contract did.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The creation, then the calls, as far as they were made.
    pub answers: Vec<Answer>,
    world: World,
}

impl Trace {
    /// What differs from the trace of the same messages for another way of compiling.
    pub fn difference(&self, other: &Trace) -> Option<String> {
        for (n, (a, b)) in self.answers.iter().zip(&other.answers).enumerate() {
            if !a.has_gas() || !b.has_gas() {
                return None;
            }
            if a.end() != b.end() || a.output != b.output || a.logs != b.logs {
                return Some(format!("message {n}: {b:?}\n  instead of {a:?}"));
            }
        }
        self.difference_of_worlds(other)
    }

    /// What differs from the trace of the same messages to the same code, in another tier; gas counts, too.
    pub fn difference_of_tiers(&self, other: &Trace) -> Option<String> {
        let blind = |answer: &Answer| Answer { is_compiled: false, ..answer.clone() };
        for (n, (a, b)) in self.answers.iter().zip(&other.answers).enumerate() {
            if blind(a) != blind(b) {
                return Some(format!("message {n}: {b:?}\n  instead of {a:?}"));
            }
        }
        self.difference_of_worlds(other)
    }

    fn difference_of_worlds(&self, other: &Trace) -> Option<String> {
        let is_same = self.answers.len() == other.answers.len() && self.world == other.world;
        (!is_same).then(|| format!("left behind {:?}\n  instead of {:?}", other.world, self.world))
    }
}

/// Whether a program may behave alike however it is compiled: it does not look at gas or at code.
pub fn is_comparable(text: &str) -> bool {
    let looks = ["gas", "salt", "code_size", "code_hash", "init_hash", "delegate_call", "#[reentrant]"];
    !looks.iter().any(|word| text.contains(word))
}

/// Messages to a contract: arguments of its constructor, then calls of entry points, some with damaged data.
pub fn messages(
    r: &mut Random,
    program: &Program,
    contract: &Contract,
    artifact: &Artifact,
    calls: usize,
) -> Vec<Message> {
    let abi = artifact.ethereum_abi.as_array().map(Vec::as_slice).unwrap_or_default();
    let inputs = |kind: &str| {
        let item = abi.iter().find(|item| item["type"] == kind);
        let inputs = item.and_then(|item| item["inputs"].as_array()).cloned().unwrap_or_default();
        inputs.iter().map(canonical).collect::<Vec<_>>().join(",")
    };
    let constructor = contract.constructor.map(|id| program.function(id).mutability);
    let value = |r: &mut Random, is_payable: bool| {
        let percent = if is_payable { 60 } else { 3 };
        if r.chance(percent) { U256::from(r.below(50)) } else { U256::ZERO }
    };
    let args = arguments(r, &format!("({})", inputs("constructor")));
    let mut messages =
        vec![Message { value: value(r, constructor == Some(Mutability::Payable)), data: args.into() }];
    for _ in 0..calls {
        if contract.entry_points.is_empty() || r.chance(2) {
            let data: Vec<u8> = (0..r.index(9)).map(|_| r.below(256) as u8).collect();
            messages.push(Message { value: value(r, true), data: data.into() });
            continue;
        }
        let entry = &contract.entry_points[r.index(contract.entry_points.len())];
        let types: Vec<_> = entry.inputs.iter().map(|input| input.abi_type.clone()).collect();
        let mut args = arguments(r, &format!("({})", types.join(",")));
        if r.chance(6) {
            damage(r, &mut args);
        }
        let data = [&entry.selector[..], &args].concat().into();
        messages.push(Message { value: value(r, entry.mutability == Mutability::Payable), data });
    }
    messages
}

/// The canonical type of an input of an ABI, tuples spelled out.
fn canonical(input: &serde_json::Value) -> String {
    let ty = input["type"].as_str().unwrap_or_default();
    let Some(dimensions) = ty.strip_prefix("tuple") else { return ty.to_owned() };
    let parts = input["components"].as_array().map(Vec::as_slice).unwrap_or_default();
    format!("({}){dimensions}", parts.iter().map(canonical).collect::<Vec<_>>().join(","))
}

fn arguments(r: &mut Random, types: &str) -> Vec<u8> {
    if types == "()" {
        return Vec::new();
    }
    let Ok(DynSolType::Tuple(types)) = DynSolType::parse(types) else { return Vec::new() };
    DynSolValue::Tuple(types.iter().map(|ty| random_value(r, ty)).collect()).abi_encode_params()
}

fn jit() -> Arc<Jit> {
    static JIT: OnceLock<Arc<Jit>> = OnceLock::new();
    let make = || Arc::new(Jit::new(JitOptions::checked()).expect("the JIT supports this machine"));
    JIT.get_or_init(make).clone()
}

/// Creates the contract with the first message, and sends it the others if that succeeded.
///
/// # Errors
/// If the machine refuses a transaction.
pub fn run(artifact: &Artifact, messages: &[Message], mode: Mode) -> Result<Trace, String> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::from(1_000_000), Bytes::new());
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let is_hedera = artifact.kalix_abi["requires"] == serde_json::json!(["hedera"]);
    let engine = Engine::builder().fork(Fork::LATEST).native_code(true).mode(mode).limits(limits);
    let engine = engine.hedera(is_hedera).count_blocks(true);
    let engine = if mode == Mode::Interp { engine } else { engine.tier(jit()) };
    let mut executor = Executor::new(engine.build(), database);
    let block = BlockEnv {
        gas_limit: U256::MAX,
        number: U256::from(7),
        timestamp: U256::from(1_000_000_000),
        ..BlockEnv::default()
    };
    let init = artifact.container.sections.as_ref().and_then(|sections| sections.init.clone());
    let init = init.ok_or("the artifact has no creation code")?;
    let mut trace = Trace { answers: Vec::new(), world: World::new() };
    let mut main = None;
    for message in messages {
        let data = match main {
            None => [&init[..], &message.data].concat().into(),
            Some(_) => message.data.clone(),
        };
        let transaction = Transaction::legacy(SENDER, main, message.value, data, GAS, U256::ZERO);
        let result = executor.transact(&transaction, &block).map_err(|error| error.to_string())?;
        trace.answers.push(Answer {
            exit: result.exit,
            // What a creation returns is code.
            output: if result.created.is_some() { Bytes::new() } else { result.output },
            logs: result.logs,
            gas_used: result.gas_used,
            is_compiled: result.blocks_compiled > 0,
        });
        match main.or(result.created) {
            Some(address) => main = Some(address),
            None => break,
        }
    }
    executor.commit().map_err(|error| error.to_string())?;
    let database = executor.into_state().into_database();
    for (address, info) in database.accounts().filter(|(address, _)| *address != SENDER) {
        let storage = database.storage_of(&address).filter(|(_, value)| !value.is_zero()).collect();
        trace.world.insert(address, (info.balance, storage));
    }
    Ok(trace)
}

/// What comparing the ways of a module found out.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Contracts that were created or meant to be.
    pub contracts: u64,
    /// Messages of the first way by their ends.
    pub ends: BTreeMap<&'static str, u64>,
    /// Messages in which compiled code ran.
    pub compiled: u64,
}

impl Compared {
    /// Adds what another module gave.
    pub fn add(&mut self, other: &Compared) {
        self.contracts += other.contracts;
        self.compiled += other.compiled;
        other.ends.iter().for_each(|(end, count)| *self.ends.entry(end).or_default() += count);
    }
}

/// Compiles a module in every way and sends its contracts the same messages, in compiled code too where `in_both_tiers`
/// says so.
///
/// # Errors
/// What differs, or that the compiler found a mistake of its own. A module with mistakes gives an empty result.
pub fn compare(
    text: &str,
    seed: u64,
    calls: usize,
    in_both_tiers: impl Fn(Way) -> bool,
) -> Result<Compared, String> {
    let mut compared = Compared::default();
    let mut first: Vec<(Vec<Message>, Trace)> = Vec::new();
    let mut names: Option<Vec<String>> = None;
    for way in Way::all() {
        let compilation = way.compile(text);
        if let Some(found) = mistake_of_compiler(&compilation) {
            return Err(format!("{way:?}: {found}"));
        }
        if compilation.has_errors() {
            if names.is_some() && !depends_on_way(&compilation) {
                return Err(format!("{way:?}: not accepted as in other ways: {}", errors(&compilation)));
            }
            if names.is_none() && !depends_on_way(&compilation) {
                return Ok(compared);
            }
            continue;
        }
        let found: Vec<String> = compilation.contracts.iter().map(|c| c.artifact.name.clone()).collect();
        match &names {
            Some(names) if *names != found => {
                return Err(format!("{way:?}: contracts {found:?} of {names:?}"));
            }
            _ => names = Some(found),
        }
        for (n, compiled) in compilation.contracts.iter().take(CONTRACTS_MAX).enumerate() {
            let artifact = &compiled.artifact;
            let contract =
                compilation.program.contracts.iter().find(|contract| contract.name == artifact.name);
            let contract = contract.ok_or("an artifact of no contract")?;
            let is_first = n == first.len();
            let messages = if is_first {
                let mut r = Random::new(seed ^ n as u64);
                messages(&mut r, &compilation.program, contract, artifact, calls)
            } else {
                first[n].0.clone()
            };
            let trace = run(artifact, &messages, Mode::Interp)?;
            if in_both_tiers(way) {
                let native = run(artifact, &messages, Mode::Jit)?;
                compared.compiled += native.answers.iter().filter(|answer| answer.is_compiled).count() as u64;
                if let Some(difference) = trace.difference_of_tiers(&native) {
                    return Err(format!("{way:?}, {}, compiled: {difference}", artifact.name));
                }
            }
            if is_first {
                compared.contracts += 1;
                trace.answers.iter().for_each(|answer| *compared.ends.entry(answer.end()).or_default() += 1);
                first.push((messages, trace));
            } else if let Some(difference) = first[n].1.difference(&trace).filter(|_| is_comparable(text)) {
                return Err(format!("{way:?}, {}: {difference}\nafter {messages:?}", artifact.name));
            }
        }
    }
    Ok(compared)
}

/// Contracts of a module that are run.
const CONTRACTS_MAX: usize = 4;

/// What the compiler says of itself, if it does.
pub fn mistake_of_compiler(compilation: &Compilation) -> Option<String> {
    let is_internal = |code: Code| matches!(code, Code::Internal | Code::Unsupported);
    let found = compilation.diagnostics.iter().find(|diagnostic| is_internal(diagnostic.code()))?;
    let at = compilation.source.line_column(found.span().start);
    Some(format!("{} {} at {}:{}", found.code().id(), found.title(), at.line, at.column))
}

/// Whether its mistakes may be those of one way: size, gas, what a target lacks.
pub fn depends_on_way(compilation: &Compilation) -> bool {
    let errors = compilation.diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
    errors.into_iter().all(|diagnostic| {
        let id = diagnostic.code().id();
        id == "K0508" || id == "K0711" || id.starts_with("K06")
    })
}

fn errors(compilation: &Compilation) -> String {
    let all = render_short(&compilation.diagnostics, &compilation.source);
    all.lines().filter(|line| line.contains("error[")).collect::<Vec<_>>().join("\n")
}
