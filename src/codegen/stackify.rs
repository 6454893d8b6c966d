//! Where values sit on the machine's stack, block by block.
//!
//! Every block is emitted once, in reverse postorder, against a symbolic stack of values. A block with one way in starts
//! with whatever its predecessor left, dead words included. A join starts with a fixed layout, chosen by the first jump that
//! reaches it; the others [`shuffle`](super::shuffle) their stack into it. A block that ends the frame and needs
//! nothing accepts any stack. Words are dead when no use is left; they are dropped when they come to the top, at joins, and
//! when too many have gathered.
//!
//! Internal calls: the return address, then the arguments, the last on top; results come back with the last on top.
//! What exceeds [`Target::stack_args_max`] travels through the callee's frame.
//!
//! Where a word that is needed lies deeper than the target reaches, emission fails with [`Failure::OutOfReach`], and
//! the caller plans the function again with less on the stack.

use std::collections::HashMap;

use alloy_primitives::U256;
use zvm::bytecode::Op as MachineOp;
use zvm::outcome::panic_data;

use super::labels::{CodeBlock, Exit, Item, Label, Labels, Spanned};
use super::plan::{Home, Plan, block_uses};
use super::select::{Selection, mirrored, select};
use super::shuffle::{Step, shuffle};
use super::target::Target;
use super::{Failure, Frame, InternalError};
use crate::ir::{BlockCall, BlockId, Function, Imm, Inst, Module, Op, Terminator, Value};
use crate::source::Span;

/// Up to this many cases a `switch` compares one by one.
const LINEAR_CASES_MAX: usize = 4;

/// What the emission of one function needs to know about the others.
pub(super) struct Context<'m> {
    pub(super) target: Target,
    pub(super) module: &'m Module,
    pub(super) frames: &'m [Frame],
    pub(super) heap_base: u64,
    /// The label of each function.
    pub(super) entries: &'m [Label],
}

/// An operand to place on top of the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operand {
    Value(Value),
    Label(Label),
}

/// Emits one function; its first block carries the function's label.
pub(super) fn emit(
    context: &Context<'_>,
    function: &Function,
    plan: &Plan,
    frame: &Frame,
    labels: &mut Labels,
    entry: Label,
    limit: usize,
) -> Result<Vec<CodeBlock>, Failure> {
    let block_labels =
        (0..function.blocks.len()).map(|i| if i == 0 { entry } else { labels.fresh() }).collect();
    let mut emitter = Emitter {
        context,
        function,
        plan,
        frame,
        labels,
        block_labels,
        layouts: vec![None; function.blocks.len()],
        remaining: vec![0; function.value_count + 1],
        live_out: vec![0; function.value_count + 1],
        current: BlockId(0),
        clean_above: context.target.clean_above(limit),
        stack: Vec::new(),
        items: Vec::new(),
        blocks: Vec::new(),
        span: function.span,
    };
    for id in function.reverse_postorder() {
        emitter.block(id)?;
    }
    Ok(emitter.blocks)
}

struct Emitter<'a> {
    context: &'a Context<'a>,
    function: &'a Function,
    plan: &'a Plan,
    frame: &'a Frame,
    labels: &'a mut Labels,
    block_labels: Vec<Label>,
    // The stack with which each block begins, bottom first, once it is known.
    layouts: Vec<Option<Vec<Value>>>,
    // Uses in the current block not yet emitted.
    remaining: Vec<u32>,
    // `current + 1` for values needed after the current block.
    live_out: Vec<u32>,
    current: BlockId,
    // Dead words are cleaned out when the stack is longer than this and than twice what is needed.
    clean_above: usize,
    stack: Vec<Value>,
    items: Vec<Spanned<Item>>,
    blocks: Vec<CodeBlock>,
    span: Span,
}

impl<'a> Emitter<'a> {
    fn block(&mut self, id: BlockId) -> Result<(), Failure> {
        let function = self.function;
        let block = &function.blocks[id.index()];
        self.current = id;
        self.span = block.insts.first().map_or(block.term_span, |inst| inst.span);
        self.items = Vec::new();
        // What earlier blocks left there no longer counts.
        block_uses(function, id).for_each(|value| self.remaining[value.index()] = 0);
        block_uses(function, id).for_each(|value| self.remaining[value.index()] += 1);
        let return_address = Plan::return_address(function);
        self.remaining[return_address.index()] = u32::from(matches!(block.term, Terminator::Ret(_)));
        for to in block.term.successors() {
            for value in &self.plan.live_in[to.block.index()] {
                self.live_out[value.index()] = id.0 + 1;
            }
        }
        if id == Function::ENTRY {
            self.enter_function()?;
        } else {
            let layout = self.layouts[id.index()].clone();
            self.stack = layout.ok_or_else(|| self.error("a block without a way in"))?;
        }
        for inst in block.insts.iter().filter(|inst| !self.plan.is_deferred(inst)) {
            self.inst(inst)?;
            self.drop_dead_top();
            if self.stack.len() > self.clean_above {
                self.clean()?;
            }
        }
        self.span = block.term_span;
        self.terminator(&block.term)
    }

    fn error(&self, detail: impl Into<String>) -> Failure {
        let detail = format!("{} in \"{}\"", detail.into(), self.function.name);
        Failure::Other(InternalError { span: self.span, detail })
    }

    fn enter_function(&mut self) -> Result<(), Failure> {
        let entry_is_called = self.context.entries[0] != self.block_labels[0];
        self.stack.clear();
        if entry_is_called {
            self.stack.push(Plan::return_address(self.function));
        }
        self.stack.extend(self.function.params().iter().take(self.context.target.stack_args_max()));
        self.save_to_memory(0)
    }

    // Steps and the symbolic stack.

    fn push_item(&mut self, item: Item) {
        self.items.push(Spanned { item, span: self.span });
    }

    fn op(&mut self, op: MachineOp) {
        self.push_item(Item::Op(op));
    }

    fn op_with(&mut self, op: MachineOp, byte: Option<u8>) {
        self.push_item(byte.map_or(Item::Op(op), |byte| Item::WithByte(op, byte)));
    }

    fn push_word(&mut self, word: u64) {
        self.push_item(Item::Push(U256::from(word)));
    }

    fn dup(&mut self, depth: usize) -> Result<(), Failure> {
        let (op, byte) = self.context.target.dup(depth).ok_or(Failure::OutOfReach)?;
        self.op_with(op, byte);
        Ok(())
    }

    fn swap(&mut self, distance: usize) -> Result<(), Failure> {
        if distance == 0 {
            return Ok(());
        }
        let (op, byte) = self.context.target.swap(distance).ok_or(Failure::OutOfReach)?;
        self.op_with(op, byte);
        let top = self.stack.len() - 1;
        self.stack.swap(top, top - distance);
        Ok(())
    }

    fn pop(&mut self) {
        self.op(MachineOp::Pop);
        self.stack.pop();
    }

    /// Whether a use of the value is still to come, here or in a later block.
    fn is_needed(&self, value: Value) -> bool {
        self.remaining[value.index()] > 0 || self.live_out[value.index()] == self.current.0 + 1
    }

    /// Whether the next use of the value is the last one anywhere.
    fn is_last_use(&self, value: Value) -> bool {
        self.remaining[value.index()] == 1 && self.live_out[value.index()] != self.current.0 + 1
    }

    fn halts(&self) -> bool {
        self.function.blocks[self.current.index()].term.successors().next().is_none()
            && !matches!(self.function.blocks[self.current.index()].term, Terminator::Ret(_))
    }

    fn drop_dead_top(&mut self) {
        if self.halts() {
            return;
        }
        while self.stack.last().is_some_and(|&top| !self.is_needed(top)) {
            self.pop();
        }
    }

    /// Drops dead words and copies when they outnumber what is needed.
    fn clean(&mut self) -> Result<(), Failure> {
        let mut target = Vec::new();
        for &value in &self.stack {
            if self.is_needed(value) && !target.contains(&value) {
                target.push(value);
            }
        }
        let is_dear = self.stack.len() <= 2 * target.len() && self.stack.len() <= 3 * self.clean_above;
        // Where the stack is shallow, each dead word counts.
        if self.stack.len() > target.len() && !(is_dear && self.context.target.is_deep()) {
            self.shuffle_to(&target)?;
        }
        Ok(())
    }

    fn shuffle_to(&mut self, target: &[Value]) -> Result<(), Failure> {
        let mut stack = std::mem::take(&mut self.stack);
        let steps = shuffle(&mut stack, target);
        for step in steps {
            self.step(step)?;
        }
        self.stack = stack;
        Ok(())
    }

    /// Emits a step of a shuffle; the caller keeps the symbolic stack.
    fn step(&mut self, step: Step<Value>) -> Result<(), Failure> {
        match step {
            Step::Pop => self.op(MachineOp::Pop),
            Step::Swap(distance) => {
                let (op, byte) = self.context.target.swap(distance).ok_or(Failure::OutOfReach)?;
                self.op_with(op, byte);
            }
            Step::Dup(depth) => self.dup(depth)?,
            Step::Push(value) => self.push_home(value)?,
        }
        Ok(())
    }

    fn memory_word(&self, index: u32) -> u64 {
        self.frame.base + u64::from(index) * 32
    }

    /// Pushes a value that is not kept on the stack; the caller keeps the symbolic stack.
    fn push_home(&mut self, value: Value) -> Result<(), Failure> {
        match self.plan.home(value) {
            Home::Memory(index) => {
                self.push_word(self.memory_word(index));
                self.op(MachineOp::Mload);
            }
            Home::Pushed => {
                let inst = self.def(value)?;
                self.push_constant(inst)?;
            }
            Home::Folded | Home::Stack => return Err(self.error(format!("{value} is not on the stack"))),
        }
        Ok(())
    }

    fn def(&self, value: Value) -> Result<&'a Inst, Failure> {
        let (block, index) =
            self.plan.defs[value.index()].ok_or_else(|| self.error(format!("{value} has no operation")))?;
        Ok(&self.function.blocks[block.index()].insts[index])
    }

    /// A word that is known now that frames are laid out.
    fn known_word(&self, inst: &Inst) -> Option<U256> {
        match (inst.op, inst.imm) {
            (Op::Const, Imm::Word(word)) => Some(word),
            (Op::FrameAddr, Imm::Slot(slot)) => Some(U256::from(self.frame.slots[slot.index()])),
            (Op::HeapBase, _) => Some(U256::from(self.context.heap_base)),
            // The plan pushes a sum only of words like those above.
            (Op::Add, _) => inst.args.iter().try_fold(U256::ZERO, |sum, &arg| {
                let term = self.def(arg).ok().filter(|def| def.op != Op::Add)?;
                Some(sum.wrapping_add(self.known_word(term)?))
            }),
            _ => None,
        }
    }

    fn push_constant(&mut self, inst: &Inst) -> Result<(), Failure> {
        if let Some(word) = self.known_word(inst) {
            self.push_item(Item::Push(word));
            return Ok(());
        }
        let item = match (inst.op, inst.imm) {
            (Op::DataOffset, Imm::Data(data)) => Item::PushDataOffset(data),
            (Op::DataSize, Imm::Data(data)) => {
                Item::Push(U256::from(self.context.module.data[data.index()].bytes.len()))
            }
            (Op::CodeEnd, _) => Item::PushCodeEnd,
            (Op::Immutable, Imm::Word(index)) => Item::PushImmutable(index.saturating_to()),
            _ => match select(inst) {
                Selection::Plain(op) => Item::Op(op),
                other => return Err(self.error(format!("{other:?} is not a constant"))),
            },
        };
        self.push_item(item);
        Ok(())
    }

    // Operands and operations.

    /// Places operands on top of the stack, `operands[0]` deepest, consuming dead words where that is cheap.
    ///
    /// `is_free` says that nothing on the stack is an operand already placed, so its words may change places.
    fn place(&mut self, operands: &[Operand], is_free: bool) -> Result<(), Failure> {
        let matched = if is_free { self.matched(operands) } else { 0 };
        for operand in &operands[..matched] {
            self.count_use(*operand);
        }
        for (placed, &operand) in operands.iter().enumerate().skip(matched) {
            let value = match operand {
                Operand::Label(label) => {
                    self.push_item(Item::PushLabel(label));
                    // A stand-in that no one looks for: the return address of this function is never an operand.
                    self.stack.push(Plan::return_address(self.function));
                    continue;
                }
                Operand::Value(value) => value,
            };
            // Uses by operands placed later still count.
            self.count_use(operand);
            if let Some(at) = self.stack.iter().rposition(|&v| v == value) {
                let depth = self.stack.len() - at;
                let needed_again = self.is_needed(value);
                // The same word twice, for the last time: original and copy are the two operands.
                let twin = self.stack.len() >= 2 && self.stack[self.stack.len() - 2] == value;
                if is_free && placed == 1 && depth == 1 && twin && !needed_again && operands[0] == operand {
                    continue;
                }
                // The word just below one placed operand may change places with it.
                let next_below = is_free && placed == 1 && depth == 2;
                if !needed_again && is_free && (placed == 0 || next_below) {
                    self.swap(depth - 1)?;
                } else {
                    self.dup(depth)?;
                    self.stack.push(value);
                }
                continue;
            }
            match self.plan.home(value) {
                Home::Folded => {
                    let inst = self.def(value)?;
                    self.expression(inst, is_free && placed == 0)?;
                }
                _ => {
                    self.push_home(value)?;
                    self.stack.push(value);
                }
            }
        }
        Ok(())
    }

    fn count_use(&mut self, operand: Operand) {
        if let Operand::Value(value) = operand {
            self.remaining[value.index()] = self.remaining[value.index()].saturating_sub(1);
        }
    }

    /// How many of the deepest operands already are on top of the stack, in order, and may be consumed there.
    fn matched(&self, operands: &[Operand]) -> usize {
        let fits = |count: usize| {
            let Some(from) = self.stack.len().checked_sub(count) else { return false };
            (0..count).all(|i| {
                let Operand::Value(value) = operands[i] else { return false };
                let uses_here = operands[..count].iter().filter(|&&o| o == operands[i]).count() as u32;
                let needed_again = self.remaining[value.index()] > uses_here
                    || self.live_out[value.index()] == self.current.0 + 1;
                self.stack[from + i] == value && (!needed_again || self.stack[..from].contains(&value))
            })
        };
        (1..=operands.len()).rev().find(|&count| fits(count)).unwrap_or(0)
    }

    /// Places the operands of an operation and returns the operation to emit, mirrored if that is cheaper.
    fn place_args(&mut self, args: &[Value], op: MachineOp, is_free: bool) -> Result<MachineOp, Failure> {
        let mut operands: Vec<Operand> = args.iter().rev().map(|&v| Operand::Value(v)).collect();
        let mut op = op;
        if let (&[a, b], Some(other)) = (&operands[..], mirrored(op))
            && is_free
            && self.arrangement_cost(&[b, a]) < self.arrangement_cost(&[a, b])
        {
            operands.swap(0, 1);
            op = other;
        }
        self.place(&operands, is_free)?;
        Ok(op)
    }

    /// Roughly how many steps it takes to place two operands; only compared with itself.
    fn arrangement_cost(&self, operands: &[Operand; 2]) -> usize {
        let at_depth = |operand: Operand, depth: usize| {
            let Some(at) = self.stack.len().checked_sub(depth) else { return false };
            operand == Operand::Value(self.stack[at]) && self.is_last_use(self.stack[at])
        };
        match operands {
            [a, b] if a != b && at_depth(*a, 2) && at_depth(*b, 1) => 0,
            [a, _] if at_depth(*a, 1) => 1,
            [_, b] if at_depth(*b, 1) => 2,
            _ => 3,
        }
    }

    /// Emits a pure operation; its result is on top.
    fn expression(&mut self, inst: &Inst, is_free: bool) -> Result<(), Failure> {
        let (op, byte) = match select(inst) {
            Selection::Plain(op) => (op, None),
            Selection::WithByte(op, byte) => (op, Some(byte)),
            other => return Err(self.error(format!("{other:?} inside an expression"))),
        };
        let op = self.place_args(&inst.args, op, is_free)?;
        self.op_with(op, byte);
        self.stack.truncate(self.stack.len() - inst.args.len());
        self.stack.extend(&inst.results);
        Ok(())
    }

    fn inst(&mut self, inst: &Inst) -> Result<(), Failure> {
        self.span = inst.span;
        match (select(inst), inst.imm) {
            (Selection::Call, Imm::Func(callee)) => self.internal_call(inst, callee.index())?,
            _ => self.expression(inst, true)?,
        }
        self.save_to_memory(self.stack.len().saturating_sub(inst.results.len()))
    }

    fn internal_call(&mut self, inst: &Inst, callee: usize) -> Result<(), Failure> {
        let frame = &self.context.frames[callee];
        let (on_stack, in_frame) =
            inst.args.split_at(inst.args.len().min(self.context.target.stack_args_max()));
        for (i, &arg) in in_frame.iter().enumerate() {
            self.place(&[Operand::Value(arg)], true)?;
            self.push_word(frame.base + 32 * i as u64);
            self.op(MachineOp::Mstore);
            self.stack.pop();
        }
        let back = self.labels.fresh();
        let mut operands: Vec<Operand> = on_stack.iter().map(|&v| Operand::Value(v)).collect();
        if on_stack.iter().all(|&v| self.is_last_use(v) && self.stack.contains(&v)) {
            // All are on the stack and die here: the label is turned in below them, which leaves no dead words.
            self.place(&operands, true)?;
            self.push_item(Item::PushLabel(back));
            self.stack.push(Plan::return_address(self.function));
            for distance in (1..=on_stack.len()).rev() {
                self.swap(distance)?;
            }
        } else {
            operands.insert(0, Operand::Label(back));
            self.place(&operands, true)?;
        }
        self.push_item(Item::PushLabel(self.context.entries[callee]));
        self.push_item(Item::Call {
            args: on_stack.len(),
            results: inst.results.len().min(self.context.target.stack_args_max()),
        });
        self.push_item(Item::Here(back));
        self.stack.truncate(self.stack.len() - on_stack.len() - 1);
        let (on_stack, in_frame) =
            inst.results.split_at(inst.results.len().min(self.context.target.stack_args_max()));
        self.stack.extend(on_stack);
        for (i, &result) in
            in_frame.iter().enumerate().filter(|(_, r)| self.is_needed(**r)).collect::<Vec<_>>()
        {
            self.push_word(frame.base + 32 * (u64::from(frame.param_words) + i as u64));
            self.op(MachineOp::Mload);
            if let Home::Memory(word) = self.plan.home(result) {
                self.push_word(self.memory_word(word));
                self.op(MachineOp::Mstore);
            } else {
                self.stack.push(result);
            }
        }
        Ok(())
    }

    /// Stores values whose home is memory and which were just defined, at positions from `from` on.
    fn save_to_memory(&mut self, from: usize) -> Result<(), Failure> {
        for at in (from..self.stack.len()).rev() {
            // Swapping only moves values that were looked at before.
            let Home::Memory(index) = self.plan.home(self.stack[at]) else { continue };
            self.swap(self.stack.len() - 1 - at)?;
            self.push_word(self.memory_word(index));
            self.op(MachineOp::Mstore);
            self.stack.pop();
        }
        Ok(())
    }

    // Terminators.

    fn terminator(&mut self, term: &Terminator) -> Result<(), Failure> {
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
        self.push_item(Item::Return { results: on_stack.len() });
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
        for (word, to) in cases {
            let edge = self.edge(to)?;
            targets.push((*word, edge.label));
            edges.extend(edge.block);
        }
        let edge = self.edge(default)?;
        let default = edge.label;
        edges.extend(edge.block);
        targets.sort_unstable_by_key(|(word, _)| *word);
        self.comparisons(label, &targets, default);
        self.blocks.extend(edges);
        Ok(())
    }

    /// Emits the comparisons of a `switch`: linear for few cases, else a binary search on the ordered words.
    fn comparisons(&mut self, label: Label, cases: &[(U256, Label)], default: Label) {
        let test =
            |emitter: &mut Self, word: U256, op: MachineOp, then: Label, label: Label, otherwise: Label| {
                emitter.op(MachineOp::Dup1);
                emitter.push_item(Item::Push(word));
                emitter.op(op);
                emitter.finish(label, Exit::Branch { then, otherwise });
            };
        match cases {
            [] => self.finish(label, Exit::Jump(default)),
            [(word, to)] => test(self, *word, MachineOp::Eq, *to, label, default),
            [(word, to), rest @ ..] if cases.len() <= LINEAR_CASES_MAX => {
                let next = self.labels.fresh();
                test(self, *word, MachineOp::Eq, *to, label, next);
                self.comparisons(next, rest, default);
            }
            _ => {
                let (low, high) = cases.split_at(cases.len() / 2);
                let (low_label, high_label) = (self.labels.fresh(), self.labels.fresh());
                // `pivot > value`: the pivot was pushed last.
                test(self, high[0].0, MachineOp::Gt, low_label, label, high_label);
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
        let handed_over: HashMap<Value, Value> =
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

struct Edge {
    label: Label,
    block: Option<CodeBlock>,
}
