//! The batches of pages that are on their way to the LRU, and who empties them: `lru_add_drain_all`.
//!
//! What is in a batch has a reference more, and does not move. So whoever wants pages to move empties all batches first
//! (`__gup_longterm_locked`, [`memory_failure`](super::memory_failure())).

use crate::cpu::Cpu;
use crate::folio::{BlockLink, Folio, PageFlags, folio_put, set_page_flags};

/// `lru_add_drain_all`: every batch is empty when it returns.
pub fn lru_add_drain_all(cpu: &Cpu<'_>) {
    let _span = cpu.span("lru_add_drain_all");
    let machine = cpu.machine();
    for batch in &machine.lru_batches {
        batch.lock.lock(cpu);
        let folio = batch.folio.read(cpu).0;
        batch.folio.write(cpu, BlockLink(None));
        if let Some(pfn) = folio {
            let folio = Folio::of(machine.page(pfn));
            set_page_flags(cpu, folio.head(), PageFlags::LRU);
            folio_put(cpu, folio);
        }
        batch.lock.unlock(cpu);
    }
}
