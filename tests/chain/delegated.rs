//! Calls of accounts that are delegations (EIP-7702): whose code runs, where, and what it costs.

use alloy_primitives::address;
use zvm::bytecode::delegation_to;
use zvm::outcome::{Exit, Trap};
use zvm::{Address, Bytes, Fork, U256};

use crate::world::{MODES, World};
use testkit::relay::{account_code, relayed, trying, word};

const RELAY: Address = address!("7712000000000000000000000000000000000001");
const DELEGATOR: Address = address!("de1e9a7000000000000000000000000000000002");
const TARGET: Address = address!("7a59e70000000000000000000000000000000003");
const SECOND: Address = address!("5ec0000000000000000000000000000000000004");
const SHA256: Address = address!("0000000000000000000000000000000000000002");

/// Answers with ADDRESS, and stores it in slot 0.
fn who(encoding: &str) -> Bytes {
    account_code(&format!(
        "{encoding}
        address
        dup1
        push0
        sstore
        push0
        mstore
        push1 32
        push0
        return"
    ))
}

/// The relay's answer to a call of [`DELEGATOR`] that delegates to `target`.
fn call(fork: Fork, target: Address, code: Bytes, check: impl Fn(&mut World, &[u8], &str)) {
    for mode in MODES {
        let accounts = [
            (RELAY, 100, trying(".zvm")),
            (DELEGATOR, 0, delegation_to(&target)),
            (TARGET, 0, code.clone()),
            (SECOND, 0, delegation_to(&TARGET)),
        ];
        let mut world = World::with_rules(mode, fork, true, &accounts);
        let result = world.send(Some(RELAY), 0, relayed(DELEGATOR, 3, &[1, 2, 3]));
        assert_eq!(result.exit, Exit::Return);
        check(&mut world, &result.output, &format!("{fork:?} {:?}", mode.0));
    }
}

#[test]
fn the_targets_code_runs_on_the_delegator_in_the_targets_encoding() {
    for encoding in [".zvm", ".evm"] {
        for fork in [Fork::Prague, Fork::Osaka] {
            call(fork, TARGET, who(encoding), |world, output, row| {
                assert_eq!(output, [word(1), *DELEGATOR.into_word()].concat(), "{row} {encoding}");
                assert_eq!(
                    world.storage(DELEGATOR, 0),
                    U256::from_be_bytes(DELEGATOR.into_word().0),
                    "{row} {encoding}"
                );
                assert_eq!(world.storage(TARGET, 0), U256::ZERO, "{row} {encoding}");
                assert_eq!(world.balance(DELEGATOR), 3, "{row} {encoding}");
            });
        }
    }
}

#[test]
fn a_precompiled_contract_as_target_runs_as_empty_code() {
    call(Fork::Prague, SHA256, Bytes::new(), |world, output, row| {
        assert_eq!(output, word(1), "{row}: success without data");
        assert_eq!(world.balance(DELEGATOR), 3, "{row}");
    });
}

#[test]
fn a_delegation_as_target_runs_as_its_bytes() {
    call(Fork::Prague, SECOND, who(".evm"), |world, output, row| {
        assert_eq!(output, word(0), "{row}: EF is an invalid opcode");
        assert_eq!(world.balance(DELEGATOR), 0, "{row}");
    });
}

#[test]
fn before_prague_a_delegation_is_code_that_halts() {
    call(Fork::Cancun, TARGET, who(".evm"), |world, output, row| {
        assert_eq!(output, word(0), "{row}");
        assert_eq!(world.balance(DELEGATOR), 0, "{row}");
    });
}

#[test]
fn a_transaction_to_a_delegator_runs_the_target_too() {
    for mode in MODES {
        let accounts = [(DELEGATOR, 0, delegation_to(&TARGET)), (TARGET, 0, who(".zvm"))];
        let mut world = World::new(mode, &accounts);
        let result = world.send(Some(DELEGATOR), 3, Bytes::new());
        assert_eq!(result.output[..], *DELEGATOR.into_word());

        let accounts = [(DELEGATOR, 0, delegation_to(&SECOND)), (SECOND, 0, delegation_to(&TARGET))];
        let mut world = World::new(mode, &accounts);
        let result = world.send(Some(DELEGATOR), 3, Bytes::new());
        assert_eq!(result.exit, Exit::Trap(Trap::InvalidOpcode));
    }
}
