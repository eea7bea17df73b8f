//! Why a litmus test cannot be explored: always with the place, never a guess.
//!
//! Inside the crate a [`Complaint`] carries byte offsets; it becomes a [`LitmusError`], with line and
//! column, at the one door through which sources come in ([`crate::Litmus::parse`]).

use std::fmt;
use std::ops::Range;

/// A range of the source, in bytes, and where it begins for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bytes of the source that are meant.
    pub span: Range<usize>,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, in characters, counted from 1.
    pub column: usize,
}

impl Place {
    pub(crate) fn new(source: &str, span: Span) -> Self {
        let mut start = span.start.min(source.len());
        while !source.is_char_boundary(start) {
            start -= 1;
        }
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            span: start..span.end.max(start),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a source is not a litmus test that can be explored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LitmusError {
    /// The source is not a C litmus test.
    #[error("syntax: expected {expected}, found {found} at {place}")]
    Syntax {
        /// What could have stood there.
        expected: String,
        /// What stands there.
        found: String,
        /// Where.
        place: Place,
    },
    /// The source may well be a litmus test, but this crate gives no meaning to a part of it.
    #[error("unsupported: {what} at {place}")]
    Unsupported {
        /// Which part, and why where that is not plain.
        what: String,
        /// Where.
        place: Place,
    },
    /// The source contradicts itself: a name that nothing declares, a call with a missing argument.
    #[error("invalid: {what} at {place}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// Where.
        place: Place,
    },
}

impl LitmusError {
    /// Where in the source the trouble is.
    pub fn place(&self) -> &Place {
        match self {
            Self::Syntax { place, .. }
            | Self::Unsupported { place, .. }
            | Self::Invalid { place, .. } => place,
        }
    }
}

/// A range of the source in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// A [`LitmusError`] that does not know its line yet.
#[derive(Clone, Debug)]
pub(crate) enum Complaint {
    Syntax {
        expected: String,
        found: String,
        span: Span,
    },
    Unsupported(String, Span),
    Invalid(String, Span),
}

impl Complaint {
    pub(crate) fn placed(self, source: &str) -> LitmusError {
        match self {
            Self::Syntax {
                expected,
                found,
                span,
            } => LitmusError::Syntax {
                expected,
                found,
                place: Place::new(source, span),
            },
            Self::Unsupported(what, span) => LitmusError::Unsupported {
                what,
                place: Place::new(source, span),
            },
            Self::Invalid(what, span) => LitmusError::Invalid {
                what,
                place: Place::new(source, span),
            },
        }
    }
}

/// Either something of the source, or a complaint about it.
pub(crate) type Checked<T> = Result<T, Complaint>;

/// A complaint that no meaning is given to something.
pub(crate) fn unsupported<T>(what: impl Into<String>, span: Span) -> Checked<T> {
    Err(Complaint::Unsupported(what.into(), span))
}

/// A complaint that the source contradicts itself.
pub(crate) fn invalid<T>(what: impl Into<String>, span: Span) -> Checked<T> {
    Err(Complaint::Invalid(what.into(), span))
}
