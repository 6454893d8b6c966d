//! Where each value of a function lives, decided before any code is emitted.
//!
//! - **Pushed**: constants and environment reads are never kept; they are pushed again at each use.
//! - **Folded**: a pure operation used once, in its own block, is emitted where it is used, as part of an expression.
//! - **Stack**: everything else, as long as at most [`CodegenOptions::stack_words_max`](super::CodegenOptions) words are live at once.
//! - **Memory**: what exceeds that has a word in the function's static frame, so scheduling never fails.
//!
//! The return address of a function is a value like any other, [`Plan::return_address`], used by every `ret`.

use rustc_hash::FxHashSet;

use super::target::Target;
use crate::ir::{BlockId, Effect, Function, Inst, Op, Terminator, Value};

/// An expression is emitted in one piece up to this nesting.
const FOLD_DEPTH_MAX: u32 = 32;

/// Where a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// Pushed at each use.
    Pushed,
    /// Emitted at its only use.
    Folded,
    /// On the stack from definition to last use.
    Stack,
    /// In this word of the function's frame.
    Memory(u32),
}

/// The decisions for one function.
pub(super) struct Plan {
    /// The home of each value, [`Plan::return_address`] included.
    pub(super) homes: Vec<Home>,
    /// The operation that defines each value: block and index; `None` for parameters.
    pub(super) defs: Vec<Option<(BlockId, usize)>>,
    /// For each block, the values with home `Stack` or `Memory` that are live when it begins, without its parameters.
    pub(super) live_in: Vec<Vec<Value>>,
    /// For each block, how many jumps lead to it.
    pub(super) pred_counts: Vec<usize>,
    /// Words of the frame used for values; parameter and result words come first.
    pub(super) frame_words: u32,
    /// Frame words that hold the parameters beyond [`Target::stack_args_max`], in order.
    pub(super) param_words: u32,
    /// Frame words that hold the results beyond [`Target::stack_args_max`], after the parameters'.
    pub(super) result_words: u32,
}

impl Plan {
    /// Decides for a verified function whose blocks are all reachable.
    pub(super) fn of(function: &Function, target: Target, stack_words_max: usize) -> Plan {
        let on_stack = target.stack_args_max();
        let mut plan = Plan {
            homes: vec![Home::Stack; function.value_count + 1],
            defs: vec![None; function.value_count + 1],
            live_in: Vec::new(),
            pred_counts: vec![0; function.blocks.len()],
            frame_words: 0,
            param_words: function.params().len().saturating_sub(on_stack) as u32,
            result_words: function.result_count.saturating_sub(on_stack) as u32,
        };
        plan.frame_words = plan.param_words + plan.result_words;
        for (id, block) in function.blocks() {
            for (i, inst) in block.insts.iter().enumerate() {
                for result in &inst.results {
                    plan.defs[result.index()] = Some((id, i));
                }
            }
            for to in block.term.successors() {
                plan.pred_counts[to.block.index()] += 1;
            }
        }
        plan.choose_pushed_and_folded(function, target.fold_words_max());
        for (i, &param) in function.params().iter().enumerate().skip(on_stack) {
            plan.homes[param.index()] = Home::Memory((i - on_stack) as u32);
        }
        plan.live_in = plan.liveness(function);
        plan.spill(function, stack_words_max);
        plan
    }

    /// The value that stands for the return address.
    pub(super) fn return_address(function: &Function) -> Value {
        Value::new(function.value_count)
    }

    /// The home of a value.
    pub(super) fn home(&self, value: Value) -> Home {
        self.homes[value.index()]
    }

    /// Whether an operation is emitted where its result is used, not where it stands.
    pub(super) fn is_deferred(&self, inst: &Inst) -> bool {
        matches!(inst.results[..], [result] if matches!(self.home(result), Home::Pushed | Home::Folded))
    }

    /// Whether nothing is needed from the stack when a block begins.
    pub(super) fn needs_nothing(&self, function: &Function, block: BlockId) -> bool {
        let on_stack = |v: &Value| self.home(*v) == Home::Stack;
        !self.live_in[block.index()].iter().any(on_stack)
            && !function.blocks[block.index()].params.iter().any(on_stack)
    }

    fn choose_pushed_and_folded(&mut self, function: &Function, fold_words_max: u32) {
        let mut uses = vec![0u32; self.homes.len()];
        // The block of the last use seen; decides only when there is one use.
        let mut used_in = vec![BlockId(0); self.homes.len()];
        for (id, _) in function.blocks() {
            for value in block_uses(function, id) {
                uses[value.index()] += 1;
                used_in[value.index()] = id;
            }
        }
        // Nesting and stack words of the expression that ends in each value.
        let mut depths = vec![0u32; self.homes.len()];
        let mut words = vec![1u32; self.homes.len()];
        for (id, block) in function.blocks() {
            for inst in &block.insts {
                let [result] = inst.results[..] else { continue };
                let info = inst.op.info();
                let pure = matches!(info.effect, Effect::Pure | Effect::Env) && !info.traps;
                if !pure {
                    continue;
                }
                let sum_depth = self.sum_depth(function, inst, &depths);
                if inst.args.is_empty() || sum_depth.is_some() {
                    self.homes[result.index()] = Home::Pushed;
                    depths[result.index()] = sum_depth.unwrap_or(0);
                    continue;
                }
                let folded = |arg: &Value| self.home(*arg) == Home::Folded;
                let depth =
                    1 + inst.args.iter().filter(|a| folded(a)).map(|a| depths[a.index()]).max().unwrap_or(0);
                // Operands are placed last one first.
                let peak =
                    inst.args.iter().rev().enumerate().map(|(placed, arg)| {
                        placed as u32 + if folded(arg) { words[arg.index()] } else { 1 }
                    });
                let peak = peak.max().unwrap_or(1);
                let fits = depth <= FOLD_DEPTH_MAX && peak <= fold_words_max;
                if fits && uses[result.index()] == 1 && used_in[result.index()] == id {
                    self.homes[result.index()] = Home::Folded;
                    depths[result.index()] = depth;
                    words[result.index()] = peak;
                }
            }
        }
    }

    /// How deep a sum nests of words that are known when frames are laid out, for which one push does; `None` if the
    /// operation is no such sum.
    fn sum_depth(&self, function: &Function, inst: &Inst, depths: &[u32]) -> Option<u32> {
        let depth_of = |arg: &Value| {
            let (block, index) = self.defs[arg.index()]?;
            match function.blocks[block.index()].insts[index].op {
                Op::Const | Op::FrameAddr | Op::HeapBase => Some(0),
                Op::Add if self.home(*arg) == Home::Pushed => Some(depths[arg.index()]),
                _ => None,
            }
        };
        let depths: Option<Vec<u32>> = inst.args.iter().map(depth_of).collect();
        let depth = 1 + depths.filter(|_| inst.op == Op::Add)?.into_iter().max()?;
        (depth <= FOLD_DEPTH_MAX).then_some(depth)
    }

    /// The values live at the start of each block: walks from each use up to the definition.
    fn liveness(&self, function: &Function) -> Vec<Vec<Value>> {
        let preds = function.predecessors();
        let return_address = Plan::return_address(function);
        let mut def_block: Vec<BlockId> =
            self.defs.iter().map(|def| def.map_or(Function::ENTRY, |(b, _)| b)).collect();
        for (id, block) in function.blocks() {
            for param in &block.params {
                def_block[param.index()] = id;
            }
        }
        // Uses from which the walk starts, grouped by value so that each block is marked once per value.
        let mut use_blocks: Vec<Vec<BlockId>> = vec![Vec::new(); self.homes.len()];
        for (id, block) in function.blocks() {
            let returns = matches!(block.term, Terminator::Ret(_)).then_some(return_address);
            for value in block_uses(function, id).chain(returns) {
                let kept = matches!(self.home(value), Home::Stack | Home::Memory(_));
                if kept && def_block[value.index()] != id && use_blocks[value.index()].last() != Some(&id) {
                    use_blocks[value.index()].push(id);
                }
            }
        }
        // The return address is defined before the entry block begins, and nothing jumps there, so it stops there too.
        let mut live_in: Vec<Vec<Value>> = vec![Vec::new(); function.blocks.len()];
        for (index, blocks) in use_blocks.into_iter().enumerate() {
            let value = Value::new(index);
            let mut work = blocks;
            while let Some(block) = work.pop() {
                if live_in[block.index()].last() == Some(&value) {
                    continue;
                }
                live_in[block.index()].push(value);
                work.extend(preds[block.index()].iter().filter(|&&p| def_block[index] != p));
            }
        }
        live_in
    }

    /// Moves values to memory until at most `limit` words are live at each point.
    fn spill(&mut self, function: &Function, limit: usize) {
        let mut use_counts = vec![0u32; self.homes.len()];
        for (id, _) in function.blocks() {
            block_uses(function, id).for_each(|v| use_counts[v.index()] += 1);
        }
        for (id, block) in function.blocks() {
            let mut live = FxHashSet::default();
            let successors = block.term.successors().flat_map(|to| &self.live_in[to.block.index()]);
            for value in successors.copied().chain(block.term.operands()) {
                self.add_leaves(function, value, &mut live);
            }
            for value in block.term.successors().flat_map(|to| to.args.iter().copied()) {
                self.add_leaves(function, value, &mut live);
            }
            self.settle(&mut live, &use_counts, limit);
            for inst in block.insts.iter().rev().filter(|inst| !self.is_deferred(inst)).collect::<Vec<_>>() {
                for result in &inst.results {
                    live.remove(result);
                }
                for &arg in &inst.args {
                    self.add_leaves(function, arg, &mut live);
                }
                self.settle(&mut live, &use_counts, limit);
            }
            for &value in block.params.iter().chain(&self.live_in[id.index()]) {
                self.add_leaves(function, value, &mut live);
            }
            self.settle(&mut live, &use_counts, limit);
        }
    }

    /// Adds the values on the stack that are needed to compute `value`; folding is bounded, and so is this recursion.
    fn add_leaves(&self, function: &Function, value: Value, live: &mut FxHashSet<Value>) {
        match self.home(value) {
            // The return address stays on the stack, where the final check can see it.
            Home::Stack if value == Plan::return_address(function) => {}
            Home::Stack => drop(live.insert(value)),
            Home::Folded => {
                let (block, index) =
                    self.defs[value.index()].expect("a folded value is the result of an operation");
                for &arg in &function.blocks[block.index()].insts[index].args {
                    self.add_leaves(function, arg, live);
                }
            }
            Home::Pushed | Home::Memory(_) => {}
        }
    }

    /// Moves the least used of the live values to memory.
    fn settle(&mut self, live: &mut FxHashSet<Value>, use_counts: &[u32], limit: usize) {
        if live.len() <= limit {
            return;
        }
        let mut candidates: Vec<Value> = live.iter().copied().collect();
        candidates.sort_unstable_by_key(|v| (use_counts[v.index()], *v));
        for value in candidates.into_iter().take(live.len() - limit) {
            self.homes[value.index()] = Home::Memory(self.frame_words);
            self.frame_words += 1;
            live.remove(&value);
        }
    }
}

/// Every use of a value in a block: operands, then those of the terminator, then what it hands over.
pub(super) fn block_uses(function: &Function, block: BlockId) -> impl Iterator<Item = Value> {
    let block = &function.blocks[block.index()];
    let operands = block.insts.iter().flat_map(|inst| inst.args.iter().copied());
    let handed_over = block.term.successors().flat_map(|to| to.args.iter().copied());
    operands.chain(block.term.operands()).chain(handed_over)
}
