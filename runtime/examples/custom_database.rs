//! A database of one's own: state that is computed on demand, and a database that fails.
//!
//! `cargo run --example custom_database`

use std::error::Error;

use alloy_primitives::keccak256;
use zvm::engine::EngineError;
use zvm::host::{BlockEnv, HostError};
use zvm::state::{AccountInfo, Database};
use zvm::tx::{Transaction, TransactionError};
use zvm::{Address, B256, Bytes, Engine, Executor, U256};

/// Returns storage slot 3: push1 3, sload, push0, mstore, push1 32, push0, return
const READER: &[u8] = &[0x60, 3, 0x54, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];
const CONTRACT: Address = Address::repeat_byte(0xcc);

/// Everybody is rich, and a storage word is the square of its key.
struct Squares {
    questions: Vec<String>,
    is_closed: bool,
}

impl Squares {
    fn note(&mut self, question: String) -> Result<(), HostError> {
        if self.is_closed {
            return Err(HostError("the connection is closed".into()));
        }
        self.questions.push(question);
        Ok(())
    }
}

impl Database for Squares {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        self.note(format!("account {address}"))?;
        let is_contract = *address == CONTRACT;
        let code_hash = if is_contract { keccak256(READER) } else { AccountInfo::default().code_hash };
        Ok(Some(AccountInfo { nonce: 0, balance: U256::ONE << 100, code_hash }))
    }

    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        self.note(format!("code {hash}"))?;
        Ok(Bytes::from_static(READER))
    }

    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.note(format!("word {key} of {address}"))?;
        Ok(key.wrapping_mul(*key))
    }

    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        self.note(format!("storage of {address}"))?;
        Ok(true)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.note(format!("block {number}"))?;
        Ok(keccak256(number.to_be_bytes()))
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let database = Squares { questions: Vec::new(), is_closed: false };
    let mut executor = Executor::new(Engine::builder().build(), database);
    let block = BlockEnv { gas_limit: U256::from(30_000_000), ..BlockEnv::default() };
    let sender = Address::repeat_byte(0xa1);
    let ask = Transaction::legacy(sender, Some(CONTRACT), U256::ZERO, Bytes::new(), 100_000, U256::ZERO);

    let result = executor.transact(&ask, &block)?;
    assert_eq!(U256::from_be_slice(&result.output), U256::from(9));
    for question in &executor.state().database().questions {
        println!("asked for {question}");
    }

    // Trouble with the database ends a transaction without an outcome, and nothing of it is kept.
    let database = Squares { questions: Vec::new(), is_closed: true };
    let mut executor = Executor::new(Engine::builder().build(), database);
    match executor.transact(&ask, &block) {
        Err(TransactionError::Engine(EngineError::Host(error))) => println!("no outcome: {error}"),
        other => panic!("a database that fails gives no outcome: {other:?}"),
    }
    assert!(executor.changes().is_empty());
    Ok(())
}
