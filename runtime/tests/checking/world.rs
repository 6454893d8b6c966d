//! A contract that does a bit of everything, a sender, and engines that check.

use std::sync::{Arc, Mutex, PoisonError};

use zvm::bytecode::assemble;
use zvm::check::{Case, Checking};
use zvm::engine::EngineBuilder;
use zvm::host::BlockEnv;
use zvm::state::{InMemoryDatabase, StateDiff};
use zvm::tx::{Transaction, TransactionResult};
use zvm::{Address, Bytes, Engine, Executor, Mode, U256};

use crate::bent::BentTier;

pub(crate) const SENDER: Address = Address::repeat_byte(0x5e);
pub(crate) const TARGET: Address = Address::repeat_byte(0x7a);
pub(crate) const CALLEE: Address = Address::repeat_byte(0xca);

/// Bytes of a program in Ethereum's encoding.
pub(crate) fn evm(text: &str) -> Bytes {
    assemble(&format!(".evm\n{text}")).expect("the text assembles").code.into()
}

pub(crate) fn word(number: u64) -> U256 {
    U256::from(number)
}

/// Stores, clears, logs, and returns a word.
pub(crate) const PLAIN: &str = "push1 7\npush0\nmstore\npush1 5\npush1 1\nsstore\npush0\npush1 2\nsstore\n\
    push1 32\npush0\nlog0\npush1 32\npush0\nreturn";
/// Calls [`CALLEE`] with two bytes of data and stores the success.
pub(crate) const CALLING: &str = "push0\npush0\npush1 2\npush0\npush0\npush20 0xcacacacacacacacacacacacacacacacacacacaca\n\
    push2 0xffff\ncall\npush1 1\nsstore\nhalt";
/// The same as a static call.
pub(crate) const STATIC: &str = "push0\npush0\npush1 2\npush0\npush20 0xcacacacacacacacacacacacacacacacacacacaca\n\
    push2 0xffff\nstaticcall\npush1 1\nsstore\nhalt";
/// Creates a contract of one byte, `stop`, and stores its address.
pub(crate) const CREATING: &str =
    "push5 0x60015ff3\npush0\nmstore\npush1 4\npush1 28\npush0\ncreate\npush1 1\nsstore\nhalt";

/// Differences that an engine has told of.
pub(crate) type Told = Arc<Mutex<Vec<Case>>>;

/// The cases told so far.
pub(crate) fn cases(told: &Told) -> Vec<Case> {
    told.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A builder whose engine tells its differences.
pub(crate) fn telling(tier: &Arc<BentTier>, mode: Mode, checking: Checking) -> (EngineBuilder, Told) {
    let told = Told::default();
    let list = Arc::clone(&told);
    let checking = Checking {
        on_difference: Some(Arc::new(move |report| {
            list.lock().unwrap_or_else(PoisonError::into_inner).push(report.case.clone());
        })),
        ..checking
    };
    (Engine::builder().mode(mode).tier(tier.clone()).checking(checking), told)
}

/// An executor in whose world [`TARGET`] has this code.
pub(crate) fn executor(engine: Engine, target: &str, callee: &str) -> Executor<InMemoryDatabase> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, word(1_000_000_000), Bytes::new());
    database.insert_account(TARGET, 1, word(10), evm(target));
    database.insert_account(CALLEE, 1, word(0), evm(callee));
    database.insert_storage(TARGET, word(2), word(9));
    Executor::new(engine, database)
}

/// Calls [`TARGET`].
pub(crate) fn call(executor: &mut Executor<InMemoryDatabase>) -> TransactionResult {
    let block = BlockEnv { gas_limit: word(30_000_000), ..BlockEnv::default() };
    let sent = Transaction::legacy(SENDER, Some(TARGET), U256::ZERO, Bytes::new(), 1_000_000, U256::ZERO);
    executor.transact(&sent, &block).expect("the transaction is valid")
}

/// What a call gives and changes in the interpreter alone; which tier ran how many blocks is left out.
pub(crate) fn reference(target: &str, callee: &str) -> (TransactionResult, StateDiff) {
    let mut executor = executor(Engine::builder().build(), target, callee);
    let result = call(&mut executor);
    (result, executor.changes())
}

/// A result without the numbers of blocks.
pub(crate) fn plain(result: TransactionResult) -> TransactionResult {
    TransactionResult { blocks_interpreted: 0, blocks_compiled: 0, ..result }
}
