//! What one frame asked its surroundings and was told, and the host that writes it down.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};

use crate::bytecode::Code;
use crate::call_stack::{Answer, Request};
use crate::forward_host;
use crate::hedera::{Acting, ServiceReply, ServiceRequest};
use crate::host::{Access, Host, HostError, Log, StorageWrite};
use crate::state::AccountInfo;

/// A question of a frame with its answer. Where the answer is `None`, the touch was cold and not affordable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A storage word was read: account, key.
    Sload(Address, U256, Option<Access<U256>>),
    /// A storage word was written: account, key, value.
    Sstore(Address, U256, U256, Option<StorageWrite>),
    /// A transient word was read: account, key.
    Tload(Address, U256, U256),
    /// A transient word was written: account, key, value.
    Tstore(Address, U256, U256),
    /// The refund counter moved.
    Refund(i64),
    /// A log entry.
    Log(Log),
    /// An account was touched.
    Account(Address, Option<Access<AccountInfo>>),
    /// Code was asked for by its hash.
    Code(B256, Arc<Code>),
    /// An account gave its balance away: account, beneficiary.
    Selfdestruct(Address, Address),
    /// The account's own balance was read.
    SelfBalance(Address, U256),
    /// The hash of a block was read.
    BlockHash(u64, B256),
    /// Hedera's services were asked; the log entries of the reply are left out.
    Service(Acting, ServiceRequest, ServiceReply),
    /// A call or creation.
    Message {
        /// What was asked for.
        request: Box<Request>,
        /// Gas of the frame when it had asked.
        gas: u64,
        /// What came back.
        answer: Answer,
    },
}

/// What one frame asked so far.
#[derive(Debug)]
pub(crate) struct Record {
    /// Gas at the start of the frame.
    pub(crate) gas: u64,
    pub(crate) events: Vec<Event>,
    /// A request that is not answered yet, and the gas of the frame then.
    asked: Option<(Box<Request>, u64)>,
    /// Bytes that may still be recorded in this frame; `None` when they did not do.
    bytes_left: Option<usize>,
}

impl Record {
    /// The record of a frame that starts with that much gas.
    pub(crate) fn new(gas: u64, bytes_max: usize) -> Record {
        Record { gas, events: Vec::new(), asked: None, bytes_left: Some(bytes_max) }
    }

    /// Whether everything is in it.
    pub(crate) fn is_whole(&self) -> bool {
        self.bytes_left.is_some()
    }

    fn push(&mut self, event: Event) {
        let Some(left) = self.bytes_left else { return };
        // A vector that grows holds up to twice what is in it.
        let bytes = 2 * size_of::<Event>() + event.bytes_elsewhere();
        self.bytes_left = left.checked_sub(bytes);
        if self.bytes_left.is_some() {
            self.events.push(event);
        } else {
            self.events = Vec::new();
        }
    }

    /// Bytes that may still be recorded in this frame.
    pub(crate) fn bytes_left(&self) -> usize {
        self.bytes_left.unwrap_or(0)
    }

    /// Notes what the frame asks for.
    pub(crate) fn note_request(&mut self, request: &Request, gas: u64) {
        if self.is_whole() {
            self.asked = Some((Box::new(request.clone()), gas));
        }
    }

    /// Notes the answer to the last request.
    pub(crate) fn note_answer(&mut self, answer: Answer) {
        if let Some((request, gas)) = self.asked.take() {
            self.push(Event::Message { request, gas, answer });
        }
    }
}

impl Event {
    /// Bytes that the event holds beside itself, those that others hold as well included.
    fn bytes_elsewhere(&self) -> usize {
        match self {
            Event::Log(log) => log.data.len() + size_of_val(&log.topics[..]),
            Event::Code(_, code) => code.raw().len(),
            Event::Service(_, request, _) => request.data().len(),
            Event::Message { request, answer, .. } => {
                let asked = match &**request {
                    Request::Call(call) => call.input.len(),
                    Request::Create(create) => create.init_code.len(),
                };
                size_of::<Request>() + asked + answer.output.len()
            }
            _ => 0,
        }
    }
}

/// A host that writes down what passes through it.
pub(crate) struct Recorder<'a> {
    pub(crate) host: &'a mut dyn Host,
    pub(crate) record: &'a mut Record,
}

impl Host for Recorder<'_> {
    forward_host!(host: step, block, tx);
    fn sload(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        let access = self.host.sload(address, key, cold_affordable)?;
        self.record.push(Event::Sload(*address, *key, access));
        Ok(access)
    }

    fn sstore(
        &mut self,
        address: &Address,
        key: &U256,
        value: &U256,
        cold_affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError> {
        let write = self.host.sstore(address, key, value, cold_affordable)?;
        self.record.push(Event::Sstore(*address, *key, *value, write));
        Ok(write)
    }

    fn tload(&mut self, address: &Address, key: &U256) -> U256 {
        let value = self.host.tload(address, key);
        self.record.push(Event::Tload(*address, *key, value));
        value
    }

    fn tstore(&mut self, address: &Address, key: &U256, value: &U256) {
        self.host.tstore(address, key, value);
        self.record.push(Event::Tstore(*address, *key, *value));
    }

    fn add_refund(&mut self, refund: i64) {
        self.host.add_refund(refund);
        self.record.push(Event::Refund(refund));
    }

    fn log(&mut self, log: Log) {
        self.record.push(Event::Log(log.clone()));
        self.host.log(log);
    }

    fn account(
        &mut self,
        address: &Address,
        cold_affordable: bool,
    ) -> Result<Option<Access<AccountInfo>>, HostError> {
        let access = self.host.account(address, cold_affordable)?;
        self.record.push(Event::Account(*address, access));
        Ok(access)
    }

    fn code(&mut self, hash: &B256) -> Result<Arc<Code>, HostError> {
        let code = self.host.code(hash)?;
        self.record.push(Event::Code(*hash, Arc::clone(&code)));
        Ok(code)
    }

    fn selfdestruct(&mut self, address: &Address, beneficiary: &Address) -> Result<(), HostError> {
        self.host.selfdestruct(address, beneficiary)?;
        self.record.push(Event::Selfdestruct(*address, *beneficiary));
        Ok(())
    }

    fn self_balance(&mut self, address: &Address) -> Result<U256, HostError> {
        let balance = self.host.self_balance(address)?;
        self.record.push(Event::SelfBalance(*address, balance));
        Ok(balance)
    }

    fn hedera(&mut self, acting: &Acting, request: &ServiceRequest) -> Result<ServiceReply, HostError> {
        let reply = self.host.hedera(acting, request)?;
        let without_logs = ServiceReply { logs: Vec::new(), ..reply };
        self.record.push(Event::Service(*acting, request.clone(), without_logs));
        Ok(reply)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        let hash = self.host.block_hash(number)?;
        self.record.push(Event::BlockHash(number, hash));
        Ok(hash)
    }
}
