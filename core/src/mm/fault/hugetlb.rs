//! A fault on a page of hugetlb's: `hugetlb_fault`, where the pool of such pages is empty.
//!
//! # The rules
//!
//! 1. One fault at a time, of all on the same page of a file (`hugetlb_fault_mutex_table`); whoever takes a page out of the file holds the
//!    same mutex. So a page that is found in the cache may be mapped, whatever the length of the file is by now: it will be unmapped.
//! 2. What is in the file is mapped, writable at once if the area is shared and may be written to. The cache is asked first, and only
//!    where it has nothing the length of the file.
//! 3. A write of a shared area makes the entry writable. Of a private one it reuses an anonymous page that nobody else *maps*, whoever has
//!    a reference (unlike with other pages: hugetlb asks for mappings). Everything else would be a copy, or a new page.
//! 4. Before a private write what the cache has of this place is locked, whether it is the page that is mapped or another: that tells
//!    whose reservation a copy would use up.
//! 5. For a copy the lock of the entry is dropped, to look for memory, with a reference of the page. There is no page in the pool:
//!    `VM_FAULT_SIGBUS`.
//! 6. Nothing waits for the page's lock with another lock held: if it is somebody else's, the fault is done once it is free, and who faults
//!    again finds what there is by then. It waits without a reference, for the page is not looked at after that.
//!
//! The area's own lock is absent, with tables that are shared; and reservations with the pool.

use super::file::unlock_and_put;
use super::handle::Fault;
use crate::filemap::{File, filemap_get_or_create_folio, folio_is_in, i_size_reaches};
use crate::folio::{
    Folio, folio_dup_rmap_pmd, folio_get, folio_lock, folio_mapcount, folio_put, folio_wait_locked,
    page_anon_exclusive, page_folio, page_is_poisoned, set_page_anon_exclusive,
};
use crate::mm::{FaultFlags, VmFault, VmFlags, folio_move_anon_rmap, vma_hugecache_offset};
use crate::pgtable::{Bits, Entry};

/// How a fault ends, and whose lock is to be waited for before that (`need_wait_lock`).
type End<'m> = (VmFault, Option<Folio<'m>>);

impl<'m> Fault<'_, 'm> {
    /// `hugetlb_fault`, with the mutex held, which is dropped.
    pub(super) fn hugetlb_fault(&self, file: &'m File) -> VmFault {
        let (cpu, ptr) = (self.cpu, self.pmdp);
        let _span = cpu.span("hugetlb_fault");
        let entry = ptr.get(cpu);
        let (fault, busy) = if entry.is_none() {
            (self.hugetlb_no_page(file), None)
        } else if entry.is_migration() {
            file.fault_mutex.unlock(cpu);
            return self.wait_for_entry(ptr, entry);
        } else if entry.is_hwpoison() {
            (VmFault::Hwpoison, None)
        } else if !entry.pte_present() {
            (VmFault::Done, None)
        } else {
            self.hugetlb_present(file, entry)
        };
        file.fault_mutex.unlock(cpu);
        if let Some(folio) = busy {
            folio_wait_locked(cpu, folio);
        }
        fault
    }

    /// The same of an entry that was there.
    fn hugetlb_present(&self, file: &'m File, entry: Entry) -> End<'m> {
        let (cpu, ptr) = (self.cpu, self.pmdp);
        let write = self.wants_write() && !entry.is_writable();
        let private = !self.vma.flags.contains(VmFlags::MAYSHARE);
        let cached = if write && private {
            self.lock_cached(file)
        } else {
            None
        };
        ptr.lock().lock(cpu);
        let end = if !ptr.is_still(cpu, entry) {
            (VmFault::Done, None)
        } else if write && self.is_userfaults(entry) {
            (VmFault::Sigbus, None)
        } else {
            self.hugetlb_locked(entry, cached)
        };
        ptr.lock().unlock(cpu);
        if let Some(cached) = cached {
            unlock_and_put(cpu, cached);
        }
        end
    }

    /// The same with the lock of the entry held, and what the cache has of the place locked.
    fn hugetlb_locked(&self, entry: Entry, cached: Option<Folio<'m>>) -> End<'m> {
        let cpu = self.cpu;
        let folio = page_folio(cpu, cpu.machine().page(entry.pfn()));
        let other = cached != Some(folio);
        if other && !folio.trylock(cpu) {
            return (VmFault::Done, Some(folio));
        }
        folio_get(cpu, folio);
        let fault = if self.wants_write() && !entry.is_writable() {
            self.hugetlb_wp(entry, folio)
        } else {
            self.set_accessed(self.pmdp, entry);
            VmFault::Done
        };
        if other {
            folio.unlock(cpu);
        }
        folio_put(cpu, folio);
        (fault, None)
    }

    /// `hugetlb_no_page`: what is in the file already; there is no page in the pool.
    fn hugetlb_no_page(&self, file: &'m File) -> VmFault {
        let (cpu, ptr) = (self.cpu, self.pmdp);
        let _span = cpu.span("hugetlb_no_page");
        let Some(folio) = self.lock_cached(file) else {
            return self.hugetlb_no_memory(file);
        };
        if page_is_poisoned(cpu, folio.head()) {
            unlock_and_put(cpu, folio);
            return VmFault::Hwpoison;
        }
        ptr.lock().lock(cpu);
        if !ptr.is_still(cpu, Entry::NONE) {
            ptr.lock().unlock(cpu);
            unlock_and_put(cpu, folio);
            return VmFault::Done;
        }
        // page_dup_file_rmap. The mapping takes the reference over.
        folio_dup_rmap_pmd(cpu, folio);
        let flags = self.vma.vm_flags(cpu);
        let write = flags.contains(VmFlags::WRITE | VmFlags::SHARED);
        // make_huge_pte
        let entry = if write {
            self.vma.mk_own_pte(cpu, folio.head().pfn)
        } else {
            self.vma.mk_pte(cpu, folio.head().pfn).without(Bits::WRITE)
        };
        let entry = entry.huge();
        // set_huge_pte_at
        ptr.set(cpu, entry);
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

    /// `alloc_hugetlb_folio`, which is told that there is none, of a page that the cache has not.
    fn hugetlb_no_memory(&self, file: &'m File) -> VmFault {
        let (cpu, ptr) = (self.cpu, self.pmdp);
        let index = vma_hugecache_offset(cpu, self.vma, self.addr);
        if !i_size_reaches(cpu, file, index) {
            return VmFault::Sigbus;
        }
        // hugetlb_pte_stable: of an entry that is another by now nothing is said.
        ptr.lock().lock(cpu);
        let stable = ptr.is(cpu, Entry::NONE);
        ptr.lock().unlock(cpu);
        if stable {
            VmFault::Sigbus
        } else {
            VmFault::Done
        }
    }

    /// `filemap_lock_folio`, of the area's file: with a reference.
    fn lock_cached(&self, file: &'m File) -> Option<Folio<'m>> {
        let cpu = self.cpu;
        let index = vma_hugecache_offset(cpu, self.vma, self.addr);
        // An area may be longer than its file.
        if index >= file.pages.len() as u64 {
            return None;
        }
        // Each turn but the last has found the folio truncated.
        loop {
            let folio = filemap_get_or_create_folio(cpu, file, index, false)?;
            folio_lock(cpu, folio);
            if folio_is_in(cpu, file, folio) {
                return Some(folio);
            }
            unlock_and_put(cpu, folio);
        }
    }

    /// `hugetlb_wp`, of a page whose folio is locked, under the lock of its entry.
    fn hugetlb_wp(&self, entry: Entry, folio: Folio<'m>) -> VmFault {
        let (cpu, ptr) = (self.cpu, self.pmdp);
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
        // alloc_hugetlb_folio: -ENOSPC. Whoever looks for memory may sleep.
        folio_get(cpu, folio);
        ptr.lock().unlock(cpu);
        folio_put(cpu, folio);
        ptr.lock().lock(cpu);
        VmFault::Sigbus
    }

    /// `set_huge_ptep_writable`.
    fn set_huge_ptep_writable(&self, entry: Entry) {
        let writable = entry.with(Bits::WRITE | Bits::DIRTY | Bits::ACCESSED);
        // huge_ptep_set_access_flags
        self.pmdp.set(self.cpu, writable);
    }
}
