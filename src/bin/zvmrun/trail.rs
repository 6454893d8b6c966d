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
    // The call that failed last with those inside it that it failed because of, it first.
    blamed: Vec<FailedFrame>,
}

/// Remembers; everything is interpreted then.
#[derive(Default)]
pub(crate) struct Trails {
    levels: Vec<Level>,
    // Those of the outermost frame, once it has failed.
    blamed: Vec<FailedFrame>,
}

impl Trails {
    /// The frames because of which the outermost one failed, it first; empty if it did not fail.
    pub(crate) fn blamed(self) -> Vec<FailedFrame> {
        self.blamed
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
            blamed: Vec::new(),
        });
    }

    fn call_end(&mut self, end: &CallEnd<'_>) {
        let Some(level) = self.levels.pop() else { return };
        if end.is_success() {
            return;
        }
        let Level { code_address, is_creation, code, trail, blamed } = level;
        let (trail, output) = (trail.into(), end.output.clone());
        let (depth, exit) = (end.depth, end.exit);
        let mut chain = vec![FailedFrame { depth, code_address, is_creation, code, trail, exit, output }];
        if blamed.first().is_some_and(|inner| explains(inner, &chain[0])) {
            chain.extend(blamed);
        }
        let outer = self.levels.last_mut().map_or(&mut self.blamed, |outer| &mut outer.blamed);
        *outer = chain;
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;
    use zvm::call_stack::CallKind;

    use super::*;

    /// Begins calls of accounts and ends them.
    #[derive(Default)]
    struct Script(Trails);

    impl Script {
        fn call(&mut self, account: u8) -> &mut Script {
            self.0.call_start(&CallStart {
                kind: CallKind::Call,
                code_address: Address::with_last_byte(account),
                caller: Address::ZERO,
                address: Address::with_last_byte(account),
                value: U256::ZERO,
                input: &Bytes::new(),
                gas: 0,
                is_static: false,
                depth: self.0.levels.len(),
            });
            self
        }

        fn end(&mut self, exit: Exit, output: &[u8]) -> &mut Script {
            let (depth, output) = (self.0.levels.len() - 1, Bytes::copy_from_slice(output));
            self.0.call_end(&CallEnd { exit: Some(exit), gas_left: 0, output: &output, depth });
            self
        }

        fn blamed(&mut self) -> Vec<u8> {
            let frames = std::mem::take(&mut self.0).blamed();
            frames.iter().map(|frame| frame.code_address.as_slice()[19]).collect()
        }
    }

    #[test]
    fn a_failure_is_blamed_on_the_calls_that_hand_it_on() {
        let mut script = Script::default();
        script.call(1).call(2).call(3).end(Exit::Revert, b"no");
        assert_eq!(script.end(Exit::Revert, b"no").end(Exit::Revert, b"no").blamed(), [1, 2, 3]);
        // Caught, and another reason given.
        script.call(1).call(2).end(Exit::Revert, b"no");
        assert_eq!(script.end(Exit::Revert, b"other").blamed(), [1]);
        // What succeeded in between hides neither the reason nor lends its own failures.
        script.call(1).call(2).end(Exit::Revert, b"no").call(3).call(4).end(Exit::Revert, b"no");
        assert_eq!(script.end(Exit::Return, b"").end(Exit::Revert, b"no").blamed(), [1, 2]);
        // A caught failure of a call that succeeds is nobody's.
        script.call(1).call(2).end(Exit::Revert, b"no");
        assert_eq!(script.end(Exit::Halt, b"").blamed(), [0u8; 0]);
    }

    #[test]
    fn of_many_failed_calls_the_last_is_kept() {
        let mut script = Script::default();
        script.call(1);
        for account in 0..200 {
            script.call(account).end(Exit::Revert, b"");
        }
        assert_eq!(script.0.levels[0].blamed.len(), 1);
        assert_eq!(script.end(Exit::Revert, b"").blamed(), [1, 199]);
    }
}
