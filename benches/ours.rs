//! Our engine set up for a benchmark case.

use std::sync::Arc;

use zvm::compiled::tier::Tier;
use zvm::engine::{Engine, Executor, Mode};
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Transaction, TransactionResult};
use zvm_statetest::bench::BenchCase;

use crate::observed::Observed;

/// A case on our engine: the same transaction from the same state, as often as wanted.
pub struct OurCase {
    executor: Executor<InMemoryDatabase>,
    block: BlockEnv,
    transaction: Transaction,
}

impl OurCase {
    /// Sets the case up; `tier` compiles where `mode` asks for it.
    pub fn new(case: &BenchCase, mode: Mode, tier: Option<Arc<dyn Tier>>, native_code: bool) -> OurCase {
        let mut builder = case.engine().native_code(native_code).mode(mode);
        if let Some(tier) = tier {
            builder = builder.tier(tier);
        }
        OurCase::of(case, builder.build())
    }

    /// Sets the case up on an engine.
    pub fn of(case: &BenchCase, engine: Engine) -> OurCase {
        OurCase {
            executor: Executor::new(engine, case.database()),
            block: case.block(),
            transaction: case.transaction(),
        }
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
