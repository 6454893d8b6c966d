//! What each operation does when it succeeds: the word, the response code, the ledger, the log entry, the gas.

use alloy_primitives::keccak256;
use testkit::relay::{account_code, link};
use testkit::services::{SERVICES, Service, asking};
use zvm::bytecode::Op;
use zvm::hedera::{
    APPROVAL_TOPIC, Key, KeyRole, MESSAGE_TOPIC, ResponseCode, TRANSFER_TOPIC, TokenParams, TopicParams,
    long_zero, number_of, running_hash,
};
use zvm::{Address, U256};

use crate::world::{ACTOR, NOW, OTHER, RIVAL, USER, World, n, params, w, ways};

#[test]
fn a_token_is_created_as_its_parameters_say() {
    for way in ways() {
        let mut world = World::new(way);
        let given = TokenParams { decimals: 7, ..params(ACTOR, 1000) };
        let answer = world.ask(Service::Create, &[], &given.encode());
        assert_eq!(answer.code, Some(ResponseCode::Success), "{way:?}");
        let token = Address::from_word(answer.word.into());
        assert!(number_of(&token).expect("a long-zero address") > 1023);

        let stored = world.ledger().token(&token).expect("no trouble").expect("a token");
        assert_eq!((stored.name.as_str(), stored.symbol.as_str(), stored.decimals), ("Ore", "ORE", 7));
        assert_eq!((stored.treasury, stored.total_supply, stored.max_supply), (ACTOR, 1000, None));
        for role in KeyRole::ALL {
            let expected = match role {
                KeyRole::Admin | KeyRole::Supply => Key::Contract(ACTOR),
                _ => Key::Nobody,
            };
            assert_eq!(*stored.key(role), expected, "{role:?}");
        }
        assert_eq!(world.balance(token, ACTOR), 1000);
        let log = &answer.logs[0];
        assert_eq!((log.address, log.topics[0]), (token, TRANSFER_TOPIC));
        assert_eq!(log.topics[1..], [Address::ZERO.into_word(), ACTOR.into_word()]);
        assert_eq!(log.data[..], n(1000).to_be_bytes::<32>());
    }
}

#[test]
fn units_are_minted_moved_allowed_and_burned() {
    for way in ways() {
        let mut world = World::new(way);
        let token = world.token(0);
        assert_eq!(world.must(Service::Mint, &[w(token), n(500)], &[]), U256::ONE);
        assert_eq!(world.balance(token, ACTOR), 500);
        // The caller may be associated by the contract that it calls.
        world.must(Service::Associate, &[w(USER), w(token)], &[]);
        let moved = world.ask(Service::Transfer, &[w(token), w(ACTOR), w(USER), n(120)], &[]);
        assert_eq!((moved.word, moved.code), (U256::ONE, Some(ResponseCode::Success)));
        assert_eq!(moved.logs[0].topics[1..], [ACTOR.into_word(), USER.into_word()]);
        assert_eq!((world.balance(token, ACTOR), world.balance(token, USER)), (380, 120));

        // What the user allows the contract is used up by what it takes.
        world.ledger().approve(&USER, &token, &ACTOR, 50).expect("allowed");
        world.must(Service::Transfer, &[w(token), w(USER), w(ACTOR), n(30)], &[]);
        assert_eq!(world.ledger().allowance(&token, &USER, &ACTOR).expect("no trouble"), 20);

        let approved = world.ask(Service::Approve, &[w(token), w(RIVAL), n(77)], &[]);
        assert_eq!((approved.word, approved.logs[0].topics[0]), (U256::ONE, APPROVAL_TOPIC));
        assert_eq!(world.ledger().allowance(&token, &ACTOR, &RIVAL).expect("no trouble"), 77);

        world.must(Service::Burn, &[w(token), n(410)], &[]);
        assert_eq!(world.ledger().total_supply(&token).expect("no trouble"), 90);
        assert_eq!((world.balance(token, ACTOR), world.balance(token, USER)), (0, 90));

        // Whoever has nothing left can let go.
        world.ledger().transfer(&USER, &token, &USER, &ACTOR, 90).expect("moved");
        world.must(Service::Dissociate, &[w(USER), w(token)], &[]);
        assert_eq!(world.ledger().relation(&token, &USER).expect("no trouble"), None);
    }
}

#[test]
fn a_transfer_to_oneself_and_of_nothing_change_no_balance() {
    for way in ways() {
        let mut world = World::new(way);
        let token = world.token(10);
        world.must(Service::Transfer, &[w(token), w(ACTOR), w(ACTOR), n(10)], &[]);
        world.must(Service::Transfer, &[w(token), w(ACTOR), w(ACTOR), n(0)], &[]);
        assert_eq!(world.balance(token, ACTOR), 10);
    }
}

#[test]
fn the_upper_bytes_of_address_operands_do_not_count() {
    for way in ways() {
        let mut world = World::new(way);
        let token = world.token(10);
        let dirty = |address: Address| w(address) | (U256::MAX << 160);
        world.must(Service::Associate, &[dirty(USER), dirty(token)], &[]);
        world.must(Service::Transfer, &[dirty(token), dirty(ACTOR), dirty(USER), n(4)], &[]);
        assert_eq!(world.balance(token, USER), 4);
    }
}

#[test]
fn messages_are_numbered_and_chained() {
    for way in ways() {
        let mut world = World::new(way);
        let topic = world.topic();
        let mut expected = [0; 48];
        for (index, message) in [&b"first"[..], &[7; 1024], b"third"].into_iter().enumerate() {
            let answer = world.ask(Service::Submit, &[w(topic)], message);
            assert_eq!((answer.word, answer.code), (U256::ONE, Some(ResponseCode::Success)));
            let id = world.ledger().account_id(&ACTOR).expect("no trouble").expect("numbered");
            let payer = number_of(&id).expect("long-zero");
            let number = index as u64 + 1;
            let topic_number = number_of(&topic).expect("long-zero");
            expected = running_hash(&expected, payer, topic_number, NOW * 1_000_000_000, number, message);
            let stored = world.ledger().topic(&topic).expect("no trouble").expect("a topic");
            assert_eq!((stored.sequence_number, stored.running_hash), (number, expected));
            let log = &answer.logs[0];
            assert_eq!(log.address, topic);
            assert_eq!(log.topics, [MESSAGE_TOPIC, ACTOR.into_word(), n(number).into()]);
            assert_eq!(log.data[..32], n(NOW * 1_000_000_000).to_be_bytes::<32>());
        }
    }
}

#[test]
fn events_have_the_topics_of_their_signatures() {
    assert_eq!(MESSAGE_TOPIC, keccak256("MessageSubmitted(address,uint64,uint64,bytes,bytes)"));
    assert_eq!(TRANSFER_TOPIC, keccak256("Transfer(address,address,uint256)"));
    assert_eq!(APPROVAL_TOPIC, keccak256("Approval(address,address,uint256)"));
}

#[test]
fn a_topic_is_changed_and_deleted() {
    for way in ways() {
        let mut world = World::new(way);
        let topic = world.topic();
        let memo = TopicParams { memo: "other notes, longer than one word of the ledger's text".into() };
        world.must(Service::UpdateTopic, &[w(topic)], &memo.encode());
        let stored = world.ledger().topic(&topic).expect("no trouble").expect("a topic");
        assert_eq!(stored.memo, memo.memo);
        world.must(Service::DeleteTopic, &[w(topic)], &[]);
        assert!(world.ledger().topic(&topic).expect("no trouble").expect("known").is_deleted);
    }
}

#[test]
fn accounts_have_numbers_and_can_be_named_by_them() {
    for way in ways() {
        let mut world = World::new(way);
        // Put there by hand, the contract has no number yet.
        let answer = world.ask(Service::AccountId, &[], &[]);
        assert_eq!((answer.word, answer.code), (U256::ZERO, None));
        let token = world.token(100);
        let id = Address::from_word(world.ask(Service::AccountId, &[], &[]).word.into());
        assert_eq!(world.ledger().account(&id).expect("no trouble"), Some(ACTOR));
        world.must(Service::Associate, &[w(USER), w(token)], &[]);
        let user = world.ledger().account_id(&USER).expect("no trouble").expect("numbered");
        world.must(Service::Transfer, &[w(token), w(id), w(user), n(3)], &[]);
        assert_eq!(world.balance(token, USER), 3);
        assert_eq!(long_zero(number_of(&user).expect("long-zero")), user);
    }
}

#[test]
fn consensus_time_is_in_nanoseconds() {
    for way in ways() {
        let mut world = World::new(way);
        let answer = world.ask(Service::Timestamp, &[], &[]);
        assert_eq!((answer.word, answer.code), (n(NOW * 1_000_000_000), None));
    }
}

#[test]
fn gas_is_what_the_table_says_and_equal_in_every_way() {
    let rows: [(Service, Op, Vec<U256>, Vec<u8>); 4] = [
        (Service::Mint, Op::HtsMint, vec![n(1), n(1)], vec![]),
        (Service::Transfer, Op::HtsTransfer, vec![n(1), n(1), n(1), n(1)], vec![]),
        (Service::Submit, Op::HcsSubmit, vec![n(1)], vec![1; 100]),
        (Service::Create, Op::HtsCreate, vec![], vec![1; 64]),
    ];
    for is_delegated in [false, true] {
        for (service, op, words, data) in &rows {
            let mut gas = ways().filter(|way| way.is_delegated == is_delegated).map(|way| {
                let mut world = World::new(way);
                world.ask(*service, words, data).gas
            });
            let first = gas.next().expect("there are ways");
            assert!(gas.all(|gas| gas == first), "{service:?}");
            let least = 21_000 + op.info().gas + op.dynamic_rate() * data.len() as u64;
            assert!((least..least + 6_000).contains(&first), "{service:?}: {first}, at least {least}");
        }
    }
}

#[test]
fn without_the_services_their_operations_are_invalid() {
    use zvm::engine::Executor;
    use zvm::host::BlockEnv;
    use zvm::outcome::{Exit, Trap};
    use zvm::state::InMemoryDatabase;
    use zvm::tx::Transaction;
    use zvm::{Bytes, Engine};
    let code = account_code(".zvm\nhedera_timestamp\nhalt");
    let mut database = InMemoryDatabase::new();
    database.insert_account(OTHER, 1, U256::ZERO, code);
    let mut executor = Executor::new(Engine::builder().build(), database);
    let transaction = Transaction::legacy(USER, Some(OTHER), U256::ZERO, Bytes::new(), 100_000, U256::ZERO);
    let block = BlockEnv { gas_limit: U256::MAX, ..BlockEnv::default() };
    let result = executor.transact(&transaction, &block).expect("valid");
    assert_eq!(result.exit, Exit::Trap(Trap::InvalidOpcode));
}

#[test]
fn a_static_frame_may_only_read() {
    use zvm::outcome::Exit;
    let caller = link(".evm", "staticcall", &ACTOR, "return");
    for way in ways() {
        let mut world = World::with(way, &[(Address::repeat_byte(0x57), caller.clone())]);
        let token = world.token(10);
        for (service, _, words, has_data) in SERVICES {
            let operands = vec![w(token); words];
            let data: &[u8] = if has_data { b"data" } else { &[] };
            let before = world.executor.changes().accounts.get(&zvm::hedera::SYSTEM_CONTRACT).cloned();
            let result =
                world.send_from(USER, Address::repeat_byte(0x57), 0, asking(service, &operands, data));
            assert_eq!(result.exit, Exit::Return);
            let reads = matches!(service, Service::AccountId | Service::Timestamp);
            assert_eq!(U256::from_be_slice(&result.output), U256::from(reads), "{service:?} {way:?}");
            let after = world.executor.changes().accounts.get(&zvm::hedera::SYSTEM_CONTRACT).cloned();
            assert_eq!(before, after, "{service:?}");
        }
    }
}
