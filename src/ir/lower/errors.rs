//! Stopping and failing: `require`, `revert`, `Result`, and how errors are encoded.

use alloy_primitives::U256;

use super::ModuleCx;
use super::encode::Item;
use super::function::{Base, Exit, Lower};
use super::helpers::Helper;
use super::values::{self, has_tag};
use crate::ir::{DataId, Imm, Op, Value};
use crate::sema::typed::{ErrorRef, Expr, ExprKind, Revert};
use crate::sema::types::{ErrorTypeDef, ErrorTypeId, ErrorVariant, Type, TypeId};
use crate::source::Span;

/// The selector of `Error(string)`.
const ERROR_STRING: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];

/// Tags of a `Result`.
const TAG_OK: u64 = 0;
const TAG_ERR: u64 = 1;

impl<'p> Lower<'_, 'p> {
    // Stopping.

    /// `require(cond, failure)`.
    pub(super) fn require(&mut self, cond: &Expr, failure: &Revert) {
        let holds = self.b.create_block();
        if let Revert::Empty = failure {
            let fails = self.revert_block();
            self.condition(cond, holds, fails);
        } else {
            let fails = self.b.create_block();
            self.condition(cond, holds, fails);
            self.b.seal_block(fails);
            self.b.switch_to(fails);
            self.revert(failure);
        }
        self.b.seal_block(holds);
        self.b.switch_to(holds);
    }

    /// Ends the frame with what `failure` carries.
    pub(super) fn revert(&mut self, failure: &Revert) {
        match failure {
            Revert::Empty => self.b.revert_empty(),
            Revert::Text(text) => self.revert_text(text),
            Revert::Error(error) => self.revert_with(error),
        }
    }

    /// Reverts with the value of an expression of an error type.
    fn revert_with(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Error { error, args } => {
                let (variant, words) = self.error_args(*error, args);
                self.revert_encoded(variant, &words);
            }
            // The encoding is the same, and it needs no heap.
            ExprKind::IntoAnyError(inner) => self.revert_with(inner),
            _ => {
                let words = self.value(expr);
                self.revert_error(expr.ty, &words, expr.span);
            }
        }
    }

    /// Reverts with a value of an error type.
    pub(super) fn revert_error(&mut self, ty: TypeId, words: &[Value], span: Span) {
        let program = self.cx.program;
        match (program.types.get(ty), words) {
            (Type::AnyError, &[pointer]) => {
                let size = self.b.unary(Op::Mload, pointer);
                let data = self.address(Base::At(pointer), 32);
                self.b.revert(data, size);
            }
            (Type::ErrorType(id), _) => {
                let def = program.types.error_type(*id);
                self.for_each_variant(def, words, |lower, variant, words| {
                    lower.revert_encoded(variant, words)
                });
            }
            _ if ty == TypeId::CALL_ERROR => {
                let pointer = self.any_error(ty, words, span);
                self.revert_error(TypeId::ANY_ERROR, &[pointer], span);
            }
            _ => {
                if ty != TypeId::NEVER {
                    self.cx.internal(span, "an error of a type that is none");
                }
                self.b.revert_empty();
            }
        }
    }

    /// Lowers `each` once per variant of an error type, where control flow says that `words` are that variant's;
    /// `each` ends its block.
    fn for_each_variant(
        &mut self,
        def: &ErrorTypeDef,
        words: &[Value],
        mut each: impl FnMut(&mut Self, &ErrorVariant, &[Value]),
    ) {
        let payload = &words[usize::from(has_tag(def) && !words.is_empty())..];
        let mut cases = Vec::new();
        for (index, variant) in def.variants.iter().enumerate() {
            let count: usize = variant.params.iter().map(|param| self.words(param.1, variant.span)).sum();
            cases.push((U256::from(index), variant, &payload[..count.min(payload.len())]));
        }
        let Some(&(_, last, last_words)) = cases.last() else { return self.b.revert_empty() };
        if !has_tag(def) {
            return each(self, last, last_words);
        }
        let mut blocks = Vec::new();
        for (tag, ..) in &cases {
            blocks.push((*tag, self.b.create_block()));
        }
        // A tag is always that of a variant, so the last one needs no comparison.
        let (tested, default) = (&blocks[..blocks.len() - 1], blocks[blocks.len() - 1].1);
        self.b.switch(words[0], tested, default);
        for (&(_, block), &(_, variant, words)) in blocks.iter().zip(&cases) {
            self.b.seal_block(block);
            self.b.switch_to(block);
            each(self, variant, words);
        }
    }

    /// The parameters of an error with their parts of its words.
    fn error_items(&mut self, variant: &ErrorVariant, words: &[Value]) -> Vec<Item> {
        self.items_of(variant.params.iter().map(|param| param.1), words)
    }

    /// Reverts with the encoding of an error.
    fn revert_encoded(&mut self, variant: &ErrorVariant, words: &[Value]) {
        let items = self.error_items(variant, words);
        let (start, size) = self.encoded(Some(variant.selector), &items, true);
        self.b.revert(start, size);
    }

    /// Reverts with `Error(string)` of a constant text.
    fn revert_text(&mut self, text: &str) {
        // The whole encoding is constant; address 0 may be used, because no value is needed afterwards.
        let data = self.cx.text_segment(text);
        let zero = self.zero();
        let offset = self.b.ins(Op::DataOffset, Imm::Data(data), &[]);
        let size = self.b.ins(Op::DataSize, Imm::Data(data), &[]);
        self.b.ins0(Op::Codecopy, Imm::None, &[zero, offset, size]);
        self.b.revert(zero, size);
    }

    // Error values.

    /// An error and the words of its arguments, in parameter order.
    fn error_args(&mut self, error: ErrorRef, args: &[(u32, Expr)]) -> (&'p ErrorVariant, Vec<Value>) {
        let program = self.cx.program;
        let variant = &program.types.error_type(error.ty).variants[error.variant as usize];
        let mut values = vec![Vec::new(); variant.params.len()];
        for (position, arg) in args {
            let ty = variant.params.get(*position as usize).map_or(arg.ty, |param| param.1);
            let words = self.value_as(arg, ty);
            if let Some(value) = values.get_mut(*position as usize) {
                *value = words;
            }
        }
        (variant, values.concat())
    }

    /// A value of an error type.
    pub(super) fn error_value(&mut self, error: ErrorRef, args: &[(u32, Expr)]) -> Vec<Value> {
        let (_, words) = self.error_args(error, args);
        let def = self.cx.program.types.error_type(error.ty);
        if !has_tag(def) {
            return words;
        }
        let mut value = vec![self.b.iconst_u64(error.variant.into())];
        value.extend(words);
        // Shorter than the longest variant: the rest is never read.
        let count = values::error_word_count(&self.cx.program.types, def).unwrap_or(0);
        self.fit(value, count)
    }

    /// A known error as `Error`.
    pub(super) fn any_error_of(&mut self, error: ErrorRef, args: &[(u32, Expr)]) -> Value {
        let (variant, words) = self.error_args(error, args);
        let items = self.error_items(variant, &words);
        self.encoded_bytes(Some(variant.selector), &items)
    }

    /// A value of an error type as `Error`: its encoding on the heap.
    pub(super) fn any_error(&mut self, ty: TypeId, words: &[Value], span: Span) -> Value {
        let program = self.cx.program;
        match (program.types.get(ty), words) {
            (Type::AnyError, &[pointer]) => pointer,
            (Type::ErrorType(id), _) => self.call_helper(Helper::AnyError(*id), words)[0],
            // What the callee reverted with; no data for what is no revert.
            (_, &[tag, data]) if ty == TypeId::CALL_ERROR => {
                let result = self.b.declare_var();
                self.b.def_var(result, data);
                self.when(tag, |lower| {
                    let zero = lower.zero();
                    let empty = lower.new_bytes(zero);
                    lower.b.def_var(result, empty);
                });
                self.b.use_var(result)
            }
            _ => {
                if ty != TypeId::NEVER {
                    self.cx.internal(span, "an error of a type that is none");
                }
                self.zero()
            }
        }
    }

    /// The body of [`Helper::AnyError`]: the encoding of an error as `bytes`.
    pub(super) fn any_error_body(&mut self, id: ErrorTypeId, words: &[Value]) -> Value {
        let result = self.b.declare_var();
        let join = self.b.create_block();
        let def = self.cx.program.types.error_type(id);
        self.for_each_variant(def, words, |lower, variant, words| {
            let items = lower.error_items(variant, words);
            let pointer = lower.encoded_bytes(Some(variant.selector), &items);
            lower.b.def_var(result, pointer);
            lower.b.jump(join);
        });
        self.b.seal_block(join);
        self.b.switch_to(join);
        self.b.use_var(result)
    }

    // `Result`.

    /// `Ok(value)` as a value of the `Result` type `ty`.
    pub(super) fn ok(&mut self, value: &Expr, ty: TypeId) -> Vec<Value> {
        let inner = values::result_parts(&self.cx.program.types, ty).map_or(value.ty, |(ok, _)| ok);
        let words = self.value_as(value, inner);
        self.result_value(TAG_OK, words, ty, value.span)
    }

    /// `Err(error)` as a value of the `Result` type `ty`.
    pub(super) fn err(&mut self, error: &Expr, ty: TypeId) -> Vec<Value> {
        let inner = values::result_parts(&self.cx.program.types, ty).map_or(error.ty, |(_, err)| err);
        let words = self.value_as(error, inner);
        self.result_value(TAG_ERR, words, ty, error.span)
    }

    fn result_value(&mut self, tag: u64, payload: Vec<Value>, ty: TypeId, span: Span) -> Vec<Value> {
        let mut words = vec![self.b.iconst_u64(tag)];
        words.extend(payload);
        let count = self.words(ty, span);
        self.fit(words, count)
    }

    /// `operand?`: the words of `Ok`; leaves the body with `Err`.
    pub(super) fn question(&mut self, operand: &Expr) -> Vec<Value> {
        let Some((ok, err)) = values::result_parts(&self.cx.program.types, operand.ty) else {
            return self.question_option(operand);
        };
        if let ExprKind::Call { function, args } = &operand.kind
            && self.cx.plan.reverts_directly(*function)
        {
            return self.call(*function, args, operand.span);
        }
        let words = self.value(operand);
        let (tag, payload) = words.split_first().expect("a `Result` has a tag");
        let (failed, good) = (self.b.create_block(), self.b.create_block());
        self.b.br(*tag, failed, good);
        self.b.seal_block(failed);
        self.b.seal_block(good);
        self.b.switch_to(failed);
        let count = self.words(err, operand.span);
        self.leave_err(err, &payload[..count.min(payload.len())], operand.span);
        self.b.switch_to(good);
        let count = self.words(ok, operand.span);
        payload[..count.min(payload.len())].to_vec()
    }

    /// `operand?` of an `Option`: the words of `Some`; leaves the body with `None`.
    fn question_option(&mut self, operand: &Expr) -> Vec<Value> {
        let words = self.value(operand);
        let Some((&tag, payload)) = words.split_first() else { return Vec::new() };
        let (none, some) = (self.b.create_block(), self.b.create_block());
        self.b.br(tag, some, none);
        self.b.seal_block(none);
        self.b.seal_block(some);
        self.b.switch_to(none);
        let result = self.result_type();
        let count = self.words(result, operand.span);
        let words = self.fit(Vec::new(), count);
        self.leave(&words);
        self.b.switch_to(some);
        payload.to_vec()
    }

    // Leaving a body.

    /// Leaves the body with the value of an expression.
    pub(super) fn leave_with(&mut self, expr: &Expr) {
        let result = self.result_type();
        let parts = values::result_parts(&self.cx.program.types, result);
        let (Exit::RetOk | Exit::Entry | Exit::Raw, Some((ok, err))) = (self.exit(), parts) else {
            let words = self.value_as(expr, result);
            return self.leave(&words);
        };
        self.b.set_span(expr.span);
        match &expr.kind {
            ExprKind::Ok(value) => {
                let words = self.value_as(value, ok);
                self.end_ok(self.exit(), ok, &words);
            }
            ExprKind::Err(error) => self.revert_with(error),
            ExprKind::Call { function, args } if self.cx.plan.reverts_directly(*function) => {
                let words = self.call(*function, args, expr.span);
                self.end_ok(self.exit(), ok, &words);
            }
            ExprKind::Block(block) => {
                if let Some(value) = self.statements(block) {
                    self.leave_with(value);
                }
            }
            ExprKind::Match(matched) => {
                self.match_arms(matched, &mut |lower, body| {
                    if let Some(value) = lower.statements(body) {
                        lower.leave_with(value);
                    }
                });
            }
            ExprKind::If { cond, then, otherwise: Some(otherwise) } => {
                let (yes, no) = (self.b.create_block(), self.b.create_block());
                self.condition(cond, yes, no);
                for (block, source) in [(yes, then), (no, otherwise)] {
                    self.b.seal_block(block);
                    self.b.switch_to(block);
                    if let Some(value) = self.statements(source) {
                        self.leave_with(value);
                    }
                }
            }
            _ => {
                let words = self.value_as(expr, result);
                if expr.ty != TypeId::NEVER {
                    self.end_result(self.exit(), (ok, err), &words, expr.span);
                }
            }
        }
    }

    /// Reverts with the error of a `Result<ok, err>`, or else hands on the words of its value as `exit` says.
    pub(super) fn end_result(
        &mut self,
        exit: Exit,
        (ok, err): (TypeId, TypeId),
        words: &[Value],
        span: Span,
    ) {
        let Some((&tag, payload)) = words.split_first() else { return };
        let (failed, good) = (self.b.create_block(), self.b.create_block());
        self.b.br(tag, failed, good);
        self.b.seal_block(failed);
        self.b.seal_block(good);
        self.b.switch_to(failed);
        let count = self.words(err, span);
        self.revert_error(err, &payload[..count.min(payload.len())], span);
        self.b.switch_to(good);
        let count = self.words(ok, span);
        self.end_ok(exit, ok, &payload[..count.min(payload.len())]);
    }

    /// Leaves the body with `Err` of an error, converted to the body's error type.
    fn leave_err(&mut self, ty: TypeId, words: &[Value], span: Span) {
        let result = self.result_type();
        let Some((_, err)) = values::result_parts(&self.cx.program.types, result) else {
            return self.cx.internal(span, "`?` in a function without `Result`");
        };
        if let Exit::RetOk | Exit::Entry | Exit::Raw = self.exit() {
            return self.revert_error(ty, words, span);
        }
        let words = match self.cx.program.types.get(err) {
            Type::AnyError => vec![self.any_error(ty, words, span)],
            _ => words.to_vec(),
        };
        let words = self.result_value(TAG_ERR, words, result, span);
        self.leave(&words);
    }

    /// Hands on the words of T where `Err` reverts.
    fn end_ok(&mut self, exit: Exit, ok: TypeId, words: &[Value]) {
        match exit {
            Exit::Entry => self.return_encoded(ok, words),
            Exit::Raw => self.return_raw(words),
            _ => self.ret(words),
        }
    }

    /// Ends the frame with `bytes` as they are, or without output.
    fn return_raw(&mut self, words: &[Value]) {
        match *words {
            [pointer] => {
                let (size, data) = (self.b.unary(Op::Mload, pointer), self.data(pointer));
                self.b.return_(data, size);
            }
            _ => self.b.halt(),
        }
    }

    /// Leaves the body with the words of its result.
    pub(super) fn leave(&mut self, words: &[Value]) {
        match self.exit() {
            Exit::Ret | Exit::RetOk => self.ret(words),
            Exit::Entry => self.return_encoded(self.result_type(), words),
            Exit::Raw => self.return_raw(words),
            Exit::Continue(block) => self.b.jump(block),
        }
    }
}

impl ModuleCx<'_> {
    /// The data segment with `Error(string)` of a text.
    fn text_segment(&mut self, text: &str) -> DataId {
        let word = |n: usize| U256::from(n).to_be_bytes::<32>();
        let mut bytes = ERROR_STRING.to_vec();
        bytes.extend(word(32));
        bytes.extend(word(text.len()));
        bytes.extend(text.as_bytes());
        bytes.resize(4 + 64 + text.len().next_multiple_of(32), 0);
        self.data_segment(&bytes)
    }
}
