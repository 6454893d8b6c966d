//! Loops that test at the bottom, as Kalix's compiler writes them: compiled code knows at the head of a round what the
//! test has told, and pays for the round ahead. Both tiers must agree at every amount of gas all the same.

mod support;

use std::num::NonZeroU32;

use support::{Both, jit};
use zvm::U256;
use zvm::bytecode::{Code, assemble};
use zvm::outcome::Exit;
use zvm_jit::{Jit, JitOptions, OptLevel, Perturbation};

/// What a loop does in a round beside counting: on the stack are n, i and the total.
struct Round {
    /// At the head that the test jumps to, once the words of the round before are dropped.
    at_head: &'static str,
    /// In front of the sum.
    before: &'static str,
    /// The addition of i and of the total, each of the two words on top.
    add: [&'static str; 2],
}

const PLAIN: Round = Round { at_head: "", before: "", add: ["cadd u64", "cadd u64"] };

/// While ++i < n: total += i. Entered behind the head, as with a test in front of the loop.
fn code(round: &Round) -> Code {
    let Round { at_head, before, add: [add_i, add_total] } = round;
    let text = format!(
        ".zvm\npush0\ncalldataload\npush0\npush0\npush2 L\njump
H:\njumpdest\nswap2\npop\nswap2\npop\n{at_head}
L:\njumpdest\n{before}\npush1 1\ndup3\n{add_i}\ndup1\ndup3\n{add_total}\ndupn 5\ndup3\nlt\npush2 H\njumpi
push0\nmstore\npush1 32\npush0\nreturn\n"
    );
    assemble(&text).expect("the text is sound").to_code()
}

fn all_options() -> Vec<JitOptions> {
    let base = JitOptions::checked();
    let disturbed = |perturbation| JitOptions { perturbation, ..base };
    vec![
        base,
        JitOptions { opt_level: OptLevel::Quick, ..base },
        JitOptions { copied_ops_max: 0, ..base },
        JitOptions { block_ops_max: 4, ..base },
        JitOptions { region_blocks_max: 1, ..base },
        disturbed(Perturbation { flush_always: true, ..Perturbation::NONE }),
        disturbed(Perturbation { exit_every: NonZeroU32::new(2), ..Perturbation::NONE }),
        disturbed(Perturbation { exit_every: NonZeroU32::new(3), ..Perturbation::NONE }),
        disturbed(Perturbation { enter_seed: Some(3), ..Perturbation::NONE }),
    ]
}

fn input(n: U256) -> [u8; 32] {
    n.to_be_bytes()
}

#[test]
fn rounds_agree_at_every_gas_limit() {
    let store = "dup1\ndup3\npush1 5\nshl\nmstore";
    let rounds = [
        PLAIN,
        // Memory grows in each round: the gas is another one then.
        Round { before: store, ..PLAIN },
        Round { at_head: store, ..PLAIN },
        // Looks at the gas in mid-round.
        Round { before: "gas\npop", ..PLAIN },
        Round { at_head: "gas\nadd", ..PLAIN },
        // A fault in a later round, with gas to give back.
        Round { add: ["cadd u64", "cadd u8"], ..PLAIN },
        Round { add: ["cadd u8", "cadd u64"], ..PLAIN },
        // Nothing is narrow.
        Round { add: ["add", "add"], ..PLAIN },
    ];
    for round in &rounds {
        for options in all_options() {
            let both = Both::new(&Jit::new(options).expect("this machine has a code generator"), code(round));
            for gas in 0..=420 {
                both.check(&input(U256::from(4)), gas);
            }
        }
    }
}

#[test]
fn rounds_agree_for_every_bound_and_much_gas() {
    let rounds = [PLAIN, Round { add: ["cadd u8", "add"], ..PLAIN }, Round { add: ["add", "add"], ..PLAIN }];
    let bounds = [0, 1, 2, 30, 255, 256, 300].map(U256::from);
    let wide = [U256::from(u64::MAX), U256::ONE << 64, (U256::ONE << 200) + U256::from(5), U256::MAX];
    for round in &rounds {
        for options in all_options() {
            let both = Both::new(&Jit::new(options).expect("this machine has a code generator"), code(round));
            for n in bounds {
                // Rounds count in 63 bits.
                for gas in [3000, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX / 2 + 2000, u64::MAX] {
                    both.check(&input(n), gas);
                }
            }
            for n in wide {
                both.check(&input(n), 3000);
            }
        }
    }
}

#[test]
fn rounds_run_compiled() {
    let (end, blocks) = Both::new(&jit(), code(&PLAIN)).check(&input(U256::from(1000)), 1_000_000);
    assert_eq!((end.exit, U256::from_be_slice(&end.output)), (Exit::Return, U256::from(500_500)));
    assert!(blocks > 1998, "two blocks a round: {blocks}");
}
