//! Gives the crate `ZVM_BUILD`: a number of its sources, those of the machine, the versions of what both depend on,
//! and the compiler that builds them. Stored machine code is for the build that made it and for no other, since it
//! relies on the layout of the machine's structs.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    // Two of 64 bits each: the hasher is the standard library's, which is in what `rustc -vV` names.
    let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
    hashers[1].write_u8(1);
    let mut add = |bytes: &[u8]| hashers.iter_mut().for_each(|hasher| bytes.hash(hasher));
    for tree in
        ["build.rs", "src", "../runtime/src", "../runtime/Cargo.toml", "../Cargo.toml", "../Cargo.lock"]
    {
        println!("cargo:rerun-if-changed={tree}");
        for file in files(Path::new(tree)) {
            add(file.to_string_lossy().as_bytes());
            add(&fs::read(&file).unwrap_or_default());
        }
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    add(&Command::new(rustc).arg("-vV").output().map(|output| output.stdout).unwrap_or_default());
    let says = |name: &str| {
        matches!(name, "TARGET" | "PROFILE" | "OPT_LEVEL" | "DEBUG" | "CARGO_ENCODED_RUSTFLAGS")
            || name.starts_with("CARGO_FEATURE_")
            || name.starts_with("CARGO_CFG_")
    };
    let mut settings: Vec<(String, String)> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| says(name))
        .collect();
    settings.sort();
    settings.iter().for_each(|(name, value)| add(format!("{name}={value}").as_bytes()));
    println!("cargo:rustc-env=ZVM_BUILD={:016x}{:016x}", hashers[0].finish(), hashers[1].finish());
}

/// All files in a tree, in the order of their names; none where it is missing.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return if path.is_file() { vec![path.to_owned()] } else { Vec::new() };
    };
    let mut entries: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    entries.iter().flat_map(|entry| files(entry)).collect()
}
