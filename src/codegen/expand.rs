//! IR operations that a target lacks, written in operations that it has (§17.4).
//!
//! Checked arithmetic becomes plain arithmetic with a branch to a fault; `tablehash` stores its operands and hashes memory;
//! hashes of the native machine become calls of precompiled contracts. A function has one faulting block per Panic code.
//! Words are taken to be in the form of their type, as lowering leaves them: what a checked operation of the native
//! machine makes of other words is not repeated here.
//!
//! Keys of a table are hashed in the scratch space below 0x40, which nothing keeps across operations (§12).

mod blake;
mod checked;
mod power;

use alloy_primitives::U256;
use rustc_hash::FxHashMap;
use zvm::bytecode::Op as MachineOp;

use super::target::Target;
use crate::ir::build::replace_values;
use crate::ir::{
    BlockCall, BlockId, FrameSlot, FuncId, Function, Imm, Inst, Module, Op, SlotId, Terminator, Value,
};
use crate::source::Span;

/// The precompiled contracts of hashes that Ethereum has no operation for.
const SHA256_ADDRESS: u64 = 2;
const RIPEMD160_ADDRESS: u64 = 3;
/// Bytes of scratch memory that expansions may use.
const SCRATCH_BYTES: usize = 0x40;

/// Rewrites every operation that `target` lacks; tells whether there was one.
pub(super) fn run(module: &mut Module, target: Target) -> bool {
    if target.has(MachineOp::CAdd) {
        return false;
    }
    let mut helpers = Helpers {
        first: module.functions.len(),
        power: None,
        signed_power: None,
        blake2b: None,
        made: vec![],
    };
    let mut changed = false;
    for function in &mut module.functions {
        changed |= expand(function, &mut helpers);
    }
    for mut helper in std::mem::take(&mut helpers.made) {
        // The helpers themselves are written in plain operations and calls of each other.
        expand(&mut helper, &mut helpers);
        module.functions.push(helper);
    }
    changed
}

/// Functions that expansions call.
struct Helpers {
    // The number of the first one.
    first: usize,
    power: Option<FuncId>,
    signed_power: Option<FuncId>,
    blake2b: Option<FuncId>,
    made: Vec<Function>,
}

impl Helpers {
    fn add(&mut self, function: Function) -> FuncId {
        self.made.push(function);
        FuncId::new(self.first + self.made.len() - 1)
    }
}

pub(super) fn is_expanded(op: Op) -> bool {
    matches!(
        op,
        Op::Cadd
            | Op::Csub
            | Op::Cmul
            | Op::Cdiv
            | Op::Cmod
            | Op::Cneg
            | Op::Cexp
            | Op::Ccast
            | Op::CcastSigned
            | Op::Assert
            | Op::Tablehash
            | Op::Sha256
            | Op::Ripemd160
            | Op::Blake2b
    )
}

fn expand(function: &mut Function, helpers: &mut Helpers) -> bool {
    if !function.blocks.iter().flat_map(|block| &block.insts).any(|inst| is_expanded(inst.op)) {
        return false;
    }
    let mut constants = vec![None; function.value_count];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if let (Op::Const, Imm::Word(word), &[result]) = (inst.op, inst.imm, &inst.results[..]) {
            constants[result.index()] = Some(word);
        }
    }
    let replacement = vec![None; function.value_count];
    let mut expander = Expander {
        span: function.span,
        function,
        helpers,
        constants,
        replacement,
        faults: FxHashMap::default(),
        refusal: None,
        keys: None,
        current: Function::ENTRY,
    };
    for index in 0..expander.function.blocks.len() {
        expander.block(BlockId::new(index));
    }
    let mut replacement = expander.replacement;
    replacement.resize(function.value_count, None);
    replace_values(function, &replacement);
    true
}

struct Expander<'f> {
    function: &'f mut Function,
    helpers: &'f mut Helpers,
    // By value, of the function as it was.
    constants: Vec<Option<U256>>,
    replacement: Vec<Option<Value>>,
    // The block that ends with each Panic code.
    faults: FxHashMap<u8, BlockId>,
    // The block that reverts with empty data.
    refusal: Option<BlockId>,
    // A buffer for more keys than the scratch space holds, with its size.
    keys: Option<SlotId>,
    current: BlockId,
    span: Span,
}

impl Expander<'_> {
    fn block(&mut self, id: BlockId) {
        let block = &mut self.function.blocks[id.index()];
        let insts = std::mem::take(&mut block.insts);
        let term = std::mem::replace(&mut block.term, Terminator::Invalid);
        let term_span = block.term_span;
        self.current = id;
        for inst in insts {
            self.span = inst.span;
            if is_expanded(inst.op) {
                self.inst(&inst);
            } else {
                self.function.blocks[self.current.index()].insts.push(inst);
            }
        }
        let last = &mut self.function.blocks[self.current.index()];
        (last.term, last.term_span) = (term, term_span);
    }

    fn inst(&mut self, inst: &Inst) {
        match (inst.op, inst.imm, &inst.args[..]) {
            (op, Imm::Type(ty), &[a, b]) => self.checked_binary(op, ty, a, b, inst.results[0]),
            (op, Imm::Type(ty), &[a]) => self.checked_unary(op, ty, a, inst.results[0]),
            (Op::Assert, Imm::Panic(code), &[condition]) => {
                let (fault, next) = (self.fault(code), self.function.new_block(self.span));
                self.branch(condition, next, fault);
                self.current = next;
            }
            (Op::Tablehash, _, words) => self.table_hash(words, inst.results[0]),
            (Op::Sha256, _, &[address, size]) => {
                self.precompiled(SHA256_ADDRESS, address, size, inst.results[0]);
            }
            (Op::Ripemd160, _, &[address, size]) => {
                self.precompiled(RIPEMD160_ADDRESS, address, size, inst.results[0]);
            }
            (Op::Blake2b, _, &[address, size]) => {
                let helper = self.helpers.blake2b(self.span);
                self.emit(Op::Icall, Imm::Func(helper), &[address, size], inst.results.clone());
            }
            (op, ..) => unreachable!("{op:?} is not expanded"),
        }
    }

    fn table_hash(&mut self, words: &[Value], result: Value) {
        let bytes = 32 * words.len();
        let base = if bytes <= SCRATCH_BYTES {
            self.number(0)
        } else {
            let slot = self.keys.unwrap_or_else(|| self.function.new_slot(0));
            self.keys = Some(slot);
            let known: &mut FrameSlot = &mut self.function.slots[slot.index()];
            known.bytes = known.bytes.max(bytes as u32);
            self.op(Op::FrameAddr, Imm::Slot(slot), &[])
        };
        for (index, &word) in words.iter().enumerate() {
            let offset = self.number(32 * index as u64);
            let address = if bytes <= SCRATCH_BYTES { offset } else { self.binary(Op::Add, base, offset) };
            self.emit(Op::Mstore, Imm::None, &[address, word], vec![]);
        }
        let size = self.number(bytes as u64);
        self.emit(Op::Keccak256, Imm::None, &[base, size], vec![result]);
    }

    /// The word that a precompiled contract makes of memory; it fails only for want of gas.
    fn precompiled(&mut self, contract: u64, address: Value, size: Value, result: Value) {
        let (gas, contract) = (self.op(Op::Gas, Imm::None, &[]), self.number(contract));
        let (out, out_size) = (self.number(0), self.number(32));
        let args = [gas, contract, address, size, out, out_size];
        let succeeded = self.op(Op::Staticcall, Imm::None, &args);
        let refusal = self.refusal();
        let next = self.function.new_block(self.span);
        self.branch(succeeded, next, refusal);
        self.current = next;
        self.emit(Op::Mload, Imm::None, &[out], vec![result]);
    }

    // Building.

    fn emit(&mut self, op: Op, imm: Imm, args: &[Value], results: Vec<Value>) {
        let inst = Inst { op, imm, args: args.to_vec(), results, span: self.span };
        self.function.blocks[self.current.index()].insts.push(inst);
    }

    fn op(&mut self, op: Op, imm: Imm, args: &[Value]) -> Value {
        let result = self.function.new_value();
        self.emit(op, imm, args, vec![result]);
        result
    }

    fn unary(&mut self, op: Op, a: Value) -> Value {
        self.op(op, Imm::None, &[a])
    }

    fn binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        self.op(op, Imm::None, &[a, b])
    }

    fn constant(&mut self, word: U256) -> Value {
        self.op(Op::Const, Imm::Word(word), &[])
    }

    fn number(&mut self, number: u64) -> Value {
        self.constant(U256::from(number))
    }

    /// What is known of a value of the function as it was.
    fn known(&self, value: Value) -> Option<U256> {
        self.constants.get(value.index()).copied().flatten()
    }

    /// Lets uses of `result` be uses of `value`.
    fn replace(&mut self, result: Value, value: Value) {
        self.replacement[result.index()] = Some(value);
    }

    fn branch(&mut self, cond: Value, then: BlockId, otherwise: BlockId) {
        let call = |block| BlockCall { block, args: Vec::new() };
        let block = &mut self.function.blocks[self.current.index()];
        block.term = Terminator::Br { cond, then: call(then), otherwise: call(otherwise) };
        block.term_span = self.span;
    }

    /// Ends with the Panic code if `bad` is not 0, else goes on.
    fn fault_if(&mut self, bad: Value, code: u8) {
        let (fault, next) = (self.fault(code), self.function.new_block(self.span));
        self.branch(bad, fault, next);
        self.current = next;
    }

    fn fault(&mut self, code: u8) -> BlockId {
        if let Some(&block) = self.faults.get(&code) {
            return block;
        }
        let block = self.function.new_block(self.span);
        self.function.blocks[block.index()].term = Terminator::Panic(code);
        self.faults.insert(code, block);
        block
    }

    fn refusal(&mut self) -> BlockId {
        if let Some(block) = self.refusal {
            return block;
        }
        let block = self.function.new_block(self.span);
        let zero = self.function.new_value();
        let inst = Inst {
            op: Op::Const,
            imm: Imm::Word(U256::ZERO),
            args: vec![],
            results: vec![zero],
            span: self.span,
        };
        let contents = &mut self.function.blocks[block.index()];
        contents.insts.push(inst);
        contents.term = Terminator::Revert { address: zero, size: zero };
        self.refusal = Some(block);
        block
    }
}
