//! The ledger of Hedera's services in a file: what was created and moved is there after reopening, and gone after undoing.

use alloy_primitives::keccak256;
use zvm::bytecode::{Code, assemble};
use zvm::engine::{Engine, Executor};
use zvm::hedera::{
    Key, KeyRole, Ledger, Refusal, Relation, ResponseCode, RunningHash, Token, TopicParams, number_of,
    running_hash,
};
use zvm::host::BlockEnv;
use zvm::state::redb::RedbDatabase;
use zvm::state::{AccountDiff, AccountInfo, Database, State, StateDiff};
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Fork, U256};

use crate::chain::{OPTIONS, hash, new_file};

const USER: Address = Address::repeat_byte(0x5e);
const HOLDER: Address = Address::repeat_byte(0x07);
/// A native contract, the token's treasury: moves units and notes that in a topic. Call data: token, to, units, topic.
const TREASURY: Address = Address::repeat_byte(0x77);
const NOW: u64 = 1_700_000_000;
const TIME: u64 = NOW * 1_000_000_000;
/// What the contract submits.
const MESSAGE: [u8; 5] = [0; 5];

fn treasury_code() -> Bytes {
    let text = ".zvm
        push1 64
        calldataload
        push1 32
        calldataload
        address
        push0
        calldataload
        hts_transfer
        assert 1
        push1 5
        push0
        push1 96
        calldataload
        hcs_submit
        assert 1
        halt";
    Code::native(&assemble(text).expect("the text assembles").code).raw().clone()
}

/// Block 0: the accounts.
fn accounts() -> StateDiff {
    let mut diff = StateDiff::default();
    let code = treasury_code();
    let code_hash = keccak256(&code);
    let rich = AccountInfo { balance: U256::from(1u64 << 60), ..AccountInfo::default() };
    let contract = AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() };
    for (address, info) in [(USER, rich), (HOLDER, rich), (TREASURY, contract)] {
        diff.accounts.insert(address, AccountDiff { info: Some(info), ..AccountDiff::default() });
    }
    diff.codes.insert(code_hash, code);
    diff
}

/// Does something with the ledger in a state; what changed.
fn with_ledger<D: Database, T>(database: D, act: impl FnOnce(&mut Ledger<'_>) -> T) -> (T, StateDiff) {
    let mut state = State::new(database);
    state.begin_transaction(Fork::LATEST);
    let done = act(&mut Ledger::new(&mut state, TIME));
    (done, state.diff())
}

/// A token with everything that a record can hold.
fn token() -> Token {
    let mut token = Token {
        name: "A name that is longer than the thirty-two bytes of a word".into(),
        symbol: "SYM".into(),
        memo: "memo".into(),
        decimals: 4,
        treasury: TREASURY,
        total_supply: 100,
        max_supply: Some(1000),
        ..Token::default()
    };
    token.keys[KeyRole::Supply as usize] = Key::Contract(TREASURY);
    token.keys[KeyRole::Wipe as usize] = Key::Secp256k1(vec![2; 33].into());
    token
}

/// What the ledger says of the token, of both accounts' relations to it, and of the topic.
type Facts = (Option<Token>, [Option<u64>; 2], Option<(u64, RunningHash)>);

fn facts<D: Database>(database: D, token: &Address, topic: &Address) -> Facts {
    let read = |ledger: &mut Ledger<'_>| {
        let balances = [TREASURY, HOLDER].map(|account| {
            let relation = ledger.relation(token, &account).expect("no trouble");
            relation.map(|Relation { balance, .. }| balance)
        });
        let topic = ledger.topic(topic).expect("no trouble");
        let token = ledger.token(token).expect("no trouble");
        (token, balances, topic.map(|topic| (topic.sequence_number, topic.running_hash)))
    };
    with_ledger(database, read).0
}

/// Block 2: a transaction that moves units and submits a message.
fn transfer<D: Database>(database: D, token: Address, topic: Address, units: u64) -> StateDiff {
    let word = |address: Address| address.into_word().0;
    let data = [word(token), word(HOLDER), U256::from(units).to_be_bytes(), word(topic)].concat();
    let transaction =
        Transaction::legacy(USER, Some(TREASURY), U256::ZERO, data.into(), 1_000_000, U256::ZERO);
    let block = BlockEnv {
        number: U256::from(2),
        timestamp: U256::from(NOW),
        gas_limit: U256::MAX,
        ..BlockEnv::default()
    };
    let mut executor = Executor::new(Engine::builder().hedera(true).build(), database);
    let result = executor.transact(&transaction, &block).expect("a valid transaction");
    assert!(result.is_success(), "{:?}", result.exit);
    assert_eq!(result.logs.len(), 2, "units moved, and a message");
    executor.state().diff()
}

#[test]
fn a_ledger_is_committed_reopened_read_and_undone() {
    let path = new_file("hedera");
    let open = || RedbDatabase::open(&path, OPTIONS).expect("it opens");
    let database = open();
    database.commit_block(0, hash(0), &accounts()).expect("committed");
    let creating = |ledger: &mut Ledger<'_>| -> Result<(Address, Address), Refusal> {
        let (token, _) = ledger.create_token(&TREASURY, token())?;
        let holder = zvm::hedera::Acting { account: HOLDER, caller: HOLDER };
        ledger.associate(&holder, &HOLDER, &token)?;
        Ok((token, ledger.create_topic(&TREASURY, TopicParams { memo: "notes".into() }.memo)?))
    };
    let (created, diff) = with_ledger(database.snapshot().expect("a snapshot"), creating);
    let (token_address, topic) = created.expect("created");
    database.commit_block(1, hash(1), &diff).expect("committed");
    drop(database);

    let database = open();
    let snapshot = || database.snapshot().expect("a snapshot");
    let fresh = (Some(token()), [Some(100), Some(0)], Some((0, [0; 48])));
    assert_eq!(facts(snapshot(), &token_address, &topic), fresh);
    let moved = transfer(snapshot(), token_address, topic, 40);
    assert_eq!(facts(snapshot(), &token_address, &topic), fresh, "not before it is committed");
    database.commit_block(2, hash(2), &moved).expect("committed");
    drop(database);

    let database = open();
    let snapshot = || database.snapshot().expect("a snapshot");
    let (payer, _) = with_ledger(snapshot(), |ledger| ledger.account_id(&TREASURY).expect("no trouble"));
    let numbers = [payer.expect("numbered"), topic].map(|address| number_of(&address).expect("long-zero"));
    let chained = running_hash(&[0; 48], numbers[0], numbers[1], TIME, 1, &MESSAGE);
    let after = (Some(token()), [Some(60), Some(40)], Some((1, chained)));
    assert_eq!(facts(snapshot(), &token_address, &topic), after);
    // What is refused is refused over a file too.
    let (refused, diff) = with_ledger(snapshot(), |ledger| ledger.mint(&TREASURY, &token_address, 901));
    assert!(matches!(refused, Err(Refusal::Code(ResponseCode::TokenMaxSupplyReached))));
    assert_eq!(diff, StateDiff::default());

    // Undone, the units are back; done again, the state is the same one.
    database.undo_block().expect("kept");
    assert_eq!(facts(snapshot(), &token_address, &topic), fresh);
    drop(database);
    let database = open();
    let snapshot = || database.snapshot().expect("a snapshot");
    assert_eq!(facts(snapshot(), &token_address, &topic), fresh, "after another opening too");
    assert_eq!(transfer(snapshot(), token_address, topic, 40), moved);
    database.undo_block().expect("kept");
    assert_eq!(facts(snapshot(), &token_address, &topic), (None, [None, None], None));
    // The number is free again.
    let (created, _) = with_ledger(snapshot(), creating);
    assert_eq!(created.expect("created"), (token_address, topic));
    drop(database);
    std::fs::remove_file(path).expect("the file is ours");
}
