//! The border of the contract: arguments of entry points, results, events (§14.1).
//!
//! What the encodings look like is [`encode`](super::encode)'s and [`decode`](super::decode)'s business.

use alloy_primitives::U256;

use super::encode::Item;
use super::function::{Base, Lower};
use super::values;
use crate::ir::{Imm, Op, Value};
use crate::sema::typed::{EventId, Expr, Function};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

impl Lower<'_, '_> {
    /// `msg.sig`: the first four bytes of call data, left-aligned.
    pub(super) fn message_selector(&mut self) -> Value {
        let zero = self.zero();
        let word = self.b.unary(Op::Calldataload, zero);
        let mask = self.b.iconst(U256::from(u32::MAX) << 224);
        self.b.binary(Op::And, word, mask)
    }

    /// The types of a function's parameters, which come from outside.
    pub(super) fn param_types(&mut self, func: &Function) -> Vec<TypeId> {
        let known = func.params().iter().filter(|param| self.check_encodable(param.ty, param.span));
        known.map(|param| param.ty).collect()
    }

    /// How many bytes the heads of a list of values take.
    pub(super) fn heads_bytes(&self, types: &[TypeId]) -> u64 {
        types.iter().map(|&ty| self.head_bytes(ty)).fold(0, u64::saturating_add)
    }

    /// Ends the frame with the encoding of a value; a tuple is several.
    pub(super) fn return_encoded(&mut self, ty: TypeId, words: &[Value]) {
        self.check_encodable(ty, self.b.span());
        if words.is_empty() {
            return self.b.halt();
        }
        let items = match self.cx.program.types.get(ty) {
            Type::Tuple(_) => self.fields_of(ty, words),
            _ => vec![(ty, words.to_vec())],
        };
        let (start, size) = self.encoded(None, &items, true);
        self.b.return_(start, size);
    }

    /// Evaluates the fields in written order, then logs the event.
    pub(super) fn emit(&mut self, event: EventId, fields: &[(u32, Expr)], span: Span) {
        let program = self.cx.program;
        let event = program.event(event);
        let mut values = vec![Vec::new(); event.fields.len()];
        for (position, expr) in fields {
            let Some(field) = event.fields.get(*position as usize) else {
                return self.cx.internal(expr.span, "a field that the event does not have");
            };
            values[*position as usize] = self.value_as(expr, field.ty);
        }
        self.b.set_span(span);
        let (mut topics, mut data) = (Vec::new(), Vec::new());
        if !event.anonymous {
            topics.push(self.b.iconst(U256::from_be_bytes(event.topic)));
        }
        for (field, words) in event.fields.iter().zip(values) {
            self.check_encodable(field.ty, event.span);
            if field.indexed {
                topics.push(self.topic(field.ty, &words));
            } else {
                data.push((field.ty, words));
            }
        }
        let (start, size) = self.encoded(None, &data, false);
        let operands = [&[start, size], &topics[..]].concat();
        self.b.ins0(Op::Log, Imm::None, &operands);
    }

    /// The topic of an indexed field (§10.7): the word itself, or the hash of the contents.
    fn topic(&mut self, ty: TypeId, words: &[Value]) -> Value {
        let program = self.cx.program;
        if let (true, &[word]) = (program.types.is_word(ty), words) {
            return word;
        }
        if let (TypeId::BYTES | TypeId::STRING, &[pointer]) = (ty, words) {
            return self.hash_bytes(pointer);
        }
        if self.is_flat(ty) {
            let items: Vec<Item> = vec![(ty, words.to_vec())];
            let (start, size) = self.encoded(None, &items, false);
            return self.b.binary(Op::Keccak256, start, size);
        }
        let start = self.heap_pointer();
        let end = self.append_members(ty, words, start);
        let size = self.b.binary(Op::Sub, end, start);
        self.b.binary(Op::Keccak256, start, size)
    }

    /// Writes the members of a value one after the other, padded to words, without lengths or offsets; the address
    /// behind them.
    fn append_members(&mut self, ty: TypeId, words: &[Value], at: Value) -> Value {
        let program = self.cx.program;
        match *program.types.get(ty) {
            Type::Bytes | Type::String => {
                let (length, data) = (self.length(words[0]), self.data(words[0]));
                let whole = self.rounded(length);
                let end = self.b.binary(Op::Add, at, whole);
                // Zeros behind the data, in the last word or where it would be.
                let back = self.b.iconst_u64(32);
                let last = self.b.binary(Op::Sub, end, back);
                self.when(length, |lower| {
                    let zero = lower.zero();
                    lower.b.mstore(last, zero);
                });
                self.b.ins0(Op::Mcopy, Imm::None, &[at, data, length]);
                end
            }
            Type::Tuple(_) | Type::Struct(_) => {
                let mut at = at;
                for (field, words) in self.fields_of(ty, words) {
                    at = self.append_members(field, &words, at);
                }
                at
            }
            Type::Vec(element) | Type::Array { element, .. } => {
                let (count, source) = match *program.types.get(ty) {
                    Type::Array { length, .. } => (self.b.iconst_u64(length), words[0]),
                    _ => (self.length(words[0]), self.data(words[0])),
                };
                let stride = values::word_count(&program.types, element).unwrap_or(0);
                let size = self.times(count, 32 * stride as u64);
                if self.is_flat(element) {
                    self.b.ins0(Op::Mcopy, Imm::None, &[at, source, size]);
                    return self.b.binary(Op::Add, at, size);
                }
                let cursor = self.b.declare_var();
                self.b.def_var(cursor, at);
                let end = self.b.binary(Op::Add, source, size);
                self.each_address(source, end, 32 * stride as u64, |lower, from| {
                    let words = lower.load_words(from, stride);
                    let at = lower.b.use_var(cursor);
                    let next = lower.append_members(element, &words, at);
                    lower.b.def_var(cursor, next);
                });
                self.b.use_var(cursor)
            }
            _ => {
                self.store_words(Base::At(at), 0, words);
                self.address(Base::At(at), 32 * words.len() as u64)
            }
        }
    }
}
