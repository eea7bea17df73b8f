//! What is mapped when the CPUs start.

use super::{Area, Boot, Mapped};
use crate::machine::MmId;
use crate::types::{
    AnonPlace, Bits, BlockLink, COMPOUND_MAPPED, Deferred, Entry, Level, Owner, PAGE_SIZE,
    PageFlags, Pfn,
};
use std::ops::Range;

impl Boot {
    /// Small pages, writable, exclusive, in every place of the area.
    pub fn populate(&mut self, area: Area) -> Vec<Pfn> {
        (0..area.pages as u32)
            .map(|n| {
                let pfn = self.anon_page(Owner::Us, 0);
                self.map(area.mm, area.addr(n), pfn, true);
                pfn
            })
            .collect()
    }

    /// Maps `pfn` at `addr` by a PTE, with one reference for the mapping.
    pub fn map(&mut self, mm: MmId, addr: u64, pfn: Pfn, write: bool) {
        let slot = self.tables_down_to(mm, addr, Level::Pte);
        self.layout.set(slot, Entry::leaf(pfn, write));
        self.count_mapping(pfn);
        self.set_place(mm, addr, pfn);
    }

    /// Maps the shared zero page at `addr`, as a read fault does.
    ///
    /// # Panics
    /// If the machine has none.
    pub fn map_zero_page(&mut self, mm: MmId, addr: u64) {
        let zero = self.machine.zero_page.expect("a zero page");
        let slot = self.tables_down_to(mm, addr, Level::Pte);
        (self.layout).set(slot, Entry::leaf(zero, false).with(Bits::SPECIAL));
    }

    /// Maps the large folio that `head` heads at `addr` by a pmd entry, with one reference for the mapping.
    pub fn map_huge(&mut self, mm: MmId, addr: u64, head: Pfn, write: bool) {
        self.map_leaf(mm, addr, Level::Pmd, head, write);
    }

    /// The same, read-only, of a page that is not exclusive: as a fork leaves it behind, or the sharing process's end.
    pub fn map_shared_huge(&mut self, mm: MmId, addr: u64, head: Pfn) {
        self.map_huge(mm, addr, head, false);
        let flags = self.page(head).flags;
        let shared = self.layout.get(flags) - PageFlags::ANON_EXCLUSIVE;
        self.layout.set(flags, shared);
    }

    /// Maps the large folio that `head` heads at `addr` by a leaf of `level`, with one reference for the
    /// mapping.
    pub fn map_leaf(&mut self, mm: MmId, addr: u64, level: Level, head: Pfn, write: bool) {
        let slot = self.tables_down_to(mm, addr, level);
        self.layout.set(slot, Entry::leaf(head, write).huge());
        self.count_entire_mapping(head);
        self.hold_mapping(head);
        self.set_place(mm, addr, head);
    }

    /// A huge page at the start of the area, with a table deposited for it: its head. Nobody else has a reference.
    pub fn mapped_thp(&mut self, area: Area, write: bool) -> Pfn {
        let head = self.thp(Owner::Us, 0);
        self.map_huge(area.mm, area.start, head, write);
        self.deposit(area.mm, area.start, Entry::NONE);
        head
    }

    /// A huge page that each of these areas maps at its start, read-only, with a table deposited for it: its head. It is
    /// exclusive to none of them.
    pub fn shared_thp(&mut self, areas: &[Area]) -> Pfn {
        let head = self.thp(Owner::Us, 0);
        for area in areas {
            self.map_shared_huge(area.mm, area.start, head);
            self.deposit(area.mm, area.start, Entry::NONE);
        }
        head
    }

    /// A large folio, each page of which is mapped by a PTE in this place of the area, writable: its head.
    pub fn pte_mapped_thp(&mut self, area: Area) -> Pfn {
        let head = self.thp(Owner::Us, 0);
        for n in 0..area.pages as u32 {
            self.map(area.mm, area.addr(n), head.plus(n), true);
        }
        head
    }

    /// A large folio at the start of the area, of which only these pages are mapped, by PTEs, writable: its head. It is queued to be
    /// split, as whoever unmapped the others left it.
    pub fn partly_mapped_thp(&mut self, area: Area, pages: Range<u32>) -> Pfn {
        let head = self.thp(Owner::Us, 0);
        for n in pages {
            self.map(area.mm, area.addr(n), head.plus(n), true);
        }
        let partially_mapped = self.page(head).partially_mapped;
        self.layout.set(partially_mapped, true);
        self.queue_for_split(head);
        head
    }

    /// A large folio is in the queue of those to split; the only one. (Kernels later than v6.8 queue every huge page.)
    pub fn queue_for_split(&mut self, head: Pfn) {
        let deferred = self.page(head).deferred;
        self.layout.set(deferred, Deferred::Queued);
        let first = self.machine.split_queue.folios[0];
        self.layout.set_plain(first, BlockLink(Some(head)));
    }

    /// Maps a device's page at `addr`, as DAX does: without a reference, and without counting the mapping.
    pub fn map_device(&mut self, mm: MmId, addr: u64, pfn: Pfn, write: bool) {
        let slot = self.tables_down_to(mm, addr, Level::Pte);
        let entry = Entry::leaf(pfn, write).with(Bits::DEVMAP | Bits::SPECIAL);
        self.layout.set(slot, entry);
    }

    /// The same by a leaf of `level`. (There is no special bit above the PTE level.)
    pub fn map_device_leaf(&mut self, mm: MmId, addr: u64, level: Level, pfn: Pfn, write: bool) {
        let slot = self.tables_down_to(mm, addr, level);
        let entry = Entry::leaf(pfn, write).huge().with(Bits::DEVMAP);
        self.layout.set(slot, entry);
    }

    /// The folio of `pfn`, which is mapped at `addr`, is where its anon_vma has it (`__page_set_anon_rmap`).
    pub(super) fn set_place(&mut self, mm: MmId, addr: u64, pfn: Pfn) {
        let head = self
            .layout
            .get(self.page(pfn).compound_head)
            .0
            .unwrap_or(pfn);
        let place = self.page(head).place;
        let index = (addr / PAGE_SIZE) as u32 - (pfn.0 - head.0);
        self.layout.set(place, AnonPlace { mm: mm.0, index });
    }

    /// A page that is mapped in the area is not exclusive there, and read-only, as fork leaves it.
    pub fn share(&mut self, area: Area, pfn: Pfn) {
        let (flags, place) = (self.page(pfn).flags, self.page(pfn).place);
        let shared = self.layout.get(flags) - PageFlags::ANON_EXCLUSIVE;
        self.layout.set(flags, shared);
        let addr = u64::from(self.layout.get(place).index) * PAGE_SIZE;
        self.change_pte(area.mm, addr, |pte| pte.without(Bits::WRITE | Bits::DIRTY));
    }

    /// Gives a mapped page's entry other bits.
    pub fn change_pte(&mut self, mm: MmId, addr: u64, change: impl FnOnce(Entry) -> Entry) {
        let slot = self.tables_down_to(mm, addr, Level::Pte);
        let entry = self.layout.get(slot);
        self.layout.set(slot, change(entry));
    }

    /// Gives the entry of each page of the area other bits.
    pub fn change_ptes(&mut self, area: Area, change: impl Fn(Entry) -> Entry) {
        for n in 0..area.pages as u32 {
            self.change_pte(area.mm, area.addr(n), &change);
        }
    }

    /// One more PTE maps the page, exclusively.
    pub(super) fn count_mapping(&mut self, pfn: Pfn) {
        self.hold_mapping(pfn);
        let page = self.page(pfn);
        let (mapcount, compound_head) = (page.mapcount, page.compound_head);
        let times = self.layout.get(mapcount) + 1;
        self.layout.set(mapcount, times);
        let head = self.layout.get(compound_head).0.unwrap_or(pfn);
        let (flags, nr) = (self.page(head).flags, self.page(head).nr_pages_mapped);
        if times == 1 && self.layout.get(flags).contains(PageFlags::HEAD) {
            let mapped = self.layout.get(nr) + 1;
            self.layout.set(nr, mapped);
        }
    }

    /// One more entry maps all of a folio.
    pub(super) fn count_entire_mapping(&mut self, head: Pfn) {
        let page = self.page(head);
        let (entire, nr, flags) = (page.entire_mapcount, page.nr_pages_mapped, page.flags);
        let times = self.layout.get(entire) + 1;
        self.layout.set(entire, times);
        let hugetlb = self.layout.get(flags).contains(PageFlags::HUGETLB);
        if times == 1 && !hugetlb {
            let mapped = self.layout.get(nr) + COMPOUND_MAPPED;
            self.layout.set(nr, mapped);
        }
    }

    /// A mapping's reference of the page; it is exclusive.
    pub(super) fn hold_mapping(&mut self, pfn: Pfn) {
        let page = self.page(pfn);
        let (flags, compound_head) = (page.flags, page.compound_head);
        let flags_now = self.layout.get(flags) | PageFlags::ANON_EXCLUSIVE;
        self.layout.set(flags, flags_now);
        let head = self.layout.get(compound_head).0.unwrap_or(pfn);
        let refcount = self.page(head).refcount;
        let refs = self.layout.get(refcount) + 1;
        self.layout.set(refcount, refs);
    }

    /// Prot-none instead of present, and not writable, as `mprotect(PROT_NONE)` and NUMA hinting leave it.
    pub fn prot_none(entry: Entry) -> Entry {
        entry.protected(false)
    }

    /// The first page, by address, that any mm maps and counts: no special page, and none of a device.
    pub fn first_mapped(&self) -> Option<Mapped> {
        let mms = (0..self.machine.mms.len() as u32).map(MmId);
        mms.into_iter()
            .find_map(|mm| self.first_mapped_below(mm, self.mm(mm).pgd, Level::Pgd, 0))
    }

    fn first_mapped_below(&self, mm: MmId, table: Pfn, level: Level, base: u64) -> Option<Mapped> {
        let slots = self.page(table).table.entries.iter();
        slots.enumerate().find_map(|(n, &slot)| {
            let entry = self.layout.get(slot);
            let addr = base + ((n as u64) << self.geometry().shift(level));
            let is_table = !entry.is_huge() && entry.access_permitted(false);
            match self.next_real(level) {
                Some(below) if is_table => self.first_mapped_below(mm, entry.pfn(), below, addr),
                _ if !entry.pte_present() || entry.is_special() || entry.is_devmap() => None,
                _ => {
                    let head = self.layout.get(self.page(entry.pfn()).compound_head).0;
                    let pfn = head.unwrap_or(entry.pfn());
                    Some(Mapped { mm, addr, pfn })
                }
            }
        })
    }

    /// The folio that this page heads has so many references.
    pub fn set_references(&mut self, head: Pfn, refs: i32) {
        let refcount = self.page(head).refcount;
        self.layout.set(refcount, refs);
    }

    /// Somebody has a reference more of the folio that this page heads.
    pub fn take_reference(&mut self, head: Pfn) {
        let refcount = self.page(head).refcount;
        let refs = self.layout.get(refcount) + 1;
        self.layout.set(refcount, refs);
    }
}
