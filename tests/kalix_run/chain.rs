//! Scripts with several contracts on one chain: what they do to each other.
//!
//! ```text
//! //> token = Token(5, caller) value 1     deploys a contract of the file and names it
//! //> mock = code 0x5f5ffd                 deploys Ethereum code
//! //> token.give(vault, 3) value 3         calls an entry point; a name is an address
//! //> token.0x01020304 value 3             calls with these bytes
//! //> storage token 0                      reads a slot
//! //> balance token                        reads a balance
//! //= …                                    what came out
//! ```
//!
//! A program with a line `//! target zvm` is compiled for the native machine only.
//!
//! Every program runs at every level of optimization, and at the usual one interpreted, compiled, and both at once;
//! results are equal, and gas too between tiers. `BLESS=1 cargo test --test kalix_run` rewrites the `//=` lines.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, Bytes, U256, hex};
use kalix::codegen::{CodegenOptions, Target};
use kalix::sema::types::TypeId;
use kalix::source::Source;
use kalix::{Compilation, CompileOptions, compile};
use zvm::engine::{Executor, Limits};
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Transaction, TransactionResult};
use zvm::{Engine, Fork, Mode};
use zvm_jit::{Jit, JitOptions};
use zvm_statetest::vectors::vectors_dir;

use crate::files::{
    encode_args, every_way, is_executed_natively, parse_call, parse_slot, parse_word, show, show_word,
};
use crate::peer::Peer;
use crate::scripts::{diff, run_folder};

/// Sends all transactions.
const SENDER: Address = Address::repeat_byte(0x5e);
const FUNDS: U256 = U256::from_limbs([1_000_000, 0, 0, 0]);

fn jit() -> Arc<Jit> {
    static JIT: OnceLock<Arc<Jit>> = OnceLock::new();
    let make = || Arc::new(Jit::new(JitOptions::checked()).expect("the JIT supports this machine"));
    JIT.get_or_init(make).clone()
}

#[test]
fn contracts_do_to_each_other_what_they_say() {
    run_folder("chain", run_everywhere);
}

/// Kalix contracts and contracts that solc compiled, whose code is among the vectors.
#[test]
fn contracts_of_two_languages_call_each_other() {
    if vectors_dir().is_some() {
        run_folder("solidity", run_everywhere);
    } else {
        println!("skipped: the vectors are not there (ZVM_VECTORS)");
    }
}

/// The script with the results of today, `None` if no way runs its target; an error if two ways differ.
fn run_everywhere(text: &str) -> Result<Option<String>, String> {
    let mut first: Option<String> = None;
    let is_native = text.lines().any(|line| line == "//! target zvm");
    for options in every_way().filter(|way| !is_native || way.target == Target::Zvm) {
        let source = Source::new("test.kalix", text);
        let compilation = compile(&source, &CompileOptions { codegen: options });
        if compilation.has_errors() {
            return Err(kalix::diag::render::render_short(&compilation.diagnostics, &source));
        }
        let mut gas_of_code: Option<Vec<u64>> = None;
        for &mode in
            crate::MODES.iter().filter(|&&mode| mode == Mode::Interp || is_executed_natively(&options))
        {
            let (found, gas) = run_script(text, &compilation, mode)?;
            let expected = first.get_or_insert_with(|| found.clone());
            if *expected != found {
                let lines = diff(expected, &found).join("\n  ");
                let CodegenOptions { target, opt_level, .. } = options;
                return Err(format!("{}, {mode:?}, {opt_level:?}\n  {lines}", target.name()));
            }
            let expected = gas_of_code.get_or_insert_with(|| gas.clone());
            if *expected != gas {
                return Err(format!("{mode:?}: gas {gas:?} instead of {expected:?}"));
            }
        }
    }
    Ok(first)
}

/// A deployed account, with the position of its contract in the file.
#[derive(Clone, Copy)]
struct Deployed {
    address: Address,
    contract: Option<usize>,
}

struct Chain<'c> {
    compilation: &'c Compilation,
    executor: Executor<InMemoryDatabase>,
    mode: Mode,
    names: BTreeMap<String, Deployed>,
    gas: Vec<u64>,
    peer: Peer,
}

fn run_script(text: &str, compilation: &Compilation, mode: Mode) -> Result<(String, Vec<u64>), String> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, FUNDS, Bytes::new());
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let engine = Engine::builder().fork(Fork::LATEST).native_code(true).mode(mode).limits(limits);
    let mut abis = compilation.contracts.iter().map(|compiled| &compiled.artifact.kalix_abi);
    let needs_hedera = abis.any(|abi| abi["requires"] == serde_json::json!(["hedera"]));
    let engine = engine.count_blocks(true).hedera(needs_hedera);
    let engine = if mode == Mode::Interp { engine } else { engine.tier(jit()) };
    let executor = Executor::new(engine.build(), database);
    let mut chain = Chain {
        compilation,
        executor,
        mode,
        names: BTreeMap::new(),
        gas: Vec::new(),
        peer: Peer::new(&[(SENDER, FUNDS)]),
    };
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("//=")) {
        writeln!(out, "{line}").expect("a String accepts all");
        let Some(command) = line.strip_prefix("//>").map(str::trim) else { continue };
        for result in chain.run(command).map_err(|error| format!("{command}: {error}"))? {
            writeln!(out, "//= {result}").expect("a String accepts all");
        }
    }
    Ok((out, chain.gas))
}

impl Chain<'_> {
    fn run(&mut self, command: &str) -> Result<Vec<String>, String> {
        if let Some(rest) = command.strip_prefix("storage ") {
            let (name, slot) = rest.split_once(' ').ok_or("a slot is missing")?;
            let (address, slot) = (self.deployed(name)?.address, parse_slot(slot.trim())?);
            let value = self.executor.state_mut().peek_storage(&address, &slot);
            return Ok(vec![show_word(value.map_err(|error| error.to_string())?)]);
        }
        if let Some(name) = command.strip_prefix("balance ") {
            let address = self.deployed(name)?.address;
            let account = self.executor.state_mut().account(&address).map_err(|error| error.to_string())?;
            return Ok(vec![show_word(account.balance)]);
        }
        if let Some((name, what)) = command.split_once(" = ") {
            return self.deploy(name.trim(), what.trim());
        }
        let (name, call) = command.split_once('.').ok_or("no command")?;
        let target = self.deployed(name)?;
        if let Some(bytes) = call.strip_prefix("0x") {
            let (bytes, value) = match bytes.split_once(" value ") {
                Some((bytes, value)) => (bytes, parse_word(value)?),
                None => (bytes, U256::ZERO),
            };
            let data = hex::decode(bytes).map_err(|error| error.to_string())?;
            let result = self.send(Some(target.address), value, data.into())?;
            return Ok(self.show(&[TypeId::U256], &result));
        }
        let (name, args, value) = parse_call(call)?;
        let contract = target.contract.ok_or("it has no entry points")?;
        let contract = &self.compilation.program.contracts[contract];
        let entry = contract.entry_points.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or("no such entry point")?;
        let outputs: Vec<TypeId> = entry.outputs.iter().map(|output| output.ty).collect();
        let inputs: Vec<TypeId> = entry.inputs.iter().map(|input| input.ty).collect();
        let types = &self.compilation.program.types;
        let args = encode_args(types, &inputs, &args, &|word| self.word(word))?;
        let result = self.send(Some(target.address), value, [&entry.selector[..], &args].concat().into())?;
        Ok(self.show(&outputs, &result))
    }

    fn deploy(&mut self, name: &str, what: &str) -> Result<Vec<String>, String> {
        let (data, value, contract) = match what.strip_prefix("code 0x") {
            Some(bytes) => {
                let code = hex::decode(bytes).map_err(|error| error.to_string())?;
                let size = u8::try_from(code.len()).map_err(|_| "too long")?;
                // Copies what follows and returns it.
                let mut init = vec![0x60, size, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3];
                init.extend(code);
                (init, U256::ZERO, None)
            }
            None if what.starts_with("solc ") => {
                let (contract, args, value) = parse_call(&what["solc ".len()..])?;
                (self.solc_creation(&contract, &args)?, value, None)
            }
            None => {
                let (contract, args, value) = parse_call(what)?;
                let contracts = &self.compilation.contracts;
                let index = contracts.iter().position(|compiled| compiled.artifact.name == contract);
                let index = index.ok_or("no such contract")?;
                let sections = contracts[index].artifact.container.sections.as_ref();
                let init = sections.and_then(|sections| sections.init.clone()).ok_or("no init code")?;
                let mut data = init.to_vec();
                let program = &self.compilation.program;
                let constructor =
                    program.contracts[index].constructor.map(|id| program.function(id).params());
                let types: Vec<TypeId> =
                    constructor.unwrap_or_default().iter().map(|param| param.ty).collect();
                data.extend(encode_args(&program.types, &types, &args, &|word| self.word(word))?);
                (data, value, Some(index))
            }
        };
        let result = self.send(None, value, data.into())?;
        match result.created {
            Some(address) => {
                self.names.insert(name.to_owned(), Deployed { address, contract });
                Ok(self.show(&[], &TransactionResult { exit: zvm::outcome::Exit::Halt, ..result }))
            }
            None => Ok(self.show(&[], &result)),
        }
    }

    /// The creation code of a contract that solc compiled, with arguments; from the vectors.
    fn solc_creation(&self, contract: &str, args: &[String]) -> Result<Vec<u8>, String> {
        let folder = vectors_dir().ok_or("the vectors are not there")?;
        let path = folder.join(format!("solidity/{contract}.ir-200.json"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let compiled = &json["contracts"][contract];
        let code = compiled["initcode"].as_str().ok_or("no creation code")?;
        let mut data = hex::decode(code).map_err(|error| error.to_string())?;
        let constructor =
            compiled["abi"].as_array().and_then(|abi| abi.iter().find(|item| item["type"] == "constructor"));
        let inputs = constructor.and_then(|item| item["inputs"].as_array()).cloned().unwrap_or_default();
        let mut values = Vec::new();
        for (input, arg) in inputs.iter().zip(args) {
            let ty = DynSolType::parse(input["type"].as_str().unwrap_or_default());
            let mut arg = arg.clone();
            for (name, deployed) in &self.names {
                arg = arg.replace(&format!("<{name}>"), &deployed.address.to_string());
            }
            let value = ty.and_then(|ty| ty.coerce_str(&arg)).map_err(|error| format!("{arg}: {error}"))?;
            values.push(value);
        }
        data.extend(DynSolValue::Tuple(values).abi_encode_params());
        Ok(data)
    }

    fn deployed(&self, name: &str) -> Result<Deployed, String> {
        self.names.get(name.trim()).copied().ok_or_else(|| format!("`{name}` is not deployed"))
    }

    /// What a word that is no number means.
    fn word(&self, text: &str) -> Option<U256> {
        let address = match text {
            "caller" => SENDER,
            _ => self.names.get(text)?.address,
        };
        Some(address.into_word().into())
    }

    fn send(&mut self, to: Option<Address>, value: U256, data: Bytes) -> Result<TransactionResult, String> {
        let transaction = Transaction::legacy(SENDER, to, value, data, 30_000_000, U256::ZERO);
        let block = BlockEnv { gas_limit: U256::MAX, number: U256::from(1), ..BlockEnv::default() };
        let result = self.executor.transact(&transaction, &block).map_err(|error| error.to_string())?;
        if self.mode == Mode::Jit && (result.blocks_compiled == 0 || result.blocks_interpreted > 0) {
            let (compiled, interpreted) = (result.blocks_compiled, result.blocks_interpreted);
            return Err(format!("{compiled} blocks ran as native code, {interpreted} in the interpreter"));
        }
        self.peer.transact(&transaction, &block, &result)?;
        self.gas.push(result.gas_used);
        Ok(result)
    }

    fn show(&self, outputs: &[TypeId], result: &TransactionResult) -> Vec<String> {
        show(&self.compilation.program, outputs, result.exit, &result.output, &result.logs)
    }
}
