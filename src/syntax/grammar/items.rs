//! Modules, and the items that modules and contracts share.

use super::Grammar;
use super::exprs::{int_lit, str_lit};
use super::members::contract;
use super::signatures::{
    Params, Qualifiers, attrs, doc_line, fn_sig, function, params, plain_params, qualifiers,
};
use super::types::{annotation, path};
use crate::diag::{Code, Diagnostic};
use crate::syntax::ast::{
    Const, Enum, ErrorDecl, ErrorKind, ErrorVariant, EventDecl, EventField, Field, Impl, Interface,
    InterfaceFn, Method, Module, ModuleItem, ModuleItemKind, Param, Struct, Test, Use, UseItem, UseTree,
    Variant,
};
use crate::syntax::parser::{
    Cursor, Parsed, Rule, StartOf, bump, comma_list, eat, expect, expect_ident, expect_semi, hint, peek_span,
    peek3, recovered, report, report_expected, rule, run, skip_broken, strict_list, text, unexpected,
    unexpected_diagnostic,
};
use crate::syntax::token::{Expected, Part, T, Token};

/// The rules that items are made of, built once.
#[derive(Clone)]
pub(super) struct Items {
    pub(super) g: Grammar,
    pub(super) params: Rule<Params>,
    pub(super) plain_params: Rule<Vec<Param>>,
}

/// Where reading goes on after a broken item.
pub(super) fn starts_item(token: Token) -> bool {
    matches!(
        token,
        Token::Doc
            | T![#]
            | T![pub]
            | T![use]
            | T![test]
            | T![const]
            | T![struct]
            | T![enum]
            | T![impl]
            | T![error]
            | T![event]
            | T![interface]
            | T![contract]
            | T![fn]
            | T![constructor]
            | T![receive]
            | T![fallback]
            | T![table]
            | T![immutable]
    )
}

/// `Module`
pub(super) fn module(g: &Grammar) -> Rule<Module> {
    let items = Items { g: g.clone(), params: params(g), plain_params: plain_params(g) };
    let item = element(module_item(&items));
    rule(move |input| {
        let mut docs = Vec::new();
        while input.peek() == Some(Token::InnerDoc) {
            docs.push(doc_line(input));
        }
        let mut items = Vec::new();
        while input.peek().is_some() {
            items.extend(run(input, &item)?);
        }
        let end = peek_span(input).end;
        Ok(Module { docs, items, span: crate::source::Span::new(0, end) })
    })
}

/// Parses one element of a body; where it fails, skips to the next.
pub(super) fn element<T: 'static>(rule: Rule<T>) -> Rule<Option<T>> {
    use chumsky::Parser;
    recovered(rule.map(Some).boxed(), |input| {
        // Bodies look for their own `}` first, so one that stands here closes nothing.
        if input.peek() == Some(T!['}']) {
            input.skip();
        } else {
            skip_broken(input, starts_item);
        }
        Ok(None)
    })
}

/// `"{" { element } "}"`. A missing `}` at the end of the text is reported.
pub(super) fn body<T: 'static>(input: &mut Cursor<'_>, element: &Rule<Option<T>>) -> Parsed<Vec<T>> {
    expect(input, T!['{'])?;
    let mut elements = Vec::new();
    while eat(input, T!['}']).is_none() {
        if input.peek().is_none() {
            report_expected(input, Expected::token(T!['}']));
            break;
        }
        elements.extend(run(input, element)?);
    }
    Ok(elements)
}

/// `ModuleItem`
fn module_item(items: &Items) -> Rule<ModuleItem> {
    let items = items.clone();
    let contract = contract(&items);
    let method = element(method(&items));
    let interface_fn = element(interface_fn(&items));
    rule(move |input| {
        let attrs = attrs(input)?;
        let start = StartOf::here(input);
        let mut found = Qualifiers::default();
        qualifiers(input, &mut found);
        let token = input.peek();
        check_qualifiers(input, &found)?;
        let kind = match token {
            Some(T![use]) => ModuleItemKind::Use(use_item(input)?),
            Some(T![test]) => ModuleItemKind::Test(items.test(input)?),
            Some(T![const]) => ModuleItemKind::Const(items.constant(input)?),
            Some(T![struct]) => ModuleItemKind::Struct(items.structure(input)?),
            Some(T![enum]) => ModuleItemKind::Enum(items.enumeration(input)?),
            Some(T![error]) => ModuleItemKind::Error(items.error(input)?),
            Some(T![event]) => ModuleItemKind::Event(items.event(input)?),
            Some(T![contract]) => ModuleItemKind::Contract(run(input, &contract)?),
            Some(T![fn]) => ModuleItemKind::Fn(function(&items.g, &items.params, input, &mut found)?),
            Some(T![impl]) => {
                input.skip();
                let name = expect_ident(input)?;
                ModuleItemKind::Impl(Impl { name, methods: body(input, &method)? })
            }
            Some(T![interface]) => {
                input.skip();
                let name = expect_ident(input)?;
                ModuleItemKind::Interface(Interface { name, functions: body(input, &interface_fn)? })
            }
            Some(
                T![state]
                | T![table]
                | T![immutable]
                | T![transient]
                | T![constructor]
                | T![receive]
                | T![fallback],
            ) => return Err(misplaced(input, "a module; it belongs into a contract")),
            _ => return Err(unexpected(input, Expected::part(Part::Item))),
        };
        Ok(ModuleItem { attrs, public: found.public, kind, span: start.span(input) })
    })
}

/// The failure of an item that stands in the wrong place.
pub(super) fn misplaced(input: &mut Cursor<'_>, place: &str) -> crate::syntax::parser::ParseError {
    let span = peek_span(input);
    let mut diagnostic = Diagnostic::new(Code::ItemNotAllowed, span);
    diagnostic.arg("item", text(input, span)).arg("place", place);
    crate::syntax::parser::ParseError::other(diagnostic)
}

/// `view` and `payable` belong to functions, and `pub` to items that can be seen from outside.
pub(super) fn check_qualifiers(input: &mut Cursor<'_>, found: &Qualifiers) -> Parsed<()> {
    let token = input.peek();
    if (found.view.is_some() || found.payable.is_some()) && token != Some(T![fn]) {
        return Err(unexpected(input, Expected::token(T![fn])));
    }
    let takes_no_pub = matches!(
        token,
        Some(T![use] | T![test] | T![constructor] | T![receive] | T![fallback] | T![transient])
    );
    if let (Some(span), true) = (found.public, takes_no_pub) {
        let item = peek_span(input);
        let place = format!("front of `{}`", text(input, item));
        let mut diagnostic = Diagnostic::new(Code::ItemNotAllowed, span);
        diagnostic.arg("item", "pub").arg("place", place).fix(span, "", "remove `pub`");
        report(input, diagnostic);
    }
    Ok(())
}

/// `Use`
fn use_item(input: &mut Cursor<'_>) -> Parsed<Use> {
    let start = StartOf::here(input);
    expect(input, T![use])?;
    let path = path(input)?;
    let tree = if eat(input, T![::]).is_some() {
        if eat(input, T![*]).is_some() {
            UseTree::All
        } else {
            expect(input, T!['{'])?;
            let (list, _) = comma_list(input, T!['}'], |input| {
                let name = expect_ident(input)?;
                Ok(UseItem { name, alias: alias(input)? })
            })?;
            UseTree::List(list)
        }
    } else {
        UseTree::Single { alias: alias(input)? }
    };
    expect_semi(input, &start)?;
    Ok(Use { path, tree })
}

/// `[ "as" IDENT ]`
fn alias(input: &mut Cursor<'_>) -> Parsed<Option<crate::syntax::ast::Ident>> {
    match eat(input, T![as]) {
        Some(_) => Ok(Some(expect_ident(input)?)),
        None => Ok(None),
    }
}

/// A function of an `impl`.
fn method(items: &Items) -> Rule<Method> {
    let items = items.clone();
    rule(move |input| {
        let attrs = attrs(input)?;
        let start = StartOf::here(input);
        let mut found = Qualifiers::default();
        qualifiers(input, &mut found);
        let function = function(&items.g, &items.params, input, &mut found)?;
        Ok(Method { attrs, public: found.public, function, span: start.span(input) })
    })
}

/// A function of an `interface`.
fn interface_fn(items: &Items) -> Rule<InterfaceFn> {
    let items = items.clone();
    rule(move |input| {
        let attrs = attrs(input)?;
        let start = StartOf::here(input);
        let mut found = Qualifiers::default();
        qualifiers(input, &mut found);
        let sig = fn_sig(&items.g, &items.params, input, &mut found)?;
        if input.peek() == Some(T!['{']) {
            return Err(misplaced(input, "an interface; its functions end with `;`"));
        }
        expect_semi(input, &start)?;
        Ok(InterfaceFn { attrs, sig, span: start.span(input) })
    })
}

impl Items {
    /// `Const`
    pub(super) fn constant(&self, input: &mut Cursor<'_>) -> Parsed<Const> {
        let start = StartOf::here(input);
        expect(input, T![const])?;
        let name = expect_ident(input)?;
        let ty = match eat(input, T![:]) {
            Some(_) => Some(run(input, &self.g.ty)?),
            None => None,
        };
        expect(input, T![=])?;
        let value = run(input, &self.g.expr)?;
        expect_semi(input, &start)?;
        Ok(Const { name, ty, value })
    }

    /// `Struct`
    pub(super) fn structure(&self, input: &mut Cursor<'_>) -> Parsed<Struct> {
        expect(input, T![struct])?;
        let name = expect_ident(input)?;
        expect(input, T!['{'])?;
        let (fields, _) = comma_list(input, T!['}'], |input| self.field(input))?;
        Ok(Struct { name, fields })
    }

    /// `Field`
    pub(super) fn field(&self, input: &mut Cursor<'_>) -> Parsed<Field> {
        let attrs = attrs(input)?;
        let name = expect_ident(input)?;
        let start = StartOf::at(name.span);
        let ty = annotation(&self.g, input)?;
        Ok(Field { attrs, name, ty, span: start.span(input) })
    }

    /// `Enum`
    pub(super) fn enumeration(&self, input: &mut Cursor<'_>) -> Parsed<Enum> {
        expect(input, T![enum])?;
        let name = expect_ident(input)?;
        expect(input, T!['{'])?;
        if input.peek() == Some(T!['}']) {
            return Err(unexpected(input, Expected::token(Token::Ident)));
        }
        let (variants, _) = comma_list(input, T!['}'], |input| self.variant(input))?;
        Ok(Enum { name, variants })
    }

    /// `Variant`
    fn variant(&self, input: &mut Cursor<'_>) -> Parsed<Variant> {
        let attrs = attrs(input)?;
        let name = expect_ident(input)?;
        let start = StartOf::at(name.span);
        let (mut payload, mut discriminant) = (Vec::new(), None);
        if eat(input, T!['(']).is_some() {
            payload = strict_list(input, T![')'], |input| {
                refuse_part_name(input);
                run(input, &self.g.ty)
            })?;
        } else if eat(input, T![=]).is_some() {
            discriminant = Some(int_lit(input)?);
        }
        Ok(Variant { attrs, name, payload, discriminant, span: start.span(input) })
    }

    /// `ErrorDecl`
    pub(super) fn error(&self, input: &mut Cursor<'_>) -> Parsed<ErrorDecl> {
        let start = StartOf::here(input);
        expect(input, T![error])?;
        let name = expect_ident(input)?;
        if eat(input, T!['{']).is_some() {
            if input.peek() == Some(T!['}']) {
                return Err(unexpected(input, Expected::token(Token::Ident)));
            }
            let (variants, _) = comma_list(input, T!['}'], |input| self.error_variant(input))?;
            return Ok(ErrorDecl { name, kind: ErrorKind::Set(variants) });
        }
        let fields = self.optional_params(input)?;
        expect_semi(input, &start)?;
        Ok(ErrorDecl { name, kind: ErrorKind::Single(fields) })
    }

    /// `ErrVariant`
    fn error_variant(&self, input: &mut Cursor<'_>) -> Parsed<ErrorVariant> {
        let attrs = attrs(input)?;
        let name = expect_ident(input)?;
        let start = StartOf::at(name.span);
        let params = self.optional_params(input)?;
        Ok(ErrorVariant { attrs, name, params, span: start.span(input) })
    }

    /// `[ "(" [ ParamList ] ")" ]`
    fn optional_params(&self, input: &mut Cursor<'_>) -> Parsed<Vec<Param>> {
        if input.peek() == Some(T!['(']) {
            return run(input, &self.plain_params);
        }
        hint(input, Expected::token(T!['(']));
        Ok(Vec::new())
    }

    /// `EventDecl`
    pub(super) fn event(&self, input: &mut Cursor<'_>) -> Parsed<EventDecl> {
        let start = StartOf::here(input);
        expect(input, T![event])?;
        let name = expect_ident(input)?;
        expect(input, T!['('])?;
        let (fields, _) = comma_list(input, T![')'], |input| {
            let start = StartOf::here(input);
            let indexed = eat(input, T![indexed]).is_some();
            let name = expect_ident(input)?;
            let ty = annotation(&self.g, input)?;
            Ok(EventField { indexed, name, ty, span: start.span(input) })
        })?;
        expect_semi(input, &start)?;
        Ok(EventDecl { name, fields })
    }

    /// `Test`
    pub(super) fn test(&self, input: &mut Cursor<'_>) -> Parsed<Test> {
        bump(input);
        let name = str_lit(input)?;
        let params = self.optional_params(input)?;
        Ok(Test { name, params, body: run(input, &self.g.block)? })
    }
}

/// Reports `name:` before the type of a part of a variant, and takes it.
fn refuse_part_name(input: &mut Cursor<'_>) {
    let [Some(Token::Ident), Some(T![:]), _] = peek3(input) else { return };
    let name = peek_span(input);
    let mut diagnostic = unexpected_diagnostic(input, Expected::part(Part::Type));
    bump(input);
    let span = name.to(bump(input));
    diagnostic.label("the parts of a variant have types and no names");
    diagnostic.fix(span, "", "leave the name out");
    report(input, diagnostic);
}
