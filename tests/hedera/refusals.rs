//! Each refusal of each operation, directly and through DELEGATECALL: the word 0, the response code, and a ledger that
//! is what it was.

use testkit::services::Service;
use zvm::hedera::{
    AMOUNT_MAX, Key, KeyRole, MESSAGE_BYTES_MAX, ResponseCode, SYSTEM_CONTRACT, Token, TokenParams,
    TopicParams, long_zero,
};
use zvm::{Address, U256};

use crate::world::{ACTOR, OTHER, RIVAL, USER, World, n, params, w, ways};

/// Checks that a service is refused with that code after some preparation, in every way.
fn refused(code: ResponseCode, service: Service, prepare: impl Fn(&mut World) -> (Vec<U256>, Vec<u8>)) {
    for way in ways() {
        let mut world = World::new(way);
        let (words, data) = prepare(&mut world);
        let before = world.executor.changes().accounts.get(&SYSTEM_CONTRACT).cloned();
        let answer = world.ask(service, &words, &data);
        assert_eq!((answer.word, answer.code), (U256::ZERO, Some(code)), "{service:?} {way:?}");
        assert!(answer.logs.is_empty(), "{service:?} {way:?}");
        let after = world.executor.changes().accounts.get(&SYSTEM_CONTRACT).cloned();
        assert_eq!(before, after, "{service:?} {way:?}");
    }
}

/// A token of the actor that is as `change` makes it.
fn token_with(world: &mut World, change: impl FnOnce(&mut Token)) -> Address {
    let mut token = Token {
        name: "Ore".into(),
        symbol: "ORE".into(),
        treasury: ACTOR,
        total_supply: 100,
        ..Token::default()
    };
    token.keys[KeyRole::Supply as usize] = Key::Contract(ACTOR);
    token.keys[KeyRole::Admin as usize] = Key::Contract(ACTOR);
    change(&mut token);
    world.ledger().create_token(&ACTOR, token).expect("created").0
}

/// A token of the actor that the user holds too.
fn shared(world: &mut World) -> Address {
    let token = world.token(100);
    world.must(Service::Associate, &[w(USER), w(token)], &[]);
    token
}

/// A token of the actor that is deleted.
fn deleted(world: &mut World) -> Address {
    let token = shared(world);
    world.ledger().delete_token(&ACTOR, &token).expect("deleted");
    token
}

/// A token of the actor that is paused, and that the user holds too.
fn paused(world: &mut World) -> Address {
    let token = token_with(world, |token| token.keys[KeyRole::Pause as usize] = Key::Contract(ACTOR));
    world.must(Service::Associate, &[w(USER), w(token)], &[]);
    world.ledger().set_paused(&ACTOR, &token, true).expect("paused");
    token
}

/// A token of the actor for which `frozen` is frozen.
fn frozen_for(world: &mut World, frozen: Address) -> Address {
    let token = token_with(world, |token| token.keys[KeyRole::Freeze as usize] = Key::Contract(ACTOR));
    world.must(Service::Associate, &[w(USER), w(token)], &[]);
    world.ledger().set_frozen(&ACTOR, &token, &frozen, true).expect("frozen");
    token
}

/// A token of the actor that asks for KYC, which the user has not.
fn known_only(world: &mut World) -> Address {
    let token = token_with(world, |token| token.keys[KeyRole::Kyc as usize] = Key::Contract(ACTOR));
    world.must(Service::Associate, &[w(USER), w(token)], &[]);
    token
}

#[test]
fn transfers() {
    use ResponseCode as R;
    let service = Service::Transfer;
    let to_user = |token: Address, units: u64| (vec![w(token), w(ACTOR), w(USER), n(units)], vec![]);
    refused(R::InvalidTokenId, service, |_| to_user(long_zero(5000), 1));
    refused(R::InvalidTokenId, service, |_| to_user(RIVAL, 1));
    refused(R::TokenWasDeleted, service, |world| to_user(deleted(world), 1));
    refused(R::TokenIsPaused, service, |world| to_user(paused(world), 1));
    refused(R::TokenNotAssociatedToAccount, service, |world| to_user(world.token(5), 1));
    refused(R::TokenNotAssociatedToAccount, service, |world| {
        let token = shared(world);
        world.ledger().approve(&ACTOR, &token, &RIVAL, 1).expect("allowed");
        (vec![w(token), w(RIVAL), w(USER), n(1)], vec![])
    });
    refused(R::InvalidAccountId, service, |world| {
        (vec![w(shared(world)), w(ACTOR), w(Address::repeat_byte(0x99)), n(1)], vec![])
    });
    refused(R::InvalidAccountId, service, |world| {
        (vec![w(shared(world)), w(ACTOR), w(Address::ZERO), n(1)], vec![])
    });
    refused(R::InvalidAccountId, service, |world| {
        // A token is no account, and the system contract's number is reserved.
        let token = shared(world);
        (vec![w(token), w(ACTOR), w(token), n(1)], vec![])
    });
    refused(R::InvalidAccountId, service, |world| {
        (vec![w(shared(world)), w(SYSTEM_CONTRACT), w(USER), n(1)], vec![])
    });
    refused(R::AccountFrozenForToken, service, |world| to_user(frozen_for(world, ACTOR), 1));
    refused(R::AccountFrozenForToken, service, |world| to_user(frozen_for(world, USER), 1));
    refused(R::AccountKycNotGrantedForToken, service, |world| to_user(known_only(world), 1));
    refused(R::InsufficientTokenBalance, service, |world| to_user(shared(world), 101));
    refused(R::InvalidAccountAmounts, service, |world| to_user(shared(world), AMOUNT_MAX + 1));
    refused(R::InvalidAccountAmounts, service, |world| {
        (vec![w(shared(world)), w(ACTOR), w(USER), U256::MAX], vec![])
    });
    // Another's units, though it calls: neither CALLER nor ORIGIN grants anything.
    refused(R::SpenderDoesNotHaveAllowance, service, |world| {
        let token = shared(world);
        world.must(Service::Transfer, &[w(token), w(ACTOR), w(USER), n(10)], &[]);
        (vec![w(token), w(USER), w(ACTOR), n(1)], vec![])
    });
    refused(R::AmountExceedsAllowance, service, |world| {
        let token = shared(world);
        world.must(Service::Transfer, &[w(token), w(ACTOR), w(USER), n(10)], &[]);
        world.ledger().approve(&USER, &token, &ACTOR, 4).expect("allowed");
        (vec![w(token), w(USER), w(ACTOR), n(5)], vec![])
    });
}

#[test]
fn minting_and_burning() {
    use ResponseCode as R;
    for service in [Service::Mint, Service::Burn] {
        let one = |token: Address| (vec![w(token), n(1)], vec![]);
        refused(R::InvalidTokenId, service, |_| one(long_zero(5000)));
        refused(R::TokenWasDeleted, service, |world| one(deleted(world)));
        refused(R::TokenIsPaused, service, |world| one(paused(world)));
        refused(R::AccountFrozenForToken, service, |world| one(frozen_for(world, ACTOR)));
        refused(R::TokenHasNoSupplyKey, service, |world| {
            one(token_with(world, |token| token.keys[KeyRole::Supply as usize] = Key::Nobody))
        });
        refused(R::InvalidSignature, service, |world| {
            one(token_with(world, |token| token.keys[KeyRole::Supply as usize] = Key::Contract(RIVAL)))
        });
        refused(R::InvalidSignature, service, |world| {
            let key = Key::Ed25519(vec![7; 32].into());
            one(token_with(world, |token| token.keys[KeyRole::Supply as usize] = key))
        });
    }
    refused(R::InvalidTokenMintAmount, Service::Mint, |world| {
        (vec![w(world.token(1)), n(AMOUNT_MAX)], vec![])
    });
    refused(R::InvalidTokenMintAmount, Service::Mint, |world| (vec![w(world.token(1)), U256::MAX], vec![]));
    refused(R::TokenMaxSupplyReached, Service::Mint, |world| {
        (vec![w(token_with(world, |token| token.max_supply = Some(110))), n(11)], vec![])
    });
    refused(R::InvalidTokenBurnAmount, Service::Burn, |world| (vec![w(world.token(5)), n(6)], vec![]));
    refused(R::InvalidTokenBurnAmount, Service::Burn, |world| (vec![w(world.token(5)), U256::MAX], vec![]));
    refused(R::InsufficientTokenBalance, Service::Burn, |world| {
        let token = shared(world);
        world.must(Service::Transfer, &[w(token), w(ACTOR), w(USER), n(60)], &[]);
        (vec![w(token), n(41)], vec![])
    });
}

#[test]
fn associations() {
    use ResponseCode as R;
    let own = |token: Address| (vec![w(ACTOR), w(token)], vec![]);
    let user = |token: Address| (vec![w(USER), w(token)], vec![]);
    refused(R::InvalidTokenId, Service::Associate, |_| user(long_zero(5000)));
    refused(R::TokenWasDeleted, Service::Associate, |world| user(deleted(world)));
    refused(R::TokenIsPaused, Service::Associate, |world| user(paused(world)));
    refused(R::TokenAlreadyAssociatedToAccount, Service::Associate, |world| user(shared(world)));
    refused(R::InvalidSignature, Service::Associate, |world| (vec![w(OTHER), w(world.token(1))], vec![]));
    refused(R::InvalidAccountId, Service::Associate, |world| {
        (vec![w(Address::repeat_byte(0x99)), w(world.token(1))], vec![])
    });
    refused(R::InvalidTokenId, Service::Dissociate, |_| user(long_zero(5000)));
    refused(R::TokenIsPaused, Service::Dissociate, |world| user(paused(world)));
    refused(R::TokenNotAssociatedToAccount, Service::Dissociate, |world| user(world.token(1)));
    refused(R::AccountIsTreasury, Service::Dissociate, |world| own(world.token(0)));
    refused(R::AccountFrozenForToken, Service::Dissociate, |world| user(frozen_for(world, USER)));
    refused(R::InvalidSignature, Service::Dissociate, |world| (vec![w(OTHER), w(world.token(1))], vec![]));
    refused(R::TransactionRequiresZeroTokenBalances, Service::Dissociate, |world| {
        let token = shared(world);
        world.must(Service::Transfer, &[w(token), w(ACTOR), w(USER), n(1)], &[]);
        user(token)
    });
}

#[test]
fn allowances() {
    use ResponseCode as R;
    let service = Service::Approve;
    let rival = |token: Address, units: u64| (vec![w(token), w(RIVAL), n(units)], vec![]);
    refused(R::InvalidTokenId, service, |_| rival(long_zero(5000), 1));
    refused(R::TokenWasDeleted, service, |world| rival(deleted(world), 1));
    refused(R::TokenIsPaused, service, |world| rival(paused(world), 1));
    refused(R::SpenderAccountSameAsOwner, service, |world| (vec![w(world.token(1)), w(ACTOR), n(1)], vec![]));
    refused(R::InvalidAllowanceSpenderId, service, |world| {
        (vec![w(world.token(1)), w(Address::repeat_byte(0x99)), n(1)], vec![])
    });
    refused(R::NegativeAllowanceAmount, service, |world| rival(world.token(1), AMOUNT_MAX + 1));
    refused(R::AmountExceedsTokenMaxSupply, service, |world| {
        rival(token_with(world, |token| token.max_supply = Some(200)), 201)
    });
    refused(R::TokenNotAssociatedToAccount, service, |world| {
        let mut token = Token { name: "X".into(), symbol: "X".into(), treasury: RIVAL, ..Token::default() };
        token.total_supply = 1;
        let token = world.ledger().create_token(&RIVAL, token).expect("created").0;
        (vec![w(token), w(OTHER), n(1)], vec![])
    });
}

#[test]
fn creating_tokens() {
    use ResponseCode as R;
    let with = |change: fn(&mut TokenParams)| {
        move |_: &mut World| {
            let mut given = params(ACTOR, 1);
            change(&mut given);
            (vec![], given.encode())
        }
    };
    refused(R::MissingTokenName, Service::Create, with(|p| p.name.clear()));
    refused(R::MissingTokenSymbol, Service::Create, with(|p| p.symbol.clear()));
    refused(R::TokenNameTooLong, Service::Create, with(|p| p.name = "x".repeat(101)));
    refused(R::TokenSymbolTooLong, Service::Create, with(|p| p.symbol = "x".repeat(101)));
    refused(R::InvalidZeroByteInString, Service::Create, with(|p| p.name = "a\0b".into()));
    refused(R::InvalidTokenInitialSupply, Service::Create, with(|p| p.initial_supply = AMOUNT_MAX + 1));
    refused(R::InvalidTreasuryAccountForToken, Service::Create, with(|p| p.treasury = Address::ZERO));
    // The caller, who signed the transaction, did not allow it.
    refused(R::InvalidTreasuryAccountForToken, Service::Create, with(|p| p.treasury = USER));
}

#[test]
fn an_account_that_allowed_it_is_treasury() {
    for way in ways() {
        let mut world = World::new(way);
        world.ledger().allow_treasury(&OTHER, &ACTOR).expect("no trouble");
        let word = world.must(Service::Create, &[], &params(OTHER, 9).encode());
        assert_eq!(world.balance(Address::from_word(word.into()), OTHER), 9);
    }
}

#[test]
fn parameters_that_are_no_encoding() {
    let good = params(ACTOR, 1).encode();
    let topic = TopicParams { memo: "memo".into() }.encode();
    let mut damaged: Vec<Vec<u8>> = vec![vec![], good[..good.len() - 1].to_vec()];
    // Bytes behind the end, dirty padding, and every single word changed.
    damaged.push([&good[..], &[0]].concat());
    damaged.push([&good[..], &[0; 32]].concat());
    for word in 0..good.len() / 32 {
        let mut bytes = good.clone();
        bytes[32 * word] ^= 0x80;
        damaged.push(bytes);
    }
    for bytes in damaged {
        let way = ways().next().expect("there are ways");
        let mut world = World::new(way);
        let answer = world.ask(Service::Create, &[], &bytes);
        assert_eq!(answer.word, U256::ZERO);
        // A changed byte of a text is a text; in front it makes none that is UTF-8.
        assert_eq!(answer.code, Some(ResponseCode::BadEncoding), "{}", alloy_primitives::hex::encode(&bytes));
    }
    refused(ResponseCode::BadEncoding, Service::Create, |_| (vec![], topic.clone()));
    refused(ResponseCode::BadEncoding, Service::CreateTopic, |_| (vec![], good.clone()));
    refused(ResponseCode::BadEncoding, Service::CreateTopic, |_| (vec![], vec![0xff; 100]));
}

#[test]
fn topics() {
    use ResponseCode as R;
    let memo = |text: &str| TopicParams { memo: text.into() }.encode();
    let long = "x".repeat(101);
    refused(R::MemoTooLong, Service::CreateTopic, |_| (vec![], memo(&long)));
    refused(R::InvalidZeroByteInString, Service::CreateTopic, |_| (vec![], memo("a\0")));
    refused(R::MemoTooLong, Service::UpdateTopic, |world| (vec![w(world.topic())], memo(&long)));
    refused(R::BadEncoding, Service::UpdateTopic, |world| (vec![w(world.topic())], b"?".to_vec()));
    refused(R::InvalidTopicMessage, Service::Submit, |world| (vec![w(world.topic())], vec![]));
    refused(R::MessageSizeTooLarge, Service::Submit, |world| {
        (vec![w(world.topic())], vec![1; MESSAGE_BYTES_MAX + 1])
    });
    for service in [Service::Submit, Service::UpdateTopic, Service::DeleteTopic] {
        let data = match service {
            Service::Submit => b"message".to_vec(),
            Service::UpdateTopic => memo("new"),
            _ => vec![],
        };
        refused(R::InvalidTopicId, service, |_| (vec![w(long_zero(5000))], data.clone()));
        // A token is no topic.
        refused(R::InvalidTopicId, service, |world| (vec![w(world.token(1))], data.clone()));
        refused(R::InvalidTopicId, service, |world| {
            let topic = world.topic();
            world.must(Service::DeleteTopic, &[w(topic)], &[]);
            (vec![w(topic)], data.clone())
        });
        refused(R::InvalidSignature, service, |world| {
            let topic = world.topic();
            let rival = Key::Contract(RIVAL);
            world.ledger().set_topic_keys(&topic, rival.clone(), rival).expect("set");
            (vec![w(topic)], data.clone())
        });
    }
    for service in [Service::UpdateTopic, Service::DeleteTopic] {
        refused(R::Unauthorized, service, |world| {
            let topic = world.topic();
            world.ledger().set_topic_keys(&topic, Key::Nobody, Key::Nobody).expect("set");
            (vec![w(topic)], memo("new"))
        });
    }
}

#[test]
fn anybody_submits_to_an_open_topic() {
    for way in ways() {
        let mut world = World::new(way);
        let topic = world.topic();
        world.ledger().set_topic_keys(&topic, Key::Nobody, Key::Nobody).expect("set");
        let answer = world.ask_of(RIVAL, Service::Submit, &[w(topic)], b"hello");
        assert_eq!(answer.code, Some(ResponseCode::Success));
    }
}

#[test]
fn another_contract_has_no_power_over_a_token() {
    for way in ways() {
        let mut world = World::new(way);
        let token = world.token(10);
        let taken = world.ask_of(RIVAL, Service::Transfer, &[w(token), w(ACTOR), w(USER), n(1)], &[]);
        assert_eq!(taken.word, U256::ZERO);
        let minted = world.ask_of(RIVAL, Service::Mint, &[w(token), n(1)], &[]);
        assert_eq!(minted.code, Some(ResponseCode::InvalidSignature));
    }
}
