//! Several pages where there were none: v6.8's `alloc_anon_folio`, and what `do_anonymous_page` does with a large folio.
//!
//! # The order
//!
//! 1. without any lock, the largest range around the address is looked for in which nothing is mapped (`pte_range_none`);
//! 2. a folio of that size is allocated, or a smaller one;
//! 3. a write barrier: that the tails have a head comes before the entries (M-P93);
//! 4. under the page-table lock, *every* entry of the range is looked at again: if one is not none, all is given back (M-P98);
//! 5. a reference for each further page; the counts; 6. the entries, one after the other.
//!
//! # What happens when a walker comes
//!
//! Between the first and the last entry of 6 it finds some of them. Each is as good as it will be: the references of 5 are taken, and
//! all pages are exclusive. Its pin is counted at the head, as that of any large folio.

use super::handle::Fault;
use crate::folio::{
    Folio, Owner, PageFlags, alloc_folio, folio_add_new_rmap_range, folio_put, folio_ref_add,
    set_page_anon_exclusive, set_page_flags,
};
use crate::lkmm::smp_wmb;
use crate::mm::{FaultFlags, VmFault, VmFlags, page_set_anon};
use crate::pgtable::{
    Entry, EntryPtr, PAGE_SIZE, pte_offset_map_lock, pte_offset_map_nolock, pte_unmap,
    pte_unmap_unlock,
};
use crate::step::Step;

impl<'m> Fault<'_, 'm> {
    /// Where the area may have larger folios, and a write wants one: how the fault ends, or `None` if a small page must do.
    pub(super) fn do_large_anonymous_page(&self) -> Option<VmFault> {
        if self.vma.anon_orders == 0 || !self.flags.contains(FaultFlags::WRITE) {
            return None;
        }
        match self.vacant_orders() {
            Some(orders) => self
                .alloc_anon_folio(orders)
                .map(|folio| self.map_range(folio)),
            // There is no table any more: the fault is tried again.
            None => Some(VmFault::Done),
        }
    }

    /// The first address of the range of `1 << order` pages that this one is in.
    const fn range_start(&self, order: u32) -> u64 {
        self.addr & !((PAGE_SIZE << order) - 1)
    }

    /// `thp_vma_allowable_orders`, `thp_vma_suitable_orders`, and `pte_range_none`: the orders that would do, the largest first; all
    /// below one that does will do as well.
    fn vacant_orders(&self) -> Option<u32> {
        let fits = |order: &u32| {
            let start = self.range_start(*order);
            self.vma.start <= start && start + (PAGE_SIZE << *order) <= self.vma.end
        };
        let mut orders: u32 = (0..u32::BITS)
            .filter(|order| self.vma.anon_orders & (1 << order) != 0)
            .filter(fits)
            .map(|order| 1 << order)
            .sum();
        while orders != 0 {
            let order = orders.ilog2();
            let first = pte_offset_map_nolock(self.cpu, self.pmdp, self.range_start(order))?;
            let vacant = entries(first, order).all(|ptep| ptep.is(self.cpu, Entry::NONE));
            pte_unmap(self.cpu);
            if vacant {
                break;
            }
            orders &= !(1 << order);
        }
        Some(orders)
    }

    /// `alloc_anon_folio`'s end: of the largest order of which there is memory.
    fn alloc_anon_folio(&self, orders: u32) -> Option<Folio<'m>> {
        (0..u32::BITS)
            .rev()
            .filter(|order| orders & (1 << order) != 0)
            .find_map(|order| alloc_folio(self.cpu, order as u8, Owner::Us))
    }

    /// The rest of `do_anonymous_page`.
    fn map_range(&self, folio: Folio<'m>) -> VmFault {
        let cpu = self.cpu;
        let pages = folio.nr_pages(cpu);
        let order = pages.trailing_zeros();
        // ORDERING: the folio before the entries. Pairs with entry-read-once (P6). Without it, a pin of a page that does not look like
        // one of a large folio yet. Step `folio-publish-barrier`.
        if cpu.does(Step::FolioPublishBarrier) {
            smp_wmb(cpu);
        }
        let start = self.range_start(order);
        let Some(first) = pte_offset_map_lock(cpu, self.pmdp, start) else {
            folio_put(cpu, folio);
            return VmFault::Done;
        };
        let vacant = self.range_is_still_none(first, order);
        if vacant {
            folio_ref_add(cpu, folio, pages as i32 - 1);
            page_set_anon(cpu, folio.head(), self.mm, start);
            folio_add_new_rmap_range(cpu, folio, pages);
            for n in 0..pages {
                set_page_anon_exclusive(cpu, cpu.machine().page(folio.head().pfn.plus(n)));
            }
            set_page_flags(cpu, folio.head(), PageFlags::LRU);
            let write = self.vma.vm_flags(cpu).contains(VmFlags::WRITE);
            for (ptep, n) in entries(first, order).zip(0..) {
                ptep.set(cpu, Entry::leaf(folio.head().pfn.plus(n), write));
            }
        }
        pte_unmap_unlock(cpu, first);
        if !vacant {
            folio_put(cpu, folio);
        }
        VmFault::Done
    }

    /// `pte_range_none` again, under the lock.
    fn range_is_still_none(&self, first: EntryPtr<'m>, order: u32) -> bool {
        let cpu = self.cpu;
        // Somebody may have mapped a small page at any of these addresses meanwhile. Without it, only the entry of the address that
        // faulted is asked, as for one page: the others' mappings are lost. Step `range-reread`.
        if cpu.does(Step::RangeReread) {
            return (entries(first, order)).all(|ptep| ptep.is_still(cpu, Entry::NONE));
        }
        let nth = (self.addr - self.range_start(order)) / PAGE_SIZE;
        (entries(first, order).nth(nth as usize))
            .is_some_and(|ptep| ptep.is_still(cpu, Entry::NONE))
    }
}

/// The entries of a range, from the first on.
fn entries(first: EntryPtr<'_>, order: u32) -> impl Iterator<Item = EntryPtr<'_>> {
    std::iter::successors(Some(first), |ptep| Some(ptep.next())).take(1 << order)
}
