//! Looking at what becomes of a code: regions, intermediate code and machine code, each line with the offset of the
//! operation that it comes from. Nothing here is published or run; texts are for people and may change.

use std::time::{Duration, Instant};

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::{CompiledCode, Context};
use zvm::bytecode::Code;
use zvm::compiled::frame::Spec;

use crate::analysis::Analysis;
use crate::analysis::blocks::BlockId;
use crate::analysis::heights::Height;
use crate::compiler::{Compiler, check_size, guarded, translate};
use crate::error::JitError;
use crate::translate::{is_excluded, is_head};

/// What becomes of one region.
#[derive(Clone, Debug)]
pub struct RegionDump {
    /// Its blocks, in the order of the code.
    pub blocks: Vec<BlockDump>,
    /// The native function, or why there is none.
    pub function: Result<FunctionDump, JitError>,
}

/// A block of the translator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockDump {
    /// Body offset of its first operation.
    pub start: usize,
    /// Body offset behind its last operation.
    pub end: usize,
    /// Number of its operations.
    pub operations: usize,
    /// Words on the stack at its head, where every way there has as many.
    pub stack_height: Option<u16>,
    /// Whether the interpreter may hand over to compiled code here.
    pub is_entry: bool,
}

/// A native function.
#[derive(Clone, Debug)]
pub struct FunctionDump {
    /// Wall time that its compilation took.
    pub time: Duration,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Cranelift's intermediate code before optimization.
    pub clif: Vec<DumpLine>,
    /// Machine code. With the feature `disassembly`, on machines that it knows, instruction by instruction as the
    /// bytes say; elsewhere as Cranelift writes it down, without offsets.
    pub assembly: Vec<DumpLine>,
}

/// A line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpLine {
    /// The text, indented.
    pub text: String,
    /// Body offset of the operation that it was made for; none of what belongs to no single one.
    pub pc: Option<usize>,
}

/// What becomes of every region of a code.
pub(crate) fn dump(compiler: &Compiler, code: &Code, spec: &Spec) -> Result<Vec<RegionDump>, JitError> {
    check_size(compiler, code)?;
    guarded(|| {
        let mut analysis = Analysis::new(code, spec, &compiler.options);
        analysis.marks_places = true;
        let dump_region = |region: usize| RegionDump {
            blocks: analysis.regions[region].clone().map(|id| block(compiler, &analysis, id)).collect(),
            function: guarded(|| function(compiler, code, &analysis, region)),
        };
        Ok((0..analysis.regions.len()).map(dump_region).collect())
    })
}

fn block(compiler: &Compiler, analysis: &Analysis, id: BlockId) -> BlockDump {
    let block = &analysis.blocks[id as usize];
    let instrs = &analysis.instrs[block.instrs.clone()];
    BlockDump {
        start: block.pc as usize,
        end: instrs.last().map_or(block.pc, |instr| instr.next_pc) as usize,
        operations: instrs.len(),
        stack_height: match analysis.heights[id as usize] {
            Height::Known(height) => Some(height),
            Height::Unknown | Height::Unreached => None,
        },
        is_entry: is_head(analysis, id) && !is_excluded(analysis, &compiler.options, id),
    }
}

fn function(
    compiler: &Compiler,
    code: &Code,
    analysis: &Analysis,
    region: usize,
) -> Result<FunctionDump, JitError> {
    let start = Instant::now();
    let mut context = Context::new();
    context.set_disasm(!disassembly::IS_THERE);
    translate(&compiler.options, &*compiler.isa, code, analysis, region, &mut context)?;
    let translated = start.elapsed();
    let clif = context.func.display().to_string();
    let start = Instant::now();
    let compiled = context
        .compile(&*compiler.isa, &mut ControlPlane::default())
        .map_err(|e| JitError::Backend(format!("{:?}", e.inner)))?;
    Ok(FunctionDump {
        time: translated + start.elapsed(),
        code_bytes: compiled.code_buffer().len(),
        clif: clif.lines().map(clif_line).collect(),
        assembly: assembly(compiled),
    })
}

/// A line of Cranelift's text: its mark of the place becomes a number.
fn clif_line(line: &str) -> DumpLine {
    let text = line.trim_start();
    let is_outer =
        text.is_empty() || text == "}" || text.starts_with("function") || text.starts_with("block");
    let (pc, text) = match text.strip_prefix('@').and_then(|marked| marked.split_once(' ')) {
        Some((place, text)) => (usize::from_str_radix(place, 16).ok(), text.trim_start()),
        None => (None, text),
    };
    DumpLine { text: if is_outer { text.to_owned() } else { format!("    {text}") }, pc }
}

fn assembly(compiled: &CompiledCode) -> Vec<DumpLine> {
    let Some(instructions) = disassembly::instructions(compiled.code_buffer()) else {
        let text = compiled.vcode.as_deref().unwrap_or_default();
        return text.lines().map(|line| DumpLine { text: line.to_owned(), pc: None }).collect();
    };
    let places = compiled.buffer.get_srclocs_sorted();
    let line = |(offset, text): (u32, String)| {
        let behind = places.partition_point(|place| place.start <= offset);
        let place = places[..behind].last().filter(|place| offset < place.end && !place.loc.is_default());
        let pc = place.map(|place| place.loc.bits() as usize);
        DumpLine { text: format!("{offset:6x}  {text}"), pc }
    };
    instructions.into_iter().map(line).collect()
}

#[cfg(all(feature = "disassembly", target_arch = "x86_64"))]
mod disassembly {
    use iced_x86::{Code, Decoder, DecoderOptions, FastFormatter};

    pub(super) const IS_THERE: bool = true;

    /// Offset and text of each instruction, and of each entry of a jump table.
    pub(super) fn instructions(bytes: &[u8]) -> Option<Vec<(u32, String)>> {
        let mut formatter = FastFormatter::new();
        let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
        let mut lines = Vec::new();
        while decoder.can_decode() {
            let instruction = decoder.decode();
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            lines.push((instruction.ip() as u32, text));
            if instruction.code() == Code::Jmp_rm64 {
                let end = jump_table(bytes, decoder.position(), &mut lines);
                // The position lies within the bytes.
                let _ = decoder.set_position(end);
                decoder.set_ip(end as u64);
            }
        }
        Some(lines)
    }

    /// Lists the jump table that Cranelift puts behind a jump by one: distances from its start, in four bytes each,
    /// up to the nearest place that it leads to. Gives where it ends.
    fn jump_table(bytes: &[u8], start: usize, lines: &mut Vec<(u32, String)>) -> usize {
        let (mut at, mut nearest) = (start, bytes.len());
        while at + 4 <= nearest {
            let Some(entry) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
            let target = start as i64 + i64::from(i32::from_le_bytes(*entry));
            let Some(target) = usize::try_from(target).ok().filter(|&target| target < bytes.len()) else {
                break;
            };
            lines.push((at as u32, format!("dd -> {target:x}")));
            at += 4;
            if target >= at {
                nearest = nearest.min(target);
            }
        }
        at
    }
}

#[cfg(not(all(feature = "disassembly", target_arch = "x86_64")))]
mod disassembly {
    pub(super) const IS_THERE: bool = false;

    /// Nobody here can read machine code.
    pub(super) fn instructions(_: &[u8]) -> Option<Vec<(u32, String)>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Jit, JitOptions};
    use zvm::Fork;

    #[test]
    fn every_operation_of_a_loop_has_lines_of_its_own() {
        // push1 9 / jumpdest push1 1 swap1 sub dup1 push1 2 jumpi stop
        let code = Code::evm(vec![0x60, 9, 0x5b, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 2, 0x57, 0x00]);
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        let jit = Jit::new(JitOptions::checked()).expect("this machine has a code generator");
        let regions = jit.dump(&code, &spec).expect("compiles");
        let [RegionDump { blocks, function }] = &regions[..] else { panic!("one region") };
        let starts: Vec<_> = blocks.iter().map(|block| (block.start, block.end, block.operations)).collect();
        assert_eq!(starts, [(0, 2, 1), (2, 11, 7), (11, 12, 1)]);
        assert_eq!(blocks[1].stack_height, Some(1));
        assert!(blocks[1].is_entry && !blocks[2].is_entry, "the last is entered by falling through alone");
        let function = function.as_ref().expect("compiles");
        let compiled = jit.compile(&code, &spec).expect("compiles");
        assert_eq!(function.code_bytes, compiled.stats().code_bytes, "marks of places change no code");
        let has = |lines: &[DumpLine], pc| lines.iter().any(|line| line.pc == Some(pc));
        for pc in [2, 6, 10] {
            assert!(has(&function.clif, pc), "offset {pc}: {:#?}", function.clif);
        }
        assert!(function.clif.iter().any(|line| line.text.starts_with("    ") && line.text.contains("brif")));
        assert!(function.assembly.len() > 10, "{:#?}", function.assembly);
        if disassembly::IS_THERE {
            assert!(has(&function.assembly, 6) && has(&function.assembly, 10), "{:#?}", function.assembly);
            assert!(function.assembly.iter().any(|line| line.text.ends_with("ret")));
            let entries = function.assembly.iter().filter(|line| line.text.contains("dd -> ")).count();
            assert_eq!(
                entries,
                blocks.len() + 1,
                "a table of all blocks and the way out: {:#?}",
                function.assembly
            );
            assert!(!function.assembly.iter().any(|line| line.text.contains("(bad)")));
        }
    }

    #[test]
    fn what_is_not_compiled_says_why() {
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        let options = JitOptions { instructions_per_op_max: 0, code_size_max: 5, ..JitOptions::checked() };
        let jit = Jit::new(options).expect("this machine has a code generator");
        let regions = jit.dump(&Code::evm(vec![0x30, 0x80, 0x02]), &spec).expect("is analyzed");
        assert!(matches!(regions[0].function, Err(JitError::TooCostly { .. })));
        assert!(matches!(jit.dump(&Code::evm(vec![0x5b; 6]), &spec), Err(JitError::CodeTooLong { .. })));
    }
}
