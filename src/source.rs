//! Source text, byte spans and the line index.
//!
//! A [`Source`] is one file held in memory; reading it from a disk is the caller's business. A [`Span`]
//! is a pair of byte offsets into it, so every tree node and every IR instruction can carry one in eight
//! bytes. Rendering spans for a reader lives in [`diag`](crate::diag).

use std::fmt;
use std::ops::Range;

/// The longest source text that the compiler accepts, in bytes.
///
/// Callers that read files check it first and report a usage error; [`Source::new`] asserts it.
pub const SOURCE_SIZE_MAX: usize = 16 << 20;

/// A half-open range of byte offsets into one source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to, and not including, `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The empty span at `offset`.
    pub const fn at(offset: u32) -> Self {
        Self { start: offset, end: offset }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty span just after this one.
    pub const fn after(self) -> Span {
        Span { start: self.end, end: self.end }
    }

    /// The span as a range that indexes the source text.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span covers no byte.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A position for a reader: both numbers count from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line number.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// One source file in memory, with its name and line index.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    // Invariant: ascending; the first entry is 0 and each other one follows a `\n`.
    line_starts: Vec<u32>,
}

impl Source {
    /// Wraps `text`; `name` is what diagnostics and the source map call it.
    ///
    /// # Panics
    /// If `text` is longer than [`SOURCE_SIZE_MAX`].
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        assert!(text.len() <= SOURCE_SIZE_MAX, "the caller checks SOURCE_SIZE_MAX");
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at as u32 + 1)).collect();
        Self { name, text, line_starts }
    }

    /// The name given at construction, usually a path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text under `span`; empty when the span does not lie in this text on character boundaries.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// The empty span at the end of the text.
    pub fn end(&self) -> Span {
        Span::at(self.text.len() as u32)
    }

    /// Line and column of a byte offset; an offset past the end counts as the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1] as usize;
        let before = self.text.as_bytes()[start..offset as usize].iter();
        // Continuation bytes are not characters of their own.
        let column = before.filter(|&&byte| byte & 0xC0 != 0x80).count() as u32 + 1;
        LineColumn { line: line as u32, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let source = Source::new("a", "ab\n\u{e4}b\n");
        let at = |offset| {
            let position = source.line_column(offset);
            (position.line, position.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (1, 3));
        assert_eq!(at(3), (2, 1));
        assert_eq!(at(5), (2, 2));
        assert_eq!(at(7), (3, 1));
        assert_eq!(at(u32::MAX), (3, 1));
    }

    #[test]
    fn slicing_outside_the_text_is_empty() {
        let source = Source::new("a", "\u{e4}");
        assert_eq!(source.slice(Span::new(0, 2)), "\u{e4}");
        assert_eq!(source.slice(Span::new(1, 2)), "");
        assert_eq!(source.slice(Span::new(0, 9)), "");
    }
}
