//! Runs the stages in order and keeps what each one made.
//!
//! A stage runs only if all before it reported no error, with one exception: checking also runs on a tree
//! with holes, which it treats as already reported, so that one run shows as many mistakes as it can.

mod damage;
mod workers;

use std::collections::BTreeMap;

use crate::codegen::artifact::{self, Artifact, SourceTexts};
use crate::codegen::{CodegenOptions, OptLevel};
use crate::diag::Diagnostics;
use crate::ir::lower::{Lowered, creation_segment, lower_contract};
use crate::modules::{self, Loader, Module, ModulePath, NoModules};
use crate::sema;
use crate::sema::typed::Program;
use crate::sema::weave::{Test, weave};
use crate::source::Source;
use crate::syntax::ast;
use damage::Damage;
use workers::in_parallel;

/// What a compilation may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileOptions {
    /// How code is generated.
    pub codegen: CodegenOptions,
}

impl CompileOptions {
    /// What `kalixc build` uses.
    pub const STANDARD: CompileOptions = CompileOptions { codegen: CodegenOptions::STANDARD };
}

/// What the stages made of a module and those that it imports.
#[derive(Debug)]
pub struct Compilation {
    /// All files that were read, the root first.
    pub source: Source,
    /// Everything that was reported, in source order.
    pub diagnostics: Diagnostics,
    /// The syntax tree of the root module, perhaps with holes.
    pub tree: ast::Module,
    /// The typed tree; fit for use only without errors.
    pub program: Program,
    /// The contracts of the root module in source order; none if there was an error anywhere.
    pub contracts: Vec<CompiledContract>,
}

impl Compilation {
    /// Whether the source has mistakes, so that nothing may be written.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.has_errors()
    }
}

/// One contract with its intermediate products.
#[derive(Debug)]
pub struct CompiledContract {
    /// The IR of run-time and creation code.
    pub ir: Lowered,
    /// Code, container and ABI.
    pub artifact: Artifact,
}

/// Compiles a module that imports nothing but the built-in library. Never fails: mistakes are in
/// [`Compilation::diagnostics`].
pub fn compile(source: &Source, options: &CompileOptions) -> Compilation {
    compile_with(source.clone(), ModulePath::new(), &mut NoModules, options)
}

/// Compiles the module of `source`, whose path is `root`, with what `loader` finds of its imports.
pub fn compile_with(
    mut source: Source,
    root: ModulePath,
    loader: &mut dyn Loader,
    options: &CompileOptions,
) -> Compilation {
    let mut diagnostics = Diagnostics::new();
    let modules = modules::load(&mut source, root, loader, &mut diagnostics);
    compile_modules(source, modules, diagnostics, options)
}

/// Like [`compile_with`], the root module's tests included: what they are, and among the contracts those that hold them.
/// Tests are compiled without optimization, because it takes for granted what their cheats change.
pub fn compile_tests(
    mut source: Source,
    root: ModulePath,
    loader: &mut dyn Loader,
    options: &CompileOptions,
) -> (Compilation, Vec<Test>) {
    let mut diagnostics = Diagnostics::new();
    let mut modules = modules::load(&mut source, root, loader, &mut diagnostics);
    let found = weave(&mut modules[0].tree);
    let mut compilation = compile_modules(source, modules, diagnostics, options);
    // The copy of a contract that holds its tests has the same mistakes as the contract.
    let mut told = Diagnostics::new();
    for diagnostic in compilation.diagnostics.iter() {
        let at_place = told.as_slice().iter().rev().take_while(|other| other.span() == diagnostic.span());
        if !at_place.into_iter().any(|other| other == diagnostic) {
            told.push(diagnostic.clone());
        }
    }
    compilation.diagnostics = told;
    (compilation, found)
}

fn compile_modules(
    source: Source,
    mut modules: Vec<Module>,
    mut diagnostics: Diagnostics,
    options: &CompileOptions,
) -> Compilation {
    let (program, reported) = sema::check_for(&modules, &source, options.codegen.target.encoding());
    if diagnostics.has_errors() {
        let damage = Damage::of(source.text(), &modules, &diagnostics);
        for diagnostic in reported.iter().filter(|diagnostic| damage.lets_through(diagnostic)) {
            diagnostics.push(diagnostic.clone());
        }
    } else {
        diagnostics.append(reported);
    }
    let mut contracts = Vec::new();
    if !diagnostics.has_errors() {
        contracts = generate(&program, &source, options, &mut diagnostics);
    }
    diagnostics.sort();
    let tree = modules.swap_remove(0).tree;
    Compilation { source, diagnostics, tree, program, contracts }
}

/// Lowers all contracts, so that each reports what is not supported, then generates code if none did: of the root module's
/// contracts and of those that they create, each before its creators, those that don't wait for each other at once.
fn generate(
    program: &Program,
    source: &Source,
    options: &CompileOptions,
    diags: &mut Diagnostics,
) -> Vec<CompiledContract> {
    let order = created_first(program);
    let lowered = in_parallel(order.len(), |at| {
        let mut own = Diagnostics::new();
        (lower_contract(program, &program.contracts[order[at] as usize], &mut own), own)
    });
    let mut waiting: BTreeMap<u32, Lowered> = BTreeMap::new();
    for (&index, (ir, reported)) in order.iter().zip(lowered) {
        // Contracts share functions.
        for diagnostic in reported.iter() {
            if !diags.as_slice().contains(diagnostic) {
                diags.push(diagnostic.clone());
            }
        }
        waiting.extend(ir.map(|ir| (index, ir)));
    }
    if diags.has_errors() {
        return Vec::new();
    }
    let texts = SourceTexts::of(source, program);
    let mut compiled: BTreeMap<u32, CompiledContract> = BTreeMap::new();
    let mut reported: BTreeMap<u32, Diagnostics> = BTreeMap::new();
    'parts: for ready in by_depth(program, &order) {
        let mut ready: Vec<(u32, Lowered)> =
            ready.into_iter().filter_map(|index| Some((index, waiting.remove(&index)?))).collect();
        for (index, ir) in &mut ready {
            for &child in &program.contracts[*index as usize].creates {
                // Where the child has a mistake of its own, it was reported.
                let Some(child_code) = compiled.get(&child) else { break 'parts };
                let sections = child_code.artifact.container.sections.as_ref();
                let init = sections.and_then(|sections| sections.init.clone()).unwrap_or_default();
                let name = creation_segment(child);
                let segments = ir.runtime.data.iter_mut().chain(&mut ir.init.data);
                segments
                    .filter(|segment| segment.name == name)
                    .for_each(|segment| segment.bytes = init.to_vec());
            }
        }
        let made = in_parallel(ready.len(), |at| {
            let (index, ir) = &ready[at];
            let contract = &program.contracts[*index as usize];
            let (mut codegen, mut own) = (options.codegen, Diagnostics::new());
            if contract.is_test {
                codegen.opt_level = OptLevel::O0;
            }
            (artifact::build(program, contract, ir, &texts, &codegen, &mut own), own)
        });
        for ((index, ir), (artifact, own)) in ready.into_iter().zip(made) {
            reported.insert(index, own);
            compiled.extend(artifact.map(|artifact| (index, CompiledContract { ir, artifact })));
        }
    }
    order.iter().filter_map(|index| reported.remove(index)).for_each(|own| diags.append(own));
    if diags.has_errors() {
        return Vec::new();
    }
    let is_own = |index: &u32| !program.contracts[*index as usize].is_imported;
    compiled.into_iter().filter(|(index, _)| is_own(index)).map(|entry| entry.1).collect()
}

/// Parts contracts, each of which stands behind those that it creates: what creates nothing first, then in each part
/// what creates only contracts of parts before.
fn by_depth(program: &Program, order: &[u32]) -> Vec<Vec<u32>> {
    let mut depths = vec![0; program.contracts.len()];
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for &index in order {
        let creates = program.contracts[index as usize].creates.iter();
        let depth = creates.map(|&child| depths[child as usize] + 1).max().unwrap_or(0);
        depths[index as usize] = depth;
        if parts.len() <= depth {
            parts.resize_with(depth + 1, Vec::new);
        }
        parts[depth].push(index);
    }
    parts
}

/// The root module's contracts and what they create, each behind what it creates; there are no circles.
fn created_first(program: &Program) -> Vec<u32> {
    let mut order = Vec::new();
    let mut entered = vec![false; program.contracts.len()];
    // The stack is explicit: the length of a chain is the source's choice.
    for start in (0..program.contracts.len()).filter(|&index| !program.contracts[index].is_imported) {
        let mut work = vec![(start as u32, false)];
        while let Some((index, is_ready)) = work.pop() {
            if is_ready {
                order.push(index);
            } else if !std::mem::replace(&mut entered[index as usize], true) {
                work.push((index, true));
                let creates = &program.contracts[index as usize].creates;
                work.extend(creates.iter().map(|&child| (child, false)));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Code, Diagnostic};

    fn codes(text: String) -> Vec<Code> {
        let compilation = compile(&Source::new("c.kalix", text), &CompileOptions::STANDARD);
        compilation.diagnostics.iter().map(Diagnostic::code).collect()
    }

    #[test]
    fn a_mistake_of_syntax_hides_no_mistake_elsewhere() {
        let contract = |first: &str, second: &str| {
            format!(
                "contract C {{ state n: u64; pub fn f() {{ {first} }} pub fn g() -> u64 {{ {second} }} }}"
            )
        };
        for (second, code) in [
            ("missing", Code::NotFound),
            ("state.m", Code::NoMember),
            ("let a: Missing = 1; 2", Code::NotFound),
            ("state.n = 1;", Code::MissingReturn),
            ("true", Code::MismatchedTypes),
        ] {
            let found = codes(contract("let x: u8 = ;", second));
            assert_eq!(found, [Code::UnexpectedToken, code], "{second}");
        }
        // What the lost part declares may be used.
        assert_eq!(codes(contract("let x: u8 = ; state.n = x;", "1")), [Code::UnexpectedToken]);
        let lost = "contract C { state a b: u64; pub fn f() view -> u64 { state.b } }".to_owned();
        assert_eq!(codes(lost), [Code::UnexpectedToken]);
        let lost =
            "enum E { A(+), B } contract C { pub fn f(e: E) -> u8 { match e { E::A(n) => n, E::B => 0 } } }";
        assert_eq!(codes(lost.to_owned()), [Code::UnexpectedToken]);
    }

    #[test]
    fn one_mistake_of_syntax_is_one_report() {
        for (body, code) in [
            ("let mut b = a; if b = true { 1 } else { 2 }", Code::AssignmentAsCondition),
            ("let x: u8 = ; x", Code::UnexpectedToken),
            ("1 +", Code::UnexpectedToken),
        ] {
            let text = format!("contract C {{ pub fn f(a: bool) view -> u8 {{ {body} }} }}");
            assert_eq!(codes(text), [code], "{body}");
        }
    }
}
