//! Tests of the machine as a library: changes, containers, threads, inspectors, limits.

mod changes;
mod inspect;

use zvm::U256;

fn word(value: u64) -> U256 {
    U256::from(value)
}
