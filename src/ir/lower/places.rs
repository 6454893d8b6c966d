//! Places: locals, elements in memory, storage members and what is inside them; loads, stores, assignment.
//!
//! The expressions in a place (keys and indices) are evaluated first, left to right; walking the steps then tests
//! indices and follows pointers. So an expression in a place may change what the place goes through.

use alloy_primitives::U256;

use super::Part as ModulePart;
use super::function::{Base, Lower};
use super::helpers::Helper;
use super::storage::{Part, Shift, StoragePlace};
use super::values;
use crate::ir::build::Variable;
use crate::ir::{Imm, Op, Value};
use crate::sema::layout;
use crate::sema::typed::{
    AssignTarget, BinaryOp, Expr, ExprKind, MemberId, MemberKind, Place, PlaceRoot, PlaceStep,
};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// TABLEHASHN takes at most this many keys.
const TABLE_KEYS_MAX: usize = 16;

/// A place whose sub-expressions are evaluated and whose steps are walked.
pub(super) enum LoweredPlace {
    /// Words of a local.
    Local(Vec<Variable>),
    /// Words in memory from an address on.
    Memory { address: Value, words: usize },
    /// One byte in memory.
    Byte(Value),
    /// One byte of `bytes` in storage: the place of the whole, and the index.
    StorageByte(StoragePlace, Value),
    /// A value in storage.
    Storage(StoragePlace),
    /// Words of an immutable, the first by its number.
    Immutable { first: u64, words: usize },
    /// Reported; reads as zeros.
    Unknown { words: usize },
}

/// The value of an expression in a place.
#[derive(Clone)]
pub(super) enum Operand {
    /// An index.
    Index(Value, Option<U256>),
    /// The words of a key.
    Key(Vec<Value>),
}

/// Where a walk is.
enum Cursor {
    Words(Vec<Variable>),
    Memory(Value),
    Byte(Value),
    StorageByte(StoragePlace, Value),
    Storage(StoragePlace),
    Immutable(u64),
}

impl<'p> Lower<'_, 'p> {
    /// Evaluates the sub-expressions of a place, left to right, and walks it.
    pub(super) fn place(&mut self, place: &Place) -> LoweredPlace {
        let operands = self.operands(place);
        self.walk(place, &operands)
    }

    /// Evaluates the keys and indices of a place, left to right.
    pub(super) fn operands(&mut self, place: &Place) -> Vec<Operand> {
        let mut operands = Vec::new();
        for step in &place.steps {
            match step {
                PlaceStep::MapKey(key) => operands.push(Operand::Key(self.map_key(key))),
                PlaceStep::Index(index) => {
                    let constant = match index.kind {
                        ExprKind::Const(word) => Some(word),
                        _ => None,
                    };
                    operands.push(Operand::Index(self.word(index), constant));
                }
                PlaceStep::Field(_) | PlaceStep::Payload { .. } => {}
            }
        }
        operands
    }

    /// The words of a key; `bytes` and `string` are hashed.
    fn map_key(&mut self, key: &Expr) -> Vec<Value> {
        let words = self.value(key);
        let parts = self.items_of([key.ty], &words);
        let mut hashed = Vec::new();
        for (ty, words) in parts {
            let fields = if self.is_flat(ty) { vec![(ty, words)] } else { self.key_fields(ty, words) };
            for (ty, words) in fields {
                match (ty, words.first()) {
                    (TypeId::BYTES | TypeId::STRING, Some(&pointer)) => hashed.push(self.hash_bytes(pointer)),
                    _ => hashed.extend(words),
                }
            }
        }
        hashed
    }

    fn key_fields(&mut self, ty: TypeId, words: Vec<Value>) -> Vec<(TypeId, Vec<Value>)> {
        match values::field_types(&self.cx.program.types, ty) {
            Some(_) => self.fields_of(ty, &words),
            None => vec![(ty, words)],
        }
    }

    /// Walks the steps of a place with the values of its sub-expressions.
    pub(super) fn walk(&mut self, place: &Place, operands: &[Operand]) -> LoweredPlace {
        match self.walk_steps(place, operands) {
            Some(Cursor::Words(variables)) => LoweredPlace::Local(variables),
            Some(Cursor::Memory(address)) => {
                let words = self.words(place.ty, place.span);
                LoweredPlace::Memory { address, words }
            }
            Some(Cursor::Byte(address)) => LoweredPlace::Byte(address),
            Some(Cursor::StorageByte(whole, index)) => LoweredPlace::StorageByte(whole, index),
            Some(Cursor::Storage(place)) => LoweredPlace::Storage(place),
            Some(Cursor::Immutable(first)) => {
                LoweredPlace::Immutable { first, words: self.words(place.ty, place.span) }
            }
            None => self.unknown_place(place),
        }
    }

    fn walk_steps(&mut self, place: &Place, operands: &[Operand]) -> Option<Cursor> {
        let (mut cursor, mut ty) = match place.root {
            PlaceRoot::Local(id) => (Cursor::Words(self.local(id)), self.local_type(id)),
            PlaceRoot::Storage(member) => {
                let place = self.member_place(member);
                (Cursor::Storage(place), place.ty)
            }
            PlaceRoot::Immutable(id) => {
                let first = self.cx.immutable_words(id.index());
                (Cursor::Immutable(first), self.cx.contract.immutables[id.index()].ty)
            }
            PlaceRoot::Reference(local) => {
                let (place, target) = self.referred(local)?;
                let cursor = match place {
                    LoweredPlace::Storage(place) => Cursor::Storage(place),
                    LoweredPlace::Local(variables) => Cursor::Words(variables),
                    _ => return None,
                };
                (cursor, target)
            }
        };
        let mut operands = operands.iter();
        for step in &place.steps {
            (cursor, ty) = match step {
                PlaceStep::Field(index) => self.field_step(cursor, ty, *index, place.span)?,
                PlaceStep::Payload { tag, field } => {
                    self.payload_step(cursor, ty, (*tag, *field), place.span)?
                }
                PlaceStep::Index(_) => match operands.next()? {
                    Operand::Index(index, constant) => {
                        self.index_step(cursor, ty, *index, *constant, place.span)?
                    }
                    Operand::Key(_) => return None,
                },
                PlaceStep::MapKey(key) => match operands.next()? {
                    Operand::Key(words) => self.key_step(cursor, ty, words, key.span)?,
                    Operand::Index(..) => return None,
                },
            };
        }
        Some(cursor)
    }

    /// The place of a whole storage member.
    fn member_place(&mut self, id: MemberId) -> StoragePlace {
        let member = &self.cx.contract.storage[id.index()];
        let mut part = None;
        if member.kind == MemberKind::GroupField
            && let Some(size_bytes) = self.cx.program.types.word_size_bytes(member.ty)
            && size_bytes < 32
        {
            part = Some(Part { shift: Shift::Constant(8 * u32::from(member.offset_bytes)), size_bytes });
        }
        let (ty, transient) = (member.ty, member.kind == MemberKind::Transient);
        StoragePlace { slot: self.b.iconst(member.slot), transient, ty, part }
    }

    fn field_step(&mut self, cursor: Cursor, ty: TypeId, index: u32, span: Span) -> Option<(Cursor, TypeId)> {
        let fields = values::field_types(&self.cx.program.types, ty)?;
        let field = *fields.get(index as usize)?;
        if let Cursor::Storage(place) = cursor {
            let layout = layout::fields_of(&self.cx.program.types, ty)?;
            let place = self.field_place(&place, *layout.places.get(index as usize)?, field);
            return Some((Cursor::Storage(place), field));
        }
        let start: usize = fields[..index as usize].iter().map(|&field| self.words(field, span)).sum();
        let count = self.words(field, span);
        Some((
            match cursor {
                Cursor::Words(variables) => Cursor::Words(variables.get(start..start + count)?.to_vec()),
                Cursor::Memory(address) => Cursor::Memory(self.address(Base::At(address), 32 * start as u64)),
                Cursor::Immutable(first) => Cursor::Immutable(first + start as u64),
                _ => return None,
            },
            field,
        ))
    }

    fn payload_step(
        &mut self,
        cursor: Cursor,
        ty: TypeId,
        (tag, field): (u32, u32),
        span: Span,
    ) -> Option<(Cursor, TypeId)> {
        let program = self.cx.program;
        let variants = program.types.variants(ty);
        let parts = &variants.iter().find(|variant| variant.0 == tag)?.2;
        let part = *parts.get(field as usize)?;
        if let Cursor::Storage(place) = cursor {
            return Some((Cursor::Storage(self.payload_place(&place, parts, field)?), part));
        }
        let tag_words = usize::from(values::is_tagged(&program.types, ty));
        let before: usize = parts[..field as usize].iter().map(|&part| self.words(part, span)).sum();
        let (start, count) = (tag_words + before, self.words(part, span));
        Some((
            match cursor {
                Cursor::Words(variables) => Cursor::Words(variables.get(start..start + count)?.to_vec()),
                Cursor::Memory(address) => Cursor::Memory(self.address(Base::At(address), 32 * start as u64)),
                _ => return None,
            },
            part,
        ))
    }

    fn index_step(
        &mut self,
        cursor: Cursor,
        ty: TypeId,
        index: Value,
        constant: Option<U256>,
        span: Span,
    ) -> Option<(Cursor, TypeId)> {
        let program = self.cx.program;
        let shape = program.types.get(ty);
        if let Cursor::Storage(place) = cursor {
            let (element, first) = match *shape {
                Type::Array { element, length } => {
                    if constant.is_none_or(|index| index >= U256::from(length)) {
                        let length = self.b.iconst_u64(length);
                        self.check_index(index, length);
                    }
                    (element, place.slot)
                }
                Type::Vec(element) => {
                    let length = self.load_slot(place.slot, place.transient);
                    self.check_index(index, length);
                    (element, self.data_slot(place.slot))
                }
                Type::Bytes => {
                    return Some((Cursor::StorageByte(place, index), TypeId::U8));
                }
                _ => return None,
            };
            let place = self.element_place(first, place.transient, element, index);
            return Some((Cursor::Storage(place), element));
        }
        let pointer = match cursor {
            Cursor::Words(variables) => self.b.use_var(*variables.first()?),
            Cursor::Memory(address) => self.b.unary(Op::Mload, address),
            _ => return None,
        };
        match *shape {
            Type::Array { element, length } => {
                if constant.is_none_or(|index| index >= U256::from(length)) {
                    let length = self.b.iconst_u64(length);
                    self.check_index(index, length);
                }
                let stride = 32 * self.words(element, span) as u64;
                let offset = self.times(index, stride);
                Some((Cursor::Memory(self.b.binary(Op::Add, pointer, offset)), element))
            }
            Type::Vec(element) => {
                let length = self.length(pointer);
                self.check_index(index, length);
                let stride = 32 * self.words(element, span) as u64;
                let offset = self.times(index, stride);
                let data = self.data(pointer);
                Some((Cursor::Memory(self.b.binary(Op::Add, data, offset)), element))
            }
            Type::Bytes => {
                let length = self.length(pointer);
                self.check_index(index, length);
                let data = self.data(pointer);
                Some((Cursor::Byte(self.b.binary(Op::Add, data, index)), TypeId::U8))
            }
            _ => None,
        }
    }

    fn key_step(
        &mut self,
        cursor: Cursor,
        ty: TypeId,
        words: &[Value],
        span: Span,
    ) -> Option<(Cursor, TypeId)> {
        let (Cursor::Storage(place), &Type::Map { value, .. }) = (cursor, self.cx.program.types.get(ty))
        else {
            return None;
        };
        let operands = [&[place.slot], words].concat();
        if !(2..=TABLE_KEYS_MAX + 1).contains(&operands.len()) {
            self.cx.unsupported(span, "a key of no word or of more than 16 words");
            return None;
        }
        let slot = self.b.ins(Op::Tablehash, Imm::None, &operands);
        Some((Cursor::Storage(StoragePlace { slot, ty: value, part: None, ..place }), value))
    }

    fn unknown_place(&mut self, place: &Place) -> LoweredPlace {
        let what = format!("a place of type `{}` here", self.cx.program.types.display(place.ty));
        self.cx.unsupported(place.span, what);
        LoweredPlace::Unknown { words: self.words(place.ty, place.span) }
    }

    /// The words at a place.
    pub(super) fn load(&mut self, place: &LoweredPlace) -> Vec<Value> {
        match place {
            LoweredPlace::Local(variables) => variables.iter().map(|&var| self.b.use_var(var)).collect(),
            LoweredPlace::Memory { address, words } => self.load_words(*address, *words),
            LoweredPlace::Byte(address) => {
                let word = self.b.unary(Op::Mload, *address);
                let shift = self.b.iconst_u64(248);
                vec![self.b.binary(Op::Shr, shift, word)]
            }
            LoweredPlace::StorageByte(whole, index) => vec![self.load_storage_byte(whole, *index)],
            LoweredPlace::Storage(place) => self.load_storage(place, self.b.span()),
            LoweredPlace::Immutable { first, words } => {
                (0..*words as u64).map(|word| self.load_immutable(first + word)).collect()
            }
            LoweredPlace::Unknown { words } => self.fit(Vec::new(), *words),
        }
    }

    /// The word of an immutable while the contract is created: at the beginning of the heap.
    fn immutable_address(&mut self, word: u64) -> Value {
        let base = self.b.nullary(Op::HeapBase);
        self.address(Base::At(base), 32 * word)
    }

    fn load_immutable(&mut self, word: u64) -> Value {
        match self.cx.part {
            ModulePart::Runtime => self.b.ins(Op::Immutable, Imm::Word(U256::from(word)), &[]),
            ModulePart::Init => {
                let address = self.immutable_address(word);
                self.b.unary(Op::Mload, address)
            }
        }
    }

    /// Byte `index` of `bytes` in storage.
    fn load_storage_byte(&mut self, whole: &StoragePlace, index: Value) -> Value {
        let raw = self.load_slot(whole.slot, whole.transient);
        let one = self.b.iconst_u64(1);
        let long = self.b.binary(Op::And, raw, one);
        let word = self.b.declare_var();
        self.b.def_var(word, raw);
        let (far, near, join) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.br(long, far, near);
        self.b.seal_block(far);
        self.b.seal_block(near);
        self.b.switch_to(near);
        let mask = self.b.iconst_u64(0xff);
        let twice = self.b.binary(Op::And, raw, mask);
        let length = self.b.binary(Op::Shr, one, twice);
        self.check_index(index, length);
        self.b.jump(join);
        self.b.switch_to(far);
        let length = self.b.binary(Op::Shr, one, raw);
        self.check_index(index, length);
        let first = self.data_slot(whole.slot);
        let bits = self.b.iconst_u64(5);
        let slots = self.b.binary(Op::Shr, bits, index);
        let slot = self.b.binary(Op::Add, first, slots);
        let data = self.load_slot(slot, whole.transient);
        self.b.def_var(word, data);
        self.b.jump(join);
        self.b.seal_block(join);
        self.b.switch_to(join);
        let word = self.b.use_var(word);
        let mask = self.b.iconst_u64(31);
        let within = self.b.binary(Op::And, index, mask);
        self.b.binary(Op::Byte, within, word)
    }

    /// Stores words at a place.
    pub(super) fn store(&mut self, place: &LoweredPlace, words: &[Value]) {
        match place {
            LoweredPlace::Local(variables) => {
                for (&variable, &word) in variables.iter().zip(words) {
                    self.b.def_var(variable, word);
                }
            }
            LoweredPlace::Memory { address, .. } => self.store_words(Base::At(*address), 0, words),
            LoweredPlace::Byte(address) => {
                if let &[byte] = words {
                    self.b.ins0(Op::Mstore8, Imm::None, &[*address, byte]);
                }
            }
            LoweredPlace::StorageByte(whole, index) => {
                if let &[byte] = words {
                    let helper = Helper::SetByte { transient: whole.transient };
                    drop(self.call_helper(helper, &[whole.slot, *index, byte]));
                }
            }
            LoweredPlace::Storage(place) => self.store_storage(place, words, self.b.span()),
            LoweredPlace::Immutable { first, .. } => {
                for (index, &word) in words.iter().enumerate() {
                    let address = self.immutable_address(first + index as u64);
                    self.b.mstore(address, word);
                }
            }
            LoweredPlace::Unknown { .. } => {}
        }
    }

    /// `target = value`; gives the stored words.
    pub(super) fn assign(&mut self, target: &AssignTarget, value: &Expr) -> Vec<Value> {
        let words = self.value_as(value, self.target_type(target).unwrap_or(value.ty));
        let mut places = Vec::new();
        self.target_operands(target, &mut places);
        let mut rest = &words[..];
        for (place, operands) in &places {
            let count = self.words(place.ty, place.span).min(rest.len());
            let (own, others) = rest.split_at(count);
            let place = self.walk(place, operands);
            self.store(&place, own);
            rest = others;
        }
        words
    }

    /// The type of a single place. A tuple of places takes the type of its value.
    fn target_type(&self, target: &AssignTarget) -> Option<TypeId> {
        match target {
            AssignTarget::Place(place) => Some(place.ty),
            AssignTarget::Tuple(_) => None,
        }
    }

    fn target_operands<'t>(&mut self, target: &'t AssignTarget, places: &mut Vec<(&'t Place, Vec<Operand>)>) {
        match target {
            AssignTarget::Place(place) => places.push((place, self.operands(place))),
            AssignTarget::Tuple(targets) => {
                targets.iter().for_each(|target| self.target_operands(target, places));
            }
        }
    }

    /// `place op= value`; gives the stored word.
    pub(super) fn assign_op(&mut self, op: BinaryOp, target: &Place, value: &Expr, span: Span) -> Value {
        let right = self.word(value);
        let place = self.place(target);
        // The bits around a packed value are loaded once for both directions.
        if let LoweredPlace::Storage(slot) = &place {
            let raw = self.load_slot(slot.slot, slot.transient);
            let left = self.extract(slot, raw);
            let result = self.binary(op, target.ty, left, right, span);
            self.store_word(slot, Some(raw), result);
            return result;
        }
        let words = self.load(&place);
        let left = self.fit(words, 1)[0];
        let result = self.binary(op, target.ty, left, right, span);
        self.store(&place, &[result]);
        result
    }

    /// Adds a value behind the last one of a vector or of `bytes`.
    pub(super) fn push(&mut self, ty: TypeId, place: &LoweredPlace, words: &[Value]) {
        let program = self.cx.program;
        if let LoweredPlace::Storage(vec) = place {
            let Type::Vec(element) = *program.types.get(ty) else {
                let operands = [&[vec.slot], words].concat();
                return drop(self.call_helper(Helper::PushByte { transient: vec.transient }, &operands));
            };
            let length = self.load_slot(vec.slot, vec.transient);
            let first = self.data_slot(vec.slot);
            let slot = self.element_place(first, vec.transient, element, length);
            self.store_storage(&slot, words, self.b.span());
            let longer = self.address(Base::At(length), 1);
            let length_place = StoragePlace { ty: TypeId::U256, part: None, ..*vec };
            return self.store_word(&length_place, None, longer);
        }
        let pointer = self.load(place);
        let pointer = self.fit(pointer, 1)[0];
        let stride = match program.types.get(ty) {
            Type::Vec(_) => 32 * words.len() as u64,
            _ => 1,
        };
        let length = self.length(pointer);
        let current = self.b.declare_var();
        self.b.def_var(current, pointer);
        let back = self.b.iconst_u64(32);
        let capacity_at = self.b.binary(Op::Sub, pointer, back);
        let capacity = self.b.unary(Op::Mload, capacity_at);
        let full = {
            let room = self.b.binary(Op::Lt, length, capacity);
            self.b.unary(Op::Iszero, room)
        };
        self.when(full, |lower| {
            // Twice the length, and room for a few to begin with.
            let few = lower.b.iconst_u64(if stride == 1 { 32 } else { 4 });
            let double = lower.times(length, 2);
            let larger = lower.b.binary(Op::Add, double, few);
            let moved = if stride == 1 {
                let moved = lower.new_bytes(larger);
                lower.b.mstore(moved, length);
                moved
            } else {
                lower.new_vec(length, larger, words.len())
            };
            let size = lower.times(length, stride);
            let (dest, source) = (lower.data(moved), lower.data(pointer));
            lower.b.ins0(Op::Mcopy, Imm::None, &[dest, source, size]);
            lower.b.def_var(current, moved);
        });
        let pointer = self.b.use_var(current);
        self.store(place, &[pointer]);
        let longer = self.address(Base::At(length), 1);
        self.b.mstore(pointer, longer);
        let offset = self.times(length, stride);
        let data = self.data(pointer);
        let at = self.b.binary(Op::Add, data, offset);
        match (stride, words) {
            (1, &[byte]) => self.b.ins0(Op::Mstore8, Imm::None, &[at, byte]),
            _ => self.store_words(Base::At(at), 0, words),
        }
    }

    /// Takes the last value off a vector: the words of `Option<T>`.
    pub(super) fn pop(&mut self, ty: TypeId, place: &LoweredPlace, span: Span) -> Vec<Value> {
        let Type::Vec(element) = *self.cx.program.types.get(ty) else {
            self.cx.unsupported(span, "`pop` on what is not a `Vec`");
            return Vec::new();
        };
        let count = self.words(element, span);
        let results: Vec<_> = (0..=count).map(|_| self.b.declare_var()).collect();
        let zero = self.zero();
        results.iter().for_each(|&result| self.b.def_var(result, zero));
        let one = self.b.iconst_u64(1);
        let (pointer, length) = match place {
            LoweredPlace::Storage(vec) => (vec.slot, self.load_slot(vec.slot, vec.transient)),
            _ => {
                let words = self.load(place);
                let pointer = self.fit(words, 1)[0];
                (pointer, self.length(pointer))
            }
        };
        self.when(length, |lower| {
            let last = lower.b.binary(Op::Sub, length, one);
            let words = match place {
                LoweredPlace::Storage(vec) => {
                    let first = lower.data_slot(vec.slot);
                    let slot = lower.element_place(first, vec.transient, element, last);
                    let words = lower.load_storage(&slot, span);
                    lower.clear_storage(&slot, span);
                    let length_place = StoragePlace { ty: TypeId::U256, part: None, ..*vec };
                    lower.store_word(&length_place, None, last);
                    words
                }
                _ => {
                    lower.b.mstore(pointer, last);
                    let offset = lower.times(last, 32 * count as u64);
                    let data = lower.data(pointer);
                    let at = lower.b.binary(Op::Add, data, offset);
                    lower.load_words(at, count)
                }
            };
            lower.b.def_var(results[0], one);
            for (&result, word) in results[1..].iter().zip(words) {
                lower.b.def_var(result, word);
            }
        });
        results.into_iter().map(|result| self.b.use_var(result)).collect()
    }

    /// `a.len()` of what is at a place.
    pub(super) fn place_length(&mut self, ty: TypeId, place: &LoweredPlace) -> Value {
        if let &Type::Array { length, .. } = self.cx.program.types.get(ty) {
            return self.b.iconst_u64(length);
        }
        match place {
            LoweredPlace::Storage(vec) => {
                let raw = self.load_slot(vec.slot, vec.transient);
                if let Type::Vec(_) = self.cx.program.types.get(ty) {
                    return raw;
                }
                // `bytes` and `string`: 2·len in the lowest byte, or 2·len + 1 in the whole slot.
                let one = self.b.iconst_u64(1);
                let long = self.b.binary(Op::And, raw, one);
                let mask = self.b.iconst_u64(0xff);
                let low = self.b.binary(Op::And, raw, mask);
                let twice = self.select(long, raw, low);
                self.b.binary(Op::Shr, one, twice)
            }
            _ => {
                let words = self.load(place);
                let pointer = self.fit(words, 1)[0];
                self.length(pointer)
            }
        }
    }
}
