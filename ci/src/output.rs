//! Where text goes. The only place that writes to standard output and standard error.
//!
//! When nobody reads standard output any more (`gupcheck list | head`), the command ends quietly.

use std::io::{self, Write};

use gupcheck_trace::{Line, Role, Text};

use crate::error::Error;
use crate::paint;

/// The width of a page that nobody will see on a terminal.
const PLAIN_WIDTH: usize = 120;

/// Standard output, or what stands for it in a test.
pub(crate) struct Output {
    writer: Box<dyn Write>,
    width: usize,
    deaf: bool,
}

impl Output {
    pub(crate) fn new(writer: Box<dyn Write>, width: usize) -> Self {
        Self {
            writer,
            width,
            deaf: false,
        }
    }

    /// How many columns a page has.
    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    /// Whether the reader has gone: what is written now, nobody reads.
    pub(crate) const fn nobody_reads(&self) -> bool {
        self.deaf
    }

    /// Writes a line in its colours.
    pub(crate) fn line(&mut self, line: &Line) -> Result<(), Error> {
        self.write(&paint::painted(line))
    }

    /// Writes a line without any.
    pub(crate) fn plain(&mut self, text: &str) -> Result<(), Error> {
        self.write(text)
    }

    /// Writes several lines in their colours.
    pub(crate) fn text(&mut self, text: &Text) -> Result<(), Error> {
        text.lines().iter().try_for_each(|line| self.line(line))
    }

    fn write(&mut self, line: &str) -> Result<(), Error> {
        if self.deaf {
            return Ok(());
        }
        let written = writeln!(self.writer, "{line}").and_then(|()| self.writer.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.deaf = true;
                Ok(())
            }
            other => Ok(other?),
        }
    }
}

/// The width of the terminal that standard output is, or of a page for a file.
pub(crate) fn terminal_width() -> usize {
    terminal_size::terminal_size_of(io::stdout())
        .map_or(PLAIN_WIDTH, |(width, _)| usize::from(width.0))
}

/// Says on standard error what is wrong.
pub(crate) fn complain(error: &Error) {
    complain_of(&error.to_string());
}

/// Says on standard error what is wrong, in these words.
pub(crate) fn complain_of(what: &str) {
    let line = Line::of(Role::Alarm, "error").and(Role::Plain, format!(": {what}"));
    to_stderr(&line);
}

/// Says something on standard error that is not an answer.
pub(crate) fn remark(text: &str) {
    to_stderr(&Line::of(Role::Dim, format!("gupcheck: {text}")));
}

fn to_stderr(line: &Line) {
    // Nothing is left to be done if not even this can be said.
    let _ = writeln!(anstream::stderr(), "{}", paint::painted(line));
}
