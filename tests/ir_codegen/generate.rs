//! Random IR as lowering could build it: structured control flow over mutable variables, calls, buffers, effects.
//!
//! Every loop is bounded, every buffer is written before it is read, and addresses never become data, so an execution depends on
//! nothing that codegen may choose.

use alloy_primitives::U256;
use kalix::ir::build::{FunctionBuilder, Variable};
use kalix::ir::{FuncId, Function, Imm, IntType, Module, Op, SlotId, Value};
use kalix::source::Span;
use testkit::random::Random;

/// Parameters and results of each function after the entry.
struct Signature {
    params: usize,
    results: usize,
}

/// A module made of the numbers that follow `seed`.
pub(crate) fn module(seed: u64) -> Module {
    let mut random = Random::new(seed);
    let count = random.index(4);
    let signatures: Vec<Signature> = (0..count)
        .map(|_| {
            let many = random.chance(10);
            let count = |random: &mut Random| random.index(if many { 24 } else { 4 });
            Signature { params: count(&mut random), results: count(&mut random) }
        })
        .collect();
    let mut module = Module::new("random");
    for index in 0..=count {
        // A function calls only later ones: no recursion.
        let function = Generator::function(&mut random, index, &signatures);
        module.functions.push(function);
    }
    module
}

struct Generator<'r> {
    random: &'r mut Random,
    builder: FunctionBuilder,
    index: usize,
    signatures: &'r [Signature],
    variables: Vec<Variable>,
    slot: SlotId,
    budget: usize,
    // Where `break` and `continue` lead.
    loops: Vec<(kalix::ir::BlockId, kalix::ir::BlockId)>,
    loop_depth: usize,
}

const SLOT_WORDS: u64 = 4;

impl Generator<'_> {
    fn function(random: &mut Random, index: usize, signatures: &[Signature]) -> Function {
        let own = index.checked_sub(1).map(|i| &signatures[i]);
        let (params, results) = own.map_or((0, 0), |s| (s.params, s.results));
        let mut builder = FunctionBuilder::new(
            format!("f{index}"),
            params,
            results,
            Span::new(index as u32, index as u32 + 1),
        );
        let slot = builder.new_slot(SLOT_WORDS as u32 * 32);
        let extra = if random.chance(15) { 30 } else { 5 };
        let budget = if random.chance(20) { 60 } else { 16 };
        let mut generator = Generator {
            random,
            builder,
            index,
            signatures,
            variables: Vec::new(),
            slot,
            budget,
            loops: Vec::new(),
            loop_depth: 0,
        };
        for param in generator.builder.params() {
            let variable = generator.builder.declare_var();
            generator.builder.def_var(variable, param);
            generator.variables.push(variable);
        }
        for _ in 0..1 + generator.random.index(extra) {
            let variable = generator.builder.declare_var();
            if generator.random.chance(80) {
                let value = generator.leaf();
                generator.builder.def_var(variable, value);
            }
            generator.variables.push(variable);
        }
        for word in 0..SLOT_WORDS {
            let address = generator.address(word);
            let value = generator.builder.iconst_u64(word);
            generator.builder.mstore(address, value);
        }
        generator.statements(0);
        generator.finish(results)
    }

    fn finish(mut self, results: usize) -> Function {
        if self.index > 0 {
            let values: Vec<Value> = (0..results).map(|_| self.expr(2)).collect();
            self.builder.ret(&values);
            return self.builder.finish();
        }
        for i in 0..self.variables.len() {
            let value = self.builder.use_var(self.variables[i]);
            let key = self.builder.iconst_u64(100 + i as u64);
            self.builder.ins0(Op::Sstore, Imm::None, &[key, value]);
        }
        if self.random.chance(50) {
            let (address, size) = (self.address(0), self.builder.iconst_u64(32 * SLOT_WORDS));
            self.builder.return_(address, size);
        } else {
            self.builder.halt();
        }
        self.builder.finish()
    }

    fn address(&mut self, word: u64) -> Value {
        let base = self.builder.frame_addr(self.slot);
        let offset = self.builder.iconst_u64(32 * word);
        self.builder.binary(Op::Add, base, offset)
    }

    fn any_address(&mut self) -> Value {
        let word = self.random.below(SLOT_WORDS);
        self.address(word)
    }

    fn variable(&mut self) -> Variable {
        self.variables[self.random.index(self.variables.len())]
    }

    fn leaf(&mut self) -> Value {
        match self.random.below(10) {
            0..=2 if !self.variables.is_empty() => {
                let variable = self.variable();
                self.builder.use_var(variable)
            }
            3 => self.builder.nullary(Op::Caller),
            4 => self.builder.nullary(Op::Calldatasize),
            5 => {
                let offset = self.builder.iconst_u64(self.random.below(80));
                self.builder.unary(Op::Calldataload, offset)
            }
            6 => {
                let word = self.random.word();
                self.builder.iconst(word)
            }
            _ => {
                let small = self.random.below(20);
                self.builder.iconst_u64(small)
            }
        }
    }

    fn expr(&mut self, depth: usize) -> Value {
        if depth == 0 || self.random.chance(25) {
            if self.random.chance(60) {
                let variable = self.variable();
                return self.builder.use_var(variable);
            }
            return self.leaf();
        }
        let a = self.expr(depth - 1);
        match self.random.below(24) {
            0..=15 => {
                const OPS: [Op; 18] = [
                    Op::Add,
                    Op::Sub,
                    Op::Mul,
                    Op::Div,
                    Op::Mod,
                    Op::Sdiv,
                    Op::Smod,
                    Op::Lt,
                    Op::Gt,
                    Op::Slt,
                    Op::Sgt,
                    Op::Eq,
                    Op::And,
                    Op::Or,
                    Op::Xor,
                    Op::Byte,
                    Op::Shl,
                    Op::Shr,
                ];
                let op = self.random.pick(&OPS);
                let b = if self.random.chance(15) { a } else { self.expr(depth - 1) };
                self.builder.binary(op, a, b)
            }
            16 | 17 => {
                let op = self.random.pick(&[Op::Iszero, Op::Not]);
                self.builder.unary(op, a)
            }
            18 => {
                let b = self.expr(depth - 1);
                let c = self.expr(depth - 1);
                let op = self.random.pick(&[Op::Addmod, Op::Mulmod]);
                self.builder.ins(op, Imm::None, &[a, b, c])
            }
            19 => {
                let mask = self.builder.iconst_u64(7);
                let key = self.builder.binary(Op::And, a, mask);
                let op = self.random.pick(&[Op::Sload, Op::Tload]);
                self.builder.unary(op, key)
            }
            20 => {
                let mut args = vec![a];
                for _ in 0..1 + self.random.index(3) {
                    args.push(self.expr(depth - 1));
                }
                self.builder.ins(Op::Tablehash, Imm::None, &args)
            }
            21 => {
                let address = self.any_address();
                self.builder.unary(Op::Mload, address)
            }
            22 => {
                let address = self.address(0);
                let size = self.builder.iconst_u64(self.random.below(32 * SLOT_WORDS));
                self.builder.binary(Op::Keccak256, address, size)
            }
            _ => self.checked(a, depth),
        }
    }

    /// A checked operation that mostly succeeds.
    fn checked(&mut self, a: Value, depth: usize) -> Value {
        let mask = self.builder.iconst_u64(if self.random.chance(90) { 0x0f } else { 0x1ff });
        let a = self.builder.binary(Op::And, a, mask);
        let b = self.expr(depth - 1);
        let b = self.builder.binary(Op::And, b, mask);
        let ty =
            IntType::new(self.random.chance(30), self.random.pick(&[8, 16, 64, 128, 256])).expect("a width");
        match self.random.below(9) {
            0 => self.builder.checked(Op::Csub, ty, &[a, b]),
            1 => self.builder.checked(Op::Cdiv, ty, &[a, b]),
            2 => self.builder.checked(Op::Cmod, ty, &[a, b]),
            3 | 4 => self.builder.checked(Op::Cmul, ty, &[a, b]),
            5 => self.builder.checked(Op::Ccast, ty, &[a]),
            6 => self.builder.checked(Op::CcastSigned, ty, &[a]),
            _ => self.builder.checked(Op::Cadd, ty, &[a, b]),
        }
    }

    fn statements(&mut self, depth: usize) {
        for _ in 0..1 + self.random.index(5) {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: usize) {
        match self.random.below(if depth < 4 { 20 } else { 13 }) {
            0..=5 => {
                let value = self.expr(3);
                let variable = self.variable();
                self.builder.def_var(variable, value);
            }
            6 | 7 => {
                let key = self.expr(1);
                let mask = self.builder.iconst_u64(7);
                let key = self.builder.binary(Op::And, key, mask);
                let value = self.expr(2);
                let op = self.random.pick(&[Op::Sstore, Op::Tstore]);
                self.builder.ins0(op, Imm::None, &[key, value]);
            }
            8 => {
                let value = self.expr(2);
                let address = self.any_address();
                let op = self.random.pick(&[Op::Mstore, Op::Mstore, Op::Mstore8]);
                self.builder.ins0(op, Imm::None, &[address, value]);
            }
            9 => {
                let mut args = vec![self.address(0), self.builder.iconst_u64(self.random.below(65))];
                for _ in 0..self.random.index(5) {
                    args.push(self.expr(1));
                }
                self.builder.ins0(Op::Log, Imm::None, &args);
            }
            10 => self.call(),
            11 => {
                let value = self.expr(2);
                let one = self.builder.iconst_u64(1);
                let holds = self.builder.binary(Op::Or, value, one);
                let condition = if self.random.chance(95) { holds } else { value };
                self.builder.assert(condition, 0x32);
            }
            12 => self.leave(),
            13..=15 => self.if_else(depth),
            16 | 17 => self.bounded_loop(depth),
            _ => self.switch(depth),
        }
    }

    fn call(&mut self) {
        let callable = self.signatures.len() - self.index;
        if callable == 0 || self.loop_depth > 1 {
            return;
        }
        let callee = self.index + 1 + self.random.index(callable);
        let Signature { params, results } = self.signatures[callee - 1];
        let args: Vec<Value> = (0..params).map(|_| self.expr(1)).collect();
        for result in self.builder.icall(FuncId::new(callee), &args, results) {
            let variable = self.variable();
            self.builder.def_var(variable, result);
        }
    }

    /// Sometimes ends the function or the loop, in a branch.
    fn leave(&mut self) {
        let (then, after) = (self.builder.create_block(), self.builder.create_block());
        let cond = self.expr(2);
        let low = self.builder.iconst_u64(3);
        let cond = self.builder.binary(Op::And, cond, low);
        let cond = self.builder.binary(Op::Eq, cond, low);
        if self.random.chance(50) {
            self.builder.br(cond, then, after);
        } else {
            let inverted = self.builder.unary(Op::Iszero, cond);
            self.builder.br(inverted, after, then);
        }
        self.builder.seal_block(then);
        self.builder.switch_to(then);
        match (self.random.below(6), self.loops.last().copied()) {
            (0..=1, Some((exit, _))) => self.builder.jump(exit),
            (2, Some((_, head))) => self.builder.jump(head),
            (3, _) => {
                let (address, size) = (self.any_address(), self.builder.iconst_u64(self.random.below(33)));
                self.builder.revert(address, size);
            }
            (4, _) => self.builder.panic(0x11),
            _ if self.index == 0 => self.builder.halt(),
            _ => {
                let results = self.signatures[self.index - 1].results;
                let values: Vec<Value> = (0..results).map(|_| self.expr(1)).collect();
                self.builder.ret(&values);
            }
        }
        self.builder.seal_block(after);
        self.builder.switch_to(after);
    }

    fn if_else(&mut self, depth: usize) {
        let (then, otherwise, join) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let cond = self.expr(2);
        let otherwise = if self.random.chance(40) { join } else { otherwise };
        self.builder.br(cond, then, otherwise);
        for block in [then, otherwise] {
            if block == join {
                continue;
            }
            self.builder.seal_block(block);
            self.builder.switch_to(block);
            self.statements(depth + 1);
            self.builder.jump(join);
        }
        self.builder.seal_block(join);
        self.builder.switch_to(join);
    }

    fn bounded_loop(&mut self, depth: usize) {
        if self.loop_depth >= 2 {
            return;
        }
        self.loop_depth += 1;
        let counter = self.builder.declare_var();
        let zero = self.builder.iconst_u64(0);
        self.builder.def_var(counter, zero);
        let (head, body, exit) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        self.builder.jump(head);
        self.builder.switch_to(head);
        // The counter moves in the header, so that `continue` may lead there.
        let value = self.builder.use_var(counter);
        let limit = self.builder.iconst_u64(self.random.below(4));
        let one = self.builder.iconst_u64(1);
        let next = self.builder.binary(Op::Add, value, one);
        self.builder.def_var(counter, next);
        let more = self.builder.binary(Op::Lt, value, limit);
        self.builder.br(more, body, exit);
        self.builder.seal_block(body);
        self.builder.switch_to(body);
        self.loops.push((exit, head));
        self.statements(depth + 1);
        self.loops.pop();
        self.builder.jump(head);
        self.builder.seal_block(head);
        self.builder.seal_block(exit);
        self.builder.switch_to(exit);
        self.loop_depth -= 1;
    }

    fn switch(&mut self, depth: usize) {
        let value = self.expr(2);
        let mask = self.builder.iconst_u64(0x0f);
        let value = self.builder.binary(Op::And, value, mask);
        let join = self.builder.create_block();
        let count = self.random.index(9);
        let mut cases = Vec::new();
        for word in 0..count {
            let block = if self.random.chance(20) { join } else { self.builder.create_block() };
            cases.push((U256::from(word * 2), block));
        }
        let default = if self.random.chance(50) { join } else { self.builder.create_block() };
        self.builder.switch(value, &cases, default);
        for block in cases.into_iter().map(|(_, block)| block).chain([default]) {
            if block == join {
                continue;
            }
            self.builder.seal_block(block);
            self.builder.switch_to(block);
            if self.random.chance(70) {
                let variable = self.variable();
                let value = self.expr(2);
                self.builder.def_var(variable, value);
            } else {
                self.statements(depth + 1);
            }
            self.builder.jump(join);
        }
        self.builder.seal_block(join);
        self.builder.switch_to(join);
    }
}
