//! Moves out of loops what every round would do again: dear pure operations whose operands come from outside, and loads of storage
//! that nothing in the loop writes.
//!
//! A cheap operation stays: a word that lies on the stack for the whole loop costs about as much. A load moves only from the head of
//! a loop, which is executed whenever the loop is entered; a pure operation from every block that each round passes.

use super::places::Places;
use super::{Changed, Context};
use crate::ir::dominance::Dominance;
use crate::ir::{Block, BlockCall, BlockId, Function, Inst, Op, Terminator, Value};

/// Operations moved out of one loop: each takes a word of stack while it runs.
const MOVED_MAX: usize = 6;

/// Runs the pass.
pub fn run(function: &mut Function, cx: &Context) -> Changed {
    let movable = |inst: &Inst| is_movable_hash(inst.op) || inst.op == Op::Sload;
    if !function.blocks.iter().flat_map(|block| &block.insts).any(movable) {
        return Changed::No;
    }
    let mut shape = Shape::of(function);
    let heads = shape.heads();
    let mut changed = false;
    for head in heads {
        if hoist(function, cx, head, &shape) {
            changed = true;
            shape = Shape::of(function);
        }
    }
    Changed::from(changed)
}

/// A pure operation that costs more than a word on the stack.
fn is_movable_hash(op: Op) -> bool {
    matches!(op, Op::Tablehash | Op::Exp | Op::Mulmod | Op::Addmod)
}

/// What is known of a function's blocks as long as nothing moves.
pub(super) struct Shape {
    pub(super) dominance: Dominance,
    pub(super) preds: Vec<Vec<BlockId>>,
    pub(super) places: Places,
}

impl Shape {
    pub(super) fn of(function: &Function) -> Shape {
        Shape {
            dominance: Dominance::of(function),
            preds: function.predecessors(),
            places: Places::of(function),
        }
    }

    /// The heads of all loops, outer ones first.
    pub(super) fn heads(&self) -> Vec<BlockId> {
        let is_head =
            |id: &BlockId| self.preds[id.index()].iter().any(|&pred| self.dominance.dominates(*id, pred));
        self.dominance.preorder().iter().copied().filter(is_head).collect()
    }
}

/// The blocks of a loop: those on a way from the head back to it.
pub(super) fn body(
    dominance: &Dominance,
    preds: &[Vec<BlockId>],
    head: BlockId,
    latches: &[BlockId],
) -> Vec<bool> {
    let mut within = vec![false; preds.len()];
    within[head.index()] = true;
    let mut work = latches.to_vec();
    while let Some(block) = work.pop() {
        if dominance.dominates(head, block) && !std::mem::replace(&mut within[block.index()], true) {
            work.extend(&preds[block.index()]);
        }
    }
    within
}

fn hoist(function: &mut Function, cx: &Context, head: BlockId, shape: &Shape) -> bool {
    let Shape { dominance, preds, places } = shape;
    let (latches, ways): (Vec<BlockId>, Vec<BlockId>) =
        preds[head.index()].iter().partition(|&&pred| dominance.dominates(head, pred));
    let [way] = ways[..] else { return false };
    let within = body(dominance, preds, head, &latches);
    let mut inside: Vec<bool> = vec![false; function.value_count];
    for (id, block) in function.blocks().filter(|(id, _)| within[id.index()]) {
        debug_assert!(dominance.dominates(head, id));
        block.defs().for_each(|value| inside[value.index()] = true);
    }
    let writes: Vec<Write> = function
        .blocks()
        .filter(|(id, _)| within[id.index()])
        .flat_map(|(_, block)| block.insts.iter().filter_map(|inst| Write::of(inst, cx)))
        .collect();
    let mut moved: Vec<Inst> = Vec::new();
    for &id in dominance.preorder().iter().filter(|id| within[id.index()]) {
        if !latches.iter().all(|&latch| dominance.dominates(id, latch)) {
            continue;
        }
        let block = &mut function.blocks[id.index()];
        block.insts.retain(|inst| {
            let fixed = inst.args.iter().all(|arg| !inside[arg.index()]);
            let wanted = match inst.op {
                op if is_movable_hash(op) => true,
                Op::Sload if id == head => !writes.iter().any(|write| write.may_change(inst, places)),
                _ => false,
            };
            if !fixed || !wanted || moved.len() == MOVED_MAX {
                return true;
            }
            inst.results.iter().for_each(|result| inside[result.index()] = false);
            moved.push(inst.clone());
            false
        });
    }
    if moved.is_empty() {
        return false;
    }
    place(function, way, head, moved);
    true
}

/// Something in a loop that changes storage.
enum Write {
    Slot(Value),
    Anything,
}

impl Write {
    fn of(inst: &Inst, cx: &Context) -> Option<Write> {
        if inst.op == Op::Sstore {
            return Some(Write::Slot(inst.args[0]));
        }
        cx.of_inst(inst).writes_storage.then_some(Write::Anything)
    }

    fn may_change(&self, load: &Inst, places: &Places) -> bool {
        match self {
            Write::Slot(slot) => places.may_be_one(places.slot(*slot), places.slot(load.args[0])),
            Write::Anything => true,
        }
    }
}

/// Puts operations on the way into a loop; gives the block where they stand.
pub(super) fn place(function: &mut Function, way: BlockId, head: BlockId, moved: Vec<Inst>) -> BlockId {
    let from = &mut function.blocks[way.index()];
    if let Terminator::Jump(_) = from.term {
        from.insts.extend(moved);
        return way;
    }
    // The way is one of several out of a block: it gets a block of its own.
    let fresh = BlockId::new(function.blocks.len());
    let mut term_span = function.span;
    let from = &mut function.blocks[way.index()];
    if let Some(first) = moved.first() {
        term_span = first.span;
    }
    let mut args = Vec::new();
    for to in from.term.successors_mut().filter(|to| to.block == head) {
        args = std::mem::take(&mut to.args);
        to.block = fresh;
    }
    let term = Terminator::Jump(BlockCall { block: head, args });
    function.blocks.push(Block { params: Vec::new(), insts: moved, term, term_span });
    fresh
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{Context, OptLevel, hoist};
    use crate::ir::text::{print_function, read_module};

    fn after(body: &str) -> String {
        let text = format!(
            "func \"f\" -> 0 {{\nb0:\n  v0 = caller\n  v1 = const 1\n  v2 = const 2\n  jump b1(v1)\nb1(v3):\n{body}  v9 = add v3, v1\n  \
             br v9, b1(v9), b2\nb2:\n  halt\n}}\n"
        );
        let mut module = read_module(&text).expect("readable");
        let cx = Context::of(&module, OptLevel::O1);
        hoist::run(&mut module.functions[0], &cx);
        crate::ir::verify::verify(&module).expect("well-formed");
        print_function(&module.functions[0])
    }

    /// Whether the operation stands before the loop.
    fn check(body: &str, operation: &str, moves: bool) {
        let printed = after(body);
        let (before, _) = printed.split_once("b1(").expect("the loop");
        assert_eq!(before.contains(operation), moves, "{operation} in\n{printed}");
    }

    #[test]
    fn hashes_and_loads_of_what_the_loop_leaves_alone_move() {
        check("  v4 = tablehash v1, v0\n  tstore v4, v3\n", "tablehash", true);
        check("  v4 = tablehash v1, v3\n  tstore v4, v3\n", "tablehash", false);
        check("  v4 = sload v1\n  tstore v4, v3\n", "sload", true);
        check("  v4 = sload v1\n  sstore v2, v4\n", "sload", true);
        check("  v4 = sload v1\n  sstore v1, v3\n  tstore v4, v3\n", "sload", false);
        check("  v4 = sload v1\n  sstore v3, v4\n", "sload", false);
        check("  v4 = sload v1\n  v5 = staticcall v0, v0, v1, v1, v1, v1\n  tstore v4, v5\n", "sload", true);
        check("  v4 = sload v1\n  v5 = call v0, v0, v1, v1, v1, v1, v1\n  tstore v4, v5\n", "sload", false);
    }

    #[test]
    fn a_way_that_is_one_of_several_gets_a_block() {
        let text = "func \"f\" -> 0 {\nb0:\n  v0 = caller\n  br v0, b1(v0), b2\nb1(v3):\n  v4 = tablehash v0, v0\n  sstore v4, v3\n  \
                    br v3, b1(v4), b2\nb2:\n  halt\n}\n";
        let mut module = read_module(text).expect("readable");
        let cx = Context::of(&module, OptLevel::O1);
        hoist::run(&mut module.functions[0], &cx);
        crate::ir::verify::verify(&module).expect("well-formed");
        let printed = print_function(&module.functions[0]);
        assert!(
            printed.contains("br v0, b3, b2")
                && printed.contains("b3:\n  v4 = tablehash v0, v0\n  jump b1(v0)"),
            "{printed}"
        );
    }
}
