//! `cargo xtask demo`: compiles an example and runs it in both tiers, checking what comes out.
//!
//! zvmrun runs twice: once for the reader, once as JSON for [`check`], which fails on anything unexpected.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::root;

const SOURCE: &str = "examples/token_vault.kalix";
const FOLDER: &str = "target/demo";
const CONTAINER: &str = "target/demo/TokenVault.zvmc";
/// Status of zvmrun after a revert, which the last call is to give.
const REVERTED: i32 = 10;

/// A call of the demo and what it must give.
struct Expected {
    call: &'static str,
    outcome: &'static str,
    /// The decoded result, if the function has one.
    result: Option<&'static str>,
    /// The decoded reason of a revert.
    reason: Option<&'static str>,
    /// The event that is logged.
    event: Option<&'static str>,
}

const CALLS: &[Expected] = &[
    Expected {
        call: "deposit 100",
        outcome: "success",
        result: None,
        reason: None,
        event: Some("Deposited"),
    },
    Expected {
        call: "withdraw 40",
        outcome: "success",
        result: None,
        reason: None,
        event: Some("Withdrawn"),
    },
    Expected {
        call: "balance_of @caller",
        outcome: "success",
        result: Some("60"),
        reason: None,
        event: None,
    },
    Expected {
        call: "withdraw 1000",
        outcome: "revert",
        result: None,
        reason: Some("Insufficient(have: 60, need: 1000)"),
        event: None,
    },
];

/// Runs the demo.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let compiled = cargo_run("kalixc", &["build", SOURCE, "-o", FOLDER]).status()?;
    ensure!(compiled.success(), "kalixc ended with {compiled}");

    let mut arguments = vec!["--check", CONTAINER];
    arguments.extend(CALLS.iter().flat_map(|expected| ["--call", expected.call]));
    let ran = cargo_run("zvmrun", &arguments).status()?;
    ensure!(
        ran.code() == Some(REVERTED),
        "zvmrun ended with {ran}, the overdraft was to end it with {REVERTED}"
    );

    println!("\nThe same once more as JSON, to check it:");
    arguments.insert(0, "--json");
    let output = cargo_run("zvmrun", &arguments).stderr(Stdio::null()).output()?;
    let document = serde_json::from_slice(&output.stdout).context("zvmrun --json printed something else")?;
    println!("\n{:<22} {:>12} {:>12}   outcome", "gas", "interpreter", "native code");
    for row in check(&document)? {
        println!("{row}");
    }
    println!("\nAs expected: results, logs and gas are equal in both tiers.");
    Ok(())
}

/// A program of the workspace, printed as a command that can be typed.
fn cargo_run(binary: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--bin", binary, "--"]).args(arguments).current_dir(root());
    let quoted = |argument: &std::ffi::OsStr| match argument.to_string_lossy() {
        text if text.contains(' ') => format!("\"{text}\""),
        text => text.into_owned(),
    };
    println!("\n$ cargo {}", command.get_args().map(quoted).collect::<Vec<_>>().join(" "));
    command
}

/// Checks zvmrun's document; gives a line per transaction for the reader.
fn check(document: &Value) -> Result<Vec<String>> {
    let calls = document["calls"].as_array().context("the document has no calls")?;
    ensure!(calls.len() == CALLS.len(), "{} calls, {} were made", calls.len(), CALLS.len());
    let mut rows = vec![check_tiers("deploy", &document["deployment"])?];
    for (expected, call) in CALLS.iter().zip(calls) {
        rows.push(check_call(expected, call).with_context(|| format!("`{}`", expected.call))?);
    }
    Ok(rows)
}

fn check_call(expected: &Expected, call: &Value) -> Result<String> {
    let expect = |what: &str, found: &Value, wanted: Option<&str>| match (found.as_str(), wanted) {
        (found, wanted) if found == wanted => Ok(()),
        (found, wanted) => bail!("{what} is {found:?}, not {wanted:?}"),
    };
    expect("the title", &call["title"], Some(expected.call))?;
    expect("the outcome", &call["outcome"], Some(expected.outcome))?;
    expect("the result", &call["result"][0]["value"], expected.result)?;
    expect("the reason", &call["reason"]["text"], expected.reason)?;
    expect("the event", &call["logs"][0]["event"], expected.event)?;
    let row = check_tiers(expected.call, call)?;
    Ok(expected.reason.map_or(row.clone(), |reason| format!("{row}: {reason}")))
}

/// Both tiers ran, native code really did, and nothing differs.
fn check_tiers(title: &str, step: &Value) -> Result<String> {
    let check = &step["check"];
    ensure!(check["equal"] == true, "{title}: the tiers differ: {}", check["differences"]);
    let gas = |step: &Value| step["gas"]["used"].as_u64().context("gas is missing");
    let (interpreter, native) = (gas(step)?, gas(&check["native"])?);
    ensure!(
        interpreter == native,
        "{title}: gas is {interpreter} in the interpreter, {native} in native code"
    );
    let blocks = check["native"]["blocks"]["compiled"].as_u64().unwrap_or(0);
    ensure!(blocks > 0, "{title}: no block ran as native code");
    let outcome = step["outcome"].as_str().context("the outcome is missing")?;
    Ok(format!("{title:<22} {interpreter:>12} {native:>12}   {outcome}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        let step = |outcome: &str| {
            json!({
                "outcome": outcome, "gas": { "used": 45_000 }, "reason": null, "result": null, "logs": [],
                "check": { "equal": true, "native": { "gas": { "used": 45_000 }, "blocks": { "compiled": 3 } } },
            })
        };
        let mut calls: Vec<Value> = CALLS.iter().map(|expected| step(expected.outcome)).collect();
        for (expected, call) in CALLS.iter().zip(&mut calls) {
            call["title"] = json!(expected.call);
            call["logs"] = expected.event.map_or(json!([]), |event| json!([{ "event": event }]));
        }
        calls[2]["result"] = json!([{ "value": "60" }]);
        calls[3]["reason"] = json!({ "text": "Insufficient(have: 60, need: 1000)" });
        json!({ "deployment": step("success"), "calls": calls })
    }

    #[test]
    fn what_is_expected_passes() {
        let rows = check(&document()).unwrap();
        assert_eq!(rows.len(), 5);
        assert!(rows[4].ends_with("revert: Insufficient(have: 60, need: 1000)"), "{}", rows[4]);
    }

    #[test]
    fn anything_else_fails() {
        let wrong: [(&str, Value); 8] = [
            ("/deployment/check/equal", json!(false)),
            ("/calls/0/check/native/gas/used", json!(1)),
            ("/calls/0/logs", json!([])),
            ("/calls/1/check/native/blocks/compiled", json!(0)),
            ("/calls/1/outcome", json!("revert")),
            ("/calls/2/result/0/value", json!("61")),
            ("/calls/3/reason/text", json!("no data")),
            ("/calls", json!([])),
        ];
        for (path, value) in wrong {
            let mut document = document();
            *document.pointer_mut(path).expect("the path is there") = value;
            assert!(check(&document).is_err(), "{path}");
        }
    }
}
