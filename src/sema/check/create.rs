//! Creation of contracts (§10.3): `new C(…)`, `C::init_hash(…)`, `create2_address(…)`.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::check::external::option_word;
use crate::sema::scope::{ContractIndex, TypeDef};
use crate::sema::typed::{CreateOption, Creation, Expr, ExprKind};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, CallOptionKind};

impl<'a> Checker<'_, 'a> {
    /// `new C{…}(…)`.
    pub(super) fn new_contract(
        &mut self,
        path: &'a ast::Path,
        options: &'a [ast::CallOption],
        args: &'a [ast::Expr],
        span: Span,
    ) -> Typed {
        self.check_no_borrow(span);
        let index = match self.sema.find_type(path, self.contract) {
            Some(TypeDef::Contract(index)) => index,
            other => {
                options.iter().for_each(|option| drop(self.expr(&option.value, None)));
                self.loose_args(args);
                match other {
                    Some(_) => {
                        let found = format!("{} {path}", self.kind_of_type(path));
                        self.diags()
                            .error(Code::MismatchedTypes, path.span)
                            .arg("a", "a contract")
                            .arg("b", found);
                    }
                    None => self.sema.type_not_found(path, self.contract),
                }
                return Typed::hole(span);
            }
        };
        let options = self.create_options(index, options);
        let args = self.creation_args(index, args, span);
        self.effects.writes.push((format!("creates `{path}`"), span));
        self.effects.creates.push((index, span));
        let Some(args) = args else { return Typed::hole(span) };
        let parts = || options.iter().map(|option| &option.1).chain(&args);
        if parts().any(|part| part.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        if parts().any(|part| part.ty == TypeId::NEVER) {
            let parts = parts().cloned().collect();
            return self.diverging(parts, span);
        }
        let handle = self.sema.contracts[index].handle;
        let ty = self.sema.types.intern(Type::Handle(handle));
        let creation = Creation { contract: index as u32, options, args, is_tried: false };
        Typed::new(ExprKind::New(Box::new(creation)), ty, span)
    }

    fn create_options(
        &mut self,
        contract: ContractIndex,
        options: &'a [ast::CallOption],
    ) -> Vec<(CreateOption, Expr)> {
        let mut checked: Vec<(CreateOption, Expr)> = Vec::new();
        for option in options {
            let (kind, ty) = match option.kind {
                CallOptionKind::Value => (CreateOption::Value, TypeId::U256),
                CallOptionKind::Salt => (CreateOption::Salt, TypeId::HASH),
                CallOptionKind::Gas => {
                    self.expr(&option.value, None);
                    self.diags()
                        .error(Code::ItemNotAllowed, option.span)
                        .arg("item", "gas:")
                        .arg("place", "`new`; a creation gets all gas that it may");
                    continue;
                }
            };
            let value = self.expr_as(&option.value, ty);
            let constructor = self.sema.contracts[contract].typed.constructor;
            let payable = constructor.is_some_and(|id| self.sema.signature(id).payable);
            if kind == CreateOption::Value && !payable {
                let declared = constructor.map(|id| self.sema.signature(id).span);
                let declared = declared.unwrap_or(self.sema.contracts[contract].ast.name.span);
                let name = self.sema.contracts[contract].ast.name.name.clone();
                self.diags()
                    .error(Code::TargetNotPayable, option.span)
                    .arg("f", format_args!("constructor of {name}"))
                    .secondary(declared, "no `payable` constructor here");
            }
            if let Some(first) = checked.iter().find(|other| other.0 == kind) {
                let first = first.1.span;
                self.diags()
                    .error(Code::AlreadyDefined, option.span)
                    .arg("name", option_word(option.kind))
                    .secondary(first, "first given here");
                continue;
            }
            checked.push((kind, value));
        }
        checked
    }

    /// The arguments of a constructor; nothing if their number is wrong.
    fn creation_args(
        &mut self,
        contract: ContractIndex,
        args: &'a [ast::Expr],
        span: Span,
    ) -> Option<Vec<Expr>> {
        let constructor = self.sema.contracts[contract].typed.constructor;
        let params = constructor.map(|id| self.sema.signature(id).params.clone()).unwrap_or_default();
        if args.len() != params.len() {
            self.loose_args(args);
            let declared = constructor.map(|id| self.sema.signature(id).span);
            let declared = declared.unwrap_or(self.sema.contracts[contract].ast.name.span);
            self.diags()
                .error(Code::WrongArgumentCount, span)
                .arg("n", params.len())
                .arg("m", args.len())
                .secondary(declared, "the contract is declared here");
            return None;
        }
        Some(args.iter().zip(&params).map(|(arg, param)| self.expr_as(arg, param.ty)).collect())
    }

    /// `C::init_hash(…)`; nothing if the path is another.
    pub(super) fn init_hash(
        &mut self,
        path: &'a ast::Path,
        args: &'a [ast::Expr],
        span: Span,
    ) -> Option<Typed> {
        let (last, parents) = path.segments.split_last()?;
        if last.as_str() != "init_hash" || parents.is_empty() {
            return None;
        }
        let parent = ast::Path { segments: parents.to_vec(), span: path.span };
        let Some(TypeDef::Contract(index)) = self.sema.find_type(&parent, self.contract) else { return None };
        let args = self.creation_args(index, args, span);
        self.effects.creates.push((index, span));
        let Some(args) = args.filter(|args| args.iter().all(|arg| arg.ty != TypeId::ERROR)) else {
            return Some(Typed::hole(span));
        };
        if args.iter().any(|arg| arg.ty == TypeId::NEVER) {
            return Some(self.diverging(args, span));
        }
        Some(Typed::new(ExprKind::InitHash { contract: index as u32, args }, TypeId::HASH, span))
    }

    /// `create2_address(deployer, salt, init_hash)`.
    pub(super) fn create2_address(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let [deployer, salt, hash] = args else {
            self.loose_args(args);
            self.diags().error(Code::WrongArgumentCount, span).arg("n", 3).arg("m", args.len());
            return Typed::hole(span);
        };
        let operands = [
            self.expr_as(deployer, TypeId::ADDRESS),
            self.expr_as(salt, TypeId::HASH),
            self.expr_as(hash, TypeId::HASH),
        ];
        if operands.iter().any(|operand| operand.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        if operands.iter().any(|operand| operand.ty == TypeId::NEVER) {
            return self.diverging(operands.into(), span);
        }
        Typed::new(ExprKind::Create2Address(Box::new(operands)), TypeId::ADDRESS, span)
    }
}
