//! The gas catalogue, public so that a compiler and the machine can never disagree.
//!
//! Static costs come from the opcode table; rates of dynamic costs stand in its rows
//! ([`Op::dynamic_rate`](crate::bytecode::Op::dynamic_rate)); the constants below are the rest. Unit: gas.

use crate::bytecode::info::{OP_TABLE, Op};

/// Static gas by byte of the native encoding, 0 for bytes without a row.
pub static STATIC_GAS_ZVM: [u64; 256] = static_gas(true);
/// Static gas by byte of Ethereum's encoding, 0 for bytes without a row.
pub static STATIC_GAS_EVM: [u64; 256] = static_gas(false);

const fn static_gas(native: bool) -> [u64; 256] {
    let mut table = [0; 256];
    let mut number = 0;
    while number < Op::COUNT {
        let row = &OP_TABLE[number];
        if let Some(byte) = if native { row.zvm } else { row.evm } {
            table[byte as usize] = row.gas;
        }
        number += 1;
    }
    table
}

/// A price that depends on whether the thing was touched before in the transaction (EIP-2929).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessCost {
    /// First touch.
    pub cold: u64,
    /// Later touches.
    pub warm: u64,
}

impl AccessCost {
    /// The price of this touch.
    pub const fn of(self, is_cold: bool) -> u64 {
        if is_cold { self.cold } else { self.warm }
    }
}

/// Reading a storage slot.
pub const SLOT: AccessCost = AccessCost { cold: 2100, warm: 100 };
/// Touching an account.
pub const ACCOUNT: AccessCost = AccessCost { cold: 2600, warm: 100 };

/// SSTORE with this much gas or less left is out of gas (EIP-2200).
pub const SSTORE_SENTRY: u64 = 2300;
/// SSTORE that changes nothing, or a slot already changed in this transaction.
pub const SSTORE_WARM: u64 = 100;
/// SSTORE from zero to non-zero.
pub const SSTORE_SET: u64 = 20_000;
/// SSTORE from non-zero to another value.
pub const SSTORE_RESET: u64 = 2900;
/// Surcharge of SSTORE on a cold slot.
pub const SSTORE_COLD: u64 = 2100;
/// Refund for clearing a slot (EIP-3529).
pub const SSTORE_CLEAR_REFUND: i64 = 4800;

/// Gas and refund of an SSTORE, the cold surcharge left out.
///
/// `original` is the value at the start of the transaction (EIP-2200, 3529).
pub fn sstore_cost(
    original: &alloy_primitives::U256,
    current: &alloy_primitives::U256,
    new: &alloy_primitives::U256,
) -> (u64, i64) {
    if new == current {
        return (SSTORE_WARM, 0);
    }
    if current == original {
        if original.is_zero() {
            return (SSTORE_SET, 0);
        }
        return (SSTORE_RESET, if new.is_zero() { SSTORE_CLEAR_REFUND } else { 0 });
    }
    let mut refund = 0;
    if !original.is_zero() {
        if current.is_zero() {
            refund -= SSTORE_CLEAR_REFUND;
        } else if new.is_zero() {
            refund += SSTORE_CLEAR_REFUND;
        }
    }
    if new == original {
        refund += (if original.is_zero() { SSTORE_SET } else { SSTORE_RESET } - SSTORE_WARM) as i64;
    }
    (SSTORE_WARM, refund)
}

/// Surcharge of a call that sends value.
pub const CALL_VALUE: u64 = 9000;
/// Surcharge where value goes to a dead account, by CALL or SELFDESTRUCT (EIP-161).
pub const NEW_ACCOUNT: u64 = 25_000;
/// Gas a callee gets for free with value.
pub const CALL_STIPEND: u64 = 2300;
/// Per byte of deployed code.
pub const CODE_DEPOSIT_BYTE: u64 = 200;
/// A refund is at most the gas used divided by this (EIP-3529).
pub const REFUND_QUOTIENT: u64 = 5;

/// Intrinsic gas of every transaction.
pub const TX_BASE: u64 = 21_000;
/// Surcharge of a creation transaction.
pub const TX_CREATE: u64 = 32_000;
/// Per zero byte of call data.
pub const TX_DATA_ZERO: u64 = 4;
/// Per non-zero byte of call data.
pub const TX_DATA_NONZERO: u64 = 16;
/// Per token of the calldata floor (EIP-7623); a zero byte is one token, another four.
pub const TX_FLOOR_TOKEN: u64 = 10;
/// Per account of an access list (EIP-2930).
pub const TX_ACCESS_LIST_ACCOUNT: u64 = 2400;
/// Per slot of an access list (EIP-2930).
pub const TX_ACCESS_LIST_SLOT: u64 = 1900;
/// Per authorization (EIP-7702).
pub const TX_AUTHORIZATION: u64 = 25_000;
/// Refund of an authorization whose signer exists already (EIP-7702).
pub const TX_AUTHORIZATION_REFUND: u64 = 12_500;
/// Most gas of a transaction from Osaka on (EIP-7825).
pub const TX_LIMIT_MAX: u64 = 1 << 24;
/// Per word of init code (EIP-3860).
pub const INIT_CODE_WORD: u64 = 2;

/// Longest deployed code in bytes, prefix included (EIP-170).
pub const CODE_SIZE_MAX: usize = 24_576;
/// Longest init code in bytes, prefix and arguments included (EIP-3860).
pub const INIT_CODE_SIZE_MAX: usize = 49_152;
/// Most words on the stack.
pub const STACK_LIMIT: usize = 1024;
/// Most frames below the first.
pub const CALL_DEPTH_MAX: usize = 1024;

/// Most of `gas` that a call or creation may set aside: all but one 64th (EIP-150).
pub const fn forwardable(gas: u64) -> u64 {
    gas - gas / 64
}

/// Total cost of a memory of `words` 32-byte words; saturates, which no gas limit can pay.
pub const fn memory_cost(words: u64) -> u64 {
    if words <= u32::MAX as u64 / 2 {
        return 3 * words + words * words / 512;
    }
    let linear = words.saturating_mul(3);
    let square = words as u128 * words as u128 / 512;
    let square = if square > u64::MAX as u128 { u64::MAX } else { square as u64 };
    linear.saturating_add(square)
}

/// Number of 32-byte words that `bytes` bytes touch.
pub const fn words(bytes: u64) -> u64 {
    bytes.div_ceil(32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;

    #[test]
    fn memory_costs_the_yellow_papers_sum() {
        assert_eq!(memory_cost(0), 0);
        assert_eq!(memory_cost(1), 3);
        assert_eq!(memory_cost(22), 66);
        assert_eq!(memory_cost(32), 98);
        assert_eq!(memory_cost((1 << 31) - 1), 3 * ((1 << 31) - 1) + (1 << 53) - (1 << 23));
        assert_eq!(memory_cost(1 << 31), (3 << 31) + (1 << 53));
        assert_eq!(memory_cost(u64::MAX), u64::MAX);
    }

    /// The table of EIP-2200 with EIP-3529's refunds: o, c, n, gas without the cold surcharge, refund.
    #[test]
    fn sstore_costs_what_the_eips_list() {
        let cases = [
            (0, 0, 0, 100, 0),
            (0, 0, 1, 20_000, 0),
            (0, 1, 0, 100, 19_900),
            (0, 1, 2, 100, 0),
            (0, 1, 1, 100, 0),
            (1, 0, 0, 100, 0),
            (1, 0, 1, 100, -4800 + 2800),
            (1, 0, 2, 100, -4800),
            (1, 2, 0, 100, 4800),
            (1, 2, 3, 100, 0),
            (1, 2, 1, 100, 2800),
            (1, 2, 2, 100, 0),
            (1, 1, 0, 2900, 4800),
            (1, 1, 2, 2900, 0),
            (1, 1, 1, 100, 0),
        ];
        for (o, c, n, gas, refund) in cases {
            let word = |v: i32| U256::from(v);
            assert_eq!(sstore_cost(&word(o), &word(c), &word(n)), (gas, refund), "{o} {c} {n}");
        }
    }
}
