//! Gas that a transaction costs before it runs, and the least that it costs in all.

use super::Transaction;
use crate::fork::Fork;
use crate::gas;

impl Transaction {
    /// Gas that the transaction costs before it runs: base, data, init code, access list, authorizations.
    pub fn intrinsic_gas(&self) -> u64 {
        let [zeros, others] = count_bytes(&self.data);
        let mut cost = gas::TX_BASE + gas::TX_DATA_ZERO * zeros + gas::TX_DATA_NONZERO * others;
        if self.to.is_none() {
            cost += gas::TX_CREATE + gas::INIT_CODE_WORD * gas::words(self.data.len() as u64);
        }
        for item in self.access_list() {
            cost += gas::TX_ACCESS_LIST_ACCOUNT + gas::TX_ACCESS_LIST_SLOT * item.storage_keys.len() as u64;
        }
        cost + gas::TX_AUTHORIZATION * self.authorizations().len() as u64
    }

    /// Least gas that a transaction with this data uses (EIP-7623); 0 before Prague.
    pub fn floor_gas(&self, fork: Fork) -> u64 {
        if fork < Fork::Prague {
            return 0;
        }
        let [zeros, others] = count_bytes(&self.data);
        gas::TX_BASE + gas::TX_FLOOR_TOKEN * (zeros + 4 * others)
    }
}

/// Zero bytes and others.
fn count_bytes(data: &[u8]) -> [u64; 2] {
    let zeros = data.iter().filter(|&&byte| byte == 0).count();
    [zeros as u64, (data.len() - zeros) as u64]
}
