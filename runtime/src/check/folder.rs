//! The folder that case files are written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{CASE_BYTES_MAX, Case};
use alloy_primitives::{B256, hex};

/// Where an engine writes its cases, and how many it has written.
pub(crate) struct CaseFolder {
    path: PathBuf,
    files_max: u32,
    files: AtomicU32,
}

impl CaseFolder {
    pub(crate) fn new(path: PathBuf, files_max: u32) -> CaseFolder {
        CaseFolder { path, files_max, files: AtomicU32::new(0) }
    }

    /// Writes a case; `None` when the folder has its share. The file is there whole or not at all.
    pub(crate) fn write(&self, case: &Case, code: &B256) -> Option<io::Result<PathBuf>> {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        if number >= self.files_max {
            self.files.store(self.files_max, Ordering::Relaxed);
            return None;
        }
        let name = format!("{}-{}-{number}.zvmcase", hex::encode(&code[..8]), process::id());
        Some(self.write_as(&name, &case.to_string()))
    }

    fn write_as(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        if text.len() > CASE_BYTES_MAX {
            let problem = format!("the case has {} bytes, more than {CASE_BYTES_MAX}", text.len());
            return Err(io::Error::other(problem));
        }
        make_folder(&self.path)?;
        let (path, unfinished) = (self.path.join(name), self.path.join(format!(".{name}.part")));
        let written = new_file(&unfinished).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let done = written.and_then(|()| fs::rename(&unfinished, &path));
        if let Err(error) = done {
            // If it can't be removed either, its name says that it is unfinished.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        Ok(path)
    }
}

/// Makes a folder that only its owner can use, unless it is there.
fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A file that nobody had before, for its owner alone; a link in its place is an error.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
