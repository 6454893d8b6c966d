//! An inspector that prints calls, operations and storage as they happen.
//!
//! `cargo run --example tracer`

use std::error::Error;

use zvm::bytecode::{NATIVE_PREFIX, asm};
use zvm::compiled::frame::Frame;
use zvm::host::{BlockEnv, Log};
use zvm::inspect::{CallEnd, CallStart, Inspector, StorageAccess};
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, U256};

/// Prints what it is told.
#[derive(Default)]
struct Tracer {
    depth: usize,
    operations: u64,
}

impl Inspector for Tracer {
    fn wants_steps(&self) -> bool {
        true
    }

    fn step(&mut self, frame: &Frame) {
        self.operations += 1;
        let code = &frame.code;
        let byte = code.padded()[frame.pc];
        let name = code.encoding().op(byte).map_or("invalid", |op| op.info().name);
        println!("{:indent$}{:4} {name:<10} gas {}", "", frame.pc, frame.gas, indent = 2 * self.depth);
    }

    fn call_start(&mut self, start: &CallStart<'_>) {
        println!(
            "{:indent$}{} {:?} {}",
            "",
            start.caller,
            start.kind,
            start.code_address,
            indent = 2 * self.depth
        );
        self.depth += 1;
    }

    fn call_end(&mut self, end: &CallEnd<'_>) {
        self.depth -= 1;
        println!("{:indent$}ends: {:?}, {}", "", end.exit, end.output, indent = 2 * self.depth);
    }

    fn log(&mut self, log: &Log) {
        println!("{:indent$}logs {}", "", log.data, indent = 2 * self.depth);
    }

    fn storage(&mut self, access: &StorageAccess) {
        println!("{:indent$}slot {}: {:?}", "", access.key, access.kind, indent = 2 * self.depth);
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let code = asm::assemble("push1 7\npush0\nsstore\npush0\npush0\nlog0\npush0\npush0\nrevert")?;
    let alice = Address::repeat_byte(0xa1);
    let contract = Address::repeat_byte(0xcc);
    let mut database = InMemoryDatabase::new();
    database.insert_account(alice, 0, U256::ONE << 64, Bytes::new());
    // The prefix says that the code has the native encoding.
    database.insert_account(contract, 1, U256::ZERO, [&NATIVE_PREFIX[..], &code.code].concat().into());

    let mut executor = Executor::with_inspector(Engine::builder().build(), database, Tracer::default());
    let transaction =
        Transaction::legacy(alice, Some(contract), U256::ZERO, Bytes::new(), 100_000, U256::ZERO);
    let block = BlockEnv { gas_limit: U256::from(30_000_000), ..BlockEnv::default() };
    executor.transact(&transaction, &block)?;
    assert_eq!(executor.inspector().operations, 9);
    Ok(())
}
