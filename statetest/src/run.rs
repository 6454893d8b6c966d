//! Runs one case on an engine and names what differs from what it expects.

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use zvm::engine::{Engine, Executor};
use zvm::host::Log;
use zvm::outcome::Exit;
use zvm::profile::Operations;
use zvm::state::{StateDiff, logs_hash};
use zvm::tx::{TransactionError, TransactionResult};

use crate::case::{Account, Accounts, Case, Expected, Failure, Sent, Step, StorageDiff};
use crate::database::CaseDatabase;
use crate::exceptions::Refusal;

/// Most differences that are kept of one case.
const DIFFERENCES_MAX: usize = 40;

/// Bytes of output or code that are shown.
const BYTES_SHOWN: usize = 64;

/// What a run of a case gave.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// What differs from what the case expects; none if it passes.
    pub differences: Vec<Difference>,
    /// Differences beyond those that were kept.
    pub more: usize,
    /// Basic blocks run by compiled code, if the engine counts them.
    pub blocks_compiled: u64,
    /// Basic blocks run by the interpreter, if the engine counts them.
    pub blocks_interpreted: u64,
    /// Operations run, if the engine counts them.
    pub operations: Operations,
}

/// One thing that differs, with both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: a field of the result, a part of an account.
    pub what: String,
    /// What the case expects.
    pub expected: String,
    /// What the engine gave.
    pub found: String,
}

impl Run {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }

    fn differ(&mut self, what: impl Into<String>, expected: impl ToString, found: impl ToString) {
        if self.differences.len() == DIFFERENCES_MAX {
            self.more += 1;
            return;
        }
        let (expected, found) = (expected.to_string(), found.to_string());
        self.differences.push(Difference { what: what.into(), expected, found });
    }

    /// Compares, if the case says what it expects.
    fn check<T: PartialEq + ToString>(&mut self, what: &str, expected: Option<T>, found: T) {
        if let Some(expected) = expected
            && expected != found
        {
            self.differ(what, expected, found);
        }
    }
}

/// Runs a case. The engine must have the case's rules, see [`Case::engine`].
pub fn run(case: &Case, engine: &Engine) -> Run {
    let mut run = Run::default();
    let mut database = CaseDatabase::new(&case.pre);
    for step in &case.steps {
        let known = run.differences.len();
        database = run_step(step, engine, database, &mut run);
        if !step.name.is_empty() {
            for difference in &mut run.differences[known..] {
                difference.what = format!("{}: {}", step.name, difference.what);
            }
        }
    }
    if let Some(expected) = &case.post.accounts {
        compare_accounts(expected, &database.accounts(), &mut run);
    }
    run.check("state root", case.post.root, database.root());
    run
}

/// Runs one transaction and gives the world after it.
fn run_step(step: &Step, engine: &Engine, database: CaseDatabase, run: &mut Run) -> CaseDatabase {
    let expected = &step.expected;
    let transaction = match &step.transaction {
        Sent::Fields(transaction) => transaction,
        Sent::Undecodable(bytes) => {
            if let Some(hash) = decode(bytes) {
                let refusal = expected.refusal.as_ref().map_or("refused", Refusal::names);
                run.differ("transaction", refusal, format!("decoded and its sender recovered: {hash}"));
            }
            return database;
        }
    };
    let mut executor = Executor::new(engine.clone(), database);
    let result = executor.transact(transaction, &step.block);
    let diff = executor.state().diff();
    let mut database = executor.into_state().into_database();
    match (&result, &expected.refusal) {
        (Ok(result), None) => {
            run.blocks_compiled += result.blocks_compiled;
            run.blocks_interpreted += result.blocks_interpreted;
            run.operations.add(result.operations);
        }
        (Ok(result), Some(refusal)) => run.differ("transaction", refusal.names(), describe(result)),
        (Err(error), Some(refusal)) if refusal.is_met_by(error) => {}
        (Err(error), Some(refusal)) => run.differ("transaction", refusal.names(), refused(error)),
        (Err(error), None) => run.differ("transaction", "valid", refused(error)),
    }
    if let Some(storage_diff) = &expected.storage_diff {
        compare_storage_diff(storage_diff, &diff, run);
    }
    database.commit(&diff);
    match &result {
        Ok(result) => compare_result(expected, result, &database, run),
        Err(_) => run.check("hash of logs", expected.logs_hash, logs_hash(&[])),
    }
    database
}

/// Decodes a transaction as a node does and recovers its sender: its hash, or nothing where that fails.
fn decode(bytes: &Bytes) -> Option<B256> {
    let transaction = TxEnvelope::decode_2718_exact(bytes).ok()?;
    transaction.recover_signer().ok()?;
    Some(*transaction.hash())
}

fn compare_result(expected: &Expected, result: &TransactionResult, database: &CaseDatabase, run: &mut Run) {
    run.check("success", expected.success, result.is_success());
    if let Some(failure) = expected.failure
        && !is_met_by(failure, result.exit)
    {
        run.differ("end", format!("{failure:?}"), format!("{:?}", result.exit));
    }
    if let Some(expected) = &expected.output {
        // Of a creation that succeeds, the forms tell the code.
        let found = match result.created {
            Some(created) => database.full_account(&created).map(|account| account.code),
            None => Some(result.output.clone()),
        };
        let found = found.unwrap_or_default();
        if *expected != found {
            run.differ("output", shown(expected), shown(&found));
        }
    }
    run.check("gas used", expected.gas_used, result.gas_used);
    run.check("gas of the top frame", expected.exec_gas, result.exec_gas);
    if let Some(created) = expected.created
        && result.created != Some(created)
    {
        run.differ(
            "created",
            created,
            result.created.map_or("nothing".into(), |address| address.to_string()),
        );
    }
    if let Some(logs) = &expected.logs {
        compare_logs(logs, &result.logs, run);
    }
    run.check("hash of logs", expected.logs_hash, logs_hash(&result.logs));
}

fn is_met_by(failure: Failure, exit: Exit) -> bool {
    match failure {
        Failure::Revert => exit == Exit::Revert,
        Failure::Trap => matches!(exit, Exit::Trap(_)),
    }
}

fn compare_logs(expected: &[Log], found: &[Log], run: &mut Run) {
    run.check("number of logs", Some(expected.len()), found.len());
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        if expected == found {
            continue;
        }
        let text = |log: &Log| {
            let topics: Vec<String> = log.topics.iter().map(ToString::to_string).collect();
            format!("{} [{}] {}", log.address, topics.join(", "), shown(&log.data))
        };
        run.differ(format!("log {index}"), text(expected), text(found));
    }
}

/// Compares the storage that a transaction changed, slot by slot.
fn compare_storage_diff(expected: &StorageDiff, found: &StateDiff, run: &mut Run) {
    let none = BTreeMap::new();
    let addresses: BTreeSet<&Address> = expected.keys().chain(found.accounts.keys()).collect();
    for address in addresses {
        let expected = expected.get(address).unwrap_or(&none);
        let found = found.accounts.get(address).map_or(&none, |account| &account.storage);
        let slots: BTreeSet<&U256> = expected.keys().chain(found.keys()).collect();
        for slot in slots {
            let (expected, found) = (expected.get(slot), found.get(slot));
            if expected != found {
                let text = |word: Option<&U256>| word.map_or("unchanged".into(), |word| format!("{word:#x}"));
                run.differ(format!("change of {address} slot {slot:#x}"), text(expected), text(found));
            }
        }
    }
}

/// Compares worlds, account by account.
fn compare_accounts(expected: &Accounts, found: &Accounts, run: &mut Run) {
    let addresses: BTreeSet<&Address> = expected.keys().chain(found.keys()).collect();
    for address in addresses {
        match (expected.get(address), found.get(address)) {
            (Some(expected), Some(found)) => compare_account(address, expected, found, run),
            (expected, found) => {
                let text = |account: Option<&Account>| match account {
                    Some(account) => format!(
                        "balance {}, nonce {}, {} bytes of code, {} slots",
                        account.balance,
                        account.nonce,
                        account.code.len(),
                        account.storage.len()
                    ),
                    None => "no account".to_owned(),
                };
                run.differ(address.to_string(), text(expected), text(found));
            }
        }
    }
}

fn compare_account(address: &Address, expected: &Account, found: &Account, run: &mut Run) {
    run.check(&format!("{address} balance"), Some(expected.balance), found.balance);
    run.check(&format!("{address} nonce"), Some(expected.nonce), found.nonce);
    if expected.code != found.code {
        run.differ(format!("{address} code"), shown(&expected.code), shown(&found.code));
    }
    let slots: BTreeSet<&U256> = expected.storage.keys().chain(found.storage.keys()).collect();
    for slot in slots {
        let word = |account: &Account| account.storage.get(slot).copied().unwrap_or_default();
        let (expected, found) = (word(expected), word(found));
        if expected != found {
            run.differ(format!("{address} slot {slot:#x}"), format!("{expected:#x}"), format!("{found:#x}"));
        }
    }
}

/// Bytes for a report: long ones are cut, and told apart by their hash.
fn shown(bytes: &Bytes) -> String {
    if bytes.len() <= BYTES_SHOWN {
        return bytes.to_string();
    }
    let start = bytes.slice(..BYTES_SHOWN);
    format!("{start}… ({} bytes, hash {})", bytes.len(), keccak256(bytes))
}

fn refused(error: &TransactionError) -> String {
    format!("refused: {error}")
}

fn describe(result: &TransactionResult) -> String {
    format!("ran: {:?}, gas used {}", result.exit, result.gas_used)
}
