//! A small chain on which the same calls run interpreted, compiled, and both at once.

use std::sync::{Arc, OnceLock};

use zvm::check::Checking;
use zvm::engine::{Executor, Limits};
use zvm::host::BlockEnv;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Transaction, TransactionResult};
use zvm::{Address, Bytes, Engine, Fork, Mode, U256};
use zvm_jit::{Jit, JitOptions};

/// Sends all transactions.
pub(crate) const SENDER: Address = Address::repeat_byte(0x5e);

/// Ways to run, each with whether compiled code must run.
pub(crate) const MODES: [(Mode, bool); 3] = [(Mode::Interp, false), (Mode::Jit, true), (Mode::Check, true)];

/// One compiler for all tests: making one takes a while.
fn jit() -> Arc<Jit> {
    static JIT: OnceLock<Arc<Jit>> = OnceLock::new();
    let make = || Arc::new(Jit::new(JitOptions::checked()).expect("the JIT supports this machine"));
    JIT.get_or_init(make).clone()
}

/// Accounts, and an executor over them.
pub(crate) struct World {
    executor: Executor<InMemoryDatabase>,
    compiles: bool,
}

impl World {
    /// The newest fork, native code on, no cap on a transaction's gas.
    pub(crate) fn new(mode: (Mode, bool), accounts: &[(Address, u64, Bytes)]) -> World {
        World::with_rules(mode, Fork::LATEST, true, accounts)
    }

    pub(crate) fn with_rules(
        (mode, compiles): (Mode, bool),
        fork: Fork,
        native_code: bool,
        accounts: &[(Address, u64, Bytes)],
    ) -> World {
        let mut database = InMemoryDatabase::new();
        database.insert_account(SENDER, 0, U256::from(1_000_000), Bytes::new());
        for (address, balance, code) in accounts {
            database.insert_account(*address, 1, U256::from(*balance), code.clone());
        }
        let limits = Limits { transaction_gas_cap: false, ..Limits::default() };
        let engine = Engine::builder()
            .fork(fork)
            .native_code(native_code)
            .mode(mode)
            .limits(limits)
            .checking(Checking {
                on_difference: Some(Arc::new(|report| panic!("{}", report.case))),
                ..Checking::new()
            })
            .count_blocks(true);
        let engine = if compiles { engine.tier(jit()) } else { engine };
        World { executor: Executor::new(engine.build(), database), compiles }
    }

    /// Sends a transaction with 30 million gas; checks that the tiers which must run did.
    pub(crate) fn send(&mut self, to: Option<Address>, value: u64, data: Bytes) -> TransactionResult {
        self.send_with_gas(to, value, data, 30_000_000)
    }

    pub(crate) fn send_with_gas(
        &mut self,
        to: Option<Address>,
        value: u64,
        data: Bytes,
        gas_limit: u64,
    ) -> TransactionResult {
        let transaction = Transaction::legacy(SENDER, to, U256::from(value), data, gas_limit, U256::ZERO);
        let block = BlockEnv { gas_limit: U256::MAX, number: U256::from(1), ..BlockEnv::default() };
        let result = self.executor.transact(&transaction, &block).expect("a valid transaction");
        if self.compiles {
            assert!(result.blocks_compiled > 0, "compiled code ran");
            assert_eq!(result.blocks_interpreted, 0, "compiled code left nothing to the interpreter");
        } else {
            assert_eq!(result.blocks_compiled, 0, "nothing is compiled in the interpreter");
        }
        result
    }

    pub(crate) fn storage(&mut self, address: Address, key: u64) -> U256 {
        self.executor.state_mut().peek_storage(&address, &U256::from(key)).expect("no host trouble")
    }

    pub(crate) fn balance(&mut self, address: Address) -> u64 {
        let account = self.executor.state_mut().account(&address).expect("no host trouble");
        account.balance.try_into().expect("balances are small here")
    }

    /// All bytes of an account's code.
    pub(crate) fn code(&mut self, address: Address) -> Bytes {
        let code = self.executor.code_of(&address).expect("no host trouble");
        code.map_or(Bytes::new(), |code| code.raw().clone())
    }
}
