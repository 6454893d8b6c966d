//! The report as text for a person.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};

use super::{Facts, Header, Outcome, Step, raw_output};
use crate::abi::Abi;
use crate::decode::{ReadLog, show_fields, show_named};
use crate::execution::{Blocks, Checked, Gas, show_log};
use crate::names::Names;

/// The first line.
pub(crate) fn header(header: &Header) -> String {
    let Header { file, program, mode, fork, .. } = header;
    let what = program.contract().map_or(file.clone(), |contract| format!("{contract} ({file})"));
    let encoding = program.encoding.name();
    format!(
        "{what}: {} bytes of {encoding} code, fork {}, tier {}\n",
        program.code.len(),
        fork.name(),
        mode.name()
    )
}

/// One step with everything it did.
pub(crate) fn step(step: &Step, names: &Names) -> String {
    let mut text = format!("\n> {}\n", step.title);
    let Some(facts) = &step.facts else {
        text.push_str("  not run\n");
        return text;
    };
    for (label, value) in lines(step, facts, names) {
        writeln!(text, "  {label:<8}  {value}").expect("writing to a String");
    }
    text
}

fn lines(step: &Step, facts: &Facts, names: &Names) -> Vec<(&'static str, String)> {
    let outcome = match &facts.outcome {
        Outcome::Success => "success".into(),
        Outcome::Reverted(reason) => format!("reverted: {}", reason.show(names)),
        Outcome::Trap(trap) => format!("trap: {trap}"),
    };
    let mut lines = vec![("outcome", outcome)];
    for (index, place) in facts.places.iter().enumerate() {
        lines.push((if index == 0 { "at" } else { "" }, place.show()));
    }
    if let Some(address) = &facts.execution.created {
        lines.push(("contract", names.show(address)));
    }
    if let Some(results) = facts.results.as_ref().filter(|results| !results.is_empty()) {
        lines.push(("result", show_named(results, names)));
    }
    if let Some(output) = raw_output(facts, step.kind) {
        lines.push(("output", output.to_string()));
    }
    let bound = step.gas_bound.map_or(String::new(), |bound| format!(" (bound of the execution: {bound})"));
    lines.push(("gas", gas(&facts.execution.gas) + &bound));
    for (index, log) in facts.logs.iter().enumerate() {
        lines.push((if index == 0 { "logs" } else { "" }, show_read_log(log, names)));
    }
    let compiled =
        facts.compile_time.map_or(String::new(), |time| format!(", compiled before in {}", show_time(time)));
    let (time, blocks) = (show_time(facts.execution.time), show_blocks(facts.execution.blocks));
    match &facts.checked {
        None => lines.extend([("time", time + &compiled), ("blocks", blocks)]),
        Some(checked) => {
            let native = &checked.native;
            lines.push(("time", format!("interpreter {time}, native {}{compiled}", show_time(native.time))));
            lines.push(("blocks", format!("interpreter {blocks}; native {}", show_blocks(native.blocks))));
            lines.push(("check", check(checked, &facts.execution.gas)));
        }
    }
    lines
}

fn gas(gas: &Gas) -> String {
    let Gas { used, intrinsic, execution, refunded } = gas;
    let parts = format!("{execution} executed + {intrinsic} intrinsic - {refunded} refunded");
    match execution.saturating_add(*intrinsic).saturating_sub(*refunded) {
        sum if sum == *used => format!("{used} = {parts}"),
        _ => format!("{used}, the floor of its call data, above {parts}"),
    }
}

fn show_blocks(blocks: Blocks) -> String {
    format!("{} compiled, {} interpreted", blocks.compiled, blocks.interpreted)
}

fn check(checked: &Checked, gas: &Gas) -> String {
    if checked.differences.is_empty() {
        return format!(
            "equal: outcome, output, gas (interpreter {}, native {}), logs, storage ({} changed)",
            gas.used, checked.native.gas.used, checked.slots_compared
        );
    }
    let what: Vec<_> = checked.differences.iter().map(|difference| difference.what.as_str()).collect();
    format!("DIFFERENT: {}", what.join(", "))
}

fn show_read_log(log: &ReadLog, names: &Names) -> String {
    match &log.event {
        Some((name, fields)) => show_fields(name, fields, names),
        None => show_log(&log.log),
    }
}

/// Time in the unit that keeps it short.
fn show_time(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    match nanos {
        _ if nanos < 1e3 => format!("{nanos} ns"),
        _ if nanos < 1e6 => format!("{:.1} µs", nanos / 1e3),
        _ if nanos < 1e9 => format!("{:.2} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

/// The functions of a contract.
pub(crate) fn functions(abi: &Abi) -> String {
    if abi.functions.is_empty() {
        return "\nno callable functions\n".into();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["function", "mutability", "gas", "selector"]);
    for function in &abi.functions {
        let selector = alloy_primitives::hex::encode_prefixed(function.selector);
        table.add_row([&function.typed_signature(), &function.mutability, &function.gas.show(), &selector]);
    }
    format!("\n{}\n", table.trim_fmt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (nanos, text) in
            [(1, "1 ns"), (1500, "1.5 µs"), (2_345_678, "2.35 ms"), (3_000_000_000, "3.00 s")]
        {
            assert_eq!(show_time(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn the_parts_of_gas_add_up() {
        let parts = Gas { used: 26_000, intrinsic: 21_800, execution: 9000, refunded: 4800 };
        assert_eq!(gas(&parts), "26000 = 9000 executed + 21800 intrinsic - 4800 refunded");
        let floor = Gas { used: 26_001, ..parts };
        assert!(gas(&floor).starts_with("26001, the floor of its call data, above 9000 executed"));
    }
}
