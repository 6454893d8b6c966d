//! Types and paths.

use super::Grammar;
use crate::source::Span;
use crate::syntax::ast::{Path, Type, TypeArg, TypeKind};
use crate::syntax::parser::{
    Cursor, Parsed, StartOf, comma_list, eat, expect, expect_ident, nested, report_expected, run, skip_type,
    strict_list, unexpected,
};
use crate::syntax::token::{Expected, Part, T, Token};

pub(super) fn define(grammar: &mut Grammar) {
    let g = grammar.clone();
    grammar.ty.define(nested("type", move |input| ty(&g, input)));
}

/// `Type`
fn ty(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Type> {
    let start = StartOf::here(input);
    let kind = match input.peek() {
        Some(T![&]) => {
            input.skip();
            let mutable = eat(input, T![mut]).is_some();
            TypeKind::Ref { mutable, inner: Box::new(run(input, &g.ty)?) }
        }
        Some(T!['(']) => {
            input.skip();
            let (mut types, trailing) = comma_list(input, T![')'], |input| run(input, &g.ty))?;
            if types.len() == 1 && !trailing {
                let inner = types.remove(0);
                return Ok(Type { kind: inner.kind, span: start.span(input) });
            }
            TypeKind::Tuple(types)
        }
        Some(T!['[']) => {
            input.skip();
            let element = Box::new(run(input, &g.ty)?);
            expect(input, T![;])?;
            let length = Box::new(run(input, &g.expr)?);
            expect(input, T![']'])?;
            TypeKind::Array { element, length }
        }
        Some(Token::Ident | Token::Reserved) => {
            let path = path(input)?;
            let args = match eat(input, T![<]) {
                Some(_) => strict_list(input, T![>], |input| type_arg(g, input))?,
                None => Vec::new(),
            };
            TypeKind::Path { path, args }
        }
        _ => return Err(unexpected(input, Expected::part(Part::Type))),
    };
    Ok(Type { kind, span: start.span(input) })
}

/// `TypeArg`
fn type_arg(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<TypeArg> {
    if input.peek() == Some(Token::Int) {
        return Ok(TypeArg::Int(super::exprs::int_lit(input)?));
    }
    Ok(TypeArg::Type(run(input, &g.ty)?))
}

/// `CastType`
pub(super) fn cast_type(input: &mut Cursor<'_>) -> Parsed<Type> {
    if !matches!(input.peek(), Some(Token::Ident | Token::Reserved)) {
        return Err(unexpected(input, Expected::part(Part::Type)));
    }
    let start = StartOf::here(input);
    let path = path(input)?;
    let mut args = Vec::new();
    let is_bytes = path.as_ident().is_some_and(|name| name.as_str() == "bytes");
    if is_bytes && input.peek() == Some(T![<]) {
        // `x as bytes < n` compares: only a literal between the angles makes it a type.
        let [_, size, close] = crate::syntax::parser::peek3(input);
        if size == Some(Token::Int) && close == Some(T![>]) {
            input.skip();
            args.push(TypeArg::Int(super::exprs::int_lit(input)?));
            expect(input, T![>])?;
        }
    }
    Ok(Type { kind: TypeKind::Path { path, args }, span: start.span(input) })
}

/// `":" Type`; a missing type is reported and yields [`TypeKind::Missing`].
pub(super) fn annotation(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Type> {
    if eat(input, T![:]).is_some() {
        return run(input, &g.ty);
    }
    let at = StartOf::here(input);
    report_expected(input, Expected::token(T![:]));
    skip_type(input);
    let span: Span = at.span(input);
    Ok(Type { kind: TypeKind::Missing, span })
}

/// `Path`
pub(super) fn path(input: &mut Cursor<'_>) -> Parsed<Path> {
    let first = expect_ident(input)?;
    let mut span = first.span;
    let mut segments = vec![first];
    // `use a::{…}` and `use a::*` end the path before their `::`.
    while let [Some(T![::]), Some(Token::Ident | Token::Reserved | T![new]), _] =
        crate::syntax::parser::peek3(input)
    {
        input.skip();
        let segment = name_or_new(input)?;
        span = span.to(segment.span);
        segments.push(segment);
    }
    Ok(Path { segments, span })
}

/// `IDENT | "new"`
pub(super) fn name_or_new(input: &mut Cursor<'_>) -> Parsed<crate::syntax::ast::Ident> {
    match eat(input, T![new]) {
        Some(span) => Ok(crate::syntax::ast::Ident { name: "new".into(), span }),
        None => expect_ident(input),
    }
}
