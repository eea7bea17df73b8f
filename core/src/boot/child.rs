//! A child, before fork and after it.

use super::{Area, Boot};
use crate::sync::Atomic;
use crate::types::{Bits, Entry, Level, PAGE_SIZE, PageFlags, VmFlags};

impl Boot {
    /// An mm with an area like that one, with the tables down to its PTEs, and nothing mapped: a child, as fork has it
    /// before it copies entries. Nobody finds the area yet, by the child's tree of areas or by the parent's anon_vma.
    pub fn child_of(&mut self, parent: Area) -> Area {
        let child = self.child_without_tables(parent);
        for n in 0..(parent.end - parent.start) / PAGE_SIZE {
            self.tables_down_to(child.mm, child.start + n * PAGE_SIZE, Level::Pte);
        }
        child
    }

    /// The same, without any table but the root: fork makes them.
    pub fn child_without_tables(&mut self, parent: Area) -> Area {
        let like = &self.mm(parent.mm).vmas[parent.vma];
        let (range, backing) = (like.start..like.end, like.backing);
        // No userfaultfd watches it.
        let flags = like.flags.difference(VmFlags::UFFD_WP);
        let (pgoff, orders, changes) = (like.pgoff, like.anon_orders, like.changing.is_some());
        let mm = self.declare_mm(Some(parent.mm));
        let vma = self.add_area(mm, range, flags, backing);
        let area = &mut self.machine.mms[mm.0 as usize].vmas[vma];
        (area.pgoff, area.anon_orders) = (pgoff, orders);
        let child = Area { mm, vma, ..parent };
        if changes {
            self.protectable(child);
        }
        self.find_area(child, false);
        child
    }

    /// A child that was forked long ago: it shares what the parent maps by PTEs, and neither may write to it.
    pub fn forked(&mut self, parent: Area) -> Area {
        let child = self.child_of(parent);
        self.find_area(child, true);
        for n in 0..(parent.end - parent.start) / PAGE_SIZE {
            let addr = parent.start + n * PAGE_SIZE;
            let from = self.tables_down_to(parent.mm, addr, Level::Pte);
            let entry = self.layout.get(from);
            if entry.pte_present() {
                let to = self.tables_down_to(child.mm, addr, Level::Pte);
                self.share_entry(from, to, entry);
            }
        }
        child
    }

    /// Both map the page, read-only; it is not exclusive any more.
    fn share_entry(&mut self, from: Atomic<Entry>, to: Atomic<Entry>, entry: Entry) {
        let shared = entry.without(Bits::WRITE);
        self.layout.set(from, shared);
        self.layout.set(to, shared);
        if !entry.is_special() {
            self.count_mapping(entry.pfn());
            let flags = self.page(entry.pfn()).flags;
            let without = self.layout.get(flags) - PageFlags::ANON_EXCLUSIVE;
            self.layout.set(flags, without);
        }
    }

    /// Whether the area is found: by the tree of its mm's areas, and by rmap walks.
    fn find_area(&mut self, area: Area, found: bool) {
        let vma = &self.mm(area.mm).vmas[area.vma];
        let (attached, in_anon_vma) = (vma.attached, vma.in_anon_vma);
        self.layout.set_plain(attached, found);
        self.layout.set(in_anon_vma, found);
    }
}
