//! Machine code on disk, through engines: compiled once, run by the next process, refused where it does not fit.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use zvm::engine::{TierStats, TierUp};
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Transaction, TransactionResult};
use zvm::{Address, Bytes, Engine, Executor, Fork, Mode, U256};
use zvm_jit::{DiskCache, DiskCacheLimits, DiskCacheStats, Jit, JitOptions};

const SENDER: Address = Address::repeat_byte(0x5e);
const TARGET: Address = Address::repeat_byte(0x7a);

/// A folder that is not there yet, and is gone afterwards.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("zvm-stored-{}-{name}", std::process::id()));
        // It is there only if an earlier run had the same number and was killed.
        let _ = fs::remove_dir_all(&path);
        Place(path)
    }

    fn jit(&self, options: JitOptions) -> Arc<Jit> {
        let cache = DiskCache::open(&self.0, DiskCacheLimits::default()).expect("a private folder");
        Arc::new(Jit::with_disk_cache(options, cache).expect("this machine has a code generator"))
    }

    fn files(&self, end: &str) -> Vec<PathBuf> {
        let paths = fs::read_dir(&self.0).expect("the folder").map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|found| found == end)).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Adds `step` to a sum 200 times, stores and returns it.
fn looping(step: u8) -> Bytes {
    // push0, push1 200; jumpdest at 3: swap1, push1 step, add, swap1, push1 1, swap1, sub, dup1, push1 3, jumpi
    let start =
        [0x5f, 0x60, 200, 0x5b, 0x90, 0x60, step, 0x01, 0x90, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 3, 0x57];
    // pop, dup1, push0, sstore, push0, mstore, push1 32, push0, return
    let end = [0x50, 0x80, 0x5f, 0x55, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];
    [&start[..], &end].concat().into()
}

/// Never hot by itself.
const NEVER: TierUp = TierUp { gas_base: u64::MAX, gas_per_byte: 0 };

fn engine(jit: &Arc<Jit>, mode: Mode, fork: Fork) -> Engine {
    let builder = Engine::builder().fork(fork).mode(mode).tier(jit.clone()).tier_up(NEVER);
    builder.count_blocks(true).build()
}

fn call(engine: &Engine, code: Bytes) -> TransactionResult {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::from(1_000_000), Bytes::new());
    database.insert_account(TARGET, 1, U256::ZERO, code);
    let block = BlockEnv { gas_limit: U256::MAX, ..BlockEnv::default() };
    let sent = Transaction::legacy(SENDER, Some(TARGET), U256::ZERO, Bytes::new(), 1_000_000, U256::ZERO);
    Executor::new(engine.clone(), database).transact(&sent, &block).expect("the transaction is valid")
}

/// One call in an engine of its own.
fn run(jit: &Arc<Jit>, mode: Mode, step: u8) -> (TransactionResult, TierStats, DiskCacheStats) {
    let engine = engine(jit, mode, Fork::Osaka);
    let result = call(&engine, looping(step));
    assert_eq!(U256::from_be_slice(&result.output), U256::from(200 * u64::from(step)));
    (result, engine.tier_stats(), jit.disk_cache_stats().expect("there is a folder"))
}

#[test]
fn the_next_process_compiles_nothing_and_runs_compiled_code() {
    let place = Place::new("round");
    let (first, tiers, disk) = run(&place.jit(JitOptions::checked()), Mode::Jit, 7);
    assert!(tiers.regions_compiled > 0 && first.blocks_compiled > 0);
    assert_eq!((disk.stored, tiers.regions_loaded), (tiers.regions_compiled, 0));

    for mode in [Mode::Jit, Mode::Tiered] {
        let (second, tiers, disk) = run(&place.jit(JitOptions::checked()), mode, 7);
        assert_eq!(tiers.regions_compiled, 0, "{mode:?}");
        assert_eq!((tiers.regions_loaded, disk.loaded, disk.stored), (disk.loaded, tiers.regions_loaded, 0));
        assert!(disk.loaded > 0 && second.blocks_compiled > 0, "{mode:?}");
        assert_eq!(second.blocks_interpreted, 0, "{mode:?}: nothing waits until it is hot");
        assert_eq!(second, first, "{mode:?}");
    }
}

#[test]
fn other_rules_options_and_code_find_nothing() {
    let place = Place::new("other");
    run(&place.jit(JitOptions::checked()), Mode::Jit, 7);
    let options = JitOptions { region_blocks_max: 9, ..JitOptions::checked() };
    let (_, tiers, disk) = run(&place.jit(options), Mode::Jit, 7);
    assert!(tiers.regions_compiled > 0 && tiers.regions_loaded == 0 && disk.rejected == 0);
    let (_, tiers, _) = run(&place.jit(JitOptions::checked()), Mode::Jit, 8);
    assert!(tiers.regions_compiled > 0 && tiers.regions_loaded == 0);
    let other = engine(&place.jit(JitOptions::checked()), Mode::Jit, Fork::Prague);
    call(&other, looping(7));
    assert!(other.tier_stats().regions_compiled > 0 && other.tier_stats().regions_loaded == 0);
}

#[test]
fn a_damaged_file_is_compiled_anew() {
    let place = Place::new("damaged");
    run(&place.jit(JitOptions::checked()), Mode::Jit, 7);
    for file in place.files("zvmn") {
        let mut bytes = fs::read(&file).expect("the file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(&file, bytes).expect("written");
    }
    let (result, tiers, disk) = run(&place.jit(JitOptions::checked()), Mode::Jit, 7);
    assert!(result.blocks_compiled > 0);
    assert!(disk.rejected > 0 && disk.rejected == disk.stored && disk.loaded == 0);
    assert!(disk.first_problem.expect("a problem").contains("checksum"));
    assert_eq!((tiers.regions_loaded, tiers.regions_compiled), (0, disk.stored));
    // And what was stored anew is sound.
    assert_eq!(run(&place.jit(JitOptions::checked()), Mode::Jit, 7).1.regions_compiled, 0);
}

#[test]
fn banned_code_stays_out_of_later_processes() {
    let place = Place::new("banned");
    let jit = place.jit(JitOptions::checked());
    let engine = engine(&jit, Mode::Jit, Fork::Osaka);
    call(&engine, looping(7));
    assert!(!place.files("zvmn").is_empty());
    engine.ban(&Arc::new(zvm::bytecode::Code::evm(looping(7))));
    assert_eq!((place.files("zvmn").len(), place.files("ban").len()), (0, 1));
    let (result, tiers, disk) = run(&place.jit(JitOptions::checked()), Mode::Jit, 7);
    assert_eq!((result.blocks_compiled, tiers.refused, tiers.regions_compiled), (0, 1, 0));
    assert_eq!((disk.loaded, disk.stored), (0, 0));
    // Other code is not affected.
    assert!(run(&place.jit(JitOptions::checked()), Mode::Jit, 8).0.blocks_compiled > 0);
}

#[test]
fn a_folder_that_goes_away_changes_no_result() {
    let place = Place::new("gone");
    let jit = place.jit(JitOptions::checked());
    fs::remove_dir(&place.0).expect("it is empty");
    let (result, tiers, disk) = run(&jit, Mode::Jit, 7);
    assert!(result.blocks_compiled > 0);
    assert_eq!((disk.stored, disk.failed), (0, tiers.regions_compiled));
}

#[test]
fn two_users_of_one_folder_do_not_disturb_each_other() {
    let place = Place::new("shared");
    thread::scope(|scope| {
        for start in [0u8, 5] {
            let place = &place;
            scope.spawn(move || {
                let jit = place.jit(JitOptions::checked());
                for step in 0..20 {
                    let (result, _, disk) = run(&jit, Mode::Jit, (step + start) % 20);
                    assert!(result.blocks_compiled > 0);
                    assert_eq!((disk.rejected, disk.failed), (0, 0), "{:?}", disk.first_problem);
                }
            });
        }
    });
    let jit = place.jit(JitOptions::checked());
    for step in 0..20 {
        assert_eq!(run(&jit, Mode::Tiered, step).1.regions_compiled, 0);
    }
}

#[test]
fn evicted_code_is_let_go_of_when_its_transaction_is_over() {
    let engine = engine(&Place::new("let-go").jit(JitOptions::checked()), Mode::Jit, Fork::Osaka);
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::from(1_000_000), Bytes::new());
    database.insert_account(TARGET, 1, U256::ZERO, looping(7));
    let mut executor = Executor::new(engine, database);
    let code = executor.code_of(&TARGET).expect("no trouble").expect("code");
    let holders = Arc::strong_count(&code);
    let block = BlockEnv { gas_limit: U256::MAX, ..BlockEnv::default() };
    let sent = Transaction::legacy(SENDER, Some(TARGET), U256::ZERO, Bytes::new(), 1_000_000, U256::ZERO);
    executor.transact(&sent, &block).expect("the transaction is valid");
    assert_eq!(Arc::strong_count(&code), holders, "a frame in the pool holds no code");
}
