//! The pipeline: analysis of a contract, then region by region one native function each, to code memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicPtr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, UserFuncName};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use zvm::bytecode::Code;
use zvm::compiled::frame::{Frame, Spec, offsets};
use zvm::compiled::tier::Effort;

use crate::analysis::Analysis;
use crate::analysis::blocks::NO_BLOCK;
use crate::analysis::regions::Region;
use crate::code_memory::{Arena, RegionCode};
use crate::disk_cache::{DiskCache, Key, RegionName};
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
    /// Options and code generator of code that has to be there soon, where they are others.
    quick: Option<(JitOptions, OwnedTargetIsa)>,
    pub(crate) arena: Arc<Arena>,
    /// The function by which regions are entered.
    pub(crate) gate: RegionCode,
    pub(crate) perf_map: Option<PerfMap>,
    /// Build, processor and options: everything beside the code and its rules that machine code depends on.
    pub(crate) name: String,
    cache: Option<DiskCache>,
}

impl Compiler {
    /// Sets up the code generator of this machine.
    pub(crate) fn new(
        options: JitOptions,
        perf_map: Option<PerfMap>,
        cache: Option<DiskCache>,
    ) -> Result<Compiler, JitError> {
        let isa = target(&options)?;
        let quick = match options.quick() {
            Some(quick) => Some((quick, target(&quick)?)),
            None => None,
        };
        let arena = Arc::new(Arena::new());
        let bytes = guarded(|| gate(&isa))?;
        let gate = arena.publish(&bytes)?;
        if let Some(map) = &perf_map {
            map.add(gate.address(), bytes.len(), "zvm::gate");
        }
        let name = name(&options, &*isa);
        Ok(Compiler { options, isa, quick, arena, gate, perf_map, name, cache })
    }

    /// Whether there are two ways to compile.
    pub(crate) fn is_quick_other(&self) -> bool {
        self.quick.is_some()
    }

    /// Options and code generator for that much work.
    fn way(&self, effort: Effort) -> (&JitOptions, &OwnedTargetIsa) {
        match &self.quick {
            Some((options, isa)) if effort == Effort::Quick => (options, isa),
            _ => (&self.options, &self.isa),
        }
    }

    /// The folder of machine code, and the key of a code in it.
    fn stored<'c>(&'c self, code: &Code, spec: &Spec) -> Option<(&'c DiskCache, Key)> {
        self.cache.as_ref().map(|cache| (cache, Key::new(code, spec, &self.name)))
    }

    /// What was read and written on disk.
    pub(crate) fn disk_cache(&self) -> Option<&DiskCache> {
        self.cache.as_ref()
    }

    /// Whether any machine code of a code is on disk.
    pub(crate) fn has_stored(&self, code: &Code, spec: &Spec) -> bool {
        self.stored(code, spec).is_some_and(|(cache, key)| !cache.regions(&key).is_empty())
    }

    /// Removes what is on disk of a code, for good.
    pub(crate) fn ban(&self, code: &Code, spec: &Spec) {
        if let Some((cache, key)) = self.stored(code, spec) {
            cache.ban(&key);
        }
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
    let (opt_level, regalloc_algorithm) = match options.opt_level {
        OptLevel::Quick => ("none", "single_pass"),
        OptLevel::None => ("none", "backtracking"),
        OptLevel::Speed => ("speed", "backtracking"),
    };
    let verifier = if options.verify { "true" } else { "false" };
    let values = [
        ("opt_level", opt_level),
        ("regalloc_algorithm", regalloc_algorithm),
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

/// What the compiler calls itself.
fn name(options: &JitOptions, isa: &dyn TargetIsa) -> String {
    let values = isa.isa_flags().into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ");
    let general = isa.flags().iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ");
    // The build says it all; these say it to people, and the layout once more to be sure.
    format!(
        "zvm-jit {} build {} for {}, {options:?}, frame of {} bytes with {:?}, {values} {general}",
        env!("CARGO_PKG_VERSION"),
        env!("ZVM_BUILD"),
        isa.triple(),
        size_of::<Frame>(),
        [offsets::GAS, offsets::STACK_BASE, offsets::STACK_LEN, offsets::MEMORY_BASE, offsets::PC],
    )
}

/// Analyzes a contract and sets up the tables of its code, with the machine code of it that is on disk; a panic is an
/// error like any other.
pub(crate) fn prepare(
    compiler: &Arc<Compiler>,
    code: &Code,
    spec: &Spec,
) -> Result<CompiledContract, JitError> {
    let options = &compiler.options;
    check_size(compiler, code)?;
    let key = compiler.stored(code, spec).map(|(_, key)| key);
    if let (Some(cache), Some(key)) = (&compiler.cache, &key)
        && cache.is_banned(key)
    {
        return Err(JitError::Banned);
    }
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
            key,
            analysis: Mutex::new(Some(Arc::new(analysis))),
        };
        contract.load_stored(code);
        contract.add_time(start.elapsed());
        Ok(contract)
    })
}

/// Whether the code is short enough to be looked at.
pub(crate) fn check_size(compiler: &Compiler, code: &Code) -> Result<(), JitError> {
    let (size, limit) = (code.body().len(), compiler.options.code_size_max);
    if size > limit { Err(JitError::CodeTooLong { size, limit }) } else { Ok(()) }
}

/// Compiles a region to executable memory; a panic of the code generator is an error like any other. Code that was made
/// with full effort is stored under `key`.
pub(crate) fn compile_region(
    compiler: &Compiler,
    code: &Code,
    analysis: &Analysis,
    region: usize,
    effort: Effort,
    key: Option<&Key>,
) -> Result<CompiledRegion, JitError> {
    let start = Instant::now();
    let bytes = guarded(|| machine_code(compiler, code, analysis, region, effort))?;
    let published = publish(compiler, code, analysis, region, &bytes)?;
    let time = start.elapsed();
    if effort == Effort::Full
        && let (Some(cache), Some(key)) = (&compiler.cache, key)
    {
        cache.store(key, &region_name(analysis, region), &bytes);
    }
    Ok(CompiledRegion { code: published, code_bytes: bytes.len(), time })
}

/// Puts the machine code of a region into executable memory, and its name into the map if there is one.
fn publish(
    compiler: &Compiler,
    code: &Code,
    analysis: &Analysis,
    region: usize,
    bytes: &[u8],
) -> Result<RegionCode, JitError> {
    let published = compiler.arena.publish(bytes)?;
    if let Some(map) = &compiler.perf_map {
        let hash = code.hash().to_string();
        let pc = analysis.blocks[analysis.regions[region].start as usize].pc;
        let name = format!("zvm::{}::region{region}@{pc:#x}", &hash[2..10]);
        map.add(published.address(), bytes.len(), &name);
    }
    Ok(published)
}

/// Takes a region from disk to executable memory; `None` where nothing sound is there.
///
/// The folder is this user's alone, and the file says by its key that this build made it for this code, these rules
/// and options and this processor.
pub(crate) fn load_region(
    compiler: &Compiler,
    code: &Code,
    key: &Key,
    analysis: &Analysis,
    region: usize,
) -> Option<CompiledRegion> {
    let start = Instant::now();
    let bytes = compiler.cache.as_ref()?.load(key, &region_name(analysis, region))?;
    let published = publish(compiler, code, analysis, region, &bytes).ok()?;
    Some(CompiledRegion { code: published, code_bytes: bytes.len(), time: start.elapsed() })
}

/// Regions of a code that are on disk.
pub(crate) fn stored_regions(compiler: &Compiler, key: &Key) -> Vec<u32> {
    compiler.cache.as_ref().map(|cache| cache.regions(key)).unwrap_or_default()
}

fn region_name(analysis: &Analysis, region: usize) -> RegionName {
    RegionName {
        region: region as u32,
        regions: analysis.regions.len() as u32,
        blocks: analysis.regions[region].clone(),
    }
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
    effort: Effort,
) -> Result<Vec<u8>, JitError> {
    let mut context = Context::new();
    let (options, isa) = compiler.way(effort);
    translate(options, &**isa, code, analysis, region, &mut context)?;
    finish(isa, &mut context)
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
    options: &JitOptions,
    isa: &dyn TargetIsa,
    code: &Code,
    analysis: &Analysis,
    number: usize,
    context: &mut Context,
) -> Result<(), JitError> {
    let region = &analysis.regions[number];
    let name = UserFuncName::user(0, number as u32);
    context.func = Function::with_name_signature(name, region_signature());
    let mut builder_context = FunctionBuilderContext::new();
    translate_region(&mut context.func, &mut builder_context, code, analysis, options, region.clone(), isa);
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
#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that machine code depends on changes the key.
    #[test]
    fn keys_name_code_rules_processor_and_options() {
        let options = JitOptions::production();
        let native = target(&options).expect("this machine has a code generator");
        let plain = cranelift_codegen::isa::lookup(native.triple().clone()).expect("the same machine");
        let plain = plain.finish(native.flags().clone()).expect("its flags are sound");
        let spec = Spec { fork: zvm::Fork::Osaka, native_code: true, hedera: false };
        let code = Code::evm(vec![0x5b, 0x00]);
        let key = |code: &Code, spec: &Spec, options: &JitOptions, isa: &dyn TargetIsa| {
            Key::new(code, spec, &name(options, isa))
        };
        let this = key(&code, &spec, &options, &*native);
        assert_eq!(this, key(&Code::evm(vec![0x5b, 0x00]), &spec, &options, &*native));
        let others = [
            key(&Code::evm(vec![0x5b]), &spec, &options, &*native),
            key(&Code::native(&[0x5b, 0x00]), &spec, &options, &*native),
            key(&code, &Spec { fork: zvm::Fork::Cancun, ..spec }, &options, &*native),
            key(&code, &Spec { native_code: false, ..spec }, &options, &*native),
            key(&code, &Spec { hedera: true, ..spec }, &options, &*native),
            key(&code, &spec, &JitOptions { region_blocks_max: 63, ..options }, &*native),
            key(&code, &spec, &JitOptions { opt_level: OptLevel::None, ..options }, &*native),
            key(&code, &spec, &options, &*plain),
        ];
        for (number, other) in others.iter().enumerate() {
            assert_ne!(this, *other, "{number}");
        }
    }
}
