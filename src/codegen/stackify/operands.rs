//! Placing operands on top of the stack, and the operations that consume them.

use zvm::bytecode::Op as MachineOp;

use super::{Emitter, Operand};
use crate::codegen::Failure;
use crate::codegen::labels::Item;
use crate::codegen::plan::{Home, Plan};
use crate::codegen::select::{Selection, mirrored, select};
use crate::ir::{Imm, Inst, Value};

impl Emitter<'_> {
    /// Places operands on top of the stack, `operands[0]` deepest, consuming dead words where that is cheap.
    ///
    /// `is_free` says that nothing on the stack is an operand already placed, so its words may change places.
    pub(super) fn place(&mut self, operands: &[Operand], is_free: bool) -> Result<(), Failure> {
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
    pub(super) fn expression(&mut self, inst: &Inst, is_free: bool) -> Result<(), Failure> {
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

    pub(super) fn inst(&mut self, inst: &Inst) -> Result<(), Failure> {
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
        self.push_item(Item::Call);
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
    pub(super) fn save_to_memory(&mut self, from: usize) -> Result<(), Failure> {
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
}
