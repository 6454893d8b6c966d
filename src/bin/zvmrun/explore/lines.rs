//! The figures of a run, put on the lines of source and code.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use zvm::bytecode::{Code, DisasmOptions, disassemble};
use zvm::profile::BlockProfile;
use zvm_jit::{DumpLine, RegionDump};

use super::source::SourceText;
use crate::watch::Costs;

/// What a line has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// Times that it ran: of a line of source, its operation that ran most often.
    pub(super) executions: u64,
    pub(super) gas: u64,
    pub(super) nanoseconds: f64,
}

/// A line of code.
#[derive(Clone, Debug)]
pub(super) struct CodeLine {
    pub(super) text: String,
    /// Body offset of its operation.
    pub(super) pc: Option<usize>,
    /// Line of the source that the operation comes from.
    pub(super) source: Option<usize>,
    pub(super) figures: Figures,
}

/// Everything that the page shows.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) source: Option<SourceText>,
    /// By line of the source.
    pub(super) source_figures: Vec<Figures>,
    pub(super) bytecode: Vec<CodeLine>,
    pub(super) clif: Vec<CodeLine>,
    pub(super) assembly: Vec<CodeLine>,
    /// Of all operations together; `executions` is their number.
    pub(super) total: Figures,
    /// Heads of blocks that ran as native code, and all.
    pub(super) native_blocks: (u64, u64),
    pub(super) machine_code_bytes: usize,
    pub(super) compile_time: Duration,
}

impl Listing {
    pub(super) fn new(
        code: &Code,
        source: Option<SourceText>,
        regions: &[RegionDump],
        costs: &Costs,
        blocks: &[BlockProfile],
        clock: Duration,
    ) -> Listing {
        let functions = || regions.iter().filter_map(|region| region.function.as_ref().ok());
        let times = times(code, blocks, functions().flat_map(|function| &function.assembly), clock);
        let figures = |pc: Option<usize>| {
            let Some(pc) = pc else { return Figures::default() };
            let cost = costs.get(&pc).copied().unwrap_or_default();
            let nanoseconds = times.get(&pc).copied().unwrap_or_default();
            Figures { executions: cost.executions, gas: cost.gas, nanoseconds }
        };
        let line_of = |pc: Option<usize>| source.as_ref()?.line(pc?);
        let text = disassemble(code.body(), code.encoding(), DisasmOptions { offsets: true });
        let bytecode: Vec<CodeLine> = text
            .lines()
            .map(|line| {
                let (text, pc) = split_offset(line);
                CodeLine { text: text.to_owned(), pc, source: line_of(pc), figures: figures(pc) }
            })
            .collect();
        let mut source_figures = vec![Figures::default(); source.as_ref().map_or(0, |text| text.lines.len())];
        let mut total = Figures::default();
        for line in &bytecode {
            let Figures { executions, gas, nanoseconds } = line.figures;
            total.executions += executions;
            total.gas += gas;
            total.nanoseconds += nanoseconds;
            if let Some(sum) = line.source.and_then(|line| source_figures.get_mut(line)) {
                sum.executions = sum.executions.max(executions);
                sum.gas += gas;
                sum.nanoseconds += nanoseconds;
            }
        }
        let of_regions = |lines: fn(&zvm_jit::FunctionDump) -> &Vec<DumpLine>| -> Vec<CodeLine> {
            let own = |line: &DumpLine| CodeLine {
                text: line.text.clone(),
                pc: line.pc,
                source: line_of(line.pc),
                figures: Figures::default(),
            };
            let heading =
                |text: String| CodeLine { text, pc: None, source: None, figures: Figures::default() };
            let region = |(number, region): (usize, &RegionDump)| -> Vec<CodeLine> {
                match &region.function {
                    Ok(function) => {
                        let first = heading(format!("; region {number}, {} bytes", function.code_bytes));
                        std::iter::once(first).chain(lines(function).iter().map(own)).collect()
                    }
                    Err(error) => vec![heading(format!("; region {number} is interpreted: {error}"))],
                }
            };
            regions.iter().enumerate().flat_map(region).collect()
        };
        Listing {
            source_figures,
            bytecode,
            clif: of_regions(|function| &function.clif),
            assembly: of_regions(|function| &function.assembly),
            total,
            native_blocks: (
                blocks.iter().map(|block| block.compiled).sum(),
                blocks.iter().map(BlockProfile::executions).sum(),
            ),
            machine_code_bytes: functions().map(|function| function.code_bytes).sum(),
            compile_time: functions().map(|function| function.time).sum(),
            source,
        }
    }
}

/// Text and offset of a line of the disassembly.
fn split_offset(line: &str) -> (&str, Option<usize>) {
    match line.rsplit_once("; 0x") {
        Some((text, offset)) => (text.trim_end(), usize::from_str_radix(offset.trim(), 16).ok()),
        None => (line, None),
    }
}

/// Nanoseconds by operation: the time of its block in native code, spread by the number of machine instructions.
fn times<'d>(
    code: &Code,
    blocks: &[BlockProfile],
    assembly: impl Iterator<Item = &'d DumpLine>,
    clock: Duration,
) -> HashMap<usize, f64> {
    let mut instructions: BTreeMap<usize, u64> = BTreeMap::new();
    for pc in assembly.filter_map(|line| line.pc) {
        *instructions.entry(pc).or_default() += 1;
    }
    let mut times = HashMap::new();
    for block in blocks.iter().filter(|block| block.compiled > 0) {
        let reading = clock.as_nanos() as f64 * block.compiled as f64;
        let time = (block.time_compiled.as_nanos() as f64 - reading).max(0.0);
        let end = block.end.min(code.body().len());
        let parts: Vec<(usize, u64)> =
            instructions.range(block.start..end.max(block.start)).map(|(&pc, &n)| (pc, n)).collect();
        let all: u64 = parts.iter().map(|part| part.1).sum();
        if all == 0 {
            times.insert(block.start, time);
        }
        for (pc, n) in parts {
            times.insert(pc, time * n as f64 / all as f64);
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_block_is_spread_over_its_operations() {
        let block = BlockProfile {
            start: 0,
            end: 5,
            operations: 3,
            interpreted: 0,
            compiled: 10,
            gas: 30,
            time_interpreted: Duration::ZERO,
            time_compiled: Duration::from_nanos(600),
        };
        let line = |pc| DumpLine { text: String::new(), pc: Some(pc) };
        let lines = [line(0), line(2), line(2), line(2), line(7)];
        let code = Code::evm(vec![0x60, 1, 0x60, 2, 0x01, 0x00]);
        let times = times(&code, &[block], lines.iter(), Duration::from_nanos(20));
        assert_eq!((times.get(&0), times.get(&2), times.len()), (Some(&100.0), Some(&300.0), 2));
    }

    #[test]
    fn offsets_are_read_from_the_disassembly() {
        assert_eq!(split_offset("    push1 1                  ; 0x001f"), ("    push1 1", Some(31)));
        assert_eq!(split_offset("L0002:"), ("L0002:", None));
    }
}
