//! The services as Solidity code reaches them: the system contract at 0x167, and ERC-20 calls to a token's address.

use alloy_sol_types::{SolType, SolValue, sol_data};
use testkit::relay::{relayed, strict_by};
use testkit::services::Service;
use zvm::hedera::facade::functions;
use zvm::hedera::{KeyRole, ResponseCode, SYSTEM_CONTRACT, TRANSFER_TOPIC};
use zvm::outcome::Exit;
use zvm::{Address, Bytes, U256, keccak256};

use crate::world::{ACTOR, OTHER, USER, World, n, w, ways};

/// A relay by CALL.
const CALLER: Address = Address::repeat_byte(0xca);
/// One by DELEGATECALL.
const DELEGATOR: Address = Address::repeat_byte(0xde);
/// One by STATICCALL.
const READER: Address = Address::repeat_byte(0xad);

fn world(way: crate::world::Way) -> World {
    let accounts = [
        (CALLER, strict_by(".evm", "call")),
        (DELEGATOR, strict_by(".evm", "delegatecall")),
        (READER, strict_by(".evm", "staticcall")),
    ];
    World::with(way, &accounts)
}

/// Call data of a function by its name among the system contract's.
pub(crate) fn call_data(name: &str, arguments: &[u8]) -> Vec<u8> {
    let function = functions()
        .iter()
        .find(|function| function.signature.split('(').next() == Some(name))
        .unwrap_or_else(|| panic!("no function {name}"));
    [&function.selector()[..], arguments].concat()
}

pub(crate) fn erc20(signature: &str, arguments: &[u8]) -> Vec<u8> {
    [&keccak256(signature)[..4], arguments].concat()
}

/// A user's call of `to` through a contract.
fn through(
    world: &mut World,
    contract: Address,
    to: Address,
    value: u64,
    data: &[u8],
) -> (Exit, Bytes, Vec<zvm::host::Log>) {
    let result = world.send_from(USER, contract, value, relayed(to, value, data));
    (result.exit, result.output, result.logs)
}

/// The response code that a function of the service returned first.
pub(crate) fn code_of(output: &[u8]) -> ResponseCode {
    let number = U256::from_be_slice(&output[..32]).try_into().expect("codes are small");
    ResponseCode::from_number(number).expect("a known code")
}

/// The interface's `TokenKey`.
pub(crate) type KeyAbi = (
    sol_data::Uint<256>,
    (sol_data::Bool, sol_data::Address, sol_data::Bytes, sol_data::Bytes, sol_data::Address),
);
/// The interface's `HederaToken`.
pub(crate) type TokenAbi = (
    sol_data::String,
    sol_data::String,
    sol_data::Address,
    sol_data::String,
    sol_data::Bool,
    sol_data::Int<64>,
    sol_data::Bool,
    sol_data::Array<KeyAbi>,
    (sol_data::Int<64>, sol_data::Address, sol_data::Int<64>),
);
/// What `createFungibleToken` takes.
pub(crate) type CreateAbi = (TokenAbi, sol_data::Int<64>, sol_data::Int<32>);

/// Call data that creates a token of `treasury`, whose creator holds the roles of those bits.
pub(crate) fn create_data(treasury: Address, roles: u64, max_supply: i64, supply: i64) -> Vec<u8> {
    let none = Bytes::new();
    let keys = vec![(U256::from(roles), (true, Address::ZERO, none.clone(), none, Address::ZERO))];
    let token = (
        "Solid".to_owned(),
        "SLD".to_owned(),
        treasury,
        "made by Solidity".to_owned(),
        max_supply > 0,
        max_supply,
        false,
        if roles == 0 { vec![] } else { keys },
        (0i64, Address::ZERO, 7_776_000i64),
    );
    call_data("createFungibleToken", &CreateAbi::abi_encode_params(&(token, supply, 3i32)))
}

const ALL_ROLES: u64 = 0x7f;

fn created(world: &mut World, contract: Address, roles: u64) -> Address {
    let data = create_data(contract, roles, 1_000_000, 500);
    let (exit, output, _) = through(world, contract, SYSTEM_CONTRACT, 0, &data);
    assert_eq!((exit, code_of(&output)), (Exit::Return, ResponseCode::Success));
    Address::from_word(U256::from_be_slice(&output[32..64]).into())
}

#[test]
fn selectors_are_those_of_the_network() {
    let known: [(&str, [u8; 4]); 7] = [
        ("associateToken", [0x49, 0x14, 0x6b, 0xde]),
        ("dissociateToken", [0x09, 0x97, 0x94, 0xe8]),
        ("transferToken", [0xec, 0xa3, 0x69, 0x17]),
        ("mintToken", [0xe0, 0xf4, 0x05, 0x9a]),
        ("burnToken", [0xd6, 0x91, 0x0d, 0x06]),
        ("approve", [0xe1, 0xf2, 0x1c, 0x67]),
        ("createFungibleToken", [0x0f, 0xb6, 0x5b, 0xf3]),
    ];
    for (name, selector) in known {
        assert_eq!(call_data(name, &[]), selector, "{name}");
    }
    assert_eq!(zvm::hedera::facade::REDIRECT, keccak256("redirectForToken(address,bytes)")[..4]);
    let mut all: Vec<_> = functions().iter().map(zvm::hedera::facade::FacadeFunction::selector).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), functions().len(), "no two share a selector");
}

#[test]
fn a_contract_creates_mints_moves_and_burns() {
    for way in ways() {
        for contract in [CALLER, DELEGATOR] {
            let mut world = world(way);
            let token = created(&mut world, contract, ALL_ROLES);
            let stored = world.ledger().token(&token).expect("no trouble").expect("a token");
            assert_eq!(
                (stored.name.as_str(), stored.decimals, stored.max_supply),
                ("Solid", 3, Some(1_000_000))
            );
            assert_eq!(stored.treasury, contract);

            let minted = call_data(
                "mintToken",
                &<(sol_data::Address, sol_data::Int<64>, sol_data::Array<sol_data::Bytes>)>::abi_encode_params(&(
                    token,
                    100i64,
                    Vec::<Bytes>::new(),
                )),
            );
            let (exit, output, logs) = through(&mut world, contract, SYSTEM_CONTRACT, 0, &minted);
            assert_eq!((exit, code_of(&output)), (Exit::Return, ResponseCode::Success));
            assert_eq!(U256::from_be_slice(&output[32..64]), n(600), "the new supply");
            assert_eq!((logs.len(), logs[0].address, logs[0].topics[0]), (1, token, TRANSFER_TOPIC));

            // Nobody but the user itself associates the user, at the system contract or at the token.
            let associate = call_data("associateToken", &(USER, token).abi_encode_params());
            if contract == CALLER {
                let (_, output, _) = through(&mut world, contract, SYSTEM_CONTRACT, 0, &associate);
                assert_eq!(code_of(&output), ResponseCode::InvalidSignature);
            }
            let result = world.send_from(USER, SYSTEM_CONTRACT, 0, associate.into());
            assert_eq!(code_of(&result.output), ResponseCode::Success);
            // The treasury has KYC; the user is granted it.
            let grant = call_data("grantTokenKyc", &(token, USER).abi_encode_params());
            let (_, output, _) = through(&mut world, contract, SYSTEM_CONTRACT, 0, &grant);
            assert_eq!(code_of(&output), ResponseCode::Success);
            let transfer = call_data("transferToken", &(token, contract, USER, 30i64).abi_encode_params());
            let (_, output, _) = through(&mut world, contract, SYSTEM_CONTRACT, 0, &transfer);
            assert_eq!(code_of(&output), ResponseCode::Success);
            assert_eq!((world.balance(token, contract), world.balance(token, USER)), (570, 30));
        }
    }
}

#[test]
fn a_refusal_is_a_response_code_of_the_service_and_a_revert_of_erc20() {
    for way in ways() {
        let mut world = world(way);
        let token = created(&mut world, CALLER, ALL_ROLES);
        let transfer = call_data("transferToken", &(token, CALLER, USER, 30i64).abi_encode_params());
        let (exit, output, logs) = through(&mut world, CALLER, SYSTEM_CONTRACT, 0, &transfer);
        assert_eq!((exit, output.len(), logs.len()), (Exit::Return, 32, 0));
        assert_eq!(code_of(&output), ResponseCode::TokenNotAssociatedToAccount);

        let (exit, output, _) = through(
            &mut world,
            CALLER,
            token,
            0,
            &erc20("transfer(address,uint256)", &(USER, n(30)).abi_encode()),
        );
        assert_eq!(exit, Exit::Revert);
        let reason = "TOKEN_NOT_ASSOCIATED_TO_ACCOUNT".to_owned();
        assert_eq!(output[..], erc20("Error(string)", &(reason,).abi_encode_params()));

        // Arguments that do not decode, negative amounts, keys of others.
        for (name, arguments, expected) in [
            ("transferToken", vec![1; 10], ResponseCode::BadEncoding),
            (
                "transferToken",
                (token, CALLER, USER, -1i64).abi_encode_params(),
                ResponseCode::InvalidAccountAmounts,
            ),
            ("pauseToken", (OTHER,).abi_encode_params(), ResponseCode::InvalidTokenId),
        ] {
            let (exit, output, _) =
                through(&mut world, CALLER, SYSTEM_CONTRACT, 0, &call_data(name, &arguments));
            assert_eq!((exit, code_of(&output)), (Exit::Return, expected), "{name}");
        }
        // An unknown function and none at all.
        for data in [&b"\xff\xff\xff\xff"[..], &[]] {
            assert_eq!(through(&mut world, CALLER, SYSTEM_CONTRACT, 0, data).0, Exit::Revert);
        }
    }
}

#[test]
fn keys_freeze_pause_and_wipe() {
    for way in ways() {
        let mut world = world(way);
        let token = created(&mut world, CALLER, ALL_ROLES);
        let run = |world: &mut World, name: &str, arguments: Vec<u8>| {
            let (exit, output, _) = through(world, CALLER, SYSTEM_CONTRACT, 0, &call_data(name, &arguments));
            assert_eq!(exit, Exit::Return, "{name}");
            (code_of(&output), output)
        };
        let pair = (token, USER).abi_encode_params();
        assert_eq!(world.send_from(USER, token, 0, erc20("associate()", &[]).into()).exit, Exit::Return);
        let transfer = (token, CALLER, USER, 30i64).abi_encode_params();
        assert_eq!(
            run(&mut world, "transferToken", transfer.clone()).0,
            ResponseCode::AccountKycNotGrantedForToken
        );
        assert_eq!(run(&mut world, "grantTokenKyc", pair.clone()).0, ResponseCode::Success);
        assert_eq!(run(&mut world, "freezeToken", pair.clone()).0, ResponseCode::Success);
        assert_eq!(run(&mut world, "transferToken", transfer.clone()).0, ResponseCode::AccountFrozenForToken);
        assert_eq!(run(&mut world, "isFrozen", pair.clone()).1[32..], n(1).to_be_bytes::<32>());
        assert_eq!(run(&mut world, "unfreezeToken", pair.clone()).0, ResponseCode::Success);
        assert_eq!(run(&mut world, "pauseToken", (token,).abi_encode_params()).0, ResponseCode::Success);
        assert_eq!(run(&mut world, "transferToken", transfer.clone()).0, ResponseCode::TokenIsPaused);
        assert_eq!(run(&mut world, "unpauseToken", (token,).abi_encode_params()).0, ResponseCode::Success);
        assert_eq!(run(&mut world, "transferToken", transfer).0, ResponseCode::Success);
        assert_eq!(
            run(&mut world, "wipeTokenAccount", (token, USER, 31i64).abi_encode_params()).0,
            ResponseCode::InvalidWipingAmount
        );
        assert_eq!(
            run(&mut world, "wipeTokenAccount", (token, USER, 30i64).abi_encode_params()).0,
            ResponseCode::Success
        );
        assert_eq!(world.ledger().total_supply(&token).expect("no trouble"), 470);

        // The pause role goes to nobody: it can't be paused any more.
        let none = Bytes::new();
        let keys: Vec<_> = vec![(
            U256::from(KeyRole::Pause.bit()),
            (false, Address::ZERO, none.clone(), none, Address::ZERO),
        )];
        let update = <(sol_data::Address, sol_data::Array<KeyAbi>)>::abi_encode_params(&(token, keys));
        assert_eq!(run(&mut world, "updateTokenKeys", update).0, ResponseCode::Success);
        assert_eq!(
            run(&mut world, "pauseToken", (token,).abi_encode_params()).0,
            ResponseCode::TokenHasNoPauseKey
        );
        assert_eq!(run(&mut world, "deleteToken", (token,).abi_encode_params()).0, ResponseCode::Success);
        assert_eq!(run(&mut world, "unfreezeToken", pair).0, ResponseCode::TokenWasDeleted);
        assert_eq!(
            run(&mut world, "isToken", (token,).abi_encode_params()).1[32..],
            n(1).to_be_bytes::<32>()
        );
    }
}

#[test]
fn a_token_answers_erc20_calls() {
    for way in ways() {
        let mut world = world(way);
        let token = created(&mut world, CALLER, KeyRole::Supply.bit());
        // A user associates itself, directly at the token (HIP-719).
        let result = world.send_from(USER, token, 0, erc20("associate()", &[]).into());
        assert_eq!((result.exit, U256::from_be_slice(&result.output)), (Exit::Return, n(22)));
        let (exit, output, logs) = through(
            &mut world,
            CALLER,
            token,
            0,
            &erc20("transfer(address,uint256)", &(USER, n(40)).abi_encode()),
        );
        assert_eq!((exit, U256::from_be_slice(&output)), (Exit::Return, n(1)));
        assert_eq!(logs[0].topics, [TRANSFER_TOPIC, CALLER.into_word(), USER.into_word()]);
        for (signature, arguments, expected) in [
            ("balanceOf(address)", USER.abi_encode(), n(40)),
            ("balanceOf(address)", OTHER.abi_encode(), n(0)),
            ("totalSupply()", vec![], n(500)),
            ("decimals()", vec![], n(3)),
            ("allowance(address,address)", (USER, CALLER).abi_encode(), n(0)),
        ] {
            let (exit, output, _) = through(&mut world, READER, token, 0, &erc20(signature, &arguments));
            assert_eq!((exit, U256::from_be_slice(&output)), (Exit::Return, expected), "{signature}");
        }
        let (_, output, _) = through(&mut world, READER, token, 0, &erc20("symbol()", &[]));
        assert_eq!(output[..], ("SLD".to_owned(),).abi_encode_params());

        // The user allows the contract, which takes.
        let approve = erc20("approve(address,uint256)", &(CALLER, n(15)).abi_encode());
        assert_eq!(world.send_from(USER, token, 0, approve.into()).exit, Exit::Return);
        let take = erc20("transferFrom(address,address,uint256)", &(USER, CALLER, n(15)).abi_encode());
        assert_eq!(through(&mut world, CALLER, token, 0, &take).0, Exit::Return);
        assert_eq!(world.balance(token, USER), 25);
        assert_eq!(through(&mut world, CALLER, token, 0, &take).0, Exit::Revert);
    }
}

#[test]
fn a_tokens_code_run_on_another_account_acts_for_that_account() {
    // The user holds units and calls a contract, which runs the token's code on itself to move the user's units.
    for way in ways() {
        let mut world = world(way);
        let token = created(&mut world, CALLER, KeyRole::Supply.bit());
        assert_eq!(world.send_from(USER, token, 0, erc20("associate()", &[]).into()).exit, Exit::Return);
        let pay = erc20("transfer(address,uint256)", &(USER, n(40)).abi_encode());
        assert_eq!(through(&mut world, CALLER, token, 0, &pay).0, Exit::Return);
        let steal = erc20("transfer(address,uint256)", &(CALLER, n(40)).abi_encode());
        let (exit, _, _) = through(&mut world, DELEGATOR, token, 0, &steal);
        assert_eq!(exit, Exit::Revert);
        assert_eq!(world.balance(token, USER), 40);
        // Neither by naming the token to the system contract itself.
        let redirect = [&zvm::hedera::facade::REDIRECT[..], token.as_slice(), &steal].concat();
        for contract in [CALLER, DELEGATOR] {
            through(&mut world, contract, SYSTEM_CONTRACT, 0, &redirect);
            assert_eq!(world.balance(token, USER), 40);
        }
    }
}

#[test]
fn a_static_call_changes_nothing() {
    for way in ways() {
        let mut world = world(way);
        let token = created(&mut world, CALLER, ALL_ROLES);
        let before = world.executor.changes().accounts.get(&SYSTEM_CONTRACT).cloned();
        for function in functions().iter().filter(|function| function.changes_state) {
            let data = [&function.selector()[..], &[0; 320]].concat();
            let (exit, _, _) = through(&mut world, READER, SYSTEM_CONTRACT, 0, &data);
            assert_eq!(exit, Exit::Revert, "{}", function.signature);
        }
        let transfer = erc20("transfer(address,uint256)", &(USER, n(0)).abi_encode());
        assert_eq!(through(&mut world, READER, token, 0, &transfer).0, Exit::Revert);
        assert_eq!(before, world.executor.changes().accounts.get(&SYSTEM_CONTRACT).cloned());
    }
}

#[test]
fn value_is_never_kept() {
    for way in ways() {
        let mut world = world(way);
        let balance = |world: &mut World, account: Address| {
            world.executor.state_mut().account(&account).expect("no trouble").balance
        };
        // Creating a token costs none, and what is sent for it comes back.
        let data = create_data(CALLER, ALL_ROLES, 0, 1);
        let (exit, output, _) = through(&mut world, CALLER, SYSTEM_CONTRACT, 77, &data);
        assert_eq!((exit, code_of(&output)), (Exit::Return, ResponseCode::Success));
        assert_eq!((balance(&mut world, SYSTEM_CONTRACT), balance(&mut world, CALLER)), (n(0), n(77)));
        // Nothing else takes value.
        let token = Address::from_word(U256::from_be_slice(&output[32..64]).into());
        let view = call_data("isToken", &(token,).abi_encode_params());
        assert_eq!(through(&mut world, CALLER, SYSTEM_CONTRACT, 5, &view).0, Exit::Revert);
        assert_eq!(through(&mut world, CALLER, token, 5, &erc20("totalSupply()", &[])).0, Exit::Revert);
        assert_eq!(world.send_from(USER, token, 5, Bytes::new()).exit, Exit::Revert);
        assert_eq!((balance(&mut world, SYSTEM_CONTRACT), balance(&mut world, token)), (n(0), n(0)));
    }
}

#[test]
fn lists_move_as_much_as_they_take() {
    for way in ways() {
        let mut world = world(way);
        let token = created(&mut world, CALLER, KeyRole::Supply.bit());
        for user in [USER, OTHER] {
            assert_eq!(world.send_from(user, token, 0, erc20("associate()", &[]).into()).exit, Exit::Return);
        }
        type Args =
            (sol_data::Address, sol_data::Array<sol_data::Address>, sol_data::Array<sol_data::Int<64>>);
        let run = |world: &mut World, accounts: Vec<Address>, amounts: Vec<i64>| {
            let data = call_data("transferTokens", &Args::abi_encode_params(&(token, accounts, amounts)));
            code_of(&through(world, CALLER, SYSTEM_CONTRACT, 0, &data).1)
        };
        assert_eq!(run(&mut world, vec![USER, CALLER, OTHER], vec![7, -10, 3]), ResponseCode::Success);
        assert_eq!((world.balance(token, USER), world.balance(token, OTHER)), (7, 3));
        assert_eq!(run(&mut world, vec![USER, CALLER], vec![7, -8]), ResponseCode::InvalidAccountAmounts);
        assert_eq!(run(&mut world, vec![USER], vec![]), ResponseCode::InvalidAccountAmounts);
        for (accounts, amounts) in [
            (vec![USER, CALLER, USER], vec![7, -10, 3]),
            (vec![CALLER, USER, CALLER], vec![-1, 2, -1]),
            (vec![USER, USER], vec![0, 0]),
        ] {
            let refused = run(&mut world, accounts, amounts);
            assert_eq!(refused, ResponseCode::AccountRepeatedInAccountAmounts);
        }
        // The second part fails, and the first is undone with it.
        let refused = run(&mut world, vec![USER, ACTOR, CALLER], vec![1, 1, -2]);
        assert_eq!(refused, ResponseCode::TokenNotAssociatedToAccount);
        assert_eq!(world.balance(token, USER), 7);
    }
}

#[test]
fn the_operations_and_the_facade_work_on_one_token() {
    for way in ways() {
        let mut world = world(way);
        let token = world.token(100);
        world.must(Service::Associate, &[w(USER), w(token)], &[]);
        world.must(Service::Transfer, &[w(token), w(ACTOR), w(USER), n(60)], &[]);
        let (_, output, _) =
            through(&mut world, READER, token, 0, &erc20("balanceOf(address)", &USER.abi_encode()));
        assert_eq!(U256::from_be_slice(&output), n(60));
        let approve = erc20("approve(address,uint256)", &(ACTOR, n(25)).abi_encode());
        assert_eq!(world.send_from(USER, token, 0, approve.into()).exit, Exit::Return);
        world.must(Service::Transfer, &[w(token), w(USER), w(ACTOR), n(25)], &[]);
        assert_eq!((world.balance(token, ACTOR), world.balance(token, USER)), (65, 35));
    }
}

#[test]
fn a_token_has_code_and_so_has_the_system_contract() {
    let way = ways().next().expect("there are ways");
    let mut world = world(way);
    let token = created(&mut world, CALLER, ALL_ROLES);
    for address in [token, SYSTEM_CONTRACT] {
        assert!(world.executor.code_of(&address).expect("no trouble").is_some(), "{address}");
    }
}
