//! Interfaces and the functions that contracts offer: what a handle can call, and conformance (K0411).

use crate::diag::Code;
use crate::sema::Sema;
use crate::sema::attrs::Target;
use crate::sema::check::body::Checker;
use crate::sema::resolve::Position;
use crate::sema::scope::{ContractIndex, TypeDef};
use crate::sema::types::{ExternalFn, HandleDef, HandleId, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

impl<'a> Sema<'a> {
    /// The handle type of a contract or interface; its functions follow.
    pub(super) fn add_handle(&mut self, name: &ast::Ident) -> HandleId {
        let id = HandleId(self.types.handles.len() as u32);
        self.types.handles.push(HandleDef {
            name: name.name.to_string(),
            span: name.span,
            functions: Vec::new(),
        });
        id
    }

    pub(super) fn define_interface(&mut self, decl: &'a ast::Interface, handle: HandleId) {
        let mut functions: Vec<ExternalFn> = Vec::new();
        for item in &decl.functions {
            self.check_attrs(&item.attrs, Target::InterfaceFunction, item.span);
            let function = self.interface_function(item);
            match functions.iter().find(|other| other.name == function.name) {
                Some(first) => {
                    self.diags
                        .error(Code::DefinedTwice, function.span)
                        .arg("f", &function.name)
                        .secondary(first.span, "first defined here");
                }
                None => functions.push(function),
            }
        }
        self.types.handles[handle.index()].functions = functions;
    }

    fn interface_function(&mut self, item: &'a ast::InterfaceFn) -> ExternalFn {
        let sig = &item.sig;
        if let Some(receiver) = &sig.receiver {
            self.diags
                .error(Code::ItemNotAllowed, receiver.span)
                .arg("item", "self")
                .arg("place", "a function outside `impl`");
        }
        if let (Some(_), Some(payable)) = (sig.view, sig.payable) {
            self.diags
                .error(Code::ViewHasEffect, payable)
                .arg("f", &sig.name.name)
                .arg("effect", "accepts value");
        }
        let params = self.resolve_params(&sig.params, None, Position::EntryParam);
        let mut result = match &sig.ret {
            Some(ty) => self.resolve_type(ty, None, Position::EntryResult),
            None => TypeId::UNIT,
        };
        if let (Type::Result { .. }, Some(ty)) = (self.types.get(result), &sig.ret) {
            let shown = self.types.display(result);
            self.diags
                .error(Code::NotAbiType, ty.span)
                .arg("t", shown)
                .arg("place", "return")
                .note("an interface says what comes back on success, T of a `Result<T, E>`");
            result = TypeId::ERROR;
        }
        let optional = item.attrs.find("optional_return");
        if let Some(attr) = optional
            && !matches!(result, TypeId::BOOL | TypeId::ERROR)
        {
            self.diags
                .error(Code::ItemNotAllowed, attr.span)
                .arg("item", "#[optional_return]")
                .arg("place", "front of a function that does not return `bool`");
        }
        let external = self.external_signature(&item.attrs, sig.name.as_str(), &params);
        ExternalFn {
            name: sig.name.name.to_string(),
            span: sig.name.span,
            params: params.into_iter().map(|param| (param.name.to_string(), param.ty)).collect(),
            result,
            signature: external.signature,
            selector: external.selector,
            view: sig.view.is_some(),
            payable: sig.payable.is_some(),
            optional_return: optional.is_some(),
        }
    }

    /// Gives the handle of a contract its functions: those of its entry points.
    pub(super) fn fill_handle(&mut self, contract: ContractIndex) {
        let info = &self.contracts[contract];
        let functions = info.typed.entry_points.iter().map(|point| {
            let signature = self.signature(point.function);
            let result = match *self.types.get(signature.result) {
                Type::Result { ok, .. } => ok,
                _ => signature.result,
            };
            ExternalFn {
                name: signature.name.to_string(),
                span: signature.span,
                params: signature.params.iter().map(|param| (param.name.to_string(), param.ty)).collect(),
                result,
                signature: point.signature.clone(),
                selector: point.selector,
                view: signature.view,
                payable: signature.payable,
                optional_return: false,
            }
        });
        let functions = functions.collect();
        let handle = info.handle;
        self.types.handles[handle.index()].functions = functions;
    }

    /// Checks that a contract has what the interfaces name that it conforms to.
    pub(super) fn check_conformance(&mut self, contract: ContractIndex) {
        let decl = self.contracts[contract].ast;
        for path in &decl.interfaces {
            match self.find_type(path, None) {
                Some(TypeDef::Interface(interface)) => self.check_interface(contract, interface, path.span),
                Some(_) => {
                    self.diags
                        .error(Code::MismatchedTypes, path.span)
                        .arg("a", "an interface")
                        .arg("b", path);
                }
                None => self.type_not_found(path, None),
            }
        }
    }

    fn check_interface(&mut self, contract: ContractIndex, interface: HandleId, place: Span) {
        let handle = self.contracts[contract].handle;
        let (wanted, own) = (&self.types.handles[interface.index()], &self.types.handles[handle.index()]);
        for function in &wanted.functions {
            let types = function.params.iter().map(|param| param.1).chain([function.result]);
            if types.into_iter().any(|ty| ty == TypeId::ERROR) {
                continue;
            }
            // Types count as they look from outside: `Hash` is `bytes<32>` there.
            let differs = |other: &ExternalFn| {
                other.selector != function.selector
                    || self.types.abi_type(other.result) != self.types.abi_type(function.result)
            };
            let (reason, at) = match own.functions.iter().find(|other| other.name == function.name) {
                None => ("missing", None),
                Some(other) if differs(other) => ("signature differs", Some(other.span)),
                Some(other) if other.payable != function.payable || function.view && !other.view => {
                    ("mutability differs", Some(other.span))
                }
                Some(_) => continue,
            };
            let diagnostic = self
                .diags
                .error(Code::InterfaceNotImplemented, at.unwrap_or(place))
                .arg("C", &own.name)
                .arg("I", &wanted.name)
                .arg("f", &function.name)
                .arg("reason", reason)
                .secondary(function.span, "the interface asks for this");
            if at.is_none() {
                diagnostic
                    .note("a `pub` function, `pub` member or `pub` constant with this signature will do");
            }
        }
    }
}

impl Checker<'_, '_> {
    /// The function of a handle that `Interface::f` or `Contract::f` names.
    pub(super) fn handle_function(&mut self, path: &ast::Path) -> Option<ExternalFn> {
        let (last, parent) = path.segments.split_last()?;
        let parent = ast::Path { segments: parent.to_vec(), span: path.span };
        let handle = match self.sema.find_type(&parent, self.contract)? {
            TypeDef::Interface(handle) => handle,
            TypeDef::Contract(index) => self.sema.contracts[index].handle,
            _ => return None,
        };
        let functions = &self.sema.types.handles[handle.index()].functions;
        functions.iter().find(|function| function.name == last.as_str()).cloned()
    }
}
