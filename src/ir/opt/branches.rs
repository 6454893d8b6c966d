//! Makes conditions of branches direct: `br (iszero x), a, b` is `br x, b, a`, and `br (gt x, 0), a, b` is `br x, a, b`.

use alloy_primitives::U256;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Changed;
use crate::ir::{Function, Imm, Op, Terminator, Value};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let insts = || function.blocks.iter().flat_map(|block| &block.insts);
    let zeros: FxHashSet<Value> =
        insts().filter(|inst| inst.imm == Imm::Word(U256::ZERO)).map(|inst| inst.results[0]).collect();
    let mut inverted: FxHashMap<Value, Value> = FxHashMap::default();
    let mut same: FxHashMap<Value, Value> = FxHashMap::default();
    for inst in insts() {
        match (inst.op, &inst.args[..]) {
            (Op::Iszero, &[x]) => drop(inverted.insert(inst.results[0], x)),
            (Op::Gt, &[x, zero]) | (Op::Lt, &[zero, x]) if zeros.contains(&zero) => {
                same.insert(inst.results[0], x);
            }
            _ => {}
        }
    }
    let mut changed = false;
    for block in &mut function.blocks {
        if let Terminator::Br { cond, then, otherwise } = &mut block.term {
            while let Some(&direct) = inverted.get(cond).or_else(|| same.get(cond)) {
                if inverted.contains_key(cond) {
                    std::mem::swap(then, otherwise);
                }
                *cond = direct;
                changed = true;
            }
        }
    }
    Changed::from(changed)
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Changed, branches};
    use crate::ir::text::{print_function, read_module};

    #[test]
    fn each_inversion_swaps_the_ways() {
        let check = |inversions: &str, cond: &str, expected: &str| {
            let text = format!(
                "func \"f\" -> 0 {{\nb0:\n  v0 = caller\n{inversions}  br {cond}, b1, b2\nb1:\n  halt\nb2:\n  panic 0x01\n}}\n"
            );
            let mut function = read_module(&text).expect("readable").functions.remove(0);
            let changed = branches::run(&mut function);
            assert_eq!(changed == Changed::Yes, !inversions.is_empty());
            assert!(print_function(&function).contains(expected), "{}", print_function(&function));
        };
        check("", "v0", "br v0, b1, b2");
        check("  v1 = const 0\n  v2 = lt v1, v0\n", "v2", "br v0, b1, b2");
        check("  v1 = iszero v0\n", "v1", "br v0, b2, b1");
        check("  v1 = iszero v0\n  v2 = iszero v1\n", "v2", "br v0, b1, b2");
    }
}
