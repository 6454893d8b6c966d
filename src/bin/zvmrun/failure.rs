//! A failure as the user sees it: what went wrong, where, and what to do.

use std::fmt;

use crate::status::Status;

/// Something that did not work, and the status zvmrun ends with because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Status of the process.
    pub(crate) status: Status,
    /// What went wrong, one sentence.
    pub(crate) message: String,
    /// Where: a file and offset, a call.
    pub(crate) place: Option<String>,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Failure {
    /// A failure that says only what went wrong.
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Failure {
        Failure { status, message: message.into(), place: None, help: None }
    }

    /// Says where, unless a place nearer to the cause is known already.
    pub(crate) fn at(mut self, place: impl Into<String>) -> Failure {
        self.place.get_or_insert_with(|| place.into());
        self
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zvmrun: {}", self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n  at: {place}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", help.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}
