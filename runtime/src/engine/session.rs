//! A state together with the block and transaction that run on it: the `Host` of a transaction.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};

use super::Engine;
use crate::bytecode::Code;
use crate::hedera::{Acting, Ledger, ServiceReply, ServiceRequest};
use crate::host::{Access, BlockEnv, Host, HostError, Log, StorageWrite, TxEnv};
use crate::state::{AccountInfo, Database, State};

/// The host of one transaction.
pub struct Session<'s, D> {
    /// Analyzed code.
    pub engine: &'s Engine,
    /// Accounts and storage.
    pub state: &'s mut State<D>,
    /// Facts of the block.
    pub block: &'s BlockEnv,
    /// Facts of the transaction.
    pub tx: &'s TxEnv,
}

impl<D: Database> Host for Session<'_, D> {
    fn block(&self) -> &BlockEnv {
        self.block
    }

    fn tx(&self) -> &TxEnv {
        self.tx
    }

    fn sload(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        self.state.sload(address, key, cold_affordable)
    }

    fn sstore(
        &mut self,
        address: &Address,
        key: &U256,
        value: &U256,
        cold_affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError> {
        self.state.sstore(address, key, value, cold_affordable)
    }

    fn tload(&mut self, address: &Address, key: &U256) -> U256 {
        self.state.tload(address, key)
    }

    fn tstore(&mut self, address: &Address, key: &U256, value: &U256) {
        self.state.tstore(address, key, value);
    }

    fn add_refund(&mut self, refund: i64) {
        self.state.add_refund(refund);
    }

    fn log(&mut self, log: Log) {
        self.state.log(log);
    }

    fn account(
        &mut self,
        address: &Address,
        cold_affordable: bool,
    ) -> Result<Option<Access<AccountInfo>>, HostError> {
        self.state.access_account(address, cold_affordable)
    }

    fn code(&mut self, hash: &B256) -> Result<Arc<Code>, HostError> {
        self.engine.code(hash, || self.state.code(hash))
    }

    fn selfdestruct(&mut self, address: &Address, beneficiary: &Address) -> Result<(), HostError> {
        self.state.selfdestruct(address, beneficiary)
    }

    fn self_balance(&mut self, address: &Address) -> Result<U256, HostError> {
        Ok(self.state.account(address)?.balance)
    }

    fn hedera(&mut self, acting: &Acting, request: &ServiceRequest) -> Result<ServiceReply, HostError> {
        let reply = Ledger::new(self.state, self.block.consensus_time()).answer(acting, request)?;
        reply.logs.iter().for_each(|log| self.state.log(log.clone()));
        Ok(reply)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.state.block_hash(number)
    }
}
