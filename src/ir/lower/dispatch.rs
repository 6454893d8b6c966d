//! Function 0 of the runtime module: selects the entry point, decodes, runs, encodes.
//!
//! Each entry point tests its call once: value sent to one that is not payable, call data shorter than selector and
//! arguments, malformed arguments. Call data of less than four bytes reads as a selector with zeros, and is then
//! refused by that test of the entry point it hits. A function that nothing else calls has its body here.

use alloy_primitives::U256;

use super::abi::ArgSource;
use super::function::{Exit, Lower};
use super::{ModuleCx, values};
use crate::ir::build::FunctionBuilder;
use crate::ir::{Module, Op};
use crate::sema::typed::{EntryPoint, Mutability};

/// Builds function 0.
pub(super) fn lower_entry(cx: &mut ModuleCx<'_>) {
    let contract = cx.contract;
    let builder = FunctionBuilder::new("entry", 0, 0, contract.span);
    let mut lower = Lower::new(cx, builder);
    let default = lower.revert_block();
    if contract.entry_points.is_empty() {
        lower.b.jump(default);
    } else {
        let zero = lower.zero();
        let word = lower.b.unary(Op::Calldataload, zero);
        let bits = lower.b.iconst_u64(224);
        let selector = lower.b.binary(Op::Shr, bits, word);
        let mut cases = Vec::new();
        for entry in &contract.entry_points {
            cases.push((U256::from(u32::from_be_bytes(entry.selector)), lower.b.create_block()));
        }
        lower.b.switch(selector, &cases, default);
        for (entry, &(_, block)) in contract.entry_points.iter().zip(&cases) {
            lower.b.seal_block(block);
            lower.b.switch_to(block);
            lower.entry_point(entry);
        }
    }
    let function = lower.finish();
    cx.module.define(Module::ENTRY, function);
}

impl Lower<'_, '_> {
    fn entry_point(&mut self, entry: &EntryPoint) {
        let program = self.cx.program;
        let func = program.function(entry.function);
        self.b.set_span(func.span);
        let types = self.param_words(func);
        let mut bad = Vec::new();
        if entry.mutability != Mutability::Payable {
            bad.push(self.b.nullary(Op::Callvalue));
        }
        let given = self.b.nullary(Op::Calldatasize);
        let needed = self.b.iconst_u64(4 + 32 * types.len() as u64);
        bad.push(self.b.binary(Op::Lt, given, needed));
        let (args, malformed) = self.read_args(&types, ArgSource::Calldata);
        bad.extend(malformed);
        self.reject_any(bad);
        if !self.cx.plan.is_called(entry.function) {
            return self.body(func, &args, Exit::Entry);
        }
        let callee = self.cx.function(entry.function);
        let results = self.cx.module.functions[callee.index()].result_count;
        let words = self.b.icall(callee, &args, results);
        let parts = values::result_parts(&program.types, func.result);
        match parts {
            Some((ok, _)) if self.cx.plan.reverts_directly(entry.function) => self.return_encoded(ok, &words),
            Some((ok, err)) => self.end_result(Exit::Entry, (ok, err), &words, func.span),
            None => self.return_encoded(func.result, &words),
        }
    }
}
