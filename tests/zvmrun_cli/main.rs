//! `zvmrun` end to end, as a process: every exit status, both forms of output, both tiers.
//!
//! [`counter`] is a contract made by hand, so that these tests need no compiler; [`from_source`] needs it. [`inside`] and
//! [`explore`] look at what becomes of code.
//! [`statetest`] has the command of that name, [`stored`] those about files of machine code and of cases.

mod counter;
mod explore;
mod from_source;
mod inside;
mod statetest;
mod stored;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use alloy_primitives::{hex, keccak256};
use serde_json::{Value, json};

/// A folder of files for one test, removed at its end.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Files {
        let folder = std::env::temp_dir().join(format!("zvmrun-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        Files(folder)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file can be written");
        path
    }

    fn counter(&self) -> PathBuf {
        self.write("Counter.zvmc", &counter::container())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn zvmrun(file: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zvmrun")).arg(file).args(arguments).output().expect("zvmrun starts")
}

/// Runs zvmrun, checks the status, and gives stdout and stderr.
#[track_caller]
fn run(file: &Path, arguments: &[&str], status: i32) -> (String, String) {
    let output = zvmrun(file, arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is text");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// Asserts that each part occurs, in that order.
#[track_caller]
fn assert_parts(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("`{part}` is not there, in order:\n{text}")).1;
    }
}

/// Whether this zvmrun has the JIT.
const HAS_JIT: bool = cfg!(feature = "jit");

#[test]
fn without_a_function_it_deploys_and_lists() {
    let files = Files::new("list");
    let (stdout, stderr) = run(&files.counter(), &["--init-args", "5"], 0);
    assert_parts(
        &stdout,
        &[
            "Counter (",
            "> deploy",
            "success",
            "(@contract)",
            "gas ",
            "function",
            "mutability",
            "get() -> u64",
            "view",
            "≤ 30000",
            "add(amount: u64)",
            "mutable",
            "take(amount: u64)",
        ],
    );
    assert_eq!(stderr, "");
}

#[test]
fn calls_share_one_world_and_a_failed_one_does_not_stop_the_rest() {
    let files = Files::new("calls");
    let calls = [
        "--init-args",
        "5",
        "--call",
        "add 10",
        "--call",
        "take 100",
        "--call",
        "get",
        "--call",
        "get() --from @bob",
    ];
    let (stdout, stderr) = run(&files.counter(), &calls, 10);
    assert_parts(
        &stdout,
        &[
            "> add 10",
            "outcome   success",
            "Added(who: 0x",
            "(@caller), by: 10)",
            "> take 100",
            "reverted: Insufficient(have: 15, need: 100)",
            "> get\n",
            "result    15",
            "> get() --from @bob",
            "result    15",
        ],
    );
    assert_eq!(
        stderr,
        "zvmrun: `take 100` reverted with Insufficient(have: 15, need: 100)\n  at: call 2 of 4\n"
    );
}

#[test]
fn the_status_is_that_of_the_last_failure() {
    let files = Files::new("last");
    let counter = files.counter();
    run(&counter, &["--init-args", "0", "--call", "take 1", "--call", "nope", "--call", "get"], 5);
    run(&counter, &["--init-args", "0", "--call", "nope", "--call", "take 1", "--call", "get"], 10);
}

#[test]
fn names_signatures_and_selectors_find_a_function() {
    let files = Files::new("spelling");
    let counter = files.counter();
    let selector = hex::encode_prefixed(&keccak256("add(uint64)")[..4]);
    for function in ["add", "add(uint64)", "add(u64)", &selector] {
        let (stdout, _) = run(&counter, &["--init-args", "1", function, "0x10"], 0);
        assert_parts(&stdout, &["by: 16)"]);
    }
    let calldata = format!("0x{}{:064x}", hex::encode(&keccak256("add(uint64)")[..4]), 7);
    let (stdout, _) = run(&counter, &["--init-args", "1", "--calldata", &calldata], 0);
    assert_parts(&stdout, &["> --calldata", "by: 7)"]);
}

#[test]
fn every_end_of_a_program_is_told_apart() {
    let files = Files::new("ends");
    let counter = files.counter();
    for (call, status, stdout_part, stderr_part) in [
        ("take 9", 10, "reverted: Insufficient(have: 1, need: 9)", "reverted with Insufficient"),
        ("text", 10, "reverted: Error(\"too\")", "reverted with Error"),
        ("fault", 10, "reverted: Panic(0x12): division", "division or remainder by zero"),
        (
            "add 18446744073709551615",
            10,
            "reverted: Panic(0x11): arithmetic overflow",
            "does not fit its type",
        ),
        ("spin", 11, "trap: out of gas", "it had 100000, give it more with --gas"),
        ("trap", 12, "trap: invalid jump", "a jump went to an offset"),
    ] {
        let (stdout, stderr) =
            run(&counter, &["--init-args", "1", "--gas", "100000", "--call", call], status);
        assert_parts(&stdout, &[stdout_part]);
        assert_parts(&stderr, &[stderr_part]);
    }
    let (_, stderr) = run(&counter, &["--init-args", "1", "--calldata", "0x01020304"], 10);
    assert_parts(&stderr, &["reverted without data", "no such function"]);
}

#[test]
fn a_wrong_argument_names_itself_its_type_and_the_range() {
    let files = Files::new("arguments");
    let counter = files.counter();
    for (arguments, status, part) in [
        (
            &["add", "18446744073709551616"][..],
            6,
            "argument 1 `amount` of `add`: `18446744073709551616` is not a u64: 18446744073709551616 is out of \
             the range 0..=18446744073709551615",
        ),
        (&["add", "-1"], 6, "-1 is out of the range 0..="),
        (&["add", "ten"], 6, "not a number"),
        (&["add"], 6, "`add` takes 1 argument, here are 0"),
        (&["get", "1"], 6, "`get` takes 0 arguments, here are 1"),
        (&["hash", "12"], 6, "bytes are written 0x"),
        (&["gte"], 5, "did you mean `get`?"),
        (&["nothing_like_it"], 5, "its functions are:"),
        (&["--calldata", "0x1"], 2, "--calldata `0x1`"),
        (&["--gas", "-1", "get"], 2, "--gas"),
        (&["--gas", "99999999999999999999"], 2, "--gas"),
        (&["--from", "@", "get"], 2, "--from `@`"),
        (&["--fork", "shanghai"], 2, "write cancun, prague or osaka"),
        (&["--call", ""], 2, "empty"),
        (&["--no-such-flag"], 2, "unexpected argument"),
        (&["--interp", "--jit"], 2, "cannot be used with"),
        (&["get", "--gas", "20000"], 13, "costs"),
    ] {
        let (_, stderr) = run(&counter, &[&["--init-args", "1"], arguments].concat(), status);
        assert_parts(&stderr, &[part]);
    }
    for (init_args, status) in [("", 6), ("1 2", 6), ("x", 6), ("'x", 2)] {
        let (_, stderr) = run(&counter, &["--init-args", init_args, "get"], status);
        assert_parts(&stderr, &["at: --init-args"]);
    }
}

#[test]
fn value_goes_with_calls_and_senders_must_have_it() {
    let files = Files::new("value");
    let code = files.write("value.zvm", b"callvalue\n push1 0\n mstore\n push1 32\n push1 0\n return\n");
    let (stdout, _) = run(&code, &["--value", "0xff"], 0);
    assert_parts(&stdout, &["note: no init code", "> run", &format!("output    0x{:064x}", 255)]);
    let (_, stderr) = run(&code, &["--value", &format!("0x{}", "f".repeat(64))], 13);
    assert_parts(&stderr, &["wei", "send less with --value"]);
    let (_, stderr) = run(&code, &["--init-args", "0x01"], 6);
    assert_parts(&stderr, &["there is no init code"]);
    let (_, stderr) = run(&code, &["get"], 5);
    assert_parts(&stderr, &["the file has no ABI", "--calldata"]);
}

#[test]
fn files_that_cannot_be_run_say_what_where_and_what_to_do() {
    let files = Files::new("files");
    let mut bytes = std::fs::read(files.counter()).unwrap();
    bytes.truncate(100);
    for (name, bytes, part) in [
        ("cut.zvmc", &bytes[..], "not a sound container"),
        ("text.zvmc", b"halt", "not a sound container"),
        ("a.kalix", b"contract C {}", "kalixc build"),
        ("bytes", b"\x00\xff", "byte 1 is not UTF-8"),
        ("typo.zvm", b"halt\n pusk1 0\n", "push1"),
    ] {
        let path = files.write(name, bytes);
        let (_, stderr) = run(&path, &[], 4);
        assert_parts(&stderr, &["zvmrun: ", part]);
        assert!(stderr.contains(name), "{stderr}");
    }
    let (_, stderr) = run(&files.0.join("missing.zvmc"), &[], 3);
    assert_parts(&stderr, &["cannot read the file", "at: ", "missing.zvmc", "help: "]);
    run(&files.0, &[], 3);
}

#[test]
fn json_is_one_document_with_the_same_facts() {
    let files = Files::new("json");
    let counter = files.counter();
    let (stdout, _) = run(
        &counter,
        &["--json", "--init-args", "5", "--call", "add 10", "--call", "take 100", "--call", "get"],
        10,
    );
    let document: Value = serde_json::from_str(&stdout).expect("stdout is one JSON document");
    assert_eq!(document["contract"], "Counter");
    assert_eq!(document["deployment"]["outcome"], "success");
    assert!(document["address"].as_str().unwrap().starts_with("0x"));
    assert_eq!(document["deployment"]["contract"], document["address"]);
    let calls = document["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0]["function"], "add(uint64)");
    assert_eq!(calls[0]["logs"][0]["event"], "Added");
    assert_eq!(calls[0]["logs"][0]["fields"][1], json!({ "name": "by", "type": "u64", "value": "10" }));
    let gas = &calls[0]["gas"];
    let [used, intrinsic, execution] =
        ["used", "intrinsic", "execution"].map(|part| gas[part].as_u64().unwrap());
    assert_eq!(used, intrinsic + execution);
    assert_eq!(calls[1]["outcome"], "revert");
    assert_eq!(calls[1]["reason"]["name"], "Insufficient");
    assert_eq!(calls[1]["reason"]["fields"][0]["value"], "15");
    assert_eq!(calls[1]["status"], 10);
    assert_eq!(calls[2]["result"], json!([{ "name": "", "type": "u64", "value": "15" }]));
    assert_eq!((&document["status"], &document["status_name"]), (&json!(10), &json!("reverted")));
    // Failures of the command line and the file are in the document, too.
    for (arguments, status) in [(&["--json", "--fork", "x"][..], 2), (&["--json"], 6)] {
        let document: Value = serde_json::from_str(&run(&counter, arguments, status).0).unwrap();
        assert_eq!(document["status"], status);
        assert!(!document["error"]["message"].as_str().unwrap().is_empty());
    }
    let document: Value = serde_json::from_str(&run(&counter, &["--json", "--init-args", "1"], 0).0).unwrap();
    assert_eq!(document["functions"][0]["typed_signature"], "get() -> u64");
    assert_eq!(document["functions"][0]["gas_bound"], 30_000);
}

#[test]
fn blocks_are_counted() {
    let files = Files::new("blocks");
    let counter = files.counter();
    let blocks = |flag: &str| {
        let (stdout, _) = run(&counter, &["--json", flag, "--init-args", "1", "get"], 0);
        let document: Value = serde_json::from_str(&stdout).unwrap();
        let blocks = document["calls"][0]["blocks"].clone();
        (blocks["compiled"].as_u64().unwrap(), blocks["interpreted"].as_u64().unwrap())
    };
    let (compiled, interpreted) = blocks("--interp");
    assert_eq!(compiled, 0);
    assert!(interpreted >= 2, "{interpreted}");
    if HAS_JIT {
        let (compiled, _) = blocks("--jit");
        assert!(compiled >= 2, "{compiled}");
    }
}

#[test]
fn check_compares_both_tiers() {
    let files = Files::new("check");
    let counter = files.counter();
    let arguments = [
        "--check",
        "--init-args",
        "5",
        "--call",
        "add 10",
        "--call",
        "take 100",
        "--call",
        "fault",
        "--call",
        "get",
    ];
    if !HAS_JIT {
        let (_, stderr) = run(&counter, &arguments, 22);
        assert_parts(&stderr, &["--check needs native code", "feature `jit`"]);
        run(&counter, &["--jit"], 22);
        return;
    }
    let (stdout, _) = run(&counter, &arguments, 10);
    assert_eq!(stdout.matches("check     equal: outcome, output, gas (interpreter ").count(), 5, "{stdout}");
    assert_parts(&stdout, &["> get", "result    15"]);
    let document: Value =
        serde_json::from_str(&run(&counter, &[&["--json"], &arguments[..]].concat(), 10).0).unwrap();
    for call in document["calls"].as_array().unwrap() {
        assert_eq!(call["check"]["equal"], true);
        assert_eq!(call["gas"], call["check"]["native"]["gas"]);
        assert_eq!(call["blocks"]["compiled"], 0);
        assert!(call["check"]["native"]["blocks"]["compiled"].as_u64().unwrap() > 0, "{call}");
    }
    assert_eq!(document["calls"][0]["check"]["slots_compared"], 1);
}

#[test]
fn an_execution_above_its_bound_is_noted() {
    let files = Files::new("bound");
    let counter = files.counter();
    let note = "`add 1` executed ";
    let (stdout, _) = run(&counter, &["--init-args", "1", "add", "1"], 0);
    assert_parts(&stdout, &["(bound of the execution: 30000)"]);
    assert!(!stdout.contains(note), "{stdout}");
    let low = counter::container_with(|abi| abi["functions"][1]["gas"]["bound"] = json!(5000));
    let (stdout, _) = run(&files.write("low.zvmc", &low), &["--init-args", "1", "add", "1"], 0);
    assert_parts(&stdout, &[note, "above the bound 5000 of its ABI"]);
}

#[test]
fn an_empty_file_is_no_program() {
    let files = Files::new("empty");
    for text in [&b""[..], b" \n\n"] {
        let (_, stderr) = run(&files.write("empty.zvm", text), &[], 4);
        assert_parts(&stderr, &["the file is empty", "empty.zvm"]);
    }
}

#[test]
fn a_check_that_compares_nothing_fails_and_jit_says_why() {
    if !HAS_JIT {
        return;
    }
    let files = Files::new("nothing");
    let nothing = files.write("nothing.zvm", b".evm\n");
    let (_, stderr) = run(&nothing, &["--check"], 21);
    assert_parts(&stderr, &["the check compared nothing", "there is no code"]);
    let (stdout, _) = run(&nothing, &["--jit"], 0);
    assert_parts(&stdout, &["note: no block ran as native code: there is no code"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let files = Files::new("pipe");
    let mut command = Command::new(env!("CARGO_BIN_EXE_zvmrun"));
    command.arg(files.counter()).args(["--init-args", "1", "--call", "get", "--call", "take 5"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("zvmrun starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("zvmrun ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn help_goes_to_stdout_and_lists_the_statuses() {
    let output = zvmrun(Path::new("--help"), &[]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert_parts(
        &stdout,
        &["Usage: zvmrun [--interp | --jit | --check]", "Exit status:", " 0  ", "20  --check"],
    );
    let (_, stderr) = run(Path::new("--bogus"), &[], 2);
    assert!(!stderr.is_empty());
}
