//! Times the run loop on whole transactions of the benchmark vectors: `cargo run --release -p zvm --example dispatch`,
//! with names of programs behind `--` to choose from them.
//!
//! For work on the loop itself; comparisons with other machines are in `benches/`.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use zvm::engine::Limits;
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, Fork, U256};

const PROGRAMS: [&str; 7] =
    ["fibonacci-100k", "factorial-100k", "snailtracer", "hash_10k", "erc20_transfer", "counter", "weth"];

fn main() {
    let folder = std::env::var("ZVM_VECTORS").unwrap_or_else(|_| "../shared/vectors".to_owned());
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    for name in PROGRAMS.iter().filter(|name| chosen.is_empty() || chosen.iter().any(|c| c == *name)) {
        let file = Path::new(&folder).join("bench").join(name).with_extension("json");
        let Ok(text) = std::fs::read_to_string(&file) else {
            println!("{name}: skipped, {} is absent", file.display());
            continue;
        };
        let case: Value = serde_json::from_str(&text).expect("the vector is JSON");
        println!("{name:16} {:>12.1} us", measure(&case).as_secs_f64() * 1e6);
    }
}

/// The fastest of many runs, which disturbances can only lengthen.
fn measure(case: &Value) -> Duration {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let mut database = InMemoryDatabase::new();
    for (address, account) in case["pre"].as_object().expect("accounts") {
        let address: Address = address.parse().expect("an address");
        let balance = text(&account["balance"]).parse().expect("a number");
        let code: Bytes = text(&account["code"]).parse().expect("hex digits");
        database.insert_account(address, 0, balance, code);
        for (key, value) in account["storage"].as_object().expect("storage") {
            let value = text(value).parse().expect("a number");
            database.insert_storage(address, key.parse().expect("a number"), value);
        }
    }
    let block = BlockEnv { gas_limit: U256::MAX, ..BlockEnv::default() };
    let transaction = Transaction::legacy(
        text(&case["sender"]).parse().expect("an address"),
        Some(text(&case["target"]).parse().expect("an address")),
        U256::ZERO,
        text(&case["calldata_hex"]).parse().expect("hex digits"),
        i64::MAX as u64,
        U256::ZERO,
    );
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let engine = Engine::builder().fork(Fork::Prague).native_code(false).limits(limits).build();
    let mut executor = Executor::new(engine, database);
    let mut best = Duration::MAX;
    let end = Instant::now() + Duration::from_millis(700);
    while Instant::now() < end {
        let start = Instant::now();
        let result = executor.transact(&transaction, &block).expect("a valid transaction");
        best = best.min(start.elapsed());
        assert!(result.is_success(), "{:?}", result.exit);
        let checkpoint = 0;
        executor.state_mut().revert_to(checkpoint);
    }
    best
}
