//! Puts the bodies of functions in the place of their calls: those called from one place, and small ones.
//!
//! Callees come first, so a body that is copied is final. A copy's static buffers become the caller's.

use rustc_hash::FxHashMap;

use super::OptLevel;
use crate::ir::verify::call_order;
use crate::ir::{
    Block, BlockCall, BlockId, FuncId, Function, Imm, Inst, Module, Op, SlotId, Terminator, Value,
};

/// What a level copies, besides functions that are called from one place.
struct Budget {
    /// A function of at most this many operations is copied to every call: that takes no more code than calling it.
    small: usize,
    /// A function of at most this many operations is copied while code may grow.
    large: usize,
    /// By how many operations the module may grow.
    growth: usize,
}

impl Budget {
    fn of(module: &Module, level: OptLevel) -> Budget {
        let size: usize = module.functions.iter().map(operation_count).sum();
        match level {
            OptLevel::O0 | OptLevel::Os => Budget { small: 6, large: 0, growth: 0 },
            OptLevel::O1 => Budget { small: 12, large: 40, growth: 60 + size / 8 },
            OptLevel::O2 => Budget { small: 12, large: 160, growth: 200 + size },
        }
    }
}

/// A function that has grown to this many operations takes in no more.
const GROWN_OPERATIONS_MAX: usize = 4_000;

/// Runs the pass. Tells for each function whether it took one in.
pub fn run(module: &mut Module, level: OptLevel) -> Vec<bool> {
    let mut grown = vec![false; module.functions.len()];
    let mut budget = Budget::of(module, level);
    let Ok(order) = call_order(module) else { return grown };
    let mut calls: FxHashMap<FuncId, usize> = FxHashMap::default();
    for inst in module.functions.iter().flat_map(|f| &f.blocks).flat_map(|b| &b.insts) {
        if let Imm::Func(callee) = inst.imm {
            *calls.entry(callee).or_default() += 1;
        }
    }
    for id in order {
        let mut function =
            std::mem::replace(&mut module.functions[id.index()], Function::new("", 0, 0, Default::default()));
        let wants = |callee: FuncId, growth: usize| {
            let size = operation_count(&module.functions[callee.index()]);
            size <= budget.small || calls.get(&callee) == Some(&1) || size <= budget.large.min(growth)
        };
        let mut growth = budget.growth;
        while operation_count(&function) < GROWN_OPERATIONS_MAX {
            let Some((block, index, callee)) = find_call(&function, |callee| wants(callee, growth)) else {
                break;
            };
            let size = operation_count(&module.functions[callee.index()]);
            if size > budget.small && calls.get(&callee) != Some(&1) {
                growth -= size;
            }
            splice(&mut function, block, index, &module.functions[callee.index()]);
            grown[id.index()] = true;
        }
        budget.growth = growth;
        module.functions[id.index()] = function;
    }
    grown
}

fn operation_count(function: &Function) -> usize {
    function
        .blocks
        .iter()
        .map(|block| 1 + block.insts.iter().filter(|inst| inst.op != Op::Const).count())
        .sum()
}

fn find_call(function: &Function, is_wanted: impl Fn(FuncId) -> bool) -> Option<(BlockId, usize, FuncId)> {
    function.blocks().find_map(|(id, block)| {
        block.insts.iter().enumerate().find_map(|(index, inst)| match inst.imm {
            Imm::Func(callee) if is_wanted(callee) => Some((id, index, callee)),
            _ => None,
        })
    })
}

/// Replaces one call by a copy of the callee.
fn splice(function: &mut Function, at: BlockId, index: usize, callee: &Function) {
    let value_base = function.value_count;
    let block_base = function.blocks.len();
    let slot_base = function.slots.len();
    function.value_count += callee.value_count;
    function.slots.extend(&callee.slots);
    let value = |v: Value| Value::new(v.index() + value_base);

    // What follows the call continues in a block of its own, with the results as parameters.
    let caller = &mut function.blocks[at.index()];
    let after = caller.insts.split_off(index + 1);
    let call = caller.insts.pop().expect("the call is there");
    let entry = BlockCall { block: BlockId::new(block_base), args: call.args };
    let term = std::mem::replace(&mut caller.term, Terminator::Jump(entry));
    let term_span = std::mem::replace(&mut caller.term_span, call.span);
    let continuation = BlockId::new(block_base + callee.blocks.len());

    for block in &callee.blocks {
        let mut copy: Block = block.clone();
        copy.params.iter_mut().for_each(|v| *v = value(*v));
        for inst in &mut copy.insts {
            renumber(inst, value, slot_base);
        }
        copy.term.for_each_value_mut(|v| *v = value(*v));
        for to in copy.term.successors_mut() {
            to.block = BlockId::new(to.block.index() + block_base);
        }
        if let Terminator::Ret(values) = &mut copy.term {
            copy.term = Terminator::Jump(BlockCall { block: continuation, args: std::mem::take(values) });
        }
        function.blocks.push(copy);
    }
    function.blocks.push(Block { params: call.results, insts: after, term, term_span });
}

fn renumber(inst: &mut Inst, value: impl Fn(Value) -> Value, slot_base: usize) {
    inst.args.iter_mut().chain(&mut inst.results).for_each(|v| *v = value(*v));
    if let Imm::Slot(slot) = &mut inst.imm {
        *slot = SlotId::new(slot.index() + slot_base);
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{blocks, inline};
    use crate::ir::text::{print_module, read_module};
    use crate::ir::verify::verify;

    #[test]
    fn a_call_becomes_the_body() {
        let text = "module \"m\"\nfunc \"entry\" -> 0 {\nb0:\n  v0 = caller\n  v1 = icall f1, v0\n  sstore v0, v1\n  halt\n}\n\
                    func \"f\" -> 1 {\n  slot s0 32\nb0(v0):\n  v1 = frameaddr s0\n  br v0, b1, b2\nb1:\n  ret v1\nb2:\n  ret v0\n}\n";
        let mut module = read_module(text).expect("readable");
        inline::run(&mut module, crate::ir::opt::OptLevel::O1);
        for function in &mut module.functions {
            blocks::run(function);
        }
        verify(&module).expect("well-formed");
        let printed = print_module(&module);
        let entry = &printed[..printed.find("func \"f\"").expect("both are there")];
        let expected = "  slot s0 32\nb0:\n  v0 = caller\n  v3 = frameaddr s0\n  br v0, b1(v3), b1(v0)\nb1(v1):\n  sstore v0, v1\n  halt\n";
        assert!(entry.contains(expected), "{entry}");
    }
}
