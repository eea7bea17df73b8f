//! Where an area maps the pages of a folio: `page_vma_mapped_walk`.
//!
//! # The walk
//!
//! 1. It goes from the address at which the folio would begin, and knows nothing of what is mapped there now: the page may
//!    have been zapped, and another one faulted in. So each entry is asked, under its lock, whether it maps *this* folio.
//! 2. It returns with that lock held, for its caller to change the entry, and goes on from there, under the same lock.
//! 3. A pmd that was huge when it was read, and is not once its lock is held, was split: its table is walked. A table that
//!    is gone when it should be mapped makes the walk read the pmd again.
//! 4. A pmd that is none is passed over: whoever clears a pmd and puts it back keeps walks out by the anon_vma lock.
//!
//! Without `sync` the lock of a table is only taken for an entry that looks right before that.

use crate::cpu::Cpu;
use crate::folio::{Folio, Pfn};
use crate::mm::Mm;
use crate::pgtable::{
    Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pte_offset_map_lock, pte_offset_map_nolock,
    pte_unmap, pte_unmap_unlock,
};
use crate::step::Step;
use std::ops::Range;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// Mappings; only where the table's lock is taken before anything is looked at if `sync` (`PVMW_SYNC`).
    Mappings {
        /// Wait for whoever is changing an entry.
        sync: bool,
    },
    /// Migration entries (`PVMW_MIGRATION | PVMW_SYNC`).
    MigrationEntries,
}

/// Where a walk is.
enum At<'m> {
    /// Between tables.
    Outside,
    /// At this entry, whose lock is held.
    Pte(EntryPtr<'m>),
    /// At a huge pmd, whose lock is held: there is nothing after it.
    Pmd(EntryPtr<'m>),
    /// At the end.
    End,
}

/// `struct page_vma_mapped_walk`.
pub(super) struct PageVmaMappedWalk<'a, 'm> {
    cpu: &'a Cpu<'m>,
    mm: &'a Mm,
    first: Pfn,
    pages: u32,
    sought: Sought,
    address: u64,
    end: u64,
    at: At<'m>,
}

impl<'a, 'm> PageVmaMappedWalk<'a, 'm> {
    /// A walk through what `mm` maps of `folio` in `range` (`DEFINE_FOLIO_VMA_WALK`).
    pub(super) fn new(
        cpu: &'a Cpu<'m>,
        mm: &'a Mm,
        folio: Folio<'_>,
        range: Range<u64>,
        sought: Sought,
    ) -> Self {
        Self {
            cpu,
            mm,
            first: folio.head().pfn,
            pages: folio.nr_pages(cpu),
            sought,
            address: range.start,
            end: range.end,
            at: At::Outside,
        }
    }

    /// The address of the entry that the walk is at.
    pub(super) const fn address(&self) -> u64 {
        self.address
    }

    /// The next entry that maps a page of the folio, a PTE or a huge pmd, with its lock held.
    pub(super) fn next(&mut self) -> Option<EntryPtr<'m>> {
        let found = match std::mem::replace(&mut self.at, At::End) {
            At::Outside => self.restart(),
            At::Pte(ptep) => self.next_pte(ptep, true),
            At::Pmd(pmdp) => {
                pmdp.lock().unlock(self.cpu);
                At::End
            }
            At::End => At::End,
        };
        self.at = found;
        match self.at {
            At::Pte(ptr) | At::Pmd(ptr) => Some(ptr),
            At::Outside | At::End => None,
        }
    }

    /// Whether it is at an entry of the PMD level.
    pub(super) const fn is_at_pmd(&self) -> bool {
        matches!(self.at, At::Pmd(_))
    }

    /// `page_vma_mapped_walk_done`: stops early, and drops the lock.
    pub(super) fn done(&mut self) {
        match std::mem::replace(&mut self.at, At::End) {
            At::Pte(ptep) => pte_unmap_unlock(self.cpu, ptep),
            At::Pmd(pmdp) => pmdp.lock().unlock(self.cpu),
            At::Outside | At::End => {}
        }
    }

    /// From the root to the next entry that will do.
    fn restart(&mut self) -> At<'m> {
        let cpu = self.cpu;
        while self.address < self.end {
            let Some(pmdp) = find_entry(cpu, self.mm, self.address, Level::Pmd) else {
                self.step_forward();
                continue;
            };
            let pmd = pmdp.read_once(cpu);
            if pmd.is_huge() || pmd.is_migration() {
                pmdp.lock().lock(cpu);
                let now = pmdp.get(cpu);
                if self.maps_folio_by_pmd(now) {
                    return At::Pmd(pmdp);
                }
                pmdp.lock().unlock(cpu);
                if now.is_huge() || !now.pmd_present() {
                    return At::End;
                }
            } else if !pmd.pmd_present() {
                if self.is_sync() && self.pages >= cpu.machine().geometry.pages_per_pmd() {
                    // Whoever zaps a huge pmd clears it first: until its lock is free, the folio looks mapped.
                    pmdp.lock().lock(cpu);
                    pmdp.lock().unlock(cpu);
                }
                self.step_forward();
                continue;
            }
            // Otherwise the table is gone, and the pmd is read again.
            if let Some(found) = self.map_pte(pmdp) {
                return found;
            }
        }
        At::End
    }

    fn step_forward(&mut self) {
        let span = self.cpu.machine().geometry.span(Level::Pmd);
        self.address = (self.address + span) & !(span - 1);
    }

    const fn is_sync(&self) -> bool {
        !matches!(self.sought, Sought::Mappings { sync: false })
    }

    /// Whether the huge entry is what is looked for, and of a page of the folio (`check_pmd`).
    fn maps_folio_by_pmd(&self, pmd: Entry) -> bool {
        let kind = match self.sought {
            Sought::Mappings { .. } => pmd.is_huge(),
            Sought::MigrationEntries => pmd.is_migration(),
        };
        let (here, first) = (pmd.pfn().0, self.first.0);
        let span = self.cpu.machine().geometry.pages_per_pmd();
        kind && here + span > first && here < first + self.pages
    }

    /// `map_pte`, and on from there: `None` if there is no table.
    fn map_pte(&mut self, pmdp: EntryPtr<'m>) -> Option<At<'m>> {
        let cpu = self.cpu;
        if self.is_sync() {
            let ptep = pte_offset_map_lock(cpu, pmdp, self.address)?;
            return Some(self.this_pte(ptep));
        }
        let ptep = pte_offset_map_nolock(cpu, pmdp, self.address)?;
        if !ptep.get(cpu).pte_present() {
            return Some(self.next_pte(ptep, false));
        }
        ptep.lock().lock(cpu);
        Some(self.this_pte(ptep))
    }

    /// An entry whose lock is held: this one, or a later one.
    fn this_pte(&mut self, ptep: EntryPtr<'m>) -> At<'m> {
        if self.check_pte(ptep) {
            At::Pte(ptep)
        } else {
            self.next_pte(ptep, true)
        }
    }

    /// `check_pte`: whether the entry is what is looked for, and of this folio.
    fn check_pte(&self, ptep: EntryPtr<'m>) -> bool {
        let entry = ptep.get(self.cpu);
        let kind = match self.sought {
            Sought::Mappings { .. } => entry.pte_present(),
            Sought::MigrationEntries => entry.is_migration(),
        };
        // Without it: another page's mapping is taken away. Step `check-pte`.
        kind && (!self.cpu.does(Step::CheckPte)
            || entry.pfn().0.wrapping_sub(self.first.0) < self.pages)
    }

    /// On from an entry whose table is mapped, and locked if `locked`.
    fn next_pte(&mut self, mut ptep: EntryPtr<'m>, mut locked: bool) -> At<'m> {
        let cpu = self.cpu;
        let unmap = |ptep, locked| {
            if locked {
                pte_unmap_unlock(cpu, ptep);
            } else {
                pte_unmap(cpu);
            }
        };
        let span = cpu.machine().geometry.span(Level::Pmd);
        loop {
            self.address += PAGE_SIZE;
            if self.address >= self.end {
                unmap(ptep, locked);
                return At::End;
            }
            if self.address & (span - 1) == 0 {
                unmap(ptep, locked);
                return self.restart();
            }
            ptep = ptep.next();
            if ptep.is(cpu, Entry::NONE) {
                continue;
            }
            if !locked {
                ptep.lock().lock(cpu);
                locked = true;
            }
            if self.check_pte(ptep) {
                return At::Pte(ptep);
            }
        }
    }
}
