//! A folder that is this user's alone: refused where others can write, files that appear whole or not at all.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::DiskCacheError;

/// Permissions by which others than the owner write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// End of the names of files that are being written.
const UNFINISHED: &str = ".part";
/// What is older and unfinished was left by a process that died.
const UNFINISHED_KEPT: Duration = Duration::from_secs(3600);

pub(super) struct Folder {
    path: PathBuf,
    /// The user who owns it: this process's.
    owner: u32,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Folder, DiskCacheError> {
        let io = |error| DiskCacheError::Io { path: path.to_owned(), error };
        let refused = |reason| Err(DiskCacheError::NotPrivate { path: path.to_owned(), reason });
        if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        }
        let found = fs::symlink_metadata(path).map_err(io)?;
        if found.is_symlink() {
            return refused("it is a symbolic link, which could lead anywhere");
        }
        if !found.is_dir() {
            return refused("it is not a folder");
        }
        if found.mode() & WRITABLE_BY_OTHERS != 0 {
            return refused("its permissions let others write to it: chmod go-w");
        }
        let folder = Folder { path: path.to_owned(), owner: found.uid() };
        // What this process makes belongs to its user.
        let probe = folder.unfinished("probe");
        let made = new_file(&probe).and_then(|file| file.metadata());
        let _ = fs::remove_file(&probe);
        if made.map_err(io)?.uid() != folder.owner {
            return refused("it belongs to another user");
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Name, size and time of the last use of up to `files_max` files; removes what was left unfinished.
    pub(super) fn list(&self, files_max: usize) -> io::Result<Vec<(String, u64, SystemTime)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)?.take(files_max) {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Gone since, or a link.
            let Some(found) = entry.metadata().ok().filter(Metadata::is_file) else { continue };
            let used = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if name.starts_with('.') && name.ends_with(UNFINISHED) {
                if used.elapsed().is_ok_and(|age| age > UNFINISHED_KEPT) {
                    let _ = fs::remove_file(entry.path());
                }
                continue;
            }
            files.push((name, found.len(), used));
        }
        Ok(files)
    }

    /// Whether there is a file of that name.
    pub(super) fn holds(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path.join(name)).is_ok()
    }

    /// The bytes of a file; `None` if it is not there. One that others could have written is an error.
    pub(super) fn read(&self, name: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        self.accept(&found)?;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Another file may have taken its place meanwhile.
        let opened = file.metadata()?;
        self.accept(&opened)?;
        if opened.len() > bytes_max {
            return Err(io::Error::other("it is too long"));
        }
        let mut bytes = Vec::with_capacity(opened.len() as usize);
        file.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn accept(&self, found: &Metadata) -> io::Result<()> {
        let is_ours = found.uid() == self.owner && found.mode() & WRITABLE_BY_OTHERS == 0;
        if found.is_file() && is_ours {
            Ok(())
        } else {
            Err(io::Error::other("others could have put it there"))
        }
    }

    /// Writes a file, or nothing. A file of that name is replaced.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_by(name, |file| file.write_all(bytes))
    }

    /// Without waiting for the disk: what a crash cuts off has a wrong checksum.
    pub(super) fn write_by(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let unfinished = self.unfinished(name);
        let written = new_file(&unfinished).and_then(|mut file| write(&mut file));
        let done = written.and_then(|()| fs::rename(&unfinished, self.path.join(name)));
        if done.is_err() {
            // Its name says that it is unfinished, should it stay.
            let _ = fs::remove_file(&unfinished);
        }
        done
    }

    /// A name that nobody else uses.
    fn unfinished(&self, name: &str) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.path.join(format!(".{name}.{}-{number}{UNFINISHED}", process::id()))
    }

    /// Notes the use of a file, for whoever evicts.
    pub(super) fn touch(&self, name: &str) {
        if let Ok(file) = File::open(self.path.join(name)) {
            // At worst it is evicted early.
            let _ = file.set_modified(SystemTime::now());
        }
    }

    /// Removes a file, unless somebody has.
    pub(super) fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.path.join(name));
    }
}

/// A file that nobody had before, for its owner alone.
fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
