//! A small campaign of a fixed seed as an ordinary test: it agrees, and it tests what it claims to test.

use zvm_fuzz::campaign::{self, Plan};
use zvm_fuzz::totals::Totals;

/// Executions; some dozens per program.
const EXECUTIONS: u64 = 12_000;

#[test]
fn a_small_campaign_agrees_and_reaches_compiled_code() {
    let mut totals = Totals::new(1);
    let plan = Plan {
        executions: EXECUTIONS,
        time_max: None,
        state: None,
        cases: std::env::temp_dir(),
        build: "test".to_owned(),
    };
    let finding =
        campaign::run(&mut totals, &plan).expect("nothing is read or written unless something differs");
    let summary = totals.summary();
    if let Some(finding) = finding {
        panic!("{}\n{}", finding.difference, finding.execution.subject.program.to_text());
    }
    println!("{summary}");
    let tally = &totals.tally;
    assert_eq!(totals.distinct() as u64, totals.programs(), "{summary}");
    assert!(totals.median_length() >= 30, "{summary}");
    assert!(tally.peer_runs > 0 && tally.frames > 0, "{summary}");
    assert!(tally.open_compiled > 20 * tally.open_interpreted, "compiled code leads:\n{summary}");
    assert!(tally.blocks_interpreted > 0, "some blocks are left to the interpreter:\n{summary}");
    let successes = tally.exits["halt"] + tally.exits["return"];
    assert!(successes * 10 > tally.executions, "a tenth of the runs succeeds:\n{summary}");
}
