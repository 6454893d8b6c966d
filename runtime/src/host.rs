//! What the machine asks of its surroundings: block and transaction facts, state, logs.
//!
//! A `Host` failure is a [`HostError`]; it ends the transaction and never becomes a trap of the program.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::bytecode::Code;
use crate::compiled::frame::Frame;
use crate::hedera::{Acting, ServiceReply, ServiceRequest};
use crate::state::AccountInfo;

/// Facts of the block that contracts can read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockEnv {
    /// Block number.
    pub number: U256,
    /// Seconds since the epoch.
    pub timestamp: U256,
    /// Beneficiary.
    pub coinbase: Address,
    /// Gas limit of the block.
    pub gas_limit: U256,
    /// Base fee per gas, wei.
    pub base_fee: U256,
    /// Beacon randomness.
    pub prev_randao: U256,
    /// Base fee per blob gas, wei.
    pub blob_base_fee: U256,
    /// Chain id.
    pub chain_id: U256,
}

impl BlockEnv {
    /// Consensus time in nanoseconds since the epoch: that of the block, at its full second.
    pub fn consensus_time(&self) -> u64 {
        u64::try_from(self.timestamp).unwrap_or(u64::MAX).saturating_mul(1_000_000_000)
    }
}

/// Facts of the transaction that contracts can read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxEnv {
    /// Sender of the transaction.
    pub origin: Address,
    /// Effective gas price, wei.
    pub gas_price: U256,
    /// Versioned hashes of the transaction's blobs.
    pub blob_hashes: Vec<B256>,
}

/// One log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Account that logged.
    pub address: Address,
    /// At most four topics.
    pub topics: Vec<B256>,
    /// Data.
    pub data: Bytes,
}

/// Trouble in the host, such as a database that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the host failed: {0}")]
pub struct HostError(pub Box<dyn std::error::Error + Send + Sync>);

/// A value together with whether this was its first touch in the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access<T> {
    /// The value.
    pub value: T,
    /// Whether the touch was the first of the transaction.
    pub is_cold: bool,
}

/// What an SSTORE found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageWrite {
    /// Value at the start of the transaction.
    pub original: U256,
    /// Value before the write.
    pub current: U256,
    /// Whether the slot was cold.
    pub is_cold: bool,
}

/// The machine's surroundings during one transaction.
///
/// Where a method takes `cold_affordable` and that is false, a cold touch gives `Ok(None)` and must not reach a
/// database: the frame is out of gas.
pub trait Host {
    /// An operation is about to run; called only by [`run_stepping`](crate::interp::run_stepping).
    fn step(&mut self, frame: &Frame) {
        let _ = frame;
    }
    /// Facts of the block.
    fn block(&self) -> &BlockEnv;
    /// Facts of the transaction.
    fn tx(&self) -> &TxEnv;
    /// Reads a storage slot.
    fn sload(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError>;
    /// Writes a storage slot. The caller charges afterwards: a frame that cannot pay is undone.
    fn sstore(
        &mut self,
        address: &Address,
        key: &U256,
        value: &U256,
        cold_affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError>;
    /// Reads a transient slot (EIP-1153).
    fn tload(&mut self, address: &Address, key: &U256) -> U256;
    /// Writes a transient slot.
    fn tstore(&mut self, address: &Address, key: &U256, value: &U256);
    /// Adds to the refund counter; negative takes back.
    fn add_refund(&mut self, refund: i64);
    /// Appends a log entry.
    fn log(&mut self, log: Log);
    /// An account as an operation touches it; one that does not exist is empty.
    fn account(
        &mut self,
        address: &Address,
        cold_affordable: bool,
    ) -> Result<Option<Access<AccountInfo>>, HostError>;
    /// The code with that hash, which some account has.
    fn code(&mut self, hash: &B256) -> Result<Arc<Code>, HostError>;
    /// Moves all balance to the beneficiary and, if this transaction created the account, ends it when the
    /// transaction ends (EIP-6780).
    fn selfdestruct(&mut self, address: &Address, beneficiary: &Address) -> Result<(), HostError>;
    /// Balance of the account that runs, which is always warm.
    fn self_balance(&mut self, address: &Address) -> Result<U256, HostError>;
    /// Hash of a block; asked only for one of the last 256.
    fn block_hash(&mut self, number: u64) -> Result<B256, HostError>;
    /// Asks Hedera's services; only where the engine's rules say that there are some. The host appends the reply's
    /// log entries itself.
    fn hedera(&mut self, acting: &Acting, request: &ServiceRequest) -> Result<ServiceReply, HostError> {
        let _ = (acting, request);
        Err(HostError("this host has no Hedera services".into()))
    }
}

/// Writes the methods of a [`Host`] that ask the host in a field of it, and nothing else: the field, then the methods.
#[macro_export]
macro_rules! forward_host {
    ($field:ident: $($method:ident),* $(,)?) => { $( $crate::forward_host!(@$method $field); )* };
    (@step $field:ident) => {
        fn step(&mut self, frame: &$crate::compiled::frame::Frame) {
            self.$field.step(frame);
        }
    };
    (@block $field:ident) => {
        fn block(&self) -> &$crate::host::BlockEnv {
            self.$field.block()
        }
    };
    (@tx $field:ident) => {
        fn tx(&self) -> &$crate::host::TxEnv {
            self.$field.tx()
        }
    };
    (@sload $field:ident) => {
        fn sload(
            &mut self,
            address: &$crate::Address,
            key: &$crate::U256,
            cold_affordable: bool,
        ) -> Result<Option<$crate::host::Access<$crate::U256>>, $crate::host::HostError> {
            self.$field.sload(address, key, cold_affordable)
        }
    };
    (@tload $field:ident) => {
        fn tload(&mut self, address: &$crate::Address, key: &$crate::U256) -> $crate::U256 {
            self.$field.tload(address, key)
        }
    };
    (@tstore $field:ident) => {
        fn tstore(&mut self, address: &$crate::Address, key: &$crate::U256, value: &$crate::U256) {
            self.$field.tstore(address, key, value);
        }
    };
    (@add_refund $field:ident) => {
        fn add_refund(&mut self, refund: i64) {
            self.$field.add_refund(refund);
        }
    };
    (@account $field:ident) => {
        fn account(
            &mut self,
            address: &$crate::Address,
            cold_affordable: bool,
        ) -> Result<Option<$crate::host::Access<$crate::state::AccountInfo>>, $crate::host::HostError> {
            self.$field.account(address, cold_affordable)
        }
    };
    (@code $field:ident) => {
        fn code(
            &mut self,
            hash: &$crate::B256,
        ) -> Result<std::sync::Arc<$crate::bytecode::Code>, $crate::host::HostError> {
            self.$field.code(hash)
        }
    };
    (@selfdestruct $field:ident) => {
        fn selfdestruct(
            &mut self,
            address: &$crate::Address,
            beneficiary: &$crate::Address,
        ) -> Result<(), $crate::host::HostError> {
            self.$field.selfdestruct(address, beneficiary)
        }
    };
    (@self_balance $field:ident) => {
        fn self_balance(&mut self, address: &$crate::Address) -> Result<$crate::U256, $crate::host::HostError> {
            self.$field.self_balance(address)
        }
    };
    (@block_hash $field:ident) => {
        fn block_hash(&mut self, number: u64) -> Result<$crate::B256, $crate::host::HostError> {
            self.$field.block_hash(number)
        }
    };
    (@hedera $field:ident) => {
        fn hedera(
            &mut self,
            acting: &$crate::hedera::Acting,
            request: &$crate::hedera::ServiceRequest,
        ) -> Result<$crate::hedera::ServiceReply, $crate::host::HostError> {
            self.$field.hedera(acting, request)
        }
    };
}
