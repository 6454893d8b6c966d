//! The state that a transaction of an execution starts from, as our machine and revm read it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use testkit::host::{CALLEE, CALLER, CONTRACT, DELEGATOR, LIBRARY};
use zvm::Fork;
use zvm::bytecode::delegation_to;
use zvm::host::{BlockEnv, HostError};
use zvm::state::{AccountInfo, Database};

use crate::execution::Subject;

/// Beneficiary of every block.
pub const COINBASE: Address = address!("c014ba5e00000000000000000000000000000004");
/// Wei per gas that every transaction pays.
pub const GAS_PRICE: u64 = 10;

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Nonce, balance, hash of the code.
    pub info: AccountInfo,
    /// Storage words that are not zero.
    pub storage: BTreeMap<U256, U256>,
}

/// Accounts and their code.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// By address.
    pub accounts: BTreeMap<Address, Account>,
    /// By hash.
    pub codes: BTreeMap<B256, Bytes>,
}

impl World {
    /// The world of a subject: a rich sender, the program at [`CONTRACT`], its companions at [`CALLEE`] and
    /// [`LIBRARY`], and, since Prague, an account that delegates to the first of them.
    pub fn of(subject: &Subject) -> World {
        let mut world = World::default();
        let Subject { program, companions, is_creation } = subject;
        world.insert(CALLER, 5, U256::from(1u64 << 60), Bytes::new(), BTreeMap::new());
        let code = if *is_creation { Bytes::new() } else { program.to_code().raw().clone() };
        world.insert(CONTRACT, 1, U256::from(1_000_003), code, program.setting.storage.clone());
        for (address, code) in [CALLEE, LIBRARY].into_iter().zip(companions) {
            world.insert(
                address,
                1,
                U256::from(17),
                code.clone(),
                BTreeMap::from([(U256::ONE, U256::from(7))]),
            );
        }
        // Before Prague no account can have such code (EIP-3541), and revm takes it for what it is later.
        let has_delegations = program.setting.fork >= Fork::Prague;
        let code = if has_delegations { delegation_to(&CALLEE) } else { Bytes::new() };
        world.insert(DELEGATOR, 1, U256::from(23), code, BTreeMap::new());
        world
    }

    fn insert(
        &mut self,
        address: Address,
        nonce: u64,
        balance: U256,
        code: Bytes,
        storage: BTreeMap<U256, U256>,
    ) {
        let code_hash = keccak256(&code);
        let storage = storage.into_iter().filter(|(_, value)| !value.is_zero()).collect();
        self.codes.insert(code_hash, code);
        self.accounts.insert(address, Account { info: AccountInfo { nonce, balance, code_hash }, storage });
    }

    /// A storage word.
    pub fn storage_word(&self, address: &Address, key: &U256) -> U256 {
        let account = self.accounts.get(address);
        account.and_then(|account| account.storage.get(key)).copied().unwrap_or_default()
    }

    /// Hash of a block: that of its number in decimal digits.
    pub fn hash_of_block(number: u64) -> B256 {
        keccak256(number.to_string())
    }
}

/// The block of every transaction.
pub fn block() -> BlockEnv {
    BlockEnv {
        number: U256::from(21_000_001),
        timestamp: U256::from(1_777_777_777),
        coinbase: COINBASE,
        gas_limit: U256::from(45_000_001),
        base_fee: U256::from(7),
        prev_randao: U256::from_be_bytes([0xa7; 32]),
        blob_base_fee: U256::ONE,
        chain_id: U256::ONE,
    }
}

/// A database that shows the world of the day; executors are made once and worlds change below them.
#[derive(Clone, Debug, Default)]
pub struct Source(Rc<RefCell<Rc<World>>>);

impl Source {
    /// Replaces the world. Executors must have forgotten the one before.
    pub fn show(&self, world: Rc<World>) {
        *self.0.borrow_mut() = world;
    }
}

impl Database for Source {
    fn account(&mut self, address: &Address) -> Result<Option<AccountInfo>, HostError> {
        Ok(self.0.borrow().accounts.get(address).map(|account| account.info))
    }

    fn code(&mut self, hash: &B256) -> Result<Bytes, HostError> {
        let code = self.0.borrow().codes.get(hash).cloned();
        code.ok_or_else(|| HostError("no account has code with that hash".into()))
    }

    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        Ok(self.0.borrow().storage_word(address, key))
    }

    fn has_storage(&mut self, address: &Address) -> Result<bool, HostError> {
        Ok(self.0.borrow().accounts.get(address).is_some_and(|account| !account.storage.is_empty()))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        Ok(World::hash_of_block(number))
    }
}
