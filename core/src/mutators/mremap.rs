//! `mremap`: an area moves to another address, with its pages or its whole tables.
//!
//! # The order
//!
//! With the mmap lock held for writing throughout:
//!
//! 1. the new area is there, in the same anon_vma, and names the same pages of it (`copy_vma`);
//! 2. whole tables are moved where both addresses allow it: the old pmd is cleared and the new one set, with both locks of the pmd
//!    tables and the anon_vma's held, and then the old addresses are flushed (M-P88). What the table holds is not touched;
//! 3. a huge pmd is moved as a leaf; everything else PTE by PTE, with the locks of both tables held;
//! 4. in all three the flush comes before these locks are dropped (M-P87);
//! 5. the old area is unmapped, and its tables go; unless it is to stay (`MREMAP_DONTUNMAP`).
//!
//! If there is no memory for a table in 3, everything is moved back, and the new area is unmapped instead. That is against the order in
//! which walks visit the two areas, so the anon_vma lock is held for each part (M-P123).
//!
//! # What happens when a walker comes
//!
//! It is at the old address. The entry that it read is gone (3), and its recheck sees that; or the entry is where it was,
//! unchanged, in a table that now serves another address (2), and only the pmd tells (P18). What it is given was mapped at the old
//! address, and at an instant at which it held it.
//!
//! # What happens to whoever comes by way of a page
//!
//! It holds the anon_vma lock, and the lock of a *table* of PTEs. The latter is no lock of what 2 changes: it would go to
//! an entry by the old address, clear it, and flush the old address, while hardware uses the entry by the new one. So 2 takes
//! the anon_vma lock. In 3 it visits the old area first and the new one after that: what is moved meanwhile it finds there.

use super::munmap::unmap_attached;
use crate::boot::Area;
use crate::cpu::{Cpu, flush_tlb_batched_pending, flush_tlb_range};
use crate::errno::Errno;
use crate::mm::{Mm, Vma, anon_vma_clone, split_huge_pmd, unlink_anon_vmas};
use crate::pgtable::{
    Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pte_alloc, pte_offset_map_lock,
    pte_offset_map_nolock, pte_unmap, pte_unmap_unlock,
};
use crate::step::Step;
use std::ops::Range;

/// `move_vma`, of a whole area to a place that boot has kept for it ([`Boot::destination`](crate::boot::Boot::destination)), with
/// the mmap lock held for writing.
///
/// # Errors
/// `-EFAULT` if the area is gone; `-ENOMEM` if there is no memory for a table: everything is where it was then.
///
/// # Panics
/// If there is an area in the new place already.
pub fn mremap(cpu: &Cpu<'_>, old: Area, new: Area) -> Result<(), Errno> {
    move_vma(cpu, old, new, true)
}

/// The same with `MREMAP_DONTUNMAP`: the old area stays, with its tables, and nothing in it.
///
/// # Errors
/// As [`mremap`].
pub fn mremap_dontunmap(cpu: &Cpu<'_>, old: Area, new: Area) -> Result<(), Errno> {
    move_vma(cpu, old, new, false)
}

fn move_vma(cpu: &Cpu<'_>, old: Area, new: Area, unmap: bool) -> Result<(), Errno> {
    let _span = cpu.span("move_vma");
    let mm = cpu.machine().mm(old.mm);
    let (from, to) = (&mm.vmas[old.vma], &mm.vmas[new.vma]);
    mm.write_lock(cpu);
    let moved = if from.attached.read(cpu) {
        move_locked(cpu, mm, from, to, unmap)
    } else {
        Err(Errno::Efault)
    };
    mm.write_unlock(cpu);
    moved
}

fn move_locked<'m>(
    cpu: &Cpu<'m>,
    mm: &'m Mm,
    old: &Vma,
    new: &Vma,
    unmap: bool,
) -> Result<(), Errno> {
    // copy_vma
    assert!(!new.attached.read(cpu), "the new place is free");
    anon_vma_clone(cpu, mm, new);
    new.attached.write(cpu, true);
    let whole = move_page_tables(cpu, mm, (old, new), old.end - old.start, false);
    match whole {
        Ok(()) if unmap => {
            unmap_attached(cpu, mm, old);
            Ok(())
        }
        Ok(()) => {
            // Nothing of the anon_vma's is mapped there any more. (The next fault puts the area into one again, which is not
            // modelled.)
            unlink_anon_vmas(cpu, mm, old);
            Ok(())
        }
        Err(done) => {
            // Which succeeds: the tables are there.
            // ORDERING: no walk is between the two areas, the old one of which it visits first. Pairs with rmap-walk-lock (M-P24).
            // Without it: R29, and migration entries are left behind. Step `move-back-rmap-lock`.
            let locks = cpu.does(Step::MoveBackRmapLock);
            move_page_tables(cpu, mm, (new, old), done, locks)
                .expect("the old tables are there still");
            unmap_attached(cpu, mm, new);
            Err(Errno::Enomem)
        }
    }
}

/// `move_page_tables`, of the first `len` bytes; or how many were moved before memory ran out. Tables are always moved with the
/// anon_vma lock held, everything else if `need_rmap_locks`.
fn move_page_tables<'m>(
    cpu: &Cpu<'m>,
    mm: &'m Mm,
    (old, new): (&Vma, &Vma),
    len: u64,
    need_rmap_locks: bool,
) -> Result<(), u64> {
    let _span = cpu.span("move_page_tables");
    let span = cpu.machine().geometry.span(Level::Pmd);
    let mut done = 0;
    let mut late = false;
    while done < len {
        let (from, to) = (old.start + done, new.start + done);
        // get_extent
        let boundary = |addr: u64| (addr / span + 1) * span - addr;
        let extent = boundary(from).min(boundary(to)).min(len - done);
        let old_pmd = find_entry(cpu, mm, from, Level::Pmd);
        let new_pmd = find_entry(cpu, mm, to, Level::Pmd);
        if let (Some(old_pmd), Some(new_pmd)) = (old_pmd, new_pmd) {
            let part = Part {
                cpu,
                mm,
                old: (old_pmd, from..from + extent),
                new: (new_pmd, to..to + extent),
                need_rmap_locks,
            };
            late |= part.move_pmd().ok_or(done)?;
        }
        done += extent;
    }
    if late {
        flush_tlb_range(cpu, mm, old.start..old.start + len);
    }
    Ok(())
}

/// Whether there is something to flush, later than the locks were dropped.
type Late = bool;

/// What one pmd of the old area and one of the new span, and whether the anon_vma lock is needed to move less than a table.
struct Part<'a, 'm> {
    cpu: &'a Cpu<'m>,
    mm: &'m Mm,
    old: (EntryPtr<'m>, Range<u64>),
    new: (EntryPtr<'m>, Range<u64>),
    need_rmap_locks: bool,
}

impl<'m> Part<'_, 'm> {
    /// One turn of `move_page_tables`, again where the table went away meanwhile; `None` if there is no memory for a table.
    fn move_pmd(&self) -> Option<Late> {
        let cpu = self.cpu;
        let (old_pmd, from) = &self.old;
        let whole = from.end - from.start == cpu.machine().geometry.span(Level::Pmd);
        loop {
            if old_pmd.is_huge_or_migration(cpu) {
                let locks = self.need_rmap_locks;
                let moved = (whole).then(|| self.with_rmap_locks(locks, || self.move_huge_pmd()));
                if let Some(late) = moved.flatten() {
                    return Some(late);
                }
                split_huge_pmd(cpu, self.mm, (*old_pmd, from.start), false, None);
            } else if whole && let Some(late) = self.move_normal_pmd() {
                return Some(late);
            }
            if old_pmd.is(cpu, Entry::NONE) {
                return Some(false);
            }
            if self.new.0.is(cpu, Entry::NONE) && !pte_alloc(cpu, self.new.0) {
                return None;
            }
            if let Some(late) = self.with_rmap_locks(self.need_rmap_locks, || self.move_ptes()) {
                return Some(late);
            }
        }
    }

    /// `take_rmap_locks` and `drop_rmap_locks` around it, if they are `needed`.
    fn with_rmap_locks<R>(&self, needed: bool, work: impl FnOnce() -> R) -> R {
        if needed {
            self.mm.anon_vma.lock_write(self.cpu);
        }
        let done = work();
        if needed {
            self.mm.anon_vma.unlock_write(self.cpu);
        }
        done
    }

    /// `move_ptes`. `None` if there is no table.
    fn move_ptes(&self) -> Option<Late> {
        let cpu = self.cpu;
        let _span = cpu.span("move_ptes");
        let ((old_pmd, from), (new_pmd, to)) = (&self.old, &self.new);
        let first = pte_offset_map_lock(cpu, *old_pmd, from.start)?;
        let Some(mut new_pte) = pte_offset_map_nolock(cpu, *new_pmd, to.start) else {
            pte_unmap_unlock(cpu, first);
            return None;
        };
        let new_lock = new_pte.lock();
        let two = are_of_two_tables(first, new_pte);
        if two {
            new_lock.lock(cpu);
        }
        flush_tlb_batched_pending(cpu, self.mm);
        let mut old_pte = first;
        let mut moved = false;
        for _ in 0..(from.end - from.start) / PAGE_SIZE {
            if !old_pte.is(cpu, Entry::NONE) {
                let pte = old_pte.get_and_clear(cpu);
                moved |= pte.pte_present();
                new_pte.set(cpu, pte);
            }
            old_pte = old_pte.next();
            new_pte = new_pte.next();
        }
        let late = moved && self.flush();
        if two {
            new_lock.unlock(cpu);
        }
        pte_unmap(cpu);
        pte_unmap_unlock(cpu, first);
        Some(late)
    }

    /// `move_normal_pmd`, with the anon_vma lock: a table of PTEs, as it is. `None` if it cannot be, or this architecture moves
    /// none.
    fn move_normal_pmd(&self) -> Option<Late> {
        let cpu = self.cpu;
        if !cpu.machine().kernel.profile.moves_tables {
            return None;
        }
        let _span = cpu.span("move_normal_pmd");
        // ORDERING: nobody goes from a page to an entry in this table by the old address, and flushes that one. Pairs with
        // rmap-walk-lock (M-P24). Without it: R29. Step `move-rmap-lock`.
        self.with_rmap_locks(cpu.does(Step::MoveRmapLock), || {
            self.new.0.is(cpu, Entry::NONE).then(|| {
                self.with_pmd_locks(|old_pmd, new_pmd| {
                    let pmd = old_pmd.get(cpu);
                    old_pmd.set(cpu, Entry::NONE);
                    // pmd_populate. No write barrier: what the table holds was published when it was linked first.
                    new_pmd.set_pmd(cpu, pmd);
                    self.flush()
                })
            })
        })
    }

    /// `move_huge_pmd`, and the table that was deposited for it. `None` if it cannot be moved as one.
    fn move_huge_pmd(&self) -> Option<Late> {
        let cpu = self.cpu;
        let _span = cpu.span("move_huge_pmd");
        if !self.new.0.is(cpu, Entry::NONE) {
            return None;
        }
        self.with_pmd_locks(|old_pmd, new_pmd| {
            if !old_pmd.is_huge_or_migration(cpu) {
                return None;
            }
            let pmd = old_pmd.get_and_clear(cpu);
            // pmd_move_must_withdraw: a table for each pmd table in the kernel, for each mm here.
            if let Some(table) = self.mm.withdraw(cpu) {
                self.mm.deposit(cpu, table);
            }
            new_pmd.set_pmd(cpu, pmd);
            Some(pmd.pmd_present() && self.flush())
        })
    }

    /// With the locks of both pmd tables, which may be one.
    fn with_pmd_locks<R>(&self, work: impl FnOnce(EntryPtr<'m>, EntryPtr<'m>) -> R) -> R {
        let (cpu, old_pmd, new_pmd) = (self.cpu, self.old.0, self.new.0);
        let two = are_of_two_tables(old_pmd, new_pmd);
        old_pmd.lock().lock(cpu);
        if two {
            new_pmd.lock().lock(cpu);
        }
        let done = work(old_pmd, new_pmd);
        if two {
            new_pmd.lock().unlock(cpu);
        }
        old_pmd.lock().unlock(cpu);
        done
    }

    /// Flushes the old addresses, with the locks held; or says that it is still to be done.
    fn flush(&self) -> Late {
        // ORDERING: hardware has forgotten the old address before anybody can take the page from the new one. Pairs with
        // whoever unmaps it there, under the lock of the new table, and flushes that address. Without it: R29. Step
        // `move-flushes-first`.
        let first = self.cpu.does(Step::MoveFlushesFirst);
        if first {
            flush_tlb_range(self.cpu, self.mm, self.old.1.clone());
        }
        !first
    }
}

/// Whether two entries have a lock each.
fn are_of_two_tables(one: EntryPtr<'_>, other: EntryPtr<'_>) -> bool {
    let table = |ptr: EntryPtr<'_>| ptr.table().map(|table| table.pfn);
    table(one) != table(other)
}
