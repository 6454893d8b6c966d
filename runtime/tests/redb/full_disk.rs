//! A disk that is full at the n-th write or sync: an error, and the block before or the whole block.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;
use zvm::state::redb::{RedbDatabase, RedbErrorKind};

use crate::chain::{Chain, OPTIONS, block, hash};

/// A disk: what was written, and what a loss of power would leave.
#[derive(Debug, Default)]
struct Disk {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// Changes since the last sync, in order.
    unsynced: Vec<Change>,
    /// Accesses that succeed before one fails.
    left: Option<usize>,
    /// Whether every access after the first failure fails, too.
    stays_full: bool,
    has_failed: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    SetLen(u64),
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::SetLen(len) => bytes.resize(*len as usize, 0),
        Change::Write { offset, data } => {
            let start = *offset as usize;
            if bytes.len() < start + data.len() {
                bytes.resize(start + data.len(), 0);
            }
            bytes[start..start + data.len()].copy_from_slice(data);
        }
    }
}

impl Disk {
    fn holding(bytes: Vec<u8>) -> Disk {
        Disk { synced: bytes.clone(), bytes, ..Disk::default() }
    }

    fn spend(&mut self) -> io::Result<()> {
        if self.has_failed && !self.stays_full {
            return Ok(());
        }
        match &mut self.left {
            Some(0) => {
                self.has_failed = true;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        self.spend()?;
        apply(&mut self.bytes, &change);
        self.unsynced.push(change);
        Ok(())
    }

    /// What may be on the disk after a loss of power: all, nothing, or some of what was not synced.
    fn survivors(&self, seed: u64) -> [Vec<u8>; 3] {
        let mut some = self.synced.clone();
        for (number, change) in self.unsynced.iter().enumerate() {
            let coin = (seed ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63;
            // A file whose size is not what the metadata says is another fault than a lost write.
            if coin == 1 || matches!(change, Change::SetLen(_)) {
                apply(&mut some, change);
            }
        }
        [self.bytes.clone(), self.synced.clone(), some]
    }
}

#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<Disk>>);

impl Shared {
    fn new(disk: Disk) -> Shared {
        Shared(Arc::new(Mutex::new(disk)))
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().expect("no test thread panicked")
    }
}

impl StorageBackend for Shared {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.disk();
        let source = disk.bytes.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(source.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk().change(Change::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.spend()?;
        disk.synced = disk.bytes.clone();
        disk.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk().change(Change::Write { offset, data: data.to_vec() })
    }
}

fn open(disk: Disk) -> (Shared, RedbDatabase) {
    let shared = Shared::new(disk);
    let database = RedbDatabase::open_with_backend(shared.clone(), OPTIONS).expect("it opens");
    (shared, database)
}

/// The disk of a database that holds blocks 0 to `head`.
fn disk_with(head: u64) -> Vec<u8> {
    let (shared, database) = open(Disk::default());
    for number in 0..=head {
        let diff = block(number, database.snapshot().expect("readable"));
        database.commit_block(number, hash(number), &diff).expect("the disk has room");
    }
    drop(database);
    std::mem::take(&mut shared.disk().bytes)
}

/// Lets the disk be full at every write and sync of `access`, and checks what is left each time.
fn at_every_write(
    head: u64,
    stays_full: bool,
    after: u64,
    access: impl Fn(&RedbDatabase) -> Result<(), zvm::state::redb::RedbError>,
) {
    let start = disk_with(head);
    let chains = [head, after].map(|number| {
        let mut chain = Chain::new();
        chain.advance_to(number);
        chain
    });
    for writes in 0.. {
        let (shared, database) = open(Disk::holding(start.clone()));
        {
            let mut disk = shared.disk();
            (disk.left, disk.stays_full) = (Some(writes), stays_full);
        }
        let result = access(&database);
        let has_failed = shared.disk().has_failed;
        drop(database);
        let survivors = shared.disk().survivors(writes as u64);
        match &result {
            Ok(()) => {}
            Err(error) => {
                assert!(has_failed, "{error}");
                assert!(matches!(error.kind, RedbErrorKind::Storage(_)), "{error}");
            }
        }
        for survivor in survivors {
            let (_, database) = open(Disk::holding(survivor));
            let found = database.head().expect("readable").expect("there are blocks").number;
            assert!(found == after || result.is_err() && found == head, "write {writes}: block {found}");
            let chain = chains.iter().find(|chain| chain.number == found).expect("one of the two");
            chain.assert_is(&database);
        }
        if !has_failed {
            assert!(writes > 5, "a commit writes more often");
            return;
        }
    }
}

#[test]
fn a_disk_that_is_full_at_any_write_of_a_commit_leaves_a_block() {
    for stays_full in [true, false] {
        at_every_write(6, stays_full, 7, |database| {
            let diff = block(7, database.snapshot().expect("readable"));
            database.commit_block(7, hash(7), &diff)
        });
    }
}

#[test]
fn a_disk_that_is_full_at_any_write_of_an_undo_leaves_a_block() {
    at_every_write(6, true, 5, |database| database.undo_block().map(drop));
}
