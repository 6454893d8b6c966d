//! Expressions: from assignment, which binds least, down to primary expressions.

use std::rc::Rc;
use std::sync::Arc;

use super::types::{cast_type, path};
use super::{Grammar, primary};
use crate::source::Span;
use crate::syntax::ast::{
    BinaryOp, CallOption, CallOptionKind, Expr, ExprKind, FieldInit, IntLit, Payload, PayloadArgs, UnaryOp,
};
use crate::syntax::literals;
use crate::syntax::parser::{
    Cursor, Parsed, StartOf, at_word, bump, comma_list, eat, expect, expect_ident, grow, hint, nested,
    peek_span, peek3, report, run, strict_list, text, unexpected,
};
use crate::syntax::token::{Expected, T, Token};

use crate::diag::{Code, Diagnostic};

const WHAT: &str = "expression";

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere else.
    Plain,
    /// Before a block, as in `if e {`: a struct literal is not tried.
    Head,
}

/// The grammar and the place for which its expression rules are built.
pub(super) struct Exprs {
    pub(super) g: Grammar,
    pub(super) place: Place,
    pub(super) match_expr: crate::syntax::parser::Rule<Expr>,
}

pub(super) fn define(grammar: &mut Grammar) {
    let match_expr = primary::match_expr(grammar);
    for place in [Place::Plain, Place::Head] {
        let x = Rc::new(Exprs { g: grammar.clone(), place, match_expr: match_expr.clone() });
        let (expr, prefixed) = match place {
            Place::Plain => (&mut grammar.expr, &mut grammar.unary.plain),
            Place::Head => (&mut grammar.head, &mut grammar.unary.head),
        };
        let (for_expr, for_unary) = (x.clone(), x);
        expr.define(nested(WHAT, move |input| assignment(&for_expr, input, None)));
        prefixed.define(nested(WHAT, move |input| unary(&for_unary, input, None)));
    }
    let g = grammar.clone();
    grammar.if_expr.define(nested("`else if` chain", move |input| primary::if_expr(&g, input)));
}

/// `Expr`. With `first`, a primary expression that was already parsed begins it.
pub(super) fn assignment(x: &Exprs, input: &mut Cursor<'_>, first: Option<Expr>) -> Parsed<Expr> {
    let start = first.as_ref().map_or_else(|| StartOf::here(input), |first| StartOf::at(first.span));
    let place = binary(x, input, first, 1)?;
    let Some((Infix::Assign(op), tokens)) = peek_infix(input) else { return Ok(place) };
    let op_span = take(input, tokens);
    let rule = if x.place == Place::Head { &x.g.head } else { &x.g.expr };
    let value = Box::new(run(input, rule)?);
    let kind = ExprKind::Assign { op, op_span, place: Box::new(place), value };
    Ok(Expr { kind, span: start.span(input) })
}

/// `Or` down to `Product`, by how tightly the operators bind.
fn binary(x: &Exprs, input: &mut Cursor<'_>, first: Option<Expr>, min: u8) -> Parsed<Expr> {
    let start = first.as_ref().map_or_else(|| StartOf::here(input), |first| StartOf::at(first.span));
    let mut left = cast(x, input, first)?;
    let (mut previous, mut is_chain) = (None, false);
    while let Some((Infix::Binary(op), tokens)) = peek_infix(input) {
        if op.precedence() < min {
            break;
        }
        let op_span = take(input, tokens);
        if op.is_comparison() && previous == Some(op.precedence()) {
            report(input, Diagnostic::new(Code::ChainedComparison, op_span));
            is_chain = true;
        }
        previous = Some(op.precedence());
        let right = Box::new(binary(x, input, None, op.precedence() + 1)?);
        grow(input, WHAT)?;
        let kind = ExprKind::Binary { op, op_span, left: Box::new(left), right };
        left = Expr { kind, span: start.span(input) };
    }
    if is_chain {
        // What its types would be says nothing.
        left.kind = ExprKind::Error;
    }
    Ok(left)
}

/// `Cast`
fn cast(x: &Exprs, input: &mut Cursor<'_>, first: Option<Expr>) -> Parsed<Expr> {
    let start = first.as_ref().map_or_else(|| StartOf::here(input), |first| StartOf::at(first.span));
    let mut value = unary(x, input, first)?;
    while let Some(token @ (T![as] | T![as%])) = input.peek() {
        input.skip();
        let ty = cast_type(input)?;
        grow(input, WHAT)?;
        let kind = ExprKind::Cast { value: Box::new(value), wrapping: token == T![as%], ty };
        value = Expr { kind, span: start.span(input) };
    }
    Ok(value)
}

/// `Unary`: the prefix operators are collected first, so that a row of them takes no stack.
fn unary(x: &Exprs, input: &mut Cursor<'_>, first: Option<Expr>) -> Parsed<Expr> {
    if first.is_some() {
        return power(x, input, first);
    }
    let mut prefixes = Vec::new();
    while let Some(op) = input.peek().and_then(prefix) {
        let mut op_span = bump(input);
        let mutable = if op == UnaryOp::Ref { eat(input, T![mut]) } else { None };
        let op = mutable.map_or(op, |span| {
            op_span = op_span.to(span);
            UnaryOp::RefMut
        });
        grow(input, WHAT)?;
        prefixes.push((op, op_span));
    }
    let mut operand = power(x, input, None)?;
    for (op, op_span) in prefixes.into_iter().rev() {
        let span = op_span.to(operand.span);
        operand = Expr { kind: ExprKind::Unary { op, op_span, operand: Box::new(operand) }, span };
    }
    Ok(operand)
}

fn prefix(token: Token) -> Option<UnaryOp> {
    Some(match token {
        T![-] => UnaryOp::Neg,
        T![!] | T![not] => UnaryOp::Not,
        T![~] => UnaryOp::BitNot,
        T![&] => UnaryOp::Ref,
        T![*] => UnaryOp::Deref,
        T![try] => UnaryOp::Try,
        _ => return None,
    })
}

/// `Power`
fn power(x: &Exprs, input: &mut Cursor<'_>, first: Option<Expr>) -> Parsed<Expr> {
    let start = first.as_ref().map_or_else(|| StartOf::here(input), |first| StartOf::at(first.span));
    let base = postfix(x, input, first)?;
    if input.peek() != Some(T![**]) {
        return Ok(base);
    }
    let op_span = bump(input);
    let exponent = if x.place == Place::Head { &x.g.unary.head } else { &x.g.unary.plain };
    let right = Box::new(run(input, exponent)?);
    let kind = ExprKind::Binary { op: BinaryOp::Pow, op_span, left: Box::new(base), right };
    Ok(Expr { kind, span: start.span(input) })
}

/// `Postfix`
fn postfix(x: &Exprs, input: &mut Cursor<'_>, first: Option<Expr>) -> Parsed<Expr> {
    let start = first.as_ref().map_or_else(|| StartOf::here(input), |first| StartOf::at(first.span));
    let mut base = match first {
        Some(first) => first,
        None => primary::primary(x, input)?,
    };
    loop {
        let kind = match input.peek() {
            Some(T![.]) => {
                input.skip();
                if input.peek() == Some(Token::Int) {
                    ExprKind::TupleField { base: Box::new(base), index: int_lit(input)? }
                } else {
                    ExprKind::Field { base: Box::new(base), name: expect_ident(input)? }
                }
            }
            Some(T!['[']) if !at_loop_annotation(input) => {
                input.skip();
                let index = Box::new(run(input, &x.g.expr)?);
                expect(input, T![']'])?;
                ExprKind::Index { base: Box::new(base), index }
            }
            Some(T!['(']) => {
                let args = args(&x.g, input)?;
                ExprKind::Call { callee: Box::new(base), options: Vec::new(), args }
            }
            Some(T!['{']) if at_call_options(input) => {
                let options = call_options(&x.g, input)?;
                let args = args(&x.g, input)?;
                ExprKind::Call { callee: Box::new(base), options, args }
            }
            Some(T![?]) => {
                input.skip();
                ExprKind::Question(Box::new(base))
            }
            _ => return Ok(base),
        };
        grow(input, WHAT)?;
        base = Expr { kind, span: start.span(input) };
    }
}

/// Whether `[` begins `[gas: N]` or `[max: N]` and not an index.
pub(super) fn at_loop_annotation(input: &mut Cursor<'_>) -> bool {
    at_labelled(input, T!['['], &["gas", "max"])
}

/// Whether `{` begins `{value: v}`, `{gas: g}` or `{salt: s}` and not a block.
pub(super) fn at_call_options(input: &mut Cursor<'_>) -> bool {
    at_labelled(input, T!['{'], &["value", "gas", "salt"])
}

fn at_labelled(input: &mut Cursor<'_>, open: Token, words: &[&str]) -> bool {
    if peek3(input) != [Some(open), Some(Token::Ident), Some(T![:])] {
        return false;
    }
    let here = input.save();
    input.skip();
    let found = at_word(input, words);
    input.rewind(here);
    found
}

/// `CallOpts`
pub(super) fn call_options(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Vec<CallOption>> {
    expect(input, T!['{'])?;
    strict_list(input, T!['}'], |input| {
        let start = StartOf::here(input);
        let word = peek_span(input);
        let kind = match text(input, word) {
            "value" => CallOptionKind::Value,
            "gas" => CallOptionKind::Gas,
            "salt" => CallOptionKind::Salt,
            _ => {
                let mut diagnostic = Diagnostic::new(Code::UnexpectedToken, word);
                let found = format!("`{}`", text(input, word));
                diagnostic.arg("tok", found).arg("set", "`value`, `gas` or `salt`");
                return Err(crate::syntax::parser::ParseError::other(diagnostic));
            }
        };
        input.skip();
        expect(input, T![:])?;
        let value = run(input, &g.expr)?;
        Ok(CallOption { kind, value, span: start.span(input) })
    })
}

/// `Args`
pub(super) fn args(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Vec<Expr>> {
    expect(input, T!['('])?;
    Ok(comma_list(input, T![')'], |input| run(input, &g.expr))?.0)
}

/// `"{" [ FieldInit { "," FieldInit } [ "," ] ] "}"`
pub(super) fn field_inits(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Vec<FieldInit>> {
    expect(input, T!['{'])?;
    let (fields, _) = comma_list(input, T!['}'], |input| {
        let name = expect_ident(input)?;
        let value = match eat(input, T![:]) {
            Some(_) => Some(run(input, &g.expr)?),
            None => None,
        };
        let span = value.as_ref().map_or(name.span, |value| name.span.to(value.span));
        Ok(FieldInit { name, value, span })
    })?;
    Ok(fields)
}

/// What follows `emit` and `revert`: `Path [ Args | "{" … "}" ]`. Before a block, braces are not tried.
pub(super) fn payload(g: &Grammar, input: &mut Cursor<'_>, place: Place) -> Parsed<Payload> {
    let start = StartOf::here(input);
    let path = path(input)?;
    let args = match input.peek() {
        Some(T!['(']) => PayloadArgs::Positional(args(g, input)?),
        Some(T!['{']) if place == Place::Plain => PayloadArgs::Named(field_inits(g, input)?),
        _ => {
            hint(input, Expected::token(T!['(']));
            PayloadArgs::None
        }
    };
    Ok(Payload { path, args, span: start.span(input) })
}

/// An operator between two expressions.
enum Infix {
    Binary(BinaryOp),
    Assign(Option<BinaryOp>),
}

/// The operator that comes next, and of how many tokens it is made.
fn peek_infix(input: &mut Cursor<'_>) -> Option<(Infix, usize)> {
    use BinaryOp::*;
    let infix = match input.peek()? {
        T![>] => return Some(peek_greater(input)),
        T![||] => Infix::Binary(Or),
        T![&&] => Infix::Binary(And),
        T![==] => Infix::Binary(Eq),
        T![!=] => Infix::Binary(Ne),
        T![<] => Infix::Binary(Lt),
        T![<=] => Infix::Binary(Le),
        T![|] => Infix::Binary(BitOr),
        T![^] => Infix::Binary(BitXor),
        T![&] => Infix::Binary(BitAnd),
        T![<<] => Infix::Binary(Shl),
        T![+] => Infix::Binary(Add),
        T![-] => Infix::Binary(Sub),
        T![+%] => Infix::Binary(AddWrap),
        T![-%] => Infix::Binary(SubWrap),
        T![+|] => Infix::Binary(AddSat),
        T![-|] => Infix::Binary(SubSat),
        T![*] => Infix::Binary(Mul),
        T![/] => Infix::Binary(Div),
        T![%] => Infix::Binary(Rem),
        T![*%] => Infix::Binary(MulWrap),
        T![*|] => Infix::Binary(MulSat),
        T![=] => Infix::Assign(None),
        T![+=] => Infix::Assign(Some(Add)),
        T![-=] => Infix::Assign(Some(Sub)),
        T![*=] => Infix::Assign(Some(Mul)),
        T![/=] => Infix::Assign(Some(Div)),
        T![%=] => Infix::Assign(Some(Rem)),
        T![&=] => Infix::Assign(Some(BitAnd)),
        T![|=] => Infix::Assign(Some(BitOr)),
        T![^=] => Infix::Assign(Some(BitXor)),
        T![<<=] => Infix::Assign(Some(Shl)),
        T![+%=] => Infix::Assign(Some(AddWrap)),
        T![-%=] => Infix::Assign(Some(SubWrap)),
        T![*%=] => Infix::Assign(Some(MulWrap)),
        T![+|=] => Infix::Assign(Some(AddSat)),
        T![-|=] => Infix::Assign(Some(SubSat)),
        T![*|=] => Infix::Assign(Some(MulSat)),
        _ => return None,
    };
    Some((infix, 1))
}

/// `>`, `>=`, `>>` and `>>=` are made of tokens without space between them.
fn peek_greater(input: &mut Cursor<'_>) -> (Infix, usize) {
    let here = input.save();
    let tokens =
        [input.peek().map(|token| (token, bump(input))), input.peek().map(|token| (token, bump(input)))];
    let third = (input.peek(), peek_span(input));
    input.rewind(here);
    let [Some((_, first)), Some((second, second_span))] = tokens else {
        return (Infix::Binary(BinaryOp::Gt), 1);
    };
    let third_follows = third.0 == Some(T![=]) && third.1.start == second_span.end;
    match second {
        _ if second_span.start != first.end => (Infix::Binary(BinaryOp::Gt), 1),
        T![>] if third_follows => (Infix::Assign(Some(BinaryOp::Shr)), 3),
        T![>] => (Infix::Binary(BinaryOp::Shr), 2),
        T![=] => (Infix::Binary(BinaryOp::Ge), 2),
        _ => (Infix::Binary(BinaryOp::Gt), 1),
    }
}

fn take(input: &mut Cursor<'_>, tokens: usize) -> Span {
    let mut span = bump(input);
    for _ in 1..tokens {
        span = span.to(bump(input));
    }
    span
}

/// `INT`
pub(super) fn int_lit(input: &mut Cursor<'_>) -> Parsed<IntLit> {
    let span = expect(input, Token::Int)?;
    let literal: Arc<str> = text(input, span).into();
    // The lexer reported what is wrong with it.
    let (value, suffix) = literals::int(&literal, span.start, &mut |_| {});
    Ok(IntLit { value, suffix, text: literal, span })
}

/// `STRING`
pub(super) fn str_lit(input: &mut Cursor<'_>) -> Parsed<Arc<str>> {
    if input.peek() != Some(Token::Str) {
        return Err(unexpected(input, Expected::token(Token::Str)));
    }
    let span = bump(input);
    Ok(literals::string(text(input, span), span.start, &mut |_| {}).into())
}
