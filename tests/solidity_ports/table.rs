//! The page that compares gas with solc's.

use std::fmt::Write;
use std::path::Path;

use kalix::codegen::{CodegenOptions, Target};
use serde_json::Value;
use zvm::Mode;

use crate::CONTRACTS;
use crate::script::{Script, Step, run};

const HEAD: &str = "# Gas beside Solidity

Three Solidity contracts and their ports to Kalix (`tests/ports`), which have the same external interface and pass the same call scripts with equal success, output and logs.
The figures are gas of execution alone, before refunds: no intrinsic gas, no call data.
*solc* is the cheapest of four builds of solc 0.8.37 (without optimizer; optimizer with 200 runs; the IR pipeline with 200 and with 1,000,000 runs) **for that call**; no single build has all of these figures.
Calls that revert are listed too; what counts is the calls that succeed.
A figure above solc's is marked ▲.

`cargo test --workspace --test solidity_ports -- --ignored` writes this page.
";

/// The page.
pub(crate) fn render(vectors: &Path) -> String {
    let text = std::fs::read_to_string(vectors.join("kalix-reference/gas.json")).expect("solc's figures");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let mut page = HEAD.to_owned();
    let mut rows = String::new();
    let mut deployments =
        String::from("\n## Deployment\n\n| contract | | solc | zvm | evm |\n|--|--|--|--|--|\n");
    let mut summary = String::from(
        "\n| contract | calls that succeed | below solc on zvm | below solc on evm |\n|--|--|--|--|\n",
    );
    for contract in CONTRACTS {
        let script = Script::read(vectors, contract);
        let runs = Target::ALL.map(|target| {
            run(&script, &CodegenOptions { target, ..CodegenOptions::STANDARD }, Mode::Interp, |_| true)
        });
        let facts = &json["contracts"][contract];
        let calls = facts["calls"].as_array().expect("calls");
        write!(rows, "\n## {contract}\n\n| call | | solc | zvm | | evm | |\n|--|--|--|--|--|--|--|\n")
            .expect("a String accepts all");
        let (mut succeeding, mut below) = (0, [0, 0]);
        for (index, call) in calls.iter().enumerate() {
            let name = call["call"].as_str().expect("a name");
            let best = call["best_exec_gas"].as_u64().expect("gas");
            let used = runs.each_ref().map(|steps: &Vec<Step>| steps[index].exec_gas);
            if name.starts_with("deploy ") {
                let deployed = name.trim_start_matches("deploy ");
                // Other contracts' deployments stand in their own rows.
                if deployed == contract {
                    let sizes = runs.each_ref().map(|steps| steps[index].deployed_bytes);
                    let bytes = facts["runtime_bytes"].as_object().expect("sizes");
                    let smallest = bytes.values().filter_map(Value::as_u64).min().expect("a build");
                    let [zvm, evm] = used;
                    writeln!(
                        deployments,
                        "| {contract} | gas | {best} | {zvm}{} | {evm}{} |",
                        mark(zvm, best),
                        mark(evm, best)
                    )
                    .expect("a String accepts all");
                    let [zvm, evm] = sizes;
                    writeln!(deployments, "| | bytes of run-time code | {smallest} | {zvm} | {evm} |")
                        .expect("a String accepts all");
                }
                continue;
            }
            let is_success = call["success"] == true;
            succeeding += u32::from(is_success);
            let columns: Vec<String> = used
                .iter()
                .enumerate()
                .map(|(target, &gas)| {
                    below[target] += u32::from(is_success && gas < best);
                    let change = 100.0 * (gas as f64 / best as f64 - 1.0);
                    format!("{gas}{} | {change:+.1} %", mark(gas, best))
                })
                .collect();
            let note = call["note"].as_str().map(|note| format!(" ({note})")).unwrap_or_default();
            let outcome = if is_success { "" } else { "reverts" };
            writeln!(rows, "| {name}{note} | {outcome} | {best} | {} |", columns.join(" | "))
                .expect("a String accepts all");
        }
        writeln!(summary, "| {contract} | {succeeding} | {} | {} |", below[0], below[1])
            .expect("a String accepts all");
    }
    page += &summary;
    page += &rows;
    page += &deployments;
    page
}

fn mark(gas: u64, best: u64) -> &'static str {
    if gas >= best { " ▲" } else { "" }
}
