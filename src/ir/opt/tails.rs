//! Makes one of blocks that end the frame in the same way: the same operations on the same values, then the same end.
//!
//! Blocks that end in success are left apart unless code is to be small: one of them would have to be jumped to.

use rustc_hash::FxHashMap;

use super::{Changed, Context, OptLevel};
use crate::ir::{Block, BlockId, Function, Imm, Op, Terminator, Value};

/// Longer blocks are not compared.
const OPERATIONS_MAX: usize = 16;

/// Runs the pass.
pub fn run(function: &mut Function, cx: &Context) -> Changed {
    let mut first: FxHashMap<Shape, BlockId> = FxHashMap::default();
    let mut same: Vec<Option<BlockId>> = vec![None; function.blocks.len()];
    for (id, block) in function.blocks().skip(1) {
        let succeeds = matches!(block.term, Terminator::Return { .. } | Terminator::Halt);
        if succeeds && cx.level != OptLevel::Os {
            continue;
        }
        if let Some(shape) = shape(block) {
            let kept = *first.entry(shape).or_insert(id);
            same[id.index()] = (kept != id).then_some(kept);
        }
    }
    let mut changed = false;
    for block in &mut function.blocks {
        for to in block.term.successors_mut() {
            if let Some(kept) = same[to.block.index()] {
                to.block = kept;
                changed = true;
            }
        }
    }
    if changed {
        crate::ir::build::remove_unreachable(function);
    }
    Changed::from(changed)
}

/// A value as blocks name it: one of all blocks, or the result with this number of the block itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Outer(Value),
    Own(usize),
}

#[derive(PartialEq, Eq, Hash)]
struct Shape {
    operations: Vec<(Op, Imm, Vec<Name>)>,
    // Which end, and with what.
    end: (u16, Vec<Name>),
}

/// What a block does; `None` if it takes parameters, goes on, or is long.
fn shape(block: &Block) -> Option<Shape> {
    let kind = match block.term {
        Terminator::Return { .. } => 0x100,
        Terminator::Revert { .. } => 0x101,
        Terminator::Halt => 0x102,
        Terminator::Invalid => 0x103,
        Terminator::Panic(code) => u16::from(code),
        _ => return None,
    };
    if !block.params.is_empty() || block.insts.len() > OPERATIONS_MAX {
        return None;
    }
    let mut own: FxHashMap<Value, usize> = FxHashMap::default();
    let mut operations = Vec::with_capacity(block.insts.len());
    for inst in &block.insts {
        let args = inst.args.iter().map(|arg| name(&own, *arg)).collect();
        operations.push((inst.op, inst.imm, args));
        for &result in &inst.results {
            own.insert(result, own.len());
        }
    }
    let end = block.term.operands().map(|value| name(&own, value)).collect();
    Some(Shape { operations, end: (kind, end) })
}

fn name(own: &FxHashMap<Value, usize>, value: Value) -> Name {
    own.get(&value).map_or(Name::Outer(value), |&number| Name::Own(number))
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Changed, Context, OptLevel, tails};
    use crate::ir::text::{print_function, read_module};

    #[test]
    fn equal_ends_become_one() {
        let text = "func \"f\" -> 0 {\nb0:\n  v0 = caller\n  v1 = const 4\n  switch v0, [1: b1, 2: b2, 3: b3], b4\n\
                    b1:\n  v2 = add v0, v1\n  mstore v1, v2\n  revert v1, v1\n\
                    b2:\n  v3 = add v0, v1\n  mstore v1, v3\n  revert v1, v1\n\
                    b3:\n  v4 = add v1, v1\n  mstore v1, v4\n  revert v1, v1\n\
                    b4:\n  v5 = add v0, v1\n  mstore v1, v5\n  return v1, v1\n}\n";
        let mut module = read_module(text).expect("readable");
        let cx = Context::of(&module, OptLevel::O1);
        let mut function = module.functions.remove(0);
        assert_eq!(tails::run(&mut function, &cx), Changed::Yes);
        let printed = print_function(&function);
        assert!(printed.contains("[1: b1, 2: b1, 3: b2], b3"), "{printed}");
        assert_eq!(printed.matches("revert").count(), 2, "{printed}");
        assert_eq!(tails::run(&mut function, &cx), Changed::No);
    }
}
