//! A persistent database in one file: blocks are committed and undone whole, and readers see one block.
//!
//! `tables.rs` says what is stored, `commit.rs` how a block is written and undone, `snapshot.rs` is the reader that
//! transactions run on. The format is described in `docs/vm/database.md`.

mod commit;
mod error;
mod snapshot;
mod tables;

use std::path::Path;

use ::redb::{Builder, ReadableDatabase, StorageBackend, TableHandle};
use alloy_primitives::B256;

pub use self::error::{RedbError, RedbErrorKind};
pub use self::snapshot::RedbSnapshot;
pub use self::tables::FORMAT_VERSION;

use self::error::{Failed, run};
use super::StateDiff;

/// A block that is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockId {
    /// Number of the block.
    pub number: u64,
    /// Hash of the block.
    pub hash: B256,
}

/// How a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedbOptions {
    /// Blocks that can be undone, counted back from the newest.
    pub undo_blocks: u64,
    /// Bytes of memory for pages that were read or are to be written.
    pub cache_bytes: usize,
    /// Whether the checksum of every page is checked first, which reads the whole file. Without it, damage is
    /// found where a damaged page is read.
    pub check_on_open: bool,
}

/// A database in a file, shared by threads.
///
/// One thread at a time commits or undoes; any number of [`RedbSnapshot`]s read meanwhile. After an error of the
/// storage below, such as a full disk, the database must be opened again: it then holds exactly the last block
/// that was committed.
pub struct RedbDatabase {
    file: ::redb::Database,
    /// Name of the file, for errors.
    place: String,
    undo_blocks: u64,
}

impl RedbDatabase {
    /// Opens a file, which is made if it does not exist.
    pub fn open(path: impl AsRef<Path>, options: RedbOptions) -> Result<RedbDatabase, RedbError> {
        let path = path.as_ref();
        RedbDatabase::open_as(path.display().to_string(), options, |builder| builder.create(path))
    }

    /// Opens a database in a storage of the caller's own.
    pub fn open_with_backend(
        backend: impl StorageBackend,
        options: RedbOptions,
    ) -> Result<RedbDatabase, RedbError> {
        RedbDatabase::open_as("the storage given".into(), options, |builder| {
            builder.create_with_backend(backend)
        })
    }

    fn open_as(
        place: String,
        options: RedbOptions,
        open: impl FnOnce(&Builder) -> Result<::redb::Database, ::redb::DatabaseError>,
    ) -> Result<RedbDatabase, RedbError> {
        let opened = run(
            &place,
            || "opening".into(),
            || {
                let mut builder = Builder::new();
                builder
                    .set_cache_size(options.cache_bytes)
                    .set_check_integrity_on_open(options.check_on_open);
                let file = open(&builder)?;
                prepare(&file)?;
                Ok(file)
            },
        );
        opened.map(|file| RedbDatabase { file, place, undo_blocks: options.undo_blocks })
    }

    /// The newest block; `None` if none was committed.
    pub fn head(&self) -> Result<Option<BlockId>, RedbError> {
        self.snapshot().map(|snapshot| snapshot.head())
    }

    /// A reader of the newest block, which stays at that block whatever is committed later.
    pub fn snapshot(&self) -> Result<RedbSnapshot, RedbError> {
        let read = || RedbSnapshot::new(&self.file.begin_read()?, &self.place);
        run(&self.place, || "reading the newest block".into(), read)
    }

    /// Writes a block: its number must follow the newest block's, the first may have any. All of it is on disk
    /// when this returns `Ok`; otherwise none or all of it, which [`RedbDatabase::head`] tells once the database
    /// was opened again.
    pub fn commit_block(&self, number: u64, hash: B256, diff: &StateDiff) -> Result<(), RedbError> {
        run(
            &self.place,
            || format!("committing block {number}"),
            || {
                let transaction = self.begin_write()?;
                commit::write_block(&transaction, BlockId { number, hash }, diff, self.undo_blocks)?;
                Ok(transaction.commit()?)
            },
        )
    }

    /// Takes the newest block back; gives the block that is the newest now.
    pub fn undo_block(&self) -> Result<Option<BlockId>, RedbError> {
        run(
            &self.place,
            || "undoing the newest block".into(),
            || {
                let transaction = self.begin_write()?;
                let head = commit::undo_block(&transaction)?;
                transaction.commit()?;
                Ok(head)
            },
        )
    }

    /// Stores hashes of blocks before the first one committed, for BLOCKHASH where a chain does not begin here.
    pub fn insert_block_hashes(&self, hashes: &[BlockId]) -> Result<(), RedbError> {
        run(
            &self.place,
            || "storing hashes of blocks".into(),
            || {
                let transaction = self.begin_write()?;
                {
                    let mut blocks = transaction.open_table(tables::BLOCKS)?;
                    for BlockId { number, hash } in hashes {
                        blocks.insert(number, &hash.0)?;
                    }
                }
                Ok(transaction.commit()?)
            },
        )
    }

    fn begin_write(&self) -> Result<::redb::WriteTransaction, Failed> {
        let mut transaction = self.file.begin_write()?;
        // Opening after a crash then costs no walk over the whole file; it implies two syncs per commit.
        transaction.set_quick_repair(true);
        Ok(transaction)
    }
}

/// Makes the tables in a new file; refuses a file whose tables are not ours.
fn prepare(file: &::redb::Database) -> Result<(), Failed> {
    let transaction = file.begin_write()?;
    let tables: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if tables.is_empty() {
        tables::create(&transaction)?;
        return Ok(transaction.commit()?);
    }
    if !tables.iter().any(|name| name == tables::META.name()) {
        return Err(RedbErrorKind::Foreign { table: tables[0].clone() }.into());
    }
    tables::check_format(&transaction)?;
    Ok(transaction.abort()?)
}
