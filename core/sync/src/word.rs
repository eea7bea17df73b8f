//! What a cell can hold.

use super::Name;
use std::fmt;

/// A value that fits a cell: at most 46 bits and a sign, so that every engine has room for its own
/// book-keeping beside it.
pub trait Word: Copy + 'static {
    /// The value as a cell keeps it. Signed values are sign-extended.
    fn into_word(self) -> u64;
    /// The value back from its word.
    fn from_word(word: u64) -> Self;
    /// Shows a word as this type would.
    ///
    /// # Errors
    /// Those of the formatter.
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    /// Shows what a write changed, `old` into `new`: both, unless the type has a shorter way to say it.
    ///
    /// # Errors
    /// Those of the formatter.
    fn show_change(old: u64, new: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::show(old, f)?;
        f.write_str(" -> ")?;
        Self::show(new, f)
    }
    /// The object that a word leads to, by the name that it was declared under ([`Layout::object`]).
    ///
    /// This is part of what a program means: [`LoadOrder::Dependency`](super::LoadOrder::Dependency) acquires just
    /// where the word that was read leads somewhere. Whoever draws memory draws an arrow there as well.
    ///
    /// [`Layout::object`]: super::Layout::object
    fn leads_to(word: u64) -> Option<Name> {
        let _ = word;
        None
    }
}

macro_rules! integer_word {
    ($($int:ty),*) => {$(
        impl Word for $int {
            fn into_word(self) -> u64 {
                i64::from(self) as u64
            }
            fn from_word(word: u64) -> Self {
                word as $int
            }
            fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", word as $int)
            }
        }
    )*};
}
integer_word!(i32, u32, u16, u8);

impl Word for u64 {
    fn into_word(self) -> u64 {
        self
    }
    fn from_word(word: u64) -> Self {
        word
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{word:#x}")
    }
}

impl Word for bool {
    fn into_word(self) -> u64 {
        u64::from(self)
    }
    fn from_word(word: u64) -> Self {
        word != 0
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", word != 0)
    }
}
