//! The pipeline: analysis, one native function per region, code memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
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
use crate::code_memory::{CodeBytes, CodeMemory, region_signature};
use crate::entry::{CompiledContract, EntryPoint};
use crate::error::JitError;
use crate::options::{JitOptions, OptLevel};
use crate::translate::{is_excluded, is_head, translate_region};

/// Figures of one compilation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileStats {
    /// Native functions.
    pub regions: usize,
    /// Basic blocks, dead code left out.
    pub blocks: usize,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Wall time from bytecode to executable pages.
    pub time: Duration,
}

/// What a dump shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dump {
    /// Cranelift's intermediate code before optimization.
    Clif,
    /// Machine code, as Cranelift writes it.
    Assembly,
}

/// Sets up the code generator of this machine.
pub(crate) fn target(options: &JitOptions) -> Result<OwnedTargetIsa, JitError> {
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
    ];
    for (name, value) in values {
        flags.set(name, value).map_err(|e| JitError::Machine(format!("{name}: {e}")))?;
    }
    let builder = cranelift_native::builder().map_err(|e| JitError::Machine(e.to_string()))?;
    builder.finish(settings::Flags::new(flags)).map_err(|e| JitError::Machine(e.to_string()))
}

/// Compiles a contract; a panic of the code generator is an error like any other.
pub(crate) fn compile(
    code: &Code,
    spec: &Spec,
    options: &JitOptions,
    isa: &OwnedTargetIsa,
) -> Result<CompiledContract, JitError> {
    let size = code.body().len();
    if size > options.code_size_max {
        return Err(JitError::CodeTooLong { size, limit: options.code_size_max });
    }
    match catch_unwind(AssertUnwindSafe(|| compile_unguarded(code, spec, options, isa))) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(JitError::Panic(text.unwrap_or_default()))
        }
    }
}

fn compile_unguarded(
    code: &Code,
    spec: &Spec,
    options: &JitOptions,
    isa: &OwnedTargetIsa,
) -> Result<CompiledContract, JitError> {
    let start = Instant::now();
    let analysis = Analysis::new(code, spec, options);
    let mut bytes = CodeBytes::default();
    let mut context = Context::new();
    let mut builder_context = FunctionBuilderContext::new();
    for (number, region) in analysis.regions.iter().enumerate() {
        let name = UserFuncName::user(0, number as u32);
        context.func = Function::with_name_signature(name, region_signature(isa.default_call_conv()));
        let frontend_config = isa.frontend_config();
        translate_region(
            &mut context.func,
            &mut builder_context,
            code,
            &analysis,
            options,
            region.clone(),
            frontend_config,
        );
        let compiled = context
            .compile(&**isa, &mut ControlPlane::default())
            .map_err(|e| JitError::Backend(format!("{:?}", e.inner)))?;
        if !compiled.buffer.relocs().is_empty() {
            return Err(JitError::Backend("a region needs relocations".into()));
        }
        bytes.push(compiled.code_buffer());
        context.clear();
    }
    let memory = CodeMemory::new(&bytes, isa)?;
    let stats = CompileStats {
        regions: analysis.regions.len(),
        blocks: analysis.blocks.len(),
        code_bytes: memory.size_bytes(),
        time: start.elapsed(),
    };
    Ok(CompiledContract {
        memory,
        entries: entries(&analysis, options),
        jump_table: jump_table(code, &analysis),
        block_at: analysis.block_at,
        stats,
    })
}

fn entries(analysis: &Analysis, options: &JitOptions) -> Vec<EntryPoint> {
    let mut entries = Vec::with_capacity(analysis.blocks.len());
    for (number, region) in analysis.regions.iter().enumerate() {
        let region: Region = region.clone();
        entries.extend(region.map(|id| EntryPoint {
            pc: analysis.blocks[id as usize].pc,
            region: number as u32,
            height: analysis.heights[id as usize],
            is_enterable: is_head(analysis, id) && !is_excluded(analysis, options, id),
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

/// The intermediate code of every region, or its assembly, for tools.
pub(crate) fn dump(
    code: &Code,
    spec: &Spec,
    options: &JitOptions,
    isa: &OwnedTargetIsa,
    form: Dump,
) -> Result<String, JitError> {
    let analysis = Analysis::new(code, spec, options);
    let mut text = String::new();
    let mut builder_context = FunctionBuilderContext::new();
    let mut context = Context::new();
    context.set_disasm(true);
    for (number, region) in analysis.regions.iter().enumerate() {
        let name = UserFuncName::user(0, number as u32);
        context.func = Function::with_name_signature(name, region_signature(isa.default_call_conv()));
        let config = isa.frontend_config();
        let func = &mut context.func;
        translate_region(func, &mut builder_context, code, &analysis, options, region.clone(), config);
        if form == Dump::Clif {
            text.push_str(&context.func.display().to_string());
        } else {
            let compiled = context
                .compile(&**isa, &mut ControlPlane::default())
                .map_err(|e| JitError::Backend(format!("{:?}", e.inner)))?;
            text.push_str(compiled.vcode.as_deref().unwrap_or_default());
        }
        context.clear();
        context.set_disasm(true);
    }
    Ok(text)
}
