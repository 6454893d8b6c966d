//! Tests of the journaled state.

use super::*;
use crate::host::{Access, StorageWrite};

const A: Address = Address::repeat_byte(0xaa);
const B: Address = Address::repeat_byte(0xbb);

fn w(value: u64) -> U256 {
    U256::from(value)
}

fn state() -> State<InMemoryDatabase> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(A, 1, w(100), Bytes::from_static(&[0]));
    database.insert_storage(A, w(1), w(11));
    let mut state = State::new(database);
    state.begin_transaction(Fork::Prague);
    state
}

fn sstore(state: &mut State<InMemoryDatabase>, key: u64, value: u64) -> StorageWrite {
    state.sstore(&A, &w(key), &w(value), true).expect("no host trouble").expect("affordable")
}

fn sload(state: &mut State<InMemoryDatabase>, key: u64) -> Access<U256> {
    state.sload(&A, &w(key), true).expect("no host trouble").expect("affordable")
}

#[test]
fn revert_restores_everything_since_the_checkpoint() {
    let mut state = state();
    sstore(&mut state, 1, 12);
    state.tstore(&A, &w(5), &w(55));
    state.log(Log { address: A, topics: vec![], data: Bytes::new() });
    state.add_refund(7);
    let before = state.diff();
    let checkpoint = state.checkpoint();

    sstore(&mut state, 1, 13);
    sstore(&mut state, 2, 22);
    state.tstore(&A, &w(5), &w(56));
    state.tstore(&B, &w(5), &w(57));
    state.log(Log { address: B, topics: vec![], data: Bytes::new() });
    state.add_refund(-3);
    assert!(state.transfer(&A, &B, w(40)).expect("no host trouble"));
    assert!(state.create_account(&B).expect("no host trouble"));
    state.set_code(&B, Bytes::from_static(&[1, 2])).expect("no host trouble");
    assert_ne!(state.diff(), before);

    state.revert_to(checkpoint);
    assert_eq!(state.diff(), before);
    assert_eq!((state.tload(&A, &w(5)), state.tload(&B, &w(5))), (w(55), w(0)));
    assert_eq!((state.logs().len(), state.refund()), (1, 7));
    assert!(!sload(&mut state, 1).is_cold, "warm before the checkpoint");
    assert!(sload(&mut state, 2).is_cold, "warm only since the checkpoint");
    assert!(state.access_account(&B, true).expect("no trouble").expect("affordable").is_cold);
    assert!(!state.is_created_now(&B).expect("no trouble"));
}

#[test]
fn the_original_value_is_that_of_the_transactions_start() {
    let mut state = state();
    let first = sstore(&mut state, 1, 12);
    assert_eq!(first, StorageWrite { original: w(11), current: w(11), is_cold: true });
    let second = sstore(&mut state, 1, 13);
    assert_eq!(second, StorageWrite { original: w(11), current: w(12), is_cold: false });
    state.begin_transaction(Fork::Prague);
    let third = sstore(&mut state, 1, 14);
    assert_eq!(third, StorageWrite { original: w(13), current: w(13), is_cold: true });
}

#[test]
fn a_transaction_starts_cold_and_without_transient_words() {
    let mut state = state();
    sload(&mut state, 1);
    state.tstore(&A, &w(1), &w(9));
    state.begin_transaction(Fork::Prague);
    assert!(sload(&mut state, 1).is_cold);
    assert_eq!(state.tload(&A, &w(1)), U256::ZERO);
    assert_eq!(sload(&mut state, 1).value, w(11));
}

/// A database that must not be asked for storage or unknown accounts.
struct Untouchable;

impl Database for Untouchable {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        assert_eq!(*address, A, "a cold touch that can't be paid reached the database");
        Ok(Some(AccountInfo::default()))
    }
    fn code(&mut self, _: &B256) -> Result<Bytes, HostError> {
        Err(HostError("unused".into()))
    }
    fn storage(&mut self, _: &Address, _: &U256) -> Result<U256, HostError> {
        Err(HostError("the disk is gone".into()))
    }
    fn has_storage(&mut self, _: &Address) -> Result<bool, HostError> {
        Err(HostError("unused".into()))
    }
    fn block_hash(&mut self, _: u64) -> Result<B256, HostError> {
        Err(HostError("unused".into()))
    }
}

#[test]
fn a_cold_touch_that_cannot_be_paid_never_reaches_the_database() {
    let mut state = State::new(Untouchable);
    assert!(matches!(state.sload(&A, &w(1), false), Ok(None)));
    assert!(matches!(state.sstore(&A, &w(1), &w(2), false), Ok(None)));
    assert!(matches!(state.access_account(&B, false), Ok(None)));
    let error = state.sload(&A, &w(1), true).expect_err("the database fails");
    assert_eq!(error.to_string(), "the host failed: the disk is gone");
}

#[test]
fn precompiles_are_warm_by_fork() {
    let address = |number: u64| Address::from_word(w(number).into());
    let mut state = state();
    for (fork, number, is_warm) in
        [(Fork::Cancun, 0x0a, true), (Fork::Cancun, 0x0b, false), (Fork::Prague, 0x0b, true)]
    {
        state.begin_transaction(fork);
        let access = state.access_account(&address(number), false).expect("no host trouble");
        assert_eq!(access.is_some_and(|access| !access.is_cold), is_warm, "{fork:?} {number}");
    }
}

#[test]
fn a_flushed_state_differs_in_nothing_and_reads_back() {
    let mut state = state();
    sstore(&mut state, 1, 0);
    sstore(&mut state, 3, 33);
    state.set_code(&B, Bytes::from_static(&[9])).expect("no host trouble");
    state.set_nonce(&B, 1).expect("no host trouble");
    state.flush().expect("memory takes it");
    assert!(state.diff().is_empty());
    let mut again = State::new(state.into_database());
    assert_eq!(again.peek_storage(&A, &w(1)).expect("no trouble"), U256::ZERO);
    assert_eq!(again.peek_storage(&A, &w(3)).expect("no trouble"), w(33));
    let hash = again.account(&B).expect("no trouble").code_hash;
    assert_eq!(again.code(&hash).expect("no trouble"), Bytes::from_static(&[9]));
}

#[test]
fn a_database_is_asked_for_storage_only_where_an_account_without_nonce_and_code_exists() {
    let mut database = InMemoryDatabase::new();
    database.insert_account(B, 0, w(1), Bytes::new());
    database.insert_storage(B, w(1), w(1));
    let mut state = State::new(database);
    assert!(!state.create_account(&B).expect("no trouble"), "EIP-7610");
    assert!(state.create_account(&A).expect("no trouble"), "there is nothing");
    assert!(!state.create_account(&A).expect("no trouble"), "now there is");
}

fn destroy_b(state: &mut State<InMemoryDatabase>) {
    assert!(state.create_account(&B).expect("no trouble"));
    state.set_code(&B, Bytes::from_static(&[7])).expect("no trouble");
    state.sstore(&B, &w(1), &w(5), true).expect("no trouble");
    assert!(state.transfer(&A, &B, w(10)).expect("no trouble"));
    state.selfdestruct(&B, &Address::repeat_byte(0xcc)).expect("no trouble");
    state.transfer(&A, &B, w(10)).expect("no trouble");
    state.end_transaction().expect("no trouble");
}

#[test]
fn a_destroyed_account_and_its_storage_are_gone_and_may_come_back() {
    let mut state = state();
    destroy_b(&mut state);
    let diff = state.diff();
    assert_eq!(diff.accounts.len(), 2, "A paid, the beneficiary got, B is nowhere: {diff:?}");
    assert!(diff.codes.is_empty());

    state.begin_transaction(Fork::Prague);
    assert!(state.is_dead(&B).expect("no trouble"));
    assert_eq!(state.account(&B).expect("no trouble").balance, U256::ZERO, "the rest was burned");
    let write = state.sstore(&B, &w(1), &w(6), true).expect("no trouble").expect("affordable");
    assert_eq!(write, StorageWrite { original: w(0), current: w(0), is_cold: true });
    state.revert_to(0);
    assert!(state.create_account(&B).expect("no trouble"));
    state.sstore(&B, &w(2), &w(6), true).expect("no trouble");
    state.end_transaction().expect("no trouble");
    let again = &state.diff().accounts[&B];
    assert_eq!(again.info.map(|info| info.nonce), Some(1));
    assert_eq!(again.storage, [(w(2), w(6))].into());
}

#[test]
fn an_account_of_the_database_that_ends_empty_is_deleted_with_its_storage() {
    let mut database = InMemoryDatabase::new();
    database.insert_account(B, 0, w(1), Bytes::new());
    database.insert_storage(B, w(1), w(1));
    let mut state = State::new(database);
    state.begin_transaction(Fork::Prague);
    assert_eq!(state.peek_storage(&B, &w(1)).expect("no trouble"), w(1));
    assert!(state.transfer(&B, &A, w(1)).expect("no trouble"));
    state.end_transaction().expect("no trouble");
    assert_eq!(state.diff().accounts[&B], AccountDiff::deleted());
    assert_eq!(state.peek_storage(&B, &w(1)).expect("no trouble"), U256::ZERO);
    state.flush().expect("memory takes it");
    assert!(state.diff().is_empty());
    assert_eq!(state.database().storage_of(&B).count(), 0);
}

#[test]
fn what_is_unchanged_is_dropped_above_the_limit_and_loaded_again() {
    let mut state = state();
    state.set_cache_entries_max(4);
    sstore(&mut state, 2, 22);
    destroy_b(&mut state);
    for key in 10..20 {
        sload(&mut state, key);
    }
    let before = state.diff();
    let (entries, mut cold) = (state.cached_entries(), 0);
    state.begin_transaction(Fork::Prague);
    assert!(state.cached_entries() < entries);
    assert_eq!(state.diff(), before);
    for key in [1, 2, 3, 10, 11] {
        let access = sload(&mut state, key);
        cold += usize::from(access.is_cold);
        assert_eq!(access.value, w(if key < 3 { 11 * key } else { 0 }));
    }
    assert_eq!(cold, 5);
    assert!(state.is_dead(&B).expect("no trouble"));
    // Changed entries have to be kept; they do not make every transaction look for others.
    state.begin_transaction(Fork::Prague);
    assert_eq!(state.diff(), before);
    state.flush().expect("memory takes it");
    state.begin_transaction(Fork::Prague);
    state.forget();
    assert_eq!(state.cached_entries(), 0);
    assert_eq!(sload(&mut state, 2).value, w(22));
}

/// Something a program does to the state; accounts are named by their place in [`ADDRESSES`].
#[derive(Clone, Debug)]
enum Action {
    Store(usize, u64, u64),
    Load(usize, u64),
    Look(usize),
    TransientStore(usize, u64, u64),
    Log,
    Refund(i64),
    Transfer(usize, usize, u64),
    Create(usize),
    Code(usize, u8),
    Destroy(usize, usize),
}

const ADDRESSES: [Address; 4] = [A, B, Address::repeat_byte(1), Address::repeat_byte(2)];

fn any_action() -> impl proptest::strategy::Strategy<Value = Action> {
    use proptest::prelude::*;
    let account = 0..ADDRESSES.len();
    prop_oneof![
        (account.clone(), 0u64..4, 0u64..3)
            .prop_map(|(account, key, value)| Action::Store(account, key, value)),
        (account.clone(), 0u64..8).prop_map(|(account, key)| Action::Load(account, key)),
        account.clone().prop_map(Action::Look),
        (account.clone(), 0u64..3, 0u64..3)
            .prop_map(|(account, key, value)| Action::TransientStore(account, key, value)),
        Just(Action::Log),
        (-10i64..10).prop_map(Action::Refund),
        (account.clone(), account.clone(), 0u64..120)
            .prop_map(|(from, to, value)| Action::Transfer(from, to, value)),
        account.clone().prop_map(Action::Create),
        (account.clone(), 0u8..3).prop_map(|(account, code)| Action::Code(account, code)),
        (account.clone(), account).prop_map(|(account, beneficiary)| Action::Destroy(account, beneficiary)),
    ]
}

fn act(state: &mut State<InMemoryDatabase>, action: &Action) -> Result<(), HostError> {
    match *action {
        Action::Store(account, key, value) => {
            state.sstore(&ADDRESSES[account], &w(key), &w(value), true)?;
        }
        Action::Load(account, key) => {
            state.sload(&ADDRESSES[account], &w(key), true)?;
        }
        Action::Look(account) => {
            state.access_account(&ADDRESSES[account], true)?;
        }
        Action::TransientStore(account, key, value) => state.tstore(&ADDRESSES[account], &w(key), &w(value)),
        Action::Log => state.log(Log { address: A, topics: vec![], data: Bytes::new() }),
        Action::Refund(refund) => state.add_refund(refund),
        Action::Transfer(from, to, value) => {
            state.transfer(&ADDRESSES[from], &ADDRESSES[to], w(value))?;
        }
        Action::Create(account) => {
            state.create_account(&ADDRESSES[account])?;
        }
        Action::Code(account, code) => {
            state.set_code(&ADDRESSES[account], Bytes::copy_from_slice(&[code, 1]))?;
        }
        Action::Destroy(account, beneficiary) => {
            state.selfdestruct(&ADDRESSES[account], &ADDRESSES[beneficiary])?;
        }
    }
    Ok(())
}

/// Everything that a state holds and a transaction can change. What was only loaded is left out.
fn everything(state: &State<InMemoryDatabase>) -> impl PartialEq + std::fmt::Debug + use<> {
    let now = |number| number == state.transaction;
    let mut accounts = std::collections::BTreeMap::new();
    for account in &state.accounts {
        let marks =
            [account.warmed_in, account.touched_in, account.created_in, account.destroyed_in].map(now);
        if account.info != account.loaded.unwrap_or_default() || account.is_cleared || marks != [false; 4] {
            accounts.insert(account.address, (account.info, account.is_cleared, marks));
        }
    }
    let mut slots = std::collections::BTreeMap::new();
    for slot in &state.slots {
        let account = &state.accounts[slot.account.0 as usize];
        let original = if now(slot.original_of) { slot.original } else { slot.value };
        if slot.is_changed(account) || now(slot.warmed_in) {
            slots.insert((account.address, slot.key), (slot.value, original, now(slot.warmed_in)));
        }
    }
    let mut transient = std::collections::BTreeMap::new();
    for (key, &index) in &state.transient_ids {
        let value = state.transient[index as usize];
        if !value.is_zero() {
            transient.insert((key.address, key.key), value);
        }
    }
    let lists = [&state.touched, &state.destroyed]
        .map(|list| list.iter().map(|id| state.accounts[id.0 as usize].address).collect::<Vec<_>>());
    (accounts, slots, transient, lists, state.refund, state.logs.clone(), state.journal.len(), state.diff())
}

proptest::proptest! {
    #[test]
    fn a_revert_restores_everything(
        earlier in proptest::collection::vec(any_action(), 0..16),
        before in proptest::collection::vec(any_action(), 0..16),
        after in proptest::collection::vec(any_action(), 0..24),
    ) {
        let trouble = "the database in memory has no trouble";
        let mut state = state();
        earlier.iter().for_each(|action| act(&mut state, action).expect(trouble));
        state.end_transaction().expect(trouble);
        state.begin_transaction(Fork::Prague);
        let start = everything(&state);
        before.iter().for_each(|action| act(&mut state, action).expect(trouble));
        let expected = everything(&state);
        let checkpoint = state.checkpoint();
        after.iter().for_each(|action| act(&mut state, action).expect(trouble));
        state.revert_to(checkpoint);
        proptest::prop_assert_eq!(everything(&state), expected);
        state.revert_to(0);
        proptest::prop_assert_eq!(everything(&state), start);
    }

    #[test]
    fn a_bounded_cache_changes_nothing(
        transactions in proptest::collection::vec(proptest::collection::vec(any_action(), 0..12), 1..6),
    ) {
        let trouble = "the database in memory has no trouble";
        let mut states = [state(), state()];
        states[1].set_cache_entries_max(0);
        for actions in &transactions {
            for state in &mut states {
                state.begin_transaction(Fork::Prague);
                actions.iter().for_each(|action| act(state, action).expect(trouble));
                state.end_transaction().expect(trouble);
            }
            let [expected, bounded] = states.each_ref().map(|state| state.diff());
            proptest::prop_assert_eq!(bounded, expected);
        }
    }
}
