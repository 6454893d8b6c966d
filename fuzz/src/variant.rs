//! Ways to compile that must not show: a fixed list, so that each needs one code generator and one engine.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use testkit::random::Random;
use zvm_jit::{JitOptions, OptLevel, Perturbation};

/// Number of variants; the first is the compiler as a node has it.
pub const VARIANTS: usize = 32;

/// A way to compile.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Whether Cranelift optimizes.
    pub is_optimized: bool,
    /// Whether Cranelift's verifier runs.
    pub is_verified: bool,
    /// [`JitOptions::region_blocks_max`].
    pub region_blocks_max: usize,
    /// [`JitOptions::region_ops_max`].
    pub region_ops_max: usize,
    /// [`JitOptions::block_ops_max`].
    pub block_ops_max: usize,
    /// [`JitOptions::copied_ops_max`].
    pub copied_ops_max: usize,
    /// [`JitOptions::carry_loops`].
    pub carry_loops: bool,
    /// [`Perturbation::flush_always`].
    pub flush_always: bool,
    /// [`Perturbation::exit_every`].
    pub exit_every: Option<NonZeroU32>,
    /// Leaves every other region or so to the interpreter, picked by this seed.
    pub skip_seed: Option<u64>,
    /// Whether code is compiled only when it has become hot, region by region and in mid-run.
    pub is_tiered: bool,
}

impl Variant {
    /// The compiler as a node has it.
    pub fn production() -> Variant {
        let options = JitOptions::production();
        Variant {
            is_optimized: true,
            is_verified: false,
            region_blocks_max: options.region_blocks_max,
            region_ops_max: options.region_ops_max,
            block_ops_max: options.block_ops_max,
            copied_ops_max: options.copied_ops_max,
            carry_loops: options.carry_loops,
            flush_always: false,
            exit_every: None,
            skip_seed: None,
            is_tiered: false,
        }
    }

    /// The variant with that number, below [`VARIANTS`].
    pub fn nth(number: usize) -> Variant {
        let mut variant = Variant::production();
        if number == 0 {
            return variant;
        }
        let mut random = Random::new(number as u64);
        variant.is_verified = number % 8 == 1;
        // Most variants differ in one thing, so that production's way is what is disturbed.
        for _ in 0..1 + random.below(2) {
            match random.below(11) {
                0 => variant.is_optimized = false,
                1 => variant.region_blocks_max = 1 + random.index(3),
                2 => variant.region_ops_max = 1 + random.index(60),
                3 => variant.block_ops_max = 1 + random.index(12),
                4 => variant.copied_ops_max = random.pick(&[0, 4, 16, 400]),
                5 => variant.carry_loops = false,
                6 => variant.flush_always = true,
                7 => variant.exit_every = NonZeroU32::new(2 + random.below(4) as u32),
                8 | 9 => {
                    variant.skip_seed = Some(random.bits64());
                    variant.region_blocks_max = 1 + random.index(4);
                }
                _ => {
                    variant.is_tiered = true;
                    variant.region_blocks_max = random.pick(&[2, 4, 64]);
                }
            }
        }
        variant
    }

    /// The compiler's options.
    pub fn options(&self) -> JitOptions {
        JitOptions {
            opt_level: if self.is_optimized { OptLevel::Speed } else { OptLevel::Quick },
            verify: self.is_verified,
            region_blocks_max: self.region_blocks_max,
            region_ops_max: self.region_ops_max,
            block_ops_max: self.block_ops_max,
            copied_ops_max: self.copied_ops_max,
            carry_loops: self.carry_loops,
            perturbation: Perturbation {
                flush_always: self.flush_always,
                exit_every: self.exit_every,
                ..Perturbation::NONE
            },
            ..JitOptions::checked()
        }
    }

    /// Whether some blocks are left to the interpreter on purpose.
    pub fn leaves_blocks(&self) -> bool {
        self.exit_every.is_some() || self.skip_seed.is_some() || self.is_tiered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_disturb_everything_there_is_to_disturb() {
        let all: Vec<Variant> = (0..VARIANTS).map(Variant::nth).collect();
        let plain = &all[0];
        assert!(all.iter().any(|v| !v.is_optimized) && all.iter().any(|v| v.is_verified));
        assert!(all.iter().any(|v| v.region_blocks_max < 4) && all.iter().any(|v| v.region_ops_max < 60));
        assert!(all.iter().any(|v| v.block_ops_max < 13) && all.iter().any(|v| !v.carry_loops));
        assert!(all.iter().any(|v| v.copied_ops_max != plain.copied_ops_max));
        assert!(all.iter().any(|v| v.flush_always) && all.iter().any(|v| v.exit_every.is_some()));
        assert!(all.iter().any(|v| v.skip_seed.is_some()) && all.iter().any(|v| v.is_tiered));
    }
}
