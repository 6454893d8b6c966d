//! Files of several programs: where one begins, and when two are the same but for names and literals.
//!
//! A line `//! case: <what rule it tests>` begins a program that is compiled and judged by itself. What stands
//! before the first one belongs to the file as a whole. A file without such a line is one program.

use kalix::syntax::token::Token;
use logos::Logos;

/// What begins the line that begins a program.
const MARK: &str = "//! case:";

/// One program of a file.
#[derive(Clone, Copy, Debug)]
pub struct Case<'t> {
    /// What it tests; empty if the file has only one program and doesn't say.
    pub name: &'t str,
    /// Its whole text, the line of its name included.
    pub text: &'t str,
    /// How many lines of the file precede it.
    pub lines_before: usize,
}

/// What stands before the programs of a file, and these.
pub fn split(text: &str) -> (&str, Vec<Case<'_>>) {
    let mut starts = Vec::new();
    let mut offset = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some(name) = line.strip_prefix(MARK) {
            starts.push((number, offset, name.trim()));
        }
        offset += line.len();
    }
    let Some(&(_, first, _)) = starts.first() else {
        return ("", vec![Case { name: "", text, lines_before: 0 }]);
    };
    let ends = starts.iter().skip(1).map(|start| start.1).chain([text.len()]);
    let cases = starts.iter().zip(ends).map(|(&(lines_before, start, name), end)| Case {
        name,
        text: &text[start..end],
        lines_before,
    });
    (&text[..first], cases.collect())
}

/// What is left of a program when comments go, every name is the same name and every literal the same literal.
pub fn shape(text: &str) -> Vec<Option<Token>> {
    let one = |token| match token {
        Token::Int | Token::Str | Token::Bytes | Token::True | Token::False => Token::Int,
        other => other,
    };
    let is_comment = |token: &Token| matches!(token, Token::Doc | Token::InnerDoc | Token::BlockComment);
    // A character that is in no token counts as one of its own.
    let tokens = Token::lexer(text).map(Result::ok);
    tokens.filter(|token| !token.as_ref().is_some_and(is_comment)).map(|token| token.map(one)).collect()
}
