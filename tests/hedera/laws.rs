//! Laws that hold after any sequence of requests: the units of all accounts are the supply, the running hash can be
//! computed again from the messages, and what was reverted has no effect.

use std::collections::BTreeMap;

use testkit::random::Random;
use testkit::services::Service;
use zvm::hedera::{
    Acting, Key, KeyRole, Ledger, ResponseCode, ServiceReply, ServiceRequest, Token, TopicParams, number_of,
    running_hash,
};
use zvm::state::{InMemoryDatabase, State};
use zvm::{Address, Bytes, Fork, U256};

use crate::world::{ACTOR, MODES, NOW, USER, Way, World, n, params, w};

const TIME: u64 = NOW * 1_000_000_000;

/// What a sequence works with.
struct Things {
    accounts: Vec<Address>,
    tokens: Vec<Address>,
    topics: Vec<Address>,
    /// What was submitted and kept: payer and message, by topic.
    messages: BTreeMap<Address, Vec<(Address, Bytes)>>,
}

fn fresh() -> (State<InMemoryDatabase>, Things) {
    let mut database = InMemoryDatabase::new();
    let accounts: Vec<Address> = (1..=5).map(|number| Address::repeat_byte(0xa0 + number)).collect();
    for account in &accounts {
        database.insert_account(*account, 1, U256::ZERO, Bytes::new());
    }
    let mut state = State::new(database);
    state.begin_transaction(Fork::LATEST);
    (state, Things { accounts, tokens: vec![], topics: vec![], messages: BTreeMap::new() })
}

/// A request, mostly one that could succeed.
fn request(random: &mut Random, things: &Things) -> ServiceRequest {
    let account = |random: &mut Random| random.pick(&things.accounts);
    let token = |random: &mut Random| match things.tokens.as_slice() {
        [] => Address::ZERO,
        tokens => random.pick(tokens),
    };
    let topic = |random: &mut Random| match things.topics.as_slice() {
        [] => Address::ZERO,
        topics => random.pick(topics),
    };
    let amount = |random: &mut Random| {
        if random.chance(5) { random.word() } else { U256::from(random.below(60)) }
    };
    match random.below(if things.tokens.is_empty() { 2 } else { 20 }) {
        0 => {
            let given = params(account(random), random.below(100));
            ServiceRequest::CreateToken { params: given.encode().into() }
        }
        1 => ServiceRequest::CreateTopic { params: TopicParams { memo: "m".into() }.encode().into() },
        2 | 3 => ServiceRequest::Mint { token: token(random), amount: amount(random) },
        4 | 5 => ServiceRequest::Burn { token: token(random), amount: amount(random) },
        6..=8 => ServiceRequest::Associate { account: account(random), token: token(random) },
        9 => ServiceRequest::Dissociate { account: account(random), token: token(random) },
        10 | 11 => {
            ServiceRequest::Approve { token: token(random), spender: account(random), amount: amount(random) }
        }
        12..=16 => ServiceRequest::Transfer {
            token: token(random),
            from: account(random),
            to: account(random),
            amount: amount(random),
        },
        17 | 18 => ServiceRequest::Submit {
            topic: topic(random),
            message: vec![random.below(256) as u8; 1 + random.index(40)].into(),
        },
        _ if random.chance(10) => ServiceRequest::DeleteTopic { topic: topic(random) },
        _ => ServiceRequest::UpdateTopic {
            topic: topic(random),
            params: TopicParams { memo: "n".into() }.encode().into(),
        },
    }
}

/// Who acts: mostly who could.
fn acting_for(
    random: &mut Random,
    things: &Things,
    request: &ServiceRequest,
    state: &mut State<InMemoryDatabase>,
) -> Acting {
    let mut acting = Acting { account: random.pick(&things.accounts), caller: random.pick(&things.accounts) };
    if random.chance(20) {
        return acting;
    }
    let mut ledger = Ledger::new(state, TIME);
    match request {
        ServiceRequest::Transfer { from: able, .. }
        | ServiceRequest::Associate { account: able, .. }
        | ServiceRequest::Dissociate { account: able, .. } => acting.account = *able,
        ServiceRequest::Mint { token, .. } | ServiceRequest::Burn { token, .. } => {
            let token = ledger.token(token).expect("no trouble");
            if let Some(Key::Contract(able)) = token.map(|token| token.key(KeyRole::Supply).clone()) {
                acting.account = able;
            }
        }
        ServiceRequest::Submit { topic, .. }
        | ServiceRequest::UpdateTopic { topic, .. }
        | ServiceRequest::DeleteTopic { topic } => {
            let topic = ledger.topic(topic).expect("no trouble");
            if let Some(Key::Contract(able)) = topic.map(|topic| topic.submit_key) {
                acting.account = able;
            }
        }
        _ => {}
    }
    acting
}

/// Notes what a request that succeeded made.
fn note(things: &mut Things, acting: &Acting, request: &ServiceRequest, reply: &ServiceReply) {
    if reply.code != ResponseCode::Success {
        assert!(reply.word.is_zero() && reply.logs.is_empty());
        return;
    }
    let made = Address::from_word(reply.word.into());
    match request {
        ServiceRequest::CreateToken { .. } => things.tokens.push(made),
        ServiceRequest::CreateTopic { .. } => things.topics.push(made),
        ServiceRequest::Submit { topic, message } => {
            things.messages.entry(*topic).or_default().push((acting.account, message.clone()));
        }
        _ => assert_eq!(reply.word, U256::ONE),
    }
}

fn check_laws(state: &mut State<InMemoryDatabase>, things: &Things) {
    let mut ledger = Ledger::new(state, TIME);
    for token in &things.tokens {
        let mut sum = 0u64;
        for account in &things.accounts {
            let relation = ledger.relation(token, account).expect("no trouble");
            sum += relation.map_or(0, |relation| relation.balance);
        }
        assert_eq!(sum, ledger.total_supply(token).expect("no trouble"), "units are the supply");
    }
    for topic in &things.topics {
        let stored = ledger.topic(topic).expect("no trouble").expect("a topic");
        let messages = things.messages.get(topic).map_or(&[][..], Vec::as_slice);
        assert_eq!(stored.sequence_number, messages.len() as u64);
        let mut hash = [0; 48];
        for (index, (payer, message)) in messages.iter().enumerate() {
            let payer = ledger.account_id(payer).expect("no trouble").expect("numbered");
            let numbers = (number_of(&payer).expect("long-zero"), number_of(topic).expect("long-zero"));
            hash = running_hash(&hash, numbers.0, numbers.1, TIME, index as u64 + 1, message);
        }
        assert_eq!(stored.running_hash, hash, "the running hash can be computed again");
    }
}

#[test]
fn random_sequences_keep_the_laws() {
    let mut succeeded = 0;
    for seed in 0..10_000 {
        let mut random = Random::new(seed);
        let (mut state, mut things) = fresh();
        for _ in 0..6 + random.index(20) {
            let request = request(&mut random, &things);
            let acting = acting_for(&mut random, &things, &request, &mut state);
            // Every third frame is reverted, some of them with another inside.
            let is_reverted = random.chance(33);
            let (checkpoint, before) = (state.checkpoint(), is_reverted.then(|| state.diff()));
            let reply = Ledger::new(&mut state, TIME).answer(&acting, &request).expect("no trouble");
            match before {
                Some(before) => {
                    if random.chance(50) {
                        let inner = state.checkpoint();
                        let token = things.tokens.first().copied().unwrap_or_default();
                        let request = ServiceRequest::Mint { token, amount: U256::ONE };
                        Ledger::new(&mut state, TIME).answer(&acting, &request).expect("no trouble");
                        if random.chance(50) {
                            state.revert_to(inner);
                        }
                    }
                    state.revert_to(checkpoint);
                    assert_eq!(state.diff(), before, "seed {seed}: {request:?} was reverted");
                }
                None => {
                    succeeded += u64::from(reply.code == ResponseCode::Success);
                    note(&mut things, &acting, &request, &reply);
                }
            }
        }
        check_laws(&mut state, &things);
    }
    assert!(succeeded > 50_000, "five requests of a sequence succeed: {succeeded}");
}

#[test]
fn the_tiers_agree_on_random_sequences() {
    for seed in 0..60 {
        let mut outcomes = MODES.map(|(mode, compiles)| {
            let mut random = Random::new(seed);
            let mut world = World::new(Way { mode, compiles, is_delegated: seed % 2 == 1 });
            let mut answers = Vec::new();
            let token = world.token(20);
            let topic = world.topic();
            for _ in 0..20 {
                let units = n(random.below(15));
                let (service, words, data) = match random.below(7) {
                    0 => (Service::Associate, vec![w(USER), w(token)], vec![]),
                    1 => (Service::Transfer, vec![w(token), w(ACTOR), w(USER), units], vec![]),
                    2 => (Service::Mint, vec![w(token), units], vec![]),
                    3 => (Service::Burn, vec![w(token), units], vec![]),
                    4 => (Service::Submit, vec![w(topic)], vec![1; random.index(5)]),
                    5 => (Service::Dissociate, vec![w(USER), w(token)], vec![]),
                    _ => (Service::Approve, vec![w(token), w(USER), units], vec![]),
                };
                let answer = world.ask(service, &words, &data);
                answers.push((answer.word, answer.code, answer.logs, answer.gas));
            }
            (answers, world.executor.changes())
        });
        let first = std::mem::take(&mut outcomes[0]);
        assert!(outcomes[1..].iter().all(|outcome| *outcome == first), "seed {seed}");
    }
}

#[test]
fn a_ledger_outlives_its_state() {
    let (mut state, things) = fresh();
    let mut ledger = Ledger::new(&mut state, TIME);
    let mut token = Token {
        name: "A name that is longer than the thirty-two bytes of a word".into(),
        symbol: "SYM".into(),
        memo: "memo".into(),
        decimals: 4,
        treasury: things.accounts[0],
        total_supply: 77,
        max_supply: Some(100),
        freeze_default: true,
        auto_renew_account: things.accounts[1],
        auto_renew_period: -1,
        expiry: i64::MIN,
        ..Token::default()
    };
    token.keys[KeyRole::Freeze as usize] = Key::Ed25519(vec![9; 32].into());
    token.keys[KeyRole::Wipe as usize] = Key::DelegatableContract(things.accounts[2]);
    token.keys[KeyRole::Pause as usize] = Key::Secp256k1(vec![2; 33].into());
    let (address, _) = ledger.create_token(&things.accounts[0], token.clone()).expect("created");
    let mut database = InMemoryDatabase::new();
    database.commit(&state.diff());
    let mut state = State::new(database);
    let stored = Ledger::new(&mut state, TIME).token(&address).expect("no trouble");
    assert_eq!(stored, Some(token));
}
