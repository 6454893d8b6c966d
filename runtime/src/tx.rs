//! One transaction: validity, intrinsic gas, value, the frames, refunds, fees.

use alloy_primitives::{Address, Bytes, U256};

use crate::compiled::frame::Message;
use crate::engine::{EngineError, Executor, created_address};
use crate::fork::Fork;
use crate::gas;
use crate::host::{BlockEnv, HostError, Log, TxEnv};
use crate::outcome::Exit;
use crate::state::Database;

/// A legacy transaction, its sender recovered already.
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
    /// Gas price in wei.
    pub gas_price: U256,
    /// Nonce; `None` takes the account's.
    pub nonce: Option<u64>,
}

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
}

impl TransactionResult {
    /// Whether the effects were kept.
    pub fn is_success(&self) -> bool {
        matches!(self.exit, Exit::Halt | Exit::Return)
    }
}

/// Most gas of a transaction from Osaka on (EIP-7825).
pub const GAS_LIMIT_MAX: u64 = 1 << 24;

/// Why a transaction is not valid; nothing happened.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// The nonce is not the sender's.
    #[error("the transaction's nonce is {given}, the sender's is {expected}")]
    Nonce {
        /// Nonce of the sender.
        expected: u64,
        /// Nonce of the transaction.
        given: u64,
    },
    /// The sender's nonce is the largest number.
    #[error("the sender's nonce can't be increased any more (EIP-2681)")]
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
    #[error("the gas limit is {limit}, above the cap of {GAS_LIMIT_MAX} (EIP-7825)")]
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
    /// The gas price is below the base fee.
    #[error("the gas price is {price}, below the base fee {base_fee}")]
    PriceBelowBaseFee {
        /// Gas price.
        price: U256,
        /// Base fee.
        base_fee: U256,
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
    /// The engine could not run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<HostError> for TransactionError {
    fn from(error: HostError) -> TransactionError {
        TransactionError::Engine(EngineError::Host(error))
    }
}

/// Gas that a transaction costs before it runs.
pub fn intrinsic_gas(data: &[u8], is_create: bool) -> u64 {
    let (zeros, others) = count_bytes(data);
    let create =
        if is_create { gas::TX_CREATE + gas::INIT_CODE_WORD * gas::words(data.len() as u64) } else { 0 };
    gas::TX_BASE + gas::TX_DATA_ZERO * zeros + gas::TX_DATA_NONZERO * others + create
}

/// Least gas that a transaction with this data uses (EIP-7623).
pub fn floor_gas(data: &[u8], fork: Fork) -> u64 {
    if fork < Fork::Prague {
        return 0;
    }
    let (zeros, others) = count_bytes(data);
    gas::TX_BASE + gas::TX_FLOOR_TOKEN * (zeros + 4 * others)
}

fn count_bytes(data: &[u8]) -> (u64, u64) {
    let zeros = data.iter().filter(|&&byte| byte == 0).count();
    (zeros as u64, (data.len() - zeros) as u64)
}

impl<D: Database> Executor<D> {
    /// Runs a transaction. Its changes stay in the executor's state; an error leaves the state as it was.
    pub fn transact(
        &mut self,
        transaction: &Transaction,
        block: &BlockEnv,
    ) -> Result<TransactionResult, TransactionError> {
        let fork = self.engine().spec().fork;
        self.state_mut().begin_transaction(fork);
        let nonce = self.validate(transaction, block)?;
        let Transaction { from, to, value, data, gas_limit, gas_price, .. } = transaction;

        // Effects on the sender outlast a failing frame, but not an engine that gives up.
        let start = self.state().checkpoint();
        let state = self.state_mut();
        let balance = state.account(from)?.balance;
        state.set_balance(from, balance - U256::from(*gas_limit) * gas_price)?;
        state.set_nonce(from, nonce + 1)?;
        state.warm_account(from)?;
        state.warm_account(&block.coinbase)?;
        let tx = TxEnv { origin: *from, gas_price: *gas_price, blob_hashes: Vec::new() };
        let gas = gas_limit - intrinsic_gas(data, to.is_none());

        let checkpoint = self.state().checkpoint();
        let message = Message {
            address: to.unwrap_or_else(|| created_address(from, nonce)),
            caller: *from,
            value: *value,
            input: if to.is_some() { data.clone() } else { Bytes::new() },
            is_static: false,
            depth: 0,
        };
        let created = if to.is_none() { Some(message.address) } else { None };
        let ran = match to {
            Some(_) => self.call_message(message, gas, block, &tx),
            None => self.create_message(message, data, gas, block, &tx),
        };
        let result = match ran {
            Ok(result) => result,
            Err(error) => {
                self.state_mut().revert_to(start);
                return Err(error.into());
            }
        };
        if !result.is_success() {
            self.state_mut().revert_to(checkpoint);
        }
        let exec_gas = gas - result.gas_left;
        let spent = gas_limit - result.gas_left;
        let gas_refunded = u64::try_from(result.refund).unwrap_or(0).min(spent / gas::REFUND_QUOTIENT);
        let gas_used = (spent - gas_refunded).max(floor_gas(data, fork));
        self.settle(transaction, gas_used, block)?;
        Ok(TransactionResult {
            exit: result.exit,
            gas_used,
            exec_gas,
            gas_refunded,
            created: created.filter(|_| result.is_success()),
            output: result.output,
            logs: result.logs,
            blocks_interpreted: result.blocks_interpreted,
            blocks_compiled: result.blocks_compiled,
        })
    }

    /// Checks the rules in the order of the execution specification; gives the sender's nonce.
    fn validate(&mut self, transaction: &Transaction, block: &BlockEnv) -> Result<u64, TransactionError> {
        let fork = self.engine().spec().fork;
        let Transaction { from, to, value, data, gas_limit, gas_price, nonce } = transaction;
        let limit = *gas_limit;
        if to.is_none() && data.len() > gas::INIT_CODE_SIZE_MAX {
            return Err(TransactionError::InitCodeTooLong { size: data.len() });
        }
        let needed = intrinsic_gas(data, to.is_none());
        if limit < needed {
            return Err(TransactionError::IntrinsicGas { needed, limit });
        }
        let needed = floor_gas(data, fork);
        if limit < needed {
            return Err(TransactionError::FloorGas { needed, limit });
        }
        if fork >= Fork::Osaka && self.engine().limits().transaction_gas_cap && limit > GAS_LIMIT_MAX {
            return Err(TransactionError::GasLimitAboveCap { limit });
        }
        if U256::from(limit) > block.gas_limit {
            return Err(TransactionError::GasLimitAboveBlock { limit, block: block.gas_limit });
        }
        if *gas_price < block.base_fee {
            return Err(TransactionError::PriceBelowBaseFee { price: *gas_price, base_fee: block.base_fee });
        }
        let sender = self.state_mut().account(from)?;
        let given = nonce.unwrap_or(sender.nonce);
        if given != sender.nonce {
            return Err(TransactionError::Nonce { expected: sender.nonce, given });
        }
        if sender.nonce == u64::MAX {
            return Err(TransactionError::NonceExhausted);
        }
        let cost = gas_price.checked_mul(U256::from(limit)).and_then(|cost| cost.checked_add(*value));
        if cost.is_none_or(|cost| cost > sender.balance) {
            return Err(TransactionError::Balance { balance: sender.balance });
        }
        if sender.has_code() {
            return Err(TransactionError::SenderHasCode);
        }
        Ok(sender.nonce)
    }

    /// Gives unused gas back and pays the coinbase.
    fn settle(
        &mut self,
        transaction: &Transaction,
        gas_used: u64,
        block: &BlockEnv,
    ) -> Result<(), HostError> {
        let Transaction { from, gas_limit, gas_price, .. } = transaction;
        if gas_price.is_zero() {
            return Ok(());
        }
        let state = self.state_mut();
        let balance = state.account(from)?.balance;
        // Not more than was taken before, so neither operation can overflow.
        state.set_balance(from, balance + U256::from(gas_limit - gas_used) * gas_price)?;
        let tip = (*gas_price - block.base_fee) * U256::from(gas_used);
        let balance = state.account(&block.coinbase)?.balance;
        state.set_balance(&block.coinbase, balance.saturating_add(tip))
    }
}
