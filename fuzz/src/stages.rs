//! The stages of the Kalix compiler as functions from any text to a verdict: nothing panics, nothing takes long, the
//! compiler never says that it made a mistake, and what compiles does the same however it is compiled.
//!
//! Each stage runs those before it, and checks only what is its own.

use std::collections::BTreeMap;

use kalix::diag::render::{render, render_short};
use kalix::diag::{Code, Diagnostics, Severity, json};
use kalix::ir::lower::lower_contract;
use kalix::ir::opt::{OptLevel, canonicalize, optimize};
use kalix::ir::{Module, verify};
use kalix::modules::{self, NoModules};
use kalix::sema::weave::weave;
use kalix::source::Source;
use kalix::syntax::parse;
use kalix::syntax::pretty::pretty;
use kalix::{CompileOptions, compile};
use testkit::deployed;
use zvm::bytecode::Encoding;

/// Calls of a contract after its creation.
const CALLS: usize = 6;

/// What became of an input, by name: `accepted` if the stage had something to do.
pub type Verdict = Result<BTreeMap<&'static str, u64>, String>;

/// A part of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Lexer and parser, and the printer.
    Parse,
    /// Names, types, borrows, effects, layout.
    Check,
    /// Lowering to IR and all passes.
    Lower,
    /// Code generation for both targets, and the machine.
    Run,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Stage; 4] = [Stage::Parse, Stage::Check, Stage::Lower, Stage::Run];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Parse => "parse",
            Stage::Check => "check",
            Stage::Lower => "lower",
            Stage::Run => "run",
        }
    }

    /// The stage of that name.
    pub fn from_name(name: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Judges a text; `choice` picks what there is not time for on every input.
    ///
    /// # Errors
    /// What is wrong with the compiler.
    pub fn judge(self, text: &str, choice: u64) -> Verdict {
        match self {
            Stage::Parse => parse_stage(text),
            Stage::Check => check_stage(text, choice),
            Stage::Lower => lower_stage(text, choice),
            Stage::Run => run_stage(text, choice),
        }
    }
}

/// The diagnostics can be shown in every form, and none of them is about the compiler.
fn shown(diags: &Diagnostics, source: &Source) -> Result<(), String> {
    let mistake = diags.iter().find(|found| matches!(found.code(), Code::Internal | Code::Unsupported));
    if let Some(found) = mistake {
        let at = source.line_column(found.span().start);
        return Err(format!("{} {} at {}:{}", found.code().id(), found.title(), at.line, at.column));
    }
    let shown =
        [render(diags, source, false), render_short(diags, source), json::to_json(diags, source).to_string()];
    if diags.has_errors() && shown.iter().any(String::is_empty) {
        return Err("an error is not shown".into());
    }
    Ok(())
}

fn accepted(is_accepted: bool) -> Verdict {
    Ok(BTreeMap::from([("inputs", 1), ("accepted", is_accepted.into())]))
}

fn parse_stage(text: &str) -> Verdict {
    let source = Source::new("fuzz.kalix", text);
    let (tree, diags) = parse(&source);
    shown(&diags, &source)?;
    if diags.has_errors() {
        return accepted(false);
    }
    let once = pretty(&tree);
    let again = Source::new("fuzz.kalix", once.clone());
    let (tree, diags) = parse(&again);
    if diags.has_errors() {
        return Err(format!("what is printed does not parse: {}\n{once}", render_short(&diags, &again)));
    }
    let twice = pretty(&tree);
    if once != twice {
        Err(format!("printed differently the second time:\n{once}\n{twice}"))
    } else {
        accepted(true)
    }
}

fn check_stage(text: &str, choice: u64) -> Verdict {
    let mut source = Source::new("fuzz.kalix", text);
    let mut diags = Diagnostics::new();
    let mut modules = modules::load(&mut source, Vec::new(), &mut NoModules, &mut diags);
    if diags.has_errors() {
        // What is told of a tree with holes is for the driver to decide; it stops here.
        let compilation = compile(&Source::new("fuzz.kalix", text), &CompileOptions::STANDARD);
        shown(&compilation.diagnostics, &compilation.source)?;
        return accepted(false);
    }
    if choice.is_multiple_of(2) {
        weave(&mut modules[0].tree);
    }
    let encoding = if choice & 2 == 0 { Encoding::Zvm } else { Encoding::Evm };
    let (_, reported) = kalix::sema::check_for(&modules, &source, encoding);
    shown(&reported, &source)?;
    accepted(!reported.has_errors())
}

fn lower_stage(text: &str, choice: u64) -> Verdict {
    let mut source = Source::new("fuzz.kalix", text);
    let mut diags = Diagnostics::new();
    let mut modules = modules::load(&mut source, Vec::new(), &mut NoModules, &mut diags);
    if choice.is_multiple_of(4) {
        weave(&mut modules[0].tree);
    }
    if diags.has_errors() {
        return accepted(false);
    }
    let (program, reported) = kalix::sema::check_for(&modules, &source, Encoding::Zvm);
    if reported.has_errors() {
        return accepted(false);
    }
    for contract in &program.contracts {
        let mut diags = Diagnostics::new();
        let lowered = lower_contract(&program, contract, &mut diags);
        shown(&diags, &source)?;
        let is_error = diags.iter().any(|found| found.severity() == Severity::Error);
        let Some(lowered) = lowered else {
            if is_error {
                continue;
            }
            return Err(format!("no IR of `{}`, and nobody says why", contract.name));
        };
        for module in [&lowered.runtime, &lowered.init] {
            well_formed(module, "lowering")?;
            for level in OptLevel::ALL {
                let mut module = module.clone();
                optimize(&mut module, level).map_err(|broken| format!("{level:?}: {broken}"))?;
                module.functions.iter_mut().for_each(canonicalize);
                well_formed(&module, "passes")?;
            }
        }
    }
    accepted(true)
}

fn well_formed(module: &Module, after: &str) -> Result<(), String> {
    verify::verify(module).map_err(|error| format!("after {after}: {error}"))
}

fn run_stage(text: &str, choice: u64) -> Verdict {
    // Native code takes longer than all else: one way of every second input.
    let level = OptLevel::ALL[(choice / 2) as usize % OptLevel::ALL.len()];
    let in_both_tiers = |way: deployed::Way| choice.is_multiple_of(2) && way.opt_level == level;
    let compared = deployed::compare(text, choice, CALLS, in_both_tiers)?;
    let mut counts = compared.ends;
    counts.insert("inputs", 1);
    counts.insert("accepted", u64::from(compared.contracts > 0));
    counts.insert("contracts", compared.contracts);
    counts.insert("compiled messages", compared.compiled);
    Ok(counts)
}
