//! What a transaction says: the five types, their fees and access lists. Nothing here runs or checks anything.

use alloy_primitives::{Address, B256, Bytes, U256};

use super::Authorization;

/// A transaction, its sender recovered already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Sender.
    pub from: Address,
    /// Receiver; `None` creates a contract with `data` as init code.
    pub to: Option<Address>,
    /// Value in wei.
    pub value: U256,
    /// Call data or init code.
    pub data: Bytes,
    /// Gas limit.
    pub gas_limit: u64,
    /// Nonce; `None` takes the account's.
    pub nonce: Option<u64>,
    /// Chain that the signature names; `None` for a legacy transaction from before EIP-155.
    pub chain_id: Option<u64>,
    /// What the transaction's type adds.
    pub kind: TransactionKind,
}

/// The types of transactions with what each of them adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionKind {
    /// Type 0.
    Legacy {
        /// Wei per gas.
        gas_price: U256,
    },
    /// Type 1 (EIP-2930).
    AccessList {
        /// Wei per gas.
        gas_price: U256,
        /// What is warm from the start.
        access_list: AccessList,
    },
    /// Type 2 (EIP-1559).
    DynamicFee {
        /// Most wei per gas.
        fees: DynamicFees,
        /// What is warm from the start.
        access_list: AccessList,
    },
    /// Type 3 (EIP-4844).
    Blob {
        /// Most wei per gas.
        fees: DynamicFees,
        /// What is warm from the start.
        access_list: AccessList,
        /// Most wei per blob gas.
        max_fee_per_blob_gas: U256,
        /// Versioned hashes of the blobs.
        blob_hashes: Vec<B256>,
    },
    /// Type 4 (EIP-7702).
    SetCode {
        /// Most wei per gas.
        fees: DynamicFees,
        /// What is warm from the start.
        access_list: AccessList,
        /// Delegations to be written before the transaction runs.
        authorizations: Vec<Authorization>,
    },
}

/// The two bounds on the price of gas (EIP-1559), in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynamicFees {
    /// Most to be paid in all.
    pub max_fee_per_gas: U256,
    /// Most to be paid to the coinbase.
    pub max_priority_fee_per_gas: U256,
}

/// Accounts and slots that are warm from the start (EIP-2930).
pub type AccessList = Vec<AccessListItem>;

/// One account of an access list, with some of its slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessListItem {
    /// Account.
    pub address: Address,
    /// Slots.
    pub storage_keys: Vec<B256>,
}

impl Transaction {
    /// A legacy transaction that takes the sender's nonce and names no chain.
    pub fn legacy(
        from: Address,
        to: Option<Address>,
        value: U256,
        data: Bytes,
        gas_limit: u64,
        gas_price: U256,
    ) -> Transaction {
        let kind = TransactionKind::Legacy { gas_price };
        Transaction { from, to, value, data, gas_limit, nonce: None, chain_id: None, kind }
    }

    /// Most wei per gas that the sender pays.
    pub fn max_fee_per_gas(&self) -> U256 {
        match &self.kind {
            TransactionKind::Legacy { gas_price } | TransactionKind::AccessList { gas_price, .. } => {
                *gas_price
            }
            TransactionKind::DynamicFee { fees, .. }
            | TransactionKind::Blob { fees, .. }
            | TransactionKind::SetCode { fees, .. } => fees.max_fee_per_gas,
        }
    }

    /// Wei per gas that the sender pays in a block with this base fee, if that is not above the bound.
    pub fn effective_gas_price(&self, base_fee: U256) -> U256 {
        match self.kind.fees() {
            Some(fees) => fees.max_fee_per_gas.min(base_fee.saturating_add(fees.max_priority_fee_per_gas)),
            None => self.max_fee_per_gas(),
        }
    }

    /// What is warm from the start; empty for a legacy transaction.
    pub fn access_list(&self) -> &[AccessListItem] {
        match &self.kind {
            TransactionKind::Legacy { .. } => &[],
            TransactionKind::AccessList { access_list, .. }
            | TransactionKind::DynamicFee { access_list, .. }
            | TransactionKind::Blob { access_list, .. }
            | TransactionKind::SetCode { access_list, .. } => access_list,
        }
    }

    /// Versioned hashes of the blobs; empty but for a blob transaction.
    pub fn blob_hashes(&self) -> &[B256] {
        match &self.kind {
            TransactionKind::Blob { blob_hashes, .. } => blob_hashes,
            _ => &[],
        }
    }

    /// Delegations to be written; empty but for a set-code transaction.
    pub fn authorizations(&self) -> &[Authorization] {
        match &self.kind {
            TransactionKind::SetCode { authorizations, .. } => authorizations,
            _ => &[],
        }
    }
}

impl TransactionKind {
    /// The number of the type (EIP-2718).
    pub fn number(&self) -> u8 {
        match self {
            TransactionKind::Legacy { .. } => 0,
            TransactionKind::AccessList { .. } => 1,
            TransactionKind::DynamicFee { .. } => 2,
            TransactionKind::Blob { .. } => 3,
            TransactionKind::SetCode { .. } => 4,
        }
    }

    /// The two bounds on the price of gas, of the types that have them.
    pub fn fees(&self) -> Option<&DynamicFees> {
        match self {
            TransactionKind::Legacy { .. } | TransactionKind::AccessList { .. } => None,
            TransactionKind::DynamicFee { fees, .. }
            | TransactionKind::Blob { fees, .. }
            | TransactionKind::SetCode { fees, .. } => Some(fees),
        }
    }
}
