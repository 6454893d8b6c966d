//! Places: locals, elements in memory, storage members and what is inside them.
//!
//! The expressions in a place (keys and indices) are evaluated first, left to right; walking the steps then tests
//! indices and follows pointers. So an expression in a place may change what the place goes through. What is read
//! and written at the end of a walk is [`access`](super::access)'s business.

use alloy_primitives::U256;

use super::function::{Base, Lower};
use super::storage::{Part, Shift, StoragePlace};
use super::values;
use crate::ir::build::Variable;
use crate::ir::{Imm, Op, Value};
use crate::sema::layout;
use crate::sema::typed::{Expr, ExprKind, MemberId, MemberKind, Place, PlaceRoot, PlaceStep};
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
}
