//! The page allocator's zone: its lock, and its lists of free blocks.

use super::Pfn;
use crate::sync::{Name, Plain, SpinLock, Word};
use std::fmt;

/// A link of the allocator's lists: the first frame of a free block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLink(pub Option<Pfn>);

impl Word for BlockLink {
    fn into_word(self) -> u64 {
        Pfn::link_into_word(self.0)
    }
    fn from_word(word: u64) -> Self {
        Self(Pfn::link_from_word(word))
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::from_word(word).0 {
            Some(pfn) => fmt::Display::fmt(&pfn, f),
            None => f.write_str("end"),
        }
    }
    fn leads_to(word: u64) -> Option<Name> {
        Self::from_word(word).0.map(Pfn::object)
    }
}

/// The allocator's zone.
#[derive(Debug)]
pub struct Zone {
    /// `zone->lock`.
    pub lock: SpinLock,
    /// The free lists, by order.
    pub free: Vec<Plain<BlockLink>>,
}
