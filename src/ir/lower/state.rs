//! Places: locals, storage members, table entries; loads and stores.
//!
//! A value in storage stands in the low-order bytes of its slot (of its part of the slot, in a group). Outside
//! groups a slot holds one value, so a store writes the whole slot, sign-extended for `iN`, and a load needs no
//! mask. Fields of a group share slots: a load extracts, a store keeps the other bytes.

use alloy_primitives::U256;

use super::Part as ModulePart;
use super::function::{Base, Lower};
use crate::ir::build::Variable;
use crate::ir::{Imm, Op, Value};
use crate::sema::typed::{
    AssignTarget, BinaryOp, Expr, ImmutableId, MemberId, MemberKind, Place, PlaceRoot, PlaceStep,
};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// TABLEHASHN takes at most this many keys.
const TABLE_KEYS_MAX: usize = 16;

/// A place whose sub-expressions are evaluated.
pub(super) enum LoweredPlace {
    /// Words of a local.
    Local(Vec<Variable>),
    /// A value in storage.
    Slot(SlotPlace),
    /// An immutable.
    Immutable(ImmutableId),
    /// Reported; reads as zeros.
    Unknown { words: usize },
}

/// A one-word value in storage.
pub(super) struct SlotPlace {
    slot: Value,
    transient: bool,
    form: Form,
    // `Some` if other values live in the slot: where this one begins, and its size.
    part: Option<Part>,
}

/// How the word of a value relates to the bytes in storage.
#[derive(Clone, Copy)]
enum Form {
    /// Zero-extended, or the whole slot.
    Plain,
    /// Sign-extended.
    Signed,
    /// Left-aligned in the word, low-order in storage: `bytes<N>` with N < 32.
    Left { shift: u16 },
}

#[derive(Clone, Copy)]
struct Part {
    offset_bytes: u8,
    size_bytes: u8,
}

impl Part {
    /// The bits of the value at the low-order end.
    fn mask(self) -> U256 {
        U256::MAX >> (256 - 8 * usize::from(self.size_bytes))
    }

    fn shift(self) -> usize {
        8 * usize::from(self.offset_bytes)
    }
}

impl Lower<'_, '_> {
    /// Evaluates the sub-expressions of a place, left to right.
    pub(super) fn place(&mut self, place: &Place) -> LoweredPlace {
        match place.root {
            PlaceRoot::Local(id) => {
                let (mut variables, mut ty) = (self.local(id), self.local_type(id));
                for step in &place.steps {
                    let PlaceStep::TupleField(index) = step else { return self.unknown_place(place) };
                    let (start, count) = self.tuple_field(ty, *index, place.span);
                    let Some(element) = self.tuple_element(ty, *index) else {
                        return self.unknown_place(place);
                    };
                    (variables, ty) = (variables[start..start + count].to_vec(), element);
                }
                LoweredPlace::Local(variables)
            }
            PlaceRoot::Storage(member) => self.slot_place(member, place),
            PlaceRoot::Immutable(id) if place.steps.is_empty() => LoweredPlace::Immutable(id),
            PlaceRoot::Immutable(_) => self.unknown_place(place),
        }
    }

    fn slot_place(&mut self, id: MemberId, place: &Place) -> LoweredPlace {
        let member = &self.cx.contract.storage[id.index()];
        let mut part = None;
        if member.kind == MemberKind::GroupField
            && place.steps.is_empty()
            && member.size_bytes < 32
            && let Ok(size_bytes) = u8::try_from(member.size_bytes)
        {
            part = Some(Part { offset_bytes: member.offset_bytes, size_bytes });
        }
        let (mut slot, mut ty) = (self.b.iconst(member.slot), member.ty);
        for step in &place.steps {
            let (PlaceStep::MapKey(key), &Type::Map { key: key_ty, value }) =
                (step, self.cx.program.types.get(ty))
            else {
                return self.unknown_place(place);
            };
            let mut operands = vec![slot];
            operands.extend(self.value_as(key, key_ty));
            if !(2..=TABLE_KEYS_MAX + 1).contains(&operands.len()) {
                self.cx.unsupported(key.span, "a key of no word or of more than 16 words");
                return LoweredPlace::Unknown { words: 1 };
            }
            slot = self.b.ins(Op::Tablehash, Imm::None, &operands);
            ty = value;
        }
        let types = &self.cx.program.types;
        if !types.is_word(ty) {
            return self.unknown_place(place);
        }
        let form = match types.get(ty) {
            Type::Int(int) if int.signed => Form::Signed,
            Type::FixedBytes(size @ ..32) => Form::Left { shift: 256 - 8 * u16::from(*size) },
            _ => Form::Plain,
        };
        LoweredPlace::Slot(SlotPlace { slot, transient: member.kind == MemberKind::Transient, form, part })
    }

    fn unknown_place(&mut self, place: &Place) -> LoweredPlace {
        let what = match place.root {
            PlaceRoot::Immutable(_) => "an immutable".to_owned(),
            _ => format!("a place of type `{}` in storage", self.cx.program.types.display(place.ty)),
        };
        self.cx.unsupported(place.span, what);
        LoweredPlace::Unknown { words: self.words(place.ty, place.span) }
    }

    /// The words at a place.
    pub(super) fn load(&mut self, place: &LoweredPlace) -> Vec<Value> {
        match place {
            LoweredPlace::Local(variables) => variables.iter().map(|&var| self.b.use_var(var)).collect(),
            LoweredPlace::Slot(place) => {
                let raw = self.load_slot(place);
                vec![self.extract(place, raw)]
            }
            LoweredPlace::Immutable(id) => vec![self.load_immutable(*id)],
            LoweredPlace::Unknown { words } => self.fit(Vec::new(), *words),
        }
    }

    /// Stores words at a place.
    pub(super) fn store(&mut self, place: &LoweredPlace, words: &[Value]) {
        match place {
            LoweredPlace::Local(variables) => {
                for (&variable, &word) in variables.iter().zip(words) {
                    self.b.def_var(variable, word);
                }
            }
            LoweredPlace::Slot(place) => {
                let before = place.part.map(|_| self.load_slot(place));
                self.store_slot(place, before, words);
            }
            LoweredPlace::Immutable(id) => {
                let address = self.immutable_address(*id);
                words.iter().for_each(|&word| self.b.mstore(address, word));
            }
            LoweredPlace::Unknown { .. } => {}
        }
    }

    /// The word of an immutable while the contract is created: at the beginning of the heap.
    fn immutable_address(&mut self, id: ImmutableId) -> Value {
        let base = self.b.nullary(Op::HeapBase);
        self.address(Base::At(base), 32 * id.index() as u64)
    }

    fn load_immutable(&mut self, id: ImmutableId) -> Value {
        match self.cx.part {
            ModulePart::Runtime => self.b.ins(Op::Immutable, Imm::Word(U256::from(id.index())), &[]),
            ModulePart::Init => {
                let address = self.immutable_address(id);
                self.b.unary(Op::Mload, address)
            }
        }
    }

    fn load_slot(&mut self, place: &SlotPlace) -> Value {
        self.b.unary(if place.transient { Op::Tload } else { Op::Sload }, place.slot)
    }

    /// The value among the bits of its slot.
    fn extract(&mut self, place: &SlotPlace, raw: Value) -> Value {
        let mut word = raw;
        if let Some(part) = place.part {
            word = self.shifted(Op::Shr, part.shift(), word);
            word = match place.form {
                Form::Signed => {
                    let byte = self.b.iconst_u64(u64::from(part.size_bytes) - 1);
                    self.b.binary(Op::Signextend, byte, word)
                }
                // The left shift below removes what stands above.
                Form::Left { .. } => word,
                Form::Plain => {
                    let mask = self.b.iconst(part.mask());
                    self.b.binary(Op::And, word, mask)
                }
            };
        }
        match place.form {
            Form::Left { shift } => self.shifted(Op::Shl, shift.into(), word),
            Form::Plain | Form::Signed => word,
        }
    }

    /// Stores a value; `before` are the bits of the slot if other values live there.
    fn store_slot(&mut self, place: &SlotPlace, before: Option<Value>, words: &[Value]) {
        let &[mut word] = words else { return };
        if let Form::Left { shift } = place.form {
            word = self.shifted(Op::Shr, shift.into(), word);
        }
        if let (Some(part), Some(before)) = (place.part, before) {
            if let Form::Signed = place.form {
                let mask = self.b.iconst(part.mask());
                word = self.b.binary(Op::And, word, mask);
            }
            word = self.shifted(Op::Shl, part.shift(), word);
            let others = self.b.iconst(!(part.mask() << part.shift()));
            let kept = self.b.binary(Op::And, before, others);
            word = self.b.binary(Op::Or, kept, word);
        }
        let op = if place.transient { Op::Tstore } else { Op::Sstore };
        self.b.ins0(op, Imm::None, &[place.slot, word]);
    }

    fn shifted(&mut self, op: Op, bits: usize, word: Value) -> Value {
        if bits == 0 {
            return word;
        }
        let bits = self.b.iconst_u64(bits as u64);
        self.b.binary(op, bits, word)
    }

    /// `target = value`; gives the stored words.
    pub(super) fn assign(&mut self, target: &AssignTarget, value: &Expr) -> Vec<Value> {
        let words = self.value_as(value, self.target_type(target).unwrap_or(value.ty));
        let mut places = Vec::new();
        self.target_places(target, &mut places);
        let mut rest = &words[..];
        for (place, ty, span) in &places {
            let count = self.words(*ty, *span).min(rest.len());
            let (own, others) = rest.split_at(count);
            self.store(place, own);
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

    fn target_places(&mut self, target: &AssignTarget, places: &mut Vec<(LoweredPlace, TypeId, Span)>) {
        match target {
            AssignTarget::Place(place) => places.push((self.place(place), place.ty, place.span)),
            AssignTarget::Tuple(targets) => {
                targets.iter().for_each(|target| self.target_places(target, places));
            }
        }
    }

    /// `place op= value`; gives the stored word.
    pub(super) fn assign_op(&mut self, op: BinaryOp, target: &Place, value: &Expr, span: Span) -> Value {
        let right = self.word(value);
        let place = self.place(target);
        // The bits around a packed value are loaded once for both directions.
        let (raw, left) = match &place {
            LoweredPlace::Slot(slot) => {
                let raw = self.load_slot(slot);
                (Some(raw), self.extract(slot, raw))
            }
            _ => {
                let words = self.load(&place);
                (None, self.fit(words, 1)[0])
            }
        };
        let result = self.binary(op, target.ty, left, right, span);
        match &place {
            LoweredPlace::Slot(slot) => self.store_slot(slot, raw, &[result]),
            _ => self.store(&place, &[result]),
        }
        result
    }
}
