//! The hash function of the state's maps: fast on addresses and words, seeded against chosen keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use super::slots::SlotKey;

/// A map keyed by addresses, hashes or slots.
pub type WordMap<K, V> = HashMap<K, V, WordHasherBuilder>;

/// Makes [`WordHasher`]s with one random seed.
#[derive(Clone, Copy, Debug)]
pub struct WordHasherBuilder {
    seed: u64,
}

impl WordHasherBuilder {
    /// A builder with a seed of its own.
    pub fn new() -> WordHasherBuilder {
        WordHasherBuilder { seed: RandomState::new().hash_one(0u64) }
    }
}

impl Default for WordHasherBuilder {
    fn default() -> WordHasherBuilder {
        WordHasherBuilder::new()
    }
}

impl BuildHasher for WordHasherBuilder {
    type Hasher = WordHasher;

    #[inline]
    fn build_hasher(&self) -> WordHasher {
        WordHasher { state: self.seed }
    }
}

/// Folds each eight bytes into the state by a full multiplication.
pub struct WordHasher {
    state: u64,
}

/// An odd number without structure: the fraction of the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for WordHasher {
    #[inline]
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.state ^ number) * u128::from(MULTIPLIER);
        self.state = product as u64 ^ (product >> 64) as u64;
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.write_u64(u64::from_le_bytes(chunk.try_into().expect("the chunk has eight bytes")));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(last));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

impl Hash for SlotKey {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u32(self.account.0);
        self.key.as_limbs().iter().for_each(|&limb| hasher.write_u64(limb));
    }
}
