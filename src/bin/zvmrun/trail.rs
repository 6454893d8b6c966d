//! An inspector that remembers the last operations of every frame, and keeps them of those that failed.

use std::collections::VecDeque;

use alloy_primitives::{Address, Bytes};
use zvm::compiled::frame::Frame;
use zvm::inspect::{CallEnd, CallStart, Inspector};
use zvm::outcome::Exit;

/// How many operations of a frame are remembered.
const TRAIL_MAX: usize = 64;

/// A frame that failed.
#[derive(Clone, Debug)]
pub(crate) struct FailedFrame {
    /// Frames around it.
    pub(crate) depth: usize,
    /// The account whose code ran, or that was being created.
    pub(crate) code_address: Address,
    pub(crate) is_creation: bool,
    /// The code as an account holds it.
    pub(crate) code: Bytes,
    /// Body offsets of the operations that ran last, the failed one last.
    pub(crate) trail: Vec<usize>,
    pub(crate) exit: Option<Exit>,
    pub(crate) output: Bytes,
}

/// A frame that is active.
struct Level {
    code_address: Address,
    is_creation: bool,
    code: Bytes,
    trail: VecDeque<usize>,
}

/// Remembers; everything is interpreted then.
#[derive(Default)]
pub(crate) struct Trails {
    levels: Vec<Level>,
    failed: Vec<FailedFrame>,
}

impl Trails {
    /// The frames because of which the outermost one failed, it first; empty if it did not fail.
    pub(crate) fn blamed(self) -> Vec<FailedFrame> {
        let mut chain: Vec<FailedFrame> = Vec::new();
        for frame in self.failed.into_iter().rev() {
            match chain.last() {
                None if frame.depth == 0 => chain.push(frame),
                Some(outer) if frame.depth == outer.depth + 1 && explains(&frame, outer) => chain.push(frame),
                _ => break,
            }
        }
        chain
    }
}

/// Whether a frame's failure is why the frame around it failed.
fn explains(inner: &FailedFrame, outer: &FailedFrame) -> bool {
    inner.output == outer.output || !matches!(inner.exit, Some(Exit::Revert)) || outer.output.is_empty()
}

impl Inspector for Trails {
    fn wants_steps(&self) -> bool {
        true
    }

    fn step(&mut self, frame: &Frame) {
        let Some(level) = self.levels.last_mut() else { return };
        if level.trail.is_empty() {
            level.code = frame.code.raw().clone();
        }
        if level.trail.len() == TRAIL_MAX {
            level.trail.pop_front();
        }
        level.trail.push_back(frame.pc);
    }

    fn call_start(&mut self, start: &CallStart<'_>) {
        self.levels.push(Level {
            code_address: start.code_address,
            is_creation: start.kind.is_create(),
            code: Bytes::new(),
            trail: VecDeque::new(),
        });
    }

    fn call_end(&mut self, end: &CallEnd<'_>) {
        let Some(Level { code_address, is_creation, code, trail }) = self.levels.pop() else { return };
        if end.is_success() {
            return;
        }
        let (trail, output) = (trail.into(), end.output.clone());
        let (depth, exit) = (end.depth, end.exit);
        self.failed.push(FailedFrame { depth, code_address, is_creation, code, trail, exit, output });
    }
}
