//! What happens at a place: loads, stores, assignment.
//!
//! The way to a place is [`places`](super::places); vectors that grow and shrink are [`vectors`](super::vectors).

use alloy_primitives::U256;

use super::Part as ModulePart;
use super::function::{Base, Lower};
use super::helpers::Helper;
use super::places::{LoweredPlace, Operand};
use crate::ir::{Imm, Op, Value};
use crate::sema::typed::{AssignTarget, BinaryOp, Expr, Place};
use crate::sema::types::TypeId;
use crate::source::Span;

impl Lower<'_, '_> {
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
}
