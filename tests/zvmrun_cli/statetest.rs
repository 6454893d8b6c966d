//! `zvmrun statetest`: exit statuses, what a failing case prints, the last line, the JSON document.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::{Files, HAS_JIT, assert_parts};

/// A file of three cases: one that runs, one that is refused, one of an old fork.
const STORE: &str = include_str!("../../statetest/tests/files/store.json");

/// The same with a wrong slot, and with the root that fits neither.
fn wrong() -> String {
    let mut file: Value = serde_json::from_str(STORE).expect("the file is JSON");
    let result = &mut file["store"]["post"]["Prague"][0];
    result["hash"] = json!(format!("0x{}", "11".repeat(32)));
    result["state"]["0xcccccccccccccccccccccccccccccccccccccccc"]["storage"]["0x00"] = json!("0x04");
    file.to_string()
}

/// Runs `zvmrun statetest`, checks the status, and gives stdout and stderr.
#[track_caller]
fn statetest(arguments: &[&str], paths: &[&Path], status: i32) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zvmrun"));
    let output = command.arg("statetest").args(arguments).args(paths).output().expect("zvmrun starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is text");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn cases_that_pass_give_status_0_and_the_total_stands_last() {
    let files = Files::new("statetest-pass");
    let store = files.write("store.json", STORE.as_bytes());
    let (stdout, stderr) = statetest(&[], &[&store], 0);
    assert!(
        last_line(&stdout).starts_with("2 passed, 0 failed, 1 skipped (1: fork before Cancun), "),
        "{stdout}"
    );
    assert!(last_line(&stdout).ends_with(" s"), "{stdout}");
    assert_eq!(stderr, "", "no progress where nobody looks");
}

#[test]
fn a_folder_is_searched_and_summed_up_by_folder() {
    let files = Files::new("statetest-folder");
    std::fs::create_dir_all(files.0.join("a/b")).expect("a folder can be made");
    files.write("a/one.json", STORE.as_bytes());
    files.write("a/b/two.json", wrong().as_bytes());
    files.write("a/b/readme.txt", b"not a test");
    let (stdout, _) = statetest(&["--threads", "3"], &[&files.0], 1);
    assert_parts(&stdout, &["FAILED", "two.json", "folder", "passed", "failed", "skipped"]);
    let row = |folder: &str| {
        let line = stdout.lines().find(|line| line.trim_start().starts_with(folder));
        line.unwrap_or_else(|| panic!("no row for {folder}:\n{stdout}")).split_whitespace().map(str::to_owned)
    };
    let folder = files.0.join("a").display().to_string();
    assert_eq!(row(&format!("{folder} ")).skip(1).collect::<Vec<_>>(), ["2", "0", "1"]);
    assert_eq!(row(&format!("{folder}/b ")).skip(1).collect::<Vec<_>>(), ["1", "1", "1"]);
    assert!(last_line(&stdout).starts_with("3 passed, 1 failed, 2 skipped"), "{stdout}");
}

#[test]
fn a_failing_case_gives_status_1_and_shows_both_sides() {
    let files = Files::new("statetest-fail");
    let store = files.write("store.json", wrong().as_bytes());
    let (stdout, _) = statetest(&[], &[&store], 1);
    assert_parts(
        &stdout,
        &[
            "FAILED",
            "store.json",
            "store [Prague d0 g0 v0] (interp)",
            "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC slot 0x0",
            "expected  0x4",
            "found     0x3",
            "state root",
            "expected  0x1111",
            "1 passed, 1 failed, 1 skipped",
        ],
    );
}

#[test]
fn failing_cases_beyond_the_limit_are_counted() {
    let files = Files::new("statetest-many");
    let paths: Vec<PathBuf> =
        (0..23).map(|number| files.write(&format!("{number:02}.json"), wrong().as_bytes())).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let (stdout, _) = statetest(&[], &paths, 1);
    assert_eq!(stdout.matches("FAILED").count(), 20);
    assert_parts(&stdout, &["19.json", "and 3 more failing cases"]);
    let (stdout, _) = statetest(&["--failures", "0"], &paths, 1);
    assert!(!stdout.contains("FAILED"), "{stdout}");
    assert_parts(&stdout, &["and 23 more failing cases"]);
}

#[test]
fn no_case_gives_status_2() {
    let files = Files::new("statetest-none");
    let (_, stderr) = statetest(&[], &[&files.0], 2);
    assert_parts(&stderr, &["no case was found"]);
    let store = files.write("store.json", STORE.as_bytes());
    let (_, stderr) = statetest(&["--fork", "osaka"], &[&store], 2);
    assert_parts(&stderr, &["no case was found"]);
    statetest(&["--fork", "prague"], &[&store], 0);
}

#[test]
fn a_file_that_is_absent_or_malformed_gives_status_2_and_its_name() {
    let files = Files::new("statetest-malformed");
    let (_, stderr) = statetest(&[], &[&files.0.join("absent.json")], 2);
    assert_parts(&stderr, &["absent.json"]);
    let cut = files.write("cut.json", &STORE.as_bytes()[..STORE.len() / 2]);
    let (_, stderr) = statetest(&[], &[&cut], 2);
    assert_parts(&stderr, &["cut.json"]);
    let other = files.write("other.json", b"{\"name\": 1}");
    let (_, stderr) = statetest(&[], &[&other], 2);
    assert_parts(&stderr, &["other.json", "neither state tests"]);
    let gas = files.write("gas.json", STORE.replace("0x186a0", "0x10000000000000000").as_bytes());
    let store = files.write("store.json", STORE.as_bytes());
    let (stdout, stderr) = statetest(&[], &[&gas, &store], 2);
    assert_parts(&stderr, &["gas.json", "store.transaction.gasLimit[0]"]);
    assert!(last_line(&stdout).starts_with("2 passed"), "the other file is run: {stdout}");
}

#[test]
fn a_command_line_that_makes_no_sense_gives_status_2() {
    let files = Files::new("statetest-usage");
    let store = files.write("store.json", STORE.as_bytes());
    statetest(&[], &[], 2);
    statetest(&["--tier", "fast"], &[&store], 2);
    statetest(&["--threads", "0"], &[&store], 2);
    let (_, stderr) = statetest(&["--fork", "london"], &[&store], 2);
    assert_parts(&stderr, &["there is no fork `london`"]);
    let (stdout, _) = statetest(&["--help"], &[], 0);
    assert_parts(&stdout, &["Usage: zvmrun statetest", "--tier", "Exit status:"]);
}

#[test]
fn what_is_listed_is_skipped_with_its_reason() {
    let files = Files::new("statetest-skip");
    std::fs::create_dir_all(files.0.join("stTimeConsuming")).expect("a folder can be made");
    let listed = files.write("stTimeConsuming/CALLBlake2f_MaxRounds.json", STORE.as_bytes());
    let (stdout, _) = statetest(&[], &[&listed], 0);
    assert_parts(last_line(&stdout), &["0 passed, 0 failed, 3 skipped (", "2: 2^32-1 rounds"]);
}

#[test]
fn a_file_named_like_the_command_is_still_reachable() {
    let files = Files::new("statetest-name");
    files.write("statetest", b"push1 1\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_zvmrun"));
    let output = command.arg("./statetest").current_dir(&files.0).output().expect("zvmrun starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn json_is_one_document_with_the_same_facts() {
    let files = Files::new("statetest-json");
    let store = files.write("store.json", wrong().as_bytes());
    let (stdout, _) = statetest(&["--json"], &[&store], 1);
    let document: Value = serde_json::from_str(&stdout).expect("stdout is JSON");
    assert_eq!(
        (&document["passed"], &document["failed"], &document["skipped"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(document["tier"], "interp");
    assert_eq!(document["skipped_by_reason"], json!({ "fork before Cancun": 1 }));
    assert!(document["seconds"].is_f64());
    assert_eq!(document["folders"][0]["folder"], json!(files.0.display().to_string()));
    let failure = &document["failures"][0];
    assert_eq!(failure["file"], json!(store.display().to_string()));
    assert_eq!((&failure["case"], &failure["tier"]), (&json!("store [Prague d0 g0 v0]"), &json!("interp")));
    assert_eq!(failure["differences"][0]["expected"], "0x4");
    assert_eq!(failure["differences"][0]["found"], "0x3");
    assert_eq!(document["failures_not_shown"], 0);
    assert_eq!(document["errors"], json!([]));
}

#[test]
fn native_code_runs_and_its_share_is_told() {
    let files = Files::new("statetest-jit");
    let store = files.write("store.json", STORE.as_bytes());
    if !HAS_JIT {
        let (_, stderr) = statetest(&["--tier", "jit"], &[&store], 2);
        assert_parts(&stderr, &["without it"]);
        return;
    }
    for tier in ["jit", "both"] {
        let (stdout, _) = statetest(&["--tier", tier], &[&store], 0);
        // push1 0 calldataload push1 0 sstore, and the end of the code
        assert_parts(&stdout, &["100.000 % of 5 operations ran as native code", "2 passed"]);
    }
    let (stdout, _) = statetest(&["--tier", "jit", "--json"], &[&store], 0);
    let document: Value = serde_json::from_str(&stdout).expect("stdout is JSON");
    assert_eq!(
        (&document["operations_compiled"], &document["operations_interpreted"]),
        (&json!(5), &json!(0))
    );
    assert_eq!(document["is_native_enough"], true);
    statetest(&["--tier", "mixed"], &[&store], 0);
}

/// The first case of the file with its code made longer than what is compiled, and the root that this gives.
fn too_long_to_compile(files: &Files) -> PathBuf {
    let mut file: Value = serde_json::from_str(STORE).expect("the file is JSON");
    let contract = "0xcccccccccccccccccccccccccccccccccccccccc";
    let code = json!(format!("0x600035600055{}", "00".repeat(140_000)));
    file["store"]["pre"][contract]["code"] = code.clone();
    let rows = file["store"]["post"]["Prague"].as_array_mut().expect("rows by fork");
    rows.truncate(1);
    rows[0]["state"][contract]["code"] = code;
    let path = files.write("long.json", file.to_string().as_bytes());
    let (stdout, _) = statetest(&["--json"], &[&path], 1);
    let document: Value = serde_json::from_str(&stdout).expect("stdout is JSON");
    let differences = &document["failures"][0]["differences"];
    assert_eq!((&differences[0]["what"], &differences[1]), (&json!("state root"), &Value::Null));
    file["store"]["post"]["Prague"][0]["hash"] = differences[0]["found"].clone();
    files.write("long.json", file.to_string().as_bytes())
}

#[test]
fn too_little_native_code_gives_status_1_though_every_case_passes() {
    if !HAS_JIT {
        return;
    }
    let files = Files::new("statetest-share");
    let long = too_long_to_compile(&files);
    statetest(&["--tier", "interp"], &[&long], 0);
    let (stdout, _) = statetest(&["--tier", "jit"], &[&long], 1);
    assert_parts(
        &stdout,
        &["0.000 % of 5 operations ran as native code", "asks for 99 %", "1 passed, 0 failed"],
    );
    let (stdout, _) = statetest(&["--tier", "jit", "--json"], &[&long], 1);
    let document: Value = serde_json::from_str(&stdout).expect("stdout is JSON");
    assert_eq!((&document["failed"], &document["is_native_enough"]), (&json!(0), &json!(false)));
    // The rule is one of the tier, not of the code.
    statetest(&["--tier", "both"], &[&long], 0);
}

#[test]
fn where_no_operation_runs_none_is_missing() {
    if !HAS_JIT {
        return;
    }
    let files = Files::new("statetest-nothing");
    let mut file: Value = serde_json::from_str(STORE).expect("the file is JSON");
    let rows = file["store"]["post"]["Prague"].as_array_mut().expect("rows by fork");
    // The refused transaction alone.
    rows.remove(0);
    let path = files.write("refused.json", file.to_string().as_bytes());
    let (stdout, _) = statetest(&["--tier", "jit"], &[&path], 0);
    assert_parts(&stdout, &["no operation was executed", "1 passed"]);
}
