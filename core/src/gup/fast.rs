//! The lockless walk: `gup_pgd_range` down to `gup_pte_range`.
//!
//! # The protocol, on the walker's side
//!
//! With interrupts off the tables that the walker is in stay allocated; nothing else is promised.
//!
//! 1. **Read** each entry once, into a local; descend and filter by the local alone (P6, P9).
//! 2. **Pin** the folio that the leaf names (P11, P15, P17).
//! 3. **Recheck**: the leaf still has the value that was read (P19), and for a PTE the pmd above it as well
//!    (P18): a table can be unlinked with its entries untouched.
//! 4. On any mismatch give the pin back and stop here; what was pinned so far is the result.
//!
//! What happens when a mutator comes
//! - before 1: the walker reads the new entry;
//! - between 1 and 2: the reference may be refused, or go to a folio in its next life; 3 sees the change;
//! - between 2 and 3: 3 sees the change, *or* the mutator, looking at the counts after its barrier, saw the
//!   pin. That is the store-buffering shape that P12, P17 and M-P5 close;
//! - after 3: the mutator sees the pin.
//!
//! Directories of huge pages, which powerpc has, are in [`hugepd`](super::hugepd).

use super::device::{gup_device_huge, undo_dev_pagemap};
use super::gates::{
    arch_make_page_accessible, folio_fast_pin_allowed, folio_is_secretmem, gup_must_unshare,
};
use super::grab::{gup_put_folio, try_grab_folio};
use super::{Foll, Recorded};
use crate::cpu::{Cpu, rcu_read_lock, rcu_read_unlock};
use crate::folio::{PageFlags, Pfn, set_page_flags};
use crate::mm::{Mm, Pagemap, get_dev_pagemap, put_dev_pagemap};
use crate::pgtable::{Entry, EntryPtr, Level, PAGE_SHIFT, PAGE_SIZE, offset_lockless, pgd_offset};
use crate::step::Step;

/// What a level of the walk leads to: whether the walk may go on to the next entry.
pub(super) type GoOn = bool;

/// The entry above a level: where it is, and what was read there.
type Above<'m> = (EntryPtr<'m>, Entry);

/// How a turn of `gup_pte_range`'s loop ends.
enum Turn {
    /// The page is recorded.
    Next,
    /// The walk stops here.
    Stop,
    /// The pagemap is dying: what this table gave is given back, and the walk stops here.
    Undo,
    /// The page cannot be made accessible.
    Inaccessible,
}

/// One walk: what is constant through all levels, and what it has recorded so far.
pub(super) struct Walk<'a, 'm> {
    pub(super) cpu: &'a Cpu<'m>,
    flags: Foll,
    recorded: &'a mut Recorded<'m>,
    /// The pagemap that `gup_pte_range` holds a reference of.
    pagemap: Option<&'m Pagemap>,
}

impl<'a, 'm> Walk<'a, 'm> {
    /// A walk that has not begun.
    pub(super) const fn new(cpu: &'a Cpu<'m>, flags: Foll, recorded: &'a mut Recorded<'m>) -> Self {
        Self {
            cpu,
            flags,
            recorded,
            pagemap: None,
        }
    }

    /// Calls `visit` with each part of `addr..end` that one entry of `level` spans, until it says stop. A trace
    /// shows the caller's line: the loop is that function's.
    ///
    /// As in the kernel the end is looked for *after* each turn, and the last level counts in pages: of an empty range the
    /// end is never met there, and the first page is written to an array that has no room (step `nr-pages-check`).
    #[track_caller]
    fn each_entry(
        &mut self,
        level: Level,
        mut ptr: EntryPtr<'m>,
        mut addr: u64,
        end: u64,
        mut visit: impl FnMut(&mut Self, EntryPtr<'m>, Entry, u64, u64) -> GoOn,
    ) -> GoOn {
        let geometry = &self.cpu.machine().geometry;
        loop {
            let entry = ptr.read_once(self.cpu);
            let next = match level {
                Level::Pte => addr.wrapping_add(PAGE_SIZE),
                // As far as the level would go if it were there: it is the next one that goes along the table.
                _ if level
                    .below()
                    .is_some_and(|below| geometry.is_folded_in_place(below)) =>
                {
                    end
                }
                _ => geometry.addr_end(level, addr, end),
            };
            if !visit(self, ptr, entry, addr, next) {
                return false;
            }
            ptr = ptr.next();
            addr = next;
            if addr == end {
                return true;
            }
        }
    }

    /// Whether an entry of a level whose next level is folded away counts as none: it does not, the
    /// question is left to that level (`pgd_none` is constant where the p4d is folded).
    fn is_none(&self, entry: Entry, below: Level) -> bool {
        !self.cpu.machine().geometry.is_folded(below) && entry.is_none()
    }

    /// The entry that the walk goes on by: the one that was checked.
    #[track_caller]
    fn as_checked(&self, ptr: EntryPtr<'m>, checked: Entry) -> Entry {
        // ORDERING: none; one value, for the checks and for the descent. Pairs with every clear of an entry that links a
        // table. Read again, it may be none by now, or a leaf. Without it: R25. Step `entry-single-load`.
        if self.cpu.does(Step::EntrySingleLoad) {
            checked
        } else {
            ptr.read_once(self.cpu)
        }
    }

    /// `gup_pgd_range`.
    pub(super) fn gup_pgd_range(&mut self, mm: &Mm, addr: u64, end: u64) {
        let _span = self.cpu.span("gup_pgd_range");
        let pgdp = pgd_offset(self.cpu, mm, addr);
        self.each_entry(Level::Pgd, pgdp, addr, end, |walk, ptr, pgd, addr, next| {
            if walk.is_none(pgd, Level::P4d) {
                return false;
            }
            if pgd.is_huge() && !walk.cpu.machine().geometry.is_folded(Level::P4d) {
                return walk.gup_huge(Level::Pgd, pgd, ptr, addr, next);
            }
            if pgd.is_hugepd() {
                return walk.gup_huge_pd(Level::Pgd, pgd, addr, next);
            }
            walk.gup_p4d_range((ptr, pgd), addr, next)
        });
    }

    /// `gup_p4d_range`.
    fn gup_p4d_range(&mut self, pgd: Above<'m>, addr: u64, end: u64) -> GoOn {
        let p4dp = offset_lockless(self.cpu, pgd, Level::P4d, addr);
        self.each_entry(Level::P4d, p4dp, addr, end, |walk, ptr, p4d, addr, next| {
            if walk.is_none(p4d, Level::Pud) {
                return false;
            }
            if p4d.is_hugepd() {
                return walk.gup_huge_pd(Level::P4d, p4d, addr, next);
            }
            walk.gup_pud_range((ptr, p4d), addr, next)
        })
    }

    /// `gup_pud_range`.
    fn gup_pud_range(&mut self, p4d: Above<'m>, addr: u64, end: u64) -> GoOn {
        let pudp = offset_lockless(self.cpu, p4d, Level::Pud, addr);
        self.each_entry(Level::Pud, pudp, addr, end, |walk, ptr, pud, addr, next| {
            if !pud.pmd_present() {
                return false;
            }
            if pud.is_huge() || pud.is_devmap() {
                return walk.gup_huge(Level::Pud, pud, ptr, addr, next);
            }
            if pud.is_hugepd() {
                return walk.gup_huge_pd(Level::Pud, pud, addr, next);
            }
            walk.gup_pmd_range((ptr, walk.as_checked(ptr, pud)), addr, next)
        })
    }

    /// `gup_pmd_range`.
    fn gup_pmd_range(&mut self, pud: Above<'m>, addr: u64, end: u64) -> GoOn {
        let _span = self.cpu.span("gup_pmd_range");
        let pmdp = offset_lockless(self.cpu, pud, Level::Pmd, addr);
        self.each_entry(Level::Pmd, pmdp, addr, end, |walk, ptr, pmd, addr, next| {
            if !pmd.pmd_present() {
                return false;
            }
            if pmd.is_huge() || pmd.is_devmap() {
                return walk.gup_huge(Level::Pmd, pmd, ptr, addr, next);
            }
            if pmd.is_hugepd() {
                return walk.gup_huge_pd(Level::Pmd, pmd, addr, next);
            }
            walk.gup_pte_range(walk.as_checked(ptr, pmd), ptr, addr, next)
        })
    }

    /// `gup_pte_range`.
    ///
    /// A page that cannot be made accessible ends it with an error code, which its caller takes for "go on": the pages of
    /// the next table are recorded where those of this one should be. So it is in v6.6 to v6.8 (on s390, the one
    /// architecture that has such pages).
    fn gup_pte_range(&mut self, pmd: Entry, pmdp: EntryPtr<'m>, addr: u64, end: u64) -> GoOn {
        let _span = self.cpu.span("gup_pte_range");
        let start = self.recorded.count();
        let mut inaccessible = false;
        // pte_offset_map holds RCU until pte_unmap; with interrupts off that adds nothing.
        rcu_read_lock(self.cpu);
        let ptep = offset_lockless(self.cpu, (pmdp, pmd), Level::Pte, addr);
        let all = self.each_entry(Level::Pte, ptep, addr, end, |walk, ptr, pte, _, _| {
            let turn = walk.gup_pte(pmd, pmdp, pte, ptr);
            match turn {
                Turn::Next => return true,
                Turn::Stop => {}
                Turn::Undo => undo_dev_pagemap(walk.cpu, walk.recorded, start, walk.flags),
                Turn::Inaccessible => inaccessible = true,
            }
            false
        });
        if let Some(pagemap) = self.pagemap.take() {
            put_dev_pagemap(self.cpu, pagemap);
        }
        rcu_read_unlock(self.cpu);
        all || inaccessible
    }

    /// Whether the entry lets the caller do what it wants to (`pte_protnone`, `pte_access_permitted` and their kin): the
    /// walker cannot tell a NUMA hint from `PROT_NONE`, and must take neither.
    pub(super) fn permits(&self, entry: Entry) -> bool {
        let write = self.flags.contains(Foll::WRITE);
        // ORDERING: none: what was read before the pin is what is looked at again after it. Pairs with change_protection. Without
        // it: R45. Step `prot-none-refused`.
        if self.cpu.does(Step::ProtNoneRefused) {
            entry.access_permitted(write)
        } else {
            entry.pte_present() && (!write || entry.is_writable())
        }
    }

    /// One turn of `gup_pte_range`'s loop.
    fn gup_pte(&mut self, pmd: Entry, pmdp: EntryPtr<'m>, pte: Entry, ptep: EntryPtr<'m>) -> Turn {
        let (cpu, flags) = (self.cpu, self.flags);
        if !self.permits(pte) {
            return Turn::Stop;
        }
        if pte.is_devmap() {
            if flags.contains(Foll::LONGTERM) {
                return Turn::Stop;
            }
            self.pagemap = get_dev_pagemap(cpu, pte.pfn(), self.pagemap);
            if self.pagemap.is_none() {
                return Turn::Undo;
            }
        } else if pte.is_special() {
            return Turn::Stop;
        }
        let page = cpu.pfn_to_page(pte.pfn());
        let Some(folio) = try_grab_folio(cpu, page, 1, flags) else {
            return Turn::Stop;
        };
        let keep = !folio_is_secretmem(cpu, folio)
            && !self.pte_changed(pmd, pmdp, pte, ptep)
            && folio_fast_pin_allowed(cpu, folio, flags)
            && (pte.is_writable() || !gup_must_unshare(cpu, None, flags, page));
        let inaccessible =
            keep && flags.contains(Foll::PIN) && arch_make_page_accessible(page).is_err();
        if inaccessible || !keep {
            gup_put_folio(cpu, folio, 1, flags);
            return if inaccessible {
                Turn::Inaccessible
            } else {
                Turn::Stop
            };
        }
        set_page_flags(cpu, folio.head(), PageFlags::REFERENCED);
        self.recorded.record(cpu, page);
        Turn::Next
    }

    /// The recheck of a PTE and of the pmd above it.
    fn pte_changed(&self, pmd: Entry, pmdp: EntryPtr<'m>, pte: Entry, ptep: EntryPtr<'m>) -> bool {
        let cpu = self.cpu;
        // ORDERING: both re-reads come after the pin, by its barrier (P12, P17). The pmd's pairs with
        // collapse-clear-first (M-P11), the pte's with every mutator's clear. Without them: R02, R01. In
        // which order the two are read does not matter, nor whether hardware's marks are compared. Steps `pmd-recheck`,
        // `pte-recheck`, `recheck-order`, `recheck-marks`.
        let pmd_changed = || cpu.does(Step::PmdRecheck) && !pmdp.is(cpu, pmd);
        let pte_same = || {
            if cpu.does(Step::RecheckMarks) {
                ptep.is(cpu, pte)
            } else {
                ptep.is_but_for_marks(cpu, pte)
            }
        };
        let pte_changed = || cpu.does(Step::PteRecheck) && !pte_same();
        let (first, second): (&dyn Fn() -> bool, &dyn Fn() -> bool) =
            if cpu.does(Step::RecheckOrder) {
                (&pmd_changed, &pte_changed)
            } else {
                (&pte_changed, &pmd_changed)
            };
        first() || second()
    }

    /// `gup_huge_pmd`, `gup_huge_pud`, `gup_huge_pgd`: a leaf above the PTE level. Only that leaf is
    /// rechecked.
    fn gup_huge(
        &mut self,
        level: Level,
        leaf: Entry,
        ptr: EntryPtr<'m>,
        addr: u64,
        end: u64,
    ) -> GoOn {
        let (cpu, flags) = (self.cpu, self.flags);
        let _span = cpu.span(match level {
            Level::Pgd => "gup_huge_pgd",
            Level::Pud => "gup_huge_pud",
            _ => "gup_huge_pmd",
        });
        if !self.permits(leaf) {
            return false;
        }
        let span = cpu.machine().geometry.span(level);
        let first = leaf.pfn().plus(((addr & (span - 1)) >> PAGE_SHIFT) as u32);
        if leaf.is_devmap() {
            return !flags.contains(Foll::LONGTERM)
                && gup_device_huge(cpu, self.recorded, flags, (leaf, ptr), first, (addr, end));
        }
        self.take_leaf((leaf, ptr), first, addr, end)
    }

    /// What `gup_huge_pmd` and its like do once they have read a leaf that is no device's, and may be followed: all pages from
    /// `first` on that lie in `addr..end`.
    pub(super) fn take_leaf(
        &mut self,
        (leaf, ptr): (Entry, EntryPtr<'m>),
        first: Pfn,
        addr: u64,
        end: u64,
    ) -> GoOn {
        let (cpu, flags) = (self.cpu, self.flags);
        let refs = ((end - addr) / PAGE_SIZE) as u32;
        let page = cpu.pfn_to_page(first);
        let batch = (0..refs).map(|n| cpu.pfn_to_page(first.plus(n)));
        self.recorded.write_ahead(cpu, batch);
        let Some(folio) = try_grab_folio(cpu, page, refs as i32, flags) else {
            return false;
        };
        // ORDERING: after the pin, by its barrier. Pairs with split-invalidate-first (M-P20) and every
        // clear of a huge entry. Without it: R13. Step `pte-recheck`.
        let changed = cpu.does(Step::PteRecheck) && !ptr.is(cpu, leaf);
        // gup_huge_pgd asks the last two the other way round. Nobody can tell: the one is for pins that write, the other for
        // those that do not.
        let keep = !changed
            && folio_fast_pin_allowed(cpu, folio, flags)
            && (leaf.is_writable() || !gup_must_unshare(cpu, None, flags, folio.head()));
        if !keep {
            // As many as were taken. Without it: R53. Step `undo-whole-batch`.
            let taken = if cpu.does(Step::UndoWholeBatch) {
                refs as i32
            } else {
                1
            };
            gup_put_folio(cpu, folio, taken, flags);
            return false;
        }
        self.recorded.take_over(refs);
        set_page_flags(cpu, folio.head(), PageFlags::REFERENCED);
        true
    }
}
