//! Gives each operation without operands (constants, addresses, facts of the frame) one value, defined in the entry block.
//!
//! Codegen pushes such a value again at each use, so where it is defined costs nothing; that equal ones are one value is what
//! lets the other passes compare operands by name.

use rustc_hash::FxHashMap;

use super::Changed;
use crate::ir::build::replace_values;
use crate::ir::{Function, Imm, Inst, Op, Value};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let is_leaf = |inst: &Inst| inst.args.is_empty() && inst.op.is_repeatable();
    let mut values: FxHashMap<(Op, Imm), Value> = FxHashMap::default();
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    // Nothing is to be done if all leaves stand first in the entry block and differ.
    let entry = &function.blocks[Function::ENTRY.index()];
    let standing = entry.insts.iter().take_while(|inst| is_leaf(inst)).count();
    let is_new = |inst: &Inst, values: &mut FxHashMap<(Op, Imm), Value>| {
        values.insert((inst.op, inst.imm), inst.results[0]).is_none()
    };
    let in_place = entry.insts[..standing].iter().all(|inst| is_new(inst, &mut values))
        && !entry.insts[standing..].iter().any(is_leaf)
        && !function.blocks.iter().skip(1).flat_map(|block| &block.insts).any(is_leaf);
    if in_place {
        return Changed::No;
    }
    values.clear();
    let mut leaves = Vec::new();
    for block in &mut function.blocks {
        block.insts.retain_mut(|inst| {
            if !is_leaf(inst) {
                return true;
            }
            let result = inst.results[0];
            let value = *values.entry((inst.op, inst.imm)).or_insert(result);
            if value == result {
                let nothing =
                    Inst { op: inst.op, imm: inst.imm, args: vec![], results: vec![], span: inst.span };
                leaves.push(std::mem::replace(inst, nothing));
            } else {
                replacement[result.index()] = Some(value);
            }
            false
        });
    }
    function.blocks[Function::ENTRY.index()].insts.splice(0..0, leaves);
    replace_values(function, &replacement);
    Changed::Yes
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Changed, leaves};
    use crate::ir::text::{print_function, read_module};

    #[test]
    fn equal_leaves_become_one_value_of_the_entry_block() {
        let text = "func \"f\" -> 0 {\nb0:\n  v0 = caller\n  v1 = sload v0\n  br v1, b1, b2\nb1:\n  v2 = caller\n  v3 = const 7\n  \
                    sstore v2, v3\n  halt\nb2:\n  v4 = const 7\n  v5 = gas\n  sstore v4, v5\n  halt\n}\n";
        let mut function = read_module(text).expect("readable").functions.remove(0);
        assert_eq!(leaves::run(&mut function), Changed::Yes);
        let expected = "func \"f\" -> 0 {\nb0:\n  v0 = caller\n  v3 = const 7\n  v1 = sload v0\n  br v1, b1, b2\nb1:\n  \
                        sstore v0, v3\n  halt\nb2:\n  v5 = gas\n  sstore v3, v5\n  halt\n}\n";
        assert_eq!(print_function(&function), expected);
        assert_eq!(leaves::run(&mut function), Changed::No);
    }
}
