//! `cargo xtask lint`: what must hold beside the tests.

use anyhow::Result;

use crate::{codegen, sh, tidy};

/// Formatting, clippy, the build without the JIT, derived files, and the tree's own rules.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    sh("cargo", &["fmt", "--all", "--check"])?;
    sh("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    sh("cargo", &["check", "--package", "kalix", "--no-default-features", "--features", "cli"])?;
    codegen::run(&["--check".to_owned()])?;
    tidy::run(&[])
}
