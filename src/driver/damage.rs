//! Which reports of checking hold although the text has mistakes of grammar.
//!
//! A part that could not be parsed may have declared a name, used an item or returned a value, so what follows from its
//! absence is no second mistake. Whatever has its cause elsewhere is reported in the same run. What lies here is only
//! that decision; the parser's recovery is in [`syntax`](crate::syntax).

use std::collections::HashSet;

use logos::Logos;

use crate::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::modules::Module;
use crate::source::Span;
use crate::syntax::ast::ModuleItemKind;
use crate::syntax::token::Token;

/// What is known about a text with mistakes of grammar.
pub(super) struct Damage<'s> {
    text: &'s str,
    /// Names that the text declares somewhere, be it in a part that was lost.
    declared: HashSet<&'s str>,
    /// Functions and other items of modules and contracts with such a mistake inside.
    broken_items: Vec<Span>,
}

impl<'s> Damage<'s> {
    /// Looks at a text and what parsing it gave.
    pub(super) fn of(text: &'s str, modules: &[Module], mistakes: &Diagnostics) -> Damage<'s> {
        let items = modules.iter().flat_map(|module| &module.tree.items).flat_map(|item| match &item.kind {
            ModuleItemKind::Contract(contract) => contract.items.iter().map(|item| item.span).collect(),
            _ => vec![item.span],
        });
        let is_broken = |span: &Span| {
            mistakes
                .iter()
                .any(|mistake| span.start <= mistake.span().start && mistake.span().start <= span.end)
        };
        Damage { text, declared: declared_names(text), broken_items: items.filter(is_broken).collect() }
    }

    /// Whether a report holds.
    pub(super) fn lets_through(&self, diagnostic: &Diagnostic) -> bool {
        if diagnostic.severity() != Severity::Error {
            return false;
        }
        match diagnostic.code() {
            Code::NotFound | Code::NoMember => {
                let text = self.text.get(diagnostic.span().start as usize..diagnostic.span().end as usize);
                // Of a path, a report names the part that is missing or the whole.
                let mut parts = text.unwrap_or("").split("::").map(str::trim);
                parts.all(|name| {
                    // `state` outside a contract may follow from a brace too many.
                    let is_name = Token::lexer(name).next() == Some(Ok(Token::Ident));
                    is_name && !self.declared.contains(name)
                })
            }
            Code::MissingReturn => {
                let at = diagnostic.span().start;
                !self.broken_items.iter().any(|item| item.start <= at && at < item.end)
            }
            Code::Internal => false,
            _ => true,
        }
    }
}

/// Every name in a position where the grammar declares names.
fn declared_names(text: &str) -> HashSet<&str> {
    let mut names = HashSet::new();
    let mut lexer = Token::lexer(text);
    let mut before = None;
    // A pattern or an import declares all names up to its end; a type may follow a pattern.
    let mut in_list = false;
    let mut depth = 0_i64;
    let mut candidate = "";
    while let Some(token) = lexer.next() {
        let Ok(token) = token else { continue };
        match token {
            Token::Let | Token::For | Token::Use => (in_list, depth) = (true, 0),
            Token::Eq | Token::In | Token::Semi => in_list = false,
            Token::OpenParen | Token::OpenBrace | Token::OpenBracket => depth += 1,
            Token::CloseParen | Token::CloseBrace | Token::CloseBracket => depth -= 1,
            Token::Colon => {
                // A field, a parameter or a member.
                if before == Some(Token::Ident) {
                    names.insert(candidate);
                }
                in_list &= depth > 0;
            }
            Token::Ident => {
                let follows_keyword = matches!(
                    before,
                    Some(
                        Token::Fn
                            | Token::Mut
                            | Token::Const
                            | Token::State
                            | Token::Table
                            | Token::Immutable
                            | Token::Transient
                            | Token::Struct
                            | Token::Enum
                            | Token::Error
                            | Token::Event
                            | Token::Interface
                            | Token::Contract
                            | Token::Indexed
                            | Token::As
                    )
                );
                if follows_keyword || in_list {
                    names.insert(lexer.slice());
                }
                candidate = lexer.slice();
            }
            _ => {}
        }
        before = Some(token);
    }
    names
}
