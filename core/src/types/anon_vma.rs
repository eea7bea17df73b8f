//! The reverse map of anonymous memory: from a page to where it may be mapped.

use crate::sync::{RwLock, Word};
use std::fmt;

/// `anon_vma`: one for each mm here, and never freed: its reference count is not modelled, only who is in it. An area
/// that is in it at all ([`Vma::in_anon_vma`](super::Vma::in_anon_vma)) is in its own mm's, and in those of all mms that that
/// one was forked from.
#[derive(Debug)]
pub struct AnonVma {
    /// Which mm's it is.
    pub mm: u32,
    /// `anon_vma->parent`: the mm that this one is a child of, by fork; `None` of a root.
    pub parent: Option<u32>,
    /// `anon_vma->root->rwsem`: one lock for a parent, its children, and theirs.
    pub rwsem: RwLock,
}

/// Where in which anon_vma a page is: `page->index`, and the pointer that `page->mapping` holds beside the bits that
/// say what kind it is. One word here, because whoever looks at one looks at both, with the folio locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnonPlace {
    /// Whose anon_vma: the mm's number.
    pub mm: u32,
    /// `page->index`: the address at which a private area maps it, in pages.
    pub index: u32,
}

impl Word for AnonPlace {
    fn into_word(self) -> u64 {
        u64::from(self.mm) << 32 | u64::from(self.index)
    }
    fn from_word(word: u64) -> Self {
        Self {
            mm: (word >> 32) as u32,
            index: word as u32,
        }
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = Self::from_word(word);
        write!(f, "mm{}+{}", place.mm, place.index)
    }
}
