//! From finished code to a container: creation code, ABI, source map, metadata.
//!
//! Equal inputs give equal bytes: nothing here knows the time, the machine or the user.

mod texts;

use std::fmt::Write;
use std::sync::LazyLock;

use serde_json::{Value, json};
use zvm::bytecode::container::{Container, Sections};
use zvm::bytecode::{Needs, Op as MachineOp};
use zvm::gas::INIT_CODE_SIZE_MAX;

use super::abi::{self, Details};
use super::gas_report::{Estimator, limits};
use super::init_code;
use super::{Assembly, CodegenOptions, Instruction, InternalError, JumpKind, compile_module};
use crate::diag::{Code, Diagnostics};
use crate::ir::Op;
use crate::ir::lower::Lowered;
use crate::sema::typed::{Contract, Program};
use crate::source::{FileId, Source, Span};
pub use texts::SourceTexts;

/// One contract, ready to be written to files.
#[derive(Debug)]
pub struct Artifact {
    /// The contract's name.
    pub name: String,
    /// Code that calls execute.
    pub runtime: Assembly,
    /// Code that creation executes; it holds the run-time code as data.
    pub init: Assembly,
    /// The container.
    pub container: Container,
    /// The container's bytes.
    pub bytes: Vec<u8>,
    /// The KALIX ABI, which the container holds too.
    pub kalix_abi: Value,
    /// Ethereum's JSON ABI.
    pub ethereum_abi: Value,
}

/// Generates the code of a lowered contract and packs it. Nothing when it reported an error.
pub fn build(
    program: &Program,
    contract: &Contract,
    lowered: &Lowered,
    texts: &SourceTexts<'_>,
    options: &CodegenOptions,
    diags: &mut Diagnostics,
) -> Option<Artifact> {
    let source = texts.source;
    let prefix = options.target.prefix();
    let (size_max, init_size_max) = (options.target.code_size_max(), INIT_CODE_SIZE_MAX - prefix.len());
    let mut compile = |module, (what, size_max)| match compile_module(module, options) {
        Ok(assembly) => Some(assembly),
        Err(InternalError { code_size: Some(size), .. }) => {
            let diagnostic = diags.error(Code::CodeTooLarge, contract.span);
            // Tests have no limit but that of addresses.
            let most = if contract.is_test { usize::from(u16::MAX) } else { size_max };
            diagnostic.arg("what", what).arg("n", size).arg("m", most).arg("list", "all of them together");
            None
        }
        Err(InternalError { span, detail, .. }) => {
            diags.error(Code::Internal, span).arg("detail", detail);
            None
        }
    };
    let runtime = compile(&lowered.runtime, ("runtime", size_max))?;
    if runtime.bytes.len() > size_max && !contract.is_test {
        report_size(program, contract, &runtime, ("runtime", size_max), diags);
        return None;
    }
    let init = compile(&init_code::complete(lowered, &runtime, prefix), ("creation", init_size_max))?;
    if init.bytes.len() > init_size_max && !contract.is_test {
        report_size(program, contract, &init, ("creation", init_size_max), diags);
        return None;
    }

    if !contract.is_test {
        limits::check(program, contract, (&runtime, &init), source, diags);
    }
    let estimator = Estimator::new(&runtime);
    let estimates = contract.entry_points.iter().map(|entry| estimator.estimate(entry.selector).to_json());
    let gas: Vec<Value> = estimates.collect();
    let signatures = contract.entry_points.iter().map(|entry| entry.signature.clone());
    let gas_by_signature: Value = signatures.zip(gas.iter().cloned()).collect();

    let details = Details {
        files: source.files().map(|file| file.0).collect(),
        source_hash: texts.hash,
        source_map: &source_map(&runtime.instructions, source),
        init_source_map: &source_map(&init.instructions, source),
        gas: &gas,
        requires: requires(lowered),
        place: &|span| {
            let at = source.line_column(span.start);
            format!("{}:{}:{}", source.name_at(span.start), at.line, at.column)
        },
    };
    let kalix_abi = abi::kalix_abi(program, contract, &details);
    let used = runtime.instructions.iter().chain(&init.instructions).map(|instruction| instruction.span);
    let sources = texts.section(contract.span, used);
    let ethereum_abi = abi::ethereum_abi(program, contract);
    let meta = json!({ "compiler": kalix_abi["compiler"], "target": options.target.name() });
    let sections = Sections {
        init: Some([prefix, &init.bytes].concat().into()),
        source_map: Some(kalix_abi["source_map"].to_string().into_bytes().into()),
        sources: Some(sources.into()),
        gas_estimates: Some(gas_by_signature.to_string().into_bytes().into()),
        meta: Some(meta.to_string().into_bytes().into()),
    };
    let container = Container {
        target: options.target.container(),
        needs_init: lowered.init_required,
        code: runtime.bytes.clone().into(),
        abi: kalix_abi.to_string(),
        sections: Some(sections),
    };
    match container.write() {
        Ok(bytes) => {
            let name = contract.name.clone();
            Some(Artifact { name, runtime, init, container, bytes, kalix_abi, ethereum_abi })
        }
        Err(error) => {
            let detail = format!("the container of `{}` cannot be written: {error}", contract.name);
            diags.error(Code::Internal, contract.span).arg("detail", detail);
            None
        }
    }
}

/// What the host must offer for the operations of the code.
fn requires(lowered: &Lowered) -> &'static [&'static str] {
    static SERVICES: LazyLock<Vec<Op>> = LazyLock::new(|| {
        let needs_hedera = |op: &Op| {
            MachineOp::from_name(op.info().mnemonic).is_some_and(|op| op.info().needs == Needs::Hedera)
        };
        Op::ALL.iter().copied().filter(needs_hedera).collect()
    });
    let services = &*SERVICES;
    let functions = lowered.runtime.functions.iter().chain(&lowered.init.functions);
    let mut insts = functions.flat_map(|function| &function.blocks).flat_map(|block| &block.insts);
    if insts.any(|inst| services.contains(&inst.op)) { &["hedera"] } else { &[] }
}

/// Reports code above a limit, with the functions of the source that most of its instructions stand for.
fn report_size(
    program: &Program,
    contract: &Contract,
    code: &Assembly,
    (what, size_max): (&str, usize),
    diags: &mut Diagnostics,
) {
    let functions: Vec<_> = contract.functions.iter().map(|&id| program.function(id)).collect();
    let mut sizes: Vec<(usize, &str)> =
        functions.iter().map(|function| (0, function.name.as_str())).collect();
    let ends = code.instructions.iter().skip(1).map(|next| next.offset as usize).chain([code.code_size]);
    for (instruction, end) in code.instructions.iter().zip(ends) {
        let span = instruction.span;
        let is_inside = |body: Span| body.start <= span.start && span.end <= body.end;
        if let Some(at) = functions.iter().position(|function| is_inside(function.body.span)) {
            sizes[at].0 += end.saturating_sub(instruction.offset as usize);
        }
    }
    sizes.sort_by(|a, b| b.cmp(a));
    let list: Vec<String> =
        sizes.iter().take(3).map(|(size, name)| format!("`{name}` ({size} bytes)")).collect();
    diags
        .error(Code::CodeTooLarge, contract.span)
        .arg("what", what)
        .arg("n", code.bytes.len())
        .arg("m", size_max)
        .arg("list", list.join(", "));
}

/// One entry per instruction, `offset:start:length:file:jump`. A field equal to the one before is left
/// empty, and so are the colons after the last that is not.
fn source_map(instructions: &[Instruction], source: &Source) -> String {
    let mut map = String::with_capacity(instructions.len() * 8);
    let mut previous: Option<(Span, FileId, JumpKind)> = None;
    for (index, instruction) in instructions.iter().enumerate() {
        let (file, jump) = (source.file_at(instruction.span.start), instruction.jump);
        let span = source.within_file(instruction.span);
        if index > 0 {
            map.push(';');
        }
        write!(map, "{}", instruction.offset).expect("a string grows");
        type Place = (Span, FileId, JumpKind);
        let changed = |differs: fn(Place, Place) -> bool| {
            previous.is_none_or(|previous| differs(previous, (span, file, jump)))
        };
        let changed = [
            changed(|a, b| a.0.start != b.0.start),
            changed(|a, b| a.0.len() != b.0.len()),
            changed(|a, b| a.1 != b.1),
            changed(|a, b| a.2 != b.2),
        ];
        let used = changed.iter().rposition(|&changed| changed).map_or(0, |last| last + 1);
        for (field, changed) in changed[..used].iter().enumerate() {
            map.push(':');
            if *changed {
                let written = match field {
                    0 => write!(map, "{}", span.start),
                    1 => write!(map, "{}", span.len()),
                    2 => write!(map, "{}", file.index()),
                    _ => map.write_str(jump_letter(jump)),
                };
                written.expect("a string grows");
            }
        }
        previous = Some((span, file, jump));
    }
    map
}

const fn jump_letter(jump: JumpKind) -> &'static str {
    match jump {
        JumpKind::Call => "i",
        JumpKind::Return => "o",
        JumpKind::Other => "-",
    }
}
