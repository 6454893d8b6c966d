//! `kalixc gas --function`: the estimate of one call in a given state, term by term, beside what it takes.
//!
//! The state is made by creating contracts and calling them, each in a transaction of its own, and by setting words.

use std::collections::HashMap;
use std::fmt::Write;
use std::process::ExitCode;

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, Bytes, U256, hex};
use anyhow::{Context, anyhow, bail};
use kalix::driver::Compilation;
use kalix::sema::typed::{Contract, Program};
use zvm::Fork;
use zvm::engine::Executor;
use zvm::host::BlockEnv;
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Transaction, TransactionResult};

use super::follow::{Followed, Follower};
use super::state;
use crate::flags::GasArgs;
use crate::package::Sources;
use crate::test::{BALANCE, CALLER, GAS, first_block, interpreter};
use crate::{MISTAKES, compile_file, print, report};

/// What creates a contract, in place of a function's name.
const CREATION: &str = "constructor";
/// What a call without data reaches, in place of a function's name.
const RECEIVE: &str = "receive";

/// Something to run: `new C(args)` or `C.f(args)`, with `from ADDRESS` and `value WEI` behind it.
#[derive(Clone)]
struct Step {
    contract: String,
    // `constructor` for a creation.
    function: String,
    args: String,
    from: Address,
    value: U256,
}

/// Runs the command for the function `wanted`.
pub(super) fn call(args: &GasArgs, wanted: &str) -> anyhow::Result<ExitCode> {
    let sources = Sources::find(args.path.as_deref())?;
    let [file] = sources.files() else { bail!("name the source file that holds {wanted}") };
    let compilation = compile_file(file, &args.code)?;
    if report(&compilation.diagnostics, &compilation.source, &args.reporting)? {
        return Ok(ExitCode::from(MISTAKES));
    }
    let program = &compilation.program;
    let own = || program.contracts.iter().filter(|contract| !contract.is_imported);
    let (contract, function) = match (wanted.split_once('.'), own().next(), own().count()) {
        (Some(parts), ..) => parts,
        (None, Some(only), 1) => (only.name.as_str(), wanted),
        _ => bail!("`{wanted}` may be in several contracts; write CONTRACT.{wanted}"),
    };
    contract_named(program, contract)?;
    let mut world =
        World { compilation: &compilation, database: InMemoryDatabase::new(), places: HashMap::new() };
    world.database.insert_account(CALLER, 0, BALANCE, Bytes::new());
    for step in &args.before {
        let followed = world.run(&Step::parse(step)?).with_context(|| format!("in `{step}`"))?;
        if !matches!(followed.0.exit, Exit::Halt | Exit::Return) {
            bail!("`{step}` does not succeed: {}", ending(&followed.0));
        }
    }
    let from = match &args.from {
        Some(from) => from.parse().with_context(|| format!("`{from}` is no address"))?,
        None => CALLER,
    };
    let step = Step {
        contract: contract.to_owned(),
        function: function.to_owned(),
        args: args.args.clone().unwrap_or_default(),
        from,
        value: args.value,
    };
    if function != CREATION && !world.places.contains_key(contract) {
        let creation =
            Step { function: CREATION.to_owned(), args: String::new(), value: U256::ZERO, ..step.clone() };
        let (result, _) = world.run(&creation).with_context(|| {
            format!("`{contract}` is not there yet; create it with --before 'new {contract}(…)'")
        })?;
        if !matches!(result.exit, Exit::Halt | Exit::Return) {
            bail!("`{contract}` cannot be created without arguments; use --before 'new {contract}(…)'");
        }
    }
    world.set(&args.state, contract)?;
    let (result, followed) = world.run(&step)?;
    let followed = followed.context("nothing ran")?;
    print(&shown(&format!("{contract}.{function}"), &result, &followed))?;
    let is_exact = followed.estimate.total() == followed.taken && !followed.estimate.is_lost;
    let is_outside = followed.estimate.outside > 0;
    Ok(if is_exact || is_outside { ExitCode::SUCCESS } else { ExitCode::from(MISTAKES) })
}

/// Accounts, and which of them are contracts of the source.
struct World<'c> {
    compilation: &'c Compilation,
    database: InMemoryDatabase,
    // The contract made last of each name.
    places: HashMap<String, Address>,
}

impl World<'_> {
    /// Runs a step as a transaction of its own: its result, and the outermost call as it was followed.
    fn run(&mut self, step: &Step) -> anyhow::Result<(TransactionResult, Option<Followed>)> {
        let program = &self.compilation.program;
        let contract = contract_named(program, &step.contract)?;
        let is_creation = step.function == CREATION;
        let (types, selector, to) = if is_creation {
            let params = contract.constructor.map_or(&[][..], |id| program.function(id).params());
            let types: Option<Vec<_>> = params.iter().map(|param| program.types.abi_type(param.ty)).collect();
            (types.context("a constructor with other than ABI types")?, None, None)
        } else if step.function == RECEIVE && contract.receive.is_some() {
            (Vec::new(), None, self.places.get(&step.contract).copied())
        } else {
            let entry = contract.entry_points.iter().find(|entry| entry.name == step.function);
            let entry = entry
                .with_context(|| format!("`{}` has no public function `{}`", contract.name, step.function))?;
            let place = self.places.get(&step.contract);
            let place = place.with_context(|| format!("`{}` was not created before", contract.name))?;
            let types = entry.inputs.iter().map(|input| input.abi_type.clone()).collect();
            (types, Some(entry.selector), Some(*place))
        };
        let encoded = encode(&types, &self.with_addresses(&step.args))?;
        let data = match selector {
            Some(selector) => [&selector[..], &encoded].concat(),
            None if !is_creation => Vec::new(),
            None => {
                let mut compiled = self.compilation.contracts.iter();
                let compiled = compiled.find(|compiled| compiled.artifact.name == contract.name);
                let init = compiled.and_then(|compiled| compiled.artifact.container.init());
                let init = init.with_context(|| {
                    format!(
                        "`{}` is imported and no contract of this file creates it, so it has no code here",
                        contract.name
                    )
                })?;
                [init.as_ref(), &encoded].concat()
            }
        };
        if self.database.account_info(&step.from).is_none_or(|info| info.balance < step.value) {
            let nonce = self.database.account_info(&step.from).map_or(0, |info| info.nonce);
            self.database.insert_account(step.from, nonce, BALANCE, Bytes::new());
        }
        let mut follower = Follower::new(Fork::LATEST, &self.compilation.contracts);
        follower.warm(step.from);
        to.iter().for_each(|&to| follower.warm(to));
        follower.place(&self.places, &self.compilation.contracts);
        let block: BlockEnv = first_block();
        let mut executor =
            Executor::with_inspector(interpreter(self.compilation), &mut self.database, follower);
        let transaction = Transaction::legacy(step.from, to, step.value, data.into(), GAS, U256::ZERO);
        let result = executor.transact(&transaction, &block).map_err(|error| anyhow!("{error}"))?;
        let followed = executor.inspector_mut().take().pop();
        let changes = executor.take_changes();
        drop(executor);
        self.database.commit(&changes);
        if let Some(created) = result.created {
            self.places.insert(step.contract.clone(), created);
        }
        Ok((result, followed))
    }

    /// Sets words of a contract's storage.
    fn set(&mut self, settings: &[String], contract: &str) -> anyhow::Result<()> {
        let program = &self.compilation.program;
        let Some(&place) = self.places.get(contract) else {
            if let Some(setting) = settings.first() {
                bail!("`--state {setting}`: a contract that is only being created has no state");
            }
            return Ok(());
        };
        for setting in settings {
            let set = state::parse(setting, contract_named(program, contract)?, &program.types)?;
            let before = self.database.storage_of(&place).find(|word| word.0 == set.slot);
            let before = before.map_or(U256::ZERO, |word| word.1);
            self.database.insert_storage(place, set.slot, before & !set.mask | set.word);
        }
        Ok(())
    }

    /// The text with the addresses of contracts in the place of their names, quoted text left alone.
    fn with_addresses(&self, text: &str) -> String {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let mut out = String::with_capacity(text.len());
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                out.push('"');
            }
            if index % 2 == 1 {
                out += part;
                continue;
            }
            let mut rest = part;
            while !rest.is_empty() {
                let end = rest.find(|letter| !is_letter(letter)).unwrap_or(rest.len());
                let end = if end == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { end };
                let (word, behind) = rest.split_at(end);
                match self.places.get(word) {
                    Some(place) => write!(out, "{place}").expect("a string grows"),
                    None => out += word,
                }
                rest = behind;
            }
        }
        out
    }
}

impl Step {
    fn parse(text: &str) -> anyhow::Result<Step> {
        let form = || format!("`{text}` is no step; write 'new C(args)' or 'C.f(args)'");
        let open = text.find('(').with_context(form)?;
        let close = text.rfind(')').filter(|&close| close > open).with_context(form)?;
        let head = text[..open].trim();
        let (contract, function) = match (head.strip_prefix("new "), head.split_once('.')) {
            (Some(contract), _) => (contract.trim(), CREATION),
            (None, Some(parts)) => parts,
            (None, None) => bail!(form()),
        };
        let (mut from, mut value) = (CALLER, U256::ZERO);
        let mut words = text[close + 1..].split_whitespace();
        while let Some(word) = words.next() {
            let operand = words.next().with_context(form)?;
            match word {
                "from" => from = operand.parse().with_context(|| format!("`{operand}` is no address"))?,
                "value" => value = operand.parse().with_context(|| format!("`{operand}` is no amount"))?,
                _ => bail!(form()),
            }
        }
        let (contract, function) = (contract.to_owned(), function.to_owned());
        Ok(Step { contract, function, args: text[open + 1..close].to_owned(), from, value })
    }
}

fn contract_named<'p>(program: &'p Program, name: &str) -> anyhow::Result<&'p Contract> {
    let found = program.contracts.iter().find(|contract| contract.name == name);
    let known: Vec<_> = program.contracts.iter().map(|contract| format!("`{}`", contract.name)).collect();
    found.with_context(|| match known.is_empty() {
        true => format!("there is no contract `{name}`, nor any other"),
        false => format!("there is no contract `{name}`; there are {}", known.join(", ")),
    })
}

/// Arguments in the encoding of the ABI, from a list separated by commas.
fn encode(types: &[String], text: &str) -> anyhow::Result<Vec<u8>> {
    let types: Result<Vec<DynSolType>, _> = types.iter().map(|name| DynSolType::parse(name)).collect();
    let types = types.map_err(|error| anyhow!("{error}"))?;
    if types.is_empty() {
        if !text.trim().is_empty() {
            bail!("no arguments are taken, here are `{text}`");
        }
        return Ok(Vec::new());
    }
    let shown: Vec<_> = types.iter().map(ToString::to_string).collect();
    if text.trim().is_empty() {
        bail!("arguments are missing: ({})", shown.join(", "));
    }
    let tuple = DynSolType::Tuple(types);
    let values = tuple
        .coerce_str(&format!("({text})"))
        .map_err(|error| anyhow!("`{text}` as ({}): {error}", shown.join(", ")))?;
    match values {
        DynSolValue::Tuple(_) => Ok(values.abi_encode_params()),
        _ => bail!("`{text}` is no list of arguments"),
    }
}

fn ending(result: &TransactionResult) -> String {
    match result.exit {
        Exit::Halt | Exit::Return => "succeeds".to_owned(),
        Exit::Revert => format!("reverts with 0x{}", hex::encode(&result.output)),
        Exit::Trap(trap) => format!("stops: {}", trap.message()),
        other => format!("ends with {other:?}"),
    }
}

/// The estimate by terms.
fn shown(name: &str, result: &TransactionResult, followed: &Followed) -> String {
    let estimate = &followed.estimate;
    let mut rows: Vec<(String, String, i64)> = Vec::new();
    rows.push(("operations".to_owned(), format!("{} blocks", estimate.blocks), estimate.fixed as i64));
    if estimate.memory > 0 {
        rows.push(("memory".to_owned(), String::new(), estimate.memory as i64));
    }
    for (&(op, how), &(count, gas)) in &estimate.terms {
        rows.push((format!("{} {how}", op.to_uppercase()), format!("{count} times"), gas as i64));
    }
    if estimate.calls != 0 {
        let note =
            if estimate.outside > 0 { format!("{} as reported", estimate.outside) } else { String::new() };
        rows.push(("called contracts".to_owned(), note, estimate.calls));
    }
    if estimate.lost > 0 {
        rows.push(("lost".to_owned(), String::new(), estimate.lost as i64));
    }
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    let mut text = format!("{name} {}\n", ending(result));
    for (what, note, gas) in rows {
        writeln!(text, "  {what:<width$}  {gas:>9}  {note}").expect("a string grows");
    }
    let total = estimate.total();
    writeln!(text, "  {:<width$}  {total:>9}", "estimate").expect("a string grows");
    writeln!(text, "  {:<width$}  {:>9}", "executed", followed.taken).expect("a string grows");
    if estimate.refund != 0 {
        writeln!(text, "  {:<width$}  {:>9}  at the end of the transaction", "refund", estimate.refund)
            .expect("a string grows");
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
