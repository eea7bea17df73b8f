//! What a CPU returned.

use smallvec::SmallVec;
use std::fmt;

/// One word of what a CPU returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// A number.
    Int(i64),
    /// A symbol: an error code, a scan result.
    Text(&'static str),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What a CPU returned: labelled words, such as `ret=1 page=3`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Returned {
    words: SmallVec<[(&'static str, Value); 3]>,
    aside: Option<u64>,
}

impl Returned {
    /// A CPU that returns nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Appends a labelled number.
    #[must_use]
    pub fn int(mut self, label: &'static str, value: i64) -> Self {
        self.words.push((label, Value::Int(value)));
        self
    }

    /// Appends a labelled symbol.
    #[must_use]
    pub fn text(mut self, label: &'static str, value: &'static str) -> Self {
        self.words.push((label, Value::Text(value)));
        self
    }

    /// Adds a number for the [witness](crate::Program::witness) alone: it is not shown, and makes no outcome another one.
    #[must_use]
    pub fn with_aside(mut self, aside: u64) -> Self {
        self.aside = Some(aside);
        self
    }

    /// The number for the witness.
    pub const fn aside(&self) -> Option<u64> {
        self.aside
    }

    /// The words alone.
    #[must_use]
    pub fn without_aside(&self) -> Self {
        Self {
            words: self.words.clone(),
            aside: None,
        }
    }

    /// The words, in order.
    pub fn words(&self) -> &[(&'static str, Value)] {
        &self.words
    }

    /// The first number under `label`.
    pub fn get(&self, label: &str) -> Option<i64> {
        self.all(label).next()
    }

    /// All numbers under `label`, in order.
    pub fn all<'a>(&'a self, label: &'a str) -> impl Iterator<Item = i64> + 'a {
        self.words
            .iter()
            .filter_map(move |&(l, value)| match value {
                Value::Int(n) if l == label => Some(n),
                _ => None,
            })
    }

    /// Whether the word under `label` is the symbol `text`.
    pub fn is(&self, label: &str, text: &str) -> bool {
        self.words
            .iter()
            .any(|&(l, value)| l == label && matches!(value, Value::Text(t) if t == text))
    }
}

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.words.is_empty() {
            return f.write_str("-");
        }
        for (nth, (label, value)) in self.words.iter().enumerate() {
            if nth > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{label}={value}")?;
        }
        Ok(())
    }
}
