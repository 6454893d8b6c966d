//! Makes conditions of branches direct: `br (iszero x), a, b` is `br x, b, a`.

use std::collections::HashMap;

use super::Changed;
use crate::ir::{Function, Op, Terminator, Value};

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let mut inverted: HashMap<Value, Value> = HashMap::new();
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if inst.op == Op::Iszero {
            inverted.insert(inst.results[0], inst.args[0]);
        }
    }
    let mut changed = false;
    for block in &mut function.blocks {
        if let Terminator::Br { cond, then, otherwise } = &mut block.term {
            while let Some(&direct) = inverted.get(cond) {
                *cond = direct;
                std::mem::swap(then, otherwise);
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
        check("  v1 = iszero v0\n", "v1", "br v0, b2, b1");
        check("  v1 = iszero v0\n  v2 = iszero v1\n", "v2", "br v0, b1, b2");
    }
}
