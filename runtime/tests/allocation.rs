//! A warm executor runs transactions without asking for memory.
//!
//! In a test binary of its own, because the allocator that counts is the whole process's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, U256};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counter is a plain cell of the thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SENDER: Address = Address::repeat_byte(0x5e);
const OUTER: Address = Address::repeat_byte(0x01);
const INNER: Address = Address::repeat_byte(0x02);

/// Allocations of each of four runs once the executor is warm.
fn allocations_when_warm(transaction: &Transaction) -> [u64; 4] {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::ONE << 100, Bytes::new());
    // mstore(0, 5), call(inner, value 1, input 32 bytes, output 32 bytes)
    let mut outer = vec![0x60, 5, 0x5f, 0x52, 0x60, 32, 0x5f, 0x60, 32, 0x5f, 0x60, 1, 0x73];
    outer.extend_from_slice(INNER.as_slice());
    outer.extend_from_slice(&[0x5a, 0xf1]);
    database.insert_account(OUTER, 1, U256::from(1000), outer.into());
    // sstore(0, sload(0) + 1)
    let inner = [0x60, 1, 0x5f, 0x54, 0x01, 0x5f, 0x55];
    database.insert_account(INNER, 1, U256::ZERO, Bytes::copy_from_slice(&inner));
    let mut executor = Executor::new(Engine::builder().build(), database);
    let block =
        BlockEnv { gas_limit: U256::from(30_000_000), base_fee: U256::from(1), ..BlockEnv::default() };
    let mut run = || {
        let before = ALLOCATIONS.get();
        let result = executor.transact(transaction, &block).expect("it runs");
        let after = ALLOCATIONS.get();
        assert!(result.is_success(), "{result:?}");
        after - before
    };
    for _ in 0..8 {
        run();
    }
    std::array::from_fn(|_| run())
}

fn transaction(to: Address) -> Transaction {
    Transaction::legacy(SENDER, Some(to), U256::from(3), Bytes::new(), 200_000, U256::from(2))
}

#[test]
fn a_warm_transfer_allocates_nothing() {
    assert_eq!(allocations_when_warm(&transaction(Address::repeat_byte(9))), [0; 4]);
}

#[test]
fn a_warm_call_that_writes_storage_allocates_nothing() {
    assert_eq!(allocations_when_warm(&transaction(INNER)), [0; 4]);
}

#[test]
fn a_warm_call_that_calls_with_data_allocates_for_the_data_alone() {
    // The callee's input is copied out of the caller's memory: the buffer, and its shared count.
    let allocations = allocations_when_warm(&transaction(OUTER));
    assert!(allocations.iter().all(|&count| count <= 2), "{allocations:?}");
}
