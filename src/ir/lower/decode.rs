//! ABI decoding (§14.1): call data or memory to typed values, every malformed input refused.
//!
//! The input ends at a known address. A head is read only where it is known to lie inside; an offset is tested before
//! it is followed, and a length before anything is allocated for it. Padding of `bytes` and gaps between tails are
//! not looked at, as Ethereum's tools expect.

use super::function::{Base, Lower};
use super::helpers::Helper;
use super::values;
use crate::ir::{BlockId, Imm, Op, Value};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// What kind of memory is decoded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Medium {
    /// The call data.
    Calldata,
    /// Memory of the frame.
    Memory,
}

/// What is decoded: from where on, and where it ends.
#[derive(Clone, Copy)]
pub(super) struct Input {
    pub(super) medium: Medium,
    /// The address behind the last byte.
    pub(super) end: Value,
}

/// What happens if the input is malformed.
#[derive(Clone, Copy)]
pub(super) enum Malformed {
    /// The frame reverts with empty data.
    Revert,
    /// Control goes to a block, which is sealed later.
    Jump(BlockId),
}

impl Lower<'_, '_> {
    fn load_input(&mut self, input: Input, at: Value) -> Value {
        match input.medium {
            Medium::Calldata => self.b.unary(Op::Calldataload, at),
            Medium::Memory => self.b.unary(Op::Mload, at),
        }
    }

    fn copy_input(&mut self, input: Input, dest: Value, source: Value, size: Value) {
        let op = match input.medium {
            Medium::Calldata => Op::Calldatacopy,
            Medium::Memory => Op::Mcopy,
        };
        self.b.ins0(op, Imm::None, &[dest, source, size]);
    }

    fn refuse_if(&mut self, bad: Value, malformed: Malformed) {
        match malformed {
            Malformed::Revert => self.revert_if(bad),
            Malformed::Jump(block) => {
                let good = self.b.create_block();
                self.b.br(bad, block, good);
                self.b.seal_block(good);
                self.b.switch_to(good);
            }
        }
    }

    /// Refuses the input unless all words are 0.
    pub(super) fn refuse_any(&mut self, bad: Vec<Value>, malformed: Malformed) {
        if let Some(any) = bad.into_iter().reduce(|all, next| self.b.binary(Op::Or, all, next)) {
            self.refuse_if(any, malformed);
        }
    }

    /// Reads a list of values whose heads begin `offset` bytes after `base`; the words of each. What is wrong with
    /// the call otherwise is in `bad`: words that shall all be 0, among them one that says whether the input is too
    /// short for the heads.
    pub(super) fn decode_list(
        &mut self,
        types: &[TypeId],
        input: Input,
        (base, offset): (Base, u64),
        mut bad: Vec<Value>,
        malformed: Malformed,
    ) -> Vec<Vec<Value>> {
        // Words first: all of them are tested at once.
        let mut at = offset;
        let mut decoded = Vec::with_capacity(types.len());
        for &ty in types {
            decoded.push(self.is_flat(ty).then(|| self.decode_words(ty, input, (base, at), &mut bad)));
            at += self.head_bytes(ty);
        }
        // Reading memory has a price, so it happens only where the input is known to be.
        self.refuse_any(bad, malformed);
        let mut at = offset;
        let mut all = Vec::with_capacity(types.len());
        for (&ty, words) in types.iter().zip(decoded) {
            all.push(match words {
                Some(words) => words,
                None => {
                    let origin = self.address(base, offset);
                    let head = self.address(base, at);
                    self.decode_head(ty, input, origin, head, malformed)
                }
            });
            at += self.head_bytes(ty);
        }
        all
    }

    /// Reads the words of a flat value and notes what may be wrong with them.
    fn decode_words(
        &mut self,
        ty: TypeId,
        input: Input,
        (base, offset): (Base, u64),
        bad: &mut Vec<Value>,
    ) -> Vec<Value> {
        let types = values::word_types(&self.cx.program.types, ty).unwrap_or_default();
        let mut words = Vec::with_capacity(types.len());
        for (index, ty) in types.into_iter().enumerate() {
            let at = self.address(base, offset + 32 * index as u64);
            let word = self.load_input(input, at);
            words.push(word);
            bad.extend(self.malformed(ty, word));
        }
        words
    }

    /// Reads one value whose head is at `head`, which lies inside; offsets count from `origin`.
    fn decode_head(
        &mut self,
        ty: TypeId,
        input: Input,
        origin: Value,
        head: Value,
        malformed: Malformed,
    ) -> Vec<Value> {
        let program = self.cx.program;
        if self.is_dynamic(ty) {
            let offset = self.load_input(input, head);
            let room = self.b.binary(Op::Sub, input.end, origin);
            let outside = self.b.binary(Op::Gt, offset, room);
            self.refuse_if(outside, malformed);
            let at = self.b.binary(Op::Add, origin, offset);
            return self.decode_tail(ty, input, at, malformed);
        }
        match *program.types.get(ty) {
            Type::Array { element, length } => {
                let count = self.b.iconst_u64(length);
                let words = self.words(element, self.b.span());
                let pointer = self.allocate((32 * words as u64).saturating_mul(length));
                self.decode_elements(element, input, (head, head), count, pointer, malformed);
                vec![pointer]
            }
            Type::Tuple(_) | Type::Struct(_) if !self.is_flat(ty) => {
                let fields = values::field_types(&program.types, ty).unwrap_or_default();
                self.decode_list(&fields, input, (Base::At(head), 0), Vec::new(), malformed).concat()
            }
            _ => {
                let mut bad = Vec::new();
                let words = self.decode_words(ty, input, (Base::At(head), 0), &mut bad);
                self.refuse_any(bad, malformed);
                words
            }
        }
    }

    /// Reads a tail that begins at `at`, which is not behind the end.
    fn decode_tail(&mut self, ty: TypeId, input: Input, at: Value, malformed: Malformed) -> Vec<Value> {
        let program = self.cx.program;
        let Malformed::Revert = malformed else { return self.decode_tail_body(ty, input, at, malformed) };
        match program.types.get(ty) {
            Type::Tuple(_) | Type::Struct(_) => self.decode_tail_body(ty, input, at, malformed),
            Type::String => self.call_helper(Helper::Decode(TypeId::BYTES, input.medium), &[at, input.end]),
            _ => self.call_helper(Helper::Decode(ty, input.medium), &[at, input.end]),
        }
    }

    /// [`decode_tail`](Self::decode_tail), in place.
    pub(super) fn decode_tail_body(
        &mut self,
        ty: TypeId,
        input: Input,
        at: Value,
        malformed: Malformed,
    ) -> Vec<Value> {
        let program = self.cx.program;
        let rest = self.b.binary(Op::Sub, input.end, at);
        match *program.types.get(ty) {
            Type::Bytes | Type::String => {
                let length = self.decode_length(input, at, rest, 1, malformed);
                let pointer = self.new_bytes(length);
                let (dest, source) = (self.data(pointer), self.address(Base::At(at), 32));
                self.copy_input(input, dest, source, length);
                vec![pointer]
            }
            Type::Vec(element) => {
                let head = self.head_bytes(element);
                let length = self.decode_length(input, at, rest, head, malformed);
                let words = self.words(element, self.b.span());
                // The input was paid for byte by byte, so the size does not overflow.
                let pointer = self.new_vec(length, length, words);
                let (dest, source) = (self.data(pointer), self.address(Base::At(at), 32));
                self.decode_elements(element, input, (source, source), length, dest, malformed);
                vec![pointer]
            }
            Type::Array { element, length } => {
                // Only the heads are known to be needed here; elements with tails have their own tests.
                let head = self.b.iconst_u64(self.head_bytes(element).saturating_mul(length));
                let short = self.b.binary(Op::Lt, rest, head);
                self.refuse_if(short, malformed);
                let words = self.words(element, self.b.span());
                let pointer = self.allocate((32 * words as u64).saturating_mul(length));
                let count = self.b.iconst_u64(length);
                self.decode_elements(element, input, (at, at), count, pointer, malformed);
                vec![pointer]
            }
            Type::Tuple(_) | Type::Struct(_) => {
                let fields = values::field_types(&program.types, ty).unwrap_or_default();
                let heads: u64 = fields.iter().map(|&field| self.head_bytes(field)).sum();
                let heads = self.b.iconst_u64(heads);
                let short = self.b.binary(Op::Lt, rest, heads);
                self.refuse_if(short, malformed);
                self.decode_list(&fields, input, (Base::At(at), 0), Vec::new(), malformed).concat()
            }
            _ => Vec::new(),
        }
    }

    /// Reads the length of a tail of which `rest` bytes are there; each element takes `size` bytes of it.
    fn decode_length(
        &mut self,
        input: Input,
        at: Value,
        rest: Value,
        size: u64,
        malformed: Malformed,
    ) -> Value {
        let length = self.load_input(input, at);
        let word = self.b.iconst_u64(32);
        let short = self.b.binary(Op::Lt, rest, word);
        let room = self.b.binary(Op::Sub, rest, word);
        let room = match size {
            0 | 1 => room,
            _ if size.is_power_of_two() => {
                let shift = self.b.iconst_u64(size.trailing_zeros().into());
                self.b.binary(Op::Shr, shift, room)
            }
            _ => {
                let size = self.b.iconst_u64(size);
                self.b.binary(Op::Div, room, size)
            }
        };
        let over = self.b.binary(Op::Gt, length, room);
        let bad = self.b.binary(Op::Or, short, over);
        self.refuse_if(bad, malformed);
        length
    }

    /// Reads elements whose heads begin at `heads` and lie inside, into memory from `dest` on; offsets count from
    /// `origin`.
    fn decode_elements(
        &mut self,
        element: TypeId,
        input: Input,
        (origin, heads): (Value, Value),
        count: Value,
        dest: Value,
        malformed: Malformed,
    ) {
        let words = self.words(element, self.b.span());
        let stride = 32 * words as u64;
        let size = self.times(count, stride);
        let end = self.b.binary(Op::Add, dest, size);
        if let Some(types) = values::word_types(&self.cx.program.types, element) {
            self.copy_input(input, dest, heads, size);
            if types.iter().all(|&ty| self.cx.program.types.word_size_bytes(ty) == Some(32)) {
                return;
            }
            let zero = self.zero();
            let faults = self.b.declare_var();
            self.b.def_var(faults, zero);
            self.each_address(dest, end, stride, |lower, at| {
                let words = lower.load_words(at, types.len());
                for (&ty, &word) in types.iter().zip(&words) {
                    if let Some(bad) = lower.malformed(ty, word) {
                        let before = lower.b.use_var(faults);
                        let all = lower.b.binary(Op::Or, before, bad);
                        lower.b.def_var(faults, all);
                    }
                }
            });
            let faults = self.b.use_var(faults);
            return self.refuse_if(faults, malformed);
        }
        let head = self.head_bytes(element);
        let cursor = self.b.declare_var();
        self.b.def_var(cursor, heads);
        self.each_address(dest, end, stride, |lower, at| {
            let from = lower.b.use_var(cursor);
            let words = lower.decode_head(element, input, origin, from, malformed);
            lower.store_words(Base::At(at), 0, &words);
            let next = lower.address(Base::At(from), head);
            lower.b.def_var(cursor, next);
        });
    }

    /// Decodes `bytes` as a list of types; control goes to `malformed` if they are not their encoding.
    pub(super) fn decode_bytes(
        &mut self,
        pointer: Value,
        types: &[TypeId],
        malformed: Malformed,
    ) -> Vec<Vec<Value>> {
        let length = self.length(pointer);
        let data = self.data(pointer);
        let end = self.b.binary(Op::Add, data, length);
        let heads: u64 = types.iter().map(|&ty| self.head_bytes(ty)).sum();
        let heads = self.b.iconst_u64(heads);
        let short = self.b.binary(Op::Lt, length, heads);
        // Words are tested after the size: what stands behind the data may not be read as part of it.
        self.refuse_if(short, malformed);
        let input = Input { medium: Medium::Memory, end };
        self.decode_list(types, input, (Base::At(data), 0), Vec::new(), malformed)
    }

    /// A word that is 0 exactly if `word` is the encoding of a value of `ty`; nothing if every word is.
    pub(super) fn malformed(&mut self, ty: TypeId, word: Value) -> Option<Value> {
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

    /// Reports a type that has no place in the ABI yet; whether it has one.
    pub(super) fn check_encodable(&mut self, ty: TypeId, span: Span) -> bool {
        let types = &self.cx.program.types;
        let known = ty == TypeId::NEVER || ty == TypeId::UNIT || types.abi_type(ty).is_some();
        if !known {
            let name = types.display(ty);
            self.cx.unsupported(span, format_args!("a value of type `{name}` in the ABI"));
        }
        known
    }
}
