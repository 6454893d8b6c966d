//! The executor: drives the frames of a transaction until the first one has ended.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256, keccak256};

use super::{Engine, EngineError, ExecutionResult, Mode, Session};
use crate::bytecode::{Code, NATIVE_PREFIX};
use crate::call_stack::{Active, CallRequest, CallStack, Callee, CreateRequest, FrameKind, Request, Start};
use crate::compiled::frame::{Frame, Message};
use crate::fork::Fork;
use crate::gas;
use crate::host::{BlockEnv, Host, HostError, TxEnv};
use crate::interp;
use crate::outcome::{Exit, Trap};
use crate::precompiles::{self, is_precompile};
use crate::state::{Database, State};

/// Runs transactions on one state, one at a time; reused, so that frames keep their buffers.
pub struct Executor<D> {
    engine: Engine,
    state: State<D>,
    frames: CallStack,
    blocks_interpreted: u64,
    blocks_compiled: u64,
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
        Executor {
            engine,
            state: State::new(database),
            frames: CallStack::default(),
            blocks_interpreted: 0,
            blocks_compiled: 0,
        }
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
        let kind = FrameKind::Call { start: 0, size: 0 };
        self.run_top(Start { code, message, gas, kind }, block, tx)
    }

    /// Carries a transaction's message call out: value, then the precompiled contract or the code of
    /// `message.address`, which may be a delegation's. What fails leaves no effect.
    ///
    /// The caller's balance covers the value: the rules of validity say so.
    pub(crate) fn call_message(
        &mut self,
        message: Message,
        gas: u64,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<ExecutionResult, EngineError> {
        let checkpoint = self.state.checkpoint();
        self.state.warm_account(&message.address)?;
        self.state.transfer(&message.caller, &message.address, message.value)?;
        let result = match self.callee(&message.address)? {
            Callee::Code(code) => self.execute(code, message, gas, block, tx)?,
            Callee::Precompile(address) => match self.run_precompile(&address, &message.input, gas)? {
                Ok(answer) => without_frame(Exit::Return, answer.gas_left, answer.output),
                Err(trap) => without_frame(trap.into(), 0, Bytes::new()),
            },
            Callee::Empty => without_frame(Exit::Halt, gas, Bytes::new()),
        };
        if !result.is_success() {
            self.state.revert_to(checkpoint);
        }
        Ok(result)
    }

    /// What a transaction's call of the account runs; makes the target of a delegation warm (EIP-7702).
    fn callee(&mut self, address: &Address) -> Result<Callee, HostError> {
        let fork = self.engine.spec().fork;
        let code = self.code_of(address)?;
        if fork >= Fork::Prague
            && let Some(target) = code.as_ref().and_then(|code| code.delegation())
        {
            self.state.warm_account(&target)?;
            // Where the target is a precompiled contract this is empty code, and where it is a delegation, its bytes.
            return Ok(self.code_of(&target)?.map_or(Callee::Empty, Callee::Code));
        }
        if is_precompile(fork, address) {
            return Ok(Callee::Precompile(*address));
        }
        Ok(code.map_or(Callee::Empty, Callee::Code))
    }

    fn run_precompile(
        &self,
        address: &Address,
        input: &[u8],
        gas: u64,
    ) -> Result<Result<precompiles::Answer, Trap>, EngineError> {
        precompiles::run(self.engine.spec().fork, address, input, gas)
    }

    /// Carries a transaction's creation of `message.address` out. What fails leaves no effect.
    ///
    /// The caller's nonce is increased already, and its balance covers the value.
    pub(crate) fn create_message(
        &mut self,
        message: Message,
        init_code: &Bytes,
        gas: u64,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<ExecutionResult, EngineError> {
        let checkpoint = self.state.checkpoint();
        let address = message.address;
        if !self.state.create_account(&address)? {
            return Ok(without_frame(Trap::CreateCollision.into(), 0, Bytes::new()));
        }
        self.state.transfer(&message.caller, &address, message.value)?;
        let code = Arc::new(Code::new(init_code.clone(), self.engine.spec().native_code));
        let start = Start { code, message, gas, kind: FrameKind::Create { address } };
        let result = self.run_top(start, block, tx)?;
        if !result.is_success() {
            self.state.revert_to(checkpoint);
        }
        Ok(result)
    }

    /// Runs a top frame, in both tiers if the mode says so.
    fn run_top(
        &mut self,
        start: Start,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<ExecutionResult, EngineError> {
        let mode = self.engine.mode();
        if mode != Mode::Check {
            return self.run_once(mode, start, block, tx);
        }
        let checkpoint = self.state.checkpoint();
        let reference = self.run_once(Mode::Interp, start.clone(), block, tx)?;
        let reference_diff = self.state.diff();
        self.state.revert_to(checkpoint);
        let compiled = self.run_once(Mode::Jit, start, block, tx)?;
        let difference = describe_difference(&reference, &compiled)
            .or_else(|| (reference_diff != self.state.diff()).then(|| "state changes".to_owned()));
        match difference {
            None => Ok(compiled),
            Some(difference) => {
                self.state.revert_to(checkpoint);
                Err(EngineError::TiersDisagree(difference))
            }
        }
    }

    fn run_once(
        &mut self,
        mode: Mode,
        start: Start,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<ExecutionResult, EngineError> {
        self.blocks_interpreted = 0;
        self.blocks_compiled = 0;
        let checkpoint = self.state.checkpoint();
        self.start(start, checkpoint);
        let ended = match self.drive(mode, block, tx) {
            Ok(ended) => ended,
            Err(error) => {
                self.frames.clear();
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
        })
    }

    /// The loop: runs the innermost frame, answers what it asks for, until no frame is left.
    fn drive(&mut self, mode: Mode, block: &BlockEnv, tx: &TxEnv) -> Result<Ended, EngineError> {
        loop {
            let active = self.frames.top_mut().expect("a frame is active until the outermost one has ended");
            let mut session = Session { engine: &self.engine, state: &mut self.state, block, tx };
            let exit = run_frame(&self.engine, mode, &mut active.frame, &mut session);
            match exit {
                Exit::Call | Exit::Create => match active.frame.request.take() {
                    Some(Request::Call(request)) => self.begin_call(request)?,
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
                    if let Some(ended) = self.end_frame(exit)? {
                        return Ok(ended);
                    }
                }
            }
        }
    }

    /// Ends the innermost frame; gives its result if it was the outermost, else hands it to the caller.
    fn end_frame(&mut self, exit: Exit) -> Result<Option<Ended>, EngineError> {
        let Some(Active { mut frame, checkpoint, kind, gas_start, .. }) = self.frames.pop() else {
            unreachable!("a frame has just run");
        };
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
        self.engine.note_gas_spent(&frame.code, gas_start.saturating_sub(gas_left));
        self.frames.recycle(frame);

        let Some(caller) = self.frames.top_mut() else {
            return Ok(Some(Ended { exit, gas_left, output }));
        };
        resume(&mut caller.frame, kind, gas_left, is_success, output);
        Ok(None)
    }

    /// Puts code in place: the gas left, or why the code is refused.
    fn deposit(
        &mut self,
        address: &Address,
        code: &Bytes,
        gas_left: u64,
    ) -> Result<Result<u64, Trap>, HostError> {
        let is_native = self.engine.spec().native_code && code.starts_with(&NATIVE_PREFIX);
        if code.first() == Some(&NATIVE_PREFIX[0]) && !is_native {
            return Ok(Err(Trap::CodeRejected));
        }
        if code.len() > gas::CODE_SIZE_MAX {
            return Ok(Err(Trap::CodeTooLarge));
        }
        let Some(rest) = gas_left.checked_sub(gas::CODE_DEPOSIT_BYTE * code.len() as u64) else {
            return Ok(Err(Trap::OutOfGas));
        };
        self.state.set_code(address, code.clone())?;
        Ok(Ok(rest))
    }

    /// Answers a call: starts a frame, or answers at once where none can or need start.
    fn begin_call(&mut self, request: CallRequest) -> Result<(), EngineError> {
        let depth = self.frames.len();
        if depth > gas::CALL_DEPTH_MAX {
            return self.refuse(request.gas);
        }
        let checkpoint = self.state.checkpoint();
        if request.sends_value && !self.state.transfer(&request.caller, &request.address, request.value)? {
            return self.refuse(request.gas);
        }
        let (start, size) = request.output;
        let kind = FrameKind::Call { start, size };
        let code = match request.callee {
            Callee::Code(code) => code,
            Callee::Precompile(address) => {
                let (gas_left, is_success, output) =
                    match self.run_precompile(&address, &request.input, request.gas)? {
                        Ok(answer) => (answer.gas_left, true, answer.output),
                        Err(_) => {
                            self.state.revert_to(checkpoint);
                            (0, false, Bytes::new())
                        }
                    };
                resume(self.asking(), kind, gas_left, is_success, output);
                return Ok(());
            }
            Callee::Empty => {
                resume(self.asking(), kind, request.gas, true, Bytes::new());
                return Ok(());
            }
        };
        let message = Message {
            address: request.address,
            caller: request.caller,
            value: request.value,
            input: request.input,
            is_static: request.is_static,
            depth,
        };
        self.start(Start { code, message, gas: request.gas, kind }, checkpoint);
        Ok(())
    }

    /// Answers a creation.
    fn begin_create(&mut self, request: CreateRequest) -> Result<(), EngineError> {
        let depth = self.frames.len();
        let creator = self.state.account(&request.creator)?;
        if depth > gas::CALL_DEPTH_MAX || creator.balance < request.value || creator.nonce == u64::MAX {
            return self.refuse(request.gas);
        }
        let address = match request.salt {
            Some(salt) => request.creator.create2(salt.to_be_bytes::<32>(), keccak256(&request.init_code)),
            None => created_address(&request.creator, creator.nonce),
        };
        self.state.set_nonce(&request.creator, creator.nonce + 1)?;
        self.state.warm_account(&address)?;
        let checkpoint = self.state.checkpoint();
        if !self.state.create_account(&address)? {
            // The child's gas is lost; the nonce and the warm address stay.
            return self.refuse(0);
        }
        self.state.transfer(&request.creator, &address, request.value)?;
        let code = Arc::new(Code::new(request.init_code, self.engine.spec().native_code));
        let message = Message {
            address,
            caller: request.creator,
            value: request.value,
            input: Bytes::new(),
            is_static: false,
            depth,
        };
        let kind = FrameKind::Create { address };
        self.start(Start { code, message, gas: request.gas, kind }, checkpoint);
        Ok(())
    }

    fn start(&mut self, start: Start, checkpoint: usize) {
        let spec = *self.engine.spec();
        let memory_limit = self.engine.limits().memory_bytes;
        self.frames.push(start, spec, checkpoint, memory_limit);
    }

    /// The frame that has just asked.
    fn asking(&mut self) -> &mut Frame {
        let Some(active) = self.frames.top_mut() else { unreachable!("a frame has just asked") };
        &mut active.frame
    }

    /// Answers the innermost frame's request with failure: `gas` comes back, return data is empty.
    fn refuse(&mut self, gas: u64) -> Result<(), EngineError> {
        resume(self.asking(), FrameKind::Call { start: 0, size: 0 }, gas, false, Bytes::new());
        Ok(())
    }
}

/// Hands the result of a call or creation to the frame that asked for it.
fn resume(asking: &mut Frame, kind: FrameKind, gas_left: u64, is_success: bool, output: Bytes) {
    asking.gas += gas_left;
    asking.stack.push_word(match kind {
        FrameKind::Call { start, size } => {
            let copied = size.min(output.len());
            asking.memory.bytes_mut()[start..start + copied].copy_from_slice(&output[..copied]);
            U256::from(is_success)
        }
        FrameKind::Create { address } if is_success => address.into_word().into(),
        FrameKind::Create { .. } => U256::ZERO,
    });
    asking.return_data = output;
}

/// Runs one frame until it ends or asks for something, in whatever tiers the mode allows.
fn run_frame(engine: &Engine, mode: Mode, frame: &mut Frame, host: &mut dyn Host) -> Exit {
    let compiled = engine.compiled(&frame.code, mode);
    let Some(compiled) = compiled else {
        return if engine.shared.count_blocks {
            interp::run_counting(frame, host, None)
        } else {
            interp::run(frame, host)
        };
    };
    loop {
        if compiled.can_enter(frame.pc) {
            match compiled.run(frame, host) {
                Exit::Interpret => {}
                exit => return exit,
            }
        }
        match interp::run_counting(frame, host, Some(&*compiled)) {
            Exit::Interpret => {}
            exit => return exit,
        }
    }
}

/// The result where no frame runs.
fn without_frame(exit: Exit, gas_left: u64, output: Bytes) -> ExecutionResult {
    ExecutionResult {
        exit,
        gas_left,
        refund: 0,
        output,
        logs: Vec::new(),
        blocks_interpreted: 0,
        blocks_compiled: 0,
    }
}

/// What differs between the runs of the tiers, if anything.
fn describe_difference(reference: &ExecutionResult, compiled: &ExecutionResult) -> Option<String> {
    let ExecutionResult { exit, gas_left, refund, output, logs, .. } = reference;
    if *exit != compiled.exit {
        // Within a frame that dies, a tier may charge ahead and so find another reason to die first.
        let both_trap = matches!((exit, compiled.exit), (Exit::Trap(_), Exit::Trap(_)));
        if !both_trap {
            return Some(format!("outcome: interpreted {exit:?}, compiled {:?}", compiled.exit));
        }
    }
    if *gas_left != compiled.gas_left {
        return Some(format!("gas left: interpreted {gas_left}, compiled {}", compiled.gas_left));
    }
    if *output != compiled.output {
        return Some(format!("return data: interpreted {output}, compiled {}", compiled.output));
    }
    if *refund != compiled.refund {
        return Some(format!("refund: interpreted {refund}, compiled {}", compiled.refund));
    }
    (*logs != compiled.logs).then(|| "logs".to_owned())
}

/// The address of a contract created by CREATE or a transaction: the end of keccak256(rlp([creator, nonce])).
pub fn created_address(creator: &Address, nonce: u64) -> Address {
    let mut rlp = Vec::with_capacity(31);
    let nonce_bytes = nonce.to_be_bytes();
    let digits = &nonce_bytes[nonce.leading_zeros() as usize / 8..];
    // A number below 0x80 is its own encoding, but zero is the empty string.
    let nonce_len = if nonce > 0 && nonce < 0x80 { 1 } else { 1 + digits.len() };
    rlp.push(0xc0 + 21 + nonce_len as u8);
    rlp.push(0x80 + 20);
    rlp.extend_from_slice(creator.as_slice());
    if nonce_len > 1 || nonce == 0 {
        rlp.push(0x80 + digits.len() as u8);
    }
    rlp.extend_from_slice(digits);
    Address::from_word(keccak256(rlp))
}
