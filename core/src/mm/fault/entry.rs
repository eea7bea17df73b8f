//! What a fault makes of an entry.

use super::handle::Fault;
use crate::folio::{Page, page_folio, page_is_reusable};
use crate::mm::{FaultFlags, VmFlags};
use crate::pgtable::{Bits, Entry, EntryPtr};

impl<'m> Fault<'_, 'm> {
    /// `ptep_set_access_flags`, for a fault that finds the mapping good enough.
    pub(super) fn set_accessed(&self, ptr: EntryPtr<'m>, entry: Entry) {
        let mut young = entry.with(Bits::ACCESSED);
        if self.flags.contains(FaultFlags::WRITE) {
            young = young.with(Bits::DIRTY);
        }
        if young != entry {
            ptr.set(self.cpu, young);
        }
    }

    /// The entry without its NUMA hint; writable at once if a write fault would reuse the page anyway
    /// (`can_change_pte_writable`).
    pub(super) fn without_hint(&self, entry: Entry, page: &'m Page) -> Entry {
        let (cpu, flags) = (self.cpu, self.vma.vm_flags(self.cpu));
        let entry = entry
            .without(Bits::PROT_NONE | Bits::WRITE)
            .with(Bits::PRESENT | Bits::ACCESSED);
        let write = if flags.contains(VmFlags::SHARED) {
            // Writable by the area's protection, or, where a first write must be noticed, because it was.
            let noticed = self.vma.wants_writenotify(flags);
            flags.contains(VmFlags::WRITE) && (!noticed || entry.is_dirty() && !entry.is_uffd_wp())
        } else {
            flags.contains(VmFlags::WRITE)
                && !entry.is_uffd_wp()
                && page_folio(cpu, page).is_anon(cpu)
                && page_is_reusable(cpu, page)
        };
        if write {
            entry.with(Bits::WRITE)
        } else {
            entry
        }
    }

    /// `userfaultfd_pte_wp`, of a write: it is for the userfaultfd's monitor to decide.
    pub(super) fn is_userfaults(&self, entry: Entry) -> bool {
        entry.is_uffd_wp() && !self.flags.contains(FaultFlags::UNSHARE)
    }

    /// `maybe_mkwrite(pte_mkdirty(...))`.
    pub(super) fn made_writable(&self, entry: Entry) -> Entry {
        let entry = entry.with(Bits::DIRTY | Bits::ACCESSED);
        if self.vma.vm_flags(self.cpu).contains(VmFlags::WRITE) {
            entry.with(Bits::WRITE)
        } else {
            entry
        }
    }
}
