//! The end of an execution, in the kernel's terms.

use gupcheck_core::boot::Area;
use gupcheck_core::folio::{Mapping, Owner, Page, PageFlags, Pfn};
use gupcheck_core::machine::{Machine, MmId};
use gupcheck_core::mutators::Scan;
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE};
use gupcheck_core::sync::LaneId;
use gupcheck_program::End;

use crate::translation::leaf;

/// What a GUP caller takes of each page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A reference: `FOLL_GET`.
    Reference,
    /// A pin: `FOLL_PIN`.
    Pin,
}

/// The end of an execution on a machine.
pub struct Ending<'a> {
    /// What the CPUs returned, and the last values of all cells.
    pub end: &'a End<'a>,
    /// The machine.
    pub machine: &'a Machine,
}

impl<'a> Ending<'a> {
    /// The pages that a caller got.
    pub fn pages(&self, lane: LaneId) -> impl Iterator<Item = &'a Page> {
        let (machine, returned) = (self.machine, self.end.returned(lane));
        returned
            .all("page")
            .map(move |pfn| machine.page(Pfn(pfn as u32)))
    }

    /// How many pages a caller got.
    pub fn got(&self, lane: LaneId) -> usize {
        self.pages(lane).count()
    }

    /// Whether a caller got this page.
    pub fn got_page(&self, lane: LaneId, pfn: Pfn) -> bool {
        self.pages(lane).any(|page| page.pfn == pfn)
    }

    /// Whether any of these callers got this page.
    pub fn any_got(&self, lanes: &[LaneId], pfn: Pfn) -> bool {
        lanes.iter().any(|&lane| self.got_page(lane, pfn))
    }

    /// The pages that these callers got, each with the address at which it was asked for: all of them asked for pages from
    /// `start` on.
    pub fn got_from(&self, start: u64, lanes: &[LaneId]) -> impl Iterator<Item = (u64, &'a Page)> {
        let addrs = (0..).map(move |n| start + n * PAGE_SIZE);
        let got = (lanes.iter()).flat_map(|&lane| addrs.clone().zip(self.pages(lane)));
        got.collect::<Vec<_>>().into_iter()
    }

    /// Whether a CPU did what it came for: it returned "yes", success, a fault that is done, or a collapse that succeeded.
    pub fn did(&self, lane: LaneId) -> bool {
        let words = [
            ("did", "yes"),
            ("ret", "0"),
            ("fault", "done"),
            ("scan", Scan::Succeed.name()),
        ];
        words.iter().any(|(label, text)| self.is(lane, label, text))
    }

    /// Whether any of these CPUs did what it came for.
    pub fn any_did(&self, lanes: &[LaneId]) -> bool {
        lanes.iter().any(|&lane| self.did(lane))
    }

    /// Whether a CPU returned the symbol `text` under `label`.
    pub fn is(&self, lane: LaneId, label: &str, text: &str) -> bool {
        self.end.returned(lane).is(label, text)
    }

    /// The number that a CPU returned as its `value`.
    pub fn value(&self, lane: LaneId) -> Option<i64> {
        self.end.returned(lane).all("value").next()
    }

    /// Whose a page is.
    pub fn owner(&self, page: &Page) -> Owner {
        self.end.plain(page.owner)
    }

    /// Whether a page is on the free list.
    pub fn is_free(&self, pfn: Pfn) -> bool {
        self.end.plain(self.machine.page(pfn).buddy)
    }

    /// Whether a page heads a large folio.
    pub fn is_large(&self, head: Pfn) -> bool {
        let flags = self.end.value(self.machine.page(head).flags);
        flags.contains(PageFlags::HEAD)
    }

    /// Whether a folio is in the queue of those to split.
    pub fn is_queued_for_split(&self, head: Pfn) -> bool {
        let queue = &self.machine.split_queue.folios;
        queue
            .iter()
            .any(|&place| self.end.plain(place).0 == Some(head))
    }

    /// What user space finds at the `nth` place of an area: in the page that is mapped there, in the one that a fault will
    /// find in the swap cache, or in the slot that it will read. `None` where nothing is.
    pub fn contents(&self, area: Area, nth: u64) -> Option<u32> {
        let addr = area.start + nth * PAGE_SIZE;
        let (entry, _) = self.entry(area.mm, addr)?;
        let of = |pfn: Pfn| self.end.value(self.machine.page(pfn).contents);
        if let Some(slot) = entry.swap_slot() {
            let slot = &self.machine.swap().slots[slot as usize];
            let cached = self.end.value(slot.cached).0;
            return Some(cached.map_or_else(|| self.end.value(slot.contents), of));
        }
        self.mapped(area.mm, addr).map(of)
    }

    /// What is in a page.
    pub fn contents_of(&self, pfn: Pfn) -> u32 {
        self.end.value(self.machine.page(pfn).contents)
    }

    /// Whether user space finds this page at the `nth` place of an area: it is mapped there, or a fault will find it in the
    /// swap cache.
    pub fn is_there(&self, area: Area, nth: u64, pfn: Pfn) -> bool {
        let addr = area.start + nth * PAGE_SIZE;
        let Some((entry, _)) = self.entry(area.mm, addr) else {
            return false;
        };
        match entry.swap_slot() {
            Some(slot) => {
                let slot = &self.machine.swap().slots[slot as usize];
                self.end.value(slot.cached).0 == Some(pfn)
            }
            None => self.mapped(area.mm, addr) == Some(pfn),
        }
    }

    /// Whether a page table has a migration entry, whichever table of those that there are.
    pub fn has_migration_entry(&self) -> bool {
        let tables = self.machine.pages().iter().map(|page| &page.table);
        let cells = tables
            .filter(|table| self.end.alive(table.life))
            .flat_map(|table| &table.entries);
        cells.into_iter().any(|&cell| {
            let entry: Entry = self.end.value(cell);
            entry.is_migration()
        })
    }

    /// Whether whoever comes by way of the page finds it in this area: of what is mapped there, or is in the swap cache for a fault to
    /// find, the anon_vma says the address. True where nothing is.
    pub fn is_found_by_rmap(&self, area: Area) -> bool {
        let vma = &self.machine.mm(area.mm).vmas[area.vma];
        (0..(area.end - area.start) / PAGE_SIZE).all(|nth| {
            let addr = area.start + nth * PAGE_SIZE;
            let swapped = (self.entry(area.mm, addr)).and_then(|(entry, _)| entry.swap_slot());
            let page = match swapped {
                Some(slot) => {
                    let slot = &self.machine.swap().slots[slot as usize];
                    self.end.value(slot.cached).0
                }
                None => self.mapped(area.mm, addr),
            };
            page.is_none_or(|pfn| {
                let page = self.machine.page(pfn);
                let head = self.head_of(page);
                let place = self.end.value(head.place);
                // What was read from a slot is nowhere before it is mapped.
                self.end.value(head.mapping) != Mapping::Anon
                    || u64::from(place.index + (pfn.0 - head.pfn.0)) == vma.pgoff + nth
            })
        })
    }

    /// The pages that an mm may write to, as its page tables have it.
    pub fn writable_pages(&self, mm: MmId) -> impl Iterator<Item = &'a Page> {
        let mut pages = Vec::new();
        self.add_writable(self.machine.mm(mm).pgd, Level::Pgd, &mut pages);
        pages.into_iter()
    }

    fn add_writable(&self, table: Pfn, level: Level, pages: &mut Vec<&'a Page>) {
        let machine = self.machine;
        let below = std::iter::successors(level.below(), |level| level.below())
            .find(|&level| !machine.geometry.is_folded(level));
        for &cell in &machine.page(table).table.entries {
            let entry: Entry = self.end.value(cell);
            match below {
                Some(below) if !entry.is_huge() && entry.access_permitted(false) => {
                    self.add_writable(entry.pfn(), below, pages);
                }
                _ if entry.access_permitted(true) => {
                    let count = if entry.is_huge() {
                        machine.geometry.pages_per_pmd()
                    } else {
                        1
                    };
                    pages.extend((0..count).map(|n| machine.page(entry.pfn().plus(n))));
                }
                _ => {}
            }
        }
    }

    /// The frame that an mm maps at `addr`, by an entry that is present, of whatever level.
    pub fn mapped(&self, mm: MmId, addr: u64) -> Option<Pfn> {
        let (entry, level) = self.entry(mm, addr)?;
        let within = addr & (self.machine.geometry.span(level) - 1);
        (entry.pte_present()).then(|| entry.pfn().plus((within / PAGE_SIZE) as u32))
    }

    /// The frame that KVM has mapped for the guest of an mm.
    pub fn guests_page(&self, mm: MmId) -> Option<Pfn> {
        let mut all = self.machine.secondary_mmus.iter();
        let kvm = all.find(|secondary| secondary.mm == mm.0)?;
        self.end.plain(kvm.mapped).0
    }

    /// The entry by which an mm maps `addr`, or would, and its level; `None` if there is no table for it.
    pub fn entry(&self, mm: MmId, addr: u64) -> Option<(Entry, Level)> {
        leaf(self.machine, mm, addr, &|cell| self.end.word(cell))
    }

    /// The entry by which an area maps its `nth` page; none if there is no table for it.
    pub fn entry_of(&self, area: Area, nth: u32) -> Entry {
        let found = self.entry(area.mm, area.addr(nth));
        found.map_or(Entry::NONE, |(entry, _)| entry)
    }

    /// Whether a page is exclusive: of one that a huge pmd maps, its head is.
    pub fn is_exclusive(&self, page: &'a Page) -> bool {
        let exclusive = |page: &Page| {
            let flags = self.end.value(page.flags);
            flags.contains(PageFlags::ANON_EXCLUSIVE)
        };
        let by_itself = self.end.value(page.mapcount) > 0;
        exclusive(page) || !by_itself && exclusive(self.head_of(page))
    }

    /// The head of the folio that a page is in.
    pub fn head_of(&self, page: &'a Page) -> &'a Page {
        match self.end.value(page.compound_head).0 {
            Some(head) => self.machine.page(head),
            None => page,
        }
    }
}
