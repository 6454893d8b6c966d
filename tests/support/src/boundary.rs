//! Operands at which word arithmetic changes its behavior.

use alloy_primitives::U256;

/// The operands that every operation is tried with in every position: 0, 1, 2^64±1, 2^128±1, 2^255, −1.
pub fn edges() -> Vec<U256> {
    let power = |bits: usize| U256::ONE << bits;
    vec![
        U256::ZERO,
        U256::ONE,
        power(64) - U256::ONE,
        power(64) + U256::ONE,
        power(128) - U256::ONE,
        power(128) + U256::ONE,
        power(255),
        U256::MAX,
    ]
}

/// The edges, and words at which sizes, offsets, shifts and narrow types change their behavior.
pub fn words() -> Vec<U256> {
    let mut words = edges();
    let power = |bits: usize| U256::ONE << bits;
    words.extend([2, 3, 7, 31, 32, 33, 63, 64, 127, 128, 255, 256].map(U256::from));
    words.extend([32, 63, 64, 127, 128, 192].map(power));
    // The least value of signed types, as a word.
    words.extend([7, 31, 63, 127].map(|bits| power(bits).wrapping_neg()));
    words.extend([power(255) - U256::ONE, U256::MAX - U256::ONE]);
    words
}
