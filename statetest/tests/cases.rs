//! Reading and running a small file of state tests: what passes, what differs, what is malformed.

use serde_json::{Value, json};
use zvm::engine::Mode;
use zvm_statetest::{Case, Entry, Run, read, run};

const STORE: &str = include_str!("files/store.json");

/// The file with one change.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut file: Value = serde_json::from_str(STORE).expect("the file is JSON");
    change(&mut file["store"]);
    file.to_string()
}

fn cases(text: &str) -> Vec<Case> {
    let entries = read(text).expect("the file is sound");
    let case = |entry| match entry {
        Entry::Case(case) => Some(*case),
        Entry::Skipped { .. } => None,
    };
    entries.into_iter().filter_map(case).collect()
}

fn run_first(text: &str) -> Run {
    let case = &cases(text)[0];
    run(case, &case.engine().mode(Mode::Interp).build())
}

/// Runs the first case and checks what differs.
#[track_caller]
fn check(text: &str, differences: &[(&str, &str, &str)]) {
    let run = run_first(text);
    let found: Vec<_> = run
        .differences
        .iter()
        .map(|difference| (&*difference.what, &*difference.expected, &*difference.found))
        .collect();
    assert_eq!(found, differences);
}

#[test]
fn a_row_is_a_case_and_other_forks_are_skipped() {
    let entries = read(STORE).unwrap();
    assert_eq!(entries.len(), 3);
    assert!(matches!(&entries[0], Entry::Skipped { reason: "fork before Cancun", .. }));
    let names: Vec<String> = cases(STORE).into_iter().map(|case| case.name).collect();
    assert_eq!(names, ["store [Prague d0 g0 v0]", "store [Prague d1 g1 v0]"]);
}

#[test]
fn what_is_expected_passes() {
    for case in cases(STORE) {
        let run = run(&case, &case.engine().build());
        assert!(run.passed(), "{}: {:#?}", case.name, run.differences);
    }
}

#[test]
fn a_wrong_slot_is_named() {
    let text = changed(|test| {
        test["post"]["Prague"][0]["state"]["0xcccccccccccccccccccccccccccccccccccccccc"]["storage"]["0x00"] =
            json!("0x04");
    });
    check(&text, &[("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC slot 0x0", "0x4", "0x3")]);
}

#[test]
fn a_wrong_root_is_shown_with_both_sides() {
    let text = changed(|test| {
        test["post"]["Prague"][0]["hash"] =
            json!("0x1111111111111111111111111111111111111111111111111111111111111111");
    });
    let run = run_first(&text);
    assert_eq!(run.differences.len(), 1);
    assert_eq!(run.differences[0].what, "state root");
    assert_eq!(run.differences[0].expected, format!("0x{}", "11".repeat(32)));
}

#[test]
fn an_exception_is_met_by_its_own_error_alone() {
    let expect = |name: &str| {
        changed(|test| {
            test["post"]["Prague"][1]["expectException"] = json!(name);
            test["post"]["Prague"][0] = test["post"]["Prague"][1].clone();
        })
    };
    check(&expect("TR_NoFunds|TransactionException.INTRINSIC_GAS_TOO_LOW"), &[]);
    let run = run_first(&expect("TransactionException.SENDER_NOT_EOA"));
    assert_eq!(run.differences.len(), 1);
    assert_eq!(run.differences[0].expected, "TransactionException.SENDER_NOT_EOA");
    assert!(run.differences[0].found.starts_with("refused: the gas limit is"), "{run:?}");
}

#[test]
fn an_exception_where_nothing_is_wrong_fails() {
    let text = changed(|test| {
        test["post"]["Prague"][0]["expectException"] = json!("TransactionException.NONCE_IS_MAX");
    });
    let run = run_first(&text);
    assert!(run.differences[0].found.starts_with("ran: "), "{run:?}");
}

#[test]
fn a_transaction_that_is_not_valid_fails_where_none_is_expected() {
    let text = changed(|test| test["transaction"]["nonce"] = json!("0x05"));
    let run = run_first(&text);
    assert_eq!((&*run.differences[0].what, &*run.differences[0].expected), ("transaction", "valid"));
}

#[test]
fn bytes_that_do_not_decode_meet_an_exception_about_the_encoding() {
    let with = |bytes: &str| {
        changed(|test| {
            test["post"]["Prague"][1]["expectException"] = json!("TransactionException.RLP_INVALID_VALUE");
            test["post"]["Prague"][1]["txbytes"] = json!(bytes);
            test["post"]["Prague"][0] = test["post"]["Prague"][1].clone();
        })
    };
    check(&with("0xc0"), &[]);
    // A signed call of type 2: it decodes, and its sender can be recovered.
    let sound = "0x02f86301800107830186a094ef5d8525b90f834e9b84a59351846383049035d48080c080a050b0296997589bfd424b094c3\
                 c7f39a89f518699fbe6f13c4d511ee5abe97438a06c7e63ab4d87efe9548c65d9c87fb64ac316f0d0e6bc29b3e230e479d9a\
                 653f1";
    let run = run_first(&with(sound));
    assert_eq!(run.differences.len(), 1, "{run:?}");
    assert!(run.differences[0].found.starts_with("decoded"), "{run:?}");
}

#[test]
fn the_sender_may_be_known_by_its_key() {
    let text = changed(|test| {
        test["transaction"]["sender"].take();
        test["transaction"]["secretKey"] =
            json!("0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8");
    });
    let case = &cases(&text)[0];
    let zvm_statetest::case::Sent::Fields(transaction) = &case.steps[0].transaction else { panic!("fields") };
    assert_eq!(transaction.from.to_string().to_lowercase(), "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b");
}

/// The error of a file names the field.
#[track_caller]
fn check_malformed(text: &str, parts: &[&str]) {
    let error = read(text).expect_err("the file is malformed").to_string();
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[test]
fn a_malformed_file_is_an_error_that_names_the_field() {
    check_malformed("", &[]);
    check_malformed("[]", &[]);
    check_malformed("{}", &["neither state tests"]);
    check_malformed("{\"store\": 5}", &["neither state tests"]);
    check_malformed(&STORE[..STORE.len() / 2], &[]);
    check_malformed(&format!("{STORE} x"), &["trailing"]);
    for (field, value) in [
        ("gasLimit", json!(["0x10000000000000000"])),
        ("value", json!(["0x1".to_owned() + &"0".repeat(64)])),
        ("data", json!(["0xabc"])),
        ("to", json!("0xcc")),
        ("nonce", json!("0x1ffffffffffffffff")),
        ("gasPrice", json!("ten")),
        ("sender", json!("0xa1")),
        ("secretKey", json!("0x00")),
    ] {
        let text = changed(|test| test["transaction"][field] = value);
        check_malformed(&text, &["store.transaction", field]);
    }
    for field in ["env", "pre", "transaction"] {
        let text = changed(|test| _ = test.as_object_mut().expect("a test is an object").remove(field));
        check_malformed(&text, &["store", field]);
    }
    check_malformed(&changed(|test| _ = test["env"]["currentBaseFee"].take()), &["store.env.currentBaseFee"]);
    check_malformed(&changed(|test| _ = test["transaction"]["sender"].take()), &["store.transaction.sender"]);
    check_malformed(
        &changed(|test| test["post"]["Prague"][1]["indexes"]["data"] = json!(2)),
        &["store.post.Prague[1].indexes.data"],
    );
    check_malformed(
        &changed(|test| test["post"]["Prague"][1]["expectException"] = json!("NO_SUCH_THING")),
        &["store.post.Prague[1].expectException", "NO_SUCH_THING"],
    );
}

#[test]
fn no_cut_of_a_file_panics() {
    for end in (0..STORE.len()).step_by(7) {
        assert!(read(&STORE[..end]).is_err(), "cut at {end}");
    }
}
