//! What becomes of the changes that transactions made: kept by the executor until they are committed, taken or
//! discarded. Also calls that change nothing.

use super::Executor;
use crate::host::{BlockEnv, HostError};
use crate::inspect::Inspector;
use crate::state::{CommitDatabase, Database, StateDiff};
use crate::tx::{Transaction, TransactionError, TransactionResult};

impl<D: Database, I: Inspector> Executor<D, I> {
    /// Runs a transaction as [`Executor::transact`] does, and undoes it: nothing of it is kept.
    ///
    /// It sees the changes of earlier transactions. It must be valid like any other: a call that is to cost
    /// nothing has gas price 0 in a block of base fee 0.
    pub fn call(
        &mut self,
        transaction: &Transaction,
        block: &BlockEnv,
    ) -> Result<TransactionResult, TransactionError> {
        let start = self.begin_transaction();
        let result = self.run_transaction(transaction, block);
        self.state_mut().revert_to(start);
        result
    }

    /// What all transactions since the last commit, discard or take have changed.
    pub fn changes(&self) -> StateDiff {
        self.state().diff()
    }

    /// Takes the changes as a value and goes back to what the database holds.
    ///
    /// Everything that was read is forgotten as well, so that the next transaction sees the database as it is then.
    pub fn take_changes(&mut self) -> StateDiff {
        let changes = self.changes();
        self.discard();
        changes
    }

    /// Drops the changes and goes back to what the database holds, reading it anew.
    pub fn discard(&mut self) {
        self.state_mut().forget();
    }
}

impl<D: CommitDatabase, I: Inspector> Executor<D, I> {
    /// Writes the changes to the database. After an error they are still pending.
    pub fn commit(&mut self) -> Result<(), HostError> {
        self.state_mut().flush()
    }
}
