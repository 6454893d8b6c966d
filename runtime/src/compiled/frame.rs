//! The state of one running frame, laid out for compiled code.
//!
//! Both tiers work on this struct. Compiled code reads the first fields by the offsets in [`offsets`], which
//! are derived with `offset_of!`; everything else it reaches through runtime calls.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256};

use crate::bytecode::Code;
use crate::call_stack::{Answer, FrameKind, Request};
use crate::fork::Fork;
use crate::host::HostError;
use crate::interp::memory::Memory;
use crate::interp::stack::Stack;
use crate::outcome::Exit;
use crate::profile::{Operations, Tracker};

/// What the rules of a run depend on beside the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Fork of the block.
    pub fork: Fork,
    /// Whether `EF 5A 01` marks native code.
    pub native_code: bool,
    /// Whether the host offers Hedera's services.
    pub hedera: bool,
}

/// What a frame is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Account whose storage and balance the frame uses.
    pub address: Address,
    /// Account that called.
    pub caller: Address,
    /// Value in wei that CALLVALUE reports.
    pub value: U256,
    /// Call data.
    pub input: Bytes,
    /// Whether state changes are refused.
    pub is_static: bool,
    /// Frames below this one.
    pub depth: usize,
}

/// One running frame.
#[repr(C)]
pub struct Frame {
    /// Operand stack. First, so that its address is the frame's: the run loop reaches it with every operation.
    pub stack: Stack,
    /// Gas left.
    pub gas: u64,
    /// Memory.
    pub memory: Memory,
    /// Body offset of the next instruction whenever a run starts or stops.
    pub pc: usize,
    /// The interpreter stops with [`Exit::Interpret`](crate::outcome::Exit::Interpret) in front of a jump target
    /// that it reaches by a jump with this much gas or less; 0: never.
    pub pause_at: u64,
    /// Basic blocks run by the interpreter, counted when asked for.
    pub blocks_interpreted: u64,
    /// Basic blocks run by compiled code, counted when asked for.
    pub blocks_compiled: u64,
    /// What the frame was called with.
    pub message: Message,
    /// Code that runs.
    pub code: Arc<Code>,
    /// Rules.
    pub spec: Spec,
    /// Data of the last call's end.
    pub return_data: Bytes,
    /// Data given by RETURN, REVERT, PANIC or a fault.
    pub output: Bytes,
    /// Set with [`Exit::HostError`](crate::outcome::Exit::HostError).
    pub host_error: Option<HostError>,
    /// Set with [`Exit::Call`](crate::outcome::Exit::Call) and [`Exit::Create`](crate::outcome::Exit::Create).
    pub request: Option<Request>,
    /// Whether the interpreter counts its operations.
    pub counts_operations: bool,
    /// Operations run: by the interpreter where that is asked for, by compiled code that was compiled to count.
    pub operations: Operations,
    /// Follows the frame from block to block, if that is asked for.
    pub tracker: Option<Box<Tracker>>,
}

impl Frame {
    /// A frame that is about to start.
    pub fn new(code: Arc<Code>, message: Message, spec: Spec, gas: u64) -> Frame {
        Frame {
            gas,
            stack: Stack::new(),
            memory: Memory::new(),
            pc: 0,
            pause_at: 0,
            blocks_interpreted: 0,
            blocks_compiled: 0,
            message,
            code,
            spec,
            return_data: Bytes::new(),
            output: Bytes::new(),
            host_error: None,
            request: None,
            counts_operations: false,
            operations: Operations::default(),
            tracker: None,
        }
    }

    /// Makes an old frame, whose memory was reset, one that is about to start; stack and memory keep their buffers.
    pub fn restart(&mut self, code: Arc<Code>, message: Message, spec: Spec, gas: u64) {
        self.gas = gas;
        self.stack.clear();
        self.pc = 0;
        self.pause_at = 0;
        self.blocks_interpreted = 0;
        self.blocks_compiled = 0;
        self.message = message;
        self.code = code;
        self.spec = spec;
        self.return_data = Bytes::new();
        self.output = Bytes::new();
        self.host_error = None;
        self.request = None;
        self.counts_operations = false;
        self.operations = Operations::default();
        self.tracker = None;
    }

    /// Drops the code and the data of a frame that has ended.
    pub(crate) fn let_go(&mut self, no_code: &Arc<Code>) {
        self.code = Arc::clone(no_code);
        self.message.input = Bytes::new();
        self.return_data = Bytes::new();
        self.output = Bytes::new();
    }

    /// Gas that was set aside for the call or creation that the frame asks for.
    pub(crate) fn gas_set_aside(&self) -> u64 {
        self.request.as_ref().map_or(0, |request| match request {
            Request::Call(call) => call.gas,
            Request::Create(create) => create.gas,
        })
    }

    /// Tells the tracker that a tier stopped running the frame.
    pub(crate) fn note_left(&mut self, exit: Exit) {
        let gas = self.gas.saturating_add(self.gas_set_aside());
        if let Some(tracker) = &mut self.tracker {
            tracker.leave(exit, self.pc, gas);
        }
    }

    /// Hands the frame the answer to its call or creation.
    pub(crate) fn resume(&mut self, answer: Answer) {
        let Answer { kind, gas_left, is_success, output } = answer;
        self.gas += gas_left;
        self.stack.push_word(match kind {
            FrameKind::Call { start, size } => {
                let copied = size.min(output.len());
                self.memory.bytes_mut()[start..start + copied].copy_from_slice(&output[..copied]);
                U256::from(is_success)
            }
            FrameKind::Create { address } if is_success => address.into_word().into(),
            FrameKind::Create { .. } => U256::ZERO,
        });
        self.return_data = output;
    }
}

/// Byte offsets of what compiled code touches, from the start of [`Frame`].
pub mod offsets {
    use super::{Frame, Memory, Stack};
    use std::mem::offset_of;

    /// `u64` gas left.
    pub const GAS: usize = offset_of!(Frame, gas);
    /// Pointer to the bottom word of the stack; slots are 32 bytes, four little-endian limbs, lowest first.
    pub const STACK_BASE: usize = offset_of!(Frame, stack) + Stack::BASE_OFFSET;
    /// `usize` words on the stack.
    pub const STACK_LEN: usize = offset_of!(Frame, stack) + Stack::LEN_OFFSET;
    /// Pointer to memory's first byte.
    pub const MEMORY_BASE: usize = offset_of!(Frame, memory) + Memory::BASE_OFFSET;
    /// `usize` bytes of memory, a multiple of 32.
    pub const MEMORY_LEN: usize = offset_of!(Frame, memory) + Memory::LEN_OFFSET;
    /// 20 bytes of the account that the frame acts as.
    pub const ADDRESS: usize = offset_of!(Frame, message.address);
    /// 20 bytes of the account that called.
    pub const CALLER: usize = offset_of!(Frame, message.caller);
    /// Word of the value that came with the call, four little-endian limbs, lowest first.
    pub const VALUE: usize = offset_of!(Frame, message.value);
    /// `usize` program counter.
    pub const PC: usize = offset_of!(Frame, pc);
    /// `u64` count of compiled blocks.
    pub const BLOCKS_COMPILED: usize = offset_of!(Frame, blocks_compiled);
    /// `u64` count of operations in compiled code.
    pub const OPERATIONS_COMPILED: usize = offset_of!(Frame, operations.compiled);
}
