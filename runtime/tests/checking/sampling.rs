//! Which frames are checked.

use std::num::NonZeroU32;

use zvm::Mode;
use zvm::check::Checking;

use crate::bent::{Bend, BentTier};
use crate::world::{PLAIN, call, cases, executor, telling};

fn checking(one_in: u32, first_runs: u32) -> Checking {
    Checking { one_in: NonZeroU32::new(one_in), first_runs, seed: Some(7), ..Checking::new() }
}

#[test]
fn one_in_so_many_frames_is_checked_on_average() {
    let tier = BentTier::new(Bend::Straight);
    let (builder, _) = telling(&tier, Mode::Jit, checking(10, 0));
    let engine = builder.build();
    let mut executor = executor(engine.clone(), PLAIN, "halt");
    for _ in 0..2000 {
        call(&mut executor);
    }
    let checked = engine.check_stats().frames_checked;
    assert!((150..=250).contains(&checked), "{checked} of 2000 frames");
    // A checked frame is interpreted, and compiled code runs over its record: each frame in compiled code once.
    assert_eq!(tier.runs(), 2000);
}

#[test]
fn the_first_runs_are_checked_and_no_more() {
    let tier = BentTier::new(Bend::Straight);
    let (builder, _) = telling(&tier, Mode::Jit, checking(0, 3));
    let engine = builder.build();
    let mut executor = executor(engine.clone(), PLAIN, "halt");
    let checked: Vec<u64> = (0..5)
        .map(|_| {
            call(&mut executor);
            engine.check_stats().frames_checked
        })
        .collect();
    assert_eq!(checked, [1, 2, 3, 3, 3]);
    assert_eq!(tier.runs(), 5);
}

#[test]
fn nothing_is_checked_unless_asked_for() {
    let tier = BentTier::new(Bend::Gas);
    let (builder, told) = telling(&tier, Mode::Jit, checking(0, 0));
    let engine = builder.build();
    let mut executor = executor(engine.clone(), PLAIN, "halt");
    call(&mut executor);
    assert_eq!(engine.check_stats(), Default::default());
    assert_eq!((cases(&told).len(), tier.runs()), (0, 1));
}

#[test]
fn a_record_has_a_limit() {
    let tier = BentTier::new(Bend::Gas);
    let (builder, told) = telling(&tier, Mode::Check, Checking { record_bytes_max: 400, ..Checking::new() });
    let engine = builder.build();
    let mut executor = executor(engine.clone(), PLAIN, "halt");
    call(&mut executor);
    let stats = engine.check_stats();
    assert_eq!((stats.frames_checked, stats.frames_given_up), (0, 1));
    assert_eq!((cases(&told).len(), tier.runs()), (0, 0));
}
