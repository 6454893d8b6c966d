//! Joins blocks: one that is only reached by a jump from another becomes its end; a jump to a jump goes where that goes.

use super::Changed;
use crate::ir::build::{remove_redundant_params, remove_unreachable, replace_values};
use crate::ir::{BlockCall, BlockId, Function, Terminator, Value};

/// Runs the pass. Parameters that turn out to be redundant and blocks out of reach go, too.
pub fn run(function: &mut Function) -> Changed {
    let before = (function.blocks.len(), function.blocks.iter().map(|b| b.params.len()).sum::<usize>());
    thread_jumps(function);
    remove_unreachable(function);
    remove_redundant_params(function);
    merge_chains(function);
    remove_unreachable(function);
    let after = (function.blocks.len(), function.blocks.iter().map(|b| b.params.len()).sum::<usize>());
    Changed::from(before != after)
}

/// Redirects jumps to blocks that hold nothing but a jump and hand on nothing but their parameters.
fn thread_jumps(function: &mut Function) {
    for index in 0..function.blocks.len() {
        let mut term = std::mem::replace(&mut function.blocks[index].term, Terminator::Invalid);
        for to in term.successors_mut() {
            // A cycle of empty blocks is followed at most once around.
            for _ in 0..function.blocks.len() {
                match forwarded(function, to) {
                    Some(further) if further.block != to.block => *to = further,
                    _ => break,
                }
            }
        }
        function.blocks[index].term = term;
    }
}

/// Where an empty block sends what it is given; `None` if it does more, or its values are used elsewhere.
fn forwarded(function: &Function, call: &BlockCall) -> Option<BlockCall> {
    let block = &function.blocks[call.block.index()];
    let Terminator::Jump(next) = &block.term else { return None };
    if !block.insts.is_empty() || call.block == Function::ENTRY || !block.params.is_empty() {
        // A parameter may be used in blocks further on, which the redirected jump would no longer define.
        return None;
    }
    Some(next.clone())
}

fn merge_chains(function: &mut Function) {
    let mut pred_counts = vec![0usize; function.blocks.len()];
    for block in &function.blocks {
        for to in block.term.successors() {
            pred_counts[to.block.index()] += 1;
        }
    }
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    for index in 0..function.blocks.len() {
        while let Terminator::Jump(to) = &function.blocks[index].term {
            let BlockCall { block: next, args } = to.clone();
            if pred_counts[next.index()] != 1 || next == Function::ENTRY || next == BlockId::new(index) {
                break;
            }
            let taken = &mut function.blocks[next.index()];
            let params = std::mem::take(&mut taken.params);
            let insts = std::mem::take(&mut taken.insts);
            let term = std::mem::replace(&mut taken.term, Terminator::Invalid);
            let term_span = taken.term_span;
            for (param, arg) in params.into_iter().zip(args) {
                replacement[param.index()] = Some(arg);
            }
            let block = &mut function.blocks[index];
            block.insts.extend(insts);
            block.term = term;
            block.term_span = term_span;
            // Nothing leads there any more.
            pred_counts[next.index()] = 0;
        }
    }
    replace_values(function, &replacement);
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::blocks;
    use crate::ir::text::{print_function, read_module};

    fn check(body: &str, expected: &str) {
        let text = format!("func \"f\" -> 0 {{\n{body}}}\n");
        let mut function = read_module(&text).expect("readable").functions.remove(0);
        blocks::run(&mut function);
        assert_eq!(print_function(&function), format!("func \"f\" -> 0 {{\n{expected}}}\n"));
    }

    #[test]
    fn chains_become_one_block() {
        check(
            "b0:\n  v0 = caller\n  jump b1(v0)\nb1(v1):\n  v2 = origin\n  jump b2\nb2:\n  sstore v1, v2\n  halt\n",
            "b0:\n  v0 = caller\n  v2 = origin\n  sstore v0, v2\n  halt\n",
        );
    }

    #[test]
    fn jumps_to_jumps_are_threaded_and_loops_of_jumps_end() {
        check(
            "b0:\n  v0 = caller\n  br v0, b1, b2\nb1:\n  jump b3\nb2:\n  jump b3\nb3:\n  halt\n",
            "b0:\n  v0 = caller\n  br v0, b1, b1\nb1:\n  halt\n",
        );
        check("b0:\n  jump b1\nb1:\n  jump b2\nb2:\n  jump b1\n", "b0:\n  jump b1\nb1:\n  jump b1\n");
    }
}
