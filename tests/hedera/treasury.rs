//! A contract of the language that sells and redeems units of a token of its own, and each of its errors.

use alloy_primitives::keccak256;
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use zvm::host::Log;
use zvm::outcome::Exit;
use zvm::{Address, Bytes, U256};

use crate::world::{NOW, OTHER, USER, Way, World, n, w, ways};

/// The contract.
const TREASURY: &str = include_str!("hts_treasury.kalix");
/// What one unit costs.
const PRICE: u64 = 10;

/// Call data: the selector of a signature, and words.
fn call(signature: &str, words: &[U256]) -> Bytes {
    let mut data = keccak256(signature)[..4].to_vec();
    words.iter().for_each(|word| data.extend(word.to_be_bytes::<32>()));
    data.into()
}

/// Call data of `open`, with two short texts.
fn open() -> Bytes {
    let text = |text: &str| {
        let mut word = [0; 32];
        word[..text.len()].copy_from_slice(text.as_bytes());
        [n(text.len() as u64), U256::from_be_bytes(word)]
    };
    let words = [&[n(0x40), n(0x80)][..], &text("Ore"), &text("ORE")].concat();
    call("open(string,string)", &words)
}

/// The creation code of a text's contract, whose ABI says what it needs.
fn creation_code(text: &str) -> Vec<u8> {
    let source = Source::new("test.kalix", text);
    let compilation = compile(&source, &CompileOptions::STANDARD);
    assert!(!compilation.has_errors(), "{:?}", compilation.diagnostics);
    let artifact = &compilation.contracts[0].artifact;
    assert_eq!(artifact.kalix_abi["requires"], serde_json::json!(["hedera"]));
    artifact.container.init().expect("creation code").to_vec()
}

struct Treasury {
    world: World,
    address: Address,
    gas: Vec<u64>,
}

impl Treasury {
    fn new(way: Way, price: u64) -> Treasury {
        let mut world = World::new(way);
        let code = creation_code(TREASURY);
        let data = [code, n(price).to_be_bytes_vec()].concat();
        let created = world.transact(USER, None, 0, data.into());
        Treasury { world, address: created.created.expect("a contract"), gas: vec![created.gas_used] }
    }

    /// A call that succeeds; its result and log entries.
    fn must(&mut self, from: Address, value: u64, data: Bytes) -> (U256, Vec<Log>) {
        let result = self.world.send_from(from, self.address, value, data);
        assert!(matches!(result.exit, Exit::Return | Exit::Halt), "{:?} {}", result.exit, result.output);
        self.gas.push(result.gas_used);
        let word = result.output.get(..32).map_or(U256::ZERO, U256::from_be_slice);
        (word, result.logs)
    }

    /// A call that reverts with these data.
    fn fails(&mut self, from: Address, value: u64, data: Bytes, with: &Bytes) {
        let result = self.world.send_from(from, self.address, value, data);
        assert_eq!((result.exit, &result.output), (Exit::Revert, with));
        assert!(result.logs.is_empty());
        self.gas.push(result.gas_used);
    }

    fn address_at(&mut self, getter: &str) -> Address {
        Address::from_word(self.must(USER, 0, call(getter, &[])).0.into())
    }

    fn wei(&mut self) -> U256 {
        self.world.executor.state_mut().account(&self.address).expect("no host trouble").balance
    }
}

fn hedera_error(op: u8) -> Bytes {
    call("HederaError(uint8)", &[n(op.into())])
}

fn buy(units: u64) -> Bytes {
    call("buy(uint64)", &[n(units)])
}

fn redeem(units: u64) -> Bytes {
    call("redeem(uint64)", &[n(units)])
}

/// The gas of each call.
fn sells_and_redeems(way: Way) -> Vec<u64> {
    let mut treasury = Treasury::new(way, PRICE);
    let join = || call("join()", &[]);
    treasury.fails(OTHER, 0, open(), &call("NotAdmin()", &[]));
    // There is no token yet.
    treasury.fails(USER, 0, join(), &hedera_error(0xe3));
    treasury.must(USER, 0, open());
    treasury.fails(USER, 0, open(), &Bytes::new());
    let (token, topic) = (treasury.address_at("token()"), treasury.address_at("audit_topic()"));
    let stored = treasury.world.ledger().token(&token).expect("no trouble").expect("a token");
    assert_eq!((stored.name.as_str(), stored.symbol.as_str(), stored.decimals), ("Ore", "ORE", 2));
    assert_eq!((stored.treasury, stored.total_supply), (treasury.address, 0));

    treasury.fails(USER, 5 * PRICE, buy(5), &call("NotAssociated(address)", &[w(USER)]));
    treasury.must(USER, 0, join());
    treasury.fails(USER, 0, join(), &hedera_error(0xe3));
    treasury.fails(USER, 7, buy(5), &call("WrongPayment(uint256,uint256)", &[n(7), n(5 * PRICE)]));

    let (_, logs) = treasury.must(USER, 5 * PRICE, buy(5));
    let by: Vec<Address> = logs.iter().map(|log| log.address).collect();
    assert_eq!(by, [token, token, topic, treasury.address], "minted, moved, noted, sold");
    assert_eq!(logs[3].topics[..], [keccak256("Sold(address,uint64,uint256)"), USER.into_word()]);
    assert_eq!(logs[3].data[..], [n(5), n(5 * PRICE)].map(|word| word.to_be_bytes::<32>()).concat());
    assert_eq!(treasury.world.balance(token, USER), 5);
    assert_eq!((treasury.wei(), treasury.must(USER, 0, call("sold()", &[])).0), (n(5 * PRICE), n(5)));
    let noted = treasury.world.ledger().topic(&topic).expect("no trouble").expect("a topic");
    assert_eq!(noted.sequence_number, 1);

    // Units are taken only by who was allowed to.
    treasury.fails(USER, 0, redeem(3), &hedera_error(0xe0));
    let approve = call("approve(address,uint256)", &[w(treasury.address), n(4)]);
    let approved = treasury.world.send_from(USER, token, 0, approve);
    assert_eq!(U256::from_be_slice(&approved.output), U256::ONE);
    treasury.must(USER, 0, redeem(3));
    assert_eq!(treasury.world.balance(token, USER), 2);
    assert_eq!((treasury.wei(), treasury.must(USER, 0, call("sold()", &[])).0), (n(2 * PRICE), n(2)));
    assert_eq!(treasury.world.ledger().total_supply(&token).expect("no trouble"), 2);
    treasury.fails(USER, 0, redeem(2), &hedera_error(0xe0));

    // The token is gone: nothing is sold any more, and what was paid goes back with the revert.
    let admin = treasury.address;
    treasury.world.ledger().delete_token(&admin, &token).expect("the creator may");
    treasury.fails(USER, PRICE, buy(1), &hedera_error(0xe1));
    assert_eq!(treasury.wei(), n(2 * PRICE));
    treasury.gas
}

#[test]
fn a_treasury_sells_and_redeems_its_token_in_both_tiers() {
    let gas: Vec<Vec<u64>> = ways().filter(|way| !way.is_delegated).map(sells_and_redeems).collect();
    assert_eq!(gas.len(), 3);
    assert!(gas.iter().all(|other| *other == gas[0]), "{gas:?}");
}

#[test]
fn a_treasury_sells_no_more_than_its_cap() {
    for way in ways().filter(|way| !way.is_delegated) {
        let mut treasury = Treasury::new(way, 0);
        treasury.must(USER, 0, open());
        treasury.must(USER, 0, call("join()", &[]));
        treasury.must(USER, 0, buy(99_999_999));
        treasury.fails(USER, 0, buy(2), &call("CapReached(uint64)", &[n(1)]));
        treasury.must(USER, 0, buy(1));
    }
}

#[test]
fn consensus_time_is_in_nanoseconds() {
    let code = creation_code("contract Clock { pub fn now() view -> u64 { hedera.timestamp } }");
    for way in ways().filter(|way| !way.is_delegated) {
        let mut world = World::new(way);
        let clock = world.transact(USER, None, 0, code.clone().into()).created.expect("a contract");
        let answer = world.send_from(USER, clock, 0, call("now()", &[]));
        assert_eq!(U256::from_be_slice(&answer.output), n(NOW * 1_000_000_000));
    }
}
