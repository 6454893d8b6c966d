//! The small world that the transactions of these tests run in.

use zvm::bytecode::assemble;
use zvm::host::BlockEnv;
use zvm::state::{AccountInfo, Database, InMemoryDatabase};
use zvm::tx::{AccessList, DynamicFees, Transaction, TransactionKind};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, U256};

pub(crate) const SENDER: Address = Address::repeat_byte(0x55);
pub(crate) const TARGET: Address = Address::repeat_byte(0x77);
pub(crate) const OTHER: Address = Address::repeat_byte(0x99);
pub(crate) const COINBASE: Address = Address::repeat_byte(0xcb);

pub(crate) const BALANCE: u64 = 100_000_000;
pub(crate) const NONCE: u64 = 4;

pub(crate) fn w(number: u64) -> U256 {
    U256::from(number)
}

/// Bytes of a program in Ethereum's encoding.
pub(crate) fn evm(text: &str) -> Bytes {
    assemble(&format!(".evm\n{text}")).expect("the text assembles").code.into()
}

/// A block of chain 1 with a base fee of 2 wei and a blob base fee of 3 wei.
pub(crate) fn block() -> BlockEnv {
    BlockEnv {
        number: w(1000),
        coinbase: COINBASE,
        gas_limit: w(30_000_000),
        base_fee: w(2),
        blob_base_fee: w(3),
        chain_id: w(1),
        ..BlockEnv::default()
    }
}

/// The sender, and [`TARGET`] with this code.
pub(crate) fn database(code: &Bytes) -> InMemoryDatabase {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, NONCE, w(BALANCE), Bytes::new());
    database.insert_account(TARGET, 1, U256::ZERO, code.clone());
    database
}

pub(crate) fn executor<D: Database>(fork: Fork, database: D) -> Executor<D> {
    Executor::new(Engine::builder().fork(fork).build(), database)
}

/// A call of [`TARGET`] with 100,000 gas and no value.
pub(crate) fn call(kind: TransactionKind) -> Transaction {
    let legacy = Transaction::legacy(SENDER, Some(TARGET), U256::ZERO, Bytes::new(), 100_000, U256::ZERO);
    let chain_id = (kind.number() != 0).then_some(1);
    Transaction { nonce: Some(NONCE), chain_id, kind, ..legacy }
}

pub(crate) fn legacy(gas_price: u64) -> TransactionKind {
    TransactionKind::Legacy { gas_price: w(gas_price) }
}

pub(crate) fn fees(max: u64, priority: u64) -> DynamicFees {
    DynamicFees { max_fee_per_gas: w(max), max_priority_fee_per_gas: w(priority) }
}

pub(crate) fn dynamic(max: u64, priority: u64, access_list: AccessList) -> TransactionKind {
    TransactionKind::DynamicFee { fees: fees(max, priority), access_list }
}

pub(crate) fn blobs(count: usize, max_fee_per_blob_gas: u64) -> TransactionKind {
    let hash = B256::with_last_byte(7) | B256::right_padding_from(&[1]);
    TransactionKind::Blob {
        fees: fees(5, 1),
        access_list: vec![],
        max_fee_per_blob_gas: w(max_fee_per_blob_gas),
        blob_hashes: vec![hash; count],
    }
}

pub(crate) fn account<D: Database>(executor: &mut Executor<D>, address: Address) -> AccountInfo {
    executor.state_mut().account(&address).expect("no host trouble")
}
