//! A program of a filetest: its modules, how it is checked, and what is reported about it.

use std::fmt::Write as _;

use kalix::codegen::{CodegenOptions, Target};
use kalix::diag::Diagnostics;
use kalix::driver::{self, CompileOptions};
use kalix::modules::{Loaded, Loader, ModulePath};
use kalix::source::Source;
use libtest_mimic::Failed;
use testkit::cases::{self, Case};

use crate::annotations::{self, Remark};

/// What begins the line that begins another module.
const MODULE_MARK: &str = "//! module ";

/// How a program is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mode {
    target: Target,
    /// Whether `test` items are checked.
    has_tests: bool,
}

/// A module of a program.
#[derive(Clone, Debug)]
struct Part {
    path: ModulePath,
    text: String,
    /// How many lines of the file precede it.
    lines_before: usize,
}

/// A program of a filetest.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its file, and its name within it if there are several.
    pub(crate) name: String,
    mode: Mode,
    // Invariant: not empty; the first one is the root.
    parts: Vec<Part>,
}

impl Program {
    /// Reads a case; `default` is the first line of its file, `file` the file's name.
    pub(crate) fn read(case: &Case<'_>, default: &str, file: &str) -> Result<Program, String> {
        let own = case.text.lines().nth(1).filter(|line| line.starts_with("//! test"));
        let mode = mode(own.unwrap_or(default))?;
        let mut parts =
            vec![Part { path: ModulePath::new(), text: String::new(), lines_before: case.lines_before }];
        for (at, line) in case.text.split_inclusive('\n').enumerate() {
            if let Some(path) = line.strip_prefix(MODULE_MARK) {
                let path = path.trim().split("::").map(str::to_owned).collect();
                parts.push(Part { path, text: String::new(), lines_before: case.lines_before + at });
            }
            parts.last_mut().expect("never empty").text += line;
        }
        let name = match case.name {
            "" => file.to_owned(),
            name => format!("{file}/{name}"),
        };
        Ok(Program { name, mode, parts })
    }

    /// The text of the root module.
    pub(crate) fn text(&self) -> &str {
        &self.parts[0].text
    }

    /// What is left of it without names and literals.
    pub(crate) fn shape(&self) -> Vec<Vec<Option<kalix::syntax::token::Token>>> {
        self.parts.iter().map(|part| cases::shape(&part.text)).collect()
    }

    /// What its annotations say, module by module.
    pub(crate) fn annotations(&self) -> Result<Vec<Vec<Remark>>, String> {
        self.parts
            .iter()
            .map(|part| {
                annotations::read(&part.text).map_err(|line| {
                    format!(
                        "line {}: an annotation reads `^^^ error[K0201]: text`",
                        part.lines_before + line + 1
                    )
                })
            })
            .collect()
    }

    /// Compares what is reported with the annotations.
    pub(crate) fn compare(&self) -> Result<(), Failed> {
        let mut expected = self.annotations()?;
        let mut message = String::new();
        for (part, found) in self.remarks() {
            let matching = |annotation: &Remark| annotation.allows(&found);
            let remarks = part.map(|part| &mut expected[part]);
            match remarks
                .and_then(|remarks| remarks.iter().position(matching).map(|at| remarks.swap_remove(at)))
            {
                Some(_) => {}
                None => {
                    let line = part.map_or(0, |part| self.parts[part].lines_before) + found.line + 1;
                    let _ = writeln!(message, "not annotated: line {line}: {}", found.shown());
                }
            }
        }
        for (part, remarks) in self.parts.iter().zip(expected) {
            for remark in remarks {
                let line = part.lines_before + remark.line + 1;
                let _ = writeln!(message, "not reported: line {line}: {}", remark.shown());
            }
        }
        if message.is_empty() { Ok(()) } else { Err(message.into()) }
    }

    /// Its text with annotations that say what is reported.
    pub(crate) fn annotated(&self) -> String {
        let remarks = self.remarks();
        let mut text = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            let own: Vec<&Remark> =
                remarks.iter().filter(|row| row.0 == Some(at)).map(|row| &row.1).collect();
            annotations::write(&part.text, &own, &mut text);
        }
        text
    }

    /// What is reported, and about which module; nothing for one of the built-in library.
    fn remarks(&self) -> Vec<(Option<usize>, Remark)> {
        let (source, diags) = self.compile();
        let remark = |diagnostic| {
            let name = source.name_at(kalix::diag::Diagnostic::span(diagnostic).start);
            let part = self.parts.iter().position(|part| part.path.join("::") == name);
            let text = part.map_or("", |part| &self.parts[part].text);
            (part, Remark::of(text, &source, diagnostic))
        };
        diags.iter().map(remark).collect()
    }

    fn compile(&self) -> (Source, Diagnostics) {
        let root = &self.parts[0];
        let source = Source::new("", root.text.clone());
        // The root is a module of a package whose other modules are beside it.
        let path = vec!["root".to_owned()];
        let mut texts = Texts(&self.parts[1..]);
        let codegen = CodegenOptions { target: self.mode.target, ..CodegenOptions::STANDARD };
        let options = CompileOptions { codegen };
        let compilation = match self.mode.has_tests {
            true => driver::compile_tests(source, path, &mut texts, &options).0,
            false => driver::compile_with(source, path, &mut texts, &options),
        };
        (compilation.source, compilation.diagnostics)
    }
}

fn mode(line: &str) -> Result<Mode, String> {
    let mut mode = Mode { target: Target::Zvm, has_tests: false };
    let Some(words) = line.strip_prefix("//! test check") else {
        return Err("the first line is not `//! test check`".into());
    };
    for word in words.split_whitespace() {
        match word {
            "evm" => mode.target = Target::Evm,
            "tests" => mode.has_tests = true,
            _ => return Err(format!("`{word}` is no way to check a program")),
        }
    }
    Ok(mode)
}

/// The modules beside the root.
struct Texts<'p>(&'p [Part]);

impl Loader for Texts<'_> {
    fn load(&mut self, path: &[String]) -> Loaded {
        match self.0.iter().find(|part| part.path == path) {
            Some(part) => Loaded::File { name: path.join("::"), text: part.text.clone() },
            None => Loaded::Missing { looked_for: format!("src/{}.kalix", path.join("/")) },
        }
    }
}
