//! Benchmark contracts of the shared vectors: output, gas, logs and storage as two independent machines gave.

use std::path::{Path, PathBuf};

use serde_json::Value;
use zvm::engine::Limits;
use zvm::host::BlockEnv;
use zvm::state::{InMemoryDatabase, StateDiff};
use zvm::tx::{Transaction, TransactionResult};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, U256};

/// The folder of the vectors, or `None`, said aloud.
fn vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("ZVM_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no vectors at {}; set ZVM_VECTORS", folder.display());
    None
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("`{key}` is a string in {value}"))
}

fn word(value: &Value, key: &str) -> U256 {
    text(value, key).parse().expect("a number")
}

fn bytes(value: &Value, key: &str) -> Bytes {
    text(value, key).parse().expect("hex digits")
}

fn run(case: &Value) -> (TransactionResult, StateDiff) {
    let fork = Fork::from_name(text(&case["expected"], "fork_of_gas")).expect("a fork we have");
    let mut database = InMemoryDatabase::new();
    for (address, account) in case["pre"].as_object().expect("accounts") {
        let address: Address = address.parse().expect("an address");
        let nonce = word(account, "nonce").to();
        database.insert_account(address, nonce, word(account, "balance"), bytes(account, "code"));
        for (key, value) in account["storage"].as_object().expect("storage") {
            let value = value.as_str().expect("a string").parse().expect("a number");
            database.insert_storage(address, key.parse().expect("a number"), value);
        }
    }
    let env = &case["env"];
    let block = BlockEnv {
        number: word(env, "number"),
        timestamp: word(env, "timestamp"),
        coinbase: text(env, "coinbase").parse().expect("an address"),
        gas_limit: word(env, "gas_limit"),
        base_fee: word(env, "base_fee"),
        prev_randao: word(env, "prev_randao"),
        blob_base_fee: U256::ONE,
        chain_id: word(env, "chain_id"),
    };
    let transaction = Transaction {
        from: text(case, "sender").parse().expect("an address"),
        to: Some(text(case, "target").parse().expect("an address")),
        value: word(case, "value"),
        data: bytes(case, "calldata_hex"),
        gas_limit: word(case, "gas_limit").to(),
        gas_price: word(case, "gas_price"),
        nonce: None,
    };
    let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
    let engine = Engine::builder().fork(fork).native_code(false).limits(limits).build();
    let mut executor = Executor::new(engine, database);
    let result = executor.transact(&transaction, &block).expect("a valid transaction");
    (result, executor.state().diff())
}

fn check(name: &str) {
    let Some(folder) = vectors() else { return };
    let file = folder.join("bench").join(name).with_extension("json");
    let case = std::fs::read_to_string(&file).expect("the vector can be read");
    let case: Value = serde_json::from_str(&case).expect("the vector is JSON");
    let (result, diff) = run(&case);
    let expected = &case["expected"];
    assert_eq!(
        result.is_success(),
        expected["success"].as_bool().expect("a bool"),
        "{name}: {:?}",
        result.exit
    );
    assert_eq!(result.output, bytes(expected, "output_hex"), "{name}: output");
    assert_eq!(result.gas_used, expected["gas_used"].as_u64().expect("a number"), "{name}: gas used");
    assert_eq!(result.exec_gas, expected["exec_gas"].as_u64().expect("a number"), "{name}: execution gas");

    let logs = expected["logs"].as_array().expect("logs");
    assert_eq!(result.logs.len(), logs.len(), "{name}: number of logs");
    for (log, expected) in result.logs.iter().zip(logs) {
        assert_eq!(log.address, text(expected, "address").parse::<Address>().expect("an address"));
        assert_eq!(log.data, bytes(expected, "data"), "{name}: log data");
        let topics: Vec<_> = expected["topics"]
            .as_array()
            .expect("topics")
            .iter()
            .map(|topic| topic.as_str().expect("a string").parse::<B256>().expect("a hash"))
            .collect();
        assert_eq!(log.topics, topics, "{name}: topics");
    }
    let mut storage = 0;
    for (address, words) in expected["storage_diff"].as_object().expect("a map") {
        let address: Address = address.parse().expect("an address");
        for (key, value) in words.as_object().expect("a map") {
            let value: U256 = value.as_str().expect("a string").parse().expect("a number");
            let key: U256 = key.parse().expect("a number");
            assert_eq!(diff.accounts[&address].storage.get(&key), Some(&value), "{name}: storage at {key}");
            storage += 1;
        }
    }
    let changed: usize = diff.accounts.values().map(|account| account.storage.len()).sum();
    assert_eq!(changed, storage, "{name}: storage words changed");
}

#[test]
fn fibonacci_gives_its_number_and_gas() {
    check("fibonacci-calldata");
}

#[test]
fn factorial_gives_its_number_and_gas() {
    check("factorial");
}

#[test]
fn fibonacci_100k_gives_its_number_and_gas() {
    check("fibonacci-100k");
}

#[test]
fn factorial_100k_gives_its_number_and_gas() {
    check("factorial-100k");
}

#[test]
fn hash_10k_gives_its_gas() {
    check("hash_10k");
}

#[test]
fn weth_counter_and_erc20_keep_their_storage_and_logs() {
    for name in ["weth", "counter", "erc20_transfer"] {
        check(name);
    }
}

#[test]
fn snailtracer_renders_its_pixel() {
    check("snailtracer");
}
