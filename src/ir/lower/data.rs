//! Expressions that make or use whole values: literals of structs and arrays, operations on `bytes`, `Vec` and what
//! is at a place.

use super::decode::Malformed;
use super::encode::Item;
use super::function::{Base, Lower};
use super::references::Location;
use super::values;
use crate::ir::{Op, Value};
use crate::sema::typed::{DataOp, Expr, ExprKind, Place, PlaceOp, PlaceRoot};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

impl Lower<'_, '_> {
    /// A struct literal: fields in written order.
    pub(super) fn struct_value(&mut self, fields: &[(u32, Expr)], ty: TypeId) -> Vec<Value> {
        let types = values::field_types(&self.cx.program.types, ty).unwrap_or_default();
        let mut words = vec![Vec::new(); types.len()];
        for (position, field) in fields {
            let position = *position as usize;
            let Some(&ty) = types.get(position) else {
                self.cx.internal(field.span, "a field that the struct does not have");
                continue;
            };
            words[position] = self.value_as(field, ty);
        }
        words.concat()
    }

    /// A variant of an enum with payloads or of an `Option`.
    pub(super) fn variant_value(&mut self, tag: u32, args: &[Expr], ty: TypeId, span: Span) -> Vec<Value> {
        let variants = self.cx.program.types.variants(ty).into_iter();
        let types: Vec<TypeId> =
            variants.filter(|variant| variant.0 == tag).flat_map(|variant| variant.2).collect();
        let mut words = vec![self.b.iconst_u64(tag.into())];
        for (arg, &ty) in args.iter().zip(&types) {
            words.extend(self.value_as(arg, ty));
        }
        let count = self.words(ty, span);
        self.fit(words, count)
    }

    /// `[a, b, …]`: all elements, then the memory they go to.
    pub(super) fn array_value(&mut self, elements: &[Expr], ty: TypeId, span: Span) -> Value {
        let element = match self.cx.program.types.get(ty) {
            Type::Array { element, .. } => *element,
            _ => TypeId::ERROR,
        };
        let words: Vec<_> = elements.iter().flat_map(|value| self.value_as(value, element)).collect();
        self.b.set_span(span);
        let pointer = self.allocate(32 * words.len() as u64);
        self.store_words(Base::At(pointer), 0, &words);
        pointer
    }

    /// `[e; N]`.
    pub(super) fn repeated(&mut self, element: &Expr, length: u64, ty: TypeId) -> Value {
        let element_ty = match self.cx.program.types.get(ty) {
            Type::Array { element, .. } => *element,
            _ => element.ty,
        };
        let words = self.value_as(element, element_ty);
        let stride = 32 * words.len() as u64;
        let pointer = self.allocate(stride.saturating_mul(length));
        let size = self.b.iconst_u64(stride.saturating_mul(length));
        let end = self.b.binary(Op::Add, pointer, size);
        if stride > 0 {
            self.each_address(pointer, end, stride, |lower, at| lower.store_words(Base::At(at), 0, &words));
        }
        pointer
    }

    /// The values of operands with their types.
    fn operands_of(&mut self, args: &[Expr]) -> Vec<Item> {
        args.iter().map(|arg| (arg.ty, self.value(arg))).collect()
    }

    /// An operation on whole values.
    pub(super) fn data_op(&mut self, op: DataOp, args: &[Expr], ty: TypeId, span: Span) -> Vec<Value> {
        if let (DataOp::Clone, [arg]) = (op, args)
            && let ExprKind::Load(place) = &arg.kind
            && let PlaceRoot::Reference(local) = place.root
            && self.location(local) != Location::Memory
        {
            // Reading storage gives a copy.
            return self.value(arg);
        }
        let items = self.operands_of(args);
        let first = items.first().and_then(|item| item.1.first().copied());
        self.b.set_span(span);
        match (op, first) {
            (DataOp::AbiEncode, _) => vec![self.encoded_bytes(None, &items)],
            (DataOp::AbiCallData(selector), _) => vec![self.encoded_bytes(Some(selector), &items)],
            (DataOp::AbiEncodePacked, _) => vec![self.encode_packed(&items)],
            (DataOp::Concat, _) => {
                let parts: Vec<_> = items.iter().filter_map(|item| item.1.first().copied()).collect();
                vec![self.concat(&parts)]
            }
            (DataOp::NewVec, capacity) => {
                let element = match *self.cx.program.types.get(ty) {
                    Type::Vec(element) => self.words(element, span),
                    _ => 1,
                };
                let zero = self.zero();
                if let Some(capacity) = capacity {
                    self.check_count(capacity);
                }
                vec![self.new_vec(zero, capacity.unwrap_or(zero), element)]
            }
            (DataOp::Load, _) => items.into_iter().next().map(|item| item.1).unwrap_or_default(),
            (DataOp::Clone, _) => match items.first() {
                Some((ty, words)) => self.cloned(*ty, words),
                None => Vec::new(),
            },
            (DataOp::Service(op), _) => self.service(op, &items, span),
            (DataOp::VerifySignature(op), _) => {
                match items.iter().map(|item| &item.1[..]).collect::<Vec<_>>()[..] {
                    [&[key], &[message], &[signature]] => {
                        vec![self.verify_signature(op, key, message, signature)]
                    }
                    _ => Vec::new(),
                }
            }
            (DataOp::Ecrecover, _) => {
                let words: Vec<Value> = items.into_iter().flat_map(|item| item.1).collect();
                self.ecrecover(&words)
            }
            (DataOp::Hash(function), Some(pointer)) => vec![self.hash_of(function, pointer)],
            (DataOp::Len, Some(pointer)) => match *self.cx.program.types.get(args[0].ty) {
                Type::Array { length, .. } => vec![self.b.iconst_u64(length)],
                _ => vec![self.length(pointer)],
            },
            (DataOp::Slice, Some(pointer)) => match &items[1..] {
                [(_, from), (_, to)] if from.len() == 1 && to.len() == 1 => {
                    vec![self.slice(pointer, from[0], to[0])]
                }
                _ => Vec::new(),
            },
            (DataOp::AbiDecode, Some(pointer)) => self.abi_decode(pointer, ty, span),
            // An `Error` is the pointer to its data.
            (DataOp::ErrorData, Some(pointer)) => vec![pointer],
            (DataOp::ErrorSelector, Some(pointer)) => {
                let data = self.data(pointer);
                let word = self.b.unary(Op::Mload, data);
                let mask = self.b.iconst(alloy_primitives::U256::from(u32::MAX) << 224);
                let selector = self.b.binary(Op::And, word, mask);
                // What reverted without data has none, and what lies behind is not its own.
                let three = self.b.iconst_u64(3);
                let length = self.length(pointer);
                let is_there = self.b.binary(Op::Lt, three, length);
                vec![self.b.binary(Op::Mul, selector, is_there)]
            }
            (_, None) => {
                self.cx.internal(span, "an operation without operands");
                Vec::new()
            }
        }
    }

    /// `abi.decode(data)`: `Ok` of what was decoded, `Err` if the data are malformed.
    fn abi_decode(&mut self, pointer: Value, ty: TypeId, span: Span) -> Vec<Value> {
        let Some((ok, _)) = values::result_parts(&self.cx.program.types, ty) else {
            self.cx.internal(span, "`abi.decode` of what is no `Result`");
            return Vec::new();
        };
        let types = match self.cx.program.types.get(ok) {
            Type::Tuple(elements) => elements.clone(),
            Type::Unit => Vec::new(),
            _ => vec![ok],
        };
        let count = self.words(ty, span);
        let results: Vec<_> = (0..count).map(|_| self.b.declare_var()).collect();
        let (bad, join) = (self.b.create_block(), self.b.create_block());
        let words = self.decode_bytes(pointer, &types, Malformed::Jump(bad)).concat();
        let tag = self.zero();
        let all = self.fit([&[tag], &words[..]].concat(), count);
        for (&result, word) in results.iter().zip(all) {
            self.b.def_var(result, word);
        }
        self.b.jump(join);
        self.b.seal_block(bad);
        self.b.switch_to(bad);
        let tag = self.b.iconst_u64(1);
        let all = self.fit(vec![tag], count);
        for (&result, word) in results.iter().zip(all) {
            self.b.def_var(result, word);
        }
        self.b.jump(join);
        self.b.seal_block(join);
        self.b.switch_to(join);
        results.into_iter().map(|result| self.b.use_var(result)).collect()
    }

    /// An operation on what is at a place.
    pub(super) fn place_op(&mut self, op: PlaceOp, place: &Place, args: &[Expr], span: Span) -> Vec<Value> {
        let operands = self.operands(place);
        let words: Vec<_> = match *self.cx.program.types.get(place.ty) {
            Type::Vec(element) => args.iter().flat_map(|arg| self.value_as(arg, element)).collect(),
            _ => args.iter().flat_map(|arg| self.value(arg)).collect(),
        };
        self.b.set_span(span);
        let target = self.walk(place, &operands);
        match op {
            PlaceOp::Len => vec![self.place_length(place.ty, &target)],
            PlaceOp::Reach => Vec::new(),
            PlaceOp::Push => {
                self.push(place.ty, &target, &words);
                Vec::new()
            }
            PlaceOp::Pop => self.pop(place.ty, &target, span),
            PlaceOp::Clear => {
                match &target {
                    super::places::LoweredPlace::Storage(stored) => self.clear_storage(stored, span),
                    _ => {
                        let zero = self.zero_value(place.ty, span);
                        self.store(&target, &zero);
                    }
                }
                Vec::new()
            }
        }
    }
}
