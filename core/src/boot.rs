//! Boot: single-threaded code that makes a machine and sets the scene, before any CPU runs.
//!
//! Nothing here is an operation: boot gives cells the values with which they start. What it builds is
//! consistent as the kernel would have left it: counts match mappings, tables are alive, frames are
//! either free or somebody's.

mod area;
mod child;
mod file;
mod knobs;
mod mapped;
mod mapping;
mod memory;
mod swap;
mod tables;

pub use area::Area;
pub use mapped::Mapped;

use crate::machine::{GATHER_LIMIT, GatherSize, Machine, MmId};
use crate::step::Kernel;
use crate::sync::{Layout, Name};
use crate::types::{
    AnonVma, Backing, BlockLink, Geometry, Level, Mm, PAGE_SIZE, Page, Pagemap, Pfn, Sections,
    SplitQueue, VmFlags, Vma, Zone,
};

use std::ops::Range;

/// A machine in the making.
#[derive(Debug)]
pub struct Boot {
    layout: Layout,
    machine: Machine,
    /// What each directory of huge pages spans.
    directories: Vec<(MmId, Range<u64>)>,
}

impl Boot {
    /// A machine of `cpus` CPUs, and one for each background actor of the kernel, whose tables have `1 << table_bits`
    /// entries.
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
        let split_queue = layout.object("split_queue", |layout| SplitQueue {
            lock: layout.spin_lock("split_queue.lock"),
            folios: [0, 1]
                .map(|n| layout.plain(Name::new("split_queue.folios[{}]", [n]), BlockLink(None))),
        });
        let machine = Machine {
            kernel,
            geometry: Geometry::new(table_bits, kernel.profile.levels),
            zero_page: None,
            huge_zero: None,
            gate: None,
            zone,
            split_queue,
            large_folios: false,
            gather: GatherSize {
                pages: GATHER_LIMIT,
                tables: GATHER_LIMIT,
            },
            khugepaged: None,
            cpus: (cpus + kernel.noise.count()) as usize,
            sections,
            lazy_cpu: None,
            pages: Vec::new(),
            mms: Vec::new(),
            pagemaps: Vec::new(),
            lru_batches: Vec::new(),
            secondary_mmus: Vec::new(),
            signals: Vec::new(),
            swap: None,
            hugetlb: None,
            hstate: Level::Pmd,
            files: Vec::new(),
        };
        Self {
            layout,
            machine,
            directories: Vec::new(),
        }
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
        self.anon_area_at(self.geometry().span(Level::Pmd), pages)
    }

    /// The same with these flags, of this backing.
    pub fn area_of(&mut self, pages: u32, flags: VmFlags, backing: Backing) -> Area {
        self.area_at(self.geometry().span(Level::Pmd), pages, flags, backing)
    }

    /// The same, at an address of one's own.
    pub fn anon_area_at(&mut self, start: u64, pages: u32) -> Area {
        self.area_at(start, pages, VmFlags::PRIVATE, Backing::Anon)
    }

    fn area_at(&mut self, start: u64, pages: u32, flags: VmFlags, backing: Backing) -> Area {
        let mm = self.new_mm();
        let vma = self.mmap(mm, start, pages, flags, backing);
        let end = start + u64::from(pages) * PAGE_SIZE;
        Area {
            mm,
            vma,
            start,
            end,
            pages: pages as i32,
        }
    }

    /// An mm with an area as large as what one pmd maps.
    pub fn pmd_area(&mut self) -> Area {
        self.anon_area(self.geometry().pages_per_pmd())
    }

    /// Huge pages are faulted in in this area, as after `madvise(MADV_HUGEPAGE)`.
    pub fn wants_huge_pages(&mut self, area: Area) {
        let vmas = &mut self.machine.mms[area.mm.0 as usize].vmas;
        vmas[area.vma].flags |= VmFlags::HUGEPAGE;
    }

    /// Folios of `1 << order` pages are faulted in in this area (v6.8; v6.6 has none between one page and a huge page).
    pub fn wants_folios_of(&mut self, area: Area, order: u8) {
        let vmas = &mut self.machine.mms[area.mm.0 as usize].vmas;
        vmas[area.vma].anon_orders |= 1 << order;
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

    /// The kernel that it boots.
    pub const fn kernel(&self) -> Kernel {
        self.machine.kernel
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

    /// An address space with an empty root table.
    pub fn new_mm(&mut self) -> MmId {
        self.declare_mm(None)
    }

    /// The same, a child of `parent` if there is one.
    fn declare_mm(&mut self, parent: Option<MmId>) -> MmId {
        let id = self.machine.mms.len() as u32;
        let root = parent.map(|parent| self.mm(parent).anon_vma.rwsem);
        let mm = self.layout.object(Name::new("mm{}", [id]), |layout| Mm {
            pgd: Pfn(0),
            mmap_lock: layout.rw_lock(Name::new("mm{}.mmap_lock", [id])),
            lock_seq: None,
            write_protect_seq: layout.atomic(Name::new("mm{}.write_protect_seq", [id]), 0),
            has_pinned: layout.atomic(Name::new("mm{}.has_pinned", [id]), false),
            huge_zero: layout.atomic(Name::new("mm{}.huge_zero", [id]), false),
            users: layout.atomic(Name::new("mm{}.users", [id]), 2),
            vmas: Vec::new(),
            anon_vma: AnonVma {
                mm: id,
                parent: parent.map(|MmId(parent)| parent),
                rwsem: root.unwrap_or_else(|| layout.rw_lock(Name::new("mm{}.anon_vma", [id]))),
            },
            deposited: [0, 1]
                .map(|n| layout.plain(Name::new("mm{}.deposited[{}]", [id, n]), BlockLink(None))),
            tlb_flush_batched: layout.atomic(Name::new("mm{}.tlb_flush_batched", [id]), 0),
            tlb_flush_pending: None,
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
        let end = start + u64::from(pages) * PAGE_SIZE;
        let nth = self.add_area(mm, start..end, flags, backing);
        let mut addr = start;
        while addr < end {
            self.tables_down_to(mm, addr, Level::Pmd);
            addr = self.geometry().addr_end(Level::Pmd, addr, end);
        }
        nth
    }

    /// The same, and no table.
    fn add_area(&mut self, mm: MmId, range: Range<u64>, flags: VmFlags, backing: Backing) -> usize {
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
            start: range.start,
            end: range.end,
            pgoff: range.start / PAGE_SIZE,
            flags,
            changing: None,
            backing,
            file: None,
            anon_orders: 0,
            attached,
            in_anon_vma,
            translations: None,
            lock: None,
        });
        nth
    }
}
