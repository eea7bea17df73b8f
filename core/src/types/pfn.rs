//! A frame's number.

use crate::sync::Name;
use std::fmt;

/// A page frame number: an index into the memory map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pfn(pub u32);

impl Pfn {
    /// The frame `n` further on (`nth_page`).
    #[must_use]
    pub const fn plus(self, n: u32) -> Self {
        Self(self.0 + n)
    }

    /// A link to a frame, or to none, as a word: none is zero.
    pub(super) fn link_into_word(link: Option<Self>) -> u64 {
        link.map_or(0, |pfn| u64::from(pfn.0) + 1)
    }

    /// The link that a word is.
    pub(super) fn link_from_word(word: u64) -> Option<Self> {
        word.checked_sub(1).map(|pfn| Self(pfn as u32))
    }

    /// The object that the frame's cells are parts of.
    pub(crate) const fn object(self) -> Name {
        Name::new("page{}", [self.0])
    }
}

impl fmt::Display for Pfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page{}", self.0)
    }
}
