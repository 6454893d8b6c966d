//! Three contracts act on one token in one transaction and agree: one that solc compiled, by the system contract, a
//! native one by the operations, and one of the language by its builtins.

use alloy_sol_types::{SolType, sol_data};
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use testkit::multisig;
use testkit::relay::{calldata, strict, with_bytes, word};
use zvm::hedera::{KeyRole, ResponseCode, SYSTEM_CONTRACT, TRANSFER_TOPIC, long_zero};
use zvm::outcome::Exit;
use zvm::{Address, Bytes, U256, keccak256};

use crate::facade::{call_data, code_of, create_data, erc20};
use crate::world::{ACTOR, USER, World, n, w, ways};

/// A native relay.
const READER: Address = Address::repeat_byte(0xad);

/// The contract of the language.
const DESK: &str = include_str!("desk.kalix");

/// What the token holds in the end: all units, the desk's, the native contract's, the Multisig's, and what the native
/// contract may still take of the desk's.
const IN_THE_END: [u64; 5] = [490, 150, 120, 220, 20];

struct Meeting {
    world: World,
    desk: Address,
    multisig: Address,
    token: Address,
}

/// A desk, a Multisig that has made a token and is to do what `proposals` say once it has it.
fn meeting(
    way: crate::world::Way,
    init_code: &Bytes,
    proposals: impl Fn(Address, Address, Address) -> Vec<(Address, Vec<u8>)>,
) -> Meeting {
    let mut world = World::with(way, &[(READER, strict(".zvm"))]);
    let compilation = compile(&Source::new("desk.kalix", DESK), &CompileOptions::STANDARD);
    assert!(!compilation.has_errors(), "{:?}", compilation.diagnostics);
    let creation = compilation.contracts[0].artifact.container.init().expect("creation code").clone();
    let desk = world.transact(USER, None, 0, creation).created.expect("the desk");
    let created = world.transact(USER, None, 0, multisig::creation(init_code, &[USER, desk]));
    let multisig = created.created.expect("the Multisig");
    // Proposal 0: the token, of which the Multisig holds the supply key.
    let create = create_data(multisig, KeyRole::Supply.bit(), 0, 0);
    assert!(world.send_from(USER, multisig, 0, multisig::submit(SYSTEM_CONTRACT, 0, &create)).is_success());
    let made = world.send_from(USER, multisig, 0, multisig::execute(0));
    let answer = returned_bytes(&made.output);
    assert_eq!(code_of(&answer), ResponseCode::Success);
    let token = Address::from_word(U256::from_be_slice(&answer[32..64]).into());
    for (to, data) in proposals(token, desk, multisig) {
        let proposed = world.send_from(USER, multisig, 0, multisig::submit(to, 0, &data));
        assert!(proposed.is_success());
    }
    Meeting { world, desk, multisig, token }
}

/// The `bytes` that a function returned.
fn returned_bytes(output: &[u8]) -> Vec<u8> {
    <(sol_data::Bytes,)>::abi_decode_params(output).expect("bytes").0.to_vec()
}

/// What the Multisig does during the meeting, as its proposals from 1 on.
fn proposals(token: Address, desk: Address, multisig: Address) -> Vec<(Address, Vec<u8>)> {
    type Mint = (sol_data::Address, sol_data::Int<64>, sol_data::Array<sol_data::Bytes>);
    type Burn = (sol_data::Address, sol_data::Int<64>, sol_data::Array<sol_data::Int<64>>);
    type Transfer = (sol_data::Address, sol_data::Address, sol_data::Address, sol_data::Int<64>);
    let service = |name: &str, arguments: Vec<u8>| (SYSTEM_CONTRACT, call_data(name, &arguments));
    let transfer = |from: Address, to: Address, units: i64| {
        service("transferToken", Transfer::abi_encode_params(&(token, from, to, units)))
    };
    let read = |signature: &str, words: &[U256]| {
        let words: Vec<u8> = words.iter().flat_map(U256::to_be_bytes::<32>).collect();
        (token, erc20(signature, &words))
    };
    vec![
        service("mintToken", Mint::abi_encode_params(&(token, 500, Vec::<Bytes>::new()))),
        transfer(multisig, desk, 300),
        service("burnToken", Burn::abi_encode_params(&(token, 10, Vec::<i64>::new()))),
        transfer(ACTOR, multisig, 1),
        read("totalSupply()", &[]),
        read("balanceOf(address)", &[w(desk)]),
        read("balanceOf(address)", &[w(ACTOR)]),
        read("balanceOf(address)", &[w(multisig)]),
        read("allowance(address,address)", &[w(desk), w(ACTOR)]),
    ]
}

#[test]
fn solidity_native_code_and_the_language_agree_on_one_token_in_one_transaction() {
    for (build, init_code) in multisig::builds().into_iter().flatten() {
        let mut gas = Vec::new();
        for way in ways().filter(|way| !way.is_delegated) {
            let row = format!("{build} {way:?}");
            let Meeting { mut world, desk, multisig, token } = meeting(way, &init_code, proposals);
            let meet = calldata(
                "meet(address,address,address,address)",
                &[token, multisig, ACTOR, READER].map(|address| *address.into_word()),
            );
            let result = world.send_from(USER, desk, 0, meet);
            assert_eq!(result.exit, Exit::Return, "{row}: {}", result.output);
            gas.push(result.gas_used);

            let code = |code: ResponseCode| word(code.number().into());
            let done = [word(1), code(ResponseCode::Success)].concat();
            let in_the_end = IN_THE_END.map(word).concat();
            let expected = [
                // The native contract is associated; the Multisig mints, which gives the supply and no serial numbers,
                // and hands units to the desk.
                done.clone(),
                [code(ResponseCode::Success), word(500), word(96), word(0)].concat(),
                code(ResponseCode::Success).to_vec(),
                // The native contract takes what it may, and the Multisig burns.
                done,
                [code(ResponseCode::Success), word(490)].concat(),
                // What none of them may do.
                word(0).to_vec(),
                [word(0), code(ResponseCode::InvalidSignature)].concat(),
                code(ResponseCode::SpenderDoesNotHaveAllowance).to_vec(),
                // What the desk, the Multisig and a native contract read.
                in_the_end.clone(),
                in_the_end.clone(),
                in_the_end,
            ];
            assert_eq!(returned_bytes(&result.output), expected.concat(), "{row}");

            // The ledger and the log say the same.
            let balances = [desk, ACTOR, multisig].map(|account| world.balance(token, account));
            assert_eq!(balances[..], IN_THE_END[1..4], "{row}");
            assert_eq!(world.ledger().total_supply(&token).expect("no trouble"), IN_THE_END[0], "{row}");
            let moved: Vec<(Address, Address, U256)> = result
                .logs
                .iter()
                .filter(|log| log.address == token && log.topics[0] == TRANSFER_TOPIC)
                .map(|log| {
                    let party = |at: usize| Address::from_word(log.topics[at]);
                    (party(1), party(2), U256::from_be_slice(&log.data))
                })
                .collect();
            let nobody = Address::ZERO;
            let expected = [
                (nobody, multisig, n(500)),
                (multisig, desk, n(300)),
                (desk, ACTOR, n(120)),
                (desk, multisig, n(30)),
                (multisig, nobody, n(10)),
            ];
            assert_eq!(moved, expected, "{row}");
        }
        assert!(gas.iter().all(|other| *other == gas[0]), "{build}: {gas:?}");
    }
}

/// A part that fails undoes what all three did.
#[test]
fn what_one_of_them_reverts_none_of_them_did() {
    for (build, init_code) in multisig::builds().into_iter().flatten().take(1) {
        for way in ways().filter(|way| !way.is_delegated) {
            // The last thing that the Multisig is asked is a function that no token has.
            let failing = |token, desk, multisig| {
                let mut all = proposals(token, desk, multisig);
                all[8] = (token, erc20("noSuchFunction()", &[]));
                all
            };
            let Meeting { mut world, desk, multisig, token } = meeting(way, &init_code, failing);
            let ledger = |world: &World| world.executor.changes().accounts.get(&SYSTEM_CONTRACT).cloned();
            let before = ledger(&world);
            let meet = calldata(
                "meet(address,address,address,address)",
                &[token, multisig, ACTOR, READER].map(|address| *address.into_word()),
            );
            let result = world.send_from(USER, desk, 0, meet);
            assert_eq!(result.exit, Exit::Revert, "{build} {way:?}");
            let reason = with_bytes(&[], b"no such function");
            let inner = [&keccak256("Error(string)")[..4], &reason].concat();
            let failed = [&keccak256("TxFailed(bytes)")[..4], &with_bytes(&[], &inner)].concat();
            assert_eq!(result.output[..], failed, "{build} {way:?}");
            assert!(result.logs.is_empty(), "{build} {way:?}");
            assert_eq!(before, ledger(&world), "{build} {way:?}");
        }
    }
}

#[test]
fn entities_are_numbered_in_the_order_of_their_creation() {
    for (_, init_code) in multisig::builds().into_iter().flatten().take(1) {
        for way in ways().filter(|way| !way.is_delegated) {
            let Meeting { mut world, desk, multisig, token } = meeting(way, &init_code, |_, _, _| Vec::new());
            let ids =
                [desk, multisig].map(|account| world.ledger().account_id(&account).expect("no trouble"));
            assert_eq!(ids, [Some(long_zero(1024)), Some(long_zero(1025))]);
            assert_eq!(token, long_zero(1026));
        }
    }
}
