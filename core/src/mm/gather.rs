//! What an unmapping collects, and frees at the end: `mmu_gather`.
//!
//! # The order
//!
//! 1. entries are cleared, under the page-table lock; pages, and tables that were unlinked, are only *noted*;
//! 2. the TLB is flushed, as the profile has it, and what hardware has cached of the upper levels with it (M-P6, M-P14);
//! 3. the pages noted are dropped: nothing but the flush comes before that;
//! 4. tables that were unlinked are freed, when the profile says (M-P13).
//!
//! Two who hold the mmap lock for reading may gather at once. What one finds cleared, the other has cleared, and flushes at *his* end. So
//! who gathers says so in the mm first, and flushes all at his end if he was not alone (M-P120).
//!
//! Where tables go by RCU the kernel hands them over (`call_rcu`) and drops the pages without waiting. Here
//! the wait is made in place, so it has to come last: before the pages it would keep them for every walker.
//!
//! # What is full
//!
//! - As many pages as a gathering holds: whoever zaps flushes, drops them, and goes on, with the page-table lock dropped
//!   in between. (The kernel takes more memory first, and this is what it does if there is none.)
//! - As many tables as a batch holds: 2 and 4 for these, at once.
//! - No memory for a batch of tables: 2, every CPU is interrupted and waited for, and the table is freed
//!   (`tlb_remove_table_one`). A walker that has interrupts off delays that; one that is an RCU reader and no more does not.
//!
//! # What happens when a walker comes
//!
//! One that runs in software has read a link before 1: 4 waits for it, and nothing else does where a flush interrupts nobody.
//! For hardware nobody waits in 4, and interrupts off means nothing to it: it is 2 that makes it forget the link. So each of
//! the two is needed, and in this order: unlink, invalidate, wait, free (R18).
//!
//! A walker's local copy of an entry is like a TLB entry that lives until interrupts are on again, and
//! that most profiles' flush does not reach (R54).

use super::Mm;
use crate::arch::TableFree;
use crate::cpu::{
    Cpu, dec_tlb_flush_pending, flush_tlb_of_tables, flush_tlb_range, inc_tlb_flush_pending,
    mm_tlb_flush_nested, tlb_remove_table_sync_one,
};
use crate::folio::{Page, folio_put, page_folio, page_remove_rmap};
use crate::lkmm::read_once_is_below;
use crate::machine::GATHER_LIMIT;
use crate::pgtable::{free_tables, pte_free};
use crate::step::Step;
use crate::swap::free_swap_cache;
use arrayvec::ArrayVec;
use std::ops::Range;

/// An unmapping under way.
pub struct MmuGather<'m> {
    mm: &'m Mm,
    pages: ArrayVec<&'m Page, GATHER_LIMIT>,
    tables: ArrayVec<&'m Page, GATHER_LIMIT>,
    /// Those of the pages whose map counts wait for the flush (`delayed_rmap`).
    rmaps: ArrayVec<&'m Page, GATHER_LIMIT>,
    /// What was cleared since the last flush.
    cleared: Option<Range<u64>>,
    /// A table was unlinked since then (`freed_tables`).
    freed_tables: bool,
    /// The mm goes as a whole, and nobody uses it any more.
    fullmm: bool,
}

impl<'m> MmuGather<'m> {
    /// `tlb_gather_mmu`.
    pub fn new(cpu: &Cpu<'m>, mm: &'m Mm) -> Self {
        inc_tlb_flush_pending(cpu, mm);
        Self {
            mm,
            pages: ArrayVec::new_const(),
            tables: ArrayVec::new_const(),
            rmaps: ArrayVec::new_const(),
            cleared: None,
            freed_tables: false,
            fullmm: false,
        }
    }

    /// `tlb_gather_mmu_fullmm`: of an mm that nobody uses any more.
    pub fn fullmm(cpu: &Cpu<'m>, mm: &'m Mm) -> Self {
        Self {
            fullmm: true,
            ..Self::new(cpu, mm)
        }
    }

    /// Whether the mm goes as a whole.
    pub const fn is_fullmm(&self) -> bool {
        self.fullmm
    }

    /// `tlb_remove_tlb_entry`, `tlb_flush_pte_range`: an entry that spans these addresses was cleared, or changed.
    pub fn remove_entry(&mut self, span: Range<u64>) {
        let before = self.cleared.clone().unwrap_or_else(|| span.clone());
        self.cleared = Some(before.start.min(span.start)..before.end.max(span.end));
    }

    /// `tlb_delay_rmap`: of a page that is noted next; its map count goes once the TLB is flushed.
    pub fn delay_rmap(&mut self, page: &'m Page) {
        self.rmaps.push(page);
    }

    /// Whether there are such pages: the flush is due before the page-table lock is dropped.
    pub const fn delays_rmaps(&self) -> bool {
        !self.rmaps.is_empty()
    }

    /// `tlb_flush_rmaps`, after the flush.
    pub fn flush_rmaps(&mut self, cpu: &Cpu<'_>) {
        for page in self.rmaps.drain(..) {
            page_remove_rmap(cpu, page);
        }
    }

    /// `__tlb_remove_page`: the mapping's reference of a page, to be dropped after the flush. Whether no more pages can be
    /// noted, and the flush is due.
    pub fn remove_page(&mut self, cpu: &Cpu<'_>, page: &'m Page) -> bool {
        self.pages.push(page);
        self.pages.len() == cpu.machine().gather.pages
    }

    /// `pte_free_tlb` and its kin, down to `tlb_remove_table`: an unlinked table, to be freed after the flush. `span` is what
    /// its link spanned.
    pub fn free_table(&mut self, cpu: &Cpu<'m>, table: &'m Page, span: Range<u64>) {
        self.remove_entry(span);
        self.freed_tables = true;
        let by_rcu = cpu.machine().kernel.profile.table_free == TableFree::AfterGracePeriod;
        // ORDERING: none, and that is the point: the count of users says nothing of hardware, nor of whoever begins to use
        // the mm next. Pairs with mmget_not_zero. Without the step: R19. Step `lone-user-waits`.
        if by_rcu && !cpu.does(Step::LoneUserWaits) && read_once_is_below(cpu, self.mm.users, 2) {
            pte_free(cpu, table);
            return;
        }
        let batch = cpu.machine().gather.tables;
        if by_rcu && batch == 0 {
            self.remove_table_one(cpu, table);
            return;
        }
        self.tables.push(table);
        if by_rcu && self.tables.len() == batch {
            self.flush_tables(cpu);
        }
    }

    /// `tlb_remove_table_one`, with what comes before it: no memory for a batch.
    fn remove_table_one(&mut self, cpu: &Cpu<'m>, table: &'m Page) {
        self.invalidate_tables(cpu);
        // ORDERING: a walker that read the link before it was cleared is out of the table when this returns. Pairs with
        // irqs-off-block-ipi (P3). Without it: R17. Step `table-sync-ipi`.
        if cpu.does(Step::TableSyncIpi) {
            tlb_remove_table_sync_one(cpu);
        }
        pte_free(cpu, table);
    }

    /// `tlb_table_invalidate`.
    fn invalidate_tables(&mut self, cpu: &Cpu<'m>) {
        // ORDERING: hardware has forgotten the link before the wait for software begins. Pairs with a hardware walker.
        // Without it: R18. Step `table-invalidate`. At the end of a gathering the flush has done it.
        if cpu.does(Step::TableInvalidate) {
            self.flush_tlb_only(cpu);
        }
    }

    /// `tlb_table_flush`.
    fn flush_tables(&mut self, cpu: &Cpu<'m>) {
        if !self.tables.is_empty() {
            self.invalidate_tables(cpu);
            free_tables(cpu, &self.tables);
            self.tables.clear();
        }
    }

    /// `tlb_flush_mmu_tlbonly`: nothing is flushed where nothing was cleared since the last time.
    pub fn flush_tlb_only(&mut self, cpu: &Cpu<'m>) {
        if let Some(span) = self.cleared.take() {
            let span = if self.fullmm { 0..u64::MAX } else { span };
            if std::mem::take(&mut self.freed_tables) {
                flush_tlb_of_tables(cpu, self.mm, span);
            } else {
                flush_tlb_range(cpu, self.mm, span);
            }
        }
    }

    /// `tlb_flush_mmu`: flush, drop pages, free tables.
    pub fn flush(&mut self, cpu: &Cpu<'m>) {
        self.flush_tlb_only(cpu);
        // free_pages_and_swap_cache
        let swap = cpu.machine().swap_space().is_some();
        if swap {
            for page in &self.pages {
                free_swap_cache(cpu, page_folio(cpu, page));
            }
        }
        for page in self.pages.drain(..) {
            folio_put(cpu, page_folio(cpu, page));
        }
        self.flush_tables(cpu);
    }

    /// `tlb_finish_mmu`.
    pub fn finish(mut self, cpu: &Cpu<'m>) {
        let _span = cpu.span("tlb_finish_mmu");
        if mm_tlb_flush_nested(cpu, self.mm) {
            // What was found changed already may not be flushed yet, and may be anywhere; and the other may have unlinked tables.
            self.fullmm = true;
            self.remove_entry(0..u64::MAX);
            self.freed_tables = true;
        }
        self.flush(cpu);
        dec_tlb_flush_pending(cpu, self.mm);
    }
}
