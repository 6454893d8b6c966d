//! Text to tokens (logos).
//!
//! The rules come from the table in [`token`](super::token). Here are the parts that a table cannot say:
//! where strings and nested comments end, which comments are documentation, and what is reported about the
//! text. Whatever the text holds, lexing ends with a list of tokens; a wrong character is left out of it.

use logos::{Lexer, Logos};

use super::literals;
use super::token::Token;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::source::Span;

/// Splits a text that begins at offset `base` into tokens.
pub(super) fn lex(text: &str, base: u32, diags: &mut Diagnostics) -> Vec<(Token, Span)> {
    report_bidi_controls(text, base, diags);
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut lexer = Token::lexer(text);
    while let Some(result) = lexer.next() {
        let span = Span::new(base + lexer.span().start as u32, base + lexer.span().end as u32);
        match result {
            Ok(token) => {
                if let Some(token) = finish(token, lexer.slice(), span, diags) {
                    tokens.push((token, span));
                }
            }
            Err(()) => report_character(lexer.slice(), span, diags),
        }
    }
    tokens
}

/// Looks at a token's text: reports mistakes in it, sorts comments. `None` drops the token.
fn finish(token: Token, text: &str, span: Span, diags: &mut Diagnostics) -> Option<Token> {
    let mut report = |diagnostic: Diagnostic| {
        diags.push(diagnostic);
    };
    match token {
        Token::Int => {
            literals::int(text, span.start, &mut report);
        }
        Token::Str | Token::Bytes => {
            let quote = text.find('"').unwrap_or(0);
            if !is_terminated(&text[quote..]) {
                let opening = Span::new(span.start, span.start + quote as u32 + 1);
                diags.error(Code::Unterminated, opening).arg("what", "string literal");
            } else if token == Token::Str {
                literals::string(text, span.start, &mut report);
            } else {
                literals::bytes(text, span.start, &mut report);
            }
        }
        Token::Doc if text.starts_with("//!") => return Some(Token::InnerDoc),
        Token::Doc if !text.starts_with("///") || text.starts_with("////") => return None,
        Token::BlockComment => {
            if block_comment_length(text).is_none() {
                let opening = Span::new(span.start, span.start + 2);
                diags.error(Code::Unterminated, opening).arg("what", "block comment");
            }
            return None;
        }
        _ => {}
    }
    Some(token)
}

/// Whether a literal that begins with its quote also ends with one.
fn is_terminated(quoted: &str) -> bool {
    string_length(&quoted[1..]) == Ok(quoted.len() - 1)
}

/// Extends the lexeme to the closing quote, or to the end of the line without one.
pub(super) fn string_end(lexer: &mut Lexer<'_, Token>) {
    let (Ok(length) | Err(length)) = string_length(lexer.remainder());
    lexer.bump(length);
}

/// Length up to and including the closing quote; `Err` with the length of the line if there is none.
fn string_length(rest: &str) -> Result<usize, usize> {
    let mut bytes = rest.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Ok(at + 1),
            b'\n' => return Err(at),
            // An escaped quote does not end the string; an escaped line end does.
            b'\\' if rest.as_bytes().get(at + 1).is_some_and(|&next| next != b'\n') => {
                bytes.next();
            }
            _ => {}
        }
    }
    Err(rest.len())
}

/// Extends the lexeme to the end of the comment, or to the end of the text without one.
pub(super) fn block_comment_end(lexer: &mut Lexer<'_, Token>) {
    let length = block_comment_length(&lexer.source()[lexer.span().start..]);
    lexer.bump(length.map_or(lexer.remainder().len(), |length| length - 2));
}

/// Length of the comment that `text` begins with; `None` if it does not end.
fn block_comment_length(text: &str) -> Option<usize> {
    let (bytes, mut at, mut depth) = (text.as_bytes(), 0, 0usize);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

fn report_character(text: &str, span: Span, diags: &mut Diagnostics) {
    for (offset, c) in text.char_indices().filter(|&(_, c)| !is_bidi_control(c)) {
        let start = span.start + offset as u32;
        let here = Span::new(start, start + c.len_utf8() as u32);
        diags.error(Code::CharacterNotAllowed, here).arg("c", c.escape_debug());
    }
}

fn report_bidi_controls(text: &str, base: u32, diags: &mut Diagnostics) {
    if text.is_ascii() {
        return;
    }
    for (at, c) in text.char_indices().filter(|&(_, c)| is_bidi_control(c)) {
        let span = Span::new(base + at as u32, base + (at + c.len_utf8()) as u32);
        diags.error(Code::BidiControl, span).arg("n", format_args!("{:04X}", c as u32));
    }
}

/// The characters with Unicode property `Bidi_Control`.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::super::token::T;
    use super::*;

    fn check(text: &str, expected: &[Token], codes: &[&str]) {
        let mut diags = Diagnostics::new();
        let tokens: Vec<Token> = lex(text, 0, &mut diags).iter().map(|&(token, _)| token).collect();
        assert_eq!(tokens, expected, "{text:?}");
        let found: Vec<&str> = diags.iter().map(|diagnostic| diagnostic.code().id()).collect();
        assert_eq!(found, codes, "{text:?}");
    }

    #[test]
    fn operators_take_the_longest_match_and_greater_stands_alone() {
        check("a+%=b", &[Token::Ident, T![+%=], Token::Ident], &[]);
        check("a**-|b", &[Token::Ident, T![**], T![-|], Token::Ident], &[]);
        check(">>=", &[T![>], T![>], T![=]], &[]);
        check("<<=", &[T![<<=]], &[]);
        check("x as% y", &[Token::Ident, T![as%], Token::Ident], &[]);
        check("basic", &[Token::Ident], &[]);
        check("0..=9", &[Token::Int, T![..=], Token::Int], &[]);
        check("t.0.1", &[Token::Ident, T![.], Token::Int, T![.], Token::Int], &[]);
        check("_ _a statex state", &[T![_], Token::Ident, Token::Ident, T![state]], &[]);
        check("loop gas", &[Token::Reserved, Token::Ident], &[]);
    }

    #[test]
    fn comments_nest_and_documentation_stays() {
        check("a /* x /* y */ z */ b", &[Token::Ident, Token::Ident], &[]);
        check("/**/ a", &[Token::Ident], &[]);
        check("/*/ a", &[], &["K0004"]);
        check("/// d\n//! i\n// c\n//// c\na", &[Token::Doc, Token::InnerDoc, Token::Ident], &[]);
        check("a /* x /* y */", &[Token::Ident], &["K0004"]);
        check("//", &[], &[]);
    }

    #[test]
    fn strings_end_at_their_quote_or_their_line() {
        check(
            r#""a\"b" b"x" hex"00" b h"#,
            &[Token::Str, Token::Bytes, Token::Bytes, Token::Ident, Token::Ident],
            &[],
        );
        check("\"a\nb", &[Token::Str, Token::Ident], &["K0004"]);
        check("\"a\\", &[Token::Str], &["K0004"]);
        check("\"a\\\nb", &[Token::Str, Token::Ident], &["K0004"]);
        check("\"", &[Token::Str], &["K0004"]);
        check("hex\"", &[Token::Bytes], &["K0004"]);
    }

    #[test]
    fn foreign_characters_are_reported_and_left_out() {
        check("a @ b", &[Token::Ident, Token::Ident], &["K0002"]);
        check("a \u{e4} b", &[Token::Ident, Token::Ident], &["K0002"]);
        check("\"\u{e4}\" // \u{e4}", &[Token::Str], &[]);
        check("a // \u{202E}\nb", &[Token::Ident, Token::Ident], &["K0003"]);
        check("a \u{202E} b", &[Token::Ident, Token::Ident], &["K0003"]);
    }
}
