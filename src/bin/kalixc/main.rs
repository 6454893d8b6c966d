//! `kalixc`: compiles Kalix contracts.
//!
//! All of the compiler's input and output is here; the library sees text and gives data. Exit status: 0 on
//! success, 1 for mistakes in the source, 2 for a wrong command line or for files that cannot be read or
//! written.

mod emit;
mod flags;
mod package;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use kalix::codegen::CodegenOptions;
use kalix::diag::{Code, Diagnostics, Severity, json, render};
use kalix::driver::{Compilation, CompileOptions, compile_with};
use kalix::source::{SOURCE_SIZE_MAX, Source};

use flags::{ColorChoice, Command, ErrorFormat, Flags, Reporting};
use package::Folders;

const MISTAKES: u8 = 1;
const TROUBLE: u8 = 2;

fn main() -> ExitCode {
    // clap prints usage errors itself and exits with 2.
    let flags = Flags::parse();
    let status = match &flags.command {
        Command::Build { file, out_dir, emit, target, reporting } => {
            build(file, out_dir, emit, *target, reporting)
        }
        Command::Check { file, target, reporting } => check(file, *target, reporting),
        Command::Explain { code } => explain(code),
    };
    match status {
        Ok(status) => status,
        Err(error) => {
            say(&format!("kalixc: {error:#}\n"));
            ExitCode::from(TROUBLE)
        }
    }
}

fn build(
    file: &Path,
    out_dir: &Path,
    emit: &[flags::Emit],
    target: flags::Target,
    reporting: &Reporting,
) -> anyhow::Result<ExitCode> {
    let compilation = compile_file(file, target)?;
    if report(&compilation.diagnostics, &compilation.source, reporting)? {
        return Ok(ExitCode::from(MISTAKES));
    }
    if compilation.contracts.is_empty() {
        say(&format!("kalixc: {} holds no contract, so nothing was written\n", file.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let outputs = emit::outputs(file, &compilation, emit)?;
    emit::write(out_dir, &outputs)?;
    print_summary(out_dir, &compilation)?;
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path, target: flags::Target, reporting: &Reporting) -> anyhow::Result<ExitCode> {
    let compilation = compile_file(file, target)?;
    let failed = report(&compilation.diagnostics, &compilation.source, reporting)?;
    Ok(if failed { ExitCode::from(MISTAKES) } else { ExitCode::SUCCESS })
}

fn explain(id: &str) -> anyhow::Result<ExitCode> {
    let Some(code) = Code::from_id(id) else {
        bail!("`{id}` is no diagnostic code; codes look like K0201 and stand in brackets in each message");
    };
    let severity = code.severity();
    let text = format!("{severity}[{}]: {}\n\n{}\n", code.id(), code.title(), code.explanation());
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Compiles a file with the modules that it imports.
fn compile_file(file: &Path, target: flags::Target) -> anyhow::Result<Compilation> {
    let codegen = CodegenOptions { target: target.into(), ..CodegenOptions::STANDARD };
    let source = read(file)?;
    let mut folders = Folders::around(file)?;
    let compilation =
        compile_with(source, folders.module_path(file), &mut folders, &CompileOptions { codegen });
    folders.trouble()?;
    Ok(compilation)
}

/// Reads a source file. It is named in artifacts as it was named on the command line, unless that would
/// put a path of this machine into them.
fn read(file: &Path) -> anyhow::Result<Source> {
    let text = read_text(file)?;
    let name = if file.is_absolute() { file.file_name().map(Path::new).unwrap_or(file) } else { file };
    Ok(Source::new(name.to_string_lossy().replace('\\', "/"), text))
}

/// The text of a source file.
fn read_text(file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?.len();
    if size > SOURCE_SIZE_MAX as u64 {
        bail!("{shown} has {size} bytes, and a source file may have at most {SOURCE_SIZE_MAX}");
    }
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {shown}"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        anyhow::anyhow!("{shown} is not UTF-8 text: the byte at offset {offset} begins no character")
    })?;
    // The file may have grown since its size was read.
    if text.len() > SOURCE_SIZE_MAX {
        bail!("{shown} has {} bytes, and a source file may have at most {SOURCE_SIZE_MAX}", text.len());
    }
    Ok(text)
}

/// Prints what was reported. Tells whether that forbids to write anything.
fn report(diags: &Diagnostics, source: &Source, reporting: &Reporting) -> anyhow::Result<bool> {
    match reporting.error_format {
        ErrorFormat::Json => print(&format!("{}\n", json::to_json(diags, source)))?,
        ErrorFormat::Short => say(&render::render_short(diags, source)),
        ErrorFormat::Full => say(&render::render(diags, source, use_color(reporting.color))),
    }
    let count = |severity| diags.iter().filter(|diagnostic| diagnostic.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let denied = reporting.denies_warnings() && warnings > 0;
    if reporting.error_format != ErrorFormat::Json && errors + warnings > 0 {
        let note = if denied && errors == 0 { ", which --deny warnings forbids" } else { "" };
        say(&format!(
            "{}: {}, {}{note}\n",
            source.name(),
            counted(errors, "error"),
            counted(warnings, "warning")
        ));
    }
    Ok(errors > 0 || denied)
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn use_color(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

fn print_summary(out_dir: &Path, compilation: &Compilation) -> anyhow::Result<()> {
    let mut text = String::new();
    for contract in &compilation.contracts {
        let artifact = &contract.artifact;
        let path = out_dir.join(format!("{}.zvmc", artifact.name));
        let (code, init) = (artifact.runtime.bytes.len(), artifact.init.bytes.len());
        text += &format!("{}: {code} bytes of code, {init} bytes to create it\n", path.display());
    }
    print(&text)
}

/// Prints to standard output; a reader who has gone away is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Writes to standard error. That it can't be written is no reason to stop: the exit status still says what happened.
fn say(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
}
