//! Boot: single-threaded code that makes a machine and sets the scene, before any CPU runs.
//!
//! Nothing here is an operation: boot gives cells the values with which they start. What it builds is
//! consistent as the kernel would have left it: counts match mappings, tables are alive, frames are
//! either free or somebody's.

mod area;

pub use area::Area;

use crate::machine::{Machine, MmId};
use crate::step::Kernel;
use crate::sync::{Atomic, Layout, Name};
use crate::types::{
    AnonPlace, AnonVma, Backing, Bits, BlockLink, CompoundHead, Entry, Geometry, Level, Mapping,
    Memory, Migratetype, Mm, Owner, PAGE_SIZE, Page, PageFlags, Pagemap, Pfn, Sections, VmFlags,
    Vma, Zone,
};

/// A machine in the making.
#[derive(Debug)]
pub struct Boot {
    layout: Layout,
    machine: Machine,
}

impl Boot {
    /// A machine of `cpus` CPUs whose tables have `1 << table_bits` entries.
    pub fn new(kernel: Kernel, cpus: u32, table_bits: u32) -> Self {
        let mut layout = Layout::new();
        let sections = Sections {
            irqs_off: layout.section("irqs off"),
            rcu: layout.section("rcu"),
        };
        let zone = layout.object("zone", |layout| Zone {
            lock: layout.spin_lock("zone.lock"),
            free: (0..=table_bits)
                .map(|order| layout.plain(Name::new("zone.free[{}]", [order]), BlockLink(None)))
                .collect(),
        });
        let machine = Machine {
            kernel,
            geometry: Geometry::new(table_bits, kernel.profile.levels),
            zero_page: None,
            zone,
            cpus: cpus as usize,
            sections,
            pages: Vec::new(),
            mms: Vec::new(),
            pagemaps: Vec::new(),
        };
        Self { layout, machine }
    }

    /// A machine of `cpus` CPUs whose tables are as small as `pages` pages in one of them allow: two entries
    /// at least.
    pub fn for_pages(kernel: Kernel, cpus: u32, pages: u32) -> Self {
        let table_bits = pages.max(2).next_power_of_two().trailing_zeros();
        Self::new(kernel, cpus, table_bits)
    }

    /// An mm with one private anonymous area of `pages` pages, at an address that a huge page could map,
    /// nothing in it yet.
    pub fn anon_area(&mut self, pages: u32) -> Area {
        let mm = self.new_mm();
        let start = self.geometry().span(Level::Pmd);
        let vma = self.mmap(mm, start, pages, VmFlags::PRIVATE, Backing::Anon);
        let end = start + u64::from(pages) * PAGE_SIZE;
        Area {
            mm,
            vma,
            start,
            end,
            pages: pages as i32,
        }
    }

    /// Small pages, writable, exclusive, in every place of the area.
    pub fn populate(&mut self, area: Area) -> Vec<Pfn> {
        (0..area.pages as u64)
            .map(|n| {
                let pfn = self.anon_page(Owner::Us, 0);
                self.map(area.mm, area.start + n * PAGE_SIZE, pfn, true);
                pfn
            })
            .collect()
    }

    /// An mm with an area like that one, with the tables down to its PTEs, and nothing mapped: a child, as fork has it
    /// before it copies entries.
    pub fn child_of(&mut self, parent: Area) -> Area {
        let child = self.anon_area(parent.pages as u32);
        for n in 0..parent.pages as u64 {
            self.tables_down_to(child.mm, child.start + n * PAGE_SIZE, Level::Pte);
        }
        child
    }

    /// Marks an mm as one that has pinned pages before (`MMF_HAS_PINNED`).
    pub fn has_pinned_before(&mut self, mm: MmId) {
        let mark = self.mm(mm).has_pinned;
        self.layout.set(mark, true);
    }

    /// The machine, and the declaration of all that its CPUs share.
    pub fn finish(self) -> (Layout, Machine) {
        (self.layout, self.machine)
    }

    /// The shape of the page tables.
    pub const fn geometry(&self) -> &Geometry {
        &self.machine.geometry
    }

    /// A frame's struct page.
    pub fn page(&self, pfn: Pfn) -> &Page {
        self.machine.page(pfn)
    }

    /// An address space.
    pub fn mm(&self, mm: MmId) -> &Mm {
        self.machine.mm(mm)
    }

    /// The pagemaps of its devices so far.
    pub fn pagemaps(&self) -> &[Pagemap] {
        self.machine.pagemaps()
    }

    /// The declarations so far, to give a cell another start value.
    pub const fn layout(&mut self) -> &mut Layout {
        &mut self.layout
    }

    /// One more frame, that nobody has.
    fn frame(&mut self) -> Pfn {
        let pfn = Pfn(self.machine.pages.len() as u32);
        let entries = 1 << (self.machine.zone.free.len() - 1);
        let page = Page::declare(&mut self.layout, pfn, entries);
        self.machine.pages.push(page);
        pfn
    }

    /// A block of `1 << order` frames on the free list.
    pub fn free_block(&mut self, order: u8) -> Pfn {
        let first = self.frame();
        for _ in 1..1 << order {
            self.frame();
        }
        for n in 0..1 << order {
            let buddy = self.page(first.plus(n)).buddy;
            self.layout.set_plain(buddy, true);
        }
        let list = self.machine.zone.free[order as usize];
        let next = self.page(first).next_free;
        let rest = self.layout.get_plain(list);
        self.layout.set_plain(next, rest);
        self.layout.set_plain(list, BlockLink(Some(first)));
        first
    }

    /// A free frame that was a page table in an earlier life, and still holds what it held then.
    pub fn free_frame_holding(&mut self, entries: Entry) -> Pfn {
        let pfn = self.free_block(0);
        for cell in self.page(pfn).table.entries.clone() {
            self.layout.set(cell, entries);
        }
        let life = self.page(pfn).table.life;
        self.layout.set_life(life, true);
        pfn
    }

    /// A page of anonymous memory with `refs` references, mapped nowhere yet.
    pub fn anon_page(&mut self, owner: Owner, refs: i32) -> Pfn {
        let pfn = self.frame();
        self.make_anon(pfn, owner, refs);
        pfn
    }

    /// A large anonymous folio that one pmd entry can map, with `refs` references: its head.
    pub fn thp(&mut self, owner: Owner, refs: i32) -> Pfn {
        let order = self.machine.zone.free.len() as u8 - 1;
        self.large_folio(order, owner, refs)
    }

    /// A large anonymous folio of `1 << order` pages with `refs` references: its head.
    pub fn large_folio(&mut self, order: u8, owner: Owner, refs: i32) -> Pfn {
        let head = self.frame();
        self.make_anon(head, owner, refs);
        for _ in 1..1 << order {
            let tail = self.frame();
            let (compound_head, owned) = (self.page(tail).compound_head, self.page(tail).owner);
            self.layout.set(compound_head, CompoundHead(Some(head)));
            self.layout.set_plain(owned, owner);
        }
        let page = self.page(head);
        let (flags, order_cell) = (page.flags, page.order);
        let with_head = self.layout.get(flags) | PageFlags::HEAD;
        self.layout.set(flags, with_head);
        self.layout.set(order_cell, order);
        head
    }

    /// The shared zero page: read faults of anonymous memory map it from now on.
    pub fn zero_page(&mut self) -> Pfn {
        let pfn = self.frame();
        let page = self.page(pfn);
        let (refcount, owned) = (page.refcount, page.owner);
        self.layout.set(refcount, 1);
        self.layout.set_plain(owned, Owner::Us);
        self.machine.zero_page = Some(pfn);
        pfn
    }

    /// Says what is fixed of the memory behind a frame.
    pub fn set_memory(&mut self, pfn: Pfn, memory: Memory) {
        self.machine.pages[pfn.0 as usize].memory = memory;
    }

    /// The block that these frames are in, kept for `kind` when the CPUs start.
    pub fn pageblock(&mut self, frames: &[Pfn], kind: Migratetype) -> Atomic<Migratetype> {
        let first = frames.first().map_or(0, |pfn| pfn.0);
        let name = Name::new("pageblock{}.migratetype", [first]);
        let cell = self.layout.atomic(name, kind);
        for &Pfn(n) in frames {
            self.machine.pages[n as usize].memory.pageblock = Some(cell);
        }
        cell
    }

    /// `pages` frames of a device's memory, of which its file system says who may have them: its first. As the
    /// kernel counts such pages, one that nobody uses has one reference.
    pub fn device_memory(&mut self, pages: u32) -> Pfn {
        let nth = self.machine.pagemaps.len() as u32;
        let frames: Vec<_> = (0..pages).map(|_| self.frame()).collect();
        for &pfn in &frames {
            let page = self.page(pfn);
            let (refcount, mapping, owned) = (page.refcount, page.mapping, page.owner);
            self.layout.set(refcount, 1);
            self.layout.set(mapping, Mapping::File);
            self.layout.set_plain(owned, Owner::Us);
            self.machine.pages[pfn.0 as usize].memory.pagemap = Some(nth);
        }
        let pagemap = self
            .layout
            .object(Name::new("pagemap{}", [nth]), |layout| Pagemap {
                first: frames[0],
                pages,
                refs: layout.atomic(Name::new("pagemap{}.ref", [nth]), 0),
                dead: layout.atomic(Name::new("pagemap{}.dead", [nth]), false),
                memmap: layout.life(Name::new("pagemap{}.memmap", [nth]), true),
            });
        self.machine.pagemaps.push(pagemap);
        frames[0]
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

    fn make_anon(&mut self, pfn: Pfn, owner: Owner, refs: i32) {
        let page = self.page(pfn);
        let (flags, mapping) = (page.flags, page.mapping);
        let (refcount, owned) = (page.refcount, page.owner);
        self.layout.set(flags, PageFlags::LRU);
        self.layout.set(mapping, Mapping::Anon);
        self.layout.set(refcount, refs);
        self.layout.set_plain(owned, owner);
    }

    /// An address space with an empty root table.
    pub fn new_mm(&mut self) -> MmId {
        let id = self.machine.mms.len() as u32;
        let mm = self.layout.object(Name::new("mm{}", [id]), |layout| Mm {
            pgd: Pfn(0),
            mmap_lock: layout.rw_lock(Name::new("mm{}.mmap_lock", [id])),
            write_protect_seq: layout.atomic(Name::new("mm{}.write_protect_seq", [id]), 0),
            has_pinned: layout.atomic(Name::new("mm{}.has_pinned", [id]), false),
            vmas: Vec::new(),
            anon_vma: AnonVma {
                mm: id,
                rwsem: layout.rw_lock(Name::new("mm{}.anon_vma", [id])),
            },
            deposited: [0, 1]
                .map(|n| layout.plain(Name::new("mm{}.deposited[{}]", [id, n]), BlockLink(None))),
        });
        self.machine.mms.push(mm);
        let pgd = self.table(MmId(id), Level::Pgd, 0);
        self.machine.mms[id as usize].pgd = pgd;
        MmId(id)
    }

    /// An area of `pages` pages from `start` on, and the tables down to the PMD level under it.
    pub fn mmap(
        &mut self,
        mm: MmId,
        start: u64,
        pages: u32,
        flags: VmFlags,
        backing: Backing,
    ) -> usize {
        let vmas = &mut self.machine.mms[mm.0 as usize].vmas;
        let nth = vmas.len();
        let name = |template| Name::new(template, [mm.0, nth as u32]);
        let (attached, in_anon_vma) = (self.layout).object(Name::new("mm{}", [mm.0]), |layout| {
            let attached = layout.plain(name("mm{}.vma{}"), true);
            (
                attached,
                layout.atomic(name("mm{}.vma{}.in_anon_vma"), true),
            )
        });
        vmas.push(Vma {
            start,
            end: start + u64::from(pages) * PAGE_SIZE,
            flags,
            backing,
            attached,
            in_anon_vma,
        });
        let end = start + u64::from(pages) * PAGE_SIZE;
        let mut addr = start;
        while addr < end {
            self.tables_down_to(mm, addr, Level::Pmd);
            addr = self.geometry().addr_end(Level::Pmd, addr, end);
        }
        nth
    }

    /// Maps `pfn` at `addr` by a PTE, with one reference for the mapping.
    pub fn map(&mut self, mm: MmId, addr: u64, pfn: Pfn, write: bool) {
        let slot = self.tables_down_to(mm, addr, Level::Pte);
        self.layout.set(slot, Entry::leaf(pfn, write));
        self.count_mapping(pfn);
        self.set_place(mm, addr, pfn);
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
        self.count_mapping(head);
        self.set_place(mm, addr, head);
    }

    /// The folio of `pfn`, which is mapped at `addr`, is where its anon_vma has it (`__page_set_anon_rmap`).
    fn set_place(&mut self, mm: MmId, addr: u64, pfn: Pfn) {
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

    /// Puts a small anonymous page into the swap cache, which has a reference of it.
    pub fn add_to_swap_cache(&mut self, pfn: Pfn) {
        let page = self.page(pfn);
        let (flags, refcount) = (page.flags, page.refcount);
        let cached = self.layout.get(flags) | PageFlags::SWAP_CACHE;
        self.layout.set(flags, cached);
        let refs = self.layout.get(refcount) + 1;
        self.layout.set(refcount, refs);
    }

    /// Gives a mapped page's entry other bits.
    pub fn change_pte(&mut self, mm: MmId, addr: u64, change: impl FnOnce(Entry) -> Entry) {
        let slot = self.tables_down_to(mm, addr, Level::Pte);
        let entry = self.layout.get(slot);
        self.layout.set(slot, change(entry));
    }

    /// Deposits a table for the huge mapping at `addr`, as a THP's fault does: it is a table, unlinked, its
    /// entries as given.
    pub fn deposit(&mut self, mm: MmId, addr: u64, entries: Entry) -> Pfn {
        let table = self.table(mm, Level::Pte, addr);
        for cell in self.page(table).table.entries.clone() {
            self.layout.set(cell, entries);
        }
        if self.machine.kernel.profile.deposit == crate::arch::Deposit::InTable {
            let life = self.page(table).table.life;
            self.layout.set_life(life, false);
        }
        let [newest, older] = self.machine.mms[mm.0 as usize].deposited;
        let before = self.layout.get_plain(newest);
        self.layout.set_plain(older, before);
        self.layout.set_plain(newest, BlockLink(Some(table)));
        table
    }

    /// The page is mapped once more, exclusively.
    fn count_mapping(&mut self, pfn: Pfn) {
        let page = self.page(pfn);
        let (mapcount, flags, compound_head) = (page.mapcount, page.flags, page.compound_head);
        let times = self.layout.get(mapcount) + 1;
        self.layout.set(mapcount, times);
        let flags_now = self.layout.get(flags) | PageFlags::ANON_EXCLUSIVE;
        self.layout.set(flags, flags_now);
        let head = self.layout.get(compound_head).0.unwrap_or(pfn);
        let refcount = self.page(head).refcount;
        let refs = self.layout.get(refcount) + 1;
        self.layout.set(refcount, refs);
    }

    /// The cell of `addr`'s entry at `level`, with all tables above it in place.
    pub fn tables_down_to(&mut self, mm: MmId, addr: u64, level: Level) -> Atomic<Entry> {
        let mut table = self.machine.mm(mm).pgd;
        let mut at = Level::Pgd;
        loop {
            let index = self.geometry().index(at, addr);
            let slot = self.page(table).table.entries[index];
            let Some(below) = (at < level).then(|| self.next_real(at)).flatten() else {
                return slot;
            };
            if self.layout.get(slot).is_none() {
                let new = self.table(mm, below, addr);
                self.layout.set(slot, Entry::table(new));
            }
            table = self.layout.get(slot).pfn();
            at = below;
        }
    }

    /// The next level below that has tables of its own.
    fn next_real(&self, level: Level) -> Option<Level> {
        let below = level.below()?;
        if self.geometry().is_folded(below) {
            self.next_real(below)
        } else {
            Some(below)
        }
    }

    /// A frame that is a table of `level`, its entries named after the addresses that they cover.
    fn table(&mut self, mm: MmId, level: Level, addr: u64) -> Pfn {
        let pfn = self.frame();
        let page = self.page(pfn);
        let (life, owner, refcount) = (page.table.life, page.owner, page.refcount);
        let entries = page.table.entries.clone();
        self.layout.set_life(life, true);
        self.layout.set_plain(owner, Owner::Table);
        self.layout.set(refcount, 1);
        let template = match level {
            Level::Pgd => "mm{}.pgd[{}]",
            Level::P4d => "mm{}.p4d[{}]",
            Level::Pud => "mm{}.pud[{}]",
            Level::Pmd => "mm{}.pmd[{}]",
            Level::Pte => "mm{}.pte[{}]",
        };
        let shift = self.geometry().shift(level);
        let count = self.geometry().entries(level);
        let first = (addr >> shift) & !(count - 1);
        for (cell, n) in entries.into_iter().zip(first as u32..) {
            self.layout
                .rename(cell.id(), Name::new(template, [mm.0, n]));
        }
        pfn
    }

    /// Prot-none instead of present, and not writable, as `mprotect(PROT_NONE)` and NUMA hinting leave it.
    pub fn prot_none(entry: Entry) -> Entry {
        entry
            .without(Bits::PRESENT | Bits::WRITE)
            .with(Bits::PROT_NONE)
    }
}
