//! A table that `MADV_DONTNEED` has emptied is freed: v6.14 (6375e95f381e), and no kernel before that.
//!
//! # The protocol
//!
//! 1. With the table's lock held throughout, all entries were cleared: the pmd is cleared under its own lock, before the
//!    table's lock is dropped. Nobody can have put anything there.
//! 2. If the table's lock was dropped in the middle (the gathering was full), faults may have filled it again: both locks
//!    are taken, the pmd's first, every entry is looked at, and only an empty table is unlinked.
//! 3. The table goes the way of every table that was unlinked: flush, grace period, free.
//!
//! The mmap lock is held for reading only, by faults and walkers of the same mm as well. So:
//!
//! - a walker that is in the table stays in it until the grace period, and finds entries that are none;
//! - a fault that mapped the table before takes its lock after, and looks at the pmd, or at the entry, again
//!   (`reread-under-lock`).
//!
//! In 1 the kernel only tries to get the pmd's lock, and does 2 if it is taken. Here it waits.

use crate::cpu::Cpu;
use crate::mm::MmuGather;
use crate::pgtable::{Entry, EntryPtr, Level, TableLock, table_entry};
use crate::step::Step;
use std::ops::Range;

/// The table below one pmd, while its entries are zapped.
pub(super) struct Reclaim {
    /// The table's lock was never dropped: what was cleared is none still.
    throughout: bool,
    /// What the pmd was that is cleared by now.
    unlinked: Option<Entry>,
}

impl Reclaim {
    /// Nothing is zapped yet.
    pub(super) const fn new() -> Self {
        Self {
            throughout: true,
            unlinked: None,
        }
    }

    /// A part was zapped, and the table's lock is about to be dropped: in the middle, or at the `end`.
    pub(super) fn zapped(&mut self, cpu: &Cpu<'_>, pmdp: EntryPtr<'_>, full: bool, end: bool) {
        // ORDERING: the lock's. What was cleared before it was dropped may be anything by now. Pairs with a fault. Without
        // it: R22, a table with entries in it is freed. Step `reclaim-rechecks`.
        if full && cpu.does(Step::ReclaimRechecks) {
            self.throughout = false;
        }
        if end && self.throughout {
            self.unlinked = Some(try_get_and_clear_pmd(cpu, pmdp));
        }
    }

    /// Everything was zapped, and no lock is held: the table goes, if it is empty.
    pub(super) fn free<'m>(
        self,
        cpu: &Cpu<'m>,
        tlb: &mut MmuGather<'m>,
        pmdp: EntryPtr<'m>,
        span: Range<u64>,
    ) {
        let unlinked = if self.throughout {
            self.unlinked
        } else {
            try_to_free_pte(cpu, pmdp, span.start)
        };
        if let Some(pmd) = unlinked {
            tlb.free_table(cpu, cpu.machine().page(pmd.pfn()), span);
        }
    }
}

/// `try_get_and_clear_pmd`, under the table's lock: what the pmd was.
fn try_get_and_clear_pmd(cpu: &Cpu<'_>, pmdp: EntryPtr<'_>) -> Entry {
    let _span = cpu.span("try_get_and_clear_pmd");
    pmdp.lock().lock(cpu);
    let pmd = pmdp.get(cpu);
    pmdp.set(cpu, Entry::NONE);
    pmdp.lock().unlock(cpu);
    pmd
}

/// `try_to_free_pte`: what the pmd was, if its table was empty and is unlinked now.
fn try_to_free_pte(cpu: &Cpu<'_>, pmdp: EntryPtr<'_>, addr: u64) -> Option<Entry> {
    let _span = cpu.span("try_to_free_pte");
    pmdp.lock().lock(cpu);
    // pte_offset_map_rw_nolock: under the pmd's lock it is what it is.
    let pmd = pmdp.get(cpu);
    let mut empty = pmd.access_permitted(false) && !pmd.is_huge();
    if empty {
        let table = cpu.machine().page(pmd.pfn());
        let lock = TableLock::of(table);
        lock.lock(cpu);
        let mut ptep = table_entry(cpu, table.pfn, Level::Pte, addr);
        for _ in 0..cpu.machine().geometry.entries(Level::Pte) {
            empty = empty && ptep.is(cpu, Entry::NONE);
            ptep = ptep.next();
        }
        if empty {
            pmdp.set(cpu, Entry::NONE);
        }
        lock.unlock(cpu);
    }
    pmdp.lock().unlock(cpu);
    empty.then_some(pmd)
}
