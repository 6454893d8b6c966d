//! Function 0 of the runtime module: selects the entry point, decodes, runs, encodes.
//!
//! Each entry point tests its call once: value sent to one that is not payable, call data shorter than selector and
//! arguments, malformed arguments. Call data of less than four bytes reads as a selector with zeros, and is then
//! refused by that test of the entry point it hits; where there is a `receive` or `fallback`, it goes there instead. A function that nothing else calls has its body here.

use alloy_primitives::U256;

use super::decode::{Input, Malformed, Medium};
use super::function::{Base, Exit, Lower};
use super::{ModuleCx, values};
use crate::ir::build::FunctionBuilder;
use crate::ir::{BlockId, Module, Op};
use crate::sema::typed::{Contract, EntryPoint, Mutability};

/// Builds function 0.
pub(super) fn lower_entry(cx: &mut ModuleCx<'_>) {
    let contract = cx.contract;
    let builder = FunctionBuilder::new("entry", 0, 0, contract.span);
    let mut lower = Lower::new(cx, builder);
    let has_default = contract.receive.is_some() || contract.fallback.is_some();
    let default = if has_default { lower.b.create_block() } else { lower.revert_block() };
    if contract.entry_points.is_empty() {
        lower.b.jump(default);
    } else {
        if has_default {
            lower.refuse_short_calls(default);
        }
        let zero = lower.zero();
        let word = lower.b.unary(Op::Calldataload, zero);
        let bits = lower.b.iconst_u64(224);
        let selector = lower.b.binary(Op::Shr, bits, word);
        let mut cases = Vec::new();
        for entry in &contract.entry_points {
            let word = U256::from(u32::from_be_bytes(entry.selector));
            let block = lower.b.create_block();
            if entry.is_hot {
                let (own, next) = (lower.b.iconst(word), lower.b.create_block());
                let selected = lower.b.binary(Op::Eq, selector, own);
                lower.b.br(selected, block, next);
                lower.b.seal_block(next);
                lower.b.switch_to(next);
            }
            cases.push((word, block, entry));
        }
        let others = cases.iter().filter(|case| !case.2.is_hot).map(|case| (case.0, case.1));
        match others.collect::<Vec<_>>() {
            others if others.is_empty() => lower.b.jump(default),
            others => lower.b.switch(selector, &others, default),
        }
        let mut refused = None;
        for (_, block, entry) in cases {
            lower.b.seal_block(block);
            lower.b.switch_to(block);
            lower.entry_point(entry, &mut refused);
        }
        if let Some(refused) = refused {
            lower.b.seal_block(refused);
            lower.b.switch_to(refused);
            lower.revert_if_locked();
            lower.b.revert_empty();
        }
    }
    if has_default {
        lower.b.seal_block(default);
        lower.b.switch_to(default);
        lower.unselected(contract);
    }
    let function = lower.finish();
    cx.module.define(Module::ENTRY, function);
}

impl Lower<'_, '_> {
    /// Sends calls without a whole selector away, if one could be taken for a call of an entry point: what is
    /// missing of a selector reads as zeros.
    fn refuse_short_calls(&mut self, default: BlockId) {
        if self.cx.contract.entry_points.iter().all(|entry| entry.selector[3] != 0) {
            return;
        }
        let (given, needed) = (self.b.nullary(Op::Calldatasize), self.b.iconst_u64(4));
        let short = self.b.binary(Op::Lt, given, needed);
        let whole = self.b.create_block();
        self.b.br(short, default, whole);
        self.b.seal_block(whole);
        self.b.switch_to(whole);
    }

    /// `receive` for empty call data, `fallback` for the rest.
    fn unselected(&mut self, contract: &Contract) {
        let program = self.cx.program;
        if let Some(id) = contract.receive {
            let func = program.function(id);
            self.b.set_span(func.span);
            let size = self.b.nullary(Op::Calldatasize);
            let (other, empty) = match contract.fallback {
                Some(_) => (self.b.create_block(), self.b.create_block()),
                None => (self.revert_block(), self.b.create_block()),
            };
            self.b.br(size, other, empty);
            self.b.seal_block(empty);
            self.b.switch_to(empty);
            self.check_lock(id);
            self.body(func, &[], Exit::Entry);
            if contract.fallback.is_none() {
                return;
            }
            self.b.seal_block(other);
            self.b.switch_to(other);
        }
        let Some(id) = contract.fallback else { return };
        let func = program.function(id);
        self.b.set_span(func.span);
        if func.mutability != Mutability::Payable {
            let value = self.b.nullary(Op::Callvalue);
            self.revert_if(value);
        }
        self.check_lock(id);
        let args: Vec<_> = func.params().iter().map(|_| self.calldata_bytes()).collect();
        self.body(func, &args, Exit::Raw);
    }

    /// An entry point. If it tests the lock, it does so together with the rest, and `refused` finds out what was wrong.
    fn entry_point(&mut self, entry: &EntryPoint, refused: &mut Option<BlockId>) {
        let program = self.cx.program;
        let func = program.function(entry.function);
        self.b.set_span(func.span);
        let types = self.param_types(func);
        let mut bad = Vec::new();
        if entry.mutability != Mutability::Payable {
            bad.push(self.b.nullary(Op::Callvalue));
        }
        let given = self.b.nullary(Op::Calldatasize);
        let needed = self.b.iconst_u64(self.heads_bytes(&types).saturating_add(4));
        bad.push(self.b.binary(Op::Lt, given, needed));
        let input = Input { medium: Medium::Calldata, end: given };
        let is_locked = self.cx.contract.guards.checks.contains(&entry.function);
        let args = if is_locked && types.iter().all(|&ty| self.is_flat(ty)) {
            bad.push(self.lock_held());
            let refused = *refused.get_or_insert_with(|| self.b.create_block());
            self.decode_list(&types, input, (Base::Zero, 4), bad, Malformed::Jump(refused)).concat()
        } else {
            let args = self.decode_list(&types, input, (Base::Zero, 4), bad, Malformed::Revert).concat();
            self.check_lock(entry.function);
            args
        };
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
