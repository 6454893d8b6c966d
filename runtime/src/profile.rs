//! Counting what runs: operations by tier, and executions, gas and time of every block of a code.
//!
//! Both tiers count operations in the frame. The blocks here are those of the code, whatever a tier makes of it: one begins at the entry, at each JUMPDEST,
//! behind a `jumpi` and behind an operation that asks for a call or a creation. So both tiers give the same figures.
//! A [`Tracker`] follows
//! one frame and adds to the [`CodeProfile`] of its code; who runs the frame tells it where blocks begin. Nothing of this costs anything in an engine that does not [profile](Profiling).

mod tracker;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::B256;

pub use self::tracker::{RunBy, Tracker};

use crate::bytecode::{Code, Op, instructions};
use crate::interp::ops::asks;

/// What an engine counts while code runs. The compiler has options for its part; what was compiled without them goes
/// uncounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profiling {
    /// Nothing; code runs at full speed.
    Off,
    /// Operations by tier. The interpreter is slower then; compiled code hardly is.
    Operations,
    /// Also executions and gas of each block of the code, through a call at each.
    Blocks,
    /// Also the time between the heads of blocks, by the system's clock.
    Times,
}

/// Operations that ran, by tier. One that failed counts as one that ran. Of a block in which compiled code ends by a
/// trap within a runtime call, all operations count, and of one whose gas did not do, none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Operations {
    /// In the interpreter.
    pub interpreted: u64,
    /// In compiled code, or in what it calls.
    pub compiled: u64,
}

impl Operations {
    /// In both tiers.
    pub fn total(&self) -> u64 {
        self.interpreted + self.compiled
    }

    /// Adds what others counted.
    pub fn add(&mut self, more: Operations) {
        self.interpreted += more.interpreted;
        self.compiled += more.compiled;
    }

    /// Part that ran in compiled code, from 0 to 1; `None` where no operation ran.
    pub fn compiled_share(&self) -> Option<f64> {
        (self.total() > 0).then(|| self.compiled as f64 / self.total() as f64)
    }
}

/// Where the blocks of a code begin and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockLayout {
    // Invariant: ascending by start, without overlap; one begins at 0.
    blocks: Box<[Span]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
    operations: u32,
}

impl BlockLayout {
    /// Finds the blocks of a code. What follows the end of a block and is no JUMPDEST is in none.
    pub fn new(code: &Code) -> BlockLayout {
        let mut blocks: Vec<Span> = Vec::new();
        let mut is_open = false;
        let mut begins = true;
        let mut end = 0;
        for instruction in instructions(code.body(), code.encoding()) {
            end = instruction.next;
            if begins || instruction.op == Some(Op::JumpDest) {
                blocks.push(Span { start: instruction.offset as u32, end: 0, operations: 0 });
                is_open = true;
            }
            if is_open && let Some(block) = blocks.last_mut() {
                block.end = instruction.next as u32;
                block.operations += 1;
            }
            begins = instruction.op.is_some_and(|op| op == Op::JumpI || asks(op));
            is_open &= !begins && instruction.op.is_some_and(|op| !op.ends_block());
        }
        // The `halt` that follows the code.
        let end = end as u32;
        if begins {
            blocks.push(Span { start: end, end: end + 1, operations: 1 });
        } else if is_open && let Some(block) = blocks.last_mut() {
            block.end = end + 1;
            block.operations += 1;
        }
        BlockLayout { blocks: blocks.into() }
    }

    /// Whether a block begins at that body offset.
    pub fn begins_at(&self, pc: usize) -> bool {
        self.index(pc).is_some()
    }

    fn index(&self, pc: usize) -> Option<usize> {
        let pc = u32::try_from(pc).ok()?;
        self.blocks.binary_search_by_key(&pc, |block| block.start).ok()
    }
}

/// What was counted of the blocks of one code. Any number of threads add to it.
#[derive(Debug)]
pub struct CodeProfile {
    layout: BlockLayout,
    // Invariant: one per block of the layout.
    counters: Box<[Counters]>,
}

#[derive(Debug, Default)]
struct Counters {
    executions: [AtomicU64; 2],
    nanoseconds: [AtomicU64; 2],
    gas: AtomicU64,
}

/// What was counted of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockProfile {
    /// Body offset of its first operation.
    pub start: usize,
    /// Body offset behind its last operation; behind the code's end where the block runs into it.
    pub end: usize,
    /// Number of its operations.
    pub operations: u64,
    /// Times it began in the interpreter.
    pub interpreted: u64,
    /// Times it began in compiled code.
    pub compiled: u64,
    /// Gas that it took; neither what it gave to calls nor what a trap took.
    pub gas: u64,
    /// Time spent in it in the interpreter that counts, which is slower than the one that does not.
    pub time_interpreted: Duration,
    /// Time spent in it in compiled code that counts. Calls that it asked for are not in it.
    pub time_compiled: Duration,
}

impl BlockProfile {
    /// Times it began in either tier.
    pub fn executions(&self) -> u64 {
        self.interpreted + self.compiled
    }
}

impl CodeProfile {
    fn new(code: &Code) -> CodeProfile {
        let layout = BlockLayout::new(code);
        let counters = layout.blocks.iter().map(|_| Counters::default()).collect();
        CodeProfile { layout, counters }
    }

    /// All blocks in the order of the code.
    pub fn blocks(&self) -> Vec<BlockProfile> {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let blocks = self.layout.blocks.iter().zip(&self.counters);
        let report = blocks.map(|(span, counters)| {
            let [interpreted, compiled] = &counters.executions;
            let [time_interpreted, time_compiled] = &counters.nanoseconds;
            BlockProfile {
                start: span.start as usize,
                end: span.end as usize,
                operations: u64::from(span.operations),
                interpreted: get(interpreted),
                compiled: get(compiled),
                gas: get(&counters.gas),
                time_interpreted: Duration::from_nanos(get(time_interpreted)),
                time_compiled: Duration::from_nanos(get(time_compiled)),
            }
        });
        report.collect()
    }
}

/// The profiles of an engine: one per code that ran, for as long as the engine lives.
#[derive(Debug)]
pub(crate) struct Profiles {
    is_timed: bool,
    by_code: Mutex<HashMap<B256, Arc<CodeProfile>>>,
}

impl Profiles {
    pub(crate) fn new(profiling: Profiling) -> Option<Profiles> {
        let is_timed = profiling == Profiling::Times;
        (profiling >= Profiling::Blocks).then(|| Profiles { is_timed, by_code: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<B256, Arc<CodeProfile>>> {
        // A panic under the lock would leave a profile out at worst.
        self.by_code.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<Arc<CodeProfile>> {
        self.lock().get(hash).cloned()
    }

    /// Follows a frame that is about to start.
    pub(crate) fn tracker(&self, code: &Code) -> Box<Tracker> {
        let mut by_code = self.lock();
        let profile = by_code.entry(code.hash()).or_insert_with(|| Arc::new(CodeProfile::new(code)));
        Box::new(Tracker::new(Arc::clone(profile), self.is_timed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(bytes: &[u8]) -> Vec<(u32, u32, u32)> {
        let layout = BlockLayout::new(&Code::evm(bytes.to_vec()));
        layout.blocks.iter().map(|span| (span.start, span.end, span.operations)).collect()
    }

    #[test]
    fn blocks_begin_where_control_can_enter_in_any_tier() {
        // push1 1 push1 8 jumpi | push0 stop, dead | jumpdest call | pop, and the end
        let bytes = [0x60, 1, 0x60, 8, 0x57, 0x5f, 0x00, 0x01, 0x5b, 0xf1, 0x50];
        assert_eq!(spans(&bytes), [(0, 5, 3), (5, 7, 2), (8, 10, 2), (10, 12, 2)]);
        // A jumpdest that follows without a jump; an immediate that the end cuts off.
        assert_eq!(spans(&[0x5b, 0x5b, 0x61, 0x5b]), [(0, 1, 1), (1, 6, 3)]);
        assert_eq!(spans(&[]), [(0, 1, 1)]);
        assert_eq!(spans(&[0xfe, 0x5b]), [(0, 1, 1), (1, 3, 2)]);
        assert_eq!(spans(&[0x57]), [(0, 1, 1), (1, 2, 1)]);
    }

    #[test]
    fn the_share_is_a_share_of_something() {
        assert_eq!(Operations::default().compiled_share(), None);
        let operations = Operations { interpreted: 1, compiled: 3 };
        assert_eq!(operations.compiled_share(), Some(0.75));
    }
}
