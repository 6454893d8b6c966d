//! The report as one JSON document: the same facts as the text. Words are decimal strings, bytes 0x hex.

use std::time::Duration;

use alloy_primitives::hex;
use serde_json::{Value, json};

use super::{Facts, Header, Outcome, Report, Step, StepKind};
use crate::abi::{Abi, Function, Param};
use crate::decode::{Named, ReadLog, Reason, panic_meaning};
use crate::execution::{Checked, Execution};
use crate::failure::Failure;
use crate::names::Names;
use crate::places::SourcePlace;
use crate::stats::Stats;
use crate::values::json_value;

/// The whole document.
pub(crate) fn document(report: &Report, names: &Names) -> Value {
    let header = report.header.as_ref();
    let of_kind = |kind| report.steps.iter().filter(move |one| one.kind == kind).map(|one| step(one, names));
    json!({
        "file": header.map(|header: &Header| &header.file),
        "contract": header.and_then(|header| header.program.contract()),
        "address": header.and_then(|header| header.address).map(|address| address.to_string()),
        "encoding": header.map(|header| header.program.encoding.name()),
        "code_size": header.map(|header| header.program.code.len()),
        "fork": header.map(|header| header.fork.name()),
        "tier": header.map(|header| header.mode.name()),
        "deployment": of_kind(StepKind::Deploy).next(),
        "calls": of_kind(StepKind::Call).collect::<Vec<_>>(),
        "functions": report.functions.as_ref().map(functions),
        "dump": report.dump,
        "stats": report.stats.as_ref().map(Stats::json),
        "notes": report.notes,
        "error": report.failure.as_ref().map(failure),
        "status": report.status().number(),
        "status_name": report.status().name(),
    })
}

fn step(step: &Step, names: &Names) -> Value {
    let mut document = json!({
        "title": step.title,
        "function": step.signature,
        "from": step.from.map(|address| address.to_string()),
        "value": step.value.to_string(),
        "gas_limit": step.gas_limit,
        "gas_bound": step.gas_bound,
        "status": step.status().number(),
        "status_name": step.status().name(),
    });
    if let Some(facts) = &step.facts {
        facts_into(facts, names, &mut document);
    }
    document["error"] = json!(step.failure.as_ref().map(failure));
    document
}

fn facts_into(facts: &Facts, names: &Names, document: &mut Value) {
    let (outcome, reason) = match &facts.outcome {
        Outcome::Success => ("success", Value::Null),
        Outcome::Reverted(reason) => ("revert", self::reason(reason, names)),
        Outcome::Trap(trap) => ("trap", json!({ "trap": trap.name(), "text": trap.message() })),
    };
    document["outcome"] = json!(outcome);
    document["reason"] = reason;
    document["places"] = facts.places.iter().map(SourcePlace::json).collect();
    document["contract"] = json!(facts.execution.created.map(|address| address.to_string()));
    document["result"] = json!(facts.results.as_deref().map(fields));
    document["output"] = json!(hex::encode_prefixed(&facts.execution.output));
    document["logs"] = facts.logs.iter().map(log).collect();
    merge(document, execution(&facts.execution));
    document["compile_time_ns"] = json!(facts.compile_time.map(nanos));
    if let Some(checked) = &facts.checked {
        document["check"] = check(checked);
    }
}

fn execution(execution: &Execution) -> Value {
    let gas = &execution.gas;
    json!({
        "gas": {
            "used": gas.used, "intrinsic": gas.intrinsic, "execution": gas.execution, "refunded": gas.refunded,
        },
        "time_ns": nanos(execution.time),
        "blocks": { "compiled": execution.blocks.compiled, "interpreted": execution.blocks.interpreted },
    })
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The native side: the members beside it are the interpreter's.
fn check(checked: &Checked) -> Value {
    let one = |difference: &crate::execution::Difference| {
        json!({
            "what": difference.what,
            "interpreter": difference.interpreter,
            "native": difference.native,
        })
    };
    json!({
        "equal": checked.differences.is_empty(),
        "differences": checked.differences.iter().map(one).collect::<Vec<_>>(),
        "slots_compared": checked.slots_compared,
        "native": execution(&checked.native),
    })
}

fn reason(reason: &Reason, names: &Names) -> Value {
    let text = reason.show(names);
    match reason {
        Reason::Custom { name, fields: values } => {
            json!({ "kind": "error", "name": name, "fields": fields(values), "text": text })
        }
        Reason::Text(message) => json!({ "kind": "text", "message": message, "text": text }),
        Reason::Panic(code) => {
            json!({ "kind": "panic", "code": code.to_string(), "meaning": panic_meaning(code), "text": text })
        }
        Reason::Empty => json!({ "kind": "empty", "text": text }),
        Reason::Unknown(_) => json!({ "kind": "unknown", "text": text }),
    }
}

fn log(log: &ReadLog) -> Value {
    let topics: Vec<_> = log.log.topics.iter().map(|topic| topic.to_string()).collect();
    json!({
        "event": log.event.as_ref().map(|(name, _)| name),
        "fields": log.event.as_ref().map(|(_, values)| fields(values)),
        "address": log.log.address.to_string(),
        "topics": topics,
        "data": hex::encode_prefixed(&log.log.data),
    })
}

fn fields(fields: &[Named]) -> Value {
    let one =
        |field: &Named| json!({ "name": field.name, "type": field.ty, "value": json_value(&field.value) });
    fields.iter().map(one).collect()
}

fn failure(failure: &Failure) -> Value {
    json!({
        "message": failure.message,
        "place": failure.place,
        "help": failure.help,
        "status": failure.status.number(),
        "status_name": failure.status.name(),
    })
}

fn functions(abi: &Abi) -> Value {
    let params = |params: &[Param]| -> Value {
        let one = |param: &Param| json!({ "name": param.name, "type": param.ty.kalix, "abi_type": param.ty.sol.sol_type_name() });
        params.iter().map(one).collect()
    };
    let one = |function: &Function| {
        json!({
            "name": function.name,
            "signature": function.signature,
            "typed_signature": function.typed_signature(),
            "selector": hex::encode_prefixed(function.selector),
            "mutability": function.mutability,
            "inputs": params(&function.inputs),
            "outputs": params(&function.outputs),
            "gas_bound": function.gas.bound,
            "gas_bound_excluding_calls": function.gas.bound_excluding_calls,
        })
    };
    abi.functions.iter().map(one).collect()
}

/// Moves the members of one object into another.
fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
