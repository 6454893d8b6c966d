//! `--dump`: what becomes of the contract's code, as text and JSON. Looking is `zvm_jit`'s, printing is done here.

use std::fmt::Write;

use serde_json::{Value, json};
use zvm_jit::{BlockDump, DumpLine, FunctionDump, RegionDump};

use crate::flags::DumpForm;

/// Everything that was asked for, region by region.
pub(crate) fn text(regions: &[RegionDump], forms: &[DumpForm]) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let shows = |form| forms.contains(&form);
    for (number, region) in regions.iter().enumerate() {
        let (start, end) = bounds(region);
        let operations: usize = region.blocks.iter().map(|block| block.operations).sum();
        let what = match &region.function {
            Ok(function) => {
                let FunctionDump { time, code_bytes, .. } = function;
                format!("{code_bytes} bytes of machine code in {:.2} ms", time.as_secs_f64() * 1e3)
            }
            Err(error) => format!("not compiled: {error}"),
        };
        let blocks = region.blocks.len();
        line(format!(
            "\nregion {number}: {start:#06x} to {end:#06x}, {blocks} blocks, {operations} operations, {what}"
        ));
        if shows(DumpForm::Regions) {
            region.blocks.iter().for_each(|block| line(block_text(block)));
        }
        let Ok(function) = &region.function else { continue };
        if shows(DumpForm::Clif) {
            function.clif.iter().for_each(|one| line(line_text(one)));
        }
        if shows(DumpForm::Asm) {
            function.assembly.iter().for_each(|one| line(line_text(one)));
        }
    }
    text
}

fn bounds(region: &RegionDump) -> (usize, usize) {
    (region.blocks.first().map_or(0, |block| block.start), region.blocks.last().map_or(0, |block| block.end))
}

fn block_text(block: &BlockDump) -> String {
    let BlockDump { start, end, operations, stack_height, is_entry } = block;
    let height = stack_height.map_or("unknown height".to_owned(), |height| format!("height {height}"));
    let entry = if *is_entry { ", entry" } else { "" };
    format!("  {start:#06x} to {end:#06x}  {operations:>4} operations, {height}{entry}")
}

/// A line behind the offset of its operation.
fn line_text(line: &DumpLine) -> String {
    let mut text = String::with_capacity(line.text.len() + 10);
    match line.pc {
        Some(pc) => write!(text, "{pc:06x}  ").expect("writing to a String"),
        None => text.push_str("        "),
    }
    text.push_str(&line.text);
    text.truncate(text.trim_end().len());
    text
}

/// The same facts as JSON, one element per region.
pub(crate) fn json(regions: &[RegionDump], forms: &[DumpForm]) -> Value {
    let lines = |lines: &[DumpLine]| -> Vec<Value> {
        lines.iter().map(|line| json!({ "pc": line.pc, "text": line.text })).collect()
    };
    let block = |block: &BlockDump| {
        let BlockDump { start, end, operations, stack_height, is_entry } = block;
        json!({
            "start": start,
            "end": end,
            "operations": operations,
            "stack_height": stack_height,
            "is_entry": is_entry,
        })
    };
    let region = |region: &RegionDump| {
        let (start, end) = bounds(region);
        let mut document = json!({ "start": start, "end": end });
        match &region.function {
            Ok(function) => {
                document["code_bytes"] = json!(function.code_bytes);
                document["microseconds"] = json!(function.time.as_secs_f64() * 1e6);
            }
            Err(error) => document["error"] = json!(error.to_string()),
        }
        for form in forms {
            match (form, &region.function) {
                (DumpForm::Regions, _) => document["blocks"] = region.blocks.iter().map(block).collect(),
                (DumpForm::Clif, Ok(function)) => document["clif"] = json!(lines(&function.clif)),
                (DumpForm::Asm, Ok(function)) => document["asm"] = json!(lines(&function.assembly)),
                (DumpForm::Clif | DumpForm::Asm, Err(_)) => {}
            }
        }
        document
    };
    regions.iter().map(region).collect()
}
