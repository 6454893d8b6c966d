//! Layout locks, run-time code alone, limits of code, and what an audit says.

use std::fs;

use serde_json::Value;
use zvm::bytecode::container::Container;

use super::{expect, files, folder};

const FIRST: &str = "#[copy]\nstruct P { a: u64, b: u64 }\nenum E { X, Y }\ncontract C {\n    pub state n: u64;\n\
    \x20   pub state e: E;\n    pub table t: Map<Address, P>;\n}\n";

#[test]
fn a_layout_lock_lets_members_be_added_and_nothing_else_change() {
    let folder = folder("layout_lock");
    let lock = |source: &str, status| {
        fs::write(folder.join("c.kalix"), source).unwrap();
        let args = ["build", "c.kalix", "-o", "out", "--layout-lock", "lock.json", "--error-format", "short"];
        expect(&folder, &args, status)
    };
    lock(FIRST, 0);
    let recorded = fs::read_to_string(folder.join("lock.json")).unwrap();
    let json: Value = serde_json::from_str(&recorded).expect("JSON");
    assert_eq!(json["layouts"]["C"]["members"][0]["name"], "n");
    lock(FIRST, 0);
    assert_eq!(fs::read_to_string(folder.join("lock.json")).unwrap(), recorded, "nothing changed");
    for (from, to, part) in [
        (
            "    pub state n: u64;\n",
            "    pub state m: u8;\n    pub state n: u64;\n",
            "`n` moved from slot 0 to 1",
        ),
        ("state n: u64", "state n: u128", "`n` changed its type from `u64` to `u128`"),
        ("    pub state n: u64;\n", "", "`n` was removed from slot 0"),
        ("a: u64, b: u64", "a: u64, b: u32", "`P` changed from `{ a: u64, b: u64 }` to `{ a: u64, b: u32 }`"),
        ("enum E { X, Y }", "enum E { Y, X }", "`E` changed from"),
        // Tables stand behind the members.
        ("    pub table", "    pub state m: u8;\n    pub table", "`t` moved from slot 2 to 3"),
    ] {
        let source = FIRST.replace(from, to);
        let (_, stderr) = lock(&source, 1);
        assert!(stderr.contains("error[K0702]") && stderr.contains(part), "{part}\n{stderr}");
        assert!(stderr.contains("(recorded in lock.json)"), "{stderr}");
        assert_eq!(fs::read_to_string(folder.join("lock.json")).unwrap(), recorded, "{part}");
    }
    let more = FIRST.replace("P>;\n", "P>;\n    table more: Map<u8, u8>;\n").replace("X, Y", "X, Y, Z");
    lock(&more, 0);
    assert!(fs::read_to_string(folder.join("lock.json")).unwrap().contains("more"));
    lock(FIRST, 1);
    fs::write(folder.join("lock.json"), "[]").unwrap();
    let (_, stderr) = lock(FIRST, 2);
    assert!(stderr.contains("lock.json is no layout lock"), "{stderr}");
}

#[test]
fn a_contract_may_name_its_own_lock() {
    let folder = folder("layout_attribute");
    let source = FIRST.replace("contract C", "#[layout_lock(\"c.lock.json\")]\ncontract C");
    fs::write(folder.join("c.kalix"), &source).unwrap();
    expect(&folder, &["build", "c.kalix", "-o", "out"], 0);
    assert_eq!(files(&folder), ["c.kalix", "c.lock.json", "out"]);
    fs::write(folder.join("c.kalix"), source.replace("state n: u64", "state n: bool")).unwrap();
    let (_, stderr) = expect(&folder, &["build", "c.kalix", "-o", "out"], 1);
    assert!(stderr.contains("K0702"), "{stderr}");
    fs::write(folder.join("c.kalix"), source.replace("(\"c.lock.json\")", "")).unwrap();
    let (_, stderr) = expect(&folder, &["check", "c.kalix"], 1);
    assert!(stderr.contains("K0404"), "{stderr}");
}

#[test]
fn run_time_code_alone_needs_a_creation_that_does_nothing() {
    let folder = folder("emit_runtime");
    fs::write(folder.join("c.kalix"), FIRST).unwrap();
    expect(&folder, &["build", "c.kalix", "--emit", "runtime"], 0);
    let container = Container::read(&fs::read(folder.join("C.zvmc")).unwrap()).unwrap();
    let code = alloy_primitives::hex::encode(container.account_code());
    assert_eq!(fs::read_to_string(folder.join("C.bin-runtime")).unwrap(), format!("{code}\n"));
    for (member, what) in [
        ("constructor() { state.n = 1; }", "a constructor"),
        ("state more: u8 = 1;", "an initialiser"),
        ("pub immutable i: u8; constructor() { state.i = 1; }", "a constructor"),
    ] {
        let source = FIRST.replace("contract C {", &format!("contract C {{ {member}"));
        fs::write(folder.join("c.kalix"), source).unwrap();
        let (_, stderr) = expect(&folder, &["build", "c.kalix", "-o", "out", "--emit", "runtime"], 1);
        assert!(stderr.contains("K0710") && stderr.contains(what), "{stderr}");
        assert!(!folder.join("out").exists());
    }
}

#[test]
fn containers_carry_the_sources_and_their_map() {
    let folder = folder("sections");
    fs::write(folder.join("c.kalix"), FIRST).unwrap();
    expect(&folder, &["build", "c.kalix"], 0);
    let container = Container::read(&fs::read(folder.join("C.zvmc")).unwrap()).unwrap();
    let abi: Value = serde_json::from_str(&container.abi).unwrap();
    let sections = container.sections.expect("sections");
    let json = |bytes: Option<alloy_primitives::Bytes>| -> Value {
        serde_json::from_slice(&bytes.expect("the section is there")).expect("JSON")
    };
    assert_eq!(json(sections.sources)["c.kalix"], FIRST);
    assert_eq!(json(sections.source_map), abi["source_map"]);
}

#[test]
fn code_that_is_too_large_says_which_functions_are() {
    let folder = folder("too_large");
    let many = |count: usize| -> String {
        let body = |n: usize| {
            let steps: String = (0..40)
                .map(|i| format!("        x = keccak256(abi.encode(x, {n}u64, {i}u64)) as u256;\n"))
                .collect();
            format!(
                "    pub fn f{n}(a: u256) view -> u256 {{\n        let mut x = a;\n{steps}        x\n    }}\n"
            )
        };
        (0..count).map(body).collect()
    };
    fs::write(folder.join("c.kalix"), format!("contract C {{\n{}}}\n", many(8))).unwrap();
    let (_, stderr) = expect(&folder, &["build", "c.kalix", "-O", "0", "--error-format", "short"], 1);
    assert!(stderr.contains("error[K0711]: runtime code is ") && stderr.contains("limit 24573"), "{stderr}");
    assert!(stderr.contains("functions: `f"), "{stderr}");
    assert_eq!(files(&folder), ["c.kalix"]);
    // Without optimization, since it leaves little of these. More than addresses reach, and creation code that holds too much of others.
    fs::write(folder.join("c.kalix"), format!("contract C {{\n{}}}\n", many(24))).unwrap();
    let (_, stderr) = expect(&folder, &["build", "c.kalix", "-O", "0", "--error-format", "short"], 1);
    assert!(stderr.contains("error[K0711]: runtime code is ") && stderr.contains("limit 24573"), "{stderr}");
    let parts: String = (0..3).map(|n| format!("contract P{n} {{\n{}}}\n", many(5))).collect();
    let whole = "contract C { constructor() { let _ = new P0(); let _ = new P1(); let _ = new P2(); } }\n";
    fs::write(folder.join("c.kalix"), format!("{parts}{whole}")).unwrap();
    let (_, stderr) = expect(&folder, &["build", "c.kalix", "-O", "0", "--error-format", "short"], 1);
    assert!(stderr.contains("error[K0711]: creation code is ") && stderr.contains("limit 49149"), "{stderr}");
}

#[test]
fn an_audit_names_the_call_behind_each_lock() {
    let folder = folder("audit");
    let source = "interface IHook { fn hook(); }\ncontract Bank {\n    table owed: Map<Address, u256>;\n\
        \x20   pub fn early(h: Address) { state.owed[msg.sender] = 0; IHook(h).hook(); }\n\
        \x20   pub fn late(h: Address) { require(state.owed[msg.sender] > 0); IHook(h).hook(); state.owed[msg.sender] = 0; }\n\
        \x20   pub fn other() view -> u64 { 7 }\n}\n";
    fs::write(folder.join("c.kalix"), source).unwrap();
    let (stdout, _) = expect(&folder, &["audit", "c.kalix"], 0);
    let has = |part: &str| assert!(stdout.contains(part), "{part}\n{stdout}");
    has("contract Bank (c.kalix:2:1)");
    has("late(address)           checks and locks\n");
    has("early(address)          checks\n");
    has("other()         pure    no lock needed");
    has("`late` holds the lock because of the call at c.kalix:5:");
    has("IHook(h).hook()");
    expect(&folder, &["build", "c.kalix"], 0);
    let container = Container::read(&fs::read(folder.join("Bank.zvmc")).unwrap()).unwrap();
    let abi: Value = serde_json::from_str(&container.abi).unwrap();
    let late = &abi["functions"][1]["reentrancy"];
    assert_eq!((&late["locks"], &late["checks"]), (&Value::Bool(true), &Value::Bool(true)));
    assert!(late["site"].as_str().unwrap().starts_with("c.kalix:5:"), "{late}");
    assert!(abi["functions"][0]["reentrancy"]["site"].is_null());
}
