//! The benchmark contracts of the vectors folder: one transaction each, with its expected result.
//!
//! Benchmarks take a [`BenchCase`] as it is; state tests run it as a [`Case`].

use std::path::Path;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use zvm::Fork;
use zvm::engine::EngineBuilder;
use zvm::gas::TX_LIMIT_MAX;
use zvm::host::{BlockEnv, Log};
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;

use crate::case::{Accounts, Case, Expected, Post, Sent, Step, StorageDiff, engine};
use crate::read::{ReadError, parse, quantity};

/// Facts of the block.
#[derive(Clone, Debug, Deserialize)]
pub struct BenchBlock {
    /// Beneficiary.
    pub coinbase: Address,
    /// Number.
    pub number: U256,
    /// Seconds since the epoch.
    pub timestamp: U256,
    /// Gas limit.
    pub gas_limit: U256,
    /// Wei per gas.
    pub base_fee: U256,
    /// Chain id.
    pub chain_id: U256,
    /// Beacon randomness.
    pub prev_randao: U256,
}

/// A log entry that a case expects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CaseLog {
    /// Account that logged.
    pub address: Address,
    /// Topics.
    pub topics: Vec<B256>,
    /// Data.
    pub data: Bytes,
}

impl CaseLog {
    /// The entry as the machine has it.
    pub fn log(&self) -> Log {
        Log { address: self.address, topics: self.topics.clone(), data: self.data.clone() }
    }
}

/// What the transaction must give.
#[derive(Clone, Debug, Deserialize)]
pub struct BenchExpected {
    /// Whether the top frame ended successfully.
    pub success: bool,
    /// Gas used by the transaction.
    pub gas_used: u64,
    /// Gas used at Prague, where the other figures are of another fork.
    #[serde(default)]
    pub gas_used_prague: Option<u64>,
    /// Gas spent by the top frame, before refunds.
    pub exec_gas: u64,
    /// Return data.
    #[serde(rename = "output_hex")]
    pub output: Bytes,
    /// Logs in order.
    pub logs: Vec<CaseLog>,
    /// Slots that changed, by account.
    pub storage_diff: StorageDiff,
    /// State root after the transaction; `None` where nobody computed it.
    #[serde(default)]
    pub state_root: Option<B256>,
    /// Fork whose gas schedule the figures are of.
    pub fork_of_gas: String,
}

/// One benchmark transaction.
#[derive(Clone, Debug, Deserialize)]
pub struct BenchCase {
    /// Name of the row.
    pub name: String,
    /// Call data.
    #[serde(rename = "calldata_hex")]
    pub calldata: Bytes,
    /// Wei sent.
    pub value: U256,
    /// Gas limit of the transaction.
    #[serde(with = "quantity")]
    pub gas_limit: u64,
    /// Wei per gas.
    pub gas_price: U256,
    /// Sender.
    pub sender: Address,
    /// Account called.
    pub target: Address,
    /// Block.
    pub env: BenchBlock,
    /// Accounts before.
    pub pre: Accounts,
    /// Result.
    pub expected: BenchExpected,
}

impl BenchCase {
    /// Whether the transaction calls a precompiled contract directly.
    pub fn calls_precompile(&self) -> bool {
        self.pre.get(&self.target).is_none_or(|account| account.code.is_empty())
    }

    /// The fork of the figures.
    ///
    /// # Errors
    /// If the case names a fork that the machine does not implement.
    pub fn fork(&self) -> Result<Fork, ReadError> {
        let name = &self.expected.fork_of_gas;
        Fork::from_name(name)
            .ok_or_else(|| ReadError::new("expected.fork_of_gas", format!("`{name}` is no fork known here")))
    }

    /// An engine builder with the case's rules; the cap of EIP-7825 is off where the gas limit needs it.
    ///
    /// # Panics
    /// If the case names a fork that the machine does not implement.
    pub fn engine(&self) -> EngineBuilder {
        engine(self.fork().expect("cases that are measured name known forks"), self.is_capped())
    }

    fn is_capped(&self) -> bool {
        self.gas_limit <= TX_LIMIT_MAX
    }

    /// The state before the transaction.
    pub fn database(&self) -> InMemoryDatabase {
        let mut database = InMemoryDatabase::new();
        for (address, account) in &self.pre {
            database.insert_account(*address, account.nonce, account.balance, account.code.clone());
            for (slot, value) in &account.storage {
                database.insert_storage(*address, *slot, *value);
            }
        }
        database
    }

    /// The block.
    pub fn block(&self) -> BlockEnv {
        BlockEnv {
            number: self.env.number,
            timestamp: self.env.timestamp,
            coinbase: self.env.coinbase,
            gas_limit: self.env.gas_limit,
            base_fee: self.env.base_fee,
            prev_randao: self.env.prev_randao,
            blob_base_fee: U256::ONE,
            chain_id: self.env.chain_id,
        }
    }

    /// The transaction.
    pub fn transaction(&self) -> Transaction {
        let BenchCase { sender, target, value, calldata, gas_limit, gas_price, .. } = self;
        Transaction::legacy(*sender, Some(*target), *value, calldata.clone(), *gas_limit, *gas_price)
    }

    /// The cases to check: one at the fork of the figures, and one at Prague where its gas is known too.
    ///
    /// # Errors
    /// If the case names a fork that the machine does not implement.
    pub fn cases(&self) -> Result<Vec<Case>, ReadError> {
        let fork = self.fork()?;
        let mut cases = vec![self.case(fork, self.expected.gas_used, Some(self.expected.exec_gas))];
        if let Some(gas_used) = self.expected.gas_used_prague.filter(|_| fork != Fork::Prague) {
            cases.push(self.case(Fork::Prague, gas_used, None));
        }
        Ok(cases)
    }

    fn case(&self, fork: Fork, gas_used: u64, exec_gas: Option<u64>) -> Case {
        let expected = &self.expected;
        let step = Step {
            name: String::new(),
            block: self.block(),
            transaction: Sent::Fields(Box::new(self.transaction())),
            expected: Expected {
                success: Some(expected.success),
                output: Some(expected.output.clone()),
                gas_used: Some(gas_used),
                exec_gas,
                logs: Some(expected.logs.iter().map(CaseLog::log).collect()),
                storage_diff: Some(expected.storage_diff.clone()),
                ..Expected::default()
            },
        };
        Case {
            name: format!("{} [{}]", self.name, fork.name()),
            fork,
            transaction_gas_cap: self.is_capped(),
            pre: Arc::new(self.pre.clone()),
            steps: vec![step],
            post: Post { root: expected.state_root, accounts: None },
        }
    }
}

/// Reads every case of the folder `bench` of the vectors, by name.
///
/// # Errors
/// If the folder or a file can't be read, or a file is no case; the text names the file.
pub fn bench_cases(vectors: &Path) -> Result<Vec<BenchCase>, String> {
    let folder = vectors.join("bench");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
        if path.extension().is_some_and(|ext| ext == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            parse(&text).map_err(|e| format!("{}: {e}", path.display()))
        })
        .collect()
}
