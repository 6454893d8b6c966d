//! Rules of the network that bind who holds the keys, and limits of what the system contract decodes.

use std::time::{Duration, Instant};

use alloy_sol_types::{SolType, SolValue, sol_data};
use testkit::relay::{calldata, relayed, strict_by, word};
use testkit::services::Service;
use zvm::hedera::facade::REDIRECT;
use zvm::hedera::{
    AMOUNT_MAX, Key, KeyRole, Refusal, ResponseCode, SYSTEM_CONTRACT, TRANSFER_TOPIC, Token, long_zero,
};
use zvm::outcome::Exit;
use zvm::{Address, Bytes, U256};

use crate::facade::{CreateAbi, KeyAbi, call_data, code_of, create_data, erc20};
use crate::world::{ACTOR, OTHER, RIVAL, USER, Way, World, n, w, ways};

/// A relay.
const CALLER: Address = Address::repeat_byte(0xca);

fn world(way: Way) -> World {
    World::with(way, &[(CALLER, strict_by(".evm", "call"))])
}

/// What the system contract answers the relay.
fn service(world: &mut World, data: &[u8]) -> Bytes {
    let result = world.send_from(USER, CALLER, 0, relayed(SYSTEM_CONTRACT, 0, data));
    assert_eq!(result.exit, Exit::Return);
    result.output
}

/// A token of the relay, which holds these roles of it.
fn created(world: &mut World, roles: u64) -> Address {
    let output = service(world, &create_data(CALLER, roles, 1000, 500));
    assert_eq!(code_of(&output), ResponseCode::Success);
    Address::from_word(U256::from_be_slice(&output[32..64]).into())
}

type UpdateKeys = (sol_data::Address, sol_data::Array<KeyAbi>);

/// Call data that gives roles to a contract.
fn give(token: Address, roles: u64, holder: Address) -> Vec<u8> {
    let none = Bytes::new();
    let keys = vec![(U256::from(roles), (false, holder, none.clone(), none, Address::ZERO))];
    call_data("updateTokenKeys", &UpdateKeys::abi_encode_params(&(token, keys)))
}

#[test]
fn a_role_that_nobody_holds_stays_so() {
    use ResponseCode as R;
    let missing = [
        (KeyRole::Kyc, R::TokenHasNoKycKey),
        (KeyRole::Freeze, R::TokenHasNoFreezeKey),
        (KeyRole::Wipe, R::TokenHasNoWipeKey),
        (KeyRole::Supply, R::TokenHasNoSupplyKey),
        (KeyRole::FeeSchedule, R::TokenHasNoFeeScheduleKey),
        (KeyRole::Pause, R::TokenHasNoPauseKey),
    ];
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        let token = created(&mut world, KeyRole::Admin.bit());
        let before = world.ledger().token(&token).expect("no trouble");
        for (role, code) in missing {
            assert_eq!(code_of(&service(&mut world, &give(token, role.bit(), CALLER))), code, "{role:?}");
        }
        assert_eq!(world.ledger().token(&token).expect("no trouble"), before);
        // The one that is held goes to another, and is lost to who held it.
        let admin = give(token, KeyRole::Admin.bit(), RIVAL);
        assert_eq!(code_of(&service(&mut world, &admin)), R::Success);
        assert_eq!(code_of(&service(&mut world, &admin)), R::InvalidSignature);
        // Without an admin key nothing changes any more.
        let fixed = created(&mut world, KeyRole::Supply.bit());
        assert_eq!(
            code_of(&service(&mut world, &give(fixed, KeyRole::Supply.bit(), RIVAL))),
            R::TokenIsImmutable
        );
        let delete = call_data("deleteToken", &(fixed,).abi_encode_params());
        assert_eq!(code_of(&service(&mut world, &delete)), R::TokenIsImmutable);
    }
}

#[test]
fn a_key_may_name_its_contract_by_the_long_zero_address() {
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        let first = created(&mut world, KeyRole::Admin.bit() | KeyRole::Supply.bit());
        let id = world.ledger().account_id(&CALLER).expect("no trouble").expect("numbered");
        assert_ne!(id, CALLER);
        assert_eq!(
            code_of(&service(&mut world, &give(first, KeyRole::Supply.bit(), id))),
            ResponseCode::Success
        );
        type Mint = (sol_data::Address, sol_data::Int<64>, sol_data::Array<sol_data::Bytes>);
        let mint = call_data("mintToken", &Mint::abi_encode_params(&(first, 1, Vec::<Bytes>::new())));
        assert_eq!(code_of(&service(&mut world, &mint)), ResponseCode::Success);
        // A number of nobody, and that of a token.
        for nobody in [long_zero(99_999), first] {
            let give = give(first, KeyRole::Supply.bit(), nobody);
            assert_eq!(code_of(&service(&mut world, &give)), ResponseCode::Success);
            assert_eq!(code_of(&service(&mut world, &mint)), ResponseCode::InvalidSignature);
        }
        let topic = world.topic();
        let rival = world.ledger().register(&ACTOR).expect("numbered");
        world.ledger().set_topic_keys(&topic, Key::Contract(rival), Key::Contract(rival)).expect("set");
        world.must(Service::Submit, &[w(topic)], b"by number");
        world.must(Service::DeleteTopic, &[w(topic)], &[]);
    }
}

#[test]
fn a_new_treasury_gets_the_units_of_the_old_one() {
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        let token = created(&mut world, KeyRole::Admin.bit() | KeyRole::Supply.bit());
        let none: (String, String, String) = Default::default();
        let update = |treasury: Address| {
            type Update = (sol_data::Address, crate::facade::TokenAbi);
            let described: <crate::facade::TokenAbi as SolType>::RustType = (
                none.0.clone(),
                none.1.clone(),
                treasury,
                none.2.clone(),
                false,
                0,
                false,
                vec![],
                (0, Address::ZERO, 0),
            );
            call_data("updateTokenInfo", &Update::abi_encode_params(&(token, described)))
        };
        // Neither who did not agree nor who does not hold the token.
        let refused = code_of(&service(&mut world, &update(USER)));
        assert_eq!(refused, ResponseCode::InvalidTreasuryAccountForToken);
        world.ledger().allow_treasury(&USER, &CALLER).expect("no trouble");
        assert_eq!(code_of(&service(&mut world, &update(USER))), ResponseCode::TokenNotAssociatedToAccount);
        assert!(world.send_from(USER, token, 0, erc20("associate()", &[]).into()).is_success());
        let result = world.send_from(USER, CALLER, 0, relayed(SYSTEM_CONTRACT, 0, &update(USER)));
        assert_eq!(code_of(&result.output), ResponseCode::Success);
        assert_eq!((world.balance(token, CALLER), world.balance(token, USER)), (0, 500));
        assert_eq!(world.ledger().total_supply(&token).expect("no trouble"), 500);
        let topics = [TRANSFER_TOPIC, CALLER.into_word(), USER.into_word()];
        assert_eq!((result.logs.len(), &result.logs[0].topics[..]), (1, &topics[..]));
        let stored = world.ledger().token(&token).expect("no trouble").expect("a token");
        assert_eq!((stored.treasury, stored.name.as_str()), (USER, "Solid"));
    }
}

#[test]
fn tokens_that_the_network_refuses_to_create() {
    use ResponseCode as R;
    let none = Bytes::new();
    let key = |role: KeyRole| {
        (U256::from(role.bit()), (true, Address::ZERO, none.clone(), none.clone(), Address::ZERO))
    };
    let raw = |ed25519: usize, secp256k1: usize| {
        let bytes = |len: usize| Bytes::from(vec![2; len]);
        (U256::from(2), (false, Address::ZERO, bytes(ed25519), bytes(secp256k1), Address::ZERO))
    };
    type Described = <CreateAbi as SolType>::RustType;
    let plain = || -> Described {
        let expiry = (0, Address::ZERO, 0);
        let described =
            ("N".to_owned(), "S".to_owned(), CALLER, String::new(), false, 0, false, vec![], expiry);
        (described, 1, 0)
    };
    type Change = Box<dyn Fn(&mut Described)>;
    let cases: Vec<(R, Change)> = vec![
        (R::Success, Box::new(|_| {})),
        (R::TokenHasNoFreezeKey, Box::new(|it| it.0.6 = true)),
        // A limit of a supply without limit, a limit of nothing, more than the limit.
        (R::InvalidTokenMaxSupply, Box::new(|it| it.0.5 = 1)),
        (R::InvalidTokenMaxSupply, Box::new(|it| it.0.4 = true)),
        (R::InvalidTokenMaxSupply, Box::new(|it| (it.0.4, it.0.5) = (true, -1))),
        (R::InvalidTokenInitialSupply, Box::new(|it| (it.0.4, it.0.5, it.1) = (true, 9, 10))),
        (R::InvalidTokenInitialSupply, Box::new(|it| it.1 = -1)),
        (R::InvalidTokenDecimals, Box::new(|it| it.2 = -1)),
        (R::MemoTooLong, Box::new(|it| it.0.3 = "m".repeat(101))),
        (R::TokenNameTooLong, Box::new(|it| it.0.0 = "n".repeat(2_000))),
        (R::InvalidTreasuryAccountForToken, Box::new(|it| it.0.2 = OTHER)),
        // A role twice, no role, an unknown one; keys of other sizes, and two in one.
        (
            R::BadEncoding,
            Box::new({
                let key = key(KeyRole::Wipe);
                move |it| it.0.7 = vec![key.clone(), key.clone()]
            }),
        ),
        (
            R::BadEncoding,
            Box::new({
                let key = key(KeyRole::Wipe);
                move |it| it.0.7 = vec![(U256::ZERO, key.1.clone())]
            }),
        ),
        (
            R::BadEncoding,
            Box::new({
                let key = key(KeyRole::Wipe);
                move |it| it.0.7 = vec![(n(128), key.1.clone())]
            }),
        ),
        (
            R::BadEncoding,
            Box::new({
                let key = raw(31, 0);
                move |it| it.0.7 = vec![key.clone()]
            }),
        ),
        (
            R::BadEncoding,
            Box::new({
                let key = raw(0, 32);
                move |it| it.0.7 = vec![key.clone()]
            }),
        ),
        (
            R::BadEncoding,
            Box::new({
                let key = raw(32, 33);
                move |it| it.0.7 = vec![key.clone()]
            }),
        ),
        (
            R::Success,
            Box::new({
                let key = raw(32, 0);
                move |it| it.0.7 = vec![key.clone()]
            }),
        ),
        (
            R::Success,
            Box::new({
                let key = key(KeyRole::Freeze);
                move |it| (it.0.6, it.0.7) = (true, vec![key.clone()])
            }),
        ),
    ];
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        for (number, (code, change)) in cases.iter().enumerate() {
            let mut given = plain();
            change(&mut given);
            let data = call_data("createFungibleToken", &CreateAbi::abi_encode_params(&given));
            assert_eq!(code_of(&service(&mut world, &data)), *code, "case {number}");
        }
    }
}

#[test]
fn amounts_end_where_the_network_s_do() {
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        let token = Token {
            name: "All".into(),
            symbol: "ALL".into(),
            treasury: CALLER,
            total_supply: AMOUNT_MAX,
            keys: std::array::from_fn(|_| Key::Contract(CALLER)),
            ..Token::default()
        };
        let token = world.ledger().create_token(&CALLER, token).expect("created").0;
        world.ledger().set_kyc(&CALLER, &token, &CALLER, true).expect("granted");
        type Mint = (sol_data::Address, sol_data::Int<64>, sol_data::Array<sol_data::Bytes>);
        let mint = |units: i64| {
            call_data("mintToken", &Mint::abi_encode_params(&(token, units, Vec::<Bytes>::new())))
        };
        assert_eq!(code_of(&service(&mut world, &mint(0))), ResponseCode::Success);
        for units in [1, i64::MAX, -1, i64::MIN] {
            assert_eq!(code_of(&service(&mut world, &mint(units))), ResponseCode::InvalidTokenMintAmount);
        }
        assert!(world.send_from(USER, token, 0, erc20("associate()", &[]).into()).is_success());
        world.ledger().set_kyc(&CALLER, &token, &USER, true).expect("granted");
        let send = |units: i64| call_data("transferToken", &(token, CALLER, USER, units).abi_encode_params());
        for units in [-1, i64::MIN] {
            assert_eq!(code_of(&service(&mut world, &send(units))), ResponseCode::InvalidAccountAmounts);
        }
        assert_eq!(code_of(&service(&mut world, &send(i64::MAX))), ResponseCode::Success);
        assert_eq!(world.balance(token, USER), AMOUNT_MAX);
        // ERC-20 knows 256 bits, and a list can add up to nothing with parts that are too much.
        let over =
            erc20("transfer(address,uint256)", &(CALLER, U256::from(AMOUNT_MAX) + U256::ONE).abi_encode());
        assert_eq!(world.send_from(USER, token, 0, over.into()).exit, Exit::Revert);
        type List =
            (sol_data::Address, sol_data::Array<sol_data::Address>, sol_data::Array<sol_data::Int<64>>);
        let list = |accounts: Vec<Address>, amounts: Vec<i64>| {
            call_data("transferTokens", &List::abi_encode_params(&(token, accounts, amounts)))
        };
        let data = list(vec![CALLER, USER, OTHER], vec![i64::MIN, i64::MAX, 1]);
        assert_eq!(code_of(&service(&mut world, &data)), ResponseCode::InsufficientTokenBalance);
        let data = list(vec![CALLER; 3], vec![i64::MAX, i64::MAX, -2]);
        assert_eq!(code_of(&service(&mut world, &data)), ResponseCode::InvalidAccountAmounts);
        assert_eq!(world.balance(token, USER), AMOUNT_MAX);
    }
}

/// Offsets that name the same bytes again and again make a little data decode to a lot.
#[test]
fn data_that_decodes_to_more_than_itself_is_refused_at_once() {
    let words = |words: &[u64]| words.iter().flat_map(|&it| word(it)).collect::<Vec<u8>>();
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        let token = created(&mut world, KeyRole::Supply.bit());
        // 4000 elements of 128 KB each would be 512 MB.
        let (count, size) = (4000, 128_000);
        let mut data = call_data("mintToken", &w(token).to_be_bytes::<32>());
        data.extend(words(&[1, 96, count]));
        (0..count).for_each(|_| data.extend(word(32 * count)));
        data.extend(word(size));
        data.resize(data.len() + size as usize, 7);
        let started = Instant::now();
        let result = world.send_from(USER, CALLER, 0, relayed(SYSTEM_CONTRACT, 0, &data));
        assert_eq!(code_of(&result.output), ResponseCode::BadEncoding, "{way:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        // A count that no data could have.
        for count in [u64::MAX, 1 << 40] {
            let mut data = call_data("mintToken", &w(token).to_be_bytes::<32>());
            data.extend(words(&[1, 96, count]));
            assert_eq!(code_of(&service(&mut world, &data)), ResponseCode::BadEncoding);
        }
    }
}

#[test]
fn looking_for_a_token_that_is_none_costs_gas() {
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        let token = created(&mut world, KeyRole::Supply.bit());
        let mut gas = |data: Vec<u8>| {
            let result = world.send_from(USER, SYSTEM_CONTRACT, 0, data.into());
            assert_eq!(result.exit, Exit::Revert);
            result.exec_gas
        };
        let redirect = |to: Address| [&REDIRECT[..], to.as_slice(), &[1, 2, 3, 4]].concat();
        assert_eq!(gas(redirect(long_zero(99_999))), 2_100 + 3);
        assert_eq!(gas(redirect(token)), 2_100 + 3, "a function that no token has");
        assert_eq!(gas(vec![1, 2, 3, 4]), 0, "nothing was read");
    }
}

#[test]
fn a_refusal_of_the_ledger_itself_changes_nothing() {
    let way = ways().next().expect("there are ways");
    let mut world = world(way);
    let token = world.token(10);
    world.must(Service::Associate, &[w(USER), w(token)], &[]);
    world.ledger().approve(&ACTOR, &token, &USER, 50).expect("allowed");
    let before = world.executor.changes();
    let refused = world.ledger().transfer(&USER, &token, &ACTOR, &USER, 11).expect_err("too much");
    assert!(matches!(refused, Refusal::Code(ResponseCode::InsufficientTokenBalance)));
    assert_eq!(world.executor.changes(), before, "the allowance is not used up");
}

#[test]
fn a_token_has_no_custom_fees() {
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = world(way);
        let token = created(&mut world, KeyRole::Supply.bit());
        let fees = |token: Address| calldata("getTokenCustomFees(address)", &[*token.into_word()]);
        let none = [ResponseCode::Success.number().into(), 128, 160, 192, 0, 0, 0].map(word).concat();
        assert_eq!(service(&mut world, &fees(token))[..], none);
        assert_eq!(code_of(&service(&mut world, &fees(USER))), ResponseCode::InvalidTokenId);
    }
}
