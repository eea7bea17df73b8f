//! Swap space: slots, how often each is used, and the folio that is cached for it.

use super::Pfn;
use crate::sync::{Atomic, Layout, Name, SpinLock, Word};
use std::fmt;

/// A byte of the `swap_map`: how many entries of page tables name the slot, and whether the swap cache does
/// (`SWAP_HAS_CACHE`). Neither: the slot is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwapUse {
    /// Entries that name it.
    pub entries: u32,
    /// In the swap cache, or on the way there or from there.
    pub has_cache: bool,
}

impl SwapUse {
    /// A slot that nobody has.
    pub const FREE: Self = Self {
        entries: 0,
        has_cache: false,
    };
    /// One that the swap cache has, and nobody else.
    pub const CACHE_ONLY: Self = Self {
        entries: 0,
        has_cache: true,
    };
}

impl Word for SwapUse {
    fn into_word(self) -> u64 {
        u64::from(self.entries) << 1 | u64::from(self.has_cache)
    }
    fn from_word(word: u64) -> Self {
        Self {
            entries: (word >> 1) as u32,
            has_cache: word & 1 != 0,
        }
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = Self::from_word(word);
        match (used.entries, used.has_cache) {
            (0, false) => f.write_str("free"),
            (n, false) => write!(f, "{n}"),
            (n, true) => write!(f, "{n}+cache"),
        }
    }
}

/// What the swap cache has for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cached(pub Option<Pfn>);

impl Word for Cached {
    fn into_word(self) -> u64 {
        Pfn::link_into_word(self.0)
    }
    fn from_word(word: u64) -> Self {
        Self(Pfn::link_from_word(word))
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::from_word(word).0 {
            Some(pfn) => fmt::Display::fmt(&pfn, f),
            None => f.write_str("nothing"),
        }
    }
    fn leads_to(word: u64) -> Option<Name> {
        Self::from_word(word).0.map(Pfn::object)
    }
}

/// One slot, as large as a page.
#[derive(Debug)]
pub struct SwapSlot {
    /// Its byte of the `swap_map`. Written under the area's lock, and read by some without it.
    pub used: Atomic<SwapUse>,
    /// Its place in the swap cache. Written under the cache's lock, and read without it.
    pub cached: Atomic<Cached>,
    /// What was written out to it.
    pub contents: Atomic<u32>,
}

/// A swap area with its cache: `swap_info_struct` and its `address_space`.
#[derive(Debug)]
pub struct Swap {
    /// `swap_info_struct->lock`, and those of its clusters.
    pub lock: SpinLock,
    /// `i_pages.xa_lock` of the cache. Taken with interrupts off.
    pub cache_lock: SpinLock,
    /// Its slots.
    pub slots: Vec<SwapSlot>,
    /// Whether more than half of it is used (`vm_swap_full`); then folios leave the cache as soon as they can.
    pub full: bool,
}

impl Swap {
    /// An area without slots.
    pub(crate) fn declare(layout: &mut Layout) -> Self {
        Self {
            lock: layout.spin_lock("swap.lock"),
            cache_lock: layout.spin_lock("swap_cache.xa_lock"),
            slots: Vec::new(),
            full: false,
        }
    }

    /// One more slot: its number.
    pub(crate) fn add_slot(&mut self, layout: &mut Layout) -> u32 {
        let nth = self.slots.len() as u32;
        let name = |template| Name::new(template, [nth]);
        let slot = layout.object(name("swap{}"), |layout| SwapSlot {
            used: layout.atomic(name("swap{}.used"), SwapUse::FREE),
            cached: layout.atomic(name("swap{}.cached"), Cached(None)),
            contents: layout.atomic(name("swap{}.contents"), 0),
        });
        self.slots.push(slot);
        nth
    }
}
