//! The executor: drives the frames of a transaction until the first one has ended.
//!
//! What calls and creations ask for is answered in [`messages`](super::messages).

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};

use super::checking::Sampler;
use super::tiering::{TierCounts, run_frame, run_recorded};
use super::{Engine, EngineError, ExecutionResult, Session};
use crate::bytecode::Code;
use crate::call_stack::{Active, Answer, CallRequest, CallStack, CreateRequest, FrameKind, Request, Start};
use crate::check::Recorder;
use crate::compiled::frame::Message;
use crate::host::{BlockEnv, Host, HostError, Log, TxEnv};
use crate::inspect::{CallEnd, CallStart, Inspected, Inspector, Interception, NoInspector};
use crate::interp;
use crate::outcome::Exit;
use crate::profile::Operations;
use crate::state::{Database, State};

/// Runs transactions on one state, one at a time; reused, so that frames keep their buffers.
pub struct Executor<D, I = NoInspector> {
    pub(super) engine: Engine,
    pub(super) state: State<D>,
    pub(super) frames: CallStack,
    inspector: I,
    blocks_interpreted: u64,
    blocks_compiled: u64,
    operations: Operations,
    pub(super) tier_counts: TierCounts,
    pub(super) sampler: Sampler,
}

/// How the outermost frame ended.
struct Ended {
    exit: Exit,
    gas_left: u64,
    output: Bytes,
}

impl<D: Database> Executor<D> {
    /// An executor of `engine` over the state that `database` holds.
    pub fn new(engine: Engine, database: D) -> Executor<D> {
        Executor::with_inspector(engine, database, NoInspector)
    }
}

impl<D: Database, I: Inspector> Executor<D, I> {
    /// An executor that tells `inspector` what transactions do.
    pub fn with_inspector(engine: Engine, database: D, inspector: I) -> Executor<D, I> {
        Executor {
            engine,
            state: State::new(database),
            frames: CallStack::default(),
            inspector,
            blocks_interpreted: 0,
            blocks_compiled: 0,
            operations: Operations::default(),
            tier_counts: TierCounts::default(),
            sampler: Sampler::default(),
        }
    }

    /// The inspector.
    pub fn inspector(&self) -> &I {
        &self.inspector
    }

    /// The inspector, writable.
    pub fn inspector_mut(&mut self) -> &mut I {
        &mut self.inspector
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The state.
    pub fn state(&self) -> &State<D> {
        &self.state
    }

    /// The state, writable.
    pub fn state_mut(&mut self) -> &mut State<D> {
        &mut self.state
    }

    /// Gives the state back.
    pub fn into_state(self) -> State<D> {
        self.state
    }

    /// The code of an account, analyzed; `None` if it has none.
    pub fn code_of(&mut self, address: &Address) -> Result<Option<Arc<Code>>, HostError> {
        let info = self.state.account(address)?;
        if !info.has_code() {
            return Ok(None);
        }
        let state = &mut self.state;
        self.engine.code(&info.code_hash, || state.code(&info.code_hash)).map(Some)
    }

    /// Runs `code` as a top frame in the current transaction, effects kept if it succeeds.
    ///
    /// Value is not moved: `message.value` is what CALLVALUE reports.
    pub fn execute(
        &mut self,
        code: Arc<Code>,
        message: Message,
        gas: u64,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<ExecutionResult, EngineError> {
        let code = self.engine.adopt(code);
        let kind = FrameKind::Call { start: 0, size: 0 };
        self.run_top(Start { code, message, gas, kind }, block, tx)
    }

    /// Runs a top frame.
    pub(super) fn run_top(
        &mut self,
        start: Start,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<ExecutionResult, EngineError> {
        self.blocks_interpreted = 0;
        self.blocks_compiled = 0;
        self.operations = Operations::default();
        let checkpoint = self.state.checkpoint();
        self.start(start, checkpoint);
        let ended = self.drive(block, tx);
        if let Some(tiering) = &self.engine.shared.tiering {
            tiering.add_counts(&mut self.tier_counts);
        }
        // After an error some are left.
        self.frames.clear();
        self.frames.let_go();
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                self.state.revert_to(checkpoint);
                return Err(error);
            }
        };
        let is_success = matches!(ended.exit, Exit::Halt | Exit::Return);
        Ok(ExecutionResult {
            exit: ended.exit,
            gas_left: ended.gas_left,
            refund: if is_success { self.state.refund() } else { 0 },
            output: ended.output,
            logs: if is_success { self.state.take_logs() } else { Vec::new() },
            blocks_interpreted: self.blocks_interpreted,
            blocks_compiled: self.blocks_compiled,
            operations: self.operations,
        })
    }

    /// The loop: runs the innermost frame, answers what it asks for, until no frame is left.
    fn drive(&mut self, block: &BlockEnv, tx: &TxEnv) -> Result<Ended, EngineError> {
        let engine = self.engine.clone();
        let (id, tiers) = (engine.shared.id, engine.tiers());
        loop {
            let active = self.frames.top_mut().expect("a frame is active until the outermost one has ended");
            let Active { frame, record, .. } = active;
            let mut session = Session { engine: &engine, state: &mut self.state, block, tx };
            let mut inspected;
            let (host, wants_steps): (&mut dyn Host, bool) = if self.inspector.is_active() {
                inspected = Inspected { host: session, inspector: &mut self.inspector };
                let wants_steps = inspected.inspector.wants_steps();
                (&mut inspected, wants_steps)
            } else {
                (&mut session, false)
            };
            let exit = match record {
                _ if wants_steps => {
                    // Compiled code has no part in such a frame.
                    *record = None;
                    interp::run_stepping(frame, host)
                }
                None => run_frame(id, tiers, frame, host, &mut self.tier_counts),
                Some(record) => run_recorded(tiers, frame, &mut Recorder { host, record }),
            };
            match exit {
                Exit::Call | Exit::Create => match active.take_request() {
                    Some(Request::Call(request)) => self.begin_call(request, block)?,
                    Some(Request::Create(request)) => self.begin_create(request)?,
                    None => unreachable!("a frame that asks says what for"),
                },
                Exit::HostError => {
                    let error = active.frame.host_error.take();
                    return Err(error.unwrap_or_else(|| HostError("the host gave no reason".into())).into());
                }
                Exit::MemoryLimit => {
                    return Err(EngineError::MemoryLimit { limit: self.engine.limits().memory_bytes });
                }
                Exit::Interpret => unreachable!("run_frame goes on with the interpreter"),
                Exit::Halt | Exit::Return | Exit::Revert | Exit::Trap(_) => {
                    if let Some(ended) = self.end_frame(exit, block, tx)? {
                        return Ok(ended);
                    }
                }
            }
        }
    }

    /// Ends the innermost frame; gives its result if it was the outermost, else hands it to the caller.
    fn end_frame(&mut self, exit: Exit, block: &BlockEnv, tx: &TxEnv) -> Result<Option<Ended>, EngineError> {
        let Some(mut active) = self.frames.pop() else { unreachable!("a frame has just run") };
        if let Some(record) = active.record.take() {
            self.check(&mut active, exit, *record, (block, tx));
        }
        let Active { mut frame, checkpoint, kind, .. } = active;
        let mut exit = exit;
        let mut output = std::mem::take(&mut frame.output);
        let mut gas_left = frame.gas;
        if let (FrameKind::Create { address }, Exit::Halt | Exit::Return) = (kind, exit) {
            match self.deposit(&address, &output, gas_left)? {
                Ok(rest) => gas_left = rest,
                Err(trap) => exit = trap.into(),
            }
            output = Bytes::new();
        }
        match exit {
            Exit::Trap(_) => {
                gas_left = 0;
                output = Bytes::new();
            }
            Exit::Halt => output = Bytes::new(),
            _ => {}
        }
        let is_success = matches!(exit, Exit::Halt | Exit::Return);
        if !is_success {
            self.state.revert_to(checkpoint);
        }
        self.blocks_interpreted += frame.blocks_interpreted;
        self.blocks_compiled += frame.blocks_compiled;
        self.operations.add(frame.operations);
        self.frames.recycle(frame);
        self.note_end(Some(exit), gas_left, &output, self.frames.len());

        if self.frames.is_empty() {
            return Ok(Some(Ended { exit, gas_left, output }));
        }
        self.give(Answer { kind, gas_left, is_success, output });
        Ok(None)
    }

    /// Hands the innermost frame the answer to what it asked for.
    pub(super) fn give(&mut self, mut answer: Answer) {
        if self.inspector.is_active() {
            self.inspector.answer(&mut answer, self.frames.len());
        }
        if let Some(asking) = self.frames.top_mut() {
            asking.resume(answer);
        }
    }

    /// What the inspector answers in the place of a call.
    #[inline]
    pub(super) fn intercept(
        &mut self,
        request: &mut CallRequest,
        depth: usize,
    ) -> Result<Option<Interception>, HostError> {
        if !self.inspector.is_active() {
            return Ok(None);
        }
        self.inspector.intercept_call(request, depth, &mut self.state)
    }

    #[inline]
    pub(super) fn intercept_create(&mut self, request: &mut CreateRequest, depth: usize) {
        if self.inspector.is_active() {
            self.inspector.intercept_create(request, depth);
        }
    }

    /// Whether the inspector is told of every operation.
    pub(super) fn wants_steps(&self) -> bool {
        self.inspector.is_active() && self.inspector.wants_steps()
    }

    #[inline]
    pub(super) fn note_start(&mut self, start: &CallStart<'_>) {
        if self.inspector.is_active() {
            self.inspector.call_start(start);
        }
    }

    #[inline]
    pub(super) fn note_log(&mut self, log: &Log) {
        if self.inspector.is_active() {
            self.inspector.log(log);
        }
    }

    #[inline]
    pub(super) fn note_end(&mut self, exit: Option<Exit>, gas_left: u64, output: &Bytes, depth: usize) {
        if self.inspector.is_active() {
            self.inspector.call_end(&CallEnd { exit, gas_left, output, depth });
        }
    }

    pub(super) fn start(&mut self, start: Start, checkpoint: usize) {
        let spec = *self.engine.spec();
        let memory_limit = self.engine.limits().memory_bytes;
        let record = self.record_for(&start.code, start.gas);
        let shared = &self.engine.shared;
        let tracker = shared.profiles.as_ref().map(|profiles| profiles.tracker(&start.code));
        let active = self.frames.push(start, spec, checkpoint, memory_limit);
        active.record = record;
        active.frame.counts_operations = shared.counts_operations;
        active.frame.tracker = tracker;
    }
}
