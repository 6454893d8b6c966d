//! The benchmark contracts of the vectors folder: one transaction each, with its expected result.
//!
//! The folder stays outside the project. [`vectors_dir`] finds it by `ZVM_VECTORS`; a caller that gets `None`
//! says that it skips.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use zvm::Fork;
use zvm::engine::{Engine, EngineBuilder, Limits};
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;

/// The vectors folder: `ZVM_VECTORS`, by default `../shared/vectors` beside the workspace; `None` if absent.
pub fn vectors_dir() -> Option<PathBuf> {
    let dir = match std::env::var_os("ZVM_VECTORS") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
    };
    dir.is_dir().then_some(dir)
}

/// An account before the transaction.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseAccount {
    /// Wei.
    pub balance: U256,
    /// Transactions sent so far.
    #[serde(with = "quantity")]
    pub nonce: u64,
    /// All bytes of the code.
    pub code: Bytes,
    /// Storage by slot.
    pub storage: BTreeMap<U256, U256>,
}

/// Facts of the block.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseBlock {
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

/// A log entry that the case expects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CaseLog {
    /// Account that logged.
    pub address: Address,
    /// Topics.
    pub topics: Vec<B256>,
    /// Data.
    pub data: Bytes,
}

/// What the transaction must give.
#[derive(Clone, Debug, Deserialize)]
pub struct Expected {
    /// Whether the top frame ended successfully.
    pub success: bool,
    /// Gas used by the transaction.
    pub gas_used: u64,
    /// Gas spent by the top frame, before refunds.
    pub exec_gas: u64,
    /// Return data.
    #[serde(rename = "output_hex")]
    pub output: Bytes,
    /// Logs in order.
    pub logs: Vec<CaseLog>,
    /// Slots that changed, by account.
    pub storage_diff: BTreeMap<Address, BTreeMap<U256, U256>>,
    /// Fork whose gas schedule the figures are of.
    pub fork_of_gas: String,
}

/// One benchmark transaction.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
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
    pub env: CaseBlock,
    /// Accounts before.
    pub pre: BTreeMap<Address, CaseAccount>,
    /// Result.
    pub expected: Expected,
}

impl Case {
    /// Whether the transaction calls a precompiled contract directly.
    pub fn calls_precompile(&self) -> bool {
        self.pre.get(&self.target).is_none_or(|account| account.code.is_empty())
    }

    /// An engine builder with the case's rules; the transaction cap of EIP-7825 is off, as the gas limits need.
    ///
    /// # Panics
    /// If the case names a fork that we don't have.
    pub fn engine(&self) -> EngineBuilder {
        let fork = Fork::from_name(&self.expected.fork_of_gas).expect("the cases name known forks");
        Engine::builder().fork(fork).limits(Limits { transaction_gas_cap: false, ..Limits::default() })
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
        let (to, data) = (Some(self.target), self.calldata.clone());
        Transaction::legacy(self.sender, to, self.value, data, self.gas_limit, self.gas_price)
    }
}

/// Reads every case of the `bench` folder, by name.
pub fn bench_cases(vectors: &Path) -> Result<Vec<Case>, String> {
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
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
        })
        .collect()
}

/// A `u64` written as a 0x-quantity.
mod quantity {
    use alloy_primitives::U64;
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        U64::deserialize(deserializer).map(|quantity| quantity.to())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_reads_and_names_a_known_fork() {
        let Some(vectors) = vectors_dir() else {
            eprintln!("skipped: no vectors folder (set ZVM_VECTORS)");
            return;
        };
        let cases = bench_cases(&vectors).expect("the cases read");
        assert!(!cases.is_empty());
        for case in cases {
            assert!(zvm::Fork::from_name(&case.expected.fork_of_gas).is_some(), "{}", case.name);
        }
    }
}
