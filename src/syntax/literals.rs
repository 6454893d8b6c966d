//! What literals mean: digits, suffixes and escapes.
//!
//! The lexer calls these functions to report mistakes, the parser calls them again to read the value; they
//! never fail, a wrong part is left out of the value.

use alloy_primitives::U512;

use super::ast::IntSuffix;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;

/// Reads an integer literal that starts at `at`.
pub(super) fn int(text: &str, at: u32, report: &mut dyn FnMut(Diagnostic)) -> (U512, Option<IntSuffix>) {
    let (radix, prefix) = match text.get(..2) {
        Some("0x") => (16, 2),
        Some("0b") => (2, 2),
        _ => (10, 0),
    };
    let body = &text[prefix..];
    // No digit of any base is `u` or `i`, so the first one begins the suffix.
    let (digits, suffix_text) = body.split_at(body.find(['u', 'i']).unwrap_or(body.len()));
    let whole = Span::new(at, at + text.len() as u32);
    let suffix = int_suffix(suffix_text);
    let malformed = if !suffix_text.is_empty() && suffix.is_none() {
        Some(format!("`{suffix_text}` is not an integer type"))
    } else if let Some(wrong) = digits.chars().find(|&c| c != '_' && !c.is_digit(radix)) {
        Some(format!("`{wrong}` is not a digit of base {radix}"))
    } else if digits.is_empty() {
        Some("digits are missing".to_owned())
    } else if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        Some("each `_` stands between two digits".to_owned())
    } else {
        None
    };
    if let Some(label) = malformed {
        let mut diagnostic = Diagnostic::new(Code::UnexpectedToken, whole);
        diagnostic.arg("tok", format_args!("`{text}`")).arg("set", "an integer literal").label(label);
        report(diagnostic);
        return (U512::ZERO, suffix);
    }
    let mut value = U512::ZERO;
    for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
        let next =
            value.checked_mul(U512::from(radix)).and_then(|value| value.checked_add(U512::from(digit)));
        let Some(next) = next else {
            let mut diagnostic = Diagnostic::new(Code::IntegerTooLarge, whole);
            diagnostic.arg("lit", text);
            report(diagnostic);
            return (U512::ZERO, suffix);
        };
        value = next;
    }
    (value, suffix)
}

fn int_suffix(text: &str) -> Option<IntSuffix> {
    let bits_text = text.strip_prefix(['u', 'i'])?;
    let bits: u16 = bits_text.parse().ok()?;
    let canonical = !bits_text.starts_with(['0', '+']);
    (canonical && bits.is_multiple_of(8) && (8..=256).contains(&bits))
        .then(|| IntSuffix { signed: text.starts_with('i'), bits })
}

/// Reads a string literal, quotes included, that starts at `at`.
pub(super) fn string(text: &str, at: u32, report: &mut dyn FnMut(Diagnostic)) -> String {
    let mut value = String::new();
    unescape(contents(text, 1), at + 1, Flavor::Text, report, |piece| match piece {
        Piece::Char(c) => value.push(c),
        Piece::Byte(byte) => value.push(char::from(byte)),
    });
    value
}

/// Reads `b"…"` or `hex"…"` that starts at `at`.
pub(super) fn bytes(text: &str, at: u32, report: &mut dyn FnMut(Diagnostic)) -> Vec<u8> {
    if text.starts_with("hex") {
        return hex(contents(text, 4), at + 4, report);
    }
    let mut value = Vec::new();
    unescape(contents(text, 2), at + 2, Flavor::Bytes, report, |piece| match piece {
        Piece::Char(c) => value.extend(c.to_string().bytes()),
        Piece::Byte(byte) => value.push(byte),
    });
    value
}

/// What stands between the quotes; an unterminated literal has no closing one.
fn contents(text: &str, prefix: usize) -> &str {
    let inner = &text[prefix.min(text.len())..];
    inner.strip_suffix('"').unwrap_or(inner)
}

fn hex(digits: &str, at: u32, report: &mut dyn FnMut(Diagnostic)) -> Vec<u8> {
    let mut nibbles = Vec::new();
    let mut wrong = None;
    for (offset, c) in digits.char_indices() {
        match c.to_digit(16) {
            Some(digit) => nibbles.push(digit as u8),
            None if c == '_' => {}
            None => wrong = wrong.or(Some((offset, c))),
        }
    }
    let problem = match wrong {
        Some((offset, c)) => Some((at + offset as u32, format!("`{c}`"))),
        None if nibbles.len() % 2 == 1 => {
            Some((at + digits.len() as u32, "the end of the literal".to_owned()))
        }
        None => None,
    };
    if let Some((offset, found)) = problem {
        let mut diagnostic = Diagnostic::new(Code::UnexpectedToken, Span::at(offset));
        diagnostic.arg("tok", found).arg("set", "a hexadecimal digit");
        report(diagnostic);
    }
    nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Flavor {
    Text,
    Bytes,
}

enum Piece {
    Char(char),
    Byte(u8),
}

fn unescape(
    text: &str,
    at: u32,
    flavor: Flavor,
    report: &mut dyn FnMut(Diagnostic),
    mut push: impl FnMut(Piece),
) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let offset = at + (text.len() - rest.len()) as u32;
        if c != '\\' {
            if flavor == Flavor::Bytes && !c.is_ascii() {
                let mut diagnostic = Diagnostic::new(
                    Code::CharacterNotAllowed,
                    Span::new(offset, offset + c.len_utf8() as u32),
                );
                diagnostic.arg("c", c).label("a bytes literal is written in ASCII and `\\xNN`");
                report(diagnostic);
            }
            push(Piece::Char(c));
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (piece, length) = escape(&rest[1..], flavor);
        match piece {
            Some(piece) => push(piece),
            None => {
                let shown: String = rest[1..].chars().take(1).collect();
                let mut diagnostic =
                    Diagnostic::new(Code::UnknownEscape, Span::new(offset, offset + 1 + length as u32));
                diagnostic.arg("c", shown);
                report(diagnostic);
            }
        }
        rest = &rest[1 + length..];
    }
}

/// Reads one escape after its backslash: what it stands for, and how many bytes it takes.
fn escape(rest: &str, flavor: Flavor) -> (Option<Piece>, usize) {
    let Some(c) = rest.chars().next() else { return (None, 0) };
    let simple = |byte| (Some(Piece::Byte(byte)), 1);
    match c {
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        '0' => simple(0),
        '"' => simple(b'"'),
        '\\' => simple(b'\\'),
        'x' => {
            let code = rest.get(1..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            let limit = if flavor == Flavor::Bytes { 0xFF } else { 0x7F };
            match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|&byte| byte <= limit) {
                Some(byte) => (Some(Piece::Byte(byte)), 3),
                None => (None, 1),
            }
        }
        'u' if flavor == Flavor::Text => {
            let code =
                rest[1..].strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(code, _)| code);
            let well_formed = |code: &&str| {
                !code.is_empty() && code.len() <= 6 && code.bytes().all(|byte| byte.is_ascii_hexdigit())
            };
            let Some(code) = code.filter(well_formed) else { return (None, 1) };
            let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            (c.map(Piece::Char), code.len() + 3)
        }
        _ => (None, c.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_int(text: &str) -> (Option<u64>, Option<IntSuffix>, Vec<&'static str>) {
        let mut codes = Vec::new();
        let (value, suffix) = int(text, 0, &mut |diagnostic| codes.push(diagnostic.code().id()));
        (u64::try_from(value).ok(), suffix, codes)
    }

    #[test]
    fn integers_of_each_base() {
        assert_eq!(read_int("1_000"), (Some(1000), None, vec![]));
        assert_eq!(read_int("0xFf"), (Some(255), None, vec![]));
        assert_eq!(read_int("0b101u8"), (Some(5), Some(IntSuffix { signed: false, bits: 8 }), vec![]));
        assert_eq!(read_int("7i256"), (Some(7), Some(IntSuffix { signed: true, bits: 256 }), vec![]));
    }

    #[test]
    fn malformed_integers_are_reported() {
        for text in ["1__0", "1_", "0x", "0b2", "12abc", "1u7", "1u08", "1u264", "1u", "0x_1"] {
            assert_eq!(read_int(text).2, ["K0001"], "{text}");
        }
        let nines = "9".repeat(155);
        assert_eq!(read_int(&nines).2, ["K0006"]);
        let limit = format!("0x{}", "f".repeat(128));
        assert!(read_int(&limit).2.is_empty());
    }

    fn read_string(text: &str) -> (String, Vec<&'static str>) {
        let mut codes = Vec::new();
        let value = string(text, 0, &mut |diagnostic| codes.push(diagnostic.code().id()));
        (value, codes)
    }

    #[test]
    fn escapes() {
        assert_eq!(read_string(r#""a\n\x41\u{1F600}\"\\""#), ("a\nA\u{1F600}\"\\".to_owned(), vec![]));
        for text in
            [r#""\q""#, r#""\x80""#, r#""\xZ0""#, r#""\u{}""#, r#""\u{110000}""#, r#""\u41""#, "\"\\\u{e4}\""]
        {
            assert_eq!(read_string(text).1, ["K0007"], "{text}");
        }
    }

    #[test]
    fn bytes_and_hex() {
        let read = |text: &str| {
            let mut codes = Vec::new();
            let value = bytes(text, 0, &mut |diagnostic| codes.push(diagnostic.code().id()));
            (value, codes)
        };
        assert_eq!(read(r#"b"a\xFF""#), (vec![b'a', 0xFF], vec![]));
        assert_eq!(read(r#"hex"00fF""#), (vec![0, 0xFF], vec![]));
        assert_eq!(read(r#"hex"0""#).1, ["K0001"]);
        assert_eq!(read(r#"hex"0g""#).1, ["K0001"]);
        assert_eq!(read("b\"\u{e4}\"").1, ["K0002"]);
        assert_eq!(read(r#"b"\u{41}""#).1, ["K0007"]);
    }
}
