//! Random programs: the interpreter and native code agree on everything that can be seen.

use std::time::Instant;

use alloy_primitives::U256;
use testkit::differential;
use testkit::pieces::{Piece, Pieces};
use testkit::program::Setting;
use testkit::tiers::{Compile, Prepared};
use zvm::bytecode::{Encoding, Op};

/// Programs per run unless `ZVM_DIFFERENTIAL_PROGRAMS` says otherwise.
const PROGRAMS: u64 = 10_000;

fn number(variable: &str, default: u64) -> u64 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

#[test]
fn tiers_agree_on_random_programs() {
    let start = number("ZVM_DIFFERENTIAL_SEED", 0);
    let programs = number("ZVM_DIFFERENTIAL_PROGRAMS", PROGRAMS);
    let clock = Instant::now();
    let report = differential::run(start..start + programs).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:.1} s, {report:#?}", clock.elapsed().as_secs_f64());

    assert_eq!(report.programs, programs);
    assert!(report.compiled_blocks > programs, "compiled code ran");
    // The programs reach every end that a single frame has.
    for exit in [
        "halt",
        "return",
        "revert",
        "out of gas",
        "stack underflow",
        "stack overflow",
        "invalid jump",
        "invalid opcode",
        "state change in a static frame",
    ] {
        assert!(report.exits.contains_key(exit) || programs < PROGRAMS, "no program ended with {exit}");
    }
}

/// Bytes of the longest code that can be deployed.
const CODE_SIZE: usize = 24_573;

/// The longest programs of one kind of instruction: compiling them takes no longer than their size allows, and
/// the tiers agree on them.
#[test]
fn tiers_agree_on_the_longest_programs() {
    let plain = Piece::plain;
    let push = |word: u64| Piece::push(Encoding::Evm, U256::from(word), 1);
    let modulo = [push(7), Piece::plain(Op::Dup2), plain(Op::Mod), plain(Op::Pop)];
    let jump_over = |n: usize| [Piece::PushLabel(n), plain(Op::Jump), Piece::Label(n)];
    let branch_over = |n: usize| {
        [
            plain(Op::Dup1),
            Piece::PushLabel(n),
            plain(Op::JumpI),
            plain(Op::Pc),
            plain(Op::Pop),
            Piece::Label(n),
        ]
    };
    let programs: [(&str, Vec<Piece>); 7] = [
        ("jumpdests", vec![plain(Op::JumpDest); CODE_SIZE]),
        ("gas and pop", repeated(&[plain(Op::Gas), plain(Op::Pop)], CODE_SIZE / 2)),
        ("shifts", repeated(&[plain(Op::Dup1), plain(Op::Shl)], CODE_SIZE / 2)),
        ("remainders", repeated(&modulo, CODE_SIZE / 5)),
        ("jumps", (0..CODE_SIZE / 5).flat_map(jump_over).collect()),
        ("branches", (0..CODE_SIZE / 8).flat_map(branch_over).collect()),
        ("stores", repeated(&[plain(Op::Dup1), plain(Op::Dup1), plain(Op::Mstore)], CODE_SIZE / 3)),
    ];
    for (name, body) in programs {
        let mut pieces = vec![push(3)];
        pieces.extend(body);
        let setting = Setting { gas: 10_000_000, ..Setting::plain() };
        let program = Pieces { encoding: Encoding::Evm, pieces, setting: setting.clone() }.assemble();
        let clock = Instant::now();
        let prepared = Prepared::new(&program, &Compile::UNVERIFIED);
        println!(
            "{name}: {} bytes compiled in {:.0} ms",
            program.code.len(),
            clock.elapsed().as_secs_f64() * 1e3
        );
        let agreed = prepared.check(&setting).unwrap_or_else(|difference| panic!("{name}: {difference}"));
        assert!(agreed.blocks.compiled > 0, "{name}: compiled code ran");
    }
}

fn repeated(round: &[Piece], times: usize) -> Vec<Piece> {
    round.iter().cycle().take(round.len() * times).cloned().collect()
}
