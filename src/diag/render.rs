//! Diagnostics as terminal text (ariadne).
//!
//! Whether to use colors is the caller's decision: it knows whether the text goes to a terminal.

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind};

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::{Source, Span};

/// Renders all of `diags`, one after another.
pub fn render(diags: &Diagnostics, source: &Source, color: bool) -> String {
    let mut text = Vec::new();
    let mut cache = ariadne::sources(source.files().map(|(name, text)| (name.to_owned(), text)));
    for diagnostic in diags {
        report(diagnostic, source, color, &mut cache, &mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Renders one sentence per diagnostic: `file:line:column: error[K0201]: title`.
pub fn render_short(diags: &Diagnostics, source: &Source) -> String {
    let line = |diagnostic: &Diagnostic| {
        let at = source.line_column(diagnostic.span().start);
        let name = source.name_at(diagnostic.span().start);
        let (severity, code) = (diagnostic.severity(), diagnostic.code().id());
        format!("{name}:{}:{}: {severity}[{code}]: {}\n", at.line, at.column, diagnostic.title())
    };
    diags.iter().map(line).collect()
}

fn report(
    diagnostic: &Diagnostic,
    source: &Source,
    color: bool,
    cache: &mut impl ariadne::Cache<String>,
    out: &mut Vec<u8>,
) {
    let heading = format!("{}[{}]", diagnostic.severity(), diagnostic.code().id());
    let accent = match diagnostic.severity() {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
    };
    let place = |span: Span| {
        let file = source.file_span(source.file_at(span.start)).start as usize;
        let range = visible(span, source);
        (source.name_at(span.start).to_owned(), range.start - file..range.end - file)
    };
    let span = diagnostic.span();
    let (file, _) = place(span);
    // The place itself, where an empty one is underlined beside it.
    let start =
        source.within_file(span).start.min(source.file_span(source.file_at(span.start)).len()) as usize;
    // A label without text would not be drawn.
    let message = diagnostic.primary_label().unwrap_or("here");
    let primary =
        Label::new(place(diagnostic.span())).with_message(message).with_color(accent).with_order(-1);
    let config = Config::new()
        .with_color(color)
        .with_index_type(IndexType::Byte)
        .with_char_set(CharSet::Unicode)
        .with_tab_width(4);
    let mut report = Report::build(ReportKind::Custom(&heading, accent), (file, start..start))
        .with_config(config)
        .with_label(primary);
    for label in diagnostic.labels() {
        report.add_label(Label::new(place(label.span)).with_message(&label.message).with_color(Color::Blue));
    }
    for note in diagnostic.notes() {
        report.add_note(note);
    }
    if let Some(fix) = diagnostic.suggested_fix() {
        report.add_help(&fix.message);
    }
    let mut excerpt = Vec::new();
    report.finish().write(cache, &mut excerpt).expect("writing to memory does not fail");
    // ariadne colors its own heading even where colors are off, so the first line is ours.
    let heading = if color { bold(&heading, accent) } else { heading };
    out.extend(format!("{heading}: {}\n", diagnostic.title()).bytes());
    out.extend(excerpt.splitn(2, |&byte| byte == b'\n').nth(1).unwrap_or_default());
}

fn bold(text: &str, color: Color) -> String {
    let number = if color == Color::Red { 31 } else { 33 };
    format!("\x1b[1;{number}m{text}\x1b[0m")
}

/// A span that can be underlined: an empty one is widened to the character after it, or before it where
/// the line ends. It stays within its file.
fn visible(span: Span, source: &Source) -> std::ops::Range<usize> {
    let text = source.text();
    let file = source.file_span(source.file_at(span.start));
    let mut range = span.start as usize..(span.end.min(file.end)) as usize;
    range.start = range.start.min(range.end);
    if !range.is_empty() {
        return range;
    }
    if let Some(next) = text[range.end..].chars().next().filter(|&c| c != '\n') {
        range.end += next.len_utf8();
    } else if let Some(previous) =
        text[file.start as usize..range.start].chars().next_back().filter(|&c| c != '\n')
    {
        range.start -= previous.len_utf8();
    }
    range
}
