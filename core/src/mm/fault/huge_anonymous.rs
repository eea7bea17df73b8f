//! A huge page where there was nothing: `do_huge_pmd_anonymous_page`.
//!
//! # The order
//!
//! 1. the folio and a table are allocated, without any lock: if there is no memory for the folio the fault goes on with a small page,
//!    if there is none for the table it fails;
//! 2. a write barrier: the contents, and that the tails have a head, come before the entry (M-P93);
//! 3. under the pmd lock: if somebody was first, both are given back;
//! 4. the folio is counted, anonymous, exclusive; 5. the table is deposited, for the day the pmd is split; 6. the pmd is set.
//!
//! # What happens when a walker comes
//!
//! Before 6 it finds nothing. After 6 it finds a page that was never anybody's, and pins it by its head; if it found the entry and not
//! the folio, it would count its pin in the wrong word.
//!
//! A read fault maps the huge zero page instead ([`huge_zero`](crate::mm::shrink_huge_zero_page_scan)): read-only, without reference
//! and map count, and with a table deposited as well. The first write splits that pmd, and copies one page.

use super::handle::Fault;
use crate::folio::{
    Folio, Owner, PageFlags, alloc_folio, folio_add_new_rmap_pmd, folio_put, set_page_flags,
};
use crate::lkmm::smp_wmb;
use crate::machine::HugeZero;
use crate::mm::{Backing, FaultFlags, VmFault, VmFlags, mm_get_huge_zero_page, page_set_anon};
use crate::pgtable::{Bits, Entry, Level, pte_alloc_one, pte_free};
use crate::step::Step;

impl<'m> Fault<'_, 'm> {
    /// `hugepage_vma_check`, and `transhuge_vma_suitable`: whether a huge page may be faulted in.
    pub(super) fn may_be_huge(&self) -> bool {
        let span = self.cpu.machine().geometry.span(Level::Pmd);
        let start = self.huge_start();
        self.vma.backing == Backing::Anon
            && self.vma.flags.contains(VmFlags::HUGEPAGE)
            && self.vma.start <= start
            && start + span <= self.vma.end
    }

    /// The first address that the pmd maps.
    fn huge_start(&self) -> u64 {
        self.addr & !(self.cpu.machine().geometry.span(Level::Pmd) - 1)
    }

    /// `do_huge_pmd_anonymous_page`; `None` for `VM_FAULT_FALLBACK`: the fault goes on with the PTE.
    pub(super) fn do_huge_pmd_anonymous_page(&self) -> Option<VmFault> {
        let cpu = self.cpu;
        let _span = cpu.span("do_huge_pmd_anonymous_page");
        if !self.flags.contains(FaultFlags::WRITE)
            && let Some(zero) = &cpu.machine().huge_zero
        {
            return self.huge_zero(zero);
        }
        let order = cpu.machine().geometry.pages_per_pmd().trailing_zeros();
        let folio = alloc_folio(cpu, order as u8, Owner::Us)?;
        Some(self.map_huge(folio))
    }

    /// `__do_huge_pmd_anonymous_page`.
    fn map_huge(&self, folio: Folio<'m>) -> VmFault {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        let _span = cpu.span("__do_huge_pmd_anonymous_page");
        let Some(table) = pte_alloc_one(cpu) else {
            folio_put(cpu, folio);
            return VmFault::Oom;
        };
        // ORDERING: the folio before the pmd. Pairs with entry-read-once (P6). Without it, a pin of a page that does not look like
        // one of a large folio yet. Step `folio-publish-barrier`.
        if cpu.does(Step::FolioPublishBarrier) {
            smp_wmb(cpu);
        }
        pmdp.lock().lock(cpu);
        let vacant = pmdp.is_still(cpu, Entry::NONE);
        if vacant {
            let head = folio.head();
            folio_add_new_rmap_pmd(cpu, folio);
            page_set_anon(cpu, head, self.mm, self.huge_start());
            set_page_flags(cpu, head, PageFlags::ANON_EXCLUSIVE | PageFlags::LRU);
            self.mm.deposit(cpu, table);
            let write = self.vma.vm_flags(cpu).contains(VmFlags::WRITE);
            let entry = Entry::leaf(head.pfn, write).with(Bits::DIRTY).huge();
            pmdp.set_pmd(cpu, entry);
        }
        pmdp.lock().unlock(cpu);
        if !vacant {
            pte_free(cpu, table);
            folio_put(cpu, folio);
        }
        VmFault::Done
    }

    /// A read fault, which maps the huge zero page.
    fn huge_zero(&self, zero: &HugeZero) -> Option<VmFault> {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        let Some(table) = pte_alloc_one(cpu) else {
            return Some(VmFault::Oom);
        };
        let Some(head) = mm_get_huge_zero_page(cpu, self.mm, zero) else {
            pte_free(cpu, table);
            return None;
        };
        pmdp.lock().lock(cpu);
        let vacant = pmdp.is_still(cpu, Entry::NONE);
        if vacant {
            self.mm.deposit(cpu, table);
            pmdp.set_pmd(cpu, Entry::leaf(head.pfn, false).huge());
        }
        pmdp.lock().unlock(cpu);
        if !vacant {
            pte_free(cpu, table);
        }
        Some(VmFault::Done)
    }
}
