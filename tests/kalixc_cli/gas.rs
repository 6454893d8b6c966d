//! `kalixc gas` and its snapshots.

use std::fs;
use std::path::Path;

use super::{NATIVE_EXAMPLES, expect, files, folder};

const SOURCE: &str = "contract Counter {\n    pub state n: u64;\n    pub fn bump() { state.n += 1; }\n}\n\
    test \"bump\" { let c = new Counter(); c.bump(); }\n";

#[test]
fn functions_are_listed_with_their_figures() {
    let folder = folder("gas_table");
    fs::write(folder.join("a.kalix"), SOURCE).unwrap();
    let (stdout, _) = expect(&folder, &["gas", "a.kalix"], 0);
    assert!(stdout.starts_with("function"), "{stdout}");
    assert!(stdout.contains("Counter.bump") && stdout.contains("SLOAD, SSTORE"), "{stdout}");
    let (stdout, _) = expect(&folder, &["gas", "a.kalix", "--only", "Counter.n"], 0);
    assert!(!stdout.contains("bump"), "{stdout}");
    let (_, stderr) = expect(&folder, &["gas", "a.kalix", "--only", "nothing"], 1);
    assert!(stderr.contains("no function of a.kalix has `nothing` in its name"), "{stderr}");
    fs::write(folder.join("empty.kalix"), "").unwrap();
    let (_, stderr) = expect(&folder, &["gas", "empty.kalix"], 1);
    assert!(stderr.contains("empty.kalix holds no function"), "{stderr}");
    let (_, stderr) = expect(&folder, &["audit", "empty.kalix"], 1);
    assert!(stderr.contains("empty.kalix holds no contract"), "{stderr}");
}

#[test]
fn a_snapshot_is_kept_and_compared() {
    let folder = folder("gas_snapshot");
    fs::write(folder.join("a.kalix"), SOURCE).unwrap();
    expect(&folder, &["gas", "snapshot", "a.kalix", "--check"], 2);
    expect(&folder, &["gas", "snapshot", "a.kalix"], 0);
    assert_eq!(files(&folder), [".gas-snapshot", "a.kalix"]);
    let text = fs::read_to_string(folder.join(".gas-snapshot")).unwrap();
    assert!(text.ends_with("\tbump\n"), "{text}");
    let (stdout, _) = expect(&folder, &["gas", "snapshot", "a.kalix", "--check"], 0);
    assert!(stdout.contains("1 tests cost what"), "{stdout}");

    fs::write(folder.join("a.kalix"), SOURCE.replace("+= 1", "= state.n * 3 + 1")).unwrap();
    let (stdout, _) = expect(&folder, &["gas", "snapshot", "a.kalix", "--check"], 1);
    assert!(stdout.starts_with("bump: ") && stdout.contains(" -> "), "{stdout}");
    assert_eq!(fs::read_to_string(folder.join(".gas-snapshot")).unwrap(), text, "nothing is written");
    fs::write(folder.join("a.kalix"), SOURCE.replace("\"bump\"", "\"other\"")).unwrap();
    let (stdout, _) = expect(&folder, &["gas", "snapshot", "a.kalix", "--check"], 1);
    assert!(stdout.contains("other: new") && stdout.contains("bump: gone"), "{stdout}");
    fs::write(folder.join(".gas-snapshot"), "nonsense\n").unwrap();
    expect(&folder, &["gas", "snapshot", "a.kalix", "--check"], 2);
    fs::write(folder.join("a.kalix"), SOURCE.replace("c.bump();", "assert(false);")).unwrap();
    expect(&folder, &["gas", "snapshot", "a.kalix"], 1);
}

/// Every function of every example is called by its tests, and every call costs what the estimator says of it.
#[test]
fn estimates_of_all_paths_of_all_examples_are_exact() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let names = files(&examples).into_iter().filter(|name| name.ends_with(".kalix")).collect::<Vec<_>>();
    assert!(names.len() >= 31, "{names:?}");
    let mut calls = 0;
    for (name, target) in names.iter().flat_map(|name| [(name, "zvm"), (name, "evm")]) {
        if target == "evm" && NATIVE_EXAMPLES.contains(&name.as_str()) {
            continue;
        }
        let (stdout, stderr) = expect(&examples, &["gas", "paths", name, "--target", target], 0);
        let summary = stdout.lines().last().unwrap_or_default();
        assert!(summary.ends_with("0 off; 0 never called"), "{name} for {target}: {stdout}\n{stderr}");
        // What precompiled contracts take is reported, not estimated: only signatures are checked by one.
        let has_outside = !summary.contains("; 0 with code from outside;");
        assert_eq!(has_outside, name == "permit.kalix", "{name} for {target}: {summary}");
        calls += summary.split(' ').next().and_then(|count| count.parse::<u64>().ok()).expect("a count");
    }
    assert!(calls >= 2_500, "{calls} calls");
}

#[test]
fn paths_say_what_no_test_calls() {
    let folder = folder("gas_paths");
    fs::write(folder.join("a.kalix"), SOURCE).unwrap();
    let (stdout, _) = expect(&folder, &["gas", "paths", "a.kalix"], 0);
    assert!(stdout.contains("Counter.n") && stdout.contains("never called"), "{stdout}");
    assert!(
        stdout.ends_with("2 calls of 3 functions; 0 with code from outside; 0 off; 1 never called\n"),
        "{stdout}"
    );
    fs::write(folder.join("a.kalix"), SOURCE.split("test").next().unwrap()).unwrap();
    let (_, stderr) = expect(&folder, &["gas", "paths", "a.kalix"], 1);
    assert!(stderr.contains("a.kalix holds no test"), "{stderr}");
    fs::write(folder.join("a.kalix"), SOURCE.replace("c.bump();", "assert(false);")).unwrap();
    let (_, stderr) = expect(&folder, &["gas", "paths", "a.kalix"], 1);
    assert!(stderr.contains("the test \"bump\" fails"), "{stderr}");
}

const VAULT: &str = "contract Vault {\n    pub state total: u256;\n    pub state { paused: bool, fee: u16 }\n    \
    pub table held: Map<Address, u64>;\n    table lent: Map<Address, Map<u8, i64>>;\n    error Off;\n    \
    receive() payable { state.total += msg.value; }\n    \
    pub fn put(n: u64) { require(!state.paused, Off()); state.held[msg.sender] += n; state.total += n as u256; }\n    \
    pub fn lend(to: Address, kind: u8) { state.lent[to][kind] -= 1; state.fee = 7; }\n}\n\
    contract User { constructor(vault: Address) { state.vault = vault; } immutable vault: Address;\n    \
    pub fn put(n: u64) { Vault(state.vault).put(n); } }\n";

#[test]
fn one_call_is_estimated_in_a_given_state() {
    let folder = folder("gas_call");
    fs::write(folder.join("a.kalix"), VAULT).unwrap();
    let figures = |args: &[&str]| {
        let all = [&["gas", "a.kalix", "--function"], args].concat();
        let (stdout, stderr) = expect(&folder, &all, 0);
        let figure = |name: &str| {
            let line = stdout.lines().find(|line| line.trim_start().starts_with(name)).expect(name);
            line.split_whitespace().find_map(|word| word.parse::<u64>().ok()).expect("a figure")
        };
        assert_eq!(figure("estimate"), figure("executed"), "{args:?}: {stdout}{stderr}");
        (figure("estimate"), stdout)
    };
    let caller = "0x00000000000000000000000000000000000000A1";
    let put = |more: &[&str]| figures(&[&["Vault.put", "--args", "5", "--from", caller], more].concat());
    let (first, shown) = put(&[]);
    assert!(shown.starts_with("Vault.put succeeds\n") && shown.contains("SSTORE from zero"), "{shown}");
    // From another word than zero a store costs 17,100 less, and two words are stored.
    let held = format!("held[{caller}]=3");
    let (second, _) = put(&["--state", &held]);
    assert_eq!(first - second, 20_000 - 2_900);
    let (both, _) = put(&["--state", &held, "--state", "total=9"]);
    assert_eq!(second - both, 20_000 - 2_900);
    let before = format!("Vault.put(7) from {caller}");
    assert_eq!(put(&["--before", "new Vault()", "--before", &before]).0, both);
    // Fields of a group share a slot.
    let (_, shown) = put(&["--state", "paused=true", "--state", "fee=9"]);
    assert!(shown.starts_with("Vault.put reverts with 0x"), "{shown}");
    put(&["--state", "paused=false", "--state", "fee=9", "--target", "evm"]);
    let (_, shown) = figures(&[
        "Vault.lend",
        "--args",
        "0x00000000000000000000000000000000000000b2, 4",
        "--state",
        "lent[0x00000000000000000000000000000000000000b2][4]=-3",
        "--state",
        "paused=true",
    ]);
    assert!(
        shown.contains("SSTORE other value  ") && shown.contains("2 times") && !shown.contains("from zero"),
        "{shown}"
    );
    // Contracts that were created before stand for their addresses; what they cost is estimated, too.
    let (through, shown) =
        figures(&["User.put", "--args", "5", "--before", "new Vault()", "--before", "new User(Vault)"]);
    assert!(through > first && shown.contains("called contracts"), "{shown}");
    figures(&["Vault.receive", "--value", "12"]);
    figures(&["Vault.constructor"]);

    for (args, reason) in [
        (&["put"][..], "write CONTRACT.put"),
        (&["Vault.put"], "arguments are missing: (uint64)"),
        (&["Vault.put", "--args", "5", "--state", "nope=1"], "no state or table `nope`"),
        (&["Vault.put", "--args", "5", "--state", "total"], "sets nothing"),
        (&["Vault.put", "--args", "5", "--state", "total[1]=1"], "has no more keys"),
        (
            &["Vault.put", "--args", "5", "--state", "lent[0x00000000000000000000000000000000000000b2]=1"],
            "no single word",
        ),
        (&["Vault.put", "--args", "x"], "`x` as (uint64)"),
        (&["User.put", "--args", "1"], "create it with --before 'new User(…)'"),
        (&["Vault.put", "--args", "1", "--before", "Vault"], "is no step"),
    ] {
        let all = [&["gas", "a.kalix", "--function"], args].concat();
        let (_, stderr) = expect(&folder, &all, 2);
        assert!(stderr.contains(reason), "{args:?}: {stderr}");
    }
}
