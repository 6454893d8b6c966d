//! Machine code on disk: a folder with one file per region, for later processes of the same build.
//!
//! A file's name is the [key](Key) of its code and the number of the region; what is in it is in [`entry`], and
//! [`folder`] keeps the folder private. Nothing of a contract but machine code is read from disk: blocks, heights and
//! tables are analyzed anew, so a file can't lead anybody astray about where code may be entered. A file proves its
//! soundness by a checksum, which is no signature; that is why nobody else may be able to write to the folder.

mod entry;
mod folder;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use alloy_primitives::{B256, Keccak256, hex};
use zvm::bytecode::Code;
use zvm::compiled::frame::Spec;

use self::entry::Entry;
use self::folder::Folder;

/// How much a folder may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskCacheLimits {
    /// Bytes of files.
    pub bytes: u64,
    /// Number of files.
    pub files: usize,
}

impl Default for DiskCacheLimits {
    /// 1 GiB in 65,536 files.
    fn default() -> DiskCacheLimits {
        DiskCacheLimits { bytes: 1 << 30, files: 1 << 16 }
    }
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum DiskCacheError {
    /// It can't be made, read or written.
    #[error("the folder {} of the code cache cannot be used: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Somebody else could put code into it.
    #[error("the folder {} of the code cache is refused: {reason}", path.display())]
    NotPrivate {
        /// The folder.
        path: PathBuf,
        /// Why others could.
        reason: &'static str,
    },
}

/// What a cache did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskCacheStats {
    /// Regions loaded.
    pub loaded: u64,
    /// Regions stored.
    pub stored: u64,
    /// Files that were damaged or not what their name says; they were removed.
    pub rejected: u64,
    /// Files that could not be written.
    pub failed: u64,
    /// Files removed to keep within the limits.
    pub evicted: u64,
    /// The first thing that went wrong, in words.
    pub first_problem: Option<String>,
}

/// A folder of compiled code. It knows what was there when it was opened and what it stored itself; several processes
/// may use one folder.
pub struct DiskCache {
    folder: Folder,
    limits: DiskCacheLimits,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By code and region.
    files: BTreeMap<(Key, u32), Known>,
    bytes: u64,
    /// Codes whose machine code was wrong.
    banned: Vec<Key>,
    stats: DiskCacheStats,
}

/// A file that is there as far as is known.
#[derive(Clone, Copy)]
struct Known {
    bytes: u64,
    used: SystemTime,
}

/// What machine code is for: the code, the rules, and the compiler with everything that its output depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) B256);

impl Key {
    /// The key of a code; `compiler` names build, processor and options.
    pub(crate) fn new(code: &Code, spec: &Spec, compiler: &str) -> Key {
        let mut hasher = Keccak256::new();
        let rules = format!("{:?} {spec:?}\n{compiler}\n", code.encoding());
        hasher.update(rules.as_bytes());
        hasher.update(code.hash());
        Key(hasher.finalize())
    }
}

/// A region that is stored: which it is, for the reader to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegionName {
    /// Number of the region.
    pub(crate) region: u32,
    /// Number of regions of the code.
    pub(crate) regions: u32,
    /// Its blocks.
    pub(crate) blocks: Range<u32>,
}

impl DiskCache {
    /// Uses a folder, which is made if it is missing. It must be a folder of this user's that nobody else can write
    /// to, and no symbolic link.
    pub fn open(path: &Path, limits: DiskCacheLimits) -> Result<DiskCache, DiskCacheError> {
        let folder = Folder::open(path)?;
        let mut inner = Inner::default();
        // Another process may write while this one reads; there is no need to see all of it.
        let found = folder.list(limits.files.saturating_mul(4));
        for (name, bytes, used) in
            found.map_err(|error| DiskCacheError::Io { path: path.to_owned(), error })?
        {
            match parse_name(&name) {
                Some((key, Some(region))) => {
                    inner.files.insert((key, region), Known { bytes, used });
                    inner.bytes += bytes;
                }
                Some((key, None)) => inner.banned.push(key),
                None => {}
            }
        }
        inner.banned.sort_unstable();
        let cache = DiskCache { folder, limits, inner: Mutex::new(inner) };
        cache.lock().evict(&cache.folder, &cache.limits);
        Ok(cache)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What it did so far.
    pub fn stats(&self) -> DiskCacheStats {
        self.lock().stats.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Regions of a code that are there, as far as is known.
    pub(crate) fn regions(&self, key: &Key) -> Vec<u32> {
        let inner = self.lock();
        inner.files.range((*key, 0)..=(*key, u32::MAX)).map(|((_, region), _)| *region).collect()
    }

    /// Whether the machine code of a code was found to be wrong.
    pub(crate) fn is_banned(&self, key: &Key) -> bool {
        // Another process may have banned it since.
        self.lock().banned.binary_search(key).is_ok() || self.folder.holds(&ban_name(key))
    }

    /// The machine code of a region. A file that is not sound is removed.
    pub(crate) fn load(&self, key: &Key, name: &RegionName) -> Option<Vec<u8>> {
        let file = file_name(key, name.region);
        let read = self.folder.read(&file, entry::FILE_BYTES_MAX);
        let mut inner = self.lock();
        let problem = match read {
            Ok(Some(bytes)) => match Entry::decode(bytes, key, name) {
                Ok(code) => {
                    inner.stats.loaded += 1;
                    if let Some(known) = inner.files.get_mut(&(*key, name.region)) {
                        known.used = SystemTime::now();
                    }
                    drop(inner);
                    self.folder.touch(&file);
                    return Some(code);
                }
                Err(problem) => format!("{file} is not sound: {problem}"),
            },
            // Another process has evicted it.
            Ok(None) => {
                inner.forget(key, name.region);
                return None;
            }
            Err(error) => format!("{file} cannot be read: {error}"),
        };
        inner.stats.rejected += 1;
        inner.note(problem);
        inner.forget(key, name.region);
        drop(inner);
        self.folder.remove(&file);
        None
    }

    /// Stores the machine code of a region. If that fails, it is counted and nothing else happens.
    pub(crate) fn store(&self, key: &Key, name: &RegionName, code: &[u8]) {
        let Some(bytes) = Entry::encode(key, name, code) else { return };
        let written = self.folder.write(&file_name(key, name.region), &bytes);
        let mut inner = self.lock();
        match written {
            Ok(()) => {
                let known = Known { bytes: bytes.len() as u64, used: SystemTime::now() };
                inner.forget(key, name.region);
                inner.files.insert((*key, name.region), known);
                inner.bytes += known.bytes;
                inner.stats.stored += 1;
                inner.evict(&self.folder, &self.limits);
            }
            Err(error) => {
                inner.stats.failed += 1;
                inner.note(format!("machine code cannot be stored: {error}"));
            }
        }
    }

    /// Removes what is stored of a code and lets nothing of it be stored again.
    pub(crate) fn ban(&self, key: &Key) {
        for region in self.regions(key) {
            self.folder.remove(&file_name(key, region));
            self.lock().forget(key, region);
        }
        let written = self.folder.write(&ban_name(key), b"");
        let mut inner = self.lock();
        if let Err(place) = inner.banned.binary_search(key) {
            inner.banned.insert(place, *key);
        }
        if let Err(error) = written {
            inner.stats.failed += 1;
            inner.note(format!("a ban cannot be stored: {error}"));
        }
    }
}

impl Inner {
    fn forget(&mut self, key: &Key, region: u32) {
        if let Some(known) = self.files.remove(&(*key, region)) {
            self.bytes -= known.bytes;
        }
    }

    fn note(&mut self, problem: String) {
        self.stats.first_problem.get_or_insert(problem);
    }

    /// Removes what was used longest ago, where the limits are passed, down to three quarters of them.
    fn evict(&mut self, folder: &Folder, limits: &DiskCacheLimits) {
        if self.bytes <= limits.bytes && self.files.len() <= limits.files {
            return;
        }
        let mut oldest: Vec<_> = self.files.iter().map(|(name, known)| (known.used, *name)).collect();
        oldest.sort_unstable();
        for (_, (key, region)) in oldest {
            if self.bytes <= limits.bytes / 4 * 3 && self.files.len() <= limits.files / 4 * 3 {
                break;
            }
            self.forget(&key, region);
            folder.remove(&file_name(&key, region));
            self.stats.evicted += 1;
        }
    }
}

/// Ends of file names.
const STORED: &str = "zvmn";
const BANNED: &str = "ban";

fn file_name(key: &Key, region: u32) -> String {
    format!("{}-{region:08x}.{STORED}", hex::encode(key.0))
}

fn ban_name(key: &Key) -> String {
    format!("{}.{BANNED}", hex::encode(key.0))
}

/// The code, and the region if it is one, that a file is named after.
fn parse_name(name: &str) -> Option<(Key, Option<u32>)> {
    let (stem, end) = name.rsplit_once('.')?;
    let key = |text: &str| {
        let bytes: [u8; 32] = hex::decode(text).ok()?.try_into().ok()?;
        Some(Key(bytes.into()))
    };
    let found = match end {
        BANNED => (key(stem)?, None),
        STORED => {
            let (text, region) = stem.split_once('-')?;
            (key(text)?, Some(u32::from_str_radix(region, 16).ok()?))
        }
        _ => return None,
    };
    // The one way to write it.
    let again = match found {
        (key, Some(region)) => file_name(&key, region),
        (key, None) => ban_name(&key),
    };
    (again == name).then_some(found)
}

#[cfg(test)]
mod tests;
