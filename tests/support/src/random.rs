//! Seeded choices: the same seed gives the same program on every machine.

use alloy_primitives::U256;

/// SplitMix64: tiny, and good enough to choose test programs.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator with that seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.bits64() % limit
    }

    /// An index into something of that length, which is not zero.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the choices.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// A word with random bits.
    pub fn bits(&mut self) -> U256 {
        U256::from_limbs([self.bits64(), self.bits64(), self.bits64(), self.bits64()])
    }

    /// A word as programs tend to go wrong with: mostly near a boundary, small, or with sparse limbs.
    pub fn word(&mut self) -> U256 {
        match self.below(10) {
            0..=3 => self.pick(&crate::boundary::words()),
            4..=6 => U256::from(self.below(300)),
            7 => U256::from(self.bits64()),
            8 => {
                let limbs = std::array::from_fn(|_| if self.chance(50) { 0 } else { self.bits64() });
                U256::from_limbs(limbs)
            }
            _ => self.bits(),
        }
    }
}
