//! A process that is killed while it commits leaves a committed block behind, whole.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use zvm::state::redb::{RedbDatabase, RedbOptions};

use crate::chain::{Chain, OPTIONS, block, hash, new_file};

const KILLS: usize = 50;
const FILE: &str = "ZVM_TEST_REDB_FILE";

/// Commits blocks, now and then undoing the last one, until it is killed.
#[test]
#[ignore = "the process that the test below kills"]
fn child() {
    let path = std::env::var_os(FILE).expect("the test below sets it");
    let options = RedbOptions { check_on_open: false, ..OPTIONS };
    let database = RedbDatabase::open(path, options).expect("it opens");
    loop {
        let next = database.head().expect("readable").map_or(0, |head| head.number + 1);
        let diff = block(next, database.snapshot().expect("readable"));
        database.commit_block(next, hash(next), &diff).expect("it commits");
        println!("committed {next}");
        if next % 5 == 4 {
            database.undo_block().expect("it undoes");
            database.commit_block(next, hash(next), &diff).expect("it commits again");
        }
    }
}

/// Starts the child, lets it commit for a while, kills it; gives the last block it reported.
fn commit_and_kill(path: &Path, pause: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this test has a file"))
        .args(["--exact", "killed::child", "--ignored", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut reported = 0;
    let mut note = |line: String| {
        // The harness writes to the same stream and may begin the line.
        if let Some((_, number)) = line.rsplit_once("committed ") {
            reported = number.parse().expect("a whole number");
            return true;
        }
        false
    };
    while !note(lines.next().expect("the child commits").expect("its output is text")) {}
    std::thread::sleep(pause);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    lines.map_while(Result::ok).for_each(|line| {
        note(line);
    });
    reported
}

#[test]
fn a_killed_process_leaves_exactly_a_committed_block() {
    let path = new_file("killed");
    let mut chain = Chain::new();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut heads = Vec::new();
    for _ in 0..KILLS {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let reported = commit_and_kill(&path, Duration::from_micros(seed % 20_000));
        let database = RedbDatabase::open(&path, OPTIONS).expect("it opens after a kill");
        let head = database.head().expect("readable").expect("blocks were committed").number;
        // The last block may be undone, or be there before it was reported.
        assert!(head + 1 >= reported && head <= reported + 1, "block {head}, reported {reported}");
        // The chain in memory only goes forward; an undone block is committed again by the next child.
        if head < chain.number {
            chain = Chain::new();
        }
        chain.advance_to(head);
        chain.assert_is(&database);
        heads.push(head);
    }
    assert!(heads.last() > heads.first(), "the children committed: {heads:?}");
    std::fs::remove_file(path).expect("the file is ours");
}
