//! A little of each stage's campaign as an ordinary test: nothing is found, and the texts reach what they are for.

use std::path::Path;

use zvm_fuzz::stage_campaign::{Plan, Progress, run};
use zvm_fuzz::stages::Stage;
use zvm_fuzz::texts::Texts;

/// Texts per stage; about a second each.
const INPUTS: [(Stage, u64); 4] =
    [(Stage::Parse, 300), (Stage::Check, 120), (Stage::Lower, 60), (Stage::Run, 16)];

#[test]
fn a_small_campaign_of_each_stage_finds_nothing() {
    let texts = Texts::of_workspace(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    assert!(texts.all().len() > 50, "the corpus is there");
    for (stage, inputs) in INPUTS {
        let mut progress = Progress::read_or_new(stage, Some(7), None).expect("nothing is read");
        let cases = std::env::temp_dir().join("kalix-stages");
        let plan = Plan { inputs, time_max: None, state: None, cases, only_generated: false };
        run(stage, &texts, &mut progress, &plan).expect("nothing is written unless something is found");
        println!("{}", progress.summary());
        assert!(progress.findings.is_empty(), "{}", progress.summary());
        assert!(progress.counts["accepted"] > 0, "{}", progress.summary());
        if stage == Stage::Run {
            assert!(progress.counts["compiled messages"] > 0, "{}", progress.summary());
        }
    }
}

#[test]
fn the_same_number_is_the_same_text() {
    let texts = Texts::of_workspace(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    for number in 0..20 {
        assert_eq!(texts.nth(3, number, true), texts.nth(3, number, true));
        assert_ne!(texts.nth(3, number, false), texts.nth(4, number, false));
    }
}
