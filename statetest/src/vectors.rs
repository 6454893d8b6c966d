//! Where the vectors are: a folder outside the project.

use std::path::{Path, PathBuf};

/// The vectors folder: `ZVM_VECTORS`, by default `../shared/vectors` beside the workspace; `None` if absent.
///
/// A test that gets `None` says that it skips.
pub fn vectors_dir() -> Option<PathBuf> {
    let dir = match std::env::var_os("ZVM_VECTORS") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
    };
    dir.is_dir().then_some(dir)
}
