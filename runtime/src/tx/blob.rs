//! Blob gas (EIP-4844): its price, and how many blobs fit.

use alloy_primitives::U256;

use crate::fork::Fork;

/// Gas of one blob.
pub const GAS_PER_BLOB: u64 = 1 << 17;
/// First byte of the hash of a KZG commitment.
pub const BLOB_HASH_VERSION: u8 = 1;

/// Least price of blob gas in wei.
const BASE_FEE_MIN: U256 = U256::ONE;

/// Limits and price curve of blobs at one fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRules {
    /// Most blobs of a block.
    pub block_max: u64,
    /// Most blobs of a transaction.
    pub transaction_max: u64,
    /// Excess blob gas that multiplies the price by e.
    pub update_fraction: u64,
}

impl BlobRules {
    /// The rules of a fork (EIP-4844; EIP-7691 from Prague on; EIP-7594 from Osaka on).
    pub const fn of(fork: Fork) -> BlobRules {
        match fork {
            Fork::Cancun => BlobRules { block_max: 6, transaction_max: 6, update_fraction: 3_338_477 },
            Fork::Prague => BlobRules { block_max: 9, transaction_max: 9, update_fraction: 5_007_716 },
            Fork::Osaka => BlobRules { block_max: 9, transaction_max: 6, update_fraction: 5_007_716 },
        }
    }
}

/// The price of blob gas in wei, for [`BlockEnv::blob_base_fee`](crate::host::BlockEnv::blob_base_fee), in a block
/// with this excess blob gas. A price that no word holds is the largest word.
pub fn blob_base_fee(excess_blob_gas: u64, fork: Fork) -> U256 {
    let fraction = U256::from(BlobRules::of(fork).update_fraction);
    fake_exponential(BASE_FEE_MIN, U256::from(excess_blob_gas), fraction).unwrap_or(U256::MAX)
}

/// `factor * e^(numerator / denominator)` by its Taylor series in integers, as EIP-4844 defines it; `None` if a
/// term leaves 256 bits, which ends the loop for any operands.
fn fake_exponential(factor: U256, numerator: U256, denominator: U256) -> Option<U256> {
    let mut sum = U256::ZERO;
    let mut term = factor.checked_mul(denominator)?;
    let mut i = U256::ONE;
    while !term.is_zero() {
        sum = sum.checked_add(term)?;
        term = term.checked_mul(numerator)? / denominator.checked_mul(i)?;
        i += U256::ONE;
    }
    Some(sum / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of EIP-4844's reference implementation.
    #[test]
    fn the_exponential_is_that_of_the_eip() {
        let cases: [(u64, u64, u64, u64); 12] = [
            (1, 0, 1, 1),
            (38493, 0, 1000, 38493),
            (0, 1234, 2345, 0),
            (1, 2, 1, 6),
            (1, 4, 2, 6),
            (1, 3, 1, 16),
            (1, 6, 2, 18),
            (1, 4, 1, 49),
            (1, 8, 2, 50),
            (10, 8, 2, 542),
            (11, 8, 2, 596),
            (2, 5, 2, 23),
        ];
        for (factor, numerator, denominator, expected) in cases {
            let word = |number: u64| U256::from(number);
            let result = fake_exponential(word(factor), word(numerator), word(denominator));
            assert_eq!(result, Some(word(expected)), "{factor} e^({numerator}/{denominator})");
        }
    }

    #[test]
    fn the_price_grows_by_the_forks_fraction() {
        let price = |excess: u64, fork| blob_base_fee(excess, fork);
        assert_eq!(price(0, Fork::Cancun), U256::ONE);
        assert_eq!(price(2_314_057, Fork::Cancun), U256::ONE);
        assert_eq!(price(2_314_058, Fork::Cancun), U256::from(2));
        assert_eq!(price(10 * 1024 * 1024, Fork::Cancun), U256::from(23));
        assert_eq!(price(10 * 1024 * 1024, Fork::Prague), U256::from(8));
        assert_eq!(price(u64::MAX, Fork::Osaka), U256::MAX, "and it ends");
    }
}
