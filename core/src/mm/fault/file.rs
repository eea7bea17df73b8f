//! A page of a file where there was none: `do_fault`.
//!
//! # The rules
//!
//! 1. A read maps the page of the cache. A write of a private area copies it, and maps the copy. A write of a shared one maps it
//!    writable, and says so to the file system before that (`page_mkwrite`).
//! 2. The table is allocated before the file is asked, because that may wait, and linked after it.
//! 3. The file gives a locked folio, with a reference. The folio is locked until its entry is set: whoever truncates the file unmaps it
//!    with the folio locked, so an entry that is set is found.
//! 4. The mapping takes the reference over. If the entry is another by now, the reference is given back, and the fault is done: who
//!    faults again finds what there is.
//! 5. To tell the file system, the folio is unlocked. What was true of it is asked again once it is locked: the file may have been
//!    truncated meanwhile.
//! 6. Being told, the file system makes ready what the page will be written out with. It waits for no write-back of the page
//!    (`folio_wait_stable`), as where nobody needs stable pages.
//! 7. Who made a page dirty waits until there are not too many of these. It drops the mmap lock for that, if it may
//!    (`VM_FAULT_COMPLETED`): the fault is done, and nothing that was known of the area is.
//!
//! No page is mapped but the one that was asked for (`fault_around_bytes` is one page), and none by a pmd.

use super::handle::Fault;
use crate::cpu::Cpu;
use crate::filemap::{File, folio_is_in, prepare_write};
use crate::folio::{
    Folio, Mapping, Owner, Page, alloc_folio, folio_lock, folio_mark_dirty, folio_put,
    page_add_rmap,
};
use crate::lkmm::read_once_is;
use crate::mm::{Backing, FaultFlags, VmFault, VmFlags, file_of};
use crate::pgtable::{
    Bits, Entry, pmd_install, pte_alloc, pte_alloc_one, pte_free, pte_offset_map_lock,
    pte_unmap_unlock,
};
use crate::step::Step;

/// A step of a fault: what it gave, or how the fault ends.
pub(super) type Turn<T> = Result<T, VmFault>;

/// A table that was allocated ahead, until it is linked.
type Prealloc<'m> = Option<&'m Page>;

impl<'m> Fault<'_, 'm> {
    /// `do_fault`.
    pub(super) fn do_fault(&self) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("do_fault");
        if self.vma.backing == Backing::Pfn {
            return self.without_a_handler();
        }
        // How a file system maps a device's page is not modelled, nor is a file that boot did not make.
        let Some(file) = file_of(cpu, self.vma) else {
            return VmFault::Sigbus;
        };
        let mut table = None;
        let fault = if !self.flags.contains(FaultFlags::WRITE) {
            self.do_read_fault(file, &mut table)
        } else if !self.vma.flags.contains(VmFlags::SHARED) {
            self.do_cow_fault(file, &mut table)
        } else {
            self.do_shared_fault(file, &mut table)
        };
        if let Some(table) = table {
            pte_free(cpu, table);
        }
        fault.unwrap_or_else(|end| end)
    }

    /// An area with nobody to ask for a page (no `vm_ops->fault`): what its driver did not map is not there.
    fn without_a_handler(&self) -> VmFault {
        let cpu = self.cpu;
        let Some(ptep) = pte_offset_map_lock(cpu, self.pmdp, self.addr) else {
            return VmFault::Sigbus;
        };
        let none = ptep.is(cpu, Entry::NONE);
        pte_unmap_unlock(cpu, ptep);
        if none { VmFault::Sigbus } else { VmFault::Done }
    }

    /// `do_read_fault`.
    fn do_read_fault(&self, file: &'m File, table: &mut Prealloc<'m>) -> Turn<VmFault> {
        let cpu = self.cpu;
        let _span = cpu.span("do_read_fault");
        let page = self.file_fault(file, table)?;
        let finished = self.finish_fault(page, None, table);
        let folio = Folio::of(page);
        folio.unlock(cpu);
        if finished.is_err() {
            folio_put(cpu, folio);
        }
        finished.map(|()| VmFault::Done)
    }

    /// `do_cow_fault`.
    fn do_cow_fault(&self, file: &'m File, table: &mut Prealloc<'m>) -> Turn<VmFault> {
        let cpu = self.cpu;
        let _span = cpu.span("do_cow_fault");
        let copy = alloc_folio(cpu, 0, Owner::Us).ok_or(VmFault::Oom)?;
        let copied = self.file_fault(file, table).and_then(|page| {
            self.fill(copy.head(), Some(page));
            let finished = self.finish_fault(page, Some(copy.head()), table);
            let folio = Folio::of(page);
            folio.unlock(cpu);
            folio_put(cpu, folio);
            finished
        });
        if copied.is_err() {
            folio_put(cpu, copy);
        }
        copied.map(|()| VmFault::Done)
    }

    /// `do_shared_fault`.
    fn do_shared_fault(&self, file: &'m File, table: &mut Prealloc<'m>) -> Turn<VmFault> {
        let cpu = self.cpu;
        let _span = cpu.span("do_shared_fault");
        let page = self.file_fault(file, table)?;
        let folio = Folio::of(page);
        if self.page_mkwrite() {
            folio.unlock(cpu);
            if let Err(end) = self.do_page_mkwrite(file, folio) {
                folio_put(cpu, folio);
                return Err(end);
            }
        }
        let finished = self.finish_fault(page, None, table);
        if self.page_mkwrite() {
            self.after_mkwrite(folio);
        }
        if let Err(end) = finished {
            folio.unlock(cpu);
            folio_put(cpu, folio);
            return Err(end);
        }
        Ok(self.fault_dirty_shared_page(folio))
    }

    /// `__do_fault`: the page of the file, locked, with a reference.
    fn file_fault(&self, file: &'m File, table: &mut Prealloc<'m>) -> Turn<&'m Page> {
        let cpu = self.cpu;
        if self.pmdp.is(cpu, Entry::NONE) {
            *table = Some(pte_alloc_one(cpu).ok_or(VmFault::Oom)?);
        }
        let folio = match file.mapping {
            Mapping::Shmem => self.shmem_fault(file),
            Mapping::Secretmem => self.secretmem_fault(file),
            _ => self.filemap_fault(file),
        }?;
        Ok(folio.head())
    }

    /// `finish_fault`: maps the page, or the copy of it.
    ///
    /// # Errors
    /// `VM_FAULT_OOM`; and that the fault is done (`VM_FAULT_NOPAGE`), where the entry is another by now.
    fn finish_fault(
        &self,
        page: &'m Page,
        copy: Option<&'m Page>,
        table: &mut Prealloc<'m>,
    ) -> Turn<()> {
        let cpu = self.cpu;
        let _span = cpu.span("finish_fault");
        if self.pmdp.is(cpu, Entry::NONE) {
            self.link(table)?;
        }
        let ptep = pte_offset_map_lock(cpu, self.pmdp, self.addr).ok_or(VmFault::Done)?;
        let vacant = ptep.is_still(cpu, Entry::NONE);
        if vacant {
            ptep.set(cpu, self.new_entry(page, copy));
        }
        pte_unmap_unlock(cpu, ptep);
        if vacant { Ok(()) } else { Err(VmFault::Done) }
    }

    /// What `set_pte_range` maps the page by, which is counted then, or the copy.
    fn new_entry(&self, page: &'m Page, copy: Option<&'m Page>) -> Entry {
        if let Some(copy) = copy {
            // Dirty even where the area is not writable, as a forced write has it.
            return self.add_new_anon(copy).with(Bits::DIRTY);
        }
        // folio_add_file_rmap_range
        page_add_rmap(self.cpu, page);
        let entry = self.vma.mk_pte(self.cpu, page.pfn);
        if self.flags.contains(FaultFlags::WRITE) {
            self.made_writable(entry)
        } else {
            entry
        }
    }

    /// Links the table that was allocated ahead, unless somebody else has linked one.
    fn link(&self, table: &mut Prealloc<'m>) -> Turn<()> {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        let Some(ahead) = *table else {
            // There was one when it was looked for, and it was taken away since.
            return if pte_alloc(cpu, pmdp) {
                Ok(())
            } else {
                Err(VmFault::Oom)
            };
        };
        pmdp.lock().lock(cpu);
        if pmdp.is(cpu, Entry::NONE) {
            pmd_install(cpu, pmdp, ahead.pfn);
            *table = None;
        }
        pmdp.lock().unlock(cpu);
        Ok(())
    }

    /// Whether the file system is told before a page is made writable (`vm_ops->page_mkwrite`).
    pub(super) fn page_mkwrite(&self) -> bool {
        self.vma.backing == Backing::File
    }

    /// `do_page_mkwrite`, with a file system's `filemap_page_mkwrite`: the folio is locked, and dirty.
    ///
    /// # Errors
    /// That the fault is done (`VM_FAULT_NOPAGE`), where the file was truncated meanwhile: then it is not locked.
    pub(super) fn do_page_mkwrite(&self, file: &File, folio: Folio<'m>) -> Turn<()> {
        let cpu = self.cpu;
        let _span = cpu.span("do_page_mkwrite");
        folio_lock(cpu, folio);
        // Whoever truncates the file unmaps what it finds mapped, and this page will be mapped later. Without it: a truncated page is
        // mapped. Step `mkwrite-asks-mapping`.
        if cpu.does(Step::MkwriteAsksMapping) && !folio_is_in(cpu, file, folio) {
            folio.unlock(cpu);
            return Err(VmFault::Done);
        }
        prepare_write(cpu, file, pgoff(self));
        folio_mark_dirty(cpu, folio.head());
        // ORDERING: the folio lock's: write-back comes before that, or finds the entry writable. Pairs with folio_mkclean. Without it: what was
        // prepared is used up before the entry is writable. Step `mkwrite-keeps-lock`.
        if !cpu.does(Step::MkwriteKeepsLock) {
            folio.unlock(cpu);
        }
        Ok(())
    }

    /// The entry is writable, or is not to be: a kernel that let go of the folio when its file system had been told (until v2.6.29) locks it
    /// again.
    pub(super) fn after_mkwrite(&self, folio: Folio<'m>) {
        if !self.cpu.does(Step::MkwriteKeepsLock) {
            folio_lock(self.cpu, folio);
        }
    }

    /// `fault_dirty_shared_page`, of a locked folio, which is unlocked then.
    pub(super) fn fault_dirty_shared_page(&self, folio: Folio<'m>) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("fault_dirty_shared_page");
        let dirtied = folio_mark_dirty(cpu, folio.head());
        // folio_raw_mapping, before the lock is dropped.
        let truncated = read_once_is(cpu, folio.head().mapping, Mapping::None);
        folio.unlock(cpu);
        let waits = (dirtied || self.page_mkwrite()) && !truncated;
        // balance_dirty_pages_ratelimited waits for nobody of ours.
        if waits && self.maybe_unlock_mmap_for_io() {
            VmFault::Completed
        } else {
            VmFault::Done
        }
    }
}

/// The page of the file that an address of the area is (`vmf->pgoff`).
pub(super) const fn pgoff(fault: &Fault<'_, '_>) -> u64 {
    fault.vma.index_of(fault.addr)
}

/// `folio_put`, of a folio that is locked.
pub(super) fn unlock_and_put(cpu: &Cpu<'_>, folio: Folio<'_>) {
    folio.unlock(cpu);
    folio_put(cpu, folio);
}
