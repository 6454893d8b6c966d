//! `kalixc audit`: what a reviewer looks at first, from the compiler's own analysis.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use kalix::diag::Severity;
use kalix::driver::Compilation;
use kalix::sema::typed::{Contract, FuncId, Mutability};
use kalix::source::Span;

use crate::flags::{CodeFlags, Reporting};
use crate::package::Sources;
use crate::{MISTAKES, compile_file, print, report, say};

/// Prints for each contract who may call what, and what is done against re-entry and why.
pub(crate) fn audit(
    path: Option<&Path>,
    code: &CodeFlags,
    reporting: &Reporting,
) -> anyhow::Result<ExitCode> {
    let sources = Sources::find(path)?;
    let (mut text, mut has_failed) = (String::new(), false);
    for file in sources.files() {
        let compilation = compile_file(file, code)?;
        has_failed |= report(&compilation.diagnostics, &compilation.source, reporting)?;
        let own = compilation.program.contracts.iter().filter(|contract| !contract.is_imported);
        if !compilation.has_errors() {
            own.for_each(|contract| text += &Auditor { compilation: &compilation, contract }.contract());
        }
    }
    if text.is_empty() && !has_failed {
        say(&format!("kalixc: {} holds no contract, so there is nothing to audit\n", sources.shown()));
        return Ok(ExitCode::from(MISTAKES));
    }
    print(&text)?;
    Ok(if has_failed { ExitCode::from(MISTAKES) } else { ExitCode::SUCCESS })
}

struct Auditor<'c> {
    compilation: &'c Compilation,
    contract: &'c Contract,
}

impl Auditor<'_> {
    fn contract(&self) -> String {
        let contract = self.contract;
        let mut text = format!("contract {} ({})\n", contract.name, self.place(contract.span));
        let entries: Vec<(String, FuncId)> = contract
            .entry_points
            .iter()
            .filter(|entry| !entry.is_getter)
            .map(|entry| (entry.signature.clone(), entry.function))
            .chain(contract.receive.map(|id| ("receive".to_owned(), id)))
            .chain(contract.fallback.map(|id| ("fallback".to_owned(), id)))
            .collect();
        let width = entries.iter().map(|entry| entry.0.len()).max().unwrap_or(0);
        for (name, id) in &entries {
            let mutability = match self.compilation.program.function(*id).mutability {
                Mutability::Mutable => "",
                other => other.name(),
            };
            let line = format!("  {name:<width$}  {mutability:<8}{}", self.guards(*id));
            writeln!(text, "{}", line.trim_end()).expect("a string grows");
        }
        if entries.is_empty() {
            text += "  nothing but getters can be called\n";
        }
        for (id, site) in &contract.guards.locks {
            let name = &self.compilation.program.function(*id).name;
            let written = self.compilation.source.slice(*site).lines().next().unwrap_or("");
            writeln!(
                text,
                "  `{name}` holds the lock because of the call at {}: {written}",
                self.place(*site)
            )
            .expect("a string grows");
        }
        let warnings = self.compilation.diagnostics.iter().filter(|diagnostic| {
            let (outer, span) = (contract.span, diagnostic.span());
            diagnostic.severity() == Severity::Warning && outer.start <= span.start && span.end <= outer.end
        });
        let count = warnings.count();
        if count > 0 {
            writeln!(text, "  warnings: {count}").expect("a string grows");
        }
        text + "\n"
    }

    /// What an entry point does against re-entry.
    fn guards(&self, id: FuncId) -> &'static str {
        let guards = &self.contract.guards;
        match (guards.locks.contains_key(&id), guards.checks.contains(&id)) {
            (true, true) => "checks and locks",
            (true, false) => "locks",
            (false, true) => "checks",
            (false, false) => "no lock needed",
        }
    }

    fn place(&self, span: Span) -> String {
        let source = &self.compilation.source;
        let at = source.line_column(span.start);
        format!("{}:{}:{}", source.name_at(span.start), at.line, at.column)
    }
}
