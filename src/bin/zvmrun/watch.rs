//! An inspector that notes what every operation of every code cost; one that watches nothing costs nothing.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::B256;
use zvm::compiled::frame::Frame;
use zvm::inspect::{CallEnd, CallStart, Inspector};
use zvm::outcome::Exit;

/// How often an operation ran, and the gas it took: neither what it gave to a call nor what a trap took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) executions: u64,
    pub(crate) gas: u64,
}

/// Costs by body offset.
pub(crate) type Costs = BTreeMap<usize, Cost>;

/// Watches every operation, or nothing.
#[derive(Debug, Default)]
pub(crate) struct Watch(Option<Box<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    costs: HashMap<B256, Costs>,
    /// The operation under way in each frame, outermost first.
    frames: Vec<UnderWay>,
    /// Gas that the calls under way started with, those without a frame included.
    calls: Vec<u64>,
}

#[derive(Debug)]
struct UnderWay {
    code: B256,
    pc: usize,
    gas: u64,
    /// Gas that the calls it asked for have used.
    given: u64,
}

impl Watch {
    /// Watches every operation.
    #[cfg(feature = "jit")]
    pub(crate) fn every_operation() -> Watch {
        Watch(Some(Box::default()))
    }

    /// What the operations of a code have cost.
    #[cfg(feature = "jit")]
    pub(crate) fn costs(&self, code: &B256) -> Costs {
        self.0.as_ref().and_then(|watched| watched.costs.get(code)).cloned().unwrap_or_default()
    }
}

impl Watched {
    fn end_operation(&mut self, depth: usize, gas_left: u64) {
        if let Some(UnderWay { code, pc, gas, given }) = self.frames.get(depth) {
            let cost = self.costs.entry(*code).or_default().entry(*pc).or_default();
            cost.gas += gas.saturating_sub(gas_left).saturating_sub(*given);
        }
    }
}

impl Inspector for Watch {
    fn is_active(&self) -> bool {
        self.0.is_some()
    }

    fn wants_steps(&self) -> bool {
        self.0.is_some()
    }

    fn step(&mut self, frame: &Frame) {
        let Some(watched) = &mut self.0 else { return };
        let depth = frame.message.depth;
        watched.end_operation(depth, frame.gas);
        watched.frames.truncate(depth);
        let code = frame.code.hash();
        watched.frames.push(UnderWay { code, pc: frame.pc, gas: frame.gas, given: 0 });
        watched.costs.entry(code).or_default().entry(frame.pc).or_default().executions += 1;
    }

    fn call_start(&mut self, start: &CallStart<'_>) {
        if let Some(watched) = &mut self.0 {
            watched.calls.push(start.gas);
        }
    }

    fn call_end(&mut self, end: &CallEnd<'_>) {
        let Some(watched) = &mut self.0 else { return };
        if !matches!(end.exit, Some(Exit::Trap(_))) {
            watched.end_operation(end.depth, end.gas_left);
        }
        watched.frames.truncate(end.depth);
        let used = watched.calls.pop().unwrap_or_default().saturating_sub(end.gas_left);
        if let Some(caller) = end.depth.checked_sub(1).and_then(|depth| watched.frames.get_mut(depth)) {
            caller.given += used;
        }
    }
}
