//! Lines that say what is reported about the line above them.

use std::fmt::Write as _;

use kalix::diag::Diagnostic;
use kalix::source::Source;

/// What an annotation or a diagnostic says about one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// Counted from zero within its module.
    pub(crate) line: usize,
    /// First column and the one after the last, counted from zero; nothing for `//~`.
    columns: Option<(usize, usize)>,
    /// `error[K0203]`
    pub(crate) code: String,
    pub(crate) text: String,
    /// What is said beside the title: all of it about a diagnostic, what shall be among it in an annotation.
    hints: Vec<String>,
}

/// What divides the hints of an annotation from its title, and from each other.
const HINT: &str = " => ";

impl Remark {
    /// What a diagnostic about a module with this text says.
    pub(crate) fn of(text: &str, source: &Source, diagnostic: &Diagnostic) -> Remark {
        let span = diagnostic.span();
        let (code, title) =
            (format!("{}[{}]", diagnostic.severity(), diagnostic.code().id()), diagnostic.title());
        let own = diagnostic.primary_label().into_iter().map(str::to_owned);
        let notes = diagnostic.labels().iter().map(|label| &label.message).chain(diagnostic.notes()).cloned();
        let fix = diagnostic.suggested_fix().map(|fix| format!("{}: `{}`", fix.message, fix.replacement));
        let hints = own.chain(notes).chain(fix).collect();
        let start = source.line_column(span.start);
        let Some(line) = text.lines().nth(start.line as usize - 1) else {
            // At the end of the file: the annotation stands below its last line.
            let last = text.lines().enumerate().filter(|(_, line)| !is_annotation(line)).last();
            return Remark { line: last.map_or(0, |(at, _)| at), columns: None, code, text: title, hints };
        };
        let first = start.column as usize - 1;
        // A place that goes on below is marked up to the end of its first line.
        let end = source.line_column(span.end.max(span.start + 1));
        let last = if end.line == start.line { end.column as usize - 1 } else { line.chars().count() };
        Remark {
            line: start.line as usize - 1,
            columns: Some((first, last.max(first + 1))),
            code,
            text: title,
            hints,
        }
    }

    /// Whether this annotation is about what was found.
    pub(crate) fn allows(&self, found: &Remark) -> bool {
        self.line == found.line
            && self.code == found.code
            && (self.columns.is_none() || self.columns == found.columns)
            && found.text.contains(&self.text)
            && self.hints.iter().all(|hint| found.hints.iter().any(|given| given.contains(hint)))
    }

    /// What follows the carets.
    pub(crate) fn shown(&self) -> String {
        let hints: String = self.hints.iter().map(|hint| format!("{HINT}{hint}")).collect();
        format!("{}: {}{hints}", self.code, self.text)
    }
}

/// Whether a line is an annotation.
pub(crate) fn is_annotation(line: &str) -> bool {
    line.trim_start().strip_prefix("//").is_some_and(|rest| rest.starts_with(['^', '~']))
}

/// The annotations of a text; the line of one that cannot be read.
pub(crate) fn read(text: &str) -> Result<Vec<Remark>, usize> {
    let mut remarks = Vec::new();
    let mut about = 0;
    for (at, line) in text.lines().enumerate() {
        if !is_annotation(line) {
            about = at;
            continue;
        }
        let start = line.find("//").expect("annotations are comments") + 2;
        let marks = line[start..].chars().take_while(|&mark| mark == '^' || mark == '~').count();
        let (code, text) = line[start + marks..].trim().split_once(": ").ok_or(at)?;
        let columns = (line.as_bytes()[start] == b'^').then_some((start, start + marks));
        let mut parts = text.split(HINT).map(str::to_owned);
        let text = parts.next().unwrap_or_default();
        remarks.push(Remark { line: about, columns, code: code.into(), text, hints: parts.collect() });
    }
    Ok(remarks)
}

/// Adds a text with these annotations in place of its own. What still holds is kept as it is written.
pub(crate) fn write(text: &str, remarks: &[&Remark], out: &mut String) {
    let before = read(text).unwrap_or_default();
    for (at, line) in text.lines().enumerate() {
        if is_annotation(line) {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        for remark in remarks.iter().filter(|remark| remark.line == at) {
            match remark.columns {
                Some((first, last)) if first >= 2 => {
                    let _ = write!(out, "{}//{}", " ".repeat(first - 2), "^".repeat(last - first));
                }
                _ => out.push_str("//~"),
            }
            let known = before.iter().find(|known| known.allows(remark));
            let shown = match known {
                Some(known) => known.shown(),
                None => Remark { hints: Vec::new(), ..Remark::clone(remark) }.shown(),
            };
            let _ = writeln!(out, " {shown}");
        }
    }
}
