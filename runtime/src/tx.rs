//! One transaction: fees, warm accounts, authorizations, the frames, refunds.
//!
//! What a transaction says is in [`transaction`], the rules that make it valid in [`validity`], its price before
//! it runs in [`intrinsic`], that of blobs in [`blob`].

mod authorization;
pub mod blob;
mod error;
mod intrinsic;
mod transaction;
mod validity;

use alloy_primitives::{Address, Bytes, U256};

use crate::compiled::frame::Message;
use crate::engine::{Executor, created_address};
use crate::gas;
use crate::host::{BlockEnv, HostError, Log, TxEnv};
use crate::inspect::Inspector;
use crate::outcome::Exit;
use crate::profile::Operations;
use crate::state::Database;

pub use self::authorization::Authorization;
pub use self::error::TransactionError;
pub use self::transaction::{AccessList, AccessListItem, DynamicFees, Transaction, TransactionKind};

/// What a transaction gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionResult {
    /// How the top frame ended: `Halt`, `Return`, `Revert` or `Trap`.
    pub exit: Exit,
    /// Gas paid for: intrinsic and execution, less the refund, at least the floor.
    pub gas_used: u64,
    /// Gas of the top frame alone, before refunds.
    pub exec_gas: u64,
    /// Refund granted.
    pub gas_refunded: u64,
    /// Return data; empty after a successful creation.
    pub output: Bytes,
    /// Log entries.
    pub logs: Vec<Log>,
    /// The created contract, if the transaction succeeded in creating one.
    pub created: Option<Address>,
    /// Basic blocks run by the interpreter, if counted.
    pub blocks_interpreted: u64,
    /// Basic blocks run by compiled code, if counted.
    pub blocks_compiled: u64,
    /// Operations run, if the engine [profiles](crate::profile::Profiling).
    pub operations: Operations,
}

impl TransactionResult {
    /// Whether the effects were kept.
    pub fn is_success(&self) -> bool {
        matches!(self.exit, Exit::Halt | Exit::Return)
    }
}

impl<D: Database, I: Inspector> Executor<D, I> {
    /// Runs a transaction. An error leaves the state as it was.
    ///
    /// Its changes stay in the executor, where later transactions see them, until they are
    /// [committed](Executor::commit), [taken](Executor::take_changes) or [discarded](Executor::discard); an
    /// executor that is dropped discards them.
    pub fn transact(
        &mut self,
        transaction: &Transaction,
        block: &BlockEnv,
    ) -> Result<TransactionResult, TransactionError> {
        let start = self.begin_transaction();
        let result = self.run_transaction(transaction, block).and_then(|result| {
            self.state_mut().end_transaction()?;
            Ok(result)
        });
        if result.is_err() {
            self.state_mut().revert_to(start);
        }
        result
    }

    /// Begins a transaction; gives the point to which it can be undone until it is ended.
    pub(crate) fn begin_transaction(&mut self) -> usize {
        let fork = self.engine().spec().fork;
        self.state_mut().begin_transaction(fork);
        self.state().checkpoint()
    }

    /// Runs a transaction that has begun, up to its end.
    pub(crate) fn run_transaction(
        &mut self,
        transaction: &Transaction,
        block: &BlockEnv,
    ) -> Result<TransactionResult, TransactionError> {
        let nonce = self.validate(transaction, block)?;
        let Transaction { from, to, value, data, gas_limit, .. } = transaction;
        let gas_price = transaction.effective_gas_price(block.base_fee);
        self.charge(transaction, gas_price, block)?;
        self.state_mut().set_nonce(from, nonce + 1)?;
        self.warm_from_the_start(transaction, block)?;
        let authorization_refund = self.apply_authorizations(transaction.authorizations(), block)?;

        let tx = TxEnv { origin: *from, gas_price, blob_hashes: transaction.blob_hashes().to_vec() };
        let gas = gas_limit - transaction.intrinsic_gas();
        let message = Message {
            address: to.unwrap_or_else(|| created_address(from, nonce)),
            caller: *from,
            value: *value,
            input: if to.is_some() { data.clone() } else { Bytes::new() },
            is_static: false,
            depth: 0,
        };
        let created = if to.is_none() { Some(message.address) } else { None };
        let result = match to {
            Some(_) => self.call_message(message, gas, block, &tx)?,
            None => self.create_message(message, data, gas, block, &tx)?,
        };
        let spent = gas_limit - result.gas_left;
        // The counter can't be below zero when the top frame has ended, nor can its sum with the rest overflow.
        let refund = authorization_refund + u64::try_from(result.refund).unwrap_or(0);
        let gas_refunded = refund.min(spent / gas::REFUND_QUOTIENT);
        let gas_used = (spent - gas_refunded).max(transaction.floor_gas(self.engine().spec().fork));
        self.settle(transaction, gas_used, gas_price, block)?;
        Ok(TransactionResult {
            exit: result.exit,
            gas_used,
            exec_gas: gas - result.gas_left,
            gas_refunded,
            created: created.filter(|_| result.is_success()),
            output: result.output,
            logs: result.logs,
            blocks_interpreted: result.blocks_interpreted,
            blocks_compiled: result.blocks_compiled,
            operations: result.operations,
        })
    }

    /// Takes the price of all gas and of the blobs from the sender, whose balance was checked.
    fn charge(
        &mut self,
        transaction: &Transaction,
        gas_price: U256,
        block: &BlockEnv,
    ) -> Result<(), HostError> {
        let gas_fee = U256::from(transaction.gas_limit) * gas_price;
        let blob_fee = U256::from(transaction.blob_gas()) * block.blob_base_fee;
        let balance = self.state_mut().account(&transaction.from)?.balance;
        self.state_mut().set_balance(&transaction.from, balance - gas_fee - blob_fee)
    }

    /// Makes warm what a transaction has paid for (EIP-2929, 2930, 3651); precompiled contracts always are.
    fn warm_from_the_start(&mut self, transaction: &Transaction, block: &BlockEnv) -> Result<(), HostError> {
        let state = self.state_mut();
        state.warm_account(&transaction.from)?;
        state.warm_account(&block.coinbase)?;
        for item in transaction.access_list() {
            state.warm_account(&item.address)?;
            for key in &item.storage_keys {
                state.warm_slot(&item.address, &(*key).into())?;
            }
        }
        Ok(())
    }

    /// Gives unused gas back and pays the coinbase, which is touched whatever it gets.
    fn settle(
        &mut self,
        transaction: &Transaction,
        gas_used: u64,
        gas_price: U256,
        block: &BlockEnv,
    ) -> Result<(), HostError> {
        let state = self.state_mut();
        let unused = U256::from(transaction.gas_limit - gas_used) * gas_price;
        if !unused.is_zero() {
            let balance = state.account(&transaction.from)?.balance;
            state.set_balance(&transaction.from, balance.saturating_add(unused))?;
        }
        let tip = (gas_price - block.base_fee) * U256::from(gas_used);
        if tip.is_zero() {
            return state.touch_account(&block.coinbase);
        }
        let balance = state.account(&block.coinbase)?.balance;
        state.set_balance(&block.coinbase, balance.saturating_add(tip))
    }
}
