//! What a fault makes of an entry.

use super::handle::Fault;
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

    /// The entry without its NUMA hint; writable at once if a write fault would find nothing else to do.
    pub(super) fn without_hint(&self, entry: Entry) -> Entry {
        let (cpu, flags) = (self.cpu, self.vma.vm_flags(self.cpu));
        let entry = entry.protected(true).with(Bits::ACCESSED);
        // By the area's protection (`pte_modify`), or else vma_wants_manual_pte_write_upgrade.
        let write = flags.contains(VmFlags::WRITE)
            && (self.vma.prot_is_writable(flags) || self.vma.can_change_pte_writable(cpu, entry));
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
