//! Text to tree.
//!
//! Parsing never fails: [`parse`] always yields a tree and a list of diagnostics. Where the text makes no
//! sense the tree has a hole (`TypeKind::Missing`, `ExprKind::Error`, `StmtKind::Error`) or lacks the item,
//! and the parser goes on at the next `;`, `}` or item keyword, so that one run reports every independent
//! mistake. A later stage treats a hole as already reported. Nesting is limited, so no later stage needs to
//! fear for its stack.
//!
//! [`ast`] is plain data; [`token`] is the token table, `lexer` and `parser` with `grammar` produce the
//! tree, and [`pretty`] turns it back into text.

pub mod ast;
mod grammar;
pub mod habits;
mod lexer;
mod literals;
mod parser;
pub mod pretty;
pub mod token;

use std::ops::RangeInclusive;

use chumsky::Parser;
use chumsky::input::{Input, Stream};
use chumsky::inspector::SimpleState;

use crate::diag::{Code, Diagnostics};
use crate::source::{FileId, Source, Span};

/// Parses the module of the first file.
pub fn parse(source: &Source) -> (ast::Module, Diagnostics) {
    parse_file(source, FileId::ROOT)
}

/// Parses the module of a file.
pub fn parse_file(source: &Source, file: FileId) -> (ast::Module, Diagnostics) {
    let mut diags = Diagnostics::new();
    let place = source.file_span(file);
    let tokens = lexer::lex(source.slice(place), place.start, &mut diags);
    let cut_off = cut_off(source.text(), &tokens, &diags);
    let input = Stream::from_iter(tokens).map(Span::at(place.end), split as fn(_) -> _);
    let mut state = SimpleState(parser::Context::new(source.text()));
    let (module, errors) =
        grammar::with_module(|module| module.parse_with_state(input, &mut state).into_output_errors());
    let mut last = None;
    for error in errors {
        let diagnostic = error.into_diagnostic(source.text());
        // Two failures at one place have one cause, and so has what an open string swallowed.
        let place = (diagnostic.code(), diagnostic.span().start);
        let is_followed = cut_off.iter().any(|places| places.contains(&place.1));
        if diagnostic.code() != Code::UnexpectedToken || last != Some(place) && !is_followed {
            diags.push(diagnostic);
        }
        last = Some(place);
    }
    diags.sort();
    (module.unwrap_or_default(), diags)
}

/// Where the grammar is broken because a string is not closed: up to the first token of the next line.
fn cut_off(text: &str, tokens: &[(token::Token, Span)], diags: &Diagnostics) -> Vec<RangeInclusive<u32>> {
    let is_string = |span: Span| text.get(span.start as usize..).is_some_and(|rest| !rest.starts_with("/*"));
    let open = diags
        .iter()
        .filter(|diagnostic| diagnostic.code() == Code::Unterminated && is_string(diagnostic.span()));
    let places = open.map(|diagnostic| {
        let span = diagnostic.span();
        let rest = text.get(span.start as usize..).unwrap_or("");
        let line = rest.find('\n').unwrap_or(rest.len()) as u32;
        let next = tokens.iter().find(|token| token.1.start >= span.start + line);
        span.start..=next.map_or(span.start + line, |next| next.1.start)
    });
    places.collect()
}

fn split<T, S>((token, span): (T, S)) -> (T, S) {
    (token, span)
}
