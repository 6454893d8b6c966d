//! Diagnostics: what a stage says about the source text.
//!
//! A stage pushes into a [`Diagnostics`] sink and goes on. Codes, titles and explanations live in
//! [`codes`]; a [`Diagnostic`] only names a code, fills the title's placeholders and points at places.
//! Terminal text is made by [`render`], JSON for editors by [`json`].
//!
//! ```
//! use kalix::diag::{Code, Diagnostics};
//! use kalix::source::Span;
//!
//! let mut diags = Diagnostics::new();
//! diags
//!     .error(Code::MismatchedTypes, Span::new(10, 14))
//!     .arg("a", "u64")
//!     .arg("b", "bool")
//!     .label("this is a `bool`")
//!     .secondary(Span::new(2, 5), "declared here");
//! assert_eq!(diags.as_slice()[0].title(), "mismatched types: expected `u64`, found `bool`");
//! ```

mod codes;
pub mod json;
pub mod render;

pub use codes::Code;

use std::fmt;

use crate::source::Span;

/// How bad it is. Derived from the code: `K…` is an error, `W…` a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Nothing is written.
    Error,
    /// The program means what it says, but perhaps not what its author thinks.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// A second place that belongs to a diagnostic, with what it says there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What.
    pub message: String,
}

/// A change that a tool can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What to do, in words.
    pub message: String,
    /// The text to replace; empty to insert.
    pub span: Span,
    /// The text to put there.
    pub replacement: String,
}

/// One message about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    code: Code,
    span: Span,
    args: Vec<(&'static str, String)>,
    label: Option<String>,
    labels: Vec<Label>,
    notes: Vec<String>,
    fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic whose title's placeholders are still empty.
    pub fn new(code: Code, span: Span) -> Self {
        Self { code, span, args: Vec::new(), label: None, labels: Vec::new(), notes: Vec::new(), fix: None }
    }

    /// Fills placeholder `{name}` of the code's title.
    pub fn arg(&mut self, name: &'static str, value: impl fmt::Display) -> &mut Self {
        debug_assert!(self.code.has_placeholder(name), "{} has no placeholder {{{name}}}", self.code.id());
        self.args.push((name, value.to_string()));
        self
    }

    /// Says something at the primary place, beside the title.
    pub fn label(&mut self, message: impl Into<String>) -> &mut Self {
        self.label = Some(message.into());
        self
    }

    /// Points at a second place: a declaration, a borrow, an earlier definition.
    pub fn secondary(&mut self, span: Span, message: impl Into<String>) -> &mut Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Adds a sentence below the source excerpt.
    pub fn note(&mut self, message: impl Into<String>) -> &mut Self {
        self.notes.push(message.into());
        self
    }

    /// Offers a change that a tool can make.
    pub fn fix(
        &mut self,
        span: Span,
        replacement: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Self {
        self.fix = Some(Fix { message: message.into(), span, replacement: replacement.into() });
        self
    }

    /// Moves the primary place: something missing is shown where it belongs.
    pub fn move_to(&mut self, span: Span) -> &mut Self {
        self.span = span;
        self
    }

    /// Which kind of mistake.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Error or warning.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The primary place.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The code's title with its placeholders filled.
    pub fn title(&self) -> String {
        let mut title = self.code.title().to_owned();
        for (name, value) in &self.args {
            let (quoted, plain) = (format!("`{{{name}}}`"), format!("{{{name}}}"));
            let stands_alone = self.describes(value) && title.contains(&quoted);
            title = title.replacen(if stands_alone { &quoted } else { &plain }, value, 1);
        }
        title
    }

    /// Whether a value of a placeholder is a description, which stands without quotes: `expected an integer`. Codes whose
    /// values may be expressions are left out, because `a + b` begins like one.
    fn describes(&self, value: &str) -> bool {
        let takes_types = matches!(self.code, Code::MismatchedTypes | Code::ItemNotAllowed);
        takes_types && (value.starts_with("a ") || value.starts_with("an "))
    }

    /// The text at the primary place.
    pub fn primary_label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The other places.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The sentences below the excerpt.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The change that a tool can make.
    pub fn suggested_fix(&self) -> Option<&Fix> {
        self.fix.as_ref()
    }
}

/// The sink that a stage reports into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// An empty sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reports an error; the result takes placeholders, labels, notes and a fix.
    pub fn error(&mut self, code: Code, span: Span) -> &mut Diagnostic {
        debug_assert_eq!(code.severity(), Severity::Error, "{} is a warning", code.id());
        self.push(Diagnostic::new(code, span))
    }

    /// Reports a warning; the result takes placeholders, labels, notes and a fix.
    pub fn warning(&mut self, code: Code, span: Span) -> &mut Diagnostic {
        debug_assert_eq!(code.severity(), Severity::Warning, "{} is an error", code.id());
        self.push(Diagnostic::new(code, span))
    }

    /// Reports [`Code::Unsupported`]: `what` is part of the language, but not of this compiler yet.
    pub fn unsupported(&mut self, span: Span, what: impl fmt::Display) -> &mut Diagnostic {
        self.error(Code::Unsupported, span).arg("what", what)
    }

    /// Adds a finished diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.list.push(diagnostic);
        self.list.last_mut().expect("just pushed")
    }

    /// Takes over everything that another stage reported.
    pub fn append(&mut self, other: Diagnostics) {
        self.list.extend(other.list);
    }

    /// Whether any error was reported; warnings do not count.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
    }

    /// Whether nothing was reported.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Everything, in the order of reporting.
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Everything, in the order of reporting.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Sorts by place; reports about one place keep their order.
    pub fn sort(&mut self) {
        self.list.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
