//! Expressions, conditions, internal calls.

use zvm::outcome::panic_code;

use super::function::Lower;
use super::values;
use crate::ir::{BlockId, Imm, Op, Value};
use crate::sema::typed::{Block, CompareOp, Env, Expr, ExprKind, FuncId, Query, UnaryOp};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

impl Lower<'_, '_> {
    /// The words of an expression.
    pub(super) fn value(&mut self, expr: &Expr) -> Vec<Value> {
        self.value_as(expr, expr.ty)
    }

    /// The words of an expression where a value of type `ty` is expected: of `ty`, or of `!`.
    pub(super) fn value_as(&mut self, expr: &Expr, ty: TypeId) -> Vec<Value> {
        let outer = self.b.span();
        self.b.set_span(expr.span);
        let words = self.lower_expr(expr);
        let count = self.words(ty, expr.span);
        if words.len() != count && expr.ty != TypeId::NEVER && !self.cx.diags.has_errors() {
            self.cx.internal(expr.span, format_args!("{} words instead of {count}", words.len()));
        }
        let words = self.fit(words, count);
        self.b.set_span(outer);
        words
    }

    /// The word of an expression of a one-word type.
    pub(super) fn word(&mut self, expr: &Expr) -> Value {
        self.word_as(expr, expr.ty)
    }

    /// The word of an expression where a value of the one-word type `ty` is expected.
    pub(super) fn word_as(&mut self, expr: &Expr, ty: TypeId) -> Value {
        let words = self.value_as(expr, ty);
        self.fit(words, 1)[0]
    }

    fn lower_expr(&mut self, expr: &Expr) -> Vec<Value> {
        match &expr.kind {
            ExprKind::Const(word) => vec![self.b.iconst(*word)],
            ExprKind::Unit => Vec::new(),
            ExprKind::Load(place) => {
                let place = self.place(place);
                self.load(&place)
            }
            ExprKind::Tuple(elements) => self.tuple(elements, expr.ty),
            ExprKind::TupleField { tuple, index } => {
                let words = self.value(tuple);
                let (start, count) = self.tuple_field(tuple.ty, *index, tuple.span);
                words.get(start..start + count).map(<[Value]>::to_vec).unwrap_or_default()
            }
            ExprKind::Unary { op, operand } => {
                let word = self.word(operand);
                vec![self.unary(*op, expr.ty, word)]
            }
            ExprKind::Binary { op, left, right } => {
                let left = self.word_as(left, expr.ty);
                let right = self.word(right);
                vec![self.binary(*op, expr.ty, left, right, expr.span)]
            }
            ExprKind::Compare { op, left, right } => {
                let ty = if left.ty == TypeId::NEVER { right.ty } else { left.ty };
                let left = self.value_as(left, ty);
                let right = self.value_as(right, ty);
                vec![self.compare(*op, ty, &left, &right)]
            }
            ExprKind::Logic { and, left, right } => vec![self.logic(*and, left, right)],
            ExprKind::Cast { kind, operand } => {
                let word = self.word(operand);
                vec![self.cast(*kind, word)]
            }
            ExprKind::Env(env) => vec![self.env(*env)],
            ExprKind::Query { query, operand } => {
                let word = self.word(operand);
                let op = match query {
                    Query::Balance => Op::Balance,
                    Query::CodeSize => Op::Extcodesize,
                    Query::CodeHash => Op::Extcodehash,
                    Query::BlockHash => Op::Blockhash,
                };
                vec![self.b.unary(op, word)]
            }
            ExprKind::Borrow { .. } => {
                self.cx.internal(expr.span, "a reference that is no argument");
                Vec::new()
            }
            ExprKind::Call { function, args } => self.call_result(*function, args, expr.span),
            ExprKind::Modulo { multiply, operands } => {
                let words: Vec<Value> =
                    operands.iter().map(|operand| self.word_as(operand, TypeId::U256)).collect();
                vec![self.b.ins(if *multiply { Op::Mulmod } else { Op::Addmod }, Imm::None, &words)]
            }
            ExprKind::New(creation) => self.create(creation, expr.ty, expr.span),
            ExprKind::InitHash { contract, args } => self.init_hash(*contract, args, expr.span),
            ExprKind::Create2Address(operands) => self.create2_address(operands),
            ExprKind::External(call) => self.external_call(call, expr.ty, expr.span),
            ExprKind::RawCall(call) => self.raw_call(call, expr.ty, expr.span),
            ExprKind::If { cond, then, otherwise } => {
                self.if_value(cond, then, otherwise.as_deref(), expr.ty)
            }
            ExprKind::Block(block) => self.block(block, expr.ty),
            ExprKind::Assign { target, value } => self.assign(target, value),
            ExprKind::Bytes(bytes) => vec![self.constant_bytes(bytes)],
            ExprKind::Struct(fields) => self.struct_value(fields, expr.ty),
            ExprKind::Array(elements) => vec![self.array_value(elements, expr.ty, expr.span)],
            ExprKind::Repeat { element, length } => vec![self.repeated(element, *length, expr.ty)],
            ExprKind::Data { op, args } => self.data_op(*op, args, expr.ty, expr.span),
            ExprKind::AtPlace { op, place, args } => self.place_op(*op, place, args, expr.span),
            ExprKind::AssignOp { op, place, value } => vec![self.assign_op(*op, place, value, expr.span)],
            ExprKind::Variant { tag, args } => self.variant_value(*tag, args, expr.ty, expr.span),
            ExprKind::Match(matched) => self.match_value(matched, expr.ty, expr.span),
            ExprKind::Matches { subject, pattern } => vec![self.matches(subject, pattern)],
            ExprKind::Ok(value) => self.ok(value, expr.ty),
            ExprKind::Err(error) => self.err(error, expr.ty),
            ExprKind::Error { error, args } => self.error_value(*error, args),
            ExprKind::IntoAnyError(error) => {
                if let ExprKind::Error { error, args } = &error.kind {
                    return vec![self.any_error_of(*error, args)];
                }
                let words = self.value(error);
                vec![self.any_error(error.ty, &words, error.span)]
            }
            ExprKind::Try(operand) => self.question(operand),
            ExprKind::Return(value) => {
                match value {
                    Some(value) => self.leave_with(value),
                    None => self.leave(&[]),
                }
                Vec::new()
            }
            ExprKind::Break | ExprKind::Continue => {
                match self.innermost_loop() {
                    Some(targets) if matches!(expr.kind, ExprKind::Break) => self.b.jump(targets.break_to),
                    Some(targets) => self.b.jump(targets.continue_to),
                    None => self.cx.internal(expr.span, "`break` or `continue` outside a loop"),
                }
                Vec::new()
            }
            ExprKind::Revert(revert) => {
                self.revert(revert);
                Vec::new()
            }
            ExprKind::Require { cond, failure } => {
                self.require(cond, failure);
                Vec::new()
            }
            ExprKind::Assert(cond) => {
                let holds = self.word(cond);
                self.b.assert(holds, panic_code::ASSERTION);
                Vec::new()
            }
            ExprKind::Hole => {
                self.cx.internal(expr.span, "a reported mistake reached lowering");
                Vec::new()
            }
        }
    }

    fn tuple(&mut self, elements: &[Expr], ty: TypeId) -> Vec<Value> {
        let program = self.cx.program;
        let types: &[TypeId] = match program.types.get(ty) {
            Type::Tuple(types) => types,
            _ => &[],
        };
        let mut words = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let ty = types.get(index).copied().unwrap_or(element.ty);
            words.extend(self.value_as(element, ty));
        }
        words
    }

    /// Where the words of element `index` stand among those of a tuple: the first, and how many.
    pub(super) fn tuple_field(
        &mut self,
        ty: TypeId,
        index: u32,
        span: crate::source::Span,
    ) -> (usize, usize) {
        let Some(elements) = values::field_types(&self.cx.program.types, ty) else { return (0, 0) };
        let before = &elements[..(index as usize).min(elements.len())];
        let start = before.iter().map(|&element| self.words(element, span)).sum();
        let count = elements.get(index as usize).map_or(0, |&element| self.words(element, span));
        (start, count)
    }

    fn logic(&mut self, and: bool, left: &Expr, right: &Expr) -> Value {
        let result = self.b.declare_var();
        let left = self.word_as(left, TypeId::BOOL);
        self.b.def_var(result, left);
        let (more, join) = (self.b.create_block(), self.b.create_block());
        if and {
            self.b.br(left, more, join);
        } else {
            self.b.br(left, join, more);
        }
        self.b.seal_block(more);
        self.b.switch_to(more);
        let right = self.word_as(right, TypeId::BOOL);
        self.b.def_var(result, right);
        self.b.jump(join);
        self.b.seal_block(join);
        self.b.switch_to(join);
        self.b.use_var(result)
    }

    /// Evaluates a condition by jumping: to `then` if it holds, else to `otherwise`.
    pub(super) fn condition(&mut self, cond: &Expr, then: BlockId, otherwise: BlockId) {
        let outer = self.b.span();
        self.b.set_span(cond.span);
        match &cond.kind {
            ExprKind::Const(word) => self.b.jump(if word.is_zero() { otherwise } else { then }),
            ExprKind::Unary { op: UnaryOp::Not, operand } => self.condition(operand, otherwise, then),
            ExprKind::Logic { and, left, right } => {
                let more = self.b.create_block();
                if *and {
                    self.condition(left, more, otherwise);
                } else {
                    self.condition(left, then, more);
                }
                self.b.seal_block(more);
                self.b.switch_to(more);
                self.condition(right, then, otherwise);
            }
            ExprKind::Compare { op, left, right } if let Some(opposite) = opposite(*op) => {
                let ty = if left.ty == TypeId::NEVER { right.ty } else { left.ty };
                let left = self.value_as(left, ty);
                let right = self.value_as(right, ty);
                let fails = self.compare(opposite, ty, &left, &right);
                self.b.br(fails, otherwise, then);
            }
            ExprKind::Matches { subject, pattern } => {
                let subject = self.subject(subject, false);
                self.test(pattern, &subject, Some(otherwise));
                self.b.jump(then);
            }
            ExprKind::Block(block) if block.ty == TypeId::BOOL => match self.statements(block) {
                Some(value) => self.condition(value, then, otherwise),
                None => self.b.jump(otherwise),
            },
            _ => {
                let holds = self.word_as(cond, TypeId::BOOL);
                self.b.br(holds, then, otherwise);
            }
        }
        self.b.set_span(outer);
    }

    fn if_value(&mut self, cond: &Expr, then: &Block, otherwise: Option<&Block>, ty: TypeId) -> Vec<Value> {
        let (yes, join) = (self.b.create_block(), self.b.create_block());
        let no = if otherwise.is_some() { self.b.create_block() } else { join };
        self.condition(cond, yes, no);
        let count = self.words(ty, cond.span);
        let results: Vec<_> = (0..count).map(|_| self.b.declare_var()).collect();
        for (block, source) in [(yes, Some(then)), (no, otherwise)] {
            let Some(source) = source else { continue };
            self.b.seal_block(block);
            self.b.switch_to(block);
            let words = self.block(source, ty);
            if self.b.is_open() {
                for (&variable, &word) in results.iter().zip(&words) {
                    self.b.def_var(variable, word);
                }
                self.b.jump(join);
            }
        }
        self.b.seal_block(join);
        self.b.switch_to(join);
        results.into_iter().map(|variable| self.b.use_var(variable)).collect()
    }

    /// The words of the result of an internal call.
    fn call_result(&mut self, function: FuncId, args: &[Expr], span: Span) -> Vec<Value> {
        let mut words = self.call(function, args, span);
        let result = self.cx.program.function(function).result;
        if self.cx.plan.reverts_directly(function)
            && let Some(..) = values::result_parts(&self.cx.program.types, result)
        {
            // Reaching this point means `Ok`; the plan found that nobody looks, so only a returned value comes here.
            let tag = self.zero();
            words.insert(0, tag);
            let count = self.words(result, self.b.span());
            return self.fit(words, count);
        }
        words
    }

    fn env(&mut self, env: Env) -> Value {
        let op = match env {
            Env::MsgSender => Op::Caller,
            Env::MsgValue => Op::Callvalue,
            Env::MsgData => return self.calldata_bytes(),
            Env::MsgSig => return self.message_selector(),
            Env::TxOrigin => Op::Origin,
            Env::TxGasPrice => Op::Gasprice,
            Env::BlockTimestamp if self.cx.contract.is_test => Op::WarpedTimestamp,
            Env::BlockTimestamp => Op::Timestamp,
            Env::BlockNumber if self.cx.contract.is_test => Op::RolledNumber,
            Env::BlockNumber => Op::Number,
            Env::BlockChainId => Op::Chainid,
            Env::BlockGasLimit => Op::Gaslimit,
            Env::BlockBaseFee => Op::Basefee,
            Env::BlockPrevRandao => Op::Prevrandao,
            Env::BlockCoinbase => Op::Coinbase,
            Env::SelfAddress => Op::Address,
            Env::SelfBalance => Op::Selfbalance,
            Env::GasLeft => Op::Gas,
            Env::HederaAccountId => Op::HederaAccountId,
            Env::HederaTimestamp => Op::HederaTimestamp,
        };
        self.b.nullary(op)
    }
}

/// The comparison that holds exactly when `op` does not, if it is the one that needs fewer operations.
fn opposite(op: CompareOp) -> Option<CompareOp> {
    match op {
        CompareOp::Ne => Some(CompareOp::Eq),
        CompareOp::Le => Some(CompareOp::Gt),
        CompareOp::Ge => Some(CompareOp::Lt),
        CompareOp::Eq | CompareOp::Lt | CompareOp::Gt => None,
    }
}
