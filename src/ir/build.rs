//! The builder that lowering uses: blocks, operations, and mutable variables turned into SSA on the fly.
//!
//! Variables follow Braun et al., "Simple and Efficient Construction of Static Single Assignment Form" (CC 2013): reading a variable in a
//! block without a definition asks the predecessors, and a join becomes a block parameter. A block is *sealed* when all
//! jumps to it exist; until then its parameters stay open. Unlike the paper, nothing recurses: a join always gets a
//! parameter first, and [`FunctionBuilder::finish`] removes those that turn out to be redundant.

use alloy_primitives::U256;
use rustc_hash::FxHashMap;

use super::ops::Results;
use super::{Block, BlockCall, BlockId, FuncId, Function, Imm, Inst, IntType, Op, SlotId, Terminator, Value};
use crate::source::Span;

/// A mutable variable of the source: a parameter, a `let mut`, a loop counter, or a compiler's temporary.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Variable(u32);

/// Builds one function.
///
/// There is always a current block; operations are appended to it. After a terminator the current block is *filled*,
/// and operations appended before the next [`switch_to`](Self::switch_to) go to a fresh unreachable block, so that
/// lowering needs no special case for code after `return`.
pub struct FunctionBuilder {
    function: Function,
    current: BlockId,
    blocks: Vec<BlockState>,
    span: Span,
    variable_count: u32,
}

#[derive(Default)]
struct BlockState {
    sealed: bool,
    filled: bool,
    // One entry per jump.
    preds: Vec<BlockId>,
    // The value of each variable at the end of the block as far as it is built.
    defs: FxHashMap<Variable, Value>,
    // Parameters whose arguments wait for the block to be sealed.
    open_params: Vec<Variable>,
    // How many parameters were declared by the caller, before those of variables.
    declared_params: usize,
}

impl FunctionBuilder {
    /// Starts a function; the entry block is current and sealed, its parameters are [`params`](Self::params).
    pub fn new(
        name: impl Into<String>,
        param_count: usize,
        result_count: usize,
        span: Span,
    ) -> FunctionBuilder {
        let function = Function::new(name, param_count, result_count, span);
        let entry = BlockState { sealed: true, declared_params: param_count, ..BlockState::default() };
        FunctionBuilder { function, current: Function::ENTRY, blocks: vec![entry], span, variable_count: 0 }
    }

    /// The function's parameters.
    pub fn params(&self) -> Vec<Value> {
        self.function.params().to_vec()
    }

    /// The span given to operations from here on.
    pub fn set_span(&mut self, span: Span) {
        self.span = span;
    }

    /// The span given to operations now.
    pub fn span(&self) -> Span {
        self.span
    }

    // Blocks.

    /// A new block without parameters.
    pub fn create_block(&mut self) -> BlockId {
        self.blocks.push(BlockState::default());
        self.function.new_block(self.span)
    }

    /// Adds a parameter to a block to which no jump exists yet.
    pub fn append_block_param(&mut self, block: BlockId) -> Value {
        let state = &mut self.blocks[block.index()];
        assert!(
            state.preds.is_empty() && state.open_params.is_empty(),
            "parameters are declared before jumps and reads"
        );
        state.declared_params += 1;
        let value = self.function.new_value();
        self.function.blocks[block.index()].params.push(value);
        value
    }

    /// Makes a block current.
    pub fn switch_to(&mut self, block: BlockId) {
        assert!(!self.blocks[block.index()].filled, "{block} already has its terminator");
        self.current = block;
    }

    /// The current block.
    pub fn current_block(&self) -> BlockId {
        self.current
    }

    /// Whether the current block has no terminator yet, so that what follows can be reached.
    pub fn is_open(&self) -> bool {
        !self.blocks[self.current.index()].filled
    }

    /// Whether no jump leads to a block (and it is not the entry).
    pub fn is_unreached(&self, block: BlockId) -> bool {
        block != Function::ENTRY && self.blocks[block.index()].preds.is_empty()
    }

    /// Says that every jump to `block` exists.
    pub fn seal_block(&mut self, block: BlockId) {
        let state = &mut self.blocks[block.index()];
        assert!(!std::mem::replace(&mut state.sealed, true), "{block} is sealed twice");
        let open = std::mem::take(&mut state.open_params);
        let work = open.into_iter().map(|variable| (block, variable)).collect();
        self.fill_params(work);
    }

    // Variables.

    /// A new variable. Where it is read without a definition on the way, it is 0.
    pub fn declare_var(&mut self) -> Variable {
        self.variable_count += 1;
        Variable(self.variable_count - 1)
    }

    /// Gives a variable a value from here on.
    pub fn def_var(&mut self, variable: Variable, value: Value) {
        self.ensure_open();
        self.blocks[self.current.index()].defs.insert(variable, value);
    }

    /// The value of a variable here.
    pub fn use_var(&mut self, variable: Variable) -> Value {
        self.ensure_open();
        let mut work = Vec::new();
        let value = self.value_at_end(self.current, variable, &mut work);
        self.fill_params(work);
        value
    }

    /// The value at the end of `block`, perhaps a new parameter whose arguments are then queued in `work`.
    fn value_at_end(
        &mut self,
        block: BlockId,
        variable: Variable,
        work: &mut Vec<(BlockId, Variable)>,
    ) -> Value {
        // Walk up while there is one way to come here, then leave the answer in every block passed.
        let mut passed = Vec::new();
        let mut at = block;
        let value = loop {
            if let Some(&value) = self.blocks[at.index()].defs.get(&variable) {
                break value;
            }
            let state = &self.blocks[at.index()];
            // A loop that is never entered leads back to where the walk began; it counts as unreachable, like no way.
            match (&state.preds[..], state.sealed) {
                (&[pred], true) if passed.len() < self.blocks.len() => {
                    passed.push(at);
                    at = pred;
                }
                ([] | [_], true) => {
                    // The entry, or code that cannot be reached.
                    let value = self.function.new_value();
                    let inst = Inst {
                        op: Op::Const,
                        imm: Imm::Word(U256::ZERO),
                        args: Vec::new(),
                        results: vec![value],
                        span: self.span,
                    };
                    self.function.blocks[at.index()].insts.insert(0, inst);
                    self.blocks[at.index()].defs.insert(variable, value);
                    break value;
                }
                (_, sealed) => {
                    let value = self.function.new_value();
                    self.function.blocks[at.index()].params.push(value);
                    let state = &mut self.blocks[at.index()];
                    state.defs.insert(variable, value);
                    if sealed {
                        work.push((at, variable));
                    } else {
                        state.open_params.push(variable);
                    }
                    break value;
                }
            }
        };
        for block in passed {
            self.blocks[block.index()].defs.insert(variable, value);
        }
        value
    }

    /// Appends, for each queued parameter, its argument to every jump to its block, in queue order.
    fn fill_params(&mut self, work: Vec<(BlockId, Variable)>) {
        // Parameters of one block are queued in the order in which they were added, and arguments follow that order.
        let mut queue = std::collections::VecDeque::from(work);
        let mut found = Vec::new();
        while let Some((block, variable)) = queue.pop_front() {
            let preds = self.blocks[block.index()].preds.clone();
            let mut seen = Vec::new();
            for pred in preds {
                // A block that jumps here twice is listed twice; all its jumps get the argument at once.
                if seen.contains(&pred) {
                    continue;
                }
                seen.push(pred);
                let value = self.value_at_end(pred, variable, &mut found);
                queue.extend(found.drain(..));
                let term = &mut self.function.blocks[pred.index()].term;
                for to in term.successors_mut().filter(|to| to.block == block) {
                    to.args.push(value);
                }
            }
        }
    }

    // Operations.

    /// Appends an operation with at most one result; the table says what `imm` and `args` must be.
    ///
    /// # Panics
    /// If the operation does not have exactly one result.
    pub fn ins(&mut self, op: Op, imm: Imm, args: &[Value]) -> Value {
        let results = self.append(op, imm, args, None);
        let [value] = results[..] else { panic!("{} has {} results", op.info().mnemonic, results.len()) };
        value
    }

    /// Appends an operation without results.
    ///
    /// # Panics
    /// If the operation has results.
    pub fn ins0(&mut self, op: Op, imm: Imm, args: &[Value]) {
        let results = self.append(op, imm, args, None);
        assert!(results.is_empty(), "{} has results", op.info().mnemonic);
    }

    fn append(&mut self, op: Op, imm: Imm, args: &[Value], callee_results: Option<usize>) -> Vec<Value> {
        let info = op.info();
        assert_eq!(imm.kind(), info.imm, "immediate of {}", info.mnemonic);
        let fits = if info.tail.is_some() {
            args.len() >= info.operands.len()
        } else {
            args.len() == info.operands.len()
        };
        assert!(fits, "{} with {} operands", info.mnemonic, args.len());
        self.ensure_open();
        let result_count = match info.results {
            Results::Fixed(n) => n,
            Results::Callee => callee_results.expect("calls go through `icall`"),
        };
        let results: Vec<Value> = (0..result_count).map(|_| self.function.new_value()).collect();
        self.function.blocks[self.current.index()].insts.push(Inst {
            op,
            imm,
            args: args.to_vec(),
            results: results.clone(),
            span: self.span,
        });
        results
    }

    /// A constant.
    pub fn iconst(&mut self, value: U256) -> Value {
        self.ins(Op::Const, Imm::Word(value), &[])
    }

    /// A small constant.
    pub fn iconst_u64(&mut self, value: u64) -> Value {
        self.iconst(U256::from(value))
    }

    /// An operation without operands and immediate, mostly an environment read.
    pub fn nullary(&mut self, op: Op) -> Value {
        self.ins(op, Imm::None, &[])
    }

    /// An operation with one operand, one result and no immediate.
    pub fn unary(&mut self, op: Op, a: Value) -> Value {
        self.ins(op, Imm::None, &[a])
    }

    /// An operation with two operands, one result and no immediate.
    pub fn binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        self.ins(op, Imm::None, &[a, b])
    }

    /// A checked operation in an integer type.
    pub fn checked(&mut self, op: Op, ty: IntType, args: &[Value]) -> Value {
        self.ins(op, Imm::Type(ty), args)
    }

    /// Faults with the Panic code if `condition` is 0.
    pub fn assert(&mut self, condition: Value, code: u8) {
        self.ins0(Op::Assert, Imm::Panic(code), &[condition]);
    }

    /// A static buffer of the function; see [`frame_addr`](Self::frame_addr).
    pub fn new_slot(&mut self, bytes: u32) -> SlotId {
        self.function.new_slot(bytes)
    }

    /// The address of a static buffer.
    pub fn frame_addr(&mut self, slot: SlotId) -> Value {
        self.ins(Op::FrameAddr, Imm::Slot(slot), &[])
    }

    /// Stores a word.
    pub fn mstore(&mut self, address: Value, value: Value) {
        self.ins0(Op::Mstore, Imm::None, &[address, value]);
    }

    /// Calls a function of the module.
    pub fn icall(&mut self, callee: FuncId, args: &[Value], result_count: usize) -> Vec<Value> {
        self.append(Op::Icall, Imm::Func(callee), args, Some(result_count))
    }

    // Terminators.

    /// Continues in `block`, which has no declared parameters.
    pub fn jump(&mut self, block: BlockId) {
        self.jump_with(block, &[]);
    }

    /// Continues in `block` with values for its declared parameters.
    pub fn jump_with(&mut self, block: BlockId, args: &[Value]) {
        self.terminate(Terminator::Jump(BlockCall { block, args: args.to_vec() }));
    }

    /// Continues in `then` if `cond` is not 0, else in `otherwise`; neither has declared parameters.
    pub fn br(&mut self, cond: Value, then: BlockId, otherwise: BlockId) {
        let call = |block| BlockCall { block, args: Vec::new() };
        self.terminate(Terminator::Br { cond, then: call(then), otherwise: call(otherwise) });
    }

    /// Continues where the case equal to `value` leads; no target has declared parameters.
    pub fn switch(&mut self, value: Value, cases: &[(U256, BlockId)], default: BlockId) {
        let call = |block| BlockCall { block, args: Vec::new() };
        let cases = cases.iter().map(|&(word, block)| (word, call(block))).collect();
        self.terminate(Terminator::Switch { value, cases, default: call(default) });
    }

    /// Returns to the caller.
    pub fn ret(&mut self, values: &[Value]) {
        self.terminate(Terminator::Ret(values.to_vec()));
    }

    /// Ends the frame successfully with data from memory.
    pub fn return_(&mut self, address: Value, size: Value) {
        self.terminate(Terminator::Return { address, size });
    }

    /// Ends the frame as a revert with data from memory.
    pub fn revert(&mut self, address: Value, size: Value) {
        self.terminate(Terminator::Revert { address, size });
    }

    /// Ends the frame as a revert without data.
    pub fn revert_empty(&mut self) {
        let zero = self.iconst(U256::ZERO);
        self.revert(zero, zero);
    }

    /// Ends the frame successfully without data.
    pub fn halt(&mut self) {
        self.terminate(Terminator::Halt);
    }

    /// Ends the frame as a fault.
    pub fn panic(&mut self, code: u8) {
        self.terminate(Terminator::Panic(code));
    }

    /// Ends the current block.
    pub fn terminate(&mut self, term: Terminator) {
        self.ensure_open();
        for to in term.successors() {
            let state = &mut self.blocks[to.block.index()];
            assert!(!state.sealed, "a jump to {}, which is sealed", to.block);
            assert_eq!(to.args.len(), state.declared_params, "arguments for {}", to.block);
            state.preds.push(self.current);
        }
        let block = &mut self.function.blocks[self.current.index()];
        block.term = term;
        block.term_span = self.span;
        self.blocks[self.current.index()].filled = true;
    }

    /// After a terminator, continues in a block that nothing jumps to.
    fn ensure_open(&mut self) {
        if !self.is_open() {
            self.current = self.create_block();
            self.blocks[self.current.index()].sealed = true;
        }
    }

    /// The finished function: unreachable blocks are gone, redundant parameters too.
    ///
    /// # Panics
    /// If a reachable block is not sealed or lacks a terminator: lowering forgot it.
    pub fn finish(mut self) -> Function {
        for id in self.function.reverse_postorder() {
            let state = &self.blocks[id.index()];
            assert!(state.sealed && state.filled, "{id} of {} is not finished", self.function.name);
        }
        remove_unreachable(&mut self.function);
        remove_redundant_params(&mut self.function);
        self.function
    }
}

/// Drops blocks that cannot be reached and renumbers the rest, keeping their order.
pub fn remove_unreachable(function: &mut Function) {
    let mut reached = vec![false; function.blocks.len()];
    for id in function.reverse_postorder() {
        reached[id.index()] = true;
    }
    if reached.iter().all(|&r| r) {
        return;
    }
    let mut renumbered = vec![BlockId(0); reached.len()];
    let kept = reached.iter().enumerate().filter(|(_, is_reached)| **is_reached);
    for (new, (old, _)) in kept.enumerate() {
        renumbered[old] = BlockId::new(new);
    }
    let mut keep = reached.iter();
    function.blocks.retain(|_| *keep.next().expect("one flag per block"));
    for block in &mut function.blocks {
        for to in block.term.successors_mut() {
            to.block = renumbered[to.block.index()];
        }
    }
}

/// Removes every parameter whose arguments are all one value (or the parameter itself), to a fixed point.
pub fn remove_redundant_params(function: &mut Function) {
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    let mut incoming: Vec<Vec<(usize, usize)>> = vec![Vec::new(); function.blocks.len()];
    for (id, block) in function.blocks() {
        for (i, to) in block.term.successors().enumerate() {
            incoming[to.block.index()].push((id.index(), i));
        }
    }
    let mut any = false;
    loop {
        let mut changed = false;
        for (index, edges) in incoming.iter().enumerate().skip(1) {
            for p in 0..function.blocks[index].params.len() {
                let param = function.blocks[index].params[p];
                if replacement[param.index()].is_some() {
                    continue;
                }
                let mut unique = None;
                let redundant = edges.iter().all(|&(from, i)| {
                    let call = function.blocks[from].term.successors().nth(i).expect("collected above");
                    let arg = resolve(&replacement, call.args[p]);
                    arg == param || *unique.get_or_insert(arg) == arg
                });
                if let (true, Some(value)) = (redundant, unique) {
                    replacement[param.index()] = Some(value);
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
        any = true;
    }
    if any {
        let dropped: Vec<Vec<bool>> = function
            .blocks
            .iter()
            .map(|block| block.params.iter().map(|p| replacement[p.index()].is_some()).collect())
            .collect();
        for block in &mut function.blocks {
            let Block { params, term, .. } = block;
            params.retain(|p| replacement[p.index()].is_none());
            for to in term.successors_mut() {
                let mut flags = dropped[to.block.index()].iter();
                to.args.retain(|_| !*flags.next().expect("one argument per parameter"));
            }
        }
        replace_values(function, &replacement);
    }
}

/// Rewrites every use of a value that has a replacement.
pub fn replace_values(function: &mut Function, replacement: &[Option<Value>]) {
    for block in &mut function.blocks {
        for inst in &mut block.insts {
            for arg in &mut inst.args {
                *arg = resolve(replacement, *arg);
            }
        }
        block.term.for_each_value_mut(|v| *v = resolve(replacement, *v));
    }
}

fn resolve(replacement: &[Option<Value>], mut value: Value) -> Value {
    while let Some(next) = replacement[value.index()] {
        value = next;
    }
    value
}

#[cfg(test)]
mod tests;
