//! Why a transaction is not valid: one variant per rule, checked in [`validity`](super::validity).

use alloy_primitives::{B256, U256};

use crate::engine::EngineError;
use crate::gas;
use crate::host::HostError;

/// Why a transaction did not run; nothing happened.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// The type came with a later fork.
    #[error("transactions of type {number} don't exist at this fork")]
    TypeNotActive {
        /// Number of the type.
        number: u8,
    },
    /// The transaction is for another chain.
    #[error("the transaction is for chain {given}, the block is of chain {expected}")]
    ChainId {
        /// Chain of the block.
        expected: U256,
        /// Chain of the transaction.
        given: u64,
    },
    /// A typed transaction names no chain.
    #[error("a transaction of type {number} names its chain")]
    ChainIdMissing {
        /// Number of the type.
        number: u8,
    },
    /// The nonce was used already.
    #[error("the transaction's nonce is {given}, below the sender's {expected}")]
    NonceTooLow {
        /// Nonce of the sender.
        expected: u64,
        /// Nonce of the transaction.
        given: u64,
    },
    /// The nonce is still to come.
    #[error("the transaction's nonce is {given}, above the sender's {expected}")]
    NonceTooHigh {
        /// Nonce of the sender.
        expected: u64,
        /// Nonce of the transaction.
        given: u64,
    },
    /// The nonce is the largest number.
    #[error("the nonce can't be increased any more (EIP-2681)")]
    NonceExhausted,
    /// The sender is a contract.
    #[error("the sender has code (EIP-3607)")]
    SenderHasCode,
    /// The gas limit does not cover the intrinsic gas.
    #[error("the gas limit is {limit}, but the transaction costs {needed} before it runs")]
    IntrinsicGas {
        /// Intrinsic gas.
        needed: u64,
        /// Gas limit.
        limit: u64,
    },
    /// The gas limit does not cover the floor of the data.
    #[error("the gas limit is {limit}, but this much data costs at least {needed} (EIP-7623)")]
    FloorGas {
        /// Floor.
        needed: u64,
        /// Gas limit.
        limit: u64,
    },
    /// The gas limit is above the transaction cap.
    #[error("the gas limit is {limit}, above the cap of {} (EIP-7825)", gas::TX_LIMIT_MAX)]
    GasLimitAboveCap {
        /// Gas limit.
        limit: u64,
    },
    /// The gas limit is above the block's.
    #[error("the gas limit is {limit}, above the block's {block}")]
    GasLimitAboveBlock {
        /// Gas limit.
        limit: u64,
        /// Gas limit of the block.
        block: U256,
    },
    /// The most to be paid for gas is below the base fee.
    #[error("at most {fee} wei per gas are paid, below the base fee {base_fee}")]
    FeeBelowBaseFee {
        /// Most to be paid per gas.
        fee: U256,
        /// Base fee.
        base_fee: U256,
    },
    /// The coinbase is promised more than is paid in all.
    #[error("the priority fee {priority} is above the fee of at most {fee} wei per gas (EIP-1559)")]
    PriorityAboveFee {
        /// Most to be paid to the coinbase per gas.
        priority: U256,
        /// Most to be paid per gas.
        fee: U256,
    },
    /// The sender can't pay.
    #[error("the sender has {balance} wei, less than value and gas may cost")]
    Balance {
        /// Balance of the sender.
        balance: U256,
    },
    /// The init code is too long.
    #[error("the init code has {size} bytes, more than {} (EIP-3860)", gas::INIT_CODE_SIZE_MAX)]
    InitCodeTooLong {
        /// Bytes.
        size: usize,
    },
    /// A blob transaction creates a contract.
    #[error("a blob transaction has a receiver (EIP-4844)")]
    BlobWithoutReceiver,
    /// A blob transaction has no blob.
    #[error("a blob transaction has at least one blob (EIP-4844)")]
    NoBlobs,
    /// There are more blobs than one transaction may carry.
    #[error("the transaction has {count} blobs, more than {max} (EIP-7594)")]
    TooManyBlobs {
        /// Blobs.
        count: usize,
        /// Most blobs of a transaction.
        max: u64,
    },
    /// There are more blobs than one block may carry.
    #[error("the transaction has {count} blobs, more than the {max} of a block (EIP-4844)")]
    BlobGasAboveBlock {
        /// Blobs.
        count: usize,
        /// Most blobs of a block.
        max: u64,
    },
    /// A hash is not that of a KZG commitment.
    #[error("the blob hash {hash} does not start with 01 (EIP-4844)")]
    BlobHashVersion {
        /// Versioned hash.
        hash: B256,
    },
    /// The most to be paid for blob gas is below the block's price.
    #[error("at most {fee} wei per blob gas are paid, below the block's {base_fee} (EIP-4844)")]
    BlobFeeBelowBaseFee {
        /// Most to be paid per blob gas.
        fee: U256,
        /// Price of blob gas.
        base_fee: U256,
    },
    /// A set-code transaction creates a contract.
    #[error("a set-code transaction has a receiver (EIP-7702)")]
    SetCodeWithoutReceiver,
    /// A set-code transaction has no authorization.
    #[error("a set-code transaction has at least one authorization (EIP-7702)")]
    NoAuthorizations,
    /// The engine could not run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<HostError> for TransactionError {
    fn from(error: HostError) -> TransactionError {
        TransactionError::Engine(EngineError::Host(error))
    }
}
