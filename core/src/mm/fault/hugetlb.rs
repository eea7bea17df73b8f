//! A fault on a page of hugetlb's: `hugetlb_fault`, where the pool of such pages is empty.
//!
//! # The rules
//!
//! 1. What is in the file is mapped, writable at once if the area is shared and may be written to.
//! 2. A write of a shared area makes the entry writable. Of a private one it reuses an anonymous page that nobody else *maps*, whoever has
//!    a reference (unlike with other pages: hugetlb asks for mappings). Everything else would be a copy, or a new page.
//! 3. There is no page in the pool for one: `VM_FAULT_SIGBUS`.
//! 4. Nothing waits with a lock held: if the folio's lock is somebody else's, the fault is done, and who faults again finds what
//!    there is by then.
//!
//! The mutex that keeps two faults from taking a page of the pool each for one place (`hugetlb_fault_mutex_table`) is absent with the
//! pool, and the area's own lock with tables that are shared.

use super::handle::Fault;
use crate::filemap::{filemap_get_or_create_folio, folio_is_in, i_size_reaches};
use crate::folio::{
    Folio, folio_add_rmap_pmd, folio_get, folio_lock, folio_mapcount, folio_put, folio_wait_locked,
    page_anon_exclusive, page_folio, set_page_anon_exclusive,
};
use crate::mm::{
    FaultFlags, VmFault, VmFlags, file_of, folio_move_anon_rmap, vma_hugecache_offset,
};
use crate::pgtable::{Bits, Entry};

impl<'m> Fault<'_, 'm> {
    /// `hugetlb_fault`.
    pub(super) fn hugetlb_fault(&self) -> VmFault {
        let (cpu, ptr) = (self.cpu, self.pmdp);
        let _span = cpu.span("hugetlb_fault");
        let entry = ptr.get(cpu);
        if entry.is_none() {
            return self.hugetlb_no_page();
        }
        if !entry.pte_present() {
            return if entry.is_migration() {
                self.wait_for_entry(ptr, entry)
            } else {
                VmFault::Hwpoison
            };
        }
        ptr.lock().lock(cpu);
        if !ptr.is_still(cpu, entry) {
            ptr.lock().unlock(cpu);
            return VmFault::Done;
        }
        if self.is_userfaults(entry) && self.wants_write() && !entry.is_writable() {
            ptr.lock().unlock(cpu);
            return VmFault::Sigbus;
        }
        let folio = page_folio(cpu, cpu.machine().page(entry.pfn()));
        if !folio.trylock(cpu) {
            folio_get(cpu, folio);
            ptr.lock().unlock(cpu);
            folio_wait_locked(cpu, folio);
            folio_put(cpu, folio);
            return VmFault::Done;
        }
        folio_get(cpu, folio);
        let fault = if self.wants_write() && !entry.is_writable() {
            self.hugetlb_wp(entry, folio)
        } else {
            self.set_accessed(ptr, entry);
            VmFault::Done
        };
        // Before the entry's lock is dropped: nobody who zaps the page meets our reference, or our lock.
        folio.unlock(cpu);
        folio_put(cpu, folio);
        ptr.lock().unlock(cpu);
        fault
    }

    /// `hugetlb_no_page`: what is in the file already; there is no page in the pool.
    fn hugetlb_no_page(&self) -> VmFault {
        let (cpu, ptr) = (self.cpu, self.pmdp);
        let _span = cpu.span("hugetlb_no_page");
        let Some(folio) = self.lock_cached() else {
            // hugetlb_pte_stable: of an entry that is another by now nothing is said.
            ptr.lock().lock(cpu);
            let stable = ptr.is(cpu, Entry::NONE);
            ptr.lock().unlock(cpu);
            return if stable {
                VmFault::Sigbus
            } else {
                VmFault::Done
            };
        };
        ptr.lock().lock(cpu);
        if !ptr.is_still(cpu, Entry::NONE) {
            ptr.lock().unlock(cpu);
            folio.unlock(cpu);
            folio_put(cpu, folio);
            return VmFault::Done;
        }
        // page_dup_file_rmap. The mapping takes the reference over.
        folio_add_rmap_pmd(cpu, folio);
        let flags = self.vma.vm_flags(cpu);
        let write = flags.contains(VmFlags::WRITE | VmFlags::SHARED);
        // make_huge_pte
        let entry = if write {
            self.vma.mk_own_pte(cpu, folio.head().pfn)
        } else {
            self.vma.mk_pte(cpu, folio.head().pfn).without(Bits::WRITE)
        };
        let entry = entry.huge();
        ptr.set_pmd(cpu, entry);
        let copies = self.flags.contains(FaultFlags::WRITE) && !flags.contains(VmFlags::SHARED);
        let fault = if copies {
            self.hugetlb_wp(entry, folio)
        } else {
            VmFault::Done
        };
        ptr.lock().unlock(cpu);
        folio.unlock(cpu);
        fault
    }

    /// `filemap_lock_folio`, of the area's file: with a reference. Behind the end of the file there is nothing.
    fn lock_cached(&self) -> Option<Folio<'m>> {
        let cpu = self.cpu;
        let file = file_of(cpu, self.vma)?;
        let index = vma_hugecache_offset(cpu, self.vma, self.addr);
        if !i_size_reaches(cpu, file, index) {
            return None;
        }
        // Each turn but the last has found the folio truncated.
        loop {
            let folio = filemap_get_or_create_folio(cpu, file, index, false)?;
            folio_lock(cpu, folio);
            if folio_is_in(cpu, file, folio) {
                return Some(folio);
            }
            folio.unlock(cpu);
            folio_put(cpu, folio);
        }
    }

    /// `hugetlb_wp`, of a page whose folio is locked, under the lock of its entry.
    fn hugetlb_wp(&self, entry: Entry, folio: Folio<'m>) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("hugetlb_wp");
        let unshare = self.flags.contains(FaultFlags::UNSHARE);
        let flags = self.vma.vm_flags(cpu);
        // A forced write leaves the entry as it is, which hugetlb cannot.
        if !unshare && !flags.contains(VmFlags::WRITE) {
            return VmFault::Sigbus;
        }
        if flags.contains(VmFlags::MAYSHARE) {
            self.set_huge_ptep_writable(entry);
            return VmFault::Done;
        }
        if folio_mapcount(cpu, folio) == 1 && folio.is_anon(cpu) {
            if !page_anon_exclusive(cpu, folio.head()) {
                folio_move_anon_rmap(cpu, folio, self.mm);
                set_page_anon_exclusive(cpu, folio.head());
            }
            if !unshare {
                self.set_huge_ptep_writable(entry);
            }
            return VmFault::Done;
        }
        // alloc_hugetlb_folio: -ENOSPC.
        VmFault::Sigbus
    }

    /// `set_huge_ptep_writable`.
    fn set_huge_ptep_writable(&self, entry: Entry) {
        let writable = entry.with(Bits::WRITE | Bits::DIRTY | Bits::ACCESSED);
        self.pmdp.set_pmd(self.cpu, writable);
    }
}
