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

mod exits;
mod operands;

use alloy_primitives::U256;
use zvm::bytecode::Op as MachineOp;

use super::labels::{CodeBlock, Item, Label, Labels, Spanned};
use super::plan::{Home, Plan, block_uses};
use super::select::{Selection, select};
use super::shuffle::{Step, shuffle};
use super::target::Target;
use super::{Failure, Frame, InternalError};
use crate::ir::{BlockId, Function, Imm, Inst, Module, Op, Terminator, Value};
use crate::source::Span;

/// What the emission of one function needs to know about the others.
pub(super) struct Context<'m> {
    pub(super) target: Target,
    pub(super) module: &'m Module,
    pub(super) frames: &'m [Frame],
    pub(super) heap_base: u64,
    /// The label of each function.
    pub(super) entries: &'m [Label],
    /// Whether a long word may cost more gas if it then takes fewer bytes.
    pub(super) shortens_words: bool,
}

/// A word is pushed in several operations, which cost 2 to 6 gas more, if that saves at least this many bytes: their price
/// at deployment is that of about a thousand executions.
const BYTES_SAVED_MIN: usize = 20;

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
        Failure::Other(InternalError::new(self.span, detail))
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
                let term = self.def(arg).ok().filter(|_| self.plan.home(arg) == Home::Pushed)?;
                Some(sum.wrapping_add(self.known_word(term)?))
            }),
            _ => None,
        }
    }

    /// Pushes a word, in a few operations where that saves many bytes and bytes count.
    fn push_known(&mut self, word: U256) {
        let is_short =
            |short: U256, more: usize| word.byte_len() >= short.byte_len() + more + BYTES_SAVED_MIN;
        let zeros = word.trailing_zeros();
        if !self.context.shortens_words {
            self.push_item(Item::Push(word));
        } else if is_short(!word, 1) {
            self.push_item(Item::Push(!word));
            self.op(MachineOp::Not);
        } else if zeros < U256::BITS && is_short(word >> zeros, 3) {
            self.push_item(Item::Push(word >> zeros));
            self.push_word(zeros as u64);
            self.op(MachineOp::Shl);
        } else {
            self.push_item(Item::Push(word));
        }
    }

    fn push_constant(&mut self, inst: &Inst) -> Result<(), Failure> {
        if let Some(word) = self.known_word(inst) {
            self.push_known(word);
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
}
