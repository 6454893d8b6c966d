//! Which carried words of a loop are worth keeping in one register: counters and what is narrow by construction.
//!
//! The answer is a guess that compiled code tests: on the way into the loop, and on each way round where the
//! translator can't prove it. A wrong guess costs time, never correctness.

use std::collections::BTreeMap;
use std::ops::Range;

use alloy_primitives::U256;
use zvm::bytecode::{Code, Op};
use zvm::interp::ops::checked::NumType;

use crate::analysis::Analysis;
use crate::analysis::blocks::{self, BlockId, Instr};

/// What a word is, as far as the guess goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sym {
    /// The carried word at this position, as it was at the block's head, or a small constant away from it.
    Slot(i32),
    /// Fits one limb by construction.
    Narrow,
    /// A literal.
    Const(U256),
    /// Anything else.
    Other,
}

/// For each position, whether its word is expected to fit one limb at the heads of all blocks.
pub(super) fn guess(
    code: &Code,
    analysis: &Analysis,
    heights: &BTreeMap<BlockId, i32>,
    positions: &Range<i32>,
) -> Vec<bool> {
    let ends: Vec<(i32, Vec<Sym>)> = heights
        .iter()
        .map(|(&id, &height)| (height, simulate(code, analysis, id, positions.start, height)))
        .collect();
    let mut narrow = vec![true; positions.len()];
    let index = |position: i32| usize::try_from(position - positions.start).unwrap_or(usize::MAX);
    // Each round takes at least one guess back.
    loop {
        let before = narrow.clone();
        for (_, end) in &ends {
            for (position, sym) in end.iter().enumerate().take(narrow.len()) {
                let holds = match sym {
                    Sym::Slot(from) => before.get(index(*from)).copied().unwrap_or(false),
                    Sym::Narrow => true,
                    Sym::Const(value) => value.bit_len() <= 64,
                    Sym::Other => false,
                };
                narrow[position] &= holds;
            }
        }
        if narrow == before {
            return narrow;
        }
    }
}

/// The stack at a block's end, from position `lowest` on.
fn simulate(code: &Code, analysis: &Analysis, id: BlockId, lowest: i32, height: i32) -> Vec<Sym> {
    let mut stack: Vec<Sym> = (lowest..height).map(Sym::Slot).collect();
    for instr in &analysis.instrs[analysis.blocks[id as usize].instrs.clone()] {
        let Some(op) = instr.op else { break };
        apply(code, instr, op, &mut stack);
    }
    stack
}

fn apply(code: &Code, instr: &Instr, op: Op, stack: &mut Vec<Sym>) {
    let top = |stack: &[Sym], n: usize| stack.len().checked_sub(n).map_or(Sym::Other, |index| stack[index]);
    if let Some(value) = blocks::push_value(code, instr, op) {
        stack.push(Sym::Const(value));
    } else if let Some(n) = blocks::dup_depth(op, instr.immediate) {
        stack.push(top(stack, n));
    } else if let Some(n) = blocks::swap_depth(op, instr.immediate) {
        let (high, deep) = (top(stack, 1), top(stack, n + 1));
        for (n, sym) in [(1, deep), (n + 1, high)] {
            if let Some(index) = stack.len().checked_sub(n) {
                stack[index] = sym;
            }
        }
    } else {
        let (needs, leaves) = op.stack_effect(instr.immediate);
        let result = result_of(op, instr.immediate, top(stack, 1), top(stack, 2));
        stack.truncate(stack.len().saturating_sub(usize::from(needs)));
        stack.extend((0..leaves).map(|_| result));
    }
}

fn result_of(op: Op, immediate: u8, a: Sym, b: Sym) -> Sym {
    match op {
        Op::Lt | Op::Gt | Op::Slt | Op::Sgt | Op::Eq | Op::IsZero | Op::Byte => Sym::Narrow,
        Op::Gas | Op::Msize | Op::CodeSize => Sym::Narrow,
        Op::And if is_narrow(a) || is_narrow(b) => Sym::Narrow,
        Op::Or | Op::Xor if is_narrow(a) && is_narrow(b) => Sym::Narrow,
        Op::Add | Op::Sub => match (a, b) {
            (slot @ Sym::Slot(_), Sym::Const(_)) => slot,
            (Sym::Const(_), slot @ Sym::Slot(_)) if op == Op::Add => slot,
            _ => Sym::Other,
        },
        Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CCast => {
            match NumType::from_immediate(immediate) {
                Some(t) if !t.signed && t.width_bytes() <= 8 => Sym::Narrow,
                Some(_) | None => Sym::Other,
            }
        }
        _ => Sym::Other,
    }
}

fn is_narrow(sym: Sym) -> bool {
    match sym {
        Sym::Narrow => true,
        Sym::Const(value) => value.bit_len() <= 64,
        Sym::Slot(_) | Sym::Other => false,
    }
}
