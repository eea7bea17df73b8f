//! `struct page`: what the memory map keeps of each frame.

use super::{AnonPlace, BlockLink, Deferred, Migratetype, PageFlags, Pfn, Table};
use crate::sync::{Atomic, Layout, Life, Name, Plain, Word};
use std::fmt;

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

/// `page->mapping`: whose the folio is. As in the kernel, the lowest two bits tell what is no file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mapping {
    /// Nobody's, or truncated.
    None = 0,
    /// Anonymous memory (`PAGE_MAPPING_ANON`).
    Anon = 1,
    /// A movable non-LRU page (`PAGE_MAPPING_MOVABLE`).
    Movable = 2,
    /// A KSM page (`PAGE_MAPPING_KSM`): both bits.
    Ksm = 3,
    /// A file in shmem.
    Shmem = 1 << 2,
    /// A secretmem file.
    Secretmem = 2 << 2,
    /// A file of a filesystem that tracks dirty pages.
    File = 3 << 2,
}

impl Word for Mapping {
    fn into_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        match word {
            1 => Self::Anon,
            2 => Self::Movable,
            3 => Self::Ksm,
            4 => Self::Shmem,
            8 => Self::Secretmem,
            12 => Self::File,
            _ => Self::None,
        }
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

/// The memory that a struct page lies in, where that may become one of hugetlb's (HVO): a page that is mapped again and
/// again, read-only, for all struct pages of a huge page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vmemmap {
    /// Whether it may be written. Not an atomic: who writes while somebody remaps it faults.
    pub writable: Life,
    /// Whether the struct page looks as if it headed a folio, because the head's is mapped there (`page_is_fake_head`).
    pub fake_head: Atomic<bool>,
}

/// What is fixed of a frame: the properties of the memory behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// In `ZONE_MOVABLE`: no long-term pins.
    pub zone_movable: bool,
    /// Peer-to-peer DMA memory of a PCI device.
    pub p2pdma: bool,
    /// A device's, which CPUs use as if it were ordinary memory (`MEMORY_DEVICE_COHERENT`): on no LRU, and when nobody has it, the driver's.
    pub coherent: bool,
    /// Reading it fails: the memory is broken, and the hardware says so.
    pub poisoned: bool,
    /// The conversion that `arch_make_page_accessible` asks for fails: of a page that a secure guest has (s390).
    pub inaccessible: bool,
    /// It may turn out to be broken while the CPUs run ([`memory_failure`](crate::mutators::memory_failure)).
    pub may_fail: bool,
    /// Its struct page lies where it may be mapped read-only.
    pub vmemmap: Option<Vmemmap>,
    /// A device's: which of the machine's pagemaps it is in.
    pub pagemap: Option<u32>,
    /// What its page block is kept for, where that is not [`Migratetype::Movable`] for good.
    pub pageblock: Option<Atomic<Migratetype>>,
}

/// What `_nr_pages_mapped` has more for as long as some entry maps all of a folio. The kernel's is `0x800000`.
pub const COMPOUND_MAPPED: i32 = 0x100;

/// `struct page`, and what the frame holds if it holds a page table.
///
/// A struct page is never freed: its counts may be touched whatever became of the frame.
#[derive(Debug)]
pub struct Page {
    /// Which frame.
    pub pfn: Pfn,
    /// `_refcount`. Of a tail it is zero.
    pub refcount: Atomic<i32>,
    /// `_mapcount`, counted from zero (the kernel starts at -1): PTEs that map this page.
    pub mapcount: Atomic<i32>,
    /// `_entire_mapcount`, likewise, of the head of a large folio: entries above the PTE level that map all of it.
    pub entire_mapcount: Atomic<i32>,
    /// `_nr_pages_mapped`, of the head of a large folio: how many of its pages some PTE maps, and a high bit if some pmd maps it.
    pub nr_pages_mapped: Atomic<i32>,
    /// `_deferred_list`, of the head of a large folio. Changed under the lock of the queue.
    pub deferred: Atomic<Deferred>,
    /// `PG_partially_mapped`, of the head of a large folio (later than v6.8): it is in the queue because a part of it was unmapped, and
    /// not only because it is a huge page. Changed under the lock of the queue.
    pub partially_mapped: Atomic<bool>,
    /// `flags`.
    pub flags: Atomic<PageFlags>,
    /// `compound_head`.
    pub compound_head: Atomic<CompoundHead>,
    /// `_pincount`, of the head of a large folio.
    pub pincount: Atomic<i32>,
    /// `mapping`, of the head.
    pub mapping: Atomic<Mapping>,
    /// Where in its anon_vma it is, if it is anonymous, of the head.
    pub place: Atomic<AnonPlace>,
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
    /// `folio->swap`: the slot that it is cached for, while `PG_swapcache` is set. With the folio locked.
    pub swap: Atomic<u32>,
    /// What is in it, where somebody asks: whoever writes writes a number.
    pub contents: Atomic<u32>,
}

impl Page {
    /// Declares the frame: free, and in no folio.
    pub(crate) fn declare(layout: &mut Layout, pfn: Pfn, entries: u64) -> Self {
        let name = |template| Name::new(template, [pfn.0]);
        layout.object(pfn.object(), |layout| Self {
            pfn,
            refcount: layout.atomic(name("page{}.refcount"), 0),
            mapcount: layout.atomic(name("page{}.mapcount"), 0),
            entire_mapcount: layout.atomic(name("page{}.entire_mapcount"), 0),
            nr_pages_mapped: layout.atomic(name("page{}.nr_pages_mapped"), 0),
            deferred: layout.atomic(name("page{}.deferred"), Deferred::No),
            partially_mapped: layout.atomic(name("page{}.partially_mapped"), false),
            flags: layout.atomic(name("page{}.flags"), PageFlags::empty()),
            compound_head: layout.atomic(name("page{}.compound_head"), CompoundHead(None)),
            pincount: layout.atomic(name("page{}.pincount"), 0),
            mapping: layout.atomic(name("page{}.mapping"), Mapping::None),
            place: layout.atomic(name("page{}.place"), AnonPlace { mm: 0, index: 0 }),
            order: layout.atomic(name("page{}.order"), 0),
            buddy: layout.plain(name("page{}.buddy"), false),
            next_free: layout.plain(name("page{}.next_free"), BlockLink(None)),
            owner: layout.plain(name("page{}.owner"), Owner::Free),
            table: Table::declare(layout, pfn, entries),
            memory: Memory::default(),
            swap: layout.atomic(name("page{}.swap"), 0),
            contents: layout.atomic(name("page{}.contents"), 0),
        })
    }
}
