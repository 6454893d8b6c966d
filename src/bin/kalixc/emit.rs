//! What a build writes, and how: all files or none.

use std::fs;
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use anyhow::{Context, bail};
use kalix::codegen::Target;
use kalix::diag::Code;
use kalix::driver::Compilation;
use kalix::ir::text::print_module;
use zvm::bytecode::disasm::{DisasmOptions, disassemble};

use crate::flags::Emit;

/// A file to write.
pub(crate) struct Output {
    name: String,
    contents: Vec<u8>,
}

/// The files of a successful compilation.
pub(crate) fn outputs(file: &Path, compilation: &Compilation, emit: &[Emit]) -> anyhow::Result<Vec<Output>> {
    let mut outputs = Vec::new();
    let mut add = |name: String, contents: Vec<u8>| outputs.push(Output { name, contents });
    if emit.contains(&Emit::Ast) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        add(format!("{stem}.ast"), format!("{:#?}\n", compilation.tree).into_bytes());
    }
    for contract in &compilation.contracts {
        let (artifact, ir) = (&contract.artifact, &contract.ir);
        let name = &artifact.name;
        add(format!("{name}.zvmc"), artifact.bytes.clone());
        let abi = serde_json::to_string_pretty(&artifact.ethereum_abi).context("cannot print the ABI")?;
        add(format!("{name}.abi.json"), format!("{abi}\n").into_bytes());
        if artifact.runtime.target == Target::Zvm && emit.contains(&Emit::Runtime) {
            let code = [artifact.runtime.target.prefix(), &artifact.runtime.bytes].concat();
            add(format!("{name}.bin-runtime"), format!("{}\n", hex::encode(code)).into_bytes());
        }
        if artifact.runtime.target == Target::Evm {
            let hex = |bytes: &[u8]| format!("{}\n", hex::encode(bytes)).into_bytes();
            add(format!("{name}.bin"), hex(&artifact.init.bytes));
            add(format!("{name}.bin-runtime"), hex(&artifact.runtime.bytes));
        }
        if emit.contains(&Emit::Ir) {
            let text = format!("{}\n{}", print_module(&ir.runtime), print_module(&ir.init));
            add(format!("{name}.ir"), text.into_bytes());
        }
        if emit.contains(&Emit::Asm) {
            let options = DisasmOptions { offsets: true };
            let text = |code| disassemble(code, artifact.runtime.target.encoding(), options).into_bytes();
            add(format!("{name}.zvm"), text(&artifact.runtime.bytes));
            add(format!("{name}.init.zvm"), text(&artifact.init.bytes));
        }
    }
    Ok(outputs)
}

/// Reports contracts whose run-time code alone is not the contract (K0710).
pub(crate) fn check_runtime(compilation: &mut Compilation) {
    for contract in compilation.program.contracts.iter().filter(|contract| !contract.is_imported) {
        let what = match contract {
            _ if contract.constructor.is_some() => "a constructor",
            _ if contract.initializer.is_some() => "an initialiser",
            _ if !contract.immutables.is_empty() => "an immutable",
            _ => continue,
        };
        compilation
            .diagnostics
            .error(Code::RuntimeEmitImpossible, contract.span)
            .arg("C", &contract.name)
            .arg("what", what);
    }
}

/// Writes one file that is named by its path.
pub(crate) fn write_file(file: &Path, text: String, sources: &[PathBuf]) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = file.file_name() else { bail!("{} names no file", file.display()) };
    let output = Output { name: name.to_string_lossy().into_owned(), contents: text.into_bytes() };
    write(folder, &[output], sources)
}

/// Writes all outputs into `folder`. Each is first written beside its place under another name, so that a
/// full disk leaves no half of a file and no mixture of old and new ones.
///
/// # Errors
/// If a file cannot be written, if two contracts would be one file, or if one would replace a source.
pub(crate) fn write(folder: &Path, outputs: &[Output], sources: &[PathBuf]) -> anyhow::Result<()> {
    for (at, output) in outputs.iter().enumerate() {
        if outputs[..at].iter().any(|other| other.name == output.name) {
            bail!("two contracts would both be written to {}; rename one", output.name);
        }
        let Ok(place) = folder.join(&output.name).canonicalize() else { continue };
        if sources.iter().any(|source| source.canonicalize().is_ok_and(|source| source == place)) {
            bail!("{} is a source; name another folder with --out-dir", folder.join(&output.name).display());
        }
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let mut pending = Pending { temporary: Vec::new() };
    for output in outputs {
        let place = folder.join(&output.name);
        if place.is_dir() {
            bail!("cannot write {}: it is a folder", place.display());
        }
        let temporary = folder.join(format!(".{}.{}.tmp", output.name, std::process::id()));
        pending.temporary.push(temporary.clone());
        fs::write(&temporary, &output.contents)
            .with_context(|| format!("cannot write {}", place.display()))?;
    }
    // Containers come last: where there is a new one, so is everything else.
    let is_container = |output: &Output| output.name.ends_with(".zvmc");
    let (last, first): (Vec<_>, Vec<_>) =
        outputs.iter().zip(&pending.temporary).partition(|(output, _)| is_container(output));
    for (output, temporary) in first.into_iter().chain(last) {
        let place = folder.join(&output.name);
        fs::rename(temporary, &place).with_context(|| format!("cannot write {}", place.display()))?;
    }
    Ok(())
}

/// Files under their temporary names; what is left of them is removed in the end.
struct Pending {
    temporary: Vec<PathBuf>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        for path in &self.temporary {
            // Most were renamed, and what cannot be removed now cannot be helped.
            let _ = fs::remove_file(path);
        }
    }
}
