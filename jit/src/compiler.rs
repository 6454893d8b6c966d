//! The pipeline: analysis of a contract, then region by region one native function each, to code memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicPtr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, UserFuncName};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use zvm::bytecode::Code;
use zvm::compiled::frame::Spec;

use crate::analysis::Analysis;
use crate::analysis::blocks::NO_BLOCK;
use crate::analysis::regions::Region;
use crate::code_memory::{Arena, RegionCode};
use crate::entry::{CompiledContract, Counts, EntryPoint, RegionSlot};
use crate::error::JitError;
use crate::options::{JitOptions, OptLevel};
use crate::perf_map::PerfMap;
use crate::translate::{
    gate_signature, is_excluded, is_head, region_signature, translate_gate, translate_region,
};

/// Figures of a contract's compilation so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileStats {
    /// Regions compiled, a native function each.
    pub regions: usize,
    /// Basic blocks of the contract, dead code left out.
    pub blocks: usize,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Wall time spent, the analysis included.
    pub time: Duration,
}

/// What everything that is compiled shares.
pub(crate) struct Compiler {
    pub(crate) options: JitOptions,
    pub(crate) isa: OwnedTargetIsa,
    pub(crate) arena: Arc<Arena>,
    /// The function by which regions are entered.
    pub(crate) gate: RegionCode,
    pub(crate) perf_map: Option<PerfMap>,
}

impl Compiler {
    /// Sets up the code generator of this machine.
    pub(crate) fn new(options: JitOptions, perf_map: Option<PerfMap>) -> Result<Compiler, JitError> {
        let isa = target(&options)?;
        let arena = Arc::new(Arena::new());
        let bytes = guarded(|| gate(&isa))?;
        let gate = arena.publish(&bytes)?;
        if let Some(map) = &perf_map {
            map.add(gate.address(), bytes.len(), "zvm::gate");
        }
        Ok(Compiler { options, isa, arena, gate, perf_map })
    }
}

/// A compiled region.
pub(crate) struct CompiledRegion {
    pub(crate) code: RegionCode,
    pub(crate) code_bytes: usize,
    pub(crate) time: Duration,
}

fn target(options: &JitOptions) -> Result<OwnedTargetIsa, JitError> {
    let mut flags = settings::builder();
    let opt_level = match options.opt_level {
        OptLevel::None => "none",
        OptLevel::Speed => "speed",
    };
    let verifier = if options.verify { "true" } else { "false" };
    let values = [
        ("opt_level", opt_level),
        ("enable_verifier", verifier),
        ("is_pic", "false"),
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("unwind_info", "false"),
        // Tail calls need them.
        ("preserve_frame_pointers", "true"),
    ];
    for (name, value) in values {
        flags.set(name, value).map_err(|e| JitError::Machine(format!("{name}: {e}")))?;
    }
    let builder = cranelift_native::builder().map_err(|e| JitError::Machine(e.to_string()))?;
    builder.finish(settings::Flags::new(flags)).map_err(|e| JitError::Machine(e.to_string()))
}

/// Analyzes a contract and sets up the tables of its code; a panic is an error like any other.
pub(crate) fn prepare(
    compiler: &Arc<Compiler>,
    code: &Code,
    spec: &Spec,
) -> Result<CompiledContract, JitError> {
    let options = &compiler.options;
    check_size(compiler, code)?;
    guarded(|| {
        let start = Instant::now();
        let analysis = Analysis::new(code, spec, options);
        let contract = CompiledContract {
            compiler: Arc::clone(compiler),
            entries: entries(&analysis, options),
            jump_table: jump_table(code, &analysis),
            block_at: analysis.block_at.clone(),
            regions: analysis.regions.iter().map(|region| region_slot(&analysis, region)).collect(),
            code_at: analysis.blocks.iter().map(|_| AtomicPtr::default()).collect(),
            counts: Counts::default(),
            analysis: Mutex::new(Some(Arc::new(analysis))),
        };
        contract.add_time(start.elapsed());
        Ok(contract)
    })
}

/// Whether the code is short enough to be looked at.
pub(crate) fn check_size(compiler: &Compiler, code: &Code) -> Result<(), JitError> {
    let (size, limit) = (code.body().len(), compiler.options.code_size_max);
    if size > limit { Err(JitError::CodeTooLong { size, limit }) } else { Ok(()) }
}

/// Compiles a region to executable memory; a panic of the code generator is an error like any other.
pub(crate) fn compile_region(
    compiler: &Compiler,
    code: &Code,
    analysis: &Analysis,
    region: usize,
) -> Result<CompiledRegion, JitError> {
    let start = Instant::now();
    let bytes = guarded(|| machine_code(compiler, code, analysis, region))?;
    let published = compiler.arena.publish(&bytes)?;
    if let Some(map) = &compiler.perf_map {
        let hash = code.hash().to_string();
        let pc = analysis.blocks[analysis.regions[region].start as usize].pc;
        let name = format!("zvm::{}::region{region}@{pc:#x}", &hash[2..10]);
        map.add(published.address(), bytes.len(), &name);
    }
    Ok(CompiledRegion { code: published, code_bytes: bytes.len(), time: start.elapsed() })
}

/// Turns a panic into an error.
pub(crate) fn guarded<T>(body: impl FnOnce() -> Result<T, JitError>) -> Result<T, JitError> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(JitError::Panic(text.unwrap_or_default()))
        }
    }
}

/// The machine code of a region: position-independent and without relocations, with the signature of a region.
fn machine_code(
    compiler: &Compiler,
    code: &Code,
    analysis: &Analysis,
    region: usize,
) -> Result<Vec<u8>, JitError> {
    let mut context = Context::new();
    translate(compiler, code, analysis, region, &mut context)?;
    finish(&compiler.isa, &mut context)
}

/// The machine code of the gate.
fn gate(isa: &OwnedTargetIsa) -> Result<Vec<u8>, JitError> {
    let mut context = Context::new();
    let signature = gate_signature(isa.default_call_conv());
    context.func = Function::with_name_signature(UserFuncName::user(1, 0), signature);
    translate_gate(&mut context.func, isa.frontend_config());
    finish(isa, &mut context)
}

fn finish(isa: &OwnedTargetIsa, context: &mut Context) -> Result<Vec<u8>, JitError> {
    let compiled = context
        .compile(&**isa, &mut ControlPlane::default())
        .map_err(|e| JitError::Backend(format!("{:?}", e.inner)))?;
    if !compiled.buffer.relocs().is_empty() {
        return Err(JitError::Backend("a function needs relocations".into()));
    }
    Ok(compiled.code_buffer().to_vec())
}

/// Every region may have the instructions of that many operations on top of those of its own: entry and exits.
const EXTRA_OPS: usize = 64;

/// Writes a region's intermediate code, as long as it keeps within its fuel.
pub(crate) fn translate(
    compiler: &Compiler,
    code: &Code,
    analysis: &Analysis,
    number: usize,
    context: &mut Context,
) -> Result<(), JitError> {
    let Compiler { options, isa, .. } = compiler;
    let region = &analysis.regions[number];
    let name = UserFuncName::user(0, number as u32);
    context.func = Function::with_name_signature(name, region_signature());
    let mut builder_context = FunctionBuilderContext::new();
    translate_region(
        &mut context.func,
        &mut builder_context,
        code,
        analysis,
        options,
        region.clone(),
        &**isa,
    );
    let ops = region.clone().map(|id| analysis.blocks[id as usize].instrs.len()).sum::<usize>();
    let limit = options.instructions_per_op_max.saturating_mul(ops + EXTRA_OPS);
    let instructions = context.func.dfg.num_insts();
    if instructions > limit {
        return Err(JitError::TooCostly { ops, instructions, limit });
    }
    Ok(())
}

fn region_slot(analysis: &Analysis, region: &Region) -> RegionSlot {
    let size = |id: u32| {
        let instrs = &analysis.instrs[analysis.blocks[id as usize].instrs.clone()];
        instrs.iter().map(|instr| (instr.next_pc - instr.pc) as usize).sum::<usize>()
    };
    RegionSlot { size_bytes: region.clone().map(size).sum(), ..RegionSlot::default() }
}

fn entries(analysis: &Analysis, options: &JitOptions) -> Vec<EntryPoint> {
    let mut entries = Vec::with_capacity(analysis.blocks.len());
    for (number, region) in analysis.regions.iter().enumerate() {
        let region: Region = region.clone();
        entries.extend(region.map(|id| EntryPoint {
            pc: analysis.blocks[id as usize].pc,
            region: number as u32,
            height: analysis.heights[id as usize],
            is_enterable: is_head(analysis, id)
                && !is_excluded(analysis, options, id)
                && options.perturbation.may_enter(id),
        }));
    }
    entries
}

fn jump_table(code: &Code, analysis: &Analysis) -> Vec<u32> {
    let offsets = 0..code.body().len();
    offsets
        .map(|pc| if code.is_jump_target(pc) { analysis.block_at(pc).unwrap_or(NO_BLOCK) } else { NO_BLOCK })
        .collect()
}
