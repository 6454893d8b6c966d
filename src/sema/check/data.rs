//! Values in memory: literals of `bytes`, `string` and arrays, their methods, `concat`, hashes, `abi.*`.

use std::sync::Arc;

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::infer::Demand;
use crate::sema::typed::{
    Block, DataOp, ErrorRef, Expr, ExprKind, HashFunction, LetPattern, Local, LocalId, Place, PlaceOp,
    PlaceRoot, PlaceStep, Stmt, StmtKind,
};
use crate::sema::types::{TYPE_PARTS_MAX, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

impl<'a> Checker<'_, 'a> {
    /// A constant of type `bytes` or `string`.
    pub(super) fn bytes_literal(&mut self, bytes: &[u8], ty: TypeId, span: Span) -> Typed {
        Typed::new(ExprKind::Bytes(Arc::from(bytes)), ty, span)
    }

    /// An operand that is looked at and stays where it is.
    pub(super) fn borrowed(&mut self, expr: &'a ast::Expr, want: Option<TypeId>) -> Typed {
        if let ast::ExprKind::Cast { value, wrapping: false, ty } = &expr.kind {
            return self.borrowed_cast(value, ty, expr.span);
        }
        let typed = self.expr_or_place(expr, want);
        self.no_map(expr, typed)
    }

    /// Reports a map where a value is needed.
    pub(super) fn no_map(&mut self, expr: &ast::Expr, typed: Typed) -> Typed {
        if self.sema.holds_map(self.resolved(typed.ty())) {
            let what = "moved, copied or used as a value; index it with `[key]`";
            self.diags().error(Code::MapOnlyInStorage, expr.span).arg("what", what);
            return Typed::hole(expr.span);
        }
        typed
    }

    /// A borrowed operand of a type.
    pub(super) fn borrowed_as(&mut self, expr: &'a ast::Expr, want: TypeId) -> Expr {
        let typed = self.borrowed(expr, self.as_wish(want));
        self.coerce(typed, want)
    }

    /// `[a, b, …]`.
    pub(super) fn array(&mut self, elements: &'a [ast::Expr], span: Span, want: Option<TypeId>) -> Typed {
        let mut element_ty = match want.map(|want| self.type_of(want).clone()) {
            Some(Type::Array { element, .. }) => Some(element),
            // What is expected was reported, so nothing can be asked of the elements.
            Some(Type::Error) => Some(TypeId::ERROR),
            _ => None,
        };
        let mut exprs = Vec::with_capacity(elements.len());
        for element in elements {
            let typed = self.expr(element, element_ty);
            let expr = match element_ty {
                Some(ty) => self.coerce(typed, ty),
                None => self.materialize(typed, None, None),
            };
            if element_ty.is_none() && expr.ty != TypeId::NEVER && expr.ty != TypeId::ERROR {
                element_ty = Some(expr.ty);
            }
            exprs.push(expr);
        }
        if exprs.iter().any(|expr| expr.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        if exprs.iter().any(|expr| expr.ty == TypeId::NEVER) {
            return self.diverging(exprs, span);
        }
        let Some(element) = element_ty else { return self.cannot_infer("[]", span) };
        if exprs.len() > TYPE_PARTS_MAX {
            let what = format!("more than {TYPE_PARTS_MAX} elements of one array literal");
            self.diags().error(Code::TooLarge, span).arg("what", what);
            return Typed::hole(span);
        }
        if self.sema.types.parts(element) >= TYPE_PARTS_MAX || self.is_no_element(element) {
            let shown = self.shown(element);
            self.diags()
                .error(Code::MismatchedTypes, span)
                .arg("a", "elements of a type that has values")
                .arg("b", shown);
            return Typed::hole(span);
        }
        let ty = self.sema.types.intern(Type::Array { element, length: exprs.len() as u64 });
        Typed::new(ExprKind::Array(exprs), ty, span)
    }

    /// `[e; N]`.
    pub(super) fn repeat(
        &mut self,
        element: &'a ast::Expr,
        length: &'a ast::Expr,
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        let wanted = match want.map(|want| self.type_of(want).clone()) {
            Some(Type::Array { element, .. }) => Some(element),
            Some(Type::Error) => Some(TypeId::ERROR),
            _ => None,
        };
        let typed = self.expr(element, wanted);
        let value = match wanted {
            Some(ty) => self.coerce(typed, ty),
            None => self.materialize(typed, None, None),
        };
        // Constants of the function count, too.
        let Some((length_ty, count)) = self.constant_value(length, None) else { return Typed::hole(span) };
        let Some(length) = self.sema.length_of(length_ty, &count, length.span) else {
            return Typed::hole(span);
        };
        if value.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        if value.ty == TypeId::NEVER {
            return self.diverging(vec![value], span);
        }
        let ty = self.resolved(value.ty);
        if !self.sema.types.is_copy(ty) || self.is_no_element(ty) {
            let shown = self.shown(ty);
            self.diags()
                .error(Code::MismatchedTypes, element.span)
                .arg("a", "a value of a Copy type")
                .arg("b", shown)
                .label("each element would need a value of its own");
            return Typed::hole(span);
        }
        let ty = self.sema.types.intern(Type::Array { element: value.ty, length });
        Typed::new(ExprKind::Repeat { element: Box::new(value), length }, ty, span)
    }

    /// Whether no array or `Vec` can hold values of the type.
    fn is_no_element(&self, ty: TypeId) -> bool {
        let ty = self.resolved(ty);
        ty == TypeId::UNIT || self.sema.holds_map(ty) || matches!(self.sema.types.get(ty), Type::Ref { .. })
    }

    /// An index: any unsigned integer.
    pub(super) fn index_operand(&mut self, index: &'a ast::Expr) -> Expr {
        let typed = self.expr(index, None);
        let ty = self.resolved(typed.ty());
        if let Some(value) = typed.literal {
            return self.coerce_literal(value, TypeId::U256, typed.expr.span);
        }
        if self.is_int(ty) {
            self.inference.demand(Demand::Unsigned(ty, typed.span()));
            return typed.expr;
        }
        if ty != TypeId::ERROR && ty != TypeId::NEVER {
            let shown = self.shown(ty);
            self.diags()
                .error(Code::MismatchedTypes, typed.span())
                .arg("a", "an unsigned integer")
                .arg("b", shown);
            return Typed::hole(index.span).expr;
        }
        typed.expr
    }

    /// A value as a place: a local without a name takes it. The statement goes in front of what uses the place.
    pub(super) fn as_place(&mut self, typed: Typed) -> (Option<Stmt>, Place) {
        let (ty, span) = (typed.ty(), typed.span());
        if let ExprKind::Load(place) = typed.expr.kind {
            return (None, place);
        }
        let id = LocalId(self.locals.len() as u32);
        self.locals.push(Local { name: String::new(), span, ty, mutable: false });
        let kind = StmtKind::Let { pattern: LetPattern::Local(id), init: typed.expr };
        let place = Place { root: PlaceRoot::Local(id), steps: Vec::new(), ty, span };
        (Some(Stmt { kind, span }), place)
    }

    /// An expression after a statement, if there is one.
    pub(super) fn after(&self, stmt: Option<Stmt>, typed: Typed) -> Typed {
        let Some(stmt) = stmt else { return typed };
        let (ty, span) = (typed.ty(), typed.span());
        let block = Block { stmts: vec![stmt], value: Some(Box::new(typed.expr)), ty, span };
        Typed::new(ExprKind::Block(Box::new(block)), ty, span)
    }

    /// Whether something says what elements are; reports an element that is used before (K0218).
    pub(super) fn known_element(&mut self, element: TypeId, span: Span) -> bool {
        let is_open = matches!(self.type_of(element), Type::Open(_));
        if is_open {
            let text = self.shorten(span);
            self.diags()
                .error(Code::CannotInferType, span)
                .arg("x", text)
                .label("used before anything says what the elements are")
                .note("for example `let mut list: Vec<u256> = Vec::new();`");
            self.unify(element, TypeId::ERROR);
        }
        !is_open
    }

    /// `base[index]` of an array, a `Vec` or `bytes`.
    pub(super) fn element(&mut self, base: Typed, element: TypeId, index: Expr, span: Span) -> Typed {
        let through = base.through;
        if !self.known_element(element, span) {
            return Typed::hole(span);
        }
        let (stmt, mut place) = self.as_place(base);
        place.steps.push(PlaceStep::Index(index));
        (place.ty, place.span) = (element, span);
        let typed = Typed { through, ..Typed::new(ExprKind::Load(place), element, span) };
        self.after(stmt, typed)
    }

    /// The methods of `bytes`, `string`, `Vec` and arrays, and `clone` and `load`; the receiver again if `name` is none
    /// of them.
    pub(super) fn data_method(
        &mut self,
        base: Typed,
        name: &'a ast::Ident,
        args: &'a [ast::Expr],
        span: Span,
    ) -> Result<Typed, Box<Typed>> {
        let ty = self.resolved(base.ty());
        let shape = self.type_of(ty).clone();
        let sized = matches!(shape, Type::Bytes | Type::String | Type::Vec(_) | Type::Array { .. });
        let in_storage = matches!(&base.expr.kind,
            ExprKind::Load(place) if matches!(place.root, PlaceRoot::Storage(_)));
        let op = match (name.as_str(), &shape) {
            ("len", _) if sized => {
                if !self.count_args(args, 0, span) {
                    return Ok(Typed::hole(span));
                }
                return Ok(match base.expr.kind {
                    ExprKind::Load(place) => {
                        let kind = ExprKind::AtPlace { op: PlaceOp::Len, place, args: Vec::new() };
                        Typed::new(kind, TypeId::U256, span)
                    }
                    _ => self.data_op(DataOp::Len, vec![base.expr], TypeId::U256, span),
                });
            }
            ("clone", _) | ("load", _)
                if sized
                    || in_storage
                    || matches!(
                        shape,
                        Type::Struct(_)
                            | Type::Tuple(_)
                            | Type::Enum(_)
                            | Type::Option(_)
                            | Type::Result { .. }
                            | Type::ErrorType(_)
                            | Type::AnyError
                    ) =>
            {
                if !self.count_args(args, 0, span) {
                    return Ok(Typed::hole(span));
                }
                if name.as_str() == "load" && !in_storage {
                    return Err(Box::new(base));
                }
                if self.sema.holds_map(ty) {
                    self.diags().error(Code::MapOnlyInStorage, span).arg("what", "copied");
                    return Ok(Typed::hole(span));
                }
                let op = if in_storage { DataOp::Load } else { DataOp::Clone };
                return Ok(self.data_op(op, vec![base.expr], ty, span));
            }
            ("slice", Type::Bytes) => {
                if !self.count_args(args, 2, span) {
                    return Ok(Typed::hole(span));
                }
                let bounds: Vec<_> = args.iter().map(|arg| self.index_operand(arg)).collect();
                let operands = std::iter::once(base.expr).chain(bounds).collect();
                return Ok(self.data_op(DataOp::Slice, operands, TypeId::BYTES, span));
            }
            ("data" | "selector", Type::AnyError) => {
                if !self.count_args(args, 0, span) {
                    return Ok(Typed::hole(span));
                }
                if name.as_str() == "selector" {
                    let selector = self.sema.types.intern(Type::FixedBytes(4));
                    return Ok(self.data_op(DataOp::ErrorSelector, vec![base.expr], selector, span));
                }
                // The error keeps its own.
                let own = match base.expr.kind {
                    ExprKind::Load(_) => self.data_op(DataOp::Clone, vec![base.expr], ty, span),
                    _ => base,
                };
                return Ok(self.data_op(DataOp::ErrorData, vec![own.expr], TypeId::BYTES, span));
            }
            ("push", Type::Vec(_) | Type::Bytes) => PlaceOp::Push,
            ("pop", Type::Vec(_)) => PlaceOp::Pop,
            ("clear", Type::Vec(_) | Type::Bytes | Type::String) => PlaceOp::Clear,
            ("clear", _) if in_storage && !self.sema.holds_map(ty) => PlaceOp::Clear,
            _ => return Err(Box::new(base)),
        };
        Ok(self.change_method(base, op, args, span))
    }

    /// `push`, `pop` and `clear`.
    fn change_method(&mut self, base: Typed, op: PlaceOp, args: &'a [ast::Expr], span: Span) -> Typed {
        let ty = self.resolved(base.ty());
        let (element, result) = match *self.type_of(ty) {
            Type::Vec(element) => (element, self.sema.types.intern(Type::Option(element))),
            _ => (TypeId::U8, TypeId::UNIT),
        };
        let through = base.through;
        let ExprKind::Load(place) = base.expr.kind else {
            self.loose_args(args);
            let text = self.shorten(base.expr.span);
            self.diags()
                .error(Code::NotMutable, base.expr.span)
                .arg("x", text)
                .label("this is a value that nothing keeps");
            return Typed::hole(span);
        };
        if !self.count_args(args, usize::from(op == PlaceOp::Push), span) {
            return Typed::hole(span);
        }
        if !self.check_assignable(&place, through) {
            // What is pushed still says what the elements are.
            args.iter().for_each(|arg| drop(self.expr_as(arg, element)));
            return Typed::hole(span);
        }
        let args: Vec<_> = args.iter().map(|arg| self.expr_as(arg, element)).collect();
        if args.iter().any(|arg| arg.ty == TypeId::NEVER) {
            return self.diverging(args, span);
        }
        if op == PlaceOp::Pop {
            if !self.known_element(element, span) {
                return Typed::hole(span);
            }
            // What nobody takes is dropped.
            return Typed::new(ExprKind::AtPlace { op, place, args }, result, span);
        }
        Typed::new(ExprKind::AtPlace { op, place, args }, TypeId::UNIT, span)
    }

    pub(super) fn count_args(&mut self, args: &'a [ast::Expr], expected: usize, span: Span) -> bool {
        if args.len() == expected {
            return true;
        }
        self.loose_args(args);
        self.diags().error(Code::WrongArgumentCount, span).arg("n", expected).arg("m", args.len());
        false
    }

    pub(super) fn data_op(&mut self, op: DataOp, args: Vec<Expr>, ty: TypeId, span: Span) -> Typed {
        if args.iter().any(|arg| arg.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        if args.iter().any(|arg| arg.ty == TypeId::NEVER) {
            return self.diverging(args, span);
        }
        Typed::new(ExprKind::Data { op, args }, ty, span)
    }

    /// `keccak256(b)` of `bytes`.
    pub(super) fn hash(&mut self, function: HashFunction, arg: &'a ast::Expr, span: Span) -> Typed {
        let arg = self.borrowed_as(arg, TypeId::BYTES);
        let ty = match function {
            HashFunction::Ripemd160 => self.sema.types.intern(Type::FixedBytes(20)),
            HashFunction::Keccak256 | HashFunction::Sha256 | HashFunction::Blake2b => TypeId::HASH,
        };
        let typed = self.data_op(DataOp::Hash(function), vec![arg], ty, span);
        match crate::sema::consts::eval(&typed.expr) {
            Ok(crate::sema::consts::Value::Word(word)) => Typed::new(ExprKind::Const(word), ty, span),
            _ => typed,
        }
    }

    /// `ecrecover(hash, v, r, s)`.
    pub(super) fn ecrecover(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        const PARAMS: [TypeId; 4] = [TypeId::HASH, TypeId::U8, TypeId::HASH, TypeId::HASH];
        if !self.count_args(args, PARAMS.len(), span) {
            return Typed::hole(span);
        }
        let args = args.iter().zip(PARAMS).map(|(arg, ty)| self.expr_as(arg, ty)).collect();
        let ty = self.sema.types.intern(Type::Option(TypeId::ADDRESS));
        self.data_op(DataOp::Ecrecover, args, ty, span)
    }

    /// `concat(a, b, …)`: all `bytes` or all `string`.
    pub(super) fn concat(&mut self, args: &'a [ast::Expr], span: Span, want: Option<TypeId>) -> Typed {
        let mut ty = want.map(|want| self.resolved(want)).filter(|&ty| is_text(ty));
        let mut exprs = Vec::with_capacity(args.len());
        for arg in args {
            let typed = self.borrowed(arg, ty);
            let found = self.resolved(typed.ty());
            if ty.is_none() && is_text(found) {
                ty = Some(found);
            }
            exprs.push(self.coerce(typed, ty.unwrap_or(TypeId::BYTES)));
        }
        self.data_op(DataOp::Concat, exprs, ty.unwrap_or(TypeId::BYTES), span)
    }

    /// `abi.encode(…)`, `abi.encode_packed(…)`, `abi.call_data(…)`, `abi.decode(…)`; nothing for another member of `abi`.
    pub(super) fn abi_call(
        &mut self,
        name: &str,
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Option<Typed> {
        let op = match name {
            "encode" => DataOp::AbiEncode,
            "encode_packed" => DataOp::AbiEncodePacked,
            "call_data" => return Some(self.abi_call_data(args, span)),
            "decode" => return Some(self.abi_decode(args, span, want)),
            _ => return None,
        };
        let mut exprs = Vec::with_capacity(args.len());
        for arg in args {
            let typed = self.borrowed(arg, None);
            let expr = self.materialize(typed, None, None);
            let ty = self.resolved(expr.ty);
            let open = self.is_int(ty) || matches!(ty, TypeId::ERROR | TypeId::NEVER);
            if !open && (self.sema.types.abi_type(ty).is_none() || ty == TypeId::UNIT) {
                let shown = self.shown(ty);
                self.diags().error(Code::NotAbiType, expr.span).arg("t", shown).arg("place", "param");
                exprs.push(Typed::hole(expr.span).expr);
                continue;
            }
            let packable = match *self.type_of(ty) {
                Type::Bytes | Type::String => true,
                Type::Vec(element) | Type::Array { element, .. } => self.sema.types.is_word(element),
                _ => self.sema.types.is_word(ty),
            };
            if op == DataOp::AbiEncodePacked && !open && !packable {
                let shown = self.shown(ty);
                self.diags()
                    .error(Code::NotAbiType, expr.span)
                    .arg("t", shown)
                    .arg("place", "`abi.encode_packed`");
                exprs.push(Typed::hole(expr.span).expr);
                continue;
            }
            exprs.push(expr);
        }
        Some(self.data_op(op, exprs, TypeId::BYTES, span))
    }

    /// `abi.call_data(IERC20::transfer, to, amount)`.
    fn abi_call_data(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let Some((callee, args)) = args.split_first() else {
            self.diags().error(Code::WrongArgumentCount, span).arg("n", 1).arg("m", 0);
            return Typed::hole(span);
        };
        let function = match &callee.kind {
            ast::ExprKind::Path(path) => self.handle_function(path),
            _ => None,
        };
        let Some(function) = function else {
            self.loose_args(args);
            let text = self.shorten(callee.span);
            self.diags()
                .error(Code::MismatchedTypes, callee.span)
                .arg("a", "Interface::function")
                .arg("b", text);
            return Typed::hole(span);
        };
        if !self.count_args(args, function.params.len(), span) {
            return Typed::hole(span);
        }
        let args = args.iter().zip(&function.params).map(|(arg, param)| self.borrowed_as(arg, param.1));
        let args = args.collect();
        self.data_op(DataOp::AbiCallData(function.selector), args, TypeId::BYTES, span)
    }

    fn abi_decode(&mut self, args: &'a [ast::Expr], span: Span, want: Option<TypeId>) -> Typed {
        let [arg] = args else {
            self.loose_args(args);
            self.diags().error(Code::WrongArgumentCount, span).arg("n", 1).arg("m", args.len());
            return Typed::hole(span);
        };
        let data = self.borrowed_as(arg, TypeId::BYTES);
        let Some(want) = want.map(|want| self.resolved(want)) else {
            return self.cannot_infer("abi.decode(…)", span);
        };
        let Type::Result { ok, .. } = *self.type_of(want) else {
            if want != TypeId::ERROR {
                let shown = self.shown(want);
                self.diags()
                    .error(Code::MismatchedTypes, span)
                    .arg("a", shown)
                    .arg("b", "Result<_, DecodeError>");
            }
            return Typed::hole(span);
        };
        if self.sema.types.abi_type(ok).is_none() {
            let shown = self.shown(ok);
            self.diags().error(Code::NotAbiType, span).arg("t", shown).arg("place", "return");
            return Typed::hole(span);
        }
        let error = self.sema.decode_error();
        self.effects.errors.insert(ErrorRef { ty: error, variant: 0 });
        let err = self.sema.types.intern(Type::ErrorType(error));
        let ty = self.sema.types.intern(Type::Result { ok, err });
        self.data_op(DataOp::AbiDecode, vec![data], ty, span)
    }

    /// `Vec::new()` and `Vec::with_capacity(n)`.
    pub(super) fn new_vec(
        &mut self,
        name: &'a ast::Ident,
        args: &'a [ast::Expr],
        span: Span,
        want: Option<TypeId>,
    ) -> Typed {
        let capacity = match name.as_str() {
            "new" => self.count_args(args, 0, span).then_some(None),
            "with_capacity" => self.count_args(args, 1, span).then(|| Some(self.index_operand(&args[0]))),
            _ => {
                self.loose_args(args);
                self.diags().error(Code::NoFieldOrMethod, name.span).arg("t", "Vec").arg("m", &name.name);
                None
            }
        };
        let Some(capacity) = capacity else { return Typed::hole(span) };
        let want = match want {
            Some(want) => self.resolved(want),
            None => {
                let text = format!("Vec::{}({})", name.name, if capacity.is_some() { "…" } else { "" });
                let element = self.inference.fresh_open(&mut self.sema.types, &text, span);
                self.sema.types.intern(Type::Vec(element))
            }
        };
        match self.type_of(want) {
            Type::Error => return Typed::hole(span),
            Type::Vec(_) => {}
            _ => {
                let shown = self.shown(want);
                self.diags().error(Code::MismatchedTypes, span).arg("a", shown).arg("b", "Vec<_>");
                return Typed::hole(span);
            }
        }
        self.data_op(DataOp::NewVec, capacity.into_iter().collect(), want, span)
    }
}

fn is_text(ty: TypeId) -> bool {
    matches!(ty, TypeId::BYTES | TypeId::STRING)
}
