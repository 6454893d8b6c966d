//! Blocks and statements.

use std::rc::Rc;

use super::exprs::{self, Exprs, Place, at_loop_annotation, payload};
use super::{Grammar, primary};
use crate::source::Span;
use crate::syntax::ast::{
    BindMode, Block, Expr, ExprKind, For, ForIter, Let, LoopBound, LoopBoundKind, PayloadArgs, Stmt,
    StmtKind, While,
};
use crate::syntax::parser::{
    Cursor, Parsed, Rule, StartOf, at_keyword_value, at_word, bump, eat, expect, expect_semi, hint, nested,
    recovered, report_expected, rule, run, skip_broken, strict_list, unexpected,
};
use crate::syntax::token::{Expected, T, Token};

/// What a block is made of.
#[expect(clippy::large_enum_variant, reason = "it is unpacked right after it is made")]
enum Entry {
    Stmt(Stmt),
    /// An expression right before the closing brace.
    Tail(Expr),
}

pub(super) fn define(grammar: &mut Grammar) {
    let entry = entry(grammar);
    grammar.block.define(nested("block", move |input| block(&entry, input)));
}

/// `Block`. One without its `}` is reported and ends where the file or the next item begins.
fn block(entry: &Rule<Entry>, input: &mut Cursor<'_>) -> Parsed<Block> {
    let start = StartOf::here(input);
    expect(input, T!['{'])?;
    let (mut stmts, mut tail) = (Vec::new(), None);
    loop {
        match input.peek() {
            Some(T!['}']) => {
                input.skip();
                break;
            }
            Some(Token::Doc | Token::InnerDoc) => {
                report_expected(input, Expected::token(T!['}']));
                input.skip();
                continue;
            }
            Some(token) if !starts_item(token) || at_keyword_value(input) => {}
            _ => {
                report_expected(input, Expected::token(T!['}']));
                break;
            }
        }
        match run(input, entry)? {
            Entry::Stmt(stmt) => stmts.push(stmt),
            Entry::Tail(expr) => tail = Some(Box::new(expr)),
        }
    }
    Ok(Block { stmts, tail, span: start.span(input) })
}

/// Keywords of items that cannot stand in a block: they say that its `}` is missing.
fn starts_item(token: Token) -> bool {
    matches!(
        token,
        T![fn]
            | T![pub]
            | T![contract]
            | T![constructor]
            | T![receive]
            | T![fallback]
            | T![interface]
            | T![impl]
            | T![event]
            | T![table]
            | T![immutable]
            | T![test]
            | T![use]
    )
}

/// Where reading goes on after a broken statement.
fn starts_stmt(token: Token) -> bool {
    starts_item(token) || matches!(token, T![let] | T![emit] | T![while] | T![for] | T![return])
}

/// `Stmt`, or the block's last expression.
fn entry(g: &Grammar) -> Rule<Entry> {
    let match_expr = primary::match_expr(g);
    let x = Rc::new(Exprs { g: g.clone(), place: Place::Plain, match_expr });
    let parse = rule(move |input| {
        let start = StartOf::here(input);
        let kind = match input.peek() {
            Some(T![let]) => StmtKind::Let(let_stmt(&x.g, input)?),
            Some(T![emit]) => {
                input.skip();
                let event = payload(&x.g, input, Place::Plain)?;
                if event.args == PayloadArgs::None {
                    return Err(unexpected(input, Expected::token(T!['(']).and(Expected::token(T!['{']))));
                }
                expect_semi(input, &start)?;
                StmtKind::Emit(event)
            }
            Some(T![while]) => StmtKind::While(while_stmt(&x.g, input)?),
            Some(T![for]) => StmtKind::For(for_stmt(&x.g, input)?),
            Some(T![if] | T![match] | T!['{']) => return block_like(&x, input),
            _ => {
                let expr = run(input, &x.g.expr)?;
                return end_of_expr(input, &start, expr);
            }
        };
        Ok(Entry::Stmt(Stmt { kind, span: start.span(input) }))
    });
    recovered(parse, |input| {
        let start = StartOf::here(input);
        skip_broken(input, starts_stmt);
        Ok(Entry::Stmt(Stmt { kind: StmtKind::Error, span: start.span(input) }))
    })
}

/// `BlockLike !Continues [ ";" ]`, or an expression that begins with one.
fn block_like(x: &Exprs, input: &mut Cursor<'_>) -> Parsed<Entry> {
    let start = StartOf::here(input);
    let first = primary::primary(x, input)?;
    if matches!(input.peek(), Some(T![.] | T![?] | T![as] | T![as%])) {
        let expr = exprs::assignment(x, input, Some(first))?;
        return end_of_expr(input, &start, expr);
    }
    if eat(input, T![;]).is_none() && input.peek() == Some(T!['}']) {
        return Ok(Entry::Tail(first));
    }
    Ok(Entry::Stmt(Stmt { kind: StmtKind::Expr(first), span: start.span(input) }))
}

/// `";"`, or the end of the block, which makes the expression the block's value.
fn end_of_expr(input: &mut Cursor<'_>, start: &StartOf, expr: Expr) -> Parsed<Entry> {
    if input.peek() == Some(T!['}']) {
        return Ok(Entry::Tail(expr));
    }
    hint(input, Expected::token(T!['}']));
    expect_semi(input, start)?;
    Ok(Entry::Stmt(Stmt { kind: StmtKind::Expr(expr), span: start.span(input) }))
}

/// `Let`
fn let_stmt(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Let> {
    let start = StartOf::here(input);
    expect(input, T![let])?;
    let mode = bind_mode(input);
    let pattern = run(input, &g.pattern)?;
    let ty = match eat(input, T![:]) {
        Some(_) => Some(run(input, &g.ty)?),
        None => None,
    };
    let value = if input.peek() == Some(T![;]) {
        // `let x;` has no value, but its name may be used below.
        report_expected(input, Expected::token(T![=]));
        Expr { kind: ExprKind::Error, span: Span::at(start.span(input).end) }
    } else {
        expect(input, T![=])?;
        run(input, &g.expr)?
    };
    expect_semi(input, &start)?;
    Ok(Let { mode, pattern, ty, value })
}

/// `[ "mut" | "const" ]`
pub(super) fn bind_mode(input: &mut Cursor<'_>) -> BindMode {
    if eat(input, T![mut]).is_some() {
        BindMode::Mut
    } else if eat(input, T![const]).is_some() {
        BindMode::Const
    } else {
        BindMode::Plain
    }
}

/// `While`
fn while_stmt(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<While> {
    expect(input, T![while])?;
    let cond = primary::cond(g, input)?;
    let bounds = loop_bounds(g, input)?;
    let body = run(input, &g.block)?;
    Ok(While { cond, bounds, body })
}

/// `For`
fn for_stmt(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<For> {
    expect(input, T![for])?;
    let pattern = run(input, &g.pattern)?;
    expect(input, T![in])?;
    let start = run(input, &g.head)?;
    let iter = match input.peek() {
        Some(token @ (T![..] | T![..=])) => {
            input.skip();
            ForIter::Range { start, end: run(input, &g.head)?, inclusive: token == T![..=] }
        }
        _ => {
            hint(input, Expected::token(T![..]).and(Expected::token(T![..=])));
            ForIter::Value(start)
        }
    };
    let bounds = loop_bounds(g, input)?;
    let body = run(input, &g.block)?;
    Ok(For { pattern, iter, bounds, body })
}

/// `[ LoopAnn ]`
fn loop_bounds(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Vec<LoopBound>> {
    if !at_loop_annotation(input) {
        return Ok(Vec::new());
    }
    input.skip();
    strict_list(input, T![']'], |input| {
        let start = StartOf::here(input);
        let kind = if at_word(input, &["gas"]) {
            LoopBoundKind::Gas
        } else if at_word(input, &["max"]) {
            LoopBoundKind::Max
        } else {
            return Err(unexpected(input, Expected::default()));
        };
        bump(input);
        expect(input, T![:])?;
        let value = run(input, &g.expr)?;
        Ok(LoopBound { kind, value, span: start.span(input) })
    })
}
