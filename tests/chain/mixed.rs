//! Native contracts, contracts that solc compiled, and contracts that kalixc compiled call each other.
//!
//! The compiled Solidity is that of the vectors folder; without it the tests say that they skip.

use std::fs;
use std::path::Path;

use alloy_primitives::{address, keccak256};
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use zvm::outcome::Exit;
use zvm::{Address, Bytes, Mode, U256};

use crate::world::{MODES, SENDER, World};
use testkit::multisig::{self, execute, submit};
use testkit::relay::{calldata, relayed, strict, trying, with_bytes, word};

/// A native relay that answers with success and data.
const TRYING: Address = address!("7712000000000000000000000000000000000001");
/// A native relay that passes failure on.
const STRICT: Address = address!("57121c7000000000000000000000000000000002");

/// Deploys a Multisig of these owners, any one of whom decides, with 1000 wei.
fn deploy_multisig(world: &mut World, init_code: &Bytes, owners: &[Address]) -> Address {
    let result = world.send(None, 1000, multisig::creation(init_code, owners));
    result.created.expect("the constructor succeeds")
}

/// The native relays, each with 100 wei.
fn relays() -> [(Address, u64, Bytes); 2] {
    [(TRYING, 100, trying(".zvm")), (STRICT, 100, strict(".zvm"))]
}

fn probe(id: u64) -> Bytes {
    calldata("probe(uint256)", &[word(id)])
}

/// `Error("already executed")`.
fn already_executed() -> Vec<u8> {
    [&[0x08, 0xc3, 0x79, 0xa0][..], &with_bytes(&[], b"already executed")].concat()
}

/// The relay's answer to a call that gave `data`.
fn answer(is_success: bool, data: &[u8]) -> Vec<u8> {
    [&word(u64::from(is_success))[..], data].concat()
}

/// sender → native → solc (execute, with value) → native, re-entered → solc, re-entered, which reverts.
#[test]
fn native_and_solidity_call_each_other_with_value_reverts_and_reentry() {
    for (build, init_code) in multisig::builds().into_iter().flatten() {
        for mode in MODES {
            let row = format!("{build}, {:?}", mode.0);
            let mut world = World::new(mode, &relays());
            let multisig = deploy_multisig(&mut world, &init_code, &[TRYING, SENDER]);

            // 0: sends 7 wei to the native relay, which asks the Multisig about it while it is being executed.
            let inner = relayed(multisig, 2, &[]);
            let outer = relayed(multisig, 0, &probe(0));
            assert!(world.send(Some(multisig), 0, submit(TRYING, 7, &outer)).is_success(), "{row}");
            let result = world.send(Some(TRYING), 3, relayed(multisig, 0, &execute(0)));
            assert_eq!(result.exit, Exit::Return, "{row}");
            // The innermost call reverts, and its reason comes back through both relays and Solidity's `bytes`.
            let innermost = answer(false, &already_executed());
            assert_eq!(result.output[..], answer(true, &with_bytes(&[], &innermost)), "{row}");
            assert_eq!((world.balance(TRYING), world.balance(multisig)), (110, 993), "{row}");

            // 1: the native relay sends 2 of the 5 wei back, which the Multisig logs.
            assert!(world.send(Some(multisig), 0, submit(TRYING, 5, &inner)).is_success(), "{row}");
            let result = world.send(Some(TRYING), 0, relayed(multisig, 0, &execute(1)));
            assert_eq!(result.output[..], answer(true, &with_bytes(&[], &answer(true, &[]))), "{row}");
            assert_eq!((world.balance(TRYING), world.balance(multisig)), (113, 990), "{row}");
            let events: Vec<_> = result.logs.iter().map(|log| log.topics[0]).collect();
            let names = ["Deposit(address,uint256)", "Execute(uint256,bool,bytes)"];
            assert_eq!(events, names.map(keccak256), "{row}");
        }
    }
}

/// sender → native (strict) → solc → native (strict) → solc reverts: everything is undone, the reason survives.
#[test]
fn a_revert_crosses_the_encodings_and_undoes_all_of_them() {
    for (build, init_code) in multisig::builds().into_iter().flatten() {
        for mode in MODES {
            let row = format!("{build}, {:?}", mode.0);
            let mut world = World::new(mode, &relays());
            let multisig = deploy_multisig(&mut world, &init_code, &[STRICT, SENDER]);
            let data = relayed(multisig, 0, &probe(0));
            assert!(world.send(Some(multisig), 0, submit(STRICT, 7, &data)).is_success(), "{row}");
            let result = world.send(Some(STRICT), 3, relayed(multisig, 0, &execute(0)));
            assert_eq!(result.exit, Exit::Revert, "{row}");
            let failed = &keccak256("TxFailed(bytes)")[..4];
            assert_eq!(result.output[..], [failed, &with_bytes(&[], &already_executed())].concat(), "{row}");
            assert_eq!((world.balance(STRICT), world.balance(multisig)), (100, 1000), "{row}");
            // Not executed: the same question is answered now.
            let result = world.send(Some(STRICT), 0, relayed(multisig, 0, &probe(0)));
            assert_eq!(result.output[..], word(1), "{row}: one confirmation");
        }
    }
}

/// solc → kalixc: the Multisig deposits into the token vault, withdraws too much, and withdraws.
#[test]
fn solidity_calls_the_token_vault() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/token_vault.kalix");
    let text = fs::read_to_string(path).expect("the example is there");
    let compilation = compile(&Source::new("token_vault.kalix", &text), &CompileOptions::STANDARD);
    let sections = compilation.contracts[0].artifact.container.sections.as_ref();
    let vault_init = sections.and_then(|sections| sections.init.clone()).expect("kalixc writes init code");
    for (build, init_code) in multisig::builds().into_iter().flatten() {
        for mode in MODES {
            let row = format!("{build}, {:?}", mode.0);
            let mut world = World::new(mode, &relays());
            let vault = world.send(None, 0, vault_init.clone()).created.expect("the vault deploys");
            let is_native = world.code(vault).starts_with(&zvm::bytecode::NATIVE_PREFIX);
            assert!(is_native, "{row}: the vault is native");
            let multisig = deploy_multisig(&mut world, &init_code, &[SENDER]);
            let balance = |world: &mut World| {
                let of = calldata("balance_of(address)", &[*multisig.into_word()]);
                U256::from_be_slice(&world.send(Some(vault), 0, of).output)
            };
            let calls = [
                calldata("deposit(uint256)", &[word(100)]),
                calldata("withdraw(uint64)", &[word(101)]),
                calldata("withdraw(uint64)", &[word(40)]),
            ];
            for call in &calls {
                assert!(world.send(Some(multisig), 0, submit(vault, 0, call)).is_success(), "{row}");
            }
            assert!(world.send(Some(multisig), 0, execute(0)).is_success(), "{row}: deposit");
            assert_eq!(balance(&mut world), U256::from(100), "{row}");
            let refused = world.send(Some(multisig), 0, execute(1));
            let reason = calldata("Insufficient(uint64,uint64)", &[word(100), word(101)]);
            let failed = &keccak256("TxFailed(bytes)")[..4];
            assert_eq!(refused.output[..], [failed, &with_bytes(&[], &reason)].concat(), "{row}");
            assert!(world.send(Some(multisig), 0, execute(2)).is_success(), "{row}: withdraw");
            assert_eq!(balance(&mut world), U256::from(60), "{row}");
        }
    }
}

#[test]
fn relays_of_all_pairs_of_encodings_agree() {
    let leaf = address!("1eaf000000000000000000000000000000000003");
    let second = address!("5ec0000000000000000000000000000000000004");
    for outer in [".zvm", ".evm"] {
        for inner in [".zvm", ".evm"] {
            for mode in [Mode::Interp, Mode::Jit, Mode::Check].map(|mode| (mode, mode != Mode::Interp)) {
                let accounts =
                    [(TRYING, 9, trying(outer)), (second, 0, strict(inner)), (leaf, 0, trying(outer))];
                let mut world = World::new(mode, &accounts);
                let data =
                    relayed(second, 3, &relayed(leaf, 2, &relayed(TRYING, 1, &relayed(SENDER, 0, &[]))));
                let result = world.send(Some(TRYING), 0, data);
                // Each relay adds its success, the strict one nothing.
                assert_eq!(
                    result.output[..96],
                    [word(1), word(1), word(1)].concat(),
                    "{outer} {inner} {mode:?}"
                );
                let balances = [TRYING, second, leaf].map(|address| world.balance(address));
                assert_eq!(balances, [7, 1, 1], "{outer} {inner} {mode:?}");
            }
        }
    }
}
