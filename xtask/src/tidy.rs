//! `cargo xtask tidy`: rules about the tree that no compiler checks.
//!
//! Each rule is a function from one file to its complaints, so that each has a test of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::root;

/// Folders that hold Rust sources of the project.
const SOURCE_FOLDERS: &[&str] =
    &["src", "runtime", "jit", "statetest", "tests", "benches", "xtask", "fuzz", "examples"];

/// Files in which `unsafe` may stand, by prefix; the reasons are in `docs/unsafe.md`.
const UNSAFE_ALLOWED: &[&str] = &[
    "runtime/src/interp/stack.rs",
    "runtime/src/interp/memory.rs",
    "runtime/src/bytecode/decode.rs",
    "runtime/src/compiled/",
    "runtime/src/keccak/avx512.rs",
    "jit/src/code_memory.rs",
    "jit/src/entry.rs",
    "jit/src/builtins.rs",
    // A global allocator that counts, which the trait makes unsafe; it only forwards.
    "runtime/tests/allocation.rs",
];

/// Crates that a folder's sources may not name, with the reason.
const FORBIDDEN_IMPORTS: &[(&str, &str, &str)] = &[
    ("runtime/src", "zvm_jit", "the machine never names a compiler"),
    ("runtime/src", "kalix", "the machine knows no language"),
    ("runtime/src", "cranelift", "only the JIT names Cranelift"),
    ("runtime/src", "zvm_statetest", "the machine does not know its tests"),
    ("jit/src", "kalix", "the JIT knows no language"),
    ("jit/src", "zvm_statetest", "the JIT does not know the machine's tests"),
    ("statetest/src", "zvm_jit", "whoever wants native code hands a tier in"),
    ("statetest/src", "kalix", "state tests know no language"),
    ("statetest/src", "testkit", "zvmrun has it; testkit is for tests and benches"),
    ("src/bin/kalixc", "zvm_statetest", "the compiler runs no state tests"),
];

/// Stages of the compiler library, in order; a stage may use earlier ones only.
const STAGES: &[&str] = &["syntax", "sema", "ir", "codegen"];

/// Checks every source file; prints each complaint and fails if there is one.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let mut files = Vec::new();
    for folder in SOURCE_FOLDERS {
        collect_sources(&root().join(folder), &mut files)?;
    }
    let mut complaints = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
        let path = file.strip_prefix(root()).unwrap_or(file).to_string_lossy().replace('\\', "/");
        complaints.extend(check(&path, &text));
    }
    let explained = std::fs::read_to_string(root().join("docs/unsafe.md")).context("docs/unsafe.md")?;
    complaints.extend(unexplained(&explained));
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    if complaints.is_empty() {
        println!("tidy: {} files", files.len());
        Ok(())
    } else {
        bail!("{} complaints in {} files", complaints.len(), files.len())
    }
}

/// Files with `unsafe` that the text doesn't name.
fn unexplained(text: &str) -> Vec<String> {
    UNSAFE_ALLOWED
        .iter()
        .filter(|path| !text.contains(&format!("`{path}`")))
        .map(|path| format!("docs/unsafe.md: says nothing of `{path}`"))
        .collect()
}

fn collect_sources(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect_sources(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

fn check(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if !text.starts_with("//!") && !text.starts_with("#!") {
        complaints.push(format!("{path}:1: a file opens with `//!`: what lives here, what does not"));
    }
    let unsafe_allowed = UNSAFE_ALLOWED.iter().any(|prefix| path.starts_with(prefix));
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        let place = format!("{path}:{}", index + 1);
        if !unsafe_allowed
            && ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
                .iter()
                .any(|form| code.contains(form))
            && !code.contains('"')
        {
            complaints.push(format!("{place}: `unsafe` stands only in {}", UNSAFE_ALLOWED.join(", ")));
        }
        for (folder, name, reason) in FORBIDDEN_IMPORTS {
            let imports = [format!("use {name}"), format!("{name}::")];
            if path.starts_with(folder) && imports.iter().any(|form| code.contains(form.as_str())) {
                complaints.push(format!("{place}: `{name}` is not for {folder}: {reason}"));
            }
        }
        if let Some(target) = forward_edge(path, code) {
            complaints.push(format!("{place}: stage `{target}` comes later than this file's"));
        }
    }
    complaints
}

/// The later stage that a line of a compiler stage imports, if any.
fn forward_edge(path: &str, code: &str) -> Option<&'static str> {
    let rest = path.strip_prefix("src/")?;
    let own = STAGES
        .iter()
        .position(|stage| rest.starts_with(&format!("{stage}/")) || rest == format!("{stage}.rs"))?;
    let import = code.trim_start().strip_prefix("use crate::")?;
    STAGES[own + 1..].iter().copied().find(|stage| import.starts_with(stage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_mistake() {
        assert_eq!(check("src/a.rs", "fn f() {}\n").len(), 1);
        assert_eq!(check("src/a.rs", "//! A.\nfn f() { unsafe { g() } }\n").len(), 1);
        assert_eq!(check("jit/src/entry.rs", "//! A.\nfn f() { unsafe { g() } }\n").len(), 0);
        assert_eq!(check("runtime/src/a.rs", "//! A.\nuse zvm_jit::Jit;\n").len(), 1);
        assert_eq!(check("statetest/src/a.rs", "//! A.\nuse zvm_jit::Jit;\n").len(), 1);
        assert_eq!(check("src/sema/a.rs", "//! A.\nuse crate::ir::Module;\n").len(), 1);
        assert_eq!(unexplained("").len(), UNSAFE_ALLOWED.len());
        assert_eq!(check("src/ir/a.rs", "//! A.\nuse crate::sema::typed;\n").len(), 0);
    }

    #[test]
    fn the_tree_is_tidy() {
        run(&[]).expect("no complaint");
    }
}
