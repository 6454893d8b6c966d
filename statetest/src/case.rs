//! A case: accounts, transactions, and what each of them and the whole must give. Every form of file becomes this.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use zvm::Fork;
use zvm::engine::{Engine, EngineBuilder, Limits};
use zvm::host::{BlockEnv, Log};
use zvm::tx::Transaction;

use crate::exceptions::Refusal;
use crate::read::quantity;

/// Accounts by address.
pub type Accounts = BTreeMap<Address, Account>;

/// Storage words that changed, by account.
pub type StorageDiff = BTreeMap<Address, BTreeMap<U256, U256>>;

/// An account with its code and storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Wei.
    pub balance: U256,
    /// Transactions sent so far.
    #[serde(with = "quantity")]
    pub nonce: u64,
    /// All bytes of the code.
    #[serde(default)]
    pub code: Bytes,
    /// Storage by slot.
    #[serde(default)]
    pub storage: BTreeMap<U256, U256>,
}

/// One case: some transactions, one after the other, in a world of their own.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name within the file.
    pub name: String,
    /// Rules.
    pub fork: Fork,
    /// Whether the cap of EIP-7825 holds from Osaka on.
    pub transaction_gas_cap: bool,
    /// Accounts before.
    pub pre: Arc<Accounts>,
    /// Transactions, each in a block of its own.
    pub steps: Vec<Step>,
    /// What must hold after the last one.
    pub post: Post,
}

/// One transaction and what it must give.
#[derive(Clone, Debug)]
pub struct Step {
    /// What reports call it; empty where the case has only this one.
    pub name: String,
    /// Facts of the block.
    pub block: BlockEnv,
    /// The transaction.
    pub transaction: Sent,
    /// What it must give.
    pub expected: Expected,
}

/// A transaction as the file gives it.
#[derive(Clone, Debug)]
pub enum Sent {
    /// Its fields.
    Fields(Box<Transaction>),
    /// Its bytes, which must be refused by whoever decodes them or recovers the sender.
    Undecodable(Bytes),
}

/// What a transaction must give; `None` where the form does not say.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The transaction is not valid, for one of these reasons.
    pub refusal: Option<Refusal>,
    /// Whether its effects were kept.
    pub success: Option<bool>,
    /// How it failed.
    pub failure: Option<Failure>,
    /// Return data; of a creation that succeeds, the code that was put in place.
    pub output: Option<Bytes>,
    /// Gas used by the transaction.
    pub gas_used: Option<u64>,
    /// Gas spent by the top frame, before refunds.
    pub exec_gas: Option<u64>,
    /// Logs in order.
    pub logs: Option<Vec<Log>>,
    /// Hash of the logs.
    pub logs_hash: Option<B256>,
    /// Address of the contract that was created.
    pub created: Option<Address>,
    /// Storage that changed; `None` values were cleared.
    pub storage_diff: Option<StorageDiff>,
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The program reverted.
    Revert,
    /// The program ended exceptionally.
    Trap,
}

/// What must hold in the end; `None` where the form does not say.
#[derive(Clone, Debug, Default)]
pub struct Post {
    /// State root.
    pub root: Option<B256>,
    /// Every account.
    pub accounts: Option<Accounts>,
}

impl Case {
    /// An engine builder with the case's rules. Native code by prefix is off: the cases are pure Ethereum.
    pub fn engine(&self) -> EngineBuilder {
        engine(self.fork, self.transaction_gas_cap)
    }
}

/// An engine builder for pure Ethereum.
pub fn engine(fork: Fork, transaction_gas_cap: bool) -> EngineBuilder {
    let limits = Limits { transaction_gas_cap, ..Limits::default() };
    Engine::builder().fork(fork).native_code(false).limits(limits)
}
