//! A host for single frames: one account with storage, transient storage, logs, and access costs by the book.
//!
//! It keeps no journal. A frame that fails is judged by [`observe`](crate::observe), which drops its effects.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, address};
use zvm::host::{Access, BlockEnv, Host, HostError, Log, StorageWrite, TxEnv};

/// The account whose code runs.
pub const CONTRACT: Address = address!("c0de000000000000000000000000000000000001");
/// The account that calls it.
pub const CALLER: Address = address!("ca11e40000000000000000000000000000000002");
/// The sender of the transaction.
pub const ORIGIN: Address = address!("0419140000000000000000000000000000000003");

/// One storage slot.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    original: U256,
    current: U256,
}

/// The surroundings of one frame.
#[derive(Clone, Debug)]
pub struct TestHost {
    block: BlockEnv,
    tx: TxEnv,
    slots: BTreeMap<(Address, U256), Slot>,
    warm_slots: BTreeSet<(Address, U256)>,
    warm_accounts: BTreeSet<Address>,
    transient: BTreeMap<(Address, U256), U256>,
    balances: BTreeMap<Address, U256>,
    /// Logs in order.
    pub logs: Vec<Log>,
    /// The refund counter.
    pub refund: i64,
}

impl TestHost {
    /// A host whose contract has this storage; facts of block and transaction are distinct odd numbers, so that
    /// no two operations can be mistaken for each other.
    pub fn new(storage: &BTreeMap<U256, U256>) -> TestHost {
        let slots = storage
            .iter()
            .map(|(&key, &value)| ((CONTRACT, key), Slot { original: value, current: value }))
            .collect();
        TestHost {
            block: BlockEnv {
                number: U256::from(21_000_001),
                timestamp: U256::from(1_777_777_777),
                coinbase: address!("c014ba5e00000000000000000000000000000004"),
                gas_limit: U256::from(45_000_001),
                base_fee: U256::from(1_000_000_007),
                prev_randao: U256::from_be_bytes([0xa7; 32]),
                blob_base_fee: U256::from(11),
                chain_id: U256::from(1337),
            },
            tx: TxEnv {
                origin: ORIGIN,
                gas_price: U256::from(2_000_000_011),
                blob_hashes: vec![B256::repeat_byte(1)],
            },
            slots,
            warm_slots: BTreeSet::new(),
            // Sender, recipient and beneficiary are warm from the start (EIP-2929, 3651).
            warm_accounts: [CONTRACT, CALLER, ORIGIN].into(),
            transient: BTreeMap::new(),
            balances: [(CONTRACT, U256::from(1_000_003)), (CALLER, U256::from(5_000_011))].into(),
            logs: Vec::new(),
            refund: 0,
        }
    }

    /// Slots of the contract that are not zero.
    pub fn storage(&self) -> BTreeMap<U256, U256> {
        let slots = self.slots.iter().filter(|(_, slot)| !slot.current.is_zero());
        slots.map(|(&(_, key), slot)| (key, slot.current)).collect()
    }

    /// Transient slots of the contract that are not zero.
    pub fn transient(&self) -> BTreeMap<U256, U256> {
        let slots = self.transient.iter().filter(|(_, value)| !value.is_zero());
        slots.map(|(&(_, key), &value)| (key, value)).collect()
    }
}

impl Host for TestHost {
    fn block(&self) -> &BlockEnv {
        &self.block
    }

    fn tx(&self) -> &TxEnv {
        &self.tx
    }

    fn sload(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        let place = (*address, *key);
        let is_cold = !self.warm_slots.contains(&place);
        if is_cold && !cold_affordable {
            return Ok(None);
        }
        self.warm_slots.insert(place);
        let value = self.slots.get(&place).map_or(U256::ZERO, |slot| slot.current);
        Ok(Some(Access { value, is_cold }))
    }

    fn sstore(
        &mut self,
        address: &Address,
        key: &U256,
        value: &U256,
        cold_affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError> {
        let place = (*address, *key);
        let is_cold = !self.warm_slots.contains(&place);
        if is_cold && !cold_affordable {
            return Ok(None);
        }
        self.warm_slots.insert(place);
        let slot = self.slots.entry(place).or_default();
        let write = StorageWrite { original: slot.original, current: slot.current, is_cold };
        slot.current = *value;
        Ok(Some(write))
    }

    fn tload(&mut self, address: &Address, key: &U256) -> U256 {
        self.transient.get(&(*address, *key)).copied().unwrap_or_default()
    }

    fn tstore(&mut self, address: &Address, key: &U256, value: &U256) {
        self.transient.insert((*address, *key), *value);
    }

    fn add_refund(&mut self, refund: i64) {
        self.refund += refund;
    }

    fn log(&mut self, log: Log) {
        self.logs.push(log);
    }

    fn balance(
        &mut self,
        address: &Address,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        let is_cold = !self.warm_accounts.contains(address);
        if is_cold && !cold_affordable {
            return Ok(None);
        }
        self.warm_accounts.insert(*address);
        let value = self.balances.get(address).copied().unwrap_or_default();
        Ok(Some(Access { value, is_cold }))
    }

    fn self_balance(&mut self, address: &Address) -> Result<U256, HostError> {
        Ok(self.balances.get(address).copied().unwrap_or_default())
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        Ok(alloy_primitives::keccak256(number.to_be_bytes()))
    }
}
