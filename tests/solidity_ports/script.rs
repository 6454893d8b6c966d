//! A call script of the vectors, executed with our contracts in the place of solc's.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use kalix::codegen::CodegenOptions;
use kalix::codegen::artifact::Artifact;
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use serde_json::Value;
use zvm::engine::{Executor, Limits};
use zvm::host::BlockEnv;
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Engine, Fork, Mode};
use zvm_jit::{Jit, JitOptions};

fn jit() -> Arc<Jit> {
    static JIT: OnceLock<Arc<Jit>> = OnceLock::new();
    let make = || Arc::new(Jit::new(JitOptions::checked()).expect("the JIT supports this machine"));
    JIT.get_or_init(make).clone()
}

/// A script with its world.
pub(crate) struct Script {
    name: String,
    json: Value,
}

/// What a step did.
pub(crate) struct Step {
    pub(crate) exec_gas: u64,
    /// For a deployment, the bytes of run-time code.
    pub(crate) deployed_bytes: usize,
}

impl Script {
    /// Reads the script of a contract; the builds of solc share all but the code.
    pub(crate) fn read(vectors: &Path, contract: &str) -> Script {
        let path = vectors.join(format!("solidity/{contract}.ir-200.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Script { name: contract.to_owned(), json: serde_json::from_str(&text).expect("JSON") }
    }

    /// The ABI that solc wrote.
    pub(crate) fn original_abi(&self) -> &Value {
        &self.json["contracts"][&self.name]["abi"]
    }

    /// The selectors that solc wrote, by signature.
    pub(crate) fn original_selectors(&self) -> &serde_json::Map<String, Value> {
        self.json["contracts"][&self.name]["methodIdentifiers"].as_object().expect("selectors")
    }

    fn steps(&self) -> &[Value] {
        self.json["steps"].as_array().expect("steps")
    }
}

/// A port, compiled.
pub(crate) fn compiled(contract: &str, options: &CodegenOptions) -> Artifact {
    let text = match contract {
        "ERC20" => include_str!("../ports/erc20.kalix"),
        "AMMPair" => include_str!("../ports/amm_pair.kalix"),
        "TokenVault" => include_str!("../ports/token_vault.kalix"),
        other => panic!("there is no port of {other}"),
    };
    let mut compilation =
        compile(&Source::new(format!("{contract}.kalix"), text), &CompileOptions { codegen: *options });
    let report = kalix::diag::render::render_short(&compilation.diagnostics, &compilation.source);
    assert!(!compilation.has_errors(), "{report}");
    compilation.contracts.remove(0).artifact
}

fn word_of(text: &str) -> U256 {
    text.parse().expect("a number")
}

fn word(value: &Value) -> U256 {
    match value.as_str() {
        Some(text) => word_of(text),
        None => U256::from(value.as_u64().expect("a number")),
    }
}

fn bytes(value: &Value) -> Bytes {
    hex::decode(value.as_str().expect("hexadecimal digits")).expect("hexadecimal digits").into()
}

fn address(value: &Value) -> Address {
    value.as_str().expect("an address").parse().expect("an address")
}

/// The ABI encoding of a constructor's arguments.
fn constructor_args(step: &Value) -> Vec<u8> {
    let list = |name: &str| step[name].as_array().cloned().unwrap_or_default();
    let values = list("ctor_types").into_iter().zip(list("ctor_args")).map(|(ty, arg)| {
        let ty = DynSolType::parse(ty.as_str().expect("a type")).expect("an ABI type");
        let text = arg.as_str().map_or_else(|| arg.to_string(), str::to_owned);
        ty.coerce_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"))
    });
    DynSolValue::Tuple(values.collect()).abi_encode_params()
}

/// Runs all steps, with ports of the contracts of which `is_ported` says so and solc's code of the others; panics where
/// a step differs from what the original does.
pub(crate) fn run(
    script: &Script,
    options: &CodegenOptions,
    mode: Mode,
    is_ported: fn(&str) -> bool,
) -> Vec<Step> {
    let mut database = InMemoryDatabase::new();
    for (account, facts) in script.json["pre"].as_object().expect("accounts") {
        let account = account.parse().expect("an address");
        database.insert_account(account, 0, word(&facts["balance"]), Bytes::new());
    }
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let engine = Engine::builder().fork(Fork::Prague).native_code(true).mode(mode).limits(limits);
    let engine = engine.count_blocks(true);
    let engine = if mode == Mode::Interp { engine } else { engine.tier(jit()) };
    let mut executor = Executor::new(engine.build(), database);
    let env = &script.json["env"];
    let mut steps = Vec::new();
    let mut ports: Vec<(Address, String)> = Vec::new();
    for (index, step) in script.steps().iter().enumerate() {
        let is_deployment = step["op"] == "deploy";
        let data = if is_deployment {
            match step["contract"].as_str().expect("a contract") {
                contract if is_ported(contract) => {
                    let artifact = compiled(contract, options);
                    let init = artifact.container.init().expect("creation code");
                    [&init[..], &constructor_args(step)].concat().into()
                }
                _ => bytes(&step["data"]),
            }
        } else {
            bytes(&step["data"])
        };
        let to = (!is_deployment).then(|| address(&step["to"]));
        // Deployments get what they need: only calls are to run out of gas where the original does.
        let gas_limit = if is_deployment { 30_000_000 } else { word(&step["gas_limit"]).to() };
        let from = address(&step["from"]);
        let transaction = Transaction::legacy(from, to, word(&step["value"]), data, gas_limit, U256::ZERO);
        let block = BlockEnv {
            number: word(&step["number"]),
            timestamp: word(&step["timestamp"]),
            coinbase: address(&env["coinbase"]),
            gas_limit: U256::MAX,
            chain_id: word(&env["chain_id"]),
            prev_randao: word(&env["prev_randao"]),
            ..BlockEnv::default()
        };
        let result = executor.transact(&transaction, &block).expect("a valid transaction");
        // The interpreter finds the operation at which gas runs out.
        if mode == Mode::Jit && !matches!(result.exit, Exit::Trap(_)) {
            assert!(result.blocks_compiled > 0, "compiled code ran");
            assert_eq!(result.blocks_interpreted, 0, "compiled code left nothing to the interpreter");
        }
        let what = format!(
            "{} step {index}, {} {}, {:?} {:?}",
            script.name, step["sig"], step["args"], options.target, options.opt_level
        );
        let expected = &step["expected"];
        assert_eq!(result.is_success(), expected["success"] == true, "{what}: {result:?}");
        let mut deployed_bytes = 0;
        if is_deployment {
            let created = result.created.expect("a contract");
            let contract = step["contract"].as_str().expect("a contract");
            if is_ported(contract) {
                ports.push((created, contract.to_owned()));
            }
            let account = executor.state_mut().account(&created).expect("an account");
            deployed_bytes = executor.state_mut().code(&account.code_hash).expect("code").len();
        } else {
            assert_eq!(result.output, bytes(&expected["output_hex"]), "{what}");
        }
        let logs: Vec<(Address, Vec<B256>, Bytes)> = expected["logs"]
            .as_array()
            .expect("logs")
            .iter()
            .map(|log| {
                let topics = log["topics"].as_array().expect("topics").iter();
                let topics = topics.map(|topic| B256::from_slice(&bytes(topic))).collect();
                (address(&log["address"]), topics, bytes(&log["data"]))
            })
            .collect();
        let found: Vec<_> =
            result.logs.iter().map(|log| (log.address, log.topics.to_vec(), log.data.clone())).collect();
        assert_eq!(found, logs, "{what}");
        steps.push(Step { exec_gas: result.exec_gas, deployed_bytes });
    }
    for (account, contract) in ports {
        let facts = &script.json["final_state"][format!("{account:#x}")];
        let stored = facts["storage"].as_object().expect("storage");
        for (slot, expected) in
            stored.iter().filter(|(slot, _)| crate::abi::is_shared(&contract, word_of(slot)))
        {
            let found = executor.state_mut().peek_storage(&account, &word_of(slot)).expect("a word");
            assert_eq!(found, word(expected), "{contract}, slot {slot}, {options:?}");
        }
    }
    steps
}
