//! The machine as a library: deploy a contract, send transactions, ask without changing anything, keep or drop
//! what changed.
//!
//! `cargo run --example embed`

use std::error::Error;

use zvm::bytecode::asm;
use zvm::bytecode::container::{Container, Target};
use zvm::engine::{Deployment, Limits};
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, Fork, U256};

/// Counts its calls in storage slot 0 and returns the count.
const COUNTER: &str = "
    push0
    sload
    push1 1
    add
    dup1
    push0
    sstore
    push0
    mstore
    push1 32
    push0
    return
";

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    // Rules and limits are the engine's. It is made once, and any number of threads share it.
    let limits = Limits { memory_bytes: 64 << 20, ..Limits::default() };
    let engine = Engine::builder().fork(Fork::Prague).limits(limits).build();

    // State and buffers are the executor's: one per thread, used again for every transaction.
    let alice = Address::repeat_byte(0xa1);
    let mut database = InMemoryDatabase::new();
    database.insert_account(alice, 0, U256::from(10).pow(U256::from(18)), Bytes::new());
    let mut executor = Executor::new(engine, database);
    let block = BlockEnv {
        number: U256::from(1),
        gas_limit: U256::from(30_000_000),
        base_fee: U256::from(7),
        chain_id: U256::from(31337),
        ..BlockEnv::default()
    };

    // A contract comes from a container, which `kalixc` writes; this one is assembled here.
    let container = Container {
        target: Target::Native,
        needs_init: false,
        code: asm::assemble(COUNTER)?.code.into(),
        abi: "[]".into(),
        sections: None,
    };
    let deployment = Deployment { from: alice, arguments: &[], value: U256::ZERO, gas_limit: 200_000 };
    let counter = executor.load(&container, &deployment, &block)?;
    println!("deployed at {counter}");

    let count = Transaction::legacy(alice, Some(counter), U256::ZERO, Bytes::new(), 100_000, U256::from(7));
    let result = executor.transact(&count, &block)?;
    println!("counted to {} for {} gas", U256::from_be_slice(&result.output), result.gas_used);

    // A call sees what is pending and keeps nothing.
    let asked = executor.call(&count, &block)?;
    println!("the next count would be {}", U256::from_be_slice(&asked.output));

    // Changes wait in the executor. They can be written to its database …
    executor.commit()?;
    // … or dropped …
    executor.transact(&count, &block)?;
    executor.discard();
    // … or taken as a value, sorted, to be stored or compared elsewhere.
    executor.transact(&count, &block)?;
    let changes = executor.take_changes();
    let slot = changes.accounts[&counter].storage[&U256::ZERO];
    println!("taken: slot 0 of the counter becomes {slot}");
    assert_eq!(slot, U256::from(2), "the first count was committed, the second discarded");
    Ok(())
}
