//! Calls whose failure is a value (§10.1, §10.2): `try` before a typed call or a creation, and low-level calls.
//!
//! The value is a `Result<T, CallError>`. What can go wrong leads to one block per variant of `CallError`; all of them and
//! the success meet where the words of the `Result` are.

use super::decode::{Input, Malformed, Medium};
use super::function::{Base, Lower};
use crate::ir::build::Variable;
use crate::ir::{BlockId, Imm, Op, Value};
use crate::sema::typed::{CallOption, RawCall, RawCallKind};
use crate::sema::types::TypeId;
use crate::source::Span;

/// The variants of `CallError`, by their position.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// The callee reverted or faulted; with what it returned.
    Reverted = 0,
    /// The target has no code.
    NoCode = 1,
    /// The results are malformed.
    BadReturn = 2,
}

/// Where the outcome of a call under way is put.
pub(super) struct Outcome {
    words: Vec<Variable>,
    // A block for each variant that may come up; sealed when the call is finished.
    failures: [Option<BlockId>; 3],
    join: BlockId,
}

impl Lower<'_, '_> {
    /// The words of a `Result<T, CallError>` of type `ty`; `body` gives those of T where it succeeds.
    pub(super) fn tried(
        &mut self,
        ty: TypeId,
        span: Span,
        body: impl FnOnce(&mut Self, &mut Outcome) -> Vec<Value>,
    ) -> Vec<Value> {
        let count = self.words(ty, span);
        let words = (0..count).map(|_| self.b.declare_var()).collect();
        let mut outcome = Outcome { words, failures: [None; 3], join: self.b.create_block() };
        let results = body(self, &mut outcome);
        let ok = self.zero();
        self.set_outcome(&outcome, [vec![ok], results].concat());
        for failure in [CallFailure::Reverted, CallFailure::NoCode, CallFailure::BadReturn] {
            let Some(block) = outcome.failures[failure as usize] else { continue };
            self.b.seal_block(block);
            self.b.switch_to(block);
            let (err, variant) = (self.b.iconst_u64(1), self.b.iconst_u64(failure as u64));
            let mut words = vec![err, variant];
            if failure == CallFailure::Reverted {
                words.push(self.returned_bytes());
            }
            self.set_outcome(&outcome, words);
        }
        self.b.seal_block(outcome.join);
        self.b.switch_to(outcome.join);
        outcome.words.into_iter().map(|word| self.b.use_var(word)).collect()
    }

    fn set_outcome(&mut self, outcome: &Outcome, words: Vec<Value>) {
        for (&variable, word) in outcome.words.iter().zip(self.fit(words, outcome.words.len())) {
            self.b.def_var(variable, word);
        }
        self.b.jump(outcome.join);
    }

    /// Where control goes for a failure.
    fn failure(&mut self, outcome: &mut Outcome, failure: CallFailure) -> BlockId {
        *outcome.failures[failure as usize].get_or_insert_with(|| self.b.create_block())
    }

    /// Goes on if `condition` is not 0; else the call failed so.
    pub(super) fn fail_unless(&mut self, condition: Value, outcome: &mut Outcome, failure: CallFailure) {
        let (good, bad) = (self.b.create_block(), self.failure(outcome, failure));
        self.b.br(condition, good, bad);
        self.b.seal_block(good);
        self.b.switch_to(good);
    }

    /// What the last callee returned, as `bytes`.
    fn returned_bytes(&mut self) -> Value {
        let (zero, size) = (self.zero(), self.b.nullary(Op::Returndatasize));
        let pointer = self.new_bytes(size);
        let data = self.data(pointer);
        self.b.ins0(Op::Returndatacopy, Imm::None, &[data, zero, size]);
        pointer
    }

    /// The results of a typed call that succeeded: of a known size in a static buffer at `base`.
    pub(super) fn tried_results(
        &mut self,
        results: &[TypeId],
        target: Value,
        base: Base,
        optional_return: bool,
        outcome: &mut Outcome,
    ) -> Vec<Value> {
        if results.is_empty() {
            let code = self.b.unary(Op::Extcodesize, target);
            self.fail_unless(code, outcome, CallFailure::NoCode);
            return Vec::new();
        }
        let bad = self.failure(outcome, CallFailure::BadReturn);
        let size = self.b.nullary(Op::Returndatasize);
        let optional = self.b.declare_var();
        let (some, none) = (self.b.create_block(), self.b.create_block());
        let after = self.b.create_block();
        self.b.br(size, some, none);
        self.b.seal_block(none);
        self.b.switch_to(none);
        let code = self.b.unary(Op::Extcodesize, target);
        self.fail_unless(code, outcome, CallFailure::NoCode);
        if optional_return {
            let yes = self.b.iconst_u64(1);
            self.b.def_var(optional, yes);
            self.b.jump(after);
        } else {
            self.b.jump(bad);
        }
        self.b.seal_block(some);
        self.b.switch_to(some);
        let words = if results.iter().all(|&ty| self.is_flat(ty)) {
            let heads = self.heads_bytes(results);
            let needed = self.b.iconst_u64(heads);
            let short = vec![self.b.binary(Op::Lt, size, needed)];
            // The buffer is read only as far as it was asked for.
            let end = self.address(base, heads);
            let input = Input { medium: Medium::Memory, end };
            self.decode_list(results, input, (base, 0), short, Malformed::Jump(bad)).concat()
        } else {
            let pointer = self.returned_bytes();
            self.decode_bytes(pointer, results, Malformed::Jump(bad)).concat()
        };
        let words = match (optional_return, &words[..]) {
            (true, &[word]) => {
                self.b.def_var(optional, word);
                vec![optional]
            }
            _ => words.into_iter().map(|word| self.variable_of(word)).collect(),
        };
        self.b.jump(after);
        self.b.seal_block(after);
        self.b.switch_to(after);
        words.into_iter().map(|word| self.b.use_var(word)).collect()
    }

    fn variable_of(&mut self, word: Value) -> Variable {
        let variable = self.b.declare_var();
        self.b.def_var(variable, word);
        variable
    }

    /// `a.call{…}(data)` and its siblings; a `Result` of type `ty`.
    pub(super) fn raw_call(&mut self, call: &RawCall, ty: TypeId, span: Span) -> Vec<Value> {
        let target = self.word_as(&call.target, TypeId::ADDRESS);
        let (mut value, mut gas) = (None, None);
        for (option, expr) in &call.options {
            let word = self.word(expr);
            match option {
                CallOption::Value => value = Some(word),
                CallOption::Gas => gas = Some(word),
            }
        }
        let arg = if call.kind == RawCallKind::Send {
            self.word_as(&call.arg, TypeId::U256)
        } else {
            self.word_as(&call.arg, TypeId::BYTES)
        };
        self.b.set_span(span);
        let zero = self.zero();
        let (start, size) = match call.kind {
            RawCallKind::Send => {
                value = Some(arg);
                (zero, zero)
            }
            _ => (self.data(arg), self.length(arg)),
        };
        let unlock = self.lock(span);
        let gas = gas.unwrap_or_else(|| self.b.nullary(Op::Gas));
        let mut operands = vec![gas, target];
        let op = match call.kind {
            RawCallKind::Call | RawCallKind::Send => {
                operands.push(value.unwrap_or(zero));
                Op::Call
            }
            RawCallKind::Static => Op::Staticcall,
            RawCallKind::Delegate => Op::Delegatecall,
        };
        operands.extend([start, size, zero, zero]);
        let succeeded = self.b.ins(op, Imm::None, &operands);
        self.unlock(unlock);
        self.tried(ty, span, |lower, outcome| {
            lower.fail_unless(succeeded, outcome, CallFailure::Reverted);
            match call.kind {
                RawCallKind::Send => Vec::new(),
                _ => vec![lower.returned_bytes()],
            }
        })
    }
}
