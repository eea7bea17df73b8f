//! A write to a page of a shared mapping that may not be written to yet: `wp_page_shared`, `wp_pfn_shared`.
//!
//! # The rules
//!
//! 1. Nothing is copied: the entry is made writable.
//! 2. The file system is told before that (`page_mkwrite`), without the page-table lock and with a reference of the page. Then the folio is
//!    locked, and the entry must be what it was.
//! 3. A frame that is no page is made writable at once. How a file system that maps a device's memory is told (`pfn_mkwrite`) is not
//!    modelled.

use super::handle::Fault;
use crate::folio::{folio_get, folio_lock, folio_put, page_folio};
use crate::mm::{VmFault, file_of};
use crate::pgtable::{Entry, EntryPtr, pte_offset_map_lock, pte_unmap_unlock};

impl<'m> Fault<'_, 'm> {
    /// What `do_wp_page` does in a shared mapping. Holds the page-table lock, and drops it.
    pub(super) fn wp_shared(&self, ptep: EntryPtr<'m>, pte: Entry) -> VmFault {
        if pte.is_devmap() {
            pte_unmap_unlock(self.cpu, ptep);
            VmFault::Sigbus
        } else if pte.is_special() {
            self.wp_pfn_shared(ptep, pte)
        } else {
            self.wp_page_shared(ptep, pte)
        }
    }

    /// `wp_pfn_shared`, without a `pfn_mkwrite`.
    fn wp_pfn_shared(&self, ptep: EntryPtr<'m>, pte: Entry) -> VmFault {
        self.wp_page_reuse(ptep, pte);
        VmFault::Done
    }

    /// `wp_page_shared`.
    fn wp_page_shared(&self, ptep: EntryPtr<'m>, pte: Entry) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("wp_page_shared");
        let folio = page_folio(cpu, cpu.machine().page(pte.pfn()));
        folio_get(cpu, folio);
        let file = file_of(cpu, self.vma).filter(|_| self.page_mkwrite());
        if let Some(file) = file {
            pte_unmap_unlock(cpu, ptep);
            if let Err(end) = self.do_page_mkwrite(file, folio) {
                folio_put(cpu, folio);
                return end;
            }
            let finished = self.finish_mkwrite_fault(pte);
            self.after_mkwrite(folio);
            if !finished {
                folio.unlock(cpu);
                folio_put(cpu, folio);
                return VmFault::Done;
            }
        } else {
            self.wp_page_reuse(ptep, pte);
            folio_lock(cpu, folio);
        }
        let fault = self.fault_dirty_shared_page(folio);
        folio_put(cpu, folio);
        fault
    }

    /// `finish_mkwrite_fault`: whether the entry was still what it was, and is writable now.
    fn finish_mkwrite_fault(&self, pte: Entry) -> bool {
        let cpu = self.cpu;
        let Some(ptep) = pte_offset_map_lock(cpu, self.pmdp, self.addr) else {
            return false;
        };
        let same = ptep.is_still(cpu, pte);
        if same {
            self.wp_page_reuse(ptep, pte);
        } else {
            pte_unmap_unlock(cpu, ptep);
        }
        same
    }
}
