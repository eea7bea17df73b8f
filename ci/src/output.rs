//! Where text goes. The only place that writes to standard output and standard error.
//!
//! When nobody reads standard output any more (`gupcheck list | head`), the command ends quietly.

use std::borrow::Cow;
use std::io::{self, Write};

use gupcheck_trace::{Line, Role, Text};

use crate::error::Error;
use crate::harmless::harmless;
use crate::paint;

/// The width of a page that nobody will see on a terminal.
const PLAIN_WIDTH: usize = 120;
/// How much deeper the rest of a broken line stands.
const HANG: usize = 4;

/// Standard output, or what stands for it in a test.
pub(crate) struct Output {
    writer: Box<dyn Write>,
    page: Screen,
    deaf: bool,
}

/// What text is shown on.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    /// Columns.
    width: usize,
    /// Whether a longer line is broken: on a terminal, where nobody but a person reads.
    breaks: bool,
    /// Whether it shows ASCII alone.
    ascii: bool,
}

impl Screen {
    /// Standard output.
    pub(crate) fn of_stdout() -> Self {
        let terminal = terminal_size::terminal_size_of(io::stdout());
        let asked = std::env::var("COLUMNS").ok();
        let shown = terminal.map(|(width, _)| usize::from(width.0));
        Self {
            width: asked
                .and_then(|columns| columns_of(&columns))
                .or(shown)
                .unwrap_or(PLAIN_WIDTH),
            breaks: terminal.is_some(),
            ascii: !locale_is_utf8(|name| std::env::var(name).ok()),
        }
    }
}

/// How wide a page is to be, if this says so: wide enough for a word and a number.
fn columns_of(columns: &str) -> Option<usize> {
    let columns = columns.trim().parse().ok()?;
    (20..=10_000).contains(&columns).then_some(columns)
}

/// Whether the locale of the environment has UTF-8: the first of these that is set says so.
fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.ends_with("utf-8") || locale.ends_with("utf8") || locale.contains("utf-8@")
    })
}

impl Output {
    pub(crate) fn new(writer: Box<dyn Write>, page: Screen) -> Self {
        Self {
            writer,
            page,
            deaf: false,
        }
    }

    /// What it is shown on.
    pub(crate) const fn screen(&self) -> Screen {
        self.page
    }

    /// Whether only ASCII can be shown.
    pub(crate) const fn is_ascii(&self) -> bool {
        self.page.ascii
    }

    /// How many columns a page has.
    pub(crate) const fn width(&self) -> usize {
        self.page.width
    }

    /// Whether the reader has gone: what is written now, nobody reads.
    pub(crate) const fn nobody_reads(&self) -> bool {
        self.deaf
    }

    /// Writes a line in its colours, broken where it is longer than a terminal is wide.
    pub(crate) fn line(&mut self, line: &Line) -> Result<(), Error> {
        if !self.page.breaks || line.width() <= self.page.width {
            return self.write(&paint::painted(line));
        }
        let parts = line.clone().wrapped(self.page.width, HANG);
        (parts.iter()).try_for_each(|part| self.write(&paint::painted(part)))
    }

    /// Writes a line without any.
    pub(crate) fn plain(&mut self, text: &str) -> Result<(), Error> {
        self.write(&harmless(text))
    }

    /// Writes several lines in their colours.
    pub(crate) fn text(&mut self, text: &Text) -> Result<(), Error> {
        // It is laid out for this width already; what is longer (a token) must stay whole.
        (text.lines().iter()).try_for_each(|line| self.write(&paint::painted(line)))
    }

    fn write(&mut self, line: &str) -> Result<(), Error> {
        if self.deaf {
            return Ok(());
        }
        let line = if self.page.ascii {
            in_ascii(line)
        } else {
            Cow::Borrowed(line)
        };
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

/// A text with ASCII alone: what stands for something else is put in its place.
fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.replace('\u{b1}', "+-")
            .replace(|c: char| !c.is_ascii(), "?"),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_says_whether_there_is_utf_8() {
        let is_utf8 = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> = (set.iter())
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            locale_is_utf8(|name| {
                let found = set.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone())
            })
        };
        assert!(is_utf8(&[("LANG", "en_US.UTF-8")]));
        assert!(is_utf8(&[("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(is_utf8(&[("LANG", "de_DE.UTF-8@euro")]));
        assert!(!is_utf8(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!is_utf8(&[("LANG", "de_DE.ISO-8859-1")]));
        assert!(!is_utf8(&[("LC_ALL", "")]));
    }

    #[test]
    fn columns_that_make_no_page_are_ignored() {
        assert_eq!(columns_of("80"), Some(80));
        assert_eq!(columns_of(" 200 "), Some(200));
        for senseless in ["", "0", "5", "-80", "wide", "99999999999999999999"] {
            assert_eq!(columns_of(senseless), None, "{senseless}");
        }
    }

    #[test]
    fn what_is_not_ascii_is_written_otherwise() {
        assert_eq!(in_ascii("of about 12 \u{b1} 3"), "of about 12 +- 3");
        assert_eq!(in_ascii("plain"), "plain");
    }
}
