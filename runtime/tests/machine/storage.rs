//! Storage prices and refunds through the machine (EIP-2200, 2929, 3529), and the order of payment.

use zvm::outcome::{Exit, Trap};
use zvm::{Fork, U256};

use crate::run::{HERE, World, word};

/// EIP-2200's table: value at the start, program of SSTOREs to slot 0, gas of the SSTOREs alone, refund.
///
/// The first touch of the slot is cold: 2100 more.
const CASES: [(u64, &[u64], u64, i64); 17] = [
    (0, &[0, 0], 200, 0),
    (0, &[0, 1], 20_100, 0),
    (0, &[1, 0], 20_100, 19_900),
    (0, &[1, 2], 20_100, 0),
    (0, &[1, 1], 20_100, 0),
    (1, &[0, 0], 3000, 4800),
    (1, &[0, 1], 3000, 2800),
    (1, &[0, 2], 3000, 0),
    (1, &[2, 0], 3000, 4800),
    (1, &[2, 3], 3000, 0),
    (1, &[2, 1], 3000, 2800),
    (1, &[2, 2], 3000, 0),
    (1, &[1, 0], 3000, 4800),
    (1, &[1, 2], 3000, 0),
    (1, &[1, 1], 200, 0),
    // Back at its original value after two stores, the slot is written as if for the first time.
    (0, &[1, 0, 1], 40_100, 19_900),
    (1, &[0, 1, 0], 5900, 2800 + 4800),
];

#[test]
fn sstore_costs_and_refunds_what_the_eips_list() {
    for (original, values, gas, refund) in CASES {
        let code: Vec<u8> = values.iter().flat_map(|&value| [0x60, value as u8, 0x5f, 0x55]).collect();
        let mut world = World::evm(&code, 100_000);
        world.state.sstore(&HERE, &U256::ZERO, &word(original), true).expect("no host trouble");
        world.state.begin_transaction(Fork::LATEST);
        let pushes = 5 * values.len() as u64;
        world.check(Exit::Halt, 2100 + pushes + gas, &[]);
        assert_eq!(world.state.refund(), refund, "refund of {original} {values:?}");
        let left = world.state.peek_storage(&HERE, &U256::ZERO).expect("no host trouble");
        assert_eq!(Some(&left.to::<u64>()), values.last());
    }
}

#[test]
fn sload_is_cold_once() {
    // push0 sload push0 sload add
    let mut world = World::evm(&[0x5f, 0x54, 0x5f, 0x54, 0x01], 10_000);
    world.check(Exit::Halt, 2 + 2100 + 2 + 100 + 3, &[U256::ZERO]);
}

#[test]
fn a_cold_load_that_cannot_be_paid_is_out_of_gas_and_leaves_the_slot_cold() {
    let mut world = World::evm(&[0x5f, 0x54], 2101);
    assert_eq!(world.run(), Exit::Trap(Trap::OutOfGas));
    let touched = world.state.sload(&HERE, &U256::ZERO, true).expect("no host trouble").expect("affordable");
    assert!(touched.is_cold);
    World::evm(&[0x5f, 0x54], 2102).check(Exit::Halt, 2102, &[U256::ZERO]);
}

#[test]
fn sstore_needs_more_than_2300_gas() {
    // After two pushes 2300 are left: out of gas although the store would cost 2200.
    let code = [0x5f, 0x5f, 0x55];
    assert_eq!(World::evm(&code, 2304).run(), Exit::Trap(Trap::OutOfGas));
    World::evm(&code, 2305).check(Exit::Halt, 4 + 2100 + 100, &[]);
}

#[test]
fn a_static_frame_stores_nothing() {
    for code in [&[0x5f, 0x5f, 0x55][..], &[0x5f, 0x5f, 0x5d], &[0x5f, 0x5f, 0xa0]] {
        let mut world = World::evm(code, 100_000);
        world.frame.message.is_static = true;
        assert_eq!(world.run(), Exit::Trap(Trap::StaticViolation), "{code:02x?}");
        assert!(world.state.diff().is_empty());
    }
}

#[test]
fn transient_words_are_read_back_for_100_gas() {
    // tstore(1, 7); tload(1); tload(2)
    let code = [0x60, 7, 0x60, 1, 0x5d, 0x60, 1, 0x5c, 0x60, 2, 0x5c];
    World::evm(&code, 1000).check(Exit::Halt, 6 + 100 + 3 + 100 + 3 + 100, &[word(7), word(0)]);
}
