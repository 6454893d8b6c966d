//! Whole values that lie in memory: comparing, copying, joining and cutting them.

use alloy_primitives::U256;
use zvm::outcome::panic_code;

use super::function::{Base, Lower};
use super::helpers::Helper;
use super::values;
use crate::ir::{Imm, Op, Value};
use crate::sema::typed::HashFunction;
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// The precompiled contract that recovers the signer of a hash.
const ECRECOVER_ADDRESS: u64 = 1;
/// Half the order of the group of secp256k1: of the two values of s that sign the same, the greater is above it (EIP-2).
const GROUP_ORDER_HALF: U256 =
    U256::from_limbs([0xdfe9_2f46_681b_20a0, 0x5d57_6e73_57a4_501d, u64::MAX, u64::MAX >> 1]);

impl Lower<'_, '_> {
    // Comparison.

    /// Whether two values have the same contents: 0 or 1.
    pub(super) fn equal(&mut self, ty: TypeId, left: &[Value], right: &[Value]) -> Value {
        let program = self.cx.program;
        match program.types.get(ty) {
            Type::Bytes | Type::String => self.call_helper(Helper::EqualBytes, &[left, right].concat())[0],
            Type::Vec(_) | Type::Array { .. } | Type::Option(_) => {
                self.call_helper(Helper::Equal(ty), &[left, right].concat())[0]
            }
            Type::Enum(id) if !program.types.enums[id.index()].is_payload_free() => {
                self.call_helper(Helper::Equal(ty), &[left, right].concat())[0]
            }
            Type::Tuple(_) | Type::Struct(_) if !self.is_flat(ty) => {
                let (left, right) = (self.fields_of(ty, left), self.fields_of(ty, right));
                let mut all = None;
                for ((field, left), (_, right)) in left.iter().zip(&right) {
                    let same = self.equal(*field, left, right);
                    all = Some(match all {
                        Some(before) => self.b.binary(Op::And, before, same),
                        None => same,
                    });
                }
                all.unwrap_or_else(|| self.b.iconst_u64(1))
            }
            _ => {
                let pairs = left.iter().zip(right);
                let same: Vec<_> = pairs.map(|(&a, &b)| self.b.binary(Op::Eq, a, b)).collect();
                let all = same.into_iter().reduce(|all, next| self.b.binary(Op::And, all, next));
                all.unwrap_or_else(|| self.b.iconst_u64(1))
            }
        }
    }

    /// keccak256 of the contents of `bytes`.
    pub(super) fn hash_bytes(&mut self, pointer: Value) -> Value {
        let length = self.length(pointer);
        let data = self.data(pointer);
        self.b.binary(Op::Keccak256, data, length)
    }

    /// A hash of `bytes` as a word of its type.
    pub(super) fn hash_of(&mut self, function: HashFunction, pointer: Value) -> Value {
        let op = match function {
            HashFunction::Keccak256 => return self.hash_bytes(pointer),
            HashFunction::Sha256 => Op::Sha256,
            HashFunction::Ripemd160 => Op::Ripemd160,
            HashFunction::Blake2b => Op::Blake2b,
        };
        let (length, data) = (self.length(pointer), self.data(pointer));
        let word = self.b.binary(op, data, length);
        if function != HashFunction::Ripemd160 {
            return word;
        }
        // 20 bytes at the low-order end; `bytes<20>` has them at the other.
        let shift = self.b.iconst_u64(96);
        self.b.binary(Op::Shl, shift, word)
    }

    /// `ecrecover` of hash, v, r and s by the precompiled contract: an `Option<Address>`, `None` for a failed recovery and
    /// for s above half the order of the group.
    pub(super) fn ecrecover(&mut self, words: &[Value]) -> Vec<Value> {
        let Some(&s) = words.last() else { return Vec::new() };
        let (size, word) = (32 * words.len() as u64, 32);
        let base = self.buffer(u32::try_from(size).unwrap_or(u32::MAX), false);
        self.store_words(base, 0, words);
        let (gas, contract) = (self.b.nullary(Op::Gas), self.b.iconst_u64(ECRECOVER_ADDRESS));
        let (start, size) = (self.address(base, 0), self.b.iconst_u64(size));
        let (out, out_size) = (self.zero(), self.b.iconst_u64(word));
        self.b.ins(Op::Staticcall, Imm::None, &[gas, contract, start, size, out, out_size]);
        // A failed recovery returns nothing and leaves memory as it is.
        let returned = self.b.nullary(Op::Returndatasize);
        let short = self.b.binary(Op::Lt, returned, out_size);
        let half = self.b.iconst(GROUP_ORDER_HALF);
        let above = self.b.binary(Op::Gt, s, half);
        let bad = self.b.binary(Op::Or, short, above);
        let found = self.b.unary(Op::Iszero, bad);
        let address = self.b.unary(Op::Mload, out);
        vec![found, self.b.binary(Op::Mul, address, found)]
    }

    /// The body of [`Helper::EqualBytes`].
    pub(super) fn equal_bytes_body(&mut self, left: Value, right: Value) -> Value {
        // Equal lengths and equal hashes; the price of the hash is that of reading the data.
        let (a, b) = (self.length(left), self.length(right));
        let (hash_a, hash_b) = (self.hash_bytes(left), self.hash_bytes(right));
        let lengths = self.b.binary(Op::Eq, a, b);
        let hashes = self.b.binary(Op::Eq, hash_a, hash_b);
        self.b.binary(Op::And, lengths, hashes)
    }

    /// The body of [`Helper::Equal`].
    pub(super) fn equal_body(&mut self, ty: TypeId, left: &[Value], right: &[Value], span: Span) -> Value {
        let program = self.cx.program;
        let (element, counts, starts) = match *program.types.get(ty) {
            Type::Vec(element) => {
                let counts = (self.length(left[0]), self.length(right[0]));
                (element, counts, (self.data(left[0]), self.data(right[0])))
            }
            Type::Array { element, length } => {
                let count = self.b.iconst_u64(length);
                (element, (count, count), (left[0], right[0]))
            }
            _ => return self.equal_variants(ty, left, right),
        };
        let result = self.b.declare_var();
        let same_length = self.b.binary(Op::Eq, counts.0, counts.1);
        self.b.def_var(result, same_length);
        let words = self.words(element, span);
        let size = self.times(counts.0, 32 * words as u64);
        if self.is_flat(element) {
            let other = self.times(counts.1, 32 * words as u64);
            let a = self.b.binary(Op::Keccak256, starts.0, size);
            let b = self.b.binary(Op::Keccak256, starts.1, other);
            let same = self.b.binary(Op::Eq, a, b);
            return self.b.binary(Op::And, same_length, same);
        }
        self.when(same_length, |lower| {
            let end = lower.b.binary(Op::Add, starts.0, size);
            let cursor = lower.b.declare_var();
            lower.b.def_var(cursor, starts.1);
            lower.each_address(starts.0, end, 32 * words as u64, |lower, at| {
                let other = lower.b.use_var(cursor);
                let (a, b) = (lower.load_words(at, words), lower.load_words(other, words));
                let same = lower.equal(element, &a, &b);
                let before = lower.b.use_var(result);
                let all = lower.b.binary(Op::And, before, same);
                lower.b.def_var(result, all);
                let next = lower.address(Base::At(other), 32 * words as u64);
                lower.b.def_var(cursor, next);
            });
        });
        self.b.use_var(result)
    }

    fn equal_variants(&mut self, ty: TypeId, left: &[Value], right: &[Value]) -> Value {
        let (&[tag, ref payload @ ..], &[other, ref other_payload @ ..]) = (left, right) else {
            return self.zero();
        };
        let result = self.b.declare_var();
        let same_tag = self.b.binary(Op::Eq, tag, other);
        self.b.def_var(result, same_tag);
        let (payload, other_payload) = (payload.to_vec(), other_payload.to_vec());
        self.when(same_tag, |lower| {
            lower.each_variant(ty, tag, |lower, fields| {
                let left = lower.items_of(fields.iter().copied(), &payload);
                let right = lower.items_of(fields.iter().copied(), &other_payload);
                for ((field, left), (_, right)) in left.iter().zip(&right) {
                    let same = lower.equal(*field, left, right);
                    let before = lower.b.use_var(result);
                    let all = lower.b.binary(Op::And, before, same);
                    lower.b.def_var(result, all);
                }
            });
        });
        self.b.use_var(result)
    }

    /// The types of the payload of each variant of an enum or `Option`, with the variant's tag.
    pub(super) fn variants(&self, ty: TypeId) -> Vec<(u64, Vec<TypeId>)> {
        let variants = self.cx.program.types.variants(ty).into_iter();
        variants.map(|(tag, _, payload)| (tag.into(), payload)).collect()
    }

    /// Runs `each` with the payload's types where control flow says that `tag` is that of a variant with one.
    pub(super) fn each_variant(
        &mut self,
        ty: TypeId,
        tag: Value,
        mut each: impl FnMut(&mut Self, &[TypeId]),
    ) {
        let join = self.b.create_block();
        let variants: Vec<_> =
            self.variants(ty).into_iter().filter(|(_, payload)| !payload.is_empty()).collect();
        let mut blocks = Vec::with_capacity(variants.len());
        for (tag, _) in &variants {
            blocks.push((U256::from(*tag), self.b.create_block()));
        }
        if blocks.is_empty() {
            self.b.jump(join);
        } else {
            self.b.switch(tag, &blocks, join);
        }
        for (&(_, block), (_, payload)) in blocks.iter().zip(&variants) {
            self.b.seal_block(block);
            self.b.switch_to(block);
            each(self, payload);
            if self.b.is_open() {
                self.b.jump(join);
            }
        }
        self.b.seal_block(join);
        self.b.switch_to(join);
    }

    // Copies.

    /// A copy that shares no memory with the value.
    pub(super) fn cloned(&mut self, ty: TypeId, words: &[Value]) -> Vec<Value> {
        let program = self.cx.program;
        match program.types.get(ty) {
            Type::String => self.call_helper(Helper::Clone(TypeId::BYTES), words),
            Type::AnyError => self.call_helper(Helper::Clone(TypeId::BYTES), words),
            Type::ErrorType(id) if !values::has_tag(program.types.error_type(*id)) => {
                let params = program.types.error_type(*id).variants.iter().flat_map(|error| &error.params);
                let items = self.items_of(params.map(|param| param.1).collect::<Vec<_>>(), words);
                items.into_iter().flat_map(|(field, words)| self.cloned(field, &words)).collect()
            }
            Type::Bytes
            | Type::Vec(_)
            | Type::Array { .. }
            | Type::Option(_)
            | Type::Result { .. }
            | Type::ErrorType(_) => self.call_helper(Helper::Clone(ty), words),
            Type::Enum(id) if !program.types.enums[id.index()].is_payload_free() => {
                self.call_helper(Helper::Clone(ty), words)
            }
            Type::Tuple(_) | Type::Struct(_) => {
                let fields = self.fields_of(ty, words);
                fields.into_iter().flat_map(|(field, words)| self.cloned(field, &words)).collect()
            }
            _ => words.to_vec(),
        }
    }

    /// The body of [`Helper::Clone`].
    pub(super) fn clone_body(&mut self, ty: TypeId, words: &[Value], span: Span) -> Vec<Value> {
        let program = self.cx.program;
        let copy = Imm::None;
        let (element, count, source, dest, pointer) = match *program.types.get(ty) {
            Type::Bytes => {
                let length = self.length(words[0]);
                let pointer = self.new_bytes(length);
                let (dest, source) = (self.data(pointer), self.data(words[0]));
                self.b.ins0(Op::Mcopy, copy, &[dest, source, length]);
                return vec![pointer];
            }
            Type::Vec(element) => {
                let length = self.length(words[0]);
                let count = self.words(element, span);
                let pointer = self.new_vec(length, length, count);
                (element, length, self.data(words[0]), self.data(pointer), pointer)
            }
            Type::Array { element, length } => {
                let count = self.words(element, span);
                let pointer = self.allocate((32 * count as u64).saturating_mul(length));
                (element, self.b.iconst_u64(length), words[0], pointer, pointer)
            }
            _ => return self.clone_variants(ty, words),
        };
        let stride = 32 * self.words(element, span) as u64;
        let size = self.times(count, stride);
        self.b.ins0(Op::Mcopy, copy, &[dest, source, size]);
        if !self.is_flat(element) {
            let end = self.b.binary(Op::Add, dest, size);
            self.each_address(dest, end, stride, |lower, at| {
                let words = lower.load_words(at, (stride / 32) as usize);
                let words = lower.cloned(element, &words);
                lower.store_words(Base::At(at), 0, &words);
            });
        }
        vec![pointer]
    }

    fn clone_variants(&mut self, ty: TypeId, words: &[Value]) -> Vec<Value> {
        let Some((&tag, payload)) = words.split_first() else { return Vec::new() };
        let copies: Vec<_> = payload.iter().map(|_| self.b.declare_var()).collect();
        for (&copy, &word) in copies.iter().zip(payload) {
            self.b.def_var(copy, word);
        }
        let payload = payload.to_vec();
        self.each_variant(ty, tag, |lower, fields| {
            let items = lower.items_of(fields.iter().copied(), &payload);
            let words: Vec<_> =
                items.into_iter().flat_map(|(field, words)| lower.cloned(field, &words)).collect();
            for (&copy, &word) in copies.iter().zip(&words) {
                lower.b.def_var(copy, word);
            }
        });
        let mut all = vec![tag];
        all.extend(copies.into_iter().map(|copy| self.b.use_var(copy)));
        all
    }

    // Joining and cutting.

    /// `concat(a, b, …)`: the contents one after the other.
    pub(super) fn concat(&mut self, parts: &[Value]) -> Value {
        let start = self.heap_pointer();
        let mut at = self.address(Base::At(start), 64);
        for &part in parts {
            let (length, data) = (self.length(part), self.data(part));
            self.b.ins0(Op::Mcopy, Imm::None, &[at, data, length]);
            at = self.b.binary(Op::Add, at, length);
        }
        self.keep_bytes(start, at)
    }

    /// `bytes.slice(from, to)`: Panic 0x32 unless `from <= to <= len`.
    pub(super) fn slice(&mut self, pointer: Value, from: Value, to: Value) -> Value {
        let length = self.length(pointer);
        for (low, high) in [(from, to), (to, length)] {
            let over = self.b.binary(Op::Gt, low, high);
            let inside = self.b.unary(Op::Iszero, over);
            self.b.assert(inside, panic_code::INDEX);
        }
        let size = self.b.binary(Op::Sub, to, from);
        let copy = self.new_bytes(size);
        let (dest, data) = (self.data(copy), self.data(pointer));
        let source = self.b.binary(Op::Add, data, from);
        self.b.ins0(Op::Mcopy, Imm::None, &[dest, source, size]);
        copy
    }

    /// `abi.encode_packed(…)`: words in their size, `bytes` and `string` as they are, elements of vectors and arrays
    /// as whole words.
    pub(super) fn encode_packed(&mut self, items: &[(TypeId, Vec<Value>)]) -> Value {
        let start = self.heap_pointer();
        let mut at = self.address(Base::At(start), 64);
        for (ty, words) in items {
            at = self.pack(*ty, words, at);
        }
        self.keep_bytes(start, at)
    }

    fn pack(&mut self, ty: TypeId, words: &[Value], at: Value) -> Value {
        let program = self.cx.program;
        match *program.types.get(ty) {
            Type::Bytes | Type::String => {
                let (length, data) = (self.length(words[0]), self.data(words[0]));
                self.b.ins0(Op::Mcopy, Imm::None, &[at, data, length]);
                self.b.binary(Op::Add, at, length)
            }
            Type::Vec(element) if program.types.is_word(element) => {
                let length = self.length(words[0]);
                let (size, data) = (self.times(length, 32), self.data(words[0]));
                self.b.ins0(Op::Mcopy, Imm::None, &[at, data, size]);
                self.b.binary(Op::Add, at, size)
            }
            Type::Array { element, length } if program.types.is_word(element) => {
                let size = self.b.iconst_u64(length.saturating_mul(32));
                self.b.ins0(Op::Mcopy, Imm::None, &[at, words[0], size]);
                self.b.binary(Op::Add, at, size)
            }
            _ => {
                let Some(size) = program.types.word_size_bytes(ty) else {
                    let name = program.types.display(ty);
                    self.cx.unsupported(self.b.span(), format_args!("packing a value of type `{name}`"));
                    return at;
                };
                let mut word = words[0];
                if ty.as_fixed_bytes().is_none() && size < 32 {
                    let shift = self.b.iconst_u64(256 - 8 * u64::from(size));
                    word = self.b.binary(Op::Shl, shift, word);
                }
                self.b.mstore(at, word);
                self.address(Base::At(at), size.into())
            }
        }
    }
}
