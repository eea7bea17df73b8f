//! A page that was swapped out comes back: `do_swap_page`.
//!
//! # The rules
//!
//! 1. The folio is found in the swap cache, or read into a new one that is put there: without the page-table lock.
//! 2. It is locked. If somebody else has the lock, the first try drops the mmap lock for the wait, and begins anew; the second
//!    waits with it held. Meanwhile it may have left the cache, and serve for something else: that is asked again.
//! 3. Under the page-table lock the entry must be what it was.
//! 4. The entry says whether the page was exclusive when it was swapped out, and then it is again: somebody may hold a reference
//!    of it, and goes on writing to *this* page. If not, it is when nobody else has a reference.
//! 5. The entry gives its use of the slot up. A write takes the folio out of the cache, if the cache has the only other
//!    reference.
//!
//! A page in the swap cache is found by more than its mappings, so a write to one that is not exclusive is decided on the
//! references less the cache's (`do_wp_page`).

use super::handle::Fault;
use crate::folio::{
    Folio, PageFlags, folio_put, folio_ref_count_is, page_add_rmap, page_anon_exclusive,
    page_is_poisoned, set_page_anon_exclusive,
};
use crate::lkmm::read_once_is;
use crate::machine::MmId;
use crate::mm::{FaultFlags, VmFault, anon_vma_root, page_set_anon};
use crate::pgtable::{Bits, Entry, EntryPtr, pte_offset_map_lock, pte_unmap_unlock};
use crate::step::Step;
use crate::swap::{NoFolio, folio_free_swap, read_swap_cache_async, swap_free};
use crate::sync::Fault as Violation;

impl<'m> Fault<'_, 'm> {
    /// `do_swap_page`, of the entry that was read without the lock, and names `slot`.
    pub(super) fn do_swap_page(&self, entry: Entry, slot: u32) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("do_swap_page");
        // swap_cache_get_folio, swapin_readahead
        let folio = match read_swap_cache_async(cpu, slot) {
            Ok(folio) => folio,
            Err(NoFolio::Changed) => return VmFault::Done,
            Err(NoFolio::Memory) => return self.no_memory(entry),
        };
        if page_is_poisoned(cpu, folio.head()) {
            folio_put(cpu, folio);
            return VmFault::Hwpoison;
        }
        if let Err(retry) = self.folio_lock_or_retry(folio) {
            folio_put(cpu, folio);
            return retry;
        }
        let mapped = self.still_cached(folio, slot);
        let ptep = mapped.then(|| pte_offset_map_lock(cpu, self.pmdp, self.addr));
        let Some(ptep) = ptep.flatten() else {
            folio.unlock(cpu);
            folio_put(cpu, folio);
            return VmFault::Done;
        };
        if !ptep.is_still(cpu, entry) {
            pte_unmap_unlock(cpu, ptep);
            folio.unlock(cpu);
            folio_put(cpu, folio);
            return VmFault::Done;
        }
        // folio_test_uptodate: memory failed after the first look, and what was in it is lost.
        if folio.head().memory.may_fail && folio.test(cpu, PageFlags::NOT_UPTODATE) {
            pte_unmap_unlock(cpu, ptep);
            folio.unlock(cpu);
            folio_put(cpu, folio);
            return VmFault::Sigbus;
        }
        let (pte, exclusive) = self.map_swapped_in(ptep, folio, entry, slot);
        folio.unlock(cpu);
        if self.flags.contains(FaultFlags::WRITE) && !exclusive {
            return self.do_wp_page(ptep, pte);
        }
        pte_unmap_unlock(cpu, ptep);
        VmFault::Done
    }

    /// Out of memory, unless somebody else was faster.
    fn no_memory(&self, entry: Entry) -> VmFault {
        let cpu = self.cpu;
        let Some(ptep) = pte_offset_map_lock(cpu, self.pmdp, self.addr) else {
            return VmFault::Done;
        };
        let same = ptep.is_still(cpu, entry);
        pte_unmap_unlock(cpu, ptep);
        if same { VmFault::Oom } else { VmFault::Done }
    }

    /// Whether the folio, now locked, is in the swap cache, and for this slot.
    fn still_cached(&self, folio: Folio<'m>, slot: u32) -> bool {
        let cpu = self.cpu;
        // ORDERING: the folio lock's. Pairs with whoever took it out of the cache with the folio locked. Without it: the page of
        // another slot is mapped. Step `swap-cache-recheck`.
        !cpu.does(Step::SwapCacheRecheck)
            || folio.test(cpu, PageFlags::SWAP_CACHE) && read_once_is(cpu, folio.head().swap, slot)
    }

    /// Maps a locked folio of the swap cache, under the page-table lock: the new entry, and whether the page is
    /// exclusive.
    fn map_swapped_in(
        &self,
        ptep: EntryPtr<'m>,
        folio: Folio<'m>,
        entry: Entry,
        slot: u32,
    ) -> (Entry, bool) {
        let (cpu, page) = (self.cpu, folio.head());
        if page_anon_exclusive(cpu, page) {
            cpu.fault(Violation::Bug {
                what: "a page that is swapped out is exclusive to somebody",
                cell: Some(page.flags.id()),
            });
        }
        let write = self.flags.contains(FaultFlags::WRITE);
        swap_free(cpu, slot);
        // should_try_to_free_swap: nobody but the cache and this fault.
        if cpu.machine().swap().full || write && folio_ref_count_is(cpu, folio, 2) {
            folio_free_swap(cpu, folio);
        }
        let exclusive = entry.was_exclusive() || folio_ref_count_is(cpu, folio, 1);
        let mut pte = self.vma.mk_pte(cpu, page.pfn);
        if exclusive && write {
            pte = self.made_writable(pte);
        }
        if entry.is_uffd_wp() {
            // pte_mkuffd_wp, which write-protects.
            pte = pte.without(Bits::WRITE).with(Bits::UFFD_WP);
        }
        // page_add_anon_rmap
        page_add_rmap(cpu, page);
        if !folio.is_anon(cpu) {
            // Who is not alone is put where a walk from any of them finds it.
            let shared = || anon_vma_root(cpu, cpu.machine().mm(MmId(self.mm.anon_vma.mm)));
            let mm = if exclusive { self.mm } else { shared() };
            page_set_anon(cpu, page, mm, self.addr);
        }
        if exclusive {
            set_page_anon_exclusive(cpu, page);
        }
        ptep.set(cpu, pte);
        (pte, exclusive)
    }
}
