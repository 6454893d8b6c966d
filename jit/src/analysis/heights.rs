//! Stack heights at block heads, where they are the same on every path from the start of the code.
//!
//! A known height makes the stack check of a block a matter of compile time and its slots addresses at fixed
//! offsets. Whoever enters compiled code checks the height once ([`entry`](crate::entry)), so the knowledge is
//! sound for frames that start with words on the stack as well.

use zvm::gas::STACK_LIMIT;

use super::blocks::{Block, BlockId, Target, Terminator};

/// The stack height at a block's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Height {
    /// No path leads there from the start: the block is not compiled.
    Unreached,
    /// The same on every path.
    Known(u16),
    /// Different or not known.
    Unknown,
}

/// Heights of all blocks. Each block changes at most twice, so the work is linear in the edges.
pub(crate) fn solve(blocks: &[Block]) -> Vec<Height> {
    let mut heights = vec![Height::Unreached; blocks.len()];
    let mut work = vec![(0, Height::Known(0))];
    let has_dynamic_jump = blocks.iter().any(|block| {
        matches!(block.terminator, Terminator::Jump(Target::Dynamic) | Terminator::JumpI(Target::Dynamic, _))
    });
    if has_dynamic_jump {
        let targets = blocks.iter().enumerate().filter(|(_, block)| block.is_jump_target);
        work.extend(targets.map(|(id, _)| (id as BlockId, Height::Unknown)));
    }
    while let Some((id, incoming)) = work.pop() {
        let id = id as usize;
        let merged = merge(heights[id], incoming);
        if merged == heights[id] {
            continue;
        }
        heights[id] = merged;
        let block = &blocks[id];
        let Some(after) = height_after(block, merged) else { continue };
        match block.terminator {
            Terminator::FallThrough(next) | Terminator::Asks(next) => work.push((next, after)),
            Terminator::Jump(target) => work.extend(target_block(target).map(|to| (to, after))),
            Terminator::JumpI(target, next) => {
                work.push((next, after));
                work.extend(target_block(target).map(|to| (to, after)));
            }
            Terminator::End => {}
        }
    }
    heights
}

fn merge(old: Height, new: Height) -> Height {
    match (old, new) {
        (Height::Unreached, other) | (other, Height::Unreached) => other,
        (Height::Known(a), Height::Known(b)) if a == b => old,
        _ => Height::Unknown,
    }
}

/// The height at the block's end; `None` when its stack check always fails.
fn height_after(block: &Block, at_head: Height) -> Option<Height> {
    let Height::Known(height) = at_head else { return Some(at_head) };
    fits(block, height).then(|| Height::Known((i32::from(height) + block.delta) as u16))
}

/// Whether the block's stack check succeeds with that many words.
pub(crate) fn fits(block: &Block, height: u16) -> bool {
    height >= block.need && i32::from(height) + block.growth <= STACK_LIMIT as i32
}

fn target_block(target: Target) -> Option<BlockId> {
    match target {
        Target::Block(id) => Some(id),
        Target::Invalid | Target::Dynamic => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::blocks;
    use zvm::Fork;
    use zvm::bytecode::Code;
    use zvm::compiled::frame::Spec;

    fn heights(bytes: &[u8]) -> Vec<Height> {
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        solve(&blocks::find(&Code::evm(bytes.to_vec()), &spec, 256).0)
    }

    #[test]
    fn paths_that_agree_give_a_known_height() {
        // callvalue; push1 6; jumpi; push0; push0 | jumpdest at 6 is reached with 0 and with 2 words
        assert_eq!(
            heights(&[0x34, 0x60, 6, 0x57, 0x5f, 0x5f, 0x5b]),
            [Height::Known(0), Height::Known(0), Height::Unknown]
        );
        assert_eq!(
            heights(&[0x34, 0x60, 6, 0x57, 0x5f, 0x50, 0x5b, 0x5f]),
            [Height::Known(0), Height::Known(0), Height::Known(0)]
        );
    }

    #[test]
    fn a_jump_to_anywhere_makes_targets_unknown() {
        assert_eq!(heights(&[0x5f, 0x34, 0x56, 0x5b]), [Height::Known(0), Height::Unknown]);
    }

    #[test]
    fn what_always_underflows_leads_nowhere() {
        // add; then a target that only that block reaches
        assert_eq!(heights(&[0x01, 0x60, 4, 0x56, 0x5b]), [Height::Known(0), Height::Unreached]);
    }

    #[test]
    fn the_stack_has_room_for_its_limit_only() {
        let mut bytes = vec![0x5f; STACK_LIMIT];
        bytes.extend([0x60, 0]);
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        let (found, _) = blocks::find(&Code::evm(bytes), &spec, 2000);
        assert!(!fits(&found[0], 0));
        assert_eq!(found[0].growth, STACK_LIMIT as i32 + 1);
    }
}
