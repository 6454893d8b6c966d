//! Contracts in Kalix, compiled by `kalixc` and run by `zvmrun`.

use std::path::Path;
use std::process::Command;

use super::{Files, HAS_JIT, assert_parts, run};

const COIN: &str = "
contract Coin {
    pub state total: u256;
    pub table balances: Map<Address, u128>;
    event Transfer(indexed from: Address, indexed to: Address, amount: u128);
    error Insufficient(have: u128, need: u128);
    error Limits { TooBig(limit: u8), Closed }

    constructor(owner: Address, start: u128) {
        state.total = start as u256;
        state.balances[owner] = start;
    }
    pub fn transfer(to: Address, amount: u128) -> Result<bool, Insufficient> {
        let have = state.balances[msg.sender];
        if have < amount { return Err(Insufficient(have, amount)); }
        state.balances[msg.sender] = have - amount;
        state.balances[to] += amount;
        emit Transfer(msg.sender, to, amount);
        Ok(true)
    }
    pub fn pay() payable -> u256 { msg.value }
    pub fn pair(a: i8, b: bool, h: Hash) view -> (i8, bool, Hash) { (-a, !b, h) }
    pub fn check(x: u8) view -> u8 {
        require(x < 10, \"x is too large\");
        require(x != 5, Limits::TooBig(5));
        x + 250
    }
    pub fn div(a: i64, b: i64) view -> i64 { a / b }
}
";

/// Compiles a source file into the folder of the test.
fn compile(source: &Path, files: &Files) {
    let mut kalixc = Command::new(env!("CARGO_BIN_EXE_kalixc"));
    let output = kalixc.arg("build").arg(source).arg("-o").arg(&files.0).output().expect("kalixc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_vault_runs_from_its_source() {
    let files = Files::new("vault");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/token_vault.kalix");
    let kalixc =
        Command::new(env!("CARGO_BIN_EXE_kalixc")).args(["build", source, "-o"]).arg(&files.0).output();
    let kalixc = kalixc.expect("kalixc starts");
    assert!(kalixc.status.success(), "{}", String::from_utf8_lossy(&kalixc.stderr));
    let tier = if HAS_JIT { "--check" } else { "--interp" };
    let calls = [
        tier,
        "--call",
        "deposit 100",
        "--call",
        "withdraw 40",
        "--call",
        "balance_of @caller",
        "--call",
        "balance_of @alice",
        "--call",
        "deposit 0",
        "--call",
        "deposit 18446744073709551615",
        "--call",
        "deposit 7 --value 1",
        "--call",
        "withdraw 1000",
    ];
    let (stdout, _) = run(&files.0.join("TokenVault.zvmc"), &calls, 10);
    assert_parts(
        &stdout,
        &[
            "Deposited(account: ",
            "(@caller), amount: 100)",
            "Withdrawn(account: ",
            "result    60",
            "result    0",
            "reverted: ZeroAmount()",
            "reverted: Panic(0x11)",
            "reverted: no data",
            "reverted: Insufficient(have: 60, need: 1000)",
        ],
    );
    if HAS_JIT {
        assert_eq!(stdout.matches("check     equal: ").count(), 9, "{stdout}");
    }
}

#[test]
fn constructors_senders_and_types_work_from_source() {
    let files = Files::new("coin");
    let source = files.write("coin.kalix", COIN.as_bytes());
    compile(&source, &files);
    let coin = files.0.join("Coin.zvmc");
    let hash = format!("0x{}", "ab".repeat(32));
    let cases: &[(&str, &str)] = &[
        ("total", "result    1000"),
        ("balances @alice", "result    1000"),
        ("transfer @bob 10 --from @alice", "(@alice), to: "),
        ("transfer @bob 10", "reverted: Insufficient(have: 0, need: 10)"),
        ("balances @bob", "result    10"),
        ("pay --value 77", "result    77"),
        ("pair -128 true HASH", "reverted: Panic(0x11)"),
        ("pair -127 true HASH", "result    127, false, 0xabab"),
        ("check 10", "reverted: Error(\"x is too large\")"),
        ("check 5", "reverted: TooBig(limit: 5)"),
        ("check 6", "reverted: Panic(0x11)"),
        ("div 7 -2", "result    -3"),
        ("div 7 0", "reverted: Panic(0x12)"),
        ("div -9223372036854775808 -1", "reverted: Panic(0x11)"),
    ];
    let tier = if HAS_JIT { "--check" } else { "--interp" };
    let mut arguments = vec![tier.to_string(), "--init-args".into(), "@alice 1000".into()];
    for (call, _) in cases {
        arguments.extend(["--call".into(), call.replace("HASH", &hash)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (stdout, _) = run(&coin, &arguments, 10);
    let steps: Vec<&str> = stdout.split("\n> ").skip(2).collect();
    assert_eq!(steps.len(), cases.len());
    for (step, (call, part)) in steps.iter().zip(cases) {
        assert!(step.contains(part), "`{call}` was to give `{part}`:\n{step}");
        assert!(!HAS_JIT || step.contains("check     equal: "), "{step}");
    }
    // Without its arguments the constructor says what it takes.
    let (_, stderr) = run(&coin, &[], 6);
    assert_parts(&stderr, &["the constructor takes 2 arguments", "(owner: Address, start: u128)"]);
}

const PLACES: &str = "\
contract Gate {
    pub state open: bool;
    pub state sum: u8;
    error Shut(code: u8);
    constructor(open: bool, start: u8) {
        require(start < 100, Shut(start));
        state.open = open;
        state.sum = start;
    }
    pub fn pass(n: u8) {
        require(state.open, Shut(7));
        state.sum = added(state.sum, n);
    }
    pub fn again(n: u8) {
        Gate(self.address).pass(n);
    }
    fn added(a: u8, b: u8) -> u8 {
        let half = a / b;
        a + b - half
    }
    pub fn spin() { let mut n = 0u256; while true { n = n +% 1; state.sum = 1; } }
}
";

/// Text and JSON name the line of a trap or revert, at every level and for both targets.
#[test]
fn failures_name_their_place_in_the_source() {
    let files = Files::new("places");
    let source = files.write("gate.kalix", PLACES.as_bytes());
    let gate = files.0.join("Gate.zvmc");
    for (target, level) in
        [("zvm", "0"), ("zvm", "1"), ("zvm", "s"), ("evm", "0"), ("evm", "1"), ("evm", "2")]
    {
        let mut kalixc = Command::new(env!("CARGO_BIN_EXE_kalixc"));
        kalixc.args(["build", "--target", target, "-O", level]).arg(&source).arg("-o").arg(&files.0);
        let output = kalixc.output().expect("kalixc starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let calls: [(&str, &[&str]); 6] = [
            ("pass 0", &["gate.kalix:18:20: a / b"]),
            ("pass 251", &["gate.kalix:19:9: a + b"]),
            ("pass 9", &[]),
            ("again 0", &["gate.kalix:18:20: a / b", "gate.kalix:15:9: Gate(self.address).pass(n)"]),
            ("spin --gas 60000", &["gate.kalix:21:"]),
            ("pass 1 --value 1", &["gate.kalix:10:"]),
        ];
        let mut arguments = vec!["--interp", "--init-args", "true 9"];
        arguments.extend(calls.iter().flat_map(|(call, _)| ["--call", *call]));
        let (stdout, _) = run(&gate, &arguments, 10);
        let steps: Vec<&str> = stdout.split("\n> ").skip(2).collect();
        assert_eq!(steps.len(), calls.len());
        for (step, (call, places)) in steps.iter().zip(calls) {
            let lines: Vec<&str> = step.lines().filter(|line| line.contains("gate.kalix:")).collect();
            assert_eq!(lines.len(), places.len(), "{target} -O{level} {call}: {step}");
            for (line, place) in lines.iter().zip(places) {
                assert!(line.contains(place), "{target} -O{level} {call}: {step}");
            }
        }
        let (stdout, _) = run(&gate, &["--interp", "--init-args", "false 9", "--call", "pass 1"], 10);
        assert_parts(&stdout, &["at        ", "gate.kalix:11:", "require(state.open, Shut(7))"]);
        let (stdout, _) = run(&gate, &["--interp", "--json", "--init-args", "true 100"], 10);
        let document: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        let place = &document["deployment"]["places"][0];
        assert_eq!(
            (&place["line"], &place["text"]),
            (&6.into(), &"require(start < 100, Shut(start))".into()),
            "{place}"
        );
    }
}
