//! What an area allows, now.
//!
//! `mprotect` changes it, under the mmap lock held for writing, before it changes any entry. Whoever holds the mmap lock
//! reads what is settled. Who comes by way of a page holds no mmap lock, and puts an entry back that must not allow more than
//! the area does (`remove_migration_pte`): it reads the flags under the lock of the table, which `mprotect` takes after it has
//! changed them. So either it sees the change, or `mprotect` finds its entry.

use super::{Backing, Mm, VmFlags, Vma};
use crate::cpu::Cpu;
use crate::folio::{Pfn, page_folio, page_is_reusable};
use crate::lkmm::{read_once, write_once};
use crate::pgtable::{Bits, Entry};

impl Vma {
    /// `vm_flags`, as they are now.
    #[track_caller]
    pub fn vm_flags(&self, cpu: &Cpu<'_>) -> VmFlags {
        self.changing
            .map_or(self.flags, |cell| read_once(cpu, cell))
    }

    /// `vm_flags_reset`, `vma_set_page_prot`.
    ///
    /// # Panics
    /// If boot did not say that somebody changes them.
    #[track_caller]
    pub fn vm_flags_reset(&self, cpu: &Cpu<'_>, flags: VmFlags) {
        let cell = self
            .changing
            .expect("boot said that the area's flags change");
        write_once(cpu, cell, flags);
    }

    /// `mk_pte` with `vm_page_prot`: a young mapping of a page, not writable where a first write must be noticed. It is prot-none where
    /// the area allows nothing.
    #[track_caller]
    pub fn mk_pte(&self, cpu: &Cpu<'_>, pfn: Pfn) -> Entry {
        self.modified(cpu, Entry::leaf(pfn, false))
    }

    /// The same, and `pte_mkwrite(pte_mkdirty(...))` where the area may be written to.
    #[track_caller]
    pub fn mk_own_pte(&self, cpu: &Cpu<'_>, pfn: Pfn) -> Entry {
        let flags = self.vm_flags(cpu);
        let pte = Entry::leaf(pfn, flags.contains(VmFlags::WRITE));
        if flags.is_accessible() {
            pte
        } else {
            pte.protected(false)
        }
    }

    /// The entry with the protection that the area has now (`pte_modify` with `vm_page_prot`): not writable if the area is private.
    #[track_caller]
    pub fn modified(&self, cpu: &Cpu<'_>, entry: Entry) -> Entry {
        let flags = self.vm_flags(cpu);
        let entry = entry.protected(flags.is_accessible());
        if self.prot_is_writable(flags) {
            entry.with(Bits::WRITE)
        } else {
            entry
        }
    }

    /// Whether `vm_page_prot` lets a page be written to, before anybody has: in a shared area that may be written to, unless the first
    /// write to a page must be noticed (`vma_wants_writenotify`).
    pub const fn prot_is_writable(&self, flags: VmFlags) -> bool {
        let noticed = self.fs_tracks_dirty() || self.flags.contains(VmFlags::UFFD_WP);
        is_shared_writable(flags) && !noticed
    }

    /// `vma_needs_dirty_tracking`: a shared writable mapping of a file whose file system tracks dirty pages.
    pub fn needs_dirty_tracking(&self, cpu: &Cpu<'_>) -> bool {
        is_shared_writable(self.vm_flags(cpu)) && self.fs_tracks_dirty()
    }

    /// `vm_ops_needs_writenotify`, `vma_fs_can_writeback`: shmem and secretmem are written back to nowhere.
    const fn fs_tracks_dirty(&self) -> bool {
        matches!(self.backing, Backing::File | Backing::FsDax)
    }

    /// `can_change_pte_writable`, `can_change_pmd_writable`: whether a write fault would find nothing to do but this. Under the
    /// lock of the entry, in an area that may be written to. Entries of a shared area are read-only to begin with where a
    /// file system hears of the first write: there one that is dirty has been heard of. (What the bit of soft-dirty says is not
    /// asked: the model has no such bit.)
    #[track_caller]
    pub fn can_change_pte_writable(&self, cpu: &Cpu<'_>, entry: Entry) -> bool {
        if entry.is_prot_none() || entry.is_uffd_wp() {
            return false;
        }
        if self.flags.contains(VmFlags::SHARED) {
            return entry.is_dirty();
        }
        let page = cpu.machine().page(entry.pfn());
        !entry.is_special() && page_folio(cpu, page).is_anon(cpu) && page_is_reusable(cpu, page)
    }
}

/// `vma_is_shared_writable`.
const fn is_shared_writable(flags: VmFlags) -> bool {
    flags.contains(VmFlags::WRITE.union(VmFlags::SHARED))
}

impl Mm {
    /// The entry with the protection that the area of `addr` has now; as it is where there is none.
    #[track_caller]
    pub fn protected_by_area(&self, cpu: &Cpu<'_>, addr: u64, entry: Entry) -> Entry {
        let area = self.vmas.iter().find(|vma| vma.contains(addr));
        area.map_or(entry, |vma| vma.modified(cpu, entry))
    }
}
