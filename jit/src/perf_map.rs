//! Names for profilers: the map of machine code that Linux's `perf` reads, `/tmp/perf-PID.map`.
//!
//! The file is made anew and belongs to the user alone; a link in its place is not followed. A write that fails ends
//! the writing and is told to who asks; running code never notices.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A map file under construction.
pub struct PerfMap {
    path: PathBuf,
    state: Mutex<Result<File, String>>,
}

impl PerfMap {
    /// Makes the file where `perf` looks for it. One that a process of the same number has left there is replaced.
    ///
    /// # Errors
    /// If the file can't be made, for one because it is another user's.
    pub fn create() -> io::Result<PerfMap> {
        PerfMap::create_in(Path::new("/tmp"))
    }

    /// The same in another folder.
    ///
    /// # Errors
    /// As [`PerfMap::create`].
    pub fn create_in(folder: &Path) -> io::Result<PerfMap> {
        let path = folder.join(format!("perf-{}.map", std::process::id()));
        let file = match new_file(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // Removing a link removes the link.
                fs::remove_file(&path)?;
                new_file(&path)?
            }
            other => other?,
        };
        Ok(PerfMap { path, state: Mutex::new(Ok(file)) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why the map is not complete, if a write failed.
    pub fn failure(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).as_ref().err().cloned()
    }

    /// Names a piece of machine code; nothing more is written once a write has failed.
    pub(crate) fn add(&self, address: usize, code_bytes: usize, name: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{address:x} {code_bytes:x} {name}\n");
        if let Ok(file) = &mut *state
            && let Err(error) = file.write_all(line.as_bytes())
        {
            *state = Err(format!("cannot write {}: {error}", self.path.display()));
        }
    }
}

/// A file that was not there, which only the user may read.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Jit, JitOptions};
    use zvm::Fork;
    use zvm::bytecode::Code;
    use zvm::compiled::frame::Spec;

    /// A folder for one test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("zvm-perf-{test}-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn every_published_region_has_a_line() {
        let folder = Folder::new("lines");
        let map = PerfMap::create_in(&folder.0).expect("the file can be made");
        let path = map.path().to_owned();
        let options = JitOptions { region_blocks_max: 2, ..JitOptions::checked() };
        let jit = Jit::with_perf_map(options, map).expect("this machine has a code generator");
        let code = Code::evm([vec![0x5b; 9], vec![0x34, 0x56]].concat());
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        let compiled = jit.compile(&code, &spec).expect("compiles");
        let text = fs::read_to_string(path).expect("the file is there");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let (gate, lines) = lines.split_first().expect("lines");
        assert_eq!((gate[2], lines.len()), ("zvm::gate", compiled.stats().regions));
        let number = |hex: &str| usize::from_str_radix(hex, 16).expect("a hexadecimal number");
        let bytes: usize = lines.iter().map(|line| number(line[1])).sum();
        assert_eq!(bytes, compiled.stats().code_bytes);
        assert!(lines.iter().all(|line| number(line[0]) > 0));
        let hash = &code.hash().to_string()[2..10];
        assert_eq!(lines[0][2], format!("zvm::{hash}::region0@0x0"));
        assert_eq!(lines[1][2], format!("zvm::{hash}::region1@0x2"));
        assert_eq!(jit.perf_map().and_then(PerfMap::failure), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_a_link_in_its_place_is_not_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = Folder::new("link");
        let target = folder.0.join("target");
        fs::write(&target, "untouched").expect("a temporary file can be written");
        let path = folder.0.join(format!("perf-{}.map", std::process::id()));
        symlink(&target, &path).expect("a link can be made");
        let map = PerfMap::create_in(&folder.0).expect("the file can be made");
        map.add(16, 32, "name");
        assert_eq!(fs::read_to_string(&target).expect("is there"), "untouched");
        let data = fs::symlink_metadata(&path).expect("is there");
        assert!(data.is_file());
        assert_eq!(data.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).expect("is there"), "10 20 name\n");
        assert!(PerfMap::create_in(&folder.0.join("absent")).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_write_that_fails_is_told_and_the_code_runs_all_the_same() {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("the device is there");
        let map = PerfMap { path: "/dev/full".into(), state: Mutex::new(Ok(full)) };
        let jit = Jit::with_perf_map(JitOptions::checked(), map).expect("this machine has a code generator");
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        assert_eq!(jit.compile(&Code::evm(vec![0x60, 1]), &spec).expect("compiles").stats().regions, 1);
        let failure = jit.perf_map().and_then(PerfMap::failure).expect("the disk is full");
        assert!(failure.starts_with("cannot write /dev/full"), "{failure}");
    }
}
