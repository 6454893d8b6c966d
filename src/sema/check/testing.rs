//! What only tests have (§16): `vm`, and assertions that tell both sides.
//!
//! Most of `vm` is a call of the account of [`cheats`](crate::sema::cheats). A failed assertion is one as well: it hands
//! over its number and both values, and whoever runs the test knows the text and the types behind the number.

use alloy_primitives::{U256, keccak256};

use crate::diag::Code;
use crate::sema::cheats::{self, Cheat};
use crate::sema::check::body::{Checker, Typed};
use crate::sema::check::raise::{Borrow, Fields};
use crate::sema::scope::closest;
use crate::sema::typed::{
    ArithMode, Assertion, BinaryOp, Block, CastKind, CompareOp, DataOp, Expr, ExprKind, ExternalCall,
    FunctionKind, HashFunction, LetPattern, Local, LocalId, Place, PlaceRoot, Stmt, StmtKind, UnaryOp,
};
use crate::sema::types::{HandleDef, HandleId, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, LiteralKind};

/// Every name after `vm.`, for suggestions.
const NAMES: &[&str] = &[
    "address",
    "prank",
    "prank_all",
    "deal",
    "warp",
    "roll",
    "expect_revert",
    "expect_emit",
    "assume",
    "last_gas",
    "storage",
    "hedera_fail",
];

/// `Error(string)`.
const ERROR_STRING: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];

impl<'a> Checker<'_, 'a> {
    /// Whether the body is that of a test.
    pub(super) fn is_test(&self) -> bool {
        self.kind == FunctionKind::Test
    }

    /// `vm.name(…)` in a test.
    pub(super) fn vm_call(&mut self, name: &'a ast::Ident, args: &'a [ast::Expr], span: Span) -> Typed {
        match name.as_str() {
            "address" => self.named_address(args, span),
            "assume" => self.assume(args, span),
            "expect_revert" => self.expect_revert(args, span),
            "expect_emit" => self.expect_emit(args, span),
            _ => {
                // The names of the others are not identifiers, so nobody can write them.
                let Some(&cheat) = Cheat::ALL.iter().find(|cheat| cheat.name() == name.as_str()) else {
                    self.loose_args(args);
                    let hint = closest(name.as_str(), NAMES.iter().copied());
                    let diagnostic = self
                        .diags()
                        .error(Code::NoFieldOrMethod, name.span)
                        .arg("t", "vm")
                        .arg("m", &name.name);
                    if let Some(hint) = hint {
                        diagnostic.label(format!("did you mean `{hint}`?"));
                    }
                    return Typed::hole(span);
                };
                self.cheat_written(cheat, args, span)
            }
        }
    }

    /// A cheat with its arguments as they stand in the source.
    fn cheat_written(&mut self, cheat: Cheat, args: &'a [ast::Expr], span: Span) -> Typed {
        let params = cheat.function(&self.sema.types).params;
        if params.len() != args.len() {
            self.loose_args(args);
            self.diags().error(Code::WrongArgumentCount, span).arg("n", params.len()).arg("m", args.len());
            return Typed::hole(span);
        }
        let values: Vec<Expr> =
            args.iter().zip(&params).map(|(arg, param)| self.expr_as(arg, param.1)).collect();
        if values.iter().any(|value| value.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        if values.iter().any(|value| value.ty == TypeId::NEVER) {
            return self.diverging(values, span);
        }
        self.cheat(cheat, values, span)
    }

    /// The call that a cheat is.
    fn cheat(&mut self, cheat: Cheat, args: Vec<Expr>, span: Span) -> Typed {
        let handle = self.vm_handle();
        let ty = self.sema.types.intern(Type::Handle(handle));
        let target = Expr { kind: ExprKind::Const(cheats::ADDRESS.into_word().into()), ty, span };
        let at = Cheat::ALL.iter().position(|other| *other == cheat).unwrap_or_default();
        let result = cheat.function(&self.sema.types).result;
        self.effects.writes.push((format!("calls `vm.{}`", cheat.name()), span));
        let call = ExternalCall {
            target,
            handle,
            function: at as u32,
            options: Vec::new(),
            args,
            is_static: false,
            is_tried: false,
        };
        Typed::new(ExprKind::External(Box::new(call)), result, span)
    }

    /// The type of the account that answers cheats.
    fn vm_handle(&mut self) -> HandleId {
        if let Some(id) = self.sema.vm_handle {
            return id;
        }
        let id = HandleId(self.sema.types.handles.len() as u32);
        let functions = Cheat::ALL.iter().map(|cheat| cheat.function(&self.sema.types)).collect();
        self.sema.types.handles.push(HandleDef { name: "vm".to_owned(), span: Span::default(), functions });
        self.sema.vm_handle = Some(id);
        id
    }

    /// `vm.address("alice")`: the end of the name's hash, so that it is the same in every test.
    fn named_address(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        if let ast::ExprKind::Literal(ast::Literal { kind: LiteralKind::Str(text), .. }) = &arg.kind {
            let word = U256::from_be_bytes(keccak256(text.as_bytes()).0) & (U256::MAX >> 96);
            let names = &mut self.sema.test_addresses;
            if !names.iter().any(|known| known.as_str() == &**text) {
                names.push(text.to_string());
            }
            return Typed::new(ExprKind::Const(word), TypeId::ADDRESS, span);
        }
        let name = self.borrowed_as(arg, TypeId::STRING);
        if name.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        let bytes = Expr {
            kind: ExprKind::Cast { kind: CastKind::SameWord, operand: Box::new(name) },
            ty: TypeId::BYTES,
            span,
        };
        let hash = self.data_op(DataOp::Hash(HashFunction::Keccak256), vec![bytes], TypeId::HASH, span).expr;
        let narrow = CastKind::IntWrapping {
            from: crate::sema::types::IntType::U256,
            to: crate::sema::types::IntType::U160,
        };
        let kind = ExprKind::Cast { kind: narrow, operand: Box::new(Expr { ty: TypeId::U256, ..hash }) };
        let word = Expr { kind, ty: TypeId::U160, span };
        let kind = ExprKind::Cast { kind: CastKind::SameWord, operand: Box::new(word) };
        Typed::new(kind, TypeId::ADDRESS, span)
    }

    /// `vm.assume(c)`: an input for which it does not hold does not count.
    fn assume(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        let cond = self.condition(arg);
        if cond.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        let reject = self.cheat(Cheat::Reject, Vec::new(), span).expr;
        Typed::new(unless(cond, reject, span), TypeId::UNIT, span)
    }

    /// `vm.expect_revert()`, or with an error or the text of `require`.
    fn expect_revert(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        if args.is_empty() {
            return self.cheat(Cheat::ExpectRevert, Vec::new(), span);
        }
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        if let ast::ExprKind::Literal(ast::Literal { kind: LiteralKind::Str(text), .. }) = &arg.kind {
            let word = |n: usize| U256::from(n).to_be_bytes::<32>();
            let mut data = ERROR_STRING.to_vec();
            data.extend(word(32));
            data.extend(word(text.len()));
            data.extend(text.as_bytes());
            data.resize(4 + 64 + text.len().next_multiple_of(32), 0);
            let data = Expr { kind: ExprKind::Bytes(data.into()), ty: TypeId::BYTES, span: arg.span };
            return self.cheat(Cheat::ExpectRevertWith, vec![data], span);
        }
        let Some(error) = self.raised(arg, Some(TypeId::ANY_ERROR), Borrow::Yes) else {
            return Typed::hole(span);
        };
        let data = self.data_op(DataOp::ErrorData, vec![error], TypeId::BYTES, arg.span).expr;
        if data.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        self.cheat(Cheat::ExpectRevertWith, vec![data], span)
    }

    /// `vm.expect_emit(E(…))`: the test logs the entry itself, as the pattern for the one to come.
    fn expect_emit(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let Some(arg) = self.one_argument(args, span) else { return Typed::hole(span) };
        let emit = match &arg.kind {
            ast::ExprKind::Path(path) => self.emit_event(path, Fields::None, arg.span),
            ast::ExprKind::StructLit { path, fields } => {
                self.emit_event(path, Fields::Named(fields), arg.span)
            }
            ast::ExprKind::Call { callee, args, .. } if matches!(callee.kind, ast::ExprKind::Path(_)) => {
                let ast::ExprKind::Path(path) = &callee.kind else { return Typed::hole(span) };
                self.emit_event(path, Fields::Positional(args), arg.span)
            }
            _ => {
                let text = self.shorten(arg.span);
                self.expr_or_place(arg, None);
                self.diags()
                    .error(Code::EmitNeedsEvent, arg.span)
                    .arg("x", text)
                    .arg("kind", "an expression");
                None
            }
        };
        let Some(emit) = emit else { return Typed::hole(span) };
        let expect = self.cheat(Cheat::ExpectEmit, Vec::new(), span).expr;
        let stmts = vec![statement(expect), Stmt { kind: emit, span: arg.span }];
        let block = Block { stmts, value: None, ty: TypeId::UNIT, span };
        Typed::new(ExprKind::Block(Box::new(block)), TypeId::UNIT, span)
    }

    /// `assert_eq(a, b)`, `assert_ne`, `assert_lt`.
    pub(super) fn assert_compare(
        &mut self,
        op: CompareOp,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
    ) -> Typed {
        let Some((mut stmts, sides, ty)) = self.sides(op_text(op), left, right, span) else {
            return Typed::hole(span);
        };
        let [a, b] = sides.clone();
        let holds = self.compare(op, op_text(op), span, Typed::from(a), Typed::from(b), span);
        if holds.ty() == TypeId::ERROR {
            return Typed::hole(span);
        }
        let fail = self.fail(sides.into(), ty, span);
        stmts.push(statement(Expr { kind: unless(holds.expr, fail, span), ty: TypeId::UNIT, span }));
        let block = Block { stmts, value: None, ty: TypeId::UNIT, span };
        Typed::new(ExprKind::Block(Box::new(block)), TypeId::UNIT, span)
    }

    /// `assert_eq(…)` and its kin, by name.
    pub(super) fn assertion(&mut self, name: &str, args: &'a [ast::Expr], span: Span) -> Typed {
        let count = if name == "assert_approx" { 3 } else { 2 };
        if args.len() != count {
            self.loose_args(args);
            self.diags().error(Code::WrongArgumentCount, span).arg("n", count).arg("m", args.len());
            return Typed::hole(span);
        }
        match name {
            "assert_eq" => self.assert_compare(CompareOp::Eq, &args[0], &args[1], span),
            "assert_ne" => self.assert_compare(CompareOp::Ne, &args[0], &args[1], span),
            "assert_lt" => self.assert_compare(CompareOp::Lt, &args[0], &args[1], span),
            _ => self.assert_approx(args, span),
        }
    }

    /// `assert_approx(a, b, tol)`: integers that differ by `tol` at most.
    fn assert_approx(&mut self, args: &'a [ast::Expr], span: Span) -> Typed {
        let Some((mut stmts, sides, ty)) = self.sides("-", &args[0], &args[1], span) else {
            drop(self.expr(&args[2], None));
            return Typed::hole(span);
        };
        let tolerance = self.expr_as(&args[2], ty);
        if !self.is_int(ty) {
            let [a, b] = [ty, ty];
            return self.operator_mismatch("-", span, a, b, span);
        }
        if tolerance.ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        let [a, b] = sides.clone();
        let binary = |left: &Expr, right: &Expr| {
            let op = BinaryOp::Sub(ArithMode::Checked);
            let kind = ExprKind::Binary { op, left: Box::new(left.clone()), right: Box::new(right.clone()) };
            Expr { kind, ty, span }
        };
        let compare = |op, left: Expr, right: Expr| {
            let kind = ExprKind::Compare { op, left: Box::new(left), right: Box::new(right) };
            Expr { kind, ty: TypeId::BOOL, span }
        };
        let branch = |value| Box::new(Block { stmts: Vec::new(), value: Some(Box::new(value)), ty, span });
        let kind = ExprKind::If {
            cond: Box::new(compare(CompareOp::Lt, a.clone(), b.clone())),
            then: branch(binary(&b, &a)),
            otherwise: Some(branch(binary(&a, &b))),
        };
        let holds = compare(CompareOp::Le, Expr { kind, ty, span }, tolerance);
        let fail = self.fail(sides.into(), ty, span);
        stmts.push(statement(Expr { kind: unless(holds, fail, span), ty: TypeId::UNIT, span }));
        let block = Block { stmts, value: None, ty: TypeId::UNIT, span };
        Typed::new(ExprKind::Block(Box::new(block)), TypeId::UNIT, span)
    }

    /// `assert(c)` in a test: a comparison tells both sides.
    pub(super) fn assert_in_test(&mut self, cond: &'a ast::Expr, span: Span) -> Typed {
        if let ast::ExprKind::Binary { op, left, right, .. } = &cond.kind {
            let op = match op {
                ast::BinaryOp::Eq => Some(CompareOp::Eq),
                ast::BinaryOp::Ne => Some(CompareOp::Ne),
                ast::BinaryOp::Lt => Some(CompareOp::Lt),
                ast::BinaryOp::Le => Some(CompareOp::Le),
                ast::BinaryOp::Gt => Some(CompareOp::Gt),
                ast::BinaryOp::Ge => Some(CompareOp::Ge),
                _ => None,
            };
            if let Some(op) = op {
                return self.assert_compare(op, left, right, span);
            }
        }
        let cond = self.condition(cond);
        if cond.ty == TypeId::ERROR || cond.ty == TypeId::NEVER {
            return Typed::new(cond.kind, cond.ty, span);
        }
        let fail = self.fail(Vec::new(), TypeId::UNIT, span);
        Typed::new(unless(cond, fail, span), TypeId::UNIT, span)
    }

    /// Both operands of an assertion, each evaluated once into a variable of its own.
    fn sides(
        &mut self,
        spelled: &str,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
    ) -> Option<(Vec<Stmt>, [Expr; 2], TypeId)> {
        let mut left = self.borrowed(left, None);
        let want = Some(left.ty()).filter(|_| left.literal.is_none());
        let mut right = self.borrowed(right, want);
        if left.literal.is_some() && right.literal.is_some() {
            left = Typed::from(self.materialize(left, None, Some(TypeId::U256)));
            right = Typed::from(self.materialize(right, None, Some(TypeId::U256)));
        }
        let (left, right, ty) = self.same_type(spelled, span, left, right)?;
        let mut stmts = Vec::new();
        let sides = [left, right].map(|init| {
            let at = init.span;
            let id = LocalId(self.locals.len() as u32);
            self.locals.push(Local { name: String::new(), span: at, ty, mutable: false });
            stmts.push(Stmt { kind: StmtKind::Let { pattern: LetPattern::Local(id), init }, span: at });
            let place = Place { root: PlaceRoot::Local(id), steps: Vec::new(), ty, span: at };
            Expr { kind: ExprKind::Load(place), ty, span: at }
        });
        Some((stmts, sides, ty))
    }

    /// The call that says that an assertion failed.
    fn fail(&mut self, sides: Vec<Expr>, ty: TypeId, span: Span) -> Expr {
        let ty = self.resolved(ty);
        let is_shown = self.is_int(ty) || ty != TypeId::UNIT && self.sema.types.abi_type(ty).is_some();
        let sides = if is_shown { sides } else { Vec::new() };
        let number = self.sema.assertions.len();
        self.sema.assertions.push(Assertion { span, sides: Some(ty).filter(|_| !sides.is_empty()) });
        let number = Expr { kind: ExprKind::Const(U256::from(number)), ty: TypeId::U64, span };
        let sides = match sides.is_empty() {
            true => Expr { kind: ExprKind::Bytes([].into()), ty: TypeId::BYTES, span },
            false => {
                let kind = ExprKind::Data { op: DataOp::AbiEncode, args: sides };
                Expr { kind, ty: TypeId::BYTES, span }
            }
        };
        self.cheat(Cheat::Fail, vec![number, sides], span).expr
    }
}

impl From<Expr> for Typed {
    fn from(expr: Expr) -> Typed {
        Typed { expr, literal: None, through: None }
    }
}

const fn op_text(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

/// `if !cond { otherwise; }`
fn unless(cond: Expr, otherwise: Expr, span: Span) -> ExprKind {
    let cond = ExprKind::Unary { op: UnaryOp::Not, operand: Box::new(cond) };
    let then = Block { stmts: vec![statement(otherwise)], value: None, ty: TypeId::UNIT, span };
    ExprKind::If {
        cond: Box::new(Expr { kind: cond, ty: TypeId::BOOL, span }),
        then: Box::new(then),
        otherwise: None,
    }
}

fn statement(expr: Expr) -> Stmt {
    let span = expr.span;
    Stmt { kind: StmtKind::Expr(expr), span }
}
