//! Creation of contracts: the creation code, its hash, and the address that follows from both (§10.3).
//!
//! The creation code of another contract is a data segment that code generation fills. It is copied with the arguments
//! behind what the heap holds, used at once, and not kept.

use alloy_primitives::U256;

use super::creation_segment;
use super::encode::Item;
use super::function::Lower;
use super::tried::CallFailure;
use crate::ir::{DataId, Imm, Op, Value};
use crate::sema::typed::{CreateOption, Creation, Expr};
use crate::sema::types::TypeId;
use crate::source::Span;

impl Lower<'_, '_> {
    /// `new C{…}(…)`; the handle.
    pub(super) fn create(&mut self, creation: &Creation, ty: TypeId, span: Span) -> Vec<Value> {
        let (mut value, mut salt) = (None, None);
        for (option, expr) in &creation.options {
            let word = self.word(expr);
            match option {
                CreateOption::Value => value = Some(word),
                CreateOption::Salt => salt = Some(word),
            }
        }
        let args = self.child_args(creation.contract, &creation.args);
        self.b.set_span(span);
        let (start, size) = self.creation_code(creation.contract, &args);
        let unlock = self.lock(span);
        let value = value.unwrap_or_else(|| self.zero());
        let created = match salt {
            Some(salt) => self.b.ins(Op::Create2, Imm::None, &[value, start, size, salt]),
            None => self.b.ins(Op::Create, Imm::None, &[value, start, size]),
        };
        if creation.is_tried {
            // The lock is given back whatever came of it.
            self.unlock(unlock);
            return self.tried(ty, span, |lower, outcome| {
                lower.fail_unless(created, outcome, CallFailure::Reverted);
                vec![created]
            });
        }
        self.unless(created, Self::revert_with_returned);
        self.unlock(unlock);
        vec![created]
    }

    /// `C::init_hash(…)`.
    pub(super) fn init_hash(&mut self, contract: u32, args: &[Expr], span: Span) -> Vec<Value> {
        let args = self.child_args(contract, args);
        self.b.set_span(span);
        let (start, size) = self.creation_code(contract, &args);
        vec![self.b.binary(Op::Keccak256, start, size)]
    }

    /// keccak256(0xff ‖ deployer ‖ salt ‖ init_hash), of which an address is the low 20 bytes.
    pub(super) fn create2_address(&mut self, operands: &[Expr; 3]) -> Vec<Value> {
        let [deployer, salt, hash] = operands;
        let words = [
            self.word_as(deployer, TypeId::ADDRESS),
            self.word_as(salt, TypeId::HASH),
            self.word_as(hash, TypeId::HASH),
        ];
        // The first word ends with 0xff and the address; the 21 bytes before the salt are what counts.
        let prefix = self.b.iconst(U256::from(0xff) << 160);
        let first = self.b.binary(Op::Or, prefix, words[0]);
        let base = self.buffer(96, false);
        self.store_words(base, 0, &[first, words[1], words[2]]);
        let (start, size) = (self.address(base, 11), self.b.iconst_u64(85));
        let hash = self.b.binary(Op::Keccak256, start, size);
        let mask = self.b.iconst(U256::MAX >> 96);
        vec![self.b.binary(Op::And, hash, mask)]
    }

    /// The arguments of a constructor with their types, evaluated in order.
    fn child_args(&mut self, contract: u32, args: &[Expr]) -> Vec<Item> {
        let program = self.cx.program;
        let constructor = program.contracts[contract as usize].constructor.map(|id| program.function(id));
        let mut items = Vec::new();
        for (arg, param) in args.iter().zip(constructor.map(|func| func.params()).unwrap_or_default()) {
            self.check_encodable(param.ty, arg.span);
            items.push((param.ty, self.value_as(arg, param.ty)));
        }
        items
    }

    /// Puts creation code with arguments behind the heap; where it begins and its size.
    fn creation_code(&mut self, contract: u32, args: &[Item]) -> (Value, Value) {
        let data = self.cx.creation_data(contract);
        let start = self.heap_pointer();
        let offset = self.b.ins(Op::DataOffset, Imm::Data(data), &[]);
        let size = self.b.ins(Op::DataSize, Imm::Data(data), &[]);
        self.b.ins0(Op::Codecopy, Imm::None, &[start, offset, size]);
        let at = self.b.binary(Op::Add, start, size);
        let end = self.encode_list(args, at);
        (start, self.b.binary(Op::Sub, end, start))
    }
}

impl super::ModuleCx<'_> {
    /// The data segment of a contract's creation code.
    fn creation_data(&mut self, contract: u32) -> DataId {
        let name = creation_segment(contract);
        match self.module.data.iter().position(|segment| segment.name == name) {
            Some(index) => DataId::new(index),
            None => self.module.add_data(name, Vec::new()),
        }
    }
}
