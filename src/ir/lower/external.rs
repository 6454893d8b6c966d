//! Calls of other contracts: encoding, the call, what comes back, and the lock around it (§10.1, §11.3).
//!
//! What fails in the callee is handed on as it is; malformed results, and a target without code, revert with empty data.

use alloy_primitives::U256;

use super::Part;
use super::decode::{Input, Malformed, Medium};
use super::encode::Item;
use super::function::{Base, Lower};
use super::tried::CallFailure;
use crate::ir::{Imm, Op, Value};
use crate::sema::typed::{CallOption, ExternalCall, FuncId};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// The transient slot of the lock.
const LOCK_SLOT: U256 = U256::ZERO;
/// The selector of `Reentrancy()`.
const REENTRANCY: [u8; 4] = [0xab, 0x14, 0x3c, 0x06];

impl Lower<'_, '_> {
    /// A typed call; the words of its result, which with `try` is a `Result` of type `ty`.
    pub(super) fn external_call(&mut self, call: &ExternalCall, ty: TypeId, span: Span) -> Vec<Value> {
        let program = self.cx.program;
        let function = &program.types.handles[call.handle.index()].functions[call.function as usize];
        let target = self.word(&call.target);
        let (mut value, mut gas) = (None, None);
        for (option, expr) in &call.options {
            let word = self.word(expr);
            match option {
                CallOption::Value => value = Some(word),
                CallOption::Gas => gas = Some(word),
            }
        }
        let mut items: Vec<Item> = Vec::with_capacity(call.args.len());
        for (arg, (_, ty)) in call.args.iter().zip(&function.params) {
            self.check_encodable(*ty, arg.span);
            items.push((*ty, self.value_as(arg, *ty)));
        }
        self.check_encodable(function.result, span);
        let results = match program.types.get(function.result) {
            Type::Tuple(elements) => elements.clone(),
            Type::Unit => Vec::new(),
            _ => vec![function.result],
        };
        self.b.set_span(span);

        let (start, size) = self.encoded(Some(function.selector), &items, false);
        // Results of a known size come into a static buffer, others to the heap.
        let heads = self.heads_bytes(&results);
        let flat = results.iter().all(|&ty| self.is_flat(ty));
        let output = if flat { heads } else { 0 };
        let base = self.buffer(u32::try_from(output).unwrap_or(u32::MAX), false);
        let unlock = self.lock(span);
        let gas = gas.unwrap_or_else(|| self.b.nullary(Op::Gas));
        let mut operands = vec![gas, target];
        if !function.view {
            let value = value.unwrap_or_else(|| self.zero());
            operands.push(value);
        }
        operands.extend([start, size]);
        operands.extend([self.address(base, 0), self.b.iconst_u64(output)]);
        let op = if function.view { Op::Staticcall } else { Op::Call };
        let succeeded = self.b.ins(op, Imm::None, &operands);
        if call.is_tried {
            // The lock is given back whatever came of it.
            self.unlock(unlock);
            return self.tried(ty, span, |lower, outcome| {
                lower.fail_unless(succeeded, outcome, CallFailure::Reverted);
                lower.tried_results(&results, target, base, function.optional_return, outcome)
            });
        }
        self.unless(succeeded, Self::revert_with_returned);
        self.unlock(unlock);

        if results.is_empty() {
            self.require_code(target);
            return Vec::new();
        }
        let size = self.b.nullary(Op::Returndatasize);
        if function.optional_return {
            return vec![self.optional_bool(target, size, base)];
        }
        if flat {
            let needed = self.b.iconst_u64(output);
            let bad = vec![self.b.binary(Op::Lt, size, needed)];
            // The buffer is read only as far as it was asked for.
            let end = self.address(base, output);
            let input = Input { medium: Medium::Memory, end };
            return self.decode_list(&results, input, (base, 0), bad, Malformed::Revert).concat();
        }
        let zero = self.zero();
        let pointer = self.new_bytes(size);
        let data = self.data(pointer);
        self.b.ins0(Op::Returndatacopy, Imm::None, &[data, zero, size]);
        self.decode_bytes(pointer, &results, Malformed::Revert).concat()
    }

    /// Goes on if `condition` holds; otherwise does what ends the frame.
    pub(super) fn unless(&mut self, condition: Value, end: fn(&mut Self)) {
        let (good, bad) = (self.b.create_block(), self.b.create_block());
        self.b.br(condition, good, bad);
        self.b.seal_block(bad);
        self.b.switch_to(bad);
        end(self);
        self.b.seal_block(good);
        self.b.switch_to(good);
    }

    /// Reverts with what the callee returned.
    pub(super) fn revert_with_returned(&mut self) {
        let (zero, size) = (self.zero(), self.b.nullary(Op::Returndatasize));
        self.b.ins0(Op::Returndatacopy, Imm::None, &[zero, zero, size]);
        self.b.revert(zero, size);
    }

    /// Reverts with empty data unless the account has code.
    fn require_code(&mut self, account: Value) {
        let size = self.b.unary(Op::Extcodesize, account);
        let missing = self.b.unary(Op::Iszero, size);
        self.revert_if(missing);
    }

    /// The result of an `#[optional_return]` function: `true` if an account with code returned nothing.
    fn optional_bool(&mut self, target: Value, size: Value, base: Base) -> Value {
        let result = self.b.declare_var();
        let (some, none, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.br(size, some, none);
        self.b.seal_block(none);
        self.b.switch_to(none);
        self.require_code(target);
        let yes = self.b.iconst_u64(1);
        self.b.def_var(result, yes);
        self.b.jump(done);
        self.b.seal_block(some);
        self.b.switch_to(some);
        let needed = self.b.iconst_u64(32);
        let short = self.b.binary(Op::Lt, size, needed);
        let address = self.address(base, 0);
        let word = self.b.unary(Op::Mload, address);
        let one = self.b.iconst_u64(1);
        let above = self.b.binary(Op::Shr, one, word);
        self.refuse_any(vec![short, above], Malformed::Revert);
        self.b.def_var(result, word);
        self.b.jump(done);
        self.b.seal_block(done);
        self.b.switch_to(done);
        self.b.use_var(result)
    }

    // The lock.

    /// Refuses to run the entry point while the lock is held, if the plan says so.
    pub(super) fn check_lock(&mut self, entry: FuncId) {
        if !self.cx.contract.guards.checks.contains(&entry) {
            return;
        }
        self.revert_if_locked();
    }

    /// Not zero while somebody holds the lock.
    pub(super) fn lock_held(&mut self) -> Value {
        let slot = self.b.iconst(LOCK_SLOT);
        self.b.unary(Op::Tload, slot)
    }

    /// Reverts with `Reentrancy()` while somebody holds the lock.
    pub(super) fn revert_if_locked(&mut self) {
        let held = self.lock_held();
        let (refused, free) = (self.b.create_block(), self.b.create_block());
        self.b.br(held, refused, free);
        self.b.seal_block(refused);
        self.b.switch_to(refused);
        let (start, size) = self.encoded(Some(REENTRANCY), &[], true);
        self.b.revert(start, size);
        self.b.seal_block(free);
        self.b.switch_to(free);
    }

    /// Takes the lock before the call at `site`, if the plan says so; what to store afterwards.
    pub(super) fn lock(&mut self, site: Span) -> Option<Value> {
        let guards = &self.cx.contract.guards;
        // During creation the address has no code yet, so nobody can come in.
        if self.cx.part == Part::Init || !guards.locked.contains(&site) {
            return None;
        }
        let (nested, slot) = (guards.nested, self.b.iconst(LOCK_SLOT));
        let before = if nested { self.b.unary(Op::Tload, slot) } else { self.zero() };
        let held = self.b.iconst_u64(1);
        self.b.ins0(Op::Tstore, Imm::None, &[slot, held]);
        Some(before)
    }

    /// Gives the lock back.
    pub(super) fn unlock(&mut self, before: Option<Value>) {
        if let Some(before) = before {
            let slot = self.b.iconst(LOCK_SLOT);
            self.b.ins0(Op::Tstore, Imm::None, &[slot, before]);
        }
    }

    /// An internal call of a function without effects whose own static calls need the lock, which only its caller may take.
    pub(super) fn locked_around(
        &mut self,
        site: Span,
        call: impl FnOnce(&mut Self) -> Vec<Value>,
    ) -> Vec<Value> {
        let before = self.lock(site);
        let words = call(self);
        self.unlock(before);
        words
    }
}
