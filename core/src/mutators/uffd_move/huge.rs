//! A huge pmd moves: `move_pages_huge_pmd`.

use super::mover::{Move, Stop};
use super::two_locks::TwoLocks;
use crate::cpu::flush_tlb_range;
use crate::errno::Errno;
use crate::folio::{
    Folio, folio_get, folio_lock, folio_mapped, folio_put, page_anon_exclusive, page_folio,
};
use crate::mm::{
    folio_anon_vma, folio_move_anon_rmap_to, invalidate_range_end, invalidate_range_start,
    wait_for_change,
};
use crate::pgtable::{Entry, EntryPtr, Level, pfn_swap_entry_to_page};
use crate::step::Step;

/// `move_pages_huge_pmd`, with the source's pmd lock held, which is dropped. Nothing is at the destination.
pub(super) fn move_pages_huge_pmd<'m>(
    mover: &Move<'_, 'm>,
    (dst_pmd, dst): (EntryPtr<'m>, u64),
    (src_pmd, src): (EntryPtr<'m>, u64),
) -> Result<(), Stop> {
    let cpu = mover.cpu;
    let _span = cpu.span("move_pages_huge_pmd");
    let pmd = src_pmd.get(cpu);
    if !pmd.is_huge() {
        src_pmd.lock().unlock(cpu);
        // v6.8 waits for what it has read, not for the entry itself: the migration may be over, and nobody holds the folio's lock. Without
        // it: the kernel stops (docs/findings.md, F11). Step `move-waits-on-pmd`.
        if !cpu.does(Step::MoveWaitsOnPmd) {
            pfn_swap_entry_to_page(cpu, pmd);
        }
        // pmd_migration_entry_wait
        wait_for_change(cpu, src_pmd, pmd);
        return Err(Stop::Again);
    }
    let page = cpu.machine().page(pmd.pfn());
    if cpu.does(Step::MoveChecksExclusive) && !page_anon_exclusive(cpu, page) {
        src_pmd.lock().unlock(cpu);
        return Err(Errno::Ebusy.into());
    }
    let folio = page_folio(cpu, page);
    folio_get(cpu, folio);
    src_pmd.lock().unlock(cpu);
    invalidate_range_start(cpu, mover.mm);
    folio_lock(cpu, folio);
    // folio_get_anon_vma
    let moved = if folio_mapped(cpu, folio) {
        let (mm, _) = folio_anon_vma(cpu, folio);
        mm.anon_vma.lock_write(cpu);
        let locks = TwoLocks::lock(cpu, src_pmd, dst_pmd);
        let moved = mover.move_huge((dst_pmd, dst), (src_pmd, src, pmd), folio);
        locks.unlock(cpu);
        mm.anon_vma.unlock_write(cpu);
        moved
    } else {
        Err(Stop::Again)
    };
    folio.unlock(cpu);
    invalidate_range_end(cpu, mover.mm);
    folio_put(cpu, folio);
    moved
}

impl<'m> Move<'_, 'm> {
    /// With all locks held.
    fn move_huge(
        &self,
        (dst_pmd, dst): (EntryPtr<'m>, u64),
        (src_pmd, src, pmd): (EntryPtr<'m>, u64, Entry),
        folio: Folio<'m>,
    ) -> Result<(), Stop> {
        let cpu = self.cpu;
        if !src_pmd.is_still(cpu, pmd) || !dst_pmd.is_still(cpu, Entry::NONE) {
            return Err(Stop::Again);
        }
        if !self.may_move(folio) {
            return Err(Errno::Ebusy.into());
        }
        // v6.8 says at once that the folio is elsewhere, and does not take it back. Without it: c0205eaf3af9. Step `move-rmap-last`.
        let last = cpu.does(Step::MoveRmapLast);
        if !last {
            folio_move_anon_rmap_to(cpu, folio, self.mm, dst);
        }
        // pmdp_huge_clear_flush
        let was = src_pmd.get_and_clear(cpu);
        flush_tlb_range(
            cpu,
            self.mm,
            src..src + cpu.machine().geometry.span(Level::Pmd),
        );
        if self.is_pinned_now(folio) {
            src_pmd.set_pmd(cpu, was);
            return Err(Errno::Ebusy.into());
        }
        if last {
            folio_move_anon_rmap_to(cpu, folio, self.mm, dst);
        }
        dst_pmd.set_pmd(cpu, Entry::leaf(was.pfn(), true).huge());
        // A table for each pmd table in the kernel, for each mm here.
        if let Some(table) = self.mm.withdraw(cpu) {
            self.mm.deposit(cpu, table);
        }
        Ok(())
    }
}
