//! Case files: whole or not there, read back as they were, and replayed; bytes from outside are refused politely.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use zvm::check::{Case, Checking, ReplayError};
use zvm::{Engine, Mode};

use crate::bent::{Bend, BentTier};
use crate::world::{CALLING, CREATING, PLAIN, STATIC, call, cases, executor, telling};

/// An empty folder of this test run.
fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("zvm-cases-{}-{name}", std::process::id()));
    // It is there only if an earlier run had the same number and was killed.
    let _ = fs::remove_dir_all(&path);
    path
}

/// The case of a wrong tier, its text read back.
fn case_of(bend: Bend, target: &str) -> Case {
    let tier = BentTier::new(bend);
    let (builder, told) = telling(&tier, Mode::Check, Checking::new());
    call(&mut executor(builder.build(), target, "push1 1\npush0\nreturn"));
    let case = cases(&told).pop().expect("a difference");
    let text = case.to_string();
    let read = Case::parse(text.as_bytes()).expect("what was written can be read");
    assert_eq!(read, case, "{text}");
    read
}

fn engine(bend: Bend) -> Engine {
    Engine::builder().mode(Mode::Jit).tier(BentTier::new(bend)).build()
}

#[test]
fn a_case_shows_its_difference_again_and_agrees_when_the_compiler_is_mended() {
    for (bend, target) in [
        (Bend::Gas, PLAIN),
        (Bend::Store, PLAIN),
        (Bend::Memory, PLAIN),
        (Bend::Log, PLAIN),
        (Bend::Output, CALLING),
        (Bend::CallGas, CALLING),
        (Bend::CallData, STATIC),
        (Bend::CallData, CREATING),
    ] {
        let case = case_of(bend, target);
        let replayed = engine(bend).replay(&case).expect("it can be replayed");
        assert_eq!(replayed.difference.as_ref(), Some(&case.difference), "{bend:?}");
        assert_eq!((&replayed.interpreted, replayed.departure), (&case.interpreted, None), "{bend:?}");
        assert_eq!(replayed.compiled, case.compiled, "{bend:?}");
        let mended = engine(Bend::Straight).replay(&case).expect("it can be replayed");
        assert_eq!((mended.difference, mended.departure), (None, None), "{bend:?}");
    }
}

#[test]
fn a_case_needs_its_rules_and_a_compiler() {
    let case = case_of(Bend::Gas, PLAIN);
    assert_eq!(Engine::builder().build().replay(&case), Err(ReplayError::NoTier));
    let other = Engine::builder().fork(zvm::Fork::Cancun).mode(Mode::Jit).tier(BentTier::new(Bend::Gas));
    assert_eq!(other.build().replay(&case), Err(ReplayError::OtherRules));
    let engine = engine(Bend::Gas);
    engine.ban(&std::sync::Arc::new(zvm::bytecode::Code::new(case.code.clone(), true)));
    assert_eq!(engine.replay(&case), Err(ReplayError::NotCompiled));
}

#[test]
fn files_are_written_once_per_code_and_for_the_owner_alone() {
    let path = folder("written");
    let tier = BentTier::new(Bend::Gas);
    let checking = Checking { case_folder: Some(path.clone()), ..Checking::new() };
    let (builder, told) = telling(&tier, Mode::Check, checking);
    let engine = builder.build();
    let mut executor = executor(engine.clone(), CALLING, PLAIN);
    call(&mut executor);
    call(&mut executor);
    let files: Vec<PathBuf> =
        fs::read_dir(&path).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(files.len(), 2, "one for each code, nothing unfinished: {files:?}");
    assert_eq!(engine.check_stats().cases_written, 2);
    let mut read: Vec<Case> =
        files.iter().map(|file| Case::parse(&fs::read(file).expect("a file")).expect("a case")).collect();
    let mut told = cases(&told);
    read.sort_by_key(|case| case.code.clone());
    told.sort_by_key(|case| case.code.clone());
    assert_eq!(read, told);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &PathBuf| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&files[0])), (0o700, 0o600));
    }
    fs::remove_dir_all(&path).expect("the folder can be removed");
}

#[test]
fn a_folder_that_cannot_be_made_is_told_and_changes_nothing() {
    let path = folder("blocked");
    fs::write(&path, b"a file is in the way").expect("a file");
    let checking = Checking { case_folder: Some(path.clone()), ..Checking::new() };
    let (builder, told) = telling(&BentTier::new(Bend::Gas), Mode::Check, checking);
    let engine = builder.build();
    let result = call(&mut executor(engine.clone(), PLAIN, "halt"));
    assert!(result.is_success());
    assert_eq!(cases(&told).len(), 1);
    let stats = engine.check_stats();
    assert_eq!((stats.cases_written, stats.cases_failed), (0, 1));
    fs::remove_file(&path).expect("the file can be removed");
}

#[test]
fn only_so_many_files_are_written() {
    let path = folder("many");
    let checking = Checking { case_folder: Some(path.clone()), case_files_max: 1, ..Checking::new() };
    let (builder, told) = telling(&BentTier::new(Bend::Gas), Mode::Check, checking);
    let engine = builder.build();
    call(&mut executor(engine.clone(), CALLING, PLAIN));
    assert_eq!((cases(&told).len(), engine.check_stats().cases_written), (2, 1));
    fs::remove_dir_all(&path).expect("the folder can be removed");
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let text = case_of(Bend::Gas, CALLING).to_string();
    for end in 0..text.len() - 1 {
        assert!(Case::parse(&text.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn refusals_say_where() {
    let text = case_of(Bend::Gas, CALLING).to_string();
    let refusal = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        Case::parse(changed.as_bytes()).expect_err(from).to_string()
    };
    assert!(refusal("zvm-case 1", "zvm-case 2").starts_with("line 1: not a case file"));
    assert!(refusal("rules osaka", "rules paris").contains("no fork is called `paris`"));
    assert!(refusal("\ngas ", "\ngas 99999999999999999999").contains("is not what stands here"));
    assert!(refusal("\nend", "\nmystery 1\nend").contains("unknown line `mystery`"));
    assert!(refusal("\nend", "\ngas 5\nend").contains("a second line `gas`"));
    assert!(refusal("\nwith 0x", "\nwith 0x00").contains("is not what stands here"));
    assert!(refusal(" cold ", " tepid ").contains("`tepid` is neither cold, warm nor unaffordable"));
    assert!(Case::parse(&[0xff, 0xfe]).expect_err("not text").to_string().contains("not UTF-8"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is done to the text, it is refused, or runs to an end in both tiers.
    #[test]
    fn a_changed_file_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[0-9a-fx \n-]"), 1..4),
        which in 0..3usize,
    ) {
        static TEXTS: std::sync::OnceLock<[String; 3]> = std::sync::OnceLock::new();
        let texts = TEXTS.get_or_init(|| {
            [PLAIN, CALLING, CREATING].map(|target| case_of(Bend::Gas, target).to_string())
        });
        let mut text = texts[which].clone().into_bytes();
        for (place, with) in changes {
            let place = place.index(text.len());
            text[place] = with.as_bytes()[0];
        }
        if let Ok(mut case) = Case::parse(&text) {
            // A run ends within its gas; a test has not that much time.
            case.gas = case.gas.min(10_000_000);
            case.memory_limit = case.memory_limit.min(1 << 24);
            let engine = Engine::builder()
                .fork(case.spec.fork)
                .native_code(case.spec.native_code)
                .mode(Mode::Jit)
                .tier(BentTier::new(Bend::Straight))
                .build();
            if let Ok(replayed) = engine.replay(&case) {
                prop_assert_eq!(replayed.difference.filter(|_| replayed.departure.is_none()), None);
            }
        }
    }
}
