//! The report as text: failing cases, a table by folder, the total as the last line.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::flags::{StateTestFlags, TierFlag};
use super::summary::{Counts, NATIVE_PERCENT_MIN, Native, Summary};

/// The whole report.
pub(super) fn report(flags: &StateTestFlags, summary: &Summary) -> String {
    let mut text = failures(summary);
    if summary.folders.len() > 1 {
        let _ = writeln!(text, "\n{}\n", folders(summary).trim_fmt());
    }
    match summary.total.native() {
        Some(native @ Native { what, all, .. }) => {
            let _ = writeln!(text, "{:.3} % of {all} {what} ran as native code", native.percent());
        }
        None if flags.tier != TierFlag::Interp => text.push_str("no operation was executed\n"),
        None => {}
    }
    if flags.lacks_native(summary) {
        let _ = writeln!(text, "FAILED: --tier jit asks for {NATIVE_PERCENT_MIN} %");
    }
    let _ = writeln!(text, "{}", total(summary));
    text
}

fn failures(summary: &Summary) -> String {
    let mut text = String::new();
    for failed in summary.failures.values() {
        let _ = writeln!(text, "FAILED {}\n  {} ({})", failed.file.display(), failed.name, failed.runner);
        for difference in &failed.differences {
            let _ = writeln!(
                text,
                "    {}\n      expected  {}\n      found     {}",
                difference.what, difference.expected, difference.found
            );
        }
        if failed.more > 0 {
            let _ = writeln!(text, "    and {} more differences", failed.more);
        }
    }
    if summary.failures_not_shown() > 0 {
        let _ = writeln!(text, "and {} more failing cases", summary.failures_not_shown());
    }
    text
}

fn folders(summary: &Summary) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["folder", "passed", "failed", "skipped", "native"]);
    for (folder, counts) in &summary.folders {
        let Counts { passed, failed, skipped, .. } = counts;
        let native = counts.native().map_or(String::new(), |native| format!("{:.2} %", native.percent()));
        table.add_row([
            folder.display().to_string(),
            passed.to_string(),
            failed.to_string(),
            skipped.to_string(),
            native,
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The last line.
fn total(summary: &Summary) -> String {
    let Counts { passed, failed, skipped, .. } = summary.total;
    let reasons: Vec<String> =
        summary.skipped_by_reason.iter().map(|(reason, count)| format!("{count}: {reason}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
    format!("{passed} passed, {failed} failed, {skipped} skipped{reasons}, {:.1} s", summary.seconds)
}
