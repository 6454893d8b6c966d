//! Random syntax trees and random token sequences.
//!
//! A tree is built top-down with a budget, so it always ends. Only what the parser can build is generated:
//! a tuple field's index is a literal, a block-like expression that ends a block is its tail, and so on.

use std::sync::Arc;

use kalix::source::Span;
use kalix::syntax::ast::*;

const NAMES: [&str; 6] = ["a", "total", "Order", "max", "value", "_x"];
const SPAN: Span = Span::new(0, 0);

pub(crate) struct Generator {
    seed: u64,
    budget: u32,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let mut generator = Self { seed, budget: 0 };
        generator.budget = 3 + generator.below(100) as u32;
        generator
    }

    fn below(&mut self, n: usize) -> usize {
        // SplitMix64
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    fn list<T>(&mut self, least: usize, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = least + self.below(most - least + 1);
        (0..length).map(|_| make(self)).collect()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flip() { Some(make(self)) } else { None }
    }

    /// Random tokens in random order; now and then they make sense.
    pub(crate) fn soup(&mut self) -> String {
        let tokens = kalix::syntax::token::Token::FIXED;
        let others = ["a", "b1", "5", "0x1f", "\"s\"", "b\"x\"", "/// d\n", "gas", "value", "u64", "move"];
        let mut text =
            String::from(self.pick(&["", "contract C { ", "contract C { fn f() { ", "fn f() { let x = "]));
        for _ in 0..self.below(80) {
            let token =
                if self.below(3) == 0 { self.pick(&others) } else { tokens[self.below(tokens.len())].1 };
            text.push_str(token);
            text.push_str(self.pick(&[" ", " ", "", "\n"]));
        }
        text
    }

    pub(crate) fn module(&mut self) -> Module {
        let body = self.block();
        let params =
            self.list(0, 3, |g| Param { mode: BindMode::Plain, name: g.ident(), ty: g.ty(), span: SPAN });
        let ret = self.maybe(Self::ty);
        let sig =
            FnSig { name: self.ident(), receiver: None, params, view: None, payable: None, ret, span: SPAN };
        let kind = ModuleItemKind::Fn(Fn { sig, body });
        let item = ModuleItem { attrs: Attrs::default(), public: None, kind, span: SPAN };
        Module { docs: Vec::new(), items: vec![item], span: SPAN }
    }

    fn ident(&mut self) -> Ident {
        Ident { name: self.pick(&NAMES).into(), span: SPAN }
    }

    fn path(&mut self) -> Path {
        Path { segments: self.list(1, 2, Self::ident), span: SPAN }
    }

    fn int(&mut self) -> IntLit {
        let value = self.below(1000) as u64;
        let suffix = self.maybe(|g| IntSuffix { signed: g.flip(), bits: 8 * (1 + g.below(32) as u16) });
        let suffix_text = suffix.map_or(String::new(), |suffix| {
            format!("{}{}", if suffix.signed { "i" } else { "u" }, suffix.bits)
        });
        let digits = match self.below(3) {
            0 => format!("{value:#x}"),
            1 => format!("{value:#b}"),
            _ => value.to_string(),
        };
        let text = format!("{digits}{suffix_text}").into();
        IntLit { value: alloy_primitives::U512::from(value), suffix, text, span: SPAN }
    }

    fn string(&mut self) -> Arc<str> {
        self.pick(&["", "text", "quote \" and \\", "line\nend\r\0\t", "\u{1F600} \u{e4}"]).into()
    }

    fn literal(&mut self) -> Literal {
        let kind = match self.below(4) {
            0 => LiteralKind::Str(self.string()),
            1 => LiteralKind::Bytes(self.pick(&[&b""[..], b"ab\xff\""]).into()),
            2 => LiteralKind::Bool(self.flip()),
            _ => LiteralKind::Int(self.int()),
        };
        Literal { kind, span: SPAN }
    }

    fn ty(&mut self) -> Type {
        let leaf = self.spend();
        let kind = match if leaf { 0 } else { self.below(5) } {
            1 => TypeKind::Ref { mutable: self.flip(), inner: Box::new(self.ty()) },
            2 => TypeKind::Tuple(self.list(0, 3, Self::ty)),
            3 => TypeKind::Array { element: Box::new(self.ty()), length: Box::new(self.expr()) },
            4 => TypeKind::Path { path: self.path(), args: self.list(1, 2, Self::type_arg) },
            _ => TypeKind::Path { path: self.path(), args: Vec::new() },
        };
        Type { kind, span: SPAN }
    }

    fn type_arg(&mut self) -> TypeArg {
        if self.flip() { TypeArg::Int(self.int()) } else { TypeArg::Type(self.ty()) }
    }

    fn cast_type(&mut self) -> Type {
        let kind = if self.below(4) == 0 {
            let bytes = Ident { name: "bytes".into(), span: SPAN };
            let path = Path { segments: vec![bytes], span: SPAN };
            TypeKind::Path { path, args: vec![TypeArg::Int(self.int())] }
        } else {
            TypeKind::Path { path: self.path(), args: Vec::new() }
        };
        Type { kind, span: SPAN }
    }

    fn pattern(&mut self) -> Pattern {
        let leaf = self.spend();
        let kind = match if leaf { 0 } else { self.below(8) } {
            1 => PatternKind::Literal(self.pat_lit()),
            2 => PatternKind::Range { start: self.pat_lit(), end: self.pat_lit(), inclusive: self.flip() },
            3 if self.flip() => PatternKind::Tuple(Vec::new()),
            3 => PatternKind::Tuple(self.list(2, 3, Self::pattern)),
            4 => PatternKind::BindMut(self.ident()),
            5 => PatternKind::Path { path: self.path(), args: Some(self.list(0, 2, Self::pattern)) },
            6 => PatternKind::Or(self.list(2, 3, Self::pattern)),
            7 => PatternKind::Wildcard,
            _ => PatternKind::Path { path: self.path(), args: None },
        };
        Pattern { kind, span: SPAN }
    }

    fn pat_lit(&mut self) -> PatLit {
        let kind = match self.below(3) {
            0 => PatLitKind::Str(self.string()),
            1 => PatLitKind::Bool(self.flip()),
            _ => PatLitKind::Int { negative: self.flip(), value: self.int() },
        };
        PatLit { kind, span: SPAN }
    }

    /// Takes one from the budget; tells whether it is used up.
    fn spend(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget == 0
    }

    fn block(&mut self) -> Block {
        let stmts = if self.spend() { Vec::new() } else { self.list(0, 4, Self::stmt) };
        let tail = self.maybe(|g| Box::new(g.expr()));
        Block { stmts, tail, span: SPAN }
    }

    fn stmt(&mut self) -> Stmt {
        let kind = match self.below(6) {
            0 => StmtKind::Let(Let {
                // `let mut` always means the mode, so the pattern gets its `mut` only after it.
                mode: self.pick(&[BindMode::Mut, BindMode::Const]),
                pattern: self.pattern(),
                ty: self.maybe(Self::ty),
                value: self.expr(),
            }),
            1 => StmtKind::Emit(self.payload(false)),
            2 => StmtKind::While(While { cond: self.cond(), bounds: self.bounds(), body: self.block() }),
            3 => {
                let iter = if self.flip() {
                    ForIter::Value(self.expr())
                } else {
                    ForIter::Range { start: self.expr(), end: self.expr(), inclusive: self.flip() }
                };
                StmtKind::For(For {
                    pattern: self.pattern(),
                    iter,
                    bounds: self.bounds(),
                    body: self.block(),
                })
            }
            _ => StmtKind::Expr(self.expr()),
        };
        Stmt { kind, span: SPAN }
    }

    fn bounds(&mut self) -> Vec<LoopBound> {
        self.list(0, 2, |g| LoopBound {
            kind: g.pick(&[LoopBoundKind::Gas, LoopBoundKind::Max]),
            value: g.expr(),
            span: SPAN,
        })
    }

    fn cond(&mut self) -> Cond {
        if self.flip() {
            return Cond::Let { pattern: self.pattern(), value: self.expr(), span: SPAN };
        }
        loop {
            let expr = self.expr();
            if !matches!(expr.kind, ExprKind::Assign { .. }) {
                return Cond::Expr(expr);
            }
        }
    }

    fn payload(&mut self, may_be_bare: bool) -> Payload {
        let args = match self.below(if may_be_bare { 3 } else { 2 }) {
            0 => PayloadArgs::Positional(self.list(0, 3, Self::expr)),
            1 => PayloadArgs::Named(self.fields()),
            _ => PayloadArgs::None,
        };
        Payload { path: self.path(), args, span: SPAN }
    }

    fn fields(&mut self) -> Vec<FieldInit> {
        self.list(0, 3, |g| FieldInit { name: g.ident(), value: g.maybe(Self::expr), span: SPAN })
    }

    fn options(&mut self) -> Vec<CallOption> {
        self.list(0, 2, |g| CallOption {
            kind: g.pick(&[CallOptionKind::Value, CallOptionKind::Gas, CallOptionKind::Salt]),
            value: g.expr(),
            span: SPAN,
        })
    }

    fn boxed(&mut self) -> Box<Expr> {
        Box::new(self.expr())
    }

    fn expr(&mut self) -> Expr {
        let leaf = self.spend();
        let kind = match if leaf { self.below(3) } else { self.below(26) } {
            0 => ExprKind::Literal(self.literal()),
            1 => match self.below(5) {
                0 => ExprKind::State,
                1 => ExprKind::Transient,
                2 => ExprKind::Break,
                3 => ExprKind::Continue,
                _ => ExprKind::SelfValue,
            },
            2 | 3 => ExprKind::Path(self.path()),
            4 => ExprKind::Tuple(self.list(0, 3, Self::expr)),
            5 => ExprKind::Array(self.list(0, 3, Self::expr)),
            6 => ExprKind::Repeat { element: self.boxed(), length: self.boxed() },
            7 => ExprKind::Block(self.block()),
            8 | 9 => return self.if_expr(),
            10 => {
                ExprKind::Match(Box::new(Match { scrutinee: self.expr(), arms: self.list(0, 3, Self::arm) }))
            }
            11 => ExprKind::New {
                path: self.path(),
                options: self.options(),
                args: self.list(0, 2, Self::expr),
            },
            12 => ExprKind::StructLit { path: self.path(), fields: self.fields() },
            13 => ExprKind::Unary { op: self.unary_op(), op_span: SPAN, operand: self.boxed() },
            14..=16 => ExprKind::Binary {
                op: self.binary_op(),
                op_span: SPAN,
                left: self.boxed(),
                right: self.boxed(),
            },
            17 => {
                let op = self.maybe(Self::assign_op);
                ExprKind::Assign { op, op_span: SPAN, place: self.boxed(), value: self.boxed() }
            }
            18 => ExprKind::Cast { value: self.boxed(), wrapping: self.flip(), ty: self.cast_type() },
            19 => ExprKind::Field { base: self.boxed(), name: self.ident() },
            20 => ExprKind::TupleField { base: self.boxed(), index: self.int() },
            21 => ExprKind::Index { base: self.boxed(), index: self.boxed() },
            22 => ExprKind::Call {
                callee: self.boxed(),
                options: self.options(),
                args: self.list(0, 3, Self::expr),
            },
            23 => ExprKind::Question(self.boxed()),
            24 => ExprKind::Return(self.maybe(Self::boxed)),
            _ => ExprKind::Revert(self.maybe(|g| g.payload(true))),
        };
        Expr { kind, span: SPAN }
    }

    fn if_expr(&mut self) -> Expr {
        let (cond, then) = (self.cond(), self.block());
        let otherwise = self.maybe(|g| match g.below(3) {
            0 if g.budget > 0 => g.if_expr(),
            _ => Expr { kind: ExprKind::Block(g.block()), span: SPAN },
        });
        Expr { kind: ExprKind::If(Box::new(If { cond, then, otherwise })), span: SPAN }
    }

    fn arm(&mut self) -> Arm {
        let guard = match self.maybe(Self::cond) {
            Some(Cond::Expr(guard)) => Some(guard),
            _ => None,
        };
        Arm { pattern: self.pattern(), guard, body: self.expr(), span: SPAN }
    }

    fn unary_op(&mut self) -> UnaryOp {
        use UnaryOp::*;
        self.pick(&[Neg, Not, BitNot, Ref, RefMut, Deref, Try])
    }

    fn binary_op(&mut self) -> BinaryOp {
        use BinaryOp::*;
        self.pick(&[
            Or, And, Eq, Ne, Lt, Le, Gt, Ge, BitOr, BitXor, BitAnd, Shl, Shr, Add, Sub, AddWrap, SubWrap,
            AddSat, SubSat, Mul, Div, Rem, MulWrap, MulSat, Pow,
        ])
    }

    fn assign_op(&mut self) -> BinaryOp {
        use BinaryOp::*;
        self.pick(&[
            BitOr, BitXor, BitAnd, Shl, Shr, Add, Sub, AddWrap, SubWrap, AddSat, SubSat, Mul, Div, Rem,
            MulWrap, MulSat,
        ])
    }
}
