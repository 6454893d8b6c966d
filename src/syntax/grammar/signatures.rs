//! Attributes, qualifiers, parameters and function signatures.

use super::Grammar;
use super::primary::literal;
use super::stmts::bind_mode;
use super::types::{annotation, name_or_new};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{
    Attr, AttrArg, Attrs, BindMode, DocLine, Fn, FnSig, Param, Receiver, ReceiverKind, Type,
};
use crate::syntax::parser::{
    Cursor, Parsed, Rule, StartOf, bump, comma_list, eat, expect, expect_ident, peek3, recovered, report,
    rule, run, skip_parens, strict_list, text,
};
use crate::syntax::token::{T, Token};

/// `{ Attr }`
pub(super) fn attrs(input: &mut Cursor<'_>) -> Parsed<Attrs> {
    let mut attrs = Attrs::default();
    loop {
        match input.peek() {
            Some(Token::Doc) => attrs.docs.push(doc_line(input)),
            Some(T![#]) => {
                input.skip();
                expect(input, T!['['])?;
                attrs.list.push(attr(input)?);
                if eat(input, T![,]).is_some() {
                    attrs.list.extend(strict_list(input, T![']'], attr)?);
                } else {
                    expect(input, T![']'])?;
                }
            }
            _ => return Ok(attrs),
        }
    }
}

/// `DOC` or `INNER_DOC`
pub(super) fn doc_line(input: &mut Cursor<'_>) -> DocLine {
    let span = bump(input);
    let line = text(input, span).get(3..).unwrap_or("").trim_end();
    DocLine { text: line.strip_prefix(' ').unwrap_or(line).into(), span }
}

/// `AttrItem`
fn attr(input: &mut Cursor<'_>) -> Parsed<Attr> {
    let name = expect_ident(input)?;
    let start = StartOf::at(name.span);
    let args = match eat(input, T!['(']) {
        Some(_) if eat(input, T![')']).is_some() => Vec::new(),
        Some(_) => strict_list(input, T![')'], attr_arg)?,
        None => Vec::new(),
    };
    Ok(Attr { name, args, span: start.span(input) })
}

/// `AttrArg`
fn attr_arg(input: &mut Cursor<'_>) -> Parsed<AttrArg> {
    if input.peek() != Some(Token::Ident) {
        return Ok(AttrArg::Literal(literal(input)?));
    }
    let name = expect_ident(input)?;
    match eat(input, T![=]) {
        Some(_) => Ok(AttrArg::Named { name, value: literal(input)? }),
        None => Ok(AttrArg::Ident(name)),
    }
}

/// `pub`, `view` and `payable`, where they stand.
#[derive(Default)]
pub(super) struct Qualifiers {
    pub(super) public: Option<Span>,
    pub(super) view: Option<Span>,
    pub(super) payable: Option<Span>,
}

/// `{ Qualifier }`
pub(super) fn qualifiers(input: &mut Cursor<'_>, found: &mut Qualifiers) {
    while let Some(token @ (T![pub] | T![view] | T![payable])) = input.peek() {
        let span = bump(input);
        let place = match token {
            T![pub] => &mut found.public,
            T![view] => &mut found.view,
            _ => &mut found.payable,
        };
        if let Some(first) = *place {
            let mut diagnostic = Diagnostic::new(Code::RepeatedQualifier, span);
            let word = text(input, span).to_owned();
            diagnostic.arg("q", word).secondary(first, "first written here").fix(span, "", "remove it");
            report(input, diagnostic);
        } else {
            *place = Some(span);
        }
    }
}

/// What stands between the parentheses of a signature.
#[derive(Default)]
pub(super) struct Params {
    receiver: Option<Receiver>,
    list: Vec<Param>,
}

enum AnyParam {
    Receiver(Receiver),
    Named(Param),
}

/// `"(" [ ParamList ] ")"`. If it cannot be read it is skipped, so that the body is still checked.
pub(super) fn params(g: &Grammar) -> Rule<Params> {
    let g = g.clone();
    let parse = rule(move |input| {
        expect(input, T!['('])?;
        let (all, _) = comma_list(input, T![')'], |input| param(&g, input))?;
        let mut params = Params::default();
        for (index, param) in all.into_iter().enumerate() {
            match param {
                AnyParam::Named(param) => params.list.push(param),
                AnyParam::Receiver(receiver) if index == 0 => params.receiver = Some(receiver),
                AnyParam::Receiver(receiver) => refuse_self(input, &receiver, "any place but the first"),
            }
        }
        Ok(params)
    });
    recovered(parse, |input| {
        skip_parens(input)?;
        Ok(Params::default())
    })
}

/// Parameters of something that is no method.
pub(super) fn plain_params(g: &Grammar) -> Rule<Vec<Param>> {
    let params = params(g);
    rule(move |input| {
        let params = run(input, &params)?;
        if let Some(receiver) = params.receiver {
            refuse_self(input, &receiver, "the parameters of something that is no method");
        }
        Ok(params.list)
    })
}

fn refuse_self(input: &mut Cursor<'_>, receiver: &Receiver, place: &str) {
    let mut diagnostic = Diagnostic::new(Code::ItemNotAllowed, receiver.span);
    diagnostic.arg("item", "self").arg("place", place);
    report(input, diagnostic);
}

/// `Param`
fn param(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<AnyParam> {
    let start = StartOf::here(input);
    let kind = match peek3(input) {
        [Some(T![self]), ..] => Some((ReceiverKind::Value, 1)),
        [Some(T![&]), Some(T![self]), _] => Some((ReceiverKind::Ref, 2)),
        [Some(T![&]), Some(T![mut]), Some(T![self])] => Some((ReceiverKind::RefMut, 3)),
        _ => None,
    };
    if let Some((kind, tokens)) = kind {
        for _ in 0..tokens {
            input.skip();
        }
        return Ok(AnyParam::Receiver(Receiver { kind, span: start.span(input) }));
    }
    let mode: BindMode = bind_mode(input);
    let name = expect_ident(input)?;
    let ty = annotation(g, input)?;
    Ok(AnyParam::Named(Param { mode, name, ty, span: start.span(input) }))
}

/// `[ "->" Type ]`
pub(super) fn ret(g: &Grammar, input: &mut Cursor<'_>) -> Parsed<Option<Type>> {
    match eat(input, T![->]) {
        Some(_) => Ok(Some(run(input, &g.ty)?)),
        None => Ok(None),
    }
}

/// `FnSig` from its `fn` on; `found` has the qualifiers before it and takes those after the parameters.
pub(super) fn fn_sig(
    g: &Grammar,
    params: &Rule<Params>,
    input: &mut Cursor<'_>,
    found: &mut Qualifiers,
) -> Parsed<FnSig> {
    let start = StartOf::here(input);
    expect(input, T![fn])?;
    let name = name_or_new(input)?;
    let params = run(input, params)?;
    qualifiers(input, found);
    let ret = ret(g, input)?;
    let (view, payable, span) = (found.view, found.payable, start.span(input));
    Ok(FnSig { name, receiver: params.receiver, params: params.list, view, payable, ret, span })
}

/// `Fn` from its `fn` on.
pub(super) fn function(
    g: &Grammar,
    params: &Rule<Params>,
    input: &mut Cursor<'_>,
    found: &mut Qualifiers,
) -> Parsed<Fn> {
    let sig = fn_sig(g, params, input, found)?;
    Ok(Fn { sig, body: run(input, &g.block)? })
}
