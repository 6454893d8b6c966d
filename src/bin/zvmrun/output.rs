//! Where the report goes. A reader that goes away (`zvmrun … | head`) ends the printing, not the run.

use std::io::{self, ErrorKind, Stdout, Write};

use serde_json::Value;

use crate::failure::Failure;

/// Standard output, in text or JSON.
pub(crate) struct Output<W = Stdout> {
    writer: W,
    is_json: bool,
    /// The first error, after which nothing is written.
    error: Option<io::Error>,
}

impl Output {
    /// Output to the process's standard output.
    pub(crate) fn new(is_json: bool) -> Output {
        Output { writer: io::stdout(), is_json, error: None }
    }
}

impl<W: Write> Output<W> {
    /// Writes a piece of the text report; nothing in JSON.
    ///
    /// It is flushed, so that it stands in the right order beside what goes to standard error.
    pub(crate) fn text(&mut self, text: &str) {
        if !self.is_json {
            self.write(text.as_bytes());
        }
    }

    /// Writes the JSON document; nothing in text.
    pub(crate) fn json(&mut self, document: &Value) {
        if self.is_json {
            self.write(format!("{document:#}\n").as_bytes());
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.writer.write_all(bytes).and_then(|()| self.writer.flush()).err();
        }
    }

    /// Whether everything was written, or the reader did not want the rest.
    pub(crate) fn finish(self) -> Result<(), io::Error> {
        match self.error {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// Writes a failure to standard error, if anyone listens there.
pub(crate) fn complain(failure: &Failure) {
    let _ = writeln!(io::stderr(), "{failure}");
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind, usize);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn output(kind: ErrorKind) -> Output<Failing> {
        let mut output = Output { writer: Failing(kind, 0), is_json: false, error: None };
        output.text("one");
        output.text("two");
        output
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_is_asked_once() {
        let output = output(ErrorKind::BrokenPipe);
        assert_eq!(output.writer.1, 1);
        assert!(output.finish().is_ok());
    }

    #[test]
    fn a_full_disk_is_an_error() {
        assert_eq!(output(ErrorKind::StorageFull).finish().unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
