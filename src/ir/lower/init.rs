//! Function 0 of the init module: initializers, constructor, then the runtime code as return data (§15).
//!
//! Constructor arguments follow the init code. They are decoded before anything else happens; further bytes after
//! them are ignored, as Ethereum's tools expect.

use super::decode::{Input, Malformed, Medium};
use super::function::{Base, Lower};
use super::{ModuleCx, RUNTIME_SEGMENT};
use crate::ir::build::FunctionBuilder;
use crate::ir::{Imm, Module, Op, Value};
use crate::sema::typed::{Function, Mutability};

/// Builds function 0.
pub(super) fn lower_entry(cx: &mut ModuleCx<'_>) {
    let (program, contract) = (cx.program, cx.contract);
    let runtime = cx.module.add_data(RUNTIME_SEGMENT, Vec::new());
    let builder = FunctionBuilder::new("entry", 0, 0, contract.span);
    let mut lower = Lower::new(cx, builder);
    let constructor = contract.constructor.map(|id| program.function(id));
    let args = lower.creation_args(constructor);
    if let Some(id) = contract.initializer {
        lower.inline_body(program.function(id), &[]);
    }
    if let Some(constructor) = constructor {
        lower.inline_body(constructor, &args);
    }
    lower.b.set_span(contract.span);
    // Memory is free from 0 on, because nothing but constants is needed after this copy; with immutables, behind them.
    let dest = match lower.cx.immutables_bytes() {
        0 => lower.zero(),
        bytes => {
            let base = lower.b.nullary(Op::HeapBase);
            lower.address(Base::At(base), bytes)
        }
    };
    let offset = lower.b.ins(Op::DataOffset, Imm::Data(runtime), &[]);
    let size = lower.b.ins(Op::DataSize, Imm::Data(runtime), &[]);
    lower.b.ins0(Op::Codecopy, Imm::None, &[dest, offset, size]);
    lower.b.return_(dest, size);
    let function = lower.finish();
    cx.module.define(Module::ENTRY, function);
}

impl Lower<'_, '_> {
    /// Tests the value sent and the arguments, and gives the arguments.
    fn creation_args(&mut self, constructor: Option<&Function>) -> Vec<Value> {
        let mut bad = Vec::new();
        if constructor.is_none_or(|func| func.mutability != Mutability::Payable) {
            bad.push(self.b.nullary(Op::Callvalue));
        }
        let types = constructor.map(|func| self.param_types(func)).unwrap_or_default();
        if types.is_empty() {
            self.refuse_any(bad, Malformed::Revert);
            return Vec::new();
        }
        let heads = self.heads_bytes(&types);
        let start = self.b.nullary(Op::CodeEnd);
        let needed = self.address(Base::At(start), heads);
        let given = self.b.nullary(Op::Codesize);
        bad.push(self.b.binary(Op::Lt, given, needed));
        if types.iter().all(|&ty| self.is_flat(ty)) {
            let base = self.buffer(u32::try_from(heads).unwrap_or(u32::MAX), false);
            let (dest, size) = (self.address(base, 0), self.b.iconst_u64(heads));
            self.b.ins0(Op::Codecopy, Imm::None, &[dest, start, size]);
            let input = Input { medium: Medium::Memory, end: dest };
            return self.decode_list(&types, input, (base, 0), bad, Malformed::Revert).concat();
        }
        // All arguments lie on the heap while values are made of them.
        self.refuse_any(bad, Malformed::Revert);
        let size = self.b.binary(Op::Sub, given, start);
        let copy = self.new_bytes(size);
        let data = self.data(copy);
        self.b.ins0(Op::Codecopy, Imm::None, &[data, start, size]);
        let end = self.b.binary(Op::Add, data, size);
        let input = Input { medium: Medium::Memory, end };
        self.decode_list(&types, input, (Base::At(data), 0), Vec::new(), Malformed::Revert).concat()
    }
}
