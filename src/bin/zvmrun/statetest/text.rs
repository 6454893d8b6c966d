//! The report as text: failing cases, a table by folder, the total as the last line.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::summary::{Counts, Summary};

/// The whole report.
pub(super) fn report(summary: &Summary) -> String {
    let mut text = failures(summary);
    if summary.folders.len() > 1 {
        let _ = writeln!(text, "\n{}\n", folders(summary).trim_fmt());
    }
    if let Some(percent) = summary.total.compiled_percent() {
        let Counts { blocks_compiled, blocks_interpreted, .. } = summary.total;
        let all = blocks_compiled + blocks_interpreted;
        let _ = writeln!(text, "{percent:.2} % of {all} basic blocks ran as native code");
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
        let native = counts.compiled_percent().map_or(String::new(), |percent| format!("{percent:.1} %"));
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
