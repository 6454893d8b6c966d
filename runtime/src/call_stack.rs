//! The frames of one transaction: a vector, never the native stack.
//!
//! A frame that calls or creates stops with a [`Request`]; whoever drives the frames answers it by pushing a
//! frame, and puts the answer on the caller's stack when that frame has ended.

use std::sync::{Arc, LazyLock};

use alloy_primitives::{Address, Bytes, U256};

use crate::bytecode::Code;
use crate::check::Record;
use crate::compiled::frame::{Frame, Message, Spec};

/// What a frame asks of the driver when it stops with `Exit::Call` or `Exit::Create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A message call.
    Call(CallRequest),
    /// A creation.
    Create(CreateRequest),
}

/// What a call runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callee {
    /// Code of an account.
    Code(Arc<Code>),
    /// A precompiled contract.
    Precompile(Address),
    /// Nothing: an account without code.
    Empty,
}

/// The operations that ask for a message call or a creation; a transaction's own is a `Call` or `Create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// `call`.
    Call,
    /// `callcode`: the callee's code on the caller's account.
    CallCode,
    /// `delegatecall`: the same, with the caller's own caller and value.
    DelegateCall,
    /// `staticcall`.
    StaticCall,
    /// `create`.
    Create,
    /// `create2`.
    Create2,
}

impl CallKind {
    /// Whether a contract is created.
    pub fn is_create(self) -> bool {
        matches!(self, CallKind::Create | CallKind::Create2)
    }

    /// Whether the value moves, rather than being only reported.
    pub fn sends_value(self) -> bool {
        self != CallKind::DelegateCall
    }
}

/// A message call to be made. Its price is paid and `gas` is set aside already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// Which of the four calls it is.
    pub kind: CallKind,
    /// What runs.
    pub callee: Callee,
    /// Account that the call names, whose code or precompiled contract that is.
    pub code_address: Address,
    /// Account whose storage and balance the callee uses.
    pub address: Address,
    /// Account that CALLER names.
    pub caller: Address,
    /// Value that CALLVALUE reports.
    pub value: U256,
    /// Call data.
    pub input: Bytes,
    /// Gas of the callee, stipend included.
    pub gas: u64,
    /// Whether state changes are refused in the callee.
    pub is_static: bool,
    /// Start and size of the caller's memory range, paid for, that takes the return data.
    pub output: (usize, usize),
}

/// A creation to be made. Its price is paid and `gas` is set aside already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// Account that creates.
    pub creator: Address,
    /// Value that moves to the created account.
    pub value: U256,
    /// Init code.
    pub init_code: Bytes,
    /// Salt of a CREATE2.
    pub salt: Option<U256>,
    /// Gas of the init code.
    pub gas: u64,
}

/// What becomes of a frame's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A message call; the range of the caller's memory that takes the return data.
    Call {
        /// First byte.
        start: usize,
        /// Bytes.
        size: usize,
    },
    /// A creation; the output becomes the code of this account.
    Create {
        /// The new account.
        address: Address,
    },
}

/// What a frame was given for its call or creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where the result goes.
    pub kind: FrameKind,
    /// Gas that came back.
    pub gas_left: u64,
    /// Whether the effects were kept.
    pub is_success: bool,
    /// Return data.
    pub output: Bytes,
}

/// What a frame starts with.
#[derive(Clone, Debug)]
pub struct Start {
    /// Code to run.
    pub code: Arc<Code>,
    /// What the frame is called with.
    pub message: Message,
    /// Gas.
    pub gas: u64,
    /// What becomes of its result.
    pub kind: FrameKind,
}

/// A frame that has started and not ended.
pub struct Active {
    /// The frame.
    pub frame: Box<Frame>,
    /// Where the journal stood before the frame's first effect.
    pub checkpoint: usize,
    /// What becomes of its result.
    pub kind: FrameKind,
    /// What the frame asked so far, if it is checked.
    pub(crate) record: Option<Box<Record>>,
    /// Bytes of memory that the frames below hold; they don't change until this one has ended.
    memory_below: usize,
}

impl Active {
    /// Takes what the frame asks for.
    pub(crate) fn take_request(&mut self) -> Option<Request> {
        let request = self.frame.request.take();
        if let (Some(record), Some(request)) = (&mut self.record, &request) {
            record.note_request(request, self.frame.gas);
        }
        request
    }

    /// Hands the frame the answer to what it asked for.
    pub(crate) fn resume(&mut self, answer: Answer) {
        if let Some(record) = &mut self.record {
            record.note_answer(answer.clone());
        }
        self.frame.resume(answer);
    }
}

/// The active frames, outermost first, and ended ones whose buffers are used again.
#[derive(Default)]
pub struct CallStack {
    active: Vec<Active>,
    #[allow(clippy::vec_box, reason = "frames are large and move between the vectors with every call")]
    pool: Vec<Box<Frame>>,
    /// Bytes of memory that the frames of the pool hold.
    pooled_bytes: usize,
    /// Frames that are neither here nor in the pool.
    lent: usize,
    /// Most frames that were not in the pool since codes were let go.
    away_max: usize,
}

/// What a frame in the pool has for its code; one for all, since analyzing it would be a third of an empty transaction.
static NO_CODE: LazyLock<Arc<Code>> = LazyLock::new(|| Arc::new(Code::evm(Vec::new())));

/// Most bytes of memory that ended frames hold together for those to come: a huge frame does not keep its buffer.
const POOLED_BYTES_MAX: usize = 64 << 20;

impl CallStack {
    /// Number of active frames.
    pub fn len(&self) -> usize {
        self.active.len()
    }

    /// Whether no frame is active.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// The innermost frame.
    pub fn top_mut(&mut self) -> Option<&mut Active> {
        self.active.last_mut()
    }

    /// Starts a frame and gives it; `memory_limit` bytes are shared by all frames.
    pub fn push(&mut self, start: Start, spec: Spec, checkpoint: usize, memory_limit: usize) -> &mut Active {
        let Start { code, message, gas, kind } = start;
        let memory_below = match self.active.last() {
            Some(below) => below.memory_below + below.frame.memory.len(),
            None => 0,
        };
        let mut frame = self.take(code, message, spec, gas);
        frame.memory.set_limit(memory_limit.saturating_sub(memory_below));
        self.active.push(Active { frame, checkpoint, kind, record: None, memory_below });
        self.active.last_mut().expect("one was pushed")
    }

    /// A frame that is about to start.
    fn take(&mut self, code: Arc<Code>, message: Message, spec: Spec, gas: u64) -> Box<Frame> {
        self.away_max = self.away_max.max(self.active.len() + self.lent + 1);
        match self.pool.pop() {
            Some(mut frame) => {
                self.pooled_bytes -= frame.memory.buffer_bytes();
                frame.restart(code, message, spec, gas);
                frame
            }
            None => Box::new(Frame::new(code, message, spec, gas)),
        }
    }

    /// A frame that runs beside the active ones; give it back with [`CallStack::give_back`].
    pub(crate) fn lend(&mut self, code: Arc<Code>, message: Message, spec: Spec, gas: u64) -> Box<Frame> {
        let frame = self.take(code, message, spec, gas);
        self.lent += 1;
        // The frame that it runs beside may have been taken off.
        self.away_max = self.away_max.max(self.active.len() + self.lent + 1);
        frame
    }

    /// Takes back what was [lent](CallStack::lend).
    pub(crate) fn give_back(&mut self, frame: Box<Frame>) {
        self.lent -= 1;
        self.recycle(frame);
    }

    /// Lets go of the codes and data of ended frames, so that evicted code is given back when nobody runs it.
    pub(crate) fn let_go(&mut self) {
        // The pool is a stack: frames that were away lie on top.
        for frame in self.pool.iter_mut().rev().take(self.away_max) {
            frame.let_go(&NO_CODE);
        }
        self.away_max = 0;
    }

    /// Bytes that the innermost record may still grow by; `None` if no active frame has one.
    pub(crate) fn record_bytes_left(&self) -> Option<usize> {
        self.active.iter().rev().find_map(|active| active.record.as_ref()).map(|record| record.bytes_left())
    }

    /// Takes the innermost frame off; give it back with [`CallStack::recycle`].
    pub fn pop(&mut self) -> Option<Active> {
        self.active.pop()
    }

    /// Keeps the buffers of an ended frame, its memory up to a bound for all of them.
    pub fn recycle(&mut self, mut frame: Box<Frame>) {
        frame.memory.reset(POOLED_BYTES_MAX - self.pooled_bytes);
        self.pooled_bytes += frame.memory.buffer_bytes();
        self.pool.push(frame);
    }

    /// Ends all frames without a result.
    pub fn clear(&mut self) {
        while let Some(active) = self.pop() {
            self.recycle(active.frame);
        }
    }
}
