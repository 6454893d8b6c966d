//! The engine beside calls: tiers that refuse, sharing, a database that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_primitives::keccak256;
use zvm::bytecode::Code;
use zvm::compiled::frame::{Message, Spec};
use zvm::compiled::tier::{CompiledCode, Refusal, Tier};
use zvm::engine::TierUp;
use zvm::host::{BlockEnv, HostError, TxEnv};
use zvm::state::{AccountInfo, Database, InMemoryDatabase};
use zvm::{Address, B256, Bytes, Engine, Executor, Fork, Mode, U256};

use crate::calls::{CALLER, run};
use crate::run::word;

const CALLEE: Address = Address::repeat_byte(0xbb);

#[test]
fn engines_are_shared_and_executors_move_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    fn moves<T: Send>() {}
    is_shared::<Engine>();
    moves::<Executor<InMemoryDatabase>>();
}

#[test]
fn tiered_mode_compiles_when_enough_gas_was_spent_and_asks_once() {
    #[derive(Default)]
    struct Refusing(AtomicUsize);
    impl Tier for Refusing {
        fn prepare(&self, _: &Code, _: &Spec) -> Result<Box<dyn CompiledCode>, Refusal> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(Refusal::Failed)
        }
    }
    let tier = Arc::new(Refusing::default());
    let mut database = InMemoryDatabase::new();
    // push0 pop: 4 gas a run, 2 bytes
    database.insert_account(CALLER, 1, word(0), Bytes::from_static(&[0x5f, 0x50]));
    let tier_up = TierUp { gas_base: 10, gas_per_byte: 1 };
    let engine = Engine::builder().mode(Mode::Tiered).tier(tier.clone()).tier_up(tier_up).build();
    let mut executor = Executor::new(engine, database);
    let asked: Vec<usize> = (0..6)
        .map(|_| {
            run(&mut executor);
            tier.0.load(Ordering::Relaxed)
        })
        .collect();
    assert_eq!(asked, [0, 0, 1, 1, 1, 1], "the third run reaches 12 gas");
}

/// A database that fails at the first storage word.
struct Broken;

impl Database for Broken {
    fn account(&mut self, _: &Address) -> Result<Option<AccountInfo>, HostError> {
        let code_hash = keccak256([0x60, 1, 0x5f, 0x55]);
        Ok(Some(AccountInfo { nonce: 0, balance: word(1), code_hash }))
    }

    fn code(&mut self, _: &B256) -> Result<Bytes, HostError> {
        Ok(Bytes::from_static(&[0x60, 1, 0x5f, 0x55]))
    }

    fn storage(&mut self, _: &Address, _: &U256) -> Result<U256, HostError> {
        Err(HostError("the disk is gone".into()))
    }

    fn has_storage(&mut self, _: &Address) -> Result<bool, HostError> {
        Err(HostError("the disk is gone".into()))
    }

    fn block_hash(&mut self, _: u64) -> Result<B256, HostError> {
        Err(HostError("the disk is gone".into()))
    }
}

#[test]
fn a_failing_database_is_an_error_and_never_an_outcome() {
    let mut executor = Executor::new(Engine::builder().build(), Broken);
    executor.state_mut().begin_transaction(Fork::LATEST);
    let code = executor.code_of(&CALLEE).expect("no trouble").expect("code");
    let message = Message {
        address: CALLEE,
        caller: CALLER,
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    let error = executor
        .execute(code, message, 100_000, &BlockEnv::default(), &TxEnv::default())
        .expect_err("the database fails");
    assert_eq!(error.to_string(), "the host failed: the disk is gone");
    assert!(executor.state().diff().is_empty());
}
