//! The machine: everything that all CPUs share, declared once and immutable from then on.
//!
//! What changes during an execution are the values of the cells that the machine's parts are made of,
//! and those live in the engine.

use crate::step::Kernel;
use crate::sync::{Atomic, LaneId, SpinLock};
use crate::types::{
    File, Geometry, LazyCpu, Level, LruBatch, Mm, Page, Pagemap, Pfn, SecondaryMmu, Sections,
    Signal, Swap,
};

pub use crate::types::{Gate, HugeZero, SplitQueue, Zone};

/// Which address space: an index into the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MmId(pub u32);

/// Which file: an index into the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId(pub u32);

/// More pages, or tables, than one gathering ever notes before it flushes.
pub const GATHER_LIMIT: usize = 16;

/// How much an unmapping notes before it flushes and frees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatherSize {
    /// Pages.
    pub pages: usize,
    /// Tables; none if there is no memory for a batch of them.
    pub tables: usize,
}

/// What khugepaged does not go beyond (`/sys/kernel/mm/transparent_hugepage/khugepaged/`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KhugepagedLimits {
    /// Entries that map no page, or the zero page.
    pub max_ptes_none: u32,
    /// Pages that others map, too.
    pub max_ptes_shared: u32,
}

/// A machine, as its boot left it.
#[derive(Debug)]
pub struct Machine {
    /// Its kernel.
    pub kernel: Kernel,
    /// The shape of its page tables.
    pub geometry: Geometry,
    /// The shared zero page, if it has one.
    pub zero_page: Option<Pfn>,
    /// The huge zero page, if read faults may map it.
    pub huge_zero: Option<HugeZero>,
    /// The gate area, if it has one.
    pub gate: Option<Gate>,
    /// The allocator's zone.
    pub zone: Zone,
    /// Folios that want to be split.
    pub split_queue: SplitQueue,
    /// Whether there can be a large folio at all. On a machine without, nobody need ask whether a folio is one.
    pub(crate) large_folios: bool,
    /// How much an unmapping notes.
    pub gather: GatherSize,
    /// khugepaged's limits; where there are none, pages are collapsed as `MADV_COLLAPSE` does it.
    pub khugepaged: Option<KhugepagedLimits>,
    pub(crate) cpus: usize,
    pub(crate) sections: Sections,
    pub(crate) lazy_cpu: Option<LazyCpu>,
    pub(crate) pages: Vec<Page>,
    pub(crate) mms: Vec<Mm>,
    pub(crate) pagemaps: Vec<Pagemap>,
    pub(crate) swap: Option<Swap>,
    /// `hugetlb_lock`, if there is a page of hugetlb's. On a machine without, nobody need ask whether a folio is one.
    pub(crate) hugetlb: Option<SpinLock>,
    /// `default_hstate`: the level of the leaves that map hugetlb's pages, which are all as large.
    pub hstate: Level,
    /// Its files.
    pub files: Vec<File>,
    /// The batches of its CPUs, if a page is in one.
    pub lru_batches: Vec<LruBatch>,
    /// What hypervisors keep of address spaces.
    pub secondary_mmus: Vec<SecondaryMmu>,
    /// The signal of each task that may get one.
    pub(crate) signals: Vec<(LaneId, Atomic<Signal>)>,
}

impl Machine {
    /// `pfn_to_page`.
    ///
    /// # Panics
    /// On a frame that the machine does not have: an entry was made up.
    pub fn page(&self, pfn: Pfn) -> &Page {
        &self.pages[pfn.0 as usize]
    }

    /// How many CPUs it was booted with.
    pub const fn cpus(&self) -> usize {
        self.cpus
    }

    /// The memory map.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// The pagemaps of its devices.
    pub fn pagemaps(&self) -> &[Pagemap] {
        &self.pagemaps
    }

    /// The pagemap that the frame is in (the kernel keeps them in an xarray).
    pub fn pagemap_of(&self, pfn: Pfn) -> Option<&Pagemap> {
        self.pagemaps.iter().find(|pagemap| pagemap.contains(pfn))
    }

    /// The address spaces, indexed by [`MmId`].
    pub fn mms(&self) -> &[Mm] {
        &self.mms
    }

    /// Its swap space, if it has any.
    pub const fn swap_space(&self) -> Option<&Swap> {
        self.swap.as_ref()
    }

    /// Its swap space.
    ///
    /// # Panics
    /// On a machine that has none: an entry was made up.
    pub fn swap(&self) -> &Swap {
        self.swap.as_ref().expect("a machine with swap space")
    }

    /// An address space.
    ///
    /// # Panics
    /// On an address space of another machine.
    pub fn mm(&self, mm: MmId) -> &Mm {
        &self.mms[mm.0 as usize]
    }
}
