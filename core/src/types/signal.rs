//! A task's pending signal.

use crate::sync::Word;
use std::fmt;

/// What a task that is waited for by a signal knows of it, before it handles any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// None is pending.
    None,
    /// One that a handler may take, or that is ignored later.
    Ordinary,
    /// `SIGKILL`: the task goes as soon as it can.
    Fatal,
}

impl Word for Signal {
    fn into_word(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Ordinary => 1,
            Self::Fatal => 2,
        }
    }
    fn from_word(word: u64) -> Self {
        match word {
            0 => Self::None,
            1 => Self::Ordinary,
            _ => Self::Fatal,
        }
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match Self::from_word(word) {
            Self::None => "none",
            Self::Ordinary => "a signal",
            Self::Fatal => "SIGKILL",
        })
    }
}
