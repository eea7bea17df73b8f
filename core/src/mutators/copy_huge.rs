//! What fork does with a huge pmd, or a device's pud: `copy_huge_pmd`, `copy_huge_pud`.
//!
//! # The order
//!
//! 1. a table for the child is allocated, before any lock: it is deposited beside the child's entry;
//! 2. both pmds are locked, the child's first, and the parent's is looked at again;
//! 3. a folio that may be pinned is not shared, nor is all of it copied: the locks are dropped, the parent's pmd is split, and
//!    each page is decided by its PTE (`copy_pte`);
//! 4. any other is shared: both pmds map it, read-only. So is the huge zero page, which is not counted: the child takes a
//!    reference of it, like any mm that maps it;
//! 5. a migration entry is shared as the page would be (M-P72).

use super::copy_pte::childs;
use super::fork::Copy;
use crate::errno::Errno;
use crate::folio::{folio_get, folio_put, folio_try_dup_anon_rmap_pmd, page_folio};
use crate::mm::{Backing, is_huge_zero_pmd, mm_get_huge_zero_page, split_huge_pmd};
use crate::pgtable::{Bits, Entry, EntryPtr, pte_alloc_one, pte_free};

/// How a huge entry was copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Huge {
    /// The child has it.
    Done,
    /// There is a table in the parent, or nothing at all (`-EAGAIN`).
    Table,
}

impl Huge {
    pub(super) fn is_done(self) -> bool {
        self == Self::Done
    }
}

impl<'m> Copy<'_, 'm> {
    /// `copy_huge_pmd`.
    ///
    /// # Errors
    /// `-ENOMEM` if there is no memory for the child's table.
    pub(super) fn copy_huge_pmd(self, dst: EntryPtr<'m>, src: EntryPtr<'m>) -> Result<Huge, Errno> {
        let cpu = self.cpu;
        let _span = cpu.span("copy_huge_pmd");
        if self.vma.backing != Backing::Anon {
            // A fault maps it again.
            return Ok(Huge::Done);
        }
        let table = pte_alloc_one(cpu).ok_or(Errno::Enomem)?;
        dst.lock().lock(cpu);
        src.lock().lock(cpu);
        let unlock = || {
            src.lock().unlock(cpu);
            dst.lock().unlock(cpu);
        };
        let pmd = src.get(cpu);
        if pmd.is_migration() {
            let shared = self.shared_migration(pmd);
            if shared != pmd {
                src.set_pmd(cpu, shared);
            }
            self.dst.deposit(cpu, table);
            dst.set_pmd(cpu, childs(shared));
            unlock();
            return Ok(Huge::Done);
        }
        if !pmd.is_huge() {
            pte_free(cpu, table);
            unlock();
            return Ok(Huge::Table);
        }
        if is_huge_zero_pmd(cpu, pmd) {
            // No page is made: the parent has a reference of it.
            if let Some(zero) = &cpu.machine().huge_zero {
                mm_get_huge_zero_page(cpu, self.dst, zero);
            }
        } else if !self.share_huge(pmd) {
            pte_free(cpu, table);
            unlock();
            split_huge_pmd(cpu, self.src, (src, self.vma.start), false, None);
            return Ok(Huge::Table);
        }
        self.dst.deposit(cpu, table);
        src.set_wrprotect(cpu);
        dst.set_pmd(cpu, childs(pmd).without(Bits::WRITE | Bits::ACCESSED));
        unlock();
        Ok(Huge::Done)
    }

    /// One more mapping of what a huge pmd maps; not if it may be pinned.
    fn share_huge(self, pmd: Entry) -> bool {
        let cpu = self.cpu;
        let folio = page_folio(cpu, cpu.machine().page(pmd.pfn()));
        folio_get(cpu, folio);
        let shared = folio_try_dup_anon_rmap_pmd(cpu, folio, || self.may_be_pinned(folio));
        if !shared {
            folio_put(cpu, folio);
        }
        shared
    }

    /// `copy_huge_pud`, of device memory: there is no other.
    pub(super) fn copy_huge_pud(self, dst: EntryPtr<'m>, src: EntryPtr<'m>) {
        let cpu = self.cpu;
        let _span = cpu.span("copy_huge_pud");
        dst.lock().lock(cpu);
        src.lock().lock(cpu);
        let pud = src.get(cpu);
        if pud.is_huge() {
            src.set_wrprotect(cpu);
            dst.set_pmd(cpu, pud.without(Bits::WRITE | Bits::ACCESSED));
        }
        src.lock().unlock(cpu);
        dst.lock().unlock(cpu);
    }
}
