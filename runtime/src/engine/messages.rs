//! Messages: the one that a transaction carries out, and those that frames ask for.
//!
//! Both move value, run a precompiled contract, code or nothing, and put created code in place; frames themselves
//! run in [`driver`](super::driver).

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};

use super::driver::Executor;
use super::{EngineError, ExecutionResult};
use crate::bytecode::{Code, NATIVE_PREFIX};
use crate::call_stack::{Active, Answer, CallKind, CallRequest, Callee, CreateRequest, FrameKind, Start};
use crate::compiled::frame::Message;
use crate::fork::Fork;
use crate::gas;
use crate::hedera::facade::{self, FacadeAnswer, FacadeCall};
use crate::hedera::{Ledger, Refusal, SYSTEM_CONTRACT};
use crate::host::{BlockEnv, HostError, TxEnv};
use crate::inspect::{CallStart, Inspector, Interception};
use crate::keccak::keccak256;
use crate::outcome::{Exit, Trap};
use crate::precompiles::{self, runs_without_code};
use crate::profile::Operations;
use crate::state::Database;

impl<D: Database, I: Inspector> Executor<D, I> {
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
        self.note_start(&CallStart {
            kind: CallKind::Call,
            code_address: message.address,
            caller: message.caller,
            address: message.address,
            value: message.value,
            input: &message.input,
            gas,
            is_static: message.is_static,
            depth: 0,
        });
        self.state.warm_account(&message.address)?;
        self.state.transfer(&message.caller, &message.address, message.value)?;
        let callee = self.callee(&message.address)?;
        let has_frame = matches!(callee, Callee::Code(_));
        let result = match callee {
            Callee::Code(code) => self.execute(code, message, gas, block, tx)?,
            Callee::Precompile(address) => {
                let call = FacadeCall {
                    kind: CallKind::Call,
                    caller: message.caller,
                    address: message.address,
                    value: message.value,
                    is_static: message.is_static,
                    input: &message.input,
                    gas,
                };
                let (exit, gas_left, output) = self.run_without_code(&address, &call, block)?;
                let logs = if exit == Exit::Return { self.state.take_logs() } else { Vec::new() };
                ExecutionResult { logs, ..without_frame(exit, gas_left, output) }
            }
            Callee::Empty => without_frame(Exit::Halt, gas, Bytes::new()),
        };
        if !has_frame {
            self.note_end(Some(result.exit), result.gas_left, &result.output, 0);
        }
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
        if runs_without_code(self.engine.spec(), address) {
            return Ok(Callee::Precompile(*address));
        }
        Ok(code.map_or(Callee::Empty, Callee::Code))
    }

    /// Runs a precompiled contract or Hedera's system contract: how it ended, the gas left, and what it gave. Effects
    /// of one that fails are for the caller to undo.
    fn run_without_code(
        &mut self,
        address: &Address,
        call: &FacadeCall<'_>,
        block: &BlockEnv,
    ) -> Result<(Exit, u64, Bytes), EngineError> {
        if *address != SYSTEM_CONTRACT {
            return Ok(match precompiles::run(self.engine.spec().fork, address, call.input, call.gas)? {
                Ok(answer) => (Exit::Return, answer.gas_left, answer.output),
                Err(trap) => (trap.into(), 0, Bytes::new()),
            });
        }
        let mut ledger = Ledger::new(&mut self.state, block.consensus_time());
        let FacadeAnswer { exit, gas_left, output, logs, returns_value } = facade::call(&mut ledger, call)?;
        if returns_value {
            self.state.transfer(&call.address, &call.caller, call.value)?;
        }
        for log in logs {
            self.note_log(&log);
            self.state.log(log);
        }
        Ok((exit, gas_left, output))
    }

    /// Gives a new contract its entity number, where the rules have such.
    fn number_contract(&mut self, address: &Address) -> Result<(), HostError> {
        if !self.engine.spec().hedera {
            return Ok(());
        }
        match Ledger::new(&mut self.state, 0).register(address) {
            Ok(_) => Ok(()),
            // It can be given one when the ledger first has to do with it.
            Err(Refusal::Code(_)) => Ok(()),
            Err(Refusal::Host(error)) => Err(error),
        }
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
        self.note_start(&CallStart {
            kind: CallKind::Create,
            code_address: address,
            caller: message.caller,
            address,
            value: message.value,
            input: init_code,
            gas,
            is_static: false,
            depth: 0,
        });
        if !self.state.create_account(&address)? {
            self.note_end(Some(Trap::CreateCollision.into()), 0, &Bytes::new(), 0);
            return Ok(without_frame(Trap::CreateCollision.into(), 0, Bytes::new()));
        }
        self.number_contract(&address)?;
        self.state.transfer(&message.caller, &address, message.value)?;
        let code = Arc::new(Code::new(init_code.clone(), self.engine.spec().native_code));
        let start = Start { code, message, gas, kind: FrameKind::Create { address } };
        let result = self.run_top(start, block, tx)?;
        if !result.is_success() {
            self.state.revert_to(checkpoint);
        }
        Ok(result)
    }

    /// Puts code in place: the gas left, or why the code is refused.
    pub(super) fn deposit(
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
    pub(super) fn begin_call(
        &mut self,
        mut request: CallRequest,
        block: &BlockEnv,
    ) -> Result<(), EngineError> {
        let depth = self.frames.len();
        if let Some(Interception { is_success, output }) = self.intercept(&mut request, depth)? {
            let (start, size) = request.output;
            let kind = FrameKind::Call { start, size };
            self.asking().resume(Answer { kind, gas_left: request.gas, is_success, output });
            return Ok(());
        }
        self.note_start(&CallStart {
            kind: request.kind,
            code_address: request.code_address,
            caller: request.caller,
            address: request.address,
            value: request.value,
            input: &request.input,
            gas: request.gas,
            is_static: request.is_static,
            depth,
        });
        if depth > gas::CALL_DEPTH_MAX {
            return self.refuse(None, request.gas);
        }
        let checkpoint = self.state.checkpoint();
        if request.kind.sends_value()
            && !self.state.transfer(&request.caller, &request.address, request.value)?
        {
            return self.refuse(None, request.gas);
        }
        let (start, size) = request.output;
        let kind = FrameKind::Call { start, size };
        let code = match request.callee {
            Callee::Code(code) => code,
            Callee::Precompile(address) => {
                let call = FacadeCall {
                    kind: request.kind,
                    caller: request.caller,
                    address: request.address,
                    value: request.value,
                    is_static: request.is_static,
                    input: &request.input,
                    gas: request.gas,
                };
                let (exit, gas_left, output) = self.run_without_code(&address, &call, block)?;
                if exit != Exit::Return {
                    self.state.revert_to(checkpoint);
                }
                self.note_end(Some(exit), gas_left, &output, depth);
                self.give(Answer { kind, gas_left, is_success: exit == Exit::Return, output });
                return Ok(());
            }
            Callee::Empty => {
                self.note_end(Some(Exit::Halt), request.gas, &Bytes::new(), depth);
                let gas_left = request.gas;
                self.give(Answer { kind, gas_left, is_success: true, output: Bytes::new() });
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
    pub(super) fn begin_create(&mut self, mut request: CreateRequest) -> Result<(), EngineError> {
        let depth = self.frames.len();
        self.intercept_create(&mut request, depth);
        let creator = self.state.account(&request.creator)?;
        if depth > gas::CALL_DEPTH_MAX || creator.balance < request.value || creator.nonce == u64::MAX {
            self.note_create(&request, Address::ZERO, depth);
            return self.refuse(None, request.gas);
        }
        let address = match request.salt {
            Some(salt) => request.creator.create2(salt.to_be_bytes::<32>(), keccak256(&request.init_code)),
            None => created_address(&request.creator, creator.nonce),
        };
        self.note_create(&request, address, depth);
        self.state.set_nonce(&request.creator, creator.nonce + 1)?;
        self.state.warm_account(&address)?;
        let checkpoint = self.state.checkpoint();
        if !self.state.create_account(&address)? {
            // The child's gas is lost; the nonce and the warm address stay.
            return self.refuse(Some(Trap::CreateCollision.into()), 0);
        }
        self.number_contract(&address)?;
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

    /// The frame that has just asked.
    fn asking(&mut self) -> &mut Active {
        let Some(active) = self.frames.top_mut() else { unreachable!("a frame has just asked") };
        active
    }

    #[inline]
    fn note_create(&mut self, request: &CreateRequest, address: Address, depth: usize) {
        self.note_start(&CallStart {
            kind: request.salt.map_or(CallKind::Create, |_| CallKind::Create2),
            code_address: address,
            caller: request.creator,
            address,
            value: request.value,
            input: &request.init_code,
            gas: request.gas,
            is_static: false,
            depth,
        });
    }

    /// Answers the innermost frame's request with failure: `gas` comes back, return data is empty.
    fn refuse(&mut self, exit: Option<Exit>, gas: u64) -> Result<(), EngineError> {
        self.note_end(exit, gas, &Bytes::new(), self.frames.len());
        let kind = FrameKind::Call { start: 0, size: 0 };
        self.give(Answer { kind, gas_left: gas, is_success: false, output: Bytes::new() });
        Ok(())
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
        operations: Operations::default(),
    }
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
