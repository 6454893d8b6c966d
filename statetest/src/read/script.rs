//! Scripts of transactions: one world, many steps, results of each. A script is one case per fork.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use zvm::Fork;
use zvm::host::BlockEnv;
use zvm::tx::Transaction;

use super::{Entry, ReadError, parse, quantity};
use crate::bench::CaseLog;
use crate::case::{Accounts, Case, Expected, Failure, Post, Sent, Step, StorageDiff};

#[derive(Deserialize)]
struct Script {
    name: String,
    env: Env,
    pre: Accounts,
    steps: Vec<ScriptStep>,
    final_state_root: B256,
    final_state: Accounts,
}

#[derive(Deserialize)]
struct Env {
    coinbase: Address,
    gas_limit: U256,
    base_fee: U256,
    chain_id: U256,
    prev_randao: U256,
}

#[derive(Deserialize)]
struct ScriptStep {
    op: String,
    contract: Option<String>,
    sig: Option<String>,
    from: Address,
    to: Option<Address>,
    value: U256,
    data: Bytes,
    #[serde(with = "quantity")]
    gas_limit: u64,
    number: U256,
    timestamp: U256,
    expected: StepExpected,
}

#[derive(Deserialize)]
struct StepExpected {
    success: bool,
    error: Option<String>,
    output_hex: Bytes,
    gas_used: u64,
    gas_used_cancun: u64,
    gas_used_osaka: u64,
    exec_gas: u64,
    logs: Vec<CaseLog>,
    storage_diff: StorageDiff,
    created: Option<Address>,
}

pub(super) fn read(text: &str) -> Result<Vec<Entry>, ReadError> {
    let script: Script = parse(text)?;
    let pre = Arc::new(script.pre.clone());
    let case = |fork| {
        let steps = script.steps.iter().enumerate().map(|(index, step)| script.step(index, step, fork));
        Ok(Entry::Case(Box::new(Case {
            name: format!("{} [{}]", script.name, fork.name()),
            fork,
            transaction_gas_cap: true,
            pre: pre.clone(),
            steps: steps.collect::<Result<_, ReadError>>()?,
            post: Post { root: Some(script.final_state_root), accounts: Some(script.final_state.clone()) },
        })))
    };
    Fork::ALL.into_iter().map(case).collect()
}

impl Script {
    fn step(&self, index: usize, step: &ScriptStep, fork: Fork) -> Result<Step, ReadError> {
        let expected = &step.expected;
        let what = step.sig.as_ref().or(step.contract.as_ref()).map_or("", String::as_str);
        // The forks differ in the price of the transaction only: in the floor of EIP-7623 and in modexp.
        let (gas_used, exec_gas) = match fork {
            Fork::Cancun => (expected.gas_used_cancun, None),
            Fork::Prague => (expected.gas_used, Some(expected.exec_gas)),
            Fork::Osaka => (expected.gas_used_osaka, None),
        };
        let transaction = Transaction {
            nonce: None,
            ..Transaction::legacy(
                step.from,
                step.to,
                step.value,
                step.data.clone(),
                step.gas_limit,
                U256::ZERO,
            )
        };
        Ok(Step {
            name: format!("step {index}, {} {what}", step.op),
            block: BlockEnv {
                number: step.number,
                timestamp: step.timestamp,
                coinbase: self.env.coinbase,
                gas_limit: self.env.gas_limit,
                base_fee: self.env.base_fee,
                prev_randao: self.env.prev_randao,
                blob_base_fee: U256::ONE,
                chain_id: self.env.chain_id,
            },
            transaction: Sent::Fields(Box::new(transaction)),
            expected: Expected {
                refusal: None,
                success: Some(expected.success),
                failure: failure(index, expected.error.as_deref())?,
                output: Some(expected.output_hex.clone()),
                gas_used: Some(gas_used),
                exec_gas,
                logs: Some(expected.logs.iter().map(CaseLog::log).collect()),
                logs_hash: None,
                // A deployment that fails is listed with the address that it would have had.
                created: expected.created.filter(|_| expected.success),
                storage_diff: Some(expected.storage_diff.clone()),
            },
        })
    }
}

/// The kind of failure behind the name of an error.
fn failure(index: usize, error: Option<&str>) -> Result<Option<Failure>, ReadError> {
    match error {
        None => Ok(None),
        Some("Revert") => Ok(Some(Failure::Revert)),
        Some("OutOfGasError") => Ok(Some(Failure::Trap)),
        Some(other) => Err(ReadError::new(
            format!("steps[{index}].expected.error"),
            format!("`{other}` is neither Revert nor OutOfGasError"),
        )),
    }
}
