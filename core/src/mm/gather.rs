//! What an unmapping collects, and frees at the end: `mmu_gather`.
//!
//! # The order
//!
//! 1. entries are cleared, under the page-table lock; pages are only *noted*;
//! 2. the TLB is flushed, as the profile has it;
//! 3. the pages noted are dropped: nothing but the flush comes before that;
//! 4. tables that were unlinked are freed, when the profile says.
//!
//! Where tables go by RCU the kernel hands them over (`call_rcu`) and drops the pages without waiting. Here
//! the wait is made in place, so it has to come last: before the pages it would keep them for every walker.
//!
//! A walker's local copy of an entry is like a TLB entry that lives until interrupts are on again, and
//! that most profiles' flush does not reach (R54).

use crate::cpu::{Cpu, flush_tlb};
use crate::folio::{Page, folio_put, page_folio};
use crate::pgtable::free_tables;
use crate::swap::free_swap_cache;
use arrayvec::ArrayVec;

/// How much one gathering holds; more than any scenario unmaps at once.
const BATCH: usize = 16;

/// An unmapping under way.
#[derive(Default)]
pub struct MmuGather<'m> {
    pages: ArrayVec<&'m Page, BATCH>,
    tables: ArrayVec<&'m Page, BATCH>,
    cleared: bool,
}

impl<'m> MmuGather<'m> {
    /// `tlb_gather_mmu`.
    pub fn new() -> Self {
        Self::default()
    }

    /// `__tlb_remove_page`: the mapping's reference of a page, to be dropped after the flush.
    ///
    /// # Panics
    /// If a scenario unmaps more than a batch holds.
    pub fn remove_page(&mut self, page: &'m Page) {
        self.cleared = true;
        self.pages.push(page);
    }

    /// `tlb_remove_tlb_entry`, of an entry with no page to drop: the flush is due all the same.
    pub const fn remove_entry(&mut self) {
        self.cleared = true;
    }

    /// `pte_free_tlb` and its kin: an unlinked table, to be freed after the flush.
    ///
    /// # Panics
    /// If a scenario unmaps more than a batch holds.
    pub fn free_table(&mut self, table: &'m Page) {
        self.cleared = true;
        self.tables.push(table);
    }

    /// `tlb_finish_mmu`: flush, drop pages, free tables.
    pub fn finish(self, cpu: &Cpu<'m>) {
        let _span = cpu.span("tlb_finish_mmu");
        if self.cleared {
            flush_tlb(cpu);
        }
        // free_pages_and_swap_cache
        let swap = cpu.machine().swap_space().is_some();
        for page in self.pages {
            let folio = page_folio(cpu, page);
            if swap {
                free_swap_cache(cpu, folio);
            }
            folio_put(cpu, folio);
        }
        free_tables(cpu, &self.tables);
    }
}
