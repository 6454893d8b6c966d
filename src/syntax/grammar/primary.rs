//! Primary expressions: literals, paths, groups, `if`, `match`, `new` and jumps.

use super::Grammar;
use super::exprs::{self, Exprs, Place, args, call_options, field_inits, int_lit, payload, str_lit};
use super::types::path;
use crate::diag::{Code, Diagnostic};
use crate::syntax::ast::{Arm, Cond, Expr, ExprKind, If, Literal, LiteralKind, Match, Path};
use crate::syntax::literals;
use crate::syntax::parser::{
    Cursor, Parsed, Rule, StartOf, at_keyword_value, bump, comma_list, eat, expect, hint, keyword_as_value,
    recovered, report, report_expected, rule, run, skip_arm, text, unexpected,
};
use crate::syntax::token::{Expected, Part, T, Token};

/// `Primary`
pub(super) fn primary(x: &Exprs, input: &mut Cursor<'_>) -> Parsed<Expr> {
    let start = StartOf::here(input);
    let Some(token) = input.peek() else { return Err(unexpected(input, Expected::part(Part::Expression))) };
    let kind = match token {
        Token::Int | Token::Str | Token::Bytes | T![true] | T![false] => ExprKind::Literal(literal(input)?),
        T![if] => return run(input, &x.g.if_expr),
        T![match] => return run(input, &x.match_expr),
        T!['{'] => ExprKind::Block(run(input, &x.g.block)?),
        T![new] => {
            input.skip();
            let path = path(input)?;
            let options = if exprs::at_call_options(input) { call_options(&x.g, input)? } else { Vec::new() };
            ExprKind::New { path, options, args: args(&x.g, input)? }
        }
        T![return] => {
            input.skip();
            let rule = if x.place == Place::Head { &x.g.head } else { &x.g.expr };
            // No block begins like call options do.
            let has_value = starts_expr(input.peek(), x.place) && !exprs::at_call_options(input);
            let value = if has_value { Some(Box::new(run(input, rule)?)) } else { None };
            ExprKind::Return(value)
        }
        T![break] => {
            input.skip();
            ExprKind::Break
        }
        T![continue] => {
            input.skip();
            ExprKind::Continue
        }
        T![revert] => {
            input.skip();
            let has_payload = matches!(input.peek(), Some(Token::Ident | Token::Reserved));
            if !has_payload {
                hint(input, Expected::token(Token::Ident));
            }
            ExprKind::Revert(if has_payload { Some(payload(&x.g, input, x.place)?) } else { None })
        }
        Token::Ident | Token::Reserved => {
            let path = path(input)?;
            if x.place == Place::Plain && input.peek() == Some(T!['{']) {
                ExprKind::StructLit { path, fields: field_inits(&x.g, input)? }
            } else {
                ExprKind::Path(path)
            }
        }
        T![self] => {
            input.skip();
            ExprKind::SelfValue
        }
        T![state] => {
            input.skip();
            ExprKind::State
        }
        T![transient] => {
            input.skip();
            ExprKind::Transient
        }
        T!['('] => return group(x, input),
        T!['['] => array(x, input)?,
        _ if at_keyword_value(input) => match keyword_as_value(input, Expected::part(Part::Expression)) {
            Some(name) => ExprKind::Path(Path { span: name.span, segments: vec![name] }),
            None => ExprKind::Error,
        },
        _ => return Err(unexpected(input, Expected::part(Part::Expression))),
    };
    Ok(Expr { kind, span: start.span(input) })
}

/// `"(" [ Expr { "," Expr } [ "," ] ] ")"`; the parentheses around one expression are not kept.
fn group(x: &Exprs, input: &mut Cursor<'_>) -> Parsed<Expr> {
    let start = StartOf::here(input);
    expect(input, T!['('])?;
    let (mut exprs, trailing) = comma_list(input, T![')'], |input| run(input, &x.g.expr))?;
    let kind = if exprs.len() == 1 && !trailing { exprs.remove(0).kind } else { ExprKind::Tuple(exprs) };
    Ok(Expr { kind, span: start.span(input) })
}

/// `"[" Expr ";" Expr "]"`, or a list.
fn array(x: &Exprs, input: &mut Cursor<'_>) -> Parsed<ExprKind> {
    expect(input, T!['['])?;
    if eat(input, T![']']).is_some() {
        return Ok(ExprKind::Array(Vec::new()));
    }
    let first = run(input, &x.g.expr)?;
    if eat(input, T![;]).is_some() {
        let length = Box::new(run(input, &x.g.expr)?);
        expect(input, T![']'])?;
        return Ok(ExprKind::Repeat { element: Box::new(first), length });
    }
    let mut elements = vec![first];
    if eat(input, T![,]).is_some() {
        elements.extend(comma_list(input, T![']'], |input| run(input, &x.g.expr))?.0);
    } else {
        expect(input, T![']'])?;
    }
    Ok(ExprKind::Array(elements))
}

/// Whether a token can begin an expression, so that `return` has a value.
fn starts_expr(token: Option<Token>, place: Place) -> bool {
    match token {
        Some(T!['{']) => place == Place::Plain,
        Some(
            Token::Int
            | Token::Str
            | Token::Bytes
            | Token::Ident
            | Token::Reserved
            | T![true]
            | T![false]
            | T![if]
            | T![match]
            | T![new]
            | T![return]
            | T![break]
            | T![continue]
            | T![revert]
            | T![self]
            | T![state]
            | T![transient]
            | T!['(']
            | T!['[']
            | T![-]
            | T![!]
            | T![not]
            | T![~]
            | T![&]
            | T![*]
            | T![try],
        ) => true,
        _ => false,
    }
}

/// `Literal`
pub(super) fn literal(input: &mut Cursor<'_>) -> Parsed<Literal> {
    let start = StartOf::here(input);
    let kind = match input.peek() {
        Some(Token::Int) => LiteralKind::Int(int_lit(input)?),
        Some(Token::Str) => LiteralKind::Str(str_lit(input)?),
        Some(Token::Bytes) => {
            let span = bump(input);
            LiteralKind::Bytes(literals::bytes(text(input, span), span.start, &mut |_| {}).into())
        }
        Some(token @ (T![true] | T![false])) => {
            input.skip();
            LiteralKind::Bool(token == T![true])
        }
        _ => {
            let numbers = Expected::token(Token::Int).and(Expected::token(Token::Str));
            let bools = Expected::token(T![true]).and(Expected::token(T![false]));
            return Err(unexpected(input, numbers.and(Expected::token(Token::Bytes)).and(bools)));
        }
    };
    Ok(Literal { kind, span: start.span(input) })
}

/// `If`
pub(super) fn if_expr(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Expr> {
    let start = StartOf::here(input);
    expect(input, T![if])?;
    let cond = cond(g, input)?;
    let then = run(input, &g.block)?;
    let otherwise = match eat(input, T![else]) {
        None => None,
        Some(_) if input.peek() == Some(T![if]) => Some(run(input, &g.if_expr)?),
        Some(_) => {
            hint(input, Expected::token(T![if]));
            let block = run(input, &g.block)?;
            Some(Expr { span: block.span, kind: ExprKind::Block(block) })
        }
    };
    Ok(Expr { kind: ExprKind::If(Box::new(If { cond, then, otherwise })), span: start.span(input) })
}

/// `Cond`
pub(super) fn cond(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Cond> {
    let start = StartOf::here(input);
    if eat(input, T![let]).is_some() {
        let pattern = run(input, &g.pattern)?;
        expect(input, T![=])?;
        let value = run(input, &g.head)?;
        return Ok(Cond::Let { pattern, value, span: start.span(input) });
    }
    let expr = run(input, &g.head)?;
    refuse_assignment(input, &expr);
    Ok(Cond::Expr(expr))
}

fn refuse_assignment(input: &mut Cursor<'_>, condition: &Expr) {
    if let ExprKind::Assign { op, op_span, .. } = &condition.kind {
        let mut diagnostic = Diagnostic::new(Code::AssignmentAsCondition, *op_span);
        if op.is_none() {
            diagnostic.fix(*op_span, "==", "compare with `==`");
        }
        report(input, diagnostic);
    }
}

/// `Match`
pub(super) fn match_expr(g: &Grammar) -> Rule<Expr> {
    let for_arm = g.clone();
    let arm = recovered(rule(move |input| arm(&for_arm, input).map(Some)), |input| {
        skip_arm(input);
        Ok(None)
    });
    let g = g.clone();
    rule(move |input| {
        let start = StartOf::here(input);
        expect(input, T![match])?;
        let scrutinee = run(input, &g.head)?;
        expect(input, T!['{'])?;
        let mut arms = Vec::new();
        while eat(input, T!['}']).is_none() {
            if input.peek().is_none() {
                report_expected(input, Expected::token(T!['}']));
                break;
            }
            arms.extend(run(input, &arm)?);
        }
        Ok(Expr { kind: ExprKind::Match(Box::new(Match { scrutinee, arms })), span: start.span(input) })
    })
}

/// `Arm`
fn arm(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Arm> {
    let start = StartOf::here(input);
    let pattern = run(input, &g.pattern)?;
    let guard = match eat(input, T![if]) {
        Some(_) => Some(run(input, &g.expr)?),
        None => None,
    };
    if let Some(guard) = &guard {
        refuse_assignment(input, guard);
    }
    expect(input, T![=>])?;
    let body = if input.peek() == Some(T!['{']) {
        let block = run(input, &g.block)?;
        eat(input, T![,]);
        Expr { span: block.span, kind: ExprKind::Block(block) }
    } else {
        let body = run(input, &g.expr)?;
        // At the end of the text the match reports what is missing.
        if eat(input, T![,]).is_none() && !matches!(input.peek(), None | Some(T!['}'])) {
            return Err(unexpected(input, Expected::token(T![,]).and(Expected::token(T!['}']))));
        }
        body
    };
    let span = start.span(input);
    Ok(Arm { pattern, guard, body, span })
}
