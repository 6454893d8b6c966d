//! The report as one JSON document.

use serde_json::{Value, json};

use super::flags::StateTestFlags;
use super::summary::{Counts, FailedCase, Summary};

/// The whole report.
pub(super) fn document(flags: &StateTestFlags, summary: &Summary) -> Value {
    let folders = summary.folders.iter().map(|(folder, counts)| {
        let mut value = counts_json(counts);
        value["folder"] = json!(folder.display().to_string());
        value
    });
    let errors = summary
        .errors
        .iter()
        .map(|error| json!({ "file": error.path.display().to_string(), "message": error.message }));
    let mut document = counts_json(&summary.total);
    document["tier"] = json!(flags.tier.name());
    document["is_native_enough"] = json!(!flags.lacks_native(summary));
    document["seconds"] = json!(summary.seconds);
    document["skipped_by_reason"] = json!(summary.skipped_by_reason);
    document["folders"] = folders.collect();
    document["failures"] = summary.failures.values().map(failure_json).collect();
    document["failures_not_shown"] = json!(summary.failures_not_shown());
    document["errors"] = errors.collect();
    document
}

fn counts_json(counts: &Counts) -> Value {
    json!({
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "blocks_compiled": counts.blocks_compiled,
        "blocks_interpreted": counts.blocks_interpreted,
        "operations_compiled": counts.operations.compiled,
        "operations_interpreted": counts.operations.interpreted,
    })
}

fn failure_json(failed: &FailedCase) -> Value {
    let differences: Vec<Value> = failed
        .differences
        .iter()
        .map(|difference| {
            json!({ "what": difference.what, "expected": difference.expected, "found": difference.found })
        })
        .collect();
    json!({
        "file": failed.file.display().to_string(),
        "case": failed.name,
        "tier": failed.runner,
        "differences": differences,
        "differences_not_shown": failed.more,
    })
}
