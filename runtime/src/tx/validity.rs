//! The rules that a transaction must keep before anything happens.
//!
//! Their order is that of the execution specification: first what the transaction alone shows, then the block,
//! then the sender's account.

use alloy_primitives::U256;

use super::blob::{BLOB_HASH_VERSION, BlobRules, GAS_PER_BLOB};
use super::{Transaction, TransactionError, TransactionKind};
use crate::compiled::frame::Spec;
use crate::engine::Executor;
use crate::fork::Fork;
use crate::gas;
use crate::host::BlockEnv;
use crate::inspect::Inspector;
use crate::state::Database;

impl<D: Database, I: Inspector> Executor<D, I> {
    /// Checks every rule; gives the sender's nonce.
    pub(super) fn validate(
        &mut self,
        transaction: &Transaction,
        block: &BlockEnv,
    ) -> Result<u64, TransactionError> {
        let capped = self.engine().limits().transaction_gas_cap;
        check_alone(transaction, self.engine().spec(), capped)?;
        check_in_block(transaction, self.engine().spec().fork, block)?;
        self.check_sender(transaction)
    }

    fn check_sender(&mut self, transaction: &Transaction) -> Result<u64, TransactionError> {
        let sender = self.state_mut().account(&transaction.from)?;
        let (expected, given) = (sender.nonce, transaction.nonce.unwrap_or(sender.nonce));
        if given < expected {
            return Err(TransactionError::NonceTooLow { expected, given });
        }
        if given > expected {
            return Err(TransactionError::NonceTooHigh { expected, given });
        }
        if expected == u64::MAX {
            return Err(TransactionError::NonceExhausted);
        }
        if transaction.cost_max().is_none_or(|cost| cost > sender.balance) {
            return Err(TransactionError::Balance { balance: sender.balance });
        }
        if sender.has_code() && !self.is_delegating(&transaction.from)? {
            return Err(TransactionError::SenderHasCode);
        }
        Ok(expected)
    }
}

/// What the transaction alone shows.
fn check_alone(transaction: &Transaction, spec: &Spec, gas_capped: bool) -> Result<(), TransactionError> {
    let Transaction { to, data, gas_limit, nonce, chain_id, kind, .. } = transaction;
    let (limit, number) = (*gas_limit, kind.number());
    if matches!(kind, TransactionKind::SetCode { .. }) && spec.fork < Fork::Prague {
        return Err(TransactionError::TypeNotActive { number });
    }
    if chain_id.is_none() && number != 0 {
        return Err(TransactionError::ChainIdMissing { number });
    }
    let needed = transaction.intrinsic_gas();
    if limit < needed {
        return Err(TransactionError::IntrinsicGas { needed, limit });
    }
    let needed = transaction.floor_gas(spec.fork);
    if limit < needed {
        return Err(TransactionError::FloorGas { needed, limit });
    }
    if *nonce == Some(u64::MAX) {
        return Err(TransactionError::NonceExhausted);
    }
    if to.is_none() && data.len() > gas::INIT_CODE_SIZE_MAX {
        return Err(TransactionError::InitCodeTooLong { size: data.len() });
    }
    if spec.fork >= Fork::Osaka && gas_capped && limit > gas::TX_LIMIT_MAX {
        return Err(TransactionError::GasLimitAboveCap { limit });
    }
    Ok(())
}

/// What the block allows.
fn check_in_block(transaction: &Transaction, fork: Fork, block: &BlockEnv) -> Result<(), TransactionError> {
    let limit = transaction.gas_limit;
    if U256::from(limit) > block.gas_limit {
        return Err(TransactionError::GasLimitAboveBlock { limit, block: block.gas_limit });
    }
    let (count, rules) = (transaction.blob_hashes().len(), BlobRules::of(fork));
    if count as u64 > rules.block_max {
        return Err(TransactionError::BlobGasAboveBlock { count, max: rules.block_max });
    }
    if let Some(given) = transaction.chain_id
        && U256::from(given) != block.chain_id
    {
        return Err(TransactionError::ChainId { expected: block.chain_id, given });
    }
    check_fees(transaction, block)?;
    match &transaction.kind {
        TransactionKind::Blob { max_fee_per_blob_gas, blob_hashes, .. } => {
            if blob_hashes.is_empty() {
                return Err(TransactionError::NoBlobs);
            }
            if count as u64 > rules.transaction_max {
                return Err(TransactionError::TooManyBlobs { count, max: rules.transaction_max });
            }
            if let Some(hash) = blob_hashes.iter().find(|hash| hash[0] != BLOB_HASH_VERSION) {
                return Err(TransactionError::BlobHashVersion { hash: *hash });
            }
            let (fee, base_fee) = (*max_fee_per_blob_gas, block.blob_base_fee);
            if fee < base_fee {
                return Err(TransactionError::BlobFeeBelowBaseFee { fee, base_fee });
            }
            if transaction.to.is_none() {
                return Err(TransactionError::BlobWithoutReceiver);
            }
        }
        TransactionKind::SetCode { authorizations, .. } => {
            if transaction.to.is_none() {
                return Err(TransactionError::SetCodeWithoutReceiver);
            }
            if authorizations.is_empty() {
                return Err(TransactionError::NoAuthorizations);
            }
        }
        TransactionKind::Legacy { .. }
        | TransactionKind::AccessList { .. }
        | TransactionKind::DynamicFee { .. } => {}
    }
    Ok(())
}

fn check_fees(transaction: &Transaction, block: &BlockEnv) -> Result<(), TransactionError> {
    let fee = transaction.max_fee_per_gas();
    if let Some(fees) = transaction.kind.fees()
        && fees.max_priority_fee_per_gas > fee
    {
        return Err(TransactionError::PriorityAboveFee { priority: fees.max_priority_fee_per_gas, fee });
    }
    if fee < block.base_fee {
        return Err(TransactionError::FeeBelowBaseFee { fee, base_fee: block.base_fee });
    }
    Ok(())
}

impl Transaction {
    /// Most wei that the transaction may take from the sender: value, gas and blob gas; `None` above 256 bits.
    fn cost_max(&self) -> Option<U256> {
        let gas = self.max_fee_per_gas().checked_mul(U256::from(self.gas_limit))?;
        let cost = gas.checked_add(self.value)?;
        let TransactionKind::Blob { max_fee_per_blob_gas, .. } = &self.kind else {
            return Some(cost);
        };
        cost.checked_add(max_fee_per_blob_gas.checked_mul(U256::from(self.blob_gas()))?)
    }

    /// Gas of the transaction's blobs.
    pub fn blob_gas(&self) -> u64 {
        GAS_PER_BLOB * self.blob_hashes().len() as u64
    }
}
