//! Blocks in order, undone, pruned, and read by other threads.

use alloy_primitives::keccak256;
use proptest::prelude::*;
use zvm::state::redb::{BlockId, RedbDatabase, RedbErrorKind, RedbOptions, RedbSnapshot};
use zvm::state::{AccountDiff, AccountInfo, Database, InMemoryDatabase, StateDiff};
use zvm::{Address, B256, Bytes, U256};

use crate::chain::{Chain, OPTIONS, assert_same, block, hash};

fn in_memory(undo_blocks: u64) -> RedbDatabase {
    let options = RedbOptions { undo_blocks, ..OPTIONS };
    RedbDatabase::open_with_backend(redb::backends::InMemoryBackend::new(), options).expect("memory")
}

fn commit(database: &RedbDatabase, number: u64) {
    let diff = block(number, database.snapshot().expect("readable"));
    database.commit_block(number, hash(number), &diff).expect("it commits");
}

#[test]
fn blocks_follow_each_other_and_can_be_undone_for_as_long_as_asked() {
    let database = in_memory(3);
    let mut chain = Chain::new();
    assert_eq!(database.head().expect("readable"), None);
    assert!(matches!(database.undo_block().expect_err("none").kind, RedbErrorKind::NoBlock));
    (0..=9).for_each(|number| commit(&database, number));
    chain.advance_to(9);
    chain.assert_is(&database);
    for given in [0, 9, 11, u64::MAX] {
        let error = database.commit_block(given, hash(given), &StateDiff::default()).expect_err("not next");
        assert!(matches!(error.kind, RedbErrorKind::NotNext { head: 9, .. }), "{error}");
    }
    for number in (6..=8).rev() {
        assert_eq!(database.undo_block().expect("kept"), Some(BlockId { number, hash: hash(number) }));
        let mut chain = Chain::new();
        chain.advance_to(number);
        chain.assert_is(&database);
    }
    let error = database.undo_block().expect_err("too old");
    assert!(matches!(error.kind, RedbErrorKind::UndoNotKept { number: 6 }), "{error}");
    (7..=9).for_each(|number| commit(&database, number));
    chain.assert_is(&database);
}

#[test]
fn without_undo_nothing_can_be_undone_and_with_it_the_first_block_can() {
    let database = in_memory(0);
    commit(&database, 0);
    let error = database.undo_block().expect_err("not kept");
    assert!(matches!(error.kind, RedbErrorKind::UndoNotKept { number: 0 }), "{error}");
    let database = in_memory(1);
    commit(&database, 0);
    assert_eq!(database.undo_block().expect("kept"), None);
    assert_same(&database.snapshot().expect("readable"), &InMemoryDatabase::new());
}

#[test]
fn a_snapshot_stays_at_its_block_in_any_thread() {
    let database = in_memory(3);
    (0..=2).for_each(|number| commit(&database, number));
    let old = database.snapshot().expect("readable");
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let mut reader: RedbSnapshot = old.clone();
            std::thread::spawn(move || {
                // Transactions run on it like on any database.
                let diff = block(3, &mut reader);
                (diff, reader)
            })
        })
        .collect();
    let expected = block(3, old.clone());
    (3..=6).for_each(|number| commit(&database, number));
    database.undo_block().expect("kept");
    let mut chain = Chain::new();
    chain.advance_to(2);
    for reader in readers {
        let (diff, reader) = reader.join().expect("no panic");
        assert_eq!(diff, expected);
        assert_same(&reader, &chain.state);
    }
    assert_same(&old, &chain.state);
    chain.advance_to(5);
    chain.assert_is(&database);
}

#[test]
fn what_is_not_there_is_empty_or_an_error() {
    let database = in_memory(1);
    let missing = BlockId { number: 41, hash: B256::repeat_byte(4) };
    database.insert_block_hashes(&[missing]).expect("stored");
    database.commit_block(42, hash(42), &StateDiff::default()).expect("any first number");
    let mut snapshot = database.snapshot().expect("readable");
    assert_eq!(snapshot.account(&Address::ZERO).expect("readable"), None);
    assert_eq!(snapshot.storage(&Address::ZERO, &U256::MAX).expect("readable"), U256::ZERO);
    assert!(!snapshot.has_storage(&Address::ZERO).expect("readable"));
    assert_eq!(snapshot.block_hash(41).expect("stored"), missing.hash);
    let error = snapshot.block_hash(40).expect_err("unknown").to_string();
    assert!(error.contains("there is no hash of block 40"), "{error}");
    let error = snapshot.code(&B256::repeat_byte(1)).expect_err("unknown").to_string();
    assert!(error.contains("there is no code with hash 0x0101"), "{error}");
}

fn any_diff() -> impl Strategy<Value = StateDiff> {
    let words =
        prop::collection::btree_map((0u64..6).prop_map(U256::from), (0u64..3).prop_map(U256::from), 0..5);
    let account = (prop::option::of(0u64..4), any::<bool>(), words, prop::option::of(0u8..3));
    prop::collection::btree_map(0u8..5, account, 0..5).prop_map(|accounts| {
        let mut diff = StateDiff::default();
        for (address, (nonce, storage_wiped, storage, code)) in accounts {
            let code = code.map(|byte| Bytes::from(vec![byte, 1, 2])).unwrap_or_default();
            let code_hash = keccak256(&code);
            let info = nonce.map(|nonce| AccountInfo { nonce, balance: U256::from(1), code_hash });
            let change = match info {
                Some(_) => AccountDiff { info, storage_wiped, storage },
                None => AccountDiff::deleted(),
            };
            if info.is_some() && !code.is_empty() {
                diff.codes.insert(code_hash, code);
            }
            diff.accounts.insert(Address::repeat_byte(address), change);
        }
        diff
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn committed_changes_are_those_in_memory_and_an_undo_takes_them_back(
        diffs in prop::collection::vec(any_diff(), 1..6),
    ) {
        let database = in_memory(10);
        let mut states = vec![InMemoryDatabase::new()];
        for (number, diff) in diffs.iter().enumerate() {
            database.commit_block(number as u64, hash(number as u64), diff).expect("it commits");
            let mut state = states.last().expect("one at least").clone();
            state.commit(diff);
            assert_same(&database.snapshot().expect("readable"), &state);
            states.push(state);
        }
        for state in states.iter().rev().skip(1) {
            database.undo_block().expect("kept");
            assert_same(&database.snapshot().expect("readable"), state);
        }
    }
}
