//! What becomes of an entry whose protection is changed.

use crate::arch::ProtectionFlush;
use crate::cpu::Cpu;
use crate::mm::{VmFlags, Vma};
use crate::pgtable::{Bits, Entry, pfn_swap_entry_to_page};

/// What is changed (`cp_flags`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// To what the area allows now.
    Protect {
        /// Writable at once where a write fault would reuse the page anyway (`MM_CP_TRY_CHANGE_WRITABLE`).
        upgrade: bool,
    },
    /// To a NUMA hint (`MM_CP_PROT_NUMA`).
    NumaHint,
    /// Write-protected for a userfaultfd (`MM_CP_UFFD_WP`).
    UffdWp,
    /// No longer (`MM_CP_UFFD_WP_RESOLVE`).
    UffdWpResolve,
}

impl Change {
    /// A swap-type entry as it is from now on: not writable, if it was; and watched by a userfaultfd, or not.
    pub(super) fn of_swap_type(self, cpu: &Cpu<'_>, old: Entry) -> Entry {
        // make_readable_exclusive_migration_entry. Whoever puts the page back gives it what the area allows by then, but is told what
        // not to give.
        let entry = if old.is_migration() && old.is_writable() {
            pfn_swap_entry_to_page(cpu, old);
            old.without(Bits::WRITE).with(Bits::EXCLUSIVE)
        } else {
            old
        };
        match self {
            Self::UffdWp => entry.with(Bits::UFFD_WP),
            Self::UffdWpResolve => entry.without(Bits::UFFD_WP),
            Self::Protect { .. } | Self::NumaHint => entry,
        }
    }

    /// The entry with its new protection.
    pub(super) fn of(self, cpu: &Cpu<'_>, vma: &Vma, old: Entry) -> Entry {
        let entry = match self {
            Self::NumaHint => old.protected(false),
            _ => vma.modified(cpu, old),
        };
        let entry = match self {
            Self::UffdWp => entry.with(Bits::UFFD_WP),
            Self::UffdWpResolve => entry.without(Bits::UFFD_WP),
            _ => entry,
        };
        let upgrade = match self {
            Self::Protect { upgrade } => upgrade,
            Self::UffdWpResolve => vma.vm_flags(cpu).contains(VmFlags::WRITE),
            _ => false,
        };
        if upgrade && vma.can_change_pte_writable(cpu, entry) {
            entry.with(Bits::WRITE)
        } else {
            entry
        }
    }
}

/// `pte_needs_flush`, `huge_pmd_needs_flush`: on x86 only where hardware may have cached what it may not use any more.
pub(super) fn needs_flush(cpu: &Cpu<'_>, old: Entry, new: Entry) -> bool {
    match cpu.machine().kernel.profile.protection_flush {
        ProtectionFlush::All => true,
        ProtectionFlush::WhatMatters => {
            old.access_permitted(false)
                && (!new.access_permitted(false) || old.is_writable() != new.is_writable())
        }
    }
}
