//! `kalixc`: compiles Kalix contracts.
//!
//! All of the compiler's input and output is here; the library sees text and gives data. Exit status: 0 on
//! success, 1 for mistakes in the source, 2 for a wrong command line or for files that cannot be read or
//! written.

mod audit;
mod emit;
mod flags;
mod gas;
mod layout;
mod package;
mod test;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use kalix::diag::{Code, Diagnostics, Severity, json, render};
use kalix::driver::{Compilation, compile_tests, compile_with};
use kalix::source::{SOURCE_SIZE_MAX, Source};

use flags::{CodeFlags, ColorChoice, Command, ErrorFormat, Flags, Reporting};
use layout::Locks;
use package::{Folders, Sources};

/// Compiling allocates and frees a great deal, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MISTAKES: u8 = 1;
const TROUBLE: u8 = 2;

fn main() -> ExitCode {
    // clap prints usage errors itself and exits with 2.
    let flags = Flags::parse();
    let status = match &flags.command {
        Command::Build { path, out_dir, emit, layout_lock, code, reporting } => {
            build(path.as_deref(), out_dir, (emit, layout_lock.as_deref()), code, reporting)
        }
        Command::Audit { path, code, reporting } => audit::audit(path.as_deref(), code, reporting),
        Command::Check { path, code, reporting } => check(path.as_deref(), code, reporting),
        Command::Test { first, filter, tier, seed, code, reporting } => {
            run_tests(first.as_deref(), filter.as_deref(), (*tier, *seed), (code, reporting))
        }
        Command::Gas(args) => gas::gas(args),
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
    path: Option<&Path>,
    out_dir: &Path,
    (emit, layout_lock): (&[flags::Emit], Option<&Path>),
    code: &CodeFlags,
    reporting: &Reporting,
) -> anyhow::Result<ExitCode> {
    let sources = Sources::find(path)?;
    let (mut outputs, mut summary) = (Vec::new(), String::new());
    let (mut has_failed, mut locks) = (false, Locks::new(layout_lock));
    for file in sources.files() {
        let mut compilation = compile_file(file, code)?;
        locks.check(file, &mut compilation)?;
        if emit.contains(&flags::Emit::Runtime) {
            emit::check_runtime(&mut compilation);
        }
        has_failed |= report(&compilation.diagnostics, &compilation.source, reporting)?;
        if !has_failed {
            outputs.extend(emit::outputs(file, &compilation, emit)?);
            summary += &summary_of(out_dir, &compilation);
        }
    }
    if has_failed {
        return Ok(ExitCode::from(MISTAKES));
    }
    if summary.is_empty() {
        say(&format!("kalixc: {} holds no contract, so nothing was written\n", sources.shown()));
        return Ok(ExitCode::SUCCESS);
    }
    emit::write(out_dir, &outputs, sources.files())?;
    for (file, text) in locks.outputs() {
        emit::write_file(&file, text, sources.files())?;
    }
    print(&summary)?;
    Ok(ExitCode::SUCCESS)
}

fn check(path: Option<&Path>, code: &CodeFlags, reporting: &Reporting) -> anyhow::Result<ExitCode> {
    let sources = Sources::find(path)?;
    let mut has_failed = false;
    for file in sources.files() {
        let compilation = check_file(file, code)?;
        has_failed |= report(&compilation.diagnostics, &compilation.source, reporting)?;
    }
    Ok(if has_failed { ExitCode::from(MISTAKES) } else { ExitCode::SUCCESS })
}

/// The first argument is a path if such a file exists or if it must be one, else the filter.
fn run_tests(
    first: Option<&Path>,
    filter: Option<&str>,
    (tier, seed): (flags::TestTier, u64),
    (code, reporting): (&CodeFlags, &Reporting),
) -> anyhow::Result<ExitCode> {
    let is_path = |path: &Path| {
        filter.is_some() || path.exists() || path.extension().is_some_and(|extension| extension == "kalix")
    };
    let (path, filter) = match first {
        Some(first) if !is_path(first) => (None, first.to_str()),
        first => (first, filter),
    };
    let sources = Sources::find(path)?;
    test::test(&sources, &test::TestRequest { filter, tier, seed, code, reporting })
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
fn compile_file(file: &Path, code: &CodeFlags) -> anyhow::Result<Compilation> {
    let mut folders = Folders::around(file)?;
    let (source, path) = (read(file)?, folders.module_path(file));
    let compilation = compile_with(source, path, &mut folders, &code.compile_options());
    folders.trouble()?;
    Ok(compilation)
}

/// The same with its tests, which a build leaves out.
fn check_file(file: &Path, code: &CodeFlags) -> anyhow::Result<Compilation> {
    let mut folders = Folders::around(file)?;
    let (source, path) = (read(file)?, folders.module_path(file));
    let compilation = compile_tests(source, path, &mut folders, &code.compile_options()).0;
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

fn summary_of(out_dir: &Path, compilation: &Compilation) -> String {
    let mut text = String::new();
    for contract in &compilation.contracts {
        let artifact = &contract.artifact;
        let path = out_dir.join(format!("{}.zvmc", artifact.name));
        let (code, init) = (artifact.runtime.bytes.len(), artifact.init.bytes.len());
        text += &format!("{}: {code} bytes of code, {init} bytes to create it\n", path.display());
    }
    text
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
