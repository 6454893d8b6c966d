//! A reader at one block: what transactions run on while other blocks are committed.

use std::sync::Arc;

use ::redb::{ReadOnlyTable, ReadTransaction};
use alloy_primitives::{Address, B256, Bytes, U256};

use super::error::{Failed, run};
use super::tables::{self, ACCOUNTS, BLOCKS, CODES, META, STORAGE, SlotKey, Word};
use super::{BlockId, RedbError, RedbErrorKind};
use crate::host::HostError;
use crate::state::{AccountInfo, Database};

/// The state after one block. Clones read the same block; each thread takes one.
#[derive(Clone)]
pub struct RedbSnapshot {
    shared: Arc<Shared>,
}

struct Shared {
    place: String,
    head: Option<BlockId>,
    accounts: ReadOnlyTable<&'static [u8; 20], &'static [u8; 72]>,
    codes: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    storage: ReadOnlyTable<SlotKey<'static>, Word<'static>>,
    blocks: ReadOnlyTable<u64, &'static [u8; 32]>,
}

impl RedbSnapshot {
    pub(super) fn new(transaction: &ReadTransaction, place: &str) -> Result<RedbSnapshot, Failed> {
        let shared = Shared {
            place: place.to_owned(),
            head: tables::read_head(&transaction.open_table(META)?)?,
            accounts: transaction.open_table(ACCOUNTS)?,
            codes: transaction.open_table(CODES)?,
            storage: transaction.open_table(STORAGE)?,
            blocks: transaction.open_table(BLOCKS)?,
        };
        Ok(RedbSnapshot { shared: Arc::new(shared) })
    }

    /// The block whose state this is; `None` if none was committed.
    pub fn head(&self) -> Option<BlockId> {
        self.shared.head
    }

    /// Calls `visit` with every account, in the order of addresses, until it gives an error.
    pub fn for_each_account<E: From<RedbError>>(
        &self,
        mut visit: impl FnMut(Address, AccountInfo) -> Result<(), E>,
    ) -> Result<(), E> {
        let action = || "reading all accounts".to_owned();
        let place = &self.shared.place;
        let mut rows = run(place, action, || Ok(self.shared.accounts.range::<&[u8; 20]>(..)?))?;
        while let Some(row) = run(place, action, || Ok(rows.next().transpose()?))? {
            visit(Address::from(*row.0.value()), tables::decode_account(row.1.value()))?;
        }
        Ok(())
    }

    /// Calls `visit` with every storage word of an account that is not zero, in the order of keys, until it gives
    /// an error.
    pub fn for_each_word<E: From<RedbError>>(
        &self,
        address: &Address,
        mut visit: impl FnMut(U256, U256) -> Result<(), E>,
    ) -> Result<(), E> {
        let action = || format!("reading the storage of {address}");
        let place = &self.shared.place;
        let words = (&address.0.0, &[0; 32])..=(&address.0.0, &[0xff; 32]);
        let mut rows = run(place, action, || Ok(self.shared.storage.range(words)?))?;
        while let Some(row) = run(place, action, || Ok(rows.next().transpose()?))? {
            visit(U256::from_be_bytes(*row.0.value().1), U256::from_be_bytes(*row.1.value()))?;
        }
        Ok(())
    }

    fn read<T>(
        &self,
        action: impl FnOnce() -> String,
        read: impl FnOnce(&Shared) -> Result<T, Failed>,
    ) -> Result<T, HostError> {
        Ok(run(&self.shared.place, action, || read(&self.shared))?)
    }
}

impl Database for RedbSnapshot {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        self.read(
            || format!("reading account {address}"),
            |shared| Ok(shared.accounts.get(&address.0.0)?.map(|row| tables::decode_account(row.value()))),
        )
    }

    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        self.read(
            || format!("reading code {hash}"),
            |shared| match shared.codes.get(&hash.0)? {
                Some(row) => Ok(Bytes::copy_from_slice(row.value())),
                None => Err(RedbErrorKind::NoCode(*hash).into()),
            },
        )
    }

    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.read(
            || format!("reading word {key:#x} of {address}"),
            |shared| {
                let row = shared.storage.get((&address.0.0, &key.to_be_bytes::<32>()))?;
                Ok(row.map_or(U256::ZERO, |row| U256::from_be_bytes(*row.value())))
            },
        )
    }

    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        self.read(
            || format!("looking for storage of {address}"),
            |shared| {
                let words = (&address.0.0, &[0; 32])..=(&address.0.0, &[0xff; 32]);
                Ok(shared.storage.range(words)?.next().transpose()?.is_some())
            },
        )
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.read(
            || format!("reading the hash of block {number}"),
            |shared| match shared.blocks.get(number)? {
                Some(row) => Ok(B256::new(*row.value())),
                None => Err(RedbErrorKind::NoBlockHash(number).into()),
            },
        )
    }
}
