//! A difference made portable: one frame with everything that running it again needs.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256};

use super::replay::{departure, difference};
use super::{Difference, Event, Over, ReplayError, Replayed, run_over};
use crate::bytecode::Code;
use crate::compiled::frame::{Frame, Message, Spec};
use crate::engine::Engine;
use crate::host::{BlockEnv, TxEnv};
use crate::interp;
use crate::outcome::Exit;

/// A frame that ended differently in the two tiers, with what the host answered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The compiler, its build and options, in its own words.
    pub compiler: String,
    /// What differed.
    pub difference: Difference,
    /// Rules.
    pub spec: Spec,
    /// Bytes of memory that the frame was allowed.
    pub memory_limit: usize,
    /// Facts of the block.
    pub block: BlockEnv,
    /// Facts of the transaction.
    pub tx: TxEnv,
    /// What the frame was called with.
    pub message: Message,
    /// Gas at its start.
    pub gas: u64,
    /// All bytes of the code, prefix included.
    pub code: Bytes,
    /// What it asked and was told, in order.
    pub events: Vec<Event>,
    /// How it ended in the interpreter.
    pub interpreted: FrameEnd,
    /// How it ended in compiled code.
    pub compiled: FrameEnd,
}

/// What is to be seen of a frame that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameEnd {
    /// Outcome; `HostError` where compiled code asked a question that the interpreter had not asked.
    pub exit: Exit,
    /// Gas left; 0 after a trap.
    pub gas_left: u64,
    /// Return data; empty after a trap.
    pub output: Bytes,
    /// Questions asked.
    pub questions: usize,
    /// Bytes of memory.
    pub memory_size: usize,
    /// Keccak-256 of memory.
    pub memory_hash: B256,
}

impl FrameEnd {
    /// The end of a frame that has not run.
    pub(super) fn none() -> FrameEnd {
        FrameEnd {
            exit: Exit::HostError,
            gas_left: 0,
            output: Bytes::new(),
            questions: 0,
            memory_size: 0,
            memory_hash: B256::ZERO,
        }
    }
}

impl Engine {
    /// Runs a case again in both tiers, over its record.
    ///
    /// The engine must have a tier and the case's rules; the code is compiled whole. A case that was banned by this
    /// engine is not compiled again. Gas and memory are the case's, so a case from outside may run as long as its
    /// gas pays for.
    pub fn replay(&self, case: &Case) -> Result<Replayed, ReplayError> {
        if *self.spec() != case.spec {
            return Err(ReplayError::OtherRules);
        }
        if !self.has_tier() {
            return Err(ReplayError::NoTier);
        }
        let code = Arc::new(Code::new(case.code.clone(), case.spec.native_code));
        let memory_limit = case.memory_limit.min(self.limits().memory_bytes);
        let start = || {
            let mut frame = Frame::new(Arc::clone(&code), case.message.clone(), case.spec, case.gas);
            frame.memory.set_limit(memory_limit);
            frame
        };
        let over = || Over::new(&case.block, &case.tx, &case.events);

        let mut interpreted = start();
        let reference = run_over(&mut interpreted, over(), |frame, host| interp::run(frame, host));
        if reference.exit == Exit::MemoryLimit {
            return Err(ReplayError::MemoryLimit);
        }
        self.compile(&code);
        if self.compiled(&code).is_none() {
            return Err(ReplayError::NotCompiled);
        }
        let mut compiled = start();
        let end = run_over(&mut compiled, over(), |frame, host| self.run_compiled(frame, host));

        let interpreted_end = FrameEnd::of(&interpreted, reference.exit, reference.questions);
        Ok(Replayed {
            departure: departure(&case.interpreted, &interpreted_end, &reference),
            difference: difference((&interpreted, reference.exit, reference.questions), (&compiled, &end)),
            compiled: FrameEnd::of(&compiled, end.exit, end.questions),
            interpreted: interpreted_end,
            blocks_compiled: compiled.blocks_compiled,
        })
    }
}

impl Default for Case {
    /// A frame of empty code without gas.
    fn default() -> Case {
        Case {
            compiler: String::new(),
            difference: Difference::new("nothing", "", ""),
            spec: Spec { fork: crate::Fork::LATEST, native_code: true, hedera: false },
            memory_limit: 0,
            block: BlockEnv::default(),
            tx: TxEnv::default(),
            message: Message {
                address: Default::default(),
                caller: Default::default(),
                value: U256::ZERO,
                input: Bytes::new(),
                is_static: false,
                depth: 0,
            },
            gas: 0,
            code: Bytes::new(),
            events: Vec::new(),
            interpreted: FrameEnd::none(),
            compiled: FrameEnd::none(),
        }
    }
}
