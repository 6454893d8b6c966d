//! The second opinion on scripts: none here, so that these tests are built without another machine.

use alloy_primitives::{Address, U256};
use testkit::observe::Observed;
use testkit::program::Program;
use zvm::host::BlockEnv;
use zvm::tx::{Transaction, TransactionResult};

/// Looks at what one frame did.
pub(crate) fn frame(_program: &Program, _observed: &Observed) -> Result<(), String> {
    Ok(())
}

/// A chain that is to be in the same state.
pub(crate) struct Peer;

impl Peer {
    pub(crate) fn new(_accounts: &[(Address, U256)]) -> Peer {
        Peer
    }

    /// Looks at what a transaction did.
    pub(crate) fn transact(
        &mut self,
        _transaction: &Transaction,
        _block: &BlockEnv,
        _result: &TransactionResult,
    ) -> Result<(), String> {
        Ok(())
    }
}
