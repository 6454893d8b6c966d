//! `kalixc test`: what tests can do, how failures read, and what the exit status says.

use std::fs;
use std::path::Path;

use zvm::bytecode::container::Container;

use super::{NATIVE_EXAMPLES, expect, files, folder};

const COUNTER: &str = r#"contract Counter {
    pub state n: u64;
    pub immutable owner: Address;
    error TooBig(limit: u64);
    error NotOwner(who: Address);
    event Bumped(indexed who: Address, n: u64);
    constructor() { state.owner = msg.sender; }
    pub fn bump(by: u64) -> Result<u64, TooBig> {
        if by > 10 { return Err(TooBig(10)); }
        state.n += by;
        emit Bumped(msg.sender, state.n);
        Ok(state.n)
    }
    pub fn pay() payable -> u256 { msg.value }
    pub fn clear() {
        require(msg.sender == state.owner, NotOwner(msg.sender));
        require(state.n > 0, "nothing to clear");
        state.n = 0;
    }
    pub fn now() view -> (u64, u64) { (block.timestamp, block.number) }
}
"#;

/// Runs tests beside the counter.
#[track_caller]
fn run(name: &str, tests: &str, args: &[&str], status: i32) -> String {
    let folder = folder(name);
    fs::write(folder.join("a.kalix"), format!("{COUNTER}{tests}")).expect("a writable folder");
    let (stdout, stderr) = expect(&folder, &[&["test", "a.kalix"], args].concat(), status);
    stdout + &stderr
}

#[test]
fn every_cheat_does_what_it_says_in_both_tiers() {
    let tests = r#"
test "prank" {
    let alice = vm.address("alice");
    vm.prank(alice);
    let c = new Counter();
    assert_eq(c.owner(), alice);
    c.bump(1);
    vm.expect_revert(Counter::NotOwner(self.address));
    c.clear();
    vm.prank(alice);
    c.clear();
    assert_eq(c.n(), 0);
}
test "prank_all" {
    let alice = vm.address("alice");
    vm.prank_all(alice);
    let c = new Counter();
    c.bump(1);
    vm.prank(vm.address("bob"));
    vm.expect_revert(Counter::NotOwner(vm.address("bob")));
    c.clear();
    c.clear();
}
test "deal" {
    let alice = vm.address("alice");
    assert_eq(alice.balance, 0);
    vm.deal(alice, 5 * ETHER);
    let c = new Counter();
    vm.prank(alice);
    assert_eq(c.pay{value: 2 * ETHER}(), 2 * ETHER);
    assert_eq(alice.balance, 3 * ETHER);
    assert_eq(c.address.balance, 2 * ETHER);
}
test "warp and roll" {
    let c = new Counter();
    let (t, n) = c.now();
    assert_eq(t, block.timestamp);
    assert_eq(n, block.number);
    let (before, below) = (block.timestamp, block.number);
    vm.warp(t + 7 * DAYS);
    vm.roll(99);
    let (later, block_number) = c.now();
    assert_eq(later - t, 604_800);
    assert_eq(block.timestamp, later);
    assert_eq(block_number, 99);
    assert_eq(block.number, 99);
    assert_eq(before, t);
    assert_eq(below, n);
}
test "expect_revert" {
    let c = new Counter();
    vm.expect_revert();
    c.bump(11);
    vm.expect_revert(Counter::TooBig(10));
    assert_eq(c.bump(11), 0);
    vm.expect_revert("nothing to clear");
    c.clear();
}
test "expect_emit" {
    let c = new Counter();
    vm.expect_emit(Counter::Bumped(self.address, 3));
    c.bump(3);
    vm.expect_emit(Counter::Bumped { n: 4, who: self.address });
    c.bump(1);
}
test "assume"(x: u8) { vm.assume(x % 2 == 0); assert(x != 7); }
test "last_gas and storage" {
    let c = new Counter();
    c.bump(1);
    let first = vm.last_gas();
    c.bump(1);
    assert(first > 20_000 && vm.last_gas() < first);
    assert_eq(vm.storage(c.address, 0) as u256, 2);
}
test "assertions" {
    let a: i64 = -3;
    assert_eq(a, -3);
    assert_ne(a, 3);
    assert_lt(a, 0);
    assert_approx(a, 2, 5);
    assert_eq("text", "text");
    assert_eq((1u8, true), (1u8, true));
    assert_eq([1u16, 2], [1u16, 2]);
    assert(a < 0 && !(a == 1));
}
"#;
    let text = run("cheats", tests, &["--tier", "both"], 0);
    assert!(text.contains("9 passed, 0 failed; 100 % of the blocks of the jit tier"), "{text}");
    let text = run("cheats", tests, &["--tier", "jit"], 0);
    assert!(text.contains("9 passed") && text.contains("100 %"), "{text}");
    let text = run("cheats", tests, &["-O0"], 0);
    assert!(text.contains("9 passed, 0 failed\n"), "{text}");
}

#[test]
fn a_failure_tells_both_sides_the_cause_and_the_smallest_input() {
    let tests = r#"
test "equal" { let c = new Counter(); c.bump(2); assert_eq(c.n(), 3); }
test "bytes" { assert_eq(b"ab", b"abc"); }
test "property"(x: u64, who: Address) {
    vm.assume(who != Address::ZERO);
    let c = new Counter();
    vm.prank(who);
    assert(c.bump(x % 11) < 8);
}
test "revert"(x: u64) { let c = new Counter(); c.bump(x); }
test "text" { let c = new Counter(); c.clear(); }
test "overflow" { let c = new Counter(); let n = c.n(); let _ = n - 1; }
test "other error" { let c = new Counter(); vm.expect_revert(Counter::TooBig(9)); c.bump(11); }
test "no revert" { let c = new Counter(); vm.expect_revert(); c.bump(1); }
test "other event" { let c = new Counter(); vm.expect_emit(Counter::Bumped(self.address, 2)); c.bump(1); }
test "nothing left" { vm.expect_revert(); }
"#;
    let text = run("failures", tests, &["--tier", "both"], 1);
    for part in [
        "FAIL equal\n     assertion failed: assert_eq(c.n(), 3)\n       left:  2\n       right: 3\n       at a.kalix:23:50",
        "left:  hex\"6162\"\n       right: hex\"616263\"",
        "left:  8\n       right: 8\n",
        "input: x = 8, who = 0x0000000000000000000000000000000000000001\n",
        "FAIL revert\n     reverted with TooBig(limit: 10)\n       at a.kalix:9:",
        "input: x = 11\n",
        "reverted with \"nothing to clear\"\n       at a.kalix:17:9:",
        "reverted with Panic(0x11): arithmetic overflow\n       at a.kalix:33:65: n - 1\n",
        "reverted with other data\n       expected: TooBig(limit: 9)\n       found:    TooBig(limit: 10)\n",
        "did not revert\n",
        "expected: Bumped(who: the test",
        "n: 2)\n       found:    Bumped(",
        "vm.expect_revert is the last step",
        "\n0 passed, 10 failed",
    ] {
        assert!(text.contains(part), "{part}\n\n{text}");
    }
    assert!(text.contains("--seed 0"), "{text}");
}

#[test]
fn one_seed_gives_one_story() {
    let tests = "test \"p\"(a: u256, b: bytes, c: Vec<i16>, d: bytes<3>, e: [bool; 2]) {\n\
                 assert(a < 1_000_000 || b.len() < 3 || c.len() < 2);\n    let _ = d; let _ = e;\n}\n";
    let first = run("seed", tests, &["--seed", "7"], 1);
    assert_eq!(first, run("seed", tests, &["--seed", "7"], 1));
    let input = "input: a = 1000000, b = hex\"000000\", c = [0, 0], d = 0x000000, e = [false, false]\n";
    assert!(first.contains(input), "{first}");
    assert!(first.contains("--seed 7"), "{first}");
}

#[test]
fn inputs_begin_at_the_edges_and_are_as_many_as_asked_for() {
    let tests = r#"
#[fuzz(runs = 9)]
test "nine"(x: u32) { let _ = x; }
test "least"(x: i32) { assert(x != -2_147_483_648); }
test "greatest"(x: u32) { assert(x != u32::MAX); }
test "never"(x: u8) { vm.assume(x as u16 > 255); }
#[ignore]
test "later" { assert(false); }
"#;
    let text = run("edges", tests, &[], 1);
    assert!(text.contains("ok   nine (9 runs, "), "{text}");
    assert!(text.contains("input: x = -2147483648\n"), "{text}");
    assert!(text.contains("input: x = u32::MAX\n"), "{text}");
    assert!(text.contains("vm.assume refused all"), "{text}");
    assert!(text.contains("skip later") && text.contains("1 passed, 3 failed, 1 ignored"), "{text}");
}

#[test]
fn a_filter_selects_by_name_and_must_find_something() {
    let tests = "test \"one\" { }\ntest \"two\" { assert(false); }\n";
    let text = run("filter", tests, &["one"], 0);
    assert!(text.contains("1 passed, 0 failed, 1 not selected"), "{text}");
    let text = run("filter", tests, &["three"], 1);
    assert!(text.contains("no test of a.kalix has a name with `three` in it"), "{text}");
    assert!(run("filter_none", "", &[], 1).contains("a.kalix holds no test"));
}

#[test]
fn tests_of_a_contract_see_its_inside() {
    let folder = folder("inside");
    let source = r#"contract Vault {
    state total: u64;
    pub immutable cap: u64;
    constructor(cap: u64) { state.cap = cap; }
    fn twice(x: u64) -> u64 { x * 2 }
    pub fn add(x: u64) { state.total += twice(x); }
    test "internal functions" {
        assert_eq(twice(4), 8);
        add(3);
        assert_eq(state.total, 6);
        assert_eq(state.cap, 0);
    }
    test "a fresh instance" { assert_eq(state.total, 0); }
}
test "the contract itself" { let v = new Vault(5); v.add(1); assert_eq(v.cap(), 5); }
"#;
    fs::write(folder.join("a.kalix"), source).unwrap();
    let (stdout, _) = expect(&folder, &["test", "a.kalix", "--tier", "both"], 0);
    assert!(stdout.contains("ok   Vault: internal functions"), "{stdout}");
    assert!(stdout.contains("3 passed"), "{stdout}");

    // No test is part of what is deployed.
    expect(&folder, &["build", "a.kalix", "-o", "with"], 0);
    let start = source.find("    test \"internal").unwrap();
    let end = source.find("}\ntest \"the contract").unwrap();
    fs::write(folder.join("a.kalix"), format!("{}}}\n", &source[..start])).unwrap();
    assert!(end > start);
    expect(&folder, &["build", "a.kalix", "-o", "without"], 0);
    let read = |place: &str| Container::read(&fs::read(folder.join(place)).unwrap()).unwrap();
    let (with, without) = (read("with/Vault.zvmc"), read("without/Vault.zvmc"));
    assert_eq!((&with.code, with.init()), (&without.code, without.init()));
}

#[test]
fn mistakes_in_tests_are_reported_by_test_and_check_alone() {
    let check = |tests: &str, status| {
        let folder = folder("mistakes_in_tests");
        fs::write(folder.join("a.kalix"), format!("{COUNTER}{tests}")).unwrap();
        let args = |command| [command, "a.kalix", "--error-format", "short"];
        let (_, stderr) = expect(&folder, &args("check"), status);
        assert_eq!(expect(&folder, &args("test"), 1).1.lines().count() > 0, status == 1);
        (folder, stderr)
    };
    let (folder, stderr) = check("test \"t\" { let c = new Counter(); c.bumb(1); }\n", 1);
    assert!(stderr.contains("a.kalix:22:37: error[K0206]"), "{stderr}");
    expect(&folder, &["build", "a.kalix"], 0);
    for (tests, code) in [
        ("fn f() { vm.prank(Address::ZERO); }\n", "K0806"),
        ("fn f() { assert_eq(1, 1); }\n", "K0101"),
        ("test \"t\" { vm.prink(Address::ZERO); }\n", "K0206"),
        ("test \"t\" { vm.prank(); }\n", "K0207"),
        ("test \"t\" { vm.warp(true); }\n", "K0201"),
        ("test \"t\" { assert_eq(1u8, true); }\n", "K0204"),
        ("test \"t\" { vm.expect_emit(Counter::TooBig(1)); }\n", "K0805"),
        ("test \"t\" { vm.expect_revert(1u8); }\n", "K0802"),
        ("test \"t\"(m: Option<u8>) { let _ = m; }\n", "K0704"),
        ("test \"t\" { }\ntest \"t\" { }\n", "K0102"),
        ("#[fuzz(runs = 0)]\ntest \"t\"(x: u8) { let _ = x; }\n", "K0404"),
        ("#[hot]\ntest \"t\" { }\n", "K0404"),
        ("test \"t\" { return 1; }\n", "K0409"),
    ] {
        let (_, stderr) = check(tests, 1);
        assert!(stderr.contains(code), "{tests}\n{stderr}");
        assert_eq!(stderr.matches("error[").count(), 1, "{tests}\n{stderr}");
    }
}

#[test]
fn a_test_without_end_ends() {
    let tests = "#[allow(W0902)]\ntest \"forever\" { let mut x = 0u64; while true { x = x +% 1; } }\n";
    let text = run("forever", tests, &[], 1);
    assert!(text.contains("stopped: ") && text.contains("gas"), "{text}");
}

#[test]
fn the_examples_build_for_both_targets_and_pass_in_both_tiers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = folder("examples");
    let out = out.to_str().expect("a folder with a plain name");
    let names = files(&root.join("examples"));
    assert!(NATIVE_EXAMPLES.iter().all(|name| names.iter().any(|other| other == name)), "{names:?}");
    for name in names {
        let path = format!("examples/{name}");
        for target in ["zvm", "evm"] {
            let is_refused = target == "evm" && NATIVE_EXAMPLES.contains(&name.as_str());
            let args = ["build", "--target", target, "--out-dir", out, &path];
            let (_, stderr) = expect(root, &args, i32::from(is_refused));
            if is_refused {
                assert!(stderr.contains("error[K0508]"), "{path}: {stderr}");
            } else {
                assert_eq!(stderr, "", "{path}");
            }
        }
        let (stdout, _) = expect(root, &["test", &path, "--tier", "both"], 0);
        assert!(stdout.contains("; 100 % of the blocks"), "{path}\n{stdout}");
    }
}

/// The treasury sample: `redeem` takes units back, burns them and pays, and each of the three may fail.
#[test]
fn what_fails_after_the_first_step_of_a_redemption_undoes_it() {
    let sample = include_str!("../hedera/hts_treasury.kalix");
    let tests = r#"
interface IERC20 {
    fn balanceOf(account: Address) view -> u256;
    fn allowance(owner: Address, spender: Address) view -> u256;
    fn approve(spender: Address, amount: u256) -> bool;
}
/// Takes no wei.
contract Stubborn { pub fn here() view -> Address { self.address } }

/// A treasury that sells for ten wei.
fn opened() -> Treasury {
    let treasury = new Treasury(10);
    treasury.open("Ore", "ORE");
    treasury
}
test "a burn that is refused" {
    let alice = vm.address("alice");
    vm.deal(alice, 50);
    let treasury = opened();
    let token = IERC20(treasury.token());
    vm.prank_all(alice);
    treasury.join();
    treasury.buy{value: 50}(5);
    token.approve(treasury.address, 3);
    vm.hedera_fail(0xe2);
    vm.expect_revert(HederaError(0xe2));
    treasury.redeem(3);
    assert_eq(token.balanceOf(alice), 5);
    assert_eq(token.allowance(alice, treasury.address), 3);
    assert_eq(treasury.sold(), 5);
    assert_eq(treasury.address.balance, 50);
    treasury.redeem(3);
    assert_eq(token.balanceOf(alice), 2);
    assert_eq(alice.balance, 30);
}
test "a payment that is refused" {
    let holder = new Stubborn().address;
    vm.deal(holder, 50);
    let treasury = opened();
    let token = IERC20(treasury.token());
    vm.prank_all(holder);
    treasury.join();
    treasury.buy{value: 50}(5);
    token.approve(treasury.address, 3);
    vm.expect_revert();
    treasury.redeem(3);
    assert_eq(token.balanceOf(holder), 5);
    assert_eq(token.allowance(holder, treasury.address), 3);
    assert_eq(treasury.sold(), 5);
    assert_eq(treasury.address.balance, 50);
    // Of nothing nothing is owed.
    vm.deal(treasury.address, 0);
    vm.expect_revert();
    treasury.redeem(1);
    assert_eq(treasury.sold(), 5);
}
test "each service fails once, and what it was for did not happen" {
    let alice = vm.address("alice");
    vm.deal(alice, 100);
    let treasury = new Treasury(10);
    vm.hedera_fail(0xe6);
    vm.expect_revert(HederaError(0xe6));
    treasury.open("Ore", "ORE");
    vm.hedera_fail(0xe8);
    vm.expect_revert(HederaError(0xe8));
    treasury.open("Ore", "ORE");
    assert_eq(treasury.token(), Address::ZERO);
    treasury.open("Ore", "ORE");
    vm.prank_all(alice);
    vm.hedera_fail(0xe3);
    vm.expect_revert(HederaError(0xe3));
    treasury.join();
    treasury.join();
    for op in [0xe1, 0xe0, 0xe7] {
        vm.hedera_fail(op);
        vm.expect_revert(HederaError(op));
        treasury.buy{value: 10}(1);
        assert_eq(treasury.sold(), 0);
        assert_eq(alice.balance, 100);
    }
    // Two of a kind are two, and others pass between them.
    vm.hedera_fail(0xe1);
    vm.hedera_fail(0xe1);
    vm.expect_revert(HederaError(0xe1));
    treasury.buy{value: 10}(1);
    vm.expect_revert(HederaError(0xe1));
    treasury.buy{value: 10}(1);
    treasury.buy{value: 10}(1);
}
"#;
    let folder = folder("redemption");
    fs::write(folder.join("a.kalix"), format!("{sample}{tests}")).expect("a writable folder");
    let (stdout, stderr) = expect(&folder, &["test", "a.kalix", "--tier", "both"], 0);
    assert!(stdout.contains("3 passed"), "{stdout}{stderr}");
}

#[test]
fn a_failure_of_a_service_that_nobody_asks_is_no_test() {
    let tests = "test \"left\" { vm.hedera_fail(0xe2); }\ntest \"none\" { vm.hedera_fail(0x05); }\n";
    let text = run("no_service", tests, &[], 1);
    assert!(text.contains("vm.hedera_fail had no effect: no hts_burn came after it"), "{text}");
    assert!(text.contains("operation 0x05") || text.contains("came after it"), "{text}");
}
