//! An entry of a table of PTEs moves: `move_pages_pte`, `move_present_pte`, `move_swap_pte`.

use super::mover::{Move, Stop};
use super::two_locks::TwoLocks;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{
    Folio, PageFlags, folio_get, folio_lock, folio_mapped, folio_put, page_anon_exclusive,
    page_folio,
};
use crate::lkmm::read_once_is;
use crate::mm::{
    Mm, folio_anon_vma, folio_move_anon_rmap_to, invalidate_range_end, invalidate_range_start,
    wait_for_change,
};
use crate::mutators::split_folio::split_folio;
use crate::pgtable::{Entry, EntryPtr, pte_offset_map_rw_nolock, pte_unmap, ptep_clear_flush};
use crate::step::Step;
use crate::swap::{filemap_get_folio, swap_has_cache};

/// `move_pages_pte`.
pub(super) fn move_pages_pte<'m>(
    mover: &Move<'_, 'm>,
    dst: (EntryPtr<'m>, u64),
    src: (EntryPtr<'m>, u64),
) -> Result<(), Stop> {
    let cpu = mover.cpu;
    let _span = cpu.span("move_pages_pte");
    invalidate_range_start(cpu, mover.mm);
    let mut attempt = Attempt {
        mover,
        dst,
        src,
        folio: None,
        anon_vma: None,
    };
    // Each turn but the last waited for a lock, and has it from then on.
    let moved = loop {
        if let Some(moved) = attempt.go() {
            break moved;
        }
    };
    if let Some(mm) = attempt.anon_vma {
        mm.anon_vma.unlock_write(cpu);
    }
    if let Some((folio, _)) = attempt.folio {
        folio.unlock(cpu);
        folio_put(cpu, folio);
    }
    invalidate_range_end(cpu, mover.mm);
    moved
}

/// What `move_pages_pte` has got so far.
struct Attempt<'a, 'b, 'm> {
    mover: &'a Move<'b, 'm>,
    dst: (EntryPtr<'m>, u64),
    src: (EntryPtr<'m>, u64),
    /// The folio that moves, locked, with a reference; and the entry by which it was found.
    folio: Option<(Folio<'m>, Entry)>,
    /// Whose anon_vma is locked for writing.
    anon_vma: Option<&'m Mm>,
}

/// Both entries, their tables mapped, and what was read of them.
#[derive(Clone, Copy)]
struct Both<'m> {
    dst: EntryPtr<'m>,
    src: EntryPtr<'m>,
    dst_pmd: Entry,
    entry: Entry,
}

/// How a look at both entries ends, and what is done about it once their tables are let go of.
enum Then<'m> {
    /// It is over.
    End(Result<(), Stop>),
    /// The folio was found, and somebody else has its lock: wait for it, and look again (`retry`).
    LockFolio,
    /// It is large: split it, and look again.
    Split(Folio<'m>),
    /// Its anon_vma is not locked yet: that, and look again.
    LockAnonVma(&'m Mm),
    /// `migration_entry_wait`.
    Wait(EntryPtr<'m>, Entry),
}

impl Then<'_> {
    fn over(errno: Errno) -> Self {
        Self::End(Err(Stop::Over(errno)))
    }
    const fn again() -> Self {
        Self::End(Err(Stop::Again))
    }
}

impl<'m> Attempt<'_, '_, 'm> {
    /// From `retry` on: how it ends; `None` if it begins again, with more in hand.
    fn go(&mut self) -> Option<Result<(), Stop>> {
        let cpu = self.mover.cpu;
        let Some((dst, dst_pmd)) = pte_offset_map_rw_nolock(cpu, self.dst.0, self.dst.1) else {
            return Some(Err(Stop::Again));
        };
        let Some((src, _)) = pte_offset_map_rw_nolock(cpu, self.src.0, self.src.1) else {
            pte_unmap(cpu);
            return Some(Err(Stop::Again));
        };
        let then = self.look(dst, dst_pmd, src);
        pte_unmap(cpu);
        pte_unmap(cpu);
        match then {
            Then::End(moved) => return Some(moved),
            Then::LockFolio => {
                let (folio, _) = self.folio.expect("it was just found");
                folio_lock(cpu, folio);
            }
            Then::Split(folio) => {
                let split = split_folio(cpu, folio);
                // The kernel goes round for -EAGAIN, until nobody else has a reference (docs/findings.md, F10).
                if let Err(errno) = split {
                    return Some(Err(Stop::Over(errno)));
                }
                folio.unlock(cpu);
                folio_put(cpu, folio);
                self.folio = None;
            }
            Then::LockAnonVma(mm) => {
                mm.anon_vma.lock_write(cpu);
                self.anon_vma = Some(mm);
            }
            Then::Wait(ptep, entry) => {
                wait_for_change(cpu, ptep, entry);
                return Some(Err(Stop::Again));
            }
        }
        None
    }

    /// With both tables mapped.
    fn look(&mut self, dst: EntryPtr<'m>, dst_pmd: Entry, src: EntryPtr<'m>) -> Then<'m> {
        let cpu = self.mover.cpu;
        if !locked_read(cpu, dst).is_none() {
            return Then::over(Errno::Eexist);
        }
        let entry = locked_read(cpu, src);
        let both = Both {
            dst,
            src,
            dst_pmd,
            entry,
        };
        if entry.is_none() {
            return Then::over(Errno::Enoent);
        }
        if self.folio.is_some_and(|(_, seen)| seen != entry) {
            return Then::again();
        }
        if entry.pte_present() {
            self.present(both)
        } else if entry.is_migration() {
            Then::Wait(src, entry)
        } else if let Some(slot) = entry.swap_slot() {
            self.swapped(both, slot)
        } else {
            Then::over(Errno::Efault)
        }
    }

    /// A mapping: its folio locked, then small, then with the anon_vma locked, then moved.
    fn present(&mut self, both: Both<'m>) -> Then<'m> {
        let cpu = self.mover.cpu;
        let folio = match self.folio {
            Some((folio, _)) => folio,
            None => match self.find_folio(both) {
                Ok(folio) => folio,
                Err(then) => return then,
            },
        };
        if folio.test(cpu, PageFlags::HEAD) {
            return Then::Split(folio);
        }
        if self.anon_vma.is_none() {
            // folio_get_anon_vma
            if !folio_mapped(cpu, folio) {
                return Then::again();
            }
            // Where nobody has the lock the kernel takes it in place, and does not look again.
            return Then::LockAnonVma(folio_anon_vma(cpu, folio).0);
        }
        Then::End(self.move_present(both, folio))
    }

    /// The folio of a mapping, with a reference, and locked.
    fn find_folio(&mut self, both: Both<'m>) -> Result<Folio<'m>, Then<'m>> {
        let cpu = self.mover.cpu;
        both.src.lock().lock(cpu);
        let found = self.find_locked(both);
        both.src.lock().unlock(cpu);
        let folio = found?;
        self.folio = Some((folio, both.entry));
        if !folio.trylock(cpu) {
            return Err(Then::LockFolio);
        }
        Ok(folio)
    }

    /// The same under the lock of the source, and not locked itself: so it is not freed before there is a reference.
    fn find_locked(&self, both: Both<'m>) -> Result<Folio<'m>, Then<'m>> {
        let cpu = self.mover.cpu;
        if !both.src.is_still(cpu, both.entry) {
            return Err(Then::again());
        }
        // vm_normal_folio
        if both.entry.is_special() {
            return Err(Then::over(Errno::Ebusy));
        }
        let folio = page_folio(cpu, cpu.machine().page(both.entry.pfn()));
        if cpu.does(Step::MoveChecksExclusive) && !page_anon_exclusive(cpu, folio.head()) {
            return Err(Then::over(Errno::Ebusy));
        }
        folio_get(cpu, folio);
        Ok(folio)
    }

    /// `move_present_pte`.
    fn move_present(&self, both: Both<'m>, folio: Folio<'m>) -> Result<(), Stop> {
        let _span = self.mover.cpu.span("move_present_pte");
        self.with_both_locked(both, || {
            let (cpu, mover) = (self.mover.cpu, self.mover);
            if !mover.may_move(folio) {
                return Err(Errno::Ebusy.into());
            }
            // The first repair of it (d7a08838ab74) was in time for v6.8. Step `move-rmap-last`.
            let last = cpu.does(Step::MoveRmapLast);
            if !last {
                folio_move_anon_rmap_to(cpu, folio, mover.mm, self.dst.1);
            }
            let was = ptep_clear_flush(cpu, mover.mm, self.src.1, both.src);
            if mover.is_pinned_now(folio) {
                both.src.set(cpu, was);
                return Err(Errno::Ebusy.into());
            }
            if last {
                folio_move_anon_rmap_to(cpu, folio, mover.mm, self.dst.1);
            }
            both.dst.set(cpu, Entry::leaf(was.pfn(), true));
            Ok(())
        })
    }

    /// An entry that names a slot: with the folio that the swap cache has for it, if it has one.
    fn swapped(&mut self, both: Both<'m>, slot: u32) -> Then<'m> {
        let cpu = self.mover.cpu;
        if !both.entry.was_exclusive() {
            return Then::over(Errno::Ebusy);
        }
        // The next fault finds the page in the cache, where it is said to be at the old address. Without it: CVE-2025-21984. Step
        // `move-cached-folio`.
        if self.folio.is_none()
            && cpu.does(Step::MoveCachedFolio)
            && let Some(folio) = filemap_get_folio(cpu, slot)
        {
            self.folio = Some((folio, both.entry));
            if !folio.trylock(cpu) {
                return Then::LockFolio;
            }
        }
        Then::End(self.move_swap(both, slot))
    }

    /// `move_swap_pte`.
    fn move_swap(&self, both: Both<'m>, slot: u32) -> Result<(), Stop> {
        let cpu = self.mover.cpu;
        let _span = cpu.span("move_swap_pte");
        let folio = self.folio.map(|(folio, _)| folio);
        // ORDERING: the folio lock's. Pairs with whoever took it out of the cache with the folio locked. Without it: K11, where the
        // slot is another page's by now. Step `move-cache-recheck`.
        if let Some(folio) = folio
            && cpu.does(Step::MoveCacheRecheck)
            && !(folio.test(cpu, PageFlags::SWAP_CACHE)
                && read_once_is(cpu, folio.head().swap, slot))
        {
            return Err(Stop::Again);
        }
        self.with_both_locked(both, || {
            if let Some(folio) = folio {
                folio_move_anon_rmap_to(cpu, folio, self.mover.mm, self.dst.1);
            } else if cpu.does(Step::MoveCacheMissed) && swap_has_cache(cpu, slot) {
                // ORDERING: that of the source's lock, under which whoever brought the page back, and whoever swapped it out again,
                // have changed the entry. Without it: K11, where the page came into the cache after the look. Step
                // `move-cache-missed`. The kernel goes round.
                return Err(Errno::Eagain.into());
            }
            let was = both.src.get_and_clear(cpu);
            both.dst.set(cpu, was);
            Ok(())
        })
    }

    /// With the locks of both tables, if both entries are what they were (`is_pte_pages_stable`).
    fn with_both_locked(
        &self,
        both: Both<'m>,
        work: impl FnOnce() -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let cpu = self.mover.cpu;
        let locks = TwoLocks::lock(cpu, both.dst, both.src);
        // An empty table that was freed looks like one that is there, and no entry tells. Of kernels that free them (v6.14). Without
        // it: a page moves into a table that is nobody's. Step `move-rereads-pmd`.
        let same = both.src.is_still(cpu, both.entry)
            && both.dst.is_still(cpu, Entry::NONE)
            && (!cpu.does(Step::MoveRereadsPmd) || self.dst.0.is(cpu, both.dst_pmd));
        let moved = if same { work() } else { Err(Stop::Again) };
        locks.unlock(cpu);
        moved
    }
}

/// An entry, read under its lock, which is dropped again.
fn locked_read(cpu: &Cpu<'_>, ptep: EntryPtr<'_>) -> Entry {
    ptep.lock().lock(cpu);
    let entry = ptep.get(cpu);
    ptep.lock().unlock(cpu);
    entry
}
