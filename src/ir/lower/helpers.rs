//! Functions of the module that the source does not have: what would be too long to repeat in place.
//!
//! One function per [`Helper`], made when it is first called. None of them calls itself: types are not recursive.

use super::decode::{Input, Malformed, Medium};
use super::function::Lower;
use super::{ModuleCx, values};
use crate::ir::build::FunctionBuilder;
use crate::ir::{FuncId, Value};
use crate::sema::types::{ErrorTypeId, Type, TypeId};

/// Which function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Helper {
    /// (value of the error type) → `Error`.
    AnyError(ErrorTypeId),
    /// (`bytes` or `string`, address) → address behind the encoding.
    EncodeBytes,
    /// (vector or array, address) → address behind the encoding.
    Encode(TypeId),
    /// (address of the tail, end of the input) → value; reverts if the input is malformed.
    Decode(TypeId, Medium),
    /// (`bytes`, `bytes`) → whether they are equal.
    EqualBytes,
    /// (words, words) → whether the values are equal.
    Equal(TypeId),
    /// (value) → a copy that shares nothing with it.
    Clone(TypeId),
    /// (slot) → value.
    Load {
        /// Its type; `bytes` stands for `string` too.
        ty: TypeId,
        /// Whether it lies in the transient space.
        transient: bool,
    },
    /// (slot, value).
    Store {
        /// Its type; `bytes` stands for `string` too.
        ty: TypeId,
        /// Whether it lies in the transient space.
        transient: bool,
    },
    /// (slot of `bytes`, byte): adds it at the end.
    PushByte {
        /// Whether they lie in the transient space.
        transient: bool,
    },
    /// (slot of `bytes`, index, byte): stores it there.
    SetByte {
        /// Whether they lie in the transient space.
        transient: bool,
    },
    /// (slot): stores zeros.
    Clear {
        /// The type of what lies there.
        ty: TypeId,
        /// Whether it lies in the transient space.
        transient: bool,
    },
}

impl ModuleCx<'_> {
    /// The function of a helper, declaring it at its first call.
    fn helper(&mut self, helper: Helper) -> FuncId {
        if let Some(&id) = self.helpers.get(&helper) {
            return id;
        }
        let (name, params, results) = self.helper_shape(helper);
        let id = self.module.declare(name, params, results, self.contract.span);
        self.helpers.insert(helper, id);
        self.helper_queue.push((helper, id));
        id
    }

    fn helper_shape(&self, helper: Helper) -> (String, usize, usize) {
        let types = &self.program.types;
        let words = |ty| values::word_count(types, ty).unwrap_or(0);
        let shown = |ty| types.display(ty);
        match helper {
            Helper::AnyError(id) => {
                let def = types.error_type(id);
                let words = values::error_word_count(types, def).unwrap_or(0);
                (format!("error data of {}", def.name), words, 1)
            }
            Helper::EncodeBytes => ("encode bytes".into(), 2, 1),
            Helper::Encode(ty) => (format!("encode {}", shown(ty)), 2, 1),
            Helper::Decode(ty, _) => (format!("decode {}", shown(ty)), 2, 1),
            Helper::EqualBytes => ("equal bytes".into(), 2, 1),
            Helper::Equal(ty) => (format!("equal {}", shown(ty)), 2 * words(ty), 1),
            Helper::Clone(ty) => (format!("clone {}", shown(ty)), words(ty), words(ty)),
            Helper::Load { ty, .. } => (format!("load {}", shown(ty)), 1, words(ty)),
            Helper::Store { ty, .. } => (format!("store {}", shown(ty)), 1 + words(ty), 0),
            Helper::PushByte { .. } => ("push byte".into(), 2, 0),
            Helper::SetByte { .. } => ("set byte".into(), 3, 0),
            Helper::Clear { ty, .. } => (format!("clear {}", shown(ty)), 1, 0),
        }
    }

    /// Lowers one helper into its place in the module.
    pub(super) fn lower_helper(&mut self, helper: Helper, id: FuncId) {
        let (name, params, results) = self.helper_shape(helper);
        let builder = FunctionBuilder::new(name, params, results, self.contract.span);
        let mut lower = Lower::new(self, builder);
        let args = lower.b.params();
        let words = lower.helper_body(helper, &args);
        if lower.b.is_open() {
            let words = lower.fit(words, results);
            lower.b.ret(&words);
        }
        let function = lower.finish();
        self.module.define(id, function);
    }
}

impl Lower<'_, '_> {
    /// Calls a helper.
    pub(super) fn call_helper(&mut self, helper: Helper, args: &[Value]) -> Vec<Value> {
        let id = self.cx.helper(helper);
        let declared = &self.cx.module.functions[id.index()];
        let (params, results) = (declared.params().len(), declared.result_count);
        let args = self.fit(args.to_vec(), params);
        self.b.icall(id, &args, results)
    }

    fn helper_body(&mut self, helper: Helper, args: &[Value]) -> Vec<Value> {
        let span = self.b.span();
        match helper {
            Helper::AnyError(id) => vec![self.any_error_body(id, args)],
            Helper::EncodeBytes => vec![self.encode_bytes_body(args[0], args[1])],
            Helper::Encode(ty) => vec![self.encode_body(ty, args[0], args[1])],
            Helper::Decode(ty, medium) => {
                let input = Input { medium, end: args[1] };
                self.decode_tail_body(ty, input, args[0], Malformed::Revert)
            }
            Helper::EqualBytes => vec![self.equal_bytes_body(args[0], args[1])],
            Helper::Equal(ty) => {
                let (left, right) = args.split_at(args.len() / 2);
                vec![self.equal_body(ty, left, right, span)]
            }
            Helper::Clone(ty) => self.clone_body(ty, args, span),
            Helper::Load { ty, transient } => match self.cx.program.types.get(ty) {
                Type::Bytes => vec![self.load_bytes_body(args[0], transient)],
                _ => self.load_body(ty, args[0], transient, span),
            },
            Helper::Store { ty, transient } => {
                match self.cx.program.types.get(ty) {
                    Type::Bytes => self.store_bytes_body(args[0], args[1], transient),
                    _ => self.store_body(ty, args[0], &args[1..], transient, span),
                }
                Vec::new()
            }
            Helper::PushByte { transient } => {
                self.push_byte_body(args[0], args[1], transient);
                Vec::new()
            }
            Helper::SetByte { transient } => {
                self.set_byte_body(args[0], args[1], args[2], transient);
                Vec::new()
            }
            Helper::Clear { ty, transient } => {
                self.clear_body(ty, args[0], transient, span);
                Vec::new()
            }
        }
    }
}
