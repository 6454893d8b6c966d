//! A program with one operation, run interpreted, compiled and checked.

use std::sync::{Arc, OnceLock};

use zvm::bytecode::{Code, assemble};
use zvm::check::Checking;
use zvm::engine::Executor;
use zvm::host::BlockEnv;
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Mode, U256};
use zvm_jit::{Jit, JitOptions};

const SENDER: Address = Address::repeat_byte(0x5e);
const CONTRACT: Address = Address::repeat_byte(0xc0);

/// One compiler for all tests: making one takes a while.
fn jit() -> Arc<Jit> {
    static JIT: OnceLock<Arc<Jit>> = OnceLock::new();
    let make = || Arc::new(Jit::new(JitOptions::checked()).expect("the JIT supports this machine"));
    JIT.get_or_init(make).clone()
}

/// A contract in one tier.
pub(crate) struct World {
    executor: Executor<InMemoryDatabase>,
    compiles: bool,
}

/// A world in each tier, and one in which both run.
pub(crate) fn worlds(text: &str) -> [World; 3] {
    let code = assemble(text).expect("the text assembles").code;
    worlds_of(Code::native(&code).raw())
}

/// The same of the code of an account.
pub(crate) fn worlds_of(code: &Bytes) -> [World; 3] {
    [Mode::Interp, Mode::Jit, Mode::Check].map(|mode| {
        let mut database = InMemoryDatabase::new();
        database.insert_account(CONTRACT, 1, U256::ZERO, code.clone());
        let compiles = mode != Mode::Interp;
        let engine = Engine::builder().mode(mode).count_blocks(true).checking(Checking {
            on_difference: Some(Arc::new(|report| panic!("{}", report.case))),
            ..Checking::new()
        });
        let engine = if compiles { engine.tier(jit()) } else { engine };
        World { executor: Executor::new(engine.build(), database), compiles }
    })
}

impl World {
    /// The word that the program answers with, and the gas that the transaction used.
    pub(crate) fn run(&mut self, data: Bytes) -> (U256, u64) {
        let transaction =
            Transaction::legacy(SENDER, Some(CONTRACT), U256::ZERO, data, 15_000_000, U256::ZERO);
        let block = BlockEnv { gas_limit: U256::MAX, number: U256::from(1), ..BlockEnv::default() };
        let result = self.executor.transact(&transaction, &block).expect("a valid transaction");
        assert_eq!(result.exit, Exit::Return);
        assert_eq!(self.compiles, result.blocks_compiled > 0, "compiled code ran where it must");
        (U256::from_be_slice(&result.output), result.exec_gas)
    }
}
