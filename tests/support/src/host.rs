//! A host for single frames: one account with storage, transient storage, logs, and access costs by the book.
//!
//! It keeps no journal. A frame that fails is judged by [`observe`](crate::observe), which drops its effects.
//! No other frame runs: calls and creations are written down and [answered](TestHost::answer) by a fixed rule, so
//! that a frame can be seen going on behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use zvm::bytecode::{Code, delegation_to};
use zvm::call_stack::{CallRequest, Callee, CreateRequest, Request};
use zvm::compiled::frame::Frame;
use zvm::host::{Access, BlockEnv, Host, HostError, Log, StorageWrite, TxEnv};
use zvm::state::AccountInfo;

/// The account whose code runs.
pub const CONTRACT: Address = address!("c0de000000000000000000000000000000000001");
/// The account that calls it.
pub const CALLER: Address = address!("ca11e40000000000000000000000000000000002");
/// The sender of the transaction.
pub const ORIGIN: Address = address!("0419140000000000000000000000000000000003");

/// An account with five bytes of Ethereum code, cold at the start.
pub const CALLEE: Address = address!("ca11ee0000000000000000000000000000000006");
/// An account with code in whole transactions; nobody's for single frames.
pub const LIBRARY: Address = address!("11b4a40000000000000000000000000000000009");
/// An account that delegates to [`CALLEE`], cold at the start.
pub const DELEGATOR: Address = address!("de1e9a7000000000000000000000000000000008");

/// Code of [`CALLEE`]: push0 push0 push0 push0 revert.
const CALLEE_CODE: [u8; 5] = [0x5f, 0x5f, 0x5f, 0x5f, 0xfd];

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
    accounts: BTreeMap<Address, AccountInfo>,
    codes: Vec<Arc<Code>>,
    /// Calls and creations in order.
    pub requests: Vec<Request>,
    /// Beneficiary of a `selfdestruct`.
    pub beneficiary: Option<Address>,
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
        let codes: Vec<Arc<Code>> = [Bytes::from_static(&CALLEE_CODE), delegation_to(&CALLEE)]
            .map(|raw| Arc::new(Code::evm(raw)))
            .into();
        let account =
            |balance: u64, code_hash: B256| AccountInfo { nonce: 1, balance: U256::from(balance), code_hash };
        let plain = AccountInfo::default().code_hash;
        let accounts = [
            (CONTRACT, account(1_000_003, plain)),
            (CALLER, account(5_000_011, plain)),
            (CALLEE, account(0, codes[0].hash())),
            (DELEGATOR, account(17, codes[1].hash())),
        ];
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
            accounts: accounts.into(),
            codes,
            requests: Vec::new(),
            beneficiary: None,
            logs: Vec::new(),
            refund: 0,
        }
    }

    /// Slots of the contract that are not zero.
    pub fn storage(&self) -> BTreeMap<U256, U256> {
        let slots = self.slots.iter().filter(|(_, slot)| !slot.current.is_zero());
        slots.map(|(&(_, key), slot)| (key, slot.current)).collect()
    }

    /// Answers the request with which the frame stopped, as if a callee had run.
    ///
    /// What is sent must be there, else nothing comes of it. A callee without code succeeds without data. Any other
    /// uses a quarter of its gas; it answers with 40 bytes made from the request, successfully if the first is even.
    pub fn answer(&mut self, frame: &mut Frame) {
        let request = frame.request.take().expect("a frame that asks says what for");
        self.requests.push(request.clone());
        let here = self.accounts.entry(frame.message.address).or_default();
        let (value, gas, to) = match &request {
            Request::Call(CallRequest { kind, value, gas, address, .. }) => {
                (if kind.sends_value() { *value } else { U256::ZERO }, *gas, *address)
            }
            // A creation goes to an address that is nobody's.
            Request::Create(CreateRequest { value, gas, .. }) => (*value, *gas, Address::repeat_byte(0xc7)),
        };
        let is_plain = matches!(&request, Request::Call(CallRequest { callee: Callee::Empty, .. }));
        let mut data = keccak256(format!("{request:?}")).to_vec();
        data.extend(gas.to_be_bytes());
        let is_success = here.balance >= value && (is_plain || data[0] % 2 == 0);
        let (gas_left, data) = match here.balance >= value {
            false => (gas, Vec::new()),
            true if is_plain => (gas, Vec::new()),
            true => (gas - gas / 4, data),
        };
        if is_success && to != frame.message.address {
            here.balance -= value;
        }
        frame.gas += gas_left;
        frame.stack.push_word(match &request {
            Request::Call(CallRequest { output: (start, size), .. }) => {
                let copied = (*size).min(data.len());
                frame.memory.bytes_mut()[*start..start + copied].copy_from_slice(&data[..copied]);
                U256::from(is_success)
            }
            Request::Create(_) if is_success => to.into_word().into(),
            Request::Create(_) => U256::ZERO,
        });
        // What a successful creation returned is the code.
        let keeps_data = !is_success || matches!(request, Request::Call(_));
        frame.return_data = if keeps_data { data.into() } else { Bytes::new() };
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

    fn account(
        &mut self,
        address: &Address,
        cold_affordable: bool,
    ) -> Result<Option<Access<AccountInfo>>, HostError> {
        let is_cold = !self.warm_accounts.contains(address);
        if is_cold && !cold_affordable {
            return Ok(None);
        }
        self.warm_accounts.insert(*address);
        let value = self.accounts.get(address).copied().unwrap_or_default();
        Ok(Some(Access { value, is_cold }))
    }

    fn code(&mut self, hash: &B256) -> Result<Arc<Code>, HostError> {
        let code = self.codes.iter().find(|code| code.hash() == *hash);
        code.cloned().ok_or_else(|| HostError("no account has code with that hash".into()))
    }

    fn selfdestruct(&mut self, _: &Address, beneficiary: &Address) -> Result<(), HostError> {
        self.beneficiary = Some(*beneficiary);
        Ok(())
    }

    fn self_balance(&mut self, address: &Address) -> Result<U256, HostError> {
        Ok(self.accounts.get(address).copied().unwrap_or_default().balance)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        Ok(alloy_primitives::keccak256(number.to_be_bytes()))
    }
}
