//! Keccak-256 as Ethereum uses it, by the fastest way this processor has.
//!
//! Contracts spend up to nine tenths of their time in this hash. On processors with the 128-bit forms of AVX-512 the
//! permutation of [`avx512`] takes less time than the assembly of the `keccak-asm` crate, which
//! every other processor uses; `docs/performance.md` has the figures.

#[cfg(target_arch = "x86_64")]
mod avx512;

use alloy_primitives::B256;

/// The Keccak-256 hash of `bytes` (the padding of the 2011 submission, not that of FIPS 202's SHA3-256).
pub fn keccak256<T: AsRef<[u8]>>(bytes: T) -> B256 {
    let bytes = bytes.as_ref();
    #[cfg(target_arch = "x86_64")]
    if let Some(digest) = avx512::keccak256(bytes) {
        return B256::from(digest);
    }
    alloy_primitives::keccak256(bytes)
}

#[cfg(test)]
mod tests {
    use sha3::{Digest, Keccak256};

    use super::*;

    /// Bytes without a pattern that a lane or a block repeats.
    fn sample(len: usize) -> Vec<u8> {
        (0..len as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 37) as u8).collect()
    }

    #[test]
    fn every_length_agrees_with_another_implementation() {
        for len in (0..=420).chain([1_000, 4_096, 24_576]) {
            let bytes = sample(len);
            let expected = B256::from_slice(&Keccak256::digest(&bytes));
            assert_eq!(keccak256(&bytes), expected, "{len} bytes");
            assert_eq!(alloy_primitives::keccak256(&bytes), expected, "{len} bytes, without vectors");
        }
    }

    #[test]
    fn every_bit_of_a_block_counts() {
        let bytes = sample(136);
        for bit in 0..136 * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keccak256(&changed), B256::from_slice(&Keccak256::digest(&changed)), "bit {bit}");
        }
    }
}
