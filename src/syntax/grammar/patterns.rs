//! Patterns.

use super::Grammar;
use super::exprs::{int_lit, str_lit};
use super::types::path;
use crate::syntax::ast::{PatLit, PatLitKind, Path, Pattern, PatternKind};
use crate::syntax::parser::{
    Cursor, Parsed, StartOf, eat, expect_ident, keyword_as_name, nested, run, strict_list, unexpected,
};
use crate::syntax::token::{Expected, Part, T, Token};

pub(super) fn define(grammar: &mut Grammar) {
    let g = grammar.clone();
    grammar.pattern.define(nested("pattern", move |input| pattern(&g, input)));
}

/// `Pattern`
fn pattern(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Pattern> {
    let start = StartOf::here(input);
    let first = alternative(g, input)?;
    if eat(input, T![|]).is_none() {
        return Ok(first);
    }
    let mut alternatives = vec![first];
    loop {
        alternatives.push(alternative(g, input)?);
        if eat(input, T![|]).is_none() {
            return Ok(Pattern { kind: PatternKind::Or(alternatives), span: start.span(input) });
        }
    }
}

/// `PatAlt`
fn alternative(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Pattern> {
    let start = StartOf::here(input);
    let kind = match input.peek() {
        Some(T![_]) => {
            input.skip();
            PatternKind::Wildcard
        }
        Some(T![-] | Token::Int | Token::Str | T![true] | T![false]) => {
            let first = literal(input)?;
            let inclusive = input.peek() == Some(T![..=]);
            if inclusive || input.peek() == Some(T![..]) {
                input.skip();
                PatternKind::Range { start: first, end: literal(input)?, inclusive }
            } else {
                PatternKind::Literal(first)
            }
        }
        Some(T!['(']) => {
            input.skip();
            let mut patterns = patterns(g, input)?;
            if patterns.len() == 1 {
                let inner = patterns.remove(0);
                return Ok(Pattern { kind: inner.kind, span: start.span(input) });
            }
            PatternKind::Tuple(patterns)
        }
        Some(T![mut]) => {
            input.skip();
            PatternKind::BindMut(expect_ident(input)?)
        }
        Some(Token::Ident | Token::Reserved) => {
            let path = path(input)?;
            let args = match eat(input, T!['(']) {
                Some(_) => Some(patterns(g, input)?),
                None => None,
            };
            PatternKind::Path { path, args }
        }
        _ => match keyword_as_name(input, Expected::part(Part::Pattern)) {
            Some(name) => {
                let path = Path { span: name.span, segments: vec![name] };
                PatternKind::Path { path, args: None }
            }
            None => return Err(unexpected(input, Expected::part(Part::Pattern))),
        },
    };
    Ok(Pattern { kind, span: start.span(input) })
}

/// `[ Pattern { "," Pattern } ] ")"`
fn patterns(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Vec<Pattern>> {
    match eat(input, T![')']) {
        Some(_) => Ok(Vec::new()),
        None => strict_list(input, T![')'], |input| run(input, &g.pattern)),
    }
}

/// `PatLit`
fn literal(input: &mut Cursor<'_>) -> Parsed<PatLit> {
    let start = StartOf::here(input);
    let kind = match input.peek() {
        Some(T![-]) => {
            input.skip();
            PatLitKind::Int { negative: true, value: int_lit(input)? }
        }
        Some(Token::Str) => PatLitKind::Str(str_lit(input)?),
        Some(token @ (T![true] | T![false])) => {
            input.skip();
            PatLitKind::Bool(token == T![true])
        }
        _ => PatLitKind::Int { negative: false, value: int_lit(input)? },
    };
    Ok(PatLit { kind, span: start.span(input) })
}
