//! The state of checking one body, and how functions are begun and finished.

use std::sync::Arc;

use crate::diag::{Code, Diagnostics, Severity};
use crate::sema::check::borrows::Borrow;
use crate::sema::check::moves::{LeftRounds, Moved};
use crate::sema::consts::{self, EvalError, Value};
use crate::sema::effects::Effects;
use crate::sema::exact::Int;
use crate::sema::infer::{Demand, Inference, Mark, Substitution, literal_does_not_fit};
use crate::sema::resolve::Position;
use crate::sema::scope::{ConstIndex, ContractIndex, LocalDef, LocalEntry, Locals};
use crate::sema::typed::{
    AssignTarget, Block, Expr, ExprKind, FuncId, FunctionKind, Local, LocalId, Place, PlaceRoot, Stmt,
    StmtKind,
};
use crate::sema::types::{Type, TypeId};
use crate::sema::weave::is_test_name;
use crate::sema::{Body, ConstState, Param, Sema, Signature};
use crate::source::Span;
use crate::syntax::ast;

/// A checked expression. Integer literals, and what is computed from them alone, have the type `{int}` and
/// their exact value until [`Checker::coerce`] gives them the type of their use.
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) literal: Option<Int>,
    /// The reference that a place was reached through: a number in [`Checker::borrows`].
    pub(super) through: Option<usize>,
}

impl Typed {
    pub(super) fn new(kind: ExprKind, ty: TypeId, span: Span) -> Typed {
        Typed { expr: Expr { kind, ty, span }, literal: None, through: None }
    }

    pub(super) fn literal(value: Int, span: Span) -> Typed {
        let kind = ExprKind::Const(value.low_word());
        Typed { expr: Expr { kind, ty: TypeId::INT_LITERAL, span }, literal: Some(value), through: None }
    }

    /// What a reported mistake leaves.
    pub(super) fn hole(span: Span) -> Typed {
        Typed::new(ExprKind::Hole, TypeId::ERROR, span)
    }

    pub(super) fn ty(&self) -> TypeId {
        self.expr.ty
    }

    pub(super) fn span(&self) -> Span {
        self.expr.span
    }
}

/// The state of checking one body.
pub(super) struct Checker<'s, 'a> {
    pub(super) sema: &'s mut Sema<'a>,
    pub(super) contract: Option<ContractIndex>,
    /// Name of the function, for messages.
    pub(super) name: Arc<str>,
    pub(super) kind: FunctionKind,
    pub(super) result: TypeId,
    pub(super) locals: Vec<Local>,
    pub(super) scope: Locals,
    pub(super) inference: Inference,
    pub(super) effects: Effects,
    pub(super) loop_depth: u32,
    /// What was moved out of locals so far, and where control left each loop around this place.
    pub(super) moved: Moved,
    pub(super) left_rounds: Vec<LeftRounds>,
    /// Every reference that a name was bound to.
    pub(super) borrows: Vec<Borrow>,
    /// The number of the body's first assertion.
    pub(super) first_assertion: usize,
}

impl<'a> Sema<'a> {
    /// Checks every body of the module.
    pub(in crate::sema) fn check_bodies(&mut self) {
        for contract in 0..self.contracts.len() {
            self.add_initializer(contract);
        }
        self.add_constant_getters();
        for contract in 0..self.contracts.len() {
            self.current = self.contracts[contract].module;
            self.build_entry_points(contract);
            self.fill_handle(contract);
        }
        for contract in 0..self.contracts.len() {
            self.current = self.contracts[contract].module;
            self.check_conformance(contract);
        }
        for id in (0..self.signatures.len()).map(|index| FuncId(index as u32)) {
            match self.signatures[id.index()].body {
                Body::Block(body) => self.check_function(id, body),
                Body::Initializer => self.check_initializer(id),
                Body::Ready => {}
            }
        }
    }

    fn checker(&mut self, id: FuncId) -> Checker<'_, 'a> {
        self.current = self.module_of[id.index()];
        let signature = self.signature(id);
        let (contract, name) = (signature.contract, signature.name.clone());
        let (kind, result) = (signature.kind, signature.result);
        let first_assertion = self.assertions.len();
        Checker {
            sema: self,
            contract,
            name,
            kind,
            result,
            locals: Vec::new(),
            scope: Locals::default(),
            inference: Inference::default(),
            effects: Effects::default(),
            loop_depth: 0,
            moved: Moved::default(),
            left_rounds: Vec::new(),
            borrows: Vec::new(),
            first_assertion,
        }
    }

    fn check_function(&mut self, id: FuncId, body: &'a ast::Block) {
        let params = self.signature(id).params.clone();
        let mut checker = self.checker(id);
        checker.scope.enter();
        for param in &params {
            match *checker.type_of(param.ty) {
                Type::Ref { mutable, target } => checker.define_reference(param, mutable, target),
                _ => {
                    checker.define_local(&param.name, param.span, param.ty, param.mutable, true);
                }
            }
        }
        let result = checker.result;
        let mut block = checker.block(body, Some(result));
        // A statement that could not be read may have been the one that returns.
        if body.tail.is_some()
            || !body.stmts.last().is_some_and(|last| matches!(last.kind, ast::StmtKind::Error))
        {
            checker.check_result(&mut block);
        }
        checker.leave_scope();
        checker.finish(id, block);
    }

    fn add_initializer(&mut self, contract: ContractIndex) {
        if self.contracts[contract].initial_values.is_empty() {
            return;
        }
        let span = self.contracts[contract].ast.name.span;
        let id = self.add_signature(Signature {
            name: Arc::from("initializer"),
            span,
            kind: FunctionKind::Initializer,
            contract: Some(contract),
            attrs: None,
            params: Vec::new(),
            result: TypeId::UNIT,
            view: false,
            payable: false,
            is_pub: false,
            has_receiver: false,
            body: Body::Initializer,
            effects: Effects::default(),
        });
        self.contracts[contract].typed.initializer = Some(id);
    }

    fn check_initializer(&mut self, id: FuncId) {
        let contract = self.signature(id).contract.expect("initializers belong to contracts");
        let span = self.signature(id).span;
        let values = self.contracts[contract].initial_values.clone();
        let mut checker = self.checker(id);
        let mut stmts = Vec::new();
        for (member, init) in values {
            let declared = &checker.sema.contracts[contract].typed.storage[member.index()];
            let (ty, place_span) = (declared.ty, declared.span);
            if checker.sema.is_map(ty) {
                let what = "created, so it has no initial value";
                checker.sema.diags.error(Code::MapOnlyInStorage, init.span).arg("what", what);
                continue;
            }
            let value = Box::new(checker.expr_as(init, ty));
            let place = Place { root: PlaceRoot::Storage(member), steps: Vec::new(), ty, span: place_span };
            let kind = ExprKind::Assign { target: AssignTarget::Place(place), value };
            let span = place_span.to(init.span);
            stmts.push(Stmt { kind: StmtKind::Expr(Expr { kind, ty, span }), span });
        }
        checker.finish(id, Block { stmts, value: None, ty: TypeId::UNIT, span });
    }

    /// Checks and evaluates a constant.
    pub(in crate::sema) fn evaluate_constant(&mut self, index: ConstIndex) -> ConstState {
        let (decl, contract) = (self.consts[index].ast, self.consts[index].contract);
        // A constant may be asked for while another module is checked.
        let outer = std::mem::replace(&mut self.current, self.consts[index].module);
        let ty = decl.ty.as_ref().map(|ty| self.resolve_type(ty, contract, Position::Constant));
        let value = self.constant_checker(decl.name.name.clone(), contract).constant_value(&decl.value, ty);
        self.current = outer;
        match value {
            Some((ty, value)) if ty != TypeId::ERROR => ConstState::Done(ty, value),
            _ => ConstState::Failed,
        }
    }

    /// Checks and evaluates an expression that stands outside bodies and shall be constant.
    pub(in crate::sema) fn constant_here(
        &mut self,
        expr: &'a ast::Expr,
        contract: Option<ContractIndex>,
    ) -> Option<(TypeId, Value)> {
        let names = std::mem::take(&mut self.block_names);
        let mut checker = self.constant_checker(Arc::from(""), contract);
        checker.scope.enter();
        for entry in names {
            // Whoever reads a variable here is told that it is no constant.
            let def = match entry.def {
                LocalDef::Constant(..) | LocalDef::Hole => entry.def,
                LocalDef::Variable(_) | LocalDef::Alias(_) | LocalDef::Never | LocalDef::NotConstant => {
                    LocalDef::NotConstant
                }
            };
            checker.scope.define(LocalEntry { def, ..entry });
        }
        let found = checker.constant_value(expr, None);
        self.block_names = checker.scope.leave();
        found.filter(|found| found.0 != TypeId::ERROR)
    }

    fn constant_checker(&mut self, name: Arc<str>, contract: Option<ContractIndex>) -> Checker<'_, 'a> {
        Checker {
            contract,
            name,
            kind: FunctionKind::Free,
            result: TypeId::UNIT,
            locals: Vec::new(),
            scope: Locals::default(),
            inference: Inference::default(),
            effects: Effects::default(),
            loop_depth: 0,
            moved: Moved::default(),
            left_rounds: Vec::new(),
            borrows: Vec::new(),
            first_assertion: self.assertions.len(),
            sema: self,
        }
    }

    /// Whether values of `ty` exist in storage only.
    pub(in crate::sema) fn holds_map(&self, ty: TypeId) -> bool {
        self.types.holds_map(ty)
    }

    /// Whether `ty` is a map.
    pub(in crate::sema) fn is_map(&self, ty: TypeId) -> bool {
        matches!(self.types.get(ty), Type::Map { .. })
    }
}

impl<'a> Checker<'_, 'a> {
    pub(super) fn diags(&mut self) -> &mut Diagnostics {
        &mut self.sema.diags
    }

    pub(super) fn resolved(&self, ty: TypeId) -> TypeId {
        self.inference.resolve(&self.sema.types, ty)
    }

    pub(super) fn shown(&self, ty: TypeId) -> String {
        self.sema.types.display(self.resolved(ty))
    }

    pub(super) fn type_of(&self, ty: TypeId) -> &Type {
        self.sema.types.get(self.resolved(ty))
    }

    /// Whether the type is an integer, known or not yet known.
    pub(super) fn is_int(&self, ty: TypeId) -> bool {
        matches!(self.type_of(ty), Type::Int(_) | Type::Infer(_) | Type::IntLiteral)
    }

    pub(super) fn fresh_int(&mut self, name: &str, span: Span, default: Option<TypeId>) -> TypeId {
        self.inference.fresh(&mut self.sema.types, name, span, default)
    }

    pub(super) fn unify(&mut self, a: TypeId, b: TypeId) -> bool {
        self.inference.unify(&self.sema.types, a, b)
    }

    /// Gives a checked expression the type `want`, or reports K0201.
    pub(super) fn coerce(&mut self, typed: Typed, want: TypeId) -> Expr {
        let want = self.resolved(want);
        let Typed { mut expr, literal, .. } = typed;
        if expr.ty == TypeId::NEVER {
            return expr;
        }
        if want == TypeId::ERROR || expr.ty == TypeId::ERROR {
            self.unify(want, expr.ty);
            expr.ty = TypeId::ERROR;
            return expr;
        }
        if let Some(value) = literal {
            return self.coerce_literal(value, want, expr.span);
        }
        if let (ExprKind::If { otherwise: None, .. }, false) = (&expr.kind, want == TypeId::UNIT) {
            let shown = self.shown(want);
            self.diags()
                .error(Code::MissingReturn, expr.span)
                .arg("t", shown)
                .label("this `if` has no `else`");
            return Expr { kind: ExprKind::Hole, ty: TypeId::ERROR, span: expr.span };
        }
        if !self.unify(expr.ty, want) {
            let (a, b) = (self.shown(want), self.shown(expr.ty));
            let is_text = matches!(&expr.kind, ExprKind::Bytes(_)) && expr.ty == TypeId::STRING;
            let diagnostic = self.sema.diags.error(Code::MismatchedTypes, expr.span).arg("a", a).arg("b", b);
            if is_text && want == TypeId::BYTES {
                let before = Span::new(expr.span.start, expr.span.start);
                diagnostic.fix(before, "b", "write the bytes of a text as `b\"…\"`");
            }
            return Expr { kind: ExprKind::Hole, ty: TypeId::ERROR, span: expr.span };
        }
        expr
    }

    /// A literal as a value of `want`.
    pub(super) fn coerce_literal(&mut self, value: Int, want: TypeId, span: Span) -> Expr {
        let kind = ExprKind::Const(value.low_word());
        match *self.type_of(want) {
            Type::Int(int) => {
                if value.to_word(int).is_none() {
                    literal_does_not_fit(self.diags(), value, int, span);
                }
            }
            Type::Infer(_) => self.inference.demand(Demand::Fits(want, value, span)),
            Type::Open(_) => {
                let ty = self.fresh_int(&value.to_string(), span, None);
                self.unify(want, ty);
                return self.coerce_literal(value, ty, span);
            }
            Type::Error | Type::Never => {}
            _ => {
                let shown = self.shown(want);
                self.diags().error(Code::MismatchedTypes, span).arg("a", shown).arg("b", "{int}");
                return Expr { kind: ExprKind::Hole, ty: TypeId::ERROR, span };
            }
        }
        Expr { kind, ty: want, span }
    }

    /// Checks an expression that shall have type `want`.
    pub(super) fn expr_as(&mut self, expr: &'a ast::Expr, want: TypeId) -> Expr {
        let typed = self.expr(expr, self.as_wish(want));
        self.coerce(typed, want)
    }

    /// The type as one that an expression shall have; nothing if a use will fix it.
    pub(super) fn as_wish(&self, want: TypeId) -> Option<TypeId> {
        (!matches!(self.type_of(want), Type::Open(_))).then_some(want)
    }

    /// Checks an expression whose type nothing prescribes; a literal gets a type that a later use fixes.
    pub(super) fn expr_any(&mut self, expr: &'a ast::Expr) -> Expr {
        let typed = self.expr(expr, None);
        self.materialize(typed, None, None)
    }

    /// The tree of a checked expression; a literal becomes a value of a type still to be fixed.
    pub(super) fn materialize(&mut self, typed: Typed, name: Option<&str>, default: Option<TypeId>) -> Expr {
        match typed.literal {
            Some(value) => {
                let literal = value.to_string();
                let ty = self.fresh_int(name.unwrap_or(&literal), typed.expr.span, default);
                self.coerce_literal(value, ty, typed.expr.span)
            }
            None => typed.expr,
        }
    }

    /// Checks a `bool` expression (K0202).
    pub(super) fn condition(&mut self, expr: &'a ast::Expr) -> Expr {
        if let ast::ExprKind::Assign { op: None, op_span, .. } = &expr.kind {
            let diagnostic = self.diags().error(Code::AssignmentAsCondition, *op_span);
            diagnostic.fix(*op_span, "==", "compare with `==`");
        }
        self.condition_of_branch(expr)
    }

    /// Checks the condition of an `if`, a loop or an arm: of an assignment there the parser has told.
    pub(super) fn condition_of_branch(&mut self, expr: &'a ast::Expr) -> Expr {
        if let ast::ExprKind::Assign { op: None, place, value, .. } = &expr.kind {
            self.expr_or_place(place, None);
            self.expr_or_place(value, None);
            return Typed::hole(expr.span).expr;
        }
        let typed = self.expr(expr, Some(TypeId::BOOL));
        let ty = self.resolved(typed.ty());
        if ty != TypeId::BOOL && ty != TypeId::ERROR && ty != TypeId::NEVER {
            let shown = self.shown(ty);
            self.diags().error(Code::ConditionNotBool, expr.span).arg("t", shown);
            return Typed::hole(expr.span).expr;
        }
        typed.expr
    }

    /// Checks an expression that shall be constant: its type and value.
    pub(super) fn constant_value(
        &mut self,
        expr: &'a ast::Expr,
        ty: Option<TypeId>,
    ) -> Option<(TypeId, Value)> {
        let (mark, before) = (self.inference.mark(), self.sema.diags.as_slice().len());
        let typed = self.expr(expr, ty);
        if let (Some(value), None) = (typed.literal, ty) {
            return Some((TypeId::INT_LITERAL, Value::Literal(value)));
        }
        let mut expr = match ty {
            Some(ty) => self.coerce(typed, ty),
            None => typed.expr,
        };
        self.inference.settle(mark, &self.sema.types, &mut self.sema.diags);
        Substitution { inference: &self.inference, types: &mut self.sema.types, hole: None }.expr(&mut expr);
        let reported = &self.sema.diags.as_slice()[before..];
        if reported.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
            || expr.ty == TypeId::ERROR
        {
            return None;
        }
        self.evaluate(&expr).map(|value| (expr.ty, value))
    }

    /// Evaluates a checked expression, reporting why it is not constant.
    pub(super) fn evaluate(&mut self, expr: &Expr) -> Option<Value> {
        match consts::eval(expr) {
            Ok(value) => return Some(value),
            Err(EvalError::Fault(reason, span)) => {
                self.diags().error(Code::ConstantFaults, span).arg("reason", reason);
            }
            Err(EvalError::NotConstant(reason, span)) => {
                self.diags().error(Code::NotConstant, span).arg("reason", reason);
            }
            Err(EvalError::Reported) => {}
        }
        None
    }

    /// A type in a block, whose constants lengths of arrays may name.
    pub(super) fn type_in_block(&mut self, resolve: impl FnOnce(&mut Sema<'a>) -> TypeId) -> TypeId {
        self.sema.block_names = self.scope.entries().to_vec();
        let ty = resolve(self.sema);
        for entry in std::mem::take(&mut self.sema.block_names) {
            if entry.used {
                self.scope.use_name(&entry.name);
            }
        }
        ty
    }

    /// Adds a local and its name.
    pub(super) fn define_local(
        &mut self,
        name: &Arc<str>,
        span: Span,
        ty: TypeId,
        mutable: bool,
        is_param: bool,
    ) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        self.locals.push(Local { name: name.to_string(), span, ty, mutable });
        self.define_name(name, span, LocalDef::Variable(id), is_param);
        id
    }

    /// Adds a parameter that is a reference: its name stands for what it refers to.
    fn define_reference(&mut self, param: &Param, mutable: bool, target: TypeId) {
        let id = LocalId(self.locals.len() as u32);
        let (name, span) = (param.name.to_string(), param.span);
        self.locals.push(Local { name, span, ty: param.ty, mutable: false });
        let root = PlaceRoot::Reference(id);
        let place = Place { root, steps: Vec::new(), ty: target, span };
        let index = self.borrows.len();
        self.borrows.push(Borrow { place, mutable, parent: None, live: true });
        self.define_name(&param.name, span, LocalDef::Alias(index), true);
    }

    /// Adds a name to the innermost block; it may not be taken (K0102).
    pub(super) fn define_name(&mut self, name: &Arc<str>, span: Span, def: LocalDef, is_param: bool) {
        let ident = ast::Ident { name: name.clone(), span };
        let reported = self.sema.diags.as_slice().len();
        let earlier = self.scope.find(name).map(|entry| (entry.span, entry.is_param));
        match earlier {
            // Repeated parameters were reported with the signature.
            Some((_, true)) if is_param => {}
            Some((first, _)) => self.sema.already_defined(&ident, first),
            None if crate::sema::scope::PREDECLARED_VALUES.contains(&&**name)
                || crate::sema::scope::prelude(name).is_some() =>
            {
                self.sema.predeclared(&ident);
            }
            None => {
                let contract = self.contract.map(|index| &self.sema.contracts[index].names);
                let item = contract.and_then(|names| names.values.span(name));
                if let Some(first) = item.or_else(|| self.sema.scope().values.span(name)) {
                    self.sema.already_defined(&ident, first);
                }
            }
        }
        // One report about a name is enough.
        let used = self.sema.diags.as_slice().len() > reported;
        self.scope.define(LocalEntry { name: name.clone(), span, def, used, is_param });
    }

    /// Leaves a block and warns about names that it did not use.
    pub(super) fn leave_scope(&mut self) {
        // Of the constructor of a contract under test, the contract itself tells.
        let is_copied = self.kind == FunctionKind::Constructor
            && self.contract.is_some_and(|index| is_test_name(&self.sema.contracts[index].ast.name.name));
        for entry in self.scope.leave() {
            self.end_borrow(&entry.def);
            let silent = is_copied
                || entry.used
                || entry.is_param
                || entry.name.starts_with('_')
                || entry.def == LocalDef::Hole;
            if !silent {
                self.diags().warning(Code::Unused, entry.span).arg("what", "variable").arg("x", &entry.name);
            }
        }
    }

    /// Checks that the body gives the declared result.
    fn check_result(&mut self, block: &mut Block) {
        let result = self.result;
        if block.value.is_none()
            && block.ty == TypeId::UNIT
            && result != TypeId::UNIT
            && result != TypeId::ERROR
        {
            let shown = self.shown(result);
            let end = Span::new(block.span.end.saturating_sub(1), block.span.end);
            self.diags().error(Code::MissingReturn, end).arg("t", shown);
            block.ty = TypeId::ERROR;
        }
    }

    /// Settles the types of the function and stores it.
    fn finish(mut self, id: FuncId, mut body: Block) {
        self.inference.settle(Mark::default(), &self.sema.types, &mut self.sema.diags);
        let mut substitution =
            Substitution { inference: &self.inference, types: &mut self.sema.types, hole: None };
        substitution.block(&mut body);
        substitution.locals(&mut self.locals);
        let hole = substitution.hole;
        self.sema.hole = self.sema.hole.or(hole);
        let (first, types) = (self.first_assertion, &self.sema.types);
        for assertion in &mut self.sema.assertions[first..] {
            assertion.sides = assertion.sides.map(|ty| self.inference.resolve(types, ty));
        }
        let function = &mut self.sema.functions[id.index()];
        function.locals = self.locals;
        function.body = body;
        self.sema.signatures[id.index()].effects = self.effects;
    }
}
