//! The reverse map of anonymous memory: from a page to where it may be mapped.

use crate::sync::{RwLock, Word};
use std::fmt;

/// `anon_vma`: one for each mm here, with the areas of that mm in it, and never freed: neither its reference
/// count nor its tree is modelled, only who is in it ([`Vma::in_anon_vma`](super::Vma::in_anon_vma)).
#[derive(Debug)]
pub struct AnonVma {
    /// Which mm's it is.
    pub mm: u32,
    /// `anon_vma->root->rwsem`.
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
