//! Operations of the native machine that builtins stand for: Hedera's services and post-quantum signatures.

use zvm::bytecode::{Encoding, Op as MachineOp};
use zvm::interp::ops::signatures;

use super::encode::Item;
use super::function::Lower;
use crate::ir::{Imm, Op, Value};
use crate::sema::types::Type;
use crate::source::Span;

impl Lower<'_, '_> {
    /// A service: operands in written order, `bytes` and structs as offset and size; the words of a `Result`.
    pub(super) fn service(&mut self, op: MachineOp, items: &[Item], span: Span) -> Vec<Value> {
        let program = self.cx.program;
        let mut operands = Vec::new();
        for item in items {
            match (program.types.get(item.0), &item.1[..]) {
                (Type::Bytes, &[pointer]) => {
                    let (data, length) = (self.data(pointer), self.length(pointer));
                    operands.extend([data, length]);
                }
                // At most one operand is a struct, so nothing is stored behind it before the operation.
                (Type::Struct(_), _) => {
                    let (start, size) = self.encoded(None, std::slice::from_ref(item), false);
                    operands.extend([start, size]);
                }
                (_, words) => operands.extend(words),
            }
        }
        // Both tables call it the same.
        let (Some(ir_op), Some(byte)) = (Op::from_mnemonic(op.name()), Encoding::Zvm.byte(op)) else {
            self.cx.internal(span, format_args!("no operation `{op}`"));
            return Vec::new();
        };
        let word = self.b.ins(ir_op, Imm::None, &operands);
        let code = self.b.iconst_u64(byte.into());
        if matches!(op, MachineOp::HtsCreate | MachineOp::HcsCreateTopic) {
            // The tag, and the address or the operation's byte where it is 0.
            let failed = self.b.unary(Op::Iszero, word);
            let error = self.b.binary(Op::Mul, failed, code);
            return vec![failed, self.b.binary(Op::Or, word, error)];
        }
        let one = self.b.iconst_u64(1);
        let succeeded = self.b.binary(Op::Eq, word, one);
        vec![self.b.unary(Op::Iszero, succeeded), code]
    }

    /// Whether a signature is valid: not, without a look at it, if the key has not the size of the scheme's keys.
    pub(super) fn verify_signature(
        &mut self,
        op: MachineOp,
        key: Value,
        message: Value,
        signature: Value,
    ) -> Value {
        let (op, key_bytes) = match op {
            MachineOp::PqVerifyDilithium => (Op::PqVerifyDilithium, signatures::ML_DSA_65.0),
            MachineOp::PqVerifyFalcon => (Op::PqVerifyFalcon, signatures::FALCON_512.0),
            _ => (Op::PqVerifySphincs, signatures::SLH_DSA_SHA2_128S.0),
        };
        let result = self.b.declare_var();
        let no = self.zero();
        self.b.def_var(result, no);
        let (length, expected) = (self.length(key), self.b.iconst_u64(key_bytes as u64));
        let fits = self.b.binary(Op::Eq, length, expected);
        self.when(fits, |lower| {
            let (message, size) = (lower.data(message), lower.length(message));
            let (signature, signature_size) = (lower.data(signature), lower.length(signature));
            let key = lower.data(key);
            let operands = [message, size, signature, signature_size, key];
            let valid = lower.b.ins(op, Imm::None, &operands);
            lower.b.def_var(result, valid);
        });
        self.b.use_var(result)
    }
}
