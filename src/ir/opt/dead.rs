//! Removes operations whose results nobody uses and that do nothing else.

use super::Changed;
use crate::ir::{BlockId, Function, Value};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let mut needed = vec![false; function.value_count];
    let mut definitions: Vec<Option<(BlockId, usize)>> = vec![None; function.value_count];
    let mut work: Vec<Value> = Vec::new();
    for (id, block) in function.blocks() {
        for (index, inst) in block.insts.iter().enumerate() {
            inst.results.iter().for_each(|r| definitions[r.index()] = Some((id, index)));
            if !inst.op.is_removable() {
                work.extend(&inst.args);
            }
        }
        work.extend(block.term.operands());
        work.extend(block.term.successors().flat_map(|to| &to.args));
    }
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut needed[value.index()], true) {
            continue;
        }
        if let Some((block, index)) = definitions[value.index()] {
            work.extend(&function.blocks[block.index()].insts[index].args);
        }
    }
    let mut changed = false;
    for block in &mut function.blocks {
        let before = block.insts.len();
        block.insts.retain(|inst| !inst.op.is_removable() || inst.results.iter().any(|r| needed[r.index()]));
        changed |= block.insts.len() != before;
    }
    Changed::from(changed)
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Changed, dead};
    use crate::ir::text::{print_function, read_module};

    #[test]
    fn chains_of_unused_operations_go_and_effects_stay() {
        let text = "func \"f\" -> 0 {\nb0:\n  v0 = caller\n  v1 = sload v0\n  v2 = add v1, v1\n  v3 = const 1\n  \
                    v4 = ccast.u8 v3\n  sstore v0, v0\n  halt\n}\n";
        let mut function = read_module(text).expect("readable").functions.remove(0);
        assert_eq!(dead::run(&mut function), Changed::Yes);
        let expected = "func \"f\" -> 0 {\nb0:\n  v0 = caller\n  v3 = const 1\n  v4 = ccast.u8 v3\n  sstore v0, v0\n  halt\n}\n";
        assert_eq!(print_function(&function), expected);
        assert_eq!(dead::run(&mut function), Changed::No);
    }
}
