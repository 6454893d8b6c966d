//! IR -> bytecode of a [`Target`].
//!
//! [`expand`] rewrites what the target lacks. [`compile_module`] then takes a verified module apart by function: [`plan`] decides which values live on the stack, which
//! are pushed again and which have a word of memory; [`stackify`] emits code blocks over symbolic stacks with the operations that [`select`]
//! names; [`labels`] places the blocks and writes bytes; [`check`] executes the bytes symbolically before anyone else does.
//! Dispatch, ABI coding and constructors are ordinary IR made by lowering; nothing here knows about contracts.
//!
//! Memory: 0x00–0x3f scratch, 0x40 heap pointer, static frames from 0x60. A function's frame begins where the frames of its
//! callers end, so frames that can be active together never overlap; the heap begins above all frames.

use rustc_hash::FxHashMap;

pub use crate::ir::opt::OptLevel;
use crate::ir::verify::{call_order, callees};
use crate::ir::{FuncId, Function, Module, verify};
use crate::source::Span;

pub mod abi;
pub mod artifact;
mod check;
mod expand;
pub mod gas_report;
pub mod init_code;
mod labels;
pub mod layout_lock;
mod plan;
mod select;
mod shuffle;
mod stackify;
mod target;

pub use check::{ByteBlock, ByteFlow};
pub use labels::{Instruction, JumpKind};
pub use target::Target;

/// Where static frames begin: above scratch, the heap pointer and a spare word.
const FRAMES_BEGIN: u64 = 0x60;
/// Static frames end below this; memory for more costs more gas than any block has.
const FRAMES_END_MAX: u64 = 1 << 32;

/// How code is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodegenOptions {
    /// What the code is for.
    pub target: Target,
    /// A function keeps at most this many values on the stack; what exceeds it gets a word of memory. At least 1.
    pub stack_words_max: usize,
    /// How much the IR is optimized first.
    pub opt_level: OptLevel,
}

impl CodegenOptions {
    /// What a build uses, for target zvm: as much on the stack as the target reaches.
    pub const STANDARD: CodegenOptions =
        CodegenOptions { target: Target::Zvm, stack_words_max: usize::MAX, opt_level: OptLevel::O1 };
}

/// An inconsistency inside the compiler; reported as K0999, never as wrong code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("internal compiler error: {detail}")]
pub struct InternalError {
    /// The source being compiled.
    pub span: Span,
    /// What did not hold.
    pub detail: String,
    /// The bytes of code, if there are more than addresses of two bytes reach; then its user wrote too much.
    pub code_size: Option<usize>,
}

impl InternalError {
    fn new(span: Span, detail: String) -> InternalError {
        InternalError { span, detail, code_size: None }
    }
}

/// Finished code of one module, without the target's prefix.
#[derive(Debug)]
pub struct Assembly {
    /// What the code is for.
    pub target: Target,
    /// The code, then the data segments.
    pub bytes: Vec<u8>,
    /// Where the code ends and the data begins.
    pub code_size: usize,
    /// Every instruction with its source, in order.
    pub instructions: Vec<Instruction>,
    /// Where the code reads immutables, in order.
    pub immutables: Vec<init_code::ImmutableSite>,
    /// The functions that are in the code, the entry first.
    pub functions: Vec<FunctionCode>,
    /// The control flow, function by function.
    pub flow: ByteFlow,
}

/// A function in finished code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCode {
    /// Its name in the IR.
    pub name: String,
    /// The offset of its first instruction.
    pub entry: u32,
    /// Whether it is called, with a return address below its arguments; only the entry function is not.
    pub is_called: bool,
    /// Arguments on the stack.
    pub stack_args: usize,
    /// Results on the stack.
    pub stack_results: usize,
    /// The most words above its caller's, callees included.
    pub height_max: usize,
}

/// Memory of one function.
struct Frame {
    /// Where it begins.
    base: u64,
    /// How many words at its beginning hold parameters.
    param_words: u32,
    /// The address of each static buffer.
    slots: Vec<u64>,
    /// Where it ends.
    end: u64,
}

/// Compiles a module.
///
/// # Errors
/// If the module is not well-formed or the code fails its checks: mistakes of the compiler, not of its user. Code or frames
/// too large for the machine are reported the same way.
pub fn compile_module(module: &Module, options: &CodegenOptions) -> Result<Assembly, InternalError> {
    verify::verify(module).map_err(|e| InternalError::new(e.span, e.to_string()))?;
    let module = prepare(module, options)?;
    let limit = options.stack_words_max.clamp(1, options.target.stack_words_max());
    let mut limits = vec![limit; module.functions.len()];
    loop {
        match compile_with(&module, options, &mut limits) {
            // A chain of calls shares the machine's stack: where it does not fit, every function keeps less on it.
            Err(Failure::StackTooHigh(_)) if limits.iter().any(|&limit| limit > 4) => {
                limits.iter_mut().filter(|limit| **limit > 4).for_each(|limit| *limit /= 2);
            }
            // The limits of the functions in question are lower already.
            Err(Failure::OutOfReach) => {}
            Err(Failure::StackTooHigh(error) | Failure::Other(error)) => return Err(error),
            Ok(assembly) => return Ok(assembly),
        }
    }
}

/// Why there is no code yet.
enum Failure {
    /// A chain of calls needs more words than the machine's stack holds.
    StackTooHigh(InternalError),
    /// A function needs a word that lies deeper than the target reaches.
    OutOfReach,
    /// A mistake of the compiler.
    Other(InternalError),
}

impl From<InternalError> for Failure {
    fn from(error: InternalError) -> Self {
        Failure::Other(error)
    }
}

/// Drops what can never be executed, and brings the rest into the shape that planning expects.
fn prepare(module: &Module, options: &CodegenOptions) -> Result<Module, InternalError> {
    // What changes a module must leave it well-formed.
    let verified = |module: &Module, after: &str| {
        verify::verify(module).map_err(|e| InternalError::new(e.span, format!("after {after}: {e}")))
    };
    let mut module = without_unreachable(module.clone());
    let broken = |e: crate::ir::opt::Broken| InternalError::new(e.error.span, e.to_string());
    if options.opt_level != OptLevel::O0 {
        crate::ir::opt::optimize(&mut module, options.opt_level).map_err(broken)?;
        verified(&module, "passes")?;
        // Functions whose calls are gone need no code.
        module = without_unreachable(module);
    }
    if expand::run(&mut module, options.target) {
        if options.opt_level != OptLevel::O0 {
            crate::ir::opt::simplify_all(&mut module, options.opt_level).map_err(broken)?;
        }
        verified(&module, "expansion")?;
        module = without_unreachable(module);
    }
    Ok(module)
}

fn without_unreachable(module: Module) -> Module {
    let Module { name, mut functions, data } = module;
    functions.iter_mut().for_each(crate::ir::build::remove_unreachable);
    let mut reached = vec![false; functions.len()];
    let mut work = vec![Module::ENTRY];
    while let Some(id) = work.pop() {
        if !std::mem::replace(&mut reached[id.index()], true) {
            work.extend(callees(&functions[id.index()]));
        }
    }
    let mut renumbered = vec![FuncId(0); reached.len()];
    let mut kept = Module { name, functions: Vec::new(), data };
    for (index, mut function) in functions.into_iter().enumerate().filter(|(index, _)| reached[*index]) {
        renumbered[index] = FuncId::new(kept.functions.len());
        crate::ir::build::remove_redundant_params(&mut function);
        crate::ir::opt::canonicalize(&mut function);
        kept.functions.push(function);
    }
    for inst in kept.functions.iter_mut().flat_map(|f| &mut f.blocks).flat_map(|b| &mut b.insts) {
        if let crate::ir::Imm::Func(callee) = &mut inst.imm {
            *callee = renumbered[callee.index()];
        }
    }
    kept
}

/// Generates code with at most as many values on the stack as the limit of each function says; lowers the limits of
/// functions with which that is too much for the target.
fn compile_with(
    module: &Module,
    options: &CodegenOptions,
    limits: &mut [usize],
) -> Result<Assembly, Failure> {
    let target = options.target;
    let plans: Vec<plan::Plan> = module
        .functions
        .iter()
        .zip(limits.iter())
        .map(|(function, &limit)| plan::Plan::of(function, target, limit))
        .collect();
    let callees_first = call_order(module).map_err(|id| Failure::Other(error(module, id, "recursion")))?;
    let frames = lay_out_frames(module, &plans, &callees_first)?;
    let heap_base = frames.iter().map(|f| f.end).max().unwrap_or(FRAMES_BEGIN);

    let mut labels = labels::Labels::default();
    let entries: Vec<labels::Label> = module.functions.iter().map(|_| labels.fresh()).collect();
    let context = stackify::Context {
        target,
        module,
        frames: &frames,
        heap_base,
        entries: &entries,
        shortens_words: matches!(options.opt_level, OptLevel::O1 | OptLevel::Os),
    };
    let mut blocks = Vec::with_capacity(module.functions.len());
    let mut is_out_of_reach = false;
    for (index, function) in module.functions.iter().enumerate() {
        let (plan, frame, entry, limit) = (&plans[index], &frames[index], entries[index], limits[index]);
        match stackify::emit(&context, function, plan, frame, &mut labels, entry, limit) {
            Ok(code) => blocks.push(code),
            Err(Failure::OutOfReach) if limit > 1 => {
                limits[index] = limit * 2 / 3;
                is_out_of_reach = true;
            }
            Err(Failure::OutOfReach) => {
                let id = FuncId::new(index);
                return Err(Failure::Other(error(module, id, "the stack is deeper than the target reaches")));
            }
            Err(other) => return Err(other),
        }
    }
    if is_out_of_reach {
        return Err(Failure::OutOfReach);
    }
    let data: Vec<&[u8]> = module.data.iter().map(|segment| segment.bytes.as_slice()).collect();
    let assembled = labels::assemble(&blocks, &data, target)?;

    let mut functions: Vec<FunctionCode> = Vec::with_capacity(module.functions.len());
    for (index, function) in module.functions.iter().enumerate() {
        functions.push(FunctionCode {
            name: function.name.clone(),
            entry: assembled.offsets[&entries[index]],
            is_called: index != 0,
            stack_args: function.params().len().min(target.stack_args_max()),
            stack_results: function.result_count.min(target.stack_args_max()),
            height_max: 0,
        });
    }
    let order: Vec<usize> = callees_first.iter().map(|id| id.index()).collect();
    let flow = check::check(&assembled.bytes[..assembled.code_size], target, &functions, &order).map_err(
        |detail| {
            let too_high = detail.contains("the stack may hold");
            let error = error(module, Module::ENTRY, &detail);
            if too_high { Failure::StackTooHigh(error) } else { Failure::Other(error) }
        },
    )?;
    for (function, height_max) in functions.iter_mut().zip(&flow.heights_max) {
        function.height_max = *height_max;
    }
    let labels::Assembled { bytes, code_size, instructions, immutables, .. } = assembled;
    Ok(Assembly { target, bytes, code_size, instructions, immutables, functions, flow })
}

fn error(module: &Module, id: FuncId, detail: &str) -> InternalError {
    let function: &Function = &module.functions[id.index()];
    InternalError::new(function.span, format!("{detail} (\"{}\" of {})", function.name, module.name))
}

/// Frames by call-graph depth: each begins at the greatest end of its callers' frames.
fn lay_out_frames(
    module: &Module,
    plans: &[plan::Plan],
    callees_first: &[FuncId],
) -> Result<Vec<Frame>, InternalError> {
    let mut bases: FxHashMap<FuncId, u64> = FxHashMap::default();
    let mut frames: Vec<Option<Frame>> = (0..module.functions.len()).map(|_| None).collect();
    for &id in callees_first.iter().rev() {
        let (function, plan) = (&module.functions[id.index()], &plans[id.index()]);
        let base = bases.get(&id).copied().unwrap_or(FRAMES_BEGIN);
        let mut end = base + 32 * u64::from(plan.frame_words);
        let slots = function.slots.iter().map(|slot| {
            end += u64::from(slot.bytes).next_multiple_of(32);
            end - u64::from(slot.bytes).next_multiple_of(32)
        });
        let slots = slots.collect();
        if end > FRAMES_END_MAX {
            return Err(error(module, id, "static buffers are too large"));
        }
        for callee in callees(function) {
            let known = bases.entry(callee).or_insert(FRAMES_BEGIN);
            *known = (*known).max(end);
        }
        frames[id.index()] = Some(Frame { base, param_words: plan.param_words, slots, end });
    }
    Ok(frames.into_iter().map(|frame| frame.expect("every function is in the call order")).collect())
}

#[cfg(test)]
mod tests;
