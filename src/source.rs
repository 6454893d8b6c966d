//! Source text, byte spans and the line index.
//!
//! A [`Source`] holds the files of a compilation in memory; reading them from a disk is the caller's business. A [`Span`]
//! is a pair of byte offsets into all of them, so every tree node and every IR instruction can carry one in eight
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

/// A file of a [`Source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

impl FileId {
    /// The file that the compilation is about.
    pub const ROOT: FileId = FileId(0);

    /// The file of this position in [`Source::files`].
    pub(crate) const fn of(index: usize) -> FileId {
        FileId(index as u32)
    }

    /// Its position in [`Source::files`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The source files of a compilation in memory, with their names and line index.
///
/// Their texts stand one behind the other, so that a [`Span`] says by itself in which file it lies.
#[derive(Clone, Debug)]
pub struct Source {
    text: String,
    // Invariant: in the order of their texts; never empty.
    files: Vec<File>,
    // Invariant: ascending; the first entry is 0 and each other one follows a `\n`. Each file begins a line.
    line_starts: Vec<u32>,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    start: u32,
    end: u32,
}

impl Source {
    /// Wraps `text`; `name` is what diagnostics and the source map call it.
    ///
    /// # Panics
    /// If `text` is longer than [`SOURCE_SIZE_MAX`].
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        assert!(text.len() <= SOURCE_SIZE_MAX, "the caller checks SOURCE_SIZE_MAX");
        let end = text.len() as u32;
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at as u32 + 1)).collect();
        Self { text, files: vec![File { name, start: 0, end }], line_starts }
    }

    /// Adds a file; nothing if all texts together would be longer than [`SOURCE_SIZE_MAX`].
    pub fn add_file(&mut self, name: &str, text: &str) -> Option<FileId> {
        if self.text.len() + 1 + text.len() > SOURCE_SIZE_MAX {
            return None;
        }
        if !self.text.ends_with('\n') {
            self.text.push('\n');
            self.line_starts.push(self.text.len() as u32);
        }
        let start = self.text.len() as u32;
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        self.line_starts.extend(newlines.map(|(at, _)| start + at as u32 + 1));
        self.text.push_str(text);
        let id = FileId(self.files.len() as u32);
        self.files.push(File { name: name.to_owned(), start, end: self.text.len() as u32 });
        Some(id)
    }

    /// The name given at construction, usually a path.
    pub fn name(&self) -> &str {
        &self.files[0].name
    }

    /// Name and text of each file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = |file: &File| self.slice(Span::new(file.start, file.end));
        self.files.iter().map(move |file| (file.name.as_str(), text(file)))
    }

    /// Where the text of each file stands.
    pub fn file_spans(&self) -> impl Iterator<Item = Span> {
        self.files.iter().map(|file| Span::new(file.start, file.end))
    }

    /// The text of all files.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the text of a file stands.
    pub fn file_span(&self, file: FileId) -> Span {
        let file = &self.files[file.index()];
        Span::new(file.start, file.end)
    }

    /// The file in which an offset lies; one between two files counts to the first.
    pub fn file_at(&self, offset: u32) -> FileId {
        FileId(self.files.partition_point(|file| file.start <= offset).saturating_sub(1) as u32)
    }

    /// The name of the file in which an offset lies.
    pub fn name_at(&self, offset: u32) -> &str {
        &self.files[self.file_at(offset).index()].name
    }

    /// A span counted from the beginning of its file.
    pub fn within_file(&self, span: Span) -> Span {
        let start = self.files[self.file_at(span.start).index()].start;
        Span::new(span.start.saturating_sub(start), span.end.saturating_sub(start))
    }

    /// The text under `span`; empty when the span does not lie in this text on character boundaries.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset in its file; an offset past the end counts as the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let file = &self.files[self.file_at(offset).index()];
        let offset = offset.min(file.end);
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1] as usize;
        let before = self.text.as_bytes()[start..offset as usize].iter();
        // Continuation bytes are not characters of their own.
        let column = before.filter(|&&byte| byte & 0xC0 != 0x80).count() as u32 + 1;
        let lines_before = self.line_starts.partition_point(|&start| start < file.start);
        LineColumn { line: (line - lines_before) as u32, column }
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
    fn files_count_their_own_lines() {
        let mut source = Source::new("a", "ab");
        let second = source.add_file("b", "c\nd\n").expect("it is short");
        let third = source.add_file("c", "e").expect("it is short");
        assert_eq!(source.text(), "ab\nc\nd\ne");
        assert_eq!((source.file_span(second), source.file_span(third)), (Span::new(3, 7), Span::new(7, 8)));
        let at = |offset| {
            let position = source.line_column(offset);
            (source.name_at(offset), position.line, position.column)
        };
        assert_eq!(at(2), ("a", 1, 3));
        assert_eq!(at(3), ("b", 1, 1));
        assert_eq!(at(5), ("b", 2, 1));
        assert_eq!(at(7), ("c", 1, 1));
        assert_eq!(source.within_file(Span::new(5, 6)), Span::new(2, 3));
        assert!(source.add_file("d", &" ".repeat(SOURCE_SIZE_MAX)).is_none());
    }

    #[test]
    fn slicing_outside_the_text_is_empty() {
        let source = Source::new("a", "\u{e4}");
        assert_eq!(source.slice(Span::new(0, 2)), "\u{e4}");
        assert_eq!(source.slice(Span::new(1, 2)), "");
        assert_eq!(source.slice(Span::new(0, 9)), "");
    }
}
