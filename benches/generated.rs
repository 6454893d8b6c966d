//! Kalix modules of any length, in the proportions of the reference contracts: what the compiler's speed is measured on.
//!
//! A contract has 70 to 130 lines: constants, a packed group, tables, events, an error set, a constructor and some
//! seven functions of a dozen kinds, filled with statements that differ from one to the next. Equal arguments give equal text.

use std::fmt::Write;

use testkit::random::Random;

/// A module of about that many lines without mistakes.
pub fn module(lines: usize, seed: u64) -> String {
    let mut r = Random::new(seed);
    let mut out = String::from(HEAD);
    let mut n = 0;
    while out.lines().count() < lines {
        contract(&mut r, &mut out, n);
        n += 1;
    }
    out
}

const HEAD: &str = "//! A generated module.
use std::math;

interface IAsset {
    fn transfer(to: Address, amount: u256) -> bool;
    fn transferFrom(from: Address, to: Address, amount: u256) -> bool;
    fn balanceOf(account: Address) view -> u256;
}

";

fn contract(r: &mut Random, out: &mut String, n: usize) {
    let fields = r.index(3);
    let mut line = |text: String| writeln!(out, "{text}").expect("a String accepts all");
    line(format!("enum Phase{n} {{ Unknown, Open, Closed{} }}", [", Paused", ", Final, Void", ""][fields]));
    line(format!("struct Entry{n} {{"));
    line("    owner: Address,".into());
    line("    amount: u128,".into());
    line("    since: u64,".into());
    (0..fields)
        .for_each(|f| line(format!("    extra{f}: {},", r.pick(&["u256", "Hash", "u64", "[u256; 3]"]))));
    line("    done: bool,".into());
    line("}\n".into());
    line(format!("/// Contract number {n}."));
    line(format!("contract Unit{n} {{"));
    line("    state { rate: u128, updated: u64, is_open: bool }".into());
    line("    pub state total: u256;".into());
    line("    pub state count: u64;".into());
    line("    state members: Vec<Address>;".into());
    line("    pub immutable owner: Address;".into());
    line("    pub immutable asset: Address;".into());
    line("    pub table balances: Map<Address, u256>;".into());
    line(format!("    table entries: Map<u64, Entry{n}>;"));
    line("    table marked: Map<u64, Map<Address, bool>>;\n".into());
    line(format!("    const SCALE: u256 = 10 ** {};", 6 + r.below(13)));
    line(format!("    const PERIOD: u64 = {} * {};\n", 1 + r.below(9), r.pick(&["DAYS", "HOURS", "WEEKS"])));
    line("    event Moved(indexed from: Address, indexed to: Address, amount: u256);".into());
    line("    event Opened(indexed id: u64, indexed by: Address, amount: u128);".into());
    line("    event Ended(indexed id: u64, result: bytes);\n".into());
    line(format!("    error Unit{n}Error {{"));
    line("        NotOwner, TooLittle(have: u256, need: u256),".into());
    line(format!("        WrongPhase(phase: Phase{n}), Unknown(id: u64),"));
    line("    }\n".into());
    line("    constructor(asset: Address) {".into());
    line("        (state.owner, state.asset) = (msg.sender, asset);".into());
    line("        state.is_open = true;".into());
    line("    }".into());
    // About half of the kinds are left out.
    for (k, kind) in KINDS.iter().enumerate() {
        // The others call these three.
        if k > 2 && r.chance(55) {
            continue;
        }
        let text = kind.replace("{n}", &n.to_string());
        line(String::new());
        for template in text.lines() {
            match template.trim() {
                "{fill}" => (0..1 + r.index(3)).for_each(|_| line(filler(r, n, "x"))),
                "{more}" => (0..r.index(3)).for_each(|_| line(filler(r, n, "amount"))),
                _ => line(template.replace("{k}", &(1 + r.below(200)).to_string())),
            }
        }
    }
    line("}\n".into());
}

/// A statement about the local `name` of type `u256`.
fn filler(r: &mut Random, n: usize, name: &str) -> String {
    let (a, b) = (1 + r.below(1000), 1 + r.below(60));
    let other =
        r.pick(&["state.total", "block.timestamp as u256", "self.balance", "state.rate as u256", "SCALE"]);
    match r.below(7) {
        0 => format!("        {name} = {name} * {a} / {};", a + b),
        1 => format!("        if {name} > {a} {{ {name} -= {b} % {a}; }}"),
        2 => format!("        {name} += {other} % {a};"),
        3 => format!("        {name} = math::min({name}, {other} + {b});"),
        4 => format!("        require({name} != {a}, Unit{n}Error::TooLittle({name}, {b}));"),
        5 => format!("        {name} = if {other} < {a} {{ {name} + {b} }} else {{ {name} ^ {a} }};"),
        _ => format!("        for i in 0..{} [max: 10] {{ {name} += i * {a}; }}", 1 + b % 9),
    }
}

/// Functions, an index after which those before it may be called.
const KINDS: &[&str] = &[
    "    fn only_owner() view {
        require(msg.sender == state.owner, Unit{n}Error::NotOwner);
    }",
    "    fn shift(from: Address, to: Address, amount: u256) -> Result<(), Unit{n}Error> {
        let have = state.balances[from];
        if have < amount { return Err(Unit{n}Error::TooLittle(have, amount)); }
        state.balances[from] = have - amount;
        state.balances[to] += amount;
        emit Moved(from, to, amount);
        Ok(())
    }",
    "    pub fn phase(id: u64) view -> Phase{n} {
        let e = &state.entries[id];
        if e.since == 0 { return Phase{n}::Unknown; }
        if e.done || block.timestamp > e.since + PERIOD { Phase{n}::Closed } else { Phase{n}::Open }
    }",
    "    pub fn move_to(to: Address, mut amount: u256) -> Result<bool, Unit{n}Error> {
        {more}
        shift(msg.sender, to, amount)?;
        Ok(true)
    }",
    "    pub fn open(amount: u128) -> u64 {
        let id = state.count;
        state.count += 1;
        let e = &mut state.entries[id];
        e.owner = msg.sender;
        e.amount = amount + {k};
        e.since = block.timestamp;
        emit Opened(id, msg.sender, amount);
        id
    }",
    "    pub fn mark(id: u64) -> Result<(), Unit{n}Error> {
        if phase(id) != Phase{n}::Open { return Err(Unit{n}Error::WrongPhase(phase(id))); }
        require(!state.marked[id][msg.sender], Unit{n}Error::Unknown(id));
        let mut x = state.entries[id].amount as u256;
        {fill}
        state.marked[id][msg.sender] = true;
        state.total += x;
        Ok(())
    }",
    "    pub fn sum(list: Vec<u256>, from: u64) view -> u256 {
        let mut x = from as u256 * {k};
        for value in list [max: 100] {
            if value == 0 { continue; }
            x += math::mul_div(value, {k}, SCALE);
        }
        {fill}
        x
    }",
    "    pub fn accrue() {
        let now = math::min(block.timestamp, state.updated + PERIOD);
        if now > state.updated && state.total > 0 {
            let mut x = (now - state.updated) as u256 * state.rate as u256;
            {fill}
            state.total += math::mul_div(x, SCALE, state.total + {k});
        }
        state.updated = now;
    }",
    "    pub fn join(amount: u256) {
        require(state.is_open);
        state.balances[msg.sender] += amount;
        state.members.push(msg.sender);
        require(IAsset(state.asset).transferFrom(msg.sender, self.address, amount));
    }",
    "    pub fn execute(id: u64, target: Address, value: u256, data: bytes) payable -> bytes {
        only_owner();
        require(state.entries[id].done, Unit{n}Error::Unknown(id));
        match target.call{value: value}(data) {
            Ok(result) => { emit Ended(id, result); result }
            Err(CallError::Reverted(reason)) => { emit Ended(id, reason); b\"\" }
            Err(_) => revert Unit{n}Error::Unknown(id),
        }
    }",
    "    pub fn configure(rate: u128, is_open: bool) {
        only_owner();
        let mut x = rate as u256 + {k};
        {fill}
        state.rate = (x % SCALE) as u128;
        state.is_open = is_open;
        state.updated = block.timestamp;
    }",
    "    fn key(id: u64, who: Address) view -> Hash { keccak256(abi.encode(\"unit {k}\", id, who)) }
    pub fn check(id: u64, proof: Hash) view -> bool { key(id, msg.sender) == proof }",
    "    pub fn close(id: u64) -> u128 {
        let p = &mut state.entries[id];
        require(p.owner == msg.sender && !p.done, Unit{n}Error::Unknown(id));
        p.done = true;
        let mut left = p.amount;
        while left > {k} [max: 50] { left = left / 2 + {k} / 3; }
        left
    }",
];
