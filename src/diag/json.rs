//! Diagnostics as JSON, for editors and other tools.
//!
//! The result is an array with one object per diagnostic. A label in another file than the diagnostic has a member `file`. Offsets count bytes from 0, lines and columns
//! count from 1 and columns count characters. Members are only ever added.

use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics};
use crate::source::{Source, Span};

/// All of `diags` as one array.
pub fn to_json(diags: &Diagnostics, source: &Source) -> Value {
    diags.iter().map(|diagnostic| object(diagnostic, source)).collect()
}

fn object(diagnostic: &Diagnostic, source: &Source) -> Value {
    let labels = diagnostic.labels().iter();
    let file = source.name_at(diagnostic.span().start);
    let labels = labels.map(|label| {
        let mut object = json!({ "span": place(label.span, source), "message": label.message });
        let own = source.name_at(label.span.start);
        if own != file {
            object["file"] = own.into();
        }
        object
    });
    let fix = diagnostic.suggested_fix().map(|fix| {
        json!({
            "message": fix.message,
            "span": place(fix.span, source),
            "replacement": fix.replacement,
        })
    });
    json!({
        "code": diagnostic.code().id(),
        "severity": diagnostic.severity().to_string(),
        "message": diagnostic.title(),
        "file": file,
        "span": place(diagnostic.span(), source),
        "label": diagnostic.primary_label(),
        "labels": labels.collect::<Vec<_>>(),
        "notes": diagnostic.notes(),
        "fix": fix,
    })
}

fn place(span: Span, source: &Source) -> Value {
    let (start, end) = (source.line_column(span.start), source.line_column(span.end));
    let span = source.within_file(span);
    json!({
        "start": span.start,
        "end": span.end,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;

    #[test]
    fn places_are_given_in_bytes_and_in_lines() {
        let source = Source::new("a.kalix", "x\nlet y");
        let mut diags = Diagnostics::new();
        diags
            .error(Code::UnexpectedToken, Span::new(6, 7))
            .arg("tok", "`y`")
            .arg("set", "`;`")
            .secondary(Span::new(0, 1), "here")
            .note("a note")
            .fix(Span::at(7), ";", "add it");
        let place = |start, end, line, column, end_column| {
            json!({ "start": start, "end": end, "line": line, "column": column,
                    "end_line": line, "end_column": end_column })
        };
        let expected = json!([{
            "code": "K0001",
            "severity": "error",
            "message": "unexpected `y`, expected `;`",
            "file": "a.kalix",
            "span": place(6, 7, 2, 5, 6),
            "label": null,
            "labels": [{ "span": place(0, 1, 1, 1, 2), "message": "here" }],
            "notes": ["a note"],
            "fix": { "message": "add it", "span": place(7, 7, 2, 6, 6), "replacement": ";" },
        }]);
        assert_eq!(to_json(&diags, &source), expected);
    }
}
