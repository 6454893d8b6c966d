//! Running a frame over a record: the host that answers from it, and the comparison of two ends.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};

use super::case_text::{asked_text, exit_name, message_text, service_text};
use super::{Difference, Event, FrameEnd};
use crate::bytecode::Code;
use crate::call_stack::{Answer, FrameKind};
use crate::compiled::frame::Frame;
use crate::gas::STACK_LIMIT;
use crate::hedera::{Acting, ServiceReply, ServiceRequest};
use crate::host::{Access, BlockEnv, Host, HostError, Log, StorageWrite, TxEnv};
use crate::keccak::keccak256;
use crate::outcome::Exit;
use crate::state::AccountInfo;

/// What a replay of a [`Case`](super::Case) gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The interpreter's end over the record.
    pub interpreted: FrameEnd,
    /// The end of compiled code over the record.
    pub compiled: FrameEnd,
    /// What differs between the tiers; `None`: they agree.
    pub difference: Option<Difference>,
    /// How this interpreter departs from the one that made the record, which is named first; `None`: it does not.
    pub departure: Option<Difference>,
    /// Blocks of compiled code that ran, if the tier counts them.
    pub blocks_compiled: u64,
}

/// Why a case was not replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The engine has no tier, or another one.
    #[error("the engine has nothing that compiles")]
    NoTier,
    /// The rules of the case are not those of the engine.
    #[error("the case was recorded by other rules than this engine's")]
    OtherRules,
    /// The tier compiled nothing of the code, so there is nothing to compare.
    #[error("nothing of the code was compiled")]
    NotCompiled,
    /// The memory that the engine allows did not do.
    #[error("the frame needs more memory than the engine allows")]
    MemoryLimit,
}

/// A host that answers from a record and accepts no other questions than those in it, in their order.
pub(crate) struct Over<'r> {
    block: &'r BlockEnv,
    tx: &'r TxEnv,
    events: &'r [Event],
    next: usize,
    /// The first question that is not in the record.
    strange: Option<Difference>,
}

/// How a frame ended over a record.
pub(crate) struct OverEnd {
    pub(crate) exit: Exit,
    /// Questions that were asked.
    pub(crate) questions: usize,
    strange: Option<Difference>,
}

impl<'r> Over<'r> {
    pub(crate) fn new(block: &'r BlockEnv, tx: &'r TxEnv, events: &'r [Event]) -> Over<'r> {
        Over { block, tx, events, next: 0, strange: None }
    }

    /// The answer that `of` finds in the next event; `None` where it is another question, which is noted.
    fn answer<T>(
        &mut self,
        question: impl FnOnce() -> String,
        of: impl FnOnce(&'r Event) -> Option<T>,
    ) -> Option<T> {
        if self.strange.is_some() {
            return None;
        }
        let event = self.events.get(self.next);
        if let Some(answer) = event.and_then(of) {
            self.next += 1;
            return Some(answer);
        }
        let recorded = event.map_or_else(|| "no more questions".to_owned(), asked_text);
        self.strange = Some(Difference::new(format!("question {}", self.next + 1), recorded, question()));
        None
    }

    /// Like [`Over::answer`], where trouble can be reported.
    fn reply<T>(
        &mut self,
        question: impl FnOnce() -> String,
        of: impl FnOnce(&'r Event) -> Option<T>,
    ) -> Result<T, HostError> {
        self.answer(question, of).ok_or_else(strange)
    }

    /// Answers the request that the frame stopped with; false where it is not the recorded one.
    fn answer_request(&mut self, frame: &mut Frame) -> bool {
        let Some(request) = frame.request.take() else { return false };
        let gas = frame.gas;
        let answer = self.answer(
            || message_text(&request, gas),
            |event| match event {
                Event::Message { request: recorded, gas: left, answer }
                    if **recorded == request && *left == gas =>
                {
                    Some(answer)
                }
                _ => None,
            },
        );
        answer.is_some_and(|answer| self.hand_over(frame, answer))
    }

    /// Gives the frame a recorded answer; false where it does not fit, because compiled code has broken the frame
    /// or a file has told nonsense.
    fn hand_over(&mut self, frame: &mut Frame, answer: &Answer) -> bool {
        let fits_memory = match answer.kind {
            FrameKind::Call { start, size } => {
                let copied = size.min(answer.output.len());
                start.checked_add(copied).is_some_and(|end| end <= frame.memory.len())
            }
            FrameKind::Create { .. } => true,
        };
        if !fits_memory
            || frame.stack.len() >= STACK_LIMIT
            || frame.gas.checked_add(answer.gas_left).is_none()
        {
            let what = format!("answer {}", self.next);
            self.strange = Some(Difference::new(what, "fits", "does not fit the frame"));
            return false;
        }
        frame.resume(answer.clone());
        true
    }

    /// The end of a run over the record.
    fn end(self, exit: Exit) -> OverEnd {
        OverEnd { exit, questions: self.next, strange: self.strange }
    }
}

/// Runs a frame to its end by `run`, over a record.
pub(crate) fn run_over(
    frame: &mut Frame,
    mut host: Over<'_>,
    mut run: impl FnMut(&mut Frame, &mut dyn Host) -> Exit,
) -> OverEnd {
    loop {
        match run(frame, &mut host) {
            Exit::Call | Exit::Create => {
                if !host.answer_request(frame) {
                    return host.end(Exit::HostError);
                }
            }
            exit => return host.end(exit),
        }
    }
}

impl FrameEnd {
    /// What is to be seen of a frame that ended.
    pub(crate) fn of(frame: &Frame, exit: Exit, questions: usize) -> FrameEnd {
        let is_trap = matches!(exit, Exit::Trap(_));
        let memory = frame.memory.bytes();
        FrameEnd {
            exit,
            gas_left: if is_trap { 0 } else { frame.gas },
            output: if is_trap { Bytes::new() } else { frame.output.clone() },
            questions,
            memory_size: memory.len(),
            memory_hash: keccak256(memory),
        }
    }
}

/// What differs between the end of an interpreted frame and a run over its record.
///
/// `interpreted` asked `questions` questions. Where both trap, no more is asked than that.
pub(crate) fn difference(
    (interpreted, exit, questions): (&Frame, Exit, usize),
    (compiled, end): (&Frame, &OverEnd),
) -> Option<Difference> {
    if let Some(strange) = &end.strange {
        return Some(strange.clone());
    }
    match (exit, end.exit) {
        (Exit::Trap(_), Exit::Trap(_)) => return None,
        (exit, other) if exit != other => {
            return Some(Difference::new("outcome", exit_name(exit), exit_name(other)));
        }
        _ => {}
    }
    if interpreted.gas != compiled.gas {
        return Some(Difference::new("gas left", interpreted.gas, compiled.gas));
    }
    if interpreted.output != compiled.output {
        return Some(Difference::new("return data", &interpreted.output, &compiled.output));
    }
    if questions != end.questions {
        return Some(Difference::new("number of questions", questions, end.questions));
    }
    let (memory, other) = (interpreted.memory.bytes(), compiled.memory.bytes());
    if memory.len() != other.len() {
        return Some(Difference::new("bytes of memory", memory.len(), other.len()));
    }
    let place = memory.iter().zip(other).position(|(a, b)| a != b)?;
    let word = place / 32 * 32;
    let show = |bytes: &[u8]| Bytes::copy_from_slice(&bytes[word..bytes.len().min(word + 32)]);
    Some(Difference::new(format!("memory at {word}"), show(memory), show(other)))
}

/// What differs between the end of an interpreter's frame in a case and now.
pub(crate) fn departure(recorded: &FrameEnd, now: &FrameEnd, end: &OverEnd) -> Option<Difference> {
    if let Some(strange) = &end.strange {
        return Some(strange.clone());
    }
    (recorded != now).then(|| Difference::new("end of the frame", recorded, now))
}

impl fmt::Display for FrameEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FrameEnd { exit, gas_left, output, questions, memory_size, memory_hash } = self;
        write!(f, "{} {gas_left} {output} {questions} {memory_size} {memory_hash}", exit_name(*exit))
    }
}

fn strange() -> HostError {
    HostError("a question that is not in the record".into())
}

/// What is cold is answered only to who can pay; the others are told so, whatever the record could say.
fn affordable<T: Copy>(
    is_cold: impl FnOnce(&T) -> bool,
    recorded: Option<T>,
    can_pay: bool,
) -> Option<Option<T>> {
    match recorded {
        Some(found) if !can_pay && is_cold(&found) => Some(None),
        Some(found) => Some(Some(found)),
        // The record does not know what a richer frame would have been told.
        None if can_pay => None,
        None => Some(None),
    }
}

impl Host for Over<'_> {
    fn block(&self) -> &BlockEnv {
        self.block
    }

    fn tx(&self) -> &TxEnv {
        self.tx
    }

    fn sload(
        &mut self,
        address: &Address,
        key: &U256,
        cold_affordable: bool,
    ) -> Result<Option<Access<U256>>, HostError> {
        self.reply(
            || format!("sload {address} {key:#x}"),
            |event| match event {
                Event::Sload(a, k, access) if a == address && k == key => {
                    affordable(|found: &Access<U256>| found.is_cold, *access, cold_affordable)
                }
                _ => None,
            },
        )
    }

    fn sstore(
        &mut self,
        address: &Address,
        key: &U256,
        value: &U256,
        cold_affordable: bool,
    ) -> Result<Option<StorageWrite>, HostError> {
        self.reply(
            || format!("sstore {address} {key:#x} {value:#x}"),
            |event| match event {
                Event::Sstore(a, k, v, write) if a == address && k == key && v == value => {
                    affordable(|found: &StorageWrite| found.is_cold, *write, cold_affordable)
                }
                _ => None,
            },
        )
    }

    fn tload(&mut self, address: &Address, key: &U256) -> U256 {
        self.answer(
            || format!("tload {address} {key:#x}"),
            |event| match event {
                Event::Tload(a, k, value) if a == address && k == key => Some(*value),
                _ => None,
            },
        )
        .unwrap_or_default()
    }

    fn tstore(&mut self, address: &Address, key: &U256, value: &U256) {
        self.answer(
            || format!("tstore {address} {key:#x} {value:#x}"),
            |event| match event {
                Event::Tstore(a, k, v) if a == address && k == key && v == value => Some(()),
                _ => None,
            },
        );
    }

    fn add_refund(&mut self, refund: i64) {
        self.answer(
            || format!("refund {refund}"),
            |event| match event {
                Event::Refund(recorded) if *recorded == refund => Some(()),
                _ => None,
            },
        );
    }

    fn log(&mut self, log: Log) {
        self.answer(
            || asked_text(&Event::Log(log.clone())),
            |event| match event {
                Event::Log(recorded) if *recorded == log => Some(()),
                _ => None,
            },
        );
    }

    fn account(
        &mut self,
        address: &Address,
        cold_affordable: bool,
    ) -> Result<Option<Access<AccountInfo>>, HostError> {
        self.reply(
            || format!("account {address}"),
            |event| match event {
                Event::Account(a, access) if a == address => {
                    affordable(|found: &Access<AccountInfo>| found.is_cold, *access, cold_affordable)
                }
                _ => None,
            },
        )
    }

    fn code(&mut self, hash: &B256) -> Result<Arc<Code>, HostError> {
        self.reply(
            || format!("code {hash}"),
            |event| match event {
                Event::Code(h, code) if h == hash => Some(Arc::clone(code)),
                _ => None,
            },
        )
    }

    fn selfdestruct(&mut self, address: &Address, beneficiary: &Address) -> Result<(), HostError> {
        self.reply(
            || format!("selfdestruct {address} {beneficiary}"),
            |event| match event {
                Event::Selfdestruct(a, b) if a == address && b == beneficiary => Some(()),
                _ => None,
            },
        )
    }

    fn self_balance(&mut self, address: &Address) -> Result<U256, HostError> {
        self.reply(
            || format!("balance {address}"),
            |event| match event {
                Event::SelfBalance(a, balance) if a == address => Some(*balance),
                _ => None,
            },
        )
    }

    fn hedera(&mut self, acting: &Acting, request: &ServiceRequest) -> Result<ServiceReply, HostError> {
        self.reply(
            || service_text(acting, request),
            |event| match event {
                Event::Service(a, r, reply) if a == acting && r == request => Some(reply.clone()),
                _ => None,
            },
        )
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, HostError> {
        self.reply(
            || format!("blockhash {number}"),
            |event| match event {
                Event::BlockHash(n, hash) if *n == number => Some(*hash),
                _ => None,
            },
        )
    }
}
