//! Runs the stages in order and keeps what each one made.
//!
//! A stage runs only if all before it reported no error, with one exception: checking also runs on a tree
//! with holes, which it treats as already reported, so that one run shows as many mistakes as it can.

mod damage;

use crate::codegen::CodegenOptions;
use crate::codegen::artifact::{self, Artifact};
use crate::diag::Diagnostics;
use crate::ir::lower::{Lowered, lower_contract};
use crate::sema;
use crate::sema::typed::Program;
use crate::source::Source;
use crate::syntax::{self, ast};
use damage::Damage;

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

/// What the stages made of one source file.
#[derive(Debug)]
pub struct Compilation {
    /// Everything that was reported, in source order.
    pub diagnostics: Diagnostics,
    /// The syntax tree, perhaps with holes.
    pub tree: ast::Module,
    /// The typed tree; fit for use only without errors.
    pub program: Program,
    /// The contracts in source order; none if there was an error anywhere.
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

/// Compiles one module. Never fails: mistakes are in [`Compilation::diagnostics`].
pub fn compile(source: &Source, options: &CompileOptions) -> Compilation {
    let (tree, mut diagnostics) = syntax::parse(source);
    let (program, reported) = sema::check(&tree, source);
    if diagnostics.has_errors() {
        let damage = Damage::of(source.text(), &tree, &diagnostics);
        for diagnostic in reported.iter().filter(|diagnostic| damage.lets_through(diagnostic)) {
            diagnostics.push(diagnostic.clone());
        }
    } else {
        diagnostics.append(reported);
    }
    let mut contracts = Vec::new();
    if !diagnostics.has_errors() {
        contracts = generate(&program, source, options, &mut diagnostics);
    }
    diagnostics.sort();
    Compilation { diagnostics, tree, program, contracts }
}

/// Lowers all contracts, so that each reports what is not supported, then generates code if none did.
fn generate(
    program: &Program,
    source: &Source,
    options: &CompileOptions,
    diags: &mut Diagnostics,
) -> Vec<CompiledContract> {
    let lowered: Vec<_> =
        program.contracts.iter().map(|contract| lower_contract(program, contract, diags)).collect();
    if diags.has_errors() {
        return Vec::new();
    }
    let mut compiled = Vec::with_capacity(lowered.len());
    for (contract, ir) in program.contracts.iter().zip(lowered) {
        let ir = ir.expect("lowering without a result reports an error");
        if let Some(artifact) = artifact::build(program, contract, &ir, source, &options.codegen, diags) {
            compiled.push(CompiledContract { ir, artifact });
        }
    }
    if diags.has_errors() { Vec::new() } else { compiled }
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
