//! What a block of pages is kept for.

use crate::sync::Word;
use std::fmt;

/// `MIGRATE_*`: what a block of pages is kept for. It changes at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Migratetype {
    /// Ordinary.
    Movable,
    /// Of the contiguous memory allocator.
    Cma,
    /// Being emptied: for a contiguous allocation, or to go offline.
    Isolate,
}

impl Word for Migratetype {
    fn into_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        match word {
            1 => Self::Cma,
            2 => Self::Isolate,
            _ => Self::Movable,
        }
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Self::from_word(word))
    }
}
