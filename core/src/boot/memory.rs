//! Frames, and what is in them when the CPUs start.

use super::{Boot, Mapped};
use crate::machine::MmId;
use crate::sync::{Atomic, Name};
use crate::types::{
    BlockLink, CompoundHead, Entry, Gate, HugeZero, Level, LruBatch, Mapping, Memory, Migratetype,
    Owner, PageFlags, Pagemap, Pfn, SecondaryMmu, Vmemmap,
};

impl Boot {
    /// A block of `1 << order` frames on the free list.
    pub fn free_block(&mut self, order: u8) -> Pfn {
        self.machine.large_folios |= order > 0;
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

    /// So many single frames on the free list: for pages, or for tables. The last one is taken first.
    pub fn free_pages(&mut self, count: u32) {
        for _ in 0..count {
            self.free_block(0);
        }
    }

    /// A block on the free list that makes one huge page.
    pub fn free_huge_block(&mut self) -> Pfn {
        let order = self.machine.zone.free.len() as u8 - 1;
        self.free_block(order)
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
        self.machine.large_folios = true;
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

    /// Read faults of areas that want huge pages map the huge zero page from now on. It is there already if `made`, with the one
    /// reference that the shrinker may take; those who mapped it before are gone.
    pub fn huge_zero_page(&mut self, made: bool) -> Option<Pfn> {
        self.machine.large_folios = true;
        let head = made.then(|| self.zero_folio());
        let link = BlockLink(head);
        let zero = self.layout.object("huge_zero", |layout| HugeZero {
            refcount: layout.atomic("huge_zero.refcount", i32::from(made)),
            page: layout.atomic("huge_zero.page", link),
            pfn: layout.atomic("huge_zero.pfn", link),
            lock: layout.spin_lock("huge_zero.lock"),
        });
        self.machine.huge_zero = Some(zero);
        head
    }

    /// A large folio that is no anonymous memory, and on no list: the huge zero page.
    fn zero_folio(&mut self) -> Pfn {
        let head = self.thp(Owner::Us, 1);
        let (flags, mapping) = (self.page(head).flags, self.page(head).mapping);
        self.layout.set(flags, PageFlags::HEAD);
        self.layout.set(mapping, Mapping::None);
        head
    }

    /// A gate area of one page at `start`, and that page: mapped by the kernel's own tables if it lies above user space, and by those
    /// of `mm` if not.
    pub fn gate_area(&mut self, mm: MmId, start: u64) -> Mapped {
        let init_mm = self.new_mm();
        let page = self.frame();
        let (refcount, owned) = (self.page(page).refcount, self.page(page).owner);
        self.layout.set(refcount, 1);
        self.layout.set_plain(owned, Owner::Us);
        let above = start > self.geometry().task_size();
        let mm = if above { init_mm } else { mm };
        let slot = self.tables_down_to(mm, start, Level::Pte);
        self.layout.set(slot, Entry::leaf(page, false));
        self.machine.gate = Some(Gate {
            start,
            page,
            init_mm: init_mm.0,
        });
        Mapped {
            mm,
            addr: start,
            pfn: page,
        }
    }

    /// Says what is fixed of the memory behind a frame.
    pub fn set_memory(&mut self, pfn: Pfn, memory: Memory) {
        self.machine.pages[pfn.0 as usize].memory = memory;
    }

    /// The struct page of this frame may be mapped read-only while the CPUs run, as those of hugetlb's pages are.
    pub fn in_vmemmap(&mut self, pfn: Pfn) {
        let vmemmap =
            (self.layout).object(Name::new("page{}.vmemmap", [pfn.0]), |layout| Vmemmap {
                writable: layout.life(Name::new("page{}.vmemmap.writable", [pfn.0]), true),
                fake_head: layout.atomic(Name::new("page{}.fake_head", [pfn.0]), false),
            });
        self.machine.pages[pfn.0 as usize].memory.vmemmap = Some(vmemmap);
    }

    /// A page is in a batch of some CPU's, which holds a reference of it.
    pub fn lru_batch(&mut self, pfn: Pfn) {
        let nth = self.machine.lru_batches.len() as u32;
        let batch = (self.layout).object(Name::new("batch{}", [nth]), |layout| LruBatch {
            lock: layout.spin_lock(Name::new("batch{}.lock", [nth])),
            folio: layout.plain(Name::new("batch{}.folio", [nth]), BlockLink(Some(pfn))),
        });
        self.machine.lru_batches.push(batch);
        self.take_reference(pfn);
    }

    /// KVM maps one page of the address space for a guest; nothing yet.
    pub fn secondary_mmu(&mut self, mm: MmId) {
        let secondary = (self.layout).object(Name::new("kvm{}", [mm.0]), |layout| SecondaryMmu {
            mm: mm.0,
            lock: layout.spin_lock(Name::new("kvm{}.mmu_lock", [mm.0])),
            in_progress: layout.plain(Name::new("kvm{}.in_progress", [mm.0]), 0),
            sequence: layout.atomic(Name::new("kvm{}.seq", [mm.0]), 0),
            mapped: layout.plain(Name::new("kvm{}.mapped", [mm.0]), BlockLink(None)),
        });
        self.machine.secondary_mmus.push(secondary);
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

    pub(super) fn make_anon(&mut self, pfn: Pfn, owner: Owner, refs: i32) {
        let page = self.page(pfn);
        let (flags, mapping) = (page.flags, page.mapping);
        let (refcount, owned) = (page.refcount, page.owner);
        self.layout.set(flags, PageFlags::LRU);
        self.layout.set(mapping, Mapping::Anon);
        self.layout.set(refcount, refs);
        self.layout.set_plain(owned, owner);
    }
}
