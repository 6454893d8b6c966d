//! Our engine set up for a benchmark case.

use std::sync::Arc;

use testkit::cases::Case;
use zvm::Fork;
use zvm::compiled::tier::Tier;
use zvm::engine::{Engine, Executor, Limits, Mode};
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Transaction, TransactionResult};

use crate::observed::Observed;

/// A case on our engine: the same transaction from the same state, as often as wanted.
pub struct OurCase {
    executor: Executor<InMemoryDatabase>,
    block: BlockEnv,
    transaction: Transaction,
}

impl OurCase {
    /// Sets the case up; `tier` compiles where `mode` asks for it.
    pub fn new(case: &Case, mode: Mode, tier: Option<Arc<dyn Tier>>, native_code: bool) -> OurCase {
        let fork = Fork::from_name(&case.expected.fork_of_gas).expect("the cases name known forks");
        let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
        let mut builder = Engine::builder().fork(fork).native_code(native_code).mode(mode).limits(limits);
        if let Some(tier) = tier {
            builder = builder.tier(tier);
        }
        let mut database = InMemoryDatabase::new();
        for (address, account) in &case.pre {
            database.insert_account(*address, account.nonce, account.balance, account.code.clone());
            for (slot, value) in &account.storage {
                database.insert_storage(*address, *slot, *value);
            }
        }
        let block = BlockEnv {
            number: case.env.number,
            timestamp: case.env.timestamp,
            coinbase: case.env.coinbase,
            gas_limit: case.env.gas_limit,
            base_fee: case.env.base_fee,
            prev_randao: case.env.prev_randao,
            blob_base_fee: alloy_primitives::U256::ONE,
            chain_id: case.env.chain_id,
        };
        let transaction = Transaction {
            from: case.sender,
            to: Some(case.target),
            value: case.value,
            data: case.calldata.clone(),
            gas_limit: case.gas_limit,
            gas_price: case.gas_price,
            nonce: None,
        };
        OurCase { executor: Executor::new(builder.build(), database), block, transaction }
    }

    /// Runs the transaction and forgets its effects, cached state included.
    pub fn run(&mut self) -> TransactionResult {
        let result =
            self.executor.transact(&self.transaction, &self.block).expect("the transaction is valid");
        self.executor.state_mut().forget();
        result
    }

    /// Runs the transaction and says what it did.
    pub fn observe(&mut self) -> Observed {
        let result =
            self.executor.transact(&self.transaction, &self.block).expect("the transaction is valid");
        let mut storage = Vec::new();
        for (address, account) in &self.executor.state().diff().accounts {
            storage.extend(account.storage.iter().map(|(slot, value)| (*address, *slot, *value)));
        }
        storage.sort_unstable();
        self.executor.state_mut().forget();
        Observed {
            success: result.is_success(),
            gas_used: result.gas_used,
            output: result.output,
            logs: result.logs.into_iter().map(|log| (log.address, log.topics, log.data)).collect(),
            storage,
        }
    }
}
