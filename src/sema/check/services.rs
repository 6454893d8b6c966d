//! Builtins that are operations of the native machine: Hedera's services (§10.6) and post-quantum signatures (§10.5).

use zvm::bytecode::Op;

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::scope::{TypeDef, closest};
use crate::sema::typed::{DataOp, ErrorRef};
use crate::sema::types::{ErrorTypeId, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

/// What a parameter of a builtin takes.
#[derive(Clone, Copy)]
enum Param {
    Address,
    Amount,
    Bytes,
    /// A struct of `std::hedera`.
    Struct(&'static str),
}

/// What a builtin gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// `Result<(), HederaError>`.
    Status,
    /// `Result<Address, HederaError>`.
    Created,
    /// `bool`.
    Verdict,
}

use Param::{Address, Amount, Bytes, Struct};

/// The builtins: object, name, operation, parameters in the order of its operands, result.
const SERVICES: &[(&str, &str, Op, &[Param], Gives)] = &[
    ("hts", "transfer", Op::HtsTransfer, &[Address, Address, Address, Amount], Gives::Status),
    ("hts", "mint", Op::HtsMint, &[Address, Amount], Gives::Status),
    ("hts", "burn", Op::HtsBurn, &[Address, Amount], Gives::Status),
    ("hts", "associate", Op::HtsAssociate, &[Address, Address], Gives::Status),
    ("hts", "dissociate", Op::HtsDissociate, &[Address, Address], Gives::Status),
    ("hts", "approve", Op::HtsApprove, &[Address, Address, Amount], Gives::Status),
    ("hts", "create", Op::HtsCreate, &[Struct("TokenParams")], Gives::Created),
    ("hcs", "submit", Op::HcsSubmit, &[Address, Bytes], Gives::Status),
    ("hcs", "create_topic", Op::HcsCreateTopic, &[Struct("TopicParams")], Gives::Created),
    ("hcs", "update_topic", Op::HcsUpdateTopic, &[Address, Struct("TopicParams")], Gives::Status),
    ("hcs", "delete_topic", Op::HcsDeleteTopic, &[Address], Gives::Status),
    ("crypto", "verify_dilithium", Op::PqVerifyDilithium, &[Bytes, Bytes, Bytes], Gives::Verdict),
    ("crypto", "verify_falcon", Op::PqVerifyFalcon, &[Bytes, Bytes, Bytes], Gives::Verdict),
    ("crypto", "verify_sphincs", Op::PqVerifySphincs, &[Bytes, Bytes, Bytes], Gives::Verdict),
];

impl<'a> Checker<'_, 'a> {
    /// `object.name(…)` of a service; nothing if it is none.
    pub(super) fn service_call(
        &mut self,
        object: &str,
        name: &'a ast::Ident,
        args: &'a [ast::Expr],
        callee_span: Span,
        span: Span,
    ) -> Option<Typed> {
        let &(_, _, op, params, gives) =
            SERVICES.iter().find(|row| row.0 == object && row.1 == name.as_str())?;
        let builtin = format!("{object}.{}", name.name);
        if self.target_lacks(op, &builtin, callee_span) {
            self.loose_args(args);
            return Some(Typed::hole(span));
        }
        if gives != Gives::Verdict {
            self.effects.writes.push((format!("calls `{builtin}`"), callee_span));
        }
        if !self.count_args(args, params.len(), span) {
            return Some(Typed::hole(span));
        }
        let mut operands = Vec::with_capacity(params.len());
        for (&param, arg) in params.iter().zip(args) {
            operands.push(match param {
                Address => self.expr_as(arg, TypeId::ADDRESS),
                Amount => self.expr_as(arg, TypeId::U64),
                Bytes => self.borrowed_as(arg, TypeId::BYTES),
                Struct(name) => match self.sema.hedera_type(name) {
                    Some(TypeDef::Struct(id)) => {
                        let ty = self.sema.types.intern(Type::Struct(id));
                        self.borrowed_as(arg, ty)
                    }
                    _ => return Some(self.missing_library(arg.span)),
                },
            });
        }
        let ok = match gives {
            Gives::Verdict => {
                let op = DataOp::VerifySignature(op);
                return Some(self.data_op(op, operands, TypeId::BOOL, span));
            }
            Gives::Status => TypeId::UNIT,
            Gives::Created => TypeId::ADDRESS,
        };
        let Some(error) = self.hedera_error() else { return Some(self.missing_library(span)) };
        self.effects.errors.insert(ErrorRef { ty: error, variant: 0 });
        let err = self.sema.types.intern(Type::ErrorType(error));
        let ty = self.sema.types.intern(Type::Result { ok, err });
        Some(self.data_op(DataOp::Service(op), operands, ty, span))
    }

    fn hedera_error(&self) -> Option<ErrorTypeId> {
        match self.sema.hedera_type("HederaError") {
            Some(TypeDef::ErrorType(id)) => Some(id),
            _ => None,
        }
    }

    /// The library is loaded wherever a service is named, unless the program is too large for it.
    fn missing_library(&mut self, span: Span) -> Typed {
        self.diags().error(Code::TooLarge, span).arg("what", "the texts of the program and of `std::hedera`");
        Typed::hole(span)
    }

    /// Reports that a predeclared object has no such field or method.
    pub(super) fn no_member(&mut self, object: &str, name: &ast::Ident, fields: &[&str]) {
        let services = SERVICES.iter().filter(|row| row.0 == object).map(|row| row.1);
        let known = services.chain(fields.iter().copied());
        let is_function = SERVICES.iter().any(|row| row.0 == object && row.1 == name.as_str());
        let hint = match closest(name.as_str(), known) {
            _ if is_function => Some("this is a function; call it with `(…)`".to_owned()),
            other => other.map(|other| format!("did you mean `{object}.{other}`?")),
        };
        let diagnostic =
            self.diags().error(Code::NoFieldOrMethod, name.span).arg("t", object).arg("m", &name.name);
        if let Some(hint) = hint {
            diagnostic.label(hint);
        }
    }
}
