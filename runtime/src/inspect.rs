//! Watching what runs: an [`Inspector`] is told of calls, storage, logs and, if it wants, of every operation. It may
//! also answer calls itself, which is how a test runner serves its cheats.
//!
//! An executor without one has [`NoInspector`], a type for which all of this compiles to nothing.

use alloy_primitives::{Address, Bytes, U256};

use crate::call_stack::{Answer, CallKind, CallRequest, CreateRequest};
use crate::compiled::frame::Frame;
use crate::forward_host;
use crate::hedera::{Acting, ServiceReply, ServiceRequest};
use crate::host::{Access, BlockEnv, Host, HostError, Log, StorageWrite};
use crate::outcome::Exit;
use crate::state::{Database, State};

/// Told of what transactions do, in order. Both tiers report the same events.
///
/// What a frame did before it failed was reported already: the end of its call says that it was undone. An
/// inspector that wants steps makes every frame run in the interpreter.
pub trait Inspector {
    /// Whether anything is to be reported at all.
    #[inline]
    fn is_active(&self) -> bool {
        true
    }

    /// Whether [`Inspector::step`] is to be called.
    fn wants_steps(&self) -> bool {
        false
    }

    /// An operation is about to run: the one at `frame.pc`, with stack, memory and gas as they are before it.
    fn step(&mut self, frame: &Frame) {
        let _ = frame;
    }

    /// A message call or a creation starts, the transaction's own included.
    fn call_start(&mut self, start: &CallStart<'_>) {
        let _ = start;
    }

    /// The call or creation that started last and had not ended has ended.
    fn call_end(&mut self, end: &CallEnd<'_>) {
        let _ = end;
    }

    /// A log entry was appended.
    fn log(&mut self, log: &Log) {
        let _ = log;
    }

    /// A storage word was read or written.
    fn storage(&mut self, access: &StorageAccess) {
        let _ = access;
    }

    /// A frame asks for a message call, which has not started: it may be changed, or answered in its place. A call
    /// that is answered starts nothing, and neither it nor its end is reported. `depth` counts the active frames.
    ///
    /// This is how a test runner serves what no contract could do; whoever only watches leaves it alone.
    fn intercept_call(
        &mut self,
        request: &mut CallRequest,
        depth: usize,
        world: &mut dyn World,
    ) -> Result<Option<Interception>, HostError> {
        let _ = (request, depth, world);
        Ok(None)
    }

    /// A frame asks for a creation, which may be changed.
    fn intercept_create(&mut self, request: &mut CreateRequest, depth: usize) {
        let _ = (request, depth);
    }

    /// A frame asks a service of Hedera by an operation: it may be answered in the services' place, which then are not
    /// asked. Of the answer, log entries are appended like the services' own.
    fn intercept_service(&mut self, acting: &Acting, request: &ServiceRequest) -> Option<ServiceReply> {
        let _ = (acting, request);
        None
    }

    /// A frame is about to get the answer to its call or creation, which may be changed. `depth` counts the active
    /// frames, the asking one included.
    fn answer(&mut self, answer: &mut Answer, depth: usize) {
        let _ = (answer, depth);
    }

    /// The block that contracts see, in place of the transaction's.
    fn block(&self) -> Option<&BlockEnv> {
        None
    }
}

/// The answer of an inspector to a call that never started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interception {
    /// Whether the asking frame sees a call that succeeded.
    pub is_success: bool,
    /// Return data.
    pub output: Bytes,
}

/// What an inspector that takes part in calls may do to the state. Effects are the asking frame's: they are undone
/// with it.
pub trait World {
    /// A storage word; reading it this way makes nothing warm.
    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError>;
    /// Whether the account is dead, which a call with value pays for; looking this way makes nothing warm.
    fn is_dead(&mut self, address: &Address) -> Result<bool, HostError>;
    /// Gives an account this balance, wei.
    fn set_balance(&mut self, address: &Address, balance: U256) -> Result<(), HostError>;
}

impl<D: Database> World for State<D> {
    fn storage(&mut self, address: &Address, key: &U256) -> Result<U256, HostError> {
        self.peek_storage(address, key)
    }

    fn is_dead(&mut self, address: &Address) -> Result<bool, HostError> {
        State::is_dead(self, address)
    }

    fn set_balance(&mut self, address: &Address, balance: U256) -> Result<(), HostError> {
        State::set_balance(self, address, balance)
    }
}

/// The inspector that is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInspector;

impl Inspector for NoInspector {
    #[inline(always)]
    fn is_active(&self) -> bool {
        false
    }
}

macro_rules! forward_inspector {
    ($($pointer:ty),*) => { $(
        impl<I: Inspector + ?Sized> Inspector for $pointer {
            #[inline]
            fn is_active(&self) -> bool {
                (**self).is_active()
            }
            fn wants_steps(&self) -> bool {
                (**self).wants_steps()
            }
            fn step(&mut self, frame: &Frame) {
                (**self).step(frame);
            }
            fn call_start(&mut self, start: &CallStart<'_>) {
                (**self).call_start(start);
            }
            fn call_end(&mut self, end: &CallEnd<'_>) {
                (**self).call_end(end);
            }
            fn log(&mut self, log: &Log) {
                (**self).log(log);
            }
            fn storage(&mut self, access: &StorageAccess) {
                (**self).storage(access);
            }
            fn intercept_call(
                &mut self,
                request: &mut CallRequest,
                depth: usize,
                world: &mut dyn World,
            ) -> Result<Option<Interception>, HostError> {
                (**self).intercept_call(request, depth, world)
            }
            fn intercept_create(&mut self, request: &mut CreateRequest, depth: usize) {
                (**self).intercept_create(request, depth);
            }
            fn intercept_service(
                &mut self,
                acting: &Acting,
                request: &ServiceRequest,
            ) -> Option<ServiceReply> {
                (**self).intercept_service(acting, request)
            }
            fn answer(&mut self, answer: &mut Answer, depth: usize) {
                (**self).answer(answer, depth);
            }
            fn block(&self) -> Option<&BlockEnv> {
                (**self).block()
            }
        }
    )* };
}
forward_inspector!(&mut I, Box<I>);

/// The start of a message call or creation.
#[derive(Clone, Copy, Debug)]
pub struct CallStart<'a> {
    /// Which operation asked for it.
    pub kind: CallKind,
    /// Account that the call names, whose code or delegation runs; of a creation, the new account.
    pub code_address: Address,
    /// Account that CALLER names.
    pub caller: Address,
    /// Account whose storage and balance are used; of a creation, the new account, or zero if none can be made.
    pub address: Address,
    /// Value that CALLVALUE reports.
    pub value: U256,
    /// Call data, or init code.
    pub input: &'a Bytes,
    /// Gas it starts with.
    pub gas: u64,
    /// Whether state changes are refused.
    pub is_static: bool,
    /// Calls around this one.
    pub depth: usize,
}

/// The end of a message call or creation.
#[derive(Clone, Copy, Debug)]
pub struct CallEnd<'a> {
    /// How it ended: `Halt`, `Return`, `Revert` or `Trap`. `None`: nothing ran, because the depth, the balance or
    /// the nonce was at its limit.
    pub exit: Option<Exit>,
    /// Gas that goes back.
    pub gas_left: u64,
    /// Return data; of a successful creation, empty.
    pub output: &'a Bytes,
    /// Calls around this one.
    pub depth: usize,
}

impl CallEnd<'_> {
    /// Whether the effects were kept.
    pub fn is_success(&self) -> bool {
        matches!(self.exit, Some(Exit::Halt | Exit::Return))
    }
}

/// An access to a storage word of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageAccess {
    /// The account.
    pub address: Address,
    /// The key.
    pub key: U256,
    /// What was done.
    pub kind: StorageAccessKind,
}

/// Ways to access a storage word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageAccessKind {
    /// The word was read.
    Read {
        /// The word.
        value: U256,
        /// Whether the touch was the first of the transaction.
        is_cold: bool,
    },
    /// The word was written. The frame may still be unable to pay, and is undone then.
    Written {
        /// The word before.
        previous: U256,
        /// The word now.
        value: U256,
        /// Whether the touch was the first of the transaction.
        is_cold: bool,
    },
    /// The transient word was read.
    TransientRead {
        /// The word.
        value: U256,
    },
    /// The transient word was written.
    TransientWritten {
        /// The word now.
        value: U256,
    },
}

/// A host that reports to an inspector what passes through it.
pub(crate) struct Inspected<'a, H, I> {
    pub(crate) host: H,
    pub(crate) inspector: &'a mut I,
}

impl<H: Host, I: Inspector> Inspected<'_, H, I> {
    fn note(&mut self, address: &Address, key: &U256, kind: StorageAccessKind) {
        self.inspector.storage(&StorageAccess { address: *address, key: *key, kind });
    }
}

impl<H: Host, I: Inspector> Host for Inspected<'_, H, I> {
    forward_host!(host: tx, add_refund, account, code, selfdestruct, self_balance, block_hash);
    fn step(&mut self, frame: &Frame) {
        self.inspector.step(frame);
    }

    fn block(&self) -> &BlockEnv {
        self.inspector.block().unwrap_or_else(|| self.host.block())
    }

    fn sload(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        let access = self.host.sload(address, key, cold_affordable)?;
        if let Some(Access { value, is_cold }) = access {
            self.note(address, key, StorageAccessKind::Read { value, is_cold });
        }
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
        if let Some(StorageWrite { current, is_cold, .. }) = write {
            let written = StorageAccessKind::Written { previous: current, value: *value, is_cold };
            self.note(address, key, written);
        }
        Ok(write)
    }

    fn tload(&mut self, address: &Address, key: &U256) -> U256 {
        let value = self.host.tload(address, key);
        self.note(address, key, StorageAccessKind::TransientRead { value });
        value
    }

    fn tstore(&mut self, address: &Address, key: &U256, value: &U256) {
        self.host.tstore(address, key, value);
        self.note(address, key, StorageAccessKind::TransientWritten { value: *value });
    }

    fn hedera(&mut self, acting: &Acting, request: &ServiceRequest) -> Result<ServiceReply, HostError> {
        if let Some(reply) = self.inspector.intercept_service(acting, request) {
            reply.logs.iter().for_each(|log| self.log(log.clone()));
            return Ok(reply);
        }
        let reply = self.host.hedera(acting, request)?;
        reply.logs.iter().for_each(|log| self.inspector.log(log));
        Ok(reply)
    }

    fn log(&mut self, log: Log) {
        self.inspector.log(&log);
        self.host.log(log);
    }
}
