//! What a transaction did, in terms that every engine's result converts to.

use alloy_primitives::{Address, B256, Bytes, U256};
use zvm_statetest::bench::BenchCase;

/// The observable result of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Whether the top frame ended successfully.
    pub success: bool,
    /// Gas used by the transaction, after refunds.
    pub gas_used: u64,
    /// Return data.
    pub output: Bytes,
    /// Address, topics and data of each log.
    pub logs: Vec<(Address, Vec<B256>, Bytes)>,
    /// Changed slots, sorted.
    pub storage: Vec<(Address, U256, U256)>,
}

impl Observed {
    /// What the case expects.
    pub fn expected(case: &BenchCase) -> Observed {
        let expected = &case.expected;
        let logs =
            expected.logs.iter().map(|log| (log.address, log.topics.clone(), log.data.clone())).collect();
        let mut storage = Vec::new();
        for (address, slots) in &expected.storage_diff {
            storage.extend(slots.iter().map(|(slot, value)| (*address, *slot, *value)));
        }
        storage.sort_unstable();
        Observed {
            success: expected.success,
            gas_used: expected.gas_used,
            output: expected.output.clone(),
            logs,
            storage,
        }
    }

    /// Says what differs, or nothing if the two are equal.
    pub fn difference(&self, other: &Observed) -> Option<String> {
        let mut parts = Vec::new();
        if self.success != other.success {
            parts.push(format!("success {} against {}", self.success, other.success));
        }
        if self.gas_used != other.gas_used {
            parts.push(format!("gas {} against {}", self.gas_used, other.gas_used));
        }
        if self.output != other.output {
            parts.push(format!("output {} against {}", self.output, other.output));
        }
        if self.logs != other.logs {
            parts.push(format!("{} logs against {}, or their contents", self.logs.len(), other.logs.len()));
        }
        if self.storage != other.storage {
            parts.push(format!(
                "{} changed slots against {}, or their values",
                self.storage.len(),
                other.storage.len()
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
