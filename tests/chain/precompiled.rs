//! Precompiled contracts as callees: of contracts of both encodings, and of a transaction.

use alloy_primitives::address;
use zvm::outcome::{Exit, Trap};
use zvm::{Address, Bytes, Fork, Mode};

use crate::world::{MODES, World};
use testkit::relay::{relayed, trying, word};

const RELAY: Address = address!("7712000000000000000000000000000000000001");
const IDENTITY: Address = address!("0000000000000000000000000000000000000004");
const BLAKE2F: Address = address!("0000000000000000000000000000000000000009");
const P256VERIFY: Address = address!("0000000000000000000000000000000000000100");

#[test]
fn a_contract_gets_the_answer_and_sends_value() {
    for encoding in [".zvm", ".evm"] {
        for mode in MODES {
            let mut world = World::new(mode, &[(RELAY, 10, trying(encoding))]);
            let result = world.send(Some(RELAY), 0, relayed(IDENTITY, 4, b"the same bytes"));
            assert_eq!(result.output[..], [&word(1)[..], b"the same bytes"].concat(), "{encoding} {mode:?}");
            assert_eq!((world.balance(RELAY), world.balance(IDENTITY)), (6, 4), "{encoding} {mode:?}");
        }
    }
}

#[test]
fn one_that_fails_takes_the_gas_and_gives_the_value_back() {
    for mode in MODES {
        let mut world = World::new(mode, &[(RELAY, 10, trying(".zvm"))]);
        let result = world.send(Some(RELAY), 0, relayed(BLAKE2F, 4, b"not 213 bytes"));
        assert_eq!(result.output[..], word(0), "{mode:?}");
        assert!(result.gas_used > 29_000_000, "{mode:?}: all but one 64th is lost");
        assert_eq!((world.balance(RELAY), world.balance(BLAKE2F)), (10, 0), "{mode:?}");
    }
}

#[test]
fn an_address_without_a_contract_at_the_fork_is_an_ordinary_account() {
    for fork in [Fork::Prague, Fork::Osaka] {
        let mut world = World::with_rules(MODES[0], fork, true, &[(RELAY, 0, trying(".evm"))]);
        let result = world.send(Some(RELAY), 0, relayed(P256VERIFY, 0, b"no signature"));
        // From Osaka on the contract takes 6900 gas and answers nothing; before, nobody takes any.
        assert_eq!(result.output[..], word(1), "{fork:?}");
        assert_eq!(result.exec_gas > 6900, fork == Fork::Osaka, "{fork:?}: {}", result.exec_gas);
    }
}

#[test]
fn a_transaction_may_call_one() {
    // No frame runs, so there is nothing to compile.
    let mut world = World::new((Mode::Interp, false), &[]);
    let result = world.send(Some(IDENTITY), 3, Bytes::from_static(b"bytes"));
    assert_eq!((result.exit, &result.output[..]), (Exit::Return, &b"bytes"[..]));
    assert_eq!((result.exec_gas, world.balance(IDENTITY)), (15 + 3, 3));

    let result = world.send(Some(BLAKE2F), 3, Bytes::from_static(b"bytes"));
    assert_eq!(result.exit, Exit::Trap(Trap::PrecompileFailed));
    assert_eq!((result.gas_used, world.balance(BLAKE2F)), (30_000_000, 0));
}
