//! A fault on a huge pmd.

use super::handle::Fault;
use crate::folio::{
    Folio, folio_get, folio_lock, folio_put, page_folio, page_is_reusable,
    page_trans_huge_mapcount, set_page_anon_exclusive,
};
use crate::mm::{Backing, FaultFlags, VmFault, is_huge_zero_pmd, split_huge_pmd};
use crate::pgtable::Entry;
use crate::step::Step;

impl<'m> Fault<'_, 'm> {
    /// A fault on a huge pmd: `do_huge_pmd_numa_page`, `wp_huge_pmd`, `huge_pmd_set_accessed`. One that
    /// is being split is another by the time the lock is held.
    pub(super) fn huge(&self, pmd: Entry) -> VmFault {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        let hint = pmd.is_prot_none() && self.vma.vm_flags(cpu).is_accessible();
        if !hint && self.wants_write() && !pmd.is_writable() {
            return self.wp_huge_pmd(pmd);
        }
        pmdp.lock().lock(cpu);
        if pmdp.is_still(cpu, pmd) {
            if hint {
                pmdp.set_pmd(cpu, self.without_hint(pmd));
            } else {
                self.set_accessed(pmdp, pmd);
            }
        }
        pmdp.lock().unlock(cpu);
        VmFault::Done
    }

    /// `wp_huge_pmd`, and what its caller does with `VM_FAULT_FALLBACK`: the same fault goes on with the PTE, and decides for
    /// that page alone. How a device's leaf is made writable is the file system's affair, and not modelled.
    pub(super) fn wp_huge_pmd(&self, pmd: Entry) -> VmFault {
        if pmd.is_devmap() || self.is_userfaults(pmd) {
            return VmFault::Sigbus;
        }
        if self.vma.backing == Backing::Anon && self.do_huge_pmd_wp_page(pmd) {
            return VmFault::Done;
        }
        split_huge_pmd(self.cpu, self.mm, (self.pmdp, self.addr), false, None);
        self.handle_pte_fault()
    }

    /// `do_huge_pmd_wp_page`: whether the fault is handled, or the pmd must be split.
    ///
    /// Whether a page that is not exclusive can be reused is decided under the folio's lock. If somebody else has that,
    /// the pmd lock, inside which nobody may sleep, is dropped for the wait, and everything is looked at again.
    pub(super) fn do_huge_pmd_wp_page(&self, pmd: Entry) -> bool {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        let _span = cpu.span("do_huge_pmd_wp_page");
        if is_huge_zero_pmd(cpu, pmd) {
            return false;
        }
        pmdp.lock().lock(cpu);
        if !pmdp.is(cpu, pmd) {
            pmdp.lock().unlock(cpu);
            return true;
        }
        let head = cpu.machine().page(pmd.pfn());
        let folio = page_folio(cpu, head);
        let mut exclusive = page_is_reusable(cpu, head);
        if !exclusive {
            if !folio.trylock(cpu) && !self.lock_folio_outside(folio, pmd) {
                return true;
            }
            exclusive = page_is_reusable(cpu, head) || self.can_reuse_huge(folio);
            folio.unlock(cpu);
        }
        if exclusive && !self.flags.contains(FaultFlags::UNSHARE) {
            pmdp.set_pmd(cpu, self.made_writable(pmd));
        }
        pmdp.lock().unlock(cpu);
        exclusive
    }

    /// Whether nobody but this pmd has the folio; then it is exclusive from now on. Under the folio's lock.
    fn can_reuse_huge(&self, folio: Folio<'m>) -> bool {
        let cpu = self.cpu;
        // A reference that was taken through a mapping that is gone is one for which the page must be copied, and the map counts do
        // not tell. Without it, kernels before v5.18 (`reuse_swap_page`): R38. Step `huge-reuse-by-references`.
        if cpu.does(Step::HugeReuseByReferences) {
            return self.is_alone(folio, folio.head());
        }
        let once = page_trans_huge_mapcount(cpu, folio) <= 1;
        if once {
            set_page_anon_exclusive(cpu, folio.head());
        }
        once
    }

    /// Waits for the folio's lock outside the pmd lock. Holds both then; neither, if the pmd is another by that time.
    pub(super) fn lock_folio_outside(&self, folio: Folio<'m>, pmd: Entry) -> bool {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        folio_get(cpu, folio);
        pmdp.lock().unlock(cpu);
        folio_lock(cpu, folio);
        pmdp.lock().lock(cpu);
        // ORDERING: the lock's. What was read before the wait may be another's by now. Pairs with whoever zapped
        // or split it. Without it: a huge entry for a page that is about to be freed. Step `reread-under-lock`.
        let same = !cpu.does(Step::RereadUnderLock) || pmdp.is(cpu, pmd);
        if !same {
            pmdp.lock().unlock(cpu);
            folio.unlock(cpu);
        }
        folio_put(cpu, folio);
        same
    }
}
