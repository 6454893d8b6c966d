//! How blocks end: jumps with the stack that their targets expect, returns, the ends of the frame.

use alloy_primitives::U256;
use rustc_hash::FxHashMap;
use zvm::bytecode::Op as MachineOp;
use zvm::outcome::panic_data;

use super::{Emitter, Operand};
use crate::codegen::Failure;
use crate::codegen::labels::{CodeBlock, Exit, Item, Label};
use crate::codegen::plan::{Home, Plan};
use crate::ir::{BlockCall, Terminator, Value};

/// Up to this many cases a `switch` compares one by one.
const LINEAR_CASES_MAX: usize = 4;

impl Emitter<'_> {
    pub(super) fn terminator(&mut self, term: &Terminator) -> Result<(), Failure> {
        match term {
            Terminator::Jump(to) => {
                self.materialize(&to.args)?;
                self.edge_moves(to)?;
                let target = self.edge_target(to);
                self.shuffle_to(&target)?;
                let exit = Exit::Jump(self.block_labels[to.block.index()]);
                self.finish(self.block_labels[self.current.index()], exit);
            }
            Terminator::Br { cond, then, otherwise } => self.branch(*cond, then, otherwise)?,
            Terminator::Switch { value, cases, default } => self.switch(*value, cases, default)?,
            Terminator::Ret(values) => self.ret(values)?,
            Terminator::Return { address, size } => self.end_with(*address, *size, MachineOp::Return)?,
            Terminator::Revert { address, size } => self.end_with(*address, *size, MachineOp::Revert)?,
            Terminator::Halt => self.end(Item::Op(MachineOp::Halt)),
            Terminator::Panic(code) => self.panic(*code),
            Terminator::Invalid => self.end(Item::Op(MachineOp::Invalid)),
        }
        Ok(())
    }

    fn finish(&mut self, label: Label, exit: Exit) {
        let items = std::mem::take(&mut self.items);
        self.blocks.push(CodeBlock { label, items, exit, span: self.span });
    }

    fn end(&mut self, item: Item) {
        self.push_item(item);
        self.finish(self.block_labels[self.current.index()], Exit::End);
    }

    /// Reverts with `Panic(code)`, in as few bytes as the target allows.
    fn panic(&mut self, code: u8) {
        if self.context.target.has(MachineOp::Panic) {
            return self.end(Item::WithByte(MachineOp::Panic, code));
        }
        let data = panic_data(code);
        let (selector, argument) = data.split_at(data.len() - U256::BYTES);
        self.push_item(Item::Push(U256::from_be_slice(selector)));
        self.push_word(8 * (U256::BYTES - selector.len()) as u64);
        self.op(MachineOp::Shl);
        self.push_word(0);
        self.op(MachineOp::Mstore);
        self.push_item(Item::Push(U256::from_be_slice(argument)));
        self.push_word(selector.len() as u64);
        self.op(MachineOp::Mstore);
        self.push_word(data.len() as u64);
        self.push_word(0);
        self.end(Item::Op(MachineOp::Revert));
    }

    fn end_with(&mut self, address: Value, size: Value, op: MachineOp) -> Result<(), Failure> {
        self.place(&[Operand::Value(size), Operand::Value(address)], true)?;
        self.end(Item::Op(op));
        Ok(())
    }

    fn ret(&mut self, values: &[Value]) -> Result<(), Failure> {
        let (on_stack, in_frame) = values.split_at(values.len().min(self.context.target.stack_args_max()));
        for (i, &value) in in_frame.iter().enumerate() {
            self.place(&[Operand::Value(value)], true)?;
            self.push_word(self.memory_word(self.plan.param_words + i as u32));
            self.op(MachineOp::Mstore);
            self.stack.pop();
        }
        self.materialize(on_stack)?;
        let mut target = on_stack.to_vec();
        target.push(Plan::return_address(self.function));
        self.shuffle_to(&target)?;
        self.push_item(Item::Return);
        self.finish(self.block_labels[self.current.index()], Exit::End);
        Ok(())
    }

    /// Emits folded values now: they are about to be handed over, and a shuffle cannot compute.
    fn materialize(&mut self, values: &[Value]) -> Result<(), Failure> {
        for &value in values {
            if self.plan.home(value) == Home::Folded && !self.stack.contains(&value) {
                let inst = self.def(value)?;
                self.expression(inst, true)?;
            }
        }
        Ok(())
    }

    fn branch(&mut self, cond: Value, then: &BlockCall, otherwise: &BlockCall) -> Result<(), Failure> {
        self.materialize(&then.args)?;
        self.materialize(&otherwise.args)?;
        // Handed-over values stay on the stack below the condition.
        self.place(&[Operand::Value(cond)], true)?;
        self.stack.pop();
        let label = self.block_labels[self.current.index()];
        let first = self.edge(then)?;
        let second = self.edge(otherwise)?;
        self.finish(label, Exit::Branch { then: first.label, otherwise: second.label });
        self.blocks.extend(first.block.into_iter().chain(second.block));
        Ok(())
    }

    fn switch(
        &mut self,
        value: Value,
        cases: &[(U256, BlockCall)],
        default: &BlockCall,
    ) -> Result<(), Failure> {
        for to in cases.iter().map(|(_, to)| to).chain([default]) {
            self.materialize(&to.args)?;
        }
        self.place(&[Operand::Value(value)], true)?;
        let label = self.block_labels[self.current.index()];
        let mut edges = Vec::new();
        let mut targets = Vec::new();
        let mut sorted: Vec<&(U256, BlockCall)> = cases.iter().collect();
        sorted.sort_unstable_by_key(|(word, _)| *word);
        // Where nothing follows that would look at the stack, the last comparison takes the word.
        let ends = default.args.is_empty()
            && self.plan.needs_nothing(self.function, default.block)
            && self.function.blocks[default.block.index()].term.successors().next().is_none();
        for (at, (word, to)) in sorted.into_iter().enumerate() {
            let is_dead = !self.plan.live_in[to.block.index()].contains(&value) && !to.args.contains(&value);
            let takes =
                ends && is_dead && is_last_of_run(at, cases.len()) && self.stack.last() == Some(&value);
            let top = if takes { self.stack.pop() } else { None };
            let edge = self.edge(to)?;
            self.stack.extend(top);
            targets.push(Case { word: *word, label: edge.label, takes });
            edges.extend(edge.block);
        }
        let edge = self.edge(default)?;
        let default = edge.label;
        edges.extend(edge.block);
        self.comparisons(label, &targets, default);
        self.blocks.extend(edges);
        Ok(())
    }

    /// Emits the comparisons of a `switch`: linear for few cases, else a binary search on the ordered words.
    fn comparisons(&mut self, label: Label, cases: &[Case], default: Label) {
        let test = |emitter: &mut Self, word: U256, op: MachineOp, [then, label, otherwise]: [Label; 3]| {
            emitter.push_item(Item::Push(word));
            emitter.op(op);
            emitter.finish(label, Exit::Branch { then, otherwise });
        };
        match cases {
            [] => self.finish(label, Exit::Jump(default)),
            [case, rest @ ..] if cases.len() <= LINEAR_CASES_MAX => {
                if !case.takes {
                    self.op(MachineOp::Dup1);
                }
                let next = if rest.is_empty() { default } else { self.labels.fresh() };
                test(self, case.word, MachineOp::Eq, [case.label, label, next]);
                if !rest.is_empty() {
                    self.comparisons(next, rest, default);
                }
            }
            _ => {
                let (low, high) = cases.split_at(cases.len() / 2);
                let (low_label, high_label) = (self.labels.fresh(), self.labels.fresh());
                // `pivot > value`: the pivot was pushed last.
                self.op(MachineOp::Dup1);
                test(self, high[0].word, MachineOp::Gt, [low_label, label, high_label]);
                self.comparisons(low_label, low, default);
                self.comparisons(high_label, high, default);
            }
        }
    }

    /// Prepares a way out of a block that has several: where the jump leads, and the block in between if the stack must change.
    fn edge(&mut self, to: &BlockCall) -> Result<Edge, Failure> {
        let target_label = self.block_labels[to.block.index()];
        let (stack, items) = (self.stack.clone(), std::mem::take(&mut self.items));
        self.edge_moves(to)?;
        let target = self.edge_target(to);
        self.shuffle_to(&target)?;
        self.stack = stack;
        let moves = std::mem::replace(&mut self.items, items);
        if moves.is_empty() {
            return Ok(Edge { label: target_label, block: None });
        }
        let label = self.labels.fresh();
        let block = CodeBlock { label, items: moves, exit: Exit::Jump(target_label), span: self.span };
        Ok(Edge { label, block: Some(block) })
    }

    /// The stack that a jump must leave, in terms of this block's values; chooses the layout of a block not yet reached.
    fn edge_target(&mut self, to: &BlockCall) -> Vec<Value> {
        let index = to.block.index();
        let target = &self.function.blocks[index];
        if self.plan.needs_nothing(self.function, to.block) && target.term.successors().next().is_none() {
            // Any stack will do; what the block knows of it is nothing.
            self.layouts[index] = Some(Vec::new());
            return self.stack.clone();
        }
        if self.plan.pred_counts[index] == 1 && target.params.is_empty() {
            self.layouts[index] = Some(self.stack.clone());
            return self.stack.clone();
        }
        if self.layouts[index].is_none() {
            self.layouts[index] = Some(self.choose_layout(to));
        }
        let handed_over: FxHashMap<Value, Value> =
            target.params.iter().copied().zip(to.args.iter().copied()).collect();
        let layout = self.layouts[index].as_ref().expect("chosen above");
        layout.iter().map(|v| handed_over.get(v).copied().unwrap_or(*v)).collect()
    }

    /// The layout that costs this jump least: what is needed stays in order, parameters sit where their arguments are.
    fn choose_layout(&self, to: &BlockCall) -> Vec<Value> {
        let on_stack = |v: &Value| self.plan.home(*v) == Home::Stack;
        let live: Vec<Value> = self.plan.live_in[to.block.index()].iter().copied().filter(on_stack).collect();
        let params = &self.function.blocks[to.block.index()].params;
        let mut open: Vec<(Value, Value)> = params
            .iter()
            .copied()
            .zip(to.args.iter().copied())
            .filter(|(param, _)| on_stack(param))
            .collect();
        let mut layout = Vec::new();
        for &value in &self.stack {
            if live.contains(&value) && !layout.contains(&value) {
                layout.push(value);
            } else if let Some(at) = open.iter().position(|&(_, arg)| arg == value) {
                layout.push(open.remove(at).0);
            }
        }
        layout.extend(open.into_iter().map(|(param, _)| param));
        layout
    }

    /// Stores what is handed over to parameters that live in memory, all at once in effect.
    fn edge_moves(&mut self, to: &BlockCall) -> Result<(), Failure> {
        let params = &self.function.blocks[to.block.index()].params;
        let mut stores: Vec<(u32, Value)> = Vec::new();
        for (&param, &arg) in params.iter().zip(&to.args) {
            if let Home::Memory(word) = self.plan.home(param)
                && self.plan.home(arg) != Home::Memory(word)
            {
                stores.push((word, arg));
            }
        }
        let is_overwritten = |word: u32, stores: &[(u32, Value)]| stores.iter().any(|&(w, _)| w == word);
        // Parameters on the stack read the old contents: load those first.
        for (&param, &arg) in params.iter().zip(&to.args) {
            if self.plan.home(param) == Home::Stack
                && let Home::Memory(word) = self.plan.home(arg)
                && is_overwritten(word, &stores)
                && !self.stack.contains(&arg)
            {
                self.push_home(arg)?;
                self.stack.push(arg);
            }
        }
        while !stores.is_empty() {
            let reads = |word: u32, stores: &[(u32, Value)], stack: &[Value]| {
                stores
                    .iter()
                    .any(|&(_, arg)| self.plan.home(arg) == Home::Memory(word) && !stack.contains(&arg))
            };
            let Some(at) = stores.iter().position(|&(word, _)| !reads(word, &stores, &self.stack)) else {
                // A cycle: one value waits on the stack.
                let (_, arg) = stores[0];
                self.push_home(arg)?;
                self.stack.push(arg);
                continue;
            };
            let (word, arg) = stores.remove(at);
            match self.stack.iter().rposition(|&v| v == arg) {
                Some(at) => self.dup(self.stack.len() - at)?,
                None => self.push_home(arg)?,
            }
            self.push_word(self.memory_word(word));
            self.op(MachineOp::Mstore);
        }
        Ok(())
    }
}

/// A case of a `switch`.
struct Case {
    word: U256,
    label: Label,
    // Whether its comparison takes the word off the stack.
    takes: bool,
}

/// Whether the case at a place among `count` ordered ones is the last that a run of comparisons comes to.
fn is_last_of_run(at: usize, count: usize) -> bool {
    if count <= LINEAR_CASES_MAX {
        return at + 1 == count;
    }
    let low = count / 2;
    if at < low { is_last_of_run(at, low) } else { is_last_of_run(at - low, count - low) }
}

struct Edge {
    label: Label,
    block: Option<CodeBlock>,
}
