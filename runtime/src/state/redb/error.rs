//! What can go wrong with a database file, with what was being done and where.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::host::HostError;

/// Trouble with a database file.
#[derive(Debug, thiserror::Error)]
#[error("{action}, database {place}: {kind}")]
pub struct RedbError {
    /// What was being done.
    pub action: String,
    /// File of the database.
    pub place: String,
    /// What is wrong.
    #[source]
    pub kind: RedbErrorKind,
}

/// Kinds of trouble.
#[derive(Debug, thiserror::Error)]
pub enum RedbErrorKind {
    /// The storage failed, or is no redb file, or a page of it is damaged.
    #[error(transparent)]
    Storage(Box<::redb::Error>),
    /// The storage is so damaged that the library below gave up.
    #[error("the file is damaged: {0}")]
    GaveUp(String),
    /// The file holds tables of another program.
    #[error("this is no state database, it has a table {table:?} and no table \"meta\"")]
    Foreign {
        /// A table that was found.
        table: String,
    },
    /// The file was written in another format.
    #[error("the file has format {found}, this version reads and writes format {}", super::FORMAT_VERSION)]
    Format {
        /// Format of the file.
        found: u32,
    },
    /// A row can't be what was written.
    #[error("table {table:?} is damaged: {reason}")]
    Damaged {
        /// Table.
        table: &'static str,
        /// What is wrong in it.
        reason: String,
    },
    /// Code is missing.
    #[error("there is no code with hash {0}")]
    NoCode(alloy_primitives::B256),
    /// The hash of a block is missing.
    #[error("there is no hash of block {0}")]
    NoBlockHash(u64),
    /// The block is not the next one.
    #[error("block {given} can't follow block {head}")]
    NotNext {
        /// Newest block.
        head: u64,
        /// Block to be committed.
        given: u64,
    },
    /// No block was committed, so none can be undone.
    #[error("no block is committed")]
    NoBlock,
    /// What the block changed is not kept any more.
    #[error("block {number} is older than the blocks that can be undone")]
    UndoNotKept {
        /// Newest block.
        number: u64,
    },
}

impl From<RedbError> for HostError {
    fn from(error: RedbError) -> HostError {
        HostError(Box::new(error))
    }
}

/// A failure that does not know yet what was being done.
pub(super) struct Failed(RedbErrorKind);

impl From<RedbErrorKind> for Failed {
    fn from(kind: RedbErrorKind) -> Failed {
        Failed(kind)
    }
}

macro_rules! failed_from {
    ($($Error:ident),*) => { $(
        impl From<::redb::$Error> for Failed {
            fn from(error: ::redb::$Error) -> Failed {
                Failed(RedbErrorKind::Storage(Box::new(error.into())))
            }
        }
    )* };
}
failed_from!(CommitError, DatabaseError, StorageError, TableError, TransactionError);

/// Runs one access to the file.
///
/// On a file that something else wrote into, the library may find a broken assumption and panic. That is damage
/// from outside and not a mistake of this program, so it becomes an error like other damage.
pub(super) fn run<T>(
    place: &str,
    action: impl FnOnce() -> String,
    access: impl FnOnce() -> Result<T, Failed>,
) -> Result<T, RedbError> {
    let kind = match catch_unwind(AssertUnwindSafe(access)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(Failed(kind))) => kind,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            RedbErrorKind::GaveUp(text.to_owned())
        }
    };
    Err(RedbError { action: action(), place: place.to_owned(), kind })
}
