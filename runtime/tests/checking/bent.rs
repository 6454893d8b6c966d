//! A compiler whose code is the interpreter, bent in one way.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zvm::bytecode::Code;
use zvm::call_stack::Request;
use zvm::compiled::frame::{Frame, Spec};
use zvm::compiled::tier::{CompiledCode, Refusal, Tier};
use zvm::forward_host;
use zvm::host::{Host, HostError, Log, StorageWrite};
use zvm::interp;
use zvm::outcome::{Exit, Trap};
use zvm::{Address, Bytes, U256};

/// How code is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bend {
    /// Not at all.
    Straight,
    /// It charges one gas too little.
    Gas,
    /// It reverts where it should return.
    Outcome,
    /// It traps where it should end well.
    Trap,
    /// It ends well where it should trap.
    NoTrap,
    /// It returns other data.
    Output,
    /// It changes a byte of memory.
    Memory,
    /// It stores another word.
    Store,
    /// It does not store at all.
    NoStore,
    /// It logs other data.
    Log,
    /// It gives another refund.
    Refund,
    /// It sends its balance elsewhere.
    Beneficiary,
    /// It calls with one gas more.
    CallGas,
    /// It calls or creates with other data.
    CallData,
    /// It stores to a transient slot too much.
    Transient,
}

/// Compiles code that is wrong in one way, and counts.
pub(crate) struct BentTier {
    pub(crate) bend: Bend,
    /// Codes prepared.
    pub(crate) prepared: AtomicU64,
    /// Runs of what was compiled.
    pub(crate) runs: Arc<AtomicU64>,
    /// Codes that the engine has banned.
    pub(crate) bans: AtomicU64,
}

impl BentTier {
    pub(crate) fn new(bend: Bend) -> Arc<BentTier> {
        let (prepared, bans) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(BentTier { bend, prepared, runs: Arc::default(), bans })
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

impl Tier for BentTier {
    fn prepare(&self, _: &Code, _: &Spec) -> Result<Box<dyn CompiledCode>, Refusal> {
        self.prepared.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(BentCode { bend: self.bend, runs: Arc::clone(&self.runs) }))
    }

    fn describe(&self) -> String {
        format!("bent: {:?}", self.bend)
    }

    fn ban(&self, _: &Code, _: &Spec) {
        self.bans.fetch_add(1, Ordering::Relaxed);
    }
}

struct BentCode {
    bend: Bend,
    runs: Arc<AtomicU64>,
}

impl CompiledCode for BentCode {
    fn can_enter(&self, _: usize) -> bool {
        true
    }

    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let mut exit = interp::run(frame, &mut BentHost { bend: self.bend, host });
        let ends_well = matches!(exit, Exit::Halt | Exit::Return);
        match self.bend {
            Bend::Gas if ends_well || exit == Exit::Revert => frame.gas += 1,
            Bend::Outcome if exit == Exit::Return => exit = Exit::Revert,
            Bend::Trap if ends_well => exit = Trap::StackUnderflow.into(),
            Bend::NoTrap if matches!(exit, Exit::Trap(_)) => exit = Exit::Halt,
            Bend::Output if exit == Exit::Return => frame.output = Bytes::from_static(b"other"),
            Bend::Memory if ends_well && !frame.memory.is_empty() => frame.memory.bytes_mut()[0] ^= 1,
            Bend::CallGas | Bend::CallData => match &mut frame.request {
                Some(Request::Call(call)) if self.bend == Bend::CallGas => call.gas += 1,
                Some(Request::Call(call)) => call.input = Bytes::from_static(b"other"),
                Some(Request::Create(create)) if self.bend == Bend::CallData => {
                    create.init_code = Bytes::from_static(b"other");
                }
                _ => {}
            },
            Bend::Transient if ends_well => host.tstore(&frame.message.address, &U256::ZERO, &U256::ONE),
            _ => {}
        }
        exit
    }

    fn size_bytes(&self) -> usize {
        0
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Passes questions on, some of them changed.
struct BentHost<'h> {
    bend: Bend,
    host: &'h mut dyn Host,
}

impl Host for BentHost<'_> {
    forward_host!(host: block, tx, sload, tload, tstore, account, code, self_balance, block_hash);
    fn sstore(
        &mut self,
        address: &Address,
        key: &U256,
        value: &U256,
        cold_affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError> {
        match self.bend {
            Bend::Store => self.host.sstore(address, key, &(value + U256::ONE), cold_affordable),
            // What a write of an equal word to a warm slot finds.
            Bend::NoStore => {
                Ok(Some(StorageWrite { original: U256::ZERO, current: U256::ZERO, is_cold: true }))
            }
            _ => self.host.sstore(address, key, value, cold_affordable),
        }
    }

    fn add_refund(&mut self, refund: i64) {
        self.host.add_refund(refund + i64::from(self.bend == Bend::Refund));
    }

    fn log(&mut self, mut log: Log) {
        if self.bend == Bend::Log {
            log.data = Bytes::from_static(b"other");
        }
        self.host.log(log);
    }

    fn selfdestruct(&mut self, address: &Address, beneficiary: &Address) -> Result<(), HostError> {
        let beneficiary = if self.bend == Bend::Beneficiary { address } else { beneficiary };
        self.host.selfdestruct(address, beneficiary)
    }
}
