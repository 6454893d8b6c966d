//! Databases written for revm, used as they are.

use std::collections::HashMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use revm_database_interface::Database as RevmSource;

use super::{AccountInfo, Database};
use crate::host::HostError;

/// A revm database as a [`Database`] of this machine.
///
/// Errors of the database below end the transaction as [`HostError`], with the error itself inside.
pub struct RevmDatabase<D> {
    inner: D,
    /// Code that came with accounts: such a database need not answer for its hash.
    codes: HashMap<B256, Bytes>,
}

impl<D: RevmSource> RevmDatabase<D> {
    /// Wraps a database.
    pub fn new(inner: D) -> RevmDatabase<D> {
        RevmDatabase { inner, codes: HashMap::new() }
    }

    /// The database below.
    pub fn inner(&self) -> &D {
        &self.inner
    }

    /// The database below, writable.
    pub fn inner_mut(&mut self) -> &mut D {
        &mut self.inner
    }

    /// Gives the database back.
    pub fn into_inner(self) -> D {
        self.inner
    }
}

fn trouble(error: impl std::error::Error + Send + Sync + 'static) -> HostError {
    HostError(Box::new(error))
}

impl<D: RevmSource> Database for RevmDatabase<D> {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        let Some(info) = self.inner.basic(*address).map_err(trouble)? else { return Ok(None) };
        // Both mean "no code" there.
        let has_code = info.code_hash != KECCAK256_EMPTY && !info.code_hash.is_zero();
        let code_hash = if has_code { info.code_hash } else { KECCAK256_EMPTY };
        if let Some(code) = info.code.filter(|_| has_code) {
            self.codes.insert(code_hash, code.original_bytes());
        }
        Ok(Some(AccountInfo { nonce: info.nonce, balance: info.balance, code_hash }))
    }

    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        if let Some(code) = self.codes.get(hash) {
            return Ok(code.clone());
        }
        Ok(self.inner.code_by_hash(*hash).map_err(trouble)?.original_bytes())
    }

    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.inner.storage(*address, *key).map_err(trouble)
    }

    /// Always false: revm's trait can't tell. The accounts that EIP-7610 is about, with storage but neither nonce
    /// nor code, were made before EIP-158 and are 28 on the main network; no key can lead to their addresses.
    fn has_storage(&mut self, _address: &Address) -> Result<bool, HostError> {
        Ok(false)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.inner.block_hash(number).map_err(trouble)
    }
}
