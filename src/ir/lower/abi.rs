//! The border of the contract: decoding arguments, encoding results and events (§14.1).
//!
//! The types here are made of words only, so an encoding is a sequence of words. Decoding collects what may be wrong
//! with a call into one word and tests it once: all malformed calls end alike, in a revert with empty data.

use alloy_primitives::U256;

use super::function::{Base, Lower};
use super::values;
use crate::ir::{Imm, Op, Value};
use crate::sema::typed::{EventId, Expr, Function};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// Where arguments are read from.
#[derive(Clone, Copy)]
pub(super) enum ArgSource {
    /// Call data after the selector.
    Calldata,
    /// Memory.
    Memory(Base),
}

impl Lower<'_, '_> {
    /// `msg.sig`: the first four bytes of call data, left-aligned.
    pub(super) fn message_selector(&mut self) -> Value {
        let zero = self.zero();
        let word = self.b.unary(Op::Calldataload, zero);
        let mask = self.b.iconst(U256::from(u32::MAX) << 224);
        self.b.binary(Op::And, word, mask)
    }

    /// The types of the words of a function's parameters.
    pub(super) fn param_words(&mut self, func: &Function) -> Vec<TypeId> {
        let mut words = Vec::new();
        for param in func.params() {
            match values::word_types(&self.cx.program.types, param.ty) {
                Some(types) => words.extend(types),
                None => {
                    let name = self.cx.program.types.display(param.ty);
                    self.cx.unsupported(
                        param.span,
                        format_args!("a parameter of type `{name}` of an entry point"),
                    );
                }
            }
        }
        words
    }

    /// Reads arguments; gives them, and a word for each that is 0 exactly if the argument is well-formed.
    pub(super) fn read_args(&mut self, types: &[TypeId], source: ArgSource) -> (Vec<Value>, Vec<Value>) {
        let (mut args, mut bad) = (Vec::new(), Vec::new());
        for (index, &ty) in types.iter().enumerate() {
            let offset = 32 * index as u64;
            let word = match source {
                ArgSource::Calldata => {
                    let offset = self.b.iconst_u64(4 + offset);
                    self.b.unary(Op::Calldataload, offset)
                }
                ArgSource::Memory(base) => {
                    let address = self.address(base, offset);
                    self.b.unary(Op::Mload, address)
                }
            };
            args.push(word);
            bad.extend(self.malformed(ty, word));
        }
        (args, bad)
    }

    /// A word that is 0 exactly if `word` is the encoding of a value of `ty`; nothing if every word is.
    fn malformed(&mut self, ty: TypeId, word: Value) -> Option<Value> {
        let program = self.cx.program;
        let above = |lower: &mut Self, bits: u16| {
            let bits = lower.b.iconst_u64(bits.into());
            Some(lower.b.binary(Op::Shr, bits, word))
        };
        match program.types.get(ty) {
            Type::Int(int) if int.bits == 256 => None,
            Type::Int(int) if int.signed => {
                let byte = self.b.iconst_u64(u64::from(int.bytes()) - 1);
                let extended = self.b.binary(Op::Signextend, byte, word);
                Some(self.b.binary(Op::Xor, extended, word))
            }
            Type::Int(int) => above(self, int.bits),
            Type::Bool => above(self, 1),
            Type::Address | Type::Handle(_) => above(self, 160),
            Type::FixedBytes(size @ ..32) => {
                let bits = self.b.iconst_u64(8 * u64::from(*size));
                Some(self.b.binary(Op::Shl, bits, word))
            }
            Type::Enum(id) => {
                let variants = &program.types.enums[id.index()].variants;
                // Discriminants may be given explicitly, with gaps.
                let dense = variants.iter().enumerate().all(|(i, v)| usize::from(v.discriminant) == i);
                if dense {
                    let last = self.b.iconst_u64((variants.len() as u64).saturating_sub(1));
                    return Some(self.b.binary(Op::Gt, word, last));
                }
                let mut known = self.zero();
                for variant in variants {
                    let value = self.b.iconst_u64(variant.discriminant.into());
                    let same = self.b.binary(Op::Eq, word, value);
                    known = self.b.binary(Op::Or, known, same);
                }
                Some(self.b.unary(Op::Iszero, known))
            }
            _ => None,
        }
    }

    /// Reverts with empty data unless all words are 0.
    pub(super) fn reject_any(&mut self, bad: Vec<Value>) {
        let all = bad.into_iter().reduce(|all, next| self.b.binary(Op::Or, all, next));
        if let Some(all) = all {
            self.revert_if(all);
        }
    }

    /// Ends the frame with the encoding of a value.
    pub(super) fn return_encoded(&mut self, ty: TypeId, words: &[Value]) {
        if values::word_types(&self.cx.program.types, ty).is_none() && ty != TypeId::NEVER {
            let name = self.cx.program.types.display(ty);
            self.cx.unsupported(self.b.span(), format_args!("a result of type `{name}` of an entry point"));
        }
        if words.is_empty() {
            return self.b.halt();
        }
        let bytes = 32 * words.len() as u64;
        let base = self.buffer(u32::try_from(bytes).unwrap_or(u32::MAX), true);
        self.store_words(base, 0, words);
        let (start, size) = (self.address(base, 0), self.b.iconst_u64(bytes));
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
            if values::word_types(&program.types, field.ty).is_none() {
                let name = program.types.display(field.ty);
                self.cx.unsupported(event.span, format_args!("an event field of type `{name}`"));
            } else if !field.indexed {
                data.extend(words);
            } else if let [word] = words[..] {
                topics.push(word);
            } else {
                topics.push(self.hash_words(&words));
            }
        }
        let bytes = 32 * data.len() as u64;
        let base = self.buffer(u32::try_from(bytes).unwrap_or(u32::MAX), false);
        self.store_words(base, 0, &data);
        let mut operands = vec![self.address(base, 0), self.b.iconst_u64(bytes)];
        operands.extend(topics);
        self.b.ins0(Op::Log, Imm::None, &operands);
    }

    /// keccak256 of words one after the other.
    fn hash_words(&mut self, words: &[Value]) -> Value {
        let bytes = 32 * words.len() as u64;
        let base = self.buffer(u32::try_from(bytes).unwrap_or(u32::MAX), false);
        self.store_words(base, 0, words);
        let (start, size) = (self.address(base, 0), self.b.iconst_u64(bytes));
        self.b.binary(Op::Keccak256, start, size)
    }
}
