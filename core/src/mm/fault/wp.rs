//! A write to a page that may not be written to: the page is reused, or copied.

use super::handle::Fault;
use crate::cpu::{flush_tlb_range, mm_tlb_flush_pending};
use crate::folio::{
    Folio, Mapping, Page, folio_get, folio_put, folio_ref_count_is, folio_ref_count_is_below,
    page_folio, page_is_reusable, page_remove_rmap, set_page_anon_exclusive,
};
use crate::lkmm::read_once_is;
use crate::mm::{
    FaultFlags, VmFault, VmFlags, folio_move_anon_rmap, invalidate_range_end,
    invalidate_range_start,
};
use crate::pgtable::{
    Bits, Entry, EntryPtr, PAGE_SIZE, pte_offset_map_lock, pte_unmap_unlock, ptep_clear_flush,
};
use crate::step::Step;
use crate::swap::{folio_free_swap, folio_test_swapcache, free_swap_cache};

impl<'m> Fault<'_, 'm> {
    /// `do_wp_page`: the page is reused, or copied if the mapping is private. Holds the page-table lock, and drops it.
    pub(super) fn do_wp_page(&self, ptep: EntryPtr<'m>, pte: Entry) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("do_wp_page");
        let page = cpu.machine().page(pte.pfn());
        if self.is_userfaults(pte) {
            // handle_userfault: nobody waits for the monitor here.
            pte_unmap_unlock(cpu, ptep);
            return VmFault::Sigbus;
        }
        self.flush_if_pending();
        if self
            .vma
            .flags
            .intersects(VmFlags::SHARED | VmFlags::MAYSHARE)
        {
            return self.wp_shared(ptep, pte);
        }
        if pte.is_special() {
            pte_unmap_unlock(cpu, ptep);
            return self.wp_page_copy(None, pte);
        }
        let folio = page_folio(cpu, page);
        let reuse =
            folio.is_anon(cpu) && (page_is_reusable(cpu, page) || self.wp_can_reuse(folio, page));
        if reuse {
            if self.flags.contains(FaultFlags::UNSHARE) {
                pte_unmap_unlock(cpu, ptep);
            } else {
                self.wp_page_reuse(ptep, pte);
            }
            return VmFault::Done;
        }
        folio_get(cpu, folio);
        pte_unmap_unlock(cpu, ptep);
        self.wp_page_copy(Some((folio, page)), pte)
    }

    /// `wp_page_reuse`: the entry may be written to from now on. Drops the page-table lock.
    pub(super) fn wp_page_reuse(&self, ptep: EntryPtr<'m>, pte: Entry) {
        ptep.set(self.cpu, self.made_writable(pte));
        pte_unmap_unlock(self.cpu, ptep);
    }

    /// A userfaultfd's write protection is set, and taken back, with the mmap lock held for reading, and flushed later: somebody
    /// may still write by a translation to a page that is about to be copied.
    fn flush_if_pending(&self) {
        let cpu = self.cpu;
        // ORDERING: the page-table lock's: who made the entry what it is raised the count before that. Pairs with
        // mwriteprotect_range. Without it: R43, a write is lost. Step `wp-flushes-pending`.
        if !self.flags.contains(FaultFlags::UNSHARE)
            && self.vma.flags.contains(VmFlags::UFFD_WP)
            && cpu.does(Step::WpFlushesPending)
            && mm_tlb_flush_pending(cpu, self.mm)
        {
            flush_tlb_range(cpu, self.mm, self.addr..self.addr + PAGE_SIZE);
        }
    }

    /// What later kernels call `wp_can_reuse_anon_folio`: nobody else has a reference, and then nobody can get
    /// one that matters. A KSM page is never reused, whatever its count.
    ///
    /// The first looks only spare the lock where there is little hope. Which of them a reference of a moment makes fail, does not
    /// matter: the page is copied (R41).
    pub(super) fn wp_can_reuse(&self, folio: Folio<'m>, page: &Page) -> bool {
        let cpu = self.cpu;
        let is_ksm = || read_once_is(cpu, folio.head().mapping, Mapping::Ksm);
        if is_ksm() || !self.looks_alone(folio) || !folio.trylock(cpu) {
            return false;
        }
        let alone = !is_ksm() && self.is_alone(folio, page);
        folio.unlock(cpu);
        alone
    }

    /// The looks at the count before the lock. (The kernel empties its LRU batches between the two.)
    fn looks_alone(&self, folio: Folio<'m>) -> bool {
        let cpu = self.cpu;
        if !cpu.does(Step::ReuseByRefcount) {
            return true;
        }
        let cached = i32::from(folio_test_swapcache(cpu, folio));
        folio_ref_count_is_below(cpu, folio, 4) && folio_ref_count_is_below(cpu, folio, 2 + cached)
    }

    /// Whether nobody but the mapping has a reference; then the page is this mm's alone from now on. Under the folio's lock. The
    /// swap cache gives its own up, if no entry names the slot.
    pub(super) fn is_alone(&self, folio: Folio<'m>, page: &Page) -> bool {
        let cpu = self.cpu;
        if folio_test_swapcache(cpu, folio) {
            folio_free_swap(cpu, folio);
        }
        // ORDERING: none. Who has a reference and maps the page no more got it before the mapping was dropped, in the same word.
        // Pairs with put-ordered (P27). Without the count, by the map count: R38. Step `reuse-by-refcount`.
        let alone = if cpu.does(Step::ReuseByRefcount) {
            folio_ref_count_is(cpu, folio, 1)
        } else {
            // reuse_swap_page, until v5.7
            read_once_is(cpu, page.mapcount, 1)
        };
        if alone {
            folio_move_anon_rmap(cpu, folio, self.mm);
            set_page_anon_exclusive(cpu, page);
        }
        alone
    }

    /// `wp_page_copy`: a copy in place of the old page, whose extra reference the caller took.
    pub(super) fn wp_page_copy(&self, old: Option<(Folio<'m>, &'m Page)>, pte: Entry) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("wp_page_copy");
        let put_old = || {
            if let Some((folio, _)) = old {
                folio_put(cpu, folio);
            }
        };
        let Some(new) = self.new_anon_page(old.map(|(_, page)| page)) else {
            put_old();
            return VmFault::Oom;
        };
        invalidate_range_start(cpu, self.mm);
        let ptep = pte_offset_map_lock(cpu, self.pmdp, self.addr);
        let same = ptep.is_some_and(|ptep| ptep.is_still(cpu, pte));
        if let (Some(ptep), true) = (ptep, same) {
            ptep_clear_flush(cpu, self.mm, self.addr, ptep);
            let entry = self.add_new_anon(new);
            let entry = if self.flags.contains(FaultFlags::UNSHARE) {
                let watched = pte.bits().intersection(Bits::UFFD_WP);
                entry.without(Bits::WRITE | Bits::DIRTY).with(watched)
            } else {
                // Dirty even where the area is not writable, as a forced write has it.
                entry.with(Bits::DIRTY)
            };
            ptep.set(cpu, entry);
            if let Some((_, page)) = old {
                page_remove_rmap(cpu, page);
            }
        }
        if let Some(ptep) = ptep {
            pte_unmap_unlock(cpu, ptep);
        }
        invalidate_range_end(cpu, self.mm);
        if same {
            put_old();
            if let Some((folio, _)) = old {
                free_swap_cache(cpu, folio);
            }
        } else {
            self.discard(Some(new));
        }
        put_old();
        VmFault::Done
    }
}
