//! Files that are not ours, of another format, or damaged: errors, never a panic and never a wrong word.

use redb::TableDefinition;
use zvm::state::redb::{RedbDatabase, RedbError, RedbErrorKind, RedbOptions};

use crate::chain::{Chain, OPTIONS, assert_same, block, hash, new_file};

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

fn refusal(path: &std::path::Path) -> RedbError {
    match RedbDatabase::open(path, OPTIONS) {
        Ok(_) => panic!("{} was accepted", path.display()),
        Err(error) => error,
    }
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let path = new_file("foreign");
    for bytes in [b"abc".to_vec(), b"a text file\n".repeat(1000), vec![0; 8192], vec![0xff; 100_000]] {
        std::fs::write(&path, &bytes).expect("the file is ours");
        let error = refusal(&path);
        assert!(matches!(error.kind, RedbErrorKind::Storage(_)), "{error}");
        assert!(error.to_string().contains("foreign"), "the error names the file: {error}");
        assert_eq!(std::fs::read(&path).expect("readable"), bytes, "the file is as before");
    }
    std::fs::remove_file(&path).expect("the file is ours");

    let other = redb::Database::create(&path).expect("it can be made");
    let transaction = other.begin_write().expect("writable");
    transaction.open_table(TableDefinition::<u64, u64>::new("numbers")).expect("made");
    transaction.commit().expect("committed");
    drop(other);
    let error = refusal(&path);
    assert!(matches!(&error.kind, RedbErrorKind::Foreign { table } if table == "numbers"), "{error}");
    std::fs::remove_file(&path).expect("the file is ours");
}

/// Writes a row of the table "meta" behind the database's back.
fn tamper(path: &std::path::Path, row: &str, bytes: &[u8]) {
    let file = redb::Database::open(path).expect("it opens");
    let transaction = file.begin_write().expect("writable");
    transaction.open_table(META).expect("it is there").insert(row, bytes).expect("written");
    transaction.commit().expect("committed");
}

#[test]
fn another_format_and_rows_of_a_wrong_size_are_refused() {
    let path = new_file("format");
    drop(RedbDatabase::open(&path, OPTIONS).expect("a new file"));
    tamper(&path, "head", &[1; 39]);
    let database = RedbDatabase::open(&path, OPTIONS).expect("the format is right");
    let error = database.head().expect_err("the head is damaged");
    assert!(matches!(error.kind, RedbErrorKind::Damaged { table: "meta", .. }), "{error}");
    drop(database);
    tamper(&path, "format", &[0, 0, 0, 2]);
    let error = refusal(&path);
    assert!(matches!(error.kind, RedbErrorKind::Format { found: 2 }), "{error}");
    tamper(&path, "format", &[0]);
    let error = refusal(&path);
    assert!(matches!(error.kind, RedbErrorKind::Damaged { table: "meta", .. }), "{error}");
    std::fs::remove_file(&path).expect("the file is ours");
}

/// Uses everything that a database offers.
fn use_it(database: &RedbDatabase) -> Result<(), zvm::host::HostError> {
    let snapshot = database.snapshot()?;
    let mut addresses = Vec::new();
    snapshot.for_each_account::<RedbError>(|address, _| {
        addresses.push(address);
        Ok(())
    })?;
    for address in addresses {
        snapshot.for_each_word::<RedbError>(&address, |_, _| Ok(()))?;
    }
    database.undo_block()?;
    Ok(database.commit_block(3, hash(3), &block(3, &mut chain_at(2).state))?)
}

fn chain_at(number: u64) -> Chain {
    let mut chain = Chain::new();
    chain.advance_to(number);
    chain
}

#[test]
fn a_damaged_file_is_an_error_or_undamaged_where_it_counts() {
    let path = new_file("damaged");
    let database = RedbDatabase::open(&path, OPTIONS).expect("a new file");
    for number in 0..=3 {
        let diff = block(number, database.snapshot().expect("readable"));
        database.commit_block(number, hash(number), &diff).expect("there is room");
    }
    drop(database);
    let good = std::fs::read(&path).expect("readable");
    let chain = chain_at(3);
    let mut refused = 0;
    let damages: Vec<Vec<u8>> = (0..60)
        .map(|number: usize| {
            let mut bytes = good.clone();
            // The first pages hold what everything hangs on.
            let place = if number < 20 { number * 16 } else { number * 7919 * 31 % good.len() };
            match number % 3 {
                0 => bytes[place] ^= 1 << (number % 8),
                1 => {
                    let end = (place + 4096).min(good.len());
                    bytes[place..end].fill(0xa5);
                }
                _ => bytes.truncate(place),
            }
            bytes
        })
        .collect();
    for bytes in damages {
        for check_on_open in [true, false] {
            std::fs::write(&path, &bytes).expect("the file is ours");
            let options = RedbOptions { check_on_open, ..OPTIONS };
            let Ok(database) = RedbDatabase::open(&path, options) else {
                refused += 1;
                continue;
            };
            if check_on_open {
                match database.head() {
                    Ok(Some(head)) if head.number == 3 => {
                        assert_same(&database.snapshot().expect("it was checked"), &chain.state)
                    }
                    Ok(Some(head)) => chain_at(head.number).assert_is(&database),
                    Ok(None) => assert!(bytes.is_empty(), "a file without blocks was new"),
                    Err(_) => {}
                }
            }
            // Anything but a panic.
            let _ = use_it(&database);
        }
    }
    assert!(refused > 20, "damage is noticed: {refused}");
    std::fs::remove_file(&path).expect("the file is ours");
}
