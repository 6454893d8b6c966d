//! Whole programs in both tiers; what they share. The parts: loops, ways through a program, stack and memory.

#[path = "../support/mod.rs"]
mod support;

mod data;
mod flow;
mod loops;

use std::num::NonZeroU32;
use support::{Asm, Both};
use zvm::U256;
use zvm_jit::{Jit, JitOptions, OptLevel, Perturbation};

/// n rounds of Fibonacci, n from call data; the code of the field's usual benchmark.
pub(crate) const FIBONACCI: &str = "5f355f60015b8215601a578181019150909160019003916005565b9150505f5260205ff3";
/// The same for the factorial.
pub(crate) const FACTORIAL: &str =
    "5f355f60015b8215601b57906001018091029160019003916005565b9150505f5260205ff3";

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hex digit") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

pub(crate) fn calldata(n: u64) -> Vec<u8> {
    U256::from(n).to_be_bytes::<32>().to_vec()
}

pub(crate) fn all_options() -> Vec<JitOptions> {
    let base = JitOptions::checked();
    let exit_every = |n| Perturbation { exit_every: NonZeroU32::new(n), ..Perturbation::NONE };
    vec![
        base,
        JitOptions { opt_level: OptLevel::None, ..base },
        JitOptions { opt_level: OptLevel::Quick, ..base },
        JitOptions { opt_level: OptLevel::Quick, carry_loops: false, copied_ops_max: 0, ..base },
        JitOptions { carry_loops: false, ..base },
        JitOptions { copied_ops_max: 0, ..base },
        JitOptions { copied_ops_max: 12, ..base },
        JitOptions { region_blocks_max: 1, ..base },
        JitOptions { region_blocks_max: 2, block_ops_max: 3, ..base },
        JitOptions { perturbation: Perturbation { flush_always: true, ..Perturbation::NONE }, ..base },
        JitOptions { perturbation: Perturbation { enter_seed: Some(7), ..Perturbation::NONE }, ..base },
        JitOptions { perturbation: exit_every(2), ..base },
        JitOptions { perturbation: exit_every(3), region_blocks_max: 2, ..base },
    ]
}

/// Checks a program under all options, with every gas from 0 to `gas_max`.
pub(crate) fn check_every_gas(asm: &Asm, gas_max: u64) {
    for options in all_options() {
        let jit = Jit::new(options).expect("this machine has a code generator");
        let both = Both::new(&jit, asm.code());
        for gas in 0..=gas_max {
            both.check(&calldata(3), gas);
        }
    }
}
