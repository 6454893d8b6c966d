//! Random programs: the interpreter and native code agree on everything that can be seen.

use std::time::Instant;

use testkit::differential;

/// Programs per run unless `ZVM_DIFFERENTIAL_PROGRAMS` says otherwise.
const PROGRAMS: u64 = 20_000;

fn number(variable: &str, default: u64) -> u64 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

#[test]
fn tiers_agree_on_random_programs() {
    let start = number("ZVM_DIFFERENTIAL_SEED", 0);
    let programs = number("ZVM_DIFFERENTIAL_PROGRAMS", PROGRAMS);
    let clock = Instant::now();
    let report = differential::run(start..start + programs).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:.1} s, {report:#?}", clock.elapsed().as_secs_f64());

    assert_eq!(report.programs, programs);
    assert!(report.compiled_blocks > programs, "compiled code ran");
    // The programs reach every end that a single frame has.
    for exit in [
        "halt",
        "return",
        "revert",
        "out of gas",
        "stack underflow",
        "stack overflow",
        "invalid jump",
        "invalid opcode",
        "state change in a static frame",
    ] {
        assert!(report.exits.contains_key(exit) || programs < PROGRAMS, "no program ended with {exit}");
    }
}
