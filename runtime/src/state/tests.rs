//! Tests of the journaled state.

use super::*;

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
        Ok(None)
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

/// Something a program does to the state.
#[derive(Clone, Debug)]
enum Action {
    Store(u64, u64),
    Load(u64),
    TransientStore(u64, u64),
    Log,
    Refund(i64),
    Transfer(u64),
    Create(u8),
    Code(u8),
}

fn any_action() -> impl proptest::strategy::Strategy<Value = Action> {
    use proptest::prelude::*;
    prop_oneof![
        (0u64..4, 0u64..3).prop_map(|(key, value)| Action::Store(key, value)),
        (0u64..8).prop_map(Action::Load),
        (0u64..3, 0u64..3).prop_map(|(key, value)| Action::TransientStore(key, value)),
        Just(Action::Log),
        (-10i64..10).prop_map(Action::Refund),
        (0u64..120).prop_map(Action::Transfer),
        (0u8..3).prop_map(Action::Create),
        (0u8..3).prop_map(Action::Code),
    ]
}

fn act(state: &mut State<InMemoryDatabase>, action: &Action) {
    let trouble = "the database in memory has no trouble";
    match *action {
        Action::Store(key, value) => {
            sstore(state, key, value);
        }
        Action::Load(key) => {
            sload(state, key);
        }
        Action::TransientStore(key, value) => state.tstore(&A, &w(key), &w(value)),
        Action::Log => state.log(Log { address: A, topics: vec![], data: Bytes::new() }),
        Action::Refund(refund) => state.add_refund(refund),
        Action::Transfer(value) => {
            state.transfer(&A, &B, w(value)).expect(trouble);
        }
        Action::Create(number) => {
            state.create_account(&Address::repeat_byte(number)).expect(trouble);
        }
        Action::Code(number) => {
            let code = Bytes::copy_from_slice(&[number, 1]);
            state.set_code(&Address::repeat_byte(number), code).expect(trouble);
        }
    }
}

/// Everything a program could observe.
fn observe(state: &mut State<InMemoryDatabase>) -> impl PartialEq + std::fmt::Debug + use<> {
    let transient: Vec<U256> = (0..3).map(|key| state.tload(&A, &w(key))).collect();
    // Probing warms, so each probe is undone.
    let checkpoint = state.checkpoint();
    let slots: Vec<StorageWrite> = (0..8).map(|key| sstore(state, key, 99)).collect();
    let accounts: Vec<bool> = (0..3)
        .map(|number| state.is_account_cold(&Address::repeat_byte(number)))
        .chain([state.is_account_cold(&B)])
        .collect();
    state.revert_to(checkpoint);
    (state.diff(), state.logs().to_vec(), state.refund(), transient, slots, accounts)
}

proptest::proptest! {
    #[test]
    fn a_revert_leaves_nothing_to_observe(
        before in proptest::collection::vec(any_action(), 0..12),
        after in proptest::collection::vec(any_action(), 0..12),
    ) {
        let mut state = state();
        before.iter().for_each(|action| act(&mut state, action));
        let expected = observe(&mut state);
        let checkpoint = state.checkpoint();
        after.iter().for_each(|action| act(&mut state, action));
        state.revert_to(checkpoint);
        proptest::prop_assert_eq!(observe(&mut state), expected);
    }
}
