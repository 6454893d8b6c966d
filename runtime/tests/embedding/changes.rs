//! What becomes of changes, calls that keep nothing, containers, one engine for many threads.

use zvm::bytecode::container::{Container, Sections, Target};
use zvm::engine::{Deployment, LoadError};
use zvm::host::BlockEnv;
use zvm::state::{InMemoryDatabase, StateDiff};
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, U256};

use crate::word;

const SENDER: Address = Address::repeat_byte(0x5e);
const COUNTER: Address = Address::repeat_byte(0xc0);
/// `sstore(0, sload(0) + 1)`, then returns the word: sload push1 1 add dup1 push0 sstore push0 mstore msize push0 return
const COUNTER_CODE: &[u8] = &[0x5f, 0x54, 0x60, 1, 0x01, 0x80, 0x5f, 0x55, 0x5f, 0x52, 0x59, 0x5f, 0xf3];

fn block() -> BlockEnv {
    BlockEnv { number: word(1), gas_limit: word(30_000_000), ..BlockEnv::default() }
}

fn executor() -> Executor<InMemoryDatabase> {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::ONE << 100, Bytes::new());
    database.insert_account(COUNTER, 1, U256::ZERO, Bytes::from_static(COUNTER_CODE));
    Executor::new(Engine::builder().build(), database)
}

fn count() -> Transaction {
    Transaction::legacy(SENDER, Some(COUNTER), U256::ZERO, Bytes::new(), 100_000, U256::ZERO)
}

fn counted(executor: &mut Executor<InMemoryDatabase>) -> U256 {
    executor.transact(&count(), &block()).map(|result| U256::from_be_slice(&result.output)).expect("it runs")
}

fn stored(executor: &Executor<InMemoryDatabase>) -> Vec<(U256, U256)> {
    executor.state().database().storage_of(&COUNTER).collect()
}

#[test]
fn changes_stay_pending_until_they_are_committed_taken_or_discarded() {
    let mut executor = executor();
    assert_eq!((counted(&mut executor), counted(&mut executor)), (word(1), word(2)));
    assert_eq!(stored(&executor), [], "nothing is written before it is committed");

    executor.commit().expect("memory takes it");
    assert_eq!(stored(&executor), [(word(0), word(2))]);
    assert!(executor.changes().is_empty());

    assert_eq!(counted(&mut executor), word(3));
    executor.discard();
    assert!(executor.changes().is_empty());
    assert_eq!(counted(&mut executor), word(3), "the discarded transaction left nothing");

    let taken: StateDiff = executor.take_changes();
    assert_eq!(taken.accounts[&COUNTER].storage[&word(0)], word(3));
    assert_eq!(taken.accounts[&SENDER].info.expect("it exists").nonce, 3);
    assert_eq!(stored(&executor), [(word(0), word(2))], "taken is not committed");
    let mut database = executor.into_state().into_database();
    database.commit(&taken);
    assert_eq!(database.storage_of(&COUNTER).collect::<Vec<_>>(), [(word(0), word(3))]);
}

#[test]
fn a_call_sees_pending_changes_and_keeps_nothing() {
    let mut executor = executor();
    counted(&mut executor);
    let before = executor.changes();
    for _ in 0..2 {
        let result = executor.call(&count(), &block()).expect("it runs");
        assert_eq!(U256::from_be_slice(&result.output), word(2));
        assert!(result.gas_used > 21_000);
        assert_eq!(executor.changes(), before);
    }
    assert_eq!(counted(&mut executor), word(2), "the sender's nonce did not move");

    let poor = Transaction { from: COUNTER, ..count() };
    assert!(executor.call(&poor, &block()).is_err(), "a call must be valid");
}

fn container(target: Target, code: &[u8], init: Option<&[u8]>, needs_init: bool) -> Container {
    let init = init.map(Bytes::copy_from_slice);
    let sections = Some(Sections { init, ..Sections::default() });
    Container { target, needs_init, code: Bytes::copy_from_slice(code), abi: "[]".into(), sections }
}

fn deployment(arguments: &[u8]) -> Deployment<'_> {
    Deployment { from: SENDER, arguments, value: U256::ZERO, gas_limit: 1_000_000 }
}

#[test]
fn a_container_without_init_code_is_put_in_place() {
    let mut executor = executor();
    let plain = container(Target::Evm, COUNTER_CODE, None, false);
    let address = executor.load(&plain, &deployment(&[]), &block()).expect("it deploys");
    let result = executor.transact(&Transaction { to: Some(address), ..count() }, &block()).expect("it runs");
    assert_eq!(U256::from_be_slice(&result.output), word(1));

    let native = container(Target::Native, &[0x00], None, false);
    let address = executor.load(&native, &deployment(&[]), &block()).expect("it deploys");
    let info = executor.state_mut().account(&address).expect("no trouble");
    let code = executor.state_mut().code(&info.code_hash).expect("no trouble");
    assert_eq!(code, native.account_code());
    assert!(code.starts_with(&zvm::bytecode::NATIVE_PREFIX));
}

#[test]
fn init_code_runs_with_the_arguments_behind_it() {
    // Deploys its arguments: push1 11, dup1, codesize, sub, dup1, swap2, push0, codecopy, push0, return
    let init = [0x60, 11, 0x80, 0x38, 0x03, 0x80, 0x91, 0x5f, 0x39, 0x5f, 0xf3];
    let mut executor = executor();
    let with_init = container(Target::Evm, &[0x00], Some(&init), true);
    let address = executor.load(&with_init, &deployment(&[1, 2, 3]), &block()).expect("it deploys");
    let info = executor.state_mut().account(&address).expect("no trouble");
    let code = executor.state_mut().code(&info.code_hash).expect("no trouble");
    assert_eq!(code, Bytes::from_static(&[1, 2, 3]));
}

#[test]
fn what_cannot_be_deployed_is_refused_by_name() {
    let mut executor = executor();
    let needs_init = container(Target::Evm, &[0x00], None, true);
    let refused = executor.load(&needs_init, &deployment(&[]), &block());
    assert!(matches!(refused, Err(LoadError::NeedsInit)), "{refused:?}");
    let plain = container(Target::Evm, &[0x00], None, false);
    let refused = executor.load(&plain, &deployment(&[1]), &block());
    assert!(matches!(refused, Err(LoadError::NoArguments { size: 1 })), "{refused:?}");
    assert!(executor.changes().is_empty());
    let reverting = container(Target::Evm, &[0x00], Some(&[0x5f, 0x5f, 0xfd]), true);
    let refused = executor.load(&reverting, &deployment(&[]), &block());
    assert!(matches!(refused, Err(LoadError::Failed { .. })), "{refused:?}");

    let engine = Engine::builder().native_code(false).build();
    let mut pure = Executor::new(engine, InMemoryDatabase::new());
    let native = container(Target::Native, &[0x00], None, false);
    let refused = pure.load(&native, &deployment(&[]), &block());
    assert!(matches!(refused, Err(LoadError::NativeCodeOff)), "{refused:?}");
}

#[test]
fn threads_share_an_engine_and_have_an_executor_each() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    let engine = Engine::builder().build();
    is_shared(&engine);
    let database = executor().into_state().into_database();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mut executor = Executor::new(engine.clone(), database.clone());
                scope.spawn(move || (0..50).map(|_| counted(&mut executor)).last())
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), Some(word(50)));
        }
    });
}
