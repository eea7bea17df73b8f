//! `struct page`: what the memory map keeps of each frame.

use crate::pgtable::Table;
use crate::sync::{Atomic, Layout, Name, Plain, Word};
use bitflags::bitflags;
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

bitflags! {
    /// `page->flags`, as far as GUP and its counterparts care.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct PageFlags: u64 {
        /// `PG_locked`: the folio lock.
        const LOCKED = 1 << 0;
        /// `PG_referenced`.
        const REFERENCED = 1 << 1;
        /// `PG_dirty`.
        const DIRTY = 1 << 2;
        /// `PG_lru`: on an LRU list; whoever clears it may isolate the folio.
        const LRU = 1 << 3;
        /// `PG_head`: the first page of a large folio.
        const HEAD = 1 << 4;
        /// `PG_anon_exclusive`, of each page by itself.
        const ANON_EXCLUSIVE = 1 << 5;
        /// `PG_swapcache`.
        const SWAP_CACHE = 1 << 6;
        /// `PG_hugetlb`.
        const HUGETLB = 1 << 7;
        /// `PG_slab`.
        const SLAB = 1 << 8;
        /// `PG_hwpoison`.
        const HWPOISON = 1 << 9;
    }
}

impl Word for PageFlags {
    fn into_word(self) -> u64 {
        self.bits()
    }
    fn from_word(word: u64) -> Self {
        Self::from_bits_truncate(word)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = Self::from_word(word);
        if flags.is_empty() {
            return f.write_str("-");
        }
        for (nth, (name, _)) in flags.iter_names().enumerate() {
            let separator = if nth > 0 { "+" } else { "" };
            write!(f, "{separator}{}", name.to_lowercase())?;
        }
        Ok(())
    }
    /// The flags that were set and those that were cleared: a page has many, and a write seldom changes two.
    fn show_change(old: u64, new: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (old, new) = (Self::from_word(old), Self::from_word(new));
        if old == new {
            return f.write_str("no flag changed");
        }
        let changes = [("+", new - old), ("-", old - new)];
        let changes = changes.into_iter().flat_map(|(sign, flags)| {
            let names = flags.iter_names().map(|(name, _)| name.to_lowercase());
            names.map(move |name| format!("{sign}{name}"))
        });
        f.write_str(&changes.collect::<Vec<_>>().join(" "))
    }
}

/// `page->compound_head`: which page heads the folio that this one is a tail of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompoundHead(pub Option<Pfn>);

impl Word for CompoundHead {
    /// As in the kernel, bit 0 tells a tail, so that "no head" is zero.
    fn into_word(self) -> u64 {
        self.0.map_or(0, |pfn| u64::from(pfn.0) << 1 | 1)
    }
    fn from_word(word: u64) -> Self {
        Self((word & 1 != 0).then_some(Pfn((word >> 1) as u32)))
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::from_word(word).0 {
            Some(head) => write!(f, "tail of {head}"),
            None => f.write_str("no tail"),
        }
    }
    fn leads_to(word: u64) -> Option<Name> {
        Self::from_word(word).0.map(Pfn::object)
    }
}

/// `page->mapping`: whose the folio is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mapping {
    /// Nobody's, or truncated.
    None,
    /// Anonymous memory (`PAGE_MAPPING_ANON`).
    Anon,
    /// A KSM page (`PAGE_MAPPING_KSM`).
    Ksm,
    /// A movable non-LRU page (`PAGE_MAPPING_MOVABLE`).
    Movable,
    /// A file in shmem.
    Shmem,
    /// A secretmem file.
    Secretmem,
    /// A file of a filesystem that tracks dirty pages.
    File,
}

impl Word for Mapping {
    fn into_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        [
            Self::None,
            Self::Anon,
            Self::Ksm,
            Self::Movable,
            Self::Shmem,
            Self::Secretmem,
            Self::File,
        ]
        .get(word as usize)
        .copied()
        .unwrap_or(Self::None)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Self::from_word(word))
    }
}

/// Who was given a frame when it was last allocated. The kernel keeps no such thing; the oracle for
/// "no page that was never mapped here" (I12) does, as a plain cell that only whoever allocates or
/// frees the frame writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Owner {
    /// The allocator: it is free.
    Free,
    /// The mm whose GUP callers race.
    Us,
    /// Somebody else altogether.
    Other,
    /// It holds a page table.
    Table,
}

impl Word for Owner {
    fn into_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        [Self::Free, Self::Us, Self::Other, Self::Table]
            .get(word as usize)
            .copied()
            .unwrap_or(Self::Free)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Self::from_word(word))
    }
}

/// A link of the allocator's lists: the first frame of a free block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLink(pub Option<Pfn>);

impl Word for BlockLink {
    fn into_word(self) -> u64 {
        self.0.map_or(0, |pfn| u64::from(pfn.0) + 1)
    }
    fn from_word(word: u64) -> Self {
        Self(word.checked_sub(1).map(|pfn| Pfn(pfn as u32)))
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

/// What is fixed of a frame: the properties of the memory behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// In CMA or `ZONE_MOVABLE`: no long-term pins.
    pub unpinnable_longterm: bool,
    /// Peer-to-peer DMA memory of a PCI device.
    pub p2pdma: bool,
}

/// `struct page`, and what the frame holds if it holds a page table.
///
/// A struct page is never freed: its counts may be touched whatever became of the frame.
#[derive(Debug)]
pub struct Page {
    /// Which frame.
    pub pfn: Pfn,
    /// `_refcount`. Of a tail it is zero.
    pub refcount: Atomic<i32>,
    /// `_mapcount`, counted from zero (the kernel starts at -1).
    pub mapcount: Atomic<i32>,
    /// `flags`.
    pub flags: Atomic<PageFlags>,
    /// `compound_head`.
    pub compound_head: Atomic<CompoundHead>,
    /// `_pincount`, of the head of a large folio.
    pub pincount: Atomic<i32>,
    /// `mapping`, of the head.
    pub mapping: Atomic<Mapping>,
    /// log2 of the folio's pages, of the head (`folio_order`).
    pub order: Atomic<u8>,
    /// `PageBuddy`: the allocator has it. Under the zone's lock.
    pub buddy: Plain<bool>,
    /// The next block of the free list that it is on. Under the zone's lock.
    pub next_free: Plain<BlockLink>,
    /// Who was given it.
    pub owner: Plain<Owner>,
    /// What it holds, if it holds a page table.
    pub table: Table,
    /// What is fixed of it.
    pub memory: Memory,
}

impl Page {
    /// Declares the frame: free, and in no folio.
    pub(crate) fn declare(layout: &mut Layout, pfn: Pfn, entries: u64) -> Self {
        let name = |template| Name::new(template, [pfn.0]);
        layout.object(pfn.object(), |layout| Self {
            pfn,
            refcount: layout.atomic(name("page{}.refcount"), 0),
            mapcount: layout.atomic(name("page{}.mapcount"), 0),
            flags: layout.atomic(name("page{}.flags"), PageFlags::empty()),
            compound_head: layout.atomic(name("page{}.compound_head"), CompoundHead(None)),
            pincount: layout.atomic(name("page{}.pincount"), 0),
            mapping: layout.atomic(name("page{}.mapping"), Mapping::None),
            order: layout.atomic(name("page{}.order"), 0),
            buddy: layout.plain(name("page{}.buddy"), false),
            next_free: layout.plain(name("page{}.next_free"), BlockLink(None)),
            owner: layout.plain(name("page{}.owner"), Owner::Free),
            table: Table::declare(layout, pfn, entries),
            memory: Memory::default(),
        })
    }
}
