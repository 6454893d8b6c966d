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
    let input = Stream::from_iter(tokens).map(Span::at(place.end), split as fn(_) -> _);
    let mut state = SimpleState(parser::Context::new(source.text()));
    let (module, errors) =
        grammar::with_module(|module| module.parse_with_state(input, &mut state).into_output_errors());
    let mut last = None;
    for error in errors {
        let diagnostic = error.into_diagnostic(source.text());
        // Two failures at one place have one cause.
        let place = (diagnostic.code(), diagnostic.span().start);
        if diagnostic.code() != Code::UnexpectedToken || last != Some(place) {
            diags.push(diagnostic);
        }
        last = Some(place);
    }
    diags.sort();
    (module.unwrap_or_default(), diags)
}

fn split<T, S>((token, span): (T, S)) -> (T, S) {
    (token, span)
}
