//! Deploying a contract from its container.

use alloy_primitives::{Address, Bytes, U256};

use super::Executor;
use crate::bytecode::container::{Container, Target};
use crate::host::BlockEnv;
use crate::inspect::Inspector;
use crate::outcome::Exit;
use crate::state::Database;
use crate::tx::{Transaction, TransactionError};

/// Why a container was not deployed; nothing changed, but for nonce and fee where init code has run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The code can't run without init code, which the container does not hold.
    #[error("the contract needs init code and its container has no section INIT")]
    NeedsInit,
    /// The container holds native code, which this engine doesn't run.
    #[error("the container holds native code, and this engine runs with native code off")]
    NativeCodeOff,
    /// Only init code takes arguments.
    #[error("the container has no section INIT that could take the {size} bytes of arguments")]
    NoArguments {
        /// Bytes of arguments given.
        size: usize,
    },
    /// The transaction that deploys is not valid, or the engine could not run it.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The init code failed, or its code was refused.
    #[error("the deployment failed: {exit:?}, return data {output}")]
    Failed {
        /// How the init code ended.
        exit: Exit,
        /// Its return data.
        output: Bytes,
    },
}

/// Who deploys, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment<'a> {
    /// Sender of the transaction.
    pub from: Address,
    /// ABI-encoded arguments of the constructor.
    pub arguments: &'a [u8],
    /// Wei for the new contract.
    pub value: U256,
    /// Gas limit of the transaction.
    pub gas_limit: u64,
}

impl<D: Database, I: Inspector> Executor<D, I> {
    /// Deploys a contract by a transaction that pays the block's base fee; gives its address.
    ///
    /// The container's init code runs with the arguments behind it. Code without init code is put in place as it
    /// is, unless the container says that it can't run so.
    pub fn load(
        &mut self,
        container: &Container,
        deployment: &Deployment<'_>,
        block: &BlockEnv,
    ) -> Result<Address, LoadError> {
        let Deployment { from, arguments, value, gas_limit } = *deployment;
        if container.target == Target::Native && !self.engine().spec().native_code {
            return Err(LoadError::NativeCodeOff);
        }
        let data = match container.creation_data(arguments) {
            Some(data) => data,
            None if container.needs_init => return Err(LoadError::NeedsInit),
            None if !arguments.is_empty() => return Err(LoadError::NoArguments { size: arguments.len() }),
            None => init_code_of(&container.account_code()),
        };
        let transaction = Transaction::legacy(from, None, value, data.into(), gas_limit, block.base_fee);
        let result = self.transact(&transaction, block)?;
        match result.created {
            Some(address) => Ok(address),
            None => Err(LoadError::Failed { exit: result.exit, output: result.output }),
        }
    }
}

/// Init code, in Ethereum's encoding, that deploys `code`.
fn init_code_of(code: &[u8]) -> Vec<u8> {
    // push4 size, dup1, push1 12, push0, codecopy, push0, return
    let mut init = vec![0x63];
    // Code that is longer than 4 GiB is longer than any limit.
    init.extend_from_slice(&u32::try_from(code.len()).unwrap_or(u32::MAX).to_be_bytes());
    init.extend_from_slice(&[0x80, 0x60, 12, 0x5f, 0x39, 0x5f, 0xf3]);
    debug_assert_eq!(init.len(), 12);
    init.extend_from_slice(code);
    init
}
